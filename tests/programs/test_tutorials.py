"""Programs in the manner of the original's tutorials and examples come to the original's metrics,
by its course.

`record_tutorials.py` wrote down the original's numbers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

import cntk as C
from tests.programs.tutorials.tutorials import PROGRAMS, numbers_of

ORIGINAL: dict[str, list[float]] = json.loads(
    (Path(__file__).parent / "golden" / "tutorials_of_the_original.json").read_text(
        encoding="utf-8"
    )
)


@pytest.fixture(autouse=True)
def _switches_as_before() -> Iterator[None]:
    """Leave to other tests the algorithms and the log that they expect."""
    deterministic, level = torch.are_deterministic_algorithms_enabled(), C.logging.get_trace_level()
    yield
    if torch.are_deterministic_algorithms_enabled() != deterministic:
        torch.use_deterministic_algorithms(deterministic)
    C.logging.set_trace_level(level)


def test_all_are_recorded() -> None:
    assert sorted(program.__name__ for program in PROGRAMS) == sorted(ORIGINAL)


@pytest.mark.filterwarnings("ignore:momentum_schedule", "ignore:Trainer", "ignore:deprecated")
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_tutorial(program: Callable[[str], list[float]], tmp_path: Path) -> None:
    np.testing.assert_allclose(
        numbers_of(program, str(tmp_path)), ORIGINAL[program.__name__], rtol=2e-4, atol=2e-6
    )
