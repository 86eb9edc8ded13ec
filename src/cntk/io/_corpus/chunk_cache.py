"""`ChunkCache`: chunks of a corpus in memory, read ahead of their use, up to a limit of bytes."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from cntk.io._corpus.chunk import Corpus, SparseFrames, StreamChunk

# If all chunks fit into this limit they stay in memory, so that no later sweep reads them again.
_KEPT_BYTES = 1 << 29

Loaded = tuple[StreamChunk, ...]


class ChunkCache:
    """Cache of the chunks of one corpus.

    Args:
        corpus: where to read chunks from.
        kept_bytes: limit for the size of all chunks. Below it, chunks stay in memory when the
            present sweep no longer needs them.
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
        """Set the order in which a sweep uses chunks.

        Args:
            chunks: the chunk of each sequence, in the order of the sweep.
        """
        count = len(chunks)
        positions = np.arange(count)
        first, last = (
            np.full(int(chunks.max(initial=-1)) + 1, -1),
            np.full(int(chunks.max(initial=-1)) + 1, -1),
        )
        # Where an index repeats, NumPy keeps the value assigned last.
        first[chunks[::-1]] = positions[::-1]
        last[chunks] = positions
        used = np.flatnonzero(last >= 0)
        self._queue = used[np.argsort(first[used])].tolist()
        self._last_use = dict(zip(used.tolist(), last[used].tolist(), strict=True))

    def get(self, chunk: int) -> Loaded:
        """Return a chunk, and start to read the following one in the background."""
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
        """Drop chunks that nothing from a position of the sweep on needs.

        Nothing is dropped while an estimate for all chunks of the sweep is below the limit.
        """
        spent = [c for c in self._loaded if self._last_use.get(c, -1) < position]
        if not spent:
            return
        size = sum(part.nbytes for c in self._loaded for part in self._loaded[c])
        if size * len(self._last_use) > self._kept_bytes * len(self._loaded):
            for chunk in spent:
                del self._loaded[chunk]
