"""Sequences shuffled, rows gathered and images scaled by compiled code."""

from __future__ import annotations

import numpy as np
from numba import float32, int32, int64, types, uint8, uint64, void

from cntk.io._native.jit import NUMBERS, PIXELS, ROWS, VALUES, compiled


@compiled(void(int64[::1], uint64[::1], int64))
def exchange(order: np.ndarray, words: np.ndarray, first: int) -> None:
    """Let some entries, one after another, change places with random ones.

    Args:
        order: what is shuffled.
        words: a random word for each of the entries.
        first: the place of the first of them.
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
    """Let entries change places with random ones of the window of chunks that each is in, as long
    as random words last.

    Args:
        order: what is shuffled.
        home: the chunk of each place.
        at_home: the chunk that each entry comes from, changed along with the order.
        windows: ``[chunks, 2]``, the first chunk of each one's window, and the one behind its last.
        begins: where each chunk begins, and where the last one ends.
        words: random words.
        here: the first place to do.
        last: the place behind the last one.

    Returns:
        The first place that is not done, and how many words were used for those that are.
    """
    used = 0
    for place in range(here, last):
        low, high = windows[home[place], 0], windows[home[place], 1]
        first = begins[low]
        count = uint64(begins[high] - first)
        tried = used
        while True:
            if tried >= len(words):
                return place, used
            there = first + int64(words[tried] % count)
            tried += 1
            one, other = at_home[there], at_home[place]
            fits = windows[home[place], 0] <= one < windows[home[place], 1]
            if fits and windows[home[there], 0] <= other < windows[home[there], 1]:
                break
        used = tried
        at_home[place], at_home[there] = at_home[there], at_home[place]
        order[place], order[there] = order[there], order[place]
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
    """Copy the entries of some sparse rows.

    Args:
        offsets: where each row's entries begin.
        columns: each entry's column.
        values: each entry's value.
        rows: the rows that are wanted.
        new_offsets: where the entries of each of these are to begin, and where the last ones end.
        new_columns: where columns go.
        new_values: where values go.
    """
    for k in range(len(rows)):
        begin, place, end = offsets[rows[k]], new_offsets[k], new_offsets[k + 1]
        if begin < 0 or begin + end - place > len(columns) or place < 0 or end > len(new_columns):
            return
        for j in range(end - place):
            new_columns[place + j] = columns[begin + j]
            new_values[place + j] = values[begin + j]


@compiled(void(ROWS, NUMBERS, float32[:, ::1], NUMBERS))
def copy_rows(rows: np.ndarray, wanted: np.ndarray, copies: np.ndarray, places: np.ndarray) -> None:
    """Copy rows of a matrix to places in another, which is as wide.

    Args:
        rows: the rows.
        wanted: which of them.
        copies: where they go.
        places: to which place each goes.
    """
    width = min(rows.shape[1], copies.shape[1])
    for k in range(min(len(wanted), len(places))):
        row, place = wanted[k], places[k]
        if row < 0 or row >= len(rows) or place < 0 or place >= len(copies):
            return
        for j in range(width):
            copies[place, j] = rows[row, j]


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
    """Scale an image with OpenCV's whole numbers; `_image_resize` says how.

    Args:
        image: ``[rows, columns, channels]``.
        across: ``[new columns, 2]``, which two columns make a new one.
        across_weights: what each of them counts, in units of 1/2048.
        down: ``[new rows, 2]``, which two rows make a new one.
        down_weights: what each of them counts.
        scaled: ``[new rows, new columns, channels]``, where the result goes.
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
