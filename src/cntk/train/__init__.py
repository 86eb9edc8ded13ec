"""Training: the trainer, and training of functions."""

from cntk.learners.schedules import minibatch_size_schedule
from cntk.train.trainer import Trainer

__all__ = ["Trainer", "minibatch_size_schedule"]
