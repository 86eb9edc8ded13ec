"""The order in which a sweep goes through a corpus: as it stands, or shuffled within a window of
chunks.

The shuffle is the original's, number by number, so that the same seed gives the same minibatches:
chunks are shuffled first; then every sequence changes places with a random one of the window of
chunks around it. At most a window of chunks is needed at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from cntk._runtime.random.mersenne_twister import MersenneTwister64
from cntk.io._native.loader import machine

_DRAWS, _MANY_DRAWS = 1 << 12, 1 << 16
# What a sequence counts for, in bytes of text, when it is asked whether to compile.
_WORK = 64


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
        return self._shuffled(
            self._chunks(number), self.window, MersenneTwister64(self.seed + number)
        )

    def deals(self, number: int) -> np.ndarray | None:
        """Shuffled chunks are dealt out among workers: each sequence's chunk's place in a sweep,
        int64 ``[sequences]``.
        """
        if self.window is None:
            return None
        chunks = self._chunks(number)
        places = np.empty_like(chunks)
        places[chunks] = np.arange(len(chunks))
        return np.repeat(places, self.sizes)

    def _chunks(self, number: int) -> np.ndarray:
        """The chunks in the order of a sweep, int64 ``[chunks]``."""
        chunks = list(range(len(self.sizes)))
        words = MersenneTwister64(self.seed + number).words(len(chunks)).tolist()
        for place, word in enumerate(words):
            other = word % len(chunks)
            chunks[place], chunks[other] = chunks[other], chunks[place]
        return np.array(chunks, np.int64)

    def _shuffled(
        self, chunks: np.ndarray, window: Window, twister: MersenneTwister64
    ) -> np.ndarray:
        """Sequences of shuffled chunks, shuffled within each one's window."""
        sizes = np.array(self.sizes, np.int64)
        order = np.empty(int(sizes.sum()), np.int64)
        firsts, ends = (np.cumsum(sizes) - sizes)[chunks], np.cumsum(sizes[chunks])
        for first, end, size in zip(
            firsts.tolist(), ends.tolist(), sizes[chunks].tolist(), strict=True
        ):
            order[end - size : end] = np.arange(first, first + size)
        windows = self._windows(chunks.tolist(), window)
        if all(w == (0, len(chunks)) for w in windows):
            return _exchange(order, twister)
        return _exchange_within(order, sizes[chunks], windows, twister)

    def _windows(self, chunks: list[int], window: Window) -> list[tuple[int, int]]:
        """For each shuffled chunk the places of the first chunk of its window and of the first
        behind it.
        """
        half = window.size // 2
        count = len(chunks)
        if not window.in_samples:
            size = min(window.size, count)
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


def _exchange(order: np.ndarray, twister: MersenneTwister64) -> np.ndarray:
    """Every sequence, one after another, changes places with a random one."""
    compiled = machine(len(order) * _WORK)
    if compiled is not None:
        for first in range(0, len(order), _MANY_DRAWS):
            compiled.exchange(order, twister.words(min(len(order) - first, _MANY_DRAWS)), first)
        return order
    numbers = order.tolist()
    count = len(numbers)
    for here, word in enumerate(twister.words(count).tolist()):
        there = word % count
        numbers[here], numbers[there] = numbers[there], numbers[here]
    return np.array(numbers, np.int64)


def _exchange_within(
    order: np.ndarray, sizes: np.ndarray, windows: list[tuple[int, int]], twister: MersenneTwister64
) -> np.ndarray:
    """Every sequence changes places with a random one of its window, in whose window it is too."""
    begins = np.concatenate([[0], np.cumsum(sizes)])
    home = np.repeat(np.arange(len(sizes)), sizes)
    compiled = machine(len(order) * _WORK)
    if compiled is None:
        return _exchange_within_slowly(
            order.tolist(), home.tolist(), windows, begins.tolist(), twister
        )
    done, words = 0, np.zeros(0, np.uint64)
    arrays = (order, home, home.copy(), np.array(windows, np.int64), begins)
    while done < len(order):
        words = np.concatenate([words, twister.words(min(len(order) - done + _DRAWS, _MANY_DRAWS))])
        done, used = compiled.exchange_within(*arrays, words, done, len(order))
        words = words[used:]
    return order


def _exchange_within_slowly(
    order: list[int],
    home: list[int],
    windows: list[tuple[int, int]],
    begins: list[int],
    twister: MersenneTwister64,
) -> np.ndarray:
    at_home = list(home)
    words = _words(twister)
    for here, chunk in enumerate(home):
        low, high = windows[chunk]
        first, count = begins[low], begins[high] - begins[low]
        there = first + next(words) % count
        while not (
            _within(windows[chunk], at_home[there]) and _within(windows[home[there]], at_home[here])
        ):
            there = first + next(words) % count
        at_home[here], at_home[there] = at_home[there], at_home[here]
        order[here], order[there] = order[there], order[here]
    return np.array(order, np.int64)


def _within(window: tuple[int, int], place: int) -> bool:
    return window[0] <= place < window[1]


def _words(twister: MersenneTwister64) -> Iterator[int]:
    """Random words one at a time, made many at once."""
    while True:
        yield from twister.words(_DRAWS).tolist()
