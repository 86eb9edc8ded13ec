"""Learners, which change parameters by their gradients, and the schedules of their rates."""

from __future__ import annotations

from cntk._graph.names.late_names import hand_on
from cntk.learners.adadelta import adadelta
from cntk.learners.adagrad import adagrad
from cntk.learners.adam import adam
from cntk.learners.base import Learner
from cntk.learners.fsadagrad import fsadagrad
from cntk.learners.options import default_unit_gain_value, set_default_unit_gain_value
from cntk.learners.rmsprop import rmsprop
from cntk.learners.schedules import (
    IGNORE,
    UnitType,
    learning_parameter_schedule,
    learning_parameter_schedule_per_sample,
    learning_rate_schedule,
    momentum_as_time_constant_schedule,
    momentum_schedule,
    momentum_schedule_per_sample,
    training_parameter_schedule,
)
from cntk.learners.sgd import momentum_sgd, nesterov, sgd
from cntk.learners.user import UserLearner, universal

__all__ = [
    "IGNORE",
    "Learner",
    "UnitType",
    "UserLearner",
    "adadelta",
    "adagrad",
    "adam",
    "default_unit_gain_value",
    "fsadagrad",
    "learning_parameter_schedule",
    "learning_parameter_schedule_per_sample",
    "learning_rate_schedule",
    "momentum_as_time_constant_schedule",
    "momentum_schedule",
    "momentum_schedule_per_sample",
    "momentum_sgd",
    "nesterov",
    "rmsprop",
    "set_default_unit_gain_value",
    "sgd",
    "training_parameter_schedule",
    "universal",
]

hand_on(globals())
