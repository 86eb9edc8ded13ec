"""NumPy's operators with nodes of a graph, and the truth of a node."""

from __future__ import annotations

import operator

import numpy as np
import pytest

import cntk as C

ARRAY = np.array([1, 2, 4], np.float32)
OPERATORS = ["add", "sub", "mul", "truediv", "pow", "lt", "le", "gt", "ge"]


@pytest.mark.parametrize("name", OPERATORS)
@pytest.mark.parametrize(
    "other", [ARRAY, np.float32(2), np.float64(2), np.int64(2)], ids=["array", "f4", "f8", "i8"]
)
def test_arrays_on_either_side(name: str, other: object) -> None:
    x, data = C.input_variable(3), np.array([[3, 2, 1]], np.float32)
    apply = getattr(operator, name)
    np.testing.assert_allclose(apply(x, other).eval({x: data}), apply(data, other), rtol=1e-6)
    np.testing.assert_allclose(apply(other, x).eval({x: data}), apply(other, data), rtol=1e-6)


def test_products_and_functions() -> None:
    x, w = C.input_variable(3), C.parameter((3, 2), init=2)
    data = np.array([[1, -2, 3]], np.float32)
    assert np.array_equal((ARRAY @ w).eval(), ARRAY @ w.value) and np.array_equal(
        np.matmul(ARRAY, w).eval(), ARRAY @ w.value
    )
    assert np.array_equal(np.abs(x).eval({x: data}), np.abs(data)) and np.array_equal(
        np.negative(x).eval({x: data}), -data
    )
    assert np.array_equal(np.add(ARRAY, x).eval({x: data}), ARRAY + data)
    total = ARRAY
    total += x
    assert np.array_equal(total.eval({x: data}), ARRAY + data)
    assert np.array_equal(round(x).eval({x: data + 0.2}), data)
    # Counted as one object, as in the original: programs make gradients of zeros so.
    assert np.zeros_like(w).shape == np.ones_like(w).shape == ()
    assert (
        np.shape(x) == (3,)
        and np.ndim(x) == 0
        and np.array([x, x]).dtype == object
        and np.asarray(w).shape == ()
    )


def test_truth_asks_whether_there_is_a_node() -> None:
    x = C.input_variable(3)
    assert x and C.relu(x) and (x or None) is x and not (None or [])
    # Made by name, as old programs do; the operators are not the original's.
    assert C.less(x, 1) and bool(C.equal(x, 1))
    assert x == x and x != C.relu(x) and C.relu(x) != 1 and x not in (None, "x")
    with pytest.raises(TypeError):
        bool(x < 1)
