"""Parameters of 16 bits: learners keep copies and states in float32, so that training comes to what
it does in float32.
"""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

import cntk as C
from cntk.cntk_py import Dictionary

X = np.random.default_rng(0).standard_normal((8, 4)).astype(np.float32)
Y = np.tanh(X @ np.array([[1], [-1], [0.5], [2]], np.float32))

# Each learner, and how many matrices of its size the original keeps for a parameter in float16.
LEARNERS = {
    "sgd": (lambda p: C.sgd(p, 0.05), 1),
    "momentum_sgd": (lambda p: C.momentum_sgd(p, 0.05, 0.9), 3),
    "nesterov": (lambda p: C.nesterov(p, 0.05, 0.9), 3),
    "adam": (lambda p: C.adam(p, 0.02, 0.9), 4),
    "adamax": (lambda p: C.adam(p, 0.02, 0.9, adamax=True), 4),
    "adagrad": (lambda p: C.adagrad(p, 0.05), 2),
    "adadelta": (lambda p: C.adadelta(p, 1), 3),
    "fsadagrad": (lambda p: C.fsadagrad(p, 0.02, 0.9), 4),
    "rmsprop": (lambda p: C.rmsprop(p, 0.02, 0.9, 1.2, 0.5, 10, 0.01), 4),
    "with all options": (
        lambda p: C.adam(p, 0.02, 0.9, l1_regularization_weight=1e-4, l2_regularization_weight=1e-4,
                         gradient_clipping_threshold_per_sample=0.5), 4),
}  # fmt: skip


def build(kind, dtype):
    x, y = C.input_variable(4, dtype=dtype, name="x"), C.input_variable(1, dtype=dtype, name="y")
    w = C.parameter(
        (4, 1), init=np.linspace(-0.5, 0.5, 4).reshape(4, 1).astype(dtype), dtype=dtype, name="w"
    )
    loss = C.squared_error(C.times(x, w), y)
    trainer = C.Trainer(None, loss, LEARNERS[kind][0](loss.parameters))
    return trainer, w, {x: X.astype(dtype), y: Y.astype(dtype)}


def train(trainer, data, minibatches):
    for _ in range(minibatches):
        trainer.train_minibatch(data)


# What a number of about 1 may be off after rounding.
FORMATS = pytest.mark.parametrize(
    ("dtype", "tolerance"),
    [(np.float16, 2e-3), (ml_dtypes.bfloat16, 1.2e-2)],
    ids=["float16", "bfloat16"],
)


@FORMATS
@pytest.mark.parametrize("kind", LEARNERS)
def test_training_comes_to_what_it_does_in_float32(kind, dtype, tolerance):
    found = []
    for used in (dtype, np.float32):
        trainer, w, data = build(kind, used)
        train(trainer, data, 50)  # the last ones recorded
        found.append(w.value)
    assert np.allclose(found[0].astype(np.float32), found[1], atol=tolerance)


@FORMATS
@pytest.mark.parametrize("kind", LEARNERS)
def test_checkpoints_hold_the_copies(kind, dtype, tolerance, tmp_path):
    trainer, w, data = build(kind, dtype)
    train(trainer, data, 3)
    path = str(tmp_path / "m")
    trainer.save_checkpoint(path)
    train(trainer, data, 3)
    other, other_w, other_data = build(kind, dtype)
    other.restore_from_checkpoint(path)
    train(other, other_data, 3)
    assert np.array_equal(w.value, other_w.value)
    (array,) = trainer.parameter_learners[0].create_checkpoint()["smoothed_gradients"]
    assert np.asarray(array).dtype == np.float32
    assert np.shape(array) == (4 * LEARNERS[kind][1], 1)


def test_states_without_copies_still_load():
    learner = C.adam([C.parameter((2, 3), dtype=np.float16)], 0.1, 0.9)
    state = dict(learner.create_checkpoint())
    state["smoothed_gradients"] = [np.ones((4, 3), np.float16)]
    learner.restore_from_checkpoint(Dictionary(state))
    assert float(learner.state("mean")[0].sum()) == 6
    state["smoothed_gradients"] = [np.ones((6, 3), np.float16)]
    with pytest.raises(RuntimeError, match="shape"):
        learner.restore_from_checkpoint(Dictionary(state))


def test_values_that_are_set_count():
    w = C.parameter((2,), init=1, dtype=np.float16)
    learner = C.sgd([w], 1e-5)
    gradient = {w: np.array([1.0, 1.0], np.float16)}
    for _ in range(100):  # each step is below the precision of float16 at 1
        learner.update(gradient, 1)
    assert np.allclose(w.value, 0.999, atol=5e-4)
    w.value = np.array([5, 0.5], np.float16)
    learner.update(gradient, 1)
    assert np.array_equal(w.value, np.array([5, 0.5], np.float16))


def test_gradients_by_row_and_rules_of_ones_own():
    x = C.input_variable(5, is_sparse=True, dtype=np.float16)
    table = C.parameter((5, 2), init=1, dtype=np.float16)
    loss = C.reduce_sum(C.times(x, table))
    data = {x: C.Value.one_hot([0, 2, 2], 5, dtype=np.float16)}
    for learner in (
        C.adagrad([table], 0.1, need_ave_multiplier=False),
        C.momentum_sgd([table], 0.1, 0.9),
    ):
        table.value = np.ones((5, 2), np.float16)
        C.Trainer(None, loss, learner).train_minibatch(data)
        moved = table.value[:, 0] != 1
        assert moved.tolist() == [True, False, True, False, False]
    universal = C.universal(
        lambda ps, gs: C.combine([C.assign(p, p - g) for p, g in zip(ps, gs, strict=True)]), [table]
    )
    table.value = np.ones((5, 2), np.float16)
    C.Trainer(None, loss, universal).train_minibatch(data)
    assert table.value[:, 0].tolist() == [0, 1, -1, 1, 1]


def test_copies_stay_where_parameters_are_looked_up_anew():
    w = C.parameter((1,), init=1, dtype=np.float16)
    learner = C.momentum_sgd([w], 1e-5, 0.9)
    for _ in range(200):
        learner.update({w: np.array([1.0], np.float16)}, 1)
        learner.rebind()
    assert np.allclose(w.value, 0.998, atol=5e-4)
