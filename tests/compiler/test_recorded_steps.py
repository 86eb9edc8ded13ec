"""Loops by recorded steps: the same values and gradients as by autograd, and no recording where
there must be none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import cntk as C
from cntk._compiler.recurrence import recorded_steps
from cntk._compiler.recurrence.recorded_steps import RecordedSteps

WIDTH = 4
RUNS = 7  # more than a loop runs before it is recorded


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Each use of recorded code, by the number of its steps."""
    used: list[int] = []
    run = RecordedSteps.run

    def counted(self: RecordedSteps, recording: Any, sizes: Any, *operands: Any) -> Any:
        used.append(len(sizes))
        return run(self, recording, sizes, *operands)

    monkeypatch.setattr(RecordedSteps, "run", counted)
    return used


def matrix(rows: int, columns: int, seed: int = 0) -> C.Parameter:
    values = np.random.default_rng(seed).uniform(-0.6, 0.6, (rows, columns))
    return C.parameter((rows, columns), init=values, dtype=np.float64)


def vector(seed: int = 3) -> C.Parameter:
    return C.parameter(
        (WIDTH,), init=np.random.default_rng(seed).uniform(-1, 1, WIDTH), dtype=np.float64
    )


def looped(
    step: Callable[[Any], Any], initial: Any = None, offset: int = 1, backwards: bool = False
) -> C.Function:
    feedback = C.placeholder(WIDTH)
    delay = C.sequence.future_value if backwards else C.sequence.past_value
    state = step(delay(feedback, initial, offset))
    return state.replace_placeholders({feedback: state.output})


def looped_with_matrix(step: Callable[[Any, Any], Any]) -> C.Function:
    w = matrix(WIDTH, WIDTH)
    return looped(lambda h: step(h, w))


def gated(s: C.Variable, **options: Any) -> C.Function:
    r, b = matrix(WIDTH, 2 * WIDTH), C.parameter((2 * WIDTH,), init=0.1, dtype=np.float64)
    x = C.times(s, matrix(WIDTH, 2 * WIDTH, 1)) + b

    def step(before: Any) -> Any:
        both = x + C.times(before, r)
        gate = C.sigmoid(C.slice(both, 0, 0, WIDTH))
        return gate * before + (1 - gate) * C.sin(C.slice(both, 0, WIDTH, 2 * WIDTH))

    return looped(step, **options)


def two_states(s: C.Variable) -> C.Function:
    a, b = C.placeholder(WIDTH), C.placeholder(WIDTH)
    r, q = matrix(WIDTH, WIDTH), matrix(WIDTH, WIDTH, 1)
    first = C.sin(s + C.times(C.sequence.past_value(b, vector(), 2), r))
    second = first * 0.5 + C.times(C.sequence.past_value(a, 0.25), q)
    both = C.splice(first, second)
    return both.replace_placeholders({a: first.output, b: second.output})


def reading_samples(s: C.Variable) -> C.Function:
    """A value for each sequence, a bias inside the step, and an initial state for each sequence."""
    last, bias = C.sequence.last(s), vector(5)
    r = matrix(WIDTH, WIDTH)
    return looped(lambda h: C.sin(s + C.times(h, r) * last + bias), initial=C.sequence.first(s))


LOOPS: dict[str, Callable[[C.Variable], C.Function]] = {
    "gated": gated,
    "gated, backwards": lambda s: gated(s, backwards=True),
    "gated, three steps back": lambda s: gated(s, offset=3, initial=0.5),
    "learned initial state": lambda s: gated(s, initial=vector()),
    "two states": two_states,
    "values for each sequence": reading_samples,
    "the whole step outside": lambda s: looped(lambda h: s * 0.5 + h * 0.25),
    "sums inside": lambda s: looped(lambda h: s * C.reduce_sum(h) * 0.1 + C.softmax(h)),
    "reshaped inside": lambda s: looped(
        lambda h: C.sin(s + C.reshape(C.transpose(C.reshape(h, (2, 2)), (1, 0)), (4,)))
    ),
    "products transposed": lambda s: looped_with_matrix(
        lambda h, w: C.sin(s + C.times_transpose(h, w))
    ),
    "a matrix read twice": lambda s: looped_with_matrix(
        lambda h, w: C.sin(s + C.times(C.times(h, w), w) + C.reduce_sum(w))
    ),
}


def sequence() -> C.Variable:
    return C.sequence.input_variable(WIDTH, np.float64, needs_gradient=True)


def data(lengths: tuple[int, ...], seed: int = 0) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    return [random.uniform(-1, 1, (n, WIDTH)) for n in lengths]


def check(one: Any, other: Any) -> None:
    if isinstance(one, dict):
        for key in one:
            check(one[key], other[key])
    elif isinstance(one, (list, tuple)):
        for a, b in zip(one, other, strict=True):
            check(a, b)
    else:
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("lengths", [(9, 1, 6, 4), (5, 5, 5), (7,)])
@pytest.mark.parametrize("name", LOOPS)
def test_recorded_steps_are_the_general_ones(
    name: str, lengths: tuple[int, ...], recorded: list[int]
) -> None:
    s = sequence()
    function = LOOPS[name](s) * C.constant(np.arange(1.0, LOOPS[name](s).shape[0] + 1))
    wrt = [s, *function.parameters]
    general = function.grad({s: data(lengths)}, wrt=wrt, outputs=[function])
    for _ in range(RUNS):
        again = function.grad({s: data(lengths)}, wrt=wrt, outputs=[function])
    assert recorded and set(recorded) == {max(lengths)}
    check(general, again)


def test_one_recording_serves_all_lengths(recorded: list[int]) -> None:
    s = sequence()
    function = gated(s)
    shapes = [(5, 4), (6, 2, 9), (4,), (8, 8, 8, 8)]
    wanted = [gated_gradients(lengths) for lengths in shapes]
    for _ in range(3):
        found = [
            function.grad({s: data(lengths)}, wrt=[s, *function.parameters]) for lengths in shapes
        ]
    assert len(recorded) >= 4
    for one, other in zip(found, wanted, strict=True):
        check(list(one.values()), other)


def gated_gradients(lengths: tuple[int, ...]) -> list[Any]:
    s = sequence()
    function = gated(s)
    return list(function.grad({s: data(lengths)}, wrt=[s, *function.parameters]).values())


@pytest.mark.parametrize("kind", ["dropout", "short"])
def test_not_recorded(kind: str, recorded: list[int]) -> None:
    """Steps with random numbers, and sequences too short to pay."""
    s = sequence()
    function = looped(lambda h: s + C.dropout(h, 0.5)) if kind == "dropout" else gated(s)
    for _ in range(RUNS):
        function.grad({s: data((2, 3) if kind == "short" else (8, 5))}, wrt=[s])
    assert recorded == []


def losses_of_a_training() -> list[float]:
    s, y = C.sequence.input_variable(WIDTH), C.sequence.input_variable(1)
    random = np.random.default_rng(0)
    r = C.parameter((WIDTH, WIDTH), init=C.glorot_uniform(seed=1))
    z = C.layers.Dense(1, init=C.glorot_uniform(seed=2))(looped(lambda h: C.sin(s + C.times(h, r))))
    trainer = C.Trainer(z, C.squared_error(z, y), [C.adam(z.parameters, 0.02, 0.9)])
    losses = []
    for _ in range(40):
        xs = [
            random.uniform(-1, 1, (n, WIDTH)).astype(np.float32) for n in random.integers(4, 12, 8)
        ]
        trainer.train_minibatch({s: xs, y: [np.cumsum(x[:, :1], 0) for x in xs]})
        losses.append(trainer.previous_minibatch_loss_average)
    return losses


def test_training_goes_on_through_the_recording(
    recorded: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    losses = losses_of_a_training()
    assert len(recorded) > 30
    monkeypatch.setattr(recorded_steps, "_RUNS_BEFORE", 1000)
    np.testing.assert_allclose(losses, losses_of_a_training(), rtol=1e-4)
