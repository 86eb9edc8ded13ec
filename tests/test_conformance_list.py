"""The list of the original's tests that pass, and the runner that keeps it: it grows, and never shrinks."""

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


def test_update_adds_what_passes_twice_and_removes_nothing(passing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = {MODULE: Ran({PLUS: "failed", MINUS: "passed", TIMES: "passed"}, "")}
    second = {MODULE: Ran({PLUS: "failed", MINUS: "passed", TIMES: "failed"}, "")}
    monkeypatch.setattr(run, "run_modules", lambda modules, suite, args: second)
    run.update(run.read_passing(), first, passing.parent, Namespace())
    assert passing.read_text().splitlines() == [MINUS, PLUS]


@pytest.mark.parametrize("outcome", ["failed", "skipped", "missing"])
def test_check_names_what_is_lost(passing: Path, capsys: pytest.CaptureFixture[str], outcome: str) -> None:
    outcomes = {MINUS: "passed"} if outcome == "missing" else {PLUS: outcome}
    assert run.check(run.read_passing(), {MODULE: Ran(outcomes, "E   AssertionError")}) == 1
    told = capsys.readouterr().out
    assert PLUS in told
    assert "E   AssertionError" in told
    assert run.check(run.read_passing(), {MODULE: Ran({PLUS: "passed"}, "")}) == 0


def test_random_numbers_in_ids_become_running_numbers() -> None:
    cases = [("t::a[0.123456789]", "passed"), ("t::a[0.987654321e-05]", "failed"), ("t::b[0.5]", "passed")]
    assert list(run.numbered(cases)) == [
        ("t::a[random]#1", "passed"),
        ("t::a[random]#2", "failed"),
        ("t::b[0.5]", "passed"),
    ]
