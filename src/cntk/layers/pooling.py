"""Pooling layers: the largest or the mean element of each window, or of all positions; and their
undoing.
"""

from __future__ import annotations

from typing import Any

from cntk import ops
from cntk._graph.define import BlockFunction
from cntk._graph.function import Function
from cntk._graph.types import UNKNOWN_SHAPE
from cntk._ops.nn.pooling import PoolingType
from cntk.default_options import default_override_or, get_default_override
from cntk.layers.options import as_shape, flags_per_axis, sizes_per_axis
from cntk.typing import ShapeLike

__all__ = [
    "AveragePooling",
    "GlobalAveragePooling",
    "GlobalMaxPooling",
    "MaxPooling",
    "MaxUnpooling",
]


def _pooling(
    kind: PoolingType, op_name: str, filter_shape: Any, strides: Any, pad: Any, name: str
) -> Function:
    window = as_shape(filter_shape, f"{op_name}: filter_shape", least=1)
    strides = sizes_per_axis(strides, window, f"{op_name}: strides")
    pad = flags_per_axis(pad, window, f"{op_name}: pad")

    @BlockFunction(op_name, name)
    def pool(x: Any) -> Any:
        return ops.pooling(x, kind, window, strides=strides, auto_padding=pad)

    return pool


def MaxPooling(
    filter_shape: ShapeLike, strides: Any = 1, pad: Any = default_override_or(False), name: str = ""
) -> Function:
    """Layer that keeps the largest element of each window.

    Args:
        filter_shape: the window's shape over the last axes, a number or a tuple.
        strides: steps between windows, for all axes or for each.
        pad: whether windows are centred on elements and may hang over the ends, for all axes or for
            each.
        name: its name in the graph.

    Returns:
        A function of one argument.

    Example:
        >>> import cntk as C
        >>> C.layers.MaxPooling((2, 2), strides=2)(C.input_variable((3, 8, 8))).shape
        (3, 4, 4)
    """
    pad = get_default_override(MaxPooling, pad=pad)
    return _pooling(PoolingType.Max, "MaxPooling", filter_shape, strides, pad, name)


def AveragePooling(
    filter_shape: ShapeLike, strides: Any = 1, pad: Any = default_override_or(False), name: str = ""
) -> Function:
    """Layer that keeps the mean of each window; elements beyond the ends do not count.

    Args:
        filter_shape: the window's shape over the last axes, a number or a tuple.
        strides: steps between windows, for all axes or for each.
        pad: whether windows are centred on elements and may hang over the ends, for all axes or for
            each.
        name: its name in the graph.

    Returns:
        A function of one argument.

    Example:
        >>> import cntk as C
        >>> x = C.input_variable((1, 4))
        >>> C.layers.AveragePooling(2, strides=2)(x).eval({x: [[[1, 3, 5, 9]]]})
        array([[[2., 7.]]], dtype=float32)
    """
    pad = get_default_override(AveragePooling, pad=pad)
    return _pooling(PoolingType.Average, "AveragePooling", filter_shape, strides, pad, name)


def _global_pooling(kind: PoolingType, op_name: str, name: str) -> Function:
    @BlockFunction(op_name, name)
    def pool(x: Any) -> Any:
        return ops.pooling(x, kind, UNKNOWN_SHAPE)

    return pool


def GlobalMaxPooling(name: str = "") -> Function:
    """Layer that keeps the largest element of each channel, over all positions.

    Args:
        name: its name in the graph.

    Returns:
        A function of one argument ``[channels, *positions]`` with output ``[channels, 1, ...]``.

    Example:
        >>> import cntk as C
        >>> C.layers.GlobalMaxPooling()(C.input_variable((3, 8, 8))).shape
        (3, 1, 1)
    """
    return _global_pooling(PoolingType.Max, "GlobalMaxPooling", name)


def GlobalAveragePooling(name: str = "") -> Function:
    """Layer that keeps the mean of each channel, over all positions.

    Args:
        name: its name in the graph.

    Returns:
        A function of one argument ``[channels, *positions]`` with output ``[channels, 1, ...]``.

    Example:
        >>> import cntk as C
        >>> C.layers.GlobalAveragePooling()(C.input_variable((3, 8, 8))).shape
        (3, 1, 1)
    """
    return _global_pooling(PoolingType.Average, "GlobalAveragePooling", name)


def MaxUnpooling(
    filter_shape: ShapeLike, strides: Any = 1, pad: Any = False, name: str = ""
) -> Function:
    """Layer that undoes `MaxPooling`: each element goes where its window had its largest one; the
    rest is zero.

    Args:
        filter_shape: the pooling's window.
        strides: the pooling's strides.
        pad: the pooling's padding.
        name: its name in the graph.

    Returns:
        A function of two arguments: what pooling gave, and what was pooled.

    Example:
        >>> import cntk as C
        >>> x = C.input_variable((1, 4))
        >>> pooled = C.layers.MaxPooling(2, strides=2)(x)
        >>> C.layers.MaxUnpooling(2, strides=2)(pooled, x).eval({x: [[[1, 5, 7, 2]]]})
        array([[[0., 5., 7., 0.]]], dtype=float32)
    """
    window = as_shape(filter_shape, "MaxUnpooling: filter_shape", least=1)
    strides = sizes_per_axis(strides, window, "MaxUnpooling: strides")
    pad = flags_per_axis(pad, window, "MaxUnpooling: pad")

    @BlockFunction("MaxUnpooling", name)
    def unpool(x: Any, y: Any) -> Any:
        return ops.unpooling(x, y, PoolingType.Max, window, strides=strides, auto_padding=pad)

    return unpool
