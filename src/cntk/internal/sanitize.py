"""Conversions of loosely given arguments, under the original's names for them.

Programs that build operations out of the native layer's use them: axes and lists with an entry for
each axis come out in that layer's order, the last axis first.
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
    """A dtype as a NumPy scalar type.

    Args:
        dtype: a NumPy format or its name; 'float' and ``int`` stand for float32, 'double' and
            ``float`` for float64.

    Raises:
        ValueError: for a format that there is not.
    """
    try:
        found = (
            None
            if dtype is None
            else as_dtype(_WORDS.get(dtype, np.float32 if dtype is int else np.dtype(dtype)))
        )
    except (TypeError, ValueError):
        found = None
    if found is None:
        raise ValueError(
            f"data type {dtype!r} is not supported; use float32, float64, float16, int8 or int16"
        )
    return found.type


def sanitize_dtype_cntk(dtype: Any) -> int:
    """A dtype as files number it; 0 for None.

    Args:
        dtype: as for `sanitize_dtype_numpy`, or such a number.

    Raises:
        ValueError: for a format that there is not.

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
    """A dtype, numbered as in files, as a NumPy scalar type; ``object`` for 0, which is
    none yet.

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
    """The dtype of a calculation, float32, float64 or float16, as a NumPy scalar type.

    Raises:
        ValueError: for any other.
    """
    found = sanitize_dtype_numpy(precision)
    if not is_floating(np.dtype(found)):
        raise ValueError(
            f"precision {precision!r} is not supported; use float32, float64 or float16"
        )
    return found


# -- shapes and axes -------------------------------------------------------------------------------


def sanitize_shape(shape: Any) -> Shape:
    """A shape as a tuple."""
    return as_shape(shape)


def sanitize_2d_number(x: Any) -> tuple[Any, Any]:
    """A number, or a tuple of two, as two numbers.

    Raises:
        ValueError: for anything else.
    """
    if np.isscalar(x):
        return x, x
    if isinstance(x, tuple) and len(x) == 2:
        return x
    raise ValueError(f"expected a number or a tuple of two numbers, got {x!r}")


def sanitize_range(x: Any) -> tuple[Any, Any]:
    """A number, or a tuple of two in ascending order, as the two ends of a range.

    Raises:
        ValueError: for anything else.
    """
    low, high = sanitize_2d_number(x)
    if low > high:
        raise ValueError(f"expected a range with its lower end first, got {x!r}")
    return low, high


def sanitize_axis(axis: Any) -> Axis:
    """An axis, static ones counted from the last; None stands for all static axes.

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
    """One axis or several as a list; see `sanitize_axis`."""
    return [sanitize_axis(axis) for axis in (axes if isinstance(axes, (list, tuple)) else (axes,))]


def sanitize_multi_axis_reduction_list(axes: Any) -> list[Axis]:
    """The axes to reduce over as a list; see `sanitize_axis`."""
    return sanitize_axis_list(axes)


def sanitize_dynamic_axes(axes: Any) -> tuple[Axis, ...]:
    """One dynamic axis or several as a tuple, the last first.

    Raises:
        TypeError: for anything that is no axis.
    """
    result = tuple(axes) if isinstance(axes, (list, tuple)) else (axes,)
    for axis in result:
        if not isinstance(axis, Axis):
            raise TypeError(f"dynamic_axes: expected an Axis, got {type(axis).__name__}")
    return result[::-1]


def sanitize_permutation(perm: Sequence[int]) -> list[int]:
    """A permutation of static axes as one of the axes counted from the last.

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
    """A convolution's strides as a tuple, and its flags with the last axis's first."""
    return as_shape(strides), _flags(sharing), _flags(auto_padding)


def sanitize_pooling_args(
    pooling_window_shape: Any, strides: Any, auto_padding: Any
) -> tuple[Shape, Shape, list[bool]]:
    """A pooling's window and strides as tuples, and its flags with the last axis's first."""
    return as_shape(pooling_window_shape), as_shape(strides), _flags(auto_padding)


def sanitize_random_args(shape: Any, dtype: Any) -> tuple[Shape, int]:
    """The shape of a random result as a tuple, and its dtype as files number it; float32 for None.

    Raises:
        ValueError: for a dtype that there is not.

    Example:
        >>> sanitize_random_args(2, None)
        ((2,), 1)
    """
    return as_shape(shape), sanitize_dtype_cntk(np.float32 if dtype is None else dtype)


def sanitize_Function_attributes(attributes: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
    """A function's attributes as the native layer keeps them, with flags for each axis turned
    round, in place.

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
    """Anything that an operation takes as operand, as a variable; a function is left as it is.

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
    """A variable or a function as it is.

    Raises:
        TypeError: for anything else.
    """
    if not isinstance(arg, (Variable, Function)):
        raise TypeError(f"expected a variable or a function, got {type(arg).__name__}")
    return arg


def sanitize_variables_or_functions(arg: Any) -> list[Variable | Function]:
    """One variable or function, or several, as a list; see `sanitize_variable_or_function`."""
    several = isinstance(arg, Iterable) and not isinstance(arg, (Variable, Function))
    return [sanitize_variable_or_function(item) for item in (arg if several else (arg,))]


def sanitize_function(arg: Any) -> Function:
    """A function as it is, a variable as a function that gives it.

    Raises:
        TypeError: for anything else.
    """
    found = sanitize_variable_or_function(arg)
    return combine(found) if isinstance(found, Variable) else found


# -- data ------------------------------------------------------------------------------------------


def sanitize_value(
    shape: Any, value: Any, dtype: Any, device: DeviceDescriptor | None
) -> NDArrayView:
    """A number or an array as a view of a given shape.

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
    wanted = as_dtype(dtype) or np.dtype(np.float32)
    array = np.zeros(as_shape(shape)) if value is None else np.asarray(value)
    if array.ndim == 0:
        array = np.full(as_shape(shape), array)
    return NDArrayView.from_dense(array.astype(wanted), device)


def sanitize_variable_value_dict(var_value_dict: Mapping[Any, Any]) -> Any:
    """The only value of a dictionary; the dictionary itself if it has several.

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
    """Data for a variable as a `Value`; see `Value.create`.

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
    """Data for some variables as values by variable.

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
        held = None if isinstance(data, np.ndarray) else getattr(data, "data", None)
        result[variable] = sanitize_batch(
            variable, held if isinstance(held, Value) else data, starts, device
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
    """A decorator that keeps a function's last results by its arguments, so that it is not called
    for them again.

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
    """Whether it is a text."""
    return isinstance(s, str)


def is_byte_buffer(s: Any) -> bool:
    """Whether it is a file's content in memory."""
    return isinstance(s, (bytes, bytearray))


hand_on(globals())
