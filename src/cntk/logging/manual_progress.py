"""Manual progress reports by `ProgressPrinter`, from before trainers took progress writers: the
program itself reports each minibatch.
"""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass
from typing import Any

__all__ = ["ManualProgress"]


def _deprecated(instead: str) -> None:
    warnings.warn(f"deprecated: {instead}", DeprecationWarning, stacklevel=3)


_PASS_IT = "pass the ProgressPrinter to Trainer, which reports every minibatch and summary to it"


@dataclass
class _Totals:
    """Sums over samples, and their averages."""

    loss: float = 0.0
    metric: float = 0.0
    samples: int = 0

    def add(self, loss: float, metric: float | None, samples: int) -> None:
        self.loss += loss * samples
        self.metric += (metric or 0.0) * samples
        self.samples += samples

    def averages(self) -> tuple[float, float, int]:
        count = self.samples or 1
        return self.loss / count, self.metric / count, self.samples


class ManualProgress:
    """Manual reporting; `ProgressPrinter` inherits it, and supplies ``freq``, ``first`` and the
    lines.
    """

    freq: int
    first: int
    epochs: int

    def __init__(self) -> None:
        self._since_start, self._since_last = _Totals(), _Totals()
        self._updates = self._updates_before = 0
        self._epoch_began = time.perf_counter()

    def update(self, loss: float, minibatch_size: int, metric: float | None = None) -> None:
        """Report a minibatch.

        Args:
            loss: its average loss.
            minibatch_size: its number of samples.
            metric: its average metric, or None.
        """
        _deprecated(_PASS_IT)
        if self._since_start.samples == 0:
            self._epoch_began = time.perf_counter()
        self._updates += 1
        self._since_start.add(loss, metric, minibatch_size)
        self._since_last.add(loss, metric, minibatch_size)
        if self.freq == 0:
            if self._updates & (self._updates + 1) == 0:
                self._write_averages(self._since_start.averages(), self._since_last.averages())
                self._since_last = _Totals()
        elif self._updates <= self.first or self._updates % self.freq == 0:
            self._write_minibatches(
                (self._updates_before + 1, self._updates),
                *self._since_last.averages(),
                metric is not None,
            )
            self._updates_before = self._updates
            self._since_last = _Totals()

    def update_with_trainer(self, trainer: Any, with_metric: bool = False) -> None:
        """Report a trainer's last minibatch.

        Args:
            trainer: the trainer.
            with_metric: whether it has a metric.
        """
        _deprecated(_PASS_IT)
        samples = trainer.previous_minibatch_sample_count
        if samples:
            metric = trainer.previous_minibatch_evaluation_average if with_metric else None
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                self.update(trainer.previous_minibatch_loss_average, samples, metric)

    def epoch_summary(self, with_metric: bool = False) -> tuple[float, float, int] | None:
        """Report the end of an epoch.

        Args:
            with_metric: whether to print the metric.

        Returns:
            Average loss, average metric, number of samples; None where minibatches are printed at
            powers of two.
        """
        _deprecated(_PASS_IT)
        self.epochs += 1
        if self.freq == 0:
            return None
        averages = self._since_start.averages()
        self._write_epoch(*averages, with_metric, time.perf_counter() - self._epoch_began)
        self._since_start = _Totals()
        self._updates = self._updates_before = 0
        return averages

    def avg_loss_since_start(self) -> float:
        """Return the average loss since the epoch began."""
        _deprecated(_PASS_IT)
        return self._since_start.averages()[0]

    def avg_metric_since_start(self) -> float:
        """Return the average metric since the epoch began."""
        _deprecated(_PASS_IT)
        return self._since_start.averages()[1]

    def avg_loss_since_last(self) -> float:
        """Return the average loss since the last line."""
        _deprecated(_PASS_IT)
        return self._since_last.averages()[0]

    def avg_metric_since_last(self) -> float:
        """Return the average metric since the last line."""
        _deprecated(_PASS_IT)
        return self._since_last.averages()[1]

    def reset_start(self) -> tuple[float, float, int]:
        """Begin a new epoch; return average loss, average metric and number of samples of the one
        before.
        """
        _deprecated(_PASS_IT)
        averages, self._since_start = self._since_start.averages(), _Totals()
        self._updates = self._updates_before = 0
        return averages

    def reset_last(self) -> tuple[float, float, int]:
        """Reset the sums since the last line; return their average loss, average metric and number
        of samples.
        """
        _deprecated(_PASS_IT)
        averages, self._since_last = self._since_last.averages(), _Totals()
        return averages

    def _write_averages(
        self, since_start: tuple[float, float, int], since_last: tuple[float, float, int]
    ) -> None:
        raise NotImplementedError

    def _write_minibatches(
        self,
        updates: tuple[int, int],
        loss: float,
        metric: float,
        samples: int,
        with_metric: bool = True,
    ) -> None:
        raise NotImplementedError

    def _write_epoch(
        self, loss: float, metric: float, samples: int, with_metric: bool, seconds: float
    ) -> None:
        raise NotImplementedError
