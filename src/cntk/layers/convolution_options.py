"""The options that all layers of convolution take: defaults and overrides read, values checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cntk._arguments import as_flag, as_integer, shown
from cntk.default_options import get_default_override
from cntk.errors import SettingError
from cntk.layers.options import (
    Shape,
    as_activation,
    as_shape,
    check_reduction_rank,
    flags_per_axis,
    sizes_per_axis,
)

__all__ = ["ConvolutionOptions", "convolution_options"]


_OVERRIDABLE = ("activation", "init", "pad", "bias", "init_bias")


@dataclass(frozen=True)
class ConvolutionOptions:
    """Checked options of a layer of convolution.

    Attributes:
        layer: the layer's name, for errors.
        activation: what is applied to the sum, or None.
        init: initial value of the filters.
        init_bias: initial value of the bias.
        has_bias: whether there is a bias.
        window: the filters' shape without channels.
        filters: number of filters as a shape; empty if they get no axis.
        strides: for each axis of the window.
        sharing: for each axis of the window.
        pad: for each axis of the window.
        dilation: for each axis of the window.
        reduction_rank: number of channel axes of the input, 0 or 1.
        memory: what is passed on as max_temp_mem_size_in_samples.
    """

    layer: str
    activation: Callable[[Any], Any] | None
    init: Any
    init_bias: Any
    has_bias: bool
    window: Shape
    filters: Shape
    strides: Shape
    sharing: tuple[bool, ...]
    pad: tuple[bool, ...]
    dilation: Shape
    reduction_rank: int
    memory: int


def convolution_options(
    factory: Callable[..., Any],
    filter_shape: Any,
    num_filters: Any,
    overridable: tuple[Any, Any, Any, Any, Any],
    per_axis: tuple[Any, Any, Any],
    reduction_rank: Any,
    max_temp_mem_size_in_samples: Any = 0,
) -> ConvolutionOptions:
    """Read the options of a layer of convolution; `cntk.layers.Convolution` tells their meaning.

    Args:
        factory: the function that makes the layer: a default may be overridden for it alone.
        filter_shape: the window's shape.
        num_filters: number of filters, or None.
        overridable: activation, init, pad, bias and init_bias, or the marks of their defaults.
        per_axis: strides, sharing and dilation.
        reduction_rank: number of channel axes of the input.
        max_temp_mem_size_in_samples: passed on to the operation.

    Raises:
        TypeError, ValueError: for values that no such layer has.
    """
    layer = factory.__name__
    activation, init, pad, bias, init_bias = (
        get_default_override(factory, **{name: value})
        for name, value in zip(_OVERRIDABLE, overridable, strict=True)
    )
    strides, sharing, dilation = per_axis
    activation = as_activation(activation, layer)
    check_reduction_rank(reduction_rank, layer)
    window = as_shape(filter_shape, f"{layer}: filter_shape", least=1)
    if not window:
        raise SettingError(
            f"{layer}: filter_shape: expected at least one axis, got {shown(filter_shape)}"
        )
    return ConvolutionOptions(
        layer,
        activation,
        init,
        init_bias,
        as_flag(bias, f"{layer}: bias"),
        window,
        _filters(num_filters, layer),
        sizes_per_axis(strides, window, f"{layer}: strides"),
        flags_per_axis(sharing, window, f"{layer}: sharing"),
        flags_per_axis(pad, window, f"{layer}: pad"),
        sizes_per_axis(dilation, window, f"{layer}: dilation"),
        reduction_rank,
        as_integer(
            max_temp_mem_size_in_samples,
            f"{layer}: max_temp_mem_size_in_samples",
            least=0,
            most=2**64 - 1,
        ),
    )


def _filters(num_filters: Any, layer: str) -> Shape:
    filters = () if num_filters is None else as_shape(num_filters, f"{layer}: num_filters", least=1)
    if len(filters) > 1:
        raise ValueError(f"{layer}: num_filters must be a scalar, got {filters}")
    return filters
