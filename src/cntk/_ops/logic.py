"""Logic element by element: a number greater than 0 is true; results are 1 and 0, with zero gradient."""

from __future__ import annotations

from typing import Any

from cntk._graph.composite import Composite
from cntk._ops.comparison import Greater, NotEqual
from cntk._ops.composed import compose
from cntk._ops.elementwise import ElementTimes, Plus
from cntk._ops.operands import apply
from cntk._ops.unary import Negate

__all__ = ["element_and", "element_not", "element_or", "element_xor"]


def _true(x: Any) -> Composite:
    return apply(Greater(), (x, 0))


def element_and(x: Any, y: Any, name: str = "") -> Composite:
    """1 where both operands' elements are greater than 0.

    Args:
        x, y: operands on the same dynamic axes; shapes are aligned at the last axis, and 1 stretches.
        name: its name in the graph.

    Raises:
        GraphError: if shapes or dynamic axes do not fit.

    Example:
        >>> element_and([1, 1, 0, -1], [1, 0, 0, 1]).eval()
        array([1., 0., 0., 0.], dtype=float32)
    """
    return compose("And", (x, y), lambda a, b: _true(apply(ElementTimes(), (_true(a), _true(b)))), name)


def element_or(x: Any, y: Any, name: str = "") -> Composite:
    """1 where one or both operands' elements are greater than 0; see `element_and`.

    Example:
        >>> element_or([1, 1, 0, -1], [1, 0, 0, 1]).eval()
        array([1., 1., 0., 1.], dtype=float32)
    """
    return compose("Or", (x, y), lambda a, b: _true(apply(Plus(), (_true(a), _true(b)))), name)


def element_xor(x: Any, y: Any, name: str = "") -> Composite:
    """1 where exactly one operand's element is greater than 0; see `element_and`.

    Example:
        >>> element_xor([1, 1, 0, -1], [1, 0, 0, 1]).eval()
        array([0., 1., 0., 1.], dtype=float32)
    """
    return compose("Xor", (x, y), lambda a, b: apply(NotEqual(), (_true(a), _true(b))), name)


def element_not(x: Any, name: str = "") -> Composite:
    """1 where the operand's element is not greater than 0.

    Args:
        x: an operand.
        name: its name in the graph.

    Example:
        >>> element_not([1, 0.5, 0, -1]).eval()
        array([0., 0., 1., 1.], dtype=float32)
    """
    return compose("Not", (x,), lambda a: apply(Plus(), (apply(Negate(), (_true(a),)), 1)), name)
