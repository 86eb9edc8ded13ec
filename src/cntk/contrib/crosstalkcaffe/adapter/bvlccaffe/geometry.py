"""Windows of Caffe's layers, and their equivalents here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cntk._ops.nn.windows import Windows
from cntk.contrib.crosstalkcaffe.adapter.bvlccaffe.schema import Message
from cntk.errors import ConversionError

__all__ = ["Geometry", "geometry_of"]


@dataclass(frozen=True)
class Geometry:
    """The windows of a convolution or of pooling over an image.

    Attributes:
        kernel: the window's height and width.
        strides: by height and width.
        dilation: by height and width.
        output: the output's height and width.
        auto: whether automatic padding gives these windows.
        pad: margins before and behind, by height and width, where neither that nor no padding gives
            them.
    """

    kernel: list[int]
    strides: list[int]
    dilation: list[int]
    output: list[int]
    auto: bool
    pad: list[tuple[int, int]] | None


def geometry_of(
    layer: str, options: Message, size: Sequence[int], pooling: bool = False
) -> Geometry:
    """Return the windows over an image of some height and width.

    Args:
        layer: how errors name the layer.
        options: a ``ConvolutionParameter`` or ``PoolingParameter``.
        size: the image's height and width.
        pooling: whether the last window may hang over the end, as Caffe has it when it pools.

    Raises:
        ConversionError: (a ValueError) if there are no such windows, or none that can be said here.
    """
    kernel = _pair(layer, options, "kernel_size", ("kernel_h", "kernel_w"), None)
    strides = _pair(layer, options, "stride", ("stride_h", "stride_w"), 1)
    pads = _pair(layer, options, "pad", ("pad_h", "pad_w"), 0)
    dilation = [1, 1] if pooling else _pair(layer, options, "dilation", (), 1)
    if min(*kernel, *strides, *dilation) < 1 or min(pads) < 0:
        raise ConversionError(
            f"{layer}: kernel {kernel}, stride {strides}, pad {pads} or dilation {dilation} is too "
            f"small"
        )
    axes = list(zip(kernel, strides, pads, dilation, size, strict=True))
    output = [_count(layer, *axis, pooling=pooling, padded=any(pads)) for axis in axes]
    if not any(pads):
        return Geometry(kernel, strides, dilation, output, False, None)
    automatic = [Windows(k, s, True, d, ceil=pooling) for k, s, _, d, _ in axes]
    same = [
        w.count(n) == c and w.before(n) == p
        for w, n, c, p in zip(automatic, size, output, pads, strict=True)
    ]
    # What Caffe averages over includes its margins, and automatic ones are left out.
    if all(same) and not (pooling and options.pool == 1):
        return Geometry(kernel, strides, dilation, output, True, None)
    margins = [
        (axis[2], _behind(layer, *axis, count, pooling))
        for axis, count in zip(axes, output, strict=True)
    ]
    return Geometry(kernel, strides, dilation, output, False, margins)


def _pair(
    layer: str, options: Message, name: str, names: tuple[str, ...], default: int | None
) -> list[int]:
    """Return an option by height and width: from one field for both, or by two fields of their
    own.
    """
    values = getattr(options, name)
    if len(values) > 2:
        raise ConversionError(
            f"{layer}: {name} must be given for height and width, and is {values}"
        )
    pair: list[Any] = [values[0], values[-1]] if values else [default, default]
    for k, other in enumerate(names):
        own = getattr(options, other)
        pair[k] = pair[k] if own is None else own
    if None in pair:
        raise ConversionError(f"{layer}: {name} is missing")
    return [int(value) for value in pair]


def _count(
    layer: str, k: int, s: int, p: int, d: int, n: int, *, pooling: bool, padded: bool
) -> int:
    """Return Caffe's number of windows along an axis."""
    room = n + 2 * p - ((k - 1) * d + 1)
    if room < 0:
        raise ConversionError(
            f"{layer}: a window of {(k - 1) * d + 1} does not fit into {n} elements and margins of "
            f"{p}"
        )
    count = (-(-room // s) if pooling else room // s) + 1
    return count - 1 if pooling and padded and (count - 1) * s >= n + p else count


def _behind(layer: str, k: int, s: int, p: int, d: int, n: int, count: int, pooling: bool) -> int:
    """Return the padding at the end of an axis for a number of windows."""
    if not pooling:
        return p
    behind = min(n + 2 * p, (count - 1) * s + k) - n - p
    if behind < 0:
        raise ConversionError(
            f"{layer}: windows of {k} in steps of {s} with margins of {p} leave out the end; not "
            f"supported"
        )
    return behind
