"""Two losses of reinforcement learning."""

from __future__ import annotations

from typing import Any

from cntk import ops
from cntk._graph.function import Function
from cntk._graph.names.late_names import hand_on
from cntk._ops.support.operands import as_operands


def huber_loss(output: Any, target: Any) -> Function:
    """Return half the squared error up to an error of 1 and the distance less a half beyond, summed
    over the elements.

    Its gradient never exceeds 1. With deep Q-learning only one element, that of the chosen action,
    has an error.

    Args:
        output: what the network says, float32 or float64.
        target: what it should say, of the same shape.

    Returns:
        A function with one number for each sample.

    Example:
        >>> import cntk as C
        >>> x, y = C.input_variable(2), C.input_variable(2)
        >>> huber_loss(x, y).eval({x: [[2, 1], [1, 5]], y: [[4, 1], [1, 4]]}).tolist()
        [1.5, 0.5]
    """
    output, target = as_operands((output, target), "huber_loss")
    distance = ops.abs(target - output)
    return ops.reduce_sum(
        ops.element_select(ops.less(distance, 1), 0.5 * ops.square(distance), distance - 0.5)
    )


def negative_of_entropy_with_softmax(p: Any) -> Function:
    """Return the negative entropy of the probabilities that the softmax of scores gives.

    Args:
        p: the scores, float32 or float64: logarithms of probabilities that need not add to one.

    Returns:
        A function with one number for each sample, from minus the logarithm of the number of
        elements up to 0.

    Example:
        >>> import cntk as C
        >>> x = C.input_variable(2)
        >>> negative_of_entropy_with_softmax(x).eval({x: [[0.5, 0.5], [1000, 1]]}).round(4).tolist()
        [-0.6931, 0.0]
    """
    (p,) = as_operands((p,), "negative_of_entropy_with_softmax")
    return ops.reduce_sum(ops.softmax(p) * p) - ops.reduce_log_sum_exp(p)


hand_on(globals())
