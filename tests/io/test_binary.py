"""The binary format: as the original reads it, conversion both ways, names and shapes, joins,
damaged files.
"""

from __future__ import annotations

import base64
import json
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from cntk.io import (
    CBFDeserializer,
    CTFDeserializer,
    MinibatchSource,
    StreamDef,
    StreamDefs,
    binary_to_text,
    header_streams,
    is_binary,
    sequence_to_cntk_text_format,
    text_to_binary,
)
from cntk.io._binary.deserializer import BinaryFile
from tests.io.cases.binary_cases import CASES

GOLDEN = json.loads(
    (Path(__file__).parent / "golden" / "binary_of_the_original.json").read_text(encoding="utf-8")
)


def definitions(case):
    return StreamDefs(**{s[0]: StreamDef(s[1], s[2], is_sparse=s[3]) for s in case.streams})


def write_text(folder, text, name="data.ctf"):
    file = folder / name
    file.write_text(text)
    return str(file)


def content(case):
    return base64.b64decode(GOLDEN[case.name]["file"])


def as_lists(data):
    return [(s.toarray() if data.is_sparse else s).tolist() for s in data.as_sequences()]


@pytest.mark.parametrize("case", CASES, ids=[c.name for c in CASES])
def test_as_the_original(case, tmp_path):
    file = tmp_path / "data.bin"
    file.write_bytes(content(case))
    source = MinibatchSource(CBFDeserializer(str(file)), **case.options)
    for size, (state, streams) in zip(case.sizes, GOLDEN[case.name]["read"], strict=True):
        minibatch = source.next_minibatch(size)
        assert source.get_checkpoint_state() == state
        found = {info.name: [as_lists(data), data.end_of_sweep] for info, data in minibatch.items()}
        assert found == streams


@pytest.mark.parametrize("case", CASES, ids=[c.name for c in CASES])
def test_conversion(case, tmp_path):
    """The file is the one that the original read; text again, and binary once more, it is the
    same.
    """
    text, binary = write_text(tmp_path, case.text), str(tmp_path / "data.bin")
    text_to_binary(text, binary, definitions(case), chunk_bytes=case.chunk_bytes)
    assert Path(binary).read_bytes() == content(case)
    assert is_binary(binary) and not is_binary(text)
    binary_to_text(binary, str(tmp_path / "again.ctf"))
    streams = StreamDefs(**{s[0]: StreamDef(s[0], s[2], is_sparse=s[3]) for s in case.streams})
    text_to_binary(
        str(tmp_path / "again.ctf"), str(tmp_path / "again.bin"), streams, chunk_bytes=1 << 30
    )
    text_to_binary(text, binary, definitions(case), chunk_bytes=1 << 30)
    assert Path(binary).read_bytes() == (tmp_path / "again.bin").read_bytes()


NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=5),
            st.lists(st.dictionaries(st.integers(0, 6), NUMBERS), min_size=1, max_size=4),
        ),
        min_size=1,
        max_size=12,
    ),
    st.integers(1, 400),
)
def test_doubles_come_back_exactly(tmp_path_factory, sequences, chunk_bytes):
    folder = tmp_path_factory.mktemp("doubles")
    lines = [
        sequence_to_cntk_text_format(k, {"d": list(map(list, d)), "s": s})
        for k, (d, s) in enumerate(sequences)
    ]
    text, binary, again = (
        write_text(folder, "\n".join(lines) + "\n"),
        str(folder / "b.bin"),
        str(folder / "again.ctf"),
    )
    streams = StreamDefs(d=StreamDef("d", 2), s=StreamDef("s", 7, is_sparse=True))
    text_to_binary(text, binary, streams, dtype=np.float64, chunk_bytes=chunk_bytes)
    for _ in range(2):
        opened = BinaryFile(binary, [])
        found_d, found_s = [], []
        for number in range(len(opened.chunks)):
            dense, sparse = opened.load(number)
            assert dense.frames.dtype == sparse.frames.values.dtype == np.float64
            found_d += [
                dense.frames[a:b].tolist() for a, b in zip(dense.ends, dense.ends[1:], strict=False)
            ]
            offsets, columns, values = (
                sparse.frames.offsets,
                sparse.frames.columns,
                sparse.frames.values,
            )
            rows = [
                dict(zip(columns[a:b].tolist(), values[a:b].tolist(), strict=True))
                for a, b in zip(offsets, offsets[1:], strict=False)
            ]
            found_s += [rows[a:b] for a, b in zip(sparse.ends, sparse.ends[1:], strict=False)]
        assert found_d == [[list(row) for row in d] for d, _ in sequences]
        assert found_s == [s for _, s in sequences]
        binary_to_text(binary, again)
        text_to_binary(again, binary, streams, dtype=np.float64)


@pytest.fixture
def simple(tmp_path):
    file = tmp_path / "simple.bin"
    text = write_text(tmp_path, "0 |a 1 2 3 4 |b 5\n1 |a 5 6 7 8 |b 6\n2 |a 9 9 9 9 |b 7\n")
    text_to_binary(text, str(file), StreamDefs(x=StreamDef("a", 4), y=StreamDef("b", 1)))
    return file


def test_names_and_shapes(simple):
    """The file decides; a definition gives a name, by the file's name or its own, and axes."""

    def streams(**definitions):
        infos = MinibatchSource(
            CBFDeserializer(str(simple), StreamDefs(**definitions))
        ).stream_infos()
        return {i.name: i.sample_shape for i in infos}

    assert streams() == {"x": (4,), "y": (1,)}
    assert streams(features=StreamDef("x", 4)) == {"features": (4,), "y": (1,)}
    assert streams(x=StreamDef("a", 7)) == {"x": (4,), "y": (1,)}
    assert streams(x=StreamDef("x", (2, 2))) == {"x": (2, 2), "y": (1,)}
    assert streams(x=StreamDef("y", 1), y=StreamDef("x", 4)) == {"y": (4,), "x": (1,)}
    with pytest.raises(RuntimeError, match="several streams are to be read from 'x': p, q"):
        streams(p=StreamDef("x", 4), q=StreamDef("x", 4))
    with pytest.raises(RuntimeError, match="the file has no stream 'z'; it has: x, y"):
        streams(z=StreamDef("z", 4))
    with pytest.raises(TypeError, match="streams must be StreamDefs"):
        CBFDeserializer(str(simple), "x")
    with pytest.raises(ValueError, match="no file was given"):
        MinibatchSource(CBFDeserializer(""))
    with pytest.raises(RuntimeError, match=r"nowhere.bin: the file cannot be opened"):
        MinibatchSource(CBFDeserializer("nowhere.bin"))


def test_joined_with_text_by_number(simple, tmp_path):
    text = CTFDeserializer(
        write_text(tmp_path, "2 |t 102\n0 |t 100\n8 |t 108\n"), StreamDefs(t=StreamDef("t", 1))
    )
    for several in ([CBFDeserializer(str(simple)), text], [text, CBFDeserializer(str(simple))]):
        source = MinibatchSource(several, randomize=False, max_sweeps=1)
        minibatch = source.next_minibatch(9)
        pairs = zip(as_lists(minibatch[source["t"]]), as_lists(minibatch[source["y"]]), strict=True)
        assert sorted((t[0][0], y[0][0]) for t, y in pairs) == [(100, 5), (102, 7)]
        state = source.get_checkpoint_state()
        source.restore_from_checkpoint(dict.fromkeys(state, 0))
        assert source.next_minibatch(1)[source["t"]].num_sequences == 1


def test_what_text_cannot_hold(tmp_path):
    text = write_text(tmp_path, "|x 1e39 |y 1\n")
    binary, again = str(tmp_path / "b.bin"), tmp_path / "again.ctf"
    text_to_binary(text, binary, StreamDefs(x=StreamDef("x", 1)))
    again.write_text("as it was")
    with pytest.raises(ValueError, match="stream 'x': the text format has no infinities"):
        binary_to_text(binary, str(again))
    assert again.read_text() == "as it was"
    text_to_binary(text, binary, header_streams(["a|b y dense 1"]))
    with pytest.raises(ValueError, match=r"cannot hold a stream named 'a\|b'"):
        binary_to_text(binary, str(again))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["again.ctf", "b.bin", "data.ctf"]


def test_malformed_text_leaves_no_file(tmp_path):
    text = write_text(tmp_path, "|x 1\n|x a\n")
    with pytest.raises(ValueError, match="line 2, stream 'x': expected a number"):
        text_to_binary(text, str(tmp_path / "b.bin"), StreamDefs(x=StreamDef("x", 1)))
    assert [p.name for p in tmp_path.iterdir()] == ["data.ctf"]
    with pytest.raises(ValueError, match="dtype must be float32 or float64"):
        text_to_binary(
            text, str(tmp_path / "b.bin"), StreamDefs(x=StreamDef("x", 1)), dtype=np.float16
        )
    with pytest.raises(ValueError, match="no streams of"):
        text_to_binary(text, str(tmp_path / "b.bin"), {})


@pytest.mark.parametrize("line", ["x x dense", "x x thick 3", "x x dense -3", "x x dense 3 4"])
def test_header_lines_that_are_none(line):
    with pytest.raises(ValueError, match="expected 'name alias dense|sparse width' for a stream"):
        header_streams([line])


# -- damaged files ---------------------------------------------------------------------------------


def replaced(data, at, form, *values):
    new = struct.pack(form, *values)
    return data[:at] + new + data[at + len(new) :]


DENSE = base64.b64decode(GOLDEN["dense"]["file"])
DIRECTORY = struct.unpack("<q", DENSE[-8:])[0]
TABLE = len(DENSE) - 8 - 16
WRONG = [
    (b"", "it is empty"),
    (
        b"0 |x 1\n",
        "byte 0: expected a file in the CNTK binary format, which begins with b'nib_ktnc'",
    ),
    (DENSE[:20], "byte 20: the file is truncated"),
    (DENSE[:-1], "is it truncated"),
    (DENSE[: len(DENSE) // 2], "is it truncated"),
    (replaced(DENSE, 8, "<I", 2), "byte 8: expected version 1 of the format, got 2"),
    (replaced(DENSE, len(DENSE) - 8, "<q", -5), "expected the offset of the directory, got -5"),
    (replaced(DENSE, len(DENSE) - 8, "<q", 12), "byte 12: expected the directory"),
    (replaced(DENSE, DIRECTORY + 8, "<I", 0), "the file is empty: it has 0 chunks and 2 streams"),
    (replaced(DENSE, DIRECTORY + 8, "<I", 1 << 31), "expected the offsets of 2147483648 chunks"),
    (replaced(DENSE, DIRECTORY + 12, "<I", 1 << 31), "expected "),
    (replaced(DENSE, DIRECTORY + 16, "<B", 7), r"expected 0 \(dense\) or 1 \(sparse\), got 7"),
    (replaced(DENSE, DIRECTORY + 17, "<I", 1 << 31), "expected a stream's name"),
    (replaced(DENSE, DIRECTORY + 21, "<B", 255), "expected a stream's name in UTF-8"),
    (replaced(DENSE, DIRECTORY + 21, "<B", ord("y")), "a second stream is named 'y'"),
    (replaced(DENSE, DIRECTORY + 22, "<B", 3), r"expected 0 \(float\) or 1 \(double\), got 3"),
    (replaced(DENSE, DIRECTORY + 23, "<I", 0), "expected the width of stream 'x', got 0"),
    (replaced(DENSE, TABLE, "<q", 0), "chunk 0 cannot begin at byte 0"),
    (replaced(DENSE, TABLE, "<q", 13), "chunk 0 cannot begin at byte 13"),
    (replaced(DENSE, TABLE + 8, "<I", 1 << 31), "cannot hold 2147483648 sequences"),
    (
        replaced(DENSE, TABLE + 12, "<I", 9),
        "byte 12: expected the lengths of 3 sequences, 9 in all",
    ),
    (replaced(DENSE, 12, "<II", 3, 2), "stream 'x'|sequence"),
    (
        replaced(DENSE, 24, "<I", 1 << 31),
        "byte 24: stream 'x': sequence 0 of the chunk has 2147483648 samples; from 1 to 2",
    ),
]


def read_all(data, folder):
    """All that a file holds."""
    file = folder / "damaged.bin"
    file.write_bytes(data)
    opened = BinaryFile(str(file), [])
    return [opened.load(k) for k, _ in enumerate(opened.chunks)]


@pytest.mark.parametrize(("data", "words"), WRONG)
def test_damaged_files(data, words, tmp_path):
    with pytest.raises(RuntimeError, match=r"damaged\.bin.*(" + words + ")"):
        read_all(data, tmp_path)


def test_lengths_that_are_too_large(tmp_path):
    """Streams that are all shorter than the sequence is said to be."""
    data = replaced(replaced(DENSE, 12, "<I", 4), TABLE + 12, "<I", 8)
    with pytest.raises(
        RuntimeError,
        match="sequence 0 of the chunk is said to have 4 samples, and its longest stream has 2",
    ):
        read_all(data, tmp_path)


def large():
    rng = np.random.default_rng(5)
    lines = []
    for k in range(300):
        for _ in range(rng.integers(1, 6)):
            entries = " ".join(f"{c}:{c + 1}" for c in sorted(rng.choice(50, 6, replace=False)))
            lines.append(f"{k} |s {entries} |x {' '.join(map(str, rng.integers(0, 9, 8)))} |y {k}")
    return "\n".join(lines) + "\n"


LARGE = [0, 1, 255, 1 << 16, (1 << 31) - 1, 1 << 31, (1 << 32) - 1]


@pytest.mark.slow
def test_two_thousand_mutations(tmp_path):
    """Each is refused, with the file and the byte, or read; no mutation takes more memory than
    twice the file.
    """
    text, binary = write_text(tmp_path, large()), tmp_path / "b.bin"
    streams = StreamDefs(
        s=StreamDef("s", 50, is_sparse=True), x=StreamDef("x", 8), y=StreamDef("y", 1)
    )
    text_to_binary(text, str(binary), streams, chunk_bytes=4000)
    data = binary.read_bytes()
    begin = struct.unpack("<q", data[-8:])[0]
    rng = np.random.default_rng(1)
    refused = most = 0
    tracemalloc.start()
    try:
        for number in range(2000):
            mutated = bytearray(data)
            # A third each in the directory, anywhere, and by a large number; every tenth is cut off
            # as well.
            low = begin if number % 3 == 0 else 0
            for at in rng.integers(low, len(data) - 4, rng.integers(1, 4)):
                if number % 3 == 2:
                    mutated[at : at + 4] = struct.pack("<I", rng.choice(LARGE))
                else:
                    mutated[at] = rng.integers(256)
            if number % 10 == 0:
                del mutated[rng.integers(len(data)) :]
            file = tmp_path / "mutated.bin"
            file.write_bytes(mutated)
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            try:
                opened = BinaryFile(str(file), [])
                for k, info in enumerate(opened.chunks):
                    for part in opened.load(k):
                        assert len(part.ends) == len(info.lengths) + 1 and part.ends[-1] == len(
                            part.frames
                        )
            except RuntimeError as error:
                assert str(error).startswith(f"{file}, byte ") or "cannot be opened" in str(error)
                refused += 1
            most = max(most, tracemalloc.get_traced_memory()[1] - before)
    finally:
        tracemalloc.stop()
    assert 500 < refused < 2000
    assert most < 2 * len(data)
