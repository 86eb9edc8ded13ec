"""Data in memory as minibatch sources: as the original, minibatch by minibatch."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from cntk.io import MinibatchSourceFromData
from cntk.layers.typing import Sequence, Tensor
from tests.io.cases.memory_cases import CASES, FULL_DATA_SWEEP, read, streams

GOLDEN = json.loads(
    (Path(__file__).parent / "golden" / "memory_of_the_original.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("number", range(len(CASES)))
def test_as_the_original(number):
    """Up to where the original gives up, since a sequence is longer than the size or there is none
    for the worker.
    """
    case, wanted = CASES[number], GOLDEN[number]
    if case.options.get("max_samples") == FULL_DATA_SWEEP:
        # The original takes this for a number of samples, and never ends; here it is the sweep that
        # it says it is.
        wanted = [
            row
            for row in wanted
            if row is None or row is False or not row[0] or row[2] <= _sweep(case)
        ]
    wanted = wanted[:-1] if wanted[-1] is None else wanted
    assert (
        read(MinibatchSourceFromData(streams(case, Sequence[Tensor[1]]), **case.options), case)[
            : len(wanted)
        ]
        == wanted
    )


def _sweep(case):
    return sum(max(n[k] if n else 1 for n in case.lengths) for k in range(case.count))


def test_a_sequence_longer_than_the_size_comes_alone():
    data = [np.zeros((n, 1), np.float32) for n in (3, 1)]
    source = MinibatchSourceFromData({"x": (data, Sequence[Tensor[1]])}, max_samples=4)
    assert [source.next_minibatch(2)[source.streams.x].num_samples for _ in range(2)] == [3, 1]
    assert source.next_minibatch(2) == {}


def test_no_sequence_for_a_worker():
    data = [np.zeros((2, 1), np.float32)] * 2
    source = MinibatchSourceFromData({"x": (data, Sequence[Tensor[1]])})
    source.next_minibatch(2, 2, 0)
    with pytest.raises(
        ValueError,
        match="1 sequences are left or fit into 2 samples, which are too few for 2 workers",
    ):
        source.next_minibatch(2, 2, 1)
    assert source.get_checkpoint_state() == {"cursor": 1, "total_num_samples": 2}
