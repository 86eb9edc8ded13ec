"""Placeholders with a shape: a guess at what will take their place, with the results that the
original CNTK 2.7 gives.
"""

from __future__ import annotations

import numpy as np
import pytest

import cntk as C

BATCH, SEQUENCE = C.Axis.default_batch_axis(), C.Axis.default_dynamic_axis()
X = np.ones((2, 2), np.float32)


def model(shape) -> C.Function:
    return C.layers.Sequential([C.layers.Dense(3, init=1), C.layers.Dense(2, init=1)])(
        C.placeholder(shape)
    )


# A placeholder's shape, and as what a function of it is shown: a sum with two numbers, a dense
# layer of two, relu.
SHOWN = {
    2: ("Tensor[2]", "Tensor[2]", "Tensor[2]", "Tensor[2]"),
    (1, 2): ("Tensor[1,2]", "Tensor[1,2]", "Tensor[2]", "Tensor[1,2]"),
    C.InferredDimension: ("Tensor[-1]", "Tensor[2]", "Tensor[2]", "Tensor[-1]"),
    C.FreeDimension: ("Tensor[-3]", "Tensor[2]", None, "Tensor[-3]"),
    (): ("float", "Tensor[2]", None, "float"),
}


@pytest.mark.parametrize("shape", SHOWN)
def test_shapes_are_known_before_the_dynamic_axes(shape):
    read, *results = SHOWN[shape]
    for make, result in zip(
        (lambda p: p + [1, 1], C.layers.Dense(2), lambda p: C.relu(p)), results, strict=True
    ):
        function = make(C.placeholder(shape, name="p"))
        if result is None:
            continue
        assert str(function).endswith(f"(p: Sequence[{read}]) -> Sequence[{result}]")
        assert function.output.dynamic_axes == C.placeholder().dynamic_axes
    assert C.layers.Dense(2)(C.placeholder(3)).parameters[0].shape == (3, 2)


def test_nothing_is_known_of_a_bare_placeholder():
    p = C.placeholder(name="p")
    assert p.shape == (-2,) and repr(p) == "Placeholder('p', [???], [???])"
    assert repr(C.placeholder(2, name="p")) == "Placeholder('p', [???], [2])"
    assert str(C.relu(p)) == "ReLU(p: Sequence[tensor]) -> Sequence[tensor]"


# What takes the place of a placeholder of shape 2, the data, and the results.
TAKEN = {
    "batch": (lambda: C.input_variable(2), X, [[6, 6], [6, 6]]),
    "further axes": (lambda: C.input_variable((1, 2)), X.reshape(2, 1, 2), [[[6, 6]], [[6, 6]]]),
    "more further axes": (lambda: C.input_variable((2, 2)), X.reshape(1, 2, 2), [[[6, 6], [6, 6]]]),
    "sequence": (lambda: C.sequence.input_variable(2), [X, X[:1]], [[[6, 6], [6, 6]], [[6, 6]]]),
}


@pytest.mark.parametrize("way", ["call", "replace", "clone"])
@pytest.mark.parametrize("case", TAKEN)
def test_what_takes_a_placeholder_s_place_may_differ_from_the_guess(case, way):
    make, data, expected = TAKEN[case]
    x, function = make(), model(2)
    (p,) = function.placeholders
    if way == "call":
        function = function(x)
    elif way == "replace":
        function.replace_placeholders({p: x})
    else:
        function = function.clone("share", {p: x})
    found = function.eval({x: data})
    assert [np.asarray(v).tolist() for v in found] == expected
    assert function.output.dynamic_axes == x.dynamic_axes


def test_a_layer_keeps_the_size_that_it_took_from_the_guess():
    with pytest.raises(ValueError, match=r"Times: the last axis of the left operand \(\[5\]\)"):
        model(2)(C.input_variable(5))
    assert model(2)(C.constant(X[0])).eval().tolist() == [6, 6]
    with_axes = C.layers.Dense(1, init=1)(C.placeholder(2, dynamic_axes=[BATCH]))
    for x in (C.input_variable(2), C.sequence.input_variable(2)):
        assert with_axes(x).output.dynamic_axes == x.dynamic_axes


# What an input of shape 2 takes in a call of its function: as the original does.
GIVEN = {
    "the same": (lambda: C.input_variable(2), (2,)),
    "one axis in front": (lambda: C.input_variable((1, 2)), (1, 2)),
    "an axis of another size in front": (lambda: C.input_variable((3, 2)), (3, 2)),
    "a constant": (lambda: C.constant([1, 2]), (2,)),
    "another size": (lambda: C.input_variable(3), None),
    "a scalar": (lambda: C.input_variable(()), None),
    "a sequence": (lambda: C.sequence.input_variable(2), None),
    "double": (lambda: C.input_variable(2, np.float64), None),
    "sparse": (lambda: C.input_variable(2, is_sparse=True), None),
    "a placeholder of another size": (lambda: C.placeholder(3), None),
}


@pytest.mark.parametrize("case", GIVEN)
def test_what_an_input_takes(case):
    make, shape = GIVEN[case]
    function = C.relu(C.input_variable(2, name="x"))
    if shape is not None:
        assert function(make()).shape == shape
    else:
        with pytest.raises(TypeError, match=r"argument 'x' is declared as Tensor\[2\]"):
            function(make())
