"""Rounding, element by element, with zero gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from cntk._graph.composite import Composite
from cntk._graph.op import Kernel, PrimitiveOp, primitive
from cntk._ops.math.arithmetic import Plus
from cntk._ops.math.unary import Negate, Unary
from cntk._ops.support.operands import apply, as_operands

__all__ = ["ceil", "floor", "round"]


@primitive(PrimitiveOp.Floor)
@dataclass(frozen=True)
class Floor(Unary):
    """Largest integer that is not greater than the element."""

    def compute(self) -> Kernel:
        return torch.floor


def floor(arg: Any, name: str = "") -> Composite:
    """Round each element down to an integer.

    Args:
        arg: an operand.
        name: its name in the graph.

    Example:
        >>> floor([0.5, 2, -1.2]).eval()
        array([ 0.,  2., -2.], dtype=float32)
    """
    return apply(Floor(), (arg,), name)


def ceil(arg: Any, name: str = "") -> Composite:
    """Round each element up to an integer.

    Args:
        arg: an operand.
        name: its name in the graph.

    Example:
        >>> ceil([0.5, 2, -1.2]).eval()
        array([ 1.,  2., -1.], dtype=float32)
    """
    return apply(Negate(), (apply(Floor(), (apply(Negate(), (arg,)),)),), name)


def round(arg: Any, name: str = "") -> Composite:
    """Round each element to the nearest integer; a half is rounded up.

    Args:
        arg: an operand.
        name: its name in the graph.

    Example:
        >>> round([0.5, 1.4, -1.5]).eval()
        array([ 1.,  1., -1.], dtype=float32)
    """
    return apply(Floor(), (apply(Plus(), as_operands((arg, 0.5), "round")),), name)
