"""Softmax in two steps: over groups of classes, then over the classes of one group."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from cntk import initializer
from cntk._arguments import is_real
from cntk._graph.composite import Composite
from cntk._graph.variable import Variable
from cntk._ops.math.arithmetic import element_divide, element_times, minus, plus
from cntk._ops.math.rounding import floor
from cntk._ops.math.softmax import softmax
from cntk._ops.math.times import times, times_transpose
from cntk._ops.shape.reshape import reshape
from cntk._ops.shape.select import one_hot
from cntk._ops.support.operands import as_operand
from cntk._wording import shape_text
from cntk.errors import GraphError
from cntk.variables import Parameter

__all__ = ["hierarchical_softmax_layer"]


def hierarchical_softmax_layer(
    input_var: Any, label_index: Any, label_dim: int, label_classes: int | None = None
) -> tuple[Composite, Composite, list[Composite]]:
    """Build an output layer whose cost grows with the square root of the number of labels: softmax
    over groups, then over the labels of one group.

    Labels are put into groups in their order, and the probability of a label is that of its group
    times that within the group. Train with minus the logarithm of the first result.

    J. Goodman: "Classes for fast maximum entropy training" (2001).

    Args:
        input_var: an operand ``[n]``.
        label_index: the label's number, ``[1]``, on the same dynamic axes.
        label_dim: how many labels there are.
        label_classes: how many groups; the square root of the number of labels, rounded up, if not
            given.

    Returns:
        The probability of the label given, ``[1 x 1]``; the probabilities of the groups
        ``[groups]``; and for each group a function that gives the probabilities of its labels,
        ``[labels in a group]``.

    Raises:
        GraphError: if shapes or dynamic axes do not fit.
        ValueError: if there are no labels or no groups.

    Example:
        >>> import cntk as C
        >>> x, label = C.input_variable(2), C.input_variable(1)
        >>> chosen, of_groups, of_labels = hierarchical_softmax_layer(x, label, 5)
        >>> [f.shape for f in (chosen, of_groups, *of_labels)]
        [(1, 1), (3,), (2,), (2,), (2,)]
    """
    x, label = as_operand(input_var, None, "hierarchical_softmax_layer"), as_operand(label_index)
    groups, size = _sizes(label_dim, label_classes)
    if len(x.shape) != 1 or x.shape[0] < 0:
        raise GraphError(
            f"hierarchical_softmax_layer: input_var must be a vector of known size, got "
            f"{shape_text(x.shape)}; flatten it"
        )
    if label.shape not in ((), (1,)):
        raise GraphError(
            f"hierarchical_softmax_layer: label_index must be a scalar, got "
            f"{shape_text(label.shape)}; give the label's number instead of a one-hot vector"
        )
    group = floor(element_divide(plus(label, 0.5), size))
    within = floor(plus(minus(label, element_times(group, size)), 0.5))
    w1 = _parameter(x, (x.shape[0], groups), "hsoftmax_w1")
    b1 = _parameter(x, (groups,), "hsoftmax_b1")
    w2 = _parameter(x, (groups, x.shape[0], size), "hsoftmax_w2s")
    b2 = _parameter(x, (groups, size), "hsoftmax_b2s")

    of_groups = softmax(plus(b1, times(x, w1)))
    row = one_hot(group, groups)
    own_w2 = reshape(times(row, w2, 2), (x.shape[0], -1))
    own_b2 = reshape(times(row, b2), (-1,))
    of_labels = softmax(plus(own_b2, times(x, own_w2)))
    of_label = times_transpose(one_hot(within, size), of_labels)
    chosen = element_times(of_label, times_transpose(one_hot(group, groups), of_groups))
    return chosen, of_groups, [_of_group(x, k, groups, w2, b2, of_groups) for k in range(groups)]


def _sizes(label_dim: Any, label_classes: Any) -> tuple[int, int]:
    """Return the number of groups, and the number of labels of each."""
    for argument, value in (("label_dim", label_dim), ("label_classes", label_classes or 1)):
        if not is_real(value) or not 1 <= value < math.inf:
            raise ValueError(
                f"hierarchical_softmax_layer: {argument} must be a number from 1, got {value!r}"
            )
    groups = int(label_classes or math.ceil(math.sqrt(label_dim)))
    return groups, math.ceil(label_dim / groups)


def _parameter(x: Variable, shape: tuple[int, ...], name: str) -> Parameter:
    dtype = x.type_.dtype or np.dtype(np.float32)
    return Parameter(shape, init=initializer.glorot_normal(), dtype=dtype, name=name)


def _of_group(
    x: Variable, k: int, groups: int, w2: Parameter, b2: Parameter, of_groups: Composite
) -> Composite:
    """Compute the probabilities of one group's labels."""
    row = one_hot(np.array(k, w2.dtype), groups)
    inside = softmax(plus(times(row, b2), times(x, times(row, w2, 2))))
    return element_times(inside, times_transpose(row, of_groups))
