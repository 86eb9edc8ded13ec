"""Operators that variables and functions share: arithmetic, comparison, subscripts, matrix
product.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, cast

from cntk.errors import ArgumentError

if TYPE_CHECKING:
    from cntk._graph.function import Function


class _Operations(Protocol):
    def __getattr__(self, name: str) -> Callable[..., Function]: ...


def _ops() -> _Operations:
    # Operators are methods, and operations live on a floor above: the import has to wait for the
    # call.
    from cntk import ops

    return cast(_Operations, ops)


# Operators that NumPy has functions for, by these: methods of a node on the left, and of one on the
# right.
_OF_NUMPY = {
    "add": ("__add__", "__radd__"),
    "subtract": ("__sub__", "__rsub__"),
    "multiply": ("__mul__", "__rmul__"),
    "divide": ("__truediv__", "__rtruediv__"),
    "true_divide": ("__truediv__", "__rtruediv__"),
    "matmul": ("__matmul__", "__rmatmul__"),
    "power": ("__pow__", "__rpow__"),
    "floor_divide": ("__floordiv__", "__rfloordiv__"),
    "remainder": ("__mod__", "__rmod__"),
    "less": ("__lt__", "__gt__"),
    "less_equal": ("__le__", "__ge__"),
    "greater": ("__gt__", "__lt__"),
    "greater_equal": ("__ge__", "__le__"),
    "equal": ("__eq__", "__eq__"),
    "not_equal": ("__ne__", "__ne__"),
    "bitwise_and": ("__and__", "__and__"),
    "bitwise_or": ("__or__", "__or__"),
    "bitwise_xor": ("__xor__", "__xor__"),
    "absolute": ("__abs__", ""),
    "negative": ("__neg__", ""),
    "positive": ("__pos__", ""),
    "invert": ("__invert__", ""),
}
# Functions of NumPy that read no numbers: a node counts as one object for them, as in the original.
_OF_SHAPES = frozenset(
    "shape ndim size iscomplexobj isrealobj zeros_like ones_like empty_like full_like".split()
)
# Functions of NumPy and Python for which the graph has others.
_INSTEAD = {
    **{name: f"reduce_{name}" for name in ("sum", "mean", "max", "min", "prod")},
    **{
        name: name
        for name in (
            "exp",
            "log",
            "sqrt",
            "sin",
            "cos",
            "tan",
            "tanh",
            "sinh",
            "cosh",
            "square",
            "clip",
        )
    },
    **{
        name: name
        for name in (
            "transpose",
            "reshape",
            "squeeze",
            "swapaxes",
            "argmax",
            "argmin",
            "expand_dims",
        )
    },
    **{name: name for name in ("floor", "ceil", "reciprocal", "einsum", "pad", "cumsum")},
    "amax": "reduce_max",
    "amin": "reduce_min",
    "rint": "round",
    "maximum": "element_max",
    "minimum": "element_min",
    "where": "element_select",
    "concatenate": "splice",
    "dot": "times",
    "logaddexp": "log_add_exp",
}


def _no_numbers(called: str, node: Any) -> ArgumentError:
    """Return the error for code that needs the numbers of a node."""
    instead = _INSTEAD.get(called.rpartition(".")[2])
    first = (
        f"use cntk.{instead} to build the graph"
        if instead
        else "build the graph of cntk's own operations"
    )
    has_value = node.is_parameter or node.is_constant if hasattr(node, "is_parameter") else False
    then = (
        "its .value has the numbers"
        if has_value
        else "evaluate it with data for numbers, f.eval({x: data})"
    )
    return ArgumentError(
        f"{called}: {node!r} is a node of a graph, which has no numbers yet; {first}, or {then}"
    )


def _no_operator(symbol: str, node: Any, instead: str) -> ArgumentError:
    return ArgumentError(
        f"{symbol}: {node!r} is a node of a graph, and there is no such operation; use {instead}"
    )


def _condition(result: Function) -> Function:
    """Return a comparison that an operator made; as a condition it means numbers, which the
    function does not have.
    """
    result._is_condition = True
    return result


class Operators:
    """Arithmetic on graph nodes builds graph nodes."""

    __slots__ = ()
    # NumPy must not take `array + variable` apart element by element.
    __array_priority__ = 1000

    def __array_ufunc__(
        self, ufunc: Any, method: str, *inputs: Any, out: Any = None, **options: Any
    ) -> Any:
        """Dispatch NumPy's operators where an array or a NumPy number stands on either side of a
        node.
        """
        names = _OF_NUMPY.get(ufunc.__name__)
        # `array += node` makes a new node as well.
        in_place = out is None or (len(out) == 1 and out[0] is inputs[0])
        if names is None or method != "__call__" or options or not in_place:
            raise _no_numbers(
                f"numpy.{ufunc.__name__}", next(x for x in inputs if isinstance(x, Operators))
            )
        if isinstance(inputs[0], Operators):
            return getattr(inputs[0], names[0])(*inputs[1:])
        return getattr(inputs[1], names[1])(inputs[0])

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        """NumPy's functions for arrays: a node has its shape, and no numbers that they could work
        on.
        """
        if function.__name__ in _OF_SHAPES:
            return function._implementation(*args, **options)
        raise _no_numbers(f"numpy.{function.__name__}", self)

    def __add__(self, other: Any) -> Function:
        return _ops().plus(self, other)

    def __radd__(self, other: Any) -> Function:
        return _ops().plus(other, self)

    def __sub__(self, other: Any) -> Function:
        return _ops().minus(self, other)

    def __rsub__(self, other: Any) -> Function:
        return _ops().minus(other, self)

    def __mul__(self, other: Any) -> Function:
        return _ops().element_times(self, other)

    def __rmul__(self, other: Any) -> Function:
        return _ops().element_times(other, self)

    def __truediv__(self, other: Any) -> Function:
        return _ops().element_divide(self, other)

    def __rtruediv__(self, other: Any) -> Function:
        return _ops().element_divide(other, self)

    def __matmul__(self, other: Any) -> Function:
        return _ops().times(self, other)

    def __rmatmul__(self, other: Any) -> Function:
        return _ops().times(other, self)

    def __pow__(self, other: Any) -> Function:
        return _ops().pow(self, other)

    def __rpow__(self, other: Any) -> Function:
        return _ops().pow(other, self)

    def __neg__(self) -> Function:
        return _ops().negate(self)

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Function:
        return _ops().abs(self)

    def __lt__(self, other: Any) -> Function:
        return _condition(_ops().less(self, other))

    def __le__(self, other: Any) -> Function:
        return _condition(_ops().less_equal(self, other))

    def __gt__(self, other: Any) -> Function:
        return _condition(_ops().greater(self, other))

    def __ge__(self, other: Any) -> Function:
        return _condition(_ops().greater_equal(self, other))

    def __and__(self, other: Any) -> Function:
        return _condition(_ops().element_and(self, other))

    def __or__(self, other: Any) -> Function:
        return _condition(_ops().element_or(self, other))

    def __xor__(self, other: Any) -> Function:
        return _condition(_ops().element_xor(self, other))

    def __invert__(self) -> Function:
        return _condition(_ops().element_not(self))

    def __bool__(self) -> bool:
        """Return True: ``if x:`` asks whether a program has a node or None. It is no condition
        on its numbers.
        """
        return True

    def __len__(self) -> int:
        shape = self.shape  # type: ignore[attr-defined]
        raise ArgumentError(
            f"len: {self!r} is a node of a graph and has no length; its shape is {shape}"
        )

    def __float__(self) -> float:
        raise _no_numbers("float", self)

    def __int__(self) -> int:
        raise _no_numbers("int", self)

    def __round__(self, digits: Any = None) -> Function:
        if digits is not None:
            raise ArgumentError(
                f"round: expected no digits for {self!r}, got {digits!r}; use cntk.round(x * 100) "
                f"/ 100"
            )
        return _ops().round(self)

    def __floordiv__(self, other: Any) -> NoReturn:
        raise _no_operator("//", self, "cntk.floor(x / y)")

    def __rfloordiv__(self, other: Any) -> NoReturn:
        raise _no_operator("//", self, "cntk.floor(x / y)")

    def __mod__(self, other: Any) -> NoReturn:
        raise _no_operator("%", self, "x - y * cntk.floor(x / y)")

    def __rmod__(self, other: Any) -> NoReturn:
        raise _no_operator("%", self, "x - y * cntk.floor(x / y)")

    # A loop over it would never end where the shape is not known.
    __iter__ = None

    def __getitem__(self, key: Any) -> Any:
        return _ops().subscript(self, key)
