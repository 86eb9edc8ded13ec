"""Functions one after another: ``>>``, ``<<`` and `Sequential`, and where several outputs go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import cntk as C
from cntk.layers import LSTM, Dense, Fold, For, Label, Recurrence, Sequential

ONES = np.ones((1, 3), np.float32)


def times(factor: float) -> Callable[[Any], Any]:
    return lambda v: v * factor


def one() -> C.Function:
    return C.Function(lambda x: x + 1)


def two() -> C.Function:
    return C.Function(lambda x: (x + 1, x * 5))


def three() -> C.Function:
    return C.Function(lambda x: (x + 1, x * 5, x * 7))


def results(model: Any) -> list[float]:
    """What each output of a model makes of 1."""
    x = C.input_variable(3)
    applied = model(x)
    found = applied.eval({x: ONES})
    return [
        float(found[v][0, 0]) if isinstance(found, dict) else float(found[0, 0])
        for v in applied.outputs
    ]


BY_SHIFT: dict[str, tuple[Callable[[], Any], list[float]]] = {
    "a function": (lambda: one() >> times(10), [20]),
    "a CNTK function": (lambda: one() >> C.relu, [2]),
    "one output to two": (lambda: one() >> (times(10), times(100)), [20, 200]),
    "two outputs to one": (lambda: two() >> (lambda a, b: a - b), [-3]),
    "two outputs to a CNTK function": (lambda: two() >> C.Function(lambda a, b: a - b), [-3]),
    "two outputs to an operation": (lambda: two() >> C.minus, [-3]),
    "two outputs to two": (lambda: two() >> (times(10), times(100)), [20, 500]),
    "three outputs to two": (lambda: three() >> (times(10), times(100)), [20, 500]),
    "all three": (lambda: three() >> (times(10), times(100), times(1000)), [20, 500, 7000]),
    "on and on": (
        lambda: two() >> (times(2), times(3)) >> C.plus >> (times(1), times(10)),
        [19, 190],
    ),
}
IN_SEQUENCE: dict[str, tuple[list[Any], list[float]]] = {
    "two outputs to one": ([two(), C.minus], [-3]),
    "two outputs to two": ([two(), (times(10), times(100))], [20, 500]),
    "two outputs to stacks": ([two(), ([times(10), times(2)], times(100)), C.plus], [540]),
    "three outputs to two": ([three(), (times(10), times(100))], [20, 500]),
    "a tuple of Python's": ([lambda x: (x + 1, x * 5), (times(10), times(100))], [20, 500]),
    "a tuple first": ([(times(2), times(3)), (times(10), times(100)), C.plus], [320]),
    "a tuple last": ([one(), (times(10), times(100))], [20, 200]),
}


@pytest.mark.parametrize("name", BY_SHIFT)
def test_forward_composition(name: str) -> None:
    make, wanted = BY_SHIFT[name]
    assert results(make()) == wanted


@pytest.mark.parametrize("name", IN_SEQUENCE)
def test_sequential(name: str) -> None:
    layers, wanted = IN_SEQUENCE[name]
    assert results(Sequential(layers)) == wanted
    named = Sequential(layers, name="whole")
    assert named.name == "whole" and results(named) == wanted


@pytest.mark.parametrize("layer", [Recurrence, Fold])
def test_all_states_of_a_recurrence_under_names(layer: Callable[..., C.Function]) -> None:
    encoder = Sequential(
        [Dense(4), layer(LSTM(2), return_full_state=True), (Label("h"), Label("c"))]
    )
    x = C.sequence.input_variable(3)
    encoded = encoder(x)
    assert [v.name for v in encoded.outputs] == ["h", "c"] and [
        v.shape for v in encoded.outputs
    ] == [(2,), (2,)]
    values = encoded.eval({x: [ONES]})
    assert all(np.abs(v[0]).max() > 0 for v in values.values())


def test_states_go_on_into_a_decoder() -> None:
    states = Sequential([Fold(LSTM(2), return_full_state=True), (Label("h"), Label("c"))])
    x = C.sequence.input_variable(3)
    y = C.sequence.input_variable(3, sequence_axis=C.Axis("out"))
    decoded = C.layers.RecurrenceFrom(LSTM(2))(*states(x).outputs, y)
    assert [v.shape for v in decoded.eval({x: [np.eye(3, dtype=np.float32)], y: [ONES]})] == [
        (1, 2)
    ]


def test_stacks_pass_on_several_outputs() -> None:
    assert results(For(range(2), lambda: [two(), C.plus])) == [43]


@pytest.mark.parametrize(
    "make",
    [
        lambda: two() >> (times(1), times(2), times(3)),
        lambda: Sequential([two(), (times(1), times(2), times(3))]),
    ],
)
def test_more_functions_than_outputs(make: Callable[[], Any]) -> None:
    with pytest.raises(TypeError, match="3 functions side by side follow 2 outputs"):
        make()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: two() >> C.Function(lambda a: a), "expected 1 arguments, got 2"),
        (lambda: Sequential([two(), Dense(1)]), "is given 2 arguments by what comes before it"),
    ],
)
def test_too_many_outputs_for_one_argument(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        make()


def test_backward_composition() -> None:
    x = C.input_variable(3)
    np.testing.assert_array_equal((one() << x).eval({x: ONES}), 2 * ONES)
    np.testing.assert_array_equal((x >> one()).eval({x: ONES}), 2 * ONES)
