"""Layers that undo the shape of convolutions: each position of the input adds a filter, weighted,
to the output.
"""

from __future__ import annotations

from typing import Any

from cntk import ops
from cntk._arguments import as_flag, as_integer
from cntk._graph.define import BlockFunction
from cntk._graph.function import Function
from cntk._graph.types import InferredDimension
from cntk.default_options import default_override_or, get_default_override
from cntk.initializer import glorot_uniform
from cntk.layers.blocks import identity
from cntk.layers.options import (
    activated,
    as_activation,
    as_shape,
    check_reduction_rank,
    first_value,
    flags_per_axis,
    initial,
    sizes_per_axis,
    window_of_rank,
)
from cntk.typing import ActivationLike, InitializerLike, ShapeLike
from cntk.variables import Parameter

__all__ = [
    "ConvolutionTranspose",
    "ConvolutionTranspose1D",
    "ConvolutionTranspose2D",
    "ConvolutionTranspose3D",
]


def ConvolutionTranspose(
    filter_shape: ShapeLike,
    num_filters: Any,
    activation: ActivationLike = default_override_or(identity),
    init: InitializerLike = default_override_or(glorot_uniform()),
    pad: Any = default_override_or(False),
    strides: Any = 1,
    sharing: Any = True,
    bias: Any = default_override_or(True),
    init_bias: InitializerLike = default_override_or(0),
    output_shape: ShapeLike | None = None,
    reduction_rank: int = 1,
    dilation: Any = 1,
    max_temp_mem_size_in_samples: int = 0,
    name: str = "",
) -> Function:
    """Transposed convolution layer, also known as deconvolution.

    Args:
        filter_shape: the window's shape without channels, a number or a tuple.
        num_filters: how many output channels.
        activation: what is applied to the sum; none by default.
        init: initial value of ``W``.
        pad: whether the convolution that this undoes pads its input, for all axes or for each.
        strides: steps between the places where filters are added, for all axes or for each.
        sharing: whether a filter is the same at all positions; it must be.
        bias: whether there is a ``b``.
        init_bias: initial value of ``b``.
        output_shape: the output's positions, without channels, which strides leave open; worked out
            if not given.
        reduction_rank: 1 if the input has a channel axis, 0 if it has none.
        dilation: distance of a filter's elements in the output, for all axes or for each.
        max_temp_mem_size_in_samples: without effect.
        name: its name in the graph.

    Returns:
        A function of one argument ``[channels, *positions]`` with parameters ``W`` [channels,
        filters, *filter_shape] and ``b`` [filters, 1, ...].

    Raises:
        NotImplementedError, ValueError: for arguments that are not supported or do not fit each
            other.

    Example:
        >>> import cntk as C
        >>> layer = C.layers.ConvolutionTranspose(
        ...     (3, 3), 4, strides=2, pad=True, output_shape=(16, 16)
        ... )
        >>> layer(C.input_variable((2, 8, 8))).shape
        (4, 16, 16)
    """
    return _transposed(
        "ConvolutionTranspose",
        filter_shape,
        num_filters,
        activation=get_default_override(ConvolutionTranspose, activation=activation),
        init=get_default_override(ConvolutionTranspose, init=init),
        pad=get_default_override(ConvolutionTranspose, pad=pad),
        strides=strides,
        sharing=sharing,
        bias=get_default_override(ConvolutionTranspose, bias=bias),
        init_bias=get_default_override(ConvolutionTranspose, init_bias=init_bias),
        output_shape=output_shape,
        reduction_rank=reduction_rank,
        dilation=dilation,
        max_temp_mem_size_in_samples=max_temp_mem_size_in_samples,
        name=name,
    )


def _transposed(
    layer: str,
    filter_shape: Any,
    num_filters: Any,
    *,
    activation: Any,
    init: Any,
    pad: Any,
    strides: Any,
    sharing: Any = True,
    bias: Any,
    init_bias: Any,
    output_shape: Any,
    reduction_rank: Any,
    dilation: Any,
    max_temp_mem_size_in_samples: Any = 0,
    name: str,
) -> Function:
    """`ConvolutionTranspose`, and the layers that are one, with the name that errors call it by."""
    activation = as_activation(activation, layer)
    check_reduction_rank(reduction_rank, layer)
    window = as_shape(filter_shape, f"{layer}: filter_shape", least=1)
    filters = as_shape(num_filters, f"{layer}: num_filters", least=1)
    if len(filters) != 1:
        raise ValueError(f"{layer}: num_filters must be a single number, got {filters}")
    strides = sizes_per_axis(strides, window, f"{layer}: strides")
    sharing = flags_per_axis(sharing, window, f"{layer}: sharing")
    pad = flags_per_axis(pad, window, f"{layer}: pad")
    dilation = sizes_per_axis(dilation, window, f"{layer}: dilation")
    bias = as_flag(bias, f"{layer}: bias")
    memory = as_integer(
        max_temp_mem_size_in_samples,
        f"{layer}: max_temp_mem_size_in_samples",
        least=0,
        most=2**64 - 1,
    )
    positions = (
        None
        if output_shape is None
        else sizes_per_axis(output_shape, window, f"{layer}: output_shape")
    )

    channels = (InferredDimension,) if reduction_rank else (1,)
    init = initial(init, layer, output_rank=-1, filter_rank=len(window))
    W = Parameter((*channels, *filters, *window), init=init, name="W")
    init_bias = (
        first_value(init_bias, f"{layer}: init_bias") if bias and init_bias is not None else None
    )
    b = Parameter((*filters, *(1,) * len(window)), init=init_bias, name="b") if bias else None

    @BlockFunction("ConvolutionTranspose", name)
    def convolve_transposed(x: Any) -> Any:
        r = ops.convolution_transpose(
            W,
            ops.reshape(x, (1,), 0, 0) if reduction_rank == 0 else x,
            strides=strides,
            sharing=(True, *sharing),
            auto_padding=(False, *pad),
            output_shape=None if positions is None else (*filters, *positions),
            dilation=dilation,
            max_temp_mem_size_in_samples=memory,
        )
        return activated(r if b is None else r + b, activation)

    return convolve_transposed


def ConvolutionTranspose1D(
    filter_shape: ShapeLike,
    num_filters: Any,
    activation: ActivationLike = default_override_or(identity),
    init: InitializerLike = default_override_or(glorot_uniform()),
    pad: Any = default_override_or(False),
    strides: Any = 1,
    bias: Any = default_override_or(True),
    init_bias: InitializerLike = default_override_or(0),
    output_shape: ShapeLike | None = None,
    reduction_rank: int = 1,
    dilation: Any = 1,
    name: str = "",
) -> Function:
    """`ConvolutionTranspose` over one axis; ``filter_shape`` is a number.

    Example:
        >>> import cntk as C
        >>> C.layers.ConvolutionTranspose1D(3, 4, strides=2)(C.input_variable((2, 9))).shape
        (4, 19)
    """
    return _transposed(
        "ConvolutionTranspose1D",
        window_of_rank(filter_shape, 1, "ConvolutionTranspose1D"),
        num_filters,
        activation=get_default_override(ConvolutionTranspose1D, activation=activation),
        init=get_default_override(ConvolutionTranspose1D, init=init),
        pad=get_default_override(ConvolutionTranspose1D, pad=pad),
        strides=strides,
        bias=get_default_override(ConvolutionTranspose1D, bias=bias),
        init_bias=get_default_override(ConvolutionTranspose1D, init_bias=init_bias),
        output_shape=output_shape,
        reduction_rank=reduction_rank,
        dilation=dilation,
        name=name,
    )


def ConvolutionTranspose2D(
    filter_shape: ShapeLike,
    num_filters: Any,
    activation: ActivationLike = default_override_or(identity),
    init: InitializerLike = default_override_or(glorot_uniform()),
    pad: Any = default_override_or(False),
    strides: Any = 1,
    bias: Any = default_override_or(True),
    init_bias: InitializerLike = default_override_or(0),
    output_shape: ShapeLike | None = None,
    reduction_rank: int = 1,
    dilation: Any = 1,
    name: str = "",
) -> Function:
    """`ConvolutionTranspose` over two axes; ``filter_shape`` is a number or a pair.

    Example:
        >>> import cntk as C
        >>> C.layers.ConvolutionTranspose2D((3, 3), 4)(C.input_variable((2, 8, 8))).shape
        (4, 10, 10)
    """
    return _transposed(
        "ConvolutionTranspose2D",
        window_of_rank(filter_shape, 2, "ConvolutionTranspose2D"),
        num_filters,
        activation=get_default_override(ConvolutionTranspose2D, activation=activation),
        init=get_default_override(ConvolutionTranspose2D, init=init),
        pad=get_default_override(ConvolutionTranspose2D, pad=pad),
        strides=strides,
        bias=get_default_override(ConvolutionTranspose2D, bias=bias),
        init_bias=get_default_override(ConvolutionTranspose2D, init_bias=init_bias),
        output_shape=output_shape,
        reduction_rank=reduction_rank,
        dilation=dilation,
        name=name,
    )


def ConvolutionTranspose3D(
    filter_shape: ShapeLike,
    num_filters: Any,
    activation: ActivationLike = default_override_or(identity),
    init: InitializerLike = default_override_or(glorot_uniform()),
    pad: Any = default_override_or(False),
    strides: Any = 1,
    bias: Any = default_override_or(True),
    init_bias: InitializerLike = default_override_or(0),
    output_shape: ShapeLike | None = None,
    reduction_rank: int = 1,
    dilation: Any = 1,
    name: str = "",
) -> Function:
    """`ConvolutionTranspose` over three axes; ``filter_shape`` is a number or a triple.

    Example:
        >>> import cntk as C
        >>> C.layers.ConvolutionTranspose3D((3, 3, 3), 4, pad=True)(
        ...     C.input_variable((2, 5, 8, 8))
        ... ).shape
        (4, 5, 8, 8)
    """
    return _transposed(
        "ConvolutionTranspose3D",
        window_of_rank(filter_shape, 3, "ConvolutionTranspose3D"),
        num_filters,
        activation=get_default_override(ConvolutionTranspose3D, activation=activation),
        init=get_default_override(ConvolutionTranspose3D, init=init),
        pad=get_default_override(ConvolutionTranspose3D, pad=pad),
        strides=strides,
        bias=get_default_override(ConvolutionTranspose3D, bias=bias),
        init_bias=get_default_override(ConvolutionTranspose3D, init_bias=init_bias),
        output_shape=output_shape,
        reduction_rank=reduction_rank,
        dilation=dilation,
        name=name,
    )
