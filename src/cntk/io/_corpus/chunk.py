"""Chunks: parts of a corpus that are read at once, and sequences taken from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeAlias, TypeGuard

import numpy as np

from cntk._errors import DataError
from cntk.io._corpus.streams import StreamInformation
from cntk.io._native.loader import machine


@dataclass(frozen=True)
class SparseFrames:
    """Frames of which only some columns are stored (compressed sparse rows).

    Attributes:
        offsets: where each frame's entries begin, int64 ``[frames + 1]``.
        columns: each entry's column, int64 ``[entries]``.
        values: each entry's value ``[entries]``.
        one_hot: whether it is known that each frame has one entry, which is 1.
    """

    offsets: np.ndarray
    columns: np.ndarray
    values: np.ndarray
    one_hot: bool = False

    def checked(self) -> SparseFrames:
        """The same, and known whether it is one-hot."""
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
    """Frames that are given beside each frame; beyond the ends of an utterance its first and last
    one.

    Attributes:
        before: how many before it.
        after: how many after it.
        ends: frames of the chunk before each utterance, and in all, int64 ``[utterances + 1]``.
    """

    before: int
    after: int
    ends: np.ndarray

    def of(self, frames: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Some frames with their neighbours, ``[rows, (before + 1 + after) * width]``."""
        utterance = np.searchsorted(self.ends, rows, side="right") - 1
        first, last = self.ends[utterance], self.ends[utterance + 1] - 1
        wanted = rows[:, None] + np.arange(-self.before, self.after + 1)
        found: np.ndarray = frames[np.clip(wanted, first[:, None], last[:, None])].reshape(
            len(rows), -1
        )
        return found


@dataclass(frozen=True)
class StreamChunk:
    """One stream's frames of all sequences of a chunk.

    Attributes:
        frames: ``[frames, *sample shape]``, or sparse.
        ends: frames before each sequence, and in all, int64 ``[sequences + 1]``.
        neighbours: what each frame is given with; then ``frames`` hold one frame without them.
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
    """What a chunk holds, known before it is read.

    Attributes:
        keys: what its sequences are found by in other files, ``[sequences]``.
        lengths: by how many samples each sequence counts in a minibatch, int64 ``[sequences]``.
        shuffled: as how many chunks of how many sequences it is shuffled, int64 ``[parts]``; as
            one, if it is None.
    """

    keys: np.ndarray
    lengths: np.ndarray
    shuffled: np.ndarray | None = None


class Corpus(Protocol):
    """An opened deserializer: sequences of one or more streams, in chunks."""

    @property
    def streams(self) -> tuple[StreamInformation, ...]:
        """What it gives."""
        ...

    @property
    def chunks(self) -> Sequence[ChunkInfo]:
        """What its chunks hold."""
        ...

    def load(self, chunk: int) -> tuple[StreamChunk, ...]:
        """Read a chunk: the part of each stream."""
        ...


class FrameCorpus(Corpus, Protocol):
    """A corpus of utterances: sequences of frames, which frame mode reads one by one."""

    @property
    def broadcast(self) -> bool:
        """Whether each sequence's one frame is repeated for all frames of the first corpus."""
        ...

    @property
    def indivisible(self) -> str:
        """Why frames cannot be read one by one; empty if they can."""
        ...

    @property
    def faults(self) -> Mapping[int, DataError]:
        """What is wrong with sequences, by their number in the corpus; a source may pass over
        some.
        """
        ...

    def check_frames(self) -> None:
        """Refuse frames that cannot be there, before each is counted."""
        ...


class ScatteredCorpus(Corpus, Protocol):
    """A corpus that reads single sequences as well."""

    @property
    def is_large(self) -> bool:
        """Whether that is better than chunks, since those would take too much memory."""
        ...

    def load_sequences(self, chunk: np.ndarray, number: np.ndarray) -> tuple[StreamChunk, ...]:
        """Read some sequences, in the order in which they are asked for.

        Args:
            chunk: each one's chunk.
            number: its number in the chunk.
        """
        ...


def has_frames(corpus: Corpus) -> TypeGuard[FrameCorpus]:
    """Whether a corpus is one of utterances. It is not asked for what it would have to read chunks
    to tell.
    """
    return "broadcast" in vars(corpus) or hasattr(type(corpus), "broadcast")


class TolerantCorpus(Corpus, Protocol):
    """A corpus that can leave out what is malformed in a chunk."""

    def allow(self, errors: int) -> None:
        """Leave out so much."""
        ...


def is_tolerant(corpus: Corpus) -> TypeGuard[TolerantCorpus]:
    """Whether a corpus can leave out what is malformed."""
    return hasattr(type(corpus), "allow")


def is_scattered(corpus: Corpus) -> TypeGuard[ScatteredCorpus]:
    """Whether single sequences of a corpus are read rather than chunks."""
    return hasattr(type(corpus), "load_sequences") and bool(getattr(corpus, "is_large", False))


class Deserializer(Protocol):
    """Where data are and which streams they have; nothing is opened before a minibatch source
    asks.
    """

    def open(self, threads: int = 1) -> Corpus | tuple[Corpus, ...]:
        """Open the files and find their sequences; one corpus, or several that are joined.

        Args:
            threads: how many parts of a chunk may be read at a time.
        """
        ...


def spans(begins: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """The numbers from each begin on, as many as its length, one span after another.

    Example:
        >>> spans(np.array([3, 10]), np.array([2, 3]))
        array([ 3,  4, 10, 11, 12])
    """
    total = int(lengths.sum())
    before = np.cumsum(lengths) - lengths
    numbers: np.ndarray = np.arange(total) + np.repeat(begins - before, lengths)
    return numbers


def take(parts: Sequence[tuple[StreamChunk, np.ndarray]]) -> tuple[Frames, np.ndarray]:
    """Sequences of some chunks, one after another.

    Args:
        parts: chunks, and for each the numbers of the sequences that are wanted, in order.

    Returns:
        Their frames, and each sequence's number of frames. Neighbours in a chunk are not copied.
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


def merged(
    parts: Sequence[tuple[StreamChunk, np.ndarray]], places: Sequence[np.ndarray]
) -> StreamChunk:
    """Sequences of some chunks as a chunk of their own.

    Args:
        parts: chunks, and for each the numbers of the sequences that are wanted.
        places: for each chunk where these sequences stand among all.
    """
    back = np.argsort(np.concatenate(places), kind="stable")
    compiled = machine(0)
    if compiled is None or not all(_is_plain(chunk) for chunk, _ in parts):
        frames, lengths = take(parts)
        if len(parts) > 1:
            frames, lengths = take([(StreamChunk(frames, ends_of(lengths)), back)])
        return StreamChunk(frames, ends_of(lengths))
    counts = [chunk.ends[numbers + 1] - chunk.ends[numbers] for chunk, numbers in parts]
    ends = ends_of(np.concatenate(counts)[back])
    first = np.asarray(parts[0][0].frames)
    whole = np.empty((int(ends[-1]), *first.shape[1:]), np.float32)
    for (chunk, numbers), count, place in zip(parts, counts, places, strict=True):
        rows = np.asarray(chunk.frames)
        wanted, targets = spans(chunk.ends[numbers], count), spans(ends[place], count)
        compiled.copy_rows(
            rows.reshape(len(rows), -1), wanted, whole.reshape(len(whole), -1), targets
        )
    return StreamChunk(whole, ends)


def _is_plain(chunk: StreamChunk) -> bool:
    """Whether a chunk's frames are rows of float32 as they are given."""
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
    compiled = machine(0) if frames.values.dtype == np.float32 else None
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
    """Where each of some parts ends that lie one after another, a zero before, int64 ``[parts +
    1]``.
    """
    offsets = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=offsets[1:])
    return offsets


def joined(parts: Sequence[Frames]) -> Frames:
    """Frames of several parts of one stream, one after another."""
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
