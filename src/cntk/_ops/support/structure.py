"""Nodes that compute nothing by themselves: inputs, placeholders, parameters, constants,
combinations, blocks, aliases.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from cntk._arguments import as_bool, as_string, shown
from cntk._graph.bfloat16 import is_computed
from cntk._graph.block import combine_variables, make_block
from cntk._graph.composite import Composite
from cntk._graph.function import Function
from cntk._graph.op import Kernel, Op, PrimitiveOp, primitive
from cntk._graph.types import UNKNOWN_AXES, UNKNOWN_SHAPE, TensorType
from cntk._graph.variable import Variable, VariableKind, as_dtype, as_name, as_shape
from cntk._ops.support.axes import as_dynamic_axes
from cntk._ops.support.operands import apply, as_operand
from cntk.axis import Axis
from cntk.core import NDArrayView, Value
from cntk.default_options import default_override_or, get_default_override
from cntk.device import DeviceDescriptor
from cntk.errors import ArgumentError, GraphError
from cntk.typing import DTypeLike, InitializerLike, Operand, ShapeLike
from cntk.variables import Constant, Parameter

__all__ = [
    "alias",
    "as_block",
    "as_composite",
    "combine",
    "constant",
    "input",
    "input_variable",
    "output_variable",
    "parameter",
    "placeholder",
]


def input_variable(
    shape: ShapeLike,
    dtype: DTypeLike = default_override_or(np.float32),
    needs_gradient: bool = False,
    is_sparse: bool = False,
    dynamic_axes: Sequence[Axis] = (Axis.default_batch_axis(),),
    name: str = "",
) -> Variable:
    """Create a variable whose data are passed to each evaluation.

    Args:
        shape: one sample's shape: a number or a tuple, which may hold `FreeDimension`.
        dtype: float32, float64, float16 or bfloat16.
        needs_gradient: whether gradients with respect to it will be asked for.
        is_sparse: whether its data are sparse.
        dynamic_axes: the batch axis; and a sequence axis, for which `sequence.input_variable` is
            the shorter way.
        name: its name in the graph.

    Example:
        >>> input_variable((2, 3), name="x")
        Input('x', [#], [2 x 3])
    """
    if isinstance(dynamic_axes, Iterable) and not isinstance(dynamic_axes, str):
        dynamic_axes = [Axis(a) if isinstance(a, str) else a for a in dynamic_axes]
    axes = as_dynamic_axes(dynamic_axes, "input_variable: dynamic_axes")
    if (
        axes
        and not axes[0].is_batch_axis
        and axes != UNKNOWN_AXES
        and all(a.is_sequence_axis for a in axes)
    ):
        axes = (Axis.default_batch_axis(), *axes)
    dims = as_shape(shape, "input_variable: shape")
    if 0 in dims:
        raise ArgumentError(
            f"input_variable: shape {dims}: a dimension must be positive; leave out what has no "
            f"elements"
        )
    element_type = as_dtype(
        get_default_override(input_variable, dtype=dtype), "input_variable: dtype"
    )
    type_ = TensorType(dims, axes, element_type, as_bool(is_sparse, "input_variable: is_sparse"))
    return Variable.make(
        VariableKind.Input,
        type_,
        name,
        as_bool(needs_gradient, "input_variable: needs_gradient"),
        of="input_variable",
    )


def input(
    shape: ShapeLike,
    dtype: DTypeLike = default_override_or(np.float32),
    needs_gradient: bool = False,
    is_sparse: bool = False,
    dynamic_axes: Sequence[Axis] = (Axis.default_batch_axis(),),
    name: str = "",
) -> Variable:
    """Create an input; the former name of `input_variable`."""
    return input_variable(shape, dtype, needs_gradient, is_sparse, dynamic_axes, name)


def output_variable(
    shape: ShapeLike,
    dtype: DTypeLike,
    dynamic_axes: Sequence[Axis],
    needs_gradient: bool = True,
    name: str = "",
) -> Variable:
    """Create a variable that stands for an output of a user-defined function.

    Args:
        shape: one sample's shape.
        dtype: element type, such as `numpy.float32`.
        dynamic_axes: batch axis and sequence axis.
        needs_gradient: whether gradients flow through it.
        name: its name in the graph.
    """
    axes = as_dynamic_axes(dynamic_axes, "output_variable: dynamic_axes")
    type_ = TensorType(
        as_shape(shape, "output_variable: shape"), axes, as_dtype(dtype, "output_variable: dtype")
    )
    flows = as_bool(needs_gradient, "output_variable: needs_gradient")
    return Variable.make(VariableKind.Output, type_, name, flows, of="output_variable")


def placeholder(
    shape: ShapeLike | None = None, dynamic_axes: Any = None, name: str = ""
) -> Variable:
    """Create a placeholder, to be replaced by another variable.

    Args:
        shape: one sample's shape, where it is known.
        dynamic_axes: batch axis and sequence axis, where they are known.
        name: its name in the graph.

    Example:
        >>> p = placeholder()
        >>> double = p + p
        >>> double.replace_placeholder(constant([1, 2])).eval()
        array([2., 4.], dtype=float32)
    """
    if isinstance(shape, str) and not name:
        shape, name = None, shape
    axes = (
        UNKNOWN_AXES
        if dynamic_axes is None
        else as_dynamic_axes(dynamic_axes, "placeholder: dynamic_axes")
    )
    type_ = TensorType(
        UNKNOWN_SHAPE if shape is None else as_shape(shape, "placeholder: shape"), axes
    )
    return Variable.make(VariableKind.Placeholder, type_, name)


def parameter(
    shape: ShapeLike | None = None,
    init: InitializerLike | None = None,
    dtype: DTypeLike = None,
    device: DeviceDescriptor | None = None,
    name: str = "",
) -> Parameter:
    """Create a parameter, which learners change; see `cntk.variables.Parameter`.

    Example:
        >>> parameter((2, 3), init=1).shape
        (2, 3)
    """
    return Parameter(shape, init, _own_format(init) if dtype is None else dtype, device, name)


def constant(
    value: Any = None,
    shape: ShapeLike | None = None,
    dtype: DTypeLike = None,
    device: DeviceDescriptor | None = None,
    name: str = "",
) -> Constant:
    """Create a constant, which learners leave alone; see `cntk.variables.Constant`.

    Example:
        >>> constant(2, shape=(2,)).value
        array([2., 2.], dtype=float32)
    """
    return Constant(value, shape, _own_format(value) if dtype is None else dtype, device, name)


def _own_format(value: Any) -> Any:
    """Return an array's own dtype. It counts here, while `Parameter` and `Constant` ask the default
    options instead.
    """
    if isinstance(value, (torch.Tensor, NDArrayView, Value)):
        return None
    floating = isinstance(value, np.ndarray) and is_computed(value.dtype)
    return value.dtype if floating else np.float32


def combine(*operands: Any, name: str = "") -> Composite:
    """Combine several outputs into one function.

    Args:
        *operands: variables and functions, or one list of them; none gives a function without
            outputs.
        name: its name in the graph.

    Example:
        >>> x = input_variable(2)
        >>> len(combine(x + 1, x * 2).outputs)
        2
    """
    if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        operands = tuple(operands[0])
    variables: list[Variable] = []
    for operand in operands:
        variables.extend(
            operand.outputs
            if isinstance(operand, Function)
            else [as_operand(operand, op_name="combine")]
        )
    return combine_variables(variables, name)


@primitive(PrimitiveOp.NoOp)
@dataclass(frozen=True)
class NoOp(Op):
    """Identity: the operand itself, under another name."""

    operand_counts = (1,)
    keeps_axes = True
    pointwise = True
    sparse_operands = (0,)

    def infer(self, *operands: TensorType) -> TensorType:
        return operands[0]

    def lower(self, *operands: TensorType) -> Kernel:
        return lambda x: x


def alias(x: Operand, name: str = "") -> Composite:
    """Return the operand under a name of its own.

    Args:
        x: a variable or function.
        name: the name.

    Example:
        >>> alias(constant([1, 2]), name="pair").name
        'pair'
    """
    return apply(NoOp(), (x,), name)


def as_composite(root_function: Function, name: str = "") -> Composite:
    """Wrap a primitive function as a graph.

    Args:
        root_function: the primitive; a graph is given back as it is.
        name: the graph's own name; the primitive keeps its own.
    """
    if not isinstance(root_function, Function):
        raise ArgumentError(
            f"as_composite: expected a function, got {shown(root_function)}; use combine for "
            f"variables"
        )
    name = as_name(name, "as_composite")
    return (
        root_function
        if isinstance(root_function, Composite)
        else Composite(root_function.root_function, (), name)
    )


def as_block(
    composite: Function,
    block_arguments_map: Sequence[tuple[Any, Any]],
    block_op_name: str,
    block_instance_name: str = "",
) -> Composite:
    """Turn a graph into a block, which appears as one operation.

    Args:
        composite: the graph.
        block_arguments_map: pairs of an argument of the graph and what it stands for outside.
        block_op_name: what the operation is called.
        block_instance_name: its name in the graph.

    Raises:
        GraphError: if the pairs do not cover the graph's arguments.
    """
    if not isinstance(composite, Function):
        raise ArgumentError(f"as_block: composite: expected a function, got {shown(composite)}")
    op_name = as_string(block_op_name, "as_block: block_op_name")
    is_map = isinstance(block_arguments_map, Iterable) and not isinstance(
        block_arguments_map, (str, Mapping)
    )
    arguments: list[Any] = list(block_arguments_map) if is_map else [None]
    if not all(isinstance(pair, (tuple, list)) and len(pair) == 2 for pair in arguments):
        raise ArgumentError(
            f"as_block '{op_name}': block_arguments_map: expected pairs of an argument and what it "
            f"stands for, got {shown(block_arguments_map)}"
        )
    pairs = [(inner, as_operand(outer, op_name="as_block")) for inner, outer in arguments]
    for inner, _ in pairs:
        if not (isinstance(inner, Variable) and inner.is_placeholder):
            raise GraphError(
                f"as_block '{block_op_name}': {inner!r} is no placeholder; all arguments of the "
                f"graph of a block must be placeholders"
            )
    # The block has stand-ins of its own, so that the placeholders can be used again.
    open_arguments = set(composite.arguments)
    stand_ins = {p: Variable.make(VariableKind.Placeholder, p.type_, p.name) for p, _ in pairs}
    used = {p: stand_in for p, stand_in in stand_ins.items() if p in open_arguments}
    if used:
        composite.replace_placeholders(used)
    return make_block(
        composite, [(stand_ins[p], outer) for p, outer in pairs], block_op_name, block_instance_name
    )
