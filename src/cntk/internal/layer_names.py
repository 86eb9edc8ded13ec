"""Helpers of layers that libraries import from the original although they begin with an
underscore.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cntk._graph.function import Function
from cntk.layers.blocks import GRU, LSTM, RNNStep
from cntk.ops import sequence, splice

__all__ = []


def _pad_to_shape(filter_shape: Sequence[int], param: Any, what: str) -> tuple[Any, ...]:
    """Return a parameter of a window, such as its strides, once for each of the window's axes.

    Args:
        filter_shape: the window's shape.
        param: one value for all axes, or one for each.
        what: what it is, for the error.

    Raises:
        ValueError: for another number of values.

    Example:
        >>> _pad_to_shape((3, 3), 1, "strides"), _pad_to_shape((3, 3), (1, 2), "strides")
        ((1, 1), (1, 2))
    """
    values = tuple(param) if isinstance(param, (list, tuple)) else (param,)
    if len(values) == 1:
        values *= len(filter_shape)
    if len(values) != len(filter_shape):
        raise ValueError(
            f"{what} parameter ({values}) must be one value, or one for each axis of the "
            f"filter_shape {filter_shape}"
        )
    return values


def _window(
    x: Any, axis: int, begin: int, end: int, step: int, stride: int, initial_state: Any = None
) -> Function:
    """Put each frame's neighbours beside it along an axis.

    Args:
        x: a sequence.
        axis: the axis along which frames are put side by side; it must be there.
        begin: the first neighbour's distance, negative before the frame.
        end: where to stop, as in `range`.
        step: from one neighbour to the next.
        stride: 1, since no frame can be left out.
        initial_state: what stands beyond the sequence's ends; 0 unless given.

    Raises:
        NotImplementedError: for another stride.

    Example:
        >>> import cntk as C
        >>> _window(C.sequence.input_variable(3), 0, -1, 2, 1, 1).shape
        (9,)
    """
    if stride != 1:
        raise NotImplementedError(
            f"_window: expected a stride of 1, got {stride}; leave frames out by sequence.stride"
        )
    frames = [
        sequence.past_value(x, initial_state=initial_state, time_step=-t)
        if t < 0
        else sequence.future_value(x, initial_state=initial_state, time_step=t)
        if t > 0
        else x
        for t in range(begin, end, step)
    ]
    return splice(*frames, axis=axis)


def _RecurrentBlock(
    type: str,
    shape: Any,
    cell_shape: Any,
    activation: Any,
    use_peepholes: bool,
    init: Any,
    init_bias: Any,
    enable_self_stabilization: bool,
    name: str = "",
) -> Function:
    """Return the step of a recurrence by its kind: ``'LSTM'``, ``'GRU'`` or ``'RNNStep'``; the rest
    as for `cntk.layers.LSTM`.

    Raises:
        KeyError: for another kind.

    Example:
        >>> _RecurrentBlock("GRU", 3, None, None, False, 0.1, 0, False).H1.shape
        (3, 3)
    """
    options = {
        "activation": activation,
        "init": init,
        "init_bias": init_bias,
        "enable_self_stabilization": enable_self_stabilization,
        "name": name,
    }
    if type == "LSTM":
        return LSTM(shape, cell_shape, use_peepholes=use_peepholes, **options)
    makers = {"GRU": GRU, "RNNStep": RNNStep}
    if type not in makers:
        raise KeyError(type)
    return makers[type](shape, cell_shape, **options)
