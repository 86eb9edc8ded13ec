"""Learning to rank: losses and metrics of samples in groups, such as the results of one query."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from cntk._graph.composite import Composite
from cntk._graph.op import Kernel, Op, PrimitiveOp, RunKernel, primitive
from cntk._graph.types import TensorType
from cntk._ops.support.broadcasting import check_equal_lengths, join_axes, on_one_axis
from cntk._ops.support.evaluation_only import evaluation_only
from cntk._ops.support.operands import apply
from cntk._runtime.transfer import to_device
from cntk._wording import shape_text
from cntk.errors import GraphError

__all__ = ["lambda_rank", "ndcg_at_1"]


class OfGroups(Op):
    """A scalar for the whole minibatch, from each sample's score, gain and group."""

    operand_counts = (3,)
    not_recordable = "which samples form a group depends on the data"

    def infer(self, *operands: TensorType) -> TensorType:
        if not join_axes(on_one_axis(operands), broadcast=False) or not all(
            t.dynamic_axes for t in operands
        ):
            raise GraphError("score, gain and group need the same batch axis")
        for what, type_ in zip(("score", "gain", "group"), operands, strict=True):
            if any(d not in (1, -1) for d in type_.shape):
                raise GraphError(
                    f"a sample's {what} must be one number, got {shape_text(type_.shape)}"
                )
        return TensorType((), (), operands[0].dtype)


class _Groups(NamedTuple):
    """Samples as a padded block with one row for each group.

    Attributes:
        row, column: each sample's indices, int64 ``[samples]``.
        present: True where there is a sample, bool ``[groups, longest]``.
        scores, gains: ``[groups, longest]``; behind the last sample minus infinity and 0.
        discounts: what a gain counts at each rank ``[longest]``.
        ideal: each group's discounted gains in the order in which the samples came ``[groups]``.
    """

    row: Tensor
    column: Tensor
    present: Tensor
    scores: Tensor
    gains: Tensor
    discounts: Tensor
    ideal: Tensor

    @classmethod
    def of(cls, score: Tensor, gain: Tensor, group: Tensor) -> _Groups:
        """Build the groups of consecutive samples: where the group's number changes, the next one
        begins.
        """
        # How many there are the host has to know: their indices are computed there, after one copy.
        numbers = group.flatten().trunc().cpu()
        new = torch.ones_like(numbers, dtype=torch.bool)
        new[1:] = numbers[1:] != numbers[:-1]
        row = torch.cumsum(new, 0) - 1
        first = torch.nonzero(new).flatten()
        column = torch.arange(numbers.numel()) - first[row]
        shape = (first.numel(), int(column.max()) + 1)
        row, column = to_device(torch.stack([row, column]), score.device)
        scores = score.new_full(shape, -torch.inf)
        gains = score.new_zeros(shape)
        present = torch.zeros(shape, dtype=torch.bool, device=row.device)
        scores[row, column], gains[row, column] = score.flatten(), gain.flatten()
        present.index_put_((row, column), torch.ones_like(row, dtype=torch.bool))
        discounts = 1 / torch.log(
            torch.arange(2, shape[1] + 2, dtype=score.dtype, device=row.device)
        )
        return cls(row, column, present, scores, gains, discounts, (gains * discounts).sum(1))

    def order(self) -> Tensor:
        """Return the samples' order in each group by descending score; of equal scores by ascending
        gain.
        """
        by_gain = torch.argsort(
            self.gains.masked_fill(~self.present, torch.inf), dim=1, stable=True
        )
        by_score = torch.argsort(
            self.scores.gather(1, by_gain), dim=1, descending=True, stable=True
        )
        return by_gain.gather(1, by_score)

    def average(self, ratios: Tensor) -> Tensor:
        """Return the mean over groups in percent, times the number of samples."""
        return ratios.sum() * (100 * self.row.numel() / ratios.numel())


def _ratio(x: Tensor, y: Tensor) -> Tensor:
    """Divide; the result is 0 where the divisor is."""
    return torch.where(y == 0, 0.0, x / y)


@primitive(PrimitiveOp.LambdaRank)
@dataclass(frozen=True)
class LambdaRank(OfGroups):
    """Loss of normalized discounted cumulative gain: one minus the ratio of the gain by scores to
    the ideal one.
    """

    def lower(self, *operands: TensorType) -> Kernel | RunKernel:
        def compute(score: Tensor, gain: Tensor, group: Tensor) -> Tensor:
            return (
                _LambdaRank.apply(score, gain.detach(), group.detach())
                if score.numel()
                else score.sum()
            )

        return check_equal_lengths(operands, compute)


class _LambdaRank(torch.autograd.Function):
    """Value that jumps where two samples swap ranks, with the gradient of LambdaRank's pairs."""

    @staticmethod
    def forward(ctx: Any, score: Tensor, gain: Tensor, group: Tensor) -> Tensor:
        groups = _Groups.of(score, gain, group)
        order = groups.order()
        reached = (groups.gains.gather(1, order) * groups.discounts).sum(1)
        slope = _pairs(groups, order) if ctx.needs_input_grad[0] else None
        ctx.save_for_backward(
            None if slope is None else slope[groups.row, groups.column].reshape(score.shape)
        )
        return groups.average(1 - _ratio(reached, groups.ideal))

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        (slope,) = ctx.saved_tensors
        # Whatever gradient comes in: in the original this is where gradients begin.
        return (
            slope,
            None,
            None,
        )


def _pairs(groups: _Groups, order: Tensor) -> Tensor:
    """Compute the gradient ``[groups, longest]``: of each pair, the earlier sample is pushed up and
    the later one down.

    Pairs are formed of an earlier sample, whose gain is above that of the group's last sample, with
    all later ones.
    """
    scores, gains, present = groups.scores, groups.gains, groups.present
    longest = present.shape[1]
    discount = torch.empty_like(gains).scatter_(1, order, groups.discounts.expand_as(gains))
    least = gains.gather(1, present.sum(1, True) - 1)
    later = torch.ones((longest, longest), dtype=torch.bool, device=gains.device).triu(1)
    paired = later & present.unsqueeze(1) & (present & (gains > least)).unsqueeze(2)
    difference = gains.unsqueeze(2) - gains.unsqueeze(1)
    swap = difference * (discount.unsqueeze(2) - discount.unsqueeze(1))
    change = _ratio(swap, groups.ideal.reshape(-1, 1, 1)).abs()
    wrong = torch.sigmoid(scores.unsqueeze(1) - scores.unsqueeze(2))
    # A quirk of the original: pairs of equal gain have no part in the gradient, but their factors
    # stay in the list of all pairs, and the others' are taken from the head of that list.
    counted = paired & (difference != 0)
    # Those that are no pairs go behind all others, and are not read.
    flat, rank = paired.flatten(), torch.cumsum(paired.flatten(), 0) - 1
    factors = wrong.new_zeros(rank.numel() + 1)
    factors.index_put_((torch.where(flat, rank, rank.numel()),), wrong.flatten())
    index = (torch.cumsum(counted.flatten(), 0) - 1).clamp(min=0)
    push = torch.where(counted, change * factors[index].view_as(wrong), 0.0)
    return push.sum(1) - push.sum(2)


@primitive(PrimitiveOp.NDCG)
@dataclass(frozen=True)
class NDCG(OfGroups):
    """Gain of each group's sample of the highest score, relative to the gain of its first
    sample.
    """

    def lower(self, *operands: TensorType) -> Kernel | RunKernel:
        def compute(score: Tensor, gain: Tensor, group: Tensor) -> Tensor:
            if not score.numel():
                return score.sum()
            groups = _Groups.of(score.detach(), gain.detach(), group.detach())
            best = groups.gains.gather(1, groups.order()[:, :1])
            result = groups.average(_ratio(best, groups.gains[:, :1]))
            return evaluation_only(result, self.op_name, score, gain, group)

        return check_equal_lengths(operands, compute)


def lambda_rank(output: Any, gain: Any, group: Any, name: str = "") -> Composite:
    """Compute the loss LambdaRank (Burges, 2010), for the order of samples within groups.

    Its value is one minus the normalized discounted cumulative gain, the mean over groups in
    percent, times the number of samples, so that the average over samples that a trainer reports is
    that percentage. It is piecewise constant; the gradient is LambdaRank's, and not that of the
    value. None flows to gain and group.

    Args:
        output: each sample's score, ``[1]``.
        gain: what the sample is worth, ``[1]``, 0 or more. Within a group samples come with the
            largest gain first.
        group: the number of the sample's group, ``[1]``, whole. The samples of a group come one
            after another.
        name: its name in the graph.

    Returns:
        A function whose output is one number for the minibatch.

    Raises:
        GraphError: if an operand is not one number for each sample, or they have no common batch
            axis.

    Example:
        >>> import cntk as C
        >>> score, gain, group = (C.input_variable(1) for _ in range(3))
        >>> loss = lambda_rank(score, gain, group)
        >>> loss.eval({score: [[1], [2]], gain: [[7], [1]], group: [[1], [1]]})
        array(58.038, dtype=float32)
    """
    return apply(LambdaRank(), (output, gain, group), name)


def ndcg_at_1(output: Any, gain: Any, group: Any, name: str = "") -> Composite:
    """Compute the normalized discounted cumulative gain of the best-scored sample of each group, as
    a metric.

    Its value is the gain of the sample with the highest score, in percent of the gain of the
    group's first sample, the mean over groups, times the number of samples.

    Args:
        output: each sample's score, ``[1]``.
        gain: what the sample is worth, ``[1]``, 0 or more. Within a group samples come with the
            largest gain first.
        group: the number of the sample's group, ``[1]``, whole. The samples of a group come one
            after another.
        name: its name in the graph.

    Returns:
        A function whose output is one number for the minibatch; it has no gradient.

    Raises:
        GraphError: if an operand is not one number for each sample, or they have no common batch
            axis.

    Example:
        >>> import cntk as C
        >>> score, gain, group = (C.input_variable(1) for _ in range(3))
        >>> metric = ndcg_at_1(score, gain, group)
        >>> metric.eval({score: [[1], [2], [3]], gain: [[4], [2], [1]], group: [[1], [1], [2]]})
        array(225., dtype=float32)
    """
    return apply(NDCG(), (output, gain, group), name)
