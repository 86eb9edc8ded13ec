"""Training: the trainer, training sessions, and training of functions."""

from cntk.learners.schedules import minibatch_size_schedule
from cntk.train.session_config import CheckpointConfig, CrossValidationConfig, DataUnit, TestConfig
from cntk.train.trainer import Trainer
from cntk.train.training_session import TrainingSession, training_session

__all__ = [
    "CheckpointConfig",
    "CrossValidationConfig",
    "DataUnit",
    "TestConfig",
    "Trainer",
    "TrainingSession",
    "minibatch_size_schedule",
    "training_session",
]
