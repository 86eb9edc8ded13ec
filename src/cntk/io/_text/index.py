"""The index of a text format file: where its sequences lie, found in one quick pass that reads ids
and line ends only.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import BinaryIO

import numpy as np

from cntk._errors import DataError
from cntk._files import opened
from cntk.io._native.loader import compiled_module
from cntk.io._text.encoding import EMPTY_LINE, check_empty_lines, check_encoding
from cntk.io._text.index_file import load_index, save_index
from cntk.io._text.listed_names import why
from cntk.io._text.sequences import Sequences

_BLOCK = 1 << 22
_HEAD = 1 << 16
_NEWLINE = 10
# The last 64 digits of a number say what it is modulo 2^64, since that divides 10^64.
_DIGITS = 64
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
        size: the file's size in bytes.
        sequences: all sequences of all chunks.
    """

    have_ids: bool
    chunks: list[FileChunk]
    size: int
    sequences: Sequences


def index_file(
    file: str,
    chunk_bytes: int,
    counted_alias: bytes | None = None,
    skip_ids: bool = False,
    keep: bool = False,
) -> FileIndex:
    """Find the sequences of a file.

    Args:
        file: its name.
        chunk_bytes: how large a chunk may be; a longer sequence is one by itself.
        counted_alias: the stream, by its name in the file, whose samples count; every line does if
            None.
        skip_ids: whether every line is a sequence, whatever id it has.
        keep: whether to keep what is found in a file beside this one, and to look there first.

    Raises:
        DataError: if the file cannot be opened or is empty.
    """
    try:
        with opened(file) as text:
            status = os.fstat(text.fileno())
            head = text.read(_HEAD)
            check_encoding(file, head)
            begin, line = _first_line(head)
            if begin == status.st_size:
                raise DataError(f"{file}: the file is empty")
            text.seek(begin)
            have_ids = text.read(1).isdigit()
            by_id, alias = have_ids and not skip_ids, counted_alias or b""
            found = load_index(file, by_id, alias) if keep else None
            if found is None:
                found = _found(file, text, status.st_size, begin, by_id, alias)
                if keep:
                    save_index(file, by_id, alias, found, status)
    except OSError as error:
        raise DataError(f"{file}: the file cannot be opened ({why(error, file)})") from None
    return FileIndex(
        have_ids, _chunks(found, status.st_size, line, chunk_bytes), status.st_size, found
    )


def _found(
    name: str, file: BinaryIO, size: int, begin: int, by_id: bool, counted_alias: bytes
) -> Sequences:
    compiled = compiled_module(size)
    if compiled is None:
        return _sequences(name, file, begin, by_id, counted_alias)
    return _quickly(compiled, name, file, begin, by_id, counted_alias)


def _first_line(head: bytes) -> tuple[int, int]:
    """Offset and number of the first line that has anything on it."""
    begin = len(_BYTE_ORDER_MARK) if head.startswith(_BYTE_ORDER_MARK) else 0
    skipped = len(head) - begin - len(head[begin:].lstrip())
    line = 1 + head.count(b"\n", 0, begin + skipped)
    return begin + skipped, line


def _blocks(name: str, file: BinaryIO, begin: int) -> Iterator[tuple[int, np.ndarray]]:
    """Blocks of whole lines: offset and bytes. They are read, since a mapped file's pages would
    count as memory in use.
    """
    size, empty = _BLOCK, 0
    while True:
        file.seek(begin)
        text = file.read(size)
        is_last = len(text) < size
        end = len(text) if is_last else text.rfind(b"\n") + 1
        if end:
            empty += text.count(EMPTY_LINE)
            check_empty_lines(name, empty)
            yield begin, np.frombuffer(text, np.uint8, end)
        begin, size = begin + end, _BLOCK if end else 2 * size
        if is_last:
            return


def _sequences(
    name: str, file: BinaryIO, begin: int, have_ids: bool, counted_alias: bytes
) -> Sequences:
    parts: list[Sequences] = []
    lines_before = 0
    last_key: np.uint64 | None = None
    for offset, block in _blocks(name, file, begin):
        starts = np.concatenate([[0], np.flatnonzero(block == _NEWLINE) + 1])
        starts = starts[starts < len(block)]
        counted = (
            _lines_with(block, starts, counted_alias)
            if counted_alias
            else np.ones(len(starts), np.int64)
        )
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
            parts.append(Sequences(starts[heads] + offset, keys[heads], np.diff(edges), sums))
    return _joined(parts)


def _quickly(
    compiled: ModuleType,
    name: str,
    file: BinaryIO,
    begin: int,
    have_ids: bool,
    counted_alias: bytes,
) -> Sequences:
    """The same by compiled code."""
    parts: list[Sequences] = []
    state = np.zeros(4, np.uint64)
    alias = np.frombuffer(counted_alias, np.uint8)
    for offset, block in _blocks(name, file, begin):
        lines = compiled.count_lines(block, 0, len(block)) + 1
        arrays = [np.empty(lines, t) for t in (np.int64, np.uint64, np.int64, np.int64)]
        state[2:] = 0
        count = compiled.find_sequences(block, 0, len(block), have_ids, alias, state, *arrays)
        if parts:
            # Lines before the first new sequence belong to the last one of the block before.
            parts[-1].rows[-1] += int(state[2])
            if counted_alias:
                parts[-1].counted[-1] += int(state[3])
        if count:
            arrays[0][:count] += offset
            # Copies, since there may be many more lines than sequences.
            begins, keys, rows = (a[:count].copy() for a in arrays[:3])
            parts.append(
                Sequences(begins, keys, rows, arrays[3][:count].copy() if counted_alias else rows)
            )
    return _joined(parts)


def _joined(parts: list[Sequences]) -> Sequences:
    rows = np.concatenate([p.rows for p in parts])
    # Where every line counts there is one array for both: a large file has many sequences.
    counted = (
        rows if parts[0].counted is parts[0].rows else np.concatenate([p.counted for p in parts])
    )
    return Sequences(
        np.concatenate([p.begins for p in parts]),
        np.concatenate([p.keys for p in parts]),
        rows,
        counted,
    )


def _where_sequences_begin(
    present: np.ndarray, keys: np.ndarray, last_key: np.uint64 | None
) -> np.ndarray:
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
        if step == _DIGITS:
            keys[active] = [_long_id(block, begin) for begin in starts[active].tolist()]
            break
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


def _long_id(block: np.ndarray, begin: int) -> int:
    """An id of more digits than matter: numbers of 64 bits have no use for those before."""
    digits = re.compile(rb"[0-9]*").match(block.data, begin)
    return int(digits[0][-_DIGITS:]) % 2**64 if digits else 0


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


def _chunks(found: Sequences, size: int, line: int, chunk_bytes: int) -> list[FileChunk]:
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
