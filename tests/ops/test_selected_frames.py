"""Frames that a condition selects: how often, in what sums, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import cntk as C
from cntk._ops.sequence.parts import SequenceGather, SequenceScatter
from cntk._ops.support.operands import apply
from tests.ops.cases.sequence import COUNTS, FLAGS, SHARES, chosen
from tests.ops.op_case import sequences

# Conditions, and the positions that the original gives for them, in float32.
OF_THE_ORIGINAL = [
    ([0.5, 0.5], [0]),
    ([0.4, 0.4, 0.4], [0, 2]),
    ([2.5], [0, 0, 0]),
    ([1.5, 1.5, 1.5], [0, 0, 1, 2, 2]),
    ([-1, 2, 0], [1]),
    ([-1, -1, 3], [2]),
    ([1, -1, 1, 1], [0, 3]),
    ([1e-3, 0], [0]),
    ([0.1] * 10, [0]),
    ([1 / 3] * 13, [0, 3, 6, 9, 12]),
    ([0.3] * 16, [0, 3, 6, 10, 13]),
    ([1.3] * 5, [0, 0, 1, 2, 3, 3, 4]),
    ([1.4423553, 0.3475524, 1.4239782, 1.4120666], [0, 0, 2, 2, 3]),
    (
        [0.6721064, 1.5816535, 1.1811328, -0.1890163, -0.6055516, -0.833877, -0.0952041],
        [0, 1, 1, 2],
    ),
    ([0.7, 0.7, 0.25, 0.2, 0.3333333, 0.5, 0.25], [0, 1, 4]),
    (
        [1.3007507, 0.0437854, 0.8023753, 0.6063654, 0.7862758, 0.5476498, 0.2858504],
        [0, 0, 2, 4, 5],
    ),
]


@pytest.mark.parametrize(("condition", "positions"), OF_THE_ORIGINAL)
def test_positions_are_the_originals(condition: list[float], positions: list[int]) -> None:
    c = C.sequence.input_variable(())
    result = C.sequence.where(c).eval({c: [np.array(condition, np.float32)]})
    np.testing.assert_array_equal(result[0], positions)


def test_sums_begin_anew_with_each_sequence() -> None:
    c = C.sequence.input_variable(())
    together = C.sequence.where(c).eval({c: [np.array(x, np.float32) for x, _ in OF_THE_ORIGINAL]})
    for found, (_, positions) in zip(together, OF_THE_ORIGINAL, strict=True):
        np.testing.assert_array_equal(found, positions)


@pytest.mark.parametrize("condition", [FLAGS, COUNTS, SHARES], ids=["flags", "counts", "shares"])
def test_gather_and_scatter_are_the_graphs_that_they_stand_for(condition: list[np.ndarray]) -> None:
    x, c = (
        C.sequence.input_variable((2, 3), np.float64, needs_gradient=True),
        C.sequence.input_variable((), np.float64),
    )
    data = {x: sequences(2, 3), c: condition}
    selected = SequenceGather()
    whole, parts = apply(selected, (x, c)), selected.bind_axis_names((x, c)).expand(x, c)
    assert whole.dynamic_axes == parts.dynamic_axes
    for one, other in zip(whole.eval(data), parts.eval(data), strict=True):
        np.testing.assert_array_equal(one, other)
    for one, other in zip(whole.grad(data, wrt=[x]), parts.grad(data, wrt=[x]), strict=True):
        np.testing.assert_array_equal(one, other)
    y = C.sequence.input_variable(
        2, np.float64, needs_gradient=True, sequence_axis=C.Axis("selected")
    )
    data = {y: sequences(2, lengths=[len(chosen(v)) for v in condition]), c: condition}
    put = SequenceScatter()
    whole, parts = apply(put, (y, c)), put.bind_axis_names((y, c)).expand(y, c)
    for one, other in zip(whole.eval(data), parts.eval(data), strict=True):
        np.testing.assert_array_equal(one, other)


def test_scatter_undoes_gather_where_frames_are_selected_once() -> None:
    x, c = C.sequence.input_variable(2, needs_gradient=True), C.sequence.input_variable(())
    data = {x: [f.astype(np.float32) for f in sequences(2)], c: FLAGS}
    back = C.sequence.scatter(C.sequence.gather(x, c), c)
    for one, frames, flags in zip(back.eval(data), data[x], FLAGS, strict=True):
        np.testing.assert_array_equal(one, frames * flags[:, None])


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda x, c: C.sequence.where(c), "sequence.where: no frame of sequence 1"),
        (lambda x, c: C.sequence.gather(x, c), "sequence.gather: no frame of sequence 1"),
        (lambda x, c: C.sequence.slice(x, 1, 0), r"a sequence of length 1 has no such frames"),
        (
            lambda x, c: C.sequence.gather(x, 1 - c, (0, 1)),
            "one frame of each sequence was expected, and .2, 1. were",
        ),
        (
            lambda x, c: C.sequence.scatter(x, 1 - c),
            "the condition on the axis sequence selects .2, 1. frames, and the sequences on the "
            "axis sequence have .3, 1.",
        ),
    ],
)
def test_what_leaves_no_frame_or_the_wrong_number_is_refused(make: Any, reason: str) -> None:
    x, c = C.sequence.input_variable(1), C.sequence.input_variable(())
    with pytest.raises(RuntimeError, match=reason):
        make(x, c).eval({x: [[[1], [2], [3]], [[4]]], c: [[0, 1, 0], [0]]})


def test_a_condition_must_be_single_numbers() -> None:
    x = C.sequence.input_variable(2)
    for make in (
        lambda: C.sequence.where(x),
        lambda: C.sequence.gather(x, x),
        lambda: C.sequence.scatter(x, x),
    ):
        with pytest.raises(ValueError, match="the condition must be a sequence of scalars"):
            make()
    with pytest.raises(TypeError, match="expected a factor and a number to add"):
        C.sequence.gather(x, C.sequence.is_first(x), new_sequence_axis_typeinfo=3)


@pytest.mark.parametrize(
    ("factor", "added", "axis"),
    [(1, 0, "a"), (2, 0, "a_times_2_minus_0"), (1, -1, "a_times_1_minus_1")],
)
def test_axes_of_known_length_have_the_originals_names(factor: int, added: int, axis: str) -> None:
    x = C.sequence.input_variable(1, sequence_axis=C.Axis("a"))
    gathered = C.sequence.gather(x, x, new_sequence_axis_typeinfo=(factor, added))
    assert gathered.dynamic_axes[1].name == axis


def test_minimum_along_sequences() -> None:
    x = C.sequence.input_variable(2, needs_gradient=True)
    data = [np.array([[1, 2], [2, -3], [3, 5]], "f"), np.array([[4, 1]], "f")]
    along = C.reduce_min(x, C.Axis.default_dynamic_axis())
    assert along.shape == (1, 2)
    np.testing.assert_array_equal(along.eval({x: data}), [[[1, -3]], [[4, 1]]])
    np.testing.assert_array_equal(along.grad({x: data})[0], [[1, 0], [0, 1], [0, 0]])
    both = C.reduce_min(x, [C.Axis.default_batch_axis(), C.Axis.default_dynamic_axis()])
    np.testing.assert_array_equal(both.eval({x: data}), [[1, -3]])
    with pytest.raises(ValueError, match="cannot reduce along the sequence axis"):
        C.reduce_max(x, C.Axis.default_dynamic_axis())
