"""The list of the original's tests that pass, and the runner that keeps it: it grows, and never
shrinks.
"""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path

import pytest

from tests.conformance import run
from tests.conformance.run import Module, Ran

MODULE = Module(Path("linear_test.py"), "cntk.ops.tests.linear_test", "ops/linear_test")
PLUS, MINUS, TIMES = (f"{MODULE.dotted}::test_{name}" for name in ("plus", "minus", "times"))


@pytest.fixture
def passing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "passing.txt"
    path.write_text(f"{PLUS}\n")
    monkeypatch.setattr(run, "PASSING", path)
    return path


def test_list_is_in_order_and_knows_only_the_suites_tests() -> None:
    listed = run.PASSING.read_text(encoding="utf-8").splitlines()
    assert listed == sorted(set(listed))
    baseline = dict(json.loads((run.HERE / "baseline.json").read_text(encoding="utf-8")))
    assert [test for test in listed if test not in baseline] == []


def test_update_adds_what_passes_twice_and_removes_nothing(
    passing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = {MODULE: Ran({PLUS: "failed", MINUS: "passed", TIMES: "passed"}, "")}
    second = {MODULE: Ran({PLUS: "failed", MINUS: "passed", TIMES: "failed"}, "")}
    monkeypatch.setattr(run, "run_modules", lambda *_: second)
    run.update(run.read_passing(), first, passing.parent, Namespace())
    assert passing.read_text().splitlines() == [MINUS, PLUS]


@pytest.mark.parametrize("outcome", ["failed", "skipped", "missing"])
def test_check_names_what_is_lost(
    passing: Path, capsys: pytest.CaptureFixture[str], outcome: str
) -> None:
    outcomes = {MINUS: "passed"} if outcome == "missing" else {PLUS: outcome}
    assert run.check(run.read_passing(), {MODULE: Ran(outcomes, "E   AssertionError")}) == 1
    told = capsys.readouterr().out
    assert PLUS in told
    assert "E   AssertionError" in told
    assert run.check(run.read_passing(), {MODULE: Ran({PLUS: "passed"}, "")}) == 0


def test_random_numbers_in_ids_become_running_numbers() -> None:
    cases = [
        ("t::a[0.123456789]", "passed"),
        ("t::a[0.987654321e-05]", "failed"),
        ("t::b[0.5]", "passed"),
    ]
    assert list(run.numbered(cases)) == [
        ("t::a[random]#1", "passed"),
        ("t::a[random]#2", "failed"),
        ("t::b[0.5]", "passed"),
    ]


def test_few_tests_are_impossible_and_each_has_its_reason() -> None:
    impossible = run.read_impossible()
    baseline = {
        test.partition("[")[0]
        for test, status in json.loads((run.HERE / "baseline.json").read_text())
        if status == "passed"
    }
    listed = {
        test.partition("[")[0] for test in run.PASSING.read_text(encoding="utf-8").splitlines()
    }
    assert (
        len(impossible) <= 10 and impossible.keys() <= baseline and not impossible.keys() & listed
    )
    assert all(len(reason.split()) > 4 for reason in impossible.values())


def test_what_is_impossible_counts_for_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run, "read_impossible", lambda: {PLUS: "it needs what is gone"})
    baseline = {f"{PLUS}[a]": "passed", f"{PLUS}[b]": "passed", MINUS: "passed"}
    assert run.summarize(baseline, {MODULE: Ran({MINUS: "passed", f"{PLUS}[a]": "failed"}, "")})
    assert capsys.readouterr().out.splitlines()[-1].split()[-3:] == ["1", "of", "1"]
    assert not run.summarize(baseline, {MODULE: Ran({MINUS: "failed"}, "")})
