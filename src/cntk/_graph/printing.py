"""Text of functions and types: ``Dense(x: Tensor[784]) -> Tensor[10]``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cntk._graph.types import SEQUENCE_AXIS, TensorType
from cntk._graph.variable import Variable
from cntk._wording import escaped

if TYPE_CHECKING:
    from cntk._graph.function import Function
    from cntk._graph.primitive import Primitive


def type_text(type_: TensorType) -> str:
    """Return a type in the vocabulary of `cntk.layers.typing`.

    Example:
        >>> type_text(TensorType((3, -1), ()))
        'ParameterTensor[3,-1]'
    """
    single = type_.dtype is None or type_.dtype == np.float32
    dims = ",".join([*([] if single else [f"np.{type_.dtype}"]), *map(str, type_.shape)])
    if not type_.has_shape:
        text = "tensor"
    elif type_.shape == ():
        text = f"np.{type_.dtype}" if type_.dtype is not None else "float"
    elif type_.is_sparse:
        text = f"SparseTensor[{dims}]"
    elif not type_.dynamic_axes:
        text = f"ParameterTensor[{dims}]"
    else:
        text = f"Tensor[{dims}]"
    if not type_.has_axes:
        return f"Sequence[{text}]"
    for axis in type_.dynamic_axes[1:]:
        text = (
            f"Sequence[{text}]"
            if axis == SEQUENCE_AXIS
            else f"SequenceOver[{escaped(axis.name)}][{text}]"
        )
    return text


def function_text(function: Function) -> str:
    """Return a function's name, kind, arguments and result, as `str` shows it."""
    root = function.root_function
    if function.is_composite and any(v.is_output for v in root.operands):
        kind = "Composite"
    else:
        kind = root.op_name if function.is_composite else function.op_name
    name = f"{escaped(function.name)}: " if function.name else ""
    arguments = function.arguments if function.is_composite else _operands_shown(root)
    parameters = ", ".join(
        f"{escaped(v.name)}: {type_text(v.type_)}" if v.name else type_text(v.type_)
        for v in arguments
    )
    return f"{name}{escaped(kind)}({parameters}) -> {outputs_text(function)}"


def outputs_text(function: Function) -> str:
    """Return the type of a function's output, or of all its outputs together."""
    results = [type_text(v.type_) for v in function.outputs]
    return results[0] if len(results) == 1 else f"Tuple[{', '.join(results)}]"


def _operands_shown(primitive: Primitive) -> tuple[Variable, ...]:
    return tuple(
        dict.fromkeys(v for v in primitive.inputs if not (v.is_parameter or v.is_constant))
    )


def function_repr(function: Function) -> str:
    """Return a function with its arguments and outputs as variables, as `repr` shows it."""
    root = function.root_function
    kind = f"Composite({escaped(root.op_name)})" if function.is_composite else escaped(root.op_name)
    arguments = function.arguments if function.is_composite else _operands_shown(root)
    return f"{kind}: {', '.join(map(repr, arguments))} -> {', '.join(map(repr, function.outputs))}"
