"""At the ends of floating point, element-wise operations and their gradients give the original's numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import cntk as C
from tests.ops.extreme_numbers import ROWS, operands, results

RECORDED = np.load(Path(__file__).parent / "extremes_of_the_original.npz")

# Where the original's number is left alone, and why: the operation, the row (result, gradients), and the operands.
OTHERWISE = {
    ("abs", 1): lambda x: np.isnan(x),  # the gradient is torch's 0
    # The original takes the exponential minus 1 in so many words, and loses digits next to 0.
    ("elu", 0): lambda x: np.abs(x) <= 1e-8,
    ("selu", 0): lambda x: np.abs(x) <= 1e-8,
    # What its library makes of these differs between 32 and 64 bits.
    ("relu", 0): lambda x: np.isnan(x) | (x == -np.inf),
    ("relu", 1): lambda x: np.isnan(x) | (x == np.float32(1e-45)),
    ("log_add_exp", 0): lambda x, y: np.isinf(x) & (x == y),  # inf, not nan
}


def test_all_operations_are_recorded() -> None:
    assert sorted(f"{name} {dtype}" for name, dtype in ROWS) == sorted(RECORDED.files)


@pytest.mark.parametrize(("name", "dtype"), ROWS)
def test_numbers_are_the_originals(name: str, dtype: str) -> None:
    given, wanted = operands(name, dtype), RECORDED[f"{name} {dtype}"]
    tolerance, smallest = (1e-5, 1e-37) if dtype == "float32" else (1e-10, 1e-307)
    for row, (found, other) in enumerate(zip(results(C, name, dtype), wanted, strict=True)):
        if (name, row) in OTHERWISE:
            keep = ~OTHERWISE[name, row](*given)
            found, other = found[keep], other[keep]
        np.testing.assert_allclose(found, other, rtol=tolerance, atol=smallest, equal_nan=True)
