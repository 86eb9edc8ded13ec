"""The benchmarks' programs train elsewhere as they do here, and say what went wrong if they do
not.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from benchmarks.elsewhere import Elsewhere
from benchmarks.memory import CASES
from benchmarks.programs_of_cntk import PROGRAMS, build
from benchmarks.timing import expect_same_training

SOURCE = Path(__file__).resolve().parent.parent / "benchmarks" / "programs_of_cntk.py"


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
