"""Sequences given piece by piece: what goes on from the minibatch before, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import cntk as C
from cntk.layers import GRU, LSTM, Recurrence, RNNStep

FRAMES = np.arange(1, 13, dtype=np.float32).reshape(12, 1) / 12


def third_back(x: Any) -> Any:
    """A loop over three steps, written by hand."""
    state = C.placeholder()
    y = x + C.sequence.past_value(state, C.constant(100.0), 3)
    y.replace_placeholders({state: y.output})
    return y


def wide(x: Any) -> Any:
    """A loop whose initial state has an axis more than its state."""
    state = C.placeholder()
    before = C.sequence.past_value(state, C.constant(np.ones((2, 1), np.float32)))
    y = C.reduce_sum(before * C.constant([[0.25], [0.5]]), 0) + x
    y.replace_placeholders({state: y.output})
    return y


PROGRAMS: dict[str, Callable[[Any], Any]] = {
    "past_value": C.sequence.past_value,
    "past_value of two steps": lambda x: C.sequence.past_value(x, C.constant(-1.0), 2),
    "past_value of three steps": lambda x: C.sequence.past_value(x, C.constant(-1.0), 3),
    "sum": Recurrence(C.plus),
    "loop of three steps": third_back,
    "wide": wide,
    "RNN": Recurrence(RNNStep(2)),
    "LSTM": Recurrence(LSTM(2)),
    "GRU": Recurrence(GRU(2)),
    "two layers": C.layers.Sequential([Recurrence(LSTM(2)), Recurrence(GRU(2))]),
    "delay of delay": lambda x: C.sequence.past_value(
        C.sequence.past_value(x) * 2, C.constant(3.0), 2
    ),
}


@pytest.mark.parametrize("cuts", [(1, 1, 1, 1, 1), (2, 2, 2), (3, 1, 1, 1), (4, 2, 1)])
@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_pieces_are_the_whole(program: Callable[[Any], Any], cuts: tuple[int, ...]) -> None:
    x = C.sequence.input_variable(1)
    y = program(x)
    whole = y.eval({x: [FRAMES[: sum(cuts)], FRAMES[: sum(cuts)] * 2]})
    parts: list[list[Any]] = [[], []]
    begin = 0
    for n in cuts:
        piece = FRAMES[begin : begin + n]
        for part, found in zip(
            parts, y.eval({x: ([piece, piece * 2], [begin == 0] * 2)}), strict=True
        ):
            part.append(found)
        begin += n
    for part, wanted in zip(parts, whole, strict=True):
        np.testing.assert_allclose(np.concatenate(part), wanted, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_sequences_of_different_length_go_on(program: Callable[[Any], Any]) -> None:
    """Each goes on from where it stopped; the third begins anew, and in the end there are fewer."""
    x = C.sequence.input_variable(1)
    y = program(x)
    long, short, other = FRAMES[:7], FRAMES[3:7], FRAMES[5:8] * 3
    wanted = [y.eval({x: [s]})[0] for s in (long, short, other)]
    first = y.eval({x: ([long[:4], short[:1], other], [True] * 3)})
    second = y.eval({x: ([long[4:6], short[1:4], other], [False, False, True])})
    last = y.eval({x: ([long[6:]], [False])})
    np.testing.assert_allclose(
        np.concatenate([first[0], second[0], last[0]]), wanted[0], rtol=2e-5, atol=1e-6
    )
    np.testing.assert_allclose(
        np.concatenate([first[1], second[1]]), wanted[1], rtol=2e-5, atol=1e-6
    )
    np.testing.assert_allclose(second[2], wanted[2], rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_nothing_to_go_on_from(program: Callable[[Any], Any]) -> None:
    x = C.sequence.input_variable(1)
    y = program(x)
    with pytest.raises(
        RuntimeError,
        match="sequence 0 is said to go on from the minibatch before, which does not exist",
    ):
        y.eval({x: ([FRAMES[:2]], [False])})
    whole = y.eval({x: [FRAMES[:4]]})[0]
    y.eval({x: ([FRAMES[:2]], [True])})
    with pytest.raises(RuntimeError, match="sequence 1 is said to go on .* had 1 sequences"):
        y.eval({x: ([FRAMES[2:4]] * 2, [True, False])})
    y.eval({x: ([FRAMES[:2]], [True])})
    np.testing.assert_allclose(
        y.eval({x: ([FRAMES[2:4]], [False])})[0], whole[2:], rtol=2e-5, atol=1e-6
    )


def test_what_is_no_recurrence_takes_flags_as_they_are() -> None:
    x = C.sequence.input_variable(1)
    assert len((x * 2).eval({x: ([FRAMES], [False])})) == 1


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (([FRAMES], [True, False]), "there are 1 sequences and 2 sequence starts"),
        (([FRAMES, FRAMES], [True]), "there are 2 sequences and 1 sequence starts"),
        ((FRAMES, [True]), "there are 12 sequences and 1 sequence starts"),
        (([FRAMES, FRAMES], []), "a list with True or False for each sequence"),
        (([FRAMES], True), "a list with True or False for each sequence"),
        (
            ([FRAMES, FRAMES[:2]], [[True] + [False] * 11, [True, False]]),
            "a list with True or False for each sequence",
        ),
        (([FRAMES, FRAMES], ["begin", "go on"]), "a list with True or False for each sequence"),
        ((FRAMES, [True] + [False] * 11), "sequence 1 is said to go on"),
    ],
)
def test_flags_that_are_none(data: Any, reason: str) -> None:
    x = C.sequence.input_variable(1)
    with pytest.raises((ValueError, RuntimeError), match=reason):
        C.sequence.past_value(x).eval({x: data})


@pytest.mark.parametrize("flags", [[True, True], (True, True), np.array([True, True]), None])
def test_flags_that_are_some(flags: Any) -> None:
    x = C.sequence.input_variable(1)
    y = C.sequence.past_value(x)
    for form in (
        {x: ([FRAMES, FRAMES], flags)},
        ([FRAMES, FRAMES], flags),
        ({x: [FRAMES, FRAMES]}, flags),
    ):
        assert [len(v) for v in y.eval(form)] == [12, 12]


def trainer() -> tuple[Any, Any, Any, Any]:
    x, target = C.sequence.input_variable(1), C.sequence.input_variable(1)
    w = C.parameter((1, 1), init=1)
    z = C.times(C.sequence.past_value(x), w)
    loss = C.squared_error(z, target)
    return x, target, z, C.Trainer(z, (loss, loss), C.sgd([w], 0.0))


def test_flags_beside_the_dictionary() -> None:
    """In training and in testing sequences go on from the same states, as in the original."""
    x, target, z, train = trainer()

    def data(begin: int, count: int = 1) -> dict[Any, Any]:
        frames = np.arange(1 + begin, 3 + begin, dtype=np.float32)[:, None]
        return {x: [frames] * count, target: [np.zeros((2, 1), np.float32)] * count}

    def step(arguments: Any) -> list[list[float]]:
        return [
            v.ravel().tolist()
            for v in train.train_minibatch(arguments, outputs=[z.output])[1][z.output]
        ]

    assert step((data(0), [True])) == [[0, 1]]
    assert step((data(2), [False])) == [[2, 3]]
    train.train_minibatch((data(2), [False]))
    assert train.test_minibatch((data(2), [False])) == 12.5
    assert train.test_minibatch((data(2), [True])) == 4.5
    assert step((data(2), [False])) == [[4, 3]]
    assert step((data(2, 2), [True, True])) == [[0, 3], [0, 3]]
    assert step((data(0), [False])) == [[4, 1]]
    for flags, reason in (
        ([False] * 2, "1 sequences and 2 sequence starts"),
        (["no"], "a list with True or False"),
    ):
        with pytest.raises(ValueError, match=reason):
            step((data(0), flags))
    with pytest.raises(RuntimeError, match="sequence 1 is said to go on"):
        step((data(0, 3), [False] * 3))
    with pytest.raises(ValueError, match="cannot be given for this one as well"):
        step(({**data(0), target: ([np.zeros((2, 1), np.float32)], [True])}, [True]))
    last = C.sequence.last(z) - C.input_variable(1, name="single")
    with pytest.raises(ValueError, match="this variable has no sequence axis"):
        last.eval(({**data(0), "single": [[1]]}, [True]))


@pytest.mark.parametrize("ask", ["eval", "forward", "grad", "call"])
def test_all_ways_to_evaluate_go_on(ask: str) -> None:
    x = C.sequence.input_variable(1, needs_gradient=True)
    y = C.sequence.past_value(x) * C.parameter(1, init=1)

    def run(frames: Any, begins: bool) -> list[float]:
        data = {x: ([frames], [begins])}
        found = {
            "eval": lambda: y.eval(data),
            "forward": lambda: y.forward(data)[1],
            "grad": lambda: y.grad(data, wrt=[x], outputs=[y.output])[1],
            "call": lambda: y(([frames], [begins])),
        }[ask]()
        found = next(iter(found.values())) if isinstance(found, dict) else found
        return np.asarray(found[0]).ravel().tolist()  # type: ignore[no-any-return]

    assert run(FRAMES[:2] * 12, True) == pytest.approx([0, 1])
    assert run(FRAMES[2:4] * 12, False) == pytest.approx([2, 3])
    assert y.eval({x: ([FRAMES[4:6] * 12], [False])})[0].ravel().tolist() == pytest.approx([4, 5])
