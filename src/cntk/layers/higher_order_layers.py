"""Layers made of layers: one after another, repeated, each seeing all before it, or with a shortcut
around it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from cntk import ops
from cntk._graph.composition import spread
from cntk._graph.function import Function
from cntk._graph.names.late_names import hand_on
from cntk.errors import ArgumentError
from cntk.layers.blocks import identity
from cntk.layers.options import as_layer_name, name_of, takes

__all__ = ["For", "ResNetBlock", "Sequential", "SequentialClique"]


def _named(function: Any, name: str, layer: str) -> Any:
    """Return a function under a name, if that is not empty."""
    name = as_layer_name(name, layer)
    if not name:
        return function
    outputs = function.outputs
    return ops.alias(function, name=name) if len(outputs) == 1 else ops.combine(outputs, name=name)


def Sequential(layers: Any, name: str = "") -> Function:
    """Layers applied one after another.

    Args:
        layers: functions of one argument; a list among them is applied as one `Sequential`, a tuple
            side by side, each giving an output: to the same argument, or to one each of several
            outputs before.
        name: its name in the graph.

    Returns:
        A function of one argument; the identity if there are no layers.

    Raises:
        TypeError: for something that cannot be called.

    Example:
        >>> import cntk as C
        >>> model = C.layers.Sequential([C.layers.Dense(4, activation=C.relu), C.layers.Dense(2)])
        >>> model(C.input_variable(3)).shape
        (2,)
    """
    if isinstance(layers, Function) and not as_layer_name(name, "Sequential"):
        return layers
    if not isinstance(layers, list):
        layers = [layers]
    chain = [layer for item in layers for layer in _flattened(item)]

    @Function
    def sequential(keep: Any) -> Any:
        values: Any = identity(keep)
        for layer in chain:
            values = _applied(layer, values)
        return values

    return _named(sequential, name, "Sequential")  # type: ignore[no-any-return]


def _flattened(item: Any) -> Iterable[Any]:
    if isinstance(item, list):
        return [layer for inner in item for layer in _flattened(inner)]
    if isinstance(item, tuple):
        for layer in item:
            _check_callable(layer)
    else:
        _check_callable(item)
    return [item]


def _check_callable(layer: Any) -> None:
    if not callable(layer) and not isinstance(layer, (list, tuple)):
        raise TypeError(
            f"Sequential: expected functions of one argument such as Dense(10) or cntk.relu, got "
            f"{layer!r}"
        )


def _applied(layer: Any, value: Any) -> Any:
    if isinstance(layer, tuple):
        return tuple(
            _applied(Sequential(part), v)
            for part, v in zip(layer, spread(value, len(layer)), strict=False)
        )
    values = spread(value, 1)
    if not takes(layer, len(values)):
        raise TypeError(
            f"Sequential: {name_of(layer)} is given {len(values)} arguments by what comes before "
            f"it, and takes another number; a tuple of layers gives several outputs, and a "
            f"function of several arguments, such as cntk.plus, takes them"
        )
    return layer(*values)


def For(what_range: Iterable[Any], constructor: Callable[..., Any], name: str = "") -> Function:
    """Stack layers that a function makes: `Sequential` over a range.

    Args:
        what_range: what to iterate over, such as ``range(3)``.
        constructor: a Python function that makes a layer from an item of the range, or from
            nothing.
        name: its name in the graph.

    Returns:
        A function of one argument.

    Raises:
        ArgumentError: if ``constructor`` is no Python function; a layer in its place would share
            its parameters.

    Example:
        >>> import cntk as C
        >>> model = C.layers.For(range(3), lambda i: C.layers.Dense(2 * (i + 1)))
        >>> model(C.input_variable(3)).shape
        (6,)
    """
    name = as_layer_name(name, "For")
    if isinstance(constructor, Function) or not inspect.isroutine(constructor):
        raise ArgumentError(
            "For: constructor must be a Python function/lambda that makes a layer, such as lambda: "
            "Dense(5)"
        )
    if not isinstance(what_range, Iterable):
        raise TypeError(
            f"For: what_range: expected something to iterate over such as range(3), got "
            f"{what_range!r}"
        )
    with_item = len(inspect.signature(constructor).parameters) > 0
    if not takes(constructor, int(with_item)):
        raise TypeError(
            f"For: constructor {name_of(constructor)}: must take an item of the range, or nothing; "
            f"it takes more arguments"
        )
    layers = [constructor(item) if with_item else constructor() for item in what_range]
    for layer in layers:
        if not callable(layer) and not isinstance(layer, (list, tuple)):
            raise TypeError(
                f"For: constructor {name_of(constructor)}: must return a layer, and returned "
                f"{layer!r}"
            )
    return Sequential(layers, name=name)


def SequentialClique(functions: Sequence[Callable[[Any], Any]], name: str = "") -> Function:
    """Functions one after another, each applied to the sum of the argument and all results before
    it.

    Args:
        functions: functions of one argument that keep its shape.
        name: its name in the graph.

    Returns:
        A function of one argument.

    Example:
        >>> import cntk as C
        >>> x = C.input_variable(1)
        >>> C.layers.SequentialClique([C.square, C.square])(x).eval({x: [[3]]})
        array([[144.]], dtype=float32)
    """

    functions = _functions(functions, "SequentialClique")

    @Function
    def clique(x: Any) -> Any:
        for function in functions:
            out = function(x)
            x = x + out
        return out

    return _named(clique, name, "SequentialClique")  # type: ignore[no-any-return]


def _functions(functions: Any, layer: str) -> list[Callable[[Any], Any]]:
    """Functions of one argument, at least one.

    Raises:
        TypeError: for anything else.
    """
    if not isinstance(functions, Iterable) or isinstance(functions, str):
        raise TypeError(
            f"{layer}: expected a list of functions, got {functions!r}; put a single one in "
            f"brackets"
        )
    members = list(functions)
    wrong = [f for f in members if not callable(f) or not takes(f, 1)]
    if wrong or not members:
        got = name_of(wrong[0]) if wrong else "none"
        raise TypeError(
            f"{layer}: expected functions of one argument such as Dense(10) or cntk.relu, got {got}"
        )
    return members


def ResNetBlock(f: Callable[[Any], Any], name: str = "") -> Function:
    """Put a shortcut around a function: ``f(x) + x`` (He et al., 2015).

    Args:
        f: a function of one argument that keeps its shape.
        name: its name in the graph.

    Returns:
        A function of one argument.

    Example:
        >>> import cntk as C
        >>> x = C.input_variable(2)
        >>> C.layers.ResNetBlock(C.square)(x).eval({x: [[2, 3]]})
        array([[ 6., 12.]], dtype=float32)
    """

    (f,) = _functions([f], "ResNetBlock")

    @Function
    def block(x: Any) -> Any:
        return f(x) + x

    return _named(block, name, "ResNetBlock")  # type: ignore[no-any-return]


hand_on(globals())
