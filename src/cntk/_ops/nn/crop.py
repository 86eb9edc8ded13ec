"""Crop: the part of an image that another image's pixels were computed from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from numbers import Integral
from typing import Any

from torch import Tensor

from cntk._graph.composite import Composite
from cntk._graph.op import Kernel, Op, PrimitiveOp, primitive
from cntk._graph.positions import SAME_POSITIONS, AxisMap, Positions
from cntk._graph.types import TensorType
from cntk._ops.support.broadcasting import join_axes
from cntk._ops.support.operands import apply
from cntk.errors import GraphError

__all__ = ["crop_automatic", "crop_automatic_with_ancestors", "crop_manual"]


@primitive(PrimitiveOp.Crop)
@dataclass(frozen=True)
class Crop(Op):
    """A part of the operand, as large as another operand along its last two axes.

    Two further operands, if there are any, are a value below each of the first two: they count as
    one and the same.

    Attributes:
        offset: where the part begins along the last axis and along the one before it; none if that
            is to be found.
    """

    operand_counts = (2, 4)

    offset: tuple[int, ...] = ()

    def infer(self, *operands: TensorType) -> TensorType:
        x, referent = operands[:2]
        if x.rank != referent.rank or x.rank < 2:
            raise GraphError("both operands need the same number of static axes, two at least")
        if self.offset:
            check_room(x, referent, [Fraction(n) for n in self.offset])
        axes = join_axes((x, referent), broadcast=False)
        return TensorType((*x.shape[:-2], *referent.shape[-2:]), axes, x.dtype)

    def positions(self, *operands: TensorType) -> tuple[Positions | None, ...]:
        others = (None,) * (len(operands) - 2)
        if not self.offset:
            return None, SAME_POSITIONS, *others
        column, row = (AxisMap(shift=Fraction(n)) for n in self.offset)
        return (row, column), SAME_POSITIONS, *others

    def lower(self, *operands: TensorType) -> Kernel:
        x, referent = operands[:2]
        height, width = referent.shape[-2:]
        left, top = self.offset
        rows = referent.lead > x.lead

        def compute(t: Tensor, like: Tensor, *ancestors: Tensor) -> Tensor:
            part = t.narrow(-2, top, height).narrow(-1, left, width)
            return part.expand(like.shape[0], *part.shape) if rows else part

        return compute


def check_room(x: TensorType, referent: TensorType, begins: Sequence[Fraction]) -> None:
    """Refuse a part that is not within the operand, given its offsets along the last axis and the
    one before it.

    Raises:
        GraphError: for such a part.
    """
    for size, target, begin in zip(x.shape[-2:], referent.shape[-2:], begins[::-1], strict=True):
        if begin < 0:
            raise GraphError(
                f"the second operand begins {-begin} elements before the first one does; exchange "
                f"them, or pad the first"
            )
        if min(size, target) >= 0 and begin + target > size:
            raise GraphError(
                f"{target} elements from {begin} on are not within an axis with {size}; use a "
                f"smaller offset"
            )


def crop_manual(
    node_input: Any, node_referent: Any, offset_x: int, offset_y: int, name: str = ""
) -> Composite:
    """Crop the operand along its last two axes to the size of another operand, at an offset.

    Args:
        node_input: the operand ``[*, height, width]``.
        node_referent: the operand whose height and width count; no gradient flows to it.
        offset_x: where the part begins along the width.
        offset_y: where it begins along the height.
        name: its name in the graph.

    Raises:
        GraphError: if the operands differ in rank, or the part is not within the operand.

    Example:
        >>> crop_manual([[1, 2, 3], [4, 5, 6]], [[0, 0]], 1, 0).eval()
        array([[2., 3.]], dtype=float32)
    """
    for what, value in (("offset_x", offset_x), ("offset_y", offset_y)):
        if not isinstance(value, Integral) or value < 0:
            raise GraphError(
                f"crop_manual: expected a number of elements, 0 or more, as {what}, got {value!r}"
            )
    return apply(Crop((int(offset_x), int(offset_y))), (node_input, node_referent), name)


def crop_automatic(node_input: Any, node_referent: Any, name: str = "") -> Composite:
    """Crop the operand along its last two axes to the part that another operand was computed from.

    Both must come from a common value by operations that keep the arrangement of elements:
    convolution and its transpose, pooling, unpooling, cropping, and what works element by element.
    The part begins where the other operand's first element has its centre, as in the skip
    connections of fully convolutional networks (Long et al., 2015).

    Args:
        node_input: the operand ``[*, height, width]``.
        node_referent: the operand whose height and width count; no gradient flows to it.
        name: its name in the graph.

    Returns:
        A function with output ``[*, height, width]``, the last two those of ``node_referent``.

    Raises:
        GraphError: if the operands differ in rank; when it runs, if they have nothing in common or
            another scale, or the part is not within the operand.

    Example:
        >>> import numpy as np, cntk as C
        >>> image = C.input_variable((1, 4, 4))
        >>> smaller = C.convolution(
        ...     C.constant(np.ones((1, 1, 3, 3), np.float32)), image, auto_padding=[False]
        ... )
        >>> C.crop_automatic(image, smaller).eval(
        ...     {image: np.arange(16, dtype=np.float32).reshape(1, 1, 4, 4)}
        ... )
        array([[[[ 5.,  6.],
                 [ 9., 10.]]]], dtype=float32)
    """
    return apply(Crop(), (node_input, node_referent), name)


def crop_automatic_with_ancestors(
    node_input: Any, node_referent: Any, ancestor_input: Any, ancestor_referent: Any, name: str = ""
) -> Composite:
    """Crop like `crop_automatic`, for operands computed from two values that are taken for one.

    Args:
        node_input: the operand ``[*, height, width]``.
        node_referent: the operand whose height and width count; no gradient flows to it.
        ancestor_input: a value that ``node_input`` comes from.
        ancestor_referent: a value that ``node_referent`` comes from, and whose elements lie where
            those of ``ancestor_input`` do.
        name: its name in the graph.

    Returns:
        A function with output ``[*, height, width]``, the last two those of ``node_referent``.

    Raises:
        GraphError: as `crop_automatic`; also if an operand does not come from its ancestor.

    Example:
        >>> import numpy as np, cntk as C
        >>> x, y = C.input_variable((1, 1, 4)), C.input_variable((1, 1, 4))
        >>> smaller = C.pooling(y, C.MAX_POOLING, (1, 3))
        >>> C.crop_automatic_with_ancestors(x, smaller, x, y).eval(
        ...     {x: [[[[1, 2, 3, 4]]]], y: [[[[0, 0, 0, 0]]]]}
        ... )
        array([[[[2., 3.]]]], dtype=float32)
    """
    return apply(Crop(), (node_input, node_referent, ancestor_input, ancestor_referent), name)
