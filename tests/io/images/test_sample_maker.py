"""Samples are made ahead of their use, one minibatch and no more; what does not come after all is
dropped.
"""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from cntk.errors import DataError
from cntk.io._corpus.sample_maker import SampleMaker, unmade


class Counted:
    """Samples that remember which were made."""

    def __init__(self, broken=()):
        self.made = []
        self.threads = set()
        self._broken = broken

    def make(self, row, seed):
        time.sleep(0.001)
        self.made.append((row, *seed))
        self.threads.add(threading.current_thread().name)
        if row in self._broken:
            raise DataError(f"sample {row} is broken")
        return np.full(2, row, np.float32), np.full(1, -row, np.float32)


def parts(samples, rows):
    return {name: [(unmade(samples, k, 100), np.array(rows))] for k, name in enumerate(("x", "y"))}


def finished(maker, samples, rows, sweep=0):
    found = maker.finish(parts(samples, rows), np.full(len(rows), sweep))
    return [found[name][0][0].frames[:, 0].tolist() for name in ("x", "y")]


@pytest.mark.parametrize("threads", [0, 3])
def test_streams_of_one_sample_are_made_once(threads):
    samples, maker = Counted(), SampleMaker(7, threads, 0)
    assert finished(maker, samples, [3, 1, 2], 5) == [[3, 1, 2], [-3, -1, -2]]
    assert sorted(samples.made) == [(1, 7, 5), (2, 7, 5), (3, 7, 5)]
    assert all(name.startswith("cntk-maker") == bool(threads) for name in samples.threads)


def test_what_is_expected_is_made_ahead_and_once():
    samples, maker = Counted(), SampleMaker(0, 2, 0)
    maker.expect(parts(samples, [1, 2, 3]), 0)
    deadline = time.monotonic() + 30
    while len(samples.made) < 3 and time.monotonic() < deadline:
        time.sleep(0.001)
    assert sorted(row for row, *_ in samples.made) == [1, 2, 3]
    assert finished(maker, samples, [1, 2, 3, 4])[0] == [1, 2, 3, 4]
    assert sorted(row for row, *_ in samples.made) == [1, 2, 3, 4]


def test_what_does_not_come_is_dropped():
    samples, maker = Counted(), SampleMaker(0, 1, 0)
    maker.expect(parts(samples, range(50)), 0)
    maker.expect(parts(samples, [60, 61]), 0)
    assert finished(maker, samples, [60, 61])[0] == [60, 61]
    assert len(samples.made) < 50
    maker.expect(parts(samples, [60]), 1)  # Another sweep's is another sample.
    assert finished(maker, samples, [60], 0)[0] == [60]
    assert samples.made.count((60, 0, 0)) == 2


def test_nothing_is_made_ahead_without_threads():
    samples, maker = Counted(), SampleMaker(0, 0, 0)
    maker.expect(parts(samples, [1, 2]), 0)
    assert not samples.made


def test_errors_are_counted_once_for_each_sample():
    samples = Counted(broken={2, 5})
    with pytest.raises(DataError, match="sample 2 is broken"):
        finished(SampleMaker(0, 2, 0), samples, [1, 2])
    maker = SampleMaker(0, 2, 1)
    with pytest.warns(
        UserWarning, match=r"sample 2 is broken; it is left out \(1 of 1 errors allowed\)"
    ):
        assert finished(maker, samples, [1, 2, 3]) == [[1, 3], [-1, -3]]
    with pytest.raises(
        DataError, match="sample 5 is broken. That is one more than max_errors=1 allows"
    ):
        finished(maker, samples, [4, 5])
