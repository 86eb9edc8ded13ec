"""Nodes of version 1 whose operands differ in their rank: values and gradients against those of the
original.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import cntk as C
from cntk._ops.loss.cross_entropy import TotalSquaredError
from cntk._ops.support.operands import apply
from cntk.errors import FeedError, GraphError
from tests.persist.v1 import legacy_files
from tests.persist.v1.legacy_criteria import files, results

RECORDED = json.loads(
    (Path(__file__).parent.parent / "golden" / "legacy_criteria.json").read_text()
)
FILES = files()
# There the original adds up only some of a gradient's parts, or stretches vectors: by finite
# differences it is wrong.
WRONG_GRADIENTS = [
    *(
        f"SquareError {shapes} {axis}"
        for shapes in ("1 3", "3 1")
        for axis in ("batch", "sequence")
    ),
    *(
        f"CosDistance {shapes} {axis}"
        for shapes in ("3 1x3", "1x3 3")
        for axis in ("batch", "sequence")
    ),
]


@pytest.mark.parametrize("name", [name for name, found in RECORDED.items() if found is not None])
def test_operands_of_different_rank(name: str) -> None:
    found, wanted = results(C.load_model(FILES[name]), name), RECORDED[name]
    names = ["value"] if name in WRONG_GRADIENTS else list(wanted)
    for key in names:
        np.testing.assert_allclose(found[key], wanted[key], rtol=2e-4, atol=1e-5, err_msg=key)


@pytest.mark.parametrize("name", [name for name, found in RECORDED.items() if found is None])
def test_operands_that_do_not_fit(name: str) -> None:
    with pytest.raises((GraphError, RuntimeError, ValueError)):
        results(C.load_model(FILES[name]), name)


SAME_AXIS = ("InputValue", "labels", legacy_files.fed(3, axis="*", rate=1), [])
LABELS = ("InputValue", "labels", legacy_files.fed(3, axis="other", rate=1), [])


@pytest.mark.parametrize(
    "kind", ["CrossEntropyWithSoftmax", "ErrorPrediction", "SquareError", "Logistic"]
)
def test_labels_on_another_axis(kind: str) -> None:
    axes = [("DynamicAxis", name, b"", []) for name in ("*", "other")]
    nodes = [
        *axes,
        legacy_files.S,
        LABELS,
        ("Sigmoid", "z", b"", ["features"]),
        (kind, "loss", b"", ["labels", "z"]),
    ]
    model = C.load_model(legacy_files.model(nodes, output=["z"]))
    rows = np.linspace(0, 1, 12, dtype=np.float32).reshape(4, 3)
    z, loss = (C.combine([v for v in model.outputs if v.name == name]) for name in ("z", "loss"))
    (features,) = z.arguments
    np.testing.assert_allclose(z.eval({features: [rows]})[0], 1 / (1 + np.exp(-rows)), rtol=1e-6)
    fed = {"features": [rows[:1], rows[1:]], "labels": [rows[:1], rows[1:]]}
    same = C.load_model(legacy_files.of_sequences(*nodes[2:3], SAME_AXIS, *nodes[4:]))
    wanted = same.eval({v: fed[v.name] for v in same.arguments})
    assert loss.eval({v: fed[v.name] for v in loss.arguments}) == wanted
    fed["labels"] = [rows[:2], rows[2:]]
    with pytest.raises(FeedError, match=r"their lengths differ"):
        loss.eval({v: fed[v.name] for v in loss.arguments})


def test_samples_meet_sequences_of_one_frame() -> None:
    x, y = C.sequence.input_variable(3), C.input_variable(3)
    loss = apply(TotalSquaredError(), (x, y))
    rows = np.linspace(0, 1, 6, dtype=np.float32).reshape(2, 3)
    assert loss.eval({x: [rows[:1], rows[1:]], y: rows + 2}) == pytest.approx(24)
    with pytest.raises(FeedError, match=r"their lengths differ: \[2, 1\] and \[1, 1\]"):
        loss.eval({x: [rows, rows[:1]], y: rows})
