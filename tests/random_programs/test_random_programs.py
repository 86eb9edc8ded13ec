"""Random programs: recorded steps and loops give what eager ones give, and gradients what finite
differences give.

A seeded hundred of each kind; `python -m tests.random_programs` draws more.
"""

from __future__ import annotations

import pytest

from tests.random_programs.comparison import compare, differentiate


@pytest.mark.parametrize("seed", range(100))
def test_recorded_is_eager(seed):
    outcome = compare(seed)
    assert not outcome.is_fault, outcome.text


@pytest.mark.parametrize("seed", range(25))
def test_gradients_are_derivatives(seed):
    outcome = differentiate(seed)
    assert not outcome.is_fault, outcome.text


def test_programs_are_recorded():
    """Most programs can be built, and most of those are recorded; else there would be nothing to
    compare.
    """
    outcomes = [compare(seed) for seed in range(100, 120)]
    kinds = [outcome.kind for outcome in outcomes]
    assert kinds.count("equal") >= 15, kinds
    assert sum(outcome.recorded for outcome in outcomes) >= 12
