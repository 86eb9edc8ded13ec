"""`Catalog`: all sequences of a minibatch source's corpora, joined by their keys.

It also holds the corpora's chunk caches, through which it reads sequences.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from cntk.errors import DataError
from cntk.io._corpus.chunk import (
    ChunkInfo,
    Corpus,
    StreamChunk,
    has_frames,
    is_scattered,
    merge,
    take,
)
from cntk.io._corpus.chunk_cache import ChunkCache
from cntk.io._corpus.sample_maker import Samples
from cntk.io._corpus.streams import StreamInformation
from cntk.io._text.listed_names import is_text, joined_keys, shortened

# About three hours of speech. A forged file may claim more frames than it has: from here on each
# claim is checked before frames are counted one by one.
_MANY_FRAMES = 1 << 20


class Catalog:
    """Index of all sequences of some corpora.

    Args:
        corpora: opened deserializers. The first one defines the sequences and their order; the
            others are looked up by key. A sequence that one of them lacks is skipped.
        frame_mode: whether each frame of an utterance is a sequence.

    Raises:
        DataError: if names of streams are not unique, several streams define the minibatch size, no
            sequence is left, or frame mode cannot read one of them.
    """

    def __init__(self, corpora: Sequence[Corpus], frame_mode: bool = False) -> None:
        self._corpora = list(corpora)
        self.streams = tuple(s for c in corpora for s in c.streams)
        check_streams(self._corpora)
        first = corpora[0].chunks
        keys = joined_keys([c.keys for c in first])
        chunk_sizes = _joined(
            [np.array([len(c.keys)]) if c.shuffled is None else c.shuffled for c in first]
        )
        numbers = _numbers(keys, corpora)
        if not len(numbers[0]):
            raise DataError(
                "MinibatchSource: the deserializers have no sequence in common; their sequence ids "
                "must agree"
            )
        self._locations = [_select(_locations(c), n) for c, n in zip(corpora, numbers, strict=True)]
        lengths = [
            _select(_joined([i.lengths for i in c.chunks]), n)
            for c, n in zip(corpora, numbers, strict=True)
        ]
        chunk_of = _select(
            np.repeat(np.arange(len(chunk_sizes), dtype=np.int32), chunk_sizes), numbers[0]
        )
        self._frames = lengths[0]
        if frame_mode:
            counts = _frames_of(self._corpora, lengths, _select(keys, numbers[0]))
            self._locations = [
                _frame_locations(c, p, counts)
                for c, p in zip(self._corpora, self._locations, strict=True)
            ]
            self._corpora = [_FrameView(c) if _has_frames(c) else c for c in self._corpora]
            numbers = [np.repeat(n, counts) for n in numbers]
            chunk_of = np.repeat(chunk_of, counts)
            self._frames = np.ones(len(chunk_of), np.int64)
            lengths = [self._frames]
        self.faults = _faults(corpora, numbers)
        """The error of each malformed sequence, by its index."""
        defining = [k for k, c in enumerate(corpora) if any(s.defines_mb_size for s in c.streams)]
        counted = [
            lengths[k] for k in defining if not frame_mode and not _is_broadcast(corpora[k])
        ] or lengths
        self.lengths = counted[0] if len(counted) == 1 else np.max(counted, axis=0)
        """Number of samples that each sequence counts for, int64 ``[sequences]``."""
        edges = np.searchsorted(chunk_of, np.arange(len(chunk_sizes) + 1))
        self.sizes = np.diff(edges).tolist()
        """Number of sequences in each chunk of the first corpus."""
        self.samples = [
            int(self.lengths[a:b].sum()) for a, b in zip(edges, edges[1:], strict=False)
        ]
        """Number of samples in each of these chunks."""
        self.made = {
            s.name for c in corpora if isinstance(c, Samples) for s in c.streams if not s.is_sparse
        }
        """Streams whose samples are made anew for each minibatch."""
        self.special = self.made | {s.name for c in corpora if _is_broadcast(c) for s in c.streams}
        """Streams whose data in a minibatch are not those of chunks: made or broadcast ones."""
        self._caches = [ChunkCache(c) for c in self._corpora]

    def begin_sweep(self, order: np.ndarray) -> None:
        """Set the order in which sequences will be read."""
        for cache, locations in zip(self._caches, self._locations, strict=True):
            cache.begin_sweep(locations[order, 0])

    def release(self, position: int) -> None:
        """Drop chunks that no sequence from a position of the sweep's order on needs."""
        for cache in self._caches:
            cache.release(position)

    def read(
        self, sequences: np.ndarray, names: set[str]
    ) -> dict[str, list[tuple[StreamChunk, np.ndarray]]]:
        """Read the chunks that have some sequences.

        Returns:
            For each of the named streams its chunks, and the indices of the sequences in each.
        """
        parts: dict[str, list[tuple[StreamChunk, np.ndarray]]] = {}
        for number, corpus in enumerate(self._corpora):
            if not any(s.name in names for s in corpus.streams):
                continue
            repeats = self._frames[sequences] if _is_broadcast(corpus) else None
            locations = self._locations[number][sequences]
            if is_scattered(corpus):
                chunks = corpus.load_sequences(locations[:, 0], locations[:, 1])
                for stream, part in zip(corpus.streams, chunks, strict=True):
                    parts[stream.name] = [(part, np.arange(len(locations)))]
                continue
            edges = np.flatnonzero(np.diff(locations[:, 0])) + 1
            for run in np.split(locations, edges):
                chunk = self._caches[number].get(int(run[0, 0]))
                if repeats is not None:
                    chunk = tuple(_repeat(part, run[:, 1], repeats[: len(run)]) for part in chunk)
                    repeats, run = (
                        repeats[len(run) :],
                        np.stack([run[:, 0], np.arange(len(run))], 1),
                    )
                for stream, part in zip(corpus.streams, chunk, strict=True):
                    if stream.name in names:
                        parts.setdefault(stream.name, []).append((part, run[:, 1]))
        return parts

    def gather(self, sequences: np.ndarray, names: set[str]) -> dict[str, StreamChunk]:
        """Copy some sequences of each of the named streams, in order, into a chunk of their own."""
        gathered: dict[str, StreamChunk] = {}
        for number, corpus in enumerate(self._corpora):
            columns = [k for k, s in enumerate(corpus.streams) if s.name in names]
            if not columns:
                continue
            locations = self._locations[number][sequences]
            if is_scattered(corpus):
                loaded = corpus.load_sequences(locations[:, 0], locations[:, 1])
                gathered.update((corpus.streams[k].name, loaded[k]) for k in columns)
                continue
            order = np.argsort(locations[:, 0], kind="stable")
            edges = np.flatnonzero(np.diff(locations[order, 0])) + 1
            positions = np.split(order, edges)
            runs = [locations[p] for p in positions]
            chunks = [self._caches[number].get(int(run[0, 0])) for run in runs]
            for k in columns:
                parts = [
                    (chunk[k], run[:, 1].astype(np.int64))
                    for chunk, run in zip(chunks, runs, strict=True)
                ]
                gathered[corpus.streams[k].name] = merge(parts, positions)
        return gathered


def check_streams(corpora: Sequence[Corpus]) -> None:
    """Raise DataError for streams of the same name, or several that define the minibatch size."""
    names = [s.name for c in corpora for s in c.streams]
    for name, count in Counter(names).items():
        if count > 1:
            raise DataError(f"MinibatchSource: two streams are named '{name}'; rename one of them")
    if _is_broadcast(corpora[0]):
        raise DataError(
            f"MinibatchSource: stream '{names[0]}' is broadcast over the frames of the first "
            f"deserializer, and is itself of the first; name another deserializer first"
        )
    defining = [s.name for c in corpora for s in c.streams if s.defines_mb_size]
    if len(defining) > 1:
        raise DataError(
            f"MinibatchSource: only one stream may define the minibatch size, and {len(defining)} "
            f"do: {', '.join(defining)}"
        )


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(parts) if len(parts) > 1 else parts[0]


def _numbers(keys: np.ndarray, corpora: Sequence[Corpus]) -> list[np.ndarray]:
    """Return each corpus' indices of the sequences that all have, in the order of the first."""
    numbers = [np.arange(len(keys))]
    keep = np.ones(len(keys), bool)
    for corpus in corpora[1:]:
        matches, present = _find(keys, joined_keys([c.keys for c in corpus.chunks]))
        keep &= present
        numbers.append(matches)
    return numbers if keep.all() else [n[keep] for n in numbers]


def _select(values: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """Return ``values[indices]``, without a copy if that is all values in order."""
    if len(indices) == len(values) and indices[0] == 0 and bool((np.diff(indices) == 1).all()):
        return values
    selected: np.ndarray = values[indices]
    return selected


def _locations(corpus: Corpus) -> np.ndarray:
    """Return the chunk, and the index in it, of each sequence, int32 ``[sequences, 2]``."""
    sizes = [len(c.keys) for c in corpus.chunks]
    locations = np.empty((sum(sizes), 2), np.int32)
    first = 0
    for chunk, size in enumerate(sizes):
        locations[first : first + size, 0] = chunk
        locations[first : first + size, 1] = np.arange(size)
        first += size
    return locations


def _find(keys: np.ndarray, among: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find each key among others.

    Returns:
        The index of the first equal key, and whether there is one (a bool mask).
    """
    if is_text(keys) != is_text(among):
        # Integer keys are compared with string keys as decimal strings.
        keys, among = (array if is_text(array) else array.astype(str) for array in (keys, among))
    order = np.argsort(among, kind="stable")
    ranks = np.minimum(np.searchsorted(among[order], keys), len(among) - 1)
    indices = order[ranks]
    return indices, among[indices] == keys


def _faults(corpora: Sequence[Corpus], numbers: list[np.ndarray]) -> dict[int, DataError]:
    """Return the error of each malformed sequence, by its index in the catalog."""
    faults: dict[int, DataError] = {}
    for corpus, number in zip(corpora, numbers, strict=True):
        errors = corpus.faults if has_frames(corpus) else {}
        for index in np.flatnonzero(np.isin(number, list(errors))).tolist() if errors else []:
            faults.setdefault(index, errors[int(number[index])])
    return faults


# -- frames ----------------------------------------------------------------------------------------


def _is_broadcast(corpus: Corpus) -> bool:
    return has_frames(corpus) and corpus.broadcast


def _has_frames(corpus: Corpus) -> bool:
    return has_frames(corpus) and not corpus.broadcast


def _repeat(part: StreamChunk, numbers: np.ndarray, counts: np.ndarray) -> StreamChunk:
    """Repeat the single frame of each of some sequences."""
    frames, _ = take([(part, numbers)])
    return StreamChunk(
        np.repeat(np.asarray(frames), counts, axis=0), np.concatenate([[0], np.cumsum(counts)])
    )


def _frames_of(
    corpora: Sequence[Corpus], lengths: list[np.ndarray], keys: np.ndarray
) -> np.ndarray:
    """Return the number of frames of each sequence in the first corpus, int64 ``[sequences]``.

    Raises:
        DataError: if a corpus cannot be read frame by frame, or has too few frames.
    """
    if lengths[0].sum(dtype=np.float64) > _MANY_FRAMES:
        for utterances in filter(has_frames, corpora):
            utterances.check_frames()
    for corpus, length in zip(corpora, lengths, strict=True):
        names = ", ".join(s.name for s in corpus.streams)
        if not has_frames(corpus):
            if (length != 1).any() or any(has_frames(c) for c in corpora):
                raise DataError(
                    f"MinibatchSource: frame_mode reads single samples, and a sequence has "
                    f"{length.max()}; {names} is read in whole sequences"
                )
        elif corpus.indivisible:
            raise DataError(
                f"MinibatchSource: frame_mode cannot read {names}: {corpus.indivisible}"
            )
        elif not corpus.broadcast and (length < lengths[0]).any():
            short = int(np.flatnonzero(length < lengths[0])[0])
            raise DataError(
                f"MinibatchSource: frame_mode: sequence '{shortened(str(keys[short]))}' has "
                f"{length[short]} frames in {names}, and {lengths[0][short]} in "
                f"{corpora[0].streams[0].name}"
            )
    return lengths[0]


def _frame_locations(corpus: Corpus, locations: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return the chunk, and the index in it, of each frame, int64 ``[frames, 2]``."""
    if not _has_frames(corpus):
        return np.repeat(locations, counts, axis=0)
    firsts = _joined([np.cumsum(c.lengths) - c.lengths for c in corpus.chunks])
    before = np.cumsum([0, *(len(c.keys) for c in corpus.chunks)])[locations[:, 0]]
    begins = np.repeat(firsts[before + locations[:, 1]] - (np.cumsum(counts) - counts), counts)
    return np.stack([np.repeat(locations[:, 0], counts), begins + np.arange(int(counts.sum()))], 1)


class _FrameView:
    """View of a corpus of utterances in which each frame is a sequence."""

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus
        self.streams: tuple[StreamInformation, ...] = corpus.streams
        self.chunks: Sequence[ChunkInfo] = ()

    def load(self, chunk: int) -> tuple[StreamChunk, ...]:
        """Read a chunk."""
        return tuple(
            replace(p, ends=np.arange(len(p.frames) + 1)) for p in self._corpus.load(chunk)
        )
