"""States that sequences carry over from the previous minibatch, and initial states that are
sequences themselves.
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
    """Keep a delayed value, so that sequences which go on in the next minibatch find its last
    frames.

    A sequence that goes on here with less frames than the delay's offset keeps some of the
    minibatch before, too.
    """
    frames = frames.detach()
    begins = layout.starts or (True,) * layout.count
    if offset > 1 and any(
        n < offset and not b for n, b in zip(layout.lengths, begins, strict=True)
    ):
        kept = _kept(run, uid)
        if kept is not None and _lost(layout, kept[1].count) is None:
            frames, layout = _with_earlier(frames, layout, *kept, offset)
    run.carry[uid] = (frames, layout)


def _kept(run: RunContext, uid: str) -> tuple[Tensor, Layout] | None:
    """What the minibatch before kept."""
    kept = run.carry.get(uid)
    kept = kept() if callable(kept) else kept
    return None if kept is None else (to_device(kept[0], run.device), kept[1].on(run.device))


def _lost(layout: Layout, count: int) -> int | None:
    """The first sequence that goes on from one that the minibatch before, of so many, did not
    have.
    """
    places = zip(layout.places_before, layout.starts or (), strict=True)
    return next(
        (k for k, (origin, begins) in enumerate(places) if not begins and origin >= count), None
    )


def _with_earlier(
    frames: Tensor, layout: Layout, earlier: Tensor, before: Layout, offset: int
) -> tuple[Tensor, Layout]:
    """The last frames of each sequence, those of the minibatch before included."""
    begins = layout.starts or (True,) * layout.count
    parts, lengths = [], []
    places = layout.places_before
    for rows, origin, fresh in zip(
        torch.split(frames, list(layout.lengths)), places, begins, strict=True
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
    """The frame ``back`` frames before this minibatch's begin, one a sequence; None if none goes
    on.

    Args:
        run: what is under way.
        uid: the delay's.
        layout: the sequences'; it says which go on.
        back: how many frames back.
        forwards: whether the delay looks back in time; else nothing is carried.

    Returns:
        The frames ``[sequences, *shape]``, and for which sequences they are that, bool
        ``[sequences]``: those that begin here, or so few frames earlier, have none.

    Raises:
        FeedError: if a sequence goes on, and there was none in its place. What a reader gives
            begins anew: it may have been restored in the middle of a sequence.
    """
    if layout.starts is None or not forwards:
        return None
    kept = _kept(run, uid)
    count = 0 if kept is None else kept[1].count
    lost = _lost(layout, count)
    if lost is not None and layout.origins is None:
        earlier = f"had {count} sequences" if count else "does not exist"
        raise FeedError(
            f"sequence {lost} is said to go on from the minibatch before, which {earlier}; "
            f"evaluate its beginning first, or "
            "say True for it, that it begins here"
        )
    if kept is None or lost is not None:
        return None
    frames, before = kept
    begins, origins = layout.going_on
    origins = origins.clamp(max=before.count - 1)
    ends, lengths = before.offsets[1:][origins], before.lengths_tensor[origins]
    has = ~begins & (lengths >= back)
    return frames.index_select(0, torch.clamp(ends - back, min=0)), has


def goes_on(run: RunContext, uid: str, layout: Layout, back: int) -> list[int]:
    """The sequences for which `carried` gives a frame."""
    kept = _kept(run, uid)
    if kept is None or layout.starts is None:
        return []
    before = kept[1].lengths
    places = enumerate(zip(layout.starts, layout.places_before, strict=True))
    return [
        k
        for k, (begins, place) in places
        if not begins and before[min(place, len(before) - 1)] >= back
    ]


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
        raise FeedError(
            f"delay: {given.count} initial states were given for {layout.count} sequences"
        )
    if any(n < abs(steps) and n != 1 for n in given.lengths):
        raise FeedError(
            f"delay: an initial state of several frames must have at least {abs(steps)}, the "
            f"delay's steps"
        )
    size = given.lengths_tensor
    if steps > 0:
        at = size[layout.segments] - steps + layout.positions
    else:
        at = layout.positions - layout.lengths_tensor[layout.segments] - steps
    at = torch.minimum(torch.clamp(at, min=0), size[layout.segments] - 1)
    return start.index_select(0, given.first[layout.segments] + at)


def stretched(rows: Tensor, shape: Shape) -> Tensor:
    """Rows of fewer or smaller static axes as rows of a shape; along free dimensions they stay as
    they are.
    """
    missing = len(shape) + 1 - rows.dim()
    raised = rows.reshape(rows.shape[0], *(1,) * missing, *rows.shape[1:])
    return raised.expand(rows.shape[0], *(max(d, -1) for d in shape))
