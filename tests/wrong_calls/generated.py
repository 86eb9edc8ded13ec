"""Wrong calls made from right ones: each parameter in turn gets what cannot be meant, by the
parameter's kind.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from tests.wrong_calls.nodes import something

NOTHING, TEXT, BYTES, OBJECT = (
    ("None", None),
    ("text", "text"),
    ("bytes", b"x"),
    ("object", something()),
)
LIST, EMPTY, MAPPING, FRACTION, NAN = (
    ("list", [1, 2]),
    ("empty", []),
    ("dict", {}),
    ("1.5", 1.5),
    ("nan", float("nan")),
)
NEGATIVE, HUGE, CALLABLE = ("-7", -7), ("99", 99), ("function", len)
TEXTS, RAGGED = ("texts", ["a", "b"]), ("ragged", [[1, 2], [3]])

# What cannot be meant by a parameter, by kind: what it is called, and the value.
VALUES: dict[str, list[tuple[str, Any]]] = {
    "operand": [NOTHING, TEXT, BYTES, OBJECT, MAPPING, CALLABLE, TEXTS, RAGGED, EMPTY, ("1j", 1j)],
    "holder": [NOTHING, TEXT, OBJECT, MAPPING, FRACTION, CALLABLE],
    "name": [NOTHING, BYTES, OBJECT, LIST, FRACTION, HUGE],
    "axis": [TEXT, OBJECT, FRACTION, MAPPING, HUGE, ("-99", -99), CALLABLE, TEXTS],
    "integer": [NOTHING, TEXT, OBJECT, FRACTION, NAN, MAPPING, TEXTS, CALLABLE],
    "count": [NOTHING, TEXT, OBJECT, FRACTION, NAN, NEGATIVE, MAPPING, TEXTS],
    "seed": [NOTHING, TEXT, OBJECT, FRACTION, NEGATIVE, ("2**64", 2**64), LIST],
    "number": [NOTHING, TEXT, OBJECT, MAPPING, TEXTS, CALLABLE, LIST],
    "share": [NOTHING, TEXT, OBJECT, MAPPING, NAN, NEGATIVE, HUGE],
    "flag": [NOTHING, TEXT, OBJECT, FRACTION, HUGE, LIST],
    "flags": [TEXT, OBJECT, FRACTION, HUGE, TEXTS, MAPPING],
    "shape": [
        NOTHING,
        TEXT,
        OBJECT,
        FRACTION,
        ("(2, -5)", (2, -5)),
        ("(2, None)", (2, None)),
        TEXTS,
    ],
    "sizes": [
        NOTHING,
        TEXT,
        OBJECT,
        FRACTION,
        ("0", 0),
        ("(0, 0)", (0, 0)),
        ("(-1, 1)", (-1, 1)),
        TEXTS,
        MAPPING,
    ],
    "dtype": [("float99", "float99"), OBJECT, ("object", object), ("int", int), FRACTION, LIST],
    "axes": [NOTHING, TEXT, OBJECT, HUGE, LIST, TEXTS],
    "one of": [NOTHING, TEXT, OBJECT, FRACTION, HUGE, NEGATIVE, LIST],
    "text": [NOTHING, OBJECT, HUGE, LIST, BYTES],
    "function": [NOTHING, TEXT, OBJECT, HUGE, LIST],
    "device": [TEXT, OBJECT, HUGE],
    "path": [NOTHING, OBJECT, FRACTION, LIST],
    "iterable of nodes": [TEXT, OBJECT, HUGE, TEXTS],
    "data": [NOTHING, TEXT, BYTES, OBJECT, TEXTS, RAGGED, EMPTY, CALLABLE, ("1j", [1j])],
    "nodes": [TEXT, OBJECT, HUGE, TEXTS],
    "some": [TEXT, OBJECT, HUGE, TEXTS, FRACTION, CALLABLE],
    "any": [],
}


class Right(NamedTuple):
    """A right call of a public callable, and what kind each of its parameters is of.

    Attributes:
        name: where it is found, from the package on; a method as ``variable.method``, of one of the
            nodes.
        args: gives the arguments by parameter, given the nodes.
        kinds: kinds of parameters where their names do not tell.
        accepts: wrong values, as ``parameter=value``, that are taken as they are, and why.
        named: what else errors may name, where neither the callable nor the operation that it
            makes.
    """

    name: str
    args: Callable[[Any], Mapping[str, Any]]
    kinds: Mapping[str, str] = {}
    accepts: Mapping[str, str] = {}
    named: tuple[str, ...] = ()


# Kinds by the names that parameters have throughout.
KINDS = {
    "name": "name",
    "seed": "seed",
    "dtype": "dtype",
    "axis": "axis",
    "device": "device",
    "shape": "shape",
    "strides": "sizes",
    "dilation": "sizes",
    "auto_padding": "flags",
    "sharing": "flags",
    **dict.fromkeys(("needs_gradient", "is_sparse", "keepdims", "spatial", "sequential"), "flag"),
    # Anything counts as true or false here, as in the original.
    **dict.fromkeys(
        ("as_numpy", "read_only", "borrow", "use_external_files_to_store_parameters"), "any"
    ),
}
OPERANDS = (
    "x y left right operand operands inputs seq condition node_input node_referent arg input base "
    "exponent flag value_if_true value_if_false a b query key value reference indices weights"
).split()
KINDS |= dict.fromkeys(OPERANDS, "operand")


def found(name: str, nodes: Any) -> Callable[..., Any]:
    """The callable of a name."""
    head, _, rest = name.partition(".")
    if head == "nodes":
        target: Any = nodes
    else:
        target, rest = importlib.import_module("cntk"), name
    for part in rest.split("."):
        target = getattr(target, part)
    return target  # type: ignore[no-any-return]


def parameters(function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """Parameters by name."""
    return dict(inspect.signature(function).parameters)


def kind_of(right: Right, parameter: inspect.Parameter) -> str:
    """The kind of a parameter: as the row tells, by its name, or by its annotation."""
    if parameter.name in right.kinds:
        return right.kinds[parameter.name]
    if parameter.name in KINDS:
        return KINDS[parameter.name]
    return {"int": "integer", "float": "number", "bool": "flag", "str": "text"}.get(
        str(parameter.annotation), "any"
    )


def call(function: Callable[..., Any], args: Mapping[str, Any]) -> Any:
    """Call a function with arguments by name, whatever kinds of parameters it has."""
    known = parameters(function)
    several = next((p.name for p in known.values() if p.kind is p.VAR_POSITIONAL), None)
    only = [p.name for p in known.values() if p.kind is p.POSITIONAL_ONLY]
    before = (
        [n for n, p in known.items() if p.kind is p.POSITIONAL_OR_KEYWORD]
        if several in args
        else only
    )
    positional = [args[n] for n in before if n in args]
    if several in args:
        positional += args[several]
    keywords = {k: a for k, a in args.items() if k not in before and k != several}
    return function(*positional, **keywords)


def wrong_arguments(right: Right, nodes: Any) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield wrong calls that differ from the right one in one argument, each with a name such as
    ``axis=text``.
    """
    function, args = found(right.name, nodes), dict(right.args(nodes))
    for name, parameter in parameters(function).items():
        if parameter.kind is parameter.VAR_KEYWORD:
            continue
        kind = kind_of(right, parameter)
        for label, value in VALUES[kind]:
            if parameter.kind is parameter.VAR_POSITIONAL:
                value = [value, *args.get(name, [None])[1:]]
            if parameter.default is not parameter.empty and value is parameter.default:
                continue
            yield (
                f"{name}={label}",
                lambda name=name, value=value: call(function, args | {name: value}),
            )
    if not any(p.kind is p.VAR_KEYWORD for p in parameters(function).values()):
        yield (
            "no_such_parameter",
            lambda: call(function, args | {"no_such_parameter": np.float32(1)}),
        )


def names_of(result: Any) -> tuple[str, ...]:
    """What errors may call the operation that a right call made: what the original calls it."""
    root = getattr(result, "root_function", None)
    return (root.op_name,) if root is not None else ()
