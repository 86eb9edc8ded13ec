"""The order in which a sweep goes through a corpus: as it stands, or shuffled within a window of chunks.

The shuffle is the original's, number by number, so that the same seed gives the same minibatches: chunks are shuffled
first; then every sequence changes places with a random one of the window of chunks around it. At most a window of chunks
is needed at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cntk._engine.mersenne_twister import MersenneTwister64
from cntk.io._chunk import spans

_DRAWS = 1 << 12


@dataclass(frozen=True)
class Window:
    """How far a sequence may move.

    Attributes:
        size: the window's width.
        in_samples: whether it is given in samples, not in chunks.
    """

    size: int
    in_samples: bool = False


@dataclass(frozen=True)
class Order:
    """The order of sequences in each sweep.

    Attributes:
        sizes: sequences in each chunk.
        samples: samples in each chunk.
        window: how far sequences move; None leaves them in their order.
        seed: where the first sweep's random numbers begin; each sweep has its own.
    """

    sizes: Sequence[int]
    samples: Sequence[int]
    window: Window | None
    seed: int = 0

    def sweep(self, number: int) -> np.ndarray:
        """Sequence numbers in the order of a sweep, int64 ``[sequences]``."""
        count = sum(self.sizes)
        if self.window is None:
            return np.arange(count)
        seed = self.seed + number
        chunks = list(range(len(self.sizes)))
        draws = _Draws(seed)
        for place in range(len(chunks)):
            other = draws.below(len(chunks))
            chunks[place], chunks[other] = chunks[other], chunks[place]
        return self._shuffled(chunks, _Draws(seed))

    def _shuffled(self, chunks: list[int], draws: _Draws) -> np.ndarray:
        """Sequences of shuffled chunks, shuffled within each one's window."""
        firsts = np.cumsum([0, *self.sizes])
        order: list[int] = spans(firsts[chunks], np.array([self.sizes[c] for c in chunks])).tolist()
        windows = self._windows(chunks)
        if all(w == (0, len(chunks)) for w in windows):
            for here, there in enumerate(draws.all_below(len(order), len(order))):
                order[here], order[there] = order[there], order[here]
        else:
            self._exchange(order, chunks, windows, draws)
        return np.array(order, np.int64)

    def _exchange(self, order: list[int], chunks: list[int], windows: list[tuple[int, int]], draws: _Draws) -> None:
        """Let every sequence change places with one of its window, in whose window it is too."""
        # Where the chunks lie once they are shuffled, and from which to which each one's window reaches.
        ends = np.cumsum([self.sizes[c] for c in chunks]).tolist()
        begins = [0, *ends[:-1]]
        home = [place for place, c in enumerate(chunks) for _ in range(self.sizes[c])]
        at_home = list(home)
        for place, (low, high) in enumerate(windows):
            first, count = begins[low], ends[high - 1] - begins[low]
            for here in range(begins[place], ends[place]):
                there = first + draws.below(count)
                while not (
                    _within(windows[home[here]], at_home[there]) and _within(windows[home[there]], at_home[here])
                ):
                    there = first + draws.below(count)
                at_home[here], at_home[there] = at_home[there], at_home[here]
                order[here], order[there] = order[there], order[here]

    def _windows(self, chunks: list[int]) -> list[tuple[int, int]]:
        """For each shuffled chunk the places of the first chunk of its window and of the first behind it."""
        assert self.window is not None
        half = self.window.size // 2
        count = len(chunks)
        if not self.window.in_samples:
            size = min(self.window.size, count)
            lows = [min(max(place - half, 0), count - size) for place in range(count)]
            return [(low, low + size) for low in lows]
        ends = np.cumsum([self.samples[c] for c in chunks]).tolist()
        begins = [0, *ends[:-1]]
        windows = []
        low, high = 0, 0
        for place in range(count):
            while begins[place] - begins[low] > half:
                low += 1
            high = max(high, place + 1)
            while high < count and ends[high] - begins[place] < half:
                high += 1
            windows.append((low, high))
        return windows


def _within(window: tuple[int, int], place: int) -> bool:
    return window[0] <= place < window[1]


class _Draws:
    """Random whole numbers one at a time, made many at once."""

    def __init__(self, seed: int) -> None:
        self._twister = MersenneTwister64(seed)
        self._words: list[int] = []

    def below(self, count: int) -> int:
        """A number from 0 to ``count - 1``."""
        if not self._words:
            self._words = self._twister.words(_DRAWS)[::-1].tolist()
        return self._words.pop() % count

    def all_below(self, count: int, numbers: int) -> list[int]:
        """As many numbers from 0 to ``count - 1``; no other may have been drawn before."""
        drawn: list[int] = (self._twister.words(numbers) % np.uint64(count)).tolist()
        return drawn
