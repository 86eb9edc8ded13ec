"""Convolution layers, over static axes and along sequences, and their transposes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cntk import ops
from cntk._graph.define import BlockFunction
from cntk._graph.function import Function
from cntk._graph.types import InferredDimension
from cntk.default_options import default_override_or, get_default_override
from cntk.initializer import glorot_uniform
from cntk.layers.blocks import UntestedBranchError, identity
from cntk.layers.options import Shape, activated, as_shape, initial, per_axis
from cntk.variables import Parameter

__all__ = ["Convolution", "Convolution1D", "Convolution2D", "Convolution3D", "SequentialConvolution"]


def Convolution(
    filter_shape: Any,
    num_filters: Any = None,
    sequential: bool = False,
    activation: Any = default_override_or(identity),
    init: Any = default_override_or(glorot_uniform()),
    pad: Any = default_override_or(False),
    strides: Any = 1,
    sharing: Any = True,
    bias: Any = default_override_or(True),
    init_bias: Any = default_override_or(0),
    reduction_rank: int = 1,
    transpose_weight: bool = False,
    dilation: Any = 1,
    groups: int = 1,
    max_temp_mem_size_in_samples: int = 0,
    op_name: str = "Convolution",
    name: str = "",
) -> Function:
    """Convolution layer: ``activation(convolution(W, x) + b)`` over one to three axes.

    Args:
        filter_shape: the window's shape without channels, a number or a tuple.
        num_filters: how many output channels; None for one, whose axis is left out.
        sequential: whether the window's first axis runs along the sequence axis; see also `SequentialConvolution`, which
            knows strides.
        activation: what is applied to the sum; none by default.
        init: initial value of ``W``.
        pad: whether to pad with zeros so that windows are centred on elements, for all axes or for each.
        strides: steps between windows, for all axes or for each.
        sharing: whether a filter is the same at all positions; it must be.
        bias: whether there is a ``b``.
        init_bias: initial value of ``b``.
        reduction_rank: 1 if the input has a channel axis, 0 if it has none.
        transpose_weight: must be False.
        dilation: distance of the elements that a window looks at, for all axes or for each.
        groups: must be 1; `cntk.convolution` knows groups.
        max_temp_mem_size_in_samples: without effect.
        op_name: what the block is called in the graph.
        name: its name in the graph.

    Returns:
        A function of one argument ``[channels, *positions]`` with parameters ``W`` [filters, channels, *filter_shape] and
        ``b`` [filters, 1, ...].

    Raises:
        NotImplementedError, ValueError: for arguments that are not supported or do not fit each other.

    Example:
        >>> import cntk as C
        >>> layer = C.layers.Convolution((3, 3), 8, pad=True, activation=C.relu)
        >>> layer(C.input_variable((3, 32, 32))).shape
        (8, 32, 32)
    """
    activation = get_default_override(Convolution, activation=activation)
    init = get_default_override(Convolution, init=init)
    pad = get_default_override(Convolution, pad=pad)
    bias = get_default_override(Convolution, bias=bias)
    init_bias = get_default_override(Convolution, init_bias=init_bias)
    _check_supported(reduction_rank, transpose_weight, groups)
    window = as_shape(filter_shape, "Convolution: filter_shape")
    filters = () if num_filters is None else as_shape(num_filters, "Convolution: num_filters")
    strides = per_axis(strides, window, "strides")
    sharing = per_axis(sharing, window, "sharing")
    pad = per_axis(pad, window, "pad")
    dilation = per_axis(dilation, window, "dilation")
    if sequential and strides[0] != 1:
        UntestedBranchError("Convolution: strides along the sequence axis; use SequentialConvolution")

    W, b = _parameters(filters, window, reduction_rank, init, init_bias if bias else None, len(window))

    @BlockFunction(op_name, name)
    def convolve(x: Any) -> Any:
        # A frame becomes a window's worth of frames; what was the sequence axis is then a static one.
        after = () if reduction_rank == 0 else (0,)
        if reduction_rank == 0:
            x = ops.reshape(x, (1,), 0, 0)
        if sequential:
            x = _neighbours(ops.expand_dims(x, _sequence_place(window)), window[0], _sequence_place(window))
        r = ops.convolution(
            W,
            x,
            strides=strides,
            sharing=(True, *sharing)[-len(window) - len(after) :],
            auto_padding=[False, *([False, *pad[1:]] if sequential else pad)],
            dilation=dilation,
            max_temp_mem_size_in_samples=max_temp_mem_size_in_samples,
        )
        if sequential and not pad[0]:
            before = (window[0] - 1) // 2
            r = ops.sequence.slice(r, before, -(window[0] - 1 - before)) if window[0] > 1 else r
        if b is not None:
            r = r + b
        if sequential:
            r = ops.reshape(r, (), begin_axis=-len(window), end_axis=_after(-len(window)))
        if num_filters is None:
            place = -len(window) - 1 + sequential
            r = ops.reshape(r, (), begin_axis=place, end_axis=_after(place))
        return activated(r, activation)

    return convolve
