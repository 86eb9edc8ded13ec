"""What a minibatch source reads through: the sequences of each minibatch, and a state to go on
from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from cntk._errors import DataError
from cntk.io._corpus.catalog import Catalog
from cntk.io._corpus.chunk import Corpus, StreamChunk, is_tolerant
from cntk.io._corpus.sample_maker import Parts, SampleMaker
from cntk.io._corpus.streams import StreamInformation
from cntk.io._sampling.read_ahead import ReadAhead
from cntk.io._sampling.shuffle import Order, Window
from cntk.io._sampling.timeline import Request, Timeline

POSITION = "minibatchSourcePosition"


@dataclass(frozen=True)
class Read:
    """The sequences of one minibatch.

    Attributes:
        parts: for each wanted stream chunks, and the numbers of the minibatch's sequences in these.
            None at the end.
        ends_sweep: whether a sweep ends with the minibatch or within it.
        starts: which sequences begin here rather than going on from the minibatch before; None if
            all do.
        origins: which of the minibatch before each one goes on from, if it does.
    """

    parts: dict[str, list[tuple[StreamChunk, np.ndarray]]]
    ends_sweep: bool
    starts: tuple[bool, ...] | None = None
    origins: tuple[int, ...] | None = None


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

    def next(self, request: Request, names: set[str]) -> Read:
        """The next sequences of some streams, as many as a worker's room holds, and one at
        least.
        """
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
        frame_mode: whether utterances are read frame by frame, and other sequences must be of one
            sample.
        max_errors: how many malformed sequences to pass over, in all.
        makers: how many images to read at a time, and ahead of their use; 0 for none.
    """

    def __init__(
        self,
        corpora: Sequence[Corpus],
        window: Window | None,
        seed: int,
        limits: Limits,
        bucket: int = 0,
        frame_mode: bool = False,
        max_errors: int = 0,
        makers: int = 0,
    ) -> None:
        self._maker = SampleMaker(seed, makers, max_errors)
        for error in (e for c in corpora for e in getattr(c, "errors", ())):
            self._maker.pass_over(error)
        for corpus in corpora:
            if is_tolerant(corpus):
                corpus.allow(max_errors)
        self._catalog = Catalog(corpora, frame_mode)
        self._gathering = ReadAhead(self._catalog)
        self._errors_left = max_errors
        order = Order(self._catalog.sizes, self._catalog.samples, window, seed)
        self._timeline = Timeline(
            ByLength(order, self._catalog.lengths, bucket) if bucket else order,
            self._catalog.lengths,
            limits.samples,
            limits.sweeps,
            self._catalog.begin_sweep,
        )

    @property
    def streams(self) -> tuple[StreamInformation, ...]:
        """What is read."""
        return self._catalog.streams

    @property
    def is_infinite(self) -> bool:
        """Whether there is always a next minibatch."""
        return self._timeline.is_infinite

    @property
    def is_over(self) -> bool:
        """Whether all has been read."""
        return self._timeline.is_over

    def next(self, request: Request, names: set[str]) -> Read:
        """The next sequences of some streams, as many as a worker's room holds, and one at
        least.
        """
        before, ended = self._timeline.position, 0
        while True:
            taken = self._timeline.take(request)
            ended += taken.ends_sweep
            sound = self._sound(taken.sequences, before)
            if sound.any():
                parts = self._read(taken.sequences[sound], request, names, before)
                parts = self._finished(parts, taken.sweeps[sound], before)
                self._catalog.release(self._timeline.place)
                if parts:
                    break
            if not len(taken.sequences) or ended > 2:
                return Read({}, ended > 0)
        self._make_ahead(len(taken.sequences), request, self._catalog.made & names)
        return Read(parts, ended > 0)

    def _read(self, sequences: np.ndarray, request: Request, names: set[str], begin: int) -> Parts:
        """The sequences of a minibatch; if that fails, it stays where it began."""
        try:
            return self._gathering.read(
                sequences, names, lambda count: self._timeline.following(count, request)
            )
        except DataError:
            self._timeline.seek(begin)
            raise

    def _make_ahead(self, count: int, request: Request, names: set[str]) -> None:
        """Begin to make what the next minibatch needs, if it is of the same size and all are
        sound.
        """
        following = self._timeline.following(count, request)
        if names and len(following):
            self._maker.expect(self._catalog.read(following, names), self._timeline.sweep)

    def _finished(self, parts: Parts, sweeps: np.ndarray, begin: int) -> Parts:
        """Streams all made; if that fails, it stays where it began."""
        try:
            return self._maker.finish(parts, sweeps)
        except DataError:
            self._timeline.seek(begin)
            raise

    def _sound(self, sequences: np.ndarray, begin: int) -> np.ndarray:
        """Which sequences are not malformed; if more of these come than are allowed, it stays where
        it began.
        """
        if not self._catalog.faults:
            return np.ones(len(sequences), bool)
        faulty = np.isin(sequences, list(self._catalog.faults))
        count = int(faulty.sum())
        if count > self._errors_left:
            self._timeline.seek(begin)
            error = self._catalog.faults[int(sequences[faulty][self._errors_left])]
            raise DataError(f"{error}; MinibatchSource passes over as many as max_errors says")
        self._errors_left -= count
        return ~faulty

    def state(self) -> dict[str, int]:
        """The position, in samples."""
        return {POSITION: self._timeline.position}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go to a position."""
        position = state.get(POSITION) if isinstance(state, Mapping) else None
        if not isinstance(position, (int, np.integer)) or position < 0:
            raise ValueError(
                f"restore_from_checkpoint: expected {{'{POSITION}': samples}}, as "
                f"get_checkpoint_state gives, got {state!r}"
            )
        self._timeline.seek(int(position))


@dataclass(frozen=True)
class ByLength:
    """An order in which sequences of similar length come together.

    Attributes:
        order: the order before.
        lengths: samples of each sequence, int64 ``[sequences]``.
        pool: how many sequences of that order are sorted at a time: one pool ascending, the next
            descending, so that neighbours are similar where pools meet too.
    """

    order: Order
    lengths: np.ndarray
    pool: int

    def sweep(self, number: int) -> np.ndarray:
        """Sequence numbers in the order of a sweep, int64 ``[sequences]``."""
        sequences = self.order.sweep(number)
        found: np.ndarray = sequences[by_length(self.lengths[sequences], self.pool)]
        return found

    def deals(self, number: int) -> np.ndarray | None:
        """Which worker reads each sequence, as in that order."""
        return self.order.deals(number)


def by_length(lengths: np.ndarray, pool: int) -> np.ndarray:
    """Places of sequences, so many at a time sorted by length: ascending, then descending, and so
    on.
    """
    pools = np.arange(len(lengths)) // pool
    places: np.ndarray = np.lexsort((np.where(pools % 2 == 0, lengths, -lengths), pools))
    return places
