"""Training and testing of a criterion function in one call: `Function.train` and `Function.test`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from cntk._graph.block import combine_variables
from cntk._graph.function import Function
from cntk.eval.evaluator import Evaluator
from cntk.train.minibatches import ArraySource, source_of
from cntk.train.session_config import CheckpointConfig, CrossValidationConfig, DataUnit, TestConfig, as_frequency
from cntk.train.tally import Tally
from cntk.train.trainer import Trainer
from cntk.train.training_session import TrainingSession
from cntk.variables import Record


class _Summaries:
    """A progress writer that gathers what `Function.train` returns.

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

    def update_training_with_minibatch(self, samples: int, loss: Tensor, metric: Tensor | None = None) -> None:
        """Take note of a training minibatch."""
        self._update.append((loss, metric, samples))
        self._epoch.append((loss, metric, samples))
        self._minibatches += 1
        doubled = self._minibatches & (self._minibatches + 1) == 0
        if (self.geometric and doubled) or (self.every and self._minibatches % self.every == 0):
            self.updates.append(_summary(self._update))
            self._update.clear()

    def write_training_summary(self) -> None:
        """End an epoch."""
        if self._epoch:
            self.epochs.append(_summary(self._epoch))
        self._epoch.clear()
        self._update.clear()
        self._minibatches = 0

    def update_test(self, samples: int, metric: Tensor) -> None:
        """Take note of a test minibatch."""
        self._tested.append((metric, None, samples))

    def write_test_summary(self) -> None:
        """End a test; the last one is that after training."""
        found = _summary(self._tested)
        self.test = Record(metric=found["loss"], samples=found["samples"])
        self._tested.clear()

    def write(self, key: str, value: Any) -> None:
        """Nothing else is returned."""


def _summary(entries: Sequence[tuple[Tensor, Any, int]]) -> Record:
    samples = sum(n for _, _, n in entries)
    loss = sum(float(x) for x, _, _ in entries) / samples
    metric = sum(float(m) for _, m, _ in entries if m is not None) / samples
    return Record(loss=loss, metric=metric, samples=samples)


def _criterion_outputs(function: Function) -> tuple[Any, Any]:
    outputs = function.outputs
    if len(outputs) > 2:
        raise ValueError(
            f"train: the criterion must have one or two outputs (loss and metric), {function} has {len(outputs)}"
        )
    return outputs[0], outputs[1] if len(outputs) == 2 else None


def _every(frequency: Any, epoch: int | None, size: Any, writers: Sequence[Any]) -> tuple[int, bool]:
    """After how many minibatches updates are noted, and whether at ever longer intervals; a progress printer's word counts."""
    for writer in writers:
        printed = getattr(writer, "freq", None)
        if printed is not None:
            return printed, printed == 0
    if epoch is None and frequency is None:
        return 0, False
    if hasattr(size, "__getitem__"):
        return 0, False
    number, unit = as_frequency(frequency or epoch or 1, "train")
    samples = number * {DataUnit.sample: 1, DataUnit.minibatch: int(size), DataUnit.sweep: epoch or 1}[unit]
    return max(samples // int(size), 1), False


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
    loss, metric = _criterion_outputs(function)
    writers, configs = _callbacks(callbacks)
    source = source_of(function, minibatch_source, streams, model_inputs_to_streams)
    epoch = epoch_size or source.count or None
    if epoch is None and max_samples is None:
        raise ValueError("train: a minibatch source does not say how long an epoch is; give epoch_size or max_samples")
    limit = max_samples
    if limit is None and epoch is not None:
        limit = epoch * (max_epochs or 1)
    period = progress_frequency or (epoch if max_samples is None or epoch_size else None)
    summaries = _Summaries(
        *_every(progress_frequency, None if max_samples and not epoch_size else epoch, minibatch_size, writers)
    )
    trainer = Trainer(None, (loss, metric), parameter_learners, [*writers, summaries])
    mapping = {} if isinstance(source, ArraySource) else source.streams
    given = source if isinstance(source, ArraySource) else source.source
    TrainingSession(trainer, given, minibatch_size, mapping, limit, period, *configs).train()
    result = Record(updates=summaries.updates, epoch_summaries=summaries.epochs)
    return result if configs[2] is None else Record(**result, test_summary=summaries.test)


def _callbacks(callbacks: Any) -> tuple[list[Any], tuple[Any, Any, Any]]:
    """Progress writers, and configurations of checkpoints, cross validation and test, each if there is one.

    Raises:
        TypeError: for anything else.
        ValueError: for two configurations of one kind.
    """
    kinds = (CheckpointConfig, CrossValidationConfig, TestConfig)
    given = list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks]
    found = [[c for c in given if isinstance(c, kind)] for kind in kinds]
    for kind, configs in zip(kinds, found, strict=True):
        if len(configs) > 1:
            raise ValueError(f"callbacks: one {kind.__name__} is possible, and {len(configs)} were given")
    writers = [c for c in given if not isinstance(c, kinds)]
    for writer in writers:
        if not hasattr(writer, "update_training_with_minibatch"):
            raise TypeError(
                "callbacks: expected progress writers, CheckpointConfig, CrossValidationConfig or TestConfig, got "
                f"{type(writer).__name__}"
            )
    return writers, tuple(configs[0] if configs else None for configs in found)  # type: ignore[return-value]


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
    wanted = loss if metric is None else metric
    source = source_of(function, minibatch_source, streams, model_inputs_to_streams)
    writers, _ = _callbacks(callbacks)
    evaluator = Evaluator(combine_variables([wanted]), writers)
    tally = Tally()
    needed = set(combine_variables([wanted]).inputs)
    for arguments, _ in source.minibatches(minibatch_size, source.count or None, lambda: tally.samples):
        tally.add(evaluator._test({k: v for k, v in arguments.items() if k in needed}, None))
    evaluator.summarize_test_progress()
    return Record(metric=tally.average(), samples=tally.samples)
