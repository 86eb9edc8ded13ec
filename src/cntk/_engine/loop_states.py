"""What stands before a loop's first step: initial states, and states carried over from the previous minibatch."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from cntk._engine.layout import Layout
from cntk._engine.loop_rows import PER_FRAME, by_step
from cntk._engine.nodes import Node
from cntk._engine.run import Run
from cntk._errors import FeedError
from cntk._graph.types import Shape


def keep_carry(run: Run, uid: str, frames: Tensor, layout: Layout, offset: int) -> None:
    """Keep a delayed value, so that sequences which go on in the next minibatch find its last frames.

    A sequence that goes on here with less frames than the delay's offset keeps some of the minibatch before, too.
    """
    frames = frames.detach()
    begins = layout.starts or (True,) * layout.count
    if offset > 1 and any(n < offset and not b for n, b in zip(layout.lengths, begins, strict=True)):
        kept = _kept(run, uid, layout)
        if kept is not None:
            frames, layout = _with_earlier(frames, layout, *kept, offset)
    run.carry[uid] = (frames, layout)


def _kept(run: Run, uid: str, layout: Layout) -> tuple[Tensor, Layout] | None:
    """What the minibatch before kept, if a layout's sequences can go on from it."""
    kept = run.carry.get(uid)
    if kept is None or layout.starts is None:
        return None
    frames, before = kept() if callable(kept) else kept
    if layout.origins is None:
        return None if before.count != layout.count else (frames, before)
    reach = max(k for k, begins in zip(layout.origins, layout.starts, strict=True) if not begins)
    return None if reach >= before.count else (frames, before)


def _with_earlier(
    frames: Tensor, layout: Layout, earlier: Tensor, before: Layout, offset: int
) -> tuple[Tensor, Layout]:
    """The last frames of each sequence, those of the minibatch before included."""
    origins = layout.origins or range(layout.count)
    begins = layout.starts or (True,) * layout.count
    parts, lengths = [], []
    for rows, origin, fresh in zip(torch.split(frames, list(layout.lengths)), origins, begins, strict=True):
        missing = 0 if fresh else max(offset - len(rows), 0)
        if missing:
            end = int(before.offsets[origin + 1])
            rows = torch.cat([earlier[max(end - missing, int(before.offsets[origin])) : end], rows])
        parts.append(rows[-offset:])
        lengths.append(len(parts[-1]))
    return torch.cat(parts), Layout(lengths, None, layout.device)


def carried(run: Run, uid: str, layout: Layout, back: int, forwards: bool) -> tuple[Tensor, Tensor] | None:
    """The frame ``back`` frames before this minibatch's begin, one a sequence; None if none was kept.

    Returns:
        The frames ``[sequences, *shape]``, and for which sequences they are that, bool ``[sequences]``: those that begin
        here, or so few frames earlier, have none.
    """
    kept = _kept(run, uid, layout) if forwards else None
    if kept is None:
        return None
    frames, before = kept
    ends, lengths = before.offsets[1:], before.lengths_tensor
    if layout.origins is not None:
        origins = torch.tensor(layout.origins, device=ends.device).clamp_(max=before.count - 1)
        ends, lengths = ends[origins], lengths[origins]
    has = ~torch.tensor(layout.starts, device=ends.device) & (lengths >= back)
    return frames.index_select(0, torch.clamp(ends - back, min=0)), has


def from_sequence(start: Tensor, given: Layout, layout: Layout, steps: int) -> Tensor:
    """For each frame the frame of an initial-state sequence that takes the missing one's place.

    Args:
        start: the initial states, ``[frames, *shape]``.
        given: their layout.
        layout: that of the sequences that are delayed.
        steps: by how many frames; negative for future values.

    Raises:
        FeedError: if there is not one initial state for each sequence, long enough for the delay.
    """
    if given.count != layout.count:
        raise FeedError(f"delay: {given.count} initial states were given for {layout.count} sequences")
    size = given.lengths_tensor
    if bool(((size < abs(steps)) & (size != 1)).any()):
        raise FeedError(f"delay: an initial state of several frames must have at least {abs(steps)}, the delay's steps")
    if steps > 0:
        at = size[layout.segments] - steps + layout.positions
    else:
        at = layout.positions - layout.lengths_tensor[layout.segments] - steps
    at = torch.minimum(torch.clamp(at, min=0), size[layout.segments] - 1)
    return start.index_select(0, given.first[layout.segments] + at)


def initial_rows(delay: Node, initial: Tensor, count: int) -> Tensor:
    """A delay's initial state for each of so many sequences: ``[count, *shape]``."""
    given, shape = delay.operands[1].type, delay.types[0].shape
    return stretched(initial, shape) if given.has_batch_axis else _repeated(initial, shape, count)


def stretched(rows: Tensor, shape: Shape) -> Tensor:
    """Rows of fewer or smaller static axes as rows of a shape; along free dimensions they stay as they are."""
    missing = len(shape) + 1 - rows.dim()
    raised = rows.reshape(rows.shape[0], *(1,) * missing, *rows.shape[1:])
    return raised.expand(rows.shape[0], *(max(d, -1) for d in shape))


def _repeated(value: Tensor, shape: Shape, count: int) -> Tensor:
    """A value without rows as so many rows of a shape."""
    return stretched(value.unsqueeze(0), shape).expand(count, *(-1,) * len(shape))


def _begin(run: Run, layout: Layout, delay: Node, initial: Tensor) -> Callable[[int, int], Tensor]:
    """A delay's initial states at one of the first steps, for the sequences that are still running."""
    given, shape = delay.operands[1].type, delay.types[0].shape
    if given.is_sequence:
        frames = from_sequence(initial, run.layout(given.dynamic_axes), layout, delay.op.delay)
        return by_step(stretched(frames, shape), PER_FRAME, layout, delay.op.delay < 0)
    if given.has_batch_axis:
        rows = stretched(initial if layout.uniform else initial.index_select(0, layout.sorted_rows), shape)
        return lambda step, size: rows[:size]
    return lambda step, size: _repeated(initial, shape, size)


def initial_state(run: Run, layout: Layout, delay: Node, initial: Tensor) -> Callable[[int, int], Tensor]:
    begin = _begin(run, layout, delay, initial)
    if layout.starts is None:
        return begin
    shape = (-1,) + (1,) * len(delay.types[0].shape)
    offset = abs(delay.op.delay)

    def mixed(step: int, size: int) -> Tensor:
        found = carried(run, delay.primitive.uid, layout, offset - step, delay.op.delay > 0)
        if found is None:
            return begin(step, size)
        before, has = (x.index_select(0, layout.sorted_rows)[:size] for x in found)
        return torch.where(has.reshape(shape), before, begin(step, size))

    # The next minibatch's state is kept before this one's is read at a later step: read all now.
    states = [mixed(step, layout.step_sizes[step]) for step in range(min(offset, layout.longest))]
    return lambda step, size: states[step]
