"""The text format: many lines at once, line by line, and Python's own words, all read the same."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import example, given, strategies as st

from cntk.errors import DataError
from cntk.io._corpus.chunk import SparseFrames
from cntk.io._text import blocks
from cntk.io._text.blocks import read_text
from cntk.io._text.lines import Field, Lines, read_lines
from cntk.io._text.numbers import PAD, read_numbers

F32 = np.dtype(np.float32)
FIELDS = [
    Field("dense", b"d", 3, False, F32),
    Field("sparse", b"sp", 1000, True, F32),
    Field("one", b"one", 1, False, F32),
]

numbers = st.one_of(
    st.integers(-(10**9), 10**9).map(str),
    st.integers(0, 255).map(str),
    st.floats(-1e6, 1e6).map("{:.6f}".format),
    st.floats(-1e30, 1e30).map(lambda x: re.sub(r"^(-?\d+)e", r"\1.0e", repr(x))),
    st.sampled_from(
        [
            "0",
            "-0",
            "+7",
            "5.",
            "00012",
            "1e5",
            "1E-7",
            "1.5e+3",
            "0.1234567890123456789",
            "0.022677390877453154",
            "123456789012345678",
        ]
    ),
)
spaces = st.sampled_from([" ", "  ", "\t", " \t "])


def text_of(values, space):
    return space.join(values)


@st.composite
def lines_of_text(draw, have_ids):
    """Lines that the format allows, and the values in them as Python reads them."""
    lines, values = [], [[], [], []]
    key = 0
    for _ in range(draw(st.integers(1, 12))):
        parts = []
        for number in draw(st.permutations([0, 1, 2]))[: draw(st.integers(1, 3))]:
            space = draw(spaces)
            if number == 1:
                pairs = draw(st.lists(st.tuples(st.integers(0, 999), numbers), max_size=4))
                parts.append("|sp" + space + space.join(f"{k}:{v}" for k, v in pairs))
                values[1].append([(k, float(v)) for k, v in pairs])
            else:
                width = FIELDS[number].width
                found = draw(st.lists(numbers, min_size=width, max_size=width))
                parts.append("|" + FIELDS[number].alias.decode() + space + space.join(found))
                values[number].append([float(v) for v in found])
            if draw(st.booleans()):
                parts.append(
                    draw(
                        st.sampled_from(
                            ["|# a note: 1:2 é", "|other 1 2 x", "|#", "|dd 5", "|sparse 7"]
                        )
                    )
                )
        head = ""
        if have_ids:
            key += draw(st.integers(0, 2))
            head = draw(
                st.sampled_from([f"{key}", f"{key} ", f"{key}\t", ""] if lines else [f"{key} "])
            )
        lines.append(head + draw(st.sampled_from(["", " "])).join(parts))
    return draw(st.sampled_from(["\n", "\r\n"])).join(lines) + draw(
        st.sampled_from(["\n", ""])
    ), values


def check(found, values):
    for samples, wanted, field in zip(found, values, FIELDS, strict=True):
        if field.is_sparse:
            assert isinstance(samples.frames, SparseFrames)
            offsets = np.cumsum([0, *map(len, wanted)])
            np.testing.assert_array_equal(samples.frames.offsets, offsets)
            np.testing.assert_array_equal(
                samples.frames.columns, [k for pairs in wanted for k, _ in pairs]
            )
            np.testing.assert_allclose(
                samples.frames.values, np.float32([v for p in wanted for _, v in p]), rtol=2e-7
            )
        else:
            assert samples.frames.shape == (len(wanted), field.width)
            np.testing.assert_allclose(
                samples.frames, np.float32(wanted).reshape(-1, field.width), rtol=2e-7
            )


@given(st.data(), st.booleans())
def test_all_ways_of_reading_agree(data, have_ids):
    text, values = data.draw(lines_of_text(have_ids))
    lines = Lines("file", 1, text.encode(), have_ids)
    slowly, quickly = read_lines(lines, FIELDS), blocks._read_block(lines, FIELDS)
    check(slowly, values)
    assert quickly is not None, "regular lines are read by the quick way"
    check(quickly, values)
    for a, b in zip(slowly, quickly, strict=True):
        np.testing.assert_array_equal(a.lines, b.lines)


pieces = st.text("0123456789.+-eE:|# \t\r\n|dspone\x00\x0b\xff", max_size=60)


@given(pieces, st.booleans())
@example("|d 1 2 3\n|d 1 2\n", False)
@example("|sp 1:2 3 4:5:6\n", False)
@example("|sp 1:2:3 4\n", False)
@example("|d 1 .5 3\n", False)
@example("|d 1 1.e5 3\n", False)
@example("|d 1 1e5.5 3\n", False)
@example("|d 1 2 3 4\n", False)
@example("|d 1 2 3 |d 4 5 6 |d 7 8 9 |d 1 2 3\n", False)
@example("|one\x0b1\n", False)
@example("|one 1\r2\n", False)
@example("12 3 |one 1\n", True)
@example("|sp 1000:1\n", False)
def test_whatever_comes_is_read_alike_or_refused(text, have_ids):
    """No text is read otherwise by the quick way than line by line, and none brings anything but a
    `DataError`.
    """
    lines = Lines("file", 7, text.encode("latin-1"), have_ids)
    quickly = blocks._read_block(lines, FIELDS) if text else None
    try:
        slowly = read_lines(lines, FIELDS)
    except DataError as error:
        assert quickly is None
        assert re.match(r"file, line \d+", str(error))
        return
    if quickly is not None:
        for a, b in zip(slowly, quickly, strict=True):
            np.testing.assert_array_equal(a.lines, b.lines)
            if isinstance(a.frames, SparseFrames):
                np.testing.assert_array_equal(a.frames.columns, b.frames.columns)
                np.testing.assert_allclose(a.frames.values, b.frames.values, rtol=2e-7)
            else:
                np.testing.assert_allclose(a.frames, b.frames, rtol=2e-7)


@pytest.mark.parametrize("threads", [1, 3])
def test_blocks_are_put_together(monkeypatch, threads):
    rng = np.random.default_rng(1)
    wanted = rng.integers(0, 300, (57, 3))
    text = "".join("|d " + " ".join(map(str, row)) + f" |one {k}\n" for k, row in enumerate(wanted))
    text = text.replace(" |one 20\n", " |one 2e1\n").replace(" |one 30\n", "\t|one\t30.0\n")
    lines = Lines("file", 1, text.encode(), False)
    monkeypatch.setattr(blocks, "_BLOCK", 64)
    dense, one = read_text(lines, [FIELDS[0], FIELDS[2]], threads)
    np.testing.assert_array_equal(dense.frames, wanted)
    np.testing.assert_array_equal(one.frames[:, 0], np.arange(57))
    np.testing.assert_array_equal(dense.lines, np.arange(57))


def test_errors_in_later_blocks_name_their_line(monkeypatch):
    text = "|d 1 2 3\n" * 50 + "|d 1 x 3\n" + "|d 1 2 3\n" * 5
    monkeypatch.setattr(blocks, "_BLOCK", 64)
    with pytest.raises(
        DataError, match=r"^file, line 151, stream 'dense': expected a number .* got 'x'$"
    ):
        read_text(Lines("file", 101, text.encode(), False), [FIELDS[0]])


@given(st.lists(numbers, min_size=1, max_size=30))
def test_numbers(tokens):
    block = np.full(sum(map(len, tokens)) + len(tokens) + 2 * PAD, 32, np.uint8)
    begins = PAD + np.cumsum([0, *(len(t) + 1 for t in tokens[:-1])])
    ends = begins + [len(t) for t in tokens]
    block[PAD : PAD + sum(map(len, tokens)) + len(tokens)] = list((" ".join(tokens) + " ").encode())
    np.testing.assert_allclose(
        read_numbers(block, begins, ends), [float(t) for t in tokens], rtol=1e-15
    )


@pytest.mark.parametrize(
    "token",
    [
        "-",
        "+",
        ".",
        ".5",
        "-.5",
        "1.2.3",
        "1e",
        "1e+",
        "e5",
        "1e5.5",
        "1.e5",
        "1e5e5",
        "--1",
        "1-2",
        "1+",
        "nan",
        "inf",
    ]
    + ["0x10", "1_0", "1,5", "1d5", "1:2"],
)
def test_what_is_no_number(token):
    with pytest.raises(DataError, match="number"):
        read_lines(Lines("file", 1, f"|one {token}\n".encode(), False), FIELDS[2:])
    assert (
        blocks._read_block(Lines("file", 1, f"|one {token}\n".encode(), False), FIELDS[2:]) is None
    )
