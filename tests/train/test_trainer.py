"""What trainers and evaluators tell of minibatches, and what they refuse to tell or to take."""

from __future__ import annotations

import numpy as np
import pytest

import cntk as C
from cntk.train import DataUnit

X, Y = np.array([[1, 2], [3, 1], [0, 1]], np.float32), np.array([[1], [0], [2]], np.float32)


def made(metric=True):
    x, y = C.input_variable(2), C.input_variable(1)
    z = C.layers.Dense(1, init=0.5)(x)
    loss, error = C.squared_error(z, y), C.abs(z - y)
    learner = C.sgd(z.parameters, C.learning_parameter_schedule(0.05))
    return C.Trainer(z, (loss, error if metric else None), [learner]), {x: X, y: Y}, error


def new(metric):
    return made(metric)[0]


def tried(metric):
    trainer, data, _ = made(True)
    trainer.test_minibatch(data)
    return trainer


def given_nothing(metric):
    trainer = new(metric)
    assert trainer.train_minibatch({}) is False
    return trainer


@pytest.mark.parametrize("state", [new, tried, given_nothing])
def test_no_averages_before_the_first_minibatch(state):
    trainer = state(True)
    for name in ("previous_minibatch_loss_average", "previous_minibatch_evaluation_average"):
        with pytest.raises(RuntimeError, match="no minibatch has been trained on yet"):
            getattr(trainer, name)
    assert trainer.previous_minibatch_sample_count == trainer.total_number_of_samples_seen == 0


def test_no_averages_after_restoring(tmp_path):
    trainer, data, _ = made()
    trainer.train_minibatch(data)
    trainer.save_checkpoint(tmp_path / "c")
    other = new(True)
    other.restore_from_checkpoint(tmp_path / "c")
    with pytest.raises(RuntimeError, match="call train_minibatch first"):
        _ = other.previous_minibatch_loss_average
    assert [other.total_number_of_units_seen(unit) for unit in DataUnit] == [0, 3, 1]


@pytest.mark.parametrize("trained", [False, True])
def test_no_average_of_a_metric_that_is_not_there(trained):
    trainer, data, _ = made(metric=False)
    if trained:
        trainer.train_minibatch(data)
        assert trainer.previous_minibatch_loss_average == pytest.approx(6.5 / 3)
    with pytest.raises(ValueError, match="this trainer has no metric"):
        _ = trainer.previous_minibatch_evaluation_average
    with pytest.raises(ValueError, match="this trainer has no metric"):
        trainer.test_minibatch(data)


def test_units_seen():
    trainer, data, _ = made()
    assert [int(unit) for unit in (DataUnit.sweep, DataUnit.sample, DataUnit.minibatch)] == [
        0,
        1,
        2,
    ]
    assert [trainer.total_number_of_units_seen(unit) for unit in DataUnit] == [0, 0, 0]
    trainer.train_minibatch(data)
    trainer.train_minibatch(data, is_sweep_end=True)
    counts = {unit.name: trainer.total_number_of_units_seen(unit) for unit in DataUnit}
    assert counts == {"sweep": 1, "sample": 6, "minibatch": 2}
    assert trainer.total_number_of_units_seen(1) == 6
    for error in (ValueError, NotImplementedError):
        with pytest.raises(error, match="expected a DataUnit"):
            trainer.total_number_of_units_seen("rows")


def test_what_evaluators_refuse():
    _, _, error = made()
    with pytest.raises(ValueError, match="expected a metric, got None"):
        C.Evaluator(None)
    with pytest.raises(TypeError, match="expected a metric, got str"):
        C.Evaluator("error")
    for kind in (ValueError, NotImplementedError):
        with pytest.raises(kind, match="expected progress writers"):
            C.Evaluator(error, ["printer"])


def test_minibatches_without_samples():
    trainer, data, _ = made()
    none = {variable: values[:0] for variable, values in data.items()}
    before = [p.value for p in trainer.model.parameters]
    with pytest.raises(RuntimeError, match="at least 1 sample"):
        trainer.train_minibatch(none)
    with pytest.raises(RuntimeError, match="no samples"):
        trainer.test_minibatch(none)
    for parameter, value in zip(trainer.model.parameters, before, strict=True):
        np.testing.assert_array_equal(parameter.value, value)
    assert trainer.total_number_of_samples_seen == 0
