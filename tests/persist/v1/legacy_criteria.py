"""Nodes of version 1 whose operands differ in their rank, and oldest kinds: as files, and what they
compute.

The code runs under Python 3.6, the original's, as well.
"""

from collections import OrderedDict

import numpy as np

from tests.persist.v1.legacy_files import BATCH, SEQUENCE, fed, held, model, numbers, shape, windows

# In files of version 1 the label comes before the output. Operands are named so that their order is
# that of names.
KINDS = (
    "CrossEntropyWithSoftmax",
    "ErrorPrediction",
    "SquareError",
    "Logistic",
    "CosDistance",
    "Plus",
    "ElementTimes",
    "Less",
    "If",
    "Clip",
)
TWO = [
    ((3,), (3,)),
    ((3,), (3, 1)),
    ((3, 1), (3,)),
    ((3,), (1, 3)),
    ((1, 3), (3,)),
    ((2, 3), (2, 3)),
    ((1,), (1, 1)),
    ((1, 1), (1,)),
    ((1,), (3,)),
    ((3,), (1,)),
    ((3,), (3, 2)),
    ((3, 2), (3,)),
]
THREE = [
    ((3,), (3,), (3,)),
    ((3,), (3, 1), (3,)),
    ((3, 1), (3,), (1,)),
    ((1,), (1, 1), (1,)),
    ((1,), (3,), (3,)),
    ((2,), (1, 3), (3, 1)),
]
LENGTHS = (3, 2)


def named(kind, shapes, axis):
    return "%s %s %s" % (kind, " ".join("x".join(map(str, s)) for s in shapes), axis)  # noqa: UP031


def image_with(*nodes):
    return model(
        [("DynamicAxis", BATCH, b"", []), ("InputValue", "a", fed(5, 4, 2, rate=1), [])]
        + list(nodes)
    )


def convolved(layout, oldest, *dims):
    filters = ("LearnableParameter", "filters", held([0.1 * k for k in range(72)], *dims), [])
    fields = (
        windows(31, (3, 3, 2), (1, 1, 4), (1, 2, 2), 0, layout)
        + (b"\1" if oldest else b"\0")
        + shape(1, 1, 1)
    )
    return image_with(filters, ("Convolution", "z", fields, ["filters", "a"]))


def pooled(kind, *sizes):
    return image_with((kind, "z", numbers("I", sizes[0], 1) + numbers("Q", *sizes[1:]), ["a"]))


def oldest_files():
    """Files with kinds of nodes, or forms of them, that only the oldest programs have written."""
    scale = ("LearnableParameter", "w", held([0.5, -1, 2], 3), [])
    return OrderedDict(
        [
            ("MaxPooling batch", pooled("MaxPooling", 2, 3, 2, 1)),
            ("AveragePooling batch", pooled("AveragePooling", 2, 3, 2, 1)),
            ("Convolution matrix batch", convolved(1, False, 4, 18)),
            ("Convolution oldest_matrix batch", convolved(1, True, 4, 18)),
            ("Convolution other_layout batch", convolved(0, False, 3, 3, 2, 4)),
            (
                "DiagTimes batch",
                model(
                    [
                        ("DynamicAxis", BATCH, b"", []),
                        ("InputValue", "a", fed(3, rate=1), []),
                        scale,
                        ("DiagTimes", "z", b"", ["w", "a"]),
                    ]
                ),
            ),
        ]
    )


def has_gradient(kind, name):
    """Whether an operand has a gradient: no targets of losses, no metrics."""
    return kind not in ("ErrorPrediction", "Less") and (
        name == "b" or kind not in ("Logistic", "If", "Clip")
    )


def files():
    """The bytes of each file by name; shapes are those of version 1, the last axis first."""
    found = OrderedDict()
    for kind in KINDS:
        for shapes in THREE if kind in ("If", "Clip") else TWO:
            for word, axis in (("batch", BATCH), ("sequence", SEQUENCE)):
                names = ["a", "b", "c"][: len(shapes)]
                inputs = [
                    (
                        "InputValue",
                        name,
                        fed(*shape, axis=axis, rate=float(has_gradient(kind, name))),
                        [],
                    )
                    for name, shape in zip(names, shapes)  # noqa: B905
                ]
                nodes = [("DynamicAxis", axis, b"", [])] + inputs + [(kind, "z", b"", names)]
                found[named(kind, shapes, word)] = model(nodes)
    found.update(oldest_files())
    return found


def feed(function, name):
    """Numbers for the inputs; targets of classes are one-hot over all elements of a sample."""
    rng = np.random.RandomState(len(name))
    kind, axis = name.split()[0], name.split()[-1]
    result = {}
    for variable in sorted(function.arguments, key=lambda v: v.name):
        rows = rng.uniform(0.1, 0.9, (sum(LENGTHS), max(1, int(np.prod(variable.shape)))))
        if variable.name == "a" and kind in ("CrossEntropyWithSoftmax", "ErrorPrediction"):
            rows = rows == rows.max(1, keepdims=True)
        if variable.name == "a" and kind == "If":
            rows = rows > 0.5
        array = rows.astype(np.float32).reshape((len(rows),) + tuple(variable.shape))  # noqa: RUF005
        result[variable] = array if axis == "batch" else np.split(array, [LENGTHS[0]])
    return result


def flat(value):
    parts = value if isinstance(value, list) else [value]
    return [float("%.5g" % x) for part in parts for x in np.ravel(part)]  # noqa: UP031


def results(function, name):
    """The value, and the gradient for each input that has one."""
    values = feed(function, name)
    found = {"value": flat(function.eval(values))}
    for variable in values:
        if has_gradient(name.split()[0], variable.name):
            found[variable.name] = flat(function.grad(values, [variable]))
    return found
