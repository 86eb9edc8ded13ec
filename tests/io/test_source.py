"""Minibatch sources: where minibatches begin and end, going on from a checkpoint, several workers,
several files, errors.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

import cntk as C
from cntk.io import (
    FULL_DATA_SWEEP,
    INFINITELY_REPEAT,
    CTFDeserializer,
    MinibatchSource,
    StreamDef,
    StreamDefs,
    StreamInformation,
)
from cntk.io._corpus.chunk_cache import ChunkCache
from cntk.io._text import deserializer as text_deserializer, index as text_index


def write(folder, text, name="data.ctf"):
    file = folder / name
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return str(file)


def reader(folder, text, name="data.ctf", **streams):
    return CTFDeserializer(write(folder, text, name), StreamDefs(**streams))


X = {"x": StreamDef("x", 1)}


def numbers_of(minibatch, source, stream="x"):
    return [float(f[0]) for s in minibatch[source.streams[stream]].as_sequences() for f in s]


def counted(lengths):
    """A file of sequences of these lengths, whose frames are numbered."""
    return "".join(f"{k} |x {10 * k + t}\n" for k, n in enumerate(lengths) for t in range(n))


@pytest.fixture(scope="module")
def varied(tmp_path_factory):
    lengths = [1 + (k * 7) % 5 for k in range(40)]
    return reader(tmp_path_factory.mktemp("varied"), counted(lengths), **X), lengths


class SmallChunks:
    """A deserializer whose chunks hold a few sequences each."""

    def __init__(self, deserializer, chunk_bytes=60):
        self.deserializer, self.chunk_bytes = deserializer, chunk_bytes

    def open(self, threads=1):
        found = text_deserializer.configurations(self.deserializer.streams, "test")
        return text_deserializer.TextFile(
            self.deserializer.filename, found, threads, self.chunk_bytes
        )


# -- minibatches -----------------------------------------------------------------------------------


@given(st.lists(st.integers(1, 30), min_size=1, max_size=12), st.booleans(), st.integers(0, 3))
def test_minibatches_go_through_sweeps(varied, sizes, randomize, seed):
    """Whatever the sizes: sweep after sweep holds every sequence once, and no minibatch is too
    large or needlessly small.
    """
    deserializer, lengths = varied
    source = MinibatchSource(
        SmallChunks(deserializer), randomize=randomize, randomization_seed=seed
    )
    found, position = [], 0
    for size in sizes:
        minibatch = source.next_minibatch(size)
        data = minibatch[source.streams.x]
        sequences = [int(s[0, 0]) // 10 for s in data.as_sequences()]
        assert all(
            len(s) == lengths[k] for s, k in zip(data.as_sequences(), sequences, strict=True)
        )
        assert data.num_samples <= size or data.num_sequences == 1
        before, position = position, position + data.num_samples
        assert source.current_position["minibatchSourcePosition"] == position
        assert data.end_of_sweep == (before // sum(lengths) != position // sum(lengths))
        found += sequences
    for begin in range(0, len(found), len(lengths)):
        sweep = found[begin : begin + len(lengths)]
        assert len(set(sweep)) == len(sweep)
        if not randomize:
            assert sweep == list(range(len(sweep)))


@given(st.integers(0, 400), st.booleans(), st.integers(1, 20), st.integers(1, 4))
def test_resume(varied, warm_up, randomize, size, chunks):
    """From a checkpoint another source goes on with the very same minibatches."""
    deserializer, _ = varied
    options = {
        "randomize": randomize,
        "randomization_window_in_chunks": chunks,
        "randomization_seed": 7,
    }
    first = MinibatchSource(SmallChunks(deserializer), **options)
    while first.current_position["minibatchSourcePosition"] < warm_up:
        first.next_minibatch(size)
    state = first.get_checkpoint_state()
    second = MinibatchSource(SmallChunks(deserializer), **options)
    second.restore_from_checkpoint(state)
    for _ in range(6):
        a, b = first.next_minibatch(size), second.next_minibatch(size)
        np.testing.assert_array_equal(numbers_of(a, first), numbers_of(b, second))
        assert a[first.streams.x].end_of_sweep == b[second.streams.x].end_of_sweep
        assert first.get_checkpoint_state() == second.get_checkpoint_state()
    first.current_position = state
    assert first.get_checkpoint_state() == state


def test_resume_at_the_end(varied):
    deserializer, lengths = varied
    source = MinibatchSource(deserializer, max_sweeps=1)
    source.restore_from_checkpoint({"minibatchSourcePosition": sum(lengths)})
    assert source.next_minibatch(10) == {}
    source.restore_from_checkpoint({"minibatchSourcePosition": 0})
    assert source.next_minibatch(10**6)[source.streams.x].num_samples == sum(lengths)


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"position": 3},
        None,
        3,
        {"minibatchSourcePosition": -1},
        {"minibatchSourcePosition": "3"},
    ],
)
def test_states_that_are_none(varied, state):
    source = MinibatchSource(varied[0])
    with pytest.raises(ValueError, match="minibatchSourcePosition"):
        source.restore_from_checkpoint(state)


def test_partitions(tmp_path):
    """Two workers: each its own sequences, and its half of the size."""
    lengths = [7, 3, 4, 1, 2, 2, 1, 2, 2, 1]
    workers = [
        MinibatchSource(reader(tmp_path, counted(lengths), **X), randomize=False, max_samples=36)
        for _ in range(2)
    ]

    def samples(rank, times):
        found = [
            workers[rank].next_minibatch(10, num_data_partitions=2, partition_index=rank)
            for _ in range(times)
        ]
        return [m[workers[rank].streams.x].num_samples if m else 0 for m in found]

    assert samples(0, 6) == [7, 4, 5, 7, 4, 0]
    assert samples(1, 4) == [4, 5, 3, 0]


@given(st.integers(2, 5), st.integers(1, 25))
def test_workers_share_every_sequence(varied, workers, size):
    deserializer, lengths = varied
    found = []
    for rank in range(workers):
        source = MinibatchSource(deserializer, randomization_seed=5, max_sweeps=1)
        while minibatch := source.next_minibatch(
            size, num_data_partitions=workers, partition_index=rank
        ):
            found += numbers_of(minibatch, source)
    assert sorted(found) == [10 * k + t for k, n in enumerate(lengths) for t in range(n)]


def test_more_workers_than_sequences(tmp_path):
    source = MinibatchSource(reader(tmp_path, "|x 1\n|x 2\n", **X), randomize=False)
    assert numbers_of(
        source.next_minibatch(6, num_data_partitions=3, partition_index=1), source
    ) == [2, 1]
    assert numbers_of(
        source.next_minibatch(6, num_data_partitions=3, partition_index=2), source
    ) == [1, 2]


@pytest.mark.parametrize("partition", [(2, 2), (0, 0), (3, -1)])
def test_partitions_that_are_none(varied, partition):
    with pytest.raises(ValueError, match="partition"):
        MinibatchSource(varied[0]).next_minibatch(
            4, num_data_partitions=partition[0], partition_index=partition[1]
        )


@pytest.mark.parametrize(
    ("size", "kind"), [(0, ValueError), (-1, ValueError), (2.5, TypeError), ("4", TypeError)]
)
def test_sizes_that_are_none(varied, size, kind):
    with pytest.raises(kind, match="minibatch size"):
        MinibatchSource(varied[0]).next_minibatch(size)


def test_input_map(varied):
    source = MinibatchSource(varied[0], randomize=False)
    x = C.sequence.input_variable(1)
    minibatch = source.next_minibatch(4, {x: source.streams.x, "again": source["x"]})
    assert set(minibatch) == {x, "again"}
    np.testing.assert_array_equal(minibatch[x].asarray(), minibatch["again"].asarray())
    with pytest.raises(KeyError, match="not a stream of this source; its streams are: x"):
        source.next_minibatch(4, {x: StreamInformation("z", 0, "dense", np.float32, (1,))})


def test_streams(tmp_path):
    source = MinibatchSource(
        reader(
            tmp_path, "|a 1 2 |b 3:1\n", f=StreamDef("a", 2), l=StreamDef("b", 4, is_sparse=True)
        )
    )
    assert list(source.streams) == ["f", "l"]
    assert repr(source.streams.f) == "f([2])"
    assert source.stream_info("l") == source["l"] == source.stream_infos()[1] == source.streams.l
    assert (source["l"].storage_format, source["l"].sample_shape, source["l"].dtype) == (
        "sparse",
        (4,),
        np.float32,
    )
    assert source.is_infinite()
    with pytest.raises(RuntimeError, match="no stream is named 'q'; there are: f, l"):
        source.stream_info("q")


def test_shapes_of_several_axes(tmp_path):
    source = MinibatchSource(reader(tmp_path, "|a 1 2 3 4 5 6\n", a=StreamDef("a", (2, 3))))
    assert source.next_minibatch(1)[source.streams.a].shape == (1, 1, 2, 3)


# -- several files ---------------------------------------------------------------------------------


def joined(folder, first, second, **options):
    files = [
        reader(folder, first, "x.ctf", x=StreamDef("x", 1)),
        reader(folder, second, "y.ctf", y=StreamDef("y", 1)),
    ]
    return MinibatchSource(files, randomize=False, max_sweeps=1, **options)


def test_sequences_are_joined_by_id(tmp_path):
    source = joined(tmp_path, "0 |x 1\n0 |x 2\n1 |x 3\n", "1 |y 4\n0 |y 5\n7 |y 9\n")
    minibatch = source.next_minibatch(3)
    assert numbers_of(minibatch, source) == [1, 2, 3]
    assert numbers_of(minibatch, source, "y") == [5, 4]


def test_the_longest_stream_of_all_files_counts(tmp_path):
    source = joined(tmp_path, "0 |x 1\n1 |x 3\n", "1 |y 4\n1 |y 5\n0 |y 5\n0 |y 6\n0 |y 7\n")
    assert numbers_of(source.next_minibatch(3), source) == [1]
    assert source.get_checkpoint_state() == {"minibatchSourcePosition": 3}
    assert numbers_of(source.next_minibatch(3), source, "y") == [4, 5]


def test_what_one_file_lacks_is_left_out(tmp_path):
    source = joined(tmp_path, "0 |x 1\n1 |x 3\n2 |x 4\n", "1 |y 4\n0 |y 5\n")
    assert numbers_of(source.next_minibatch(9), source) == [1, 3]
    with pytest.raises(ValueError, match="no sequence in common"):
        joined(tmp_path, "0 |x 1\n", "1 |y 4\n")


def test_files_without_ids_are_joined_by_line(tmp_path):
    source = joined(tmp_path, "|x 1\n|x 3\n", "|y 4\n|y 5\n")
    assert numbers_of(source.next_minibatch(9), source, "y") == [4, 5]


def test_streams_of_several_files_must_agree(tmp_path):
    with pytest.raises(ValueError, match="two streams are named 'x'"):
        MinibatchSource([reader(tmp_path, "|x 1\n", **X), reader(tmp_path, "|x 1\n", **X)])
    streams = {
        "x": StreamDef("x", 1, defines_mb_size=True),
        "y": StreamDef("y", 1, defines_mb_size=True),
    }
    with pytest.raises(
        ValueError, match="only one stream may define the minibatch size, and 2 do: x, y"
    ):
        MinibatchSource(reader(tmp_path, "|x 1 |y 1\n", **streams))


# -- large files -----------------------------------------------------------------------------------


@pytest.mark.parametrize("block", [1, 13, 64, 1000])
def test_index_in_blocks(tmp_path, monkeypatch, block):
    lengths = [1, 4, 2, 9, 1, 1, 3]
    file = write(tmp_path, "\ufeff\n\n" + counted(lengths) + "6 |x 63")
    whole = text_index.index_file(file, 10**9)
    monkeypatch.setattr(text_index, "_BLOCK", block)
    (chunk,) = text_index.index_file(file, 10**9).chunks
    assert chunk.rows.tolist() == whole.chunks[0].rows.tolist() == [1, 4, 2, 9, 1, 1, 4]
    assert chunk.keys.tolist() == list(range(7))
    assert (chunk.begin, chunk.first_line) == (5, 3)


def test_chunks_are_whole_sequences(tmp_path):
    file = write(tmp_path, counted([2, 3, 1, 8, 1]))
    chunks = text_index.index_file(file, 40).chunks
    assert [c.rows.tolist() for c in chunks] == [[2, 3], [1], [8], [1]]
    assert [c.first_line for c in chunks] == [1, 6, 7, 15]
    assert [c.begin for c in chunks[1:]] == [c.end for c in chunks[:-1]]


class Counting:
    """A corpus that notes what is read of it."""

    def __init__(self, corpus):
        self.corpus, self.read = corpus, []

    def load(self, chunk):
        self.read.append(chunk)
        return self.corpus.load(chunk)


def test_chunks_are_read_once_and_forgotten_when_spent(varied):
    corpus = Counting(SmallChunks(varied[0]).open())
    count = len(corpus.corpus.chunks)
    chunks = np.repeat(np.arange(count), 3)
    store = ChunkCache(corpus, kept_bytes=0)
    store.begin_sweep(chunks)
    for place, chunk in enumerate(chunks):
        store.get(chunk)
        store.release(place)
        assert set(store._loaded) <= {chunk - 1, chunk}
    assert corpus.read == list(range(count))
    roomy = ChunkCache(corpus)
    for _ in range(2):
        roomy.begin_sweep(chunks)
        for place, chunk in enumerate(chunks):
            roomy.get(chunk)
            roomy.release(place)
    assert corpus.read == list(range(count)) * 2


# -- options and files that are wrong --------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"max_samples": 10, "max_sweeps": 2}, "max_samples and max_sweeps exclude each other"),
        ({"randomization_window_in_samples": 5}, "both in chunks and in samples"),
        ({"randomization_window_in_chunks": -1}, "must be at least 0"),
        ({"frame_mode": True, "truncation_length": 2}, "exclude each other"),
        ({"frame_mode": True}, "a sequence has 5"),
    ],
)
def test_options_that_contradict_each_other(varied, options, words):
    with pytest.raises(ValueError, match=words):
        MinibatchSource(varied[0], **options)


def test_limits_that_go_together(varied):
    deserializer, lengths = varied
    for options in (
        {"max_sweeps": 1, "max_samples": INFINITELY_REPEAT},
        {"max_samples": FULL_DATA_SWEEP, "max_sweeps": INFINITELY_REPEAT},
        {"max_samples": FULL_DATA_SWEEP},
    ):
        source = MinibatchSource(deserializer, **options)
        assert not source.is_infinite()
        assert source.next_minibatch(10**6)[source.streams.x].num_samples == sum(lengths)
        assert not source.next_minibatch(1)


WRONG = [
    (
        "|x 1 |y 2\n|x .5 |y 2\n",
        r"line 2, stream 'x': expected a number such as -0.5 or 1e-3, got '.5'",
    ),
    (
        "|x 1 |y 2\n\n|x 1 |y 2\n",
        r"line 2: the line is empty, or has none of the streams that are read: \|x, \|y",
    ),
    ("|x 1 |y 2\n|# note\n", r"line 2: the line is empty"),
    (
        "|x 1 2 |y 2\n",
        r"line 1, stream 'x': a sample has 2 numbers, and the stream's shape holds 1",
    ),
    (
        "|x 1 |y 2\nabc |x 1 |y 2\n",
        r"line 2: '\|' was expected at the beginning of the line, got 'abc '",
    ),
    ("0 |x 1 |y 2\n1 z |x 1 |y 2\n", r"line 2: a sequence id \(digits\) or '\|' was expected"),
    (
        "0 |x 1 |y 2\n0 |x 1\n1 |x 5\n2 |x 1 |y 2\n",
        r"line 3, stream 'y': the sequence \(id 1\) has no sample",
    ),
    (
        "0 |x 1\n0 |y 1\n",
        r"line 1: the sequence \(id 0\) has 2 lines, and 1 samples of its longest stream",
    ),
    ("|x 1 | y 2\n", r"line 1: a stream's name was expected right after '\|'"),
    ("|x 1 |y 2 |x 3\n", r"line 1: 3 samples on a line, and 2 streams are read"),
    ("|x 1 |y 1:2\n", r"line 1, stream 'y': expected a number"),
    ("|x nan |y 1\n", r"line 1, stream 'x': expected a number .* got 'nan'"),
    (b"|x \xff\xfe |y 1\n", r"line 1, stream 'x': expected a number"),
    (b"\x00\x01\x02", r"line 1: '\|' was expected"),
]


@pytest.mark.parametrize(("text", "words"), WRONG)
def test_malformed_files(tmp_path, text, words):
    source = MinibatchSource(
        reader(tmp_path, text, x=StreamDef("x", 1), y=StreamDef("y", 1)), randomize=False
    )
    for _ in range(2):
        with pytest.raises(RuntimeError, match=r"data\.ctf, " + words):
            source.next_minibatch(10)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("|s 1:2 5:1\n", "stream 's': index 5 is out of range, the stream has 5 columns"),
        ("|s 1:2 3\n", "stream 's': expected index:value, got '3'"),
        ("|s 1: 2\n", "stream 's': expected index:value, got '1:'"),
        ("|s -1:2\n", "stream 's': expected index:value, got '-1:2'"),
        ("|s 1:2:3\n", "stream 's': expected index:value, got '1:2:3'"),
    ],
)
def test_malformed_sparse_samples(tmp_path, text, words):
    source = MinibatchSource(reader(tmp_path, text, s=StreamDef("s", 5, is_sparse=True)))
    with pytest.raises(ValueError, match=words):
        source.next_minibatch(1)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(ValueError, match="no file was given"):
        MinibatchSource(CTFDeserializer("", StreamDefs(**X)))
    with pytest.raises(RuntimeError, match="nowhere.ctf: the file cannot be opened"):
        MinibatchSource(CTFDeserializer("nowhere.ctf", StreamDefs(**X)))
    with pytest.raises(ValueError, match="the file is empty"):
        MinibatchSource(reader(tmp_path, "\n \n", **X))
    with pytest.raises(ValueError, match="no streams of .* were given"):
        MinibatchSource(CTFDeserializer(write(tmp_path, "|x 1\n"), {}))


@pytest.mark.parametrize(
    ("streams", "kind", "words"),
    [
        ({"x": StreamDef("x")}, ValueError, "stream 'x' has no shape"),
        ({"x": StreamDef("x", 0)}, ValueError, "stream 'x' must have a positive shape"),
        ({"x": "x"}, TypeError, "stream 'x' must be a StreamDef"),
        ("x", TypeError, "streams must be StreamDefs"),
    ],
)
def test_stream_definitions_that_are_none(streams, kind, words):
    with pytest.raises(kind, match=words):
        CTFDeserializer("data.ctf", streams)


def test_several_streams_of_one_field(tmp_path):
    with pytest.raises(ValueError, match=r"several streams are to be read from the same field \|x"):
        MinibatchSource(reader(tmp_path, "|x 1\n", a=StreamDef("x", 1), b=StreamDef("x", 1)))
