"""The index of a text file is kept beside it if that is wanted, and believed only if it is of this
file and sound.
"""

from __future__ import annotations

import os

import numpy as np
import pytest

from cntk.io import CTFDeserializer, MinibatchSource, StreamDef, StreamDefs
from cntk.io._text import index as text_index
from cntk.io._text.index_file import index_path

STREAMS = StreamDefs(x=StreamDef("x", 1), y=StreamDef("y", 1))
BY_Y = StreamDefs(x=StreamDef("x", 1), y=StreamDef("y", 1, defines_mb_size=True))


@pytest.fixture
def file(tmp_path):
    made = tmp_path / "data.ctf"
    made.write_text(
        "".join(f"{k} |x {k} |y {t}\n{k} |x {t}\n" for k in range(20) for t in range(1 + k % 3))
    )
    return made


@pytest.fixture
def passes(monkeypatch):
    """How often a file was gone through."""
    found = []
    through = text_index._scan
    monkeypatch.setattr(text_index, "_scan", lambda *given: found.append(1) or through(*given))
    return found


def read(file, streams=STREAMS, **options):
    deserializer = CTFDeserializer(str(file), streams)
    deserializer["cacheIndex"] = True
    for name, value in options.items():
        deserializer[name] = value
    source = MinibatchSource(deserializer, max_sweeps=1)
    found = []
    while minibatch := source.next_minibatch(7):
        found.append([minibatch[s].as_sequences() for s in (source.streams.x, source.streams.y)])
    return [[[s.tolist() for s in stream] for stream in minibatch] for minibatch in found]


def test_it_is_written_once(file, passes):
    assert not index_path(str(file)).exists()
    first = read(file)
    assert index_path(str(file)).exists()
    assert read(file) == first
    assert len(passes) == 1
    assert sorted(os.listdir(file.parent)) == ["data.ctf", "data.ctf.index"]


def test_nothing_is_written_unasked(file):
    MinibatchSource(CTFDeserializer(str(file), STREAMS)).next_minibatch(5)
    assert os.listdir(file.parent) == ["data.ctf"]


def test_other_options_have_another_index(file, passes):
    one, other = read(file, BY_Y), read(file)
    assert read(file, BY_Y) == one and one != other
    assert len(passes) == 3
    assert read(file, skipSequenceIds=False) == other


def test_a_file_that_has_changed_is_gone_through_again(file, passes):
    read(file)
    file.write_text("0 |x 5 |y 6\n")
    assert read(file) == [[[[[5.0]]], [[[6.0]]]]]
    assert len(passes) == 2


def test_a_damaged_index_is_not_believed(file, passes):
    expected = read(file)
    path = index_path(str(file))
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for k in range(300):
        content = bytearray(whole)
        if k % 3 == 0:
            del content[rng.integers(len(content)) :]
        elif k % 3 == 1:
            content[rng.integers(56)] ^= 1 << rng.integers(8)
        else:
            content += b"12345678"
        path.write_bytes(content)
        assert read(file) == expected
    # A forged number says another thing, and is refused where that shows.
    content = bytearray(whole)
    content[-8:] = (-1).to_bytes(8, "little", signed=True)
    path.write_bytes(content)
    assert read(file) == expected


def test_an_index_of_another_file_is_named(file):
    read(file)
    path = index_path(str(file))
    content = bytearray(path.read_bytes())
    count = (len(content) - 56) // 24
    content[56 + 16 * count : 56 + 24 * count] = np.ones(count, "<i8").tobytes()
    path.write_bytes(content)
    with pytest.raises(
        ValueError, match=r"data.ctf: its index is of another file; remove .*data.ctf.index"
    ):
        read(file)


def test_an_index_that_cannot_be_written(file):
    """Where a folder is in its way nothing is left behind, and all is read."""
    index_path(str(file)).mkdir()
    assert read(file) == read(file)
    assert sorted(os.listdir(file.parent)) == ["data.ctf", "data.ctf.index"]
