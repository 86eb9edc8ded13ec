"""Trainings that are killed end as if nothing had been: a few of those that
`python -m tests.reliability.kills` kills.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.reliability.kills import compared, kill_all


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="each process would load everything anew")
def test_killed_trainings_end_as_undisturbed_ones(tmp_path: Path) -> None:
    outcomes = kill_all(str(tmp_path), 6, 2, 1)
    assert [outcome.fault for outcome in outcomes] == [""] * 6
    assert all(outcome.kills for outcome in outcomes)


@pytest.mark.parametrize(
    ("found", "fault"),
    [
        (["started", "1 a", "2 b", "final x"], ""),
        (["1 a", "started", "1 a", "2 b", "final x"], ""),
        (["1 a", "2 c", "final x"], "minibatch 2 gives c"),
        (["2 b", "final x"], "1 minibatches are missing"),
        (["1 a", "2 b", "final y"], "it ends as"),
        (["1 a", "error ValueError: 'no'"], "error ValueError"),
    ],
    ids=["equal", "twice", "another loss", "missing", "another end", "error"],
)
def test_what_differs_is_found(found: list[str], fault: str) -> None:
    said = compared(found, ["1 a", "2 b", "final x"], False)
    assert said.startswith(fault) if fault else not said
