"""The benchmarks' programs train elsewhere as they do here, and say what went wrong if they do
not.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import against
from benchmarks.__main__ import HOMES, WORKLOADS, chosen_by, parse_arguments
from benchmarks.elsewhere import Elsewhere
from benchmarks.memory import CASES
from benchmarks.programs_of_cntk import PROGRAMS, build
from benchmarks.timing import expect_same_training

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "benchmarks" / "programs_of_cntk.py"


def test_another_process_trains_the_same_program() -> None:
    with Elsewhere(sys.executable, "gru.lengths", 1) as run:
        averages, first_peak = run(2), run.peak
        expect_same_training(build("gru.lengths")(2), averages)
        with pytest.raises(SystemExit, match="not the same training"):
            expect_same_training(run(2), averages)
        assert run.peak >= first_peak > 2**20


def test_what_another_process_complains_about_is_shown() -> None:
    with (
        Elsewhere(sys.executable, "no such program", 1) as run,
        pytest.raises(SystemExit, match="no such program"),
    ):
        run(1)


def test_memory_is_measured_of_programs_that_exist() -> None:
    assert set(CASES) <= set(PROGRAMS)


def test_programs_keep_to_what_the_original_python_knows() -> None:
    ast.parse(SOURCE.read_text(encoding="utf-8"), feature_version=(3, 6))


def clock(*rounds: float) -> against.Clock:
    """What takes so many seconds a step, round after round, and asks for one step at a time."""
    left: Iterator[float] = iter(rounds)
    return lambda steps: next(left)


ONCE = {"name": "row", "rounds": 2, "seconds": 0.0}


def test_checkouts_are_compared_by_their_best_rounds() -> None:
    this, other = clock(9, 9, 3, 2), clock(9, 9, 4, 8)
    row = against.measured(this=this, other=other, limit=None, **ONCE)
    assert (row.this, row.other, row.ratio) == ([3, 2], [4, 8], 0.5)
    assert row.text(8).split() == "row 2000000.0 us 1.50 4000000.0 us 2.00 2 0.500".split()
    assert len(row.text(8)) == len(against.heading(8))


def test_a_slow_row_is_measured_twice_before_it_counts() -> None:
    noisy = against.measured(this=clock(9, 9, 5, 5, 2, 5), other=clock(*[2] * 6), limit=1.1, **ONCE)
    assert (len(noisy.this), noisy.ratio) == (4, 1)
    quick = against.measured(this=clock(*[2] * 4), other=clock(*[2] * 4), limit=1.1, **ONCE)
    assert len(quick.this) == 2


@pytest.mark.parametrize(
    ("limit", "code", "last"),
    [
        (None, 0, "geometric mean of 2 row(s): 1.000"),
        (2.0, 0, "no row is above 2"),
        (1.03, 1, "above 1.03: slow (2.000)"),
    ],
    ids=["none", "kept", "exceeded"],
)
def test_exit_code_is_1_only_above_a_limit(limit: float | None, code: int, last: str) -> None:
    rows = [against.Row("slow", [4, 6], [2]), against.Row("fast", [1], [2])]
    lines, found = against.summary(rows, limit)
    assert (lines[-1], found) == (last, code)


def test_nothing_compared_is_no_success() -> None:
    assert [against.summary([], limit)[1] for limit in (None, 1.03)] == [0, 1]


def test_rows_to_compare() -> None:
    compared = chosen_by(parse_arguments(["--against", str(ROOT), "readers", "tiny"]))
    assert {"ctf_digits", "pictures", "tiny"} <= set(compared)
    assert set(WORKLOADS) == set(HOMES)
    given = parse_arguments(["--against", str(ROOT), "--rounds", "3"])
    assert (given.rounds, given.seconds) == (3, 0.1)


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        (["--against", "no such folder"], "is no checkout"),
        (["--against", str(ROOT), "busy"], "busy does not compare"),
        (["--limit", "1.03"], "only with --against"),
        (["no such row"], "there is no workload"),
    ],
    ids=["folder", "table", "limit", "row"],
)
def test_what_cannot_be_compared(
    given: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parse_arguments(given)
    assert complaint in capsys.readouterr().err


@pytest.mark.slow
def test_a_checkout_against_itself_and_a_row_that_it_lacks(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = {"overhead": "benchmarks.operations"}
    assert against.print_table(rows, ROOT, rounds=1, seconds=1e-3, threads=1, limit=None) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["workload", "overhead", "geometric"]
    with pytest.raises(against.NotThereError, match="does not run in .*StopIteration"):
        with against.Side(ROOT, "benchmarks.dense", "no such row", 1, "") as side:
            side.expect_package()
