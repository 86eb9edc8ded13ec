"""Sequences gathered ahead of their use: those of several small minibatches at once, since each
gathering has its price.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from cntk._errors import DataError
from cntk.io._corpus.catalog import Catalog
from cntk.io._corpus.chunk import StreamChunk
from cntk.io._corpus.sample_maker import Parts

_BYTES = 1 << 22
_MINIBATCHES = 64
_LARGE = 31 << 20


class ReadAhead:
    """Reads from a catalog, some minibatches ahead.

    Args:
        catalog: where sequences are.
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
        """The sequences of a minibatch.

        Args:
            sequences: their numbers.
            names: which streams.
            following: gives up to so many sequences that will probably be asked for next.
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
        """Gather these sequences and more."""
        ahead = following(len(sequences) * self._minibatches - len(sequences))
        try:
            wanted = np.concatenate([sequences, ahead])
            self._parts = self._catalog.gathered(wanted, names)
        except DataError:
            # What is wrong is for the minibatch that has it.
            self._minibatches, wanted = 1, sequences
            self._parts = self._catalog.gathered(wanted, names)
        else:
            size = sum(part.nbytes for part in self._parts.values()) * len(sequences) // len(wanted)
            self._minibatches = min(max(_BYTES // max(size, 1), 1), _MINIBATCHES)
        self._sequences, self._names, self._at = wanted, set(names), 0


@cache
def _keep_memory() -> None:
    """Once, since the C library gives the memory of a minibatch back to the system, and faults it
    in again for the next, until it has seen something this large come and go. Nothing of it is
    touched.
    """
    np.empty(_LARGE, np.uint8)
