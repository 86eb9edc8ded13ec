"""The catalog of a minibatch source: all sequences of its corpora, joined by their keys, and the
chunks in memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from cntk._errors import DataError
from cntk.io._corpus.chunk import (
    ChunkInfo,
    Corpus,
    StreamChunk,
    has_frames,
    is_scattered,
    merged,
    take,
)
from cntk.io._corpus.chunk_cache import ChunkCache
from cntk.io._corpus.sample_maker import Samples
from cntk.io._corpus.streams import StreamInformation
from cntk.io._text.listed_names import is_text, joined_keys, shortened

# So many frames, in three hours of speech, are more than a forged file may count one by one.
_MANY_FRAMES = 1 << 20


class Catalog:
    """All sequences of some corpora.

    Args:
        corpora: opened deserializers. The first says which sequences there are and in which order;
            the others are looked up by key, and a sequence that one of them lacks is left out.
        frame_mode: whether utterances are taken apart into sequences of one frame each.

    Raises:
        DataError: if names of streams are not unique, several streams define the minibatch size, no
            sequence is left, or there is one that frame mode cannot read.
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
        self._places = [_taken(_places(c), n) for c, n in zip(corpora, numbers, strict=True)]
        lengths = [
            _taken(_joined([i.lengths for i in c.chunks]), n)
            for c, n in zip(corpora, numbers, strict=True)
        ]
        chunk_of = _taken(
            np.repeat(np.arange(len(chunk_sizes), dtype=np.int32), chunk_sizes), numbers[0]
        )
        self._frames = lengths[0]
        if frame_mode:
            counts = _frames_of(self._corpora, lengths, _taken(keys, numbers[0]))
            self._places = [
                _frame_places(c, p, counts)
                for c, p in zip(self._corpora, self._places, strict=True)
            ]
            self._corpora = [_Framewise(c) if _has_frames(c) else c for c in self._corpora]
            numbers = [np.repeat(n, counts) for n in numbers]
            chunk_of = np.repeat(chunk_of, counts)
            self._frames = np.ones(len(chunk_of), np.int64)
            lengths = [self._frames]
        self.faults = _faults(corpora, numbers)
        """What is wrong with sequences, by their number."""
        defining = [k for k, c in enumerate(corpora) if any(s.defines_mb_size for s in c.streams)]
        counted = [
            lengths[k] for k in defining if not frame_mode and not _is_broadcast(corpora[k])
        ] or lengths
        self.lengths = counted[0] if len(counted) == 1 else np.max(counted, axis=0)
        """Samples that each sequence counts for, int64 ``[sequences]``."""
        edges = np.searchsorted(chunk_of, np.arange(len(chunk_sizes) + 1))
        self.sizes = np.diff(edges).tolist()
        """Sequences in each of the first corpus' chunks."""
        self.samples = [
            int(self.lengths[a:b].sum()) for a, b in zip(edges, edges[1:], strict=False)
        ]
        """Samples in each of them."""
        self.made = {
            s.name for c in corpora if isinstance(c, Samples) for s in c.streams if not s.is_sparse
        }
        """Streams whose samples are made for each minibatch."""
        self.special = self.made | {s.name for c in corpora if _is_broadcast(c) for s in c.streams}
        """Streams that a minibatch does not have as they stand in chunks."""
        self._stores = [ChunkCache(c) for c in self._corpora]

    def begin_sweep(self, order: np.ndarray) -> None:
        """Tell in which order sequences will be read."""
        for store, places in zip(self._stores, self._places, strict=True):
            store.begin_sweep(places[order, 0])

    def release(self, position: int) -> None:
        """Forget what no sequence from a position of the sweep's order on needs."""
        for store in self._stores:
            store.release(position)

    def read(
        self, sequences: np.ndarray, names: set[str]
    ) -> dict[str, list[tuple[StreamChunk, np.ndarray]]]:
        """For each wanted stream the chunks in which the sequences lie, and their numbers in
        these.
        """
        found: dict[str, list[tuple[StreamChunk, np.ndarray]]] = {}
        for number, corpus in enumerate(self._corpora):
            if not any(s.name in names for s in corpus.streams):
                continue
            repeats = self._frames[sequences] if _is_broadcast(corpus) else None
            places = self._places[number][sequences]
            if is_scattered(corpus):
                for stream, part in zip(
                    corpus.streams, corpus.load_sequences(places[:, 0], places[:, 1]), strict=True
                ):
                    found[stream.name] = [(part, np.arange(len(places)))]
                continue
            edges = np.flatnonzero(np.diff(places[:, 0])) + 1
            for run in np.split(places, edges):
                chunk = self._stores[number].get(int(run[0, 0]))
                if repeats is not None:
                    chunk = tuple(_repeated(part, run[:, 1], repeats[: len(run)]) for part in chunk)
                    repeats, run = (
                        repeats[len(run) :],
                        np.stack([run[:, 0], np.arange(len(run))], 1),
                    )
                for stream, part in zip(corpus.streams, chunk, strict=True):
                    if stream.name in names:
                        found.setdefault(stream.name, []).append((part, run[:, 1]))
        return found

    def gathered(self, sequences: np.ndarray, names: set[str]) -> dict[str, StreamChunk]:
        """The sequences of each wanted stream, one after another as a chunk of their own."""
        found: dict[str, StreamChunk] = {}
        for number, corpus in enumerate(self._corpora):
            wanted = [k for k, s in enumerate(corpus.streams) if s.name in names]
            if not wanted:
                continue
            places = self._places[number][sequences]
            if is_scattered(corpus):
                loaded = corpus.load_sequences(places[:, 0], places[:, 1])
                found.update((corpus.streams[k].name, loaded[k]) for k in wanted)
                continue
            order = np.argsort(places[:, 0], kind="stable")
            edges = np.flatnonzero(np.diff(places[order, 0])) + 1
            where = np.split(order, edges)
            runs = [places[o] for o in where]
            chunks = [self._stores[number].get(int(run[0, 0])) for run in runs]
            for k in wanted:
                parts = [
                    (chunk[k], run[:, 1].astype(np.int64))
                    for chunk, run in zip(chunks, runs, strict=True)
                ]
                found[corpus.streams[k].name] = merged(parts, where)
        return found


def check_streams(corpora: Sequence[Corpus]) -> None:
    """Refuse streams of the same name, and several that define the minibatch size."""
    names = [s.name for c in corpora for s in c.streams]
    for name, count in Counter(names).items():
        if count > 1:
            raise DataError(f"MinibatchSource: two streams are named '{name}'; rename one of them")
    if _is_broadcast(corpora[0]):
        raise DataError(
            f"MinibatchSource: stream '{names[0]}' is broadcast over the frames of the first "
            f"deserializer, and is the first itself"
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
    """For each corpus the numbers of the sequences that all have, in the order of the first."""
    numbers = [np.arange(len(keys))]
    keep = np.ones(len(keys), bool)
    for corpus in corpora[1:]:
        found, present = _find(keys, joined_keys([c.keys for c in corpus.chunks]))
        keep &= present
        numbers.append(found)
    return numbers if keep.all() else [n[keep] for n in numbers]


def _taken(values: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Some of many values, without a copy if it is all of them."""
    if len(numbers) == len(values) and numbers[0] == 0 and bool((np.diff(numbers) == 1).all()):
        return values
    some: np.ndarray = values[numbers]
    return some


def _places(corpus: Corpus) -> np.ndarray:
    """Chunk, and number in it, of each sequence, int32 ``[sequences, 2]``."""
    sizes = [len(c.keys) for c in corpus.chunks]
    places = np.empty((sum(sizes), 2), np.int32)
    first = 0
    for chunk, size in enumerate(sizes):
        places[first : first + size, 0] = chunk
        places[first : first + size, 1] = np.arange(size)
        first += size
    return places


def _find(keys: np.ndarray, among: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where each key stands among others (the first, if it does several times), and whether it
    does.
    """
    if is_text(keys) != is_text(among):
        # Numbers are found by how they are written.
        keys, among = (found if is_text(found) else found.astype(str) for found in (keys, among))
    order = np.argsort(among, kind="stable")
    at = np.minimum(np.searchsorted(among[order], keys), len(among) - 1)
    numbers = order[at]
    return numbers, among[numbers] == keys


def _faults(corpora: Sequence[Corpus], numbers: list[np.ndarray]) -> dict[int, DataError]:
    """What is wrong with sequences, by their number in the catalog."""
    faults: dict[int, DataError] = {}
    for corpus, number in zip(corpora, numbers, strict=True):
        found = corpus.faults if has_frames(corpus) else {}
        for at in np.flatnonzero(np.isin(number, list(found))).tolist() if found else []:
            faults.setdefault(at, found[int(number[at])])
    return faults


# -- frames ----------------------------------------------------------------------------------------


def _is_broadcast(corpus: Corpus) -> bool:
    return has_frames(corpus) and corpus.broadcast


def _has_frames(corpus: Corpus) -> bool:
    return has_frames(corpus) and not corpus.broadcast


def _repeated(part: StreamChunk, numbers: np.ndarray, counts: np.ndarray) -> StreamChunk:
    """Sequences of one frame each, which is repeated."""
    frames, _ = take([(part, numbers)])
    return StreamChunk(
        np.repeat(np.asarray(frames), counts, axis=0), np.concatenate([[0], np.cumsum(counts)])
    )


def _frames_of(
    corpora: Sequence[Corpus], lengths: list[np.ndarray], keys: np.ndarray
) -> np.ndarray:
    """Frames of each sequence, as many as the first corpus has, int64 ``[sequences]``."""
    if lengths[0].sum(dtype=np.float64) > _MANY_FRAMES:
        for utterances in filter(has_frames, corpora):
            utterances.check_frames()
    for corpus, length in zip(corpora, lengths, strict=True):
        names = ", ".join(s.name for s in corpus.streams)
        if not has_frames(corpus):
            if (length != 1).any() or any(has_frames(c) for c in corpora):
                raise DataError(
                    f"MinibatchSource: frame_mode reads single samples, and a sequence has "
                    f"{length.max()}; {names} is "
                    "read in whole sequences"
                )
        elif corpus.indivisible:
            raise DataError(
                f"MinibatchSource: frame_mode cannot read {names}: {corpus.indivisible}"
            )
        elif not corpus.broadcast and (length < lengths[0]).any():
            at = int(np.flatnonzero(length < lengths[0])[0])
            raise DataError(
                f"MinibatchSource: frame_mode: sequence '{shortened(str(keys[at]))}' has "
                f"{length[at]} frames in {names}, and "
                f"{lengths[0][at]} in {corpora[0].streams[0].name}"
            )
    return lengths[0]


def _frame_places(corpus: Corpus, places: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Chunk, and number in it, of each frame, int64 ``[frames, 2]``."""
    if not _has_frames(corpus):
        return np.repeat(places, counts, axis=0)
    firsts = _joined([np.cumsum(c.lengths) - c.lengths for c in corpus.chunks])
    before = np.cumsum([0, *(len(c.keys) for c in corpus.chunks)])[places[:, 0]]
    begins = np.repeat(firsts[before + places[:, 1]] - (np.cumsum(counts) - counts), counts)
    return np.stack([np.repeat(places[:, 0], counts), begins + np.arange(int(counts.sum()))], 1)


class _Framewise:
    """A corpus of utterances whose sequences are its frames."""

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus
        self.streams: tuple[StreamInformation, ...] = corpus.streams
        self.chunks: Sequence[ChunkInfo] = ()

    def load(self, chunk: int) -> tuple[StreamChunk, ...]:
        """Read a chunk."""
        return tuple(
            replace(p, ends=np.arange(len(p.frames) + 1)) for p in self._corpus.load(chunk)
        )
