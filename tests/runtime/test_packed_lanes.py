"""PackedLanes: every frame has one place, sequences of a lane are kept apart, and a kernel forgets
between them.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st

import cntk as C
from cntk._compiler.recurrence.lstm_kernel import forget_gate_weights, lstm
from cntk._runtime.layout.layout import Layout

lengths = st.lists(st.integers(1, 60), min_size=1, max_size=12)


@given(lengths, st.booleans())
def test_frames_of_a_sequence_follow_one_another_in_one_lane(given_lengths, backwards):
    layout = Layout(given_lengths)
    lanes = layout.packed_lanes(backwards)
    assert layout.packed_lanes(backwards) is lanes, "made once"
    assert lanes.frames.numel() == lanes.steps * lanes.count
    assert torch.equal(lanes.frames[lanes.positions], torch.arange(layout.frames))
    for begin, length in zip(layout.offsets.tolist(), given_lengths, strict=False):
        places = lanes.positions[begin : begin + length].tolist()
        assert len({p % lanes.count for p in places}) == 1, "one lane"
        steps = [p // lanes.count for p in places]
        first = steps[-1] if backwards else steps[0]
        assert steps == list(range(first, first + length))[:: -1 if backwards else 1]


@given(lengths)
def test_between_two_sequences_of_a_slot_a_place_is_empty(given_lengths):
    layout = Layout(given_lengths)
    lanes = layout.packed_lanes()
    owner = torch.full((lanes.steps * lanes.count,), -1)
    owner[lanes.positions] = layout.segments
    above, below = (
        owner.view(lanes.steps, lanes.count)[:-1],
        owner.view(lanes.steps, lanes.count)[1:],
    )
    assert not ((above != below) & (above >= 0) & (below >= 0)).any()
    assert sorted(lanes.empty.tolist()) == (owner < 0).nonzero().flatten().tolist()


def test_very_different_lengths_leave_few_places_empty():
    torch.manual_seed(0)
    layout = Layout(torch.randint(10, 161, (32,)).tolist())
    assert (
        layout.packed_lanes().frames.numel() < 1.1 * layout.frames < layout.longest * layout.count
    )


def test_a_sequence_without_frames_is_nowhere():
    lanes = Layout([2, 0, 5]).packed_lanes()
    assert (
        sorted(lanes.positions.tolist()) == sorted(set(lanes.positions.tolist()))
        and lanes.positions.numel() == 7
    )


@given(lengths, st.booleans())
def test_rows_are_marked_where_no_frame_stands_and_come_back_with_gradients(
    given_lengths, backwards
):
    layout = Layout(given_lengths)
    lanes = layout.packed_lanes(backwards)
    x = torch.randn(layout.frames, 2, dtype=torch.float64, requires_grad=True)
    taken = lanes.gather_with_separator(x)
    assert taken.shape == (lanes.steps, lanes.count, 3)
    rows = taken.flatten(0, 1)
    assert torch.equal(rows[:, 2].nonzero().flatten(), lanes.empty)
    assert torch.equal(lanes.scatter(rows[:, :2]), x)
    weights = torch.randn(layout.frames, 2, dtype=torch.float64)
    (gradient,) = torch.autograd.grad((lanes.scatter(rows[:, :2] * 3) * weights).sum(), [x])
    assert torch.allclose(gradient, 3 * weights)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_marked_place_makes_all_states_and_their_gradients_zero(dtype):
    torch.manual_seed(0)
    size, gates = 5, 4
    weights = [torch.randn(n, k, dtype=dtype) for n, k in ((gates * size, 3), (gates * size, size))]
    weights += [torch.randn(gates * size, dtype=dtype)] * 2
    marked = [torch.cat([weights[0], forget_gate_weights(size).to(dtype)], 1), *weights[1:]]
    x = torch.randn(7, 2, 3, dtype=dtype)
    rows = torch.cat([x, torch.zeros(7, 2, 1, dtype=dtype)], 2)
    rows[3, :, 3] = 1
    rows.requires_grad_()
    begin = [torch.zeros(1, 2, size, dtype=dtype)] * 2
    y, *_ = lstm(rows, begin, marked, False)
    for part in (slice(0, 3), slice(4, 7)):
        alone, *_ = lstm(x[part], begin, weights, False)
        torch.testing.assert_close(y[part], alone)
    assert not y[3].any()
    (gradient,) = torch.autograd.grad(y[4:].sum(), [rows])
    assert not gradient[:4].any() and gradient[4:].any()


def test_a_sequence_that_is_no_number_spoils_no_other():
    x = C.sequence.input_variable(3)
    model = C.layers.Recurrence(C.layers.LSTM(4))(x)
    rows = [np.random.default_rng(n).normal(size=(n, 3)).astype(np.float32) for n in (2, 9, 3, 4)]
    wanted = model.eval({x: rows})
    rows[0][1, 1] = np.nan
    found = model.eval({x: rows})
    assert np.isnan(found[0][1]).all()
    for one, other in zip(found[1:], wanted[1:], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)
