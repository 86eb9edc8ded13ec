"""Whole trainings with schedules and options at their bounds, against the original: eager,
recorded, dense, sparse.
"""

from __future__ import annotations

import os

import numpy as np
import pytest

import cntk as C
from tests.learners.trained_cases import cases, train

GOLDEN = dict(np.load(os.path.join(os.path.dirname(__file__), "golden_learners.npz")))
CASES = cases(C.learners)


@pytest.mark.parametrize(
    "number", range(len(GOLDEN["trained_names"])), ids=[str(n) for n in GOLDEN["trained_names"]]
)
def test_golden(number):
    values = train(C, *CASES[str(GOLDEN["trained_names"][number])])
    np.testing.assert_allclose(values, GOLDEN["trained_values"][number], rtol=1e-4, atol=3e-5)


def test_options_out_of_range_are_of_both_classes():
    parameter = C.parameter(2)
    for error in (ValueError, RuntimeError):
        with pytest.raises(error, match="rmsprop: expected gamma between 0 and 1"):
            C.rmsprop([parameter], 0.1, 1.5, 1.2, 0.5, 10, 0.1)
