"""Graphs that hold the criterion of lattices: they load, and all of them but the criterion runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import cntk as C
from cntk._ops.loss.lattice import LatticeSequenceWithSoftmax
from cntk._ops.support.operands import apply
from cntk.errors import GraphError
from tests.ops.op_case import sequences

OP = LatticeSequenceWithSoftmax(
    "symbols", "phones", "states", "transitions", h_smoothing_weight=0.5
)


def test_the_call_is_refused() -> None:
    with pytest.raises(NotImplementedError, match=r"not computed here.*cntk\.forward_backward"):
        C.lattice_sequence_with_softmax(
            [0.0], [0.0], [0.0], [0.0], "symbols", "phones", "states", "transitions"
        )


def test_the_rest_of_a_loaded_graph_runs(tmp_path: Path) -> None:
    label, x, lattice = (
        C.sequence.input_variable(3),
        C.sequence.input_variable(3, name="x"),
        C.sequence.input_variable(1),
    )
    scores = C.element_times(x, 2, name="scores")
    criterion = apply(OP, (label, scores, scores, lattice), "criterion")
    C.combine([scores, criterion]).save(tmp_path / "lattice.model")

    loaded = C.load_model(tmp_path / "lattice.model")
    assert loaded.criterion.attributes["SymListPath"] == "symbols"
    assert loaded.criterion.attributes["HSmoothingWeight"] == 0.5
    data = sequences(3)
    for wanted, result in zip(data, loaded.scores.eval(data), strict=True):
        np.testing.assert_allclose(result, 2 * wanted, rtol=1e-6)


def test_the_criterion_itself_says_that_it_cannot() -> None:
    variables = [C.sequence.input_variable(1) for _ in range(4)]
    criterion = apply(OP, variables, "criterion")
    with pytest.raises(
        GraphError, match="LatticeSequenceWithSoftmax 'criterion': sequence training"
    ):
        criterion.eval({v: sequences(1) for v in variables})
