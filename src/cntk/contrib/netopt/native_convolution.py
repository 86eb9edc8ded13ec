"""Binary convolutions as plain graphs, without a call of Python while they run: the factory that
files name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cntk import ops
from cntk._graph.function import Function
from cntk._graph.variable import Variable

__all__ = ["CreateBinaryConvolveFunction"]


def CreateBinaryConvolveFunction(
    operands: Sequence[Variable], attributes: Mapping[str, Any], name: str
) -> Function:
    """Return the convolution of two tensors of which only signs and one mean magnitude each are
    used.

    Args:
        operands: the filters ``[filters, channels, size, size]`` and the input ``[channels, h,
            w]``.
        attributes: ``stride``, an integer, and ``padding``, whether the output is of the input's
            size.
        name: not used; the function that is made of it has the name.

    Returns:
        A function with outputs ``[filters, ...]``. Its gradients pass straight through where an
        element is between -1 and 1, as those of `CustomMultibit` with one bit.

    Raises:
        ValueError: unless there are two operands.
    """
    if len(operands) != 2:
        raise ValueError(f"expected filters and an input as operands, got {len(operands)} operands")
    pad = bool(attributes["padding"])
    filters, x = map(_one_bit, operands)
    return ops.convolution(
        filters, x, strides=[int(attributes["stride"])], auto_padding=[False, pad, pad]
    )


def _one_bit(x: Variable) -> Function:
    """Return the sign of each element times the mean magnitude of all; the gradient is that of a
    clip at 1.
    """
    value = ops.element_times(
        ops.reduce_mean(ops.abs(x)), ops.element_select(ops.greater(x, 0), 1, -1)
    )
    passing = ops.clip(x, -1, 1)
    return ops.plus(ops.stop_gradient(value), ops.minus(passing, ops.stop_gradient(passing)))
