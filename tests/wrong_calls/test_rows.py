"""Wrong calls of public functions, by area: each is answered by one sentence of ours; see
`checker`.
"""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from tests.wrong_calls.checker import Wrong, check
from tests.wrong_calls.nodes import Nodes

AREAS = sorted(path.stem for path in (Path(__file__).parent / "rows").glob("*.py"))


def rows() -> list[object]:
    found = []
    for area in AREAS:
        table: list[Wrong] = importlib.import_module(f"tests.wrong_calls.rows.{area}").ROWS
        found += [
            pytest.param(row, id=f"{area}-{number}-{row.name}") for number, row in enumerate(table)
        ]
    return found


@pytest.mark.parametrize("row", rows())
def test_wrong_call(row: Wrong) -> None:
    check(row, Nodes())
