"""Sequences gathered ahead of their use: those of several small minibatches at once, since each gathering has its price."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cntk._errors import DataError
from cntk.io._catalog import Catalog
from cntk.io._chunk import StreamChunk
from cntk.io._making import Parts

_BYTES = 1 << 22
_MINIBATCHES = 64


class Gathering:
    """Reads from a catalog, some minibatches ahead.

    Args:
        catalog: where sequences are.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._names: set[str] = set()
        self._sequences: np.ndarray = np.zeros(0, np.int64)
        self._parts: dict[str, StreamChunk] = {}
        self._at = 0
        self._minibatches = 1

    def read(self, sequences: np.ndarray, names: set[str], following: Callable[[int], np.ndarray]) -> Parts:
        """The sequences of a minibatch.

        Args:
            sequences: their numbers.
            names: which streams.
            following: gives up to so many sequences that will probably be asked for next.
        """
        end = self._at + len(sequences)
        if names != self._names or not np.array_equal(self._sequences[self._at : end], sequences):
            if self._minibatches <= 1 or not self._gather(sequences, names, following):
                return self._directly(sequences, names)
            end = len(sequences)
        numbers = np.arange(self._at, end)
        self._at = end
        return {name: [(part, numbers)] for name, part in self._parts.items()}

    def _directly(self, sequences: np.ndarray, names: set[str]) -> Parts:
        parts = self._catalog.read(sequences, names)
        if self._minibatches:
            size = sum(_share(part, numbers) for found in parts.values() for part, numbers in found)
            self._minibatches = min(_BYTES // max(size, 1), _MINIBATCHES)
        return parts

    def _gather(self, sequences: np.ndarray, names: set[str], following: Callable[[int], np.ndarray]) -> bool:
        """Gather these sequences and more; False if that does not do."""
        if names & self._catalog.special:
            return False
        ahead = following(len(sequences) * (self._minibatches - 1))
        if not len(ahead):
            return False
        wanted = np.concatenate([sequences, ahead])
        try:
            parts = self._catalog.gathered(wanted, names)
        except DataError:
            # What is wrong is for the minibatch that has it.
            self._minibatches = 0
            return False
        self._parts = parts
        self._sequences, self._names, self._at = wanted, set(names), 0
        return True


def _share(part: StreamChunk, numbers: np.ndarray) -> int:
    """About how many bytes some sequences of a chunk take."""
    copies = 1 if part.neighbours is None else 1 + part.neighbours.before + part.neighbours.after
    return part.nbytes * copies * len(numbers) // max(len(part.ends) - 1, 1)
