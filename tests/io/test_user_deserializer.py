"""Deserializers that a program writes itself: the original's order and states, forms of data,
joins, errors.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, strategies as st

from cntk.io import (
    CTFDeserializer,
    MinibatchSource,
    StreamDef,
    StreamDefs,
    StreamInformation,
    UserDeserializer,
)
from tests.io.cases.user_cases import CASES, Numbered, chunks, read

GOLDEN = json.loads(
    (Path(__file__).parent / "golden" / "user_of_the_original.json").read_text(encoding="utf-8")
)
# The original leaves this at 0 where it does not need it.
UNUSED = "currentSequencePosition"


@pytest.mark.parametrize("number", range(len(CASES)))
def test_as_the_original(number):
    case, wanted = CASES[number], GOLDEN[number]
    if wanted is None:
        pytest.skip("the original crashes")
    source = MinibatchSource(Numbered(case.sizes, case.lengths), **case.options)
    found = read(source, case, lambda data: data.as_sequences())
    for (sequences, ends, state), (their_sequences, their_ends, their_state) in zip(
        found, wanted, strict=True
    ):
        assert (sequences, ends) == (their_sequences, their_ends)
        assert {k: v for k, v in state.items() if k != UNUSED} == {
            k: v for k, v in their_state.items() if k != UNUSED
        }


@pytest.mark.parametrize("number", range(len(CASES)))
def test_going_on_from_each_state(number):
    """A state that this package gave; the original gives the same."""
    case = CASES[number]
    wanted = read(
        MinibatchSource(Numbered(case.sizes, case.lengths), **case.options),
        case,
        lambda d: d.as_sequences(),
    )
    for at in range(0, case.count - 1, 3):
        source = MinibatchSource(Numbered(case.sizes, case.lengths), **case.options)
        source.restore_from_checkpoint(wanted[at][2])
        assert source.get_checkpoint_state() == wanted[at][2]
        rest = read(source, case._replace(count=case.count - at - 1), lambda d: d.as_sequences())
        assert rest == wanted[at + 1 :]


@given(
    st.lists(st.integers(1, 5), min_size=4, max_size=9),
    st.integers(1, 12),
    st.integers(1, 4),
    st.integers(1, 9),
    st.booleans(),
)
def test_workers_share_each_sweep(sizes, window, workers, size, randomize):
    """Together the workers read every sequence once in a sweep, whatever the window."""
    found = []
    for rank in range(workers):
        source = MinibatchSource(
            Numbered(sizes),
            max_sweeps=2,
            randomize=randomize,
            randomization_window_in_chunks=window,
        )
        while minibatch := source.next_minibatch(
            size, num_data_partitions=workers, partition_index=rank
        ):
            found += [int(s[0, 0]) for s in minibatch[source.streams.x].as_sequences()]
    assert sorted(found) == sorted([*range(sum(sizes))] * 2)


def test_chunks_are_asked_for_when_needed():
    deserializer = Numbered([4] * 1000)
    source = MinibatchSource(deserializer, randomize=False)
    assert not deserializer.given
    source.next_minibatch(4)
    assert len(deserializer.given) <= 2
    shuffled = Numbered([4] * 1000)
    MinibatchSource(shuffled, **chunks(3)).next_minibatch(4)
    assert len(shuffled.given) == 3


class Chunks(UserDeserializer):
    def __init__(self, infos, given):
        super().__init__()
        self.infos, self.given = infos, given

    def stream_infos(self):
        return self.infos

    def num_chunks(self):
        return len(self.given)

    def get_chunk(self, chunk_id):
        return self.given[chunk_id]


def dense(*shape, name="x", dtype=np.float32, **options):
    return StreamInformation(name, 0, "dense", dtype, shape, **options)


SPARSE = StreamInformation("x", 0, "sparse", np.float32, (4,))
EYE = sp.csr_matrix(np.eye(3, 4, dtype=np.float32))

FORMS = [
    (dense(3), np.arange(6, dtype=np.float32).reshape(2, 3), [[[0, 1, 2]], [[3, 4, 5]]]),
    (dense(3), np.arange(6, dtype=np.float32).reshape(3, 2).T, [[[0, 2, 4]], [[1, 3, 5]]]),
    (dense(2), np.arange(8).reshape(2, 2, 2), [[[0, 1], [2, 3]], [[4, 5], [6, 7]]]),
    (
        dense(2, 3),
        np.arange(12.0).reshape(2, 2, 3),
        [[[[0, 1, 2], [3, 4, 5]]], [[[6, 7, 8], [9, 10, 11]]]],
    ),
    (dense(3), [np.ones(3, np.float32), np.zeros((2, 3))], [[[1, 1, 1]], [[0, 0, 0], [0, 0, 0]]]),
    (dense(1, dtype=np.float64), np.array([[0.1], [1e300]]), [[[0.1]], [[1e300]]]),
    (SPARSE, EYE, [[[1, 0, 0, 0]], [[0, 1, 0, 0]], [[0, 0, 1, 0]]]),
    (SPARSE, [EYE[:2], EYE[2]], [[[1, 0, 0, 0], [0, 1, 0, 0]], [[0, 0, 1, 0]]]),
]


@pytest.mark.parametrize(("info", "data", "expected"), FORMS)
def test_forms_of_data(info, data, expected):
    source = MinibatchSource(Chunks([info], [{"x": data}]), randomize=False, max_sweeps=1)
    minibatch = source.next_minibatch(100)[source.streams.x]
    found = [s.toarray() if info.is_sparse else s for s in minibatch.as_sequences()]
    assert [f.tolist() for f in found] == expected
    assert all(f.dtype == info.dtype for f in found)


def test_the_stream_that_defines_the_size():
    data = {"x": np.zeros((5, 3, 2)), "y": np.zeros((5, 1))}
    for defines, sequences in ((False, 1), (True, 5)):
        infos = [dense(2), dense(1, name="y", defines_mb_size=defines)]
        source = MinibatchSource(Chunks(infos, [data]), randomize=False)
        assert source.next_minibatch(5)[source.streams.x].num_sequences == sequences


def test_joined_with_a_file(tmp_path):
    """An addition: sequences are joined by their running number."""
    file = tmp_path / "t.ctf"
    file.write_text("".join(f"{k} |t {k + 100}\n" for k in (3, 1, 0, 7)))
    text = CTFDeserializer(str(file), StreamDefs(t=StreamDef("t", 1)))
    given = [{"x": np.arange(2.0)[:, None]}, {"x": np.arange(2.0, 5)[:, None]}]
    source = MinibatchSource([Chunks([dense(1)], given), text], randomize=False, max_sweeps=1)
    minibatch = source.next_minibatch(10)
    assert minibatch[source.streams.x].asarray().ravel().tolist() == [0, 1, 3]
    assert minibatch[source.streams.t].asarray().ravel().tolist() == [100, 101, 103]


ONES = np.ones((2, 3))
WRONG = [
    ({"y": ONES}, r"get_chunk\(0\): expected the streams x, got y"),
    ({"x": ONES, "q": 3}, r"expected the streams x, got x, q"),
    ([ONES], "expected a dictionary name=sequences, got list"),
    (None, "expected a dictionary name=sequences, got NoneType"),
    ({"x": np.ones((2, 4))}, r"stream 'x': expected samples of shape \[3\], got \[4\]"),
    ({"x": np.ones(3)}, r"expected samples of shape \[3\]"),
    ({"x": [np.ones((2, 2, 3))]}, r"expected samples of shape \[3\], got \[2 x 2 x 3\]"),
    ({"x": [np.ones((0, 3))]}, "sequence 0 has no samples"),
    ({"x": np.array([["a", "b", "c"]])}, "expected real numbers"),
    ({"x": 5}, "expected an array, a CSR matrix or a list of these, got int"),
]


@pytest.mark.parametrize(("chunk", "words"), WRONG)
def test_chunks_that_do_not_fit(chunk, words):
    with pytest.raises(RuntimeError, match=words):
        MinibatchSource(Chunks([dense(3)], [chunk])).next_minibatch(1)


def test_other_errors():
    with pytest.raises(RuntimeError, match="the same number of sequences, got .'x': 2, 'y': 3"):
        MinibatchSource(
            Chunks([dense(3), dense(1, name="y")], [{"x": ONES, "y": np.ones((3, 1))}])
        ).next_minibatch(1)
    with pytest.raises(RuntimeError, match="expected 4 columns, got 3"):
        MinibatchSource(Chunks([SPARSE], [{"x": EYE[:, :3]}])).next_minibatch(1)
    with pytest.raises(RuntimeError, match="no sequences"):
        MinibatchSource(Chunks([dense(3)], [{"x": np.ones((0, 3))}])).next_minibatch(1)
    with pytest.raises(RuntimeError, match="two streams are named 'x'|only one stream"):
        both = [dense(3, defines_mb_size=True), dense(1, name="y", defines_mb_size=True)]
        MinibatchSource(Chunks(both, [{"x": ONES, "y": np.ones((2, 1))}])).next_minibatch(1)
    with pytest.raises(RuntimeError, match="3 workers need as many chunks, and there are 2"):
        MinibatchSource(Numbered([3, 3])).next_minibatch(
            6, num_data_partitions=3, partition_index=2
        )
    with pytest.raises(RuntimeError, match="frame_mode reads single samples, and a sequence has 4"):
        MinibatchSource(Numbered([2], [1, 4]), frame_mode=True).next_minibatch(6)
    with pytest.raises(RuntimeError, match="num_chunks: expected 1 or more, got 0"):
        MinibatchSource(Numbered([]))
    with pytest.raises(ValueError, match="baseSweepCount"):
        MinibatchSource(Numbered([3])).restore_from_checkpoint({"minibatchSourcePosition": 3})
    for method in ("stream_infos", "num_chunks"):
        with pytest.raises(NotImplementedError, match=method):
            getattr(UserDeserializer(), method)()
