"""Operators that variables and functions share: arithmetic, comparison, subscripts, matrix product."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    from cntk._graph.function import Function


class _Operations(Protocol):
    def __getattr__(self, name: str) -> Callable[..., Function]: ...


def _ops() -> _Operations:
    # Operators are methods, and operations live on a floor above: the import has to wait for the call.
    from cntk import ops

    return cast(_Operations, ops)


class Operators:
    """Arithmetic on graph nodes builds graph nodes."""

    __slots__ = ()
    # NumPy must not take `array + variable` apart element by element.
    __array_priority__ = 1000
    __array_ufunc__ = None

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
        return _ops().less(self, other)

    def __le__(self, other: Any) -> Function:
        return _ops().less_equal(self, other)

    def __gt__(self, other: Any) -> Function:
        return _ops().greater(self, other)

    def __ge__(self, other: Any) -> Function:
        return _ops().greater_equal(self, other)

    def __and__(self, other: Any) -> Function:
        return _ops().element_and(self, other)

    def __or__(self, other: Any) -> Function:
        return _ops().element_or(self, other)

    def __xor__(self, other: Any) -> Function:
        return _ops().element_xor(self, other)

    def __invert__(self) -> Function:
        return _ops().element_not(self)

    # A loop over it would never end where the shape is not known.
    __iter__ = None

    def __getitem__(self, key: Any) -> Any:
        return _ops().subscript(self, key)
