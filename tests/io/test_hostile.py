"""Files that ask for more than there is: numbers of thousands of digits, lines without end, counts
that no file holds.
"""

from __future__ import annotations

import struct
import time
from pathlib import Path

import numpy as np
import pytest

from cntk.errors import DataError
from cntk.io import (
    CBFDeserializer,
    CTFDeserializer,
    HTKFeatureDeserializer,
    HTKMLFBinaryDeserializer,
    HTKMLFDeserializer,
    ImageDeserializer,
    MinibatchSource,
    StreamDef,
    StreamDefs,
    StreamInformation,
    UserDeserializer,
    text_to_binary,
)
from cntk.io._native import loader
from cntk.io._text import compiled
from cntk.io._text.listed_names import joined_keys, keys_of
from tests.io.cases.htk_cases import archive

TEXT = StreamDefs(x=StreamDef("x", 3), s=StreamDef("s", 4, is_sparse=True))


def text(content):
    Path("d").write_bytes(content)
    return CTFDeserializer("d", TEXT)


def script(content):
    Path("d").write_bytes(content)
    Path("a.chunk").write_bytes(archive([[1.0]] * 4))
    return HTKFeatureDeserializer(StreamDefs(f=StreamDef(scp="d", shape=1)))


def labels(content):
    Path("d").write_bytes(b'#!MLF!#\n"u.lab"\n' + content)
    Path("states").write_bytes(b"a\nb\n")
    return HTKMLFDeserializer("states", StreamDefs(l=StreamDef(mlf="d", shape=2)))


def binary_labels(content):
    Path("d").write_bytes(b"MLF\2\0" + content)
    return HTKMLFBinaryDeserializer(StreamDefs(l=StreamDef(mlf="d", shape=2)))


def image_map(content):
    pytest.importorskip("PIL.Image")
    Path("d").write_bytes(content)
    return ImageDeserializer("d", StreamDefs(l=StreamDef("label", shape=2)))


def binary(streams, chunks, content=b""):
    """A file of streams (storage, name, dtype, width) and chunks (sequences, samples), whatever
    that is.
    """
    head = b"nib_ktnc" + struct.pack("<I", 1) + content
    parts = [b"nib_ktnc", struct.pack("<II", len(chunks), len(streams))]
    parts += [
        struct.pack("<BI", s, len(n)) + n + struct.pack("<BI", t, w) for s, n, t, w in streams
    ]
    parts += [struct.pack("<qII", 12, *chunk) for chunk in chunks]
    Path("d").write_bytes(head + b"".join(parts) + struct.pack("<q", len(head)))
    return CBFDeserializer("d")


MANY, NINES = b"9" * 5000, r"'?9{10}[9.]*'?"
HOSTILE = {
    "index": (
        text,
        b"|x 1 |s 0:1\n|x 2 |s " + MANY + b":1\n",
        rf"line 2, stream 's': index "
        rf"{NINES} is out of range",
    ),
    "numbers": (
        text,
        b"|x " + b"1 " * 400_000 + b"|s 0:1",
        "line 1, stream 'x': a sample has 400000 numbers",
    ),
    "a line": (
        text,
        b"|x 1 |s 0:1\n|x 1 |s " + b"7" * 9_000_000,
        "line 2: a line of up to 8,388,832 bytes was expected",
    ),
    "empty lines": (
        text,
        b"|x 1 |s 0:1" + b"\n" * 2_200_000,
        "up to 1,048,576 empty lines were expected",
    ),
    "frames": (
        script,
        b"u=a.chunk[0," + MANY + b"]",
        rf"line 1: frames 0 to {NINES} of a.chunk "
        rf"are no range of frames",
    ),
    "no numbers": (
        script,
        b"u=a.chunk[nan,inf]",
        r"line 1: expected name=archive\[first,last\], "
        r"got 'u=a.chunk\[nan,inf\]'",
    ),
    "other digits": (
        script,
        "u=a.chunk[0,٣]".encode(),
        r"line 1: expected "
        r"name=archive\[first,last\]",
    ),
    "a script's line": (
        script,
        b"u=" * 10_000,
        r"line 1: expected name=archive\[first,last\].*20,000 "
        r"characters",
    ),
    "a name": (
        script,
        b"u" * 5000 + b"=a.chunk[0,1]",
        "line 1: expected the name of an utterance of up to 4,096 characters",
    ),
    "empty script": (script, b"\n" * 2_200_000, "up to 1,048,576 empty lines were expected"),
    "times": (
        labels,
        b"0 " + MANY + b" a\n.\n",
        "line 3, utterance 'u': 'begin end state' was expected",
    ),
    "endless times": (
        labels,
        b"0 inf a\n.\n",
        "line 3, utterance 'u': 'begin end state' was expected",
    ),
    "a state": (
        labels,
        b"0 1 " + b"c" * 9000 + b"\n.\n",
        "line 3, utterance 'u': the state 'ccc+[.]{3}c+' is not",
    ),
    "a key": (
        labels,
        b'0 1 a\n.\n"' + b"v" * 5000 + b'"\n0 1 a\n.\n',
        "line 5: expected the name of an utterance of up to",
    ),
    "a label's key": (
        binary_labels,
        struct.pack("<H", 5000) + b"v" * 5000 + bytes(6),
        "byte 5: expected a name of up to",
    ),
    "a label": (
        image_map,
        b"a.png\t" + MANY,
        "line 1: expected the number of a class as the label, got '9{40}[.]{3}'",
    ),
    "columns": (
        image_map,
        b"\n" + b"\t" * 300_000 + b"1",
        "line 2: expected image<tab>label .* got 300001 columns",
    ),
    "a width": (
        lambda c: binary([(0, b"x", 0, 2**31 - 1)], [(1, 2**32 - 1)], c),
        struct.pack("<II", 2**32 - 1, 1),
        "d, byte",
    ),
    "widths": (
        lambda c: binary([(0, b"x", 1, 2**31 - 1)], [(2, 2**32 - 1)], c),
        struct.pack("<3I", 2**31, 2**31 - 1, 7),
        "d, byte",
    ),
    "streams": (
        lambda c: binary([(0, b"%d" % k, 0, 1) for k in range(5000)], [(1, 1)], c),
        b"abcd",
        "up to 4,096 streams",
    ),
    "a stream": (
        lambda c: binary([(0, b"n" * 5000, 0, 1)], [(1, 1)], c),
        b"abcd",
        "a stream's name of up to 4,096 bytes",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_one_error_tells_file_and_place(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    make, content, expected = HOSTILE[name]
    with pytest.raises(ValueError, match=expected) as caught:
        source = MinibatchSource(make(content), randomize=False)
        for _ in range(3):
            source.next_minibatch(1)
    assert (
        str(caught.value).startswith("d")
        and len(str(caught.value)) < 600
        and isinstance(caught.value, RuntimeError)
    )


def test_a_scale_that_is_no_number(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    reader = script(b"u=p.chunk[0,1]")
    for scale in (0, np.nan, np.inf):
        head = struct.pack(">iihH", 6, 100000, 2, 9 | 0o2000) + struct.pack(">2f", scale, 0)
        Path("p.chunk").write_bytes(head + bytes(4))
        with pytest.raises(
            ValueError, match="p.chunk: compressed frames begin with .*finite numbers were expected"
        ):
            MinibatchSource(reader)


@pytest.mark.parametrize("is_compiled", [True, False])
def test_ids_of_any_length_are_one_number_modulo_two_to_the_64(tmp_path, monkeypatch, is_compiled):
    monkeypatch.chdir(tmp_path)
    if is_compiled:
        while loader.compiled_module(1 << 30) is None:
            time.sleep(0.05)
    else:
        monkeypatch.setattr("cntk.io._text.index.compiled_module", lambda size: None)
    ids = [10**70 + 7, int("9" * 3000), 7]
    reader = text(
        b"".join(b"1" + b"0" * 63 + b"0" * 6 + b"7 |x 1 |s\n" if k == ids[0] else b"" for k in ids)
    )
    assert reader.open().chunks[0].keys.tolist() == [(10**70 + 7) % 2**64]
    reader = text(b"%d |x 1 |s\n%s |x 2 |s\n7 |x 3 |s\n" % (7, b"9" * 3000))
    assert reader.open().chunks[0].keys.tolist() == [7, int("9" * 3000) % 2**64, 7]


def test_an_index_that_claims_more_lines_than_bytes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    reader = text(b"0 |x 1 |s 0:1\n1 |x 1 |s 0:1\n")
    reader["cacheIndex"] = True
    reader.open()
    index = Path("d.index")
    content = index.read_bytes()
    rows = np.frombuffer(content, "<i8", 2, len(content) - 16)
    index.write_bytes(content[:-16] + (rows + 20).astype("<i8").tobytes())
    assert len(MinibatchSource(reader, max_sweeps=1).next_minibatch(9)) == 2


def test_lines_that_are_mostly_empty_fill_no_array_beforehand(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    while loader.compiled_module(1 << 30) is None:
        time.sleep(0.05)
    monkeypatch.setattr(compiled, "_ROOM", 1 << 10)
    Path("d").write_bytes(b"|x 1\n" * 500)
    source = MinibatchSource(
        CTFDeserializer("d", StreamDefs(x=StreamDef("x", 300))), randomize=False
    )
    monkeypatch.setattr(compiled, "_Target", None)
    assert source.next_minibatch(500)[source.streams.x].asarray().sum() == 500


def test_one_long_key_does_not_widen_all(tmp_path):
    names = [f"u{k}" for k in range(100_000)]
    keys = keys_of([*names, "v" * 4000])
    assert keys.nbytes < 4 << 20 and keys.tolist()[:2] == ["u0", "u1"]
    joined = joined_keys([keys_of(names), keys_of(["v" * 4000])])
    assert joined.nbytes < 4 << 20 and joined.tolist() == keys.tolist()
    assert keys_of(names).dtype.kind == "U"


class Failing(UserDeserializer):
    """A deserializer whose second chunk cannot be read as often as it is told."""

    def __init__(self, failures):
        super().__init__()
        self.left = failures

    def stream_infos(self):
        return [StreamInformation("x", 0, "dense", np.float32, (1,))]

    def num_chunks(self):
        return 3

    def get_chunk(self, chunk_id):
        if chunk_id == 1 and self.left:
            self.left -= 1
            raise DataError("chunk 1 is damaged")
        return {"x": np.full((1, 1), chunk_id, np.float32)}


@pytest.mark.parametrize("failures", [1, 2])
def test_a_source_is_asked_again_behind_an_error(failures):
    source = MinibatchSource(Failing(failures), randomize=False, max_sweeps=1)
    found = []
    for _ in range(3 + failures):
        try:
            found.append(float(source.next_minibatch(1)[source.streams.x].asarray().ravel()[0]))
        except DataError:
            found.append(None)
    assert found == [0, *[None] * failures, 1, 2]
    assert not source.next_minibatch(1)


def test_conversion_refuses_the_same(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text(b"|x 1 |s " + MANY + b":1\n")
    with pytest.raises(ValueError, match="d, line 1, stream 's'"):
        text_to_binary("d", "d.bin", TEXT)
    assert not Path("d.bin").exists()


@pytest.mark.parametrize(
    "files, expected",
    [
        (
            {"d": b"u=a.chunk[0,2147483646]"},
            "d, line 1: frames up to 2147483646 are wanted, and a.chunk has 4 by its header",
        ),
        (
            {"a.chunk": b"\x7f\xff\xff\xff" + archive([[1.0]] * 4)[4:]},
            "line 1: a.chunk is truncated: frames 0 to 2147483646",
        ),
        (
            {"l": b"#!MLF!#\n" + (b'"u.lab"\n0 400000000000 a\n.\n') * 9},
            "l: the label file has 9 segments",
        ),
    ],
    ids=["script", "header", "labels"],
)
def test_frames_are_there_before_they_are_counted(tmp_path, monkeypatch, files, expected):
    """In frame mode each frame is a sequence."""
    monkeypatch.chdir(tmp_path)
    features = script(b"u=a.chunk[0,2147483646]")
    readers = [features, HTKMLFDeserializer("states", StreamDefs(l=StreamDef(mlf="l", shape=2)))]
    for name, content in ({"states": b"a\n", "l": b""} | files).items():
        Path(name).write_bytes(content)
    with pytest.raises(ValueError, match=expected):
        MinibatchSource(readers[1:] if "l" in files else features, frame_mode=True)
