"""Connectionist temporal classification: a loss for labels without alignment, summed over all their
alignments.
"""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import Any, NamedTuple

import torch
from torch import Tensor

from cntk._graph.composite import Composite
from cntk._graph.op import DiskKind, Kernel, Op, PrimitiveOp, Reach, RunKernel, primitive
from cntk._graph.types import TensorType
from cntk._ops.support.broadcasting import join_axes
from cntk._ops.support.operands import apply, as_operand
from cntk._runtime.context import RunContext
from cntk._runtime.layout.layout import Layout
from cntk._wording import shape_text
from cntk.errors import GraphError

__all__ = ["forward_backward", "labels_to_graph"]

# The value of a frame at which a label begins; any other is a frame in which it continues.
_BEGINS = 2

# Logarithm of a probability that counts as 0. It is finite, as in the original: where no alignment
# is possible, the loss is 1e11 and the gradient a share of every state, instead of not-a-numbers
# that spoil the whole minibatch.
_IMPOSSIBLE = -1e11
_LOG_OF_1E30 = 69.07755278982137


@primitive(PrimitiveOp.LabelsToGraph)
@dataclass(frozen=True)
class LabelsToGraph(Op):
    """Mark of labels for `forward_backward`; the values stay."""

    operand_counts = (1,)

    def infer(self, *operands: TensorType) -> TensorType:
        return operands[0].dense()

    def infer_partial(self, *operands: TensorType) -> TensorType | None:
        return self.infer(*operands)

    def lower(self, *operands: TensorType) -> Kernel:
        return lambda labels: labels


@primitive(PrimitiveOp.ForwardBackward)
@dataclass(frozen=True)
class ForwardBackward(Op):
    """Negative logarithm of the probability of the labels, over all their alignments, of all
    sequences together.

    Attributes:
        blank_token_id: the class of blanks.
        delay_constraint: how many frames a label may come later than it is marked; -1 for any
            number.
    """

    operand_counts = (2,)

    blank_token_id: int
    delay_constraint: int = -1

    disk_names = {"blank_token_id": "BlankTokenId", "delay_constraint": "DelayConstraint"}
    disk_kinds = {"delay_constraint": DiskKind.Int}
    not_recordable = "which paths it follows depends on the labels' values"
    reach = Reach.LATER

    def infer(self, *operands: TensorType) -> TensorType:
        labels, features = operands
        sizes = [_size(t) for t in operands]
        if min(sizes) >= 0:
            if sizes[0] != sizes[1]:
                raise GraphError(
                    f"labels and features must have as many classes: {shape_text(labels.shape)} is "
                    f"{sizes[0]}, {shape_text(features.shape)} is {sizes[1]}"
                )
            if self.blank_token_id >= sizes[0]:
                raise GraphError(
                    f"the blank is class {self.blank_token_id}, and there are only {sizes[0]}, "
                    f"from 0"
                )
        join_axes(operands, broadcast=False)
        if labels.dynamic_axes != features.dynamic_axes or not features.dynamic_axes:
            raise GraphError("labels and features must lie on the same sequence axis")
        return TensorType((), (), features.dtype)

    def lower(self, *operands: TensorType) -> RunKernel:
        axes, blank, delay = operands[1].dynamic_axes, self.blank_token_id, self.delay_constraint

        def compute(run: RunContext, labels: Tensor, features: Tensor) -> Tensor:
            frames = features.shape[0]
            layout = (
                run.layout(axes) if len(axes) > 1 else Layout([1] * frames, None, features.device)
            )
            if not frames:
                return features.sum()
            flat = labels.reshape(frames, -1), features.reshape(frames, -1)
            return _ForwardBackward.apply(*flat, layout, blank, delay)  # type: ignore[no-any-return]

        return RunKernel(compute)


def _size(type_: TensorType) -> int:
    """Return the number of classes of an operand; -1 while it is unknown."""
    size = 1
    for dimension in type_.shape:
        if dimension < 0:
            return -1
        size *= dimension
    return size


class _States(NamedTuple):
    """States of the alignments: a blank, the first label, a blank, the second label, ..., a blank.

    Attributes:
        classes: each state's class, int64 ``[sequences, states]``; blanks beyond a sequence's last
            state.
        counts: how many states each sequence has, int64 ``[sequences]``.
        latest: the last frame at which a sequence may be in a state, int64 ``[sequences, states]``;
            None for any.
    """

    classes: Tensor
    counts: Tensor
    latest: Tensor | None


def _states(labels: Tensor, layout: Layout, blank: int, delay: int) -> _States:
    """Build the states that labels ``[frames, classes]`` describe."""
    marks, classes = labels.max(1)
    begins = marks == _BEGINS
    label_counts, row = layout.sum(begins.long()), layout.segments
    number = torch.cumsum(begins, 0) - 1 - (torch.cumsum(label_counts, 0) - label_counts)[row]
    width = 2 * int(label_counts.max()) + 1
    # Frames without a new label write to one more column, which is left out.
    states = torch.full((layout.count, width + 1), blank, dtype=torch.int64, device=labels.device)
    states = states.index_put_((row, torch.where(begins, 2 * number + 1, width)), classes)[
        :, :width
    ]
    counts = 2 * label_counts + 1
    if delay == -1:
        return _States(states, counts, None)
    # Where the label after each one is marked; behind the last, where the sequence ends.
    following = layout.lengths_tensor.unsqueeze(1).repeat(1, width // 2 + 2)
    column = torch.where(begins & (number > 0), number - 1, width // 2 + 1)
    following = following.index_put_((row, column), layout.positions)[:, :-1]
    latest = following.repeat_interleave(2, 1)[:, :width] + delay
    latest = torch.where(states == blank, latest - 1, latest)
    # Quirks of the original: the blank at the end is limited to the first frames, and a limit
    # before frame 0 is no limit.
    last = torch.arange(width, device=labels.device) == (counts - 1).unsqueeze(1)
    latest = torch.where(last, delay - 1, latest)
    return _States(states, counts, torch.where(latest < 0, layout.longest, latest))


def _scores(
    logs: Tensor, classes: Tensor, forbidden: Tensor | None, blank: int
) -> tuple[Tensor, Tensor]:
    """Compute, for each frame and state, the logarithm of the probability of all paths to it.

    Args:
        logs: logarithms of the classes' probabilities ``[rows, frames, classes]``.
        classes: each state's class ``[rows, states]``.
        forbidden: where a row may not be, bool ``[rows, frames, states]``, or None.
        blank: the class that cannot be reached by passing over a label.

    Returns:
        The scores ``[frames, rows, states]``, and the logarithms of the states' own probabilities
        ``[rows, frames, states]``.
    """
    rows, frames, _ = logs.shape
    width = classes.shape[1]
    own = logs.gather(2, classes.unsqueeze(1).expand(rows, frames, width))
    # Two columns in front, from which nothing comes, so that each state has two before it.
    scores = logs.new_full((frames, rows, width + 2), -torch.inf)
    scores[0, :, 2:] = _IMPOSSIBLE
    scores[0, :, 2:4] = own[:, 0, :2]
    # A label may follow the label before without a blank between, unless it is the same.
    passes = torch.full_like(own[:, 0], -torch.inf)
    passes[:, 2:].masked_fill_((classes[:, 2:] != blank) & (classes[:, 2:] != classes[:, :-2]), 0)
    floor = logs.new_full((), _IMPOSSIBLE)
    for frame in range(1, frames):
        before = scores[frame - 1]
        ways = torch.logaddexp(before[:, 2:], before[:, 1:-1])
        ways = torch.logaddexp(ways, before[:, :-2] + passes)
        after = torch.add(torch.logaddexp(ways, floor), own[:, frame], out=scores[frame, :, 2:])
        if forbidden is not None:
            after.masked_fill_(forbidden[:, frame], _IMPOSSIBLE)
    return scores[:, :, 2:], own


class _Reversal(NamedTuple):
    """Indices that reverse each sequence's frames and states.

    Attributes:
        frames: int64 ``[sequences, frames]``; padding stays where it is.
        states: int64 ``[sequences, states]``.
    """

    frames: Tensor
    states: Tensor

    @classmethod
    def of(cls, layout: Layout, states: _States) -> _Reversal:
        return cls(
            _reversed(layout.lengths_tensor, layout.longest),
            _reversed(states.counts, states.classes.shape[1]),
        )

    def by_frames(self, x: Tensor) -> Tensor:
        """Reverse the frames of ``[sequences, frames, anything]``."""
        return x.gather(1, self.frames.unsqueeze(2).expand_as(x))

    def by_both(self, x: Tensor) -> Tensor:
        """Reverse frames and states of ``[sequences, frames, states]``."""
        return self.by_frames(x).gather(2, self.states.unsqueeze(1).expand_as(x))


def _reversed(lengths: Tensor, longest: int) -> Tensor:
    positions = torch.arange(longest, device=lengths.device)
    mirrored = lengths.unsqueeze(1) - 1 - positions
    return torch.where(mirrored >= 0, mirrored, positions)


class _ForwardBackward(torch.autograd.Function):
    """The loss with its gradient, softmax minus the labels' share in each frame, from the same two
    passes.
    """

    @staticmethod
    def forward(
        ctx: Any, labels: Tensor, features: Tensor, layout: Layout, blank: int, delay: int
    ) -> Tensor:
        dtype = torch.float64 if features.dtype == torch.float64 else torch.float32
        flat_logs = torch.log_softmax(features, 1, dtype=dtype)
        logs = layout.pad(flat_logs)
        states = _states(labels, layout, blank, delay)
        back = _Reversal.of(layout, states)
        # Reading sequences from their end is the same computation on reversed frames and states.
        # The loss comes from that one, since the original's does: with a delay constraint the two
        # differ.
        from_end = (
            back.by_frames(logs),
            states.classes.gather(1, back.states),
            _forbidden(states, layout, back),
        )
        gradient = None
        if ctx.needs_input_grad[1]:
            forbidden_from_end, forbidden = from_end[2], _forbidden(states, layout, None)
            scores, own = _scores(
                torch.cat([from_end[0], logs]),
                torch.cat([from_end[1], states.classes]),
                None
                if forbidden_from_end is None or forbidden is None
                else torch.cat([forbidden_from_end, forbidden]),
                blank,
            )
            totals = _totals(scores[:, : layout.count], states, layout)
            shares = _shares(scores, own[layout.count :], totals, states, back)
            per_class = torch.zeros_like(logs).scatter_add_(
                2, states.classes.unsqueeze(1).expand_as(shares), shares
            )
            gradient = layout.unpad(logs.exp() - per_class).to(features.dtype)
        else:
            scores, _ = _scores(*from_end, blank)
            totals = _totals(scores, states, layout)
        ctx.save_for_backward(
            flat_logs.to(features.dtype) if ctx.needs_input_grad[0] else None, gradient
        )
        return -totals.sum().to(features.dtype)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        logs, slope = ctx.saved_tensors
        to_labels = None if logs is None else -logs * gradient
        return to_labels, None if slope is None else slope * gradient, None, None, None


def _forbidden(states: _States, layout: Layout, back: _Reversal | None) -> Tensor | None:
    """Return a mask of states that a delay constraint forbids, bool ``[sequences, frames,
    states]``, reversed if asked; None if there are none.
    """
    if states.latest is None:
        return None
    positions = torch.arange(layout.longest, device=states.latest.device).reshape(1, -1, 1)
    beyond = positions > states.latest.unsqueeze(1)
    return beyond if back is None else back.by_both(beyond)


def _totals(scores: Tensor, states: _States, layout: Layout) -> Tensor:
    """Compute the logarithm of the probability of all alignments, from the scores of reversed
    sequences.
    """
    row = torch.arange(layout.count, device=scores.device)
    frame, last = layout.lengths_tensor - 1, states.counts - 1
    # The last state and the one before; a sequence without labels has a single state.
    before = scores[frame, row, (last - 1).clamp_min(0)].masked_fill(last == 0, _IMPOSSIBLE)
    return torch.logaddexp(scores[frame, row, last], before)


def _shares(
    scores: Tensor, own: Tensor, totals: Tensor, states: _States, back: _Reversal
) -> Tensor:
    """Compute the probability of each state in each frame, given the labels ``[sequences, frames,
    states]``.

    Args:
        scores: of the sequences read from their end, then of the same from their beginning.
        own: logarithms of the states' own probabilities.
        totals: of each sequence, the logarithm of the probability of its labels.
        states: the states.
        back: the order from the end.
    """
    from_end, from_begin = scores.transpose(0, 1).chunk(2)
    through = from_begin + back.by_both(from_end) - own
    beyond = torch.arange(through.shape[2], device=own.device) >= states.counts.unsqueeze(1)
    through = through.masked_fill(beyond.unsqueeze(1), -torch.inf)
    # A delay constraint can leave a frame that no alignment passes through. As in the original,
    # what sums up to less than 1e-30 of all alignments is not brought up to 1: such a frame has no
    # shares.
    part = torch.logsumexp(through, 2, True) - totals.reshape(-1, 1, 1)
    return torch.softmax(through, 2) * torch.exp((part + _LOG_OF_1E30).clamp_max(0))


def _marks_labels(function: Any) -> bool:
    return function.is_block or isinstance(function.op, LabelsToGraph)


def labels_to_graph(labels: Any, name: str = "") -> Composite:
    """Mark labels for `forward_backward`.

    Args:
        labels: for each frame a vector with one entry for each class. The largest entry says which
            label the frame belongs to; it is 2 at the frame where the label begins and 1 where it
            goes on.
        name: its name in the graph.

    Returns:
        A function with the same output.

    Example:
        >>> labels_to_graph([[2.0, 0.0], [0.0, 2.0], [0.0, 1.0]]).eval()
        array([[2., 0.],
               [0., 2.],
               [0., 1.]], dtype=float32)
    """
    return apply(LabelsToGraph(), (labels,), name)


def forward_backward(
    graph: Any, features: Any, blankTokenId: int, delayConstraint: int = -1, name: str = ""
) -> Composite:
    """Compute the loss of connectionist temporal classification (Graves et al., 2006), for labels
    without alignment.

    Which labels there are and in which order is read from the graph; where they stand matters only
    for the delay. A sequence too short for its labels adds 1e11.

    Args:
        graph: what `labels_to_graph` gives: one vector ``[classes]`` for each frame, a label
            beginning where its largest entry is 2. One class is the blank, which labels do not use.
        features: scores ``[classes]`` of each frame, before softmax, on the same sequence axis.
        blankTokenId: the class of the blank, from 0.
        delayConstraint: how many frames after the next label's mark a label may still be emitted;
            -1 for any number. As in the original, the blank behind the last label is then limited
            to the first ``delayConstraint`` frames.
        name: its name in the graph.

    Returns:
        A function whose output is one number for the minibatch: minus the logarithm of the
        probability of the labels, summed over the sequences.

    Raises:
        GraphError: if the operands have different classes or dynamic axes, there is no class for
            the blank, or the graph does not come from `labels_to_graph`.
        TypeError: if the blank or the delay is not an integer.

    Example:
        >>> import cntk as C
        >>> labels, scores = C.sequence.input_variable(3), C.sequence.input_variable(3)
        >>> loss = forward_backward(labels_to_graph(labels), scores, blankTokenId=2)
        >>> marks = [[2, 0, 0], [0, 2, 0]]
        >>> loss.eval({labels: [marks], scores: [[[0, 0, 0], [0, 0, 0]]]})  # one alignment: log 9
        array(2.1972246, dtype=float32)
    """
    for what, number in (("blankTokenId", blankTokenId), ("delayConstraint", delayConstraint)):
        if not isinstance(number, Integral) or isinstance(number, bool):
            raise TypeError(f"forward_backward: {what} must be an integer, got {number!r}")
    if blankTokenId < 0:
        raise GraphError(
            f"forward_backward: the blank must be a class from 0 on, got {blankTokenId}"
        )
    labels = as_operand(graph, op_name="forward_backward")
    if not labels.is_placeholder and not (
        labels.is_output and _marks_labels(labels.owner.root_function)
    ):
        raise GraphError(
            f"forward_backward: the first operand must be labels_to_graph(labels), got {labels!r}"
        )
    return apply(ForwardBackward(int(blankTokenId), int(delayConstraint)), (labels, features), name)
