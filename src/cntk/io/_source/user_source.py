"""`UserMinibatchSource`, the base of user-defined sources, and a source for arrays in memory."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from cntk._arguments import as_integer, as_real, shown
from cntk._graph.types import BATCH_AXIS
from cntk._runtime.layout.layout import Layout
from cntk._runtime.numpy_tensors import tensor_of
from cntk._runtime.sparse import SparseRows
from cntk._runtime.transfer import to_device
from cntk.core import Value
from cntk.device import DeviceDescriptor, torch_device
from cntk.errors import ArgumentError, CheckpointStateError, DataError, RangeError, SettingError
from cntk.io._corpus.chunk import ends_of
from cntk.io._corpus.streams import StreamInformation, stream_list
from cntk.io._source.minibatch import MinibatchData
from cntk.io._source.minibatch_source import FULL_DATA_SWEEP, INFINITELY_REPEAT
from cntk.layers.typing import ArgumentType
from cntk.ops import input_variable
from cntk.variables import Record


class UserMinibatchSource:
    """Base class of user-defined minibatch sources: override `stream_infos` and `next_minibatch`.

    Example:
        >>> class Ones(UserMinibatchSource):
        ...     def stream_infos(self):
        ...         return [StreamInformation("ones", 0, "dense", np.float32, (2,))]
        ...
        ...     def next_minibatch(self, num_samples, number_of_workers, worker_rank, device=None):
        ...         value = Value(np.ones((num_samples, 2), np.float32))
        ...         return {
        ...             self.streams.ones: MinibatchData(value, num_samples, num_samples, False)
        ...         }
        >>> source = Ones()
        >>> source.next_minibatch(3, 1, 0)[source.streams.ones].shape
        (3, 2)
    """

    def __init__(self) -> None:
        infos = stream_list(self.stream_infos(), type(self).__name__)
        self._stream_infos = {info.name: info for info in infos}

    def stream_infos(self) -> list[StreamInformation]:
        """Return all streams; to be overridden."""
        raise NotImplementedError(
            f"{type(self).__name__} must override stream_infos, to give a list of StreamInformation"
        )

    def next_minibatch(
        self,
        num_samples: int,
        number_of_workers: int,
        worker_rank: int,
        device: DeviceDescriptor | None = None,
    ) -> dict[StreamInformation, MinibatchData]:
        """Return the next minibatch; to be overridden.

        Args:
            num_samples: the most samples it may have.
            number_of_workers: number of workers that share the data.
            worker_rank: index of this worker.
            device: where to put the data.

        Returns:
            `MinibatchData` for each stream; an empty dictionary at the end of the data.
        """
        raise NotImplementedError(f"{type(self).__name__} must override next_minibatch")

    def is_infinite(self) -> bool:
        """Return whether there is always a next minibatch."""
        return False

    @property
    def streams(self) -> Record:
        """The streams by name, as attributes."""
        return Record(**self._stream_infos)

    def stream_info(self, name: str) -> StreamInformation:
        """Return the stream of a name.

        Raises:
            DataError: if no stream has this name.
        """
        if not isinstance(name, str) or name not in self._stream_infos:
            known = ", ".join(self._stream_infos)
            raise DataError(
                f"{type(self).__name__}: no stream is named {name!r}; there are: {known}"
            )
        return self._stream_infos[name]

    def __getitem__(self, name: str) -> StreamInformation:
        return self.stream_info(name)

    def get_checkpoint_state(self) -> dict[str, Any]:
        """Return the state to go on from; to be overridden by sources that support checkpoints."""
        return {}

    def restore_from_checkpoint(self, state: Mapping[str, Any]) -> None:
        """Go on from a state that `get_checkpoint_state` returned.

        To be overridden by sources that support checkpoints.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must override restore_from_checkpoint and get_checkpoint_state "
            f"to go on from checkpoints"
        )


class MinibatchSourceFromData(UserMinibatchSource):
    """Minibatch source of arrays in memory, read in their order.

    Args:
        data_streams: for each stream's name an array ``[n, *shape]``, a CSR matrix, a `Value`, or a
            pair of data and their type, such as ``Sequence[Tensor[3]]``: these may also be a list
            of samples or of sequences (arrays ``[length, *shape]`` or CSR matrices).
        max_samples: how many samples to read in all; `INFINITELY_REPEAT` for no end,
            `FULL_DATA_SWEEP` for one sweep.

    Raises:
        ValueError: if there are no streams.
        TypeError: if a stream has data of another kind, or streams differ in length.

    Example:
        >>> source = MinibatchSourceFromData(dict(x=np.eye(3, dtype=np.float32)))
        >>> [source.next_minibatch(2)[source.streams.x].num_samples for _ in range(3)]
        [2, 1, 2]
    """

    def __init__(
        self, data_streams: Mapping[str, Any], max_samples: int = INFINITELY_REPEAT
    ) -> None:
        if not isinstance(data_streams, Mapping):
            raise ArgumentError(
                f"MinibatchSourceFromData: expected a dictionary name=data, got "
                f"{type(data_streams).__name__}"
            )
        if not data_streams:
            raise ValueError(
                "MinibatchSourceFromData: at least one stream must be given, as name=data or "
                "name=(data, type)"
            )
        self._data = {
            name: _StreamData(name, k, data) for k, (name, data) in enumerate(data_streams.items())
        }
        counts = {name: len(d) for name, d in self._data.items()}
        if len(set(counts.values())) != 1:
            raise TypeError(
                f"MinibatchSourceFromData: all streams must have the same number of items, got "
                f"{counts}"
            )
        lengths = {name: d.lengths() for name, d in self._data.items()}
        self._sweep_size = int(np.max(list(lengths.values()), axis=0).sum())
        self._count = next(iter(counts.values()))
        if not self._count:
            raise ValueError("MinibatchSourceFromData: the data are empty")
        # Offsets: samples of each stream before each item, and at the end the number of all.
        self._ends = {name: ends_of(n) for name, n in lengths.items()}
        if math.isnan(as_real(max_samples, "MinibatchSourceFromData: max_samples", finite=False)):
            raise SettingError("MinibatchSourceFromData: max_samples: expected a number, got nan")
        self._max_samples = self._sweep_size if max_samples == FULL_DATA_SWEEP else max_samples
        self._cursor = 0
        self._total = 0
        super().__init__()

    def stream_infos(self) -> list[StreamInformation]:
        """Return all streams."""
        return [d.info for d in self._data.values()]

    def is_infinite(self) -> bool:
        """Return False, as in the original even where there is no limit; see `repeats`."""
        return False

    @property
    def repeats(self) -> bool:
        """True if there is always a next minibatch."""
        return self._max_samples == INFINITELY_REPEAT

    @property
    def sweep_size(self) -> int:
        """Number of samples of the data; a sequence counts those of its longest stream."""
        return self._sweep_size

    def next_minibatch(
        self,
        num_samples: int,
        number_of_workers: int = 1,
        worker_rank: int = 0,
        device: DeviceDescriptor | None = None,
    ) -> dict[StreamInformation, MinibatchData]:
        """Return the next minibatch; it never reaches beyond the end of a sweep.

        Args:
            num_samples: the most samples it may have of each stream. A minibatch has at least one
                sequence, and each with all its samples.
            number_of_workers: number n of workers, of which each gets every nth item. The data are
                this worker's; the minibatch's counts of sequences and samples are those of all.
            worker_rank: index of this worker.
            device: where to put the data.

        Raises:
            ValueError: if ``num_samples`` is not positive, or too small for this worker to get a
                sequence.
        """
        if isinstance(num_samples, float) and num_samples == math.inf:
            num_samples = INFINITELY_REPEAT
        num_samples = as_integer(num_samples, "next_minibatch: num_samples")
        if num_samples <= 0:
            raise RangeError(
                f"next_minibatch: the minibatch size must be positive, got {num_samples}"
            )
        number_of_workers = as_integer(
            number_of_workers, "next_minibatch: number_of_workers", least=1, most=2**31 - 1
        )
        worker_rank = as_integer(
            worker_rank, "next_minibatch: worker_rank", least=0, most=2**31 - 1
        )
        left = self._max_samples - self._total
        if left <= 0:
            return {}
        begin, end = self._cursor, self._reach(min(num_samples, left))
        # As in the original, a worker's range is shifted by its rank at both ends, so that it
        # overlaps with what another worker reads.
        items = range(begin + worker_rank, min(end + worker_rank, self._count), number_of_workers)
        if not items and any(d.is_sequence for d in self._data.values()):
            raise DataError(
                f"next_minibatch: {end - begin} sequences are left or fit into {num_samples} "
                f"samples, which are too few for {number_of_workers} workers; give a larger "
                f"minibatch size"
            )
        counts = {name: int(ends[end] - ends[begin]) for name, ends in self._ends.items()}
        at_end = end == self._count
        self._cursor = 0 if at_end else end
        self._total += max(counts.values())
        ends_sweep = at_end or self._total >= self._max_samples
        minibatch = {}
        for name, data in self._data.items():
            value = data.minibatch(
                slice(items.start, max(items.stop, items.start), items.step), ends_sweep, device
            ).data
            minibatch[data.info] = MinibatchData(value, end - begin, counts[name], ends_sweep)
        return minibatch

    def _reach(self, room: int) -> int:
        """Return the end (exclusive) of a minibatch of at most ``room`` samples of each stream.

        It has at least one item.
        """
        if self._sweep_size == self._count:  # each item is one sample
            return min(self._cursor + room, self._count)
        reach = [
            int(np.searchsorted(ends, ends[self._cursor] + room, side="right")) - 1
            for ends in self._ends.values()
        ]
        return max(min(reach), self._cursor + 1)

    def get_checkpoint_state(self) -> dict[str, int]:
        """Return the state from which `restore_from_checkpoint` goes on."""
        return {"cursor": self._cursor, "total_num_samples": self._total}

    def restore_from_checkpoint(self, checkpoint: Mapping[str, Any]) -> None:
        """Go on from a state that `get_checkpoint_state` returned.

        Raises:
            CheckpointStateError: if ``checkpoint`` is not such a state. It is a KeyError,
                TypeError, ValueError and RuntimeError.
        """
        what = "MinibatchSourceFromData: restore_from_checkpoint"
        if not isinstance(checkpoint, Mapping) or not {"cursor", "total_num_samples"} <= set(
            checkpoint
        ):
            raise CheckpointStateError(
                f"{what}: expected what get_checkpoint_state() gave, with cursor and "
                f"total_num_samples, got {shown(checkpoint)}"
            )
        cursor = as_integer(checkpoint["cursor"], f"{what}: cursor", least=0, most=self._count)
        self._total = as_integer(
            checkpoint["total_num_samples"], f"{what}: total_num_samples", least=0
        )
        self._cursor = cursor


def _is_sparse(data: Any) -> bool:
    return data.is_sparse if isinstance(data, Value) else hasattr(data, "tocsr")


def _share_memory(data: Any, dtype: np.dtype[Any]) -> torch.Tensor | None:
    """Return an array as a tensor in the same memory, so that minibatches are views of it.

    None if dtype or strides do not allow it.
    """
    fits = (
        isinstance(data, np.ndarray) and data.dtype == dtype and data.flags.writeable and data.ndim
    )
    return tensor_of(data) if fits and all(step >= 0 for step in data.strides) else None


def _select_items(value: Value, items: range) -> Value:
    """Return some samples or sequences of a value, by their indices."""
    rows, layout = value.rows, value.layout
    indices = np.arange(items.start, items.stop, items.step)
    if layout is not None:
        lengths = np.array(layout.lengths)[indices]
        begins = np.concatenate([[0], np.cumsum(layout.lengths)])[indices]
        # For each frame: its sequence's first index in the source less that in the result.
        indices = np.repeat(begins - (np.cumsum(lengths) - lengths), lengths) + np.arange(
            lengths.sum()
        )
        layout = Layout(
            lengths.tolist(),
            device=rows.values.device if isinstance(rows, SparseRows) else rows.device,
        )
        shape = value.shape[2:]
    else:
        shape = (len(items), *value.shape[1:])
    if isinstance(rows, SparseRows):
        return Value.of(
            rows.select(to_device(tensor_of(indices), rows.values.device)), layout, shape
        )
    return Value.of(rows[to_device(tensor_of(indices), rows.device)], layout, shape)


class _StreamData:
    """Data of one stream in memory."""

    def __init__(self, name: str, number: int, data: Any) -> None:
        data, kind = data if isinstance(data, tuple) and len(data) == 2 else (data, None)
        is_list = isinstance(data, list)
        if not (is_list or isinstance(data, (np.ndarray, Value)) or hasattr(data, "tocsr")):
            raise TypeError(
                f"MinibatchSourceFromData: stream '{name}' must be a NumPy array, a SciPy CSR "
                f"matrix, a Value, or a list of arrays or matrices with its type, got "
                f"{type(data).__name__}"
            )
        if is_list and not isinstance(kind, ArgumentType):
            raise TypeError(
                f"MinibatchSourceFromData: stream '{name}' is a list; give its type too, as in "
                f"{name}=(data, Sequence[Tensor[3]])"
            )
        if kind is not None and not isinstance(kind, ArgumentType):
            raise ArgumentError(
                f"MinibatchSourceFromData: stream '{name}': expected a type such as Tensor[3] or "
                f"Sequence[Tensor[3]] beside the data, got {shown(kind)}"
            )
        self.data = data.tocsr() if hasattr(data, "tocsr") else data
        layout = data.layout if isinstance(data, Value) else None
        is_sparse = _is_sparse(data) if kind is None else kind.is_sparse
        self.is_sequence = layout is not None if kind is None else len(kind.dynamic_axes) > 1
        shape = data.shape[1 if layout is None else 2 :] if kind is None else kind.shape
        first = data[0] if is_list and data else data
        dtype = np.dtype(np.float64 if getattr(first, "dtype", None) == np.float64 else np.float32)
        if kind is not None and kind.dtype is not None:
            dtype = kind.dtype
        self.info = StreamInformation(
            name, number, "sparse" if is_sparse else "dense", dtype, shape
        )
        axes = [BATCH_AXIS] if kind is None else list(kind.dynamic_axes)
        self._variable = input_variable(
            shape, dtype, is_sparse=is_sparse, name=name, dynamic_axes=axes
        )
        self._whole = (
            None if is_sparse or self.is_sequence or not axes else _share_memory(self.data, dtype)
        )

    def __len__(self) -> int:
        return len(self.data) if isinstance(self.data, list) else int(self.data.shape[0])

    def lengths(self) -> np.ndarray:
        """Return the number of samples of each item, int64 ``[items]``."""
        if not self.is_sequence:
            return np.ones(len(self), np.int64)
        if isinstance(self.data, Value):
            layout = self.data.layout
            return np.array(
                layout.lengths if layout else [self.data.shape[1]] * len(self.data), np.int64
            )
        return np.array(
            [item.shape[0] if hasattr(item, "shape") else len(item) for item in self.data], np.int64
        )

    def minibatch(
        self, items: slice, ends_sweep: bool, device: DeviceDescriptor | None
    ) -> MinibatchData:
        """Return some items as the minibatch of this stream."""
        if self._whole is not None:
            rows = self._whole[items]
            target = torch_device(device)
            rows = rows if rows.device == target else to_device(rows, target)
            shape = tuple(rows.shape)
            return MinibatchData(Value.of(rows, None, shape), shape[0], shape[0], ends_sweep)
        if isinstance(self.data, Value):
            value = _select_items(self.data, range(len(self.data))[items])
        else:
            value = Value.create(self._variable, self.data[items], device=device)
        samples = len(value) if value.layout is None else value.layout.frames
        return MinibatchData(value, len(value), samples, ends_sweep)
