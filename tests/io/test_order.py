"""Shuffling: every sweep another order, the same for the same seed, and none that leaves its
window.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from cntk.io._sampling.shuffle import Order, Window

SIZES = st.lists(st.integers(1, 6), min_size=1, max_size=8)
WINDOWS = st.none() | st.builds(Window, st.integers(1, 10), st.booleans())


@given(SIZES, WINDOWS, st.integers(0, 2**64 - 20), st.integers(0, 9))
def test_each_sweep_has_every_sequence_once(sizes, window, seed, sweep):
    order = Order(sizes, [3 * n for n in sizes], window, seed)
    found = order.sweep(sweep)
    assert sorted(found) == list(range(sum(sizes)))
    np.testing.assert_array_equal(found, order.sweep(sweep))
    np.testing.assert_array_equal(
        found, Order(sizes, [3 * n for n in sizes], window, seed + sweep).sweep(0)
    )


def test_sweeps_and_seeds_differ():
    order = Order([50], [50], Window(128), 0)
    orders = [tuple(order.sweep(k)) for k in range(5)] + [
        tuple(Order([50], [50], Window(128), 77).sweep(0))
    ]
    assert len(set(orders)) == 6


@given(st.lists(st.integers(1, 6), min_size=3, max_size=9), st.integers(1, 4), st.integers(0, 99))
def test_few_chunks_are_needed_at_a_time(sizes, window, seed):
    """Between a chunk's first sequence and its last lie sequences of no more than the windows
    around it.
    """
    chunk_of = np.repeat(np.arange(len(sizes)), sizes)[
        Order(sizes, sizes, Window(window), seed).sweep(0)
    ]
    alive = [
        sum(
            1
            for c in range(len(sizes))
            if (chunk_of[: at + 1] == c).any() and (chunk_of[at:] == c).any()
        )
        for at in range(len(chunk_of))
    ]
    assert max(alive) <= max(2 * window - 1, 2)


def test_positions_are_nearly_uniform():
    """With many seeds every sequence comes to every place about equally often.

    The shuffle is the original's, in which each sequence changes places with any other: a place is
    at most some tenths likelier than another, as theory has it for that shuffle.
    """
    count, seeds = 6, 1500
    places = np.zeros((count, count))
    for seed in range(seeds):
        places[Order([count], [count], Window(1), 1000 * seed).sweep(0), np.arange(count)] += 1
    frequencies = places / seeds * count
    assert frequencies.min() > 0.6
    assert frequencies.max() < 1.4


@pytest.mark.parametrize("sizes", [[1], [1, 1], [3, 0, 2]])
def test_small_corpora(sizes):
    assert sorted(Order(sizes, sizes, Window(128)).sweep(3)) == list(range(sum(sizes)))
