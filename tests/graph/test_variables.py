"""Variables of every kind: their public properties, names and values."""

from __future__ import annotations

import re

import numpy as np
import pytest

import cntk as C
from cntk._graph.types import BATCH_AXIS, SEQUENCE_AXIS, UNKNOWN_AXES
from cntk._graph.variable import VariableKind


def kinds() -> dict[str, C.Variable]:
    x = C.input_variable((2, 3), name="x")
    return {
        "input": x,
        "output": (x + 1).output,
        "parameter": C.parameter((2, 3), name="w"),
        "constant": C.constant([1, 2]),
        "placeholder": C.placeholder(name="p"),
    }


@pytest.mark.parametrize("name", kinds())
def test_every_variable_is_of_one_kind(name):
    variable = kinds()[name]
    assert [k for k in kinds() if getattr(variable, f"is_{k}")] == [name]
    assert variable.kind is VariableKind[name.capitalize()]
    assert isinstance(variable, C.Variable)


@pytest.mark.parametrize("name", kinds())
def test_uids_tell_the_kind_and_are_unique(name):
    first, second = kinds()[name], kinds()[name]
    prefix = {"output": "Plus"}.get(name, name.capitalize())
    assert re.fullmatch(prefix + r"\d+(_Output_0)?", first.uid)
    assert first.uid != second.uid


def test_functions_have_uids():
    function = C.input_variable(3) + 1
    assert re.fullmatch(r"CompositeFunction\d+", function.uid)
    assert re.fullmatch(r"Plus\d+", function.root_function.uid)
    assert function.output.uid == f"{function.root_function.uid}_Output_0"
    assert function.uid == function.uid


def test_blocks_have_uids_of_their_own():
    block = C.BlockFunction("Twice", "b")(lambda x: x * 2).root_function
    assert re.fullmatch(r"Block\d+", block.uid) and block.op_name == "Twice"


def test_what_an_input_says_of_itself():
    x = C.input_variable((2, 3), np.float64, needs_gradient=True, is_sparse=True, name="x")
    assert (x.name, x.shape, x.dtype) == ("x", (2, 3), np.float64)
    assert x.dynamic_axes == (BATCH_AXIS,)
    assert x.needs_gradient and x.is_sparse
    plain = C.input_variable(3)
    assert (plain.name, plain.shape, plain.dtype) == ("", (3,), np.float32)
    assert not plain.needs_gradient and not plain.is_sparse


def test_dynamic_axes_of_inputs():
    q = C.Axis("q")
    assert C.sequence.input_variable(3).dynamic_axes == (BATCH_AXIS, SEQUENCE_AXIS)
    assert C.sequence.input_variable(3, sequence_axis=q).dynamic_axes == (BATCH_AXIS, q)
    assert C.input_variable(3, dynamic_axes=[]).dynamic_axes == ()
    assert C.Variable((3,)).dynamic_axes == (BATCH_AXIS, SEQUENCE_AXIS)


def test_a_placeholder_knows_nothing():
    p = C.placeholder()
    assert p.shape == (-2,) and p.dynamic_axes == UNKNOWN_AXES and p.dtype is None and p.name == ""
    assert C.placeholder((3, 4)).shape == (3, 4)
    assert C.placeholder(3, dynamic_axes=[BATCH_AXIS]).dynamic_axes == (BATCH_AXIS,)


def test_gradients_flow_from_parameters_and_from_inputs_that_ask():
    w, c, x = C.parameter(3), C.constant([1, 2, 3]), C.input_variable(3)
    asking = C.input_variable(3, needs_gradient=True)
    assert [v.needs_gradient for v in (w, c, x, asking)] == [True, False, False, True]
    functions = (x + 1, x + w, asking + 1, c + 1, C.relu(x) + C.relu(asking))
    assert [f.needs_gradient for f in functions] == [False, True, True, False, True]


def test_number_formats_as_files_number_them():
    formats = {np.float32: 1, np.float64: 2, np.float16: 4}
    assert {d: C.input_variable(1, d).get_data_type() for d in formats} == formats
    assert C.placeholder().get_data_type() == 0


@pytest.mark.parametrize(
    "made, dtype",
    [
        (lambda: C.constant(1), np.float32),
        (lambda: C.constant([1.0]), np.float32),
        (lambda: C.constant(np.float64(1)), np.float32),
        (lambda: C.constant(np.array([1.0])), np.float64),
        (lambda: C.parameter(1), np.float32),
        (lambda: C.parameter(init=np.array([1.0])), np.float64),
        (lambda: C.parameter(init=np.array([1])), np.float32),
        (lambda: C.parameter(init=np.array([1.0]), dtype=np.float32), np.float32),
        (lambda: C.constant(1, dtype=np.float64), np.float64),
    ],
)
def test_number_formats_follow_the_value_as_in_the_original(made, dtype):
    assert made().dtype == dtype


def test_owners():
    function = C.plus(C.input_variable(3), 1, name="f")
    assert function.output.owner is function.root_function
    for name in ("input", "parameter", "constant", "placeholder"):
        with pytest.raises(RuntimeError, match="not the output of a function"):
            _ = kinds()[name].owner


def test_casts_between_kinds():
    parameter, constant = C.parameter(1), C.constant(1)
    assert parameter.as_parameter() is parameter and constant.as_constant() is constant
    for variable in (C.input_variable(1), constant):
        with pytest.raises(TypeError, match="not a parameter"):
            variable.as_parameter()
    with pytest.raises(TypeError, match="not a constant"):
        parameter.as_constant()


def test_variables_are_equal_only_to_themselves():
    x, y = C.input_variable(3), C.input_variable(3)
    assert x == x and x != y and x in [y, x] and len({x, y, x}) == 2


def test_a_name_is_given_once():
    x = C.input_variable(3)
    x.name = "x"
    assert x.name == "x"
    with pytest.raises(ValueError, match="'x' has a name already"):
        x.name = "y"


def test_values_are_copies():
    w = C.parameter((2, 3), init=1)
    value = w.value
    value[:] = 7
    np.testing.assert_array_equal(w.value, np.ones((2, 3)))
    assert w.value.dtype == np.float32


@pytest.mark.parametrize(
    "given, value",
    [
        (np.arange(6).reshape(2, 3), [[0, 1, 2], [3, 4, 5]]),
        (5, [[5, 5, 5], [5, 5, 5]]),
        ([[1, 2, 3], [4, 5, 6]], [[1, 2, 3], [4, 5, 6]]),
        (C.NDArrayView.from_dense(np.full((2, 3), 2, np.float32)), [[2, 2, 2], [2, 2, 2]]),
        (np.arange(6), [[0, 1, 2], [3, 4, 5]]),
    ],
)
def test_values_can_be_set(given, value):
    w = C.parameter((2, 3))
    tensor = w.data
    w.value = given
    np.testing.assert_array_equal(w.value, value)
    assert w.data is tensor, "learners and plans hold the tensor: it is filled, not replaced"


def test_a_value_of_another_size_is_refused_and_changes_nothing():
    w = C.parameter((2, 3), init=1, name="w")
    with pytest.raises(ValueError, match=r"'w'.*expected a value of shape \[2 x 3\], got \[4\]"):
        w.value = np.zeros(4)
    np.testing.assert_array_equal(w.value, np.ones((2, 3)))


def test_an_inferred_parameter_has_no_value_yet():
    w = C.parameter((C.InferredDimension, 2), name="w")
    with pytest.raises(ValueError, match=r"'w'.*still to be inferred"):
        _ = w.value
    C.times(C.input_variable(3), w)
    assert w.shape == (3, 2) and w.value.shape == (3, 2)


def test_an_arrays_own_shape_counts():
    """As in the original, whatever shape is given beside it."""
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    for value in (array, array.tolist(), C.NDArrayView.from_dense(array)):
        for shape in ((2, 3), (3, 2), (7,), (C.InferredDimension, 3), None):
            for variable in (C.parameter(shape, init=value), C.constant(value, shape=shape)):
                assert variable.shape == (2, 3)
                np.testing.assert_array_equal(variable.value, array)
    assert C.parameter((2, 3), init=4).shape == (2, 3)


def test_parameters_that_cannot_be():
    with pytest.raises(TypeError, match=r"'w'.*expected numbers"):
        C.parameter(3, init="many", name="w")
    with pytest.raises(ValueError, match="needs a shape"):
        C.parameter(init=C.glorot_uniform())
    with pytest.raises(ValueError, match="scale"):
        C.parameter(3, init=C.uniform(0), name="w")


def test_records():
    record = C.variables.Record(loss=1, samples=2)
    assert record.loss == 1 and record["samples"] == 2 and record == {"loss": 1, "samples": 2}
    assert record.updated_with(loss=5) == {"loss": 5, "samples": 2} and record.loss == 1
    with pytest.raises(AttributeError, match="no entry 'metric'"):
        _ = record.metric
    with pytest.raises(AttributeError, match="updated_with"):
        record.loss = 3
    with pytest.raises(AttributeError, match="no entry 'metric'"):
        record.updated_with(metric=3)
