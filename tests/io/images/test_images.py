"""Images as minibatches: map files, archives, base64 text, views, random transforms, order, errors,
threads.
"""

from __future__ import annotations

import base64
import io
import os
import struct
import sys
import zipfile
import zlib

import numpy as np
import pytest

import cntk as C
from cntk.io import (
    Base64ImageDeserializer,
    CTFDeserializer,
    ImageDeserializer,
    MinibatchSource,
    StreamDef,
    StreamDefs,
    transforms as xf,
)
from cntk.io._images import decoding as _image_decoding
from cntk.io._images.transforms import Crop, Pipeline

Image = pytest.importorskip("PIL.Image")

SMALL = [xf.scale(2, 2, 3)]


def encoded(array, format="PNG"):
    file = io.BytesIO()
    Image.fromarray(array).save(file, format)
    return file.getvalue()


def shade(k, size=(2, 2)):
    return np.full((*size, 3), k, np.uint8)


def streams(steps=SMALL, classes=4, **more):
    return StreamDefs(
        image=StreamDef("image", transforms=steps, **more), label=StreamDef("label", shape=classes)
    )


@pytest.fixture
def folder(tmp_path):
    for k in range(40):
        (tmp_path / f"{k}.png").write_bytes(encoded(shade(k)))
    return tmp_path


def listed(folder, lines, name="map.txt"):
    file = folder / name
    file.write_text("".join(f"{line}\n" for line in lines))
    return str(file)


def shades(minibatch, source, stream="image"):
    return minibatch[source.streams[stream]].asarray()[:, 0, 0, 0, 0].astype(int).tolist()


def labels(minibatch, source):
    return [int(s.indices[0]) for s in minibatch[source.streams.label].as_sequences()]


def source_of(folder, lines, steps=SMALL, classes=4, **options):
    options = {"randomize": False, "max_sweeps": 1, **options}
    return MinibatchSource(
        ImageDeserializer(listed(folder, lines), streams(steps, classes)), **options
    )


# -- files -----------------------------------------------------------------------------------------


def test_images_and_labels(folder):
    source = source_of(folder, [".../3.png\t1", ".../5.png\t3"])
    minibatch = source.next_minibatch(10)
    assert shades(minibatch, source) == [3, 5]
    assert labels(minibatch, source) == [1, 3]
    assert minibatch[source.streams.image].shape == (2, 1, 3, 2, 2)
    assert source.streams.image.sample_shape == (3, 2, 2)
    assert source.streams.label.is_sparse and source.streams.label.sample_shape == (4,)
    assert minibatch[source.streams.image].end_of_sweep
    assert not source.next_minibatch(10)


def test_channels_are_blue_green_red(folder):
    (folder / "c.png").write_bytes(encoded(np.array([[[1, 2, 3], [4, 5, 6]]], np.uint8)))
    source = source_of(folder, [".../c.png\t0"], [])
    assert source.streams.image.sample_shape == (-2,)
    sample = source.next_minibatch(1)[source.streams.image].asarray()[0, 0]
    np.testing.assert_array_equal(sample, [[[3, 6]], [[2, 5]], [[1, 4]]])


def test_names_are_relative_to_the_program_or_to_the_map(folder, monkeypatch):
    (folder / "maps").mkdir()
    (folder / "maps" / "m.png").write_bytes(encoded(shade(9)))
    lines = [".../m.png\t0", "7.png\t0", ".../../8.png\t0", f"{folder}/6.png\t0"]
    monkeypatch.chdir(folder)
    file = listed(folder, lines, "maps/map.txt")
    source = MinibatchSource(ImageDeserializer(file, streams()), randomize=False)
    assert shades(source.next_minibatch(4), source) == [9, 7, 8, 6]


def test_archives(folder):
    with zipfile.ZipFile(folder / "a.zip", "w") as archive:
        for k in range(4):
            archive.writestr(f"d/{k}.png", encoded(shade(k + 50)))
    (folder / "me@home.png").write_bytes(encoded(shade(77)))
    lines = [
        ".../a.zip@/d/2.png\t0",
        ".../a.zip@\\d\\3.png\t0",
        f"{folder}/a.zip@/d/0.png\t0",
        ".../me@home.png\t1",
        ".../1.png\t1",
    ]
    source = source_of(folder, lines)
    assert shades(source.next_minibatch(9), source) == [52, 53, 50, 77, 1]


def test_base64_is_the_same(folder):
    text = [base64.b64encode(encoded(shade(k))).decode() for k in range(6)]
    lines = [f"{k % 4}\t{t}" for k, t in enumerate(text)]
    file = folder / "b64.txt"
    file.write_text("\n" + "\n".join(lines))  # A blank line, and none at the end.
    source = MinibatchSource(
        Base64ImageDeserializer(str(file), streams()), randomize=False, max_sweeps=1
    )
    minibatch = source.next_minibatch(9)
    assert shades(minibatch, source) == list(range(6))
    assert labels(minibatch, source) == [0, 1, 2, 3, 0, 1]


@pytest.mark.parametrize("mode", ["RGB", "L", "LA", "RGBA", "P", "1", "I;16"])
def test_all_kinds_of_pixels(folder, mode):
    if mode == "I;16":
        image = Image.fromarray(np.full((2, 2), 201 * 256 + 17, np.uint16))
    else:
        image = Image.fromarray(np.full((2, 2, 3), 201, np.uint8)).convert(
            mode, palette=Image.Palette.ADAPTIVE
        )
    image.save(folder / "kind.png")
    expected = 255 if mode == "1" else 201
    for channels in (3, 1):
        source = source_of(folder, [".../kind.png\t0"], [xf.scale(2, 2, channels)])
        sample = source.next_minibatch(1)[source.streams.image].asarray()[0, 0]
        if mode != "1":  # Pillow dithers.
            np.testing.assert_array_equal(sample, np.full((channels, 2, 2), expected))
        assert sample.shape == (channels, 2, 2)


def test_an_image_is_turned_upright_as_its_camera_was_held(folder):
    array = np.zeros((8, 16, 3), np.uint8)
    array[:, :8] = 200
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(array).save(folder / "turned.png", exif=exif)
    source = source_of(folder, [".../turned.png\t0"], [])
    sample = source.next_minibatch(1)[source.streams.image].asarray()[0, 0]
    assert sample.shape == (3, 16, 8) and sample[0, 0, 0] == 200 and sample[0, -1, 0] == 0


def test_jpeg_within_two_levels(folder):
    ramp = np.repeat(np.repeat(np.arange(0, 256, 8, dtype=np.uint8)[None, :, None], 32, 0), 3, 2)
    Image.fromarray(ramp).save(folder / "ramp.jpg", quality=100)
    source = source_of(folder, [".../ramp.jpg\t0"], [])
    sample = source.next_minibatch(1)[source.streams.image].asarray()[0, 0]
    assert np.abs(sample - ramp.transpose(2, 0, 1)).max() <= 2


# -- joining ---------------------------------------------------------------------------------------


def test_keys_join_other_files(folder):
    images = ImageDeserializer(
        listed(folder, [f"{100 + k}\t.../{k}.png\t{k % 4}" for k in range(10)]), streams()
    )
    numbers = CTFDeserializer(
        listed(folder, [f"{100 + k} |n {k}" for k in reversed(range(12))], "n.ctf"),
        StreamDefs(n=StreamDef("n", 1)),
    )
    for order in ([images, numbers], [numbers, images]):
        source = MinibatchSource(order, max_sweeps=1)
        minibatch = source.next_minibatch(100)
        assert len(minibatch[source.streams.image]) == 10
        found = minibatch[source.streams.n].asarray().ravel().astype(int).tolist()
        assert shades(minibatch, source) == found
        assert labels(minibatch, source) == [k % 4 for k in found]


def test_keys_may_be_text(folder):
    def reader(name, order):
        lines = [f"speaker-{k}\t.../{k}.png\t0" for k in order]
        crop = [xf.crop("randomside", crop_size=1)]
        return ImageDeserializer(
            listed(folder, lines, name), StreamDefs(**{name: StreamDef("image", transforms=crop)})
        )

    source = MinibatchSource(
        [reader("a", range(10)), reader("b", reversed(range(5, 15)))], max_sweeps=1
    )
    minibatch = source.next_minibatch(100)
    assert sorted(shades(minibatch, source, "a")) == [5, 6, 7, 8, 9]
    assert shades(minibatch, source, "a") == shades(minibatch, source, "b")


def test_streams_that_share_a_crop_share_it(folder):
    noise = np.random.RandomState(1).randint(0, 256, (40, 20, 40, 3)).astype(np.uint8)
    for k in range(8):
        (folder / f"{k}.png").write_bytes(encoded(noise[k]))
    lines = [f".../{k}.png\t0" for k in range(8)]
    crop = xf.crop("randomside", crop_size=(20, 10))
    one = ImageDeserializer(
        listed(folder, lines), StreamDefs(one=StreamDef("image", transforms=[crop]))
    )
    two = ImageDeserializer(
        listed(folder, lines),
        StreamDefs(two=StreamDef("image", transforms=[xf.scale(40, 20, 3), crop])),
    )
    three = ImageDeserializer(
        listed(folder, lines),
        StreamDefs(three=StreamDef("image", transforms=[xf.color(0.1), crop])),
    )
    source = MinibatchSource([one, two, three])
    for _ in range(4):
        minibatch = source.next_minibatch(3)
        a, b, c = (minibatch[source.streams[s]].asarray() for s in ("one", "two", "three"))
        assert a.shape == (3, 1, 3, 10, 20)
        np.testing.assert_array_equal(a, b)
        assert np.abs(a - c).max() < 26 and (a != c).any()


# -- order, sweeps, checkpoints --------------------------------------------------------------------


def lines_of(count):
    return [f".../{k}.png\t{k % 4}" for k in range(count)]


@pytest.mark.parametrize(
    "options, expected",
    [
        ({}, [0, 27, 10, 9, 21, 3, 12, 25, 19, 6]),
        ({"randomization_window_in_chunks": 8}, [0, 29, 23, 16, 38, 28, 18, 19, 15, 4]),
        (
            {"randomization_window_in_chunks": 0, "randomization_window_in_samples": 10},
            [16, 38, 0, 23, 19, 4, 29, 28, 32, 18],
        ),
        ({"randomization_seed": 5}, [8, 2, 27, 25, 9, 12, 17, 4, 22, 7]),
    ],
)
def test_order_is_the_originals(folder, options, expected):
    source = source_of(folder, lines_of(40), randomize=True, **options)
    assert shades(source.next_minibatch(10), source) == expected


def test_order_of_base64_is_the_originals(folder):
    lines = [f"{k % 4}\t{base64.b64encode(encoded(shade(k))).decode()}" for k in range(20)]
    source = MinibatchSource(
        Base64ImageDeserializer(listed(folder, lines), streams()), max_sweeps=2
    )
    found = shades(source.next_minibatch(24), source)
    assert found[:8] == [0, 7, 12, 6, 19, 8, 18, 4] and found[20:] == [19, 2, 10, 18]


RANDOM = [
    xf.crop("randomside", side_ratio=(0.3, 0.9), jitter_type="uniratio"),
    xf.scale(6, 6, 3),
    xf.color(0.2, 0.3, 0.4),
]


def noisy(folder, count=12):
    for k in range(count):
        array = np.random.RandomState(k).randint(0, 256, (20, 30, 3)).astype(np.uint8)
        (folder / f"{k}.png").write_bytes(encoded(array))
    return lines_of(count)


def everything(source, size, n):
    return np.concatenate(
        [source.next_minibatch(size)[source.streams.image].asarray() for _ in range(n)]
    )


def test_the_same_seed_gives_the_same_run_whatever_the_minibatches_and_threads(folder):
    lines = noisy(folder)
    options = {"randomize": True, "max_sweeps": 3}
    first = everything(source_of(folder, lines, RANDOM, **options), 4, 9)
    np.testing.assert_array_equal(
        first, everything(source_of(folder, lines, RANDOM, **options), 6, 6)
    )
    again = source_of(folder, lines, RANDOM, multithreaded_deserializer=False, **options)
    np.testing.assert_array_equal(first, everything(again, 9, 4))
    other = everything(source_of(folder, lines, RANDOM, randomization_seed=1, **options), 4, 9)
    assert (first != other).mean() > 0.5


def test_each_sweep_draws_anew(folder):
    source = source_of(folder, noisy(folder), RANDOM, max_sweeps=2)
    one, two = everything(source, 12, 1), everything(source, 12, 1)
    assert all((a != b).any() for a, b in zip(one, two, strict=True))


def test_a_checkpoint_goes_on_with_the_same_images(folder):
    lines = noisy(folder)
    source = source_of(folder, lines, RANDOM, randomize=True, max_sweeps=3)
    everything(source, 5, 3)
    state = source.get_checkpoint_state()
    rest = everything(source, 5, 3)
    fresh = source_of(folder, lines, RANDOM, randomize=True, max_sweeps=3)
    fresh.restore_from_checkpoint(state)
    np.testing.assert_array_equal(rest, everything(fresh, 5, 3))
    source.restore_from_checkpoint(state)
    np.testing.assert_array_equal(rest, everything(source, 5, 3))


def test_workers_share_the_images(folder):
    found = []
    for rank in range(3):
        source = source_of(folder, lines_of(10), randomize=True)
        while minibatch := source.next_minibatch(6, num_data_partitions=3, partition_index=rank):
            found += shades(minibatch, source)
    assert sorted(found) == list(range(10))


def test_changing_sizes_of_minibatches(folder):
    source = source_of(folder, lines_of(20), max_sweeps=2)
    found = [
        k for size in (1, 7, 2, 15, 3, 30) for k in shades(source.next_minibatch(size), source)
    ]
    assert found == [*range(20), *range(20)]


# -- transforms ------------------------------------------------------------------------------------


def grid(height, width):
    array = np.zeros((height, width, 3), np.uint8)
    array[:, :, 0], array[:, :, 1] = np.arange(width), np.arange(height)[:, None]
    return array


def rectangle(part):
    """Top, left, height, width, and whether it is mirrored."""
    return (
        int(part[0, 0, 1]),
        int(part[0, :, 0].min()),
        *part.shape[:2],
        bool(part[0, 0, 0] > part[0, -1, 0]),
    )


def crops(crop, size, count=2000):
    image = grid(*size)
    return np.array(
        [rectangle(crop.apply(image, np.random.default_rng(k), 0)) for k in range(count)]
    )


def test_ten_views(folder):
    (folder / "grid.png").write_bytes(encoded(grid(7, 9)))
    source = source_of(folder, [".../grid.png\t2"], [xf.crop("multiview10", crop_size=3)])
    minibatch = source.next_minibatch(100)
    found = minibatch[source.streams.image].asarray()[:, 0, ::-1].transpose(0, 2, 3, 1)
    corners = [(0, 0), (0, 6), (4, 0), (4, 6), (2, 3)]
    assert [rectangle(v) for v in found] == [(*c, 3, 3, f) for f in (False, True) for c in corners]
    assert labels(minibatch, source) == [2] * 10
    assert minibatch[source.streams.image].num_samples == 10


def test_random_crops_are_anywhere_and_mirrored_half_of_the_time():
    found = crops(xf.crop("randomside", crop_size=(10, 6)), (20, 30))
    assert (found[:, 2:4] == (6, 10)).all()
    assert np.unique(found[:, 0]).tolist() == list(range(15)) and np.unique(
        found[:, 1]
    ).tolist() == list(range(21))
    assert abs(found[:, 4].mean() - 0.5) < 0.05


def test_jitter_draws_ratios_evenly():
    sides = crops(xf.crop("randomside", side_ratio=(0.2, 0.8), jitter_type="uniratio"), (200, 250))[
        :, 2
    ]
    np.testing.assert_allclose(
        np.quantile(sides, [0, 0.25, 0.5, 0.75, 1]), [40, 70, 100, 130, 160], atol=5
    )
    found = crops(xf.crop("randomarea", area_ratio=(0.2, 0.8), jitter_type="uniratio"), (200, 250))
    areas = found[:, 2] * found[:, 3] / 50000
    np.testing.assert_allclose(
        np.quantile(areas, [0, 0.25, 0.5, 0.75, 1]), [0.2, 0.35, 0.5, 0.65, 0.8], atol=0.025
    )
    assert (crops(xf.crop("randomarea", area_ratio=(0.2, 0.8)), (200, 250), 50)[:, 2] == 100).all()


def test_aspect_ratios_lie_either_way():
    found = crops(
        xf.crop("center", side_ratio=0.5, aspect_ratio=(0.5, 1.0), jitter_type="uniratio"),
        (200, 250),
    )
    ratios = found[:, 3] / found[:, 2]
    np.testing.assert_allclose(
        np.quantile(ratios, [0, 0.25, 0.75, 1]), [0.5, 0.75, 1.33, 2.0], atol=0.05
    )
    assert (found[:, 4] == 0).all()
    sizes = {
        tuple(s)
        for s in crops(xf.crop("randomside", side_ratio=0.5, aspect_ratio=2.0), (200, 250), 50)[
            :, 2:4
        ]
    }
    assert sizes == {(70, 141), (141, 70)}


def test_a_crop_that_never_fits_is_the_whole_image():
    crop = xf.crop("randomarea", area_ratio=(0.01, 1.0), jitter_type="uniratio")
    found = crops(crop, (20, 250))
    # The original draws ten times, so that 45 % of these are whole images.
    assert abs((found[:, 3] == 250).mean() - 0.45) < 0.05


def test_a_tiny_crop_has_a_pixel():
    assert (crops(xf.crop("center", side_ratio=0.01), (8, 8), 1)[:, 2:4] == 1).all()


def test_brightness_and_contrast():
    image = np.random.RandomState(0).randint(60, 190, (6, 7, 3)).astype(np.uint8)
    shifts, slopes = [], []
    for k in range(400):
        found = xf.color(0.2, 0.3).apply(image, np.random.default_rng(k), 0)
        slope, shift = np.polyfit(image.ravel().astype(float), found.ravel(), 1)
        inside = (found > 0) & (found < 255)
        if inside.all():
            np.testing.assert_allclose(found, slope * image + shift, atol=1e-3)
        shifts.append(shift / image.mean())
        slopes.append(slope)
    assert 0.17 < max(shifts) <= 0.21 and -0.21 <= min(shifts) < -0.17
    assert 1.25 < max(slopes) <= 1.301 and 0.69 <= min(slopes) < 0.75


def test_saturation_moves_channels_away_from_the_largest():
    image = np.array([[[15, 168, 237], [100, 100, 100], [0, 0, 0]]], np.uint8)
    for k in range(50):
        found = xf.color(saturation_radius=0.4).apply(image, np.random.default_rng(k), 0)
        np.testing.assert_allclose(found[0, 1:], image[0, 1:], atol=1e-4)
        blue, green, red = found[0, 0]
        assert red == 237 and found.min() >= 0
        assert (237 - green) / (237 - blue) == pytest.approx((237 - 168) / (237 - 15), abs=1e-5)


def test_a_contrast_beyond_the_range_is_clipped():
    image = np.array([[[250, 5, 128]]], np.uint8)
    found = np.array(
        [xf.color(1.0, 1.0).apply(image, np.random.default_rng(k), 0) for k in range(100)]
    )
    assert found.min() == 0 and found.max() == 255


def test_a_mean_of_another_size_is_left_out_with_a_warning(folder):
    (folder / "mean.xml").write_text(
        "<?xml version='1.0'?><s><Channel>3</Channel><Row>1</Row><Col>1</Col><MeanImg><data>1 2 "
        "3</data></MeanImg></s>"
    )
    pipeline = Pipeline((xf.mean(str(folder / "mean.xml")),))
    with pytest.warns(UserWarning, match=r"mean image is 1 x 1 x 3.*images are 2 x 2 x 3"):
        assert (pipeline.sample(shade(7), (0,), 0) == 7).all()
    assert pipeline.sample(shade(7, (1, 1)), (0,), 0).ravel().tolist() == [6, 5, 4]


@pytest.mark.parametrize(
    "text, expected",
    [
        (None, "cannot read"),
        ("hello", "expected a mean image"),
        ("<a><Channel>3</Channel><Row>1</Row><Col>1</Col></a>", "expected a mean image"),
        (
            "<a><Channel>3</Channel><Row>1</Row><Col>1</Col><MeanImg><data>1 "
            "2</data></MeanImg></a>",
            "as many numbers",
        ),
        (
            "<a><Channel>3</Channel><Row>1</Row><Col>x</Col><MeanImg><data>1 2 "
            "3</data></MeanImg></a>",
            "mean image",
        ),
    ],
)
def test_mean_files_that_are_none(folder, text, expected):
    if text is not None:
        (folder / "m.xml").write_text(text)
    with pytest.raises(ValueError, match=expected):
        source_of(folder, lines_of(1), [xf.mean(str(folder / "m.xml"))])


@pytest.mark.parametrize(
    "call, expected",
    [
        (lambda: xf.crop("middle"), "crop_type must be one of"),
        (lambda: xf.crop(jitter_type="unilength"), "jitter_type must be one of none, uniratio"),
        (lambda: xf.crop(crop_size=-4), "crop_size"),
        (lambda: xf.crop(crop_size=3.7), "integers"),
        (lambda: xf.crop(crop_size=(1, 2, 3)), "a tuple of two numbers"),
        (lambda: xf.crop(side_ratio=1.5), "side_ratio must be above 0 and no more than 1"),
        (lambda: xf.crop(side_ratio=(0.8, 0.2)), "lower end first"),
        (lambda: xf.crop(side_ratio="a"), "a number or a tuple"),
        (lambda: xf.crop(area_ratio=2.0), "area_ratio"),
        (lambda: xf.crop(aspect_ratio=0.0), "aspect_ratio must be above 0"),
        (lambda: xf.scale(0, 4, 3), "width and height"),
        (lambda: xf.scale(4, 4, 2), "channels must be 3"),
        (lambda: xf.scale(4, 4, 3, interpolations="area"), "nearest, linear, cubic, lanczos"),
        (lambda: xf.scale(4, 4, 3, scale_mode="fit"), "fill, crop, pad"),
        (lambda: xf.color(brightness_radius=1.5), "brightness_radius must be from 0 to 1"),
    ],
)
def test_arguments_that_make_no_sense(call, expected):
    with pytest.raises(ValueError, match=expected):
        call()


def test_both_ratios_of_a_crop(folder):
    crop = xf.crop("randomside", side_ratio=0.5, area_ratio=0.5)
    with pytest.raises(ValueError, match="exclude each other"):
        source_of(folder, lines_of(1), [crop])
    assert isinstance(crop, Crop)


# -- errors ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line, expected",
    [
        (".../1.png", "line 2: expected image<tab>label or key<tab>image<tab>label.*got 1 column"),
        (".../1.png 1", "got 1 column"),
        ("1\t2\t3\t4", "got 4 columns"),
        (".../1.png\tcat", "line 2: expected the number of a class as the label, got 'cat'"),
        (".../1.png\t-1", "got '-1'"),
        (".../1.png\t4", "the label is 4; the label's stream has 4 classes, 0 to 3"),
        (" \t.../1.png\t1", "expected a key in the first of three columns"),
    ],
)
def test_lines_that_are_malformed(folder, line, expected):
    lines = [".../0.png\t0", line, ".../2.png\t2"]
    with pytest.raises(ValueError, match=expected) as caught:
        source_of(folder, lines)
    assert "map.txt" in str(caught.value)
    with pytest.warns(UserWarning, match="it is left out"):
        source = source_of(folder, lines, max_errors=1)
    assert shades(source.next_minibatch(9), source) == [0, 2]


def test_without_labels_they_are_not_limited(folder):
    file = listed(folder, [".../1.png\t1000"])
    source = MinibatchSource(
        ImageDeserializer(file, StreamDefs(image=StreamDef("image", transforms=SMALL)))
    )
    assert shades(source.next_minibatch(1), source) == [1]


BROKEN = {
    "missing.png": "there is no file",
    "text.png": "no image that can be decoded: its format is none of BMP, .*WEBP",
    "cut.png": "no image that can be decoded",
    "a.zip@/none.png": "none.png",
    "b.zip@/none.png": "there is no file",
    "text.png@/none.png": "there is no file|Not a directory|is no zip archive, or is damaged",
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("threads", [True, False])
def test_images_that_cannot_be_read(folder, name, threads):
    (folder / "text.png").write_text("no image")
    noise = np.random.RandomState(0).randint(0, 256, (20, 20, 3)).astype(np.uint8)
    (folder / "cut.png").write_bytes(encoded(noise)[:500])
    with zipfile.ZipFile(folder / "a.zip", "w") as archive:
        archive.writestr("some.png", encoded(shade(1)))
    lines = [".../0.png\t0", ".../1.png\t1", f".../{name}\t2", ".../3.png\t3"]
    source = source_of(folder, lines, multithreaded_deserializer=threads)
    assert shades(source.next_minibatch(2), source) == [0, 1]
    for _ in range(2):  # It stays where it was.
        with pytest.raises(ValueError, match=BROKEN[name]) as caught:
            source.next_minibatch(2)
        assert "map.txt, line 3: cannot read image" in str(caught.value) and name in str(
            caught.value
        )
    source = source_of(
        folder, lines, max_errors=1, max_sweeps=2, multithreaded_deserializer=threads
    )
    with pytest.warns(UserWarning, match=r"it is left out \(1 of 1 errors allowed\)"):
        minibatch = source.next_minibatch(4)
    assert shades(minibatch, source) == [0, 1, 3] and labels(minibatch, source) == [0, 1, 3]
    with pytest.raises(ValueError, match="one more than max_errors=1 allows"):
        source.next_minibatch(4)


def zipped(content, method=zipfile.ZIP_DEFLATED):
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", method) as archive:
        archive.writestr("a.png", content)
    return written.getvalue()


def changed(content, at, new):
    return content[:at] + new + content[at + len(new) :]


def wide(width, height):
    """A PNG file that says to be of a certain size."""
    whole = encoded(shade(1))
    head = struct.pack(">4sII", b"IHDR", width, height) + whole[24:29]
    return whole[:12] + head + struct.pack(">I", zlib.crc32(head)) + whole[33:]


ONE = encoded(shade(1))


def in_directory(content, at, new):
    """An archive of one file whose directory says something else of it."""
    return changed(content, content.rindex(b"PK\1\2") + at, new)


HOSTILE = {
    "pixels": (
        wide(9000, 9000),
        "a.png",
        "9000 x 9000 pixels, and 8,388,608 were expected at the most.*maxPixels",
    ),
    "more pixels": (wide(90000, 90000), "a.png", "more pixels than Pillow takes for safe"),
    "webp": (
        b"RIFF\x1e\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\xff\xff\0\xff\xff\0" + bytes(9),
        "a.png",
        "65536 x 65536 pixels",
    ),
    "scans": (
        encoded(shade(1), "JPEG")[:-2] + b"\xff\xda" * 200,
        "a.png",
        "JPEG file of 201 scans",
    ),
    "postscript": (
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        "a.png",
        "its format is none of BMP",
    ),
    "inflates": (
        zipped(bytes(1 << 21)),
        "a.zip@/a.png",
        "2,097,152 bytes, and 1,000,000 were expected.*maxBytes",
    ),
    "lies": (
        in_directory(zipped(bytes(1 << 21)), 24, b"\x10\0\0\0"),
        "a.zip@/a.png",
        "the archive is damaged",
    ),
    "method": (zipped(ONE, zipfile.ZIP_LZMA), "a.zip@/a.png", "compressed by method 14"),
    "password": (in_directory(zipped(ONE), 8, b"\1"), "a.zip@/a.png", "encrypted"),
    "damaged": (
        changed(zipped(ONE), 50, b"abc"),
        "a.zip@/a.png",
        "the archive is damaged where it has 'a.png'",
    ),
    "directory": (zipped(ONE)[:-30], "a.zip@/a.png", "no zip archive, or is damaged"),
    "long": (ONE, "n" * 5000, "expected an image's name of up to 4,096 characters, got 5,004"),
    "null": (ONE, "a\0.png", "its name has characters"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_files_that_would_fill_the_memory(folder, name):
    content, entry, expected = HOSTILE[name]
    (folder / "a.png").write_bytes(content)
    (folder / "a.zip").write_bytes(content)
    reader = ImageDeserializer(listed(folder, [f".../{entry}\t0"]), streams())
    reader["maxBytes"] = 1_000_000
    with pytest.raises(ValueError, match=f"map.txt, line 1: .*{expected}"):
        MinibatchSource(reader).next_minibatch(1)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes have names only on POSIX systems")
@pytest.mark.parametrize("name", [".../pipe", "/dev/zero", ".../pipe@/a.png"])
def test_maps_that_name_no_files(folder, name):
    os.mkfifo(folder / "pipe")
    with pytest.raises(ValueError, match="it is a (pipe|device), and a regular file was expected"):
        source_of(folder, [f"{name}\t0"]).next_minibatch(1)


def test_larger_images_are_read_where_the_program_says_so(folder):
    (folder / "big.png").write_bytes(encoded(np.full((2900, 2900, 3), 7, np.uint8)))
    text = base64.b64encode(encoded(np.full((2900, 2900, 3), 7, np.uint8))).decode()
    files = {ImageDeserializer: [".../big.png\t0"], Base64ImageDeserializer: [f"0\t{text}"]}
    for kind, lines in files.items():
        reader = kind(listed(folder, lines), streams())
        with pytest.raises(ValueError, match="2900 x 2900"):
            MinibatchSource(reader).next_minibatch(1)
        reader["maxPixels"] = 9_000_000
        source = MinibatchSource(reader)
        assert shades(source.next_minibatch(1), source) == [7]
        reader["maxBytes"] = 10
        with pytest.raises(ValueError, match="10 were expected"):
            MinibatchSource(reader).next_minibatch(1)
        with pytest.raises(
            KeyError, match="has no option 'pixels'; it has 'maxPixels', 'maxBytes'"
        ):
            reader["pixels"] = 1
        with pytest.raises(ValueError, match="maxPixels must be an integer"):
            reader["maxPixels"] = 0


def test_a_very_long_image_is_not_scaled_to_cover(folder):
    (folder / "long.png").write_bytes(encoded(shade(1, (1, 60000))))
    with pytest.raises(
        ValueError, match=r"line 1: .*60000 x 1 pixels, and \d+ x 200 when it covers 200 x 200"
    ):
        source_of(
            folder, [".../long.png\t0"], [xf.scale(200, 200, 3, scale_mode="crop")]
        ).next_minibatch(1)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "CMYK", "I;16", "1"])
@pytest.mark.parametrize("channels", [1, 3])
def test_large_images_are_taken_in_strips(folder, mode, channels, monkeypatch):
    """They come out as small ones, of every kind."""
    noise = Image.fromarray(np.random.RandomState(0).randint(0, 256, (30, 20, 3)).astype(np.uint8))
    noise = (
        noise.convert("L").convert("I").convert("I;16") if mode == "I;16" else noise.convert(mode)
    )
    noise.save(folder / "n.tif")
    steps = [xf.crop("center"), xf.scale(20, 30, channels)]
    pictures = []
    for strip in (1 << 18, 50):
        monkeypatch.setattr(_image_decoding, "_STRIP", strip)
        source = source_of(folder, [".../n.tif\t0"], steps)
        pictures.append(source.next_minibatch(1)[source.streams.image].asarray())
    np.testing.assert_array_equal(*pictures)


def test_a_minibatch_of_nothing_but_broken_images_is_passed_over(folder):
    lines = [".../0.png\t0", *[".../none.png\t1"] * 4, ".../5.png\t1"]
    source = source_of(folder, lines, max_errors=9)
    assert shades(source.next_minibatch(1), source) == [0]
    with pytest.warns(UserWarning):
        assert shades(source.next_minibatch(2), source) == [5]
    assert not source.next_minibatch(1)


@pytest.mark.parametrize("text", ["!!!!", "AAAA", ""])
def test_base64_that_is_none(folder, text):
    good = base64.b64encode(encoded(shade(5))).decode()
    file = listed(folder, [f"1\t{good}", f"2\t{text}", f"3\t{good}"], "b64.txt")
    source = MinibatchSource(Base64ImageDeserializer(file, streams()), randomize=False)
    with pytest.raises(ValueError, match=r"b64.txt, line 2: cannot read the image \(sequence 1\)"):
        source.next_minibatch(3)


def test_images_of_different_sizes_need_scaling(folder):
    (folder / "big.png").write_bytes(encoded(shade(1, (5, 4))))
    source = source_of(folder, [".../0.png\t0", ".../big.png\t0"], [])
    with pytest.raises(
        ValueError, match=r"stream 'image' differ in shape: \[3 x 2 x 2\] and \[3 x 5 x 4\].*scale"
    ):
        source.next_minibatch(2)
    with pytest.raises(ValueError, match="cannot read .*nowhere.txt"):
        MinibatchSource(ImageDeserializer(str(folder / "nowhere.txt"), streams()))
    with pytest.raises(ValueError, match="lists no images"):
        source_of(folder, [""])


@pytest.mark.parametrize(
    "given, kind, expected",
    [
        ({}, ValueError, "no streams"),
        (
            {"x": StreamDef("picture", transforms=SMALL)},
            ValueError,
            "field must be 'image' or 'label', got 'picture'",
        ),
        ({"x": StreamDef("label")}, ValueError, "number of classes"),
        ({"x": StreamDef("image", transforms=5)}, TypeError, "list of cntk.io.transforms"),
        ({"x": StreamDef("image", transforms=[5])}, TypeError, "list of cntk.io.transforms"),
        ({"x": 5}, TypeError, "must be a StreamDef"),
    ],
)
@pytest.mark.parametrize("reader", [ImageDeserializer, Base64ImageDeserializer])
def test_streams_that_are_none(given, kind, expected, reader):
    with pytest.raises(kind, match=expected):
        reader("map.txt", StreamDefs(**given))
    with pytest.raises(TypeError, match="must be StreamDefs"):
        reader("map.txt", 7)


def test_without_pillow(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ImportError, match=r"needs Pillow.*pip install 'cntk-torch\[image\]'"):
        source_of(folder, lines_of(1))


# -- training --------------------------------------------------------------------------------------


def test_images_are_trained_on(folder):
    lines = []
    for k in range(16):
        array = np.random.RandomState(k).randint(0, 100, (12, 12, 3)).astype(np.uint8)
        array[:, :, k % 2] += 120
        (folder / f"{k}.png").write_bytes(encoded(array))
        lines.append(f".../{k}.png\t{k % 2}")
    steps = [xf.crop("randomside", side_ratio=0.8), xf.scale(8, 8, 3)]
    source = source_of(folder, lines, steps, 2, randomize=True, max_sweeps=40)
    x, y = C.input_variable((3, 8, 8)), C.input_variable(2, is_sparse=True)
    z = C.layers.Dense(2, init=C.normal(0.01, seed=1))(x / 256)
    loss, error = C.cross_entropy_with_softmax(z, y), C.classification_error(z, y)
    trainer = C.Trainer(z, (loss, error), [C.adam(z.parameters, 0.01, 0.9)])
    wanted = {x: source.streams.image, y: source.streams.label}
    while minibatch := source.next_minibatch(8, input_map=wanted):
        trainer.train_minibatch(minibatch)
    assert trainer.previous_minibatch_evaluation_average == 0
