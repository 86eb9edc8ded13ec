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


def test_with_state_kept_it_happens_in_the_backward_pass() -> None:
    value, target = C.parameter(2, init=5), C.parameter(2)
    function = C.combine([C.assign(target, value), value * 2])
    assigned, doubled = function.outputs
    state, results = function.forward({}, [assigned, doubled], [doubled])
    assert results[assigned].tolist() == [5, 5] and target.value.tolist() == [0, 0]
    value.value = 7
    assert function.backward(state, {doubled: [1, 1]}, [value])[value].tolist() == [2, 2]
    assert target.value.tolist() == [5, 5], "what it was when it was computed"
    function.backward(state, {doubled: [1, 1]}, [value])
    value.value = 3
    function.forward({}, [assigned])
    assert target.value.tolist() == [3, 3], "with nothing kept, at once"


def test_its_gradient_is_the_values() -> None:
    value, target = C.parameter(2, init=5), C.parameter(2, init=1)
    gradients = (C.assign(target, value) * target).grad({}, [target, value])
    assert gradients[target].tolist() == [5, 5] and gradients[value].tolist() == [1, 1]
    assert target.value.tolist() == [5, 5]


def test_all_see_former_values_and_the_last_one_wins() -> None:
    first, second = C.parameter(2, init=1), C.parameter(2, init=5)
    function = C.combine([C.assign(first, second + 0), C.assign(second, first + 1)])
    results = function.eval()
    assert [results[v].tolist() for v in function.outputs] == [[5, 5], [2, 2]]
    assert first.value.tolist() == [5, 5] and second.value.tolist() == [2, 2]
    C.combine([C.assign(first, second + 4), C.assign(second, first)]).eval()
    assert first.value.tolist() == [6, 6] and second.value.tolist() == [5, 5], (
        "not what was assigned just before"
    )
    second.value = 2
    total = C.assign(first, second + 0) * 10 + C.assign(first, second + 1)
    assert total.eval().tolist() == [23, 23] and first.value.tolist() == [3, 3]


def test_learners_go_on_from_what_was_assigned() -> None:
    x, w = C.input_variable(2), C.parameter(2, init=1)
    loss = C.reduce_sum(C.square(x * w) + 0 * C.assign(w, w * 0 + 100))
    trainer = C.Trainer(None, loss, [C.sgd([w], C.learning_parameter_schedule_per_sample(0.1))])
    trainer.train_minibatch({x: [[1, 2]]})
    np.testing.assert_allclose(w.value, [99.8, 99.2], rtol=1e-6)


@pytest.mark.parametrize(
    ("target", "value", "message"),
    [
        (lambda: C.constant([1, 2]), lambda: C.constant([1, 2, 3]), r"the value's shape \[3\] must "
                                                                    r"be that of the target, "
                                                                    r"\[2\]"),
        (lambda: C.constant([1, 2]), lambda: C.input_variable(2), r"must have no dynamic axes; "
                                                                  r"reduce over the batch first"),
        (lambda: C.input_variable(2), lambda: C.constant([1, 2]), r"assign: expected a parameter "
                                                                  r"or constant"),
    ],
)  # fmt: skip
def test_what_cannot_be_assigned_is_refused(target: object, value: object, message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        C.assign(target(), value())  # type: ignore[operator]
