"""The chunks of a corpus in memory: read ahead of their use, kept as long as there is room."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from cntk.io._corpus.chunk import Corpus, SparseFrames, StreamChunk

# If all chunks fit into so many bytes they stay, so that the next sweep need not read them again.
_KEPT_BYTES = 1 << 29

Loaded = tuple[StreamChunk, ...]


class ChunkCache:
    """Chunks of one corpus.

    Args:
        corpus: where to read them from.
        kept_bytes: up to which size of all chunks those stay in memory that the present sweep no
            longer needs.
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
        count = len(chunks)
        places = np.arange(count)
        first, last = (
            np.full(int(chunks.max(initial=-1)) + 1, -1),
            np.full(int(chunks.max(initial=-1)) + 1, -1),
        )
        # Of several places the one that is written last stays.
        first[chunks[::-1]] = places[::-1]
        last[chunks] = places
        used = np.flatnonzero(last >= 0)
        self._queue = used[np.argsort(first[used])].tolist()
        self._last_use = dict(zip(used.tolist(), last[used].tolist(), strict=True))

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
        """Forget chunks that no sequence from a position of the sweep on needs, if not all that are
        needed fit into the room.
        """
        spent = [c for c in self._loaded if self._last_use.get(c, -1) < position]
        if not spent:
            return
        size = sum(part.nbytes for c in self._loaded for part in self._loaded[c])
        if size * len(self._last_use) > self._kept_bytes * len(self._loaded):
            for chunk in spent:
                del self._loaded[chunk]
