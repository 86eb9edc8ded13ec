"""The catalog of a minibatch source: all sequences of its corpora, joined by their keys, and the chunks in memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cntk._errors import DataError
from cntk.io._chunk import Corpus, StreamChunk
from cntk.io._store import ChunkStore


class Catalog:
    """All sequences of some corpora.

    Args:
        corpora: opened deserializers. The first says which sequences there are and in which order; the others are
            looked up by key, and a sequence that one of them lacks is left out.

    Raises:
        DataError: if names of streams are not unique, several streams define the minibatch size, or no sequence is left.
    """

    def __init__(self, corpora: Sequence[Corpus]) -> None:
        self._corpora = list(corpora)
        self.streams = tuple(s for c in corpora for s in c.streams)
        check_streams(self._corpora)
        first = corpora[0].chunks
        keys = _joined([c.keys for c in first])
        chunk_of = np.repeat(np.arange(len(first)), [len(c.keys) for c in first])
        places = [_places(corpora[0])]
        lengths = [_joined([c.lengths for c in first])]
        keep = np.ones(len(keys), bool)
        for corpus in corpora[1:]:
            numbers, present = _find(keys, _joined([c.keys for c in corpus.chunks]))
            keep &= present
            places.append(_places(corpus)[numbers])
            lengths.append(_joined([c.lengths for c in corpus.chunks])[numbers])
        if not keep.any():
            raise DataError(
                "MinibatchSource: the deserializers have no sequence in common; their sequence ids must agree"
            )
        self._places = [p[keep] for p in places]
        defining = [k for k, c in enumerate(corpora) if any(s.defines_mb_size for s in c.streams)]
        counted = [lengths[k] for k in defining] or lengths
        self.lengths = np.max(counted, axis=0)[keep]
        """Samples that each sequence counts for, int64 ``[sequences]``."""
        self.sizes = np.bincount(chunk_of[keep], minlength=len(first)).tolist()
        """Sequences in each of the first corpus' chunks."""
        self.samples = np.bincount(chunk_of[keep], self.lengths, len(first)).astype(np.int64).tolist()
        """Samples in each of them."""
        self._stores = [ChunkStore(c) for c in corpora]

    def begin_sweep(self, order: np.ndarray) -> None:
        """Tell in which order sequences will be read."""
        for store, places in zip(self._stores, self._places, strict=True):
            store.begin_sweep(places[order, 0])

    def release(self, position: int) -> None:
        """Forget what no sequence from a position of the sweep's order on needs."""
        for store in self._stores:
            store.release(position)

    def read(self, sequences: np.ndarray, names: set[str]) -> dict[str, list[tuple[StreamChunk, np.ndarray]]]:
        """For each wanted stream the chunks in which the sequences lie, and their numbers in these."""
        found: dict[str, list[tuple[StreamChunk, np.ndarray]]] = {}
        for number, corpus in enumerate(self._corpora):
            if not any(s.name in names for s in corpus.streams):
                continue
            places = self._places[number][sequences]
            edges = np.flatnonzero(np.diff(places[:, 0])) + 1
            for run in np.split(places, edges):
                chunk = self._stores[number].get(int(run[0, 0]))
                for stream, part in zip(corpus.streams, chunk, strict=True):
                    if stream.name in names:
                        found.setdefault(stream.name, []).append((part, run[:, 1]))
        return found


def check_streams(corpora: Sequence[Corpus]) -> None:
    """Refuse streams of the same name, and several that define the minibatch size."""
    names = [s.name for c in corpora for s in c.streams]
    for name in names:
        if names.count(name) > 1:
            raise DataError(f"MinibatchSource: two streams are named '{name}'; rename one of them")
    defining = [s.name for c in corpora for s in c.streams if s.defines_mb_size]
    if len(defining) > 1:
        raise DataError(
            f"MinibatchSource: only one stream may define the minibatch size, and {len(defining)} do: {', '.join(defining)}"
        )


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(parts) if len(parts) > 1 else parts[0]


def _places(corpus: Corpus) -> np.ndarray:
    """Chunk, and number in it, of each sequence, int64 ``[sequences, 2]``."""
    sizes = [len(c.keys) for c in corpus.chunks]
    chunk = np.repeat(np.arange(len(sizes)), sizes)
    return np.stack([chunk, np.concatenate([np.arange(n) for n in sizes])], 1)


def _find(keys: np.ndarray, among: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where each key stands among others (the first, if it does several times), and whether it does."""
    order = np.argsort(among, kind="stable")
    at = np.minimum(np.searchsorted(among[order], keys), len(among) - 1)
    numbers = order[at]
    return numbers, among[numbers] == keys
