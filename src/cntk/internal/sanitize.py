"""Conversions of loosely given arguments, under the original's names for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from cntk._graph.types import Shape
from cntk._graph.variable import Variable, as_dtype, as_shape
from cntk._ops.operands import as_operand
from cntk.axis import Axis
from cntk.core import NDArrayView, Value
from cntk.device import DeviceDescriptor

__all__ = [
    "get_data_type",
    "sanitize_batch",
    "sanitize_dtype_cntk",
    "sanitize_dtype_numpy",
    "sanitize_dynamic_axes",
    "sanitize_input",
    "sanitize_permutation",
    "sanitize_shape",
    "sanitize_value",
]

_NUMBERS = {"float32": 1, "float64": 2, "float16": 4, "int8": 5, "int16": 6}


def sanitize_dtype_cntk(dtype: Any) -> int:
    """A number format as files number it.

    Args:
        dtype: a NumPy format, 'float', 'double', or such a number.

    Raises:
        ValueError: for a format that there is not.

    Example:
        >>> sanitize_dtype_cntk(np.float64)
        2
    """
    if isinstance(dtype, int) and not isinstance(dtype, bool):
        return dtype
    if dtype is None:
        return 0
    name = sanitize_dtype_numpy(dtype)
    number = _NUMBERS.get(np.dtype(name).name)
    if number is None:
        raise ValueError(f"data type {dtype!r} is not supported; use float32, float64 or float16")
    return number


def sanitize_dtype_numpy(dtype: Any) -> Any:
    """A number format as a NumPy scalar type.

    Args:
        dtype: a NumPy format, its name, or a file's number for it.
    """
    by_number = {number: name for name, number in _NUMBERS.items()}
    if isinstance(dtype, int) and not isinstance(dtype, bool):
        dtype = by_number.get(dtype, "float32")
    return np.dtype({"float": "float32", "double": "float64", float: "float32", int: "float32"}.get(dtype, dtype)).type


def sanitize_shape(shape: Any) -> Shape:
    """A shape as a tuple."""
    return as_shape(shape)


def sanitize_input(arg: Any, fallback_dtype: Any = np.float32, reshape: Any = None) -> Variable:
    """Anything that an operation takes as operand, as a variable.

    Args:
        arg: variable, function, number, array or nested lists.
        fallback_dtype: number format of what has none of its own.
        reshape: a shape to give a constant.
    """
    if isinstance(arg, list) and not arg:
        raise ValueError("input is empty")
    operand = as_operand(arg, as_dtype(fallback_dtype))
    return operand if reshape is None or not operand.is_constant else as_operand(np.reshape(operand.value, reshape))  # type: ignore[attr-defined]


def sanitize_value(shape: Any, value: Any, dtype: Any, device: DeviceDescriptor | None) -> NDArrayView:
    """A number or an array as a view of a given shape.

    Args:
        shape: the shape for a number; an array keeps its own.
        value: a number, an array, or None for zeros.
        dtype: number format.
        device: where to put it.
    """
    wanted = as_dtype(dtype) or np.dtype(np.float32)
    array = np.zeros(as_shape(shape)) if value is None else np.asarray(value)
    if array.ndim == 0:
        array = np.full(as_shape(shape), array)
    return NDArrayView.from_dense(array.astype(wanted), device)


def sanitize_batch(var: Variable, batch: Any, seq_starts: Sequence[bool] | None = None, device: Any = None) -> Value:
    """Data for a variable as a `Value`."""
    return batch if isinstance(batch, Value) else Value.create(var, batch, seq_starts, device)


def sanitize_dynamic_axes(axes: Any) -> tuple[Axis, ...]:
    """One dynamic axis or several, as a tuple."""
    return tuple(axes) if isinstance(axes, (list, tuple)) else (axes,)


def sanitize_permutation(perm: Sequence[int]) -> list[int]:
    """A permutation of static axes, with negative entries counted from the last.

    Raises:
        ValueError: if it is none.

    Example:
        >>> sanitize_permutation([-1, 0, 1])
        [2, 0, 1]
    """
    rank = len(perm)
    result = [p + rank if p < 0 else p for p in perm]
    if sorted(result) != list(range(rank)):
        raise ValueError(f"{list(perm)} is not a permutation of the axes 0 to {rank - 1}")
    return result


def get_data_type(*args: Any) -> Any:
    """The number format that operands share: the largest of theirs, or None if none has one."""
    formats = set()
    for arg in args:
        dtype = getattr(arg, "dtype", None)
        if isinstance(arg, torch.Tensor):
            dtype = np.dtype(str(arg.dtype).removeprefix("torch."))
        if dtype is not None:
            formats.add(np.dtype(dtype))
    floats = [f for f in formats if f.kind == "f"]
    if np.dtype(np.float64) in floats:
        return np.float64
    return np.float32 if np.dtype(np.float32) in floats or formats - set(floats) else np.float16 if floats else None
