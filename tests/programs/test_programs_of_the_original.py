"""Small programs of many kinds, written as users of CNTK 2 write them, take the original's course
number by number.

`record_programs.py` wrote down the original's.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.programs import network_programs, sequence_programs
from tests.programs.small_training import numbers_of

ORIGINAL: dict[str, list[float]] = json.loads(
    (Path(__file__).parent / "golden" / "programs_of_the_original.json").read_text(encoding="utf-8")
)
PROGRAMS = [*network_programs.PROGRAMS, *sequence_programs.PROGRAMS]


def test_all_are_recorded() -> None:
    assert sorted(program.__name__ for program in PROGRAMS) == sorted(ORIGINAL)


@pytest.mark.filterwarnings("ignore:momentum_schedule", "ignore:Trainer")
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_program(program: Callable[[], list[float]]) -> None:
    np.testing.assert_allclose(
        numbers_of(program), ORIGINAL[program.__name__], rtol=5e-5, atol=2e-6
    )
