"""`ReadAhead`: gathers the sequences of several small minibatches at once.

Each gather has a constant cost, which small minibatches share that way.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from cntk.errors import DataError
from cntk.io._corpus.catalog import Catalog
from cntk.io._corpus.chunk import StreamChunk
from cntk.io._corpus.sample_maker import Parts

_BYTES = 1 << 22
_MINIBATCHES = 64
_LARGE = 31 << 20


class ReadAhead:
    """Reader of a catalog that works some minibatches ahead.

    Args:
        catalog: the catalog to read sequences from.
    """

    def __init__(self, catalog: Catalog) -> None:
        _keep_memory()
        self._catalog = catalog
        self._names: set[str] = set()
        self._sequences: np.ndarray = np.zeros(0, np.int64)
        self._parts: dict[str, StreamChunk] = {}
        self._at = 0
        self._minibatches = 1

    def read(
        self, sequences: np.ndarray, names: set[str], following: Callable[[int], np.ndarray]
    ) -> Parts:
        """Read the sequences of a minibatch.

        Args:
            sequences: indices of the sequences in the catalog.
            names: names of the streams to read.
            following: returns up to so many sequences that will probably be read next.
        """
        end = self._at + len(sequences)
        if names != self._names or not np.array_equal(self._sequences[self._at : end], sequences):
            if names & self._catalog.special:
                return self._catalog.read(sequences, names)
            self._gather(sequences, names, following)
            end = len(sequences)
        numbers = np.arange(self._at, end)
        self._at = end
        return {name: [(part, numbers)] for name, part in self._parts.items()}

    def _gather(
        self, sequences: np.ndarray, names: set[str], following: Callable[[int], np.ndarray]
    ) -> None:
        """Gather these sequences, and those of some minibatches that probably follow."""
        ahead = following(len(sequences) * self._minibatches - len(sequences))
        try:
            gathered = np.concatenate([sequences, ahead])
            self._parts = self._catalog.gather(gathered, names)
        except DataError:
            # A malformed sequence ahead must not fail this minibatch: it is reported by its own.
            self._minibatches, gathered = 1, sequences
            self._parts = self._catalog.gather(gathered, names)
        else:
            size = (
                sum(part.nbytes for part in self._parts.values()) * len(sequences) // len(gathered)
            )
            self._minibatches = min(max(_BYTES // max(size, 1), 1), _MINIBATCHES)
        self._sequences, self._names, self._at = gathered, set(names), 0


@cache
def _keep_memory() -> None:
    """Allocate and free one large array, once, so that malloc keeps freed minibatches.

    glibc returns large blocks to the system on free, and each new minibatch faults its pages in
    again. Freeing one block of this size raises its threshold. The block's pages are not touched.
    """
    np.empty(_LARGE, np.uint8)
