"""Calls of functions: which argument gets what, application to variables or to data, types for
arguments.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cntk._graph.clone import as_variable, clone
from cntk._graph.printing import type_text
from cntk._graph.types import (
    BATCH_AXIS,
    SEQUENCE_AXIS,
    UNKNOWN_AXES,
    InferredDimension,
    TensorType,
)
from cntk._graph.variable import Variable, VariableKind, as_dtype, as_shape
from cntk._wording import escaped, quoted
from cntk.errors import ArgumentError, GraphError

if TYPE_CHECKING:
    from cntk._graph.function import Function


def argument_map(
    signature: Sequence[Variable], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> dict[Variable, Any]:
    """Return the value of each argument.

    Inputs that a layer uses inside, such as a recurrence's initial state, are arguments as well,
    and may be left out all together: then they stay as they are.

    Raises:
        TypeError: if the number or the names of the arguments do not fit.
    """
    own = [v for v in signature if v.is_placeholder]
    if len(args) + len(kwargs) == len(own) > 0 and all(
        any(v.name == name for v in own) for name in kwargs
    ):
        signature = own
    if len(args) > len(signature):
        raise TypeError(_wrong_number(signature, len(args)))
    result: dict[Variable, Any] = dict(zip(signature, args, strict=False))
    by_name: dict[str, list[Variable]] = {}
    for variable in signature:
        by_name.setdefault(variable.name or variable.uid, []).append(variable)
    for name, value in kwargs.items():
        candidates = by_name.get(name, [])
        if len(candidates) != 1:
            problem = "has no argument" if not candidates else "has several arguments"
            raise TypeError(
                f"CNTK Function {problem} named {quoted(name)}; its arguments are: "
                f"{', '.join(map(escaped, by_name)) or 'none'}"
            )
        if candidates[0] in result:
            raise TypeError(f"CNTK Function got two values for argument {quoted(name)}")
        result[candidates[0]] = value
    if len(result) < len(signature):
        raise TypeError(_wrong_number(signature, len(result)))
    return result


def _wrong_number(signature: Sequence[Variable], got: int) -> str:
    names = ", ".join(escaped(v.name or v.uid) for v in signature)
    inside = any(v.is_input for v in signature) and any(v.is_placeholder for v in signature)
    hint = "; an input variable that is used inside is an argument as well" if inside else ""
    return (
        f"CNTK Function expected {len(signature)} arguments, got {got}; its arguments are: "
        f"{names or 'none'}{hint}"
    )


def apply(function: Function, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Apply a function to variables and functions, or to data; see `Function.__call__`."""
    from cntk._graph.function import Function

    if (
        len(args) == 1
        and isinstance(args[0], Function)
        and len(args[0].outputs) == len(function.signature) > 1
    ):
        args = args[0].outputs
    values = argument_map(function.signature, args, kwargs)
    nodes = [v for v in values.values() if isinstance(v, (Variable, Function))]
    if not nodes:
        for argument, value in values.items():
            _check_data(function, argument, value)
        results, outputs = function.eval(values), function.outputs
        if len(outputs) == 1:
            return results
        # `eval` gives each output once, and one alone without a dictionary.
        return (
            (results,) * len(outputs)
            if len(set(outputs)) == 1
            else tuple(results[v] for v in outputs)
        )
    symbolic = {k: v for k, v in values.items() if isinstance(v, (Variable, Function))}
    if len(symbolic) != len(values):
        wrong = next(k for k in values if k not in symbolic)
        raise TypeError(
            f"call of {function}: argument '{wrong.name or wrong.uid}' is data and others are "
            f"variables; give all arguments as data, or wrap the data in cntk.constant"
        )
    for argument, node in symbolic.items():
        _check_type(function, argument, node)
    unchanged = {v: v for v in function.signature if v not in symbolic}
    return clone(function, "share", symbolic | unchanged)


def _check_data(function: Function, argument: Variable, value: Any) -> None:
    """Data need an argument of known type.

    Raises:
        ArgumentError: for None.
        GraphError: for an argument whose type is not known.
    """
    name = argument.name or argument.uid
    if value is None:
        raise ArgumentError(
            f"call of {function}: argument {quoted(name)} is None; was a node not found by its "
            f"name?"
        )
    if argument.is_placeholder:
        raise GraphError(
            f"call of {function} with data: the type of argument {quoted(name)} is not known; tell "
            f"it with update_signature, as in f.update_signature(784), or apply the function to an "
            f"input_variable first"
        )


def _check_type(function: Function, argument: Variable, node: Variable | Function) -> None:
    """Refuse a variable of another type for an input whose type is known.

    The variable may have further axes in front, as the original allows: most operations work along
    the last ones. A placeholder takes anything: its shape is but a guess at what will come.

    Raises:
        TypeError: if shape, dynamic axes, dtype or storage differ. What is not known yet
            differs from nothing.
    """
    declared, passed = argument.type_, as_variable(node, "call").type_
    if argument.is_placeholder or not declared.has_shape or not passed.has_shape:
        return
    shape = (
        passed.shape[passed.rank - declared.rank :]
        if passed.rank > declared.rank > 0
        else passed.shape
    )
    fits = (
        len(shape) == declared.rank
        and all(
            w < 0 or s in (w, InferredDimension) for w, s in zip(declared.shape, shape, strict=True)
        )
        and (
            not declared.has_axes
            or passed.dynamic_axes in (declared.dynamic_axes, (), UNKNOWN_AXES)
        )
        and (declared.dtype is None or passed.dtype is None or declared.dtype == passed.dtype)
        and (declared.is_sparse == passed.is_sparse or not passed.dynamic_axes)
    )
    if not fits:
        raise TypeError(
            f"call of {function}: argument '{argument.name or argument.uid}' is declared as "
            f"{type_text(declared)}, and {node!r} is {type_text(passed)}; pass a variable of that "
            f"type, or leave the type of the argument open"
        )


def update_signature(
    function: Function, arg_types: Sequence[Any], kwarg_types: Mapping[str, Any]
) -> None:
    """Replace placeholders by input variables of the given types; see
    `Function.update_signature`.
    """
    placeholders = [v for v in function.signature if v.is_placeholder]
    of_all = len(arg_types) + len(kwarg_types) == len(function.signature) or not placeholders
    types = argument_map(function.signature if of_all else placeholders, arg_types, kwarg_types)
    inputs: dict[Variable, Variable] = {}
    for argument, annotation in types.items():
        if annotation is None:
            continue
        type_ = _type_for(argument, annotation)
        if argument.is_placeholder:
            inputs[argument] = Variable.make(VariableKind.Input, type_, argument.name)
        elif type_ != argument.type_:
            raise TypeError(
                f"update_signature: argument '{argument.name or argument.uid}' is "
                f"{type_text(argument.type_)} already and cannot become {type_text(type_)}; clone "
                f"the function with a placeholder in its place"
            )
    if inputs:
        function.replace_placeholders(inputs)


def _type_for(argument: Variable, annotation: Any) -> TensorType:
    try:
        return variable_type(annotation)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"update_signature: argument '{argument.name or argument.uid}': expected a shape such "
            f"as (3, 4), a type such as Tensor[3, 4] or a variable; {error}"
        ) from None


def is_variable_type(annotation: Any) -> bool:
    """Return whether an annotation tells a tensor type."""
    return (
        isinstance(annotation, Variable)
        or hasattr(annotation, "tensor_type")
        or _is_number_type(annotation)
    )


def _is_number_type(annotation: Any) -> bool:
    return isinstance(annotation, type) and (
        annotation is float or issubclass(annotation, np.floating)
    )


def variable_type(annotation: Any) -> TensorType:
    """Return a tensor type from a shape, a variable, a floating-point type, or a type of
    `cntk.layers.typing`.
    """
    if isinstance(annotation, Variable):
        return annotation.type_
    if _is_number_type(annotation):
        return TensorType(
            (), (BATCH_AXIS,), np.dtype(np.float32) if annotation is float else as_dtype(annotation)
        )
    described = getattr(annotation, "tensor_type", None)
    if callable(described):
        described = described()
    if isinstance(described, TensorType):
        axes = described.dynamic_axes
        return (
            described if axes != UNKNOWN_AXES else described.with_axes((BATCH_AXIS, SEQUENCE_AXIS))
        )
    return TensorType(as_shape(annotation), (BATCH_AXIS,), np.dtype(np.float32))
