"""TimeChunks of time: every frame has one place, in its sequence's order, and states pass from
chunk to chunk.
"""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, strategies as st

from cntk._runtime.layout.layout import Layout

lengths = st.lists(st.integers(1, 90), min_size=1, max_size=9)


@given(lengths, st.booleans())
def test_frames_stand_step_by_step_longest_first(given_lengths, backwards):
    layout = Layout(given_lengths)
    chunks = layout.time_chunks(backwards)
    assert layout.time_chunks(backwards) is chunks, "made once"
    assert sum(steps * running for steps, running in chunks.sizes) == chunks.frames.numel()
    assert torch.equal(chunks.frames[chunks.positions], torch.arange(layout.frames))
    assert [given_lengths[k] for k in chunks.order.tolist()] == sorted(given_lengths, reverse=True)
    found: dict[int, list[int]] = {k: [] for k in range(layout.count)}
    for rectangle in chunks.split(chunks.frames):
        for row in rectangle:
            for rank, frame in enumerate(row.tolist()):
                found[int(chunks.order[rank])].append(frame)
    for k, frames in found.items():
        own = list(range(int(layout.offsets[k]), int(layout.offsets[k + 1])))
        assert frames[: len(own)] == (own[::-1] if backwards else own)


@given(lengths)
def test_few_places_hold_no_frame(given_lengths):
    layout = Layout(given_lengths)
    chunks = layout.time_chunks()
    longest_chunk = max(steps for steps, _ in chunks.sizes)
    assert chunks.frames.numel() < layout.frames + layout.count * longest_chunk
    assert sum(steps for steps, _ in chunks.sizes) == layout.longest


@pytest.mark.parametrize("longest", [8, 64, 65, 1000])
def test_pieces_are_of_few_sizes(longest):
    sizes = Layout([longest, 3]).time_chunks().sizes
    assert len({steps for steps, _ in sizes[:-1]}) <= 1 and len(sizes) <= 16


def test_a_sequence_without_frames_is_nowhere():
    chunks = Layout([2, 0, 5]).time_chunks()
    assert chunks.sizes == ((5, 2),) and chunks.positions.tolist() == [1, 3, 0, 2, 4, 6, 8]


@given(lengths, st.booleans())
def test_rows_go_to_their_places_and_back_with_gradients(given_lengths, backwards):
    layout = Layout(given_lengths)
    chunks = layout.time_chunks(backwards)
    x = torch.randn(layout.frames, 2, dtype=torch.float64, requires_grad=True)
    taken = chunks.gather(x)
    assert torch.equal(chunks.scatter(taken), x)
    weights = torch.randn(layout.frames, 2, dtype=torch.float64)
    (gradient,) = torch.autograd.grad((chunks.scatter(taken * 3) * weights).sum(), [x])
    assert torch.allclose(gradient, 3 * weights)
    rows = torch.randn(taken.shape, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad((chunks.scatter(rows) * weights).sum(), [rows])
    assert torch.equal(gradient, torch.zeros_like(rows).index_copy(0, chunks.positions, weights))
