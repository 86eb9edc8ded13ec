"""Logic element by element: a number greater than 0 is true. Results are 1 and 0, with zero
gradient.
"""

from __future__ import annotations

from typing import Any

from cntk._graph.composite import Composite
from cntk._graph.op import Op
from cntk._graph.types import common_dtype
from cntk._graph.variable import Variable
from cntk._ops.math.arithmetic import ElementTimes, Plus
from cntk._ops.math.comparison import Greater, NotEqual
from cntk._ops.math.unary import Negate
from cntk._ops.support.composite_op import compose
from cntk._ops.support.operands import apply, as_operand
from cntk.typing import Operand

__all__ = ["element_and", "element_not", "element_or", "element_xor"]


def _true(x: Any, zero: Any = 0) -> Composite:
    return apply(Greater(), (x, zero))


def _logic(op_name: str, combined: Op, x: Any, y: Any, name: str, again: bool = True) -> Composite:
    """Apply an operation to the truth values of two operands, and compare its result with 0.

    Args:
        op_name: what it is called.
        combined: the operation.
        x, y: the operands.
        name: its name in the graph.
        again: whether the result still has to be compared with 0, as a sum or a product has.
    """

    def build(a: Variable, b: Variable) -> Composite:
        zero = as_operand(0, common_dtype((a.type_, b.type_)))
        both = apply(combined, (_true(a, zero), _true(b, zero)))
        return _true(both, zero) if again else both

    return compose(op_name, (x, y), build, name)


def element_and(x: Operand, y: Operand, name: str = "") -> Composite:
    """Compute the logical and: 1 where both operands' elements are greater than 0, 0 elsewhere.

    Args:
        x, y: operands on the same dynamic axes; shapes are aligned at the last axis, and 1
            broadcasts.
        name: its name in the graph.

    Raises:
        GraphError: if shapes or dynamic axes do not fit.

    Example:
        >>> element_and([1, 1, 0, -1], [1, 0, 0, 1]).eval()
        array([1., 0., 0., 0.], dtype=float32)
    """
    return _logic("And", ElementTimes(), x, y, name)


def element_or(x: Operand, y: Operand, name: str = "") -> Composite:
    """Compute the logical or: 1 where one or both operands' elements are greater than 0; see
    `element_and`.

    Example:
        >>> element_or([1, 1, 0, -1], [1, 0, 0, 1]).eval()
        array([1., 1., 0., 1.], dtype=float32)
    """
    return _logic("Or", Plus(), x, y, name)


def element_xor(x: Operand, y: Operand, name: str = "") -> Composite:
    """Compute the exclusive or: 1 where exactly one operand's element is greater than 0; see
    `element_and`.

    Example:
        >>> element_xor([1, 1, 0, -1], [1, 0, 0, 1]).eval()
        array([0., 1., 0., 1.], dtype=float32)
    """
    return _logic("Xor", NotEqual(), x, y, name, again=False)


def element_not(x: Operand, name: str = "") -> Composite:
    """Compute the logical not: 1 where the operand's element is not greater than 0, 0 elsewhere.

    Args:
        x: an operand.
        name: its name in the graph.

    Example:
        >>> element_not([1, 0.5, 0, -1]).eval()
        array([0., 0., 1., 1.], dtype=float32)
    """
    return compose("Not", (x,), lambda a: apply(Plus(), (apply(Negate(), (_true(a),)), 1)), name)
