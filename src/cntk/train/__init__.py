"""Training: the trainer, and training of functions."""

from cntk.train.trainer import Trainer

__all__ = ["Trainer"]
