"""What all learners promise, asked of each row of `learner_rows`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import cntk as C
from cntk import learners as L
from cntk._runtime.random.seeds import reset_random_seed
from tests.learners.learner_rows import CASES, OWN, LearnerCase, arguments

SHAPES = ((3, 4), (5,), (), (2, 3, 2))
MINIBATCH = 4
STEPS = 6
RATE = L.learning_parameter_schedule(0.1)

# Public callables of `cntk.learners` that make no learner of their own.
NO_LEARNERS = {
    "Learner",
    "UnitType",
    "default_unit_gain_value",
    "learning_parameter_schedule",
    "learning_parameter_schedule_per_sample",
    "learning_rate_schedule",
    "momentum_as_time_constant_schedule",
    "momentum_schedule",
    "momentum_schedule_per_sample",
    "set_default_unit_gain_value",
    "training_parameter_schedule",
}

# Arguments that change no rule: `test_schedules_take_effect_at_their_sample` has the last one.
OF_NO_RULE = {"parameters", "lr", "lr_schedule", "as_numpy", "update_func", "epoch_size"}

Values = list[np.ndarray]


def named(cases: Any) -> Any:
    return pytest.mark.parametrize("case", [pytest.param(case, id=case.title) for case in cases])


def named_by_dtype(cases: Any) -> Any:
    """Rows of a learner's own in both dtypes, those of what all learners share in float32."""
    pairs = [(c, t) for c in cases for t in (np.float32, np.float64) if c in OWN or t is np.float32]
    ids = [f"{case.title}, {dtype.__name__}" for case, dtype in pairs]
    return pytest.mark.parametrize(("case", "dtype"), pairs, ids=ids)


def parameters(dtype: Any = np.float64, shapes: Any = SHAPES) -> list[C.Parameter]:
    random = np.random.default_rng(5)
    return [C.parameter(init=random.uniform(-1, 1, s).astype(dtype), dtype=dtype) for s in shapes]


def gradients(step: int, shapes: Any = SHAPES) -> Values:
    """Gradients of changing sign and size, summed over a minibatch."""
    random = np.random.default_rng(60 + step)
    return [random.normal(size=s) * MINIBATCH * 10.0 ** random.uniform(-1, 0.5) for s in shapes]


def values(of: Any) -> Values:
    return [parameter.value.copy() for parameter in of]


def made(case: LearnerCase, given: list[C.Parameter], rate: Any = RATE) -> Any:
    """The row's learner; what it draws is the same each time."""
    reset_random_seed(3)
    return case(given, rate)


def train(learner: Any, steps: Any, samples: int = MINIBATCH, swept: bool = False) -> list[bool]:
    """Steps by dense gradients, of a parameter's own dtype and shape."""
    return [
        learner.apply(
            [
                torch.as_tensor(g).to(p.data.dtype)
                for p, g in zip(
                    learner.parameters,
                    gradients(step, [p.shape for p in learner.parameters]),
                    strict=True,
                )
            ],
            samples,
            swept,
        )
        for step in steps
    ]


def same(ours: Any, theirs: Any, tolerance: float = 0) -> None:
    """Arrays of equal shapes and numbers; to the bit unless told otherwise."""
    for one, other in zip(ours, theirs, strict=True):
        assert one.shape == other.shape and one.dtype == other.dtype
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)


def kept(learner: Any) -> Values:
    """All tensors that the rule keeps."""
    return [t.numpy() for tensors in learner.state_dict()["slots"].values() for t in tensors]


# -- every learner has its rows --------------------------------------------------------------------


def test_every_public_learner_has_a_row() -> None:
    public = {
        name
        for name in L.__all__  # which has names of other modules too, as the original's
        if getattr(getattr(L, name), "__module__", "").startswith("cntk.learners")
    }
    missing = sorted(public - NO_LEARNERS - {case.learner for case in CASES})
    assert not missing, (
        f"{', '.join(missing)}: add a LearnerCase to OWN in tests/learners/learner_rows.py, or to "
        f"NO_LEARNERS in this file what makes no learner"
    )


@pytest.mark.parametrize("learner", sorted({case.learner for case in CASES}))
def test_every_argument_that_changes_the_rule_has_a_row(learner: str) -> None:
    given = {name for case in CASES if case.learner == learner for name in case.options}
    missing = sorted(arguments(learner) - OF_NO_RULE - given)
    assert not missing, (
        f"{learner}: add a LearnerCase with {', '.join(missing)} to OWN in "
        f"tests/learners/learner_rows.py, or to SHARED there what all learners take"
    )


def test_rows_have_names_of_their_own_and_reasons() -> None:
    assert len({case.title for case in CASES}) == len(CASES)
    for case in CASES:
        excused = case.sparse != "dense" or not case.rated or not case.counted
        assert bool(case.why) == excused, case.title


# -- a step ----------------------------------------------------------------------------------------


@named_by_dtype(CASES)
def test_a_step_moves_all_and_keeps_shapes_and_gradients(case: LearnerCase, dtype: Any) -> None:
    given = parameters(dtype)
    before, learner = values(given), made(case, given)
    told = [torch.as_tensor(g).to(p.data.dtype) for p, g in zip(given, gradients(0), strict=True)]
    copies = [gradient.clone() for gradient in told]
    assert learner.apply(told, MINIBATCH) is True
    for old, parameter in zip(before, given, strict=True):
        new = parameter.value
        assert new.shape == old.shape and new.dtype == dtype
        assert np.isfinite(new).all() and (new != old).all()
    assert all(map(torch.equal, told, copies))


@named(CASES)
def test_float32_differs_by_rounding_alone(case: LearnerCase) -> None:
    single, double = parameters(np.float32), parameters()
    for given in (single, double):
        train(made(case, given), range(STEPS))
    for one, other in zip(values(single), values(double), strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-4, atol=2e-5)


@named_by_dtype([case for case in CASES if not case.draws])
def test_each_parameter_is_changed_as_if_alone(case: LearnerCase, dtype: Any) -> None:
    together = parameters(dtype)
    train(made(case, together), range(STEPS))
    alone = parameters(dtype)
    for k, parameter in enumerate(alone):
        learner = made(case, [parameter])
        for step in range(STEPS):
            gradient = torch.as_tensor(gradients(step)[k]).to(parameter.data.dtype)
            learner.apply([gradient], MINIBATCH)
    same(values(together), values(alone), 1e-5 if dtype == np.float32 else 1e-12)


@named(CASES)
def test_gradients_lie_in_memory_as_they_like(case: LearnerCase) -> None:
    given, reference = (parameters(shapes=[(3, 4)]) for _ in range(2))
    gradient = torch.arange(12.0, dtype=torch.float64).reshape(4, 3).t()
    before = gradient.clone()
    made(case, given).apply([gradient], 2)
    made(case, reference).apply([gradient.contiguous()], 2)
    same(values(given), values(reference))
    assert torch.equal(gradient, before)


# -- sparse gradients ------------------------------------------------------------------------------


def rows(step: int, which: list[int], size: int) -> torch.Tensor:
    """A gradient of some rows, one of them in two parts."""
    numbers = torch.as_tensor(np.random.default_rng(step).normal(size=(len(which) + 1, 3)))
    places = [*which, which[0]]
    return torch.sparse_coo_tensor([places], numbers, (size, 3), check_invariants=False)


@named([case for case in CASES if case.sparse == "dense"])
def test_gradients_of_rows_do_what_dense_ones_do(case: LearnerCase) -> None:
    dense, sparse = (parameters(shapes=[(6, 3)]) for _ in range(2))
    of_dense, of_sparse = made(case, dense), made(case, sparse)
    for step, which in enumerate(([0, 2], [5], [2, 3, 0], [5, 1])):
        gradient = rows(step, which, 6)
        of_dense.apply([gradient.to_dense()], MINIBATCH)
        of_sparse.apply([gradient], MINIBATCH)
    same(values(sparse), values(dense), 1e-12)


@named([case for case in CASES if case.sparse == "rows" and not case.draws])
def test_rows_without_a_gradient_rest(case: LearnerCase) -> None:
    which = [0, 2, 3]
    given = parameters(shapes=[(6, 3)])
    few = [C.parameter(init=given[0].value[which])]
    learner, of_few = made(case, given), made(case, few)
    absent, before = [1, 4, 5], given[0].value
    for step in range(3):
        learner.apply([rows(step, which, 6)], MINIBATCH)
        of_few.apply([rows(step, [0, 1, 2], 3).to_dense()], MINIBATCH)
    if "l1_regularization_weight" not in case.options:  # which moves all
        np.testing.assert_array_equal(given[0].value[absent], before[absent])
        for tensor in kept(learner):
            assert not tensor[absent].any()
    np.testing.assert_allclose(given[0].value[which], few[0].value, rtol=1e-12)


# -- rates -----------------------------------------------------------------------------------------


@named([case for case in CASES if case.rated])
def test_a_rate_of_zero_changes_nothing(case: LearnerCase) -> None:
    given = parameters()
    learner = made(case, given)
    train(learner, range(2))
    learner.reset_learning_rate(L.learning_parameter_schedule(0.0))
    before, state = values(given), kept(learner)
    went = train(learner, range(2, 5))
    same(values(given), before)
    same(kept(learner), state)
    if case.counted:
        assert went == [False] * 3
        assert learner.total_number_of_samples_seen() == 2 * MINIBATCH


@named([case for case in CASES if not case.rated])
def test_without_a_rate_all_rates_are_alike(case: LearnerCase) -> None:
    ours, theirs = parameters(), parameters()
    train(made(case, ours, L.learning_parameter_schedule(0.0)), range(2))
    train(made(case, theirs), range(2))
    same(values(ours), values(theirs))


@named([case for case in CASES if case.rated and case.counted])
@pytest.mark.parametrize("unit", ["samples", "sweeps"])
def test_schedules_take_effect_at_their_sample(case: LearnerCase, unit: str) -> None:
    """Rates of a list, for two minibatches each, and rates set by hand at the same time."""
    epochs = {"samples": 2 * MINIBATCH, "sweeps": None}[unit]
    rates = [0.1, 0.02] if unit == "samples" else [(2, 0.1), (1, 0.02)]
    ours, theirs = parameters(), parameters()
    scheduled = made(case, ours, L.learning_parameter_schedule(rates, epoch_size=epochs))
    by_hand = made(case, theirs)
    for step in range(4):
        assert scheduled.learning_rate() == (0.1, 0.1, 0.02, 0.02)[step]
        if step == 2:
            by_hand.reset_learning_rate(L.learning_parameter_schedule(0.02))
        for learner in (scheduled, by_hand):
            train(learner, [step], swept=True)
        same(values(ours), values(theirs))


# With the mean gradient a rate per sample is one for the mean, as in the original.
@named(
    [c for c in CASES if c.rated and c.counted and "use_mean_gradient" not in c.options],
)
def test_a_rate_per_sample_is_one_per_minibatch_of_one(case: LearnerCase) -> None:
    shown = {
        "per sample": L.learning_parameter_schedule_per_sample(0.02),
        "of 1": L.learning_parameter_schedule(0.02, minibatch_size=1),
        "of 10": L.learning_parameter_schedule(0.2, minibatch_size=10),
    }
    moved = {}
    for name, rate in shown.items():
        given = parameters()
        train(made(case, given, rate), range(3))
        moved[name] = values(given)
    same(moved["per sample"], moved["of 1"])
    same(moved["per sample"], moved["of 10"], 1e-12)


# -- what is kept ----------------------------------------------------------------------------------


@named_by_dtype(CASES)
def test_a_checkpoint_goes_on_to_the_bit(case: LearnerCase, dtype: Any) -> None:
    rates = L.learning_parameter_schedule([0.1, 0.02], epoch_size=4 * MINIBATCH)
    whole, first, second = (parameters(dtype) for _ in range(3))
    uninterrupted = made(case, whole, rates)
    train(uninterrupted, range(STEPS), swept=True)
    learner = made(case, first, rates)
    train(learner, range(3), swept=True)
    checkpoint = learner.create_checkpoint()
    train(learner, [9])  # which the checkpoint does not see
    restored = case(second, L.learning_parameter_schedule(0.5))
    restored.restore_from_checkpoint(checkpoint)
    fresh = parameters(dtype)
    train(made(case, fresh, rates), range(3), swept=True)
    for parameter, value in zip(second, values(fresh), strict=True):
        parameter.value = value
    train(restored, range(3, STEPS), swept=True)
    same(values(second), values(whole))
    same(kept(restored), kept(uninterrupted))
    for count in ("samples", "minibatches", "sweeps"):
        asked = f"total_number_of_{count}_seen"
        assert getattr(restored, asked)() == getattr(uninterrupted, asked)()
    assert restored.learning_rate() == uninterrupted.learning_rate()


@named([case for case in CASES if not case.draws])
def test_what_is_kept_has_the_parameters_shapes_and_can_be_forgotten(case: LearnerCase) -> None:
    given = parameters()
    learner = made(case, given)
    train(learner, range(3))
    for tensors in learner.state_dict()["slots"].values():
        assert [tuple(t.shape) for t in tensors] == list(SHAPES)
        assert all(bool(t.any()) and t.dtype == torch.float64 for t in tensors)
    learner.reset_smoothed_gradients()
    for tensors in learner.state_dict()["slots"].values():
        assert [tuple(t.shape) for t in tensors] == list(SHAPES)
        assert not any(bool(t.any()) for t in tensors)
    anew = parameters()
    for parameter, value in zip(anew, values(given), strict=True):
        parameter.value = value
    train(learner, range(3))
    train(made(case, anew), range(3))
    same(values(given), values(anew))


# -- training --------------------------------------------------------------------------------------


def trained(case: LearnerCase, given: str, steps: int) -> tuple[Values, int]:
    """All parameters after some minibatches of words, and the losses on the way; and how many steps
    were recorded.
    """
    x = C.input_variable(6, is_sparse=given == "sparse")
    random = np.random.default_rng(2)
    W, V = (C.parameter(init=random.normal(size=s).astype("f")) for s in ((6, 3), (3, 2)))
    b = C.parameter(init=np.float32([0.1, -0.2, 0.3]))
    model = C.times(C.tanh(C.times(x, W) + b), V)
    loss = C.reduce_sum(C.square(model - 1))
    learner = made(case, [W, V, b], L.learning_parameter_schedule(0.05))
    trainer = C.Trainer(model, (loss, None), [learner])
    losses = []
    for step in range(steps):
        words = [step % 6, 2, 2, (step + 3) % 6]
        data = C.Value.one_hot(words, 6) if given == "sparse" else np.eye(6, dtype="f")[words]
        trainer.train_minibatch({x: data})
        losses.append(trainer.previous_minibatch_loss_average)
    recorded = sum(r is not None for _, r in trainer._step._recordings.values())
    return [*values((W, V, b)), np.array(losses)], recorded


@named(CASES)
def test_recorded_steps_come_to_what_eager_ones_do(
    case: LearnerCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    def course(after: int) -> tuple[Values, int]:
        monkeypatch.setattr("cntk._execution.training_step.RECORD_AFTER", after)
        return trained(case, "dense", 5)

    (recorded, one), (eager, none) = course(2), course(1000)
    assert (one, none) == (1, 0)
    same(recorded, eager, 1e-5)


@named([case for case in OWN if case.sparse == "dense"])
def test_training_on_sparse_data_comes_to_what_dense_data_do(case: LearnerCase) -> None:
    same(trained(case, "sparse", 3)[0], trained(case, "dense", 3)[0], 1e-5)
