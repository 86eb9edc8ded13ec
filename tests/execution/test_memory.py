"""Memory of a long training: what is kept of minibatches and models that have been is bounded."""

from __future__ import annotations

import collections
import gc
import linecache
import tracemalloc
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch.fx.graph_module

import cntk as C
from cntk._compiler import deferred_shapes
from cntk._execution import compiled_state, training_step
from cntk._execution.compiled_state import state_of
from cntk._runtime.recent import Recent

RNG = np.random.default_rng(3)


def tagger() -> Callable[[], None]:
    """A small recurrent net in training, on minibatches of any number of sequences of any
    length.
    """
    x, y = C.sequence.input_variable(3), C.input_variable(2)
    model = C.layers.Dense(2)(C.sequence.last(C.layers.Recurrence(C.layers.RNNStep(3))(x)))
    trainer = C.Trainer(
        model, C.cross_entropy_with_softmax(model, y), [C.momentum_sgd(model.parameters, 0.01, 0.9)]
    )

    def run() -> None:
        lengths = RNG.integers(1, 20, size=RNG.integers(1, 8))
        data = [np.ones((n, 3), np.float32) for n in lengths]
        trainer.train_minibatch({x: data, y: np.ones((len(data), 2), np.float32)})

    return run


def attention() -> Callable[[], None]:
    """An evaluation with an axis that only the data size."""
    x = C.sequence.input_variable(3)
    keys = C.sequence.unpack(x, 0, no_mask_output=True)
    model = C.reduce_sum(keys * keys, axis=0)

    def run() -> None:
        model.eval({x: [np.ones((n, 3), np.float32) for n in RNG.integers(1, 400, size=2)]})

    return run


def pictures() -> Callable[[], None]:
    """An evaluation of pictures of any size."""
    x = C.input_variable((1, C.FreeDimension, C.FreeDimension))
    model = C.reduce_sum(x * x)

    def run() -> None:
        model.eval({x: np.ones((1, 1, *RNG.integers(1, 40, size=2)), np.float32)})

    return run


def traced(run: Callable[[], None], steps: int) -> int:
    """Bytes that Python objects take more after so many steps than before."""
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(steps):
        run()
    gc.collect()
    return tracemalloc.get_traced_memory()[0] - before


@pytest.fixture
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_step, "_MOST_SIZES", 10)
    monkeypatch.setattr(deferred_shapes, "_MOST_SIZES", 10)
    monkeypatch.setattr(compiled_state, "_MOST_PLANS", 10)


@pytest.mark.parametrize("build", [tagger, attention, pictures])
@pytest.mark.usefixtures("small_limits")
def test_steps_of_any_size_leave_nothing(build: Callable[[], Callable[[], None]]) -> None:
    run = build()
    for _ in range(60):
        run()
    tracemalloc.start()
    try:
        traced(run, 30)
        grown = traced(run, 200)
    finally:
        tracemalloc.stop()
    # A size that is kept takes more than a kilobyte; the rest is what torch keeps to use again.
    assert grown < 200 * 1000


@pytest.mark.slow
def test_twenty_thousand_steps_leave_nothing() -> None:
    run = tagger()
    for _ in range(2000):
        run()
    before, size = objects(), resident()
    for _ in range(20_000):
        run()
    assert sum((objects() - before).values()) < 2000
    assert resident() - size < 20 * 2**20


def resident() -> int:
    """Bytes of memory of this process; 0 where nothing tells."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * 4096
    except OSError:
        return 0


def objects() -> collections.Counter[str]:
    gc.collect()
    return collections.Counter(type(x).__name__ for x in gc.get_objects())


def trained(steps: int) -> list[weakref.ref[Any]]:
    """Train a small net, and let go of it; weak references to what it consisted of."""
    x, y = C.input_variable(3), C.input_variable(2)
    model = C.layers.Dense(2)(C.layers.Dense(3, C.relu)(x))
    trainer = C.Trainer(
        model, C.cross_entropy_with_softmax(model, y), [C.adam(model.parameters, 0.01, 0.9)]
    )
    data = {x: np.ones((4, 3), np.float32), y: np.ones((4, 2), np.float32)}
    for _ in range(steps):
        trainer.train_minibatch(data)
    model.eval({x: data[x]})
    model.grad({x: data[x]}, wrt=model.parameters)
    recordings = [r for _, r in trainer._step._recordings.values()]
    assert len(recordings) == (steps >= training_step.RECORD_AFTER)
    plans = [p for f in (model, trainer._step.function) for p in state_of(f).plans.values()]
    return [weakref.ref(one) for one in (trainer, model, *model.parameters, *plans, *recordings)]


def test_models_that_are_dropped_leave_nothing() -> None:
    for _ in range(3):
        trained(2)
    before = objects()
    for _ in range(40):
        trained(2)
    grown = {kind: count for kind, count in (objects() - before).items() if count >= 20}
    assert not grown


def test_recordings_that_are_dropped_leave_nothing() -> None:
    for _ in range(2):
        trained(training_step.RECORD_AFTER)
    gc.collect()
    kept: Any = torch.fx.graph_module._loader.eval_cache  # type: ignore[attr-defined]
    before = objects(), len(linecache.cache), len(kept)
    references = trained(training_step.RECORD_AFTER)
    gc.collect()
    assert [one() for one in references] == [None] * len(references) and len(references) > 8
    assert (len(linecache.cache), len(kept)) == before[1:]
    # Not counting what pytest keeps of torch's log.
    grown = objects() - before[0]
    assert all(
        grown[kind] < 5
        for kind in ("Tensor", "FakeTensor", "Node", "Graph", "GraphModule", "function", "tuple")
    )


def test_recent_keeps_what_was_asked_for_last() -> None:
    kept: Recent[int] = Recent(3)
    for k in range(10):
        kept.put(k, k)
        kept.get(0)
    assert [k for k in range(10) if kept.get(k) is not None] == [0, 8, 9]


def test_plans_for_sizes_are_bounded(small_limits: None) -> None:
    x = C.input_variable((1, C.FreeDimension))
    model = C.reduce_sum(x * x)
    fixed = C.input_variable(2)
    (fixed + 1).eval({fixed: [[1, 2]]})
    for width in range(1, 40):
        assert model.eval({x: np.ones((1, 1, width), np.float32)}) == width
        assert model.eval({x: np.ones((1, 1, 1), np.float32)}) == 1
    assert len(state_of(model).plans) <= 10


def test_plans_for_outputs_are_bounded(small_limits: None) -> None:
    x = C.input_variable(1)
    parts = [x + k for k in range(30)]
    whole = C.combine(parts)
    for k, part in enumerate(parts):
        assert whole.eval({x: [[1]]}, outputs=[part.output]) == 1 + k
    assert len(state_of(whole).plans) <= 10


def test_recordings_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_step, "_MOST_RECORDINGS", 1)
    x = C.input_variable(3)
    model = C.layers.Dense(2)(x)
    loss = C.reduce_sum(model * model)
    trainer = C.Trainer(model, loss, [C.sgd(model.parameters, 0.001)])
    for size in (1, 2):
        for _ in range(training_step.RECORD_AFTER + 1):
            trainer.train_minibatch({x: np.ones((size, 3), np.float32)})
    assert len(trainer._step._recordings) == 1
    assert trainer._step.reasons == ["1 sizes of minibatches are recorded already"]


def test_sizes_that_are_counted_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_step, "_MOST_SIZES", 5)
    x = C.input_variable(3)
    model = C.layers.Dense(2)(x)
    trainer = C.Trainer(model, C.reduce_sum(model * model), [C.sgd(model.parameters, 0.001)])
    for size in range(1, 20):
        trainer.train_minibatch({x: np.ones((size, 3), np.float32)})
    assert len(trainer._step._seen) <= 6
