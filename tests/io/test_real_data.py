"""Real data, read as the original reads it: the same minibatches, the same values; shuffled, the
same sequences.

The data are read from the folder that the environment variable CNTK_TEST_DATA names.
"""

from __future__ import annotations

import collections
import json
import os
from pathlib import Path

import numpy as np
import pytest

from cntk.io import (
    MinibatchSource,
)
from tests.io.cases.made_readers import made
from tests.io.cases.real_cases import CASES, Summary, unpack

GOLDEN = json.loads(
    (Path(__file__).parent / "golden" / "real_of_the_original.json").read_text(encoding="utf-8")
)
BY_NAME = {c.name: c for c in CASES}
SHUFFLED = [n for n in BY_NAME if n + "_shuffled" in BY_NAME and n not in ("cmudict", "mnist")]
DATA = os.environ.get("CNTK_TEST_DATA", "")

pytestmark = pytest.mark.skipif(not DATA, reason="CNTK_TEST_DATA names no folder of real data")


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    return tmp_path_factory.mktemp("real")


def minibatches(case, unpacked, monkeypatch):
    """The source, and its minibatches one after another."""
    monkeypatch.chdir(unpack(case, DATA, str(unpacked)))
    source = MinibatchSource([made(*r) for r in case.readers], **case.options)
    number = 0
    while minibatch := source.next_minibatch(case.sizes[number % len(case.sizes)]):
        number += 1
        yield source, minibatch


@pytest.mark.parametrize("name", [n for n, golden in GOLDEN.items() if golden])
def test_is_read_as_the_original_does(name, unpacked, monkeypatch):
    found = collections.defaultdict(Summary)
    positions = []
    for source, minibatch in minibatches(BY_NAME[name], unpacked, monkeypatch):
        positions.append(source.current_position["minibatchSourcePosition"])
        for info, data in minibatch.items():
            found[info.name].add(data.num_samples, data.end_of_sweep, data.as_sequences())
    golden = GOLDEN[name]
    assert (len(positions), positions[-1]) == (golden["minibatches"], golden["position"])
    assert set(found) == set(golden["streams"])
    for stream, (cuts, columns, count, sums) in golden["streams"].items():
        read = found[stream].found()
        assert read[:3] == [cuts, columns, count], stream
        np.testing.assert_allclose(read[3], sums, rtol=0, atol=1e-6 * count**0.5 + 2e-4)


@pytest.mark.parametrize("name", [n for n, golden in GOLDEN.items() if golden is None])
def test_binary_files_of_doubles_are_read_as_their_text(name, unpacked, monkeypatch):
    """The original refuses these; what they hold is in its text files too."""

    def sequences(case):
        found = minibatches(case._replace(sizes=BY_NAME[name].sizes), unpacked, monkeypatch)
        data = (d for _, minibatch in found for d in minibatch.values())
        return [
            s if isinstance(s, np.ndarray) else s.toarray() for d in data for s in d.as_sequences()
        ]

    read, expected = sequences(BY_NAME[name]), sequences(BY_NAME[name.removeprefix("binary_")])
    for one, other in zip(read, expected, strict=True):
        assert one.dtype == np.float64
        with np.errstate(over="ignore"):
            np.testing.assert_allclose(one.astype(np.float32), other, rtol=1e-6)


@pytest.mark.parametrize("name", SHUFFLED)
def test_a_shuffled_sweep_has_the_same_sequences(name, unpacked, monkeypatch):
    def sequences(case):
        found = collections.Counter()
        for _, minibatch in minibatches(case, unpacked, monkeypatch):
            rows = [
                d.as_sequences()
                for _, d in sorted(minibatch.items(), key=lambda item: item[0].name)
            ]
            for together in zip(*rows, strict=True):
                found[
                    tuple(
                        hash((s if isinstance(s, np.ndarray) else s.toarray()).tobytes())
                        for s in together
                    )
                ] += 1
        return found

    once = {"randomize": False, "max_sweeps": 1}
    ordered = sequences(BY_NAME[name]._replace(options=once))
    for seed in (3, 4):
        options = {"max_sweeps": 1, "randomization_seed": seed}
        assert sequences(BY_NAME[name + "_shuffled"]._replace(options=options)) == ordered
