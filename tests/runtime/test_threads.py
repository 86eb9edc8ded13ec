"""Small runs take one thread, large ones all; nobody else's number of threads changes."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch

import cntk as C
from cntk._compiler import work
from cntk._execution.bind import bind
from cntk._execution.compiled_state import state_of
from cntk._runtime.bind_input import bind_input
from cntk._runtime.threads import OneThread

THREADS = 3


@pytest.fixture(autouse=True)
def several_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(THREADS)
    yield
    torch.set_num_threads(before)


def test_a_context_of_one_thread_is_for_the_thread_that_enters_it() -> None:
    elsewhere: list[int] = []
    with OneThread():
        other = threading.Thread(target=lambda: elsewhere.append(torch.get_num_threads()))
        other.start()
        other.join()
        assert (torch.get_num_threads(), elsewhere) == (1, [THREADS])
        with OneThread():
            pass
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == THREADS


def test_a_context_is_lifted_once() -> None:
    with OneThread() as limit:
        limit.lift()
        assert torch.get_num_threads() == THREADS
        limit.lift()
    assert torch.get_num_threads() == THREADS


def test_threads_chosen_inside_stay_chosen() -> None:
    with OneThread():
        torch.set_num_threads(2)
    assert torch.get_num_threads() == 2


class Counted(C.ops.functions.UserFunction):
    """Hands its operand on and notes how many threads there are, forwards and backwards."""

    def __init__(self, x: Any, name: str = "") -> None:
        super().__init__([x], name=name)
        self.seen: list[int] = []

    def infer_outputs(self) -> list[Any]:
        return [
            C.output_variable(
                self.inputs[0].shape, self.inputs[0].dtype, self.inputs[0].dynamic_axes
            )
        ]

    def forward(self, argument: Any, device: Any = None, outputs_to_retain: Any = None) -> Any:
        self.seen.append(torch.get_num_threads())
        return None, argument

    def backward(self, state: Any, root_gradients: Any) -> Any:
        self.seen.append(torch.get_num_threads())
        return root_gradients


def every_way(size: int) -> list[int]:
    """How many threads there are in training, testing, evaluation, gradients, forward and backward
    of a dense layer.
    """
    x = C.input_variable(size, needs_gradient=True)
    counted = Counted(x)
    model = C.layers.Dense(size, init=0.01)(C.user_function(counted))
    loss = C.squared_error(model, np.zeros(size, np.float32))
    trainer = C.Trainer(model, (loss, loss), [C.sgd(model.parameters, 0.1)])
    data = {x: np.ones((2, size), np.float32)}
    trainer.train_minibatch(data)
    trainer.test_minibatch(data)
    model.eval(data)
    model.grad(data, wrt=[x])
    state, _ = model.forward(data, outputs=[model.output], keep_for_backward={model.output})
    model.backward(state, {model.output: np.ones((2, size), np.float32)}, {x})
    return counted.seen


@pytest.mark.parametrize(("least", "expected"), [(work.LEAST_RUN, 1), (1000, THREADS)])
def test_threads_of_every_way_to_run(
    monkeypatch: pytest.MonkeyPatch, least: int, expected: int
) -> None:
    monkeypatch.setattr(work, "LEAST_CALL", 1)
    monkeypatch.setattr(work, "LEAST_RUN", least)
    assert every_way(32) == [expected] * 8
    assert torch.get_num_threads() == THREADS


def test_errors_leave_the_number_of_threads_alone() -> None:
    x = C.input_variable(3)
    with pytest.raises(ValueError):
        (x + 1).eval({x: np.ones((2, 4), np.float32)})
    assert torch.get_num_threads() == THREADS


def test_evaluations_in_many_threads_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "LEAST_CALL", 1)
    monkeypatch.setattr(work, "LEAST_RUN", 16 * 40 * 2 * 10)  # rows of 40 and more take all threads
    x = C.input_variable(40)
    model = C.layers.Dense(40, init=0.01)(x)
    rows = [np.full((n, 40), n, np.float32) for n in (1, 5, 20, 60, 90)]
    expected = [model.eval({x: r}) for r in rows]

    def evaluate(first: int) -> int:
        for k in range(100):
            which = (first + k) % len(rows)
            np.testing.assert_array_equal(model.eval({x: rows[which]}), expected[which])
        return torch.get_num_threads()

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(evaluate, range(8))) == {THREADS}


BATCH = 64
COUNTS = {
    "dense": (lambda x: C.layers.Dense(1024)(x), (2048,), BATCH * 1024 * 2048),
    "convolution": (
        lambda x: C.layers.Convolution2D((3, 3), 32, pad=True)(x),
        (8, 64, 64),
        BATCH * 64 * 64 * 9 * 8 * 32,
    ),
    "transposed": (
        lambda x: C.layers.ConvolutionTranspose2D((3, 3), 8, pad=True, bias=False)(x),
        (32, 64, 64),
        BATCH * 64 * 64 * 9 * 8 * 32,
    ),
    "elements": (lambda x: C.sigmoid(x), (65536,), BATCH * 65536 * 2 * 16),
    "small calls": (lambda x: C.sigmoid(C.layers.Dense(100)(x)), (100,), 0),
    "times_transpose": (
        lambda x: C.times_transpose(x, C.parameter((1024, 2048))),
        (2048,),
        BATCH * 1024 * 2048,
    ),
    "einsum": (
        lambda x: C.einsum("i,ij->j", x, C.parameter((2048, 1024))),
        (2048,),
        BATCH * 1024 * 2048,
    ),
}


@pytest.mark.parametrize("name", COUNTS)
def test_work_is_told_from_sizes(name: str) -> None:
    build, shape, expected = COUNTS[name]
    x = C.input_variable(shape)
    assert run_of(build(x), x, np.zeros((BATCH, *shape), np.float32)) == pytest.approx(
        expected, rel=0.1
    )


def run_of(model: Any, x: Any, data: Any, training: bool = False) -> int:
    """The work of a run."""

    fed = {x: bind_input(x, data, torch.device("cpu"))}
    plan = state_of(model).plan_for((model.output,), fed)
    _, run = bind(plan, fed, training, torch.device("cpu"))
    return plan.work.total(run)


def test_work_of_a_loop_counts_the_calls_of_a_step() -> None:
    x = C.sequence.input_variable(512)
    model = C.layers.Recurrence(C.layers.GRU(512))(x)
    one = [np.zeros((1000, 512), np.float32)]
    many = [np.zeros((10, 512), np.float32)] * 100
    assert run_of(model, x, many) > 1.5 * run_of(model, x, one) > 0


def test_training_also_counts_gradients_and_updates() -> None:
    x = C.input_variable(2048)
    model = C.layers.Dense(1024, bias=False)(x)
    data = np.zeros((BATCH, 2048), np.float32)
    product = BATCH * 2048 * 1024
    assert run_of(model, x, data, training=True) == 3 * product + 16 * 2048 * 1024


# Whatever a kernel shares with another thread starts one that Python does not know of.
NO_OTHER_THREADS = """
import os, threading
import cntk as C
import numpy as np, torch

assert torch.get_num_threads() == 2
rng = np.random.default_rng(0)

def threads():
    known = {t.native_id for t in threading.enumerate()}
    return {int(t) for t in os.listdir('/proc/self/task')} - known

def train(model, x, data, classes, steps=45):
    y = C.input_variable(10, dynamic_axes=model.dynamic_axes)
    loss, error = C.cross_entropy_with_softmax(model, y), C.classification_error(model, y)
    trainer = C.Trainer(model, (loss, error), [C.adam(model.parameters, 0.01, 0.9)])
    for _ in range(steps):
        trainer.train_minibatch({x: data, y: classes})
    trainer.test_minibatch({x: data, y: classes})
    model.eval({x: data})
    model.grad({x: data}, wrt=model.parameters)

before = threads()
x = C.input_variable(784)
classes = np.eye(10, dtype=np.float32)[rng.integers(10, size=64)]
hidden = C.layers.Dropout(0.5)(C.layers.Dense(400, C.relu)(x))
train(C.layers.Dense(10)(hidden), x, rng.random((64, 784), np.float32), classes)
train(C.layers.Dense(10)(hidden), x, rng.random((64, 784)), classes, 2)
s = C.sequence.input_variable(20)
sequences = [rng.random((n, 20), np.float32) for n in (30, 40, 50)]
last = C.sequence.last(C.layers.Recurrence(C.layers.LSTM(64))(s))
train(C.layers.Dense(10)(last), s, sequences, classes[:3])
print(sorted(threads() - before))
torch.ones(4_000_000).exp_()
print(len(threads() - before), os.environ.get('GOMP_SPINCOUNT'))
"""


def output_of(code: str, **chosen: str) -> tuple[list[str], str]:
    """What a program prints in a process of its own, and what OpenMP says of its settings."""
    environment = {
        k: v for k, v in os.environ.items() if not k.startswith(("OMP_", "MKL_", "GOMP_"))
    }
    environment |= {"OMP_NUM_THREADS": "2", "OMP_DISPLAY_ENV": "verbose"} | chosen
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=300
    )
    return done.stdout.split(), done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="threads are listed by Linux")
def test_small_runs_start_no_other_thread() -> None:
    printed, settings = output_of(NO_OTHER_THREADS)
    assert printed == ["[]", "1", "None"], settings
    assert "GOMP_SPINCOUNT = '1000'" in settings


@pytest.mark.skipif(sys.platform != "linux", reason="only GNU OpenMP is told how long to wait")
def test_how_long_threads_wait_may_be_chosen() -> None:
    printed, settings = output_of(
        "import os, cntk; print(os.environ['GOMP_SPINCOUNT'])", GOMP_SPINCOUNT="7"
    )
    assert printed == ["7"]
    assert "GOMP_SPINCOUNT = '7'" in settings
