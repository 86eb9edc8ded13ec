"""Images and transforms whose samples are compared with the original's.

The file is read by the original's interpreter too (Python 3.6): the recording script and the test
both run `CASES`.
"""

from collections import namedtuple

import numpy as np

# Size: height and width of a random image. Transforms: name and arguments.
Case = namedtuple("Case", "name size transforms")
MEAN_SIZE = (9, 12)

TEMPLATE = (
    '<?xml version="1.0" ?><opencv_storage><Channel>3</Channel><Row>{}</Row><Col>{}</Col>'
    '<MeanImg type_id="opencv-matrix"><rows>1</rows><cols>{}</cols><dt>f</dt><data>{}</data></MeanImg></opencv_storage>'  # noqa: E501
)

SIZES = [(5, 7), (20, 13), (32, 24), (9, 12)]
TARGETS = [(4, 6), (9, 8), (16, 12), (10, 6), (1, 1), (21, 30)]
INTERPOLATIONS = ["nearest", "linear", "cubic", "lanczos"]
CROPS = [
    {},
    {"crop_size": 5},
    {"crop_size": (6, 4)},
    {"crop_size": 50},
    {"crop_size": (3, 40)},
    {"crop_size": (4, 0)},
    {"side_ratio": 0.5},
    {"side_ratio": 0.3333},
    {"side_ratio": 1.0},
    {"side_ratio": (0.2, 0.8)},
    {"area_ratio": 0.5},
    {"crop_size": (4, 5), "side_ratio": 0.5},
]


def scale(size, **options):
    return "scale", dict(height=size[0], width=size[1], channels=3, **options)


def cases():
    """Every kind of image with every transform that draws no random numbers, and some together."""
    for size in SIZES:
        where = "{}x{}".format(*size)
        yield Case("plain_" + where, size, [])
        for k, options in enumerate(CROPS):
            yield Case(f"crop{k}_{where}", size, [("crop", options)])
        for target in TARGETS:
            for kind in INTERPOLATIONS:
                name = "{}_{}_{}x{}".format(kind, where, *target)
                yield Case(name, size, [scale(target, interpolations=kind)])
            for mode in ("crop", "pad"):
                name = "{}_{}_{}x{}".format(mode, where, *target)
                yield Case(
                    name,
                    size,
                    [scale(target, scale_mode=mode, pad_value=-1 if target[0] % 2 else 70)],
                )
    for kind in INTERPOLATIONS:
        yield Case(f"mean_{kind}", MEAN_SIZE, [("mean", {}), scale((6, 7), interpolations=kind)])
    yield Case(
        "mean_half", MEAN_SIZE, [("mean", {}), scale((9, 12)), scale((18, 24)), scale((9, 12))]
    )
    yield Case(
        "mean_pad", MEAN_SIZE, [("mean", {}), scale((20, 20), scale_mode="pad", pad_value=4)]
    )
    yield Case(
        "crop_scale_mean", (30, 40), [("crop", {"side_ratio": 0.7}), scale(MEAN_SIZE), ("mean", {})]
    )
    yield Case("mean_of_another_size", (4, 5), [("mean", {})])
    yield Case("no_change_of_color", (4, 5), [("color", {})])


CASES = list(cases())


def pixels(size, seed):
    """A random image, uint8 ``[height, width, 3]``, its channels red, green, blue."""
    return np.random.RandomState(seed).randint(0, 256, size + (3,)).astype(np.uint8)


def write_mean(name):
    """A mean image in OpenCV's format."""
    numbers = np.random.RandomState(9).rand(3 * MEAN_SIZE[0] * MEAN_SIZE[1]) * 100
    with open(name, "w") as file:
        file.write(
            TEMPLATE.format(*MEAN_SIZE, len(numbers), " ".join(map("{:.6e}".format, numbers)))
        )
