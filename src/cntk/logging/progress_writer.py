"""Base class of progress writers: sums over minibatches, and the schedule of reports.

The terms of a trainer's sums stay on the device. They are read only when something is reported.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from cntk._arguments import shown
from cntk.errors import ArgumentError
from cntk.eval.sums import RunningSum

__all__ = ["FrequencyError", "NEVER", "ProgressWriter"]


NEVER = sys.maxsize
"""A frequency that is never reached."""


class FrequencyError(ValueError, OverflowError):
    """A frequency is negative. The original raises OverflowError."""


@dataclass
class _Progress:
    """Counts and sums since the last summary, and those at the last report."""

    frequency: int
    first: int
    samples: int = 0
    updates: int = 0
    loss: _Reading = field(default_factory=lambda: _Reading())
    metric: _Reading = field(default_factory=lambda: _Reading())
    written: tuple[int, int, float, float] = (0, 0, 0.0, 0.0)

    def add(self, samples: int, loss: Any, metric: Any) -> bool:
        """Add a minibatch; return whether it is time to write."""
        self.samples += samples
        self.updates += 1
        self.loss.add(loss)
        self.metric.add(metric)
        if self.frequency == 0:  # after 1, 3, 7, 15, ... updates
            return self.updates & (self.updates + 1) == 0
        return self.updates <= self.first or self.updates % self.frequency == 0

    def pairs(self) -> tuple[Any, Any, Any, Any]:
        """Return pairs of the values at the last report and now: samples, updates, loss, metric."""
        before = self.written
        self.written = (self.samples, self.updates, self.loss.read(), self.metric.read())
        return tuple(zip(before, self.written, strict=True))  # type: ignore[return-value]

    def finish(
        self, loss: RunningSum | None, metric: RunningSum | None
    ) -> tuple[int, int, float, float]:
        """Return all since the last summary, from a trainer's own sums if it passes some, and start
        anew.
        """
        sums = (self.loss.read(loss), self.metric.read(metric)) if self.samples else (0.0, 0.0)
        summary = self.samples, self.updates, *sums
        self.samples = self.updates = 0
        self.loss, self.metric = _Reading(), _Reading()
        self.written = (0, 0, 0.0, 0.0)
        return summary


@dataclass
class _Reading:
    """A running sum as a writer reads it.

    Trainers and evaluators keep sums of their own and show them to the writer. As in the original,
    a writer that several of them share counts the samples of all, and reads the sum of that which
    reports at the moment.
    """

    own: RunningSum = field(default_factory=RunningSum)
    shown: RunningSum | None = None
    known: float = 0.0

    def add(self, value: Any) -> None:
        """Remember a sum, or add a number where a program calls the writer by itself."""
        if isinstance(value, RunningSum):
            self.shown = value
        elif value is not None:
            self.own.add(value)
            self.shown = self.own
        else:
            self.shown = None

    def read(self, shown: RunningSum | None = None) -> float:
        """Return the last sum; the last value that was read if the last minibatch had none."""
        shown = shown or self.shown
        if shown is not None:
            self.known = shown.read()
        return self.known


class ProgressWriter:
    """Base class of progress writers: is called for each minibatch, and reports some of them by its
    own ``on_...`` methods.

    Subclasses define those methods that they need. A frequency of N is every N-th minibatch since
    the last summary, 0 is after 1, 3, 7, 15, ... minibatches.

    Args:
        training_update_freq: how often `on_write_training_update` is called.
        training_first: how many of the first minibatches it is called for in any case (unless the
            frequency is 0).
        test_update_freq: how often `on_write_test_update` is called.
        test_first: as ``training_first``.
        distributed_sync_update_freq: how often `on_write_distributed_sync_update` is called.
        distributed_sync_first: as ``training_first``.

    Raises:
        TypeError: for frequencies that are no integers.
        FrequencyError: for negative ones.

    Example:
        >>> class Losses(ProgressWriter):
        ...     def on_write_training_update(
        ...         self, samples, updates, aggregate_loss, aggregate_metric
        ...     ):
        ...         print((aggregate_loss[1] - aggregate_loss[0]) / (samples[1] - samples[0]))
        >>> writer = Losses(2)
        >>> for loss in (8.0, 4.0, 2.0, 2.0):
        ...     writer.update_training_with_minibatch(samples=4, loss=loss)
        1.5
        0.5
    """

    def __init__(
        self,
        training_update_freq: int = NEVER,
        training_first: int = 0,
        test_update_freq: int = NEVER,
        test_first: int = 0,
        distributed_sync_update_freq: int = NEVER,
        distributed_sync_first: int = 0,
    ) -> None:
        frequencies = (training_update_freq, training_first, test_update_freq, test_first,
                 distributed_sync_update_freq, distributed_sync_first)  # fmt: skip
        for number in frequencies:
            if not isinstance(number, int):
                raise ArgumentError(
                    f"{type(self).__name__}: expected integers as frequencies, got {shown(number)}"
                )
            if not 0 <= number < 2**64:
                bound = "at least 0" if number < 0 else "less than 2**64"
                raise FrequencyError(
                    f"{type(self).__name__}: expected a frequency of {bound}, got {number}"
                )
        self._training = _Progress(training_update_freq, training_first)
        self._testing = _Progress(test_update_freq, test_first)
        self._syncing = _Progress(distributed_sync_update_freq, distributed_sync_first)
        self._training_updates = self._test_updates = 0
        self._training_summaries = self._test_summaries = 0
        self._training_since = self._testing_since = time.perf_counter()

    def update_training_with_minibatch(
        self,
        samples: int,
        loss: Tensor | float | RunningSum,
        metric: Tensor | float | RunningSum | None = None,
    ) -> None:
        """Record a training minibatch; called by trainers.

        Args:
            samples: its number of samples.
            loss: sum of the loss over its samples: a number, or a tensor of shape [] that nobody
                writes to any more; or the trainer's own sum over all minibatches since its last
                summary.
            metric: sum of the metric, likewise, or None.
        """
        self._training_updates += 1
        if self._training.add(samples, loss, metric):
            self.on_write_training_update(*self._training.pairs())
        self.on_training_update_end()

    def update_test(self, samples: int, metric: Tensor | float | RunningSum) -> None:
        """Record a test minibatch, as `update_training_with_minibatch`; called by evaluators."""
        self._test_updates += 1
        if self._testing.add(samples, None, metric):
            seen, updates, _, aggregate = self._testing.pairs()
            self.on_write_test_update(seen, updates, aggregate)

    def update_distributed_sync(self, samples: int, metric: Tensor | float | None = None) -> None:
        """Record a synchronization among processes; called by distributed learners."""
        if self._syncing.add(samples, None, metric):
            seen, updates, _, aggregate = self._syncing.pairs()
            self.on_write_distributed_sync_update(seen, updates, aggregate)

    def write_training_summary(
        self, loss: RunningSum | None = None, metric: RunningSum | None = None
    ) -> None:
        """Report all training minibatches since the last summary, and start anew; called by
        trainers.

        Args:
            loss: the trainer's own sum of the loss.
            metric: the trainer's own sum of the metric.
        """
        now = time.perf_counter()
        elapsed, self._training_since = int((now - self._training_since) * 1000), now
        self._training_summaries += 1
        seen, updates, total, total_metric = self._training.finish(loss, metric)
        self.on_write_training_summary(
            seen, updates, self._training_summaries, total, total_metric, elapsed
        )

    def write_test_summary(self, metric: RunningSum | None = None) -> None:
        """Report all test minibatches since the last summary, and start anew; called by evaluators.

        Args:
            metric: the evaluator's own sum of the metric.
        """
        now = time.perf_counter()
        elapsed, self._testing_since = int((now - self._testing_since) * 1000), now
        self._test_summaries += 1
        seen, updates, _, total = self._testing.finish(None, metric)
        self.on_write_test_summary(seen, updates, self._test_summaries, total, elapsed)

    def total_training_updates(self) -> int:
        """Return the number of training minibatches so far."""
        return self._training_updates

    def total_test_updates(self) -> int:
        """Return the number of test minibatches so far."""
        return self._test_updates

    def on_training_update_end(self) -> None:
        """React to the end of a training minibatch."""

    def on_write_training_update(
        self,
        samples: tuple[int, int],
        updates: tuple[int, int],
        aggregate_loss: tuple[float, float],
        aggregate_metric: tuple[float, float],
    ) -> None:
        """Write a report of training minibatches.

        Args:
            samples: numbers of samples since the last summary: when this was last called, and now.
            updates: numbers of minibatches, likewise.
            aggregate_loss: sums of the loss over these samples, likewise.
            aggregate_metric: sums of the metric, likewise; 0 where there is none.
        """

    def on_write_test_update(
        self,
        samples: tuple[int, int],
        updates: tuple[int, int],
        aggregate_metric: tuple[float, float],
    ) -> None:
        """Write a report of test minibatches; arguments as for `on_write_training_update`."""

    def on_write_distributed_sync_update(
        self,
        samples: tuple[int, int],
        updates: tuple[int, int],
        aggregate_metric: tuple[float, float],
    ) -> None:
        """Write a report of synchronizations; arguments as for `on_write_training_update`."""

    def on_write_training_summary(
        self,
        samples: int,
        updates: int,
        summaries: int,
        aggregate_loss: float,
        aggregate_metric: float,
        elapsed_milliseconds: int,
    ) -> None:
        """Write a summary of training.

        Args:
            samples: number of samples since the last summary.
            updates: number of minibatches.
            summaries: how many summaries there have been, this one included.
            aggregate_loss: sum of the loss over these samples.
            aggregate_metric: sum of the metric.
            elapsed_milliseconds: time since the last summary.
        """

    def on_write_test_summary(
        self,
        samples: int,
        updates: int,
        summaries: int,
        aggregate_metric: float,
        elapsed_milliseconds: int,
    ) -> None:
        """Write a summary of a test; arguments as for `on_write_training_summary`."""

    def write(self, key: str, value: Any) -> None:
        """Write anything else that learners and trainers report, such as a new learning rate."""

    def __disown__(self) -> ProgressWriter:
        """Return the writer itself; for programs that pass writers to the original's native
        layer.
        """
        return self
