"""Compiled parser of the CNTK text format (CTF), in one pass over the bytes.

It reads regular lines only, with the same results as `cntk.io._text.lines`, and leaves all others
to that.
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
    """Count the line ends between two byte offsets."""
    count = 0
    for at in range(begin, end):
        count += text[at] == 10
    return count


@compiled(types.Tuple((int64, float64))(TEXT, int64))
def read_number(text: np.ndarray, at: int) -> tuple[int, float]:
    """Parse a number ``[+-]digits[.digits][e[+-]digits]`` from a byte offset on.

    At most 19 significant digits are used, and the result is within a few units in the last place
    of float64; neither changes its float32 value.

    Returns:
        The offset behind the number, or -1 if there is none, and its value.
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
    """Return the index of the stream whose name is between two byte offsets; -1 for none."""
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


# Plain numbers are parsed inline rather than in a function of their own: passing the array to one
# costs as much as parsing a number, because numba counts references to it.


@compiled(int64(TEXT, int64, int64, float32[::1], int64))
def _dense_sample(text: np.ndarray, at: int, width: int, dense: np.ndarray, place: int) -> int:
    """Read the dense sample behind a name into ``dense`` from index ``place`` on.

    Returns:
        The offset of the next '|' or line end; -1 if the sample is irregular.
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
        # Written out here and for sparse entries: as one function that numba inlines, it takes up
        # to 1.7 times as long.
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
    """Read the sparse sample behind a name into ``columns`` and ``values`` from ``total`` on.

    Returns:
        The offset of the next '|' or line end, -1 if the sample is irregular; the entries' number.
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
    """Read lines of a CTF file into preallocated arrays.

    Args:
        text: the file's bytes; those from ``begin`` to ``end`` are read, the last is a line end.
        begin: offset of the first byte.
        end: offset behind the last byte.
        have_ids: whether lines may begin with a sequence id.
        first_line: index of the first line in the arrays.
        lines: number of lines; no stream may have more samples.
        aliases: the streams' names in the file, concatenated.
        alias_ends: offset behind each of these names.
        widths: number of elements of a sample of each stream.
        is_sparse: which streams are sparse.
        dense: output, float32: samples of dense streams.
        dense_begins: offset of each stream in ``dense``.
        sample_lines: output ``[streams, lines]``: index of each sample's line.
        entries: output ``[streams, lines]``: number of entries of each sparse sample.
        columns: output ``[streams, entries]``: columns of entries.
        values: output ``[streams, entries]``: values of entries.
        samples: output ``[streams]``: number of samples, which goes on from what it holds.
        totals: output ``[streams]``: number of entries, which goes on from what it holds.

    Returns:
        Whether all lines are regular; if not, the output is meaningless.
    """
    streams = len(widths)
    at, line = begin, 0
    # Every scan stops at a line end at the latest, and the last byte is one: no bounds checks.
    if begin >= end or end > len(text) or text[end - 1] != _NEWLINE:
        return False
    while at < end:
        # Before the first '|' there is nothing, or an id.
        if have_ids:
            while _is_digit(text[at]):
                at += 1
        while text[at] != _NEWLINE and _is_space(text[at]):
            at += 1
        if text[at] != _PIPE or line >= lines:
            return False
        sample_count = 0
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
            sample_count += 1
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
        if text[at] != _NEWLINE or sample_count == 0 or sample_count > streams:
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
    """Find where sequences begin in some lines of a CTF file.

    Args:
        text: the file's bytes; those from ``begin`` to ``end`` are read.
        begin: offset of the first byte of a line.
        end: offset behind the last byte.
        have_ids: whether lines may begin with a sequence id.
        alias: name, in the file, of the stream whose samples are counted; if it is empty, every
            line counts as one sample.
        state: uint64 ``[4]``, changed in place: the id of the sequence before, and whether there
            is one; then, as output, the number of lines that still belong to it, and of their
            samples.
        begins: output: offset of each sequence. All outputs have room for one sequence a line.
        keys: output: ids.
        rows: output: numbers of lines.
        counted: output: numbers of samples.

    Returns:
        The number of sequences; -1 if the output is too small.
    """
    sequence_count = 0
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
            # Skip most of a long line, 64 bytes at a time.
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
            if sequence_count >= len(begins):
                return -1
            (
                begins[sequence_count],
                keys[sequence_count],
                rows[sequence_count],
                counted[sequence_count],
            ) = start, key, 1, count
            sequence_count += 1
        elif sequence_count:
            rows[sequence_count - 1] += 1
            counted[sequence_count - 1] += count
        else:
            state[2] += np.uint64(1)
            state[3] += np.uint64(count)
    return sequence_count
