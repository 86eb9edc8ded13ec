"""Binary convolutions: conversion of a model's convolutions, training, and conversion to native
functions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cntk import ops
from cntk._arguments import as_flag, shown
from cntk._graph.function import CloneMethod, Function
from cntk._graph.names.late_names import hand_on
from cntk._graph.variable import as_name
from cntk._ops.user.native_function import native_user_function
from cntk._wording import operation_text, shape_text
from cntk.contrib.netopt import native_convolution_id
from cntk.contrib.netopt.custom_convolution_ops import (
    CustomMultibit as CustomMultibit,
    CustomMultibitKernel as CustomMultibitKernel,
    CustomPySign as CustomPySign,
    CustomSign as CustomSign,
    Multibit as Multibit,
    MultibitKernel as MultibitKernel,
    SignWithEstimation as SignWithEstimation,
    pySign as pySign,
)
from cntk.contrib.netopt.factorization import optional_function
from cntk.errors import ArgumentError, ConversionError
from cntk.initializer import glorot_uniform
from cntk.layers.options import as_count, as_shape, initial
from cntk.misc.converter import convert
from cntk.variables import Parameter

__all__ = [
    "binarize_convolution",
    "binary_convolution",
    "convert_to_binary_convolution",
    "convert_to_native_binary_convolution",
]

Filter = Callable[[Function], bool]


def binarize_convolution(
    model: Function,
    train_function: Callable[[Function], Any],
    filter_function: Filter | None = None,
) -> Function:
    """Replace convolution layers by binary ones, train these, and turn them into such as run
    without Python.

    Args:
        model: the model; it is left as it is.
        train_function: called with the model of binary convolutions, whose filters are new: it
            trains them in place.
        filter_function: says of a convolution layer whether it is to be replaced; all are by
            default. (The original does not look at it here.)

    Returns:
        The trained model; see `convert_to_native_binary_convolution`.

    Raises:
        ConversionError: (a ValueError and AssertionError) without a ``train_function``, or for a
            layer that cannot be replaced.

    Example:
        >>> import cntk as C
        >>> x = C.input_variable((1, 4, 4))
        >>> model = C.layers.Dense(2)(C.layers.Convolution2D((3, 3), 2, name="signs")(x))
        >>> binary = binarize_convolution(
        ...     model, lambda z: print("to be trained:", [p.name for p in z.parameters])
        ... )
        to be trained: ['W', 'b', 'filter', 'b']
        >>> binary.shape
        (2,)
    """
    _check_model(model, "binarize_convolution")
    if not callable(train_function):
        raise ConversionError(
            "binarize_convolution: give a train_function: filters of binary convolutions are new"
        )
    binary = convert_to_binary_convolution(model, filter_function)
    train_function(binary)
    return convert_to_native_binary_convolution(binary)


def convert_to_binary_convolution(
    model: Function, filter_function: Filter | None = None
) -> Function:
    """Replace convolution layers in two dimensions by binary ones, to be trained.

    A layer's bias and activation stay and are shared with the old model; its filters are new, with
    random values. Its name is gone: the functions that were inside it stand in the graph instead.

    Args:
        model: the model; it is left as it is.
        filter_function: says of a convolution layer whether it is to be replaced; all are by
            default.

    Returns:
        A new model with a block ``BinaryConvolution`` for each; see `binary_convolution`.

    Raises:
        ConversionError: (a ValueError and AssertionError) for a layer that has not two dimensions
            and a channel axis, whose strides or padding differ between these, that is dilated, or
            whose input is not known yet.

    Example:
        >>> import cntk as C
        >>> x = C.input_variable((1, 4, 4))
        >>> model = C.layers.Convolution2D((3, 3), 2, activation=C.relu)(x)
        >>> binary = convert_to_binary_convolution(model)
        >>> [
        ...     f.op_name
        ...     for f in C.logging.depth_first_search(binary, lambda f: isinstance(f, C.Function))
        ... ]
        ['ReLU', 'Plus', 'BinaryConvolution']
    """

    _check_model(model, "convert_to_binary_convolution")
    filter_function = optional_function(
        filter_function, "convert_to_binary_convolution: filter_function", "of a layer"
    )

    def is_layer(function: Function) -> bool:
        is_match = function.op_name == "Convolution" and function.is_block
        return is_match and (filter_function is None or bool(filter_function(function)))

    def converted(layer: Function) -> Function:
        what = operation_text("Convolution", layer.name)
        inside = convert(
            ops.as_composite(layer.block_root), _is_convolution, lambda f: _binary(f, what)
        )
        return inside.clone(CloneMethod.share, dict(layer.block_arguments_mapping))

    return convert(model, is_layer, converted)


def _check_model(model: Any, function: str) -> None:
    if not isinstance(model, Function):
        raise ArgumentError(f"{function}: model: expected a function, got {shown(model)}")


def _is_convolution(function: Function) -> bool:
    return function.op_name == "Convolution" and not function.is_block


def _binary(convolution: Function, layer: str) -> Function:
    """Return a binary convolution to replace another, with the same window, strides and padding."""
    filters, operand = convolution.inputs
    attributes = convolution.attributes
    strides, padding = attributes["strides"], attributes["autoPadding"]
    what = f"convert_to_binary_convolution: {layer}"
    if len(filters.shape) != 4 or min(filters.shape) < 1:
        raise ConversionError(
            f"{what}: its filters must be of shape [filters x channels x height x width], and are "
            f"{shape_text(filters.shape)}; apply the model to an input of known shape first, or "
            f"leave the layer out by filter_function"
        )
    for key, values in (("strides", strides), ("autoPadding", padding)):
        if values[-1] != values[-2]:
            raise ConversionError(
                f"{what}: {key} must be the same in both dimensions, and are {list(values[-2:])}; "
                f"leave it out by filter_function"
            )
    if any(d != 1 for d in attributes["dilation"]):
        raise ConversionError(
            f"{what}: binary convolutions are not dilated; leave it out by filter_function"
        )
    layer_of = binary_convolution(
        filters.shape[2:],
        num_filters=filters.shape[0],
        channels=filters.shape[1],
        strides=strides[-1],
        pad=padding[-1],
    )
    return layer_of(operand)


def binary_convolution(
    filter_shape: tuple[int, ...],
    num_filters: int = 1,
    channels: int = 1,
    init: Any = glorot_uniform(),
    pad: bool = False,
    strides: int = 1,
    name: str = "BinaryConvolution",
) -> Callable[[Any], Function]:
    """Create a convolution of signs: filters and input are each their signs times their mean
    magnitude.

    Gradients pass straight through where an element is between -1 and 1; see `CustomMultibit`.

    Args:
        filter_shape: height and width of the filters.
        num_filters: how many there are.
        channels: the input's channels.
        init: initial value of the filters.
        pad: whether the output is of the input's size, divided by the strides.
        strides: the step from one position to the next.
        name: what the block is called.

    Returns:
        A function that makes of an operand ``[channels, height, width]`` a block with a parameter
        ``filter`` [num_filters, channels, *filter_shape], the same one whenever it is called.

    Example:
        >>> import cntk as C
        >>> x = C.input_variable((1, 2, 2))
        >>> layer = binary_convolution((2, 2), init=[[[[1, -3], [2, 2]]]])
        >>> layer(x).eval([[[[1, 1], [-2, 4]]]])
        array([[[[0.]]]], dtype=float32)
        >>> layer(x).eval([[[[1, -1], [2, 4]]]])
        array([[[[16.]]]], dtype=float32)
    """
    window = as_shape(filter_shape, "binary_convolution: filter_shape", least=1)
    num_filters = as_count(num_filters, "binary_convolution: num_filters")
    channels = as_count(channels, "binary_convolution: channels")
    (strides,) = as_shape(strides, "binary_convolution: strides", least=1)[:1] or (1,)
    pad = as_flag(pad, "binary_convolution: pad")
    as_name(name, "binary_convolution")
    init = initial(init, "binary_convolution")
    filters = Parameter((num_filters, channels, *window), init=init, name="filter")

    def convolution(operand: Any) -> Function:
        inner = ops.placeholder(operand.shape, operand.dynamic_axes, name="operand")
        signs = ops.convolution(
            CustomMultibit(filters, 1),
            CustomMultibit(inner, 1),
            strides=[strides],
            auto_padding=[False, pad, pad],
        )
        return ops.as_block(signs, [(inner, operand)], name)

    return convolution


def convert_to_native_binary_convolution(model: Function) -> Function:
    """Replace blocks ``BinaryConvolution`` by functions that compute the same without calling
    Python while they run.

    They share the filters with the old model, their gradients are the same, and they are written to
    files. A program that loads such a file imports `cntk.contrib.netopt` before. (The original
    needs a library written in Halide for this, which its packages lack.)

    Args:
        model: a model with binary convolutions; see `convert_to_binary_convolution`.

    Returns:
        A new model, with a function ``BinaryConvolveOp`` for each, or the program's own; see
        `cntk.contrib.netopt.try_register_native_convolve_function`.

    Raises:
        ConversionError: (a ValueError and AssertionError) for filters that are no squares.

    Example:
        >>> import cntk as C
        >>> x = C.input_variable((1, 4, 4))
        >>> native = convert_to_native_binary_convolution(binary_convolution((3, 3), 2)(x))
        >>> native.root_function.op_name, native.parameters[0].name, native.shape
        ('BinaryConvolveOp', 'filter', (2, 2, 2))
    """

    def is_binary(function: Function) -> bool:
        return function.op_name == "BinaryConvolution" and function.is_block

    def native(block: Function) -> Function:
        filters, operand = block.inputs
        if filters.shape[-1] != filters.shape[-2]:
            raise ConversionError(
                f"convert_to_native_binary_convolution: filters must be squares, and are "
                f"{shape_text(filters.shape[-2:])}"
            )
        attributes = block.block_root.attributes
        channels, height, width = operand.shape
        conv_attributes = {
            "stride": attributes["strides"][-1],
            "padding": attributes["autoPadding"][-1],
            "size": filters.shape[-1],
            "h": height,
            "w": width,
            "channels": channels,
            "filters": filters.shape[0],
        }
        return native_user_function(
            native_convolution_id(), [filters, operand], conv_attributes, "NativeBinaryConvolution"
        )

    return convert(model, is_binary, native)


hand_on(globals())
