"""The index of a text format file: where its sequences lie, found in one quick pass that reads ids and line ends only."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from cntk._errors import DataError

_BLOCK = 1 << 24
_NEWLINE = 10
# What programs may put before the first line: a byte order mark, blank lines.
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class FileChunk:
    """A run of whole sequences of a file.

    Attributes:
        begin: offset of its first byte.
        end: offset behind its last byte.
        first_line: number of its first line in the file, from 1.
        keys: the sequences' ids, uint64 ``[sequences]``.
        rows: lines of each sequence, int64 ``[sequences]``.
        lengths: by how many samples each counts in a minibatch, int64 ``[sequences]``.
    """

    begin: int
    end: int
    first_line: int
    keys: np.ndarray
    rows: np.ndarray
    lengths: np.ndarray


@dataclass(frozen=True)
class FileIndex:
    """All sequences of a file.

    Attributes:
        have_ids: whether lines may begin with a sequence id.
        chunks: its chunks in order.
    """

    have_ids: bool
    chunks: list[FileChunk]


@dataclass(frozen=True)
class _Sequences:
    """Sequences found so far: offset of the first byte, id, number of lines, lines that count."""

    begins: np.ndarray
    keys: np.ndarray
    rows: np.ndarray
    counted: np.ndarray


def index_file(file: str, chunk_bytes: int, counted_alias: bytes | None = None) -> FileIndex:
    """Find the sequences of a file.

    Args:
        file: its name.
        chunk_bytes: how large a chunk may be; a longer sequence is one by itself.
        counted_alias: the stream, by its name in the file, whose samples count; every line does if None.

    Raises:
        DataError: if the file cannot be opened or is empty.
    """
    try:
        size = os.path.getsize(file)
        data = np.memmap(file, np.uint8, "r") if size else np.zeros(0, np.uint8)
    except OSError as error:
        raise DataError(f"{file}: the file cannot be opened ({error.strerror})") from None
    begin, line = _first_line(data)
    if begin == size:
        raise DataError(f"{file}: the file is empty")
    have_ids = bool(48 <= data[begin] <= 57)
    found = _sequences(data, begin, have_ids, counted_alias)
    return FileIndex(have_ids, _chunks(found, size, line, chunk_bytes))


def _first_line(data: np.ndarray) -> tuple[int, int]:
    """Offset and number of the first line that has anything on it."""
    head = data[:65536].tobytes()
    begin = len(_BYTE_ORDER_MARK) if head.startswith(_BYTE_ORDER_MARK) else 0
    skipped = len(head) - begin - len(head[begin:].lstrip())
    line = 1 + head.count(b"\n", 0, begin + skipped)
    return begin + skipped, line


def _blocks(data: np.ndarray, begin: int) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Blocks of whole lines: offset, bytes, and where the lines begin in them."""
    while begin < len(data):
        block = np.asarray(data[begin : begin + _BLOCK])
        newlines = np.flatnonzero(block == _NEWLINE)
        last = begin + len(block) == len(data)
        while not last and not len(newlines):
            block = np.asarray(data[begin : begin + 2 * len(block)])
            newlines = np.flatnonzero(block == _NEWLINE)
            last = begin + len(block) == len(data)
        end = len(block) if last else int(newlines[-1]) + 1
        starts = np.concatenate([[0], newlines + 1])
        yield begin, block[:end], starts[starts < end]
        begin += end


def _sequences(data: np.ndarray, begin: int, have_ids: bool, counted_alias: bytes | None) -> _Sequences:
    parts: list[_Sequences] = []
    lines_before = 0
    last_key: np.uint64 | None = None
    for offset, block, starts in _blocks(data, begin):
        counted = np.ones(len(starts), np.int64) if counted_alias is None else _lines_with(block, starts, counted_alias)
        if have_ids:
            present, keys = _ids(block, starts)
            is_first = _where_sequences_begin(present, keys, last_key)
            if present.any():
                last_key = keys[np.flatnonzero(present)[-1]]
        else:
            is_first = np.ones(len(starts), bool)
            keys = np.arange(lines_before, lines_before + len(starts), dtype=np.uint64)
        lines_before += len(starts)
        heads = np.flatnonzero(is_first)
        edges = np.concatenate([heads, [len(starts)]])
        if len(parts) and (not len(heads) or heads[0]):
            # Lines before the first new sequence belong to the last one of the block before.
            stop = int(edges[0])
            parts[-1].rows[-1] += stop
            parts[-1].counted[-1] += int(counted[:stop].sum())
        if len(heads):
            sums = np.add.reduceat(counted, heads)
            parts.append(_Sequences(starts[heads] + offset, keys[heads], np.diff(edges), sums))
    return _Sequences(
        np.concatenate([p.begins for p in parts]),
        np.concatenate([p.keys for p in parts]),
        np.concatenate([p.rows for p in parts]),
        np.concatenate([p.counted for p in parts]),
    )


def _where_sequences_begin(present: np.ndarray, keys: np.ndarray, last_key: np.uint64 | None) -> np.ndarray:
    """Which lines begin a sequence: those with another id than the last line that had one."""
    places = np.flatnonzero(present)
    is_first = np.zeros(len(present), bool)
    if len(places):
        ids = keys[places]
        is_first[places[1:]] = ids[1:] != ids[:-1]
        is_first[places[0]] = last_key is None or bool(ids[0] != last_key)
    return is_first


def _ids(block: np.ndarray, starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which lines begin with an id, and the ids."""
    keys = np.zeros(len(starts), np.uint64)
    active = np.arange(len(starts))
    present = np.zeros(len(starts), bool)
    step = 0
    while len(active):
        places = starts[active] + step
        active = active[places < len(block)]
        digits = block[starts[active] + step] - np.uint8(48)
        is_digit = digits < 10
        active = active[is_digit]
        keys[active] = keys[active] * np.uint64(10) + digits[is_digit]
        if step == 0:
            present[active] = True
        step += 1
    return present, keys


def _lines_with(block: np.ndarray, starts: np.ndarray, alias: bytes) -> np.ndarray:
    """Samples of one stream on each line, int64 ``[lines]``."""
    places = where_named(block, np.flatnonzero(block == ord("|")), alias)
    line = np.searchsorted(starts, places, side="right") - 1
    return np.bincount(line, minlength=len(starts)).astype(np.int64)


def where_named(block: np.ndarray, pipes: np.ndarray, alias: bytes) -> np.ndarray:
    """Those of the given places of '|' that are followed by exactly this name."""
    for step, letter in enumerate(alias, 1):
        pipes = pipes[pipes + step < len(block)]
        pipes = pipes[block[pipes + step] == letter]
    behind = pipes + len(alias) + 1
    at_end = behind >= len(block)
    following = block[np.minimum(behind, len(block) - 1)]
    is_space = (following == 32) | ((following >= 9) & (following <= 13))
    named: np.ndarray = pipes[at_end | is_space | (following == ord("|"))]
    return named


def _chunks(found: _Sequences, size: int, line: int, chunk_bytes: int) -> list[FileChunk]:
    ends = np.concatenate([found.begins[1:], [size]])
    before = np.concatenate([[0], np.cumsum(found.rows)])
    chunks = []
    first = 0
    while first < len(ends):
        begin = int(found.begins[first])
        last = max(int(np.searchsorted(ends, begin + chunk_bytes, side="right")), first + 1)
        part = slice(first, last)
        chunks.append(
            FileChunk(
                begin,
                int(ends[last - 1]),
                line + int(before[first]),
                found.keys[part],
                found.rows[part],
                found.counted[part],
            )
        )
        first = last
    return chunks
