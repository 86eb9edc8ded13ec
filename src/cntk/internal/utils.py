"""Evaluation of one function forward and backward in a single call, as tests of operations need it."""

from __future__ import annotations

from typing import Any

import numpy as np

from cntk._graph.function import Function
from cntk._graph.variable import Variable
from cntk.internal.sanitize import get_data_type, sanitize_dtype_numpy

__all__ = ["eval", "get_data_type"]


def eval(
    op: Function,
    arguments: Any = None,
    precision: Any = None,
    device: Any = None,
    backward_pass: bool = False,
    expected_backward: Any = None,
) -> tuple[dict[Variable, Any], dict[Variable, Any] | None]:
    """Run a function forward and, if asked, backward from gradients of ones.

    Args:
        op: the function.
        arguments: data for its arguments.
        precision: number format of the gradients.
        device: where to run.
        backward_pass: whether gradients are wanted.
        expected_backward: the variables whose gradients are wanted.

    Returns:
        The outputs and the gradients (None if not wanted), by variable.
    """
    if not backward_pass:
        return op.forward(arguments, op.outputs, None, device)[1], None
    state, forward = op.forward(arguments, op.outputs, op.outputs, device)
    roots = {v: _ones_like(forward[v], precision) for v in op.outputs}
    return forward, op.backward(state, roots, expected_backward if expected_backward is not None else op.arguments)


def _ones_like(batch: Any, precision: Any) -> Any:
    """Ones in the form of a result: an array, or a list of arrays for sequences."""
    dtype = sanitize_dtype_numpy(precision)
    if isinstance(batch, list):
        return [np.ones_like(sequence, dtype=dtype) for sequence in batch]
    return np.ones_like(batch, dtype=dtype)
