"""The factory of the original's example library, so that files which use it load; see
`native_user_function`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cntk._graph.composite import Composite
from cntk._graph.variable import Variable
from cntk._ops.math.times import times


def CreateUserTimesFunction(
    operands: Sequence[Variable], attributes: Mapping[str, Any], name: str
) -> Composite:
    """Multiply the second operand, on the left, by the first.

    Args:
        operands: a matrix ``[m, n]`` and a vector ``[m]``.
        attributes: not used.
        name: not used; the function that is made of it has the name.

    Raises:
        ValueError: unless there are two operands.
    """
    if len(operands) != 2:
        raise ValueError(
            f"expected a matrix and a vector as operands, got {len(operands)} operands"
        )
    return times(operands[1], operands[0])
