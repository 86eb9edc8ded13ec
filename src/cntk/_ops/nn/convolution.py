"""Convolution over one to three spatial axes, and its transpose."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cntk._arguments import as_bool, as_integer
from cntk._graph.block import make_block
from cntk._graph.composite import Composite
from cntk._graph.primitive import misfit
from cntk._graph.types import InferredDimension, Shape
from cntk._graph.variable import Variable, VariableKind
from cntk._ops.nn.convolution_op import Convolution
from cntk._ops.nn.sequence_convolution import SequenceConvolution
from cntk._ops.nn.windows import as_dims, as_flags, spread
from cntk._ops.shape.reshape import reshape
from cntk._ops.support.operands import apply, as_operands
from cntk._wording import shape_text
from cntk.errors import GraphError
from cntk.typing import Operand, ShapeLike

__all__ = ["convolution", "convolution_transpose"]


def convolution(
    convolution_map: Any,
    operand: Operand,
    strides: Any = (1,),
    sharing: Any = [True],  # noqa: B006
    auto_padding: Any = [True],  # noqa: B006
    sequential: bool = False,
    dilation: Any = (1,),
    reduction_rank: int = 1,
    groups: int = 1,
    max_temp_mem_size_in_samples: int = 0,
    name: str = "",
) -> Composite:
    """Convolve an operand with a set of kernels (cross-correlation: kernels are not flipped).

    Args:
        convolution_map: the kernels, ``[filters, channels, *window]``, or ``[channels, *window]``
            for a single one; the number of channels may be `InferredDimension`.
        operand: ``[channels, *positions]`` with one to three spatial axes.
        strides: steps between windows, one for all spatial axes or one for each; a further one at
            the front is for the channel axis.
        sharing: ``[True]``; kernels of their own for each position are not supported.
        auto_padding: whether to pad with zeros so that windows are centred on elements, one flag
            for all axes or one for each. The first flag of a full list is the channel axis's: leave
            it False, ``[False, True, True]``.
        sequential: whether the window's first spatial axis runs along the sequence axis of the
            operand ``[channels, *positions]``; the result is a sequence on an axis of its own.
        dilation: distance of the elements that a window looks at, one for all axes or one for each.
        reduction_rank: 1 if the operand has a channel axis, which is summed over; 0 if it has none.
        groups: number of parts into which channels and filters are split (Krizhevsky et al., 2012);
            the kernel then has ``channels / groups`` channels.
        max_temp_mem_size_in_samples: without effect; memory is the engine's affair.
        name: its name in the graph.

    Returns:
        A function with output ``[filters, *positions]``: without padding ``(length - window) //
        stride + 1`` positions along an axis, with it ``ceil(length / stride)``.

    Raises:
        GraphError: if kernel and operand do not fit.

    Example:
        >>> import numpy as np, cntk as C
        >>> x = C.input_variable((1, 3, 3))
        >>> kernel = C.constant(np.ones((1, 1, 2, 2), np.float32))
        >>> C.convolution(kernel, x, auto_padding=[False]).eval(
        ...     {x: np.arange(9, dtype=np.float32).reshape(1, 1, 3, 3)}
        ... )
        array([[[[ 8., 12.],
                 [20., 24.]]]], dtype=float32)
    """
    kernel, x = as_operands((convolution_map, operand), "Convolution")
    op = Convolution(
        strides=as_dims(strides, "convolution: strides", 1),
        dilation=as_dims(dilation, "convolution: dilation", 1),
        sharing=as_flags(sharing, "convolution: sharing"),
        auto_padding=as_flags(auto_padding, "convolution: auto_padding"),
        groups=as_integer(groups, "convolution: groups", 1),
        max_temp_mem_size_in_samples=as_integer(
            max_temp_mem_size_in_samples, "convolution: max_temp_mem_size_in_samples", 0
        ),
        sequential=as_bool(sequential, "convolution: sequential"),
    )
    return _build(
        op,
        kernel,
        x,
        as_integer(reduction_rank, "convolution: reduction_rank", 0),
        "Convolution",
        name,
    )


def convolution_transpose(
    convolution_map: Any,
    operand: Operand,
    strides: Any = (1,),
    sharing: Any = [True],  # noqa: B006
    auto_padding: Any = [True],  # noqa: B006
    output_shape: ShapeLike | None = None,
    dilation: Any = (1,),
    reduction_rank: int = 1,
    max_temp_mem_size_in_samples: int = 0,
    name: str = "",
) -> Composite:
    """Compute the transpose of a convolution: each position of the operand adds a kernel, weighted,
    to the result.

    It is the gradient of a convolution with respect to its operand, also known as deconvolution.

    Args:
        convolution_map: the kernels, ``[channels, filters, *window]``; the number of channels may
            be `InferredDimension`.
        operand: ``[channels, *positions]`` with one to three spatial axes.
        strides: steps between the positions where kernels are added, one for all spatial axes or
            one for each.
        sharing: ``[True]``; kernels of their own for each position are not supported.
        auto_padding: whether the convolution that this is the transpose of pads its operand, one
            flag for all axes or one for each.
        output_shape: the result's shape ``[filters, *positions]``, which strides leave open; worked
            out if not given.
        dilation: distance of a kernel's elements in the result.
        reduction_rank: 1 if the operand has a channel axis; 0 if it has none.
        max_temp_mem_size_in_samples: without effect; memory is the engine's affair.
        name: its name in the graph.

    Returns:
        A function with output ``[filters, *positions]``: without ``output_shape`` ``(length - 1) *
        stride + window`` positions along an axis, or ``(length - 1) * stride + 1`` with padding.

    Raises:
        GraphError: if kernel, operand and ``output_shape`` do not fit.

    Example:
        >>> import numpy as np, cntk as C
        >>> x = C.input_variable((1, 2))
        >>> kernel = C.constant(np.array([[[1, 2, 3]]], np.float32))
        >>> C.convolution_transpose(kernel, x, strides=2, auto_padding=[False]).eval(
        ...     {x: [[[1, 10]]]}
        ... )
        array([[[ 1.,  2., 13., 20., 30.]]], dtype=float32)
    """
    kernel, x = as_operands((convolution_map, operand), "ConvolutionTranspose")
    op = Convolution(
        strides=as_dims(strides, "convolution_transpose: strides", 1),
        dilation=as_dims(dilation, "convolution_transpose: dilation", 1),
        sharing=as_flags(sharing, "convolution_transpose: sharing"),
        auto_padding=as_flags(auto_padding, "convolution_transpose: auto_padding"),
        transpose=True,
        output_shape=(0,)
        if output_shape is None
        else as_dims(output_shape, "convolution_transpose: output_shape", 0),
        max_temp_mem_size_in_samples=as_integer(
            max_temp_mem_size_in_samples, "convolution_transpose: max_temp_mem_size_in_samples", 0
        ),
    )
    return _build(
        op,
        kernel,
        x,
        as_integer(reduction_rank, "convolution_transpose: reduction_rank", 0),
        "ConvolutionTranspose",
        name,
    )


def _build(
    op: Convolution, kernel: Variable, x: Variable, reduction_rank: int, block_name: str, name: str
) -> Composite:
    if reduction_rank not in (0, 1):
        raise GraphError(
            f"{block_name}: reduction_rank must be 1 (the operand has a channel axis) or 0, got "
            f"{reduction_rank}"
        )
    if reduction_rank == 0:
        return _without_channels(op, kernel, x, block_name, name)
    try:
        op = _channel_defaults(op, kernel.shape)
        if kernel.type_.has_shape and x.type_.has_shape and not op.sequential:
            op = op.canonical_for_disk(*op.complete(kernel.type_, x.type_))
    except GraphError as error:
        raise misfit(block_name, name, error.reason or str(error), (kernel, x)) from None
    return apply(SequenceConvolution(op) if op.sequential else op, (kernel, x), name)


def _channel_defaults(op: Convolution, kernel: Shape) -> Convolution:
    """Extend options for the spatial axes alone by neutral values for the channel axis, where the
    kernel leaves it open.
    """
    if op.transpose:
        rank = len(kernel) - 1 if op.output_shape == (0,) else 0
    else:
        rank = len(kernel) - kernel.index(InferredDimension) if InferredDimension in kernel else 0
    if rank < 2:
        return op

    def widened(values: tuple[Any, ...], front: Any, what: str) -> tuple[Any, ...]:
        return (front, *spread(values, rank - 1, what)) if len(values) < rank else values

    return replace(
        op,
        strides=widened(op.strides, InferredDimension, "strides"),
        dilation=widened(op.dilation, 1, "dilations"),
        auto_padding=widened(op.auto_padding, False, "padding flags"),
    )


def _without_channels(
    op: Convolution, kernel: Variable, x: Variable, block_name: str, name: str
) -> Composite:
    """Build a block that inserts a channel axis of size 1 into kernel and operand."""
    inner = Variable.make(VariableKind.Placeholder, x.type_)
    pairs = [(inner, x)]
    inside = kernel
    if kernel.is_output or kernel.is_placeholder or kernel.is_input:
        inside = Variable.make(VariableKind.Placeholder, kernel.type_)
        pairs.insert(0, (inside, kernel))
    rank = kernel.type_.rank
    spatial = x.type_.rank + op.sequential if x.type_.has_shape else rank - 1
    if rank - spatial not in (0, 1):
        raise GraphError(
            f"{block_name}: with reduction_rank 0 the kernel {shape_text(kernel.shape)} must have "
            f"an axis for each of the operand's {shape_text(x.shape)}, and one for the filters if "
            f"there are several"
        )
    op = replace(
        op,
        strides=(1, *spread(op.strides, spatial, "strides")),
        dilation=(1, *spread(op.dilation, spatial, "dilations")),
        auto_padding=(False, *spread(op.auto_padding, spatial, "padding flags")),
    )
    at = 0 if op.transpose else rank - spatial
    operands = [f.output for f in (reshape(inside, (1,), at, at), reshape(inner, (1,), 0, 0))]
    if x.type_.has_shape and not op.sequential:
        op = op.canonical_for_disk(*(v.type_ for v in operands))
    return make_block(
        apply(SequenceConvolution(op) if op.sequential else op, operands), pairs, block_name, name
    )
