"""Windows stand where the original's do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cntk._ops.nn.windows import Windows, as_dims, as_flags, margins, spread
from cntk.errors import GraphError

ROWS = json.loads(
    (Path(__file__).parent.parent / "golden" / "windows_of_the_original.json").read_text()
)


def test_windows_stand_where_the_originals_do() -> None:
    assert len(ROWS) > 400
    for length, size, stride, padded, ceil, begin, count in ROWS:
        windows = Windows(size, stride, bool(padded), ceil=bool(ceil))
        assert (-windows.before(length), windows.fit(length)) == (begin, count), (
            length,
            size,
            stride,
            padded,
            ceil,
        )


def test_margins_leave_exactly_the_windows() -> None:
    for length, size, stride, padded, ceil, _, count in ROWS:
        windows = Windows(size, stride, bool(padded), ceil=bool(ceil))
        before, after = margins([windows], [length])
        assert (length + before + after - size) // stride + 1 == count
        if windows.symmetric(length):
            assert (length + 2 * before - size) // stride + 1 == count


def test_explicit_padding() -> None:
    windows = Windows(3, 2, lower=1, upper=2)
    assert (windows.count(6), windows.before(6), windows.after(6)) == (4, 1, 2)


def test_dilation_spreads_a_window() -> None:
    windows = Windows(3, 1, dilation=2)
    assert (windows.extent, windows.count(7)) == (5, 3)
    assert Windows(3, 1, True, 2).before(7) == 2


def test_unknown_lengths_stay_unknown() -> None:
    assert [Windows(3).fit(n) for n in (-1, -3)] == [-1, -3]


def test_windows_that_do_not_fit() -> None:
    with pytest.raises(GraphError, match="the window is 4 long and the axis only 3"):
        Windows(4, auto_pad=True).fit(3)
    with pytest.raises(GraphError, match="reaches over 5 elements"):
        Windows(3, dilation=2).fit(4)


def test_arguments() -> None:
    assert as_dims(3, "strides") == (3,) and as_dims([2, 3], "strides") == (2, 3)
    assert as_flags(True, "p") == (True,) and as_flags([1, 0], "p") == (True, False)
    assert spread((2,), 3, "strides") == (2, 2, 2)
    with pytest.raises(TypeError, match="strides: expected an integer"):
        as_dims("a", "strides")
    with pytest.raises(GraphError, match="expected 1 to 2 strides"):
        spread((1, 2, 3), 2, "strides")
