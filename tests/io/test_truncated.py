"""Sequences in pieces: each slot goes on where it stopped, and a recurrence gives what it gives on whole sequences."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cntk as C
from cntk.io import CTFDeserializer, MinibatchSource, StreamDef, StreamDefs

LENGTHS = [5, 4, 1, 7, 3, 8, 2, 6, 1, 9]


@pytest.fixture(scope="module")
def deserializer(tmp_path_factory):
    file = tmp_path_factory.mktemp("truncated") / "data.ctf"
    text = "".join(f"{k} |x {100 * k + t} |s {k % 3}:1\n" for k, n in enumerate(LENGTHS) for t in range(n))
    file.write_text(text)
    return CTFDeserializer(str(file), StreamDefs(x=StreamDef("x", 1), s=StreamDef("s", 3, is_sparse=True)))


def pieces(source, size):
    """For each slot of a minibatch: whether a sequence begins, and its frames' numbers."""
    minibatch = source.next_minibatch(size)
    if not minibatch:
        return None
    data = minibatch[source.streams.x]
    found = [s.ravel().astype(int).tolist() for s in data.as_sequences()]
    for piece, sparse in zip(found, minibatch[source.streams.s].as_sequences(), strict=True):
        assert sparse.indices.tolist() == [v // 100 % 3 for v in piece]
    assert data.num_samples == sum(map(len, found))
    return list(zip(data.mask[:, 0] == 2, found, strict=True))


def test_slots(deserializer):
    source = MinibatchSource(deserializer, randomize=False, truncation_length=3)
    assert pieces(source, 6) == [(True, [0, 1, 2]), (True, [100, 101, 102])]
    assert pieces(source, 6) == [(False, [3, 4]), (False, [103])]
    assert pieces(source, 7) == [(True, [200]), (True, [300, 301, 302])]
    assert pieces(source, 6) == [(True, [400, 401, 402]), (False, [303, 304, 305])]
    assert pieces(source, 6) == [(True, [500, 501, 502]), (False, [306])]
    # Another size: what was begun is given to its end, and new slots begin.
    assert pieces(source, 9) == [(False, [503, 504, 505, 506, 507]), (True, [600, 601])]
    assert pieces(source, 9) == [(True, [700, 701, 702]), (True, [800]), (True, [900, 901, 902])]
    assert pieces(source, 2) == [
        (False, [703, 704, 705]),
        (True, [0, 1, 2, 3, 4]),
        (False, [903, 904, 905, 906, 907, 908]),
    ]
    assert pieces(source, 2) == [(True, [100, 101, 102])]


@settings(max_examples=60)
@given(
    st.lists(st.integers(1, 30), min_size=1, max_size=4), st.integers(1, 10), st.booleans(), st.sampled_from([1, 2, 3])
)
def test_every_frame_once_and_in_order(deserializer, sizes, length, randomize, sweeps):
    source = MinibatchSource(
        deserializer, randomize=randomize, truncation_length=length, max_sweeps=sweeps, randomization_seed=5
    )
    slots, whole, number = [], [], 0
    while found := pieces(source, sizes[number * len(sizes) // 40 % len(sizes)]):
        number += 1
        if not all(begins for begins, _ in found):
            assert len(found) == len(slots)
        else:
            slots = [[] for _ in found]
        for k, (begins, piece) in enumerate(found):
            slots[k] = piece if begins else slots[k] + piece
            if len(slots[k]) == LENGTHS[slots[k][0] // 100]:
                whole.append(slots[k])
    assert sorted(whole) == sorted([[100 * k + t for t in range(n)] for k, n in enumerate(LENGTHS)] * sweeps)


@settings(max_examples=30)
@given(st.integers(0, 12), st.integers(1, 5), st.integers(1, 14), st.booleans())
def test_resume(deserializer, before, length, size, randomize):
    options = {"randomize": randomize, "truncation_length": length, "randomization_seed": 2}
    first, second = (MinibatchSource(deserializer, **options) for _ in range(2))
    for _ in range(before):
        pieces(first, size)
    state = first.get_checkpoint_state()
    second.restore_from_checkpoint(state)
    assert second.get_checkpoint_state() == state
    for _ in range(5):
        assert pieces(first, size) == pieces(second, size)
    with pytest.raises(ValueError, match="minibatchSourcePosition"):
        second.restore_from_checkpoint({})


def test_workers_share_every_sequence(deserializer):
    found = []
    for rank in range(2):
        source = MinibatchSource(deserializer, truncation_length=2, max_sweeps=1)
        while minibatch := source.next_minibatch(8, num_data_partitions=2, partition_index=rank):
            found += minibatch[source.streams.x].asarray()[minibatch[source.streams.x].mask > 0].ravel().tolist()
    assert sorted(found) == [100 * k + t for k, n in enumerate(LENGTHS) for t in range(n)]


@pytest.mark.parametrize("size", [3, 6, 12])
def test_a_recurrence_goes_on(deserializer, size):
    """An LSTM's outputs, piece by piece, are those of whole sequences."""
    C.cntk_py.set_fixed_random_seed(1)
    x = C.sequence.input_variable(1)
    model = C.layers.Recurrence(C.layers.LSTM(3))(x * 0.001)
    source = MinibatchSource(deserializer, randomize=False, truncation_length=3, max_sweeps=1)
    whole = np.concatenate(
        model.eval({x: [np.float32(100 * k + np.arange(n))[:, None] for k, n in enumerate(LENGTHS)]})
    )
    wanted = dict(zip([100 * k + t for k, n in enumerate(LENGTHS) for t in range(n)], whole, strict=True))
    count = 0
    while minibatch := source.next_minibatch(size, {x: source.streams.x}):
        frames = minibatch[x].as_sequences()
        for numbers, found in zip(frames, model.eval(minibatch, as_numpy=True), strict=True):
            for number, row in zip(numbers.ravel(), found, strict=True):
                np.testing.assert_allclose(row, wanted[int(number)], atol=1e-6)
                count += 1
    assert count == sum(LENGTHS)


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_past_values_reach_into_the_piece_before(deserializer, steps):
    """Also where a sequence beside it ended with a short piece."""
    x = C.sequence.input_variable(1)
    model = C.sequence.past_value(x, time_step=steps, initial_state=-7)
    source = MinibatchSource(deserializer, randomize=False, truncation_length=3, max_sweeps=1)
    while minibatch := source.next_minibatch(9, {x: source.streams.x}):
        frames = minibatch[x].as_sequences()
        for numbers, found in zip(frames, model.eval(minibatch, as_numpy=True), strict=True):
            wanted = np.where(numbers % 100 < steps, -7, numbers - steps)
            np.testing.assert_array_equal(found, wanted)


def test_misuse(deserializer, tmp_path):
    with pytest.raises(ValueError, match="truncation_length must not be negative"):
        MinibatchSource(deserializer, truncation_length=-1)
    (tmp_path / "y.ctf").write_text("0 |x 1 |y 2\n0 |x 3\n")
    unequal = CTFDeserializer(str(tmp_path / "y.ctf"), StreamDefs(x=StreamDef("x", 1), y=StreamDef("y", 1)))
    with pytest.raises(ValueError, match="must have a sequence's every frame; one has 2 in x, 1 in y"):
        MinibatchSource(unequal, truncation_length=2).next_minibatch(2)
    source = MinibatchSource(deserializer, truncation_length=2)
    with pytest.raises(ValueError, match="slot 0 stands at"):
        source.restore_from_checkpoint({"minibatchSourcePosition": 0, "truncatedSlot0Position": -3})
