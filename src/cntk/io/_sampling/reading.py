"""`Reading`, the protocol that a minibatch source reads through, and `CatalogReading`.

A reading returns the sequences of each minibatch, and its position as a checkpoint state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from cntk.errors import DataError
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
        parts: for each stream chunks, and the indices of the minibatch's sequences in each. Empty
            at the end of the data.
        ends_sweep: whether a sweep ends with the minibatch or within it.
        starts: which sequences begin here, rather than go on from the minibatch before; None if
            all do.
        origins: for each sequence that goes on, its index in the minibatch before.
    """

    parts: dict[str, list[tuple[StreamChunk, np.ndarray]]]
    ends_sweep: bool
    starts: tuple[bool, ...] | None = None
    origins: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Limits:
    """Limits at which reading ends; None for no limit.

    Attributes:
        samples: number of samples; a sequence that begins before the limit is still read.
        sweeps: number of sweeps.
    """

    samples: int | None
    sweeps: int | None


class Reading(Protocol):
    """Reader of data, minibatch by minibatch."""

    @property
    def streams(self) -> tuple[StreamInformation, ...]:
        """The streams that can be read."""
        ...

    @property
    def is_infinite(self) -> bool:
        """True if there is always a next minibatch."""
        ...

    def next(self, request: Request, names: set[str]) -> Read:
        """Read the next sequences of some streams, as many as the request's room; at least one."""
        ...

    def state(self) -> dict[str, int]:
        """Return the position as a checkpoint state."""
        ...

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go to the position of a checkpoint state."""
        ...


class CatalogReading:
    """Reading of deserializers that index their sequences when they are opened.

    Args:
        corpora: the opened deserializers.
        window: the shuffle window; None for no shuffle.
        seed: seed of the first sweep.
        limits: limits at which reading ends.
        bucket: how many shuffled sequences at a time are sorted by length; 0 for none.
        frame_mode: whether utterances are read frame by frame, and other sequences must be of one
            sample.
        max_errors: how many malformed sequences to skip in all.
        makers: number of threads that decode images ahead of their use; 0 for none.
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
            self._maker.skip(error)
        for corpus in corpora:
            if is_tolerant(corpus):
                corpus.allow(max_errors)
        self._catalog = Catalog(corpora, frame_mode)
        self._read_ahead = ReadAhead(self._catalog)
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
        """The streams that can be read."""
        return self._catalog.streams

    @property
    def is_infinite(self) -> bool:
        """True if there is always a next minibatch."""
        return self._timeline.is_infinite

    @property
    def is_over(self) -> bool:
        """True if all data have been read."""
        return self._timeline.is_over

    def next(self, request: Request, names: set[str]) -> Read:
        """Read the next sequences of some streams, as many as the request's room; at least one."""
        before, ended = self._timeline.position, 0
        while True:
            taken = self._timeline.take(request)
            ended += taken.ends_sweep
            is_valid = self._is_valid(taken.sequences, before)
            if is_valid.any():
                parts = self._read(taken.sequences[is_valid], request, names, before)
                parts = self._make(parts, taken.sweeps[is_valid], before)
                self._catalog.release(self._timeline.index)
                if parts:
                    break
            if not len(taken.sequences) or ended > 2:
                return Read({}, ended > 0)
        self._make_ahead(len(taken.sequences), request, self._catalog.made & names)
        return Read(parts, ended > 0)

    def _read(self, sequences: np.ndarray, request: Request, names: set[str], begin: int) -> Parts:
        """Read the sequences of a minibatch; on an error go back to its position ``begin``."""
        try:
            return self._read_ahead.read(
                sequences, names, lambda count: self._timeline.following(count, request)
            )
        except DataError:
            self._timeline.seek(begin)
            raise

    def _make_ahead(self, count: int, request: Request, names: set[str]) -> None:
        """Start to make the samples that the next minibatch needs if it has the same size."""
        following = self._timeline.following(count, request)
        if names and len(following):
            self._maker.expect(self._catalog.read(following, names), self._timeline.sweep)

    def _make(self, parts: Parts, sweeps: np.ndarray, begin: int) -> Parts:
        """Make all samples of a minibatch; on an error go back to its position ``begin``."""
        try:
            return self._maker.finish(parts, sweeps)
        except DataError:
            self._timeline.seek(begin)
            raise

    def _is_valid(self, sequences: np.ndarray, begin: int) -> np.ndarray:
        """Return a bool mask that is false for malformed sequences, which are skipped.

        Raises:
            DataError: if there are more than may be skipped; the position goes back to ``begin``.
        """
        if not self._catalog.faults:
            return np.ones(len(sequences), bool)
        faulty = np.isin(sequences, list(self._catalog.faults))
        count = int(faulty.sum())
        if count > self._errors_left:
            self._timeline.seek(begin)
            error = self._catalog.faults[int(sequences[faulty][self._errors_left])]
            raise DataError(f"{error}; MinibatchSource skips as many as max_errors says")
        self._errors_left -= count
        return ~faulty

    def state(self) -> dict[str, int]:
        """Return the position, in samples, as a checkpoint state."""
        return {POSITION: self._timeline.position}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go to the position of a checkpoint state."""
        position = state.get(POSITION) if isinstance(state, Mapping) else None
        if not isinstance(position, (int, np.integer)) or position < 0:
            raise ValueError(
                f"restore_from_checkpoint: expected {{'{POSITION}': samples}}, as "
                f"get_checkpoint_state gives, got {state!r}"
            )
        self._timeline.seek(int(position))


@dataclass(frozen=True)
class ByLength:
    """Order of sweeps in which sequences of similar length are adjacent.

    Attributes:
        order: the order to start from.
        lengths: number of samples of each sequence, int64 ``[sequences]``.
        pool: how many sequences of that order are sorted at a time: one pool ascending, the next
            descending, so that adjacent sequences are similar where pools meet too.
    """

    order: Order
    lengths: np.ndarray
    pool: int

    def sweep(self, number: int) -> np.ndarray:
        """Return sequence indices in the order of a sweep, int64 ``[sequences]``."""
        sequences = self.order.sweep(number)
        bucketed: np.ndarray = sequences[by_length(self.lengths[sequences], self.pool)]
        return bucketed

    def worker_numbers(self, number: int) -> np.ndarray | None:
        """Return the number that assigns each sequence to a worker, as in ``order``."""
        return self.order.worker_numbers(number)


def by_length(lengths: np.ndarray, pool: int) -> np.ndarray:
    """Return the permutation that sorts ``pool`` sequences at a time by length.

    Pools are sorted ascending and descending in turn.
    """
    pools = np.arange(len(lengths)) // pool
    permutation: np.ndarray = np.lexsort((np.where(pools % 2 == 0, lengths, -lengths), pools))
    return permutation
