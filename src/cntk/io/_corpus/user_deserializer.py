"""`UserDeserializer`, the base of user-defined deserializers, and the check of what they return."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from cntk._arguments import shown
from cntk._wording import shape_text
from cntk.errors import DataError
from cntk.io._corpus.chunk import ChunkInfo, Frames, SparseFrames, StreamChunk, joined
from cntk.io._corpus.streams import StreamInformation, stream_list


class UserDeserializer:
    """Base class of user-defined deserializers.

    Override `stream_infos`, `num_chunks` and `get_chunk`. A source calls `get_chunk` when it needs
    a chunk, and may call it again in each sweep. A source that joins this deserializer with others
    (an addition; the original cannot) gets every chunk once before it begins, to know the lengths
    of sequences; the key of a sequence is then its index.

    Example:
        >>> from cntk.io import MinibatchSource
        >>> class Squares(UserDeserializer):
        ...     def stream_infos(self):
        ...         return [StreamInformation("square", 0, "dense", np.float32, (1,))]
        ...
        ...     def num_chunks(self):
        ...         return 2
        ...
        ...     def get_chunk(self, chunk_id):
        ...         return {
        ...             "square": np.arange(3 * chunk_id, 3 * chunk_id + 3, dtype=np.float32)[
        ...                 :, None
        ...             ]
        ...             ** 2
        ...         }
        >>> source = MinibatchSource(Squares(), randomize=False)
        >>> source.next_minibatch(4)[source.streams.square].asarray().ravel().tolist()
        [0.0, 1.0, 4.0, 9.0]
    """

    _ends_sweeps_late = True

    def __init__(self) -> None:
        pass

    def stream_infos(self) -> list[StreamInformation]:
        """Return all streams; to be overridden."""
        raise NotImplementedError(
            f"{type(self).__name__} must override stream_infos, to give a list of StreamInformation"
        )

    def num_chunks(self) -> int:
        """Return the number of chunks; to be overridden."""
        raise NotImplementedError(f"{type(self).__name__} must override num_chunks")

    def get_chunk(self, chunk_id: int) -> Mapping[str, Any]:
        """Return a chunk; to be overridden.

        Args:
            chunk_id: index of the chunk.

        Returns:
            For each stream's name its sequences: an array ``[n, *shape]`` or a CSR matrix ``[n,
            width]`` of single samples, an array ``[n, length, *shape]``, or a list of sequences
            (arrays ``[length, *shape]`` or ``shape``, or CSR matrices ``[length, width]``). All
            streams have the same number of sequences.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must override get_chunk, to give a dictionary of sequences"
        )

    def _place_of_chunk(self, chunk_id: int) -> str:
        """Return the name of a chunk in errors."""
        return f"{type(self).__name__}.get_chunk({chunk_id})"

    def open(self, threads: int = 1) -> UserChunks:
        """Return the chunks as a corpus, which a minibatch source reads."""
        return UserChunks(self, self._ends_sweeps_late)


class UserChunks:
    """Corpus of a user-defined deserializer.

    Args:
        owner: the deserializer.
        ends_sweeps_late: whether a minibatch that is full with the last sequence of a sweep does
            not end the sweep, so that the next one does. The original does so for user-defined
            deserializers only.
    """

    def __init__(self, owner: UserDeserializer, ends_sweeps_late: bool = True) -> None:
        self._owner = owner
        self.ends_sweeps_late = ends_sweeps_late
        self.name = type(owner).__name__
        self.streams: tuple[StreamInformation, ...] = tuple(
            stream_list(owner.stream_infos(), self.name)
        )
        count = owner.num_chunks()
        if not isinstance(count, (int, float, np.number)) or not 1 <= count < 2**31:
            raise DataError(f"{self.name}.num_chunks: expected 1 or more, got {shown(count)}")
        self.count = int(count)

    @cached_property
    def chunks(self) -> list[ChunkInfo]:
        """Index of each chunk. All chunks are read."""
        infos, first = [], 0
        for k in range(self.count):
            lengths = self.lengths(self.load(k))
            infos.append(ChunkInfo(np.arange(first, first + len(lengths)), lengths))
            first += len(lengths)
        return infos

    def lengths(self, chunk: tuple[StreamChunk, ...]) -> np.ndarray:
        """Return the number of samples that each sequence counts, int64 ``[sequences]``."""
        defining = [k for k, s in enumerate(self.streams) if s.defines_mb_size] or range(len(chunk))
        counted: np.ndarray = np.max([np.diff(chunk[k].ends) for k in defining], axis=0)
        return counted

    def load(self, chunk: int) -> tuple[StreamChunk, ...]:
        """Get a chunk from the deserializer and check it.

        Raises:
            DataError: if its sequences do not fit the streams.
        """
        where = self._owner._place_of_chunk(chunk)
        sequences = self._owner.get_chunk(chunk)
        if not isinstance(sequences, Mapping):
            raise DataError(
                f"{where}: expected a dictionary name=sequences, got {type(sequences).__name__}"
            )
        names = [s.name for s in self.streams]
        if set(sequences) != set(names):
            raise DataError(
                f"{where}: expected the streams {', '.join(names)}, got "
                f"{', '.join(map(str, sequences))}"
            )
        parts = tuple(
            _part(f"{where}, stream '{s.name}'", sequences[s.name], s) for s in self.streams
        )
        counts = {name: len(p.ends) - 1 for name, p in zip(names, parts, strict=True)}
        if len(set(counts.values())) != 1:
            raise DataError(
                f"{where}: all streams must have the same number of sequences, got {counts}"
            )
        return parts


def _part(where: str, data: Any, stream: StreamInformation) -> StreamChunk:
    """Convert the sequences of one stream to a chunk."""
    if stream.is_sparse:
        return _sparse(where, data, stream)
    if isinstance(data, np.ndarray) and data.dtype != object:
        rank = len(stream.sample_shape)
        is_sequences = data.ndim == rank + 2
        if data.ndim not in (rank + 1, rank + 2):
            raise DataError(
                f"{where}: expected samples of shape {shape_text(stream.sample_shape)}, one or "
                f"more of them for each sequence, got an array {shape_text(data.shape)}"
            )
        _check(where, data.shape[data.ndim - rank :], stream)
        frames = _numbers(where, data, stream)
        if is_sequences:
            frames = frames.reshape(-1, *stream.sample_shape)
        return _chunk(
            where, frames, np.full(len(data), data.shape[1] if is_sequences else 1, np.int64)
        )
    sequences = _listed(where, data)
    shape = stream.sample_shape
    arrays = [_numbers(where, np.asarray(s), stream) for s in sequences]
    arrays = [a[None] if a.shape == shape else a for a in arrays]
    for array in arrays:
        _check(where, array.shape[1:] if array.ndim == len(shape) + 1 else array.shape, stream)
    frames = np.concatenate(arrays) if arrays else np.zeros((0, *shape), stream.dtype)
    return _chunk(where, frames, np.array([len(a) for a in arrays], np.int64))


def _listed(where: str, data: Any) -> Sequence[Any]:
    if isinstance(data, (list, tuple, np.ndarray)):
        return list(data)
    raise DataError(
        f"{where}: expected an array, a CSR matrix or a list of these, got {type(data).__name__}"
    )


def _numbers(where: str, data: np.ndarray, stream: StreamInformation) -> np.ndarray:
    if data.dtype.kind not in "fiub":
        raise DataError(f"{where}: expected real numbers, got {data.dtype}")
    return np.asarray(data, stream.dtype)


def _check(where: str, shape: tuple[int, ...], stream: StreamInformation) -> None:
    if shape != stream.sample_shape:
        raise DataError(
            f"{where}: expected samples of shape {shape_text(stream.sample_shape)}, got "
            f"{shape_text(shape)}"
        )


def _chunk(where: str, frames: Frames, lengths: np.ndarray) -> StreamChunk:
    if not lengths.all():
        raise DataError(f"{where}: sequence {int(np.flatnonzero(lengths == 0)[0])} has no samples")
    return StreamChunk(frames, np.concatenate([[0], np.cumsum(lengths)]))


def _sparse(where: str, data: Any, stream: StreamInformation) -> StreamChunk:
    matrices = [data] if hasattr(data, "tocsr") else _listed(where, data)
    rows: list[Frames] = []
    for matrix in matrices:
        if not hasattr(matrix, "tocsr"):
            raise DataError(
                f"{where}: expected a CSR matrix for a sparse stream, got {type(matrix).__name__}"
            )
        if matrix.shape[1] != stream.width:
            raise DataError(f"{where}: expected {stream.width} columns, got {matrix.shape[1]}")
        csr = matrix.tocsr()
        values = _numbers(where, csr.data, stream)
        rows.append(SparseFrames(csr.indptr.astype(np.int64), csr.indices.astype(np.int64), values))
    empty = SparseFrames(np.zeros(1, np.int64), np.zeros(0, np.int64), np.zeros(0, stream.dtype))
    frames = joined(rows) if rows else empty
    lengths = (
        np.ones(len(frames), np.int64)
        if hasattr(data, "tocsr")
        else np.array([len(r) for r in rows], np.int64)
    )
    return _chunk(where, frames, lengths)
