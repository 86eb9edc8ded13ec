"""What a trainer and its learners say of the course of training, with what the original CNTK 2.7
gives.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import cntk as C
from cntk.cntk_py import Dictionary


def small(learner: Any = None, metric: bool = False) -> tuple[C.Trainer, dict[Any, np.ndarray]]:
    x, y = C.input_variable(2), C.input_variable(1)
    z = C.layers.Dense(1, init=0.3)(x)
    loss = C.squared_error(z, y)
    make = learner or (lambda p: C.sgd(p, 0.1))
    trainer = C.Trainer(z, (loss, loss if metric else None), make(z.parameters))
    return trainer, {x: np.ones((3, 2), np.float32), y: np.ones((3, 1), np.float32)}


def units(trainer: C.Trainer) -> list[int]:
    return [
        trainer.total_number_of_units_seen(u)
        for u in (C.DataUnit.sample, C.DataUnit.minibatch, C.DataUnit.sweep)
    ]


def test_units_are_counted_and_go_on_from_a_checkpoint(tmp_path):
    trainer, data = small()
    assert units(trainer) == [0, 0, 0]
    for _ in range(3):
        trainer.train_minibatch(data)
    assert units(trainer) == [9, 3, 0]
    trainer.train_minibatch(data, is_sweep_end=True)
    trainer.train_minibatch({}, is_sweep_end=True)
    assert units(trainer) == [12, 4, 1]
    trainer.save_checkpoint(str(tmp_path / "c"))
    other, data = small()
    other.restore_from_checkpoint(str(tmp_path / "c"))
    assert units(other) == [12, 4, 1]
    other.train_minibatch(data)
    assert units(other) == [15, 5, 1]


@pytest.mark.parametrize("unit", ["a", None])
def test_what_is_no_unit(unit):
    with pytest.raises(NotImplementedError, match="expected a DataUnit"):
        small()[0].total_number_of_units_seen(unit)


def test_averages_that_are_not_there():
    trainer, data = small()
    with pytest.raises(RuntimeError, match="no minibatch has been trained on"):
        _ = trainer.previous_minibatch_loss_average
    trainer.train_minibatch(data)
    with pytest.raises(ValueError, match="this trainer has no metric"):
        _ = trainer.previous_minibatch_evaluation_average
    with pytest.raises(RuntimeError, match="at least 1 sample"):
        trainer.train_minibatch({v: values[:0] for v, values in data.items()})
    trainer, data = small(metric=True)
    trainer.train_minibatch(data)
    assert (
        trainer.previous_minibatch_evaluation_average == trainer.previous_minibatch_loss_average > 0
    )


def test_a_criterion_is_taken_apart_as_libraries_do():
    x = C.input_variable(2)
    loss, metric = C.reduce_sum(x), C.reduce_max(x)
    take = C.Trainer._get_loss_metric
    assert take((loss, metric)) == (loss, metric) and take((loss, None)) == (loss, None)
    assert take([loss])[1] is None and take(loss)[1] is None
    assert take(C.combine([loss, metric]))[1].output is metric.output
    with pytest.raises(ValueError, match="3 functions"):
        take((loss, metric, metric))


# For each learner, whether the original's dictionary has a smoothed count.
LEARNERS = {
    "sgd": (lambda p: C.sgd(p, 0.1), False),
    "momentum_sgd": (lambda p: C.momentum_sgd(p, 0.1, 0.9), False),
    "adam": (lambda p: C.adam(p, 0.1, 0.9), True),
}
NAMES = (
    "learnig_rate_schedule master_parameter_updated minibatchCount noise_injection_seed "
    "sample_count smoothed_gradients sweepCount type version"
).split()


@pytest.mark.parametrize("kind", LEARNERS)
def test_a_learner_s_checkpoint_is_a_dictionary_that_can_be_saved(kind, tmp_path):
    make, has_count = LEARNERS[kind]
    trainer, data = small(make)
    for _ in range(3):
        trainer.train_minibatch(data)
    (learner,) = trainer.parameter_learners
    checkpoint = learner.create_checkpoint()
    assert type(checkpoint) is Dictionary
    assert sorted(checkpoint) == sorted([*NAMES, *(["smoothed_count"] if has_count else [])])
    assert (checkpoint["sample_count"], checkpoint["minibatchCount"], checkpoint["type"]) == (
        9,
        3,
        "Learner",
    )
    assert isinstance(checkpoint["smoothed_gradients"], list)
    checkpoint.save(str(tmp_path / "learner"))
    other, more = small(make)
    (restored,) = other.parameter_learners
    restored.restore_from_checkpoint(Dictionary.load(str(tmp_path / "learner")))
    for mine, other_s in zip(trainer.model.parameters, other.model.parameters, strict=True):
        other_s.value = mine.value
    trainer.train_minibatch(data)
    other.train_minibatch(more)
    for mine, other_s in zip(trainer.model.parameters, other.model.parameters, strict=True):
        np.testing.assert_array_equal(mine.value, other_s.value)
    assert restored.total_number_of_samples_seen() == 12


def test_what_is_no_checkpoint_of_a_learner():
    (adam,) = small(LEARNERS["adam"][0])[0].parameter_learners
    (sgd,) = small()[0].parameter_learners
    with pytest.raises(ValueError, match="expected what create_checkpoint returned"):
        sgd.restore_from_checkpoint(None)
    with pytest.raises(
        ValueError, match="a learner.s state has no .type., and a string was expected"
    ):
        sgd.restore_from_checkpoint({})
    with pytest.raises(RuntimeError, match="no smoothed count for adam"):
        adam.restore_from_checkpoint(sgd.create_checkpoint())
    assert adam.total_number_of_samples_seen() == 0


class Adding(C.learners.UserLearner):
    """A learner in Python whose checkpoint adds to the usual one."""

    def __init__(self, parameters: Any) -> None:
        super().__init__(parameters, C.learning_parameter_schedule(0.25))
        self.seen = 0

    def update(self, gradient_values: Any, training_sample_count: int, sweep_end: bool) -> bool:
        self.seen += training_sample_count
        return True

    def create_checkpoint(self) -> Any:
        checkpoint = super().create_checkpoint()
        checkpoint["seen"] = self.seen
        return checkpoint

    def restore_from_checkpoint(self, checkpoint: Any) -> None:
        super().restore_from_checkpoint(checkpoint)
        self.seen = checkpoint["seen"]


def test_a_learner_in_python_may_add_to_its_checkpoint(tmp_path):
    trainer, data = small(Adding)
    trainer.train_minibatch(data)
    trainer.save_checkpoint(str(tmp_path / "c"))
    other, _ = small(Adding)
    other.restore_from_checkpoint(str(tmp_path / "c"))
    assert other.parameter_learners[0].seen == 3
