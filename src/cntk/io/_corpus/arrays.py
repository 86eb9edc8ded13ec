"""`ArrayDeserializer`: arrays in memory, or memory-mapped from files.

An addition: the original reads such data in their order only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from cntk.errors import DataError
from cntk.io._corpus.chunk import ChunkInfo, Frames, SparseFrames, StreamChunk
from cntk.io._corpus.streams import StreamInformation


@dataclass(frozen=True)
class ArrayDeserializer:
    """Deserializer of arrays: in memory, memory-mapped, or CSR matrices.

    Memory-mapped arrays (`numpy.load(file, mmap_mode='r')`, `numpy.memmap`) are read chunk by
    chunk. Any dtype but float64 is converted to float32, a chunk at a time, so that images may be
    stored as bytes. An addition to CNTK.

    Args:
        arrays: for each stream's name its samples: an array ``[samples, *shape]``, an array
            ``[samples]`` of scalars, or a CSR matrix ``[samples, width]``.
        lengths: number of samples of each sequence, int ``[sequences]``; the sequences' samples
            are one after another. An array with as many samples as there are sequences has one
            for each sequence instead. By default every sample is a sequence.
        samples_per_chunk: how many samples are read at once, and shuffled together as a chunk.

    Raises:
        ValueError: if the lengths of arrays contradict each other.

    Example:
        >>> from cntk.io import MinibatchSource
        >>> np.save("frames.npy", np.arange(12, dtype=np.uint8).reshape(6, 2))
        >>> frames = np.load("frames.npy", mmap_mode="r")
        >>> data = ArrayDeserializer(
        ...     dict(frame=frames, label=np.array([0, 1, 1])), lengths=[1, 3, 2]
        ... )
        >>> source = MinibatchSource(data, randomize=False)
        >>> minibatch = source.next_minibatch(4)
        >>> minibatch[source.streams.frame].as_sequences()
        [array([[0., 1.]], dtype=float32), array([[2., 3.], [4., 5.], [6., 7.]], dtype=float32)]
        >>> minibatch[source.streams.label].asarray().ravel().tolist()
        [0.0, 1.0]
    """

    arrays: Mapping[str, Any]
    lengths: Any = None
    samples_per_chunk: int = 1 << 13

    def __post_init__(self) -> None:
        if not isinstance(self.arrays, Mapping) or not self.arrays:
            raise DataError(
                "ArrayDeserializer: expected a dictionary name=array with at least one array"
            )
        if self.samples_per_chunk < 1:
            raise DataError(
                f"ArrayDeserializer: samples_per_chunk must be positive, got "
                f"{self.samples_per_chunk}"
            )

    def open(self, threads: int = 1) -> ArrayCorpus:
        """Return the arrays as a corpus, which a minibatch source reads."""
        return ArrayCorpus(self.arrays, self.lengths, self.samples_per_chunk)


class ArrayCorpus:
    """Corpus of arrays, in chunks of sequences.

    Args:
        arrays: the streams' samples.
        lengths: number of samples of each sequence, or None for one each.
        samples_per_chunk: approximate number of samples of a chunk.
    """

    def __init__(self, arrays: Mapping[str, Any], lengths: Any, samples_per_chunk: int) -> None:
        self._arrays = {name: _as_samples(name, a) for name, a in arrays.items()}
        self.streams = tuple(
            _information(name, k, a) for k, (name, a) in enumerate(self._arrays.items())
        )
        counts = {name: int(a.shape[0]) for name, a in self._arrays.items()}
        self._lengths = (
            np.ones(next(iter(counts.values())), np.int64)
            if lengths is None
            else _as_lengths(lengths)
        )
        total = int(self._lengths.sum())
        for name, count in counts.items():
            if count not in (total, len(self._lengths)):
                raise DataError(
                    f"ArrayDeserializer: '{name}' has {count} samples; expected {total}, as many "
                    f"as the sequences have in all, or {len(self._lengths)}, one for each"
                )
        self._single = {name for name, count in counts.items() if count != total}
        if self._single == set(counts):
            self._lengths = np.ones(len(self._lengths), np.int64)
        if not len(self._lengths):
            raise DataError("ArrayDeserializer: the arrays are empty")
        self._ends = np.concatenate([[0], np.cumsum(self._lengths)])
        # Indices of the sequences with which chunks begin, and at the end their number.
        chunk = self._ends[:-1] // samples_per_chunk
        starts = np.flatnonzero(np.diff(chunk, prepend=-1))
        self._bounds = np.append(starts, len(self._lengths)).tolist()

    @cached_property
    def chunks(self) -> list[ChunkInfo]:
        """The chunks' contents; the key of a sequence is its index."""
        pairs = zip(self._bounds, self._bounds[1:], strict=False)
        return [ChunkInfo(np.arange(a, b), self._lengths[a:b]) for a, b in pairs]

    def load(self, chunk: int) -> tuple[StreamChunk, ...]:
        """Read a chunk."""
        first, last = self._bounds[chunk], self._bounds[chunk + 1]
        parts = []
        for stream in self.streams:
            if stream.name in self._single:
                ends, begin, end = np.arange(last - first + 1), first, last
            else:
                ends = self._ends[first : last + 1] - self._ends[first]
                begin, end = int(self._ends[first]), int(self._ends[last])
            parts.append(StreamChunk(_frames(self._arrays[stream.name][begin:end], stream), ends))
        return tuple(parts)


def _as_samples(name: str, data: Any) -> Any:
    if hasattr(data, "tocsr"):
        return data.tocsr()
    # An ndarray is not copied, so that a memory map stays a memory map.
    try:
        array = data if isinstance(data, np.ndarray) else np.asarray(data)
    except ValueError:
        raise DataError(
            f"ArrayDeserializer: '{name}' is a list of arrays that do not make one; give sequences "
            f"one after another, as np.concatenate(sequences) with lengths=[len(s) for s in "
            f"sequences]"
        ) from None
    if array.ndim == 0 or array.dtype.kind not in "fiub":
        raise DataError(
            f"ArrayDeserializer: '{name}' must be an array [samples, ...] of real numbers, got "
            f"{array.dtype}"
        )
    return array


def _as_lengths(lengths: Any) -> np.ndarray:
    array = np.asarray(lengths)
    if array.ndim != 1 or array.dtype.kind not in "iu" or (array < 1).any():
        raise DataError(
            "ArrayDeserializer: lengths must be positive integers, one for each sequence"
        )
    return array.astype(np.int64)


def _information(name: str, number: int, data: Any) -> StreamInformation:
    shape = tuple(data.shape[1:]) or (1,)
    dtype = np.float64 if data.dtype == np.float64 else np.float32
    return StreamInformation(
        name, number, "sparse" if hasattr(data, "tocsr") else "dense", dtype, shape
    )


def _frames(data: Any, stream: StreamInformation) -> Frames:
    if stream.is_sparse:
        offsets, columns = data.indptr.astype(np.int64), data.indices.astype(np.int64)
        return SparseFrames(offsets, columns, data.data.astype(stream.dtype))
    return np.ascontiguousarray(data, stream.dtype).reshape(-1, *stream.sample_shape)
