"""Minibatches for training: from arrays in memory, or from a minibatch source's streams."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from cntk._arguments import shown
from cntk._graph.function import Function
from cntk._graph.variable import Variable
from cntk.core import NDArrayView, Value
from cntk.device import DeviceDescriptor
from cntk.errors import ArgumentError, FeedError
from cntk.io import (
    MinibatchData,
    MinibatchSourceFromData,
    UserMinibatchSource,
)
from cntk.layers.typing import ArgumentType

__all__ = ["Minibatches", "StreamSource", "size_at", "source_of"]


Minibatches = Iterator[tuple[dict[Variable, Any], bool]]


class StreamSource:
    """Minibatches from a minibatch source's streams.

    Args:
        source: it has ``next_minibatch``.
        streams: which stream belongs to which argument.
        count: number of items, if the source is data in memory; else 0.
    """

    def __init__(self, source: Any, streams: dict[Variable, Any], count: int = 0) -> None:
        self.source, self.streams, self.count = source, streams, count

    def minibatches(
        self,
        size: Any,
        limit: int | None,
        seen: Callable[[], int],
        device: DeviceDescriptor | None = None,
    ) -> Minibatches:
        """Yield minibatches until the source ends or the limit is reached.

        Args:
            size: samples of a minibatch: a number, or a schedule over the samples seen.
            limit: how many samples to go to; None for as far as the source goes.
            seen: returns how many samples have been seen.
            device: where to put the data.

        Yields:
            Data by variable, and whether the minibatch ends a sweep.
        """
        while limit is None or seen() < limit:
            next_size = size_at(size, seen())
            minibatch = self._next(
                next_size if limit is None else min(next_size, limit - seen()), device
            )
            if not minibatch:
                return
            yield minibatch, any(m.sweep_end for m in minibatch.values())

    def is_infinite(self) -> bool:
        """Return whether there is always a next minibatch."""
        # A source of data in memory says False, as the original's does.
        return bool(getattr(self.source, "repeats", False) or self.source.is_infinite())

    def get_checkpoint_state(self) -> dict[str, Any]:
        """Return the source's state."""
        return dict(self.source.get_checkpoint_state())

    def restore_from_checkpoint(self, state: Mapping[str, Any]) -> None:
        """Restore the source's state."""
        self.source.restore_from_checkpoint(state)

    def _next(self, size: int, device: DeviceDescriptor | None) -> dict[Variable, MinibatchData]:
        if isinstance(self.source, UserMinibatchSource):
            data = self.source.next_minibatch(size, 1, 0, device)
            for variable, stream in self.streams.items():
                if data and not (isinstance(stream, Hashable) and stream in data):
                    known = ", ".join(str(getattr(s, "name", s)) for s in data)
                    raise FeedError(
                        f"the minibatch source has no stream {stream!r}, which is to be for "
                        f"{variable!r}; it has {known}"
                    )
            return {v: data[s] for v, s in self.streams.items()} if data else {}
        minibatch: dict[Variable, MinibatchData] = self.source.next_minibatch(
            size, self.streams, device
        )
        return minibatch


def source_of(
    function: Function,
    source: Any,
    streams: Any,
    mapping: Any,
    sweeps: float | None = None,
    method: str = "train",
) -> StreamSource:
    """Return the source of a function's arguments.

    Args:
        function: a criterion.
        source: a minibatch source; or an array, or a tuple of data in the order of the arguments:
            arrays, CSR matrices, `Value` objects, or lists of samples or of sequences.
        streams: a source's streams in the order of the arguments; all that it has if not given.
        mapping: a source's streams by argument, instead.
        sweeps: how often data in memory are gone through; None for without end.
        method: the caller's name, for errors.

    Raises:
        ValueError: if there are not as many streams or data as arguments, or both ``streams`` and
            ``mapping``.
        TypeError: for data of other kinds, or whose numbers of samples differ.
    """
    arguments = function.signature
    if streams is not None and mapping is not None:
        raise ValueError(
            f"{method}: streams and model_inputs_to_streams say the same; give one of them"
        )
    if streams is not None and not hasattr(streams, "__len__"):
        raise FeedError(
            f"{method}: expected streams in the order of the arguments, got {shown(streams)}"
        )
    if streams is not None and len(streams) != len(arguments):
        raise FeedError(
            f"{method}: {function} has {len(arguments)} arguments, and {len(streams)} streams were "
            f"given"
        )
    if not hasattr(source, "next_minibatch"):
        if streams is not None or mapping is not None:
            raise ValueError(
                f"{method}: data that are given directly have no streams; leave out streams and "
                f"mapping"
            )
        return _from_memory(arguments, source, sweeps, method)
    if mapping is None:
        listed = streams if streams is not None else list(getattr(source, "streams", {}).values())
        if len(listed) != len(arguments):
            raise FeedError(
                f"{method}: {function} has {len(arguments)} arguments, and {len(listed)} streams "
                f"were given"
            )
        mapping = dict(zip(arguments, listed, strict=True))
    if not isinstance(mapping, Mapping):
        raise ArgumentError(
            f"{method}: model_inputs_to_streams must be a dictionary, got {shown(mapping)}"
        )
    return StreamSource(source, dict(mapping))


def _from_memory(
    arguments: Sequence[Variable], arrays: Any, sweeps: float | None, method: str
) -> StreamSource:
    """Return a source of data in memory. As in the original, the size of a minibatch of sequences
    counts frames.
    """
    if isinstance(arrays, Iterator):
        arrays = tuple(arrays)
    data = arrays if isinstance(arrays, (tuple, list)) else (arrays,)
    if len(data) != len(arguments):
        raise FeedError(
            f"{method}: to pass data directly in place of a minibatch source, pass a tuple of "
            f"{len(arguments)} arrays, in the order of the arguments of the criterion function; "
            f"you passed {len(data)}"
        )
    names = [f"stream_{number}" for number in range(len(arguments))]
    typed = {
        name: (
            _as_data(each, method),
            ArgumentType(name, v.shape, v.is_sparse, tuple(v.dynamic_axes), v.type_.dtype),
        )
        for name, each, v in zip(names, data, arguments, strict=True)
    }
    source = MinibatchSourceFromData(typed)
    if sweeps is not None:
        source = MinibatchSourceFromData(typed, int(sweeps * source.sweep_size))
    streams = {v: source.streams[name] for v, name in zip(arguments, names, strict=True)}
    first, _ = typed[names[0]]
    return StreamSource(source, streams, first.shape[0] if hasattr(first, "shape") else len(first))


def _as_data(value: Any, method: str) -> Any:
    if hasattr(value, "tocsr"):
        return value.tocsr()
    if isinstance(value, (list, np.ndarray, Value)):
        return value
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, NDArrayView):
        return Value(value)
    if isinstance(value, Mapping) or not hasattr(value, "__len__"):
        raise FeedError(
            f"{method}: expected an array, a CSR matrix, a Value or a list as data, got "
            f"{type(value).__name__}"
        )
    try:
        array = np.asarray(value)
    except ValueError:
        array = np.asarray(None)
    if not array.ndim:
        raise FeedError(
            f"{method}: expected an array, a CSR matrix, a Value or a list as data, got "
            f"{shown(value)}"
        )
    return array


def size_at(size: Any, samples: int) -> int:
    """Return the size of a minibatch after a number of samples."""
    return int(size[samples] if hasattr(size, "__getitem__") else size)
