"""Every learner, step by step, against what the original did; and what learners promise besides."""

from __future__ import annotations

import os

import numpy as np
import pytest
import torch

import cntk as C
import cntk.learners as L
from cntk._runtime.random.seeds import reset_random_seed
from cntk.core import NDArrayView
from cntk.variables import Constant, Parameter
from tests.learners.learner_cases import NOISE_SEED, SHAPES, cases, initial_values, run

GOLDEN = dict(np.load(os.path.join(os.path.dirname(__file__), "golden_learners.npz")))
CASES = cases(L)


def parameters(dtype=np.float64):
    return [
        Parameter(s, init=v.astype(dtype), dtype=dtype)
        for s, v in zip(SHAPES, initial_values(), strict=True)
    ]


@pytest.mark.parametrize(
    "number", range(len(GOLDEN["names"])), ids=[str(name) for name in GOLDEN["names"]]
)
def test_golden(number):
    make = CASES[str(GOLDEN["names"][number])]
    given = parameters()
    reset_random_seed(NOISE_SEED)
    values, rates, updated = run(make(given), given)
    np.testing.assert_array_equal(updated, GOLDEN["updated"][number])
    np.testing.assert_allclose(rates, GOLDEN["rates"][number], rtol=1e-12)
    np.testing.assert_allclose(values, GOLDEN["values"][number], rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(
    "number", range(len(GOLDEN["single_names"])), ids=[str(n) for n in GOLDEN["single_names"]]
)
def test_golden_in_single_precision(number):
    make = CASES[str(GOLDEN["single_names"][number])]
    given = parameters(np.float32)
    reset_random_seed(NOISE_SEED)
    values, _, _ = run(make(given), given)
    np.testing.assert_allclose(values, GOLDEN["single_values"][number], rtol=3e-6, atol=1e-6)


@pytest.mark.parametrize(
    "kind", ["sgd", "momentum_sgd", "nesterov", "adam", "fsadagrad", "adagrad", "rmsprop"]
)
def test_mixed_precision_takes_the_general_way(kind):
    make = CASES[f"{kind}/M5"]
    mixed = [parameters()[0], parameters(np.float32)[1]]
    double = parameters()
    np.testing.assert_allclose(
        run(make(mixed), mixed)[0], run(make(double), double)[0], rtol=2e-4, atol=1e-5
    )


def rows(values, *which, size=5):
    numbers = torch.tensor(values, dtype=torch.float64)
    return torch.sparse_coo_tensor([which], numbers, (size, 2), check_invariants=False)


def test_momentum_of_rows_that_are_absent_rests():
    """As in the original: the third touch moves a row by (1 + 0.9 + 0.81) of the first, whatever
    came between.
    """
    parameter = Parameter((3, 2), init=0, dtype=np.float64)
    learner = L.momentum_sgd(
        [parameter], L.learning_parameter_schedule_per_sample(0.1), 0.9, unit_gain=False
    )
    moves = []
    for which in (0, 1, 0, 2, 0):
        before = parameter.value
        learner.apply([rows([[1.0, 1]], which, size=3)], 1)
        moves.append((before - parameter.value)[:, 0])
    np.testing.assert_allclose([m[0] for m in moves], [0.1, 0, 0.19, 0, 0.271])


# What the original comes to: minibatches of other sizes, and rates that change, move what rows have
# gathered as well.
OF_ROWS = {
    "plain": ("0.1", "0.5", {}, [0.35164, 0.465, 0.35112, 0.41375]),
    "of a size": ("0.1 of 2", "0.5", {}, [0.35872, 0.43875, 0.32066, 0.43875]),
    "momentum of a size": ("0.1", "0.5 of 2", {}, [0.3459, 0.45647, 0.34782, 0.40003]),
    "without unit gain": ("0.1", "0.5", {"unit_gain": False}, [0.22624, 0.43083, 0.2242, 0.33]),
    "rising": ("rising", "0.5", {}, [0.0032, 0.24, -0.1713, 0.17]),
    "clipped": (
        "0.1",
        "0.5",
        {"gradient_clipping_threshold_per_sample": 0.2},
        [0.42875, 0.47625, 0.43375, 0.46],
    ),
    "shrunk": (
        "0.1",
        "0.5",
        {"l1_regularization_weight": 0.1},
        [0.29675, 0.40575, 0.29786, 0.35993],
    ),
}
OF_ROWS_SCHEDULES = {
    "0.1": L.learning_parameter_schedule(0.1),
    "0.1 of 2": L.learning_parameter_schedule(0.1, minibatch_size=2),
    "rising": L.learning_parameter_schedule_per_sample([0.1, 0.3], epoch_size=4),
    "0.5": L.momentum_schedule(0.5),
    "0.5 of 2": L.momentum_schedule(0.5, minibatch_size=2),
}


@pytest.mark.parametrize("name", OF_ROWS)
def test_momentum_of_rows_is_gathered_before_the_rate(name):
    rate, momentum, options, expected = OF_ROWS[name]
    parameter = Parameter((4, 2), init=0.5)
    learner = L.momentum_sgd(
        [parameter], OF_ROWS_SCHEDULES[rate], OF_ROWS_SCHEDULES[momentum], **options
    )
    x = C.input_variable(4, is_sparse=True)
    y = C.times(x, parameter)
    trainer = C.Trainer(y, (C.reduce_sum(y * y), None), [learner])
    for words in ([0, 1, 2], [0], [2, 2], [0, 1, 2, 3], [3], [0, 2]):
        trainer.train_minibatch({x: C.Value.one_hot(words, 4)})
    np.testing.assert_allclose(parameter.value, np.transpose([expected, expected]), atol=6e-6)


def test_averaged_adagrad_averages_over_the_rows_present():
    parameter = Parameter((5, 2), init=0, dtype=np.float64)
    learner = L.adagrad([parameter], 0.1)
    learner.apply([rows([[1.0, 1], [1, 1]], 0, 1)], 2)
    np.testing.assert_allclose(parameter.value[:, 0], [-0.05, -0.05, 0, 0, 0])
    before = parameter.value
    learner.apply([rows([[1.0, 1], [1, 1]], 1, 2)], 2)
    scale = 0.05 / np.mean([1 / np.sqrt(2), 1])
    np.testing.assert_allclose(
        (parameter.value - before)[:, 0], [0, -scale / np.sqrt(2), -scale, 0, 0]
    )


def test_mixed_sparse_and_dense():
    for kind in ("sgd", "momentum_sgd", "adagrad"):
        sparse, dense = (
            Parameter((5, 2), init=0, dtype=np.float64),
            Parameter((2,), init=0, dtype=np.float64),
        )
        learner = CASES[f"{kind}/"]([sparse, dense])
        learner.apply([rows([[1.0, 1]], 3), torch.ones(2, dtype=torch.float64)], 1)
        assert (
            (sparse.value[3] < 0).all() and not sparse.value[:3].any() and (dense.value < 0).all()
        )


@pytest.mark.parametrize(
    "kind", ["sgd", "momentum_sgd", "adam", "adagrad", "fsadagrad", "rmsprop", "adadelta"]
)
def test_restored_learners_go_on_alike(kind):
    make = CASES[f"{kind}/all"]
    first, second = parameters(), parameters()
    learner, restored = make(first), make(second)
    run(learner, first)
    restored.restore_from_checkpoint(learner.create_checkpoint())
    for a, b in zip(first, second, strict=True):
        b.value = a.value
    assert restored.total_number_of_samples_seen() == learner.total_number_of_samples_seen() == 35
    assert restored.learning_rate() == learner.learning_rate()
    np.testing.assert_array_equal(run(learner, first)[0], run(restored, second)[0])


def test_a_checkpoint_is_a_copy():
    given = parameters()
    learner = CASES["momentum_sgd/"](given)
    run(learner, given)
    state = learner.state_dict()
    kept = state["slots"]["velocity"][0].clone()
    run(learner, given)
    assert torch.equal(state["slots"]["velocity"][0], kept)
    assert {
        "kind",
        "samples",
        "minibatches",
        "sweeps",
        "noise_seed",
        "smoothed_count",
        "learning_rate",
    } < set(state)


def test_states_of_other_learners_are_refused():
    given = parameters()
    adam, sgd = CASES["adam/"](given), CASES["momentum_sgd/"](given)
    with pytest.raises(RuntimeError, match="holds no variance"):
        adam.load_state_dict(sgd.state_dict())
    other = [
        Parameter((3, 4), init=1, dtype=np.float64),
        Parameter((6,), init=1, dtype=np.float64, name="bias"),
    ]
    with pytest.raises(RuntimeError, match=r"for parameter 'bias' has shape \[5\], expected \[6\]"):
        CASES["momentum_sgd/"](other).load_state_dict(sgd.state_dict())


def test_rate_and_counts():
    given = parameters(np.float32)
    zero = {p: np.zeros(p.shape, np.float32) for p in given}
    learner = L.sgd(given, [0.1, 0.2, 0.3], epoch_size=5)
    assert [(learner.learning_rate(), learner.update(zero, 3))[0] for _ in range(5)] == [
        0.1,
        0.1,
        0.2,
        0.2,
        0.3,
    ]
    learner.reset_learning_rate(L.learning_parameter_schedule([0.7, 0.8], 1, 4))
    assert (learner.learning_rate(), learner.total_number_of_samples_seen()) == (0.7, 15)
    learner.update(zero, 4, is_sweep_end=True)
    assert (learner.learning_rate(), learner.total_number_of_sweeps_seen()) == (0.8, 1)
    assert learner.total_number_of_minibatches_seen() == 6


def test_a_rate_of_zero_stops_all():
    given = parameters()
    learner = L.momentum_sgd(given, L.learning_parameter_schedule([0.1, 0.0, 0.1], 1, 4), 0.9)
    gradient = {p: np.ones(p.shape) for p in given}
    assert [learner.update(gradient, 4) for _ in range(4)] == [True, False, False, False]
    assert learner.total_number_of_samples_seen() == 4


def test_reference_sizes():
    given = parameters()
    learner = L.sgd(given, 0.1, minibatch_size=5)
    assert (learner.minibatch_size, learner.is_compatible_mode()) == (5, False)
    learner.reset_learning_rate(L.learning_parameter_schedule(0.2))
    assert learner._learning_rate_schedule.minibatch_size == 5
    learner.minibatch_size = L.IGNORE
    assert learner.is_compatible_mode()
    old = L.sgd(given, L.learning_rate_schedule(0.1, L.UnitType.sample), use_mean_gradient=True)
    assert old.is_compatible_mode() and old._learning_rate_schedule.minibatch_size == L.IGNORE


@pytest.mark.parametrize(
    ("first", "options", "moved"),
    [
        (None, {}, 1 / 3),
        (1, {}, 1),
        (4, {}, 1 / 4),
        (None, {"minibatch_size": 6}, 1 / 6),
        (4, {"minibatch_size": 6}, 1 / 4),
        (1, {"use_mean_gradient": True}, 1 / 3),
    ],
)
@pytest.mark.parametrize("second", [None, L.IGNORE, 1, 4])
def test_a_rate_set_anew_is_for_minibatches_of_the_same_size(first, options, moved, second):
    """As in the original, whatever size the new schedule states."""
    parameter = Parameter((2,), init=0, dtype=np.float64)
    learner = L.sgd(
        [parameter], L.learning_parameter_schedule(0.5, minibatch_size=first), **options
    )
    learner.reset_learning_rate(L.learning_parameter_schedule(1, minibatch_size=second))
    learner.update({parameter: np.array([1.0, 2.0])}, 3)
    np.testing.assert_allclose(parameter.value, [-moved, -2 * moved], rtol=1e-12)


def test_a_learner_leaves_a_schedule_as_it_is():
    schedule = L.learning_parameter_schedule(0.1)
    L.sgd(parameters(), schedule, minibatch_size=5)
    assert schedule.minibatch_size == 0


class Writer:
    def __init__(self):
        self.seen = []

    def write(self, key, value):
        self.seen.append((key, value))


def test_writers_hear_of_new_rates():
    given = parameters()
    zero = {p: np.zeros(p.shape) for p in given}
    writer = Writer()
    learner = L.momentum_sgd(
        given,
        L.learning_parameter_schedule([0.3, 0.2, 0.0], 7, 4),
        L.momentum_schedule([0.6, 0.6, 0.8], epoch_size=4),
    )
    learner.add_progress_writers([writer])
    for _ in range(4):
        learner.update(zero, 4)
    rate, momentum = "Learning rate per 7 samples", "Momentum per minibatch"
    assert writer.seen == [(rate, 0.3), (momentum, 0.6), (rate, 0.2), (rate, 0.0)]


def test_update_takes_what_can_be_an_array():
    parameter = Parameter((2,), init=0, dtype=np.float32)
    learner = L.sgd([parameter], L.learning_parameter_schedule_per_sample(1.0))
    for gradient in (
        np.ones(2),
        np.ones((1, 2), np.float32),
        torch.ones(2),
        [1, 1],
        NDArrayView.of(torch.ones(2)),
    ):
        assert learner.update({parameter: gradient}, 1)
    np.testing.assert_array_equal(parameter.value, [-5, -5])


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda p, q: L.sgd([], 0.1), ValueError, "sgd: the list of parameters is empty"),
        (lambda p, q: L.sgd(p, 0.1), TypeError, "sgd: expected a list of parameters"),
        (lambda p, q: L.sgd(None, 0.1), TypeError, "sgd: expected a list of parameters"),
        (lambda p, q: L.sgd([p, p], 0.1), ValueError, "is in the list twice"),
        (lambda p, q: L.sgd([1], 0.1), TypeError, "expected parameters, got 1"),
        (lambda p, q: L.sgd([Constant(1)], 0.1), TypeError, "constants and inputs are not learned"),
        (
            lambda p, q: L.sgd([Parameter((-1, 2), init=1, name="W")], 0.1),
            ValueError,
            r"'W' has shape \[\? x 2\]",
        ),
        (lambda p, q: L.sgd([p], "fast"), ValueError, "sgd: lr: expected a number, .* got 'fast'"),
        (lambda p, q: L.sgd([p], None), ValueError, "sgd: lr: .* got None"),
        (lambda p, q: L.sgd([p], (0.1, 0.2)), ValueError, "sgd: lr: expected"),
        (
            lambda p, q: L.sgd([p], 0.1, minibatch_size=-1),
            ValueError,
            "sgd: minibatch_size: .* got -1",
        ),
        (
            lambda p, q: L.sgd([p], 0.1, l1_regularization_weight="a"),
            ValueError,
            "sgd: l1_regularization_weight: expected a number",
        ),
        (
            lambda p, q: L.sgd([p], 0.1, gradient_clipping_threshold_per_sample=None),
            ValueError,
            "clipping_threshold",
        ),
        (
            lambda p, q: L.momentum_sgd([p], 0.1, None),
            ValueError,
            "momentum_sgd: momentum: .* got None",
        ),
        (
            lambda p, q: L.momentum_sgd([p], 0.1, 0.9, unit_gain="x"),
            TypeError,
            "unit_gain: expected True or False",
        ),
        (lambda p, q: L.adam([p], 0.1, 0.9, epsilon=-1), ValueError, "epsilon: must be at least 0"),
        (
            lambda p, q: L.rmsprop([p], 0.1, 1.5, 1.2, 0.5, 10, 0.1),
            ValueError,
            "rmsprop: expected gamma between",
        ),
        (
            lambda p, q: L.rmsprop([p], 0.1, 0.9, 1.2, 0.5, 0.1, 10),
            ValueError,
            "rmsprop: expected max above",
        ),
        (
            lambda p, q: L.sgd([p], 0.1).reset_learning_rate(0.1),
            ValueError,
            "expected a schedule, got 0.1",
        ),
        (lambda p, q: L.sgd([p], 0.1).update({}, 1), ValueError, "no gradient for parameter 'p'"),
        (
            lambda p, q: L.sgd([p], 0.1).update({q: np.ones(3)}, 1),
            ValueError,
            "no gradient for parameter 'p'",
        ),
        (
            lambda p, q: L.sgd([p], 0.1).update({p: np.ones(3)}, 1),
            ValueError,
            r"has shape \[3\], expected \[2\]",
        ),
        (lambda p, q: L.sgd([p], 0.1).update({p: np.ones(2)}, 0), ValueError, "at least 1 sample"),
        (lambda p, q: L.set_default_unit_gain_value(3), TypeError, "expected True or False"),
        (
            lambda p, q: L.universal(3, [p]),
            TypeError,
            "expected a function of parameters and gradients",
        ),
        (lambda p, q: L.universal(lambda a: a, [p]), ValueError, "must take two arguments"),
        (lambda p, q: L.universal(lambda a, b: 3, [p]), TypeError, "must return a function"),
    ],
)
def test_refused(call, error, message):
    p, q = Parameter((2,), init=0, name="p"), Parameter((3,), init=0, name="q")
    with pytest.raises(error, match=message):
        call(p, q)


def test_default_unit_gain():
    assert L.default_unit_gain_value()
    L.set_default_unit_gain_value(False)
    try:
        assert not L.default_unit_gain_value()
        assert L.momentum_sgd(
            parameters(), 0.1, 0.9
        ).unit_gain  # as in the original, learners do not ask it
    finally:
        L.set_default_unit_gain_value(True)


def test_user_learner():
    class Plain(L.UserLearner):
        def update(self, gradient_values, training_sample_count, sweep_end):
            self.given = training_sample_count, sweep_end
            for parameter, gradient in gradient_values.items():
                step = self.learning_rate() / training_sample_count
                parameter.value = parameter.value - step * gradient.asarray()
            return True

    given, reference = parameters(np.float32), parameters(np.float32)
    learner = Plain(given, L.learning_parameter_schedule([0.1, 0.2], 1, 4))
    built_in = L.sgd(reference, 0.1)
    gradients = [torch.full(p.shape, 2.0) for p in given]
    assert learner.apply(gradients, 4, True) and built_in.apply(gradients, 4, True)
    assert learner.given == (4, True)
    for a, b in zip(given, reference, strict=True):
        np.testing.assert_allclose(a.value, b.value, rtol=1e-6)
    # The original counts none.
    assert learner.total_number_of_samples_seen() == 0 and learner.learning_rate() == 0.1
    with pytest.raises(NotImplementedError, match=r"must define update\(\)"):
        L.UserLearner(given, 0.1).apply(gradients, 4)


def test_rmsprop_without_a_limit_of_steps_stays_finite() -> None:
    """A gradient that keeps its sign for good makes steps grow without end."""
    w = Parameter(2, init=1)
    learner = L.rmsprop([w], 1e-3, gamma=0.1, inc=3.0, dec=0.1, max=np.inf, min=1e-8)
    for _ in range(100):
        learner.update({w: np.array([1e-3, 1.0], np.float32)}, 1)
    assert np.isfinite(w.value).all()
    assert learner.state_dict()["slots"]["step"][0].max() <= 1e30
