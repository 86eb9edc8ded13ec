"""Every learner, step by step, against what the original did; and what learners promise besides."""

from __future__ import annotations

import os

import numpy as np
import pytest

import cntk.learners as L
from cntk._engine.seeds import reset_random_seed
from cntk.variables import Parameter
from tests.learners.learner_cases import NOISE_SEED, SHAPES, cases, initial_values, run

GOLDEN = np.load(os.path.join(os.path.dirname(__file__), "golden_learners.npz"))


def parameters(dtype=np.float64):
    return [Parameter(s, init=v.astype(dtype), dtype=dtype) for s, v in zip(SHAPES, initial_values(), strict=True)]


@pytest.mark.parametrize("number", range(len(GOLDEN["names"])), ids=[str(name) for name in GOLDEN["names"]])
def test_golden(number):
    make = cases(L)[str(GOLDEN["names"][number])]
    given = parameters()
    reset_random_seed(NOISE_SEED)
    values, rates, updated = run(make(given), given)
    np.testing.assert_array_equal(updated, GOLDEN["updated"][number])
    np.testing.assert_allclose(rates, GOLDEN["rates"][number], rtol=1e-12)
    np.testing.assert_allclose(values, GOLDEN["values"][number], rtol=1e-6, atol=1e-8)
