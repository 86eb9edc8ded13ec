"""Chunks, the parts in which a corpus is read, and how sequences are gathered from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeAlias, TypeGuard

import numpy as np

from cntk.errors import DataError
from cntk.io._corpus.streams import StreamInformation
from cntk.io._native.loader import compiled_module


@dataclass(frozen=True)
class SparseFrames:
    """Sparse frames in CSR form (compressed sparse rows).

    Attributes:
        offsets: offset of each frame's first entry, int64 ``[frames + 1]``.
        columns: each entry's column, int64 ``[entries]``.
        values: each entry's value ``[entries]``.
        one_hot: whether each frame is known to have one entry, which is 1.
    """

    offsets: np.ndarray
    columns: np.ndarray
    values: np.ndarray
    one_hot: bool = False

    def checked(self) -> SparseFrames:
        """Return the same frames with ``one_hot`` set by looking at them."""
        is_one_hot = (
            len(self.values) == len(self)
            and bool((self.values == 1).all())
            and bool((np.diff(self.offsets) == 1).all())
        )
        return replace(self, one_hot=is_one_hot)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return self.offsets.nbytes + self.columns.nbytes + self.values.nbytes


Frames: TypeAlias = "np.ndarray | SparseFrames"


@dataclass(frozen=True)
class Neighbours:
    """Context window: the frames that a stream has beside each frame.

    Beyond the ends of an utterance its first or last frame is repeated.

    Attributes:
        before: number of frames before each frame.
        after: number of frames after it.
        ends: offset of each utterance in the chunk's frames, int64 ``[utterances + 1]``.
    """

    before: int
    after: int
    ends: np.ndarray

    def of(self, frames: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return some frames with their neighbours, ``[rows, (before + 1 + after) * width]``."""
        utterance = np.searchsorted(self.ends, rows, side="right") - 1
        first, last = self.ends[utterance], self.ends[utterance + 1] - 1
        indices = rows[:, None] + np.arange(-self.before, self.after + 1)
        windows: np.ndarray = frames[np.clip(indices, first[:, None], last[:, None])]
        return windows.reshape(len(rows), -1)


@dataclass(frozen=True)
class StreamChunk:
    """Frames of one stream for all sequences of a chunk.

    Attributes:
        frames: ``[frames, *sample shape]``, or sparse.
        ends: offset of each sequence in the frames, int64 ``[sequences + 1]``.
        neighbours: the context window, if the stream has one; ``frames`` are stored without it.
    """

    frames: Frames
    ends: np.ndarray
    neighbours: Neighbours | None = None

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return int(self.frames.nbytes + self.ends.nbytes)


@dataclass(frozen=True)
class ChunkInfo:
    """Index of a chunk: the keys and lengths of its sequences, known before it is read.

    Attributes:
        keys: keys by which sequences are joined with those of other files, ``[sequences]``.
        lengths: number of samples that each sequence counts in a minibatch, int64
            ``[sequences]``.
        shuffled: numbers of sequences of the parts into which the shuffle divides the chunk,
            int64 ``[parts]``; None for one part.
    """

    keys: np.ndarray
    lengths: np.ndarray
    shuffled: np.ndarray | None = None


class Corpus(Protocol):
    """Opened deserializer: sequences of one or more streams, in chunks."""

    @property
    def streams(self) -> tuple[StreamInformation, ...]:
        """Its streams."""
        ...

    @property
    def chunks(self) -> Sequence[ChunkInfo]:
        """Index of each chunk."""
        ...

    def load(self, chunk: int) -> tuple[StreamChunk, ...]:
        """Read the frames of each stream in a chunk."""
        ...


class FrameCorpus(Corpus, Protocol):
    """Corpus of utterances: sequences of frames, which frame mode reads one by one."""

    @property
    def broadcast(self) -> bool:
        """True if each sequence's only frame is repeated for all frames of the first corpus."""
        ...

    @property
    def indivisible(self) -> str:
        """Reason why frames cannot be read one by one; empty if they can."""
        ...

    @property
    def faults(self) -> Mapping[int, DataError]:
        """Error of each malformed sequence, by its index in the corpus; a source may skip some."""
        ...

    def check_frames(self) -> None:
        """Raise DataError if the files are too small for the frames that they claim to have."""
        ...


class ScatteredCorpus(Corpus, Protocol):
    """Corpus that can also read sequences one by one."""

    @property
    def is_large(self) -> bool:
        """True if chunks would take too much memory, so that sequences are read one by one."""
        ...

    def load_sequences(self, chunk: np.ndarray, number: np.ndarray) -> tuple[StreamChunk, ...]:
        """Read some sequences, in the order of the arguments.

        Args:
            chunk: index of each sequence's chunk.
            number: index of each sequence in its chunk.
        """
        ...


def has_frames(corpus: Corpus) -> TypeGuard[FrameCorpus]:
    """Return whether a corpus is one of utterances.

    The property itself is not read: that could load chunks.
    """
    return "broadcast" in vars(corpus) or hasattr(type(corpus), "broadcast")


class TolerantCorpus(Corpus, Protocol):
    """Corpus that can skip malformed sequences of a chunk."""

    def allow(self, errors: int) -> None:
        """Skip up to so many malformed sequences."""
        ...


def is_tolerant(corpus: Corpus) -> TypeGuard[TolerantCorpus]:
    """Return whether a corpus can skip malformed sequences."""
    return hasattr(type(corpus), "allow")


def is_scattered(corpus: Corpus) -> TypeGuard[ScatteredCorpus]:
    """Return whether sequences of a corpus are read one by one rather than in chunks."""
    return hasattr(type(corpus), "load_sequences") and bool(getattr(corpus, "is_large", False))


class Deserializer(Protocol):
    """Description of files and their streams; a minibatch source opens the files."""

    def open(self, threads: int = 1) -> Corpus | tuple[Corpus, ...]:
        """Open the files and index their sequences, as one corpus or several that are joined.

        Args:
            threads: how many parts of a chunk may be read at a time.
        """
        ...


def spans(begins: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return the indices of ranges, one range after another.

    Example:
        >>> spans(np.array([3, 10]), np.array([2, 3]))
        array([ 3,  4, 10, 11, 12])
    """
    total = int(lengths.sum())
    before = np.cumsum(lengths) - lengths
    numbers: np.ndarray = np.arange(total) + np.repeat(begins - before, lengths)
    return numbers


def take(parts: Sequence[tuple[StreamChunk, np.ndarray]]) -> tuple[Frames, np.ndarray]:
    """Gather sequences from chunks, one after another.

    Args:
        parts: chunks, and for each the indices of the sequences to gather, in order.

    Returns:
        Their frames, and each sequence's number of frames. Adjacent sequences of a chunk are a
        view, not a copy.
    """
    frames: list[Frames] = []
    lengths = []
    for chunk, numbers in parts:
        begins, ends = chunk.ends[numbers], chunk.ends[numbers + 1]
        lengths.append(ends - begins)
        if chunk.neighbours is not None:
            frames.append(chunk.neighbours.of(np.asarray(chunk.frames), spans(begins, lengths[-1])))
        elif len(numbers) == 1 or (begins[1:] == ends[:-1]).all():
            frames.append(_slice(chunk.frames, int(begins[0]), int(ends[-1])))
        else:
            frames.append(_select(chunk.frames, spans(begins, lengths[-1])))
    return (frames[0] if len(frames) == 1 else joined(frames)), np.concatenate(lengths)


def merge(
    parts: Sequence[tuple[StreamChunk, np.ndarray]], positions: Sequence[np.ndarray]
) -> StreamChunk:
    """Gather sequences from chunks into a new chunk, in any order.

    Args:
        parts: chunks, and for each the indices of the sequences to gather.
        positions: for each chunk the positions of these sequences in the new one.
    """
    inverse = np.argsort(np.concatenate(positions), kind="stable")
    compiled = compiled_module(0)
    if compiled is None or not all(_is_plain(chunk) for chunk, _ in parts):
        frames, lengths = take(parts)
        if len(parts) > 1:
            frames, lengths = take([(StreamChunk(frames, ends_of(lengths)), inverse)])
        return StreamChunk(frames, ends_of(lengths))
    counts = [chunk.ends[numbers + 1] - chunk.ends[numbers] for chunk, numbers in parts]
    ends = ends_of(np.concatenate(counts)[inverse])
    first = np.asarray(parts[0][0].frames)
    whole = np.empty((int(ends[-1]), *first.shape[1:]), np.float32)
    for (chunk, numbers), count, position in zip(parts, counts, positions, strict=True):
        rows = np.asarray(chunk.frames)
        sources, targets = spans(chunk.ends[numbers], count), spans(ends[position], count)
        compiled.copy_rows(
            rows.reshape(len(rows), -1), sources, whole.reshape(len(whole), -1), targets
        )
    return StreamChunk(whole, ends)


def _is_plain(chunk: StreamChunk) -> bool:
    """Return whether a chunk's frames are contiguous float32 without a context window."""
    frames = chunk.frames
    if chunk.neighbours is not None or not isinstance(frames, np.ndarray):
        return False
    return frames.dtype == np.float32 and frames.flags.c_contiguous and frames.size > 0


def _slice(frames: Frames, begin: int, end: int) -> Frames:
    if not isinstance(frames, SparseFrames):
        return frames[begin:end]
    offsets = frames.offsets[begin : end + 1]
    first, last = offsets[0], offsets[-1]
    return SparseFrames(
        offsets - first, frames.columns[first:last], frames.values[first:last], frames.one_hot
    )


def _select(frames: Frames, rows: np.ndarray) -> Frames:
    if not isinstance(frames, SparseFrames):
        selected: np.ndarray = frames[rows]
        return selected
    if frames.one_hot:
        ones = np.ones(len(rows), frames.values.dtype)
        return SparseFrames(np.arange(len(rows) + 1), frames.columns[rows], ones, True)
    begins = frames.offsets[rows]
    counts = frames.offsets[rows + 1] - begins
    offsets = ends_of(counts)
    compiled = compiled_module(0) if frames.values.dtype == np.float32 else None
    if compiled is not None and all(
        a.flags.c_contiguous for a in (frames.offsets, frames.columns, frames.values)
    ):
        columns, values = np.empty(offsets[-1], np.int64), np.empty(offsets[-1], np.float32)
        arrays = (frames.offsets, frames.columns, frames.values)
        compiled.select_entries(*arrays, np.ascontiguousarray(rows), offsets, columns, values)
        return SparseFrames(offsets, columns, values)
    entries = spans(begins, counts)
    return SparseFrames(offsets, frames.columns[entries], frames.values[entries])


def ends_of(counts: np.ndarray) -> np.ndarray:
    """Return offsets from counts: 0 and their running sums, int64 ``[counts + 1]``."""
    offsets = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=offsets[1:])
    return offsets


def joined(parts: Sequence[Frames]) -> Frames:
    """Concatenate frames of one stream, dense or sparse."""
    sparse = [p for p in parts if isinstance(p, SparseFrames)]
    if not sparse:
        return np.concatenate([p for p in parts if isinstance(p, np.ndarray)])
    counts = np.concatenate([np.diff(p.offsets) for p in sparse])
    return SparseFrames(
        ends_of(counts),
        np.concatenate([p.columns for p in sparse]),
        np.concatenate([p.values for p in sparse]),
        all(p.one_hot for p in sparse),
    )
