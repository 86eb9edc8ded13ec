"""Recurrent states carried over from the previous minibatch, and initial states that are
sequences.
"""

from __future__ import annotations

import torch
from torch import Tensor

from cntk._graph.types import Shape
from cntk._runtime.context import RunContext
from cntk._runtime.layout.layout import Layout
from cntk._runtime.transfer import to_device
from cntk.errors import FeedError


def keep_carry(run: RunContext, uid: str, frames: Tensor, layout: Layout, offset: int) -> None:
    """Keep a delayed value for sequences that go on in the next minibatch.

    A sequence that goes on here with fewer frames than the delay's offset also keeps some frames of
    the previous minibatch.
    """
    frames = frames.detach()
    begins = layout.starts or (True,) * layout.count
    if offset > 1 and any(
        n < offset and not b for n, b in zip(layout.lengths, begins, strict=True)
    ):
        carry = _previous(run, uid)
        if carry is not None and _lost(layout, carry[1].count) is None:
            frames, layout = _with_earlier(frames, layout, *carry, offset)
    run.carry[uid] = (frames, layout)


def _previous(run: RunContext, uid: str) -> tuple[Tensor, Layout] | None:
    """Return the frames and layout kept by the previous minibatch, if there are any."""
    carry = run.carry.get(uid)
    carry = carry() if callable(carry) else carry
    return None if carry is None else (to_device(carry[0], run.device), carry[1].on(run.device))


def _lost(layout: Layout, count: int) -> int | None:
    """Return the first sequence that goes on from one that the previous minibatch of ``count``
    sequences lacks.
    """
    origins = zip(layout.previous_sequences, layout.starts or (), strict=True)
    return next(
        (k for k, (origin, begins) in enumerate(origins) if not begins and origin >= count), None
    )


def _with_earlier(
    frames: Tensor, layout: Layout, earlier: Tensor, before: Layout, offset: int
) -> tuple[Tensor, Layout]:
    """Return the last frames of each sequence, those of the previous minibatch included."""
    begins = layout.starts or (True,) * layout.count
    parts, lengths = [], []
    origins = layout.previous_sequences
    for rows, origin, fresh in zip(
        torch.split(frames, list(layout.lengths)), origins, begins, strict=True
    ):
        missing = 0 if fresh else max(offset - len(rows), 0)
        if missing:
            end = before.ends[origin]
            rows = torch.cat(
                [earlier[max(end - missing, end - before.lengths[origin]) : end], rows]
            )
        parts.append(rows[-offset:])
        lengths.append(len(parts[-1]))
    return torch.cat(parts), Layout(lengths, None, layout.device)


def carried(
    run: RunContext, uid: str, layout: Layout, back: int, forwards: bool
) -> tuple[Tensor, Tensor] | None:
    """Return the frame ``back`` frames before this minibatch's begin, one a sequence; None if no
    sequence goes on.

    Args:
        run: context of the run.
        uid: the delay's.
        layout: the sequences'; it tells those that go on.
        back: number of frames to look back.
        forwards: True if the delay looks back in time; else nothing is carried.

    Returns:
        The frames ``[sequences, *shape]``, and a mask of those that are valid, bool
        ``[sequences]``: a sequence that begins here, or fewer frames earlier, has none.

    Raises:
        FeedError: if a sequence goes on from one that there was not. Data of a reader begin anew
            instead: it may have been restored in the middle of a sequence.
    """
    if layout.starts is None or not forwards:
        return None
    carry = _previous(run, uid)
    count = 0 if carry is None else carry[1].count
    lost = _lost(layout, count)
    if lost is not None and layout.origins is None:
        earlier = f"had {count} sequences" if count else "does not exist"
        raise FeedError(
            f"sequence {lost} is said to go on from the minibatch before, which {earlier}; "
            f"evaluate its beginning first, or say True for it, that it begins here"
        )
    if carry is None or lost is not None:
        return None
    frames, before = carry
    begins, origins = layout.going_on
    origins = origins.clamp(max=before.count - 1)
    ends, lengths = before.offsets[1:][origins], before.lengths_tensor[origins]
    has = ~begins & (lengths >= back)
    return frames.index_select(0, torch.clamp(ends - back, min=0)), has


def goes_on(run: RunContext, uid: str, layout: Layout, back: int) -> list[int]:
    """Return the sequences for which `carried` returns a frame."""
    carry = _previous(run, uid)
    if carry is None or layout.starts is None:
        return []
    before = carry[1].lengths
    origins = enumerate(zip(layout.starts, layout.previous_sequences, strict=True))
    return [
        k
        for k, (begins, place) in origins
        if not begins and before[min(place, len(before) - 1)] >= back
    ]


def from_sequence(start: Tensor, start_layout: Layout, layout: Layout, steps: int) -> Tensor:
    """Return for each frame the frame of an initial-state sequence that replaces the missing one.

    Args:
        start: the initial states, ``[frames, *shape]``.
        start_layout: their layout.
        layout: that of the sequences that are delayed.
        steps: by how many frames; negative for future values.

    Raises:
        FeedError: if there is not one initial state for each sequence, long enough for the delay.
    """
    if start_layout.count != layout.count:
        raise FeedError(
            f"delay: {start_layout.count} initial states were given for {layout.count} sequences"
        )
    if any(n < abs(steps) and n != 1 for n in start_layout.lengths):
        raise FeedError(
            f"delay: an initial state of several frames must have at least {abs(steps)}, the "
            f"delay's steps"
        )
    size = start_layout.lengths_tensor
    if steps > 0:
        at = size[layout.segments] - steps + layout.positions
    else:
        at = layout.positions - layout.lengths_tensor[layout.segments] - steps
    at = torch.minimum(torch.clamp(at, min=0), size[layout.segments] - 1)
    return start.index_select(0, start_layout.first[layout.segments] + at)


def broadcast_rows(rows: Tensor, shape: Shape) -> Tensor:
    """Broadcast rows to a shape with more static axes; free dimensions keep their size."""
    missing = len(shape) + 1 - rows.dim()
    raised = rows.reshape(rows.shape[0], *(1,) * missing, *rows.shape[1:])
    return raised.expand(rows.shape[0], *(max(d, -1) for d in shape))
