"""What programs import from cntk.internal and cntk.cntk_py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import cntk as C
from cntk import cntk_py, internal
from cntk.internal import utils
from cntk.internal.swig_helper import map_if_possible, typemap

BATCH, SEQUENCE = C.Axis.default_batch_axis(), C.Axis.default_dynamic_axis()


@pytest.mark.parametrize(
    ("given", "scalar_type", "number"),
    [
        ("float", np.float32, 1),
        (int, np.float32, 1),
        (np.dtype("f4"), np.float32, 1),
        (float, np.float64, 2),
        ("double", np.float64, 2),
        (np.float16, np.float16, 4),
        ("int8", np.int8, 5),
        (np.int16, np.int16, 6),
    ],
)
def test_number_formats(given: Any, scalar_type: type, number: int) -> None:
    assert internal.sanitize_dtype_numpy(given) is scalar_type
    assert internal.sanitize_dtype_cntk(given) == internal.sanitize_dtype_cntk(number) == number
    assert internal.data_type_to_dtype(number) is scalar_type


@pytest.mark.parametrize("given", [np.int64, "x", bool, None, 3])
def test_number_formats_that_there_are_not(given: Any) -> None:
    with pytest.raises(ValueError, match="is not supported; use float32"):
        internal.sanitize_dtype_numpy(given)
    with pytest.raises(ValueError, match="is not supported"):
        internal.sanitize_precision(given)
    with pytest.raises(ValueError, match="precision 'int8' is not supported"):
        internal.sanitize_precision("int8")


def test_axes_are_counted_from_the_last() -> None:
    assert [internal.sanitize_axis(axis) for axis in (0, 1, -1, C.Axis(-2), BATCH, None)] == [
        C.Axis(-1),
        C.Axis(-2),
        C.Axis(0),
        C.Axis(1),
        BATCH,
        C.Axis.all_static_axes(),
    ]
    assert internal.sanitize_axis(C.Axis.new_leading_axis()) == C.Axis.new_leading_axis()
    assert internal.sanitize_axis_list(0) == [C.Axis(-1)]
    assert internal.sanitize_multi_axis_reduction_list([BATCH, 1]) == [BATCH, C.Axis(-2)]
    assert internal.sanitize_dynamic_axes([BATCH, SEQUENCE]) == (SEQUENCE, BATCH)
    assert internal.sanitize_dynamic_axes(BATCH) == (BATCH,)
    assert internal.sanitize_convolution_args(2, [True], [True, False]) == (
        (2,),
        [True],
        [False, True],
    )
    assert internal.sanitize_pooling_args((2, 3), (1, 2), [False, True]) == (
        (2, 3),
        (1, 2),
        [True, False],
    )
    with pytest.raises(TypeError, match="expected an Axis or the index of one, got 'x'"):
        internal.sanitize_axis("x")
    with pytest.raises(TypeError, match="expected an Axis, got int"):
        internal.sanitize_dynamic_axes(3)


@pytest.mark.parametrize("perm", [(), (0,), (1, 0), (2, 0, 1), (-1, 0, 1), (3, 1, 0, 2)])
def test_a_permutation_of_reversed_axes(perm: tuple[int, ...]) -> None:
    """What it gives, applied to a shape written backwards, is the permuted shape written
    backwards.
    """
    shape = np.arange(len(perm)) + 5
    backwards = shape[::-1][list(internal.sanitize_permutation(perm))]
    np.testing.assert_array_equal(backwards, shape[list(perm)][::-1])


@pytest.mark.parametrize("perm", [(0, 0), (1,), (0, 1, 3), (0, -3)])
def test_what_is_no_permutation(perm: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="is not a permutation"):
        internal.sanitize_permutation(perm)


def test_numbers_and_ranges() -> None:
    assert internal.sanitize_2d_number(3) == (3, 3) and internal.sanitize_2d_number((3, 4)) == (
        3,
        4,
    )
    assert internal.sanitize_range(3) == (3, 3) and internal.sanitize_range((3, 4)) == (3, 4)
    with pytest.raises(ValueError, match="two numbers"):
        internal.sanitize_2d_number((1, 2, 3))
    with pytest.raises(ValueError, match="lower end first"):
        internal.sanitize_range((2, 1))
    assert internal.is_string("x") and not internal.is_string(b"x")
    assert (
        internal.is_byte_buffer(b"x")
        and internal.is_byte_buffer(bytearray())
        and not internal.is_byte_buffer("x")
    )


def test_operands() -> None:
    x, y = (C.input_variable(2, name=name) for name in "xy")
    both = x + y
    constant = internal.sanitize_input(np.ones((2, 3), np.float32), np.float64, reshape=(3, 2))
    assert constant.dtype == np.float64 and constant.shape == (3, 2) and constant.is_constant
    assert internal.sanitize_input(x) is x and internal.sanitize_input(both) is both
    assert internal.sanitize_function(both) is both and internal.sanitize_function(x).output == x
    assert internal.sanitize_variables_or_functions([x, both]) == [x, both]
    assert internal.sanitize_variables_or_functions(x) == [x]
    for wrong in (internal.sanitize_function, internal.sanitize_variable_or_function):
        with pytest.raises(TypeError, match="expected a variable or a function, got int"):
            wrong(3)
    with pytest.raises(ValueError, match="empty list"):
        internal.sanitize_input([])


def test_data() -> None:
    x, y = (C.input_variable(2, name=name) for name in "xy")
    rows = np.ones((3, 2), np.float32)
    by_name = internal.sanitize_var_map((x, y), {"x": rows, y: rows})
    assert list(by_name) == [x, y] and all(value.shape == (3, 2) for value in by_name.values())
    assert internal.sanitize_var_map((x,), rows)[x].shape == (3, 2)
    assert internal.sanitize_var_map((), None) == {}
    words = C.sequence.input_variable(2)
    continued = internal.sanitize_var_map((words,), ([rows, rows[:1]], [True, False]))[words]
    assert continued.mask.tolist() == [[2, 1, 1], [1, 0, 0]]
    with pytest.raises(ValueError, match="there are 2; give a dictionary"):
        internal.sanitize_var_map((x, y), rows)
    with pytest.raises(
        ValueError, match='"z" does not exist in the network. Available variable names: x, y'
    ):
        internal.sanitize_var_map((x, y), {"z": rows})
    with pytest.raises(ValueError, match="sequence starts cannot be given beside a Value"):
        internal.sanitize_batch(words, continued, [True, False])
    np.testing.assert_array_equal(
        internal.sanitize_value((2, 3), 4, np.float64, None).asarray(), np.full((2, 3), 4.0)
    )
    assert internal.sanitize_value(None, rows, np.float64, None).dtype == np.float64
    with pytest.raises(ValueError, match="neither"):
        internal.sanitize_value(None, None, np.float32, None)


def test_results_as_they_are_shown() -> None:
    x, words = C.input_variable(2), C.sequence.input_variable(2)
    rows = np.ones((3, 2), np.float32)
    samples, sequences = C.asvalue(x, rows), C.asvalue(words, [rows, rows[:1]])
    assert [a.shape for a in internal._value_as_sequence(samples, x)] == [(2,)] * 3
    assert internal._value_as_sequence_or_array(samples, x).shape == (3, 2)
    assert [a.shape for a in internal._value_as_sequence_or_array(sequences, words)] == [
        (3, 2),
        (1, 2),
    ]


def test_shared_number_format() -> None:
    single, double = C.parameter(2), C.parameter(2, dtype=np.float64)
    unknown = C.placeholder(2)
    assert utils.get_data_type(single, np.ones(2)) is np.float32  # variables before data
    assert utils.get_data_type(unknown, np.ones(2)) is np.float64
    assert utils.get_data_type(single * 2, double) is np.float64
    assert (
        utils.get_data_type(1, np.float16(1)) is np.float32
        and utils.get_data_type(np.float16(1)) is np.float16
    )
    assert utils.get_data_type(unknown) is utils.get_data_type() is None


def test_arguments_of_python_functions() -> None:
    def step(x: int, y, *rest, rate: float = 1, **more): ...

    assert utils.get_python_function_arguments(step) == (["x", "y"], {"x": int, "rate": float})
    stands = {"a": "A", "b": "B"}
    assert utils.map_function_arguments(["a", "b"], stands, 1, b=2) == {"a": 1, "B": 2}
    with pytest.raises(TypeError, match="unexpected keyword argument 'c'; the parameters are a, b"):
        utils.map_function_arguments(["a", "b"], stands, c=1)


def test_objects_are_of_public_classes() -> None:
    @typemap
    def made() -> list[Any]:
        return [
            cntk_py.Parameter((1, 2), cntk_py.DataType_Double, 5.0),
            cntk_py.Constant((2,), 1, 3),
        ]

    parameter, constant = made()
    map_if_possible(parameter)
    assert parameter.__class__ is C.Parameter and constant.__class__ is C.Constant
    assert (
        parameter.value.tolist() == [[5, 5]]
        and parameter.dtype == np.float64
        and constant.value.tolist() == [3, 3]
    )
    assert isinstance(parameter, cntk_py.Parameter) and not isinstance(constant, cntk_py.Parameter)
    assert isinstance(parameter, cntk_py.Variable) and isinstance(parameter + 1, cntk_py.Function)


def test_seeds_and_determinism() -> None:
    cntk_py.reset_random_seed(7)
    assert [cntk_py.generate_random_seed() for _ in range(2)] == [
        7,
        8,
    ] and cntk_py.get_random_seed() == 9
    cntk_py.set_fixed_random_seed(5)
    assert cntk_py.is_random_seed_fixed()
    assert C.dropout(C.input_variable(2), 0.5).root_function.attributes["rngSeed"] == 5
    cntk_py.reset_random_seed(0)
    assert not cntk_py.is_random_seed_fixed()
    import torch

    before = torch.are_deterministic_algorithms_enabled()
    try:
        cntk_py.force_deterministic_algorithms()
        assert cntk_py.should_force_deterministic_algorithms()
    finally:
        torch.use_deterministic_algorithms(before)


def test_the_oldest_name_of_the_native_layer() -> None:
    import _cntk_py

    assert all(getattr(_cntk_py, name) is getattr(cntk_py, name) for name in cntk_py.__all__)


@pytest.mark.parametrize(
    "make", [lambda a: C.NDArrayView.from_dense(np.array(a)), lambda a: C.Value(np.array(a))]
)
def test_equal_arrays(make: Callable[[Any], Any]) -> None:
    arrays = [[1.0, 2.0], [1.0, 3.0], [[1.0, 2.0]], [1.0], np.array([1, 2], np.float32)]
    kinds = [make(a) for a in arrays]
    assert [[cntk_py.are_equal(a, b) for b in kinds] for a in kinds] == [
        [a is b for b in kinds] for a in kinds
    ]


def test_universal_learner() -> None:
    w = C.parameter(2, init=1)
    gradient = C.constant(0, shape=(2,))
    x = C.input_variable(2)
    learner = cntk_py.universal_learner([w], [gradient], C.assign(w, w - 0.5 * gradient))
    C.Trainer(None, C.reduce_sum(x * w), [learner]).train_minibatch({x: [[1, 2], [3, 4]]})
    assert w.value.tolist() == [-1, -2] and gradient.value.tolist() == [4, 6]
    with pytest.raises(ValueError, match="got 0 for 1 parameters"):
        cntk_py.universal_learner([w], [], C.assign(w, w))
    with pytest.raises(RuntimeError, match="assign to it"):
        cntk_py.universal_learner([w], [gradient], gradient + 1)


def test_attributes_are_those_of_files() -> None:
    x = C.input_variable((2, 3, 4))

    def shown(function: Any) -> dict[str, Any]:
        return dict(function.root_function.attributes)

    assert shown(C.slice(x, 0, 1, 2)) == {
        "axis": ("ordered", "static", 2),
        "beginIndex": 1,
        "endIndex": 2,
        "sliceStrides": 1,
    }
    assert shown(C.slice(x, [0, 1], [1, 0], [2, 2])) == {
        "axisVec": [("ordered", "static", 2), ("ordered", "static", 1)],
        "beginIndexVec": [1, 0],
        "endIndexVec": [2, 2],
        "sliceStridesVec": [1, 1],
    }
    assert shown(C.reshape(x, (6,), 0, 2)) == {
        "beginAxis": ("ordered", "static", 1),
        "endAxis": ("ordered", "static", 3),
        "newShape": (6,),
    }
    assert shown(C.pad(x, [(1, 0), (0, 2), (3, 0)])) == {
        "paddingHead": [3, 0, 1],
        "paddingFoot": [0, 2, 0],
        "paddingMode": 0,
        "paddingConstantValue": 0.0,
    }
    assert shown(C.to_sequence(x))["newDynamicAxes"][1] == (
        "unordered",
        "dynamic",
        "defaultBatchAxis",
    )
    assert shown(x + x) == {}


def test_functions_are_of_one_class() -> None:
    both = C.input_variable(2) + 1
    assert both.__class__ is both.root_function.__class__ is C.Function
    assert isinstance(C.Variable.uid, property) and isinstance(C.Function.uid, property)


def test_arrays_by_their_base() -> None:
    """What programs reach past an overridden method."""
    view = C.NDArrayView.from_dense(np.arange(6.0).reshape(2, 3))
    for holder in (view, C.Value(view), C.parameter(init=view), C.constant(view)):
        assert isinstance(holder, C.tensor.ArrayMixin)
        assert super(type(holder), holder).asarray().tolist() == [[0, 1, 2], [3, 4, 5]]
    assert (
        repr(view) == "NDArrayView([2 x 3], CPU)" and repr(C.Value(view)) == "Value([2 x 3], CPU)"
    )
    assert view.as_shape((3, 2)).asarray().tolist() == [[0, 1], [2, 3], [4, 5]]
    with pytest.raises(
        ValueError, match=r"as_shape: NDArrayView\(\[2 x 3\], CPU\) does not fill shape \[4 x 2\]"
    ):
        view.as_shape((4, 2))


def test_operators_of_tensors() -> None:
    # Those of Python 2.
    names = {f"__{name}__" for name in C.tensor.AVAILABLE_TENSOR_OPS} - {
        "__div__",
        "__rdiv__",
    }
    assert all(
        hasattr(cls, name)
        for name in names
        for cls in (C.tensor.TensorOpsMixin, C.Variable, C.Function)
    )


def test_composition() -> None:
    @C.Function
    def first(a):
        return a + 1

    @C.Function
    def second(a):
        return a * 2

    @C.Function
    def both(a, b):
        return a - b

    x = C.input_variable(3)
    parts = (first >> (first, second))(x)
    results = parts.eval({x: [[1, 2, 3]]})
    assert [results[v].tolist() for v in parts.outputs] == [[[3, 4, 5]], [[4, 6, 8]]]
    assert (first >> (first, second) >> both)(x).eval({x: [[1, 2, 3]]}).tolist() == [[-1, -2, -3]]
    assert (second << x).eval({x: [[1, 2, 3]]}).tolist() == [[2, 4, 6]]
