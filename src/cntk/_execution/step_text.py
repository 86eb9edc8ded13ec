"""Training steps in words: which tier ran for which minibatches, and why not the faster one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from cntk._compiler import plan_text
from cntk._execution import training_step
from cntk._execution.compiled_state import state_of
from cntk._execution.training_step import TrainingStep
from cntk._graph.types import axis_text
from cntk._runtime.context import RunContext
from cntk._runtime.layout.layout import Layout

# Sizes of minibatches that are told of one by one.
_MOST_SHOWN = 10


def tier_lines(step: TrainingStep) -> list[str]:
    """Return how many minibatches ran by autograd and how many by recordings, by their sizes."""
    course = step.course()
    count = course.eager + course.recorded
    lines = [f"{count} minibatches: {course.eager} eager, {course.recorded} recorded"]
    if course.resumed:
        lines.append(f"{course.resumed} before, in the training that this one goes on from")
    for batch, lengths, plan, recording in course.recordings[:_MOST_SHOWN]:
        threads = plan_text.thread_text(plan, _run(batch, lengths))
        tier = "eager" if recording is None else f"recorded, {recording.runs} times since"
        lines.append(f"{_size(batch, lengths)}: {tier}; {threads}")
    if len(course.recordings) > _MOST_SHOWN:
        lines.append(f"{len(course.recordings) - _MOST_SHOWN} more sizes of minibatches")
    return [*lines, *_waiting(course.waiting)]


def _waiting(seen: dict[str, int]) -> list[str]:
    """Return the sizes that have not come often enough; those of sequences are known by digests
    alone.
    """
    after = training_step.RECORD_AFTER
    lines = []
    by_count = sorted(seen.items(), key=lambda each: -each[1])
    for size, count in [each for each in by_count if " " not in each[0]][:_MOST_SHOWN]:
        what = "minibatches without a batch axis" if size == "None" else f"{size} samples"
        lines.append(f"{what}: eager; came {count} times of the {after} before it is recorded")
    counts = [n for size, n in by_count if " " in size]
    if counts:
        lines.append(
            f"sequences of {len(counts)} different lengths and numbers: eager; the most frequent "
            f"came {counts[0]} times of the {after} before it is recorded"
        )
    return lines


def reason_lines(step: TrainingStep) -> list[str]:
    """Return why steps, and what they run, are not faster."""
    state = state_of(step.function)
    sentences = [*step.reasons.sentences(), *state.reasons.sentences()]
    for plan in state.recent_plans():
        sentences += plan_text.plan_reasons(plan)
    return list(dict.fromkeys(sentences))


def code_lines(step: TrainingStep) -> list[str]:
    """Return the code that recordings run."""
    lines = []
    for batch, lengths, _, recording in step.course().recordings:
        if recording is not None:
            lines += [f"# a training step of {_size(batch, lengths)}"]
            lines += recording.code.strip().splitlines()
    return lines


def _run(batch: int | None, lengths: Sequence[tuple[Any, Sequence[int]]]) -> RunContext:
    """Return a run context of some sizes, for the estimate of its work only."""
    device = torch.device("cpu")
    layouts = {axes: Layout(each, None, device) for axes, each in lengths}
    return RunContext(True, device, batch, layouts)


def _size(batch: int | None, lengths: Sequence[tuple[Any, Sequence[int]]]) -> str:
    if not lengths:
        return "minibatches without a batch axis" if batch is None else f"{batch} samples"
    parts = []
    for axes, each in lengths:
        low, high = min(each, default=0), max(each, default=0)
        frames = f"{low}" if low == high else f"{low} to {high}"
        parts.append(f"{len(each)} sequences of {frames} frames on {axis_text(axes[-1])}")
    return ", ".join(parts)
