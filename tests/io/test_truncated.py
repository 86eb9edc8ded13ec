"""Sequences in pieces: each slot goes on where it stopped, and a recurrence gives what it gives on
whole sequences.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import cntk as C
from cntk.io import CTFDeserializer, MinibatchSource, StreamDef, StreamDefs
from tests.io.cases.truncated_cases import CASES, partition, pieces as numbered_pieces, text

GOLDEN = json.loads(
    (Path(__file__).parent / "golden" / "truncated_of_the_original.json").read_text(
        encoding="utf-8"
    )
)
LENGTHS = [5, 4, 1, 7, 3, 8, 2, 6, 1, 9]


@pytest.fixture(scope="module")
def deserializer(tmp_path_factory):
    file = tmp_path_factory.mktemp("truncated") / "data.ctf"
    text = "".join(
        f"{k} |x {100 * k + t} |s {k % 3}:1\n" for k, n in enumerate(LENGTHS) for t in range(n)
    )
    file.write_text(text)
    return CTFDeserializer(
        str(file), StreamDefs(x=StreamDef("x", 1), s=StreamDef("s", 3, is_sparse=True))
    )


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


@pytest.mark.parametrize("number", range(len(CASES)))
def test_as_the_original(number, tmp_path):
    """Pieces, their counts, the end of a sweep and the position, minibatch by minibatch."""
    case = CASES[number]
    file = tmp_path / "data.ctf"
    file.write_text(text(case))
    streams = {"x": StreamDef("x", 1)} | ({"y": StreamDef("y", 1)} if case.others else {})
    source = MinibatchSource(CTFDeserializer(str(file), StreamDefs(**streams)), **case.options)
    for size, wanted in zip(case.sizes, GOLDEN[number], strict=False):
        if isinstance(wanted, str):
            with pytest.raises(
                (ValueError, RuntimeError), match=r"workers|must have a sequence's every frame"
            ):
                source.next_minibatch(size, **partition(case))
            return
        minibatch = source.next_minibatch(size, **partition(case))
        if wanted is None:
            assert minibatch == {}
            return
        data = {info.name: d for info, d in minibatch.items()}
        found = [data["x"].num_sequences, data["x"].num_samples, int(data["x"].end_of_sweep)]
        found.append(source.current_position["minibatchSourcePosition"])
        assert found + [in_words(data[name]) for name in sorted(data)] == wanted


def in_words(data):
    sequences = [s.ravel().astype(int).tolist() for s in data.as_sequences()]
    begins = data.mask[:, 0] == 2
    return numbered_pieces(
        [s[0] for s, b in zip(sequences, begins, strict=True) if b],
        [s[0] for s, b in zip(sequences, begins, strict=True) if not b],
        [s[-1] for s in sequences],
    )


def test_slots(deserializer):
    source = MinibatchSource(deserializer, randomize=False, truncation_length=3)
    assert pieces(source, 6) == [(True, [0, 1, 2]), (True, [100, 101, 102])]
    # A slot goes on with the next sequence where one ends.
    assert pieces(source, 6) == [(False, [3, 4]), (True, [200]), (False, [103]), (True, [400, 401])]
    # Another size: new slots begin with the next sequence.
    assert pieces(source, 9) == [
        (True, [500, 501, 502]),
        (True, [600, 601]),
        (True, [700]),
        (True, [800]),
        (True, [900, 901]),
    ]


@settings(max_examples=60)
@given(st.integers(1, 30), st.integers(1, 10), st.booleans(), st.sampled_from([1, 2, 3]))
def test_every_frame_once_and_in_order(deserializer, size, length, randomize, sweeps):
    source = MinibatchSource(
        deserializer,
        randomize=randomize,
        truncation_length=length,
        max_sweeps=sweeps,
        randomization_seed=5,
    )
    before, whole = [], []
    while minibatch := source.next_minibatch(size):
        data = minibatch[source.streams.x]
        assert data.num_samples <= max(size // length, 1) * length
        found = [s.ravel().astype(int).tolist() for s in data.as_sequences()]
        layout = data.data.layout
        begins = layout.starts or (True,) * len(found)
        found = [
            piece if begin else before[origin] + piece
            for piece, begin, origin in zip(found, begins, layout.origins, strict=True)
        ]
        whole += [frames for frames in found if len(frames) == LENGTHS[frames[0] // 100]]
        before = found
    assert sorted(whole) == sorted(
        [[100 * k + t for t in range(n)] for k, n in enumerate(LENGTHS)] * sweeps
    )


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
            found += (
                minibatch[source.streams.x]
                .asarray()[minibatch[source.streams.x].mask > 0]
                .ravel()
                .tolist()
            )
    assert sorted(found) == [100 * k + t for k, n in enumerate(LENGTHS) for t in range(n)]


@pytest.mark.parametrize("cell", [C.layers.LSTM, C.layers.GRU, C.layers.RNNStep])
@pytest.mark.parametrize("size", [3, 6, 12])
def test_a_recurrence_goes_on(deserializer, size, cell):
    """A recurrence's outputs, piece by piece, are those of whole sequences."""
    C.cntk_py.set_fixed_random_seed(1)
    x = C.sequence.input_variable(1)
    model = C.layers.Recurrence(cell(3))(x * 0.001)
    source = MinibatchSource(deserializer, randomize=False, truncation_length=3, max_sweeps=1)
    whole = np.concatenate(
        model.eval(
            {x: [np.float32(100 * k + np.arange(n))[:, None] for k, n in enumerate(LENGTHS)]}
        )
    )
    wanted = dict(
        zip([100 * k + t for k, n in enumerate(LENGTHS) for t in range(n)], whole, strict=True)
    )
    count = 0
    while minibatch := source.next_minibatch(size, {x: source.streams.x}):
        frames = minibatch[x].as_sequences()
        for numbers, found in zip(frames, model.eval(minibatch, as_numpy=True), strict=True):
            for number, row in zip(numbers.ravel(), found, strict=True):
                np.testing.assert_allclose(row, wanted[int(number)], atol=1e-6)
                count += 1
    assert count == sum(LENGTHS)


@pytest.mark.parametrize("length", [1, 3])
@pytest.mark.parametrize("steps", [1, 2, 3, 5])
def test_past_values_reach_into_the_pieces_before(deserializer, steps, length):
    """Also into several, and not beyond the begin of a sequence. There the original reads other
    frames.
    """
    x = C.sequence.input_variable(1)
    model = C.sequence.past_value(x, time_step=steps, initial_state=-7)
    source = MinibatchSource(deserializer, randomize=False, truncation_length=length, max_sweeps=1)
    while minibatch := source.next_minibatch(9, {x: source.streams.x}):
        frames = minibatch[x].as_sequences()
        for numbers, found in zip(frames, model.eval(minibatch, as_numpy=True), strict=True):
            wanted = np.where(numbers % 100 < steps, -7, numbers - steps)
            np.testing.assert_array_equal(found, wanted)


def test_misuse(deserializer, tmp_path):
    with pytest.raises(ValueError, match="truncation_length: must be at least 0"):
        MinibatchSource(deserializer, truncation_length=-1)
    (tmp_path / "y.ctf").write_text("0 |x 1 |y 2\n0 |x 3\n")
    unequal = CTFDeserializer(
        str(tmp_path / "y.ctf"), StreamDefs(x=StreamDef("x", 1), y=StreamDef("y", 1))
    )
    with pytest.raises(
        ValueError, match="must have a sequence's every frame; one has 2 in x, 1 in y"
    ):
        MinibatchSource(unequal, truncation_length=2).next_minibatch(2)
    source = MinibatchSource(deserializer, truncation_length=2)
    source.next_minibatch(4)
    state = source.get_checkpoint_state()
    for key in (
        "truncatedSlot0Sequence0Position",
        "truncatedSlot1Sequence0Frame",
        "truncatedMinibatchSize",
    ):
        with pytest.raises(ValueError, match=f"{key} must be an integer"):
            source.restore_from_checkpoint({**state, key: -3})
    source.restore_from_checkpoint({**state, "truncatedSlot0Sequence0Frame": 50})
    with pytest.raises(ValueError, match="has 50 frames of a sequence at 0, which is not so long"):
        source.next_minibatch(4)
