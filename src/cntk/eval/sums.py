"""Sums over minibatches that a trainer or an evaluator keeps, and hands to its progress writers."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

_FOLD_AFTER = 64


class RunningSum:
    """A sum of numbers that may lie on a device: they are collected, and added up some at a time.

    Attributes:
        last: the number that was added last; None at first.

    Example:
        >>> total = RunningSum()
        >>> total.add(1.5)
        >>> total.add(torch.tensor(2.0))
        >>> total.read()
        3.5
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin again at 0."""
        self.last: Any = None
        self._total: Any = 0.0
        self._collected: list[Any] = []

    def add(self, value: Tensor | float | None) -> None:
        """Add a number, or a tensor of shape [] that nobody writes to any more; None adds nothing."""
        self.last = value
        if value is not None:
            self._collected.append(value)
            if len(self._collected) == _FOLD_AFTER:
                self._fold()

    def read(self) -> float:
        """Return the sum, which waits for the device."""
        self._fold()
        total = self._total = float(self._total)
        return total

    def _fold(self) -> None:
        if any(isinstance(value, Tensor) for value in self._collected):
            values = torch.stack([torch.as_tensor(value).detach() for value in self._collected])
            self._total = values.sum(dtype=torch.float64) + self._total
        else:
            self._total = sum(self._collected, self._total)
        self._collected.clear()
