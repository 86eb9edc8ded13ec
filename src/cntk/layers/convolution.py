"""Convolution layers, over static axes and along sequences."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np

from cntk import ops
from cntk._arguments import as_flag, shown
from cntk._graph.define import BlockFunction
from cntk._graph.function import Function
from cntk._graph.types import InferredDimension
from cntk.axis import Axis
from cntk.default_options import default_override_or
from cntk.errors import ArgumentError
from cntk.initializer import glorot_uniform
from cntk.layers.blocks import UntestedBranchError, identity
from cntk.layers.convolution_options import ConvolutionOptions, convolution_options
from cntk.layers.options import (
    Shape,
    activated,
    first_value,
    fitted,
    initial,
    shape_for,
    window_of_rank,
)
from cntk.typing import ActivationLike, InitializerLike, ShapeLike
from cntk.variables import Parameter

__all__ = [
    "Convolution",
    "Convolution1D",
    "Convolution2D",
    "Convolution3D",
    "SequentialConvolution",
]


def Convolution(
    filter_shape: ShapeLike,
    num_filters: Any = None,
    sequential: bool = False,
    activation: ActivationLike = default_override_or(identity),
    init: InitializerLike = default_override_or(glorot_uniform()),
    pad: Any = default_override_or(False),
    strides: Any = 1,
    sharing: Any = True,
    bias: Any = default_override_or(True),
    init_bias: InitializerLike = default_override_or(0),
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
        sequential: whether the window's first axis runs along the sequence axis; see also
            `SequentialConvolution`, which knows strides.
        activation: what is applied to the sum; none by default.
        init: initial value of ``W``.
        pad: whether to pad with zeros so that windows are centred on elements, for all axes or for
            each.
        strides: steps between windows, for all axes or for each.
        sharing: whether a filter is the same at all positions; it must be.
        bias: whether there is a ``b``.
        init_bias: initial value of ``b``.
        reduction_rank: 1 if the input has a channel axis, 0 if it has none.
        transpose_weight: must be False.
        dilation: distance of the elements that a window looks at, for all axes or for each.
        groups: must be 1; `cntk.convolution` knows groups.
        max_temp_mem_size_in_samples: without effect.
        op_name: without effect.
        name: its name in the graph.

    Returns:
        A function of one argument ``[channels, *positions]`` with parameters ``W`` [filters,
        channels, *filter_shape] and ``b`` [filters, 1, ...].

    Raises:
        NotImplementedError, ValueError: for arguments that are not supported or do not fit each
            other.

    Example:
        >>> import cntk as C
        >>> layer = C.layers.Convolution((3, 3), 8, pad=True, activation=C.relu)
        >>> layer(C.input_variable((3, 32, 32))).shape
        (8, 32, 32)
    """
    _refuse_unsupported("Convolution", groups, transpose_weight)
    options = convolution_options(
        Convolution,
        filter_shape,
        num_filters,
        (activation, init, pad, bias, init_bias),
        (strides, sharing, dilation),
        reduction_rank,
        max_temp_mem_size_in_samples,
    )
    return _convolution(options, name, as_flag(sequential, "Convolution: sequential"))


def _convolution(options: ConvolutionOptions, name: str, sequential: bool = False) -> Function:
    """Make a `Convolution`, or a layer that is one."""
    window, filters, pad = options.window, options.filters, options.pad
    reduction_rank, strides = options.reduction_rank, options.strides
    if sequential and strides[0] != 1:
        UntestedBranchError(
            "Convolution: strides along the sequence axis; use SequentialConvolution"
        )
    W, b = _parameters(options, len(window))
    ahead = (window[0] - 1) // 2

    @BlockFunction("Convolution", name)
    def convolve(x: Any) -> Any:
        if reduction_rank == 0:
            x = ops.reshape(x, (1,), 0, 0)
        if sequential:
            x = _frames_around(x, window, ahead)
        r: Any = ops.convolution(
            W,
            x,
            strides=strides if reduction_rank else (1, *strides),
            sharing=(True, *options.sharing),
            auto_padding=(False, False, *pad[1:]) if sequential else (False, *pad),
            dilation=options.dilation,
            max_temp_mem_size_in_samples=options.memory,
        )
        if sequential and not pad[0] and window[0] > 1:
            r = ops.sequence.slice(r, ahead, ahead + 1 - window[0])
        if b is not None:
            r = r + b
        if sequential:
            r = _without_axis(r, len(window))
        if not filters:
            r = _without_axis(r, len(window) + 1 - sequential)
        return activated(r, options.activation)

    return convolve


def _refuse_unsupported(layer: str, groups: Any, transpose_weight: Any = False) -> None:
    if as_flag(transpose_weight, f"{layer}: transpose_weight"):
        raise NotImplementedError(
            f"{layer}: transpose_weight is not supported; use ConvolutionTranspose"
        )
    if not isinstance(groups, Real) or groups != 1:
        raise ArgumentError(
            f"{layer}: groups {shown(groups)} is not supported by this layer; use cntk.convolution"
        )


def _parameters(options: ConvolutionOptions, bias_axes: int) -> tuple[Parameter, Parameter | None]:
    """Create the filters, and the bias if it has an initial value.

    A bias given as an array keeps the array's shape.
    """
    layer, window, init_bias = options.layer, options.window, options.init_bias
    filters = options.filters or (1,)
    channels = InferredDimension if options.reduction_rank else 1
    shape = shape_for((*filters, channels, *window), options.init)
    init = initial(options.init, layer, output_rank=-1, filter_rank=len(window))
    W = Parameter(shape, init=fitted(init, shape, layer), name="W")
    if init_bias is None or not options.has_bias:
        return W, None
    init_bias = first_value(init_bias, f"{layer}: init_bias")
    b_shape = np.shape(init_bias) or (*filters, *(1,) * bias_axes)
    return W, Parameter(b_shape, init=init_bias, name="b")


def _without_axis(x: Any, place: int) -> Any:
    """Remove an axis of one element, the ``place``-th from the end."""
    return ops.reshape(x, (), -place, 1 - place or None)


def _frames_around(x: Any, window: Shape, ahead: int) -> Any:
    """Each frame with its neighbours, on a new static axis before the window's other axes."""
    place = 1 - len(window) if len(window) > 1 else Axis.new_leading_axis()
    x = ops.reshape(x, (1,), place, place)
    shifts = range(ahead, ahead - window[0], -1)
    return ops.splice(*[ops.sequence.delay(x, 0, k) if k else x for k in shifts], axis=-len(window))


def SequentialConvolution(
    filter_shape: ShapeLike,
    num_filters: Any = None,
    activation: ActivationLike = default_override_or(identity),
    init: InitializerLike = default_override_or(glorot_uniform()),
    pad: Any = default_override_or(False),
    strides: Any = 1,
    sharing: Any = True,
    bias: Any = default_override_or(True),
    init_bias: InitializerLike = default_override_or(0),
    reduction_rank: int = 1,
    transpose_weight: bool = False,
    dilation: Any = 1,
    groups: int = 1,
    max_temp_mem_size_in_samples: int = 0,
    op_name: str = "Convolution",
    name: str = "",
) -> Function:
    """Convolution layer whose window's first axis runs along the sequence axis; each sequence is
    convolved on its own.

    Args:
        filter_shape: the window's shape without channels: frames first, then the frames' own
            positions.

    The other arguments, and errors: see `Convolution`.

    Returns:
        A function of one sequence of frames ``[channels, *positions]`` with parameters ``W``
        [filters, channels, *filter_shape] and ``b`` [filters, 1, ...]. Without padding a sequence
        of n frames gives ``(n - window) // stride + 1``, with it ``ceil(n / stride)``.

    Example:
        >>> import cntk as C
        >>> layer = C.layers.SequentialConvolution(3, 1, init=1, pad=True, bias=False)
        >>> x = C.sequence.input_variable(1)
        >>> layer(x).eval({x: [[[1], [2], [3], [4]]]})[0].ravel()
        array([3., 6., 9., 7.], dtype=float32)
    """
    _refuse_unsupported("SequentialConvolution", groups, transpose_weight)
    options = convolution_options(
        SequentialConvolution,
        filter_shape,
        num_filters,
        (activation, init, pad, bias, init_bias),
        (strides, sharing, dilation),
        reduction_rank,
        max_temp_mem_size_in_samples,
    )
    W, b = _parameters(options, len(options.window) - 1)

    @BlockFunction("Convolution", name)
    def convolve(x: Any) -> Any:
        r: Any = ops.convolution(
            W,
            ops.reshape(x, (1,), 0, 0) if reduction_rank == 0 else x,
            strides=options.strides,
            sharing=(True, *options.sharing),
            auto_padding=(False, *options.pad),
            sequential=True,
            dilation=options.dilation,
            max_temp_mem_size_in_samples=options.memory,
        )
        r = r if b is None else r + b
        r = r if options.filters else _without_axis(r, len(options.window))
        return activated(r, options.activation)

    return convolve


def Convolution1D(
    filter_shape: ShapeLike,
    num_filters: Any = None,
    activation: ActivationLike = default_override_or(identity),
    init: InitializerLike = default_override_or(glorot_uniform()),
    pad: Any = default_override_or(False),
    strides: Any = 1,
    bias: Any = default_override_or(True),
    init_bias: InitializerLike = default_override_or(0),
    reduction_rank: int = 1,
    dilation: Any = 1,
    name: str = "",
) -> Function:
    """`Convolution` over one axis; ``filter_shape`` is a number.

    Example:
        >>> import cntk as C
        >>> C.layers.Convolution1D(3, 8)(C.input_variable((2, 10))).shape
        (8, 8)
    """
    options = convolution_options(
        Convolution1D,
        window_of_rank(filter_shape, 1, "Convolution1D"),
        num_filters,
        (activation, init, pad, bias, init_bias),
        (strides, True, dilation),
        reduction_rank,
    )
    return _convolution(options, name)


def Convolution2D(
    filter_shape: ShapeLike,
    num_filters: Any = None,
    activation: ActivationLike = default_override_or(identity),
    init: InitializerLike = default_override_or(glorot_uniform()),
    pad: Any = default_override_or(False),
    strides: Any = 1,
    bias: Any = default_override_or(True),
    init_bias: InitializerLike = default_override_or(0),
    reduction_rank: int = 1,
    dilation: Any = 1,
    groups: int = 1,
    name: str = "",
) -> Function:
    """`Convolution` over two axes; ``filter_shape`` is a number or a pair.

    Example:
        >>> import cntk as C
        >>> C.layers.Convolution2D((3, 5), 8)(C.input_variable((2, 10, 10))).shape
        (8, 8, 6)
    """
    _refuse_unsupported("Convolution2D", groups)
    options = convolution_options(
        Convolution2D,
        window_of_rank(filter_shape, 2, "Convolution2D"),
        num_filters,
        (activation, init, pad, bias, init_bias),
        (strides, True, dilation),
        reduction_rank,
    )
    return _convolution(options, name)


def Convolution3D(
    filter_shape: ShapeLike,
    num_filters: Any = None,
    activation: ActivationLike = default_override_or(identity),
    init: InitializerLike = default_override_or(glorot_uniform()),
    pad: Any = default_override_or(False),
    strides: Any = 1,
    bias: Any = default_override_or(True),
    init_bias: InitializerLike = default_override_or(0),
    reduction_rank: int = 1,
    dilation: Any = 1,
    groups: int = 1,
    name: str = "",
) -> Function:
    """`Convolution` over three axes; ``filter_shape`` is a number or a triple.

    Example:
        >>> import cntk as C
        >>> C.layers.Convolution3D((3, 3, 3), 8, pad=True)(C.input_variable((2, 5, 10, 10))).shape
        (8, 5, 10, 10)
    """
    _refuse_unsupported("Convolution3D", groups)
    options = convolution_options(
        Convolution3D,
        window_of_rank(filter_shape, 3, "Convolution3D"),
        num_filters,
        (activation, init, pad, bias, init_bias),
        (strides, True, dilation),
        reduction_rank,
    )
    return _convolution(options, name)
