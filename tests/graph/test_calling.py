"""Calls: on variables and functions, on placeholders, on data; which argument gets what."""

from __future__ import annotations

import numpy as np
import pytest

import cntk as C

ONES = np.ones((2, 3), np.float32)


def inputs() -> tuple[C.Variable, C.Variable]:
    return C.input_variable(3, name="x"), C.input_variable(3, name="y")


def names(variables) -> list[str]:
    return [v.name for v in variables]


def test_a_call_on_variables_is_a_function_of_these():
    x, y = inputs()
    minus = x - y
    swapped = minus(y, x)
    assert swapped.arguments == (y, x)
    data = {x: [[1, 1, 1]], y: [[5, 5, 5]]}
    np.testing.assert_array_equal(swapped.eval(data), [[4, 4, 4]])
    np.testing.assert_array_equal(minus.eval(data), [[-4, -4, -4]])


def test_a_call_on_functions():
    x, y = inputs()
    result = (x - y)(x * 2, y + 1)
    np.testing.assert_array_equal(result.eval({x: ONES, y: ONES}), np.zeros((2, 3)))
    assert result.arguments == (x, y)


def test_a_call_by_names():
    x, y = inputs()
    minus = x - y
    assert minus(y=x, x=y).arguments == (y, x)
    assert minus(y, y=x).arguments == (y, x)
    np.testing.assert_array_equal(minus(y=3 * ONES, x=ONES), -2 * ONES)


def test_a_call_on_data_is_data():
    x, y = inputs()
    np.testing.assert_array_equal((x + y)(ONES, ONES), 2 * ONES)
    np.testing.assert_array_equal((x + y)(ONES, y=ONES), 2 * ONES)
    np.testing.assert_array_equal((x * 2)([[1, 2, 3]]), [[2, 4, 6]])


def test_a_function_without_arguments_is_called_for_its_value():
    np.testing.assert_array_equal((C.constant([1, 2]) * 3)(), [3, 6])


def test_parameters_are_shared_by_all_calls():
    x, y = inputs()
    dense = C.layers.Dense(2)
    first, second = dense(x), dense(y)
    assert first.parameters == second.parameters == dense.parameters
    assert dense.W.shape == (3, 2)


def test_the_same_argument_twice():
    x, y = inputs()
    assert (x + y)(x, x).arguments == (x,)
    np.testing.assert_array_equal((x + y)(x, x).eval({x: ONES}), 2 * ONES)


def test_a_function_applied_to_itself():
    x, _ = inputs()
    double = x * 2
    np.testing.assert_array_equal(double(double).eval({x: ONES}), 4 * ONES)


def test_partial_application_leaves_the_placeholders():
    @C.Function
    def minus(a, b):
        return a - b

    x, _ = inputs()
    p = C.placeholder(name="p")
    left, right = minus(p, x), minus(x, p)
    assert names(left.arguments) == ["p", "x"] and names(right.arguments) == ["x", "p"]
    assert left.placeholders == (p,)
    np.testing.assert_array_equal(left(x * 3, x).eval({x: ONES}), 2 * ONES)
    np.testing.assert_array_equal(right(x, x * 3).eval({x: ONES}), -2 * ONES)


def test_a_function_of_several_outputs_feeds_one_of_several_arguments():
    @C.Function
    def both(a, b):
        return a + b, a * b

    @C.Function
    def minus(a, b):
        return a - b

    x, y = inputs()
    result = (both >> minus)(x, y)
    np.testing.assert_array_equal(result.eval({x: 3 * ONES, y: ONES}), ONES)


def test_forward_composition():
    x, _ = inputs()

    @C.Function
    def twice(a):
        return a * 2

    chain = twice >> C.relu >> (lambda f: f + 1)
    np.testing.assert_array_equal(chain(x).eval({x: -ONES}), ONES)
    np.testing.assert_array_equal((x >> twice).eval({x: ONES}), 2 * ONES)


def test_argument_maps():
    x, y = inputs()
    minus = x - y
    assert minus.argument_map(1, 2) == {x: 1, y: 2}
    assert minus.argument_map(1, y=2) == {x: 1, y: 2}
    assert minus.argument_map(y=2, x=1) == {x: 1, y: 2}


@pytest.mark.parametrize(
    "args, kwargs, words",
    [
        ((1,), {}, "expected 2 arguments, got 1"),
        ((), {}, "expected 2 arguments, got 0"),
        ((1, 2, 3), {}, "expected 2 arguments, got 3"),
        ((1,), {"z": 2}, "no argument named 'z'; its arguments are: x, y"),
        ((1,), {"x": 2}, "two values for argument 'x'"),
        ((1, 2), {"y": 2}, "two values for argument 'y'"),
    ],
)
def test_arguments_that_do_not_fit(args, kwargs, words):
    x, y = inputs()
    with pytest.raises(TypeError, match=words):
        (x - y)(*args, **kwargs)
    with pytest.raises(TypeError, match=words):
        (x - y).argument_map(*args, **kwargs)


def test_arguments_of_the_same_name_have_none():
    x, same = C.input_variable(3, name="x"), C.input_variable(3, name="x")
    with pytest.raises(TypeError, match="several arguments named 'x'"):
        (x - same)(ONES, x=ONES)


@pytest.mark.parametrize("data", [2, [1, 2, 3], ONES, None, "text"])
def test_variables_and_data_do_not_mix(data):
    x, y = inputs()
    with pytest.raises(
        TypeError, match="'y' is data and others are variables.*wrap the data in cntk.constant"
    ):
        (x - y)(x, data)


@pytest.mark.parametrize("data", [1, "text", object()])
def test_numbers_and_texts_are_no_data(data):
    with pytest.raises(
        ValueError, match="'x'.*batch must be a list of NumPy arrays or SciPy CSR matrices"
    ):
        (inputs()[0] + 1)(data)


def test_several_outputs():
    x, y = inputs()
    several = C.combine([x + y, C.alias(x * y, "product")])
    assert len(several.outputs) == 2
    assert several[0] is several.outputs[0] and several[-1] is several.outputs[1]
    values = several.eval({x: 2 * ONES, y: ONES})
    assert list(values) == list(several.outputs)
    np.testing.assert_array_equal(values[several.outputs[0]], 3 * ONES)
    with pytest.raises(KeyError, match="2 outputs"):
        several[2]
    with pytest.raises(RuntimeError, match="2 outputs.*pick one of"):
        _ = several.output
    with pytest.raises(RuntimeError, match="2 outputs"):
        C.relu(several)


def test_results_by_position_of_outputs():
    x, y = inputs()
    f, g = x + y, x * y
    both = C.combine([f, g])
    np.testing.assert_array_equal(both.eval({x: ONES, y: ONES}, outputs=[f]), 2 * ONES)
    np.testing.assert_array_equal(both.eval({x: ONES, y: ONES}, outputs=g.output), ONES)
    with pytest.raises(ValueError, match="not part of"):
        both.eval({x: ONES, y: ONES}, outputs=[x - y])
    with pytest.raises(TypeError, match="expected variables or functions"):
        both.eval({x: ONES, y: ONES}, outputs=["f"])


def test_inner_outputs_can_be_asked_for():
    x, _ = inputs()
    inner = C.times(x, C.parameter((3, 2), init=1), name="inner")
    model = C.relu(inner)
    np.testing.assert_array_equal(model.eval({x: -ONES}, outputs=[inner]), np.full((2, 2), -3))


def test_combines_of_combines_are_flat():
    x, y = inputs()
    inner = C.combine(x + 1, y + 1)
    assert len(C.combine([inner, x * 2]).outputs) == 3


def test_number_and_variable_operands():
    x, y = inputs()
    table = {
        "x + 1": (x + 1, 3),
        "1 + x": (1 + x, 3),
        "x - 1": (x - 1, 1),
        "1 - x": (1 - x, -1),
        "x * 3": (x * 3, 6),
        "2 / x": (2 / x, 1),
        "x / 2": (x / 2, 1),
        "x ** 3": (x**3, 8),
        "2 ** x": (2**x, 4),
        "-x": (-x, -2),
        "abs": (abs(-x), 2),
        "x < 3": (x < 3, 1),
        "x >= 3": (x >= 3, 0),
        "x <= y": (x <= y, 0),
        "x > y": (x > y, 1),
        "array": (np.ones(3, np.float32) + x, 3),
        "array right": (x - np.ones(3, np.float32), 1),
        "matrix": (x @ C.parameter((3, 3), init=1), 6),
    }
    for name, (function, value) in table.items():
        data = {x: 2 * ONES, y: ONES}
        result = function.eval({v: data[v] for v in function.arguments})
        np.testing.assert_allclose(result, np.full((2, 3), value), err_msg=name)


def test_several_outputs_called_on_data_are_a_tuple_in_their_order():
    x, y = inputs()
    two = C.combine([y - x, x * 2])
    found = two(y=5 * ONES, x=ONES)
    assert isinstance(found, tuple)
    np.testing.assert_array_equal(found, [4 * ONES, 2 * ONES])
    difference, double = C.combine([x * 2, x])(ONES)
    np.testing.assert_array_equal(difference, 2 * double)
    assert len(C.combine([x, x])(ONES)) == 2
    s = C.sequence.input_variable(2)
    frames, last = C.combine([s * 2, C.sequence.last(s)])(
        [np.ones((2, 2), "f"), np.ones((1, 2), "f")]
    )
    assert [f.shape for f in frames] == [(2, 2), (1, 2)] and last.shape == (2, 2)
    states = C.layers.Fold(C.layers.LSTM(3), return_full_state=True)(s)([np.ones((2, 2), "f")])
    assert isinstance(states, tuple) and [np.shape(v) for v in states] == [(1, 3), (1, 3)]
