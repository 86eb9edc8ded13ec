"""Convolution over one to three spatial axes, and its transpose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch.nn.functional import pad as pad_tensor

from cntk._errors import GraphError, shape_text
from cntk._graph.block import make_block
from cntk._graph.function import Composite
from cntk._graph.op import Kernel, Op, PrimitiveOp, primitive
from cntk._graph.types import InferredDimension, Shape, TensorType
from cntk._graph.variable import Variable, VariableKind
from cntk._ops.operands import apply, as_operands
from cntk._ops.windows import Windows, as_dims, as_flags, margins, spread

__all__ = ["convolution", "convolution_transpose"]

_CONVOLVE = {1: torch.conv1d, 2: torch.conv2d, 3: torch.conv3d}
_TRANSPOSE = {1: torch.conv_transpose1d, 2: torch.conv_transpose2d, 3: torch.conv_transpose3d}


@primitive(PrimitiveOp.Convolution)
@dataclass(frozen=True)
class Convolution(Op):
    """Sum over windows, weighted by a kernel; the first static axis is reduced.

    Attributes:
        kernel_shape: the window's shape, channels first; -1 for channels yet to be inferred.
        strides, dilation: one value for each axis of the window, or fewer for the last axes; -1 for the window's own
            size along the channel axis.
        sharing: whether a kernel is used at all positions of an axis.
        auto_padding: whether an axis is padded so that each element, or each ``stride``-th, is a window's centre.
        lower_pad, upper_pad: elements to pad with where ``auto_padding`` is false.
        transpose: whether operand and result change places.
        output_shape: the result's shape when transposed; ``(0,)`` to work it out.
        groups: into how many parts channels and filters are split.
        max_temp_mem_size_in_samples: kept for files; memory is the engine's affair.
        sequential: whether the axis after the channels is the sequence axis.
    """

    kernel_shape: Shape = (0,)
    strides: Shape = (1,)
    dilation: Shape = (1,)
    sharing: tuple[bool, ...] = (True,)
    auto_padding: tuple[bool, ...] = (True,)
    lower_pad: Shape = (0,)
    upper_pad: Shape = (0,)
    transpose: bool = False
    output_shape: Shape = (0,)
    groups: int = 1
    max_temp_mem_size_in_samples: int = 0
    sequential: bool = False

    def attributes(self) -> dict[str, Any]:
        return super().attributes() | {"autoPadding": list(self.auto_padding), "sharing": list(self.sharing)}

    def infer(self, *operands: TensorType) -> TensorType:
        kernel, x = operands
        self._check_ranks(kernel.shape, x.shape)
        shape = self._transposed_shape(kernel.shape, x.shape) if self.transpose else self._shape(kernel.shape, x.shape)
        return TensorType(shape, x.dynamic_axes, x.dtype)

    def complete(self, *operands: TensorType) -> tuple[TensorType, ...]:
        kernel, x = operands
        channel = 0 if self.transpose else kernel.rank - x.rank
        if not 0 <= channel < kernel.rank or x.rank == 0 or kernel.shape[channel] != InferredDimension or x.shape[0] < 0:
            return operands
        dims = list(kernel.shape)
        dims[channel] = x.shape[0] if self.transpose else x.shape[0] // self.groups
        return kernel.with_shape(tuple(dims)), x

    def settled(self, *operands: TensorType) -> Convolution:
        """The same operation with one attribute for each axis, as files hold it, once the operands' ranks are known."""
        kernel, x = operands
        if not x.has_shape or kernel.rank - x.rank not in (0, 1) or x.rank == 0:
            return self
        window = kernel.shape[-x.rank :]
        own = x.shape[0] if self.transpose else window[0]
        return replace(
            self,
            kernel_shape=window,
            strides=tuple(own if s == InferredDimension else s for s in spread(self.strides, x.rank, "strides")),
            dilation=spread(self.dilation, x.rank, "dilations"),
            sharing=spread(self.sharing, x.rank, "sharing flags"),
            auto_padding=spread(self.auto_padding, x.rank, "padding flags"),
            lower_pad=spread(self.lower_pad, x.rank, "paddings"),
            upper_pad=spread(self.upper_pad, x.rank, "paddings"),
        )

    def _check_ranks(self, kernel: Shape, x: Shape) -> None:
        if not x or len(kernel) - len(x) not in (0, 1):
            layout = "[channels x filters x window]" if self.transpose else "[filters x channels x window]"
            raise GraphError(
                f"the kernel {shape_text(kernel)} must have one axis more than the operand {shape_text(x)}: {layout} on "
                "[channels x positions]"
            )
        if any(d < 0 for d in kernel[len(kernel) - len(x) + 1 :]):
            raise GraphError(f"the kernel {shape_text(kernel)} must have known dimensions but for its channels")

    def _windows(self, window: Shape) -> list[Windows]:
        """Along each axis of a window; channels, which no dilation concerns, first."""
        rank = len(window)
        strides = spread(self.strides, rank, "strides")
        dilation = (1, *spread(self.dilation, rank, "dilations")[1:])
        padding = spread(self.auto_padding, rank, "padding flags")
        lower, upper = spread(self.lower_pad, rank, "paddings"), spread(self.upper_pad, rank, "paddings")
        return [
            Windows(size, size if stride == InferredDimension else stride, pad, dilated, low, high)
            for size, stride, pad, dilated, low, high in zip(window, strides, padding, dilation, lower, upper, strict=True)
        ]

    def _shape(self, kernel: Shape, x: Shape) -> Shape:
        filters = kernel[0] if len(kernel) > len(x) else 1
        window = kernel[-len(x) :]
        channels, *spatial = self._windows(window)
        if x[0] < 0 or window[0] < 0:
            count = -1
        elif self.groups > 1:
            self._check_groups(filters, window[0], x[0])
            count = channels.count(x[0]) if channels.auto_pad else 1
        else:
            count = channels.count(x[0])
        return (count if count < 0 else filters * count, *(w.count(n) for w, n in zip(spatial, x[1:], strict=True)))

    def _check_groups(self, filters: int, kernel_channels: int, channels: int) -> None:
        if filters % self.groups or kernel_channels * self.groups != channels:
            raise GraphError(
                f"{self.groups} groups need {self.groups} times the kernel's channels ({kernel_channels}) as the operand's "
                f"({channels}), and a number of filters ({filters}) that {self.groups} divides"
            )

    def _transposed_shape(self, kernel: Shape, x: Shape) -> Shape:
        """The shape that a convolution with this kernel turns into the operand's."""
        inputs = kernel[0] if len(kernel) > len(x) else 1
        if inputs >= 0 and x[0] >= 0 and inputs != x[0]:
            raise GraphError(f"the kernel is for {inputs} channels and the operand has {x[0]}; their first axes must agree")
        window = kernel[-len(x) :]
        windows = self._windows(window)[1:]
        if self.output_shape != (0,):
            if len(self.output_shape) != len(x) or self.output_shape[0] != window[0]:
                raise GraphError(f"output_shape {shape_text(self.output_shape)} must have {len(x)} axes, {window[0]} channels first")
            counts = tuple(w.count(n) for w, n in zip(windows, self.output_shape[1:], strict=True))
            if any(n >= 0 and c != n for c, n in zip(counts, x[1:], strict=True)):
                raise GraphError(
                    f"a convolution of output_shape {shape_text(self.output_shape)} gives {shape_text(counts)} positions, and "
                    f"the operand has {shape_text(x[1:])}"
                )
            return self.output_shape
        sizes = (n if n < 0 else (n - 1) * w.stride + (1 if w.auto_pad else w.extent) for w, n in zip(windows, x[1:], strict=True))
        return (window[0], *sizes)

    def lower(self, *operands: TensorType) -> Kernel:
        kernel, x = operands
        if not all(self.sharing):
            raise GraphError("a kernel of its own for each position (sharing=[False]) is not supported; use sharing=[True]")
        if x.rank > 4:
            raise GraphError(f"{x.rank - 1} spatial axes; at most 3 can be convolved")
        windows = self._windows(kernel.shape[-x.rank :])
        if self.transpose:
            compute = _lower_transpose(windows[1:], x.shape[1:], self.infer(kernel, x).shape[1:], self.groups)
        else:
            channels = x.shape[0] // self.groups
            if windows[0].size != channels or windows[0].count(channels) != 1:
                raise GraphError(
                    f"windows that cover only some of the {x.shape[0]} channels, or padded channels, cannot be computed; "
                    "give the kernel all channels and auto_padding False for the channel axis: [False, True, ...]"
                )
            compute = _lower_convolution(windows[1:], x.shape[1:], self.groups)
        if kernel.rank == x.rank:
            compute = _with_one_filter(compute)
        return compute if x.lead else _without_rows(compute)


def _lower_convolution(windows: Sequence[Windows], lengths: Shape, groups: int) -> Kernel:
    if not windows:
        return lambda w, x: torch.nn.functional.linear(x, w)
    strides, dilation = [w.stride for w in windows], [w.dilation for w in windows]
    convolve = _CONVOLVE[len(windows)]
    if all(w.symmetric(n) for w, n in zip(windows, lengths, strict=True)):
        padding = [w.before(n) for w, n in zip(windows, lengths, strict=True)]
        return lambda w, x: convolve(x, w, None, strides, padding, dilation, groups)
    edges = margins(windows, lengths)
    return lambda w, x: convolve(pad_tensor(x, edges), w, None, strides, 0, dilation, groups)


def _lower_transpose(windows: Sequence[Windows], lengths: Shape, result: Shape, groups: int) -> Kernel:
    if not windows:
        return lambda w, x: x @ w
    strides, dilation = [w.stride for w in windows], [w.dilation for w in windows]
    transpose = _TRANSPOSE[len(windows)]
    before = [w.before(m) for w, m in zip(windows, result, strict=True)]
    whole = [(n - 1) * w.stride + w.extent for w, n in zip(windows, lengths, strict=True)]
    extra = [m - (full - 2 * b) for m, full, b in zip(result, whole, before, strict=True)]
    if all(b >= 0 and 0 <= e < max(w.stride, w.dilation) for b, e, w in zip(before, extra, windows, strict=True)):
        return lambda w, x: transpose(x, w, None, strides, before, extra, groups, dilation)
    # Cut or fill the untrimmed result where torch's own padding cannot express the two ends.
    edges = [v for b, m, full in reversed(list(zip(before, result, whole, strict=True))) for v in (-b, m - full + b)]
    return lambda w, x: pad_tensor(transpose(x, w, None, strides, 0, 0, groups, dilation), edges)


def _with_one_filter(compute: Kernel) -> Kernel:
    return lambda w, x: compute(w.unsqueeze(0), x)


def _without_rows(compute: Kernel) -> Kernel:
    return lambda w, x: compute(w, x.unsqueeze(0)).squeeze(0)


def convolution(
    convolution_map: Any,
    operand: Any,
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
        convolution_map: the kernels, ``[filters, channels, *window]``, or ``[channels, *window]`` for a single one; the
            number of channels may be `InferredDimension`.
        operand: ``[channels, *positions]`` with one to three spatial axes.
        strides: steps between windows, one for all spatial axes or one for each; a further one at the front is for the
            channel axis.
        sharing: ``[True]``; kernels of their own for each position are not supported.
        auto_padding: whether to pad with zeros so that windows are centred on elements, one flag for all axes or one for
            each. The first flag of a full list is the channel axis's: leave it False, ``[False, True, True]``.
        sequential: whether the window's first spatial axis runs along the sequence axis of the operand
            ``[channels, *positions]``; the result is a sequence on an axis of its own.
        dilation: distance of the elements that a window looks at, one for all axes or one for each.
        reduction_rank: 1 if the operand has a channel axis, which is summed over; 0 if it has none.
        groups: number of parts into which channels and filters are split (Krizhevsky et al., 2012); the kernel then has
            ``channels / groups`` channels.
        max_temp_mem_size_in_samples: without effect; memory is the engine's affair.
        name: its name in the graph.

    Returns:
        A function with output ``[filters, *positions]``: without padding ``(length - window) // stride + 1`` positions along
        an axis, with it ``ceil(length / stride)``.

    Raises:
        GraphError: if kernel and operand do not fit.

    Example:
        >>> import numpy as np, cntk as C
        >>> x = C.input_variable((1, 3, 3))
        >>> kernel = C.constant(np.ones((1, 1, 2, 2), np.float32))
        >>> C.convolution(kernel, x, auto_padding=[False]).eval({x: np.arange(9, dtype=np.float32).reshape(1, 1, 3, 3)})
        array([[[[ 8., 12.],
                 [20., 24.]]]], dtype=float32)
    """
    kernel, x = as_operands((convolution_map, operand), "Convolution")
    op = Convolution(
        strides=as_dims(strides, "strides"),
        dilation=as_dims(dilation, "dilation"),
        sharing=as_flags(sharing),
        auto_padding=as_flags(auto_padding),
        groups=int(groups),
        max_temp_mem_size_in_samples=int(max_temp_mem_size_in_samples),
        sequential=bool(sequential),
    )
    if sequential:
        raise GraphError("sequential convolution is not supported yet")
    return _build(op, kernel, x, reduction_rank, "Convolution", name)


def convolution_transpose(
    convolution_map: Any,
    operand: Any,
    strides: Any = (1,),
    sharing: Any = [True],  # noqa: B006
    auto_padding: Any = [True],  # noqa: B006
    output_shape: Any = None,
    dilation: Any = (1,),
    reduction_rank: int = 1,
    max_temp_mem_size_in_samples: int = 0,
    name: str = "",
) -> Composite:
    """The transpose of a convolution: each position of the operand adds a kernel, weighted, to the result.

    It is the gradient of a convolution with respect to its operand, also known as deconvolution.

    Args:
        convolution_map: the kernels, ``[channels, filters, *window]``; the number of channels may be `InferredDimension`.
        operand: ``[channels, *positions]`` with one to three spatial axes.
        strides: steps between the places where kernels are added, one for all spatial axes or one for each.
        sharing: ``[True]``; kernels of their own for each position are not supported.
        auto_padding: whether the convolution that this is the transpose of pads its operand, one flag for all axes or one
            for each.
        output_shape: the result's shape ``[filters, *positions]``, which strides leave open; worked out if not given.
        dilation: distance of a kernel's elements in the result.
        reduction_rank: 1 if the operand has a channel axis; 0 if it has none.
        max_temp_mem_size_in_samples: without effect; memory is the engine's affair.
        name: its name in the graph.

    Returns:
        A function with output ``[filters, *positions]``: without ``output_shape`` ``(length - 1) * stride + window`` positions
        along an axis, or ``(length - 1) * stride + 1`` with padding.

    Raises:
        GraphError: if kernel, operand and ``output_shape`` do not fit.

    Example:
        >>> import numpy as np, cntk as C
        >>> x = C.input_variable((1, 2))
        >>> kernel = C.constant(np.array([[[1, 2, 3]]], np.float32))
        >>> C.convolution_transpose(kernel, x, strides=2, auto_padding=[False]).eval({x: [[[1, 10]]]})
        array([[[ 1.,  2., 13., 20., 30.]]], dtype=float32)
    """
    kernel, x = as_operands((convolution_map, operand), "ConvolutionTranspose")
    op = Convolution(
        strides=as_dims(strides, "strides"),
        dilation=as_dims(dilation, "dilation"),
        sharing=as_flags(sharing),
        auto_padding=as_flags(auto_padding),
        transpose=True,
        output_shape=(0,) if output_shape is None else as_dims(output_shape, "output_shape"),
        max_temp_mem_size_in_samples=int(max_temp_mem_size_in_samples),
    )
    return _build(op, kernel, x, reduction_rank, "ConvolutionTranspose", name)


def _build(op: Convolution, kernel: Variable, x: Variable, reduction_rank: int, block_name: str, name: str) -> Composite:
    if reduction_rank not in (0, 1):
        raise GraphError(f"{block_name}: reduction_rank must be 1 (the operand has a channel axis) or 0, got {reduction_rank}")
    if reduction_rank == 0:
        return _without_channels(op, kernel, x, block_name, name)
    op = _channel_defaults(op, kernel.shape)
    if kernel.type_.has_shape and x.type_.has_shape:
        op = op.settled(*op.complete(kernel.type_, x.type_))
    return apply(op, (kernel, x), name)


def _channel_defaults(op: Convolution, kernel: Shape) -> Convolution:
    """Options given for the spatial axes alone keep clear of the channel axis where the kernel leaves it open."""
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


def _without_channels(op: Convolution, kernel: Variable, x: Variable, block_name: str, name: str) -> Composite:
    """A block that gives kernel and operand a channel axis of one."""
    from cntk._ops.reshaping import reshape

    inner = Variable.make(VariableKind.Placeholder, x.type_)
    pairs = [(inner, x)]
    inside = kernel
    if kernel.is_output or kernel.is_placeholder or kernel.is_input:
        inside = Variable.make(VariableKind.Placeholder, kernel.type_)
        pairs.insert(0, (inside, kernel))
    rank = kernel.type_.rank
    spatial = x.type_.rank if x.type_.has_shape else rank - 1
    if rank - spatial not in (0, 1):
        raise GraphError(
            f"{block_name}: the kernel {shape_text(kernel.shape)} must have as many axes as the operand {shape_text(x.shape)}, or "
            "one more for the filters, when reduction_rank is 0"
        )
    op = replace(
        op,
        strides=(1, *spread(op.strides, spatial, "strides")),
        dilation=(1, *spread(op.dilation, spatial, "dilations")),
        auto_padding=(False, *spread(op.auto_padding, spatial, "padding flags")),
    )
    at = 0 if op.transpose else rank - spatial
    operands = [f.output for f in (reshape(inside, (1,), at, at), reshape(inner, (1,), 0, 0))]
    if x.type_.has_shape:
        op = op.settled(*(v.type_ for v in operands))
    return make_block(apply(op, operands), pairs, block_name, name)
