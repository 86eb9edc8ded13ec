"""Padding of an operand's static axes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from numbers import Integral

import torch
from torch import Tensor

from cntk._arguments import as_number, shown
from cntk._graph.composite import Composite
from cntk._graph.op import Kernel, Op, PrimitiveOp, primitive
from cntk._graph.types import TensorType
from cntk._ops.support.operands import apply
from cntk._runtime.transfer import Everywhere
from cntk.errors import ArgumentError, GraphError
from cntk.typing import Operand

__all__ = ["CONSTANT_PAD", "REFLECT_PAD", "SYMMETRIC_PAD", "pad"]

CONSTANT_PAD = 0
REFLECT_PAD = 1
SYMMETRIC_PAD = 2


@primitive(PrimitiveOp.Pad)
@dataclass(frozen=True)
class Pad(Op):
    """The operand with padding around it.

    Attributes:
        padding_head: how many elements go before each axis, from the last axis to the first.
        padding_foot: how many go behind it, likewise.
        padding_mode: `CONSTANT_PAD`, `REFLECT_PAD` or `SYMMETRIC_PAD`.
        padding_constant_value: value of constant padding.
    """

    operand_counts = (1,)
    filling = ("padding_constant_value",)
    keeps_axes = True

    padding_head: tuple[int, ...]
    padding_foot: tuple[int, ...]
    padding_mode: int = CONSTANT_PAD
    padding_constant_value: float = 0.0

    def infer(self, *operands: TensorType) -> TensorType:
        (x,) = operands
        if not len(self.padding_head) == len(self.padding_foot) == x.rank:
            raise GraphError(
                f"the pattern has {len(self.padding_head)} pairs, and the operand {x.rank} static "
                f"axes; give one each"
            )
        shape = []
        for size, head, foot in zip(
            x.shape, self.padding_head[::-1], self.padding_foot[::-1], strict=True
        ):
            widest = {REFLECT_PAD: size - 1, SYMMETRIC_PAD: size}.get(self.padding_mode)
            if size >= 0 and widest is not None and max(head, foot) > widest:
                raise GraphError(
                    f"a mirrored margin of an axis with {size} elements has at most {widest}, not "
                    f"{max(head, foot)}"
                )
            shape.append(size + head + foot if size >= 0 else size)
        return x.dense().with_shape(tuple(shape))

    def lower(self, *operands: TensorType) -> Kernel:
        (x,) = operands
        margins = list(zip(self.padding_head, self.padding_foot, strict=True))
        if self.padding_mode == CONSTANT_PAD:
            flat, value = [n for pair in margins for n in pair], self.padding_constant_value
            return lambda t: torch.nn.functional.pad(t, flat, value=value)
        around = 1 if self.padding_mode == REFLECT_PAD else 0
        picks = [
            (dim + x.lead, Everywhere(torch.tensor(_mirrored(size, head, foot, around))))
            for dim, (size, (head, foot)) in enumerate(zip(x.shape, margins[::-1], strict=True))
            if head or foot
        ]

        def compute(t: Tensor) -> Tensor:
            for dim, indices in picks:
                t = t.index_select(dim, indices.on(t.device))
            return t

        return compute


def _mirrored(size: int, head: int, foot: int, skip: int) -> list[int]:
    """Return indices that pad an axis by reflection; ``skip`` is 1 if its end elements are not
    repeated.
    """
    return [
        *range(head - 1 + skip, skip - 1, -1),
        *range(size),
        *range(size - 1 - skip, size - 1 - skip - foot, -1),
    ]


def pad(
    x: Operand,
    pattern: Sequence[tuple[int, int]],
    mode: int = CONSTANT_PAD,
    constant_value: float = 0,
    name: str = "",
) -> Composite:
    """Pad an operand along its static axes.

    Args:
        x: an operand.
        pattern: for each static axis how many elements to put before it and behind it.
        mode: how padding is filled: `CONSTANT_PAD` a constant, `REFLECT_PAD` the operand mirrored
            at its end elements, `SYMMETRIC_PAD` the operand mirrored with its end elements
            repeated.
        constant_value: the constant.
        name: its name in the graph.

    Raises:
        GraphError: if the pattern does not fit the operand, or a mirrored margin is wider than the
            operand.

    Example:
        >>> pad([1, 2, 3], [(1, 2)], constant_value=9).eval()
        array([9., 1., 2., 3., 9., 9.], dtype=float32)
        >>> pad([1, 2, 3], [(1, 2)], REFLECT_PAD).eval()
        array([2., 1., 2., 3., 2., 1.], dtype=float32)
        >>> pad([1, 2, 3], [(1, 2)], SYMMETRIC_PAD).eval()
        array([1., 1., 2., 3., 3., 2.], dtype=float32)
    """
    if mode not in (CONSTANT_PAD, REFLECT_PAD, SYMMETRIC_PAD):
        raise GraphError(
            f"pad: unknown mode {mode!r}; use CONSTANT_PAD, REFLECT_PAD or SYMMETRIC_PAD"
        )
    if not isinstance(pattern, Iterable) or not all(isinstance(pair, Iterable) for pair in pattern):
        raise ArgumentError(
            f"pad: expected a pair of sizes, 0 or more, for each static axis as pattern, got "
            f"{shown(pattern)}"
        )
    pairs = [tuple(pair) for pair in pattern]
    if any(len(p) != 2 or not all(isinstance(n, Integral) and n >= 0 for n in p) for p in pairs):
        raise GraphError(
            f"pad: expected a pair of sizes, 0 or more, for each static axis as pattern, got "
            f"{pattern!r}"
        )
    heads, feet = ([int(p[k]) for p in reversed(pairs)] for k in (0, 1))
    return apply(
        Pad(tuple(heads), tuple(feet), int(mode), as_number(constant_value, "pad: constant_value")),
        (x,),
        name,
    )
