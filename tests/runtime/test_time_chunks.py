"""TimeChunks of time: every frame has one place, in its sequence's order, and states pass from
piece to piece.
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
    pieces = layout.pieces(backwards)
    assert layout.pieces(backwards) is pieces, "made once"
    assert sum(steps * running for steps, running in pieces.sizes) == pieces.frames.numel()
    assert torch.equal(pieces.frames[pieces.places], torch.arange(layout.frames))
    assert [given_lengths[k] for k in pieces.order.tolist()] == sorted(given_lengths, reverse=True)
    found: dict[int, list[int]] = {k: [] for k in range(layout.count)}
    for rectangle in pieces.split(pieces.frames):
        for row in rectangle:
            for rank, frame in enumerate(row.tolist()):
                found[int(pieces.order[rank])].append(frame)
    for k, frames in found.items():
        own = list(range(int(layout.offsets[k]), int(layout.offsets[k + 1])))
        assert frames[: len(own)] == (own[::-1] if backwards else own)


@given(lengths)
def test_few_places_hold_no_frame(given_lengths):
    layout = Layout(given_lengths)
    pieces = layout.pieces()
    longest_piece = max(steps for steps, _ in pieces.sizes)
    assert pieces.frames.numel() < layout.frames + layout.count * longest_piece
    assert sum(steps for steps, _ in pieces.sizes) == layout.longest


@pytest.mark.parametrize("longest", [8, 64, 65, 1000])
def test_pieces_are_of_few_sizes(longest):
    sizes = Layout([longest, 3]).pieces().sizes
    assert len({steps for steps, _ in sizes[:-1]}) <= 1 and len(sizes) <= 16


def test_a_sequence_without_frames_is_nowhere():
    pieces = Layout([2, 0, 5]).pieces()
    assert pieces.sizes == ((5, 2),) and pieces.places.tolist() == [1, 3, 0, 2, 4, 6, 8]


@given(lengths, st.booleans())
def test_rows_go_to_their_places_and_back_with_gradients(given_lengths, backwards):
    layout = Layout(given_lengths)
    pieces = layout.pieces(backwards)
    x = torch.randn(layout.frames, 2, dtype=torch.float64, requires_grad=True)
    taken = pieces.take(x)
    assert torch.equal(pieces.give(taken), x)
    weights = torch.randn(layout.frames, 2, dtype=torch.float64)
    (gradient,) = torch.autograd.grad((pieces.give(taken * 3) * weights).sum(), [x])
    assert torch.allclose(gradient, 3 * weights)
    rows = torch.randn(taken.shape, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad((pieces.give(rows) * weights).sum(), [rows])
    assert torch.equal(gradient, torch.zeros_like(rows).index_copy(0, pieces.places, weights))
