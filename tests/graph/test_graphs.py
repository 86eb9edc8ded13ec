"""Graphs are those of the original: operations, attributes, what is inside blocks, constants, and
what a search finds.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

import cntk as C
from tests.graph.graph_programs import CASES, built, facts

RECORDED: dict[str, dict[str, Any]] = json.loads(
    gzip.decompress(
        (Path(__file__).parent / "golden" / "graphs_of_the_original.json.gz").read_bytes()
    )
)
COMPARED = [name for name, row in RECORDED.items() if "refused" not in row]

# A convolution along sequences is one operation here; the original and files have it as several
# outside of any block.
ALONG_SEQUENCES = (
    "convolution of sequences",
    "convolution of sequences, unpadded",
    "layer: sequential convolution",
    "layer: sequential convolution, strides",
    "layer: sequential convolution, one filter",
    "layer: sequential convolution of numbers",
    "layer: sequential convolution, 1 wide",
)
# The same operations, put together in a slightly different way.
OTHERWISE = (
    "gather along an axis",  # the block lists its operands the other way round
    "layer: convolution along the sequence, one "
    "filter",  # axes of one element come and go in two steps, not in one
    "layer: convolution along the sequence without channels",
    "layer: convolution along the sequence of numbers",
    "layer: recurrence over three states",
)


def test_all_rows_are_recorded() -> None:
    assert list(CASES) == list(RECORDED) and len(CASES) > 700


@pytest.mark.parametrize("name", COMPARED)
def test_graph_is_the_originals(name: str) -> None:
    wanted = dict(RECORDED[name])
    readable = not wanted.pop("unreadable", False)
    found = facts(C, built(C, name), readable)
    if name in ALONG_SEQUENCES + OTHERWISE:
        assert found != wanted and found["parameters"] == wanted["parameters"]
    else:
        assert found == wanted
