"""Training and testing of a criterion function in one call: `Function.train` and `Function.test`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import Tensor

from cntk._graph.block import combine_variables
from cntk._graph.function import Function
from cntk._graph.variable import Variable
from cntk.device import default_device
from cntk.eval.evaluator import Evaluator
from cntk.io import MinibatchData, UserMinibatchSource
from cntk.train.trainer import Trainer
from cntk.variables import Record


class ArraySource:
    """Arrays in memory as minibatches, in their order.

    Args:
        arguments: the criterion's arguments.
        data: for each argument an array ``[n, *shape]``, a CSR matrix, or a list of samples or sequences.

    Raises:
        ValueError: if the number of arrays is not that of the arguments.
        TypeError: if they differ in their number of samples.
    """

    def __init__(self, arguments: Sequence[Variable], data: Sequence[Any]) -> None:
        if len(data) != len(arguments):
            raise ValueError(
                f"train: to pass data directly in place of a minibatch source, pass a tuple of {len(arguments)} arrays, "
                f"in the order of the arguments of the criterion function; you passed {len(data)}"
            )
        self.arguments = arguments
        self.data = [
            d.tocsr() if hasattr(d, "tocsr") else d if isinstance(d, (list, np.ndarray)) else np.asarray(d)
            for d in data
        ]
        counts = {d.shape[0] if hasattr(d, "shape") else len(d) for d in self.data}
        if len(counts) != 1:
            raise TypeError(f"train: all data items must have the same number of samples, but have {sorted(counts)}")
        (self.count,) = counts

    def minibatches(self, size: Any, limit: int | None) -> Iterator[tuple[dict[Variable, Any], bool]]:
        """Minibatches of one sweep after another, and whether they end one; the last of a sweep, and of all, may be smaller."""
        seen = 0
        while limit is None or seen < limit:
            at = 0
            while at < self.count and (limit is None or seen < limit):
                step = min(
                    max(int(_size_at(size, seen)), 1), self.count - at, self.count if limit is None else limit - seen
                )
                arguments = {v: d[at : at + step] for v, d in zip(self.arguments, self.data, strict=True)}
                at += step
                seen += step
                yield arguments, at == self.count


class StreamSource:
    """A minibatch source's streams as minibatches.

    Args:
        source: it has ``next_minibatch``.
        streams: which stream belongs to which argument.
    """

    def __init__(self, source: Any, streams: dict[Variable, Any]) -> None:
        self.source, self.streams = source, streams
        self.count = 0

    def minibatches(self, size: Any, limit: int | None) -> Iterator[tuple[dict[Variable, Any], bool]]:
        """Minibatches until the source has no more, and whether they end a sweep."""
        seen = 0
        while limit is None or seen < limit:
            wanted = int(_size_at(size, seen))
            minibatch = self._next(wanted if limit is None else min(wanted, limit - seen))
            if not minibatch:
                return
            seen += max(m.num_samples for m in minibatch.values())
            yield minibatch, any(m.sweep_end for m in minibatch.values())

    def _next(self, size: int) -> dict[Variable, MinibatchData]:
        if isinstance(self.source, UserMinibatchSource):
            found = self.source.next_minibatch(size, 1, 0)
            return {v: found[s] for v, s in self.streams.items()} if found else {}
        minibatch: dict[Variable, MinibatchData] = self.source.next_minibatch(size, self.streams)
        return minibatch


def _size_at(size: Any, samples: int) -> int:
    return size[samples] if hasattr(size, "__getitem__") else size


@dataclass
class _Summaries:
    """What `Function.train` returns, as it grows.

    Attributes:
        every: after how many minibatches an entry of ``updates`` is made; 0 for never.
        geometric: whether one is made after 1, 3, 7, 15, ... minibatches instead.
    """

    every: int
    geometric: bool = False
    updates: list[Record] = field(default_factory=list)
    epochs: list[Record] = field(default_factory=list)
    _update: list[tuple[Tensor, Any, int]] = field(default_factory=list)
    _epoch: list[tuple[Tensor, Any, int]] = field(default_factory=list)
    _minibatches: int = 0

    def add(self, loss: Tensor, metric: Tensor | None, samples: int) -> None:
        self._update.append((loss, metric, samples))
        self._epoch.append((loss, metric, samples))
        self._minibatches += 1
        doubled = self._minibatches & (self._minibatches + 1) == 0
        if (self.geometric and doubled) or (self.every and self._minibatches % self.every == 0):
            self.updates.append(_summary(self._update))
            self._update.clear()

    def end_epoch(self) -> None:
        if self._epoch:
            self.epochs.append(_summary(self._epoch))
        self._epoch.clear()
        self._update.clear()
        self._minibatches = 0


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


def _source(function: Function, source: Any, streams: Any, mapping: Any) -> ArraySource | StreamSource:
    arguments = function.signature
    if hasattr(source, "next_minibatch"):
        if mapping is None:
            given = streams if streams is not None else list(getattr(source, "streams", {}).values())
            if len(given) != len(arguments):
                raise ValueError(
                    f"train: {function} has {len(arguments)} arguments, and {len(given)} streams were given"
                )
            mapping = dict(zip(arguments, given, strict=True))
        return StreamSource(source, dict(mapping))
    if not isinstance(source, (tuple, list)):
        source = (source,)
    return ArraySource(arguments, source)


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
    return max(int(frequency or epoch or 1) // int(size), 1), False


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
    writers = _writers(callbacks)
    trainer = Trainer(None, (loss, metric), parameter_learners, writers)
    source = _source(function, minibatch_source, streams, model_inputs_to_streams)
    epoch = epoch_size or source.count or None
    if epoch is None and max_samples is None:
        raise ValueError("train: a minibatch source does not say how long an epoch is; give epoch_size or max_samples")
    if isinstance(progress_frequency, tuple):
        progress_frequency = progress_frequency[0] * (
            int(minibatch_size) if "minibatch" in str(progress_frequency[1]) else epoch or 1
        )
    limit = max_samples
    if limit is None and epoch is not None:
        limit = epoch * (max_epochs or 1)
    period = progress_frequency or (epoch if max_samples is None or epoch_size else None)
    every, geometric = _every(
        progress_frequency, None if max_samples and not epoch_size else epoch, minibatch_size, writers
    )
    summaries = _Summaries(every, geometric)
    seen, due = 0, period
    for arguments, ends_sweep in source.minibatches(minibatch_size, limit):
        trainer.train_minibatch(arguments, is_sweep_end=ends_sweep)
        result = trainer._previous
        assert result is not None
        summaries.add(result.loss, result.metric, result.samples)
        seen += result.samples
        if due is not None and period is not None and seen >= due:
            due += period * ((seen - due) // period + 1)
            summaries.end_epoch()
            trainer.summarize_training_progress()
    if summaries._epoch:
        summaries.end_epoch()
        trainer.summarize_training_progress()
    return Record(updates=summaries.updates, epoch_summaries=summaries.epochs)


def _writers(callbacks: Any) -> list[Any]:
    found = list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks]
    for callback in found:
        if not hasattr(callback, "update_training_with_minibatch"):
            raise TypeError(f"callbacks: expected progress writers, got {type(callback).__name__}")
    return found


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
    source = _source(function, minibatch_source, streams, model_inputs_to_streams)
    writers = _writers(callbacks)
    evaluator = Evaluator(combine_variables([wanted]), writers)
    total, samples = 0.0, 0
    needed = set(combine_variables([wanted]).inputs)
    for arguments, _ in source.minibatches(minibatch_size, source.count or None):
        result = evaluator._test_step.test({k: v for k, v in arguments.items() if k in needed}, default_device().torch)
        total += float(result.loss)
        samples += result.samples
        for writer in writers:
            writer.update_test(result.samples, result.loss)
    evaluator.summarize_test_progress()
    return Record(metric=total / samples, samples=samples)
