"""Training and testing of a criterion function in one call: `Function.train` and
`Function.test`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor

from cntk._arguments import shown
from cntk._graph.block import combine_variables
from cntk._graph.function import Function
from cntk.eval.evaluator import Evaluator
from cntk.eval.sums import RunningSum
from cntk.train.minibatches import StreamSource, size_at, source_of
from cntk.train.session_config import (
    CheckpointConfig,
    CrossValidationConfig,
    DataUnit,
    TestConfig,
    as_frequency,
    as_limit,
    as_minibatch_size,
    check_finite,
)
from cntk.train.tally import Tally
from cntk.train.trainer import Trainer
from cntk.train.training_session import TrainingSession
from cntk.variables import Record

__all__ = ["test_function", "train_function"]


class _Summaries:
    """A progress writer that collects what `Function.train` returns.

    Args:
        every: after how many minibatches an entry of ``updates`` is made; 0 for never.
        geometric: whether one is made after 1, 3, 7, 15, ... minibatches instead.
    """

    def __init__(self, every: int, geometric: bool = False) -> None:
        self.every, self.geometric = every, geometric
        self.updates: list[Record] = []
        self.epochs: list[Record] = []
        self.test: Record | None = None
        self._update: list[tuple[Tensor, Any, int]] = []
        self._epoch: list[tuple[Tensor, Any, int]] = []
        self._tested: list[tuple[Tensor, Any, int]] = []
        self._minibatches = 0

    def update_training_with_minibatch(
        self, samples: int, loss: RunningSum, metric: RunningSum | None = None
    ) -> None:
        """Record a training minibatch."""
        entry = (loss.last, None if metric is None else metric.last, samples)
        self._update.append(entry)
        self._epoch.append(entry)
        self._minibatches += 1
        doubled = self._minibatches & (self._minibatches + 1) == 0
        if (self.geometric and doubled) or (self.every and self._minibatches % self.every == 0):
            self.updates.append(_summary(self._update))
            self._update.clear()

    def write_training_summary(self, loss: RunningSum, metric: RunningSum | None = None) -> None:
        """End an epoch."""
        if self._epoch:
            self.epochs.append(_summary(self._epoch))
        self._epoch.clear()
        self._update.clear()
        self._minibatches = 0

    def update_test(self, samples: int, metric: RunningSum) -> None:
        """Record a test minibatch."""
        self._tested.append((metric.last, None, samples))

    def write_test_summary(self, metric: RunningSum) -> None:
        """End a test; the last one is the test after training."""
        summary = _summary(self._tested)
        self.test = Record(metric=summary["loss"], samples=summary["samples"])
        self._tested.clear()

    def write(self, key: str, value: Any) -> None:
        """Ignore values: `Function.train` returns none."""


def _summary(entries: Sequence[tuple[Tensor, Any, int]]) -> Record:
    samples = sum(n for _, _, n in entries)
    loss = sum(float(x) for x, _, _ in entries) / samples
    metric = sum(float(m) for _, m, _ in entries if m is not None) / samples
    return Record(loss=loss, metric=metric, samples=samples)


def _criterion_outputs(function: Function) -> tuple[Any, Any]:
    outputs = function.outputs
    if len(outputs) > 2:
        raise ValueError(
            f"train: the criterion must have one or two outputs (loss and metric), {function} has "
            f"{len(outputs)}"
        )
    return outputs[0], outputs[1] if len(outputs) == 2 else None


def _every(frequency: Any, epoch: int, size: Any, writers: Sequence[Any]) -> tuple[int, bool]:
    """Return after how many minibatches to record updates, and whether to do so at growing
    intervals instead.

    A progress writer's word counts. As in the original, a frequency below the (first) minibatch
    size is for ever longer intervals.
    """
    for writer in writers:
        printed = getattr(writer, "freq", None)
        if printed is not None:
            return printed, printed == 0
    if frequency is None:
        return 0, False
    number, unit = as_frequency(frequency, "train")
    samples = (
        number
        * {DataUnit.sample: 1, DataUnit.minibatch: size_at(size, 0), DataUnit.sweep: epoch or 1}[
            unit
        ]
    )
    every = samples // size_at(size, 0)
    return every, every == 0


def _are_sequences(function: Function, source: Any) -> bool:
    """Return whether the data are in memory and some of them are sequences."""
    return not hasattr(source, "next_minibatch") and any(
        len(v.dynamic_axes) > 1 for v in function.signature
    )


def _limits(
    source: StreamSource, max_epochs: float | None, epoch_size: int | None, max_samples: int | None
) -> tuple[int | None, int]:
    """Return the size of an epoch, if there are epochs, and the number of samples to train on.

    Raises:
        ValueError: if that is not told, told twice, or not positive.
    """
    for name, value in (
        ("max_epochs", max_epochs),
        ("epoch_size", epoch_size),
        ("max_samples", max_samples),
    ):
        if value is not None:
            as_limit(value, f"train: {name}", finite=name != "max_samples")
    if max_samples is not None:
        if max_epochs is not None:
            raise ValueError("train: max_epochs and max_samples say the same; give one of them")
        return epoch_size, max_samples
    if epoch_size is None:
        if not source.count:
            raise ValueError(
                "train: a minibatch source does not say how long an epoch is; give epoch_size or "
                "max_samples"
            )
        epoch_size = source.count
    samples = int((1 if max_epochs is None else max_epochs) * epoch_size)
    if samples < 1:
        raise ValueError(
            f"train: max_epochs and epoch_size must be positive, got {max_epochs} and {epoch_size}"
        )
    return epoch_size, samples


def train_function(
    function: Function,
    minibatch_source: Any,
    minibatch_size: Any,
    streams: Any,
    model_inputs_to_streams: Any,
    parameter_learners: Any,
    callbacks: Any,
    progress_frequency: Any,
    max_epochs: int | None,
    epoch_size: int | None,
    max_samples: int | None,
) -> Record:
    """Train a criterion function; see `Function.train`."""
    size = as_minibatch_size(minibatch_size, "train")
    loss, metric = _criterion_outputs(function)
    writers, configs = _callbacks(callbacks)
    limit: int | None
    epoch: int | tuple[int, DataUnit] | None
    if max_samples is None and epoch_size is None and _are_sequences(function, minibatch_source):
        # The trainer counts samples of the loss, the data those of their longest stream: sweeps are
        # the same for both.
        sweeps = 1 if max_epochs is None else as_limit(max_epochs, "train: max_epochs", finite=True)
        source = source_of(function, minibatch_source, streams, model_inputs_to_streams, sweeps)
        limit, epoch, sweep = None, (1, DataUnit.sweep), source.source.sweep_size
    else:
        source = source_of(function, minibatch_source, streams, model_inputs_to_streams)
        each, limit = _limits(source, max_epochs, epoch_size, max_samples)
        epoch, sweep = each, each or source.count
    period = epoch if progress_frequency is None else progress_frequency
    summaries = _Summaries(*_every(period, sweep, size, writers))
    trainer = Trainer(None, (loss, metric), parameter_learners, [*writers, summaries])
    TrainingSession(trainer, source.source, size, source.streams, limit, period, *configs).train()
    # As the original says it where there was no summary.
    nothing = [Record(loss=0, metric=0, samples=0)]
    result = Record(
        updates=summaries.updates if summaries.epochs else nothing,
        epoch_summaries=summaries.epochs or nothing,
    )
    return result if configs[2] is None else Record(**result, test_summary=summaries.test)


def _callbacks(callbacks: Any) -> tuple[list[Any], tuple[Any, Any, Any]]:
    """Split callbacks into progress writers and the configurations of checkpoints, cross validation
    and test.

    Raises:
        TypeError: for anything else.
        ValueError: for two configurations of one kind.
    """
    kinds = (CheckpointConfig, CrossValidationConfig, TestConfig)
    listed = list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks]
    if not isinstance(callbacks, np.ndarray) and not callbacks:
        listed = []
    by_kind = [[c for c in listed if isinstance(c, kind)] for kind in kinds]
    for kind, configs in zip(kinds, by_kind, strict=True):
        if len(configs) > 1:
            raise ValueError(
                f"callbacks: one {kind.__name__} is possible, and {len(configs)} were given"
            )
    writers = [c for c in listed if not isinstance(c, kinds)]
    for writer in writers:
        if not hasattr(writer, "update_training_with_minibatch"):
            raise TypeError(
                f"callbacks: expected progress writers, CheckpointConfig, CrossValidationConfig or "
                f"TestConfig, got {shown(writer)}"
            )
    return writers, tuple(configs[0] if configs else None for configs in by_kind)  # type: ignore[return-value]


def test_function(
    function: Function,
    minibatch_source: Any,
    minibatch_size: Any,
    streams: Any,
    model_inputs_to_streams: Any,
    callbacks: Any,
) -> Record:
    """Average a criterion's metric over data; see `Function.test`."""
    loss, metric = _criterion_outputs(function)
    criterion = loss if metric is None else metric
    size = as_minibatch_size(minibatch_size, "test")
    source = source_of(
        function, minibatch_source, streams, model_inputs_to_streams, sweeps=1, method="test"
    )
    check_finite(source, None, "Test")
    writers, _ = _callbacks(callbacks)
    evaluator = Evaluator(combine_variables([criterion]), writers)
    tally = Tally()
    needed = set(combine_variables([criterion]).inputs)
    for arguments, _ in source.minibatches(size, None, lambda: tally.samples):
        tally.add(evaluator._test({k: v for k, v in arguments.items() if k in needed}, None))
    evaluator.summarize_test_progress()
    return Record(metric=tally.average(), samples=tally.samples)
