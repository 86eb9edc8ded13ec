"""Standardization to mean 0 and standard deviation 1, by the data's statistics or by constants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from cntk._arguments import as_bool, as_number, shown
from cntk._graph.composite import Composite
from cntk._ops.math.arithmetic import ElementTimes, Minus, Plus, element_divide, square
from cntk._ops.math.reduction import reduce_mean
from cntk._ops.math.unary import sqrt
from cntk._ops.shape.reshape import reshape
from cntk._ops.shape.slicing import splice
from cntk._ops.support.composite_op import compose
from cntk._ops.support.operands import apply, as_operand
from cntk.errors import ArgumentError, GraphError
from cntk.typing import Operand
from cntk.variables import Constant

__all__ = ["image_scaler", "mean_variance_normalization", "per_dim_mean_variance_normalize"]


def mean_variance_normalization(
    operand: Operand,
    epsilon: float = 0.00001,
    use_stats_across_channels: bool = False,
    do_variance_scaling: bool = True,
    name: str = "",
) -> Composite:
    """Subtract each sample's mean, and divide by its standard deviation plus epsilon.

    Args:
        operand: an operand whose shape is known; its first axis counts channels, unless it is the
            only one.
        epsilon: what is added to the standard deviation.
        use_stats_across_channels: whether mean and standard deviation are those of all channels
            together.
        do_variance_scaling: whether to divide at all.
        name: its name in the graph.

    Raises:
        GraphError: if epsilon is negative, or the operand has no static axis.

    Example:
        >>> mean_variance_normalization([[1, 3], [4, 8]], epsilon=0).eval()
        array([[-1.,  1.],
               [-1.,  1.]], dtype=float32)
    """
    called = "mean_variance_normalization"
    epsilon = as_number(epsilon, f"{called}: epsilon")
    if epsilon < 0:
        raise GraphError(f"{called}: expected an epsilon of 0 or more, got {epsilon}")
    use_stats_across_channels = as_bool(
        use_stats_across_channels, f"{called}: use_stats_across_channels"
    )
    do_variance_scaling = as_bool(do_variance_scaling, f"{called}: do_variance_scaling")
    variable = as_operand(operand, op_name="mean_variance_normalization")
    rank = variable.type_.rank if variable.type_.has_shape else 0
    axes = list(range(-1, -1 - rank + (0 if use_stats_across_channels or rank == 1 else 1), -1))
    if not axes:
        raise GraphError(
            f"mean_variance_normalization: expected an operand whose shape is known, with at least "
            f"one static axis, got {variable.type_}"
        )

    def build(x: Any) -> Composite:
        centered = apply(Minus(), (x, reduce_mean(x, axes)))
        if not do_variance_scaling:
            return centered
        deviation = sqrt(reduce_mean(square(centered), axes))
        floor = Constant(epsilon, dtype=x.type_.dtype or np.float32, name="mvn_epsilon")
        return element_divide(centered, apply(Plus(), (deviation, floor)))

    details = {
        "epsilon": float(epsilon),
        "useStatsAcrossChannels": bool(use_stats_across_channels),
        "doVarianceScaling": bool(do_variance_scaling),
    }
    return compose("MeanVarianceNormalization", (variable,), build, name, details=details)


def per_dim_mean_variance_normalize(
    operand: Operand, mean: Any, inv_stddev: Any, name: str = ""
) -> Composite:
    """Subtract a mean, and multiply by an inverse standard deviation, element by element.

    Args:
        operand: an operand.
        mean: the mean, of the operand's shape or one that broadcasts to it.
        inv_stddev: one over the standard deviation, likewise.
        name: its name in the graph.

    Raises:
        GraphError: if shapes do not fit.

    Example:
        >>> per_dim_mean_variance_normalize([1, 2, 3], [2, 2, 2], [1, 1, 10]).eval()
        array([-1.,  0., 10.], dtype=float32)
    """

    def build(x: Any, center: Any, scale: Any) -> Composite:
        return apply(ElementTimes(), (apply(Minus(), (x, center)), scale))

    return compose("PerDimMeanVarianceNormalize", (operand, mean, inv_stddev), build, name)


def image_scaler(x: Operand, scalar: float, biases: Sequence[float], name: str = "") -> Composite:
    """Multiply the operand by one number, and add another one for each channel.

    Args:
        x: an image ``[channels, height, width]``.
        scalar: the factor.
        biases: what is added to each channel, one number for each.
        name: its name in the graph.

    Raises:
        TypeError: if ``biases`` is no sequence of numbers.
        GraphError: if their number is not that of the channels.

    Example:
        >>> image_scaler([[[1, 2]], [[3, 4]]], 10, [5, 6]).eval()
        array([[[15., 25.]],
        <BLANKLINE>
               [[36., 46.]]], dtype=float32)
    """
    scalar = as_number(scalar, "image_scaler: scalar")
    try:
        shifts = [float(b) for b in biases]
    except (TypeError, ValueError):
        raise ArgumentError(
            f"image_scaler: expected a number for each channel as biases, got {shown(biases)}"
        ) from None
    variable = as_operand(x, op_name="image_scaler")
    shape = variable.type_.shape
    if not shifts or (
        variable.type_.has_shape and (len(shape) != 3 or len(shifts) != shape[0] >= 0)
    ):
        raise GraphError(
            f"image_scaler: expected an operand [channels x height x width] and as many biases as "
            f"channels, got {variable.type_} and {len(shifts)}"
        )

    def build(image: Any) -> Composite:
        dtype = variable.type_.dtype or np.dtype(np.float32)
        added = splice(*(Constant(b, dtype=dtype) for b in shifts), axis=-1)
        scaled = apply(ElementTimes(), (image, Constant(float(scalar), dtype=dtype)))
        return apply(Plus(), (scaled, _planes(added)), name)

    details = {"Scaler": np.float32(scalar), "Biases": tuple(map(np.float32, shifts))}
    return compose("ImageScaler", (variable,), build, name, details=details)


def _planes(values: Composite) -> Composite:
    """Reshape one number for each channel to ``[channels, 1, 1]``."""
    return reshape(values, (values.shape[0] if values.shape else 1, 1, 1))
