"""Patterns that run as one torch call: a product with a bias, and recurrences that torch has kernels for."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import torch
from torch import Tensor

from cntk._engine.fuse_gru import FusedGRU
from cntk._engine.fuse_rnn import FusedRecurrence, fused_recurrence
from cntk._engine.loop import Loop
from cntk._engine.nodes import Node, Ref
from cntk._graph.op import Kernel, Op
from cntk._graph.types import TensorType


def is_narrow(matrix: TensorType) -> bool:
    """Whether a matrix has so few columns for its rows that products by it are faster column by column."""
    return matrix.rank == 2 and matrix.shape[1] <= 32 and matrix.shape[0] >= 64


def columns_first(matrix: Tensor) -> Tensor:
    """The matrix, copied so that its columns lie one after another: BLAS is slow on short rows, also going back."""
    return matrix.t().contiguous().t()


@dataclass(frozen=True)
class Affine(Op):
    """A product of samples with a matrix, plus a bias, in one call."""

    op_name = "Affine"

    def infer(self, *operands: TensorType) -> TensorType:
        x, w, _ = operands
        return TensorType(w.shape[1:], x.dynamic_axes, x.dtype)

    def lower(self, *operands: TensorType) -> Kernel:
        if not is_narrow(operands[1]):
            return lambda x, w, b: torch.addmm(b, x, w)
        return lambda x, w, b: torch.addmm(b, x, columns_first(w) if x.shape[0] > 8 else w)


def fuse(refs: list[Ref], work: list[Node | Loop]) -> list[Node | Loop]:
    """A work list with known patterns replaced; nodes keep their identity, so references to them stay valid.

    Args:
        refs: the plan's outputs.
        work: nodes and loops, operands first.
    """
    done: list[Node | Loop] = []
    for item in work:
        if isinstance(item, Loop):
            done.append(fused_recurrence(item) or item)
        else:
            done.append(item)
    uses = Counter(ref.key for item in done for ref in item.operands)
    uses.update(ref.key for ref in refs)
    done = _fuse_final(done, uses)
    for item in done:
        if isinstance(item, Node) and item.op.op_name == "Plus":
            _fuse_affine(item, uses)
    return done


def _fuse_final(work: list[Node | Loop], uses: Counter[tuple[int, int]]) -> list[Node | Loop]:
    """A recurrence of which only the state after the last step is read gives only that."""
    cells = {item.outputs[0].key: item for item in work if isinstance(item, (FusedRecurrence, FusedGRU))}
    kept: list[Node | Loop] = []
    for item in work:
        if isinstance(item, Node) and item.op.op_name == "Sequence::Slice" and len(item.types[0].dynamic_axes) == 1:
            cell = cells.get(item.operands[0].key)
            end = 0 if cell is not None and cell.backwards else -1
            if cell is not None and uses[item.operands[0].key] == 1 and getattr(item.op, "begin", None) == end:
                cell.give_final(Ref(item, 0))
                continue
        kept.append(item)
    return kept


def _fuse_affine(node: Node, uses: Counter[tuple[int, int]]) -> None:
    for product, bias in (node.operands, node.operands[::-1]):
        if _is_sample_product(product, uses) and _is_vector(bias, product.type.shape):
            inner = product.node
            assert inner is not None
            node.op, node.operands = Affine(), [*inner.operands, bias]
            return


def _is_sample_product(ref: Ref, uses: Counter[tuple[int, int]]) -> bool:
    """Whether this is dense samples or frames of rank 1, times a matrix without dynamic axes, used nowhere else."""
    node = ref.node
    if node is None or node.op.op_name != "Times" or uses[ref.key] != 1:
        return False
    x, w = (r.type for r in node.operands)
    return (
        not x.is_sparse
        and x.rank == 1
        and w.rank == 2
        and x.has_batch_axis
        and not w.dynamic_axes
        and ref.type.rank == 1
        and ref.type.dynamic_axes == x.dynamic_axes
    )


def _is_vector(ref: Ref, shape: tuple[int, ...]) -> bool:
    return ref.type.shape == shape and not ref.type.dynamic_axes
