"""Lines of the CNTK text format, read by compiled code in one pass over their bytes.

What is read here is entirely regular, and the same as `_ctf_lines` reads; what is not is left to
that.
"""

from __future__ import annotations

import numpy as np
from numba import boolean, float32, float64, int64, njit, types, uint64

from cntk.io._native.jit import TEXT, compiled

_PIPE, _NEWLINE, _COLON, _DOT, _PLUS, _MINUS = 124, 10, 58, 46, 43, 45
_POWERS = np.array([float(f"1e{k}") for k in range(81)])
_MANY_DIGITS = np.uint64(10**18)
_TEN = np.uint64(10)


@njit(inline="always")
def _is_space(letter: int) -> bool:
    return letter == 32 or 9 <= letter <= 13


@njit(inline="always")
def _is_digit(letter: int) -> bool:
    return 48 <= letter <= 57


@njit(inline="always")
def _ends_number(letter: int) -> bool:
    return letter == 32 or letter == 124 or 9 <= letter <= 13


@compiled(int64(TEXT, int64, int64))
def count_lines(text: np.ndarray, begin: int, end: int) -> int:
    """Line ends between two bytes of a text."""
    count = 0
    for at in range(begin, end):
        count += text[at] == 10
    return count


@compiled(types.Tuple((int64, float64))(TEXT, int64))
def read_number(text: np.ndarray, at: int) -> tuple[int, float]:
    """A number written as ``[+-]digits[.digits][e[+-]digits]`` from a byte on: the byte behind it,
    or -1, and its value.

    Digits beyond the nineteenth that count are left out, and what comes out is right to a few
    units in the last place of a float64: a float32 does not show either.
    """
    negative = text[at] == _MINUS
    if negative or text[at] == _PLUS:
        at += 1
    mantissa, exponent, first = np.uint64(0), 0, at
    while _is_digit(text[at]):
        if mantissa < _MANY_DIGITS:
            mantissa = mantissa * _TEN + np.uint64(text[at] - 48)
        else:
            exponent += 1
        at += 1
    if at == first:
        return -1, 0.0
    has_decimals = True
    if text[at] == _DOT:
        at += 1
        first = at
        while _is_digit(text[at]):
            if mantissa < _MANY_DIGITS:
                mantissa = mantissa * _TEN + np.uint64(text[at] - 48)
                exponent -= 1
            at += 1
        has_decimals = at > first
    if (text[at] | 32) == 101:  # e
        at += 1
        falls = text[at] == _MINUS
        if falls or text[at] == _PLUS:
            at += 1
        power, first = 0, at
        while _is_digit(text[at]):
            power = min(power * 10 + text[at] - 48, 100000)
            at += 1
        if at == first or not has_decimals:
            return -1, 0.0
        exponent += -power if falls else power
    value = float(mantissa)
    if exponent != 0 and value != 0.0:
        if exponent > 60:
            value = np.inf
        elif exponent > 0:
            value *= _POWERS[exponent]
        elif exponent < -80:
            value = 0.0
        else:
            value /= _POWERS[-exponent]
    return at, -value if negative else value


@compiled(int64(TEXT, int64, int64, TEXT, int64[::1]))
def _stream(
    text: np.ndarray, begin: int, end: int, aliases: np.ndarray, alias_ends: np.ndarray
) -> int:
    """Which stream has the name between two bytes; -1 for none."""
    first = 0
    for stream in range(len(alias_ends)):
        length = alias_ends[stream] - first
        if length == end - begin:
            same = True
            for k in range(length):
                if text[begin + k] != aliases[first + k]:
                    same = False
                    break
            if same:
                return stream
        first = alias_ends[stream]
    return -1


# Plain numbers are read where they stand rather than in a function of their own: handing the text
# to one costs as much as reading a number does, since it is counted who holds it.


@compiled(int64(TEXT, int64, int64, float32[::1], int64))
def _dense_sample(text: np.ndarray, at: int, width: int, dense: np.ndarray, place: int) -> int:
    """Read the numbers behind a name, up to the next '|' or line end, which is given back, or
    -1.
    """
    last = place + width
    if place < 0 or last > len(dense):
        return -1
    while True:
        letter = text[at]
        if letter == _NEWLINE or letter == _PIPE:
            break
        if _is_space(letter):
            at += 1
            continue
        if place >= last:
            return -1
        # Written out here and for sparse entries: as one function, put in place by numba, it takes
        # up to 1.7 times as long.
        begin = at
        if letter == _MINUS:
            at += 1
        first, decimals, mantissa = at, 0, int64(0)
        digit = int64(text[at]) - 48
        while digit >= 0 and digit <= 9:
            mantissa = mantissa * 10 + digit
            at += 1
            digit = int64(text[at]) - 48
        if text[at] == _DOT and at > first:
            at += 1
            behind = at
            digit = int64(text[at]) - 48
            while digit >= 0 and digit <= 9:
                mantissa = mantissa * 10 + digit
                at += 1
                digit = int64(text[at]) - 48
            decimals = at - behind
        if at == first or at - first > 18 or not _ends_number(text[at]):
            at, value = read_number(text, begin)
            if at < 0 or not _ends_number(text[at]):
                return -1
            dense[place] = value
        else:
            value = float64(mantissa)
            if decimals > 0:
                value /= _POWERS[decimals]
            dense[place] = -value if letter == _MINUS else value
        place += 1
    while place < last:
        dense[place] = 0.0
        place += 1
    return at


@compiled(
    types.UniTuple(int64, 2)(TEXT, int64, int64, int64[:, ::1], float32[:, ::1], int64, int64)
)
def _sparse_sample(
    text: np.ndarray,
    at: int,
    width: int,
    columns: np.ndarray,
    values: np.ndarray,
    stream: int,
    total: int,
) -> tuple[int, int]:
    """Read the entries behind a name, up to the next '|' or line end, which is given back, or -1;
    and their number.
    """
    count = 0
    while True:
        letter = text[at]
        if letter == _NEWLINE or letter == _PIPE:
            break
        if _is_space(letter):
            at += 1
            continue
        column, first = int64(0), at
        digit = int64(letter) - 48
        while digit >= 0 and digit <= 9 and column < width:
            column = column * 10 + digit
            at += 1
            digit = int64(text[at]) - 48
        if at == first or text[at] != _COLON or column >= width or total >= columns.shape[1]:
            return -1, 0
        begin = at + 1
        at += 1
        letter = text[at]
        if letter == _MINUS:
            at += 1
        first, decimals, mantissa = at, 0, int64(0)
        digit = int64(text[at]) - 48
        while digit >= 0 and digit <= 9:
            mantissa = mantissa * 10 + digit
            at += 1
            digit = int64(text[at]) - 48
        if text[at] == _DOT and at > first:
            at += 1
            behind = at
            digit = int64(text[at]) - 48
            while digit >= 0 and digit <= 9:
                mantissa = mantissa * 10 + digit
                at += 1
                digit = int64(text[at]) - 48
            decimals = at - behind
        if at == first or at - first > 18 or not _ends_number(text[at]):
            at, value = read_number(text, begin)
            if at < 0 or not _ends_number(text[at]):
                return -1, 0
            values[stream, total] = value
        else:
            value = float64(mantissa)
            if decimals > 0:
                value /= _POWERS[decimals]
            values[stream, total] = -value if letter == _MINUS else value
        columns[stream, total] = column
        total += 1
        count += 1
    return at, count


@compiled(
    boolean(
        TEXT,
        int64,
        int64,
        boolean,
        int64,
        int64,
        TEXT,
        int64[::1],
        int64[::1],
        boolean[::1],
        float32[::1],
        int64[::1],
        int64[:, ::1],
        int64[:, ::1],
        int64[:, ::1],
        float32[:, ::1],
        int64[::1],
        int64[::1],
    )
)
def read_block(
    text: np.ndarray,
    begin: int,
    end: int,
    have_ids: bool,
    first_line: int,
    lines: int,
    aliases: np.ndarray,
    alias_ends: np.ndarray,
    widths: np.ndarray,
    is_sparse: np.ndarray,
    dense: np.ndarray,
    dense_begins: np.ndarray,
    sample_lines: np.ndarray,
    entries: np.ndarray,
    columns: np.ndarray,
    values: np.ndarray,
    samples: np.ndarray,
    totals: np.ndarray,
) -> bool:
    """Read whole lines into arrays that hold the samples of all their lines.

    Args:
        text: bytes, of which those from ``begin`` to ``end`` are read; the last one is a line end.
        begin: the first byte.
        end: behind the last byte.
        have_ids: whether lines may begin with a sequence id.
        first_line: number of the first line among those that the arrays are for.
        lines: how many lines there are; no stream may have more samples.
        aliases: the streams' names in the file, one after another.
        alias_ends: where each of these ends.
        widths: numbers in a sample of each stream.
        is_sparse: which streams are sparse.
        dense: float32, where samples of dense streams go.
        dense_begins: where in it each stream begins.
        sample_lines: ``[streams, lines]``, where the number of each sample's line goes.
        entries: ``[streams, lines]``, where the number of entries of each sparse sample goes.
        columns: ``[streams, entries]``, where columns go.
        values: ``[streams, entries]``, where their values go.
        samples: ``[streams]``, in which samples are counted.
        totals: ``[streams]``, in which entries are counted.

    Returns:
        Whether all is entirely regular; if not, what was read means nothing.
    """
    streams = len(widths)
    at, line = begin, 0
    # Whatever is looked for ends at a line end at the latest, and there is one at the end of the
    # text.
    if begin >= end or end > len(text) or text[end - 1] != _NEWLINE:
        return False
    while at < end:
        # What stands before the first '|': nothing, or an id.
        if have_ids:
            while _is_digit(text[at]):
                at += 1
        while text[at] != _NEWLINE and _is_space(text[at]):
            at += 1
        if text[at] != _PIPE or line >= lines:
            return False
        found = 0
        while text[at] == _PIPE:
            at += 1
            name = at
            while text[at] != _PIPE and not _is_space(text[at]):
                at += 1
            if at == name:
                return False
            stream = _stream(text, name, at, aliases, alias_ends)
            if stream < 0:
                while text[at] != _PIPE and text[at] != _NEWLINE:
                    at += 1
                continue
            sample = samples[stream]
            if sample >= lines:
                return False
            found += 1
            if is_sparse[stream]:
                total = totals[stream]
                at, count = _sparse_sample(text, at, widths[stream], columns, values, stream, total)
                totals[stream] = total + count
                entries[stream, first_line + sample] = count
            else:
                at = _dense_sample(
                    text,
                    at,
                    widths[stream],
                    dense,
                    dense_begins[stream] + (first_line + sample) * widths[stream],
                )
            if at < 0:
                return False
            sample_lines[stream, first_line + sample] = first_line + line
            samples[stream] = sample + 1
        if text[at] != _NEWLINE or found == 0 or found > streams:
            return False
        at += 1
        line += 1
    return line == lines


@compiled(
    int64(
        TEXT,
        int64,
        int64,
        boolean,
        TEXT,
        uint64[::1],
        int64[::1],
        uint64[::1],
        int64[::1],
        int64[::1],
    )
)
def find_sequences(
    text: np.ndarray,
    begin: int,
    end: int,
    have_ids: bool,
    alias: np.ndarray,
    state: np.ndarray,
    begins: np.ndarray,
    keys: np.ndarray,
    rows: np.ndarray,
    counted: np.ndarray,
) -> int:
    """Find where sequences begin in whole lines.

    Args:
        text: bytes, of which those from ``begin`` to ``end`` are read.
        begin: the first byte, of a line.
        end: behind the last byte.
        have_ids: whether lines may begin with a sequence id.
        alias: the stream whose samples are counted, by its name in the file; every line counts as
            one if it is empty.
        state: uint64 ``[4]``: the id of the sequence before, whether there is one, and, to be given
            back, the lines that still belong to it and what they count for.
        begins: where the first byte of each sequence goes; there is room for as many as there are
            lines.
        keys: where ids go.
        rows: where numbers of lines go.
        counted: where numbers of samples go.

    Returns:
        How many sequences were found.
    """
    found = 0
    at = begin
    while at < end:
        start = at
        key, digits = np.uint64(0), 0
        if have_ids:
            while at < end and _is_digit(text[at]):
                key = key * _TEN + np.uint64(text[at] - 48)
                digits += 1
                at += 1
        count = 0 if len(alias) else 1
        if not len(alias):
            # Most of a long line is passed over many bytes at a time.
            while at + 64 <= end:
                ends = 0
                for k in range(64):
                    ends += text[at + k] == 10
                if ends:
                    break
                at += 64
        while at < end and text[at] != _NEWLINE:
            if len(alias) and text[at] == _PIPE:
                at += 1
                name = at
                while at < end and at - name < len(alias) and text[at] == alias[at - name]:
                    at += 1
                if at - name == len(alias) and (
                    at >= end or _is_space(text[at]) or text[at] == _PIPE
                ):
                    count += 1
            else:
                at += 1
        at += 1
        if have_ids:
            is_first = digits > 0 and (state[1] == np.uint64(0) or key != state[0])
            if digits > 0:
                state[0], state[1] = key, np.uint64(1)
        else:
            is_first, key = True, state[0]
            state[0] += np.uint64(1)
        if is_first:
            if found >= len(begins):
                return -1
            begins[found], keys[found], rows[found], counted[found] = start, key, 1, count
            found += 1
        elif found:
            rows[found - 1] += 1
            counted[found - 1] += count
        else:
            state[2] += np.uint64(1)
            state[3] += np.uint64(count)
    return found
