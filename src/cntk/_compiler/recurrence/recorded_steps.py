"""Loop steps with a recorded gradient, once a loop has run a few times.

Autograd would keep every call of every step, and add up a matrix's gradient step by step. Here a
step's gradient is a straight line of calls, and gradients of matrices and vectors are computed for
all steps at once in the end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from cntk._compiler.recording.not_recorded import NotRecorded
from cntk._compiler.recording.record_loop_step import Product, StepRecording, Total, record_step
from cntk._runtime.matmul import mm
from cntk._runtime.reasons import Reasons

# Recording takes a tenth of a second: only loops that run again and again are worth it.
_RUNS_BEFORE = 5

# Rows on which a recording is tried.
_EXAMPLES = 3


@dataclass(frozen=True)
class Feedback:
    """Delay as the index of the step's output that it feeds back, and the number of steps later."""

    output: int
    offset: int


@dataclass
class RecordedSteps:
    """Step of a loop, and its recordings.

    Attributes:
        step: function of values per frame, per sequence, of the delays, and static ones;
            returns the outputs, all with one row for each running sequence.
        feedback: the delays.
        free: for each value per frame or sequence the axes whose size is known at run time only.
        reasons: reasons why steps run by autograd.
        runs: number of runs of the loop, by recorded code or not.
        replays: number of runs by recorded code.
    """

    step: Callable[..., Sequence[Tensor]]
    feedback: Sequence[Feedback]
    free: Sequence[Sequence[int]]
    reasons: Reasons
    runs: int = 0
    replays: int = 0
    _recordings: dict[tuple[Any, ...], StepRecording | None] = field(default_factory=dict)

    def recording(
        self,
        rows_outside: Sequence[Tensor],
        starts: Sequence[Tensor],
        static: Sequence[Tensor],
        passes: int = 0,
    ) -> StepRecording | None:
        """Return the recording for such operands; None if there is none, or not yet.

        Args:
            rows_outside, starts, static: the operands; see `run`.
            passes: number of runs of the loop before it was compiled.
        """
        if self.runs + passes <= _RUNS_BEFORE:
            return None
        first = [starts[begin] for begin in _begins(self.feedback)]
        # A gradient that flows from one step to an earlier one is needed at all steps.
        flows = any(t.requires_grad for t in (*rows_outside, *starts, *static))
        if not flows:
            self.reasons.keep("nothing in it depends on what gradients are computed for")
            return None
        if len(self._widths(rows_outside)) > 1:
            self.reasons.keep("its operands have free axes of several sizes")
            return None
        rows = [*((t, t.requires_grad) for t in rows_outside), *((t, True) for t in first)]
        free = [*self.free, *[()] * len(first)]
        key = (
            tuple(
                (flag, t.dtype, *(d for k, d in enumerate(t.shape) if k and k not in axes))
                for (t, flag), axes in zip(rows, free, strict=True)
            ),
            tuple(t.requires_grad for t in static),
            starts[0].device,
        )
        if key not in self._recordings:
            examples = [t.detach()[:_EXAMPLES].requires_grad_(flag) for t, flag in rows]
            self._recordings[key] = self._recorded(examples, static, free)
        return self._recordings[key]

    def _recorded(
        self,
        examples: Sequence[Tensor],
        static: Sequence[Tensor],
        free: Sequence[Sequence[int]],
    ) -> StepRecording | None:
        """Return the recording for such operands; None, with the reason kept, if there is none."""
        try:
            return record_step(self.step, examples, static, free)
        except NotRecorded as failure:
            self.reasons.keep(str(failure), failure.__cause__, failure.expected)
            return None

    @property
    def recordings(self) -> list[StepRecording]:
        """Recordings made so far."""
        return [r for r in self._recordings.values() if r is not None]

    def _widths(self, rows: Sequence[Tensor]) -> set[int]:
        """Return the sizes of free axes."""
        return {t.shape[k] for t, axes in zip(rows, self.free, strict=True) for k in axes}

    def width(self, rows: Sequence[Tensor]) -> int:
        """Return the size of all free axes; 0 if there are none."""
        return next(iter(self._widths(rows)), 0)

    def run(
        self,
        recording: StepRecording,
        sizes: Sequence[int],
        frames: Sequence[Tensor],
        sequences: Sequence[Tensor],
        starts: Sequence[Tensor],
        static: Sequence[Tensor],
    ) -> Sequence[Tensor]:
        """Run all steps.

        Args:
            recording: the step's code.
            sizes: number of sequences that still run at each step.
            frames: values per frame, step by step, ``[frames, *shape]``.
            sequences: values per sequence, longest first, ``[sequences, *shape]``.
            starts: for each delay the values before the first step, one for each step up to its
                offset.
            static: values that are the same at every step.

        Returns:
            The outputs, step by step, ``[frames, *shape]``.
        """
        self.replays += 1
        counts = (len(frames), len(sequences), len(starts))
        return _Steps.apply(self, recording, sizes, counts, *frames, *sequences, *starts, *static)  # type: ignore[no-any-return, no-untyped-call]


class _Steps(torch.autograd.Function):
    """Run of all steps by the recorded code, with its gradient."""

    @staticmethod
    def forward(
        ctx: Any,
        steps: RecordedSteps,
        recording: StepRecording,
        sizes: list[int],
        counts: Any,
        *operands: Tensor,
    ) -> tuple[Tensor, ...]:
        frames, sequences, starts, static = _split_by_count(operands, counts)
        parts = [torch.split(x, sizes) for x in frames]
        history: list[list[Tensor]] = [[] for _ in range(recording.outputs)]
        ctx.saved, ctx.width = [], steps.width((*frames, *sequences))
        begins = _begins(steps.feedback)
        for step, size in enumerate(sizes):
            before = [
                _head(
                    history[d.output][step - d.offset]
                    if step >= d.offset
                    else starts[begin + step],
                    size,
                )
                for d, begin in zip(steps.feedback, begins, strict=True)
            ]
            rows = (*(p[step] for p in parts), *(_head(x, size) for x in sequences), *before)
            results = recording.forward(*rows, *static, size, ctx.width)
            for states, value in zip(history, results[: recording.outputs], strict=True):
                states.append(value)
            ctx.saved.append(results[recording.outputs :])
        ctx.steps, ctx.recording, ctx.sizes, ctx.counts = steps, recording, sizes, counts
        ctx.operands = operands
        ctx.shapes = [states[-1].shape[1:] for states in history]
        ctx.set_materialize_grads(False)
        return tuple(torch.cat(states) for states in history)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Any, ...]:
        return (None, None, None, None, *_BackwardSteps(ctx, gradients).gradients())


class _BackwardSteps:
    """Computation of the gradients of all steps' operands, from the last step to the first."""

    def __init__(self, ctx: Any, output_gradients: Sequence[Tensor | None]) -> None:
        self.ctx = ctx
        self.sizes, self.recording = ctx.sizes, ctx.recording
        self.frames, self.sequences, self.starts, self.static = _split_by_count(
            ctx.operands, ctx.counts
        )
        like = next(x for x in output_gradients if x is not None)
        # Later steps add to an output's gradient in place.
        whole = (
            like.new_zeros(sum(self.sizes), *shape)
            if g is None
            else g.clone(memory_format=torch.contiguous_format)
            for g, shape in zip(output_gradients, ctx.shapes, strict=True)
        )
        self.seeds = [torch.split(g, self.sizes) for g in whole]

    def gradients(self) -> list[Tensor | None]:
        """Return for each operand its gradient, or None."""
        frames, sequences, feedback = len(self.frames), len(self.sequences), self.ctx.steps.feedback
        row_gradients = self.recording.row_gradients
        of_frames: list[list[Tensor]] = [[] for _ in self.frames]
        of_sequences = [
            torch.zeros_like(x) if row_gradients[frames + k] is not None else None
            for k, x in enumerate(self.sequences)
        ]
        of_starts: list[Tensor | None] = [None] * len(self.starts)
        begins = _begins(feedback)
        static_gradients = [
            _StaticGradient(how, x)
            for how, x in zip(self.recording.static_gradients, self.static, strict=True)
        ]
        for step in reversed(range(len(self.sizes))):
            size = self.sizes[step]
            seeds = (s[step] for s in self.seeds)
            results = self.recording.backward(
                *self.ctx.saved[step], *seeds, *self.static, size, self.ctx.width
            )
            for k in range(frames):
                if row_gradients[k] is not None:
                    of_frames[k].append(results[row_gradients[k]])
            for k, total in enumerate(of_sequences):
                if total is not None:
                    total[:size].add_(results[row_gradients[frames + k]])
            for k, (delay, begin) in enumerate(zip(feedback, begins, strict=True)):
                position = row_gradients[frames + sequences + k]
                if position is None:
                    continue
                if step >= delay.offset:
                    _head(self.seeds[delay.output][step - delay.offset], size).add_(
                        results[position]
                    )
                else:
                    of_starts[begin + step] = results[position]
            for static_gradient in static_gradients:
                static_gradient.add_step(results)
            self.ctx.saved[step] = None
        return [
            *(torch.cat(parts[::-1]) if parts else None for parts in of_frames),
            *of_sequences,
            *(_padded_to(g, x) for g, x in zip(of_starts, self.starts, strict=True)),
            *(static_gradient.gradient() for static_gradient in static_gradients),
        ]


class _StaticGradient:
    """Accumulated gradient of a static operand over the steps."""

    def __init__(self, source: int | Product | Total | None, operand: Tensor) -> None:
        self.source = source
        self.total = torch.zeros_like(operand) if isinstance(source, int) else None
        self.left: list[Tensor] = []
        self.right: list[Tensor] = []

    def add_step(self, results: Sequence[Tensor]) -> None:
        """Add a step's part."""
        if isinstance(self.source, Product):
            self.left.append(results[self.source.left])
            self.right.append(results[self.source.right])
        elif isinstance(self.source, Total):
            self.left.append(results[self.source.rows])
        elif self.total is not None:
            self.total.add_(results[self.source])  # type: ignore[index]

    def gradient(self) -> Tensor | None:
        """Return the gradient of all steps."""
        if isinstance(self.source, Product):
            return mm(torch.cat(self.left).t(), torch.cat(self.right))
        return torch.cat(self.left).sum(0) if isinstance(self.source, Total) else self.total


def _split_by_count(
    operands: Sequence[Tensor], counts: tuple[int, int, int]
) -> list[Sequence[Tensor]]:
    parts, begin = [], 0
    for count in counts:
        parts.append(operands[begin : begin + count])
        begin += count
    return [*parts, operands[begin:]]


def _begins(feedback: Sequence[Feedback]) -> list[int]:
    """Return the index of each delay's first value among all values before the first step."""
    begins, total = [], 0
    for delay in feedback:
        begins.append(total)
        total += delay.offset
    return begins


def _head(x: Tensor, size: int) -> Tensor:
    return x if x.shape[0] == size else x[:size]


def _padded_to(gradient: Tensor | None, operand: Tensor) -> Tensor | None:
    """Return a start's gradient, padded with zeros for sequences that end before it is read."""
    if gradient is None or gradient.shape == operand.shape:
        return gradient
    return torch.cat(
        [gradient, gradient.new_zeros(operand.shape[0] - gradient.shape[0], *gradient.shape[1:])]
    )
