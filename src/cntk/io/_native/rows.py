"""Compiled loops that shuffle sequences, gather rows, and scale images."""

from __future__ import annotations

import numpy as np
from numba import float32, int32, int64, types, uint8, uint64, void

from cntk.io._native.jit import NUMBERS, PIXELS, ROWS, VALUES, compiled


@compiled(void(int64[::1], uint64[::1], int64))
def exchange(order: np.ndarray, words: np.ndarray, first: int) -> None:
    """Swap some entries, one after another, with random entries of the whole array.

    Args:
        order: the array to shuffle, in place.
        words: a random word for each entry to swap.
        first: index of the first entry to swap.
    """
    for here in range(max(first, 0), min(first + len(words), len(order))):
        there = int64(words[here - first] % uint64(len(order)))
        order[here], order[there] = order[there], order[here]


@compiled(
    types.UniTuple(int64, 2)(
        int64[::1], int64[::1], int64[::1], int64[:, ::1], int64[::1], uint64[::1], int64, int64
    )
)  # fmt: skip
def exchange_within(
    order: np.ndarray,
    home: np.ndarray,
    at_home: np.ndarray,
    windows: np.ndarray,
    begins: np.ndarray,
    words: np.ndarray,
    here: int,
    last: int,
) -> tuple[int, int]:
    """Swap entries with random ones within the window of their chunk, while random words last.

    Args:
        order: the array to shuffle, in place.
        home: the chunk of each position.
        at_home: the chunk that each entry comes from; changed along with the order.
        windows: ``[chunks, 2]``: the first chunk of each chunk's window, and the one behind its
            last.
        begins: offset of each chunk, and at the end the number of entries.
        words: random words.
        here: the first position to do.
        last: the position behind the last one to do.

    Returns:
        The first position that is not done, and how many words were used before it.
    """
    used = 0
    for position in range(here, last):
        low, high = windows[home[position], 0], windows[home[position], 1]
        first = begins[low]
        count = uint64(begins[high] - first)
        tried = used
        while True:
            if tried >= len(words):
                return position, used
            there = first + int64(words[tried] % count)
            tried += 1
            one, other = at_home[there], at_home[position]
            fits = windows[home[position], 0] <= one < windows[home[position], 1]
            if fits and windows[home[there], 0] <= other < windows[home[there], 1]:
                break
        used = tried
        at_home[position], at_home[there] = at_home[there], at_home[position]
        order[position], order[there] = order[there], order[position]
    return last, used


@compiled(
    void(NUMBERS, NUMBERS, VALUES, NUMBERS, NUMBERS, int64[::1], float32[::1])
)  # fmt: skip
def select_entries(
    offsets: np.ndarray,
    columns: np.ndarray,
    values: np.ndarray,
    rows: np.ndarray,
    new_offsets: np.ndarray,
    new_columns: np.ndarray,
    new_values: np.ndarray,
) -> None:
    """Gather rows of a CSR matrix.

    Args:
        offsets: offset of each row's first entry.
        columns: each entry's column.
        values: each entry's value.
        rows: indices of the rows to gather.
        new_offsets: offsets of the gathered rows' entries, ``[rows + 1]``.
        new_columns: output: columns of entries.
        new_values: output: values of entries.
    """
    for k in range(len(rows)):
        begin, target, end = offsets[rows[k]], new_offsets[k], new_offsets[k + 1]
        if begin < 0 or begin + end - target > len(columns) or target < 0 or end > len(new_columns):
            return
        for j in range(end - target):
            new_columns[target + j] = columns[begin + j]
            new_values[target + j] = values[begin + j]


@compiled(void(ROWS, NUMBERS, float32[:, ::1], NUMBERS))
def copy_rows(
    rows: np.ndarray, sources: np.ndarray, copies: np.ndarray, targets: np.ndarray
) -> None:
    """Copy rows of a matrix to rows of another of the same width.

    Args:
        rows: the matrix to copy from.
        sources: indices of the rows to copy.
        copies: the matrix to copy to.
        targets: index in ``copies`` for each row.
    """
    width = min(rows.shape[1], copies.shape[1])
    for k in range(min(len(sources), len(targets))):
        source, target = sources[k], targets[k]
        if source < 0 or source >= len(rows) or target < 0 or target >= len(copies):
            return
        for j in range(width):
            copies[target, j] = rows[source, j]


@compiled(
    void(PIXELS, int64[:, ::1], int32[:, ::1], int64[:, ::1], int32[:, ::1], uint8[:, :, ::1])
)
def scale_linearly(
    image: np.ndarray,
    across: np.ndarray,
    across_weights: np.ndarray,
    down: np.ndarray,
    down_weights: np.ndarray,
    scaled: np.ndarray,
) -> None:
    """Scale an image bilinearly in OpenCV's fixed-point arithmetic; see `cntk.io._images.resize`.

    Args:
        image: ``[rows, columns, channels]``.
        across: ``[new columns, 2]``: the two columns that each new one interpolates.
        across_weights: their weights, in units of 1/2048.
        down: ``[new rows, 2]``: the two rows that each new one interpolates.
        down_weights: their weights.
        scaled: output ``[new rows, new columns, channels]``.
    """
    rows, columns, channels = image.shape
    width = scaled.shape[1]
    lines = np.empty((rows, width, channels), np.int32)
    for column in range(width):
        if min(across[column]) < 0 or max(across[column]) >= columns:
            return
    for row in range(rows):
        for column in range(width):
            left, right = across[column, 0], across[column, 1]
            of_left, of_right = across_weights[column, 0], across_weights[column, 1]
            for channel in range(channels):
                lines[row, column, channel] = (
                    int32(image[row, left, channel]) * of_left
                    + int32(image[row, right, channel]) * of_right
                ) >> 4
    for row in range(scaled.shape[0]):
        upper, lower = down[row, 0], down[row, 1]
        of_upper, of_lower = down_weights[row, 0], down_weights[row, 1]
        if min(upper, lower) < 0 or max(upper, lower) >= rows:
            return
        for column in range(width):
            for channel in range(channels):
                high = (lines[upper, column, channel] * of_upper) >> 16
                low = (lines[lower, column, channel] * of_lower) >> 16
                scaled[row, column, channel] = (high + low + 2) >> 2
