"""Files with nodes of version 1 that version 2 never had; the original itself refuses to make
functions of them.
"""

from __future__ import annotations

from tests.persist.v1.legacy_files import BATCH, SEQUENCE, X, fed, held, model, numbers, shape, text

Y = ("InputValue", "labels", fed(3), [])
SQUARE = ("LearnableParameter", "M", held([1, 2, 3, 4, 5, 6, 7, 8, 9], 3, 3), [])
VECTOR = ("LearnableParameter", "v", held([1, -2, 0.5], 3), [])
TABLE = ("LearnableParameter", "table", held([1, 2, 3, 4, 5, 6], 2, 3), [])
WORDS = ("InputValue", "words", fed(6), [])


def node(kind: str, reads: list[str], fields: bytes = b"") -> bytes:
    leaves = [X, *(leaf for leaf in (Y, SQUARE, VECTOR, TABLE, WORDS) if leaf[1] in reads)]
    return model(
        [
            ("DynamicAxis", BATCH, b"", []),
            *leaves,
            ("Tanh", "h", b"", ["features"]),
            (kind, "z", fields, reads),
        ]
    )


def lattice() -> bytes:
    names = b"".join(
        text(name) for name in ("symbols", "phones", "states", "transitions", "config")
    )
    fields = names + numbers("d", 1e-9, 0.9, 12, 13, 0.25, 0.5) + b"\1\0"
    inputs = [("InputValue", name, fed(3, axis=SEQUENCE), []) for name in ("a", "b", "c", "l")]
    criterion = ("LatticeSequenceWithSoftmax", "z", fields, ["a", "b", "c", "l"])
    return model(
        [("DynamicAxis", SEQUENCE, b"", []), *inputs, ("Tanh", "h", b"", ["b"]), criterion],
        output=["h"],
    )


TRACE = (
    text("shown")
    + numbers("Q", 1, 1)
    + b"\0\1"
    + text("names.txt")
    + b"\0\0"
    + b"[\0]\0,\0\0\0 \0\n\0%f\0"
    + numbers("Q", 9, 9)
)
COMPUTED = {
    "CrossEntropy": node("CrossEntropy", ["labels", "features"]),
    "Diagonal": node("Diagonal", ["M"]),
    "KhatriRaoProduct": node("KhatriRaoProduct", ["v", "features"]),
    "LegacyReshape": node("LegacyReshape", ["words"], numbers("Q", 6) + shape(3, 1, 2)),
    "LookupTable": node("LookupTable", ["table", "words"]),
    "MatrixL1Reg": node("MatrixL1Reg", ["M"]),
    "MatrixL2Reg": node("MatrixL2Reg", ["v"]),
    "PerDimMeanVarDeNormalization": node("PerDimMeanVarDeNormalization", ["features", "v", "v"]),
    "RowRepeat": node("RowRepeat", ["features"], numbers("Q", 3)),
    "Trace": node("Trace", ["features"], TRACE),
}
NOT_COMPUTED = {
    "ClassBasedCrossEntropyWithSoftmax": node(
        "ClassBasedCrossEntropyWithSoftmax", ["words", "features", "M", "features"]
    ),
    "DummyCriterion": node("DummyCriterion", ["features", "labels", "features"]),
    "EnvironmentInput": node("EnvironmentInput", [], text("property")),
    "EpochAccumulator": node("EpochAccumulator", ["features"]),
    "NCEBasedCrossEntropyWithSoftmax": node(
        "NCEBasedCrossEntropyWithSoftmax", ["labels", "features", "M", "v"]
    ),
    "QuantizedTimes": node(
        "QuantizedTimes", ["M", "features"], numbers("Q", 1) + numbers("i", -1) + numbers("Q", 1, 2)
    ),
    "SequenceWithSoftmax": node("SequenceWithSoftmax", ["labels", "features", "features"]),
    "LatticeSequenceWithSoftmax": lattice(),
}
