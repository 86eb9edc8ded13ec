"""Malformed text: what is left out within `max_errors`, as the original does with the same option
of its configuration; ids that are skipped.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pytest

from cntk.io import CTFDeserializer, MinibatchSource, StreamDef, StreamDefs
from cntk.io._text import deserializer as text_deserializer
from tests.io.cases.text_error_cases import AFTER, BEFORE, CASES

GOLDEN = json.loads(
    (Path(__file__).parent.parent / "golden" / "text_errors_of_the_original.json").read_text(
        encoding="utf-8"
    )
)
STREAMS = StreamDefs(A=StreamDef("A", 1), B=StreamDef("B", 10, is_sparse=True))


def read(file, deserializer=None, **options):
    """For each stream and sequence its samples, dense ones as numbers, sparse ones as (column,
    value).
    """
    options = {"randomize": False, "max_sweeps": 1, **options}
    source = MinibatchSource(deserializer or CTFDeserializer(str(file), STREAMS), **options)
    minibatch = source.next_minibatch(100)
    dense = [s.ravel().tolist() for s in minibatch[source.streams.A].as_sequences()]
    found = []
    for s in minibatch[source.streams.B].as_sequences():
        pairs = list(zip(s.indices.tolist(), s.data.tolist(), strict=True))
        found.append(
            [[list(p) for p in pairs[a:b]] for a, b in zip(s.indptr, s.indptr[1:], strict=False)]
        )
    return {"A": dense, "B": found}


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("name", list(CASES))
def test_what_is_left_out(name, large, tmp_path, monkeypatch):
    if large:
        monkeypatch.setattr(text_deserializer, "_LARGE", 1)
    file = tmp_path / "data.ctf"
    file.write_text(BEFORE + CASES[name] + AFTER)
    least, expected = GOLDEN[name]
    if expected is None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with pytest.raises(ValueError, match=r"data.ctf, line \d"):
                read(file, max_errors=9)
        return
    with warnings.catch_warnings(record=True) as given:
        warnings.simplefilter("always")
        assert read(file, max_errors=least) == expected
    assert len(given) == least
    assert all("data.ctf, line " in str(w.message) for w in given)
    if least:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with pytest.raises(ValueError, match=r"data.ctf, line \d"):
                read(file, max_errors=least - 1)


def test_each_is_counted_once(tmp_path, monkeypatch):
    """A chunk that is read again has no new errors, and lines are the file's, however it is
    read.
    """
    file = tmp_path / "data.ctf"
    file.write_text(BEFORE + "1 |A 2 |B 2:2\n1 |A x |B 4:4\n" + AFTER)
    for large in (1 << 40, 1):
        monkeypatch.setattr(text_deserializer, "_LARGE", large)
        deserializer = CTFDeserializer(str(file), STREAMS)
        deserializer["chunkSizeInBytes"] = 1
        source = MinibatchSource(deserializer, max_sweeps=3, max_errors=1)
        with warnings.catch_warnings(record=True) as given:
            warnings.simplefilter("always")
            while source.next_minibatch(2):
                pass
        (warning,) = given
        assert "data.ctf, line 3, stream 'A': expected a number" in str(warning.message)
        assert "it is left out (1 of 1 errors allowed)" in str(warning.message)


def test_options_by_name(tmp_path):
    file = tmp_path / "data.ctf"
    file.write_text("7 |A 1 |B 1:1\n7 |A 2 |B 2:2\n7 |A 3 |B 3:3\n")
    assert len(read(file)["A"]) == 1
    every_line = CTFDeserializer(str(file), STREAMS)
    every_line["skipSequenceIds"] = True
    assert read(file, every_line)["A"] == [[1.0], [2.0], [3.0]]
    file.write_text(BEFORE + "1 |A 2 |B 2:2\n1 |A x |B 4:4\n" + AFTER)
    tolerant = CTFDeserializer(str(file), STREAMS)
    tolerant["maxErrors"] = np.int64(1)
    with pytest.warns(UserWarning, match="line 3"):
        assert read(file, tolerant)["A"] == [[1.0], [2.0], [3.0]]
    with pytest.raises(KeyError, match="no option 'maxerrors'; it has 'maxErrors'"):
        tolerant["maxerrors"] = 1
    with pytest.raises(ValueError, match="maxErrors must be an integer, 0 or more, got -1"):
        tolerant["maxErrors"] = -1
