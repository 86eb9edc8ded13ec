"""What a minibatch source reads through: the sequences of each minibatch, and a state to go on from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from cntk._errors import DataError
from cntk.io._catalog import Catalog
from cntk.io._chunk import Corpus, StreamChunk
from cntk.io._order import Order, Window
from cntk.io._streams import StreamInformation
from cntk.io._timeline import Timeline

POSITION = "minibatchSourcePosition"


@dataclass(frozen=True)
class Read:
    """The sequences of one minibatch.

    Attributes:
        parts: for each wanted stream chunks, and the numbers of the minibatch's sequences in these. None at the end.
        ends_sweep: whether a sweep ends with the minibatch or within it.
    """

    parts: dict[str, list[tuple[StreamChunk, np.ndarray]]]
    ends_sweep: bool


@dataclass(frozen=True)
class Limits:
    """Where reading ends; None for no end.

    Attributes:
        samples: after how many samples; a sequence that begins before is still read.
        sweeps: after how many sweeps.
    """

    samples: int | None
    sweeps: int | None


class Reading(Protocol):
    """A way through data, minibatch by minibatch."""

    @property
    def streams(self) -> tuple[StreamInformation, ...]:
        """What is read."""
        ...

    @property
    def is_infinite(self) -> bool:
        """Whether there is always a next minibatch."""
        ...

    def next(self, size: int, workers: int, rank: int, names: set[str]) -> Read:
        """The next sequences of some streams, as many as fit into a size, and one at least."""
        ...

    def state(self) -> dict[str, int]:
        """Where it stands."""
        ...

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go to where `state` was given."""
        ...


class CatalogReading:
    """Reads deserializers that know beforehand which sequences they have.

    Args:
        corpora: the opened deserializers.
        window: how far sequences are shuffled; None leaves them in their order.
        seed: the first sweep's seed.
        limits: where reading ends.
        bucket: within how many sequences of that order those of similar length come together.
    """

    def __init__(
        self, corpora: Sequence[Corpus], window: Window | None, seed: int, limits: Limits, bucket: int = 0
    ) -> None:
        self._catalog = Catalog(corpora)
        order = Order(self._catalog.sizes, self._catalog.samples, window, seed)
        self._timeline = Timeline(
            ByLength(order, self._catalog.lengths, bucket) if bucket else order,
            self._catalog.lengths,
            limits.samples,
            limits.sweeps,
            self._catalog.begin_sweep,
        )

    def need_frames(self) -> None:
        """Refuse sequences of more than one sample."""
        longest = int(self._catalog.lengths.max())
        if longest != 1:
            raise DataError(f"MinibatchSource: frame_mode reads single samples, and a sequence has {longest}")

    @property
    def streams(self) -> tuple[StreamInformation, ...]:
        """What is read."""
        return self._catalog.streams

    @property
    def is_infinite(self) -> bool:
        """Whether there is always a next minibatch."""
        return self._timeline.is_infinite

    def next(self, size: int, workers: int, rank: int, names: set[str]) -> Read:
        """The next sequences of some streams, as many as fit into a size, and one at least."""
        taken = self._timeline.take(size, workers, rank)
        if not len(taken.sequences):
            return Read({}, taken.ends_sweep)
        parts = self._catalog.read(taken.sequences, names)
        self._catalog.release(self._timeline.place)
        return Read(parts, taken.ends_sweep)

    def state(self) -> dict[str, int]:
        """The position, in samples."""
        return {POSITION: self._timeline.position}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go to a position."""
        position = state.get(POSITION) if isinstance(state, Mapping) else None
        if not isinstance(position, (int, np.integer)) or position < 0:
            raise ValueError(
                f"restore_from_checkpoint: expected {{'{POSITION}': samples}}, as get_checkpoint_state gives, got {state!r}"
            )
        self._timeline.seek(int(position))


@dataclass(frozen=True)
class ByLength:
    """An order in which sequences of similar length come together.

    Attributes:
        order: the order before.
        lengths: samples of each sequence, int64 ``[sequences]``.
        pool: how many sequences of that order are sorted at a time: one pool ascending, the next descending, so that
            neighbours are similar where pools meet too.
    """

    order: Order
    lengths: np.ndarray
    pool: int

    def sweep(self, number: int) -> np.ndarray:
        """Sequence numbers in the order of a sweep, int64 ``[sequences]``."""
        sequences = self.order.sweep(number)
        found: np.ndarray = sequences[by_length(self.lengths[sequences], self.pool)]
        return found


def by_length(lengths: np.ndarray, pool: int) -> np.ndarray:
    """Places of sequences, so many at a time sorted by length: ascending, then descending, and so on."""
    pools = np.arange(len(lengths)) // pool
    places: np.ndarray = np.lexsort((np.where(pools % 2 == 0, lengths, -lengths), pools))
    return places
