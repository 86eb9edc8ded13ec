"""The chunks of a corpus in memory: read ahead of their use, kept as long as there is room."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from cntk.io._chunk import Corpus, SparseFrames, StreamChunk

# What a sweep is done with stays up to so many bytes, so that the next sweep need not read it again.
_KEPT_BYTES = 1 << 29

Loaded = tuple[StreamChunk, ...]


class ChunkStore:
    """Chunks of one corpus.

    Args:
        corpus: where to read them from.
        kept_bytes: how much may stay in memory that the present sweep no longer needs.
    """

    def __init__(self, corpus: Corpus, kept_bytes: int = _KEPT_BYTES) -> None:
        self._corpus = corpus
        self._kept_bytes = kept_bytes
        self._loaded: dict[int, Loaded] = {}
        self._coming: dict[int, Future[Loaded]] = {}
        self._reader: ThreadPoolExecutor | None = None
        self._queue: list[int] = []
        self._last_use: dict[int, int] = {}

    def begin_sweep(self, chunks: np.ndarray) -> None:
        """Tell what comes.

        Args:
            chunks: the chunk of each sequence, in the order of the sweep.
        """
        found, first = np.unique(chunks, return_index=True)
        self._queue = found[np.argsort(first)].tolist()
        backwards, last = np.unique(chunks[::-1], return_index=True)
        self._last_use = dict(zip(backwards.tolist(), (len(chunks) - 1 - last).tolist(), strict=True))

    def get(self, chunk: int) -> Loaded:
        """A chunk; the one that is needed next begins to be read in the background."""
        if chunk not in self._loaded:
            coming = self._coming.pop(chunk, None)
            self._loaded[chunk] = self._load(chunk) if coming is None else coming.result()
        if chunk in self._queue:
            del self._queue[: self._queue.index(chunk) + 1]
            if self._queue:
                self._read_ahead(self._queue[0])
        return self._loaded[chunk]

    def _load(self, chunk: int) -> Loaded:
        return tuple(
            replace(p, frames=p.frames.checked()) if isinstance(p.frames, SparseFrames) else p
            for p in self._corpus.load(chunk)
        )

    def _read_ahead(self, following: int) -> None:
        if following in self._loaded or following in self._coming:
            return
        if self._reader is None:
            self._reader = ThreadPoolExecutor(1, "cntk-reader")
        self._coming[following] = self._reader.submit(self._load, following)

    def release(self, position: int) -> None:
        """Forget chunks that no sequence from a position of the sweep on needs, if they take too much room."""
        spent = [c for c in self._loaded if self._last_use.get(c, -1) < position]
        excess = sum(part.nbytes for c in spent for part in self._loaded[c]) - self._kept_bytes
        while spent and excess > 0:
            # The latest goes: what a sweep begins with is needed soonest.
            excess -= sum(part.nbytes for part in self._loaded.pop(spent.pop()))
