"""Conversions of arguments of several types, under the original's names.

Programs that build operations from the native layer use them: axes and lists with an entry for each
axis are returned in that layer's order, the last axis first.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from cntk._graph.bfloat16 import is_floating
from cntk._graph.function import Function
from cntk._graph.names.late_names import hand_on
from cntk._graph.types import Shape
from cntk._graph.variable import DTYPE_NUMBERS, Variable, as_dtype, as_shape, format_number
from cntk._ops.support.operands import as_operand
from cntk._ops.support.structure import combine
from cntk.axis import Axis
from cntk.core import NDArrayView, Value
from cntk.device import DeviceDescriptor
from cntk.errors import FeedError
from cntk.internal.tuples import _as_tuple as _as_tuple

__all__ = [
    "bounded_cache",
    "data_type_to_dtype",
    "is_byte_buffer",
    "is_string",
    "sanitize_2d_number",
    "sanitize_Function_attributes",
    "sanitize_axis",
    "sanitize_axis_list",
    "sanitize_batch",
    "sanitize_convolution_args",
    "sanitize_dtype_cntk",
    "sanitize_dtype_numpy",
    "sanitize_dynamic_axes",
    "sanitize_function",
    "sanitize_input",
    "sanitize_multi_axis_reduction_list",
    "sanitize_permutation",
    "sanitize_pooling_args",
    "sanitize_precision",
    "sanitize_random_args",
    "sanitize_range",
    "sanitize_shape",
    "sanitize_value",
    "sanitize_var_map",
    "sanitize_variable_or_function",
    "sanitize_variable_value_dict",
    "sanitize_variables_or_functions",
]

R = TypeVar("R")

# -- dtypes --------------------------------------------------------------------------------

_WORDS = {"float": np.float32, "double": np.float64}


def sanitize_dtype_numpy(dtype: Any) -> Any:
    """Convert a dtype to a NumPy scalar type.

    Args:
        dtype: a NumPy dtype or its name; 'float' and ``int`` stand for float32, 'double' and
            ``float`` for float64.

    Raises:
        ValueError: for an unknown dtype.
    """
    try:
        result = (
            None
            if dtype is None
            else as_dtype(_WORDS.get(dtype, np.float32 if dtype is int else np.dtype(dtype)))
        )
    except (TypeError, ValueError):
        result = None
    if result is None:
        raise ValueError(
            f"data type {dtype!r} is not supported; use float32, float64, float16, int8 or int16"
        )
    return result.type


def sanitize_dtype_cntk(dtype: Any) -> int:
    """Convert a dtype to its number in files; 0 for None.

    Args:
        dtype: as for `sanitize_dtype_numpy`, or such a number.

    Raises:
        ValueError: for an unknown dtype.

    Example:
        >>> sanitize_dtype_cntk(np.float64)
        2
    """
    if dtype is None:
        return 0
    if isinstance(dtype, int) and not isinstance(dtype, bool):
        data_type_to_dtype(dtype)
        return dtype
    return format_number(np.dtype(sanitize_dtype_numpy(dtype)))


def data_type_to_dtype(data_type: int) -> Any:
    """Convert the number of a dtype in files to a NumPy scalar type; ``object`` for 0, an unknown
    dtype.

    Raises:
        ValueError: if there is no such number.
    """
    if data_type == 0:
        return object
    if data_type not in DTYPE_NUMBERS.values():
        raise ValueError(
            f"data_type {data_type} is not supported; it must be one of 0, 1, 2, 4, 5 and 6"
        )
    return np.dtype(as_dtype(data_type)).type


def sanitize_precision(precision: Any) -> Any:
    """Convert a precision, float32, float64 or float16, to a NumPy scalar type.

    Raises:
        ValueError: for any other.
    """
    result = sanitize_dtype_numpy(precision)
    if not is_floating(np.dtype(result)):
        raise ValueError(
            f"precision {precision!r} is not supported; use float32, float64 or float16"
        )
    return result


# -- shapes and axes -------------------------------------------------------------------------------


def sanitize_shape(shape: Any) -> Shape:
    """Convert a shape to a tuple."""
    return as_shape(shape)


def sanitize_2d_number(x: Any) -> tuple[Any, Any]:
    """Convert a number, or a tuple of two, to two numbers.

    Raises:
        ValueError: for anything else.
    """
    if np.isscalar(x):
        return x, x
    if isinstance(x, tuple) and len(x) == 2:
        return x
    raise ValueError(f"expected a number or a tuple of two numbers, got {x!r}")


def sanitize_range(x: Any) -> tuple[Any, Any]:
    """Convert a number, or a tuple of two in ascending order, to the ends of a range.

    Raises:
        ValueError: for anything else.
    """
    low, high = sanitize_2d_number(x)
    if low > high:
        raise ValueError(f"expected a range with its lower end first, got {x!r}")
    return low, high


def sanitize_axis(axis: Any) -> Axis:
    """Convert an axis to an `Axis` with static ones counted from the last; None stands for all
    static axes.

    Args:
        axis: a static axis's index, or an `Axis`.

    Raises:
        TypeError: for anything else.

    Example:
        >>> sanitize_axis(0), sanitize_axis(-1)
        (Axis('staticAxisIdx=-1'), Axis('staticAxisIdx=0'))
    """
    if axis is None:
        return Axis.all_static_axes()
    if isinstance(axis, int) and not isinstance(axis, bool):
        axis = Axis(axis)
    if not isinstance(axis, Axis):
        raise TypeError(f"expected an Axis or the index of one, got {axis!r}")
    if not axis.is_static_axis or axis == Axis.new_leading_axis():
        return axis
    return Axis(-1 - axis.static_axis_index())


def sanitize_axis_list(axes: Any) -> list[Axis]:
    """Convert one axis or several to a list; see `sanitize_axis`."""
    return [sanitize_axis(axis) for axis in (axes if isinstance(axes, (list, tuple)) else (axes,))]


def sanitize_multi_axis_reduction_list(axes: Any) -> list[Axis]:
    """Convert the axes of a reduction to a list; see `sanitize_axis`."""
    return sanitize_axis_list(axes)


def sanitize_dynamic_axes(axes: Any) -> tuple[Axis, ...]:
    """Convert one dynamic axis or several to a tuple, the last first.

    Raises:
        TypeError: for anything that is no axis.
    """
    result = tuple(axes) if isinstance(axes, (list, tuple)) else (axes,)
    for axis in result:
        if not isinstance(axis, Axis):
            raise TypeError(f"dynamic_axes: expected an Axis, got {type(axis).__name__}")
    return result[::-1]


def sanitize_permutation(perm: Sequence[int]) -> list[int]:
    """Convert a permutation of static axes to one of axes counted from the last.

    Args:
        perm: for each axis of the result which of the operand's it is; negative ones count from the
            last.

    Raises:
        ValueError: if it is no permutation.

    Example:
        >>> sanitize_permutation([2, 0, 1])
        [1, 2, 0]
    """
    rank = len(perm)
    counted = [p + rank if p < 0 else p for p in perm]
    if sorted(counted) != list(range(rank)):
        raise ValueError(f"{list(perm)} is not a permutation of the axes 0 to {rank - 1}")
    return [rank - 1 - p for p in reversed(counted)]


def sanitize_convolution_args(
    strides: Any, sharing: Any, auto_padding: Any
) -> tuple[Shape, list[bool], list[bool]]:
    """Convert a convolution's strides to a tuple, and its flags to lists with the last axis
    first.
    """
    return as_shape(strides), _flags(sharing), _flags(auto_padding)


def sanitize_pooling_args(
    pooling_window_shape: Any, strides: Any, auto_padding: Any
) -> tuple[Shape, Shape, list[bool]]:
    """Convert a pooling's window and strides to tuples, and its flags to lists with the last axis
    first.
    """
    return as_shape(pooling_window_shape), as_shape(strides), _flags(auto_padding)


def sanitize_random_args(shape: Any, dtype: Any) -> tuple[Shape, int]:
    """Convert the shape of a random result to a tuple, and its dtype to its number in files;
    float32 for None.

    Raises:
        ValueError: for a dtype that there is not.

    Example:
        >>> sanitize_random_args(2, None)
        ((2,), 1)
    """
    return as_shape(shape), sanitize_dtype_cntk(np.float32 if dtype is None else dtype)


def sanitize_Function_attributes(attributes: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
    """Reverse the flags for each axis in a function's attributes in place, as the native layer has
    them.

    Args:
        attributes: by name; ``sharing`` and ``autoPadding`` hold flags.

    Example:
        >>> sanitize_Function_attributes({"sharing": [True, False], "strides": (1, 2)})
        {'sharing': [False, True], 'strides': (1, 2)}
    """
    for name in ("sharing", "autoPadding"):
        if name in attributes:
            attributes[name] = attributes[name][::-1]
    return attributes


def _flags(value: Any) -> list[bool]:
    return list(reversed(value)) if isinstance(value, (list, tuple)) else [bool(value)]


# -- operands --------------------------------------------------------------------------------------


def sanitize_input(
    arg: Any, fallback_dtype: Any = np.float32, reshape: Any = None
) -> Variable | Function:
    """Convert an operand to a variable; return a function as it is.

    Args:
        arg: variable, function, number, array or nested lists.
        fallback_dtype: dtype of a number, an array or lists.
        reshape: a shape to give these.

    Raises:
        ValueError: for an empty list, or what is no number.
    """
    if isinstance(arg, (Variable, Function)):
        return arg
    if isinstance(arg, (list, tuple)) and not arg:
        raise ValueError("the operand is an empty list")
    array = np.asarray(arg, dtype=as_dtype(fallback_dtype))
    return as_operand(array if reshape is None else array.reshape(as_shape(reshape)))


def sanitize_variable_or_function(arg: Any) -> Variable | Function:
    """Return a variable or a function as it is.

    Raises:
        TypeError: for anything else.
    """
    if not isinstance(arg, (Variable, Function)):
        raise TypeError(f"expected a variable or a function, got {type(arg).__name__}")
    return arg


def sanitize_variables_or_functions(arg: Any) -> list[Variable | Function]:
    """Convert one variable or function, or several, to a list; see
    `sanitize_variable_or_function`.
    """
    several = isinstance(arg, Iterable) and not isinstance(arg, (Variable, Function))
    return [sanitize_variable_or_function(item) for item in (arg if several else (arg,))]


def sanitize_function(arg: Any) -> Function:
    """Return a function as it is, or a function with a variable as its output.

    Raises:
        TypeError: for anything else.
    """
    result = sanitize_variable_or_function(arg)
    return combine(result) if isinstance(result, Variable) else result


# -- data ------------------------------------------------------------------------------------------


def sanitize_value(
    shape: Any, value: Any, dtype: Any, device: DeviceDescriptor | None
) -> NDArrayView:
    """Convert a number or an array to a view of a shape.

    Args:
        shape: the shape for a number; an array has its own.
        value: a number, an array, or None for zeros.
        dtype: element type, such as `numpy.float32`.
        device: where to put it.

    Raises:
        ValueError: if there is neither shape nor value.
    """
    if shape is None and value is None:
        raise ValueError("expected a shape or a value, got neither")
    target = as_dtype(dtype) or np.dtype(np.float32)
    array = np.zeros(as_shape(shape)) if value is None else np.asarray(value)
    if array.ndim == 0:
        array = np.full(as_shape(shape), array)
    return NDArrayView.from_dense(array.astype(target), device)


def sanitize_variable_value_dict(var_value_dict: Mapping[Any, Any]) -> Any:
    """Return the only value of a dictionary; the dictionary itself if it has several.

    Raises:
        IndexError: if there is none.

    Example:
        >>> sanitize_variable_value_dict({"x": 3}), sanitize_variable_value_dict({"x": 3, "y": 4})
        (3, {'x': 3, 'y': 4})
    """
    if not var_value_dict:
        raise IndexError("expected values by variable, got an empty dictionary")
    return next(iter(var_value_dict.values())) if len(var_value_dict) == 1 else var_value_dict


def sanitize_batch(
    var: Variable, batch: Any, seq_starts: Sequence[bool] | None = None, device: Any = None
) -> Value:
    """Convert data for a variable to a `Value`; see `Value.create`.

    Raises:
        ValueError: if sequence starts are given beside a `Value`, which has its own.
    """
    if not isinstance(batch, Value):
        return Value.create(var, batch, seq_starts, device)
    if seq_starts is not None:
        raise ValueError(
            f"{var!r}: sequence starts cannot be given beside a Value; give them to Value.create"
        )
    return batch


def sanitize_var_map(
    op_arguments: Sequence[Variable],
    arguments: Any,
    precision: Any = None,
    device: Any = None,
    extract_values_from_minibatch_data: bool = True,
) -> dict[Variable, Value]:
    """Convert data for some variables to values by variable.

    Args:
        op_arguments: the variables.
        arguments: data by variable or name, or the data of the only variable.
        precision: accepted for old programs; data take on their variable's dtype.
        device: where to put them.
        extract_values_from_minibatch_data: accepted for old programs; a minibatch's streams become
            values either way.

    Raises:
        ValueError: for a name that no variable has, or data of one variable where there are
            several.
    """
    if not isinstance(arguments, Mapping):
        if arguments is None or (not len(op_arguments) and not len(arguments)):
            return {}
        if len(op_arguments) != 1:
            raise FeedError(
                f"data of one argument were given, and there are {len(op_arguments)}; give a "
                f"dictionary by variable"
            )
        arguments = {op_arguments[0]: arguments}
    result = {}
    for key, data in arguments.items():
        variable = _named(key, op_arguments) if isinstance(key, str) else key
        starts = None
        if isinstance(data, tuple) and len(data) == 2 and isinstance(data[1], list):
            data, starts = data
        content = None if isinstance(data, np.ndarray) else getattr(data, "data", None)
        result[variable] = sanitize_batch(
            variable, content if isinstance(content, Value) else data, starts, device
        )
    return result


def _named(name: str, variables: Sequence[Variable]) -> Variable:
    for variable in variables:
        if name in (variable.name, variable.uid):
            return variable
    known = ", ".join(v.name or v.uid for v in variables)
    raise FeedError(
        f'variable with name "{name}" does not exist in the network. Available variable names: '
        f"{known}"
    )


def bounded_cache(maxsize: int) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """Return a decorator that caches a function's last results by its arguments.

    Args:
        maxsize: how many results are kept.

    Example:
        >>> @bounded_cache(10)
        ... def square(x):
        ...     print("computed")
        ...     return x * x
        >>> square(3), square(3)
        computed
        (9, 9)
    """
    return functools.lru_cache(maxsize)


def is_string(s: Any) -> bool:
    """Return whether it is a string."""
    return isinstance(s, str)


def is_byte_buffer(s: Any) -> bool:
    """Return whether it is a file's content in memory."""
    return isinstance(s, (bytes, bytearray))


hand_on(globals())
