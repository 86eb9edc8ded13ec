"""Clones, substitutions, and placeholders replaced in place."""

from __future__ import annotations

import numpy as np
import pytest

import cntk as C

METHODS = [
    "share",
    "clone",
    "freeze",
    C.CloneMethod.share,
    C.CloneMethod.clone,
    C.CloneMethod.freeze,
]


def affine() -> tuple[C.Function, C.Variable, C.Parameter, C.Constant]:
    x, w = C.input_variable(3, name="x"), C.parameter((3, 2), init=2, name="W")
    c = C.constant(1, name="c")
    return C.relu(C.times(x, w, name="t"), name="r") + c, x, w, c


@pytest.mark.parametrize("method", METHODS)
def test_what_a_clone_does_with_parameters(method):
    function, x, w, c = affine()
    copy = function.clone(method)
    name = getattr(method, "value", method)
    assert [p.name for p in copy.parameters] == ([] if name == "freeze" else ["W"])
    assert sorted(v.name for v in copy.constants) == (["W", "c"] if name == "freeze" else ["c"])
    assert (w in copy.parameters) == (name == "share")
    held = {v.name: v for v in copy.inputs}
    np.testing.assert_array_equal(held["W"].value, w.value)
    w.value = 5
    assert held["W"].value[0, 0] == (5 if name == "share" else 2)
    assert copy.arguments[0].name == "x" and copy.arguments[0] is not x
    assert copy.find_by_name("t").uid != function.find_by_name("t").uid
    np.testing.assert_array_equal(function.eval({x: np.ones((1, 3))}), [[16, 16]])


def test_inputs_are_substituted():
    function, x, *_ = affine()
    z = C.input_variable(3, name="z")
    copy = function.clone("share", {x: z})
    assert copy.arguments == (z,) and function.arguments == (x,)
    np.testing.assert_array_equal(copy.eval({z: np.ones((1, 3))}), [[7, 7]])


def test_inputs_of_other_axes():
    function, x, *_ = affine()
    s = C.sequence.input_variable(3, name="s")
    copy = function.clone("share", {x: s})
    assert copy.dynamic_axes == s.dynamic_axes
    np.testing.assert_array_equal(
        copy.eval({s: [np.ones((2, 3), np.float32)]})[0], np.full((2, 2), 7)
    )


def test_functions_inside_are_substituted():
    function, *_ = affine()
    z = C.input_variable(2, name="z")
    for inside in (function.t, function.t.output):
        copy = function.clone("share", {inside: z})
        assert copy.arguments == (z,) and copy.parameters == ()
        np.testing.assert_array_equal(copy.eval({z: [[-1, 2]]}), [[1, 3]])


def test_parameters_are_substituted():
    function, _, w, _ = affine()
    wider = C.parameter((3, 5), name="W2")
    copy = function.clone("share", {w: wider})
    assert copy.shape == (5,) and copy.parameters == (wider,)


def test_substitution_by_functions_and_placeholders():
    function, x, *_ = affine()
    z = C.input_variable(3, name="z")
    np.testing.assert_array_equal(
        function.clone("share", {x: z * 2}).eval({z: np.ones((1, 3))}), [[13, 13]]
    )
    p = C.placeholder(name="p")
    open_ = function.clone("share", {x: p})
    assert open_.placeholders == (p,) and open_.shape == (-2,)
    open_.replace_placeholder(z)
    assert open_.shape == (2,)


def test_a_substituted_root_is_the_result():
    function, *_ = affine()
    z = C.input_variable(2, name="z")
    assert function.clone("share", {function: z}).outputs == (z,)


def test_a_variable_used_twice_is_substituted_everywhere():
    x, y = C.input_variable(3, name="x"), C.input_variable(3, name="y")
    h = C.relu(x, name="h")
    copy = (h + h * 2).clone("share", {h: y})
    assert copy.arguments == (y,)
    np.testing.assert_array_equal(copy.eval({y: [[1, 2, 3]]}), [[3, 6, 9]])


def test_what_takes_anothers_place_is_one_with_itself():
    x, y = C.input_variable(3, name="x"), C.input_variable(3, name="y")
    copy = C.combine([x + 1, y * 2]).clone("share", {x: y})
    assert copy.arguments == (y,)


def test_shared_nodes_stay_shared():
    x = C.input_variable(3, name="x")
    h = C.relu(x, name="h")
    copy = (h + h * 2).clone("clone")
    assert len(copy.find_all_with_name("h")) == 1


def test_substitutions_of_what_is_not_there_do_nothing():
    function, x, *_ = affine()
    copy = function.clone("share", {C.input_variable(3): C.input_variable(4)})
    assert copy.shape == (2,)


@pytest.mark.parametrize("method", ["share", "clone", "freeze"])
def test_blocks(method):
    w = C.parameter((3, 3), init=1, name="W")
    block = C.BlockFunction("B", "b")(lambda v: C.times(v, w) + 1)
    x = C.input_variable(3, name="x")
    copy = block(x).clone(method)
    assert str(copy) == "b: B(x: Tensor[3]) -> Tensor[3]"
    assert copy.root_function.is_block
    assert [p is w for p in copy.parameters] == {"share": [True], "clone": [False], "freeze": []}[
        method
    ]
    np.testing.assert_array_equal(copy.eval({copy.arguments[0]: [[1, 1, 1]]}), [[4, 4, 4]])
    w.value = 2
    value = 7 if method == "share" else 4
    np.testing.assert_array_equal(copy.eval({copy.arguments[0]: [[1, 1, 1]]}), [[value] * 3])


def test_parameters_inside_blocks_are_substituted():
    w = C.parameter((3, 3), init=1, name="W")
    block = C.BlockFunction("B", "b")(lambda v: C.times(v, w) + 1)
    copy = block(C.input_variable(3, name="x")).clone(
        "share", {w: C.parameter((3, 3), init=3, name="W2")}
    )
    assert [p.name for p in copy.parameters] == ["W2"]
    np.testing.assert_array_equal(copy.eval({copy.arguments[0]: [[1, 1, 1]]}), [[10, 10, 10]])


def test_blocks_inside_blocks():
    w = C.parameter((3, 3), init=1, name="W")
    inner = C.BlockFunction("Inner", "i")(lambda v: C.times(v, w))
    outer = C.BlockFunction("Outer", "o")(lambda v: inner(inner(v)) + v)
    s = C.sequence.input_variable(3, name="s")
    copy = outer(C.input_variable(3, name="x")).clone("clone")
    assert len(copy.parameters) == 1 and copy.parameters[0] is not w
    again = copy.clone("share", {copy.arguments[0]: s})
    np.testing.assert_array_equal(
        again.eval({s: [np.ones((2, 3), np.float32)]})[0], np.full((2, 3), 10)
    )


def loop() -> tuple[C.Function, C.Variable, C.Parameter]:
    s, w = C.sequence.input_variable(3, name="s"), C.parameter((), init=1, name="w")
    p = C.placeholder(name="p")
    h = C.plus(s, C.sequence.past_value(p) * w, name="h")
    h.replace_placeholder(h)
    return h, s, w


@pytest.mark.parametrize("method", ["share", "clone", "freeze"])
def test_loops(method):
    h, s, w = loop()
    copy = h.clone(method)
    assert str(copy) == str(h) and copy.shape == (3,)
    assert (w in copy.parameters) == (method == "share")
    data = [np.ones((3, 3), np.float32)]
    np.testing.assert_array_equal(copy.eval({copy.arguments[0]: data})[0][:, 0], [1, 2, 3])
    np.testing.assert_array_equal(h.eval({s: data})[0][:, 0], [1, 2, 3])


def test_loops_on_another_sequence():
    h, s, _ = loop()
    other = C.sequence.input_variable(3, sequence_axis=C.Axis("other"), name="o")
    copy = h.clone("share", {s: other})
    assert copy.dynamic_axes == other.dynamic_axes
    assert h.dynamic_axes == s.dynamic_axes


def test_arguments_keep_the_order_that_was_laid_down():
    @C.Function
    def f(b, a):
        return a - 2 * b

    x, q = C.input_variable(3, name="x"), C.placeholder(name="q")
    assert [v.name for v in f.clone("share").arguments] == ["b", "a"]
    assert [v.name for v in f(q, x).arguments] == ["q", "x"]
    assert [v.name for v in f(x, q).arguments] == ["x", "q"]


def test_custom_attributes_go_along():
    function, *_ = affine()
    function.custom_attributes = {"origin": "test"}
    assert function.clone("share").custom_attributes == {"origin": "test"}


def test_what_cannot_be_substituted():
    function, x, *_ = affine()
    before = str(function), [v.uid for v in function.inputs]
    with pytest.raises(ValueError, match="'nonsense'.*'share', 'clone', 'freeze'"):
        function.clone("nonsense")
    with pytest.raises(TypeError, match="expected a variable or function, got int"):
        function.clone("share", {1: x})
    with pytest.raises(TypeError, match="expected a variable or function, got int"):
        function.clone("share", {x: 3})
    for pair in ({x: None}, {None: x}):
        with pytest.raises(AttributeError, match="None instead of a variable or function"):
            function.clone("share", pair)
    with pytest.raises(ValueError, match=r"Times 't'.*\[4\].*\[3\]"):
        function.clone("share", {x: C.input_variable(4)})
    assert (str(function), [v.uid for v in function.inputs]) == before


# -- placeholders replaced in place ----------------------------------------------------------------


def test_the_only_placeholder():
    p, x = C.placeholder(name="p"), C.input_variable(3, name="x")
    w = C.parameter((C.InferredDimension, 2), name="W")
    function = C.times(p, w)
    assert (function.shape, w.shape) == ((-2,), (-1, 2))
    assert function.replace_placeholder(x) is function
    assert (function.shape, w.shape, function.arguments) == ((2,), (3, 2), (x,))


def test_several_placeholders():
    p, q = C.placeholder(name="p"), C.placeholder(name="q")
    x, y = C.input_variable(3, name="x"), C.input_variable(3, name="y")
    function = p * q + p
    with pytest.raises(ValueError, match="2 placeholders, not one"):
        function.replace_placeholder(x)
    assert function.placeholders == (p, q)
    function.replace_placeholders({p: x, q: y})
    assert function.arguments == (x, y)
    np.testing.assert_array_equal(function.eval({x: [[1, 2, 3]], y: [[2, 2, 2]]}), [[3, 6, 9]])


def test_placeholders_by_functions():
    p, x = C.placeholder(name="p"), C.input_variable(3, name="x")
    function = p * 2
    function.replace_placeholder(x + 1)
    np.testing.assert_array_equal(function.eval({x: [[1, 2, 3]]}), [[4, 6, 8]])


def test_what_is_no_placeholder_cannot_be_replaced():
    p, x = C.placeholder(name="p"), C.input_variable(3, name="x")
    function = p + x
    with pytest.raises(ValueError, match="'x'.*is not a placeholder; use clone"):
        function.replace_placeholders({x: C.input_variable(3)})
    with pytest.raises(ValueError, match="'q'.*is no placeholder of"):
        function.replace_placeholders({p: x, C.placeholder(name="q"): x})
    assert function.placeholders == (p,)
    function.replace_placeholders({p: x})
    with pytest.raises(ValueError, match="0 placeholders"):
        function.replace_placeholder(x)


def test_blocks_take_their_arguments_later():
    block = C.BlockFunction("B", "b")(
        lambda v: C.times(v, C.parameter((C.InferredDimension, 2), name="W"))
    )
    x = C.input_variable(3, name="x")
    block.replace_placeholders({block.arguments[0]: x})
    assert block.shape == (2,) and block.arguments == (x,)
    assert block.parameters[0].shape == (3, 2)


def test_constants_inside_of_blocks_are_substituted() -> None:
    x, rows = C.input_variable(2, name="x"), np.array([[-1, 2]], np.float32)
    function = C.leaky_relu(x, 0.1)
    slope = C.parameter((), init=0.5)
    for other, wanted, count in ((C.constant(0.25), -0.25, 0), (slope, -0.5, 1)):
        copy = function.clone("share", {function.constants[1]: other})
        np.testing.assert_allclose(copy.eval({copy.arguments[0]: rows}), [[wanted, 2]])
        assert len(copy.parameters) == count and other in copy.inputs
    np.testing.assert_allclose(function.eval({x: rows}), [[-0.1, 2]])


def test_constants_inside_of_blocks_may_be_changed() -> None:
    x, rows = C.input_variable(2, name="x"), np.array([[-1, 2]], np.float32)
    function = C.leaky_relu(x, 0.1)
    np.testing.assert_allclose(function.eval({x: rows}), [[-0.1, 2]])
    function.constants[1].value = 0.5
    np.testing.assert_allclose(function.eval({x: rows}), [[-0.5, 2]])
    C.assign(function.constants[1], C.constant(0.75)).eval()
    np.testing.assert_allclose(function.eval({x: rows}), [[-0.75, 2]])


def test_a_constant_that_is_given_its_own_value_is_not_changed() -> None:
    constant = C.leaky_relu(C.input_variable(2), 0.1).constants[1]
    constant.value = constant.value
    assert not constant.is_changed
    constant.value = 0.5
    assert constant.is_changed
    constant.value = 0.1
    assert not constant.is_changed
