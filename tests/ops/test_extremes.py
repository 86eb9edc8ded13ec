"""At the ends of floating point, element-wise operations and their gradients give the original's
numbers.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import cntk as C
from tests.ops.extreme_numbers import ROWS, operands, results

RECORDED = np.load(Path(__file__).parent / "golden" / "extremes_of_the_original.npz")

# Where the original's number is left alone, and why: the operation, the row (result, gradients),
# and the operands.
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


NAN = np.nan
# The original's gradients where that of the result is no number: it goes only where the value came
# from.
FROM_A_MAXIMUM = {
    "max over rows": (lambda x: C.reduce_max(x, axis=0), [[0, 0], [NAN, NAN]]),
    "min over rows": (lambda x: C.reduce_min(x, axis=0), [[NAN, NAN], [0, 0]]),
    "max of a row": (lambda x: C.reduce_max(x, axis=1), [[0, NAN], [NAN, 0]]),
    "max of all": (C.reduce_max, [[0, 0], [NAN, 0]]),
    "min of all": (C.reduce_min, [[NAN, 0], [0, 0]]),
    "rectified": (lambda x: C.relu(x - 1.5), [[0, 0], [NAN, NAN]]),
}


@pytest.mark.parametrize("name", FROM_A_MAXIMUM)
def test_a_gradient_that_is_no_number_goes_where_the_value_came_from(name: str) -> None:
    function, expected = FROM_A_MAXIMUM[name]
    x = C.input_variable((2, 2), needs_gradient=True)
    result = C.sqrt(function(x) * 0)
    np.testing.assert_array_equal(result.grad({x: [[[0, 1], [3, 2]]]}, wrt=[x]), [expected])


def test_nor_does_it_come_back_through_rectified_states() -> None:
    x = C.sequence.input_variable(2, needs_gradient=True)
    step = C.layers.RNNStep(2, activation=C.relu, init=np.eye(2, dtype=np.float32))
    last = C.sequence.last(C.layers.Recurrence(step)(x))
    data = [np.array(frames, np.float32) for frames in ([[-1, -1], [-2, -3]], [[1, 1]])]
    closed, open_ = C.sqrt(last * 0).grad({x: data}, wrt=[x])
    np.testing.assert_array_equal(closed, np.zeros((2, 2)))
    np.testing.assert_array_equal(open_, [[NAN, NAN]])
