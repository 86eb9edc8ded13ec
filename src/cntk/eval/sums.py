"""Running sums over minibatches of a trainer or an evaluator, which its progress writers read."""

from __future__ import annotations

import logging
from typing import Any

import torch
from torch import Tensor

__all__ = ["NanNotice", "RunningSum"]


_FOLD_AFTER = 64

_LOGGER = logging.getLogger("cntk")


class NanNotice:
    """A warning, given once, when a loss that is read is NaN."""

    def __init__(self) -> None:
        self._is_told = False

    def look(self, loss: float) -> None:
        """Check a loss that was read."""
        if loss != loss and not self._is_told:
            self._is_told = True
            _LOGGER.warning(
                "the training loss is NaN; cntk.debugging.watch_nan(trainer) stops at the first "
                "one and names its operation"
            )


class RunningSum:
    """A sum of numbers that may be on a device: they are collected, and added up some at a time.

    Attributes:
        last: the number that was added last; None at first.
        notice: what is shown the sum when it is read.

    Example:
        >>> total = RunningSum()
        >>> total.add(1.5)
        >>> total.add(torch.tensor(2.0))
        >>> total.read()
        3.5
    """

    def __init__(self, notice: NanNotice | None = None) -> None:
        self.notice = notice
        self.reset()

    def __getstate__(self) -> dict[str, Any]:
        # A pickle holds no tensors.
        last = None if self.last is None else float(self.last)
        return {"notice": self.notice, "last": last, "_total": self.read(), "_collected": []}

    def reset(self) -> None:
        """Begin again at 0."""
        self.last: Any = None
        self._total: Any = 0.0
        self._collected: list[Any] = []

    def add(self, value: Tensor | float | None) -> None:
        """Add a number, or a tensor of shape [] that nobody writes to any more; None adds
        nothing.
        """
        self.last = value
        if value is not None:
            self._collected.append(value)
            if len(self._collected) == _FOLD_AFTER:
                self._fold()

    def read(self) -> float:
        """Return the sum, which waits for the device."""
        self._fold()
        total = self._total = float(self._total)
        if self.notice is not None:
            self.notice.look(total)
        return total

    def _fold(self) -> None:
        if any(isinstance(value, Tensor) for value in self._collected):
            values = torch.stack([torch.as_tensor(value).detach() for value in self._collected])
            self._total = values.sum(dtype=torch.float64) + self._total
        else:
            self._total = sum(self._collected, self._total)
        self._collected.clear()
