"""Layouts against plain Python over lists of sequences, for any lengths; equal lengths take the
shorter ways.
"""

from __future__ import annotations

from unittest import mock

import pytest
import torch
from hypothesis import given, settings, strategies as st

from cntk._runtime.layout.layout import Layout

some_lengths = st.lists(st.integers(1, 5), min_size=1, max_size=6)
equal_lengths = st.builds(lambda n, t: [t] * n, st.integers(1, 5), st.integers(1, 5))
lengths = some_lengths | equal_lengths
widths = st.sampled_from([(), (3,), (2, 3)])


def frames(layout: Layout, shape: tuple[int, ...] = ()) -> torch.Tensor:
    """A number of its own for every element."""
    count = layout.frames * int(torch.Size(shape).numel())
    return torch.arange(1, count + 1, dtype=torch.float64).reshape(layout.frames, *shape)


def split(layout: Layout, x: torch.Tensor) -> list[torch.Tensor]:
    return list(torch.split(x, list(layout.lengths)))


def general(layout: Layout) -> Layout:
    """The same lengths, without the shorter ways for equal ones."""
    other = Layout(layout.lengths)
    other.__dict__["uniform"] = False
    return other


@given(lengths)
def test_what_a_layout_says_of_itself(given_lengths):
    layout = Layout(given_lengths)
    assert layout.count == len(given_lengths)
    assert layout.frames == sum(given_lengths) and layout.longest == max(given_lengths)
    assert layout.uniform == (len(set(given_lengths)) == 1)
    assert layout.lengths_tensor.tolist() == given_lengths
    assert layout.offsets.tolist() == [
        sum(given_lengths[:k]) for k in range(len(given_lengths) + 1)
    ]
    assert layout.segments.tolist() == [k for k, n in enumerate(given_lengths) for _ in range(n)]
    assert layout.positions.tolist() == [t for n in given_lengths for t in range(n)]
    assert layout.first.tolist() == layout.offsets[:-1].tolist()
    assert layout.last.tolist() == [end - 1 for end in layout.offsets[1:].tolist()]
    assert layout == Layout(given_lengths) and layout != Layout([*given_lengths, 1])


@given(lengths, st.integers(-6, 6))
def test_shift(given_lengths, steps):
    layout = Layout(given_lengths)
    index, beyond = layout.shift(steps)
    x = frames(layout)
    permute_rows = x[index].index_fill(0, beyond, 0)
    assert beyond.tolist() == sorted(set(beyond.tolist()))
    for before, after in zip(split(layout, x), split(layout, permute_rows), strict=True):
        wanted = [
            before[t - steps].item() if 0 <= t - steps < len(before) else 0
            for t in range(len(before))
        ]
        assert after.tolist() == wanted
    assert layout.shift(steps)[0] is index, "index maps are made once"


@given(lengths, widths)
def test_reversal(given_lengths, shape):
    layout = Layout(given_lengths)
    x = frames(layout, shape)
    wanted = torch.cat([s.flip(0) for s in split(layout, x)])
    assert torch.equal(layout.reverse(x), wanted)
    assert torch.equal(x[layout.reversal], wanted)
    assert torch.equal(layout.reverse(layout.reverse(x)), x)


@given(lengths, st.booleans())
def test_time_major_and_back(given_lengths, backwards):
    layout = Layout(given_lengths)
    x = frames(layout)
    order, back = layout.time_major(backwards), layout.from_time_major(backwards)
    assert torch.equal(x[order][back], x) and torch.equal(x[back][order], x)
    sequences = [s.flip(0) if backwards else s for s in split(layout, x)]
    longest_first = sorted(sequences, key=lambda s: -len(s))
    wanted = [s[t].item() for t in range(layout.longest) for s in longest_first if t < len(s)]
    assert x[order].tolist() == wanted
    assert layout.step_sizes == [sum(t < len(s) for s in sequences) for t in range(layout.longest)]
    assert layout.sorted_rows.tolist() == layout.longest_first
    assert [given_lengths[k] for k in layout.longest_first] == sorted(given_lengths, reverse=True)


@given(lengths, widths, st.floats(-3, 3))
def test_pad_and_unpad(given_lengths, shape, value):
    layout = Layout(given_lengths)
    x = frames(layout, shape)
    rectangle = layout.pad(x, value)
    assert rectangle.shape == (layout.count, layout.longest, *shape)
    assert torch.equal(layout.unpad(rectangle), x)
    mask = layout.mask()
    assert mask.sum() == layout.frames
    assert torch.equal(rectangle[mask], x)
    assert (rectangle[~mask] == value).all()


@given(lengths, widths)
def test_one_row_for_each_sequence(given_lengths, shape):
    layout = Layout(given_lengths)
    x = frames(layout, shape)
    sequences = split(layout, x)
    assert torch.equal(layout.sum(x), torch.stack([s.sum(0) for s in sequences]))
    assert torch.equal(layout.take_first(x), torch.stack([s[0] for s in sequences]))
    assert torch.equal(layout.take_last(x), torch.stack([s[-1] for s in sequences]))
    rows = frames(Layout([1] * layout.count), shape)
    expanded = layout.expand(rows)
    assert torch.equal(
        expanded, torch.cat([rows[k].expand(len(s), *shape) for k, s in enumerate(sequences)])
    )
    assert torch.equal(layout.take_last(expanded), rows)


@settings(max_examples=40)
@given(equal_lengths, widths)
def test_equal_lengths_give_what_any_lengths_give(given_lengths, shape):
    layout = Layout(given_lengths)
    slow = general(layout)
    assert layout.uniform and not slow.uniform
    x, rows = frames(layout, shape), frames(Layout([1] * layout.count), shape)
    for method in ("pad", "sum", "take_first", "take_last", "reverse"):
        assert torch.equal(getattr(layout, method)(x), getattr(slow, method)(x)), method
    assert torch.equal(layout.expand(rows), slow.expand(rows))
    assert torch.equal(layout.unpad(layout.pad(x)), slow.unpad(slow.pad(x)))


def test_equal_lengths_are_padded_by_a_view():
    layout = Layout([3, 3])
    x = frames(layout, (2,))
    assert layout.pad(x).untyped_storage().data_ptr() == x.untyped_storage().data_ptr()


@given(lengths, widths)
@settings(max_examples=20)
def test_gradients_come_back_to_their_frames(given_lengths, shape):
    layout = Layout(given_lengths)
    x = frames(layout, shape).requires_grad_()
    weights = frames(layout, shape)
    for back_and_forth in (
        lambda v: layout.unpad(layout.pad(v)),
        lambda v: layout.reverse(layout.reverse(v)),
    ):
        (gradient,) = torch.autograd.grad((back_and_forth(x) * weights).sum(), x)
        assert torch.equal(gradient, weights)


@pytest.mark.parametrize(
    "starts, kept",
    [
        (None, None),
        ([True, True], None),
        ([True, False], (True, False)),
        ([False, False], (False, False)),
    ],
)
def test_flags_are_kept_where_they_say_anything(starts, kept):
    assert Layout([2, 1], starts).starts == kept


def test_no_sequences():
    layout = Layout([])
    assert (layout.count, layout.frames, layout.longest, layout.uniform) == (0, 0, 0, False)
    assert layout.step_sizes == [] and layout.offsets.tolist() == [0]


def test_index_maps_are_made_only_when_asked_for():
    with mock.patch("torch.repeat_interleave", side_effect=AssertionError):
        layout = Layout([3, 3])
        x = frames(layout)
        layout.pad(x), layout.sum(x), layout.take_last(x), layout.reverse(x), layout.expand(x[:2])
