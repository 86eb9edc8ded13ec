"""Windows of a convolution or a pooling along one static axis, with CNTK's centred padding."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isfinite
from numbers import Integral
from typing import Any, TypeVar

import torch
from torch import Tensor

from cntk._arguments import as_bool, is_real, shown
from cntk._graph.positions import AxisMap, Positions
from cntk._graph.types import Shape
from cntk.errors import ArgumentError, GraphError

T = TypeVar("T")


@dataclass(frozen=True)
class Windows:
    """The windows along one axis.

    Attributes:
        size: elements that a window looks at.
        stride: how far apart two windows begin.
        auto_pad: whether windows may hang over both ends, centred on the axis; one window for each
            ``stride`` elements.
        dilation: distance of the elements that a window reads.
        lower, upper: elements to pad with at the axis's ends, where ``auto_pad`` is false.
        ceil: whether a last window that hangs over the end counts.
    """

    size: int
    stride: int = 1
    auto_pad: bool = False
    dilation: int = 1
    lower: int = 0
    upper: int = 0
    ceil: bool = False

    @property
    def extent(self) -> int:
        """Number of elements from a window's first to its last, counting both."""
        return (self.size - 1) * self.dilation + 1

    @property
    def trivial(self) -> bool:
        """True if every element is a window of its own."""
        return self.size == 1 and self.stride == 1 and self.lower == self.upper == 0

    def fit(self, length: int) -> int:
        """Return the same as `count`, but refuse a padded window that is longer than the axis.

        Raises:
            GraphError: if the window does not fit.
        """
        if 0 <= length < self.size - self.lower - self.upper:
            raise GraphError(
                f"the window is {self.size} long and the axis only {length}; use a shorter window, "
                f"or pad the operand with cntk.pad first"
            )
        return self.count(length)

    def count(self, length: int) -> int:
        """Return the number of windows along an axis; an unknown length (negative) stays unknown.

        Raises:
            GraphError: if the window does not fit.
        """
        if length < 0:
            return length
        room = length - 1 if self.auto_pad else length + self.lower + self.upper - self.extent
        if room < 0:
            raise GraphError(
                f"the window reaches over {self.extent} elements (dilation {self.dilation}) and "
                f"the axis is only {length} long; use a shorter window, a smaller dilation, or "
                f"padding"
            )
        return (-(-room // self.stride) if self.ceil else room // self.stride) + 1

    def before(self, length: int) -> int:
        """Return how many elements of the first window are before the axis's beginning; negative if
        it starts after it.
        """
        if not self.auto_pad:
            return self.lower
        spare = (length - 1) - (self.count(length) - 1) * self.stride
        return (self.extent - 1) // 2 - int(spare / 2)

    def after(self, length: int) -> int:
        """Return how many elements of the last window are beyond the axis's end; negative if
        elements are left over.
        """
        return (self.count(length) - 1) * self.stride + self.extent - self.before(length) - length

    def sees(self, length: int) -> list[bool]:
        """Return, for each window, whether any of the axis's elements is in it."""
        first = -self.before(length)
        begins = [first + k * self.stride for k in range(self.count(length))]
        return [begin < length and begin + self.extent > 0 for begin in begins]

    def symmetric(self, length: int) -> bool:
        """Return whether torch makes the same windows if both ends are padded by `before`."""
        pad = self.before(length)
        return pad >= 0 and (length + 2 * pad - self.extent) // self.stride + 1 == self.count(
            length
        )

    def centres(self, length: int) -> AxisMap:
        """Return the positions of the windows' centres on an axis; that of an even window is before
        its middle.
        """
        return AxisMap(
            Fraction(self.stride), Fraction((self.extent - 1) // 2 - self.before(length))
        )


def centres(windows: Sequence[Windows], lengths: Sequence[int]) -> Positions | None:
    """Return the positions of the windows' centres along the last two axes; None if there are fewer
    axes.
    """
    if len(windows) < 2:
        return None
    row, column = (w.centres(n) for w, n in zip(windows[-2:], lengths[-2:], strict=True))
    return row, column


def margins(windows: Sequence[Windows], lengths: Sequence[int]) -> list[int]:
    """Return the padding for `torch.nn.functional.pad` after which the same windows need none: the
    last axis first.
    """
    pairs = [(w.before(n), w.after(n)) for w, n in zip(windows, lengths, strict=True)]
    return [value for pair in reversed(pairs) for value in pair]


def spread(values: Sequence[T], rank: int, what: str) -> tuple[T, ...]:
    """Return one value for each of ``rank`` axes: the values are for the last ones, the first of
    them for all before.

    Raises:
        GraphError: if there are none or too many.

    Example:
        >>> spread((2, 3), 3, "strides")
        (2, 2, 3)
    """
    if not 0 < len(values) <= rank:
        raise GraphError(
            f"expected 1 to {rank} {what}, one for each axis or one for all, got {tuple(values)}"
        )
    return (values[0],) * (rank - len(values)) + tuple(values)


def as_dims(values: Any, what: str, least: int | None = None) -> Shape:
    """Convert strides, dilations or a window's shape, a number or a sequence of them, to a tuple.

    Raises:
        ArgumentError: for anything else, nothing at all, or sizes less than ``least``.
    """
    if (
        type(values) is tuple
        and values
        and all(type(n) is int and (least is None or n >= least) for n in values)
    ):
        return values  # as nearly always
    numbers = (
        tuple(values)
        if isinstance(values, Iterable) and not isinstance(values, (str, Mapping))
        else (values,)
    )
    fits = all(
        is_real(n) and isfinite(n) and int(n) == n and (least is None or n >= least)
        for n in numbers
    )
    if not numbers or not fits:
        limit = "" if least is None else f", {least} or more"
        raise ArgumentError(
            f"{what}: expected an integer or a tuple of integers{limit}, got {shown(values)}"
        )
    return tuple(map(int, numbers))


def as_flags(values: Any, what: str) -> tuple[bool, ...]:
    """Convert padding flags, one bool or a sequence of them, to a tuple.

    Raises:
        ArgumentError: for anything else.
    """
    is_several = type(values) in (list, tuple) or (
        isinstance(values, Iterable) and not isinstance(values, (str, Mapping))
    )
    flags = values if is_several else (values,)
    return tuple(
        as_bool(bool(f) if isinstance(f, Integral) and f in (0, 1) else f, what) for f in flags
    )


def regular(x: Tensor) -> Tensor:
    """Return the same values with the strides of a new tensor.

    An axis of size 1 may have any stride. Some of torch's kernels then take channels that lie last
    for channels that lie first: batch normalization reads the gradient of a single sample in the
    wrong order, and a convolution's gradient fails or is wrong. A gradient that comes back through
    this is regular too.
    """
    # Not `contiguous`, which leaves such strides as they are.
    return x.reshape(-1).view(x.shape)


def channels_last(x: Tensor) -> Tensor:
    """Return the same ``[n, channels, height, width]`` with the channels of each position side by
    side in memory.

    The CPU's kernels work on several channels at once that way: a convolutional net trains
    twice as fast.
    """
    return x.contiguous(memory_format=torch.channels_last) if x.device.type == "cpu" else x


def regular_channels_last(x: Tensor) -> Tensor:
    """Return the same ``[n, channels, *positions]`` with regular strides; images with channels
    last, see `channels_last`.
    """
    if x.dim() != 4 or x.device.type != "cpu":
        return regular(x)
    return regular(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
