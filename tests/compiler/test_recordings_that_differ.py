"""Recorded steps where they once differed from eager ones: memory layouts, axes that the graph
makes, failures.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import cntk as C
from cntk._compiler.recording import record_loop_step, record_training_step
from cntk._compiler.recurrence.recorded_steps import RecordedSteps
from cntk._execution import training_step as step_module

NEVER, AT_ONCE, MINIBATCHES = 10**9, 3, 9
Feed = dict[Any, Any]


def total(x: Any) -> C.Function:
    return C.reduce_sum(C.square(x), axis=C.Axis.all_static_axes())


def uniform(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, shape)


def parameter(*shape: int) -> C.Parameter:
    return C.parameter(shape, init=uniform(*shape, seed=3), dtype=np.float64)


def course(
    make: Callable[[], tuple[C.Function, Feed, list[Any]]],
    after: int,
    monkeypatch: pytest.MonkeyPatch,
) -> tuple[list[Any], C.Trainer]:
    """What each minibatch gave, the parameters in the end, and the trainer."""
    monkeypatch.setattr(step_module, "RECORD_AFTER", after)
    C.cntk_py.set_fixed_random_seed(5)
    with C.layers.default_options(dtype=np.float64):
        loss, feed, outputs = make()
    trainer = C.Trainer(
        None,
        loss,
        C.adam(loss.parameters, C.learning_parameter_schedule(0.01), C.momentum_schedule(0.9)),
    )
    found: list[Any] = []
    for _ in range(MINIBATCHES):
        if outputs:
            _, values = trainer.train_minibatch(feed, outputs=outputs)
            found.extend(np.concatenate([np.ravel(x) for x in values[v]]) for v in outputs)
        else:
            trainer.train_minibatch(feed)
        found.append(
            [trainer.previous_minibatch_loss_average, trainer.previous_minibatch_sample_count]
        )
    C.cntk_py.reset_random_seed()
    return [*found, *(p.value for p in loss.parameters)], trainer


def recordings(trainer: C.Trainer) -> list[Any]:
    return [r for _, r in trainer._step._recordings.values()]


def check(
    make: Callable[[], tuple[C.Function, Feed, list[Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    eager, _ = course(make, NEVER, monkeypatch)
    recorded, trainer = course(make, AT_ONCE, monkeypatch)
    assert None not in recordings(trainer) and len(recordings(trainer)) == 1, trainer._step.reasons
    for one, other in zip(recorded, eager, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)


# -- memory layouts --------------------------------------------------------------------------------

# Operations whose results lie in memory otherwise than torch's stand-ins say.
MIXED: dict[str, Callable[[Any], Any]] = {
    "element_select": lambda x: C.element_select(C.greater(x, 0), x, 0.5 * x),
    "param_relu": lambda x: C.param_relu(
        C.parameter((x.shape[0], 1, 1), init=0.3, dtype=np.float64), x
    ),
    "log_add_exp": lambda x: C.log_add_exp(x, 0.5 * x),
    "less_equal": lambda x: C.less_equal(-0.05, x) * x + x,
    "greater_equal": lambda x: C.greater_equal(x, parameter(x.shape[0], 1, 1)) * x,
    "element_max": lambda x: C.element_max(x, parameter(1, 1, x.shape[-1])),
    "abs": lambda x: C.abs(x) + C.relu(x),
    "batch normalization": lambda x: C.layers.BatchNormalization(map_rank=1)(x),
    "plain": lambda x: x,
}


def image() -> tuple[C.Variable, np.ndarray]:
    return C.input_variable((3, 8, 6), np.float64), uniform(2, 3, 8, 6)


def convolved() -> tuple[Any, Feed]:
    x, data = image()
    return C.layers.Convolution((3, 3), 4, pad=True)(x), {x: data}


def transposed() -> tuple[Any, Feed]:
    x, data = image()
    return C.swapaxes(x, 2, 0), {x: data}


def channels_last_data() -> tuple[Any, Feed]:
    x, data = image()
    return x, {x: torch.tensor(data).to(memory_format=torch.channels_last).numpy()}


def one_sample() -> tuple[Any, Feed]:
    x, data = image()
    return C.layers.Convolution((3, 3), 4, pad=True)(x), {x: data[:1]}


def broadcast() -> tuple[Any, Feed]:
    x = C.input_variable((3, 1, 1), np.float64)
    return C.plus(x, parameter(1, 8, 1)) * np.ones((1, 1, 6)), {x: uniform(2, 3, 1, 1)}


SOURCES = [convolved, transposed, channels_last_data, one_sample, broadcast]


@pytest.mark.parametrize("operation", MIXED)
@pytest.mark.parametrize("source", SOURCES)
def test_results_that_lie_otherwise_in_memory(source, operation, monkeypatch):
    def make() -> tuple[C.Function, Feed, list[Any]]:
        x, feed = source()
        y = MIXED[operation](x)
        flat = C.reshape(y, (-1,))
        return (
            total(C.layers.Dense(2)(y)) + C.reduce_sum(flat * parameter(int(np.prod(y.shape)))),
            feed,
            [],
        )

    check(make, monkeypatch)


@pytest.mark.parametrize("operation", ["element_select", "log_add_exp", "less_equal", "plain"])
def test_recorded_loops_of_matrices(operation, monkeypatch):
    """A loop is recorded after a few minibatches; before, it runs by autograd."""
    used: list[bool] = []
    run = RecordedSteps.run
    monkeypatch.setattr(RecordedSteps, "run", lambda *a, **k: [used.append(True), run(*a, **k)][1])

    def make() -> tuple[C.Function, Feed, list[Any]]:
        s = C.sequence.input_variable((2, 3), np.float64)
        w, left, last = parameter(3, 3), parameter(2, 2), parameter(6, 3)

        def step(h: Any, x: Any) -> Any:
            mixed = MIXED[operation](C.swapaxes(C.times(h, w)))
            return C.sin(x + C.times(C.reshape(mixed, (6,)), last) + C.times(left, h))

        h = C.layers.Recurrence(step, initial_state=np.full((2, 3), 0.1))(s)
        return total(C.sequence.last(h)), {s: [uniform(6, 2, 3), uniform(5, 2, 3, seed=1)]}, []

    found, _ = course(make, NEVER, monkeypatch)
    # Their gradients write into memory.
    assert used or operation in (
        "element_select",
        "less_equal",
    )
    monkeypatch.setattr(RecordedSteps, "recording", lambda *_: None)
    for one, other in zip(found, course(make, NEVER, monkeypatch)[0], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)


# -- axes that the graph makes ---------------------------------------------------------------------

AXES: dict[str, Callable[[Any], Any]] = {
    "slice": lambda s: C.sequence.slice(s, 1, 0),
    "slice from the end": lambda s: C.sequence.slice(s, -2, 0),
    "stride": lambda s: C.sequence.stride(s, 2),
    "join": lambda s: C.sequence.join(s, C.tanh(s)),
    "join of a slice": lambda s: C.sequence.join(C.sequence.slice(s, 0, 2), C.sequence.first(s)),
    "strided convolution": lambda s: C.layers.SequentialConvolution((2,), 3, strides=2, pad=True)(
        s
    ),
    "to_sequence": lambda s: C.to_sequence(C.sequence.unpack(s, 0, no_mask_output=True)),
}

SUMS: dict[str, Callable[[Any], C.Function]] = {
    "of each frame": total,
    "mean over all axes": lambda x: C.reduce_mean(C.square(x), axis=C.Axis.all_axes()),
    "sum over sequences": lambda x: total(C.sequence.reduce_sum(x)),
}


@pytest.mark.parametrize("lengths", [(4, 4), (5, 2, 3)])
@pytest.mark.parametrize("sum_", SUMS)
@pytest.mark.parametrize("axis", AXES)
def test_losses_on_sequence_axes_that_the_graph_makes(axis, sum_, lengths, monkeypatch):
    def make() -> tuple[C.Function, Feed, list[Any]]:
        s = C.sequence.input_variable(3, np.float64)
        y = AXES[axis](C.layers.Dense(3)(s))
        return SUMS[sum_](y), {s: [uniform(n, 3, seed=n) for n in lengths]}, [y.output]

    # Its lengths come from the data's last rows, so that such a step stays eager.
    if axis == "to_sequence":
        eager, recorded = (course(make, after, monkeypatch)[0] for after in (NEVER, AT_ONCE))
        for one, other in zip(recorded, eager, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)
    else:
        check(make, monkeypatch)


def test_a_batch_axis_that_the_graph_makes(monkeypatch):
    def make() -> tuple[C.Function, Feed, list[Any]]:
        x = C.input_variable(3, np.float64)
        y = C.to_batch(C.unpack_batch(C.layers.Dense(4)(x)))
        return total(y), {x: uniform(5, 3)}, [y.output]

    check(make, monkeypatch)


def test_batch_normalization_of_one_number_for_each_channel(monkeypatch):
    def make() -> tuple[C.Function, Feed, list[Any]]:
        x = C.input_variable(4, np.float64)
        y = C.layers.BatchNormalization(normalization_time_constant=20)(C.layers.Dense(3)(x))
        return total(C.layers.Dense(2)(y) - 0.3), {x: uniform(1, 4)}, [y.output]

    check(make, monkeypatch)


# -- what stays eager ------------------------------------------------------------------------------


def chosen_by_data() -> tuple[C.Function, Feed, list[Any]]:
    s = C.sequence.input_variable(3, np.float64)
    h = C.layers.Dense(2)(s)
    condition = C.greater(C.reduce_sum(s), -9)
    return total(C.sequence.gather(h, condition)), {s: [uniform(4, 3), uniform(2, 3)]}, []


def sparse_output() -> tuple[C.Function, Feed, list[Any]]:
    x = C.input_variable(3, np.float64)
    classes = C.one_hot(C.reduce_sum(C.floor(C.abs(x))), 3, sparse_output=True)
    return total(C.layers.Dense(2)(x)), {x: uniform(4, 3)}, [classes.output]


def assigned() -> tuple[C.Function, Feed, list[Any]]:
    x = C.input_variable(3, np.float64)
    kept = C.constant(np.zeros(2), dtype=np.float64)
    y = C.layers.Dense(2)(x)
    return (
        total(y) + C.reduce_sum(C.assign(kept, C.reduce_mean(y, axis=C.Axis.all_axes()) + kept)),
        {x: uniform(4, 3)},
        [],
    )


EAGER = {
    chosen_by_data: "depend on the data",
    sparse_output: "sparse outputs are asked for",
    assigned: "acts when it runs",
}


@pytest.mark.parametrize("make", EAGER)
def test_what_stays_eager_is_no_warning(make, monkeypatch, caplog):
    caplog.set_level(logging.INFO, "cntk")
    monkeypatch.setattr(step_module, "RECORD_AFTER", AT_ONCE)
    with C.layers.default_options(dtype=np.float64):
        loss, feed, outputs = make()
    trainer = C.Trainer(None, loss, C.sgd(loss.parameters, C.learning_parameter_schedule(0.1)))
    for _ in range(MINIBATCHES):
        trainer.train_minibatch(feed, outputs=outputs)
    (reason,) = trainer._step.reasons
    assert EAGER[make] in reason
    assert [r.levelname for r in caplog.records if r.name == "cntk"] == ["INFO"]
    assert not [r for r in caplog.records if r.levelno >= logging.WARNING]


# -- failures --------------------------------------------------------------------------------------


def normalized() -> tuple[C.Function, Feed, list[Any]]:
    x = C.input_variable(4, np.float64)
    y = C.layers.BatchNormalization()(C.layers.Dense(5)(x))
    return total(C.layers.Dense(2)(C.dropout(y, 0.3, seed=4))), {x: uniform(6, 4)}, []


def with_statistics(after: int, monkeypatch: pytest.MonkeyPatch) -> tuple[list[Any], C.Trainer]:
    constants: list[Any] = []

    def make() -> tuple[C.Function, Feed, list[Any]]:
        loss, feed, outputs = normalized()
        constants.extend(c for c in loss.constants if c.name.startswith("aggregate"))
        return loss, feed, outputs

    found, trainer = course(make, after, monkeypatch)
    assert constants
    return [*found, *(c.value for c in constants)], trainer


def same_as_eager(monkeypatch: pytest.MonkeyPatch, reason: str) -> None:
    eager, _ = with_statistics(NEVER, monkeypatch)
    recorded, trainer = with_statistics(AT_ONCE, monkeypatch)
    assert recordings(trainer) == [None]
    (found,) = trainer._step.reasons
    assert reason in found
    for one, other in zip(recorded, eager, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)


def test_a_step_that_cannot_be_recorded_stays_eager(monkeypatch, caplog):
    from cntk._compiler.recording import fx_passes

    def fails(*_: Any) -> None:
        raise TypeError("no such call")

    monkeypatch.setattr(fx_passes, "optimize", fails)
    same_as_eager(monkeypatch, "recording failed: TypeError: no such call")
    assert [r.levelname for r in caplog.records if r.name == "cntk"] == ["WARNING"]


def test_a_recording_that_gives_other_numbers_is_not_used(monkeypatch):
    agree = record_training_step.agree
    monkeypatch.setattr(
        record_training_step,
        "agree",
        lambda found, expected: agree([1.5 * x for x in found], expected),
    )
    same_as_eager(monkeypatch, "the recording gives another loss")


@pytest.mark.parametrize("when", [0, 2])
def test_a_recording_that_fails_later_leaves_everything_as_it_was(when, monkeypatch):
    """Statistics are put back, random numbers that were drawn are used, and the step is done by
    autograd.
    """
    record, calls = record_training_step.record, [0]

    def failing(*arguments: Any) -> Any:
        recording = record(*arguments)
        compute = recording.compute

        def once(*tensors: Any) -> Any:
            results = compute(*tensors)  # statistics have changed by now
            calls[0] += 1
            if calls[0] > when:
                raise RuntimeError("view size is not compatible")
            return results

        recording.compute = once
        return recording

    monkeypatch.setattr(step_module, "record", failing)
    same_as_eager(monkeypatch, "a call of the recorded step failed: view size is not compatible")


def test_a_loop_whose_recording_gives_other_numbers_runs_by_autograd(monkeypatch, caplog):
    monkeypatch.setattr(record_loop_step, "agree", lambda *_: False)
    s = C.sequence.input_variable(3, np.float64)
    w = parameter(3, 3)
    h = C.layers.Recurrence(lambda h, x: C.sin(x + C.times(h, w)), initial_state=0.1)(s)
    loss, feed = total(C.sequence.last(h)), {s: [uniform(6, 3)]}
    first = loss.grad(feed, wrt=[w])
    for _ in range(8):
        np.testing.assert_allclose(loss.grad(feed, wrt=[w]), first, rtol=1e-12)
    assert "the recording gives other numbers" in caplog.text
