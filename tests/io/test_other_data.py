"""Arrays, rows, Arrow and Parquet files, torch data sets as deserializers; minibatches of sequences
of similar length.
"""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from hypothesis import given, strategies as st
from torch.utils.data import DataLoader, Dataset, IterableDataset

from cntk.io import (
    ArrayDeserializer,
    ArrowDeserializer,
    BucketedMinibatchSource,
    CTFDeserializer,
    MinibatchSource,
    RowDeserializer,
    StreamDef,
    StreamDefs,
)
from tests.io.cases.user_cases import Numbered

STREAMS = StreamDefs(
    words=StreamDef("tokens", 10, is_sparse=True), x=StreamDef("x", (2, 2)), y=StreamDef("y", 1)
)
ROWS = [
    {"tokens": [5, 2, 7], "x": [[1, 2], [3, 4]], "y": 1.5, "other": "text"},
    {"tokens": [3], "x": np.ones((2, 2)), "y": 2, "other": None},
    {"tokens": [0, 9], "x": torch.zeros(3, 2, 2), "y": [7, 8], "other": "text"},
]


def read_all(deserializer, **options):
    """Sequences of each stream in one sweep, in order."""
    source = MinibatchSource(deserializer, max_sweeps=1, **{"randomize": False, **options})
    found = {name: [] for name in source.streams}
    while minibatch := source.next_minibatch(3):
        for info, data in minibatch.items():
            sequences = data.as_sequences()
            found[info.name] += [(s.toarray() if info.is_sparse else s).tolist() for s in sequences]
    return found


def one_hot(*indices, width=10):
    return np.eye(width)[list(indices)].tolist()


EXPECTED = {
    "words": [one_hot(5, 2, 7), one_hot(3), one_hot(0, 9)],
    "x": [[[[1, 2], [3, 4]]], [[[1, 1], [1, 1]]], [[[0, 0], [0, 0]]] * 3],
    "y": [[[1.5]], [[2]], [[7], [8]]],
}

# -- rows ------------------------------------------------------------------------------------------


class Rows(Dataset):
    def __init__(self, rows):
        self.rows, self.asked = rows, []

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, number):
        self.asked.append(number)
        return self.rows[number]


class Stream(IterableDataset):
    def __iter__(self):
        return iter(ROWS)


@pytest.mark.parametrize(
    "rows",
    [
        ROWS,
        tuple(ROWS),
        Rows(ROWS),
        Stream(),
        DataLoader(Rows(ROWS), batch_size=2, shuffle=True),
        Rows([(r["tokens"], r["x"], r["y"]) for r in ROWS]),
    ],
    ids=["list", "tuple", "dataset", "iterable", "loader", "tuples"],
)
@pytest.mark.parametrize("rows_per_chunk", [1, 2, 100])
def test_rows(rows, rows_per_chunk):
    assert read_all(RowDeserializer(rows, STREAMS, rows_per_chunk)) == EXPECTED


def test_what_can_be_gone_through_once():
    assert read_all(RowDeserializer((row for row in ROWS), STREAMS)) == EXPECTED


def test_rows_are_asked_for_when_needed():
    rows = Rows([{"x": k} for k in range(1000)])
    source = MinibatchSource(
        RowDeserializer(rows, StreamDefs(x=StreamDef("x", 1)), 10), randomize=False
    )
    assert not rows.asked
    source.next_minibatch(10)
    assert len(rows.asked) <= 20


def test_a_sparse_matrix_in_a_row():
    rows = [{"s": sp.csr_matrix(np.array([[0, 2.5, 0]]))}, {"s": 1}]
    found = read_all(RowDeserializer(rows, StreamDefs(s=StreamDef("s", 3, is_sparse=True))))
    assert found == {"s": [[[0, 2.5, 0]], [[0, 1, 0]]]}


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"tokens": [1], "x": np.ones((2, 2))}, "row 1: has no 'y'; it has: tokens, x"),
        (
            {"tokens": [10], "x": np.ones((2, 2)), "y": 1},
            "row 1, stream 'words': index 10 is out of range, .* 10 columns",
        ),
        (
            {"tokens": [0.5], "x": np.ones((2, 2)), "y": 1},
            "row 1, stream 'words': expected an index or a list of indices",
        ),
        (
            {"tokens": [1], "x": "many", "y": 1},
            "row 1, stream 'x': expected numbers, got str 'many'",
        ),
        ({"tokens": [1], "x": None, "y": 1}, "row 1, stream 'x': expected numbers, got NoneType"),
        ({"tokens": [1], "x": [[1, 2], [3]], "y": 1}, "row 1, stream 'x': "),
        (
            {"tokens": [1], "x": np.ones((3, 2)), "y": 1},
            r"stream 'x': expected samples of shape \[2 x 2\], got \[3 x 2\]",
        ),
        ({"tokens": [], "x": np.ones((2, 2)), "y": 1}, "stream 'words': sequence 1 has no samples"),
        (([1], np.ones((2, 2))), "row 1: has 2 items, and stream 'y' is number 3"),
        (7, "row 1: expected a dictionary or a tuple, got int"),
    ],
)
def test_rows_that_do_not_fit(row, words):
    with pytest.raises(ValueError, match=words):
        read_all(RowDeserializer([ROWS[0], row], STREAMS))


def test_other_errors_of_rows():
    with pytest.raises(ValueError, match="there are no rows"):
        RowDeserializer([], STREAMS)
    with pytest.raises(ValueError, match="no streams were given"):
        RowDeserializer(ROWS, {})
    with pytest.raises(ValueError, match="rows_per_chunk must be positive"):
        RowDeserializer(ROWS, STREAMS, 0)
    for rows in (5, {"x": [1, 2]}):
        with pytest.raises(TypeError, match="expected rows, as a list or a data set"):
            RowDeserializer(rows, STREAMS)


# -- Arrow and Parquet -----------------------------------------------------------------------------


def write_arrow(folder, kind):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    plain = [
        {"tokens": r["tokens"], "x": np.asarray(r["x"]).tolist(), "y": r["y"]} for r in ROWS[:2]
    ]
    table = pa.table(
        {
            "tokens": [r["tokens"] for r in plain],
            "x": [r["x"] for r in plain],
            "y": [r["y"] for r in plain],
        }
    )
    file = folder / f"data.{kind}"
    if kind == "parquet":
        pq.write_table(table, file, row_group_size=1)
    else:
        with pa.OSFile(str(file), "wb") as out, pa.ipc.new_file(out, table.schema) as writer:
            writer.write_table(table, max_chunksize=1)
    return str(file)


@pytest.mark.parametrize("kind", ["parquet", "arrow"])
def test_arrow(kind, tmp_path):
    file = write_arrow(tmp_path, kind)
    expected = {name: sequences[:2] for name, sequences in EXPECTED.items()}
    assert read_all(ArrowDeserializer(file, STREAMS)) == expected
    assert ArrowDeserializer(file, STREAMS).num_chunks() == 2
    twice = {name: sequences * 2 for name, sequences in expected.items()}
    assert read_all(ArrowDeserializer([file, file], STREAMS)) == twice


@pytest.mark.parametrize("kind", ["parquet", "arrow"])
def test_arrow_files_that_are_none(kind, tmp_path):
    file = write_arrow(tmp_path, kind)
    with pytest.raises(ValueError, match=f"data.{kind}: has no column 'z'; it has: tokens, x, y"):
        ArrowDeserializer(file, StreamDefs(z=StreamDef("z", 1)))
    with pytest.raises(ValueError, match=f"nowhere.{kind}: the file cannot be opened"):
        ArrowDeserializer(str(tmp_path / f"nowhere.{kind}"), STREAMS)
    (tmp_path / f"none.{kind}").write_bytes(b"0 |x 1\n")
    with pytest.raises(ValueError, match=f"none.{kind}: expected an? (Arrow|Parquet) file"):
        ArrowDeserializer(str(tmp_path / f"none.{kind}"), STREAMS)
    with pytest.raises(ValueError, match="there are no rows in no file"):
        ArrowDeserializer([], STREAMS)


def test_missing_values(tmp_path):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"y": [1.0, None]}), tmp_path / "data.parquet")
    with pytest.raises(ValueError, match="data.parquet, part 0, column 'y': 1 rows have no value"):
        read_all(ArrowDeserializer(str(tmp_path / "data.parquet"), StreamDefs(y=StreamDef("y", 1))))


def test_without_pyarrow():
    program = (
        "import sys, importlib.util as u; find = u.find_spec; u.find_spec = lambda n, *a: None if "
        "n == 'pyarrow' else find(n, *a)\n"
        "from cntk.io import ArrowDeserializer\n"
        "try:\n    ArrowDeserializer('x.parquet', {})\nexcept ImportError as e:\n    print(e)"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (
        ended.stdout.strip()
        == "ArrowDeserializer needs pyarrow; install it with: pip install 'cntk-torch[arrow]'"
    )


# -- arrays ----------------------------------------------------------------------------------------


@given(st.lists(st.integers(1, 5), min_size=1, max_size=20), st.integers(1, 30), st.booleans())
def test_arrays(lengths, samples_per_chunk, randomize):
    total = sum(lengths)
    numbers = np.arange(total)
    ends = np.cumsum(lengths)
    arrays = {
        "frame": np.stack([numbers, numbers], 1).astype(np.uint8),
        "sparse": sp.csr_matrix(np.eye(101)[numbers]),
        "number": np.arange(len(lengths)),
    }
    deserializer = ArrayDeserializer(arrays, lengths, samples_per_chunk)
    found = read_all(deserializer, randomize=randomize)
    order = [int(n[0][0]) for n in found["number"]]
    assert sorted(order) == list(range(len(lengths))) and (randomize or order == sorted(order))
    for k, frames, sparse in zip(order, found["frame"], found["sparse"], strict=True):
        expected = list(range(ends[k] - lengths[k], ends[k]))
        assert [int(f[0]) for f in frames] == expected and [
            int(np.argmax(s)) for s in sparse
        ] == expected


def test_memory_maps_are_read_by_chunk(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(4000, dtype=np.float64).reshape(1000, 4))
    mapped = np.load(tmp_path / "a.npy", mmap_mode="r")
    corpus = ArrayDeserializer({"a": mapped}, samples_per_chunk=100).open()
    assert len(corpus.chunks) == 10
    (part,) = corpus.load(3)
    assert (
        part.frames.dtype == np.float64
        and part.frames[0, 0] == 1200
        and part.frames.shape == (100, 4)
    )


def test_arrays_are_joined_with_a_file(tmp_path):
    (tmp_path / "t.ctf").write_text("2 |t 102\n0 |t 100\n")
    text = CTFDeserializer(str(tmp_path / "t.ctf"), StreamDefs(t=StreamDef("t", 1)))
    assert read_all([ArrayDeserializer({"x": np.arange(3.0)}), text]) == {
        "x": [[[0]], [[2]]],
        "t": [[[100]], [[102]]],
    }


@pytest.mark.parametrize(
    ("arrays", "lengths", "words"),
    [
        ({}, None, "with at least one array"),
        ([1], None, "expected a dictionary"),
        ({"a": np.zeros(3), "b": np.zeros(4)}, None, "'b' has 4 samples; expected 3"),
        ({"a": np.zeros(3)}, [1, 1], "'a' has 3 samples; expected 2"),
        ({"a": np.zeros(3)}, [4, -1], "lengths must be positive"),
        ({"a": np.array(["x"])}, None, "'a' must be an array .* of real numbers"),
        (
            {"a": [np.ones((2, 3)), np.ones((1, 3))]},
            None,
            "'a' is a list of arrays .* np.concatenate.* with lengths=",
        ),
        ({"a": np.zeros(())}, None, "'a' must be an array"),
        ({"a": np.zeros((0, 3))}, None, "the arrays are empty"),
    ],
)
def test_arrays_that_do_not_fit(arrays, lengths, words):
    with pytest.raises(ValueError, match=words):
        ArrayDeserializer(arrays, lengths).open()


# -- sequences of similar length -------------------------------------------------------------------


@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=40),
    st.integers(1, 50),
    st.integers(1, 20),
    st.booleans(),
)
def test_buckets(lengths, bucket, size, own):
    """Every sequence comes once in a sweep, within a bucket by length; and a checkpoint goes on
    with the same ones.
    """
    sizes = [len(lengths[k : k + 7]) for k in range(0, len(lengths), 7)]

    def source():
        data = Numbered(sizes, lengths) if own else ArrayDeserializer(
            {"x": np.repeat(np.arange(len(lengths)), lengths)}, lengths, 20)  # fmt: skip
        return BucketedMinibatchSource(data, bucket, max_sweeps=1, randomization_seed=3)

    first, found, states = source(), [], []
    while minibatch := first.next_minibatch(size):
        found.append([int(s[0, 0]) for s in minibatch[first.streams.x].as_sequences()])
        states.append(first.get_checkpoint_state())
    flat = [k for sequences in found for k in sequences]
    assert sorted(flat) == list(range(len(lengths)))
    for number, begin in enumerate(range(0, len(flat), bucket)):
        here = [lengths[k] for k in flat[begin : begin + bucket]]
        assert here == sorted(here, reverse=number % 2 == 1)
    middle = len(states) // 2
    second = source()
    second.restore_from_checkpoint(states[middle])
    for expected in found[middle + 1 :]:
        assert [
            int(s[0, 0]) for s in second.next_minibatch(size)[second.streams.x].as_sequences()
        ] == expected


def test_buckets_need_fewer_steps():
    lengths = np.random.default_rng(0).integers(1, 100, 500)
    data = ArrayDeserializer({"x": np.zeros(lengths.sum())}, lengths)

    def steps(source):
        total = 0
        while minibatch := source.next_minibatch(1000):
            total += minibatch[source.streams.x].shape[1]
        return total

    assert 2 * steps(BucketedMinibatchSource(data, 500, max_sweeps=1)) < 1.5 * steps(
        MinibatchSource(data, max_sweeps=1)
    )
    with pytest.raises(ValueError, match="bucket_sequences must be positive"):
        BucketedMinibatchSource(data, 0)


@pytest.mark.parametrize("randomize", [True, False])
@pytest.mark.parametrize("per_chunk", [2, 5, 100])
@pytest.mark.parametrize("size", [1, 2, 3, 5, 10, 15])
def test_sweeps_end_as_those_of_text(tmp_path, randomize, per_chunk, size):
    """With the minibatch that has the last sequence, also where that is full."""
    lengths = [1, 3, 2, 1, 2, 1, 1, 1, 2, 1]
    (tmp_path / "rows.ctf").write_text("".join(f"{k} |x {k}\n" * n for k, n in enumerate(lengths)))
    streams = StreamDefs(x=StreamDef("x", 1))
    rows = RowDeserializer(
        [{"x": [float(k)] * n} for k, n in enumerate(lengths)], streams, rows_per_chunk=per_chunk
    )
    text = CTFDeserializer(str(tmp_path / "rows.ctf"), streams)
    seen = []
    for deserializer in (rows, text):
        # Shuffled rows come in another order than those of text.
        options = {"randomize": randomize and deserializer is rows, "max_sweeps": 3}
        source = MinibatchSource(deserializer, **options)
        read, sweep, flags = 0, 0, []
        while minibatch := source.next_minibatch(size):
            data = minibatch[source.streams.x]
            read += data.num_samples
            ends = read // sum(lengths) > sweep
            sweep = read // sum(lengths)
            assert data.end_of_sweep == ends
            flags.append(data.end_of_sweep)
        seen.append(flags)
    assert sweep == 3
    assert randomize or seen[0] == seen[1]
