"""Functions written as Python functions: parameters become arguments, the returned graph becomes
the function.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from cntk._arguments import as_string
from cntk._graph.block import combine_variables, make_block
from cntk._graph.call import is_variable_type, variable_type
from cntk._graph.composite import Composite, whole_graph
from cntk._graph.function import Function
from cntk._graph.tracing import tracing
from cntk._graph.types import TensorType
from cntk._graph.variable import Variable, VariableKind, as_name
from cntk.errors import ArgumentError


def _arguments(body: Callable[..., Any]) -> dict[str, TensorType]:
    """For each parameter that has no default what its annotation says of its type."""
    signature = inspect.signature(body)
    hints = _annotations(body)
    arguments = {}
    for name, parameter in signature.parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise TypeError(
                f"@Function {_name(body)}: *args and **kwargs have no place in a graph; name every "
                f"argument"
            )
        if parameter.default is not parameter.empty:
            continue
        hint = hints.get(name)
        arguments[name] = variable_type(hint) if is_variable_type(hint) else TensorType()
    return arguments


def _annotations(body: Callable[..., Any]) -> dict[str, Any]:
    if not inspect.isfunction(body) and not inspect.ismethod(body):
        return {}
    try:
        return inspect.get_annotations(body, eval_str=True)
    except Exception:
        # Annotations may be anything, even text that is no Python: that is none of ours.
        return dict(body.__annotations__)


def _placeholders(arguments: Mapping[str, TensorType]) -> dict[str, Variable]:
    return {
        name: Variable.make(VariableKind.Placeholder, type_, name)
        for name, type_ in arguments.items()
    }


def _variables(arguments: Mapping[str, TensorType]) -> dict[str, Variable]:
    """Return an input where an annotation tells shape and axes, so that the function can run as
    it is, else a placeholder.
    """
    kinds = {True: VariableKind.Input, False: VariableKind.Placeholder}
    return {
        name: Variable.make(kinds[type_.is_known], type_, name) for name, type_ in arguments.items()
    }


def _name(body: Callable[..., Any]) -> str:
    return getattr(body, "__name__", type(body).__name__)


def _trace(
    body: Callable[..., Any],
    arguments: Mapping[str, Variable],
    passed: Iterable[Variable] | None = None,
) -> Composite:
    """Return the graph of a Python function.

    Args:
        body: the Python function.
        arguments: a variable for each of its parameters.
        passed: what it is called with, if not with these themselves.
    """
    with tracing(arguments.values()):
        result = body(*(arguments.values() if passed is None else passed))
    if isinstance(result, dict):
        outputs = [_as_output(v, body, name) for name, v in result.items()]
    elif isinstance(result, (tuple, list)):
        outputs = [
            v for item in result for v in (item if isinstance(item, (tuple, list)) else [item])
        ]
        outputs = [
            w
            for v in outputs
            for w in (v.outputs if isinstance(v, Function) else [_as_output(v, body)])
        ]
    elif isinstance(result, Function):
        composite = whole_graph(result)
        return Composite(composite.root_function, tuple(arguments.values()))
    else:
        outputs = [_as_output(result, body)]
    return Composite(combine_variables(outputs).root_function, tuple(arguments.values()))


def _as_output(value: Any, body: Callable[..., Any], name: str = "") -> Variable:
    if isinstance(value, Function):
        value = value.output
    if not isinstance(value, Variable):
        raise TypeError(
            f"@Function {_name(body)}: expected it to return a graph node or a tuple of them, got "
            f"{type(value).__name__}"
        )
    if name:
        from cntk.ops import alias

        return alias(value, name=name).output
    return value


def function_from_callable(
    body: Callable[..., Any],
    make_block: bool = False,
    op_name: str | None = None,
    name: str | None = None,
) -> Composite:
    """Return a function of the parameters of a Python function, or a block with a kind and a
    name; see `Function`.

    Raises:
        ArgumentError: for anything that cannot be called.
    """
    if not callable(body):
        raise ArgumentError(f"Function: expected a Python function, got {body!r}")
    if make_block:
        return block_from_callable(body, op_name or "", name or "")
    return _function(body, _variables(_arguments(body)))


def function_of_types(
    body: Callable[..., Any], types: Sequence[Any], named_types: Mapping[str, Any]
) -> Composite:
    """Return a function of the parameters of a Python function, of these types; see
    `Function.with_signature`.
    """
    arguments = _arguments(body)
    types_by_name = {**dict(zip(arguments, types, strict=False)), **named_types}
    if len(types) + len(named_types) != len(arguments) or set(types_by_name) != set(arguments):
        expected = ", ".join(arguments) or "none"
        raise TypeError(
            f"with_signature {_name(body)}: types for {len(types)} parameters and for "
            f"{list(named_types)} were given; the parameters are: {expected}"
        )
    arguments.update(
        {name: variable_type(t) for name, t in types_by_name.items() if is_variable_type(t)}
    )
    return _function(body, _variables(arguments))


def in_order(arguments: Sequence[Variable]) -> tuple[Variable, ...]:
    """Stand-ins for arguments: a graph that reads these has the arguments in this order, and all of
    them.
    """
    inner = [Variable.make(VariableKind.Placeholder, v.type_, v.name) for v in arguments]
    return make_block(
        combine_variables(inner), list(zip(inner, arguments, strict=True)), "Tuple"
    ).outputs


def _function(body: Callable[..., Any], arguments: dict[str, Variable]) -> Composite:
    function = _trace(body, arguments)
    present = set(function.inputs)
    in_graph = [v for v in function.inputs if v in arguments.values()]
    if in_graph != [v for v in arguments.values() if v in present]:
        # Arguments are found in the order of the graph. As the original, and so that whatever is
        # made of the function keeps the order of the parameters, the graph is made once more,
        # behind a bundle of all arguments.
        function = _trace(body, arguments, in_order(list(arguments.values())))
    unused = [argument for argument, variable in arguments.items() if variable not in present]
    if unused:
        raise TypeError(
            f"@Function {_name(body)}: {len(unused)} unused arguments ({', '.join(unused)}); every "
            f"parameter without a default must take part in what is returned"
        )
    return function


def block_from_callable(body: Callable[..., Any], op_name: str, name: str) -> Composite:
    """Return a block of the parameters of a Python function; see `BlockFunction`."""
    types = _arguments(body)
    arguments = _placeholders(types)
    outer = _placeholders({name: TensorType(dtype=type_.dtype) for name, type_ in types.items()})
    composite = _trace(body, arguments)
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
        >>> @C.BlockFunction("Swish", "act")
        ... def swish(x):
        ...     return x * C.sigmoid(x)
        >>> print(swish(C.input_variable(3, name="x")))
        act: Swish(x: Tensor[3]) -> Tensor[3]
    """
    op_name, name = (
        as_string(op_name, "BlockFunction: op_name"),
        as_name(name, f"BlockFunction {op_name}"),
    )
    return lambda body: block_from_callable(body, op_name, name)
