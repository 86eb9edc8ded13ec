"""Compiled code does what NumPy and plain Python do: text, its index, random orders and scaled
images.
"""

from __future__ import annotations

import io
import subprocess
import sys
import time
from functools import cache

import numpy as np
import pytest
from hypothesis import example, given, strategies as st

from cntk.errors import DataError
from cntk.io._corpus import chunk as corpus_chunk
from cntk.io._corpus.chunk import SparseFrames
from cntk.io._images import resize as _image_resize
from cntk.io._native import loader
from cntk.io._sampling import shuffle
from cntk.io._text import compiled as text_compiled, index as text_index
from cntk.io._text.compiled import read_chunk
from cntk.io._text.lines import Lines, read_lines
from tests.io.text.test_ctf_parser import FIELDS, check, lines_of_text, pieces

WAIT = 120


@pytest.fixture(scope="module")
def compiled():
    end = time.monotonic() + WAIT
    while (found := loader.compiled_module(1 << 30)) is None:
        assert time.monotonic() < end, "the compiler does not end, or failed"
        time.sleep(0.05)
    return found


def is_regular(compiled, lines, fields):
    """Whether compiled code reads a text by itself."""
    text = np.frombuffer(lines.text, np.uint8)
    count = compiled.count_lines(text, 0, len(text))
    return (
        text_compiled._Target(fields, count).read(
            compiled, text, 0, len(text), lines.have_ids, 0, count
        )
        is not None
    )


@given(st.data(), st.booleans(), st.integers(1, 3))
def test_lines(compiled, data, have_ids, threads):
    text, values = data.draw(lines_of_text(have_ids))
    lines = Lines("file", 1, text.encode(), have_ids)
    found = read_chunk(compiled, lines, FIELDS, threads)
    check(found, values)
    for one, other in zip(found, read_lines(lines, FIELDS), strict=True):
        np.testing.assert_array_equal(one.lines, other.lines)
    whole = Lines(
        "file", 1, text.encode() if text.endswith("\n") else text.encode() + b"\n", have_ids
    )
    assert is_regular(compiled, whole, FIELDS), "regular lines are read by compiled code"


@given(pieces, st.booleans())
@example("|d 1 2 3\n|d 1 2\n", False)
@example("|sp 1:2 3 4:5:6\n", False)
@example("|d 1 .5 3\n", False)
@example("|d 1 1.e5 3\n", False)
@example("|d 1 +5 3\n", False)
@example("|d 1 2 3 4\n", False)
@example("|d 1 2 3 |d 4 5 6 |d 7 8 9 |d 1 2 3\n", False)
@example("|one 1|", False)
@example("|one 123456789012345678901234567890\n|one 0.0000000000000000000000000001\n", False)
@example("|one 1e400\n|one -1e-400\n|one 0e999999999999999999999\n|one 1.5e-30\n", False)
@example("|sp 18446744073709551617:1\n", False)
@example("|sp 1:\n", False)
@example("|sp 1", False)
@example("|", False)
@example("", False)
def test_whatever_comes_is_read_alike_or_refused(compiled, text, have_ids):
    lines = Lines("file", 7, text.encode("latin-1"), have_ids)
    try:
        slowly = read_lines(lines, FIELDS)
    except DataError as error:
        with pytest.raises(DataError) as found:
            read_chunk(compiled, lines, FIELDS, 1)
        assert text.count("\n") <= 1 or str(found.value) == str(error)
        return
    if not text:
        return
    for one, other in zip(slowly, read_chunk(compiled, lines, FIELDS, 1), strict=True):
        np.testing.assert_array_equal(one.lines, other.lines)
        if isinstance(one.frames, SparseFrames):
            np.testing.assert_array_equal(one.frames.columns, other.frames.columns)
            np.testing.assert_array_equal(one.frames.offsets, other.frames.offsets)
            np.testing.assert_allclose(one.frames.values, other.frames.values, rtol=2e-7)
        else:
            np.testing.assert_allclose(one.frames, other.frames, rtol=2e-7)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("second", ["\t|one\t{}.0\n", " |one {} \n|d 7 7 7\n", " |one +{} |# 1\n"])
def test_blocks_are_put_together(compiled, monkeypatch, threads, second):
    """Those that are regular, those that are not, and lines without a sample."""
    rows = np.random.default_rng(1).integers(0, 300, (57, 3))
    text = "".join(
        "|d " + " ".join(map(str, row)) + (second if k % 9 == 4 else " |one {}\n").format(k)
        for k, row in enumerate(rows)
    )
    monkeypatch.setattr(text_compiled, "_BLOCK", 64)
    lines = Lines("file", 1, text.encode(), False)
    for one, other in zip(
        read_chunk(compiled, lines, [FIELDS[0], FIELDS[2]], threads),
        read_lines(lines, [FIELDS[0], FIELDS[2]]),
        strict=True,
    ):
        np.testing.assert_array_equal(one.frames, other.frames)
        np.testing.assert_array_equal(one.lines, other.lines)


def test_errors_in_later_blocks_name_their_line(compiled, monkeypatch):
    text = "|d 1 2 3\n" * 50 + "|d 1 x 3\n" + "|d 1 2 3\n" * 5
    monkeypatch.setattr(text_compiled, "_BLOCK", 64)
    with pytest.raises(
        DataError, match=r"^file, line 151, stream 'dense': expected a number .* got 'x'$"
    ):
        read_chunk(compiled, Lines("file", 101, text.encode(), False), [FIELDS[0]], 2)


lines_with_ids = st.lists(
    st.tuples(
        st.sampled_from(
            ["", "0", "1", "1", "2", "12345678901234567890", "99999999999999999999999"]
        ),
        st.sampled_from(
            [
                "",
                " ",
                "|sp 1",
                "|s 1 |sp",
                "|spx |sp|sp",
                "|s|sp 2 |s",
                "x" * 70,
                "|sp " + "5" * 130,
            ]
        ),
    ),
    min_size=1,
    max_size=12,
)


@given(
    lines_with_ids,
    st.booleans(),
    st.sampled_from([b"", b"sp", b"s"]),
    st.sampled_from([1, 50, 1000]),
    st.booleans(),
)
def test_sequences(compiled, lines, have_ids, alias, block, ends):
    text = ("\n".join(a + b for a, b in lines) + "\n" * ends).encode()
    text = (b"7 " if have_ids else b"|") + text
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_index, "_BLOCK", block)
        quickly = text_index._scan_compiled(compiled, "d.ctf", io.BytesIO(text), 0, have_ids, alias)
        slowly = text_index._scan_with_numpy("d.ctf", io.BytesIO(text), 0, have_ids, alias)
    for name in ("begins", "keys", "rows", "counted"):
        np.testing.assert_array_equal(getattr(quickly, name), getattr(slowly, name), name)


@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=9),
    st.integers(1, 12),
    st.booleans(),
    st.integers(0, 9),
)
def test_orders(compiled, sizes, width, in_samples, seed):
    samples = [3 * n for n in sizes]
    order = shuffle.Order(sizes, samples, shuffle.Window(width, in_samples), seed)
    quickly = order.sweep(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shuffle, "compiled_module", lambda size: None)
        slowly = order.sweep(1)
    np.testing.assert_array_equal(quickly, slowly)
    assert sorted(quickly) == list(range(sum(sizes)))


def test_random_words_run_out(compiled, monkeypatch):
    """An order takes more words than are drawn at a time."""
    monkeypatch.setattr(shuffle, "_DRAWS", 1)
    order = shuffle.Order([5] * 40, [5] * 40, shuffle.Window(3), 1)
    quickly = order.sweep(0)
    monkeypatch.setattr(shuffle, "compiled_module", lambda size: None)
    np.testing.assert_array_equal(quickly, order.sweep(0))


@given(*[st.integers(1, 40)] * 4, st.sampled_from([1, 3]), st.integers(0, 99), st.booleans())
def test_scaled_images(compiled, height, width, new_height, new_width, channels, seed, turned):
    image = np.random.default_rng(seed).integers(0, 256, (height, width, channels), np.uint8)
    image = image[::-1, :, ::-1] if turned else image
    quickly = _image_resize.resize(image, new_width, new_height, "linear")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_image_resize, "compiled_module", lambda size: None)
        slowly = _image_resize.resize(image, new_width, new_height, "linear")
    np.testing.assert_array_equal(quickly, slowly)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=9), st.data())
def test_sparse_rows(compiled, counts, data):
    rows = np.array(data.draw(st.lists(st.integers(0, len(counts) - 1), max_size=12)), np.int64)
    total = sum(counts)
    frames = SparseFrames(
        corpus_chunk.ends_of(np.array(counts)), np.arange(total), np.arange(total, dtype=np.float32)
    )
    quickly = corpus_chunk._select(frames, rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corpus_chunk, "compiled_module", lambda size: None)
        slowly = corpus_chunk._select(frames, rows)
    for name in ("offsets", "columns", "values"):
        np.testing.assert_array_equal(getattr(quickly, name), getattr(slowly, name))


@given(
    st.lists(st.lists(st.integers(1, 3), min_size=1, max_size=4), min_size=1, max_size=3),
    st.booleans(),
    st.data(),
)
def test_merged_chunks(compiled, chunks, is_sparse, data):
    """Sequences of several chunks, in any order, some of them twice."""
    made = []
    for number, counts in enumerate(chunks):
        ends = corpus_chunk.ends_of(np.array(counts))
        values = (np.arange(2 * ends[-1]) + 100 * number).astype(np.float32)
        frames = (
            SparseFrames(np.arange(ends[-1] + 1), np.arange(ends[-1]), values[: ends[-1]])
            if is_sparse
            else None
        )
        made.append(corpus_chunk.StreamChunk(frames or values.reshape(-1, 2), ends))
    every = [(c, k) for c, counts in enumerate(chunks) for k in range(len(counts))]
    wanted = data.draw(st.lists(st.sampled_from(every), min_size=1, max_size=9))
    used = sorted({c for c, _ in wanted})
    places = [np.array([at for at, (c, _) in enumerate(wanted) if c == chunk]) for chunk in used]
    parts = [
        (made[c], np.array([wanted[at][1] for at in p])) for c, p in zip(used, places, strict=True)
    ]
    quickly = corpus_chunk.merge(parts, places)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corpus_chunk, "compiled_module", lambda size: None)
        slowly = corpus_chunk.merge(parts, places)
    np.testing.assert_array_equal(quickly.ends, slowly.ends)
    if is_sparse:
        np.testing.assert_array_equal(quickly.frames.values, slowly.frames.values)
    else:
        expected = [made[c].frames[made[c].ends[k] : made[c].ends[k + 1]] for c, k in wanted]
        np.testing.assert_array_equal(quickly.frames, np.concatenate(expected))
        np.testing.assert_array_equal(slowly.frames, quickly.frames)


def test_little_work_starts_no_compiler():
    program = (
        "import sys, threading; from cntk.io._native.loader import compiled_module; from "
        "cntk.io._sampling.shuffle import Order, Window;assert compiled_module(1000) is None; "
        "Order([100], [100], Window(3), 0).sweep(0);assert 'numba' not in sys.modules and "
        "threading.active_count() == 1"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=WAIT)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ModuleNotFoundError("No module named 'numba'", name="numba"), "'cntk-torch[fast]'"),
        (ImportError("Numba needs NumPy 2.5 or less"), "ImportError: Numba needs NumPy 2.5"),
    ],
    ids=["missing", "unfit"],
)
def test_without_the_compiler_all_is_read_and_the_log_says_why(error, said, monkeypatch, caplog):
    def refuse(name):
        raise error

    compilation = cache(loader._compilation.__wrapped__)
    monkeypatch.setattr(loader, "_compilation", compilation)
    monkeypatch.setattr(loader.importlib, "import_module", refuse)
    with caplog.at_level("INFO", logger="cntk"):
        for _ in range(3):
            assert loader.compiled_module(1 << 30) is None
            assert compilation().exception(WAIT) is error
    assert [record.levelname for record in caplog.records] == ["INFO"]
    assert said in caplog.text
