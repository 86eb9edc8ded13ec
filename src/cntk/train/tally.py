"""A metric summed up over minibatches."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from cntk._execution.training_step import StepResult

__all__ = ["Tally"]


@dataclass
class Tally:
    """Running sum of a metric; it stays on the device until it is read.

    Attributes:
        samples: number of samples.
        minibatches: number of minibatches.
    """

    samples: int = 0
    minibatches: int = 0
    _total: Tensor | float = 0.0

    def add(self, result: StepResult) -> None:
        """Add a minibatch."""
        self._total = self._total + result.loss
        self.samples += result.samples
        self.minibatches += 1

    def average(self) -> float:
        """Return the sum divided by the number of samples; 0 without samples."""
        return float(self._total) / self.samples if self.samples else 0.0
