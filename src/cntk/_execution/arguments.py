"""Requests and data of a program: outputs, variables to differentiate by, data for arguments.

Any iterable will do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch

from cntk._arguments import shown
from cntk._graph import walk
from cntk._graph.composite import whole_graph
from cntk._graph.function import Function
from cntk._graph.variable import Variable
from cntk._runtime.bind_input import BoundInput, bind_input
from cntk.errors import ArgumentError, FeedError


def asked_for(nodes: Any, what: str, function: Function | None = None) -> dict[Any, Variable]:
    """Return the variables that a program named, by what it named them by: results get the same
    keys.

    Args:
        nodes: a variable, a function with one output, or an iterable of these.
        what: the argument, for errors.
        function: the function that is to run, for errors.

    Raises:
        ArgumentError: for anything else.
    """
    variables: dict[Any, Variable] = {}
    for node in (
        [nodes]
        if isinstance(nodes, (Variable, Function, str)) or not isinstance(nodes, Iterable)
        else nodes
    ):
        if isinstance(node, Variable):
            variables[node] = node
        elif isinstance(node, Function) and len(node.outputs) == 1:
            variables[node] = node.output
        else:
            called = what if function is None else f"{function}: {what}"
            raise ArgumentError(
                f"{called}: expected variables or functions with one output, got {shown(node)}"
            )
    return variables


def as_outputs(function: Function, outputs: Any) -> dict[Any, Variable]:
    """Return the outputs that a program asked for, by what it named them by; all outputs for
    None.

    Raises:
        ValueError: if one is not part of the graph, or there is none.
        ArgumentError: for anything that names no variable.
    """
    if outputs is None:
        return {v: v for v in function.outputs}
    asked = asked_for(outputs, "outputs", function)
    if not asked:
        raise ValueError(
            f"{function}: the list of outputs is empty; name at least one, or leave it out for all"
        )
    known = None
    for variable in asked.values():
        if variable not in function.outputs:
            if known is None:
                known = _all_variables(function)
            if variable not in known:
                raise ValueError(
                    f"{variable!r} is not part of {function}; name an output of one of its "
                    f"operations"
                )
    return asked


def _all_variables(function: Function) -> set[Variable]:
    variables = set(whole_graph(function).inputs)
    for primitive in walk.primitives(function.root_function):
        variables.update(primitive.results)
        variables.update(primitive.operands)
    return variables


def bind_arguments(
    function: Function, data: Any, inputs: Sequence[Variable], device: torch.device
) -> dict[Variable, BoundInput]:
    """Return each input's data, ready to run.

    Args:
        function: whose arguments they are, for errors.
        data: see `as_arguments`.
        inputs: the inputs that need data.
        device: where to put them.

    Raises:
        FeedError: if data are missing or do not fit.
    """
    if type(data) is dict and len(data) == len(inputs):  # the common case, by the shortest way
        bound = {}
        for variable in inputs:
            if variable not in data:
                break
            bound[variable] = bind_input(variable, data[variable], device)
        else:
            return bound
    values = as_arguments(function, data, inputs)
    return {v: bind_input(v, values[v], device) for v in inputs}


def as_arguments(function: Function, data: Any, known: Sequence[Variable]) -> dict[Variable, Any]:
    """Data by variable.

    Args:
        function: whose arguments they are, for errors.
        data: a dictionary by variable or name, or the data of the only argument.
        known: the inputs that need data.

    Raises:
        FeedError: if the names or the number do not fit.
    """
    if data is None or (isinstance(data, (dict, list, tuple)) and len(data) == 0 and not known):
        data = {}
    if isinstance(data, tuple) and len(data) == 2 and isinstance(data[0], Mapping):
        return _with_starts(as_arguments(function, data[0], known), data[1])
    if not isinstance(data, Mapping):
        if not known and function.placeholders:
            listed = ", ".join(map(repr, function.placeholders))
            raise FeedError(
                f"{function}: no variable has taken the place of {listed}; call the function with "
                f"one, or use replace_placeholders"
            )
        if len(known) != 1:
            raise FeedError(
                f"{function} needs data for {len(known)} arguments "
                f"({', '.join(map(repr, known))}); give a dictionary of them"
            )
        return {known[0]: data}
    result: dict[Variable, Any] = {}
    for key, value in data.items():
        if isinstance(key, str):
            matches = [v for v in known if v.name == key or v.uid == key]
            if not matches:
                names = ", ".join(v.name or v.uid for v in known)
                raise FeedError(
                    f'variable with name "{key}" does not exist in the network. Available variable '
                    f"names: {names}"
                )
            key = matches[0]
        elif isinstance(key, Function):
            key = key.output
        elif not isinstance(key, Variable):
            raise FeedError(
                f"arguments of {function}: expected variables or names as keys, got "
                f"{type(key).__name__} {shown(key)}"
            )
        result[key] = value
    missing = [v for v in known if v not in result]
    if missing:
        raise FeedError(
            f"function expects {len(known)} arguments, and no data were given for "
            f"{', '.join(map(repr, missing))} of {function}"
        )
    return result


def _with_starts(arguments: dict[Variable, Any], starts: Any) -> dict[Variable, Any]:
    """Data with flags for all of them that say which sequences begin here.

    Raises:
        FeedError: if a variable is no sequence, or has flags of its own.
    """
    if starts is None:
        return arguments
    for variable, value in arguments.items():
        if not variable.type_.is_sequence:
            raise FeedError(
                f"{variable!r}: sequence starts were given for all data, and this variable has no "
                f"sequence axis"
            )
        if isinstance(value, tuple):
            raise FeedError(
                f"{variable!r}: sequence starts were given for all data; they cannot be given for "
                f"this one as well"
            )
    return {variable: (value, starts) for variable, value in arguments.items()}


def differentiated(function: Function, variables: Any, what: str) -> dict[Any, Variable]:
    """Return the variables that gradients are asked for, by what the program named them by.

    They must be leaves of the graph that need a gradient.

    Raises:
        ValueError: if one is not, or there is none.
        ArgumentError: for anything that names no variable.
    """
    asked = asked_for(variables, what, function)
    if not asked:
        raise ValueError(
            f"gradient of {function}: {what} is empty; name the arguments or parameters to "
            f"differentiate by"
        )
    known = whole_graph(function).inputs
    for variable in asked.values():
        if variable not in known:
            raise ValueError(
                f"gradient: {variable!r} is neither an argument nor a parameter of {function}"
            )
        if not variable.needs_gradient:
            raise ValueError(
                f"gradient: {variable!r} does not need a gradient; make it with needs_gradient=True"
            )
    return asked
