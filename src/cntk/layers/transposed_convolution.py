"""Layers that undo the shape of convolutions: each position of the input adds a filter, weighted,
to the output.
"""

from __future__ import annotations

from typing import Any

from cntk import ops
from cntk._graph.define import BlockFunction
from cntk._graph.function import Function
from cntk._graph.types import InferredDimension
from cntk.default_options import default_override_or
from cntk.errors import ArgumentError
from cntk.initializer import glorot_uniform
from cntk.layers.blocks import identity
from cntk.layers.convolution_options import ConvolutionOptions, convolution_options
from cntk.layers.options import (
    activated,
    first_value,
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
        pad: whether the convolution that this undoes pads its input, for all axes or for each.
        strides: steps between the places where filters are added, for all axes or for each.
        output_shape: the output's positions, without channels, which strides leave open; worked out
            if not given.
        dilation: distance of a filter's elements in the output, for all axes or for each.

    The other arguments, and errors: see `cntk.layers.Convolution`.

    Returns:
        A function of one argument ``[channels, *positions]`` with parameters ``W`` [channels,
        filters, *filter_shape] and ``b`` [filters, 1, ...].

    Example:
        >>> import cntk as C
        >>> layer = C.layers.ConvolutionTranspose(
        ...     (3, 3), 4, strides=2, pad=True, output_shape=(16, 16)
        ... )
        >>> layer(C.input_variable((2, 8, 8))).shape
        (4, 16, 16)
    """
    options = convolution_options(
        ConvolutionTranspose,
        filter_shape,
        num_filters,
        (activation, init, pad, bias, init_bias),
        (strides, sharing, dilation),
        reduction_rank,
        max_temp_mem_size_in_samples,
    )
    return _transposed(options, output_shape, name)


def _transposed(options: ConvolutionOptions, output_shape: Any, name: str) -> Function:
    """Make a `ConvolutionTranspose`, or a layer that is one."""
    layer, window, filters = options.layer, options.window, options.filters
    if not filters:
        raise ArgumentError(f"{layer}: num_filters: expected an integer, got None or ()")
    positions = (
        None
        if output_shape is None
        else sizes_per_axis(output_shape, window, f"{layer}: output_shape")
    )
    channels = (InferredDimension,) if options.reduction_rank else (1,)
    init = initial(options.init, layer, output_rank=-1, filter_rank=len(window))
    W = Parameter((*channels, *filters, *window), init=init, name="W")
    b = None
    if options.has_bias:
        init_bias = options.init_bias
        if init_bias is not None:
            init_bias = first_value(init_bias, f"{layer}: init_bias")
        b = Parameter((*filters, *(1,) * len(window)), init=init_bias, name="b")

    @BlockFunction("ConvolutionTranspose", name)
    def convolve_transposed(x: Any) -> Any:
        r = ops.convolution_transpose(
            W,
            ops.reshape(x, (1,), 0, 0) if options.reduction_rank == 0 else x,
            strides=options.strides,
            sharing=(True, *options.sharing),
            auto_padding=(False, *options.pad),
            output_shape=None if positions is None else (*filters, *positions),
            dilation=options.dilation,
            max_temp_mem_size_in_samples=options.memory,
        )
        return activated(r if b is None else r + b, options.activation)

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
    options = convolution_options(
        ConvolutionTranspose1D,
        window_of_rank(filter_shape, 1, "ConvolutionTranspose1D"),
        num_filters,
        (activation, init, pad, bias, init_bias),
        (strides, True, dilation),
        reduction_rank,
    )
    return _transposed(options, output_shape, name)


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
    options = convolution_options(
        ConvolutionTranspose2D,
        window_of_rank(filter_shape, 2, "ConvolutionTranspose2D"),
        num_filters,
        (activation, init, pad, bias, init_bias),
        (strides, True, dilation),
        reduction_rank,
    )
    return _transposed(options, output_shape, name)


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
    options = convolution_options(
        ConvolutionTranspose3D,
        window_of_rank(filter_shape, 3, "ConvolutionTranspose3D"),
        num_filters,
        (activation, init, pad, bias, init_bias),
        (strides, True, dilation),
        reduction_rank,
    )
    return _transposed(options, output_shape, name)
