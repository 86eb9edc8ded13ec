"""Parser of the CNTK text format (CTF) that reads many lines at a time with NumPy.

A few passes over the bytes of a block find its fields and numbers. A block that is not regular is
left to `cntk.io._text.lines`, which reads it line by line with the same result, or raises an
error.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from cntk._runtime.reasons import Reasons
from cntk._wording import escaped
from cntk.io._corpus.chunk import Frames, SparseFrames, spans
from cntk.io._native.loader import compiled_module
from cntk.io._text.compiled import IRREGULAR, is_mostly_empty, read_chunk
from cntk.io._text.index import where_named
from cntk.io._text.lines import Allowance, Field, Lines, Samples, concatenated, is_long, read_lines
from cntk.io._text.numbers import PAD, read_numbers

# Small enough that temporary arrays stay in the CPU's cache.
_BLOCK = 1 << 19
_SPACE = 32


@dataclass(frozen=True)
class _Spans:
    """Ranges of bytes with the values of one field.

    Attributes:
        lines: index of each range's line.
        begins: offset of its first byte.
        ends: offset behind its last byte.
    """

    lines: np.ndarray
    begins: np.ndarray
    ends: np.ndarray


def read_text(
    lines: Lines,
    fields: Sequence[Field],
    threads: int = 1,
    allowance: Allowance | None = None,
    reasons: Reasons | None = None,
) -> list[Samples]:
    """Read the samples of each field.

    Args:
        lines: the lines to read.
        fields: the fields to read.
        threads: how many blocks to read at a time.
        allowance: counts malformed data that are skipped; None to skip nothing.
        reasons: keeps why it is read slowly.

    Raises:
        DataError: for anything that the format does not allow; it names file, line and stream.
    """
    if reasons is None:
        reasons = Reasons(f"{escaped(lines.file)} is read slowly")
    # The fast parsers are off by a few units in the last place of float64: right for float32 only.
    exact = any(f.dtype == np.float64 for f in fields)
    compiled = None if exact else compiled_module(len(lines.text))
    if compiled is not None and lines.text and not is_mostly_empty(lines.text, fields):
        return read_chunk(compiled, lines, fields, threads, allowance, reasons)
    if exact:
        reasons.keep("streams of float64 are read to the last digit, number by number")
    elif compiled is not None and lines.text:
        reasons.keep("an array for its dense samples would be far larger than the text can fill")
    blocks = list(_blocks(lines))

    def read(block: Lines) -> list[Samples]:
        is_regular = not exact and not is_long(len(block.text) - _BLOCK, fields)
        samples = _read_block(block, fields) if is_regular else None
        if samples is not None:
            return samples
        if not exact:
            reasons.keep(IRREGULAR)
        return read_lines(block, fields, allowance)

    if min(threads, len(blocks)) > 1:
        with ThreadPoolExecutor(min(threads, len(blocks))) as pool:
            by_block = list(pool.map(read, blocks))
    else:
        by_block = [read(block) for block in blocks]
    if len(by_block) == 1:
        return by_block[0]
    before = [b.first - lines.first for b in blocks]
    return [
        concatenated([Samples(s.lines + n, s.frames) for s, n in zip(parts, before, strict=True)])
        for parts in zip(*by_block, strict=True)
    ]


def _blocks(lines: Lines) -> Iterator[Lines]:
    """Yield blocks of complete lines."""
    text = lines.text
    begin, first = 0, lines.first
    while begin < len(text):
        end = text.find(b"\n", min(begin + _BLOCK, len(text)) - 1) + 1 or len(text)
        block = text[begin:end]
        yield Lines(lines.file, first, block, lines.have_ids)
        begin = end
        first += int(np.count_nonzero(np.frombuffer(block, np.uint8) == ord("\n")))


def _read_block(lines: Lines, fields: Sequence[Field]) -> list[Samples] | None:
    """Read the samples of each field; None if the block is not regular."""
    text = lines.text if lines.text.endswith(b"\n") else lines.text + b"\n"
    block = np.full(len(text) + 2 * PAD, _SPACE, np.uint8)
    block[PAD : PAD + len(text)] = np.frombuffer(text, np.uint8)
    newlines = np.flatnonzero(block == ord("\n"))
    if not _has_plain_white_space(block, len(newlines)):
        return None
    cut = _fields(block, newlines, fields, lines.have_ids)
    if cut is None:
        return None
    _blank_all_but(block, cut)
    return _values(block, cut, fields)


def _has_plain_white_space(block: np.ndarray, newlines: int) -> bool:
    """Return whether the only control characters are line ends and tabs."""
    controls = np.count_nonzero(block < _SPACE) - newlines
    if controls:
        returns = np.flatnonzero(block == ord("\r"))
        controls -= np.count_nonzero(block == ord("\t")) + len(returns)
        return not controls and bool((block[returns + 1] == ord("\n")).all())
    return True


def _fields(
    block: np.ndarray, newlines: np.ndarray, fields: Sequence[Field], have_ids: bool
) -> list[_Spans] | None:
    """Find the ranges of bytes with the values of each field; None if a line is not regular."""
    starts = np.concatenate([[PAD], newlines[:-1] + 1])
    pipes = np.flatnonzero(block == ord("|"))
    line_of = np.searchsorted(newlines, pipes)
    if not _heads_are_regular(block, starts, pipes, line_of, have_ids):
        return None
    names = block[pipes + 1]
    if ((names <= _SPACE) | (names == ord("|"))).any():
        return None
    ends = np.minimum(np.append(pipes[1:], newlines[-1]), newlines[line_of])
    cut = []
    count = np.zeros(len(newlines), np.int64)
    for field in fields:
        named = np.searchsorted(pipes, where_named(block, pipes, field.alias))
        cut.append(_Spans(line_of[named], pipes[named] + 1 + len(field.alias), ends[named]))
        count += np.bincount(line_of[named], minlength=len(newlines))
    return cut if count.min() > 0 and count.max() <= len(fields) else None


def _heads_are_regular(
    block: np.ndarray, starts: np.ndarray, pipes: np.ndarray, line_of: np.ndarray, have_ids: bool
) -> bool:
    """Return whether each line has a field, and only an id and white space before the first."""
    if not len(pipes):
        return False
    first = np.flatnonzero(np.append(True, line_of[1:] != line_of[:-1]))
    if len(first) != len(starts):
        return False
    lengths = pipes[first] - starts
    if not lengths.any():
        return True
    offsets = spans(starts, lengths)
    head = block[offsets]
    is_space = head <= _SPACE
    if not have_ids:
        return bool(is_space.all())
    is_digit = head - np.uint8(48) < 10
    # A digit must be at the beginning of the line or follow another digit.
    follows = np.append(False, is_digit[:-1])
    nonempty = lengths > 0
    follows[(np.cumsum(lengths) - lengths)[nonempty]] = True
    return bool((is_space | (is_digit & follows)).all())


def _blank_all_but(block: np.ndarray, cut: Sequence[_Spans]) -> None:
    """Overwrite everything but the values of fields with white space."""
    begins = np.concatenate([s.begins for s in cut])
    ends = np.concatenate([s.ends for s in cut])
    if len(cut) > 1:
        order = np.argsort(begins, kind="stable")
        begins, ends = begins[order], ends[order]
    gaps = np.concatenate([[0], ends])
    block[spans(gaps, np.append(begins, len(block)) - gaps)] = _SPACE


def _values(
    block: np.ndarray, cut: Sequence[_Spans], fields: Sequence[Field]
) -> list[Samples] | None:
    """Parse the values of fields, once nothing else is left in the block."""
    colons = np.zeros(0, np.int64)
    if any(f.is_sparse for f in fields):
        colons = np.flatnonzero(block == ord(":"))
        block[colons] = _SPACE
    solid = block > _SPACE
    edges = np.flatnonzero(solid[1:] != solid[:-1]) + 1
    begins, ends = edges[0::2], edges[1::2]
    firsts = [np.searchsorted(begins, s.begins) for s in cut]
    counts = [np.searchsorted(begins, s.ends) - first for s, first in zip(cut, firsts, strict=True)]
    for field, count in zip(fields, counts, strict=True):
        if not field.is_sparse and (count != field.width).any():
            return None
    if not _pairs_are_regular(block, begins, ends, colons, firsts, counts, fields):
        return None
    numbers = read_numbers(block, begins, ends)
    if numbers is None:
        return None
    samples = []
    for field, span, first, count in zip(fields, cut, firsts, counts, strict=True):
        frames = (
            _sparse(numbers, first, count, field)
            if field.is_sparse
            else _dense(numbers, first, field)
        )
        if frames is None:
            return None
        samples.append(Samples(span.lines, frames))
    return samples


def _pairs_are_regular(
    block: np.ndarray,
    begins: np.ndarray,
    ends: np.ndarray,
    colons: np.ndarray,
    firsts: Sequence[np.ndarray],
    counts: Sequence[np.ndarray],
    fields: Sequence[Field],
) -> bool:
    """Return whether the values of sparse fields are pairs ``digits:number``."""
    parts = [spans(a, n) for a, n, f in zip(firsts, counts, fields, strict=True) if f.is_sparse]
    if not parts:
        return True
    numbers = np.sort(np.concatenate(parts)) if len(parts) > 1 else parts[0]
    indices, values = numbers[0::2], numbers[1::2]
    if len(indices) != len(values) or len(indices) != len(colons):
        return False
    if not ((ends[indices] == colons).all() and (begins[values] == colons + 1).all()):
        return False
    offsets = spans(begins[indices], ends[indices] - begins[indices])
    return bool((block[offsets] - np.uint8(48) < 10).all())


def _dense(numbers: np.ndarray, first: np.ndarray, field: Field) -> Frames:
    """Return the samples ``[samples, width]``, given the index of each sample's first number."""
    width = field.width
    with np.errstate(over="ignore"):
        if len(first) > 1 and (np.diff(first) == first[1] - first[0]).all():
            # Samples at a constant distance: a strided view of the numbers.
            step = int(first[1] - first[0]) * numbers.itemsize
            view = np.lib.stride_tricks.as_strided(
                numbers[first[0] :], (len(first), width), (step, numbers.itemsize)
            )
            return view.astype(field.dtype)
        return numbers[(first[:, None] + np.arange(width))].astype(field.dtype)


def _sparse(
    numbers: np.ndarray, first: np.ndarray, count: np.ndarray, field: Field
) -> Frames | None:
    indices = spans(first, count)
    columns = numbers[indices[0::2]]
    if len(columns) and columns.max() >= field.width:
        return None
    offsets = np.zeros(len(count) + 1, np.int64)
    np.cumsum(count // 2, out=offsets[1:])
    with np.errstate(over="ignore"):
        return SparseFrames(
            offsets, columns.astype(np.int64), numbers[indices[1::2]].astype(field.dtype)
        )
