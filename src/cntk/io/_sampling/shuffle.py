"""`Order`: the order of sequences in each sweep, optionally shuffled within a window of chunks.

The shuffle draws the same random numbers as the original's, so that the same seed gives the same
minibatches: chunks are shuffled first, then every sequence is swapped with a random one of the
window of chunks around it. At most a window of chunks is needed at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from cntk._runtime.random.mersenne_twister import MersenneTwister64
from cntk.io._native.loader import compiled_module

_DRAWS, _MANY_DRAWS = 1 << 12, 1 << 16
# The cost of shuffling one sequence, in bytes of text, for the decision whether to compile.
_WORK = 64


@dataclass(frozen=True)
class Window:
    """Shuffle window: how far a sequence may move.

    Attributes:
        size: the window's width.
        in_samples: whether the width is in samples, not in chunks.
    """

    size: int
    in_samples: bool = False


@dataclass(frozen=True)
class Order:
    """The order of sequences in each sweep.

    Attributes:
        sizes: number of sequences of each chunk.
        samples: number of samples of each chunk.
        window: the shuffle window; None for no shuffle.
        seed: seed of the first sweep; each further sweep adds one.
    """

    sizes: Sequence[int]
    samples: Sequence[int]
    window: Window | None
    seed: int = 0

    def sweep(self, number: int) -> np.ndarray:
        """Return sequence indices in the order of a sweep, int64 ``[sequences]``."""
        count = sum(self.sizes)
        if self.window is None:
            return np.arange(count)
        return self._shuffle(
            self._chunks(number), self.window, MersenneTwister64(self.seed + number)
        )

    def worker_numbers(self, number: int) -> np.ndarray | None:
        """Return the number, modulo the workers, of the worker that reads each sequence.

        Shuffled chunks are assigned to workers in turn, so it is the position of the sequence's
        chunk in the sweep, int64 ``[sequences]``; None without a shuffle.
        """
        if self.window is None:
            return None
        chunks = self._chunks(number)
        positions = np.empty_like(chunks)
        positions[chunks] = np.arange(len(chunks))
        return np.repeat(positions, self.sizes)

    def _chunks(self, number: int) -> np.ndarray:
        """Return the chunks in the order of a sweep, int64 ``[chunks]``."""
        chunks = list(range(len(self.sizes)))
        words = MersenneTwister64(self.seed + number).words(len(chunks)).tolist()
        for position, word in enumerate(words):
            other = word % len(chunks)
            chunks[position], chunks[other] = chunks[other], chunks[position]
        return np.array(chunks, np.int64)

    def _shuffle(
        self, chunks: np.ndarray, window: Window, twister: MersenneTwister64
    ) -> np.ndarray:
        """Shuffle the sequences of shuffled chunks, each within the window of its chunk."""
        sizes = np.array(self.sizes, np.int64)
        order = np.empty(int(sizes.sum()), np.int64)
        firsts, ends = (np.cumsum(sizes) - sizes)[chunks], np.cumsum(sizes[chunks])
        for first, end, size in zip(
            firsts.tolist(), ends.tolist(), sizes[chunks].tolist(), strict=True
        ):
            order[end - size : end] = np.arange(first, first + size)
        windows = self._windows(chunks.tolist(), window)
        if all(w == (0, len(chunks)) for w in windows):
            return _shuffle_all(order, twister)
        return _shuffle_windows(order, sizes[chunks], windows, twister)

    def _windows(self, chunks: list[int], window: Window) -> list[tuple[int, int]]:
        """Return each shuffled chunk's window as a range of positions (end exclusive)."""
        half = window.size // 2
        count = len(chunks)
        if not window.in_samples:
            size = min(window.size, count)
            lows = [min(max(position - half, 0), count - size) for position in range(count)]
            return [(low, low + size) for low in lows]
        ends = np.cumsum([self.samples[c] for c in chunks]).tolist()
        begins = [0, *ends[:-1]]
        windows = []
        low, high = 0, 0
        for position in range(count):
            while begins[position] - begins[low] > half:
                low += 1
            high = max(high, position + 1)
            while high < count and ends[high] - begins[position] < half:
                high += 1
            windows.append((low, high))
        return windows


def _shuffle_all(order: np.ndarray, twister: MersenneTwister64) -> np.ndarray:
    """Swap every sequence, one after another, with a random one of all."""
    compiled = compiled_module(len(order) * _WORK)
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


def _shuffle_windows(
    order: np.ndarray, sizes: np.ndarray, windows: list[tuple[int, int]], twister: MersenneTwister64
) -> np.ndarray:
    """Swap every sequence with a random one of its window; each must be in the other's window."""
    begins = np.concatenate([[0], np.cumsum(sizes)])
    home = np.repeat(np.arange(len(sizes)), sizes)
    compiled = compiled_module(len(order) * _WORK)
    if compiled is None:
        return _shuffle_windows_in_python(
            order.tolist(), home.tolist(), windows, begins.tolist(), twister
        )
    done, words = 0, np.zeros(0, np.uint64)
    arrays = (order, home, home.copy(), np.array(windows, np.int64), begins)
    while done < len(order):
        words = np.concatenate([words, twister.words(min(len(order) - done + _DRAWS, _MANY_DRAWS))])
        done, used = compiled.exchange_within(*arrays, words, done, len(order))
        words = words[used:]
    return order


def _shuffle_windows_in_python(
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


def _within(window: tuple[int, int], position: int) -> bool:
    return window[0] <= position < window[1]


def _words(twister: MersenneTwister64) -> Iterator[int]:
    """Yield random words one at a time, drawn many at once."""
    while True:
        yield from twister.words(_DRAWS).tolist()
