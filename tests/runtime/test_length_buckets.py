"""Sequences of similar length in rectangles: every frame is there once, and comes back; long ones
are not copied.
"""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, strategies as st

from cntk._runtime.layout.layout import Layout
from cntk._runtime.layout.length_buckets import LengthBuckets, length_buckets_of

LENGTHS = st.lists(st.integers(0, 9) | st.integers(30, 60), min_size=1, max_size=12)


def grouped(lengths: list[int], others: list[int] | None = None, width: int = 128) -> LengthBuckets:
    return length_buckets_of(Layout(lengths), Layout(lengths if others is None else others), width)


@given(LENGTHS, st.sampled_from((1, 64, 400, 100_000)))
def test_frames_go_into_rectangles_and_back(lengths: list[int], width: int) -> None:
    rectangles = grouped(lengths, width=width).first
    x = torch.randn(sum(lengths), 2, dtype=torch.float64, requires_grad=True)
    parts = rectangles.split(x)
    assert [tuple(p.shape[:2]) for p in parts] == list(rectangles.sizes)
    assert torch.equal(rectangles.join(parts), x)


@given(LENGTHS, st.sampled_from((64, 400)))
def test_gradient_of_each_frame_is_that_of_its_place(lengths: list[int], width: int) -> None:
    rectangles = grouped(lengths, width=width).first
    x = torch.randn(sum(lengths), 2, dtype=torch.float64, requires_grad=True)
    wanted = torch.randn_like(x)
    (gradient,) = torch.autograd.grad(
        (rectangles.join([3 * p for p in rectangles.split(x)]) * wanted).sum(), x
    )
    assert torch.equal(gradient, 3 * wanted)


def test_nothing_flows_into_places_without_a_frame() -> None:
    groups = grouped([1, 3])
    parts = [p.clone().requires_grad_() for p in groups.first.split(torch.ones(4, 1))]
    groups.first.join(parts).sum().backward()
    assert parts[0].grad is not None
    assert parts[0].grad.squeeze(-1).tolist() == [[1, 0, 0], [1, 1, 1]]
    (mask,) = groups.masks
    assert mask is not None
    assert mask.tolist() == [[True, False, False], [True, True, True]]


@given(st.data())
def test_pairs_of_sequences_share_a_rectangle(data: st.DataObject) -> None:
    lengths = data.draw(LENGTHS)
    others = data.draw(st.lists(st.integers(0, 12), min_size=len(lengths), max_size=len(lengths)))
    groups = grouped(lengths, others)
    numbers, other_numbers = (
        torch.repeat_interleave(torch.arange(len(lengths)), torch.tensor(n))
        for n in (lengths, others)
    )
    pairs = zip(
        groups.first.split(numbers), groups.second.split(other_numbers), groups.masks, strict=True
    )
    for part, other, mask in pairs:
        assert part.shape[0] == other.shape[0]
        shown = torch.ones_like(other, dtype=torch.bool) if mask is None else mask
        for row, other_row, present in zip(part, other, shown, strict=True):
            assert len({*row.tolist(), *other_row[present].tolist()}) <= 1


def test_long_sequences_stay_where_they_are() -> None:
    x = torch.zeros(1000, 3)
    parts = grouped([400, 200, 300, 100]).first.split(x)
    assert [p.shape[1] for p in parts] == [400, 200, 300, 100]
    assert all(p.untyped_storage().data_ptr() == x.untyped_storage().data_ptr() for p in parts)


@pytest.mark.parametrize("lengths", [[50] * 6, [1] * 5])
def test_sequences_of_one_length_are_one_rectangle(lengths: list[int]) -> None:
    groups = grouped(lengths)
    assert groups.first.sizes == ((len(lengths), lengths[0]),)
    assert groups.first.positions is None
    assert groups.masks == (None,)


def test_short_sequences_share_few_rectangles() -> None:
    assert len(grouped([3, 9, 1, 7, 5, 300, 8, 2]).first.sizes) == 2
    assert len(grouped([20, 190, 60, 120]).first.sizes) == 4


def test_empty_sequences_stand_alone() -> None:
    sizes = grouped([3, 0, 2, 2], [0, 4, 2, 1]).first.sizes
    assert sorted(sizes) == [(1, 0), (1, 3), (2, 2)]
