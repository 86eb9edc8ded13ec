"""Edit distance: the number of insertions, deletions and substitutions that turn one sequence of
tokens into another.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from cntk._graph.composite import Composite
from cntk._graph.op import DiskKind, Op, PrimitiveOp, Reach, RunKernel, primitive
from cntk._graph.types import TensorType
from cntk._ops.support.broadcasting import broadcast_shapes, join_axes
from cntk._ops.support.evaluation_only import evaluation_only
from cntk._ops.support.operands import apply
from cntk._runtime.context import RunContext
from cntk._runtime.layout.layout import Layout
from cntk._runtime.sparse import SparseRows
from cntk._runtime.transfer import to_device
from cntk.errors import GraphError

__all__ = ["edit_distance_error"]


@primitive(PrimitiveOp.EditDistanceError)
@dataclass(frozen=True)
class EditDistanceError(Op):
    """Edits per token of the second operand, times the number of frames of the first.

    Attributes:
        substitution_penalty: what a token in place of another costs.
        deletion_penalty: what a token of the first operand that the second has not costs.
        insertion_penalty: what a token of the second operand that the first has not costs.
        squash_inputs: whether the same token in consecutive frames counts once.
        tokens_to_ignore: tokens that are left out of both operands.
    """

    operand_counts = (2,)
    endless = ("substitution_penalty", "deletion_penalty", "insertion_penalty")

    substitution_penalty: float
    deletion_penalty: float
    insertion_penalty: float
    squash_inputs: bool = False
    tokens_to_ignore: tuple[int, ...] = ()

    disk_names = {
        "substitution_penalty": "SubstitutionPenalty",
        "deletion_penalty": "DeletionPenalty",
        "insertion_penalty": "InsertionPenalty",
        "squash_inputs": "SquashInputs",
        "tokens_to_ignore": "TokensToIgnore",
    }
    disk_kinds = {
        "substitution_penalty": DiskKind.Single,
        "deletion_penalty": DiskKind.Single,
        "insertion_penalty": DiskKind.Single,
    }
    sparse_operands = (0, 1)
    not_recordable = "it compares sequences one by one"
    reach = Reach.LATER

    def infer(self, *operands: TensorType) -> TensorType:
        a, b = operands
        broadcast_shapes(a.shape, b.shape)
        if not a.dynamic_axes or not b.dynamic_axes:
            raise GraphError(
                "both operands need a batch axis, for sequences a sequence axis as well"
            )
        join_axes((a.with_axes(a.dynamic_axes[:1]), b.with_axes(b.dynamic_axes[:1])))
        return TensorType((), (), a.dtype)

    def lower(self, *operands: TensorType) -> RunKernel:
        def compute(run: RunContext, *values: Any) -> Tensor:
            # How many tokens count the host has to know: all of it is done there, after one copy.
            each = [_tokens(x) for x in values]
            tokens = list(torch.cat(each).cpu().split([len(x) for x in each]))
            layouts = [
                run.layout(t.dynamic_axes).on_host
                if t.is_sequence
                else Layout([1] * (run.batch or 0))
                for t in operands
            ]
            for one, other in ((0, 1), (1, 0)):
                if operands[one].is_sequence and not operands[other].is_sequence:
                    tokens[other], layouts[other] = layouts[one].expand(tokens[other]), layouts[one]
            edits, length = self._edits(tokens, layouts)
            result = edits.to(values[0].dtype) / length * layouts[0].frames
            return evaluation_only(to_device(result, run.device), self.op_name, *values)

        return RunKernel(compute)

    def _edits(self, tokens: list[Tensor], layouts: list[Layout]) -> tuple[Tensor, Tensor]:
        """Return the number of edits in all, and the number of tokens of the second operand."""
        (a, a_lengths), (b, b_lengths) = (
            self._counted_tokens(*pair) for pair in zip(tokens, layouts, strict=True)
        )
        costs = (self.substitution_penalty, self.insertion_penalty, self.deletion_penalty)
        return edits(a, a_lengths, b, b_lengths, *costs).sum(), b_lengths.sum()

    def _counted_tokens(self, tokens: Tensor, layout: Layout) -> tuple[Tensor, Tensor]:
        """Return the tokens that count as a padded block, and the number of tokens of each
        sequence.
        """
        counted = torch.ones_like(tokens, dtype=torch.bool)
        if self.squash_inputs:
            same = (tokens[1:] == tokens[:-1]) & (layout.segments[1:] == layout.segments[:-1])
            counted[1:] &= ~same
        if self.tokens_to_ignore:
            counted &= ~torch.isin(tokens, torch.tensor(self.tokens_to_ignore))
        lengths = layout.sum(counted.long())
        column = (
            torch.cumsum(counted, 0) - 1 - (torch.cumsum(lengths, 0) - lengths)[layout.segments]
        )
        longest = int(lengths.max()) if layout.count else 0
        block = tokens.new_full((layout.count, longest), _PADDING)
        block[layout.segments[counted], column[counted]] = tokens[counted]
        return block, lengths


_PADDING = -1


def _tokens(x: Any) -> Tensor:
    """Return each frame's token, the index of its largest element, int64 ``[frames]``."""
    if isinstance(x, SparseRows):
        if x.one_hot:
            return x.columns
        x = x.to_dense()
    return torch.argmax(x.reshape(x.shape[0], -1), 1)


def edits(
    a: Tensor,
    a_lengths: Tensor,
    b: Tensor,
    b_lengths: Tensor,
    substitution: float,
    insertion: float,
    deletion: float,
) -> Tensor:
    """Count the edits of the cheapest way from one sequence to the other.

    All cells of the table on one diagonal are computed at once, for all sequences: they need the
    two diagonals before alone. Of ways that cost the same, a substitution goes before an insertion,
    that before a deletion.

    Args:
        a, b: tokens on the CPU, int64 ``[sequences, longest]``.
        a_lengths, b_lengths: how many tokens each sequence has, int64 ``[sequences]``.
        substitution, insertion, deletion: what each edit costs; a token that agrees costs nothing.

    Returns:
        The numbers of edits, int64 ``[sequences]``.
    """
    count, width = a.shape[0], a.shape[1] + 1
    # Costs have 32 bits whatever the operands have, which decides some ties.
    costs = torch.tensor([substitution, insertion, deletion], dtype=torch.float32)
    # Reversed, so that on a diagonal a and b are read in the same direction; nothing agrees with
    # the padding.
    mirrored = F.pad(b.flip(1), (width, width), value=_PADDING - 1)
    before = torch.full((count, width), torch.inf, device=a.device)
    cost, number = before.clone(), torch.zeros((count, width), dtype=torch.int64, device=a.device)
    cost[:, 0] = 0
    before_number, result = number, torch.zeros_like(a_lengths)
    for diagonal in range(1, a.shape[1] + b.shape[1] + 1):
        ways, numbers = cost + costs[1], number + 1
        start = b.shape[1] + width - diagonal + 1
        equal = a == mirrored[:, start : start + a.shape[1]]
        removed, changed = cost[:, :-1] + costs[2], before[:, :-1] + costs[0]
        best, numbers_of = ways[:, 1:], numbers[:, 1:]
        fewer = removed < best
        best, numbers_of = (
            torch.where(fewer, removed, best),
            torch.where(fewer, number[:, :-1] + 1, numbers_of),
        )
        other = equal | (changed <= best)
        changed, changes = (
            torch.where(equal, before[:, :-1], changed),
            before_number[:, :-1] + (~equal).long(),
        )
        ways[:, 1:], numbers[:, 1:] = (
            torch.where(other, changed, best),
            torch.where(other, changes, numbers_of),
        )
        before, before_number, cost, number = cost, number, ways, numbers
        ends = a_lengths + b_lengths == diagonal
        result = torch.where(ends, number.gather(1, a_lengths.unsqueeze(1)).squeeze(1), result)
    return result


def edit_distance_error(
    input_a: Any,
    input_b: Any,
    subPen: float = 1,
    delPen: float = 1,
    insPen: float = 1,
    squashInputs: bool = False,
    tokensToIgnore: Iterable[int] = [],
    name: str = "",
) -> Composite:
    """Compute the edit distance of sequences, as a metric (Levenshtein, 1966).

    A frame stands for the token at its largest element. The edits are counted, whatever they cost,
    divided by the number of tokens of ``input_b`` and multiplied by the number of frames of
    ``input_a``, so that the average over frames that a trainer reports is the error rate.

    Args:
        input_a: for each frame scores ``[tokens]`` or a one-hot vector; sparse vectors as well.
        input_b: the same; it may lie on another sequence axis and have other lengths.
        subPen: what a token in place of another costs.
        delPen: what a token that only ``input_a`` has costs.
        insPen: what a token that only ``input_b`` has costs.
        squashInputs: whether the same token in consecutive frames counts once.
        tokensToIgnore: numbers of tokens that are left out.
        name: its name in the graph.

    Returns:
        A function whose output is one number for the minibatch; infinite, or not a number, if
        ``input_b`` has no tokens. It has no gradient.

    Raises:
        GraphError: if the operands differ in their number of tokens, or one has no batch axis.
        TypeError: if penalties, flag or tokens are of another type.

    Example:
        >>> import cntk as C
        >>> x, y = C.sequence.input_variable(3), C.sequence.input_variable(3)
        >>> error = edit_distance_error(x, y)
        >>> error.eval(
        ...     {x: C.Value.one_hot([[0, 1, 2, 2]], 3), y: C.Value.one_hot([[0, 2, 2, 1]], 3)}
        ... )
        array(2., dtype=float32)
    """
    for what, penalty in (("subPen", subPen), ("delPen", delPen), ("insPen", insPen)):
        if not isinstance(penalty, Real):
            raise TypeError(f"edit_distance_error: {what} must be a number, got {penalty!r}")
    if not isinstance(squashInputs, bool):
        raise TypeError(
            f"edit_distance_error: squashInputs must be True or False, got {squashInputs!r}"
        )
    tokens = list(tokensToIgnore) if isinstance(tokensToIgnore, Iterable) else [None]
    if not all(isinstance(token, Integral) and token >= 0 for token in tokens):
        raise TypeError(
            f"edit_distance_error: tokensToIgnore must be a list of integers, 0 or more, got "
            f"{tokensToIgnore!r}"
        )
    op = EditDistanceError(
        float(subPen),
        float(delPen),
        float(insPen),
        squashInputs,
        tuple(int(token) for token in tokens),
    )
    return apply(op, (input_a, input_b), name)
