"""Convolution as an operation: shapes, and the torch calls that compute it and its transpose."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import linear, pad as pad_tensor

from cntk._graph.op import Kernel, Op, PrimitiveOp, primitive
from cntk._graph.positions import Positions
from cntk._graph.types import InferredDimension, Shape, TensorType
from cntk._ops.nn.windows import (
    Windows,
    centres,
    channels_last,
    margins,
    regular,
    regular_channels_last,
    spread,
)
from cntk._wording import shape_text
from cntk.errors import GraphError

_CONVOLVE = {1: torch.conv1d, 2: torch.conv2d, 3: torch.conv3d}
_TRANSPOSE = {1: torch.conv_transpose1d, 2: torch.conv_transpose2d, 3: torch.conv_transpose3d}


def _convolve(x: Tensor, w: Tensor, bias: Tensor | None, *options: Any) -> Tensor:
    # Recorded code of a loop does not see that the minibatch is one sample.
    grouped = options[-1] > 1
    return _CONVOLVE[x.dim() - 2](
        _with_safe_strides(x, grouped), _with_safe_strides(w), bias, *options
    )


def _transpose(x: Tensor, w: Tensor, *options: Any) -> Tensor:
    return _TRANSPOSE[x.dim() - 2](
        regular(x) if 1 in x.shape else x, regular(w) if 1 in w.shape else w, *options
    )


def _with_safe_strides(x: Tensor, doubtful: bool = False) -> Tensor:
    """Return an operand with strides that torch's kernels read correctly; images with channels
    last, which is fast.
    """
    if doubtful or 1 in x.shape:
        return regular_channels_last(x)
    return channels_last(x) if x.dim() == 4 else x


@primitive(PrimitiveOp.Convolution)
@dataclass(frozen=True)
class Convolution(Op):
    """Weighted sum over windows, the weights being a kernel; the first static axis is reduced.

    Attributes:
        kernel_shape: the window's shape, channels first; -1 for channels yet to be inferred.
        strides, dilation: one value for each axis of the window, or fewer for the last axes; -1 for
            the window's own size along the channel axis.
        sharing: whether a kernel is used at all positions of an axis.
        auto_padding: whether an axis is padded so that each element, or each ``stride``-th, is a
            window's centre.
        lower_pad, upper_pad: elements to pad with where ``auto_padding`` is false.
        transpose: whether it is a transposed convolution.
        output_shape: the result's shape when transposed; ``(0,)`` to work it out.
        groups: into how many parts channels and filters are split.
        max_temp_mem_size_in_samples: kept for files; memory is the engine's affair.
        sequential: whether the axis after the channels is the sequence axis.
    """

    operand_counts = (2,)
    keeps_axes = True

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
        return super().attributes() | {
            "autoPadding": list(self.auto_padding),
            "sharing": list(self.sharing),
        }

    def check(self) -> None:
        if self.groups < 1:
            raise GraphError(f"groups must be 1 or more, got {self.groups}")

    def infer(self, *operands: TensorType) -> TensorType:
        kernel, x = operands
        if kernel.has_batch_axis:
            raise GraphError(
                "the kernel must be a parameter, a constant or a function of them, without a batch "
                "axis"
            )
        self._check_ranks(kernel.shape, x.shape)
        shape = (
            self._transposed_shape(kernel.shape, x.shape)
            if self.transpose
            else self._shape(kernel.shape, x.shape)
        )
        return TensorType(shape, x.dynamic_axes, x.dtype)

    def complete(self, *operands: TensorType) -> tuple[TensorType, ...]:
        kernel, x = operands
        channel = 0 if self.transpose else kernel.rank - x.rank
        if (
            not 0 <= channel < kernel.rank
            or x.rank == 0
            or kernel.shape[channel] != InferredDimension
            or x.shape[0] < 0
        ):
            return operands
        dims = list(kernel.shape)
        dims[channel] = x.shape[0] if self.transpose else x.shape[0] // self.groups
        return kernel.with_shape(tuple(dims)), x

    def canonical_for_disk(self, *operands: TensorType) -> Convolution:
        """Return the same operation with one value for each axis in each attribute, as in files,
        once the operands' ranks are known.
        """
        kernel, x = operands
        if not x.has_shape or kernel.rank - x.rank not in (0, 1) or x.rank == 0:
            return self
        window = kernel.shape[-x.rank :]
        own = x.shape[0] if self.transpose else window[0]
        return replace(
            self,
            kernel_shape=window,
            strides=tuple(
                own if s == InferredDimension else s
                for s in spread(self.strides, x.rank, "strides")
            ),
            dilation=spread(self.dilation, x.rank, "dilations"),
            sharing=spread(self.sharing, x.rank, "sharing flags"),
            auto_padding=spread(self.auto_padding, x.rank, "padding flags"),
            lower_pad=spread(self.lower_pad, x.rank, "paddings"),
            upper_pad=spread(self.upper_pad, x.rank, "paddings"),
        )

    def _check_ranks(self, kernel: Shape, x: Shape) -> None:
        if not x or len(kernel) - len(x) not in (0, 1):
            layout = (
                "[channels x filters x window]"
                if self.transpose
                else "[filters x channels x window]"
            )
            raise GraphError(
                f"the kernel {shape_text(kernel)} must have one axis more than the operand "
                f"{shape_text(x)}: {layout} on [channels x positions]"
            )
        if any(d < 0 for d in kernel[len(kernel) - len(x) + 1 :]):
            raise GraphError(
                f"the kernel {shape_text(kernel)} must have known dimensions but for its channels"
            )

    def windows(self, window: Shape) -> list[Windows]:
        """Return the windows along each axis; for channels, the first axis, without dilation."""
        rank = len(window)
        strides = spread(self.strides, rank, "strides")
        dilation = (1, *spread(self.dilation, rank, "dilations")[1:])
        padding = spread(self.auto_padding, rank, "padding flags")
        lower, upper = (
            spread(self.lower_pad, rank, "paddings"),
            spread(self.upper_pad, rank, "paddings"),
        )
        return [
            Windows(size, size if stride == InferredDimension else stride, pad, dilated, low, high)
            for size, stride, pad, dilated, low, high in zip(
                window, strides, padding, dilation, lower, upper, strict=True
            )
        ]

    def _shape(self, kernel: Shape, x: Shape) -> Shape:
        filters = kernel[0] if len(kernel) > len(x) else 1
        window = kernel[-len(x) :]
        channels, *spatial = self.windows(window)
        if x[0] < 0 or window[0] < 0:
            count = -1
        elif self.groups > 1:
            self._check_groups(filters, window[0], x[0])
            count = channels.fit(x[0]) if channels.auto_pad else 1
        else:
            count = channels.fit(x[0])
        return (
            count if count < 0 else filters * count,
            *(w.fit(n) for w, n in zip(spatial, x[1:], strict=True)),
        )

    def _check_groups(self, filters: int, kernel_channels: int, channels: int) -> None:
        if filters % self.groups or kernel_channels * self.groups != channels:
            raise GraphError(
                f"{self.groups} groups need {self.groups} times the kernel's channels "
                f"({kernel_channels}) as the operand's ({channels}), and a number of filters "
                f"({filters}) that {self.groups} divides"
            )

    def _transposed_shape(self, kernel: Shape, x: Shape) -> Shape:
        """Infer the shape that a convolution with this kernel turns into the operand's."""
        inputs = kernel[0] if len(kernel) > len(x) else 1
        if inputs >= 0 and x[0] >= 0 and inputs != x[0]:
            raise GraphError(
                f"the kernel is for {inputs} channels and the operand has {x[0]}; their first axes "
                f"must agree"
            )
        window = kernel[-len(x) :]
        windows = self.windows(window)[1:]
        if self.output_shape != (0,):
            if len(self.output_shape) != len(x) or self.output_shape[0] != window[0]:
                raise GraphError(
                    f"output_shape {shape_text(self.output_shape)} must have {len(x)} axes, "
                    f"{window[0]} channels first"
                )
            counts = tuple(w.fit(n) for w, n in zip(windows, self.output_shape[1:], strict=True))
            if any(n >= 0 and c != n for c, n in zip(counts, x[1:], strict=True)):
                raise GraphError(
                    f"a convolution of output_shape {shape_text(self.output_shape)} gives "
                    f"{shape_text(counts)} positions, and the operand has {shape_text(x[1:])}; "
                    f"leave output_shape out to have it inferred"
                )
            return self.output_shape
        sizes = (
            n if n < 0 else (n - 1) * w.stride + (1 if w.auto_pad else w.extent)
            for w, n in zip(windows, x[1:], strict=True)
        )
        return (window[0], *sizes)

    def lower(self, *operands: TensorType) -> Kernel:
        kernel, x = operands
        self.check_computable(kernel, x)
        windows = self.windows(kernel.shape[-x.rank :])[1:]
        if self.transpose:
            compute = _lower_transpose(
                windows, x.shape[1:], self.infer(kernel, x).shape[1:], self.groups
            )
        else:
            compute = self.along_channels(
                kernel, x, lower_convolution(windows, x.shape[1:], self.groups)
            )
        if kernel.rank == x.rank:
            compute = _with_one_filter(compute)
        return compute if x.lead else _without_rows(compute)

    def multiplications(self, operands: tuple[TensorType, ...], result: TensorType) -> int:
        kernel, x = operands
        # Each weight is multiplied once for each position of a window.
        positions = x.shape[1:] if self.transpose else result.shape[1:]
        return kernel.elements * math.prod(positions)

    def positions(self, *operands: TensorType) -> tuple[Positions | None, ...]:
        kernel, x = operands
        windows = self.windows(kernel.shape[-x.rank :])[1:]
        if not self.transpose:
            return None, centres(windows, x.shape[1:])
        output_centres = centres(windows, self.infer(kernel, x).shape[1:])
        return None, None if output_centres is None else (
            output_centres[0].inverse(),
            output_centres[1].inverse(),
        )

    def check_computable(self, kernel: TensorType, x: TensorType) -> None:
        """Refuse what a graph may hold and no kernel computes.

        Raises:
            GraphError: saying what.
        """
        if not all(self.sharing):
            raise GraphError(
                "a kernel of its own for each position (sharing=[False]) is not supported; use "
                "sharing=[True]"
            )
        if x.rank > 4:
            raise GraphError(f"{x.rank - 1} spatial axes; at most 3 can be convolved")
        if self.transpose:
            return
        filters = kernel.shape[0] if kernel.rank > x.rank else 1
        if self._channel_windows(kernel, x) is not None and (filters > 1 or self.groups > 1):
            raise GraphError(
                f"windows that cover only some of the {x.shape[0]} channels, or padded channels, "
                f"can be computed for a single filter only; give the kernel all channels and "
                f"auto_padding False for the channel axis: [False, True, ...]"
            )

    def _channel_windows(self, kernel: TensorType, x: TensorType) -> Windows | None:
        """Return the windows along the channel axis; None if one window has all channels."""
        channels = x.shape[0] // self.groups
        windows = self.windows(kernel.shape[-x.rank :])[0]
        return None if windows.size == channels and windows.count(channels) == 1 else windows

    def along_channels(self, kernel: TensorType, x: TensorType, convolve: Kernel) -> Kernel:
        """Return a kernel that slides a single filter along the channels too, as along one more
        spatial axis.
        """
        channels = self._channel_windows(kernel, x)
        if channels is None:
            return convolve
        length, size = x.shape[0], channels.size
        edges = [0, 0] * (x.rank - 1) + [channels.before(length), channels.after(length)]
        begins = [k * channels.stride for k in range(channels.count(length))]

        def compute(w: Tensor, x: Tensor, b: Tensor | None = None) -> Tensor:
            wide = pad_tensor(x, edges)
            return torch.cat([convolve(w, wide[:, begin : begin + size], b) for begin in begins], 1)

        return compute


@dataclass(frozen=True)
class Biased(Op):
    """A convolution and the addition of a bias for each filter, in one call."""

    convolution: Convolution

    op_name = "Convolution"

    def infer(self, *operands: TensorType) -> TensorType:
        return self.convolution.infer(*operands[:2])

    def multiplications(self, operands: tuple[TensorType, ...], result: TensorType) -> int:
        return self.convolution.multiplications(operands[:2], result)

    def lower(self, *operands: TensorType) -> Kernel:
        compute = self.convolution.lower(*operands[:2])
        return lambda w, x, b: compute(w, x, b.flatten())


def lower_convolution(windows: Sequence[Windows], lengths: Shape, groups: int) -> Kernel:
    """Return a kernel of weights, operand and an optional bias for each filter."""
    if not windows:
        return lambda w, x, b=None: linear(x, w, b)
    strides, dilation = [w.stride for w in windows], [w.dilation for w in windows]
    if all(w.symmetric(n) for w, n in zip(windows, lengths, strict=True)):
        padding = [w.before(n) for w, n in zip(windows, lengths, strict=True)]
        return lambda w, x, b=None: _convolve(x, w, b, strides, padding, dilation, groups)
    edges = margins(windows, lengths)
    return lambda w, x, b=None: _convolve(pad_tensor(x, edges), w, b, strides, 0, dilation, groups)


def _lower_transpose(
    windows: Sequence[Windows], lengths: Shape, result: Shape, groups: int
) -> Kernel:
    if not windows:
        return lambda w, x: x @ w
    strides, dilation = [w.stride for w in windows], [w.dilation for w in windows]
    before = [w.before(m) for w, m in zip(windows, result, strict=True)]
    whole = [(n - 1) * w.stride + w.extent for w, n in zip(windows, lengths, strict=True)]
    extra = [m - (full - 2 * b) for m, full, b in zip(result, whole, before, strict=True)]
    if all(
        b >= 0 and 0 <= e < max(w.stride, w.dilation)
        for b, e, w in zip(before, extra, windows, strict=True)
    ):
        return lambda w, x: _transpose(x, w, None, strides, before, extra, groups, dilation)
    # Cut or fill the untrimmed result where torch's own padding cannot express the two ends.
    edges = [
        v
        for b, m, full in reversed(list(zip(before, result, whole, strict=True)))
        for v in (-b, m - full + b)
    ]
    return lambda w, x: pad_tensor(_transpose(x, w, None, strides, 0, 0, groups, dilation), edges)


def _with_one_filter(compute: Kernel) -> Kernel:
    return lambda w, x: compute(w.unsqueeze(0), x)


def _without_rows(compute: Kernel) -> Kernel:
    return lambda w, x: compute(w, x.unsqueeze(0)).squeeze(0)
