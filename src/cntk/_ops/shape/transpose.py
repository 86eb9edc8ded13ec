"""Permutation of static axes, and the exchange of images' channels for space and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np

from cntk._arguments import shown
from cntk._graph.composite import Composite
from cntk._graph.op import Kernel, Op, PrimitiveOp, primitive
from cntk._graph.types import InferredDimension, TensorType
from cntk._graph.variable import Variable
from cntk._ops.shape.reshape import reshape
from cntk._ops.support.axes import as_static_axis, static_index
from cntk._ops.support.composite_op import compose
from cntk._ops.support.operands import apply, as_operand
from cntk._wording import shape_text
from cntk.axis import Axis
from cntk.errors import ArgumentError, GraphError
from cntk.typing import Operand

__all__ = ["depth_to_space", "space_to_depth", "swapaxes", "transpose"]


@primitive(PrimitiveOp.TransposeAxes)
@dataclass(frozen=True)
class TransposeAxes(Op):
    """A permutation of static axes.

    Attributes:
        axis1, axis2: the two axes to swap; or
        axis_vec: for the result's axes, from the last one backwards, which of the operand's each
            is, counted from its last.
    """

    operand_counts = (1,)
    keeps_axes = True

    axis1: Axis | None = None
    axis2: Axis | None = None
    axis_vec: tuple[Axis, ...] | None = None

    def order(self, x: TensorType) -> tuple[int, ...]:
        """Return the permutation: for each axis of the result, the operand's axis."""
        order = list(range(x.rank))
        if self.axis_vec is None:
            if self.axis1 is None or self.axis2 is None:
                raise GraphError("expected two axes to swap, or an order of all axes")
            first, second = static_index(self.axis1, x), static_index(self.axis2, x)
            order[first], order[second] = second, first
            return tuple(order)
        if len(self.axis_vec) != x.rank:
            raise GraphError(
                f"the order lists {len(self.axis_vec)} axes, and the operand has {x.rank}; it must "
                f"name each once"
            )
        for k, axis in enumerate(self.axis_vec):
            order[x.rank - 1 - k] = static_index(axis, x)
        return tuple(order)

    def infer(self, *operands: TensorType) -> TensorType:
        (x,) = operands
        return x.dense().with_shape(tuple(x.shape[k] for k in self.order(x)))

    def lower(self, *operands: TensorType) -> Kernel:
        (x,) = operands
        order = (*range(x.lead), *(k + x.lead for k in self.order(x)))
        return lambda t: t.permute(order)


def transpose(x: Operand, perm: Sequence[int], name: str = "") -> Composite:
    """Permute the operand's static axes.

    Args:
        x: an operand.
        perm: for each axis of the result, which of the operand's axes it is; negative ones count
            from the last.
        name: its name in the graph.

    Raises:
        GraphError: if ``perm`` is no permutation of the operand's axes.

    Example:
        >>> transpose([[0, 1], [2, 3], [4, 5]], (1, 0)).eval()
        array([[0., 2., 4.],
               [1., 3., 5.]], dtype=float32)
    """
    if isinstance(perm, Integral):
        raise ArgumentError(
            f"transpose: expected a permutation of all axes as perm, got {perm}; to swap two axes "
            f"use cntk.swapaxes"
        )
    if not isinstance(perm, (Sequence, np.ndarray)) or not all(
        isinstance(p, Integral) for p in perm
    ):
        raise ArgumentError(f"transpose: expected integers in perm, got {shown(perm)}")
    count = len(perm)
    if sorted(p % count for p in perm) != list(range(count)) or any(
        not -count <= p < count for p in perm
    ):
        raise GraphError(
            f"transpose: perm must name each axis from 0 to {count - 1} once, got {tuple(perm)}"
        )
    order = tuple(Axis(int(p) % count - count) for p in reversed(perm))
    return apply(TransposeAxes(axis_vec=order), (x,), name)


def swapaxes(x: Operand, axis1: Any = 0, axis2: Any = 1, name: str = "") -> Composite:
    """Swap two static axes of the operand.

    Args:
        x: an operand.
        axis1, axis2: the axes.
        name: its name in the graph.

    Raises:
        GraphError: if there are no such axes.

    Example:
        >>> swapaxes([[0, 1], [2, 3], [4, 5]], 0, 1).eval()
        array([[0., 2., 4.],
               [1., 3., 5.]], dtype=float32)
    """
    return apply(
        TransposeAxes(as_static_axis(axis1, "swapaxes"), as_static_axis(axis2, "swapaxes")),
        (x,),
        name,
    )


def _image(operand: Any, op_name: str) -> Variable:
    variable = as_operand(operand, op_name=op_name)
    if variable.type_.has_shape and variable.type_.rank != 3:
        raise GraphError(
            f"{op_name}: expected an image [channels x height x width], got "
            f"{shape_text(variable.shape)}"
        )
    return variable


def _block_size(block_size: Any, op_name: str) -> int:
    if not isinstance(block_size, Integral) or block_size < 1:
        raise GraphError(
            f"{op_name}: expected a positive integer as block_size, got {block_size!r}"
        )
    return int(block_size)


def depth_to_space(operand: Operand, block_size: int, name: str = "") -> Composite:
    """Rearrange channels into spatial blocks: ``[c * b * b, h, w]`` to ``[c, h * b, w * b]``.

    Args:
        operand: an image ``[channels, height, width]``.
        block_size: b, the side of the block into which channels are laid out.
        name: its name in the graph.

    Raises:
        GraphError: if the operand is no image, or its channels cannot be divided by b * b.

    Example:
        >>> depth_to_space([[[1, 2]], [[3, 4]], [[5, 6]], [[7, 8]]], 2).eval()
        array([[[1., 3., 2., 4.],
                [5., 7., 6., 8.]]], dtype=float32)
    """
    variable, b = _image(operand, "depth_to_space"), _block_size(block_size, "depth_to_space")
    if variable.shape[0] > 0 and variable.shape[0] % (b * b):
        raise GraphError(
            f"depth_to_space: the number of channels ({variable.shape[0]}) must be a multiple of "
            f"{b} x {b}"
        )

    def build(x: Any) -> Composite:
        blocks = transpose(reshape(x, (b, b, InferredDimension), 0, 1), (2, 3, 0, 4, 1))
        return reshape(reshape(blocks, (InferredDimension,), 1, 3), (InferredDimension,), 2, 4)

    return compose("DepthToSpace", (variable,), build, name, details={"blockSize": b})


def space_to_depth(operand: Operand, block_size: int, name: str = "") -> Composite:
    """Rearrange spatial blocks into channels: ``[c, h * b, w * b]`` to ``[b * b * c, h, w]``.

    Args:
        operand: an image ``[channels, height, width]``.
        block_size: b, the side of the blocks.
        name: its name in the graph.

    Raises:
        GraphError: if the operand is no image, or its height or width cannot be divided by b.

    Example:
        >>> space_to_depth([[[1, 3, 2, 4], [5, 7, 6, 8]]], 2).eval()
        array([[[1., 2.]],
               [[3., 4.]],
               [[5., 6.]],
               [[7., 8.]]], dtype=float32)
    """
    variable, b = _image(operand, "space_to_depth"), _block_size(block_size, "space_to_depth")
    if any(d > 0 and d % b for d in variable.shape[1:]):
        raise GraphError(
            f"space_to_depth: height and width {shape_text(variable.shape[1:])} must be multiples "
            f"of {b}"
        )

    def build(x: Any) -> Composite:
        blocks = reshape(reshape(x, (InferredDimension, b), 2, 3), (InferredDimension, b), 1, 2)
        return reshape(transpose(blocks, (2, 4, 0, 1, 3)), (InferredDimension,), 0, 3)

    return compose("SpaceToDepth", (variable,), build, name, details={"blockSize": b})
