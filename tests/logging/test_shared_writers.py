"""A progress writer that several trainers and evaluators share prints what the original prints."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from cntk.eval.sums import RunningSum
from tests.logging.shared_writers import PROGRAMS, WRITERS, run

ORIGINAL = json.loads(Path(__file__).with_name("shared_writers_of_the_original.json").read_text())


def parts(line):
    """A line's text, and its numbers."""
    return re.sub(r"-?\d+\.?\d*", "#", line), [float(n) for n in re.findall(r"-?\d+\.?\d*", line)]


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("writer", WRITERS)
def test_lines_are_the_original_s(writer, program):
    found, wanted = run(program, writer), ORIGINAL[writer][program]
    assert [parts(line)[0] for line in found] == [parts(line)[0] for line in wanted]
    for line, other in zip(found, wanted, strict=True):
        # The original adds scalars up: their last digit may differ.
        assert parts(line)[1] == pytest.approx(parts(other)[1], abs=0.011)


def test_everything_is_recorded():
    assert set(WRITERS) == set(ORIGINAL) and all(
        set(PROGRAMS) == set(found) for found in ORIGINAL.values()
    )


def test_a_sum_of_many_is_folded():
    total = RunningSum()
    for number in range(200):
        total.add(number)
    assert total.read() == sum(range(200)) and total.last == 199
    total.reset()
    assert total.read() == 0 and total.last is None
