"""Functions written as Python functions: parameters become arguments, the returned graph becomes the function."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from cntk._graph.block import combine_variables, make_block
from cntk._graph.call import variable_type
from cntk._graph.function import Composite, Function
from cntk._graph.types import TensorType
from cntk._graph.variable import Variable, VariableKind


def _arguments(body: Callable[..., Any]) -> dict[str, Variable]:
    """A placeholder, typed where annotated, for each parameter that has no default."""
    signature = inspect.signature(body)
    hints = getattr(body, "__annotations__", {})
    arguments = {}
    for name, parameter in signature.parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise TypeError(
                f"@Function {_name(body)}: *args and **kwargs have no place in a graph; name every argument"
            )
        if parameter.default is not parameter.empty:
            continue
        hint = hints.get(name)
        type_ = TensorType()
        if hint is not None and (hasattr(hint, "tensor_type") or isinstance(hint, Variable)):
            type_ = variable_type(hint)
        arguments[name] = Variable.make(VariableKind.Placeholder, type_, name)
    return arguments


def _name(body: Callable[..., Any]) -> str:
    return getattr(body, "__name__", type(body).__name__)


def _trace(body: Callable[..., Any], arguments: dict[str, Variable]) -> Composite:
    result = body(*arguments.values())
    if isinstance(result, dict):
        outputs = [_as_output(v, body, name) for name, v in result.items()]
    elif isinstance(result, (tuple, list)):
        outputs = [v for item in result for v in (item if isinstance(item, (tuple, list)) else [item])]
        outputs = [w for v in outputs for w in (v.outputs if isinstance(v, Function) else [_as_output(v, body)])]
    elif isinstance(result, Function):
        composite = result if isinstance(result, Composite) else Composite(result.root_function)
        return Composite(composite.root_function, tuple(arguments.values()))
    else:
        outputs = [_as_output(result, body)]
    return Composite(combine_variables(outputs).root_function, tuple(arguments.values()))


def _as_output(value: Any, body: Callable[..., Any], name: str = "") -> Variable:
    if isinstance(value, Function):
        value = value.output
    if not isinstance(value, Variable):
        raise TypeError(
            f"@Function {_name(body)}: expected it to return a graph node or a tuple of them, "
            f"got {type(value).__name__}"
        )
    if name:
        from cntk.ops import alias

        return alias(value, name=name).output
    return value


def function_from_callable(body: Callable[..., Any], name: str = "", **options: Any) -> Composite:
    """A function of the parameters of a Python function; see `Function`."""
    function = _trace(body, _arguments(body))
    if name and not function.root_function._name:
        function.root_function._name = name
    return function


def block_from_callable(body: Callable[..., Any], op_name: str, name: str) -> Composite:
    """A block of the parameters of a Python function; see `BlockFunction`."""
    arguments = _arguments(body)
    composite = _trace(body, arguments)
    outer = {
        k: Variable.make(VariableKind.Placeholder, TensorType(dtype=v.type_.dtype), k) for k, v in arguments.items()
    }
    pairs = [(arguments[k], outer[k]) for k in arguments]
    block = make_block(composite, pairs, op_name, name)
    return Composite(block.root_function, tuple(outer.values()))


def BlockFunction(op_name: str, name: str) -> Callable[[Callable[..., Any]], Composite]:
    """Decorator: a Python function as a block, a function that appears as one operation.

    Args:
        op_name: what the operation is called.
        name: its name in the graph.

    Example:
        >>> import cntk as C
        >>> @C.BlockFunction('Swish', 'act')
        ... def swish(x):
        ...     return x * C.sigmoid(x)
        >>> print(swish(C.input_variable(3, name='x')))
        act: Swish(x: Tensor[3]) -> Tensor[3]
    """
    return lambda body: block_from_callable(body, op_name, name)
