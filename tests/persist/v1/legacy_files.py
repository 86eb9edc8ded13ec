"""Model files of version 1 as other programs wrote them, of all versions of the format, put
together by hand.

The code runs under Python 3.6, the original's, as well.
"""

import struct
from collections import OrderedDict

BATCH, SEQUENCE = "__noSequenceAxis", "*"


def text(value):
    return value.encode("utf-16-le") + b"\0\0"


def numbers(code, *values):
    return struct.pack("<" + code * len(values), *values)


def shape(*dims):
    return numbers("I", len(dims), *dims)


def flags(*values):
    return numbers("Q", len(values)) + bytes(values)


def matrix(values, rows, columns=1):
    head = (
        b"d"
        + text("BMAT")
        + numbers("Q", 4)
        + text("unnamed")
        + numbers("i", 0)
        + numbers("Q", rows, columns)
    )
    return head + numbers("f", *values) + text("EMAT")


def fed(*dims, **options):
    axis = options.get("axis", BATCH)
    return (
        numbers("Q", 0, 0)
        + shape(*dims)
        + numbers("i", 1)
        + text(axis)
        + numbers("f", options.get("rate", 0))
    )


def held(values, *dims, **options):
    rows = dims[0] if dims else 1
    return (
        numbers("f", options.get("rate", 1))
        + shape(*dims)
        + matrix(values, rows, len(values) // rows)
    )


def model(nodes, version=31, **groups):
    """A file.

    Args:
        nodes: for each its kind, its name, its fields, and the names of those it reads.
        version: the version of the format.
        groups: the names of the nodes in a group.
    """
    parts = [
        text("BCN"),
        text("BVersion"),
        numbers("Q", version),
        text("EVersion"),
        numbers("Q", len(nodes)),
    ]
    parts.append(text("BNodeList"))
    parts += [text("float") + text(kind) + text(name) + fields for kind, name, fields, _ in nodes]
    parts += [text("ENodeList"), text("BRelation")]
    for _, name, _, reads in nodes:
        parts += [text(name), numbers("Q", len(reads))] + [text(other) for other in reads]
    parts += [text("ERelation"), text("BRootNodes")]
    for group in ("Feature", "Label", "Criterion", "Eval", "Output"):
        names = groups.get(group.lower(), [])
        parts += [text("B%sNodes" % group), numbers("Q", len(names))]  # noqa: UP031
        parts += [text(name) for name in names]
        parts.append(text("E%sNodes" % group))  # noqa: UP031
    return b"".join(parts + [text("ERootNodes"), text("ECN")])


def of_samples(*nodes, **options):
    return model([("DynamicAxis", BATCH, b"", [])] + list(nodes), **options)


def of_sequences(*nodes, **options):
    return model([("DynamicAxis", SEQUENCE, b"", [])] + list(nodes), **options)


X = ("InputValue", "features", fed(3), [])
S = ("InputValue", "features", fed(3, axis=SEQUENCE), [])
IMAGE = ("InputValue", "image", fed(5, 4, 2), [])
W = ("LearnableParameter", "W", held([0.5, -1, 2, 3, 1, 0], 2, 3), [])


def times(version):
    mapped = numbers("i", -1) if version >= 12 else b""
    return of_samples(
        X, W, ("Times", "z", numbers("Q", 1) + mapped, ["W", "features"]), version=version
    )


def reduced(version):
    count = numbers("i", 1) if version >= 27 else b""
    kept = b"\1" if version >= 24 else b""
    return of_samples(
        IMAGE,
        ("ReduceElements", "z", count + numbers("i", 2) + text("Mean") + kept, ["image"]),
        version=version,
    )


def sliced(version):
    count = numbers("i", 1) if version >= 22 else b""
    stride = numbers("i", 1) if version >= 27 else b""
    fields = count + numbers("Q", 1, 3) + numbers("i", 1) + stride
    return of_samples(IMAGE, ("RowSlice", "z", fields, ["image"]), version=version)


def turned(version):
    return of_samples(IMAGE, ("Transpose", "z", numbers("i", 1, 3), ["image"]), version=version)


def windows(version, kernel, maps, strides, kind, layout=1):
    fields = shape(*kernel) + shape(*maps) + shape(*strides) + flags(1, 1, 1) + flags(1, 1, 0)
    fields += shape(0, 0, 0) + shape(0, 0, 0) + numbers("i", kind, layout) + numbers("Q", 0) + b"\0"
    fields += shape(0) if version >= 20 else b""
    fields += b"\0" if version >= 21 else b""
    return fields + (b"\0" if version >= 23 else b"")


def convolved(version):
    filters = ("LearnableParameter", "filters", held([0.1 * k for k in range(72)], 3, 3, 2, 4), [])
    fields = windows(version, (3, 3, 2), (1, 1, 4), (1, 2, 2), 0) + b"\0"
    fields += shape(1, 1, 1) if version >= 18 else b""
    return of_samples(
        IMAGE, filters, ("Convolution", "z", fields, ["filters", "image"]), version=version
    )


def pooled(version):
    fields = windows(version, (2, 2, 1), (1,), (2, 2, 1), 2)
    return of_samples(IMAGE, ("Pooling", "z", fields, ["image"]), version=version)


def batch_normalized(version):
    names, nodes = ["features"], [X]
    for name, value in (
        ("scale", [1, 2, 3]),
        ("bias", [1, 1, 0]),
        ("mean", [0.5, 0, -1]),
        ("spread", [0.5, 2, 4]),
    ):
        nodes.append(
            ("LearnableParameter", name, held(value, 3, rate=float(name in ("scale", "bias"))), [])
        )
        names.append(name)
    if version >= 19:
        nodes.append(("LearnableParameter", "count", held([7], rate=0), []))
        names.append("count")
    count = b"\0" if version == 19 else numbers("Q", 9)
    fields = b"\0" + numbers("d", 5000, 0) + numbers("i", 1) + count + numbers("d", 0.125) + b"\1"
    return of_samples(*nodes, ("BatchNormalization", "z", fields, names), version=version)


def dropped(version):
    stream = numbers("Q", 5, 0) if version >= 16 else b""
    return of_samples(X, ("Dropout", "z", stream, ["features"]), version=version)


def delayed(version):
    fields = numbers("i", 2) + shape(3) + numbers("f", 2.5)
    return of_sequences(
        S,
        ("Delay", "p", fields, ["features"]),
        ("FutureValue", "z", fields, ["features"]),
        version=version,
    )


def regions(version):
    more = numbers("i", 1) + numbers("d", 0.0625) if version >= 26 else b""
    boxes = ("InputValue", "boxes", fed(4, 3), [])
    fields = shape(3, 2) + more
    return of_samples(
        IMAGE,
        boxes,
        ("Abs", "b", b"", ["boxes"]),
        ("ROIPooling", "z", fields, ["image", "b"]),
        version=version,
    )


FILES = OrderedDict(
    ("%s_%d" % (build.__name__, version), build(version))  # noqa: UP031
    for build, versions in (
        (times, (10, 12, 31)),
        (reduced, (10, 23, 24, 26, 27, 31)),
        (sliced, (10, 21, 22, 26, 27)),
        (turned, (10, 24, 25)),
        (convolved, (10, 17, 18, 19, 20, 21, 22, 23, 31)),
        (pooled, (10, 20, 21, 23)),
        (batch_normalized, (10, 18, 19, 20, 31)),
        (dropped, (10, 15, 16)),
        (delayed, (10, 31)),
        (regions, (10, 25, 26)),
    )
    for version in versions
)
STATISTICS = [
    ("Mean", "mean", b"\1" + matrix([0.5, 1, -1], 3), ["features"]),
    ("InvStdDev", "deviation", b"\1" + matrix([2, 0.5, 4], 3), ["features"]),
]
FILES.update(
    [
        (
            "standardized",
            of_sequences(
                S,
                *STATISTICS,
                ("PerDimMeanVarNormalization", "z", b"", ["features", "mean", "deviation"]),
            ),
        ),
        (
            "trained",
            of_samples(
                X,
                ("InputValue", "labels", fed(2), []),
                W,
                ("LearnableParameter", "b", held([1, -1], 2, rate=0.5), []),
                ("Times", "model.Wx", numbers("Q", 1) + numbers("i", -1), ["W", "features"]),
                ("Plus", "z", b"", ["model.Wx", "b"]),
                ("LogSoftmax", "P", b"", ["z"]),
                ("CrossEntropyWithSoftmax", "ce", b"", ["labels", "z"]),
                ("ErrorPrediction", "errs", b"", ["labels", "z"]),
                ("SquareError", "se", b"", ["labels", "z"]),
                feature=["features"],
                label=["labels"],
                criterion=["ce"],
                eval=["errs"],
                output=["z"],
            ),
        ),
        (
            "sums",
            of_samples(
                X,
                ("SumElements", "all", b"", ["features"]),
                ("SumColumnElements", "z", b"", ["features"]),
            ),
        ),
        (
            "scaled",
            of_samples(
                X,
                ("LearnableParameter", "w", held([1, 2, 3], 3), []),
                ("Scale", "z", b"", ["w", "features"]),
            ),
        ),
        (
            "read_and_listed",
            of_samples(X, ("Abs", "h", b"", ["features"]), ("Exp", "z", b"", ["h"]), eval=["h"]),
        ),
        ("handed_on", of_samples(X, ("Pass", "z", b"", ["features"]))),
        (
            "names",
            of_samples(
                X,
                ("Tanh", "A", b"", ["features"]),
                ("Abs", "b", b"", ["features"]),
                ("Sin", "_c", b"", ["features"]),
                ("Exp", "__v2libuid__Exp7__v2libname__d__v2libname__e", b"", ["features"]),
            ),
        ),
        (
            "reshaped",
            of_samples(IMAGE, ("Reshape", "z", numbers("i", 1, 0) + shape(4, 0, 2), ["image"])),
        ),
    ]
)
