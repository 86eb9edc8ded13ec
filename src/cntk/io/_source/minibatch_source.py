"""`MinibatchSource`: minibatches of the sequences of one or more deserializers.

The order is reproducible. This module checks options and turns arrays into `MinibatchData`; which
sequences a minibatch has is decided in `cntk.io._sampling`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NoReturn

import numpy as np
import torch
from torch import Tensor

from cntk._arguments import as_bool, as_flag, as_integer, shown
from cntk._runtime.layout.layout import Layout
from cntk._runtime.numpy_tensors import tensor_of
from cntk._runtime.sparse import SparseRows
from cntk._runtime.transfer import to_device
from cntk.core import Value
from cntk.device import DeviceDescriptor, torch_device
from cntk.errors import ArgumentError, DataError
from cntk.io._corpus.chunk import Frames, SparseFrames, take
from cntk.io._corpus.streams import StreamInformation
from cntk.io._corpus.user_deserializer import UserChunks
from cntk.io._sampling.reading import CatalogReading, Limits, Read, Reading
from cntk.io._sampling.shuffle import Window
from cntk.io._sampling.timeline import Request
from cntk.io._sampling.truncated import TruncatedReading
from cntk.io._sampling.user_reading import WindowReading
from cntk.io._source.minibatch import MinibatchData
from cntk.variables import Record

INFINITELY_REPEAT = 2**64 - 1
FULL_DATA_SWEEP = 2**64 - 2
DEFAULT_RANDOMIZATION_WINDOW_IN_CHUNKS = 128
_MOST_THREADS = 4


class MinibatchSource:
    """Source of minibatches, read from one or more deserializers.

    Args:
        deserializers: where the data are: one, or several whose sequences are joined by their ids.
        max_samples: how many samples to read in all; `INFINITELY_REPEAT` for no end,
            `FULL_DATA_SWEEP` for one sweep.
        max_sweeps: how many times to go through the data; not together with ``max_samples``.
        randomization_window_in_chunks: size of the shuffle window in chunks.
        randomization_window_in_samples: the same in samples; then the one in chunks must be 0.
        randomization_seed: seed of the first sweep; each further sweep adds one.
        trace_level: accepted for old programs; malformed data raise an error, nothing is logged.
        multithreaded_deserializer: whether to read with several threads, as is the default. The
            minibatches are the same.
        frame_mode: whether each frame of speech is a sequence by itself; the sequences of all
            other streams must then be a single sample.
        truncation_length: how many frames of a sequence to read at a time, 0 for all (truncated
            backpropagation through time). A minibatch then has segments of several sequences, and
            each segment goes on where that sequence stopped in the minibatch before.
        randomize: whether to shuffle; if not, sequences come in the order of the file.
        max_errors: how many malformed sequences of speech, or images that cannot be read, to skip
            in all; other malformed data are always an error, as in the original.

    Raises:
        ValueError: if options contradict each other, or a file cannot be read.

    Example:
        >>> import os, tempfile
        >>> from cntk.io import CTFDeserializer, StreamDef, StreamDefs
        >>> with tempfile.NamedTemporaryFile("w", suffix=".ctf", delete=False) as file:
        ...     print("|x 1 2 |y 0", "|x 3 4 |y 1", "|x 5 6 |y 0", sep=chr(10), file=file)
        >>> streams = StreamDefs(x=StreamDef("x", 2), y=StreamDef("y", 1))
        >>> source = MinibatchSource(
        ...     CTFDeserializer(file.name, streams), randomize=False, max_sweeps=1
        ... )
        >>> while minibatch := source.next_minibatch(2):
        ...     print(
        ...         minibatch[source.streams.x].asarray().tolist(),
        ...         minibatch[source.streams.x].end_of_sweep,
        ...     )
        [[[1.0, 2.0]], [[3.0, 4.0]]] False
        [[[5.0, 6.0]]] True
        >>> os.remove(file.name)
    """

    _bucket = 0

    infinitely_repeat, full_data_sweep = INFINITELY_REPEAT, FULL_DATA_SWEEP
    default_randomization_window_in_chunks = DEFAULT_RANDOMIZATION_WINDOW_IN_CHUNKS

    def __init__(
        self,
        deserializers: Any,
        max_samples: int = INFINITELY_REPEAT,
        max_sweeps: int = INFINITELY_REPEAT,
        randomization_window_in_chunks: int = DEFAULT_RANDOMIZATION_WINDOW_IN_CHUNKS,
        randomization_window_in_samples: int = 0,
        randomization_seed: int = 0,
        trace_level: Any = 1,
        multithreaded_deserializer: bool | None = None,
        frame_mode: bool = False,
        truncation_length: int = 0,
        randomize: bool = True,
        max_errors: int = 0,
    ) -> None:
        max_samples = _integer(max_samples, "max_samples", least=1)
        max_sweeps = _integer(max_sweeps, "max_sweeps")
        frame_mode = as_bool(frame_mode, "MinibatchSource: frame_mode")
        truncation_length = _integer(truncation_length, "truncation_length", most=2**31 - 1)
        randomization_seed = _integer(randomization_seed, "randomization_seed")
        max_errors = _integer(max_errors, "max_errors")
        _integer(trace_level, "trace_level")
        if multithreaded_deserializer is not None:
            as_bool(multithreaded_deserializer, "MinibatchSource: multithreaded_deserializer")
        _check_options(max_samples, max_sweeps, frame_mode, truncation_length)
        window = _window(
            as_flag(randomize, "MinibatchSource: randomize"),
            _integer(randomization_window_in_chunks, "randomization_window_in_chunks"),
            _integer(randomization_window_in_samples, "randomization_window_in_samples"),
        )
        sources = (
            list(deserializers) if isinstance(deserializers, (list, tuple)) else [deserializers]
        )
        threads = (
            1 if multithreaded_deserializer is False else min(os.cpu_count() or 1, _MOST_THREADS)
        )
        sweeps = 1 if max_samples == FULL_DATA_SWEEP else max_sweeps
        limits = Limits(
            None if max_samples in (INFINITELY_REPEAT, FULL_DATA_SWEEP) else max_samples,
            None if sweeps in (INFINITELY_REPEAT, FULL_DATA_SWEEP) else sweeps,
        )
        corpora = self._corpora = _open(sources, threads)
        self._reading: Reading
        if len(corpora) == 1 and isinstance(corpora[0], UserChunks):
            if truncation_length:
                raise DataError(
                    "MinibatchSource: truncation_length is not supported where a user-defined "
                    "deserializer is the only one"
                )
            self._reading = WindowReading(
                corpora[0], window, randomization_seed, limits, frame_mode, self._bucket
            )
        else:
            makers = 0 if multithreaded_deserializer is False else os.cpu_count() or 1
            whole = CatalogReading(
                corpora,
                window,
                randomization_seed,
                limits,
                self._bucket,
                frame_mode,
                max_errors,
                makers,
            )
            self._reading = (
                TruncatedReading(whole, truncation_length) if truncation_length else whole
            )
        self._streams = {s.name: s for s in self._reading.streams}

    # -- streams -----------------------------------------------------------------------------------

    @property
    def streams(self) -> Record:
        """The streams by name, as attributes."""
        return Record(**self._streams)

    def stream_infos(self) -> list[StreamInformation]:
        """Return all streams."""
        return list(self._streams.values())

    def stream_info(self, name: str) -> StreamInformation:
        """Return the stream of a name.

        Raises:
            DataError: if no stream has this name.
        """
        if not isinstance(name, str) or name not in self._streams:
            known = ", ".join(self._streams)
            raise DataError(f"MinibatchSource: no stream is named {name!r}; there are: {known}")
        return self._streams[name]

    def __getitem__(self, name: str) -> StreamInformation:
        return self.stream_info(name)

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError(
            "MinibatchSource: a source cannot be copied or pickled; for another process, hand over "
            "its deserializers and the state of get_checkpoint_state(), and make a source there"
        )

    # -- minibatches -------------------------------------------------------------------------------

    def next_minibatch(
        self,
        minibatch_size_in_samples: int,
        input_map: Mapping[Any, StreamInformation] | None = None,
        device: DeviceDescriptor | None = None,
        num_data_partitions: int | None = None,
        partition_index: int | None = None,
    ) -> dict[Any, MinibatchData]:
        """Return the next minibatch.

        Args:
            minibatch_size_in_samples: the most samples it may have. A sequence counts as many
                samples as its longest stream has. A sequence longer than that comes alone.
            input_map: a stream for each variable, or for any other key; by default each stream is
                its own key.
            device: where to put the data.
            num_data_partitions: number of workers that share the data. Each gets its own
                sequences, and its part of the size.
            partition_index: index of this worker.

        Returns:
            `MinibatchData` for each key; an empty dictionary at the end of the data.

        Raises:
            ValueError: if the size is not positive, or the data are malformed.
        """
        request = _request(minibatch_size_in_samples, num_data_partitions, partition_index)
        streams_by_key = (
            self._check_input_map(input_map)
            if _has_entries(input_map)
            else {s: s for s in self._streams.values()}
        )
        read = self._reading.next(request, {s.name for s in streams_by_key.values()})
        if not read.parts:
            return {}
        target = torch_device(device)
        minibatches: dict[str, MinibatchData] = {}
        for name, chunks in read.parts.items():
            minibatches[name] = _minibatch(self._streams[name], *take(chunks), read, target)
        return {key: minibatches[stream.name] for key, stream in streams_by_key.items()}

    def _check_input_map(self, input_map: Any) -> dict[Any, StreamInformation]:
        if not isinstance(input_map, Mapping):
            raise ArgumentError(
                f"next_minibatch: input_map: expected a dictionary of streams by variable, got "
                f"{shown(input_map)}"
            )
        for key, stream in input_map.items():
            if not isinstance(stream, StreamInformation) or stream.name not in self._streams:
                known = ", ".join(self._streams)
                raise KeyError(
                    f"next_minibatch: {stream!r}, given for {key!r}, is not a stream of this "
                    f"source; its streams are: {known}"
                )
        return dict(input_map)

    # -- position ----------------------------------------------------------------------------------

    def is_infinite(self) -> bool:
        """Return whether there is always a next minibatch."""
        return self._reading.is_infinite

    @property
    def current_position(self) -> dict[str, int]:
        """Number of samples read so far, as a checkpoint state; it can be set to such a state."""
        return self.get_checkpoint_state()

    @current_position.setter
    def current_position(self, position: Mapping[str, int]) -> None:
        self.restore_from_checkpoint(position)

    def get_checkpoint_state(self) -> dict[str, int]:
        """Return the state from which `restore_from_checkpoint` goes on, in any process."""
        return self._reading.state()

    def restore_from_checkpoint(self, checkpoint: Mapping[str, int]) -> None:
        """Go on from a state that `get_checkpoint_state` returned.

        Raises:
            ValueError: if ``checkpoint`` is not such a state.
        """
        self._reading.restore(checkpoint)


def _open(deserializers: list[Any], threads: int) -> list[Any]:
    """Open deserializers as corpora; one deserializer may have several.

    Raises:
        DataError: if there is no deserializer.
        ArgumentError: if an entry is not a deserializer.
    """
    if not deserializers:
        raise DataError(
            "MinibatchSource: expected at least one deserializer, such as CTFDeserializer(...), "
            "got none"
        )
    for deserializer in deserializers:
        if not callable(getattr(deserializer, "open", None)):
            raise ArgumentError(
                f"MinibatchSource: expected a deserializer such as CTFDeserializer(...), got "
                f"{shown(deserializer)}"
            )
    opened = [d.open(threads) for d in deserializers]
    return [
        c for corpora in opened for c in (corpora if isinstance(corpora, tuple) else (corpora,))
    ]


def _integer(value: Any, name: str, least: int = 0, most: int = INFINITELY_REPEAT) -> int:
    return as_integer(value, f"MinibatchSource: {name}", least=least, most=most)


def _has_entries(input_map: Any) -> bool:
    """Return False for None and empty maps, which mean all streams, as in the original."""
    return isinstance(input_map, np.ndarray) or bool(input_map)


def _check_options(
    max_samples: int, max_sweeps: int, frame_mode: bool, truncation_length: int
) -> None:
    if (
        max_samples != INFINITELY_REPEAT
        and max_sweeps != INFINITELY_REPEAT
        and max_samples != FULL_DATA_SWEEP
    ):
        raise DataError(
            "MinibatchSource: max_samples and max_sweeps exclude each other; give one of them"
        )
    if frame_mode and truncation_length:
        raise DataError(
            "MinibatchSource: frame_mode and truncation_length exclude each other; give one of them"
        )


def _window(randomize: bool, chunks: int, samples: int) -> Window | None:
    if not randomize or not (chunks or samples):
        return None
    if chunks and samples:
        raise DataError(
            f"MinibatchSource: the randomization window is given both in chunks and in samples; "
            f"set one of them to 0 (randomization_window_in_chunks is {chunks}, "
            f"randomization_window_in_samples {samples})"
        )
    return Window(samples, in_samples=True) if samples else Window(chunks)


def _request(size: Any, workers: int | None, rank: int | None) -> Request:
    if type(size) is int and 0 < size < 2**62 and workers is None and rank is None:
        return Request(size, 1, 0)  # the common case, by the shortest way
    if not isinstance(size, (int, np.integer)) or isinstance(size, bool):
        raise ArgumentError(
            f"next_minibatch: the minibatch size must be an integer, got {shown(size)}"
        )
    as_integer(size, "next_minibatch: minibatch_size_in_samples", most=INFINITELY_REPEAT)
    if size <= 0:
        raise ValueError(f"next_minibatch: the minibatch size must be positive, got {size}")
    workers = (
        1
        if workers is None
        else as_integer(workers, "next_minibatch: num_data_partitions", most=2**31 - 1)
    )
    rank = 0 if rank is None else as_integer(rank, "next_minibatch: partition_index")
    if workers < 1 or not 0 <= rank < workers:
        raise ValueError(
            f"next_minibatch: partition_index {rank} is out of range for {workers} data partitions"
        )
    return Request(min(int(size), 2**62), workers, rank)


def _minibatch(
    stream: StreamInformation, frames: Frames, lengths: np.ndarray, read: Read, device: torch.device
) -> MinibatchData:
    layout = Layout(lengths.tolist(), read.starts, device, read.origins)
    # Images that no transform scales keep the size that they have in their files.
    shape = (
        frames.shape[1:]
        if isinstance(frames, np.ndarray) and min(stream.sample_shape) < 0
        else stream.sample_shape
    )
    value = Value.of(_rows(frames, stream.width, device), layout, shape)
    return MinibatchData.of(value, len(lengths), layout.frames, bool(read.ends_sweep))


def _rows(frames: Frames, width: int, device: torch.device) -> Tensor | SparseRows:
    if isinstance(frames, SparseFrames):
        one_hot = frames.one_hot or frames.checked().one_hot
        arrays = (frames.offsets, frames.columns, frames.values)
        offsets, columns, values = map(_tensor, arrays)
        return SparseRows(offsets, columns, values, width, one_hot).to(device)
    return to_device(_tensor(frames), device)


def _tensor(array: np.ndarray) -> Tensor:
    return tensor_of(np.ascontiguousarray(array))
