"""Steps that look at a whole sequence, whose length is a free axis: one recording serves all
lengths.
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
def counts(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """How often steps were recorded, and how often recorded code ran."""
    found = {"recorded": 0, "run": 0}
    record, run = recorded_steps.record_step, RecordedSteps.run

    def counted_record(*arguments: Any) -> Any:
        found["recorded"] += 1
        return record(*arguments)

    def counted_run(*arguments: Any) -> Any:
        found["run"] += 1
        return run(*arguments)

    monkeypatch.setattr(recorded_steps, "record_step", counted_record)
    monkeypatch.setattr(RecordedSteps, "run", counted_run)
    return found


def sequence(axis: str) -> C.Variable:
    return C.sequence.input_variable(
        WIDTH, np.float64, needs_gradient=True, sequence_axis=C.Axis(axis)
    )


def matrix(columns: int = WIDTH, seed: int = 0) -> C.Parameter:
    values = np.random.default_rng(seed).uniform(-0.8, 0.8, (WIDTH, columns))
    return C.parameter(values.shape, init=values, dtype=np.float64)


def looked(source: C.Variable, state: Any, seed: int = 0) -> Any:
    """A weighted mean of a sequence's frames, by their likeness to a state."""
    values, valid = C.sequence.unpack(source, padding_value=0).outputs
    values, valid = (C.sequence.broadcast_as(v, state) for v in (values, C.expand_dims(valid, -1)))
    likeness = C.times(C.tanh(values + C.times(state, matrix(seed=seed + 1))), matrix(1, seed + 2))
    weights = C.softmax(C.element_select(valid, likeness, C.constant(-50, (), np.float64)), axis=0)
    return C.reshape(C.reduce_sum(weights * values, axis=0), (WIDTH,))


def decoder(target: C.Variable, *sources: C.Variable) -> C.Function:
    before = C.placeholder(WIDTH)
    state = C.sequence.past_value(before)
    seen = [looked(source, state, 10 * k) for k, source in enumerate(sources)]
    now = C.tanh(target + C.times(state, matrix()) + sum(seen[1:], seen[0]))
    return now.replace_placeholders({before: now.output})


def data(*lengths: int) -> list[np.ndarray]:
    random = np.random.default_rng(sum(lengths))
    return [random.uniform(-1, 1, (n, WIDTH)) for n in lengths]


def gradients(
    make: Callable[[], tuple[C.Function, list[C.Variable]]], feeds: list[list[Any]], runs: int
) -> list[Any]:
    """Outputs and gradients over minibatches, the whole of them so many times."""
    function, inputs = make()
    scaled = function * C.constant(np.arange(1.0, WIDTH + 1), dtype=np.float64)
    found: list[Any] = []
    for _ in range(runs):
        found = []
        for feed in feeds:
            given = dict(zip(inputs, feed, strict=True))
            of, outputs = scaled.grad(given, wrt=[*inputs, *scaled.parameters], outputs=[scaled])
            found += [outputs, *of.values()]
    return found


def check(one: Any, other: Any) -> None:
    if isinstance(one, list):
        for a, b in zip(one, other, strict=True):
            check(a, b)
    elif isinstance(one, dict):
        check(list(one.values()), list(other.values()))
    else:
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-12)


def one_source() -> tuple[C.Function, list[C.Variable]]:
    target, source = sequence("target"), sequence("source")
    return decoder(target, source), [target, source]


def two_sources() -> tuple[C.Function, list[C.Variable]]:
    target, first, second = (sequence(name) for name in ("target", "first", "second"))
    return decoder(target, first, second), [target, first, second]


def test_one_recording_serves_all_lengths(counts: dict[str, int]) -> None:
    sources = [(3, 1, 7), (5, 5, 5), (1, 1, 1), (2, 9, 4)]
    feeds = [[data(6, 4, 2), data(*lengths)] for lengths in sources]
    wanted = [x for feed in feeds for x in gradients(one_source, [feed], 1)]
    assert counts == {"recorded": 0, "run": 0}
    check(gradients(one_source, feeds, RUNS), wanted)
    assert counts["recorded"] == 1 and counts["run"] > len(feeds)


def test_two_lengths_at_once_are_not_recorded(counts: dict[str, int]) -> None:
    feed = [data(6, 4), data(3, 2), data(1, 5)]
    wanted = gradients(two_sources, [feed], 1)
    check(gradients(two_sources, [feed], RUNS), wanted)
    assert counts == {"recorded": 0, "run": 0}


def test_two_sources_of_one_length(counts: dict[str, int]) -> None:
    """What was recorded for one length is not used where there are two."""
    same, different = [data(6, 4), data(3, 2), data(1, 3)], [data(6, 4), data(3, 2), data(1, 5)]
    wanted = [x for feed in (same, different) for x in gradients(two_sources, [feed], 1)]
    check(gradients(two_sources, [same, different], RUNS), wanted)
    assert counts["recorded"] == 1 and counts["run"] > 0


def test_a_state_that_is_as_long_as_the_source(counts: dict[str, int]) -> None:
    """What has been looked at is remembered for each frame: a state with a free axis stays on the
    general way.
    """

    def make() -> tuple[C.Function, list[C.Variable]]:
        target, source = sequence("target"), sequence("source")
        values = C.sequence.unpack(source, padding_value=0, no_mask_output=True)
        before = C.placeholder((C.FreeDimension, WIDTH))
        now = C.tanh(
            0.5 * C.sequence.past_value(before) + C.sequence.broadcast_as(values, target) + target
        )
        now = now.replace_placeholders({before: now.output})
        return C.reduce_sum(now, axis=0), [target, source]

    feed = [data(5, 4), data(3, 2)]
    wanted = gradients(make, [feed], 1)
    check(gradients(make, [feed], RUNS), wanted)
    assert counts["run"] == 0


def test_attention_model_in_training(
    counts: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def losses() -> list[float]:
        C.cntk_py.set_fixed_random_seed(1)
        random = np.random.default_rng(0)
        x, y = C.sequence.input_variable(3, sequence_axis=C.Axis("x")), C.sequence.input_variable(3)
        look, cell = C.layers.AttentionModel(5), C.layers.LSTM(WIDTH)
        encoded = C.layers.Recurrence(C.layers.LSTM(WIDTH))(x)

        @C.Function
        def step(h: Any, c: Any, word: Any) -> Any:
            return cell(h, c, C.splice(word, look(encoded, h)))

        z = C.layers.Dense(3)(C.layers.Recurrence(step)(C.layers.Delay()(y)))
        trainer = C.Trainer(
            z, C.cross_entropy_with_softmax(z, y), [C.adam(z.parameters, 0.02, 0.9)]
        )
        found = []
        for _ in range(20):
            xs, ys = (
                [
                    np.eye(3, dtype=np.float32)[random.integers(3, size=n)]
                    for n in random.integers(2, 9, 5)
                ]
                for _ in "xy"
            )
            trainer.train_minibatch({x: xs, y: ys})
            found.append(trainer.previous_minibatch_loss_average)
        return found

    recorded = losses()
    assert counts["recorded"] == 1 and counts["run"] > 10
    monkeypatch.setattr(recorded_steps, "_RUNS_BEFORE", 1000)
    np.testing.assert_allclose(recorded, losses(), rtol=1e-4)
