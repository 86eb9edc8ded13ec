"""Assignment: when a target takes on its value, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import cntk as C


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("learned", [True, False])
def test_target_has_the_value_once_the_run_is_over(learned: bool, dtype: type) -> None:
    value = np.array([[1, 2, 3], [4, 5, 6]], dtype)
    target = C.parameter(init=value) if learned else C.constant(value)
    function = C.combine([C.assign(target, target * 2), target + 1])
    results = function.eval()
    assert np.array_equal(results[function.outputs[0]], [[2, 4, 6], [8, 10, 12]])
    assert np.array_equal(results[function.outputs[1]], [[2, 3, 4], [5, 6, 7]])
    assert np.array_equal(target.value, [[2, 4, 6], [8, 10, 12]])
    assert target.value.dtype == dtype


def test_it_happens_at_every_evaluation() -> None:
    counter = C.constant(0)
    step = C.assign(counter, counter + 1)
    for count in (1, 2, 3):
        assert step.eval() == count
    assert counter.value == 3


@pytest.mark.parametrize(
    ("target", "value", "message"),
    [
        (lambda: C.constant([1, 2]), lambda: C.constant([1, 2, 3]), r"the value's shape \[3\] must be that of the target, \[2\]"),
        (lambda: C.constant([1, 2]), lambda: C.input_variable(2), r"must have no dynamic axes; reduce over the batch first"),
        (lambda: C.input_variable(2), lambda: C.constant([1, 2]), r"assign: expected a parameter or constant"),
    ],
)  # fmt: skip
def test_what_cannot_be_assigned_is_refused(target: object, value: object, message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        C.assign(target(), value())  # type: ignore[operator]
