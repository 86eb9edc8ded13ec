"""Operands: conversion of whatever a program hands to an operation to variables, and application of
an operation to them.
"""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Number
from typing import Any

import numpy as np
import torch

from cntk._arguments import shown
from cntk._graph.bfloat16 import is_computed, is_floating, is_number
from cntk._graph.composite import Composite
from cntk._graph.function import Function
from cntk._graph.op import Op
from cntk._graph.primitive import Primitive
from cntk._graph.types import DType
from cntk._graph.variable import Variable
from cntk.core import NDArrayView, Value
from cntk.errors import ArgumentError
from cntk.variables import Constant


def as_operand(x: Any, like: DType | None = None, op_name: str = "operation") -> Variable:
    """Convert an operand to a variable: a variable, a function's only output, a number, an array,
    nested lists.

    Args:
        x: the operand.
        like: the dtype of a Python number: that of the other operands.
        op_name: for the error.

    Raises:
        ArgumentError: for anything else.
    """
    if isinstance(x, Variable):
        return x
    if isinstance(x, Function):
        return _only_output(x, op_name)
    if isinstance(x, (NDArrayView, Value, torch.Tensor)):
        return Constant(x)
    if isinstance(x, Number) and not isinstance(x, complex) and not isinstance(x, np.floating):
        return Constant(x, dtype=like) if like is not None else Constant.of_later_dtype(x)
    if isinstance(x, (list, tuple, range, np.ndarray, np.generic)):
        array = _as_array(x, op_name)
        if is_number(array.dtype):
            own = array.dtype if isinstance(x, np.ndarray) and is_computed(array.dtype) else None
            return Constant(array, dtype=own or like or np.float32)
    raise ArgumentError(
        f"{op_name}: expected a variable, a function, a number or an array as operand, got "
        f"{type(x).__name__}"
    )


def _as_array(x: Any, op_name: str) -> np.ndarray:
    try:
        array = np.asarray(x)
    except (TypeError, ValueError):  # NumPy takes no lists of different length
        raise ArgumentError(
            f"{op_name}: expected a variable, a function, a number or an array as operand, got "
            f"lists of different length or depth, {shown(x)}; give an array, or a variable to "
            f"which sequences of different length are fed"
        ) from None
    if not array.size and isinstance(x, (list, tuple)):
        raise ArgumentError(
            f"{op_name}: expected an operand with elements, got {x!r}, which is empty"
        )
    return array


def _only_output(function: Function, op_name: str) -> Variable:
    if len(function.outputs) != 1:
        raise ArgumentError(
            f"{op_name}: {function!r} has {len(function.outputs)} outputs; take one of `.outputs` "
            f"as operand"
        )
    return function.output


def as_operands(xs: Sequence[Any], op_name: str = "operation") -> list[Variable]:
    """Convert several operands to variables; numbers take on the dtype of the others, arrays that
    of the graph's.
    """
    nodes = [
        x if isinstance(x, Variable) else _only_output(x, op_name)
        for x in xs
        if isinstance(x, (Variable, Function))
    ]
    of_graph = next((v.type_.dtype for v in nodes if v.type_.dtype is not None), None)
    if of_graph is not None:
        xs = [
            x.astype(of_graph) if isinstance(x, np.ndarray) and is_floating(x.dtype) else x
            for x in xs
        ]
    arrays = (x.dtype for x in xs if isinstance(x, np.ndarray) and is_computed(x.dtype))
    dtype = of_graph or next(arrays, None)
    return [as_operand(x, dtype, op_name) for x in xs]


def in_float32(*xs: Any) -> list[Any]:
    """Round numbers to float32, whatever dtype the other operands have.

    There the original makes constants of numbers before it looks at the other operands.
    """
    return [_rounded(x) if isinstance(x, (Number, np.generic, list, tuple)) else x for x in xs]


def _rounded(x: Any) -> Any:
    try:
        array = np.asarray(x)
    except (TypeError, ValueError):
        return x  # no operand: `as_operand` says so
    return array.astype(np.float32).astype(float).tolist() if is_number(array.dtype) else x


def apply(op: Op, operands: Sequence[Any], name: str = "") -> Composite:
    """Apply an operation to operands, and return the function that it makes.

    Args:
        op: the operation.
        operands: variables, functions, numbers or arrays.
        name: its name in the graph.

    Raises:
        GraphError: if the operands do not fit.
    """
    return Composite(Primitive(op, as_operands(operands, op.op_name), name))
