"""Subscripts that count the dynamic axes first, with the results that the original CNTK 2.7
gives.
"""

from __future__ import annotations

import numpy as np
import pytest

import cntk as C

WHOLE = slice(None)
X = np.arange(12, dtype=np.float32).reshape(2, 6)
VECTOR = (lambda: C.input_variable(6), X)
SEQUENCE = (lambda: C.sequence.input_variable(6), [X])
MATRIX = (lambda: C.input_variable((2, 6)), X[None])
MATRICES = (lambda: C.sequence.input_variable((2, 6)), [X[None]])
SCALAR = (lambda: C.input_variable(()), np.ones(2, np.float32))

# An operand, what selects from it, and the result, None where the original refuses.
CASES = [
    (VECTOR, (WHOLE, slice(0, 2)), X[:, :2]),
    (VECTOR, (WHOLE, slice(4, None)), X[:, 4:]),
    (VECTOR, (WHOLE, slice(0, 4, 2)), X[:, 0:4:2]),
    (VECTOR, (WHOLE, -1), X[:, 5:]),
    (VECTOR, (WHOLE, WHOLE, slice(0, 2)), None),
    (VECTOR, 0, X[:, :1]),  # a place before the static axes counts from the last
    (VECTOR, (0, 0), X[:, :1]),
    (VECTOR, ([0, 1],), X[:, :2]),  # the axis of a list is counted as ever
    (VECTOR, (WHOLE, [0, 1]), None),
    (VECTOR, (Ellipsis, 0), X[:, :1]),
    (VECTOR, (WHOLE, Ellipsis, 0), X[:, :1]),
    (SEQUENCE, (WHOLE, WHOLE, slice(0, 2)), [X[:, :2]]),
    (SEQUENCE, (WHOLE, slice(4, None)), [X[:, 4:]]),
    (SEQUENCE, 0, None),
    (MATRIX, (WHOLE, 0), X[None, :1]),
    (MATRIX, (WHOLE, WHOLE, slice(0, 2)), X[None, :, :2]),
    (MATRIX, (0, 1, 0), X[None, 1:, :1]),
    (MATRIX, (WHOLE, [0, 1]), X[None, :, :2]),
    (MATRIX, (WHOLE, slice(4, None)), None),
    (MATRICES, (WHOLE, slice(0, 2)), [X[None, :, :2]]),
    (MATRICES, 0, [X[None, :1]]),
    (MATRICES, (WHOLE, WHOLE, slice(0, 2)), [X[None]]),
    (SCALAR, (WHOLE, 0), None),
]


@pytest.fixture(autouse=True)
def aligned():
    C.set_global_option("align_axis", 1)
    yield
    C.set_global_option("align_axis", 0)


@pytest.mark.parametrize(
    ("operand", "key", "expected"), CASES, ids=[f"{k} {case[1]}" for k, case in enumerate(CASES)]
)
def test_places_of_dynamic_axes_come_first(operand, key, expected):
    make, data = operand
    x = make()
    if expected is None:
        with pytest.raises((ValueError, RuntimeError)):
            x[key].eval({x: data})
        return
    for node in (x, x + 0):  # functions, too
        found = node[key].eval({x: data})
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(one, other)


def test_whole_operands_are_left_as_they_are():
    x = C.input_variable((2, 6))
    for key in (Ellipsis, WHOLE, (WHOLE,) * 4):
        assert x[key] is x


def test_without_dynamic_axes_nothing_changes():
    p = C.parameter((3, 6))
    assert p[:, :2].shape == (3, 2) and p[0].shape == (1, 6) and p[..., 0].shape == (3, 1)
    # Not for operands without dynamic axes: Keras cuts the weights of its GRU so.
    for offset in (
        0,
        1,
        2,
    ):
        with C.default_options(axis_offset=offset):
            for node in (p, p + 1, C.constant(np.ones((3, 6)))):
                assert node[:2].shape == (2, 6) and node[:, 1].shape == (3, 1)
                with pytest.raises(ValueError, match="out of range"):
                    node[:, :, :3]
    # Of a placeholder, one dynamic axis is counted.
    assert C.placeholder((2, 6))[:, :, :2].shape == (2, 2)


@pytest.mark.parametrize(
    ("option", "offset", "shape"),
    [(1, None, (2, 2)), (1, 0, (2, 2)), (1, 1, (2, 2)), (0, 1, None), (2, None, None)],
)
def test_the_offset_may_be_set(option, offset, shape):
    x = C.input_variable((2, 6))
    C.set_global_option("align_axis", option)
    key = (WHOLE, slice(0, 2)) if offset == 0 else (WHOLE, WHOLE, slice(0, 2))
    with C.default_options(**({} if offset is None else {"axis_offset": offset})):
        if shape is None:
            with pytest.raises(ValueError, match="out of range"):
                x[key]
        else:
            assert x[key].shape == shape
