"""Indexes a CTF file: offsets, ids and lengths of its sequences, in one pass over the bytes.

The pass looks at ids, line ends and, if one stream's samples are counted, at its name.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import BinaryIO

import numpy as np

from cntk._writing.whole_files import opened
from cntk.errors import DataError
from cntk.io._native.loader import compiled_module
from cntk.io._text.encoding import EMPTY_LINE, check_empty_lines, check_encoding
from cntk.io._text.index_file import load_index, save_index
from cntk.io._text.listed_names import why
from cntk.io._text.sequences import Sequences

_BLOCK = 1 << 22
_HEAD = 1 << 16
_NEWLINE = 10
# The last 64 digits of an id determine it modulo 2^64, because 2^64 divides 10^64.
_DIGITS = 64
# Some programs write it before the first line.
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class FileChunk:
    """Chunk of a file: complete sequences one after another.

    Attributes:
        begin: offset of its first byte.
        end: offset behind its last byte.
        first_line: number of its first line in the file, from 1.
        keys: the sequences' ids, uint64 ``[sequences]``.
        rows: number of lines of each sequence, int64 ``[sequences]``.
        lengths: number of samples that each counts in a minibatch, int64 ``[sequences]``.
    """

    begin: int
    end: int
    first_line: int
    keys: np.ndarray
    rows: np.ndarray
    lengths: np.ndarray


@dataclass(frozen=True)
class FileIndex:
    """Index of all sequences of a file.

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
    """Index the sequences of a file.

    Args:
        file: path of the file.
        chunk_bytes: the most bytes of a chunk; a longer sequence is a chunk by itself.
        counted_alias: name, in the file, of the stream whose samples are counted; lines are
            counted if None.
        skip_ids: whether every line is a sequence, whatever its id.
        keep: whether to save the index in a file beside this one, and to look there first.

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
            sequences = load_index(file, by_id, alias) if keep else None
            if sequences is None:
                sequences = _scan(file, text, status.st_size, begin, by_id, alias)
                if keep:
                    save_index(file, by_id, alias, sequences, status)
    except OSError as error:
        raise DataError(f"{file}: the file cannot be opened ({why(error, file)})") from None
    return FileIndex(
        have_ids, _chunks(sequences, status.st_size, line, chunk_bytes), status.st_size, sequences
    )


def _scan(
    name: str, file: BinaryIO, size: int, begin: int, by_id: bool, counted_alias: bytes
) -> Sequences:
    compiled = compiled_module(size)
    if compiled is None:
        return _scan_with_numpy(name, file, begin, by_id, counted_alias)
    return _scan_compiled(compiled, name, file, begin, by_id, counted_alias)


def _first_line(head: bytes) -> tuple[int, int]:
    """Return offset and number of the first line that is not blank."""
    begin = len(_BYTE_ORDER_MARK) if head.startswith(_BYTE_ORDER_MARK) else 0
    skipped = len(head) - begin - len(head[begin:].lstrip())
    line = 1 + head.count(b"\n", 0, begin + skipped)
    return begin + skipped, line


def _blocks(name: str, file: BinaryIO, begin: int) -> Iterator[tuple[int, np.ndarray]]:
    """Yield blocks of complete lines: offset and bytes.

    The file is read rather than memory-mapped, whose pages would count as memory in use.
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


def _scan_with_numpy(
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


def _scan_compiled(
    compiled: ModuleType,
    name: str,
    file: BinaryIO,
    begin: int,
    have_ids: bool,
    counted_alias: bytes,
) -> Sequences:
    """Do the same as `_scan_with_numpy` by compiled code."""
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
    # If lines are counted, both are one array, to save memory in large files.
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
    """Return a mask of lines whose id differs from that of the last line that has one."""
    lines = np.flatnonzero(present)
    is_first = np.zeros(len(present), bool)
    if len(lines):
        ids = keys[lines]
        is_first[lines[1:]] = ids[1:] != ids[:-1]
        is_first[lines[0]] = last_key is None or bool(ids[0] != last_key)
    return is_first


def _ids(block: np.ndarray, starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a mask of lines that begin with an id, and the ids."""
    keys = np.zeros(len(starts), np.uint64)
    active = np.arange(len(starts))
    present = np.zeros(len(starts), bool)
    step = 0
    while len(active):
        if step == _DIGITS:
            keys[active] = [_long_id(block, begin) for begin in starts[active].tolist()]
            break
        offsets = starts[active] + step
        active = active[offsets < len(block)]
        digits = block[starts[active] + step] - np.uint8(48)
        is_digit = digits < 10
        active = active[is_digit]
        keys[active] = keys[active] * np.uint64(10) + digits[is_digit]
        if step == 0:
            present[active] = True
        step += 1
    return present, keys


def _long_id(block: np.ndarray, begin: int) -> int:
    """Parse a long id modulo 2^64, for which its last digits are enough."""
    digits = re.compile(rb"[0-9]*").match(block.data, begin)
    return int(digits[0][-_DIGITS:]) % 2**64 if digits else 0


def _lines_with(block: np.ndarray, starts: np.ndarray, alias: bytes) -> np.ndarray:
    """Count the samples of one stream on each line, int64 ``[lines]``."""
    pipes = where_named(block, np.flatnonzero(block == ord("|")), alias)
    line = np.searchsorted(starts, pipes, side="right") - 1
    return np.bincount(line, minlength=len(starts)).astype(np.int64)


def where_named(block: np.ndarray, pipes: np.ndarray, alias: bytes) -> np.ndarray:
    """Return those offsets of '|' that are followed by exactly this name."""
    for step, letter in enumerate(alias, 1):
        pipes = pipes[pipes + step < len(block)]
        pipes = pipes[block[pipes + step] == letter]
    behind = pipes + len(alias) + 1
    at_end = behind >= len(block)
    following = block[np.minimum(behind, len(block) - 1)]
    is_space = (following == 32) | ((following >= 9) & (following <= 13))
    named: np.ndarray = pipes[at_end | is_space | (following == ord("|"))]
    return named


def _chunks(sequences: Sequences, size: int, line: int, chunk_bytes: int) -> list[FileChunk]:
    ends = np.concatenate([sequences.begins[1:], [size]])
    before = np.concatenate([[0], np.cumsum(sequences.rows)])
    chunks = []
    first = 0
    while first < len(ends):
        begin = int(sequences.begins[first])
        last = max(int(np.searchsorted(ends, begin + chunk_bytes, side="right")), first + 1)
        part = slice(first, last)
        chunks.append(
            FileChunk(
                begin,
                int(ends[last - 1]),
                line + int(before[first]),
                sequences.keys[part],
                sequences.rows[part],
                sequences.counted[part],
            )
        )
        first = last
    return chunks
