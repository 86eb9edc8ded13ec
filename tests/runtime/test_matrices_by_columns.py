"""Matrices of recurrent cells lie in memory by columns, as kernels want them, and nobody can tell
but by the time.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cntk as C
from tests.train.checkpoint_programs import learners

LENGTHS = ((3, 5, 1), (2, 2), (6, 1, 4))


def model() -> tuple[list[C.Variable], C.Function]:
    """A tagger whose matrices are an LSTM's, a plain recurrence's, a GRU's, another loop's and a
    dense layer's.
    """
    C.cntk_py.set_fixed_random_seed(1)
    x, y = C.sequence.input_variable(5, name="x"), C.sequence.input_variable(3, name="y")
    init = C.glorot_uniform(seed=3)
    cells = [C.layers.LSTM(4, init=init), C.layers.GRU(4, init=init)]
    cells += [C.layers.RNNStep(4, init=init, activation=f) for f in (C.tanh, C.softplus)]
    z = C.layers.Dense(3, init=init)(C.splice(*(C.layers.Recurrence(cell)(x) for cell in cells)))
    return [x, y], z


def trainer(make_learner: Callable[[Any], Any]) -> tuple[list[C.Variable], C.Trainer]:
    inputs, z = model()
    return inputs, C.Trainer(
        z, C.cross_entropy_with_softmax(z, inputs[1]), make_learner(z.parameters)
    )


def train(inputs: list[C.Variable], it: C.Trainer, first: int, last: int) -> list[np.ndarray]:
    """Train on some of the minibatches; gives the parameters."""
    for k in range(first, last):
        random = np.random.default_rng(k)
        lengths = LENGTHS[k % len(LENGTHS)]
        seen = [random.normal(size=(n, 5)).astype(np.float32) for n in lengths]
        told = [np.eye(3, dtype=np.float32)[random.integers(3, size=n)] for n in lengths]
        it.train_minibatch(dict(zip(inputs, (seen, told), strict=True)))
    return [p.value for p in it.model.parameters]


def lies_by_columns(parameter: C.Parameter) -> bool:
    return parameter.data.t().is_contiguous() and not parameter.data.is_contiguous()


def test_those_that_kernels_take_transposed() -> None:
    inputs, z = model()
    before = [p.value for p in z.parameters]
    z.eval({inputs[0]: [np.ones((2, 5), np.float32)]})
    kinds = [(p.shape, lies_by_columns(p)) for p in z.parameters if len(p.shape) == 2]
    assert sorted(shape for shape, turned in kinds if turned) == [(4, 16), (5, 16)]
    assert len(kinds) == 10
    for parameter, value in zip(z.parameters, before, strict=True):
        assert parameter.value.flags.c_contiguous and np.array_equal(parameter.value, value)


def test_files_are_the_same(tmp_path: Path) -> None:
    inputs, z = model()
    z.save(tmp_path / "before")
    z.eval({inputs[0]: [np.ones((2, 5), np.float32)]})
    z.save(tmp_path / "after")
    assert (tmp_path / "before").read_bytes() == (tmp_path / "after").read_bytes()


def test_values_are_set_as_ever() -> None:
    inputs, z = model()
    z.eval({inputs[0]: [np.ones((2, 5), np.float32)]})
    matrix = next(p for p in z.parameters if p.shape == (5, 16))
    matrix.value = np.arange(80.0).reshape(5, 16)
    assert lies_by_columns(matrix) and np.array_equal(matrix.value, np.arange(80.0).reshape(5, 16))


def test_memory_that_somebody_holds_on_to_stays() -> None:
    inputs, z = model()
    matrix = next(p for p in z.parameters if p.shape == (5, 16))
    held = matrix.freeze_storage()
    z.eval({inputs[0]: [np.ones((2, 5), np.float32)]})
    assert not lies_by_columns(matrix)
    matrix.value = 2
    assert held.eq(2).all()


@pytest.mark.parametrize("name", learners(C))
def test_training_is_the_same(name: str) -> None:
    inputs, it = trainer(learners(C)[name])
    by_columns = train(inputs, it, 0, 6)
    assert any(map(lies_by_columns, it.model.parameters))
    inputs, it = trainer(learners(C)[name])
    for parameter in it.model.parameters:
        parameter.freeze_storage()
    by_rows = train(inputs, it, 0, 6)
    for one, other in zip(by_columns, by_rows, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", learners(C))
def test_a_state_restored_before_the_first_pass_goes_on_to_the_bit(
    name: str, tmp_path: Path
) -> None:
    inputs, it = trainer(learners(C)[name])
    train(inputs, it, 0, 3)
    it.save_checkpoint(str(tmp_path / "middle"))
    wanted = train(inputs, it, 3, 8)
    inputs, it = trainer(learners(C)[name])
    it.restore_from_checkpoint(str(tmp_path / "middle"))
    found = train(inputs, it, 3, 8)
    assert all(map(np.array_equal, found, wanted))


def test_recorded_steps_and_evaluations_see_what_is_learned() -> None:
    inputs, it = trainer(lambda p: C.sgd(p, C.learning_parameter_schedule(0.1)))
    feed = {inputs[0]: [np.ones((3, 5), np.float32)]}
    told = [np.eye(3, dtype=np.float32)]
    losses = []
    for _ in range(60):  # more than it takes for the step to be recorded
        it.train_minibatch({**feed, inputs[1]: told})
        losses.append(it.previous_minibatch_loss_average)
    assert losses[-1] < losses[50] < losses[0]
    scores = it.model.eval(feed)[0]
    loss = np.log(np.exp(scores).sum(-1)) - (scores * told[0]).sum(-1)
    it.train_minibatch({**feed, inputs[1]: told})
    np.testing.assert_allclose(it.previous_minibatch_loss_average, loss.mean(), rtol=1e-4)
