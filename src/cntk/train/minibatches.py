"""Minibatches of a training: out of arrays in memory, or of a minibatch source's streams."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from cntk._graph.function import Function
from cntk._graph.variable import Variable
from cntk.device import DeviceDescriptor
from cntk.io import MinibatchData, UserMinibatchSource

Minibatches = Iterator[tuple[dict[Variable, Any], bool]]


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

    def minibatches(
        self, size: Any, limit: int | None, seen: Callable[[], int], device: DeviceDescriptor | None = None
    ) -> Minibatches:
        """Minibatches of one sweep after another; the last of a sweep may be smaller. See `StreamSource.minibatches`.

        A sequence counts as one sample here.
        """
        given = seen()
        while self.count and (limit is None or given < limit):
            at = given % self.count
            room = self.count - at if limit is None else min(self.count - at, limit - given)
            step = min(max(size_at(size, given), 1), room)
            given += step
            arguments = {v: d[at : at + step] for v, d in zip(self.arguments, self.data, strict=True)}
            yield arguments, at + step == self.count

    def is_infinite(self) -> bool:
        """Whether there is always a next minibatch: there is, sweep after sweep."""
        return True

    def get_checkpoint_state(self) -> dict[str, Any]:
        """Nothing: how many samples have been seen says it all."""
        return {}

    def restore_from_checkpoint(self, state: Mapping[str, Any]) -> None:
        """Nothing is to be done."""


class StreamSource:
    """A minibatch source's streams as minibatches.

    Args:
        source: it has ``next_minibatch``.
        streams: which stream belongs to which argument.
    """

    def __init__(self, source: Any, streams: dict[Variable, Any]) -> None:
        self.source, self.streams = source, streams
        self.count = 0

    def minibatches(
        self, size: Any, limit: int | None, seen: Callable[[], int], device: DeviceDescriptor | None = None
    ) -> Minibatches:
        """Minibatches until the source has no more, or the limit is reached.

        Args:
            size: samples of a minibatch: a number, or a schedule over the samples seen.
            limit: how many samples to go to; None for as far as the source goes.
            seen: tells how many samples have been seen.
            device: where to put the data.

        Yields:
            Data by variable, and whether the minibatch ends a sweep.
        """
        while limit is None or seen() < limit:
            wanted = size_at(size, seen())
            minibatch = self._next(wanted if limit is None else min(wanted, limit - seen()), device)
            if not minibatch:
                return
            yield minibatch, any(m.sweep_end for m in minibatch.values())

    def is_infinite(self) -> bool:
        """Whether there is always a next minibatch."""
        return bool(self.source.is_infinite())

    def get_checkpoint_state(self) -> dict[str, Any]:
        """The source's state."""
        return dict(self.source.get_checkpoint_state())

    def restore_from_checkpoint(self, state: Mapping[str, Any]) -> None:
        """Have the source go on from a state."""
        self.source.restore_from_checkpoint(state)

    def _next(self, size: int, device: DeviceDescriptor | None) -> dict[Variable, MinibatchData]:
        if isinstance(self.source, UserMinibatchSource):
            found = self.source.next_minibatch(size, 1, 0, device)
            return {v: found[s] for v, s in self.streams.items()} if found else {}
        minibatch: dict[Variable, MinibatchData] = self.source.next_minibatch(size, self.streams, device)
        return minibatch


def source_of(function: Function, source: Any, streams: Any, mapping: Any) -> ArraySource | StreamSource:
    """Where a function's arguments come from.

    Args:
        function: a criterion.
        source: a minibatch source; or an array, or a tuple of arrays or lists in the order of the arguments.
        streams: a source's streams in the order of the arguments; all that it has if not given.
        mapping: a source's streams by argument, instead.

    Raises:
        ValueError: if there are not as many streams or arrays as arguments.
    """
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


def size_at(size: Any, samples: int) -> int:
    """The size of a minibatch after so many samples."""
    return int(size[samples] if hasattr(size, "__getitem__") else size)
