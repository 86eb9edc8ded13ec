"""Tensor types, shapes and dtypes, as programs write them and as errors show them."""

from __future__ import annotations

import numpy as np
import pytest

from cntk._graph.op import disk_name, fill
from cntk._graph.printing import type_text
from cntk._graph.types import BATCH_AXIS, SEQUENCE_AXIS, UNKNOWN_AXES, TensorType, common_dtype
from cntk._graph.variable import as_dtype, as_shape
from cntk._wording import operation_text, shape_text
from cntk.axis import Axis

FLOAT, DOUBLE, HALF = (np.dtype(t) for t in ("float32", "float64", "float16"))


def test_what_is_known_of_a_type():
    nothing = TensorType()
    assert not (nothing.has_shape or nothing.has_axes or nothing.is_known or nothing.is_complete)
    assert not (nothing.is_sequence or nothing.has_batch_axis) and nothing.lead == 0
    shape_alone = TensorType((3, 2))
    assert shape_alone.has_shape and not shape_alone.is_known and not shape_alone.has_batch_axis
    axes_alone = TensorType(dynamic_axes=(BATCH_AXIS,))
    assert axes_alone.has_axes and not axes_alone.is_known and axes_alone.lead == 1
    open_dimension = TensorType((3, -1), (BATCH_AXIS,))
    assert open_dimension.is_known and not open_dimension.is_complete and open_dimension.rank == 2
    assert not TensorType((-3,), ()).is_complete
    sample = TensorType((3, 2), (BATCH_AXIS,))
    assert sample.is_complete and sample.lead == 1 and not sample.is_sequence
    assert TensorType((3,), (BATCH_AXIS, SEQUENCE_AXIS)).is_sequence
    parameter = TensorType((), ())
    assert parameter.is_complete and parameter.lead == 0 and parameter.rank == 0


def test_types_with_one_thing_changed():
    type_ = TensorType((3,), (BATCH_AXIS,), FLOAT, True)
    assert type_.with_shape((4, 5)) == TensorType((4, 5), (BATCH_AXIS,), FLOAT, True)
    assert type_.with_axes(()) == TensorType((3,), (), FLOAT, True)
    assert type_.dense() == TensorType((3,), (BATCH_AXIS,), FLOAT)
    assert hash(type_) == hash(TensorType((3,), (BATCH_AXIS,), FLOAT, True))


@pytest.mark.parametrize(
    "type_, text",
    [
        (TensorType((300,), (BATCH_AXIS, SEQUENCE_AXIS)), "[300] on [batch, sequence]"),
        (TensorType((3, -1), (BATCH_AXIS,)), "[3 x ?] on [batch]"),
        (TensorType((-3, 4), ()), "[* x 4]"),
        (TensorType((), (BATCH_AXIS, Axis("words"))), "[] on [batch, 'words']"),
        (TensorType((2,)), "[2] on unknown axes"),
        (TensorType(), "[???] on unknown axes"),
    ],
)
def test_how_errors_show_a_type(type_, text):
    assert str(type_) == text


@pytest.mark.parametrize(
    "type_, text",
    [
        (TensorType((3,), (BATCH_AXIS,), FLOAT), "Tensor[3]"),
        (TensorType((3, 2), (BATCH_AXIS,), DOUBLE), "Tensor[np.float64,3,2]"),
        (TensorType((), (BATCH_AXIS,), FLOAT), "np.float32"),
        (TensorType((), (), HALF), "np.float16"),
        (TensorType((), (BATCH_AXIS,)), "float"),
        (TensorType((3,), (), FLOAT), "ParameterTensor[3]"),
        (TensorType((3,), (BATCH_AXIS,), FLOAT, True), "SparseTensor[3]"),
        (
            TensorType((3,), (BATCH_AXIS, SEQUENCE_AXIS), DOUBLE, True),
            "Sequence[SparseTensor[np.float64,3]]",
        ),
        (TensorType((3,), (BATCH_AXIS, Axis("q")), FLOAT), "SequenceOver[q][Tensor[3]]"),
        (TensorType((-3, -1), (BATCH_AXIS,), FLOAT), "Tensor[-3,-1]"),
        (TensorType(), "Sequence[tensor]"),
        (TensorType(dynamic_axes=(BATCH_AXIS,)), "tensor"),
        (TensorType((3,)), "Sequence[Tensor[3]]"),
    ],
)
def test_how_functions_show_a_type(type_, text):
    assert type_text(type_) == text


@pytest.mark.parametrize(
    "given, shape",
    [
        (3, (3,)),
        ((), ()),
        ((2, 3), (2, 3)),
        ([4], (4,)),
        (np.int64(5), (5,)),
        (np.array([2, 3]), (2, 3)),
        ((-1, 2), (-1, 2)),
        ((-3,), (-3,)),
        ((-2,), (-2,)),
        (range(2, 4), (2, 3)),
        (0, (0,)),
    ],
)
def test_shapes_come_in_many_forms(given, shape):
    assert as_shape(given) == shape
    assert all(type(d) is int for d in as_shape(given))


@pytest.mark.parametrize(
    "given", ["three", (3, "x"), object(), (-4,), (2, -2), ((1, 2),), (None,), None]
)
def test_what_is_no_shape(given):
    with pytest.raises(ValueError, match="shape"):
        as_shape(given)


@pytest.mark.parametrize(
    "given, name",
    [
        (np.float32, "float32"),
        ("float", "float32"),
        ("double", "float64"),
        (np.dtype("float16"), "float16"),
        (1, "float32"),
        (2, "float64"),
        (4, "float16"),
        (float, "float64"),
        ("float32", "float32"),
    ],
)
def test_number_formats_come_in_many_forms(given, name):
    assert as_dtype(given) == np.dtype(name)


def test_no_number_format():
    assert as_dtype(None) is None
    assert as_dtype(0) is None


@pytest.mark.parametrize("given", [np.int32, "int64", bool, np.complex64, "U3"])
def test_formats_that_nothing_is_computed_in(given):
    with pytest.raises(ValueError, match="use float16, float32 or float64"):
        as_dtype(given)


def test_small_things():
    assert shape_text(()) == "[]"
    assert shape_text((3, -1, -3)) == "[3 x ? x *]"
    assert shape_text((-2,)) == "[???]"
    assert operation_text("Times") == "Times" and operation_text("Times", "h") == "Times 'h'"
    assert disk_name("dropout_rate") == "dropoutRate" and disk_name("axis") == "axis"
    assert fill((-1, 4), (3, 5)) == (3, 4)
    assert common_dtype((TensorType(), TensorType(dtype=DOUBLE), TensorType(dtype=FLOAT))) == DOUBLE
    assert common_dtype((TensorType(),)) is None
    assert TensorType().dynamic_axes == UNKNOWN_AXES
