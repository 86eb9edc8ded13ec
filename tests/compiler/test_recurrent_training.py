"""Whole recurrent programs in training: eager, with recorded steps of loops, and recorded, they
give the same numbers.

Everything is in double, so that what differs is wrong and no rounding. Gradients are compared with
finite differences.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import cntk as C
from cntk._compiler.recurrence import recorded_steps
from cntk._execution import training_step as step_module
from cntk.layers import (
    GRU,
    LSTM,
    Convolution1D,
    Delay,
    Dense,
    Dropout,
    Fold,
    PastValueWindow,
    Recurrence,
    RecurrenceFrom,
    RNNStep,
    Sequential,
    Stabilizer,
    UnfoldFrom,
)

LONG, SHORT = 20, 12
NEVER = 10**9
PROGRAMS: dict[str, Callable[[Any], Any]] = {}


def program(build: Callable[[Any], Any]) -> Callable[[Any], Any]:
    PROGRAMS[build.__name__] = build
    return build


@program
def lstm(x: Any) -> Any:
    return Recurrence(LSTM(3))(x)


@program
def lstm_backwards_stabilized_with_peepholes(x: Any) -> Any:
    return Recurrence(
        LSTM(3, use_peepholes=True, enable_self_stabilization=True), go_backwards=True
    )(x)


@program
def gru_and_rnn_both_ways(x: Any) -> Any:
    return C.splice(Recurrence(GRU(3))(x), Recurrence(RNNStep(2), go_backwards=True)(x))


@program
def stacked_with_dropout_between(x: Any) -> Any:
    return Sequential([Recurrence(GRU(3)), Dropout(0.4), Recurrence(LSTM(2)), Stabilizer()])(x)


@program
def folds_of_both_states(x: Any) -> Any:
    h, c = Fold(LSTM(3), return_full_state=True)(x).outputs
    return C.sequence.broadcast_as(C.splice(h, c), x)


@program
def recurrence_from_the_states_of_another(x: Any) -> Any:
    h, c = Recurrence(LSTM(3), return_full_state=True)(x).outputs
    return RecurrenceFrom(LSTM(3))(C.sequence.last(h), C.sequence.last(c), x)


@program
def fold_backwards_from_a_parameter(x: Any) -> Any:
    start = C.parameter(C.InferredDimension, init=0.2, dtype=np.float64)
    return C.sequence.broadcast_as(Fold(RNNStep(3), go_backwards=True, initial_state=start)(x), x)


@program
def states_that_begin_with_another_sequences_last_frames(x: Any) -> Any:
    return C.sequence.past_value(Recurrence(GRU(2))(x), Dense(2)(x), 2) + Recurrence(
        RNNStep(2), initial_state=Dense(2)(x)
    )(x)


@program
def window_of_past_values(x: Any) -> Any:
    values, valid = PastValueWindow(3, axis=-2)(Recurrence(GRU(2))(x)).outputs
    return C.sequence.broadcast_as(Dense(3)(values * valid), x) * x


@program
def delays_of_several_steps(x: Any) -> Any:
    return C.splice(Delay(2)(x), Delay(-1)(Dense(2)(x)), Delay(3, initial_state=0.5)(x))


@program
def loop_of_two_steps_by_hand(x: Any) -> Any:
    state, w = C.placeholder(), C.parameter((3, 3), init=np.eye(3) * 0.5)
    y = C.tanh(C.times(C.sequence.past_value(state, 0.1, 2), w) + Dense(3)(x))
    y.replace_placeholders({state: y.output})
    return y


@program
def three_states(x: Any) -> Any:
    first, second = Dense(2), Dense(3)

    @C.BlockFunction("Step", "step")
    def step(a: Any, b: Any, c: Any, z: Any) -> Any:
        return (
            C.tanh(first(C.splice(a, z))),
            C.sigmoid(second(C.splice(a, b))),
            c * 0.5 + C.reduce_mean(b),
        )

    return C.splice(*Recurrence(step, return_full_state=True)(x).outputs)


@program
def states_of_matrices(x: Any) -> Any:
    w = C.parameter((2, 2), init=np.array([[0.3, -0.2], [0.1, 0.4]]))

    @C.Function
    def step(h: Any, z: Any) -> Any:
        return C.tanh(C.times(h, w) + C.reshape(C.splice(z, z)[0:4], (2, 2)))

    return Dense(3)(Recurrence(step)(x))


@program
def convolution_in_a_loop(x: Any) -> Any:
    convolution = Convolution1D(3, num_filters=2, pad=True, bias=False)

    @C.Function
    def step(h: Any, z: Any) -> Any:
        return C.tanh(convolution(h) + C.reshape(z, (1, 3)))

    return Dense(3)(Recurrence(step, initial_state=C.constant(np.full((2, 3), 0.2)))(x))


@program
def dropout_in_a_loop(x: Any) -> Any:
    dense, dropout = Dense(3), Dropout(0.3)

    @C.Function
    def step(h: Any, z: Any) -> Any:
        return C.tanh(dense(C.splice(dropout(h), z)))

    return Recurrence(step)(x)


@program
def wider_initial_state(x: Any) -> Any:
    state, dense = C.placeholder(), Dense(3)
    y = C.tanh(dense(C.sequence.past_value(state, C.constant(np.array([[0.1], [0.3]])))) + x)
    y.replace_placeholders({state: y.output})
    return y


@program
def unfolding(x: Any) -> Any:
    dense, out = Dense(3, activation=C.tanh), Dense(2)
    generate = UnfoldFrom(lambda s: (out(dense(s)), dense(s)))
    return generate(Fold(GRU(3))(x), x)


@program
def attention_over_a_window(x: Any) -> Any:
    attend, cell = C.layers.AttentionModel(2, attention_span=3, attention_axis=-2), GRU(3)
    encoded = Recurrence(GRU(2), go_backwards=True)(x)
    summary = C.sequence.last(encoded)
    return Recurrence(cell)(
        C.splice(x, C.reshape(attend(encoded, encoded), (2,)), C.sequence.broadcast_as(summary, x))
    )


LENGTHS = {
    "several": [(4, 1, 6), (5, 2, 2)],
    "one": [(6,), (5,)],
    "single frames": [(1, 1, 1), (1, 1, 1)],
}


def build(name: str, lengths: list[tuple[int, ...]]) -> tuple[Any, list[Any], list[dict[Any, Any]]]:
    """A program's loss, its parameters with values that are always the same, and its
    minibatches.
    """
    C.cntk_py.set_fixed_random_seed(5)
    with C.default_options(dtype=np.float64):
        x, target = (
            C.sequence.input_variable(3, np.float64),
            C.sequence.input_variable(1, np.float64),
        )
        z = PROGRAMS[name](x)
        loss = C.squared_error(C.reduce_sum(C.tanh(z)), target)
    parameters = list(loss.parameters)
    random = np.random.RandomState(2)
    for p in parameters:
        p.value = random.uniform(-0.5, 0.5, p.shape)
    data = [
        {
            x: [random.uniform(-1, 1, (n, 3)) for n in sizes],
            target: [random.uniform(-1, 1, (n, 1)) for n in sizes],
        }
        for sizes in lengths
    ]
    return loss, parameters, data


@pytest.fixture(autouse=True)
def _automatic_seeds() -> Iterator[None]:
    yield
    C.cntk_py.reset_random_seed()


@pytest.mark.parametrize(
    ("kind", "minibatches"), [("several", LONG), ("one", SHORT), ("single frames", SHORT)]
)
@pytest.mark.parametrize("name", PROGRAMS)
def test_training_is_the_same_whichever_way_it_runs(
    name: str, kind: str, minibatches: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def train(steps_after: int, loops_after: int) -> tuple[list[float], list[np.ndarray]]:
        monkeypatch.setattr(step_module, "RECORD_AFTER", steps_after)
        monkeypatch.setattr(recorded_steps, "_RUNS_BEFORE", loops_after)
        loss, parameters, data = build(name, LENGTHS[kind])
        learner = C.momentum_sgd(
            parameters, C.learning_parameter_schedule(0.05), C.momentum_schedule(0.5)
        )
        trainer, losses = C.Trainer(None, loss, learner), []
        for k in range(minibatches):
            trainer.train_minibatch(data[k % len(data)])
            losses.append(trainer.previous_minibatch_loss_average)
        return losses, [p.value for p in parameters]

    losses, values = train(NEVER, NEVER)
    assert np.isfinite(losses).all()
    for ways in ((NEVER, 3), (5, 3)) if minibatches == LONG else ((5, 3),):
        other_losses, other_values = train(*ways)
        np.testing.assert_allclose(other_losses, losses, rtol=1e-9, atol=1e-12)
        for one, other in zip(other_values, values, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-8, atol=1e-11)


@pytest.mark.parametrize("name", [n for n in PROGRAMS if "dropout" not in n])
def test_gradients_are_finite_differences(name: str) -> None:
    loss, parameters, data = build(name, LENGTHS["several"])
    total = C.reduce_sum(loss, axis=C.Axis.all_axes())
    random = np.random.RandomState(4)
    for _ in range(8):  # a loop's steps are recorded after a few
        found = total.grad(data[0], wrt=parameters, as_numpy=True)
    found = found if isinstance(found, dict) else {parameters[0]: found}
    for p in parameters:
        direction, kept, step = random.uniform(-1, 1, p.shape), np.array(p.value), 1e-6
        ends = []
        for sign in (1, -1):
            p.value = kept + sign * step * direction
            ends.append(float(total.eval(data[0])))
        p.value = kept
        np.testing.assert_allclose(
            np.sum(found[p] * direction), (ends[0] - ends[1]) / (2 * step), rtol=2e-5, atol=1e-7
        )
