"""Reads a chunk of the CNTK text format (CTF) by compiled code, in blocks and several threads."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType

import numpy as np

from cntk._runtime.reasons import Reasons
from cntk.io._corpus.chunk import Frames, SparseFrames, joined
from cntk.io._text.lines import Allowance, Field, Lines, Samples, concatenated, is_long, read_lines

IRREGULAR = "lines that are not entirely regular are read one by one"

_BLOCK = 1 << 21
# Limits for preallocated dense samples: bytes per byte of text, and bytes on top of that.
_FILLED, _ROOM = 16, 1 << 26


def is_mostly_empty(text: bytes, fields: Sequence[Field]) -> bool:
    """Return whether dense samples would take far more memory than the lines can fill."""
    dense = 4 * sum(f.width for f in fields if not f.is_sparse)
    return dense * text.count(b"\n") > _ROOM + _FILLED * len(text)


def read_chunk(
    compiled: ModuleType,
    lines: Lines,
    fields: Sequence[Field],
    threads: int,
    allowance: Allowance | None = None,
    reasons: Reasons | None = None,
) -> list[Samples]:
    """Read the samples of each field.

    Args:
        compiled: the compiled functions.
        lines: the lines to read.
        fields: the fields to read; all of float32.
        threads: how many blocks to read at a time.
        allowance: counts malformed data that are skipped; None to skip nothing.
        reasons: keeps why it is read slowly.

    Raises:
        DataError: for anything that the format does not allow; it names file, line and stream.
    """
    text = lines.text if lines.text.endswith(b"\n") else lines.text + b"\n"
    bytes_ = np.frombuffer(text, np.uint8)
    edges = [0]
    while edges[-1] < len(text):
        edges.append(text.find(b"\n", min(edges[-1] + _BLOCK, len(text)) - 1) + 1)
    counts = [compiled.count_lines(bytes_, a, b) for a, b in zip(edges, edges[1:], strict=False)]
    firsts = np.cumsum([0, *counts]).tolist()
    target = _Target(fields, firsts[-1])

    def read(k: int) -> list[Samples]:
        samples = None
        if not is_long(edges[k + 1] - edges[k] - _BLOCK, fields):
            samples = target.read(
                compiled, bytes_, edges[k], edges[k + 1], lines.have_ids, firsts[k], counts[k]
            )
        if samples is None:
            if reasons is not None:
                reasons.keep(IRREGULAR)
            target.scatter()
            block = Lines(
                lines.file, lines.first + firsts[k], text[edges[k] : edges[k + 1]], lines.have_ids
            )
            slow = read_lines(block, fields, allowance)
            samples = [Samples(s.lines + firsts[k], s.frames) for s in slow]
        return samples

    blocks = range(len(counts))
    if min(threads, len(blocks)) > 1:
        with ThreadPoolExecutor(min(threads, len(blocks))) as pool:
            parts = list(pool.map(read, blocks))
    else:
        parts = [read(k) for k in blocks]
    return [target.joined(k, [p[k] for p in parts]) for k in range(len(fields))]


class _Target:
    """Preallocated arrays for the samples of some lines, into which blocks are read.

    If each line has one sample of a stream, the arrays are the result and nothing is copied.

    Args:
        fields: the fields to read.
        lines: number of lines.
    """

    def __init__(self, fields: Sequence[Field], lines: int) -> None:
        self._fields = list(fields)
        self._lines = lines
        self._aliases = np.frombuffer(b"".join(f.alias for f in fields), np.uint8)
        self._alias_ends = np.cumsum([len(f.alias) for f in fields])
        self._widths = np.array([f.width for f in fields], np.int64)
        self._is_sparse = np.array([f.is_sparse for f in fields], np.bool_)
        sizes = np.where(self._is_sparse, 0, self._widths) * lines
        self._begins = np.cumsum(sizes) - sizes
        self._dense = np.empty(int(sizes.sum()), np.float32)
        self._sample_lines = np.empty((len(fields), lines), np.int64)
        self._entries = np.empty((len(fields), lines if self._is_sparse.any() else 0), np.int64)
        self._scattered: set[int] = set()

    def scatter(self) -> None:
        """Note that a block's samples are in arrays of its own, for all fields."""
        self._scattered.update(range(len(self._fields)))

    def read(
        self,
        compiled: ModuleType,
        text: np.ndarray,
        begin: int,
        end: int,
        have_ids: bool,
        first: int,
        lines: int,
    ) -> list[Samples] | None:
        """Read the samples of each field in a block; None if the block is not regular."""
        room = int(np.count_nonzero(text[begin:end] == ord(":"))) if self._is_sparse.any() else 0
        columns = np.empty((len(self._fields), room), np.int64)
        values = np.empty((len(self._fields), room), np.float32)
        samples, totals = (
            np.zeros(len(self._fields), np.int64),
            np.zeros(len(self._fields), np.int64),
        )
        is_regular = compiled.read_block(
            text,
            begin,
            end,
            have_ids,
            first,
            lines,
            self._aliases,
            self._alias_ends,
            self._widths,
            self._is_sparse,
            self._dense,
            self._begins,
            self._sample_lines,
            self._entries,
            columns,
            values,
            samples,
            totals,
        )
        if not is_regular:
            return None
        by_field = []
        for k, field in enumerate(self._fields):
            part = slice(first, first + int(samples[k]))
            frames: Frames
            if field.is_sparse:
                offsets = np.zeros(int(samples[k]) + 1, np.int64)
                np.cumsum(self._entries[k, part], out=offsets[1:])
                frames = SparseFrames(offsets, columns[k, : totals[k]], values[k, : totals[k]])
            else:
                frames = self._frames(k)[part]
            by_field.append(Samples(self._sample_lines[k, part], frames))
            if samples[k] != lines:
                self._scattered.add(k)
        return by_field

    def _frames(self, stream: int) -> np.ndarray:
        width, begin = int(self._widths[stream]), int(self._begins[stream])
        return self._dense[begin : begin + self._lines * width].reshape(-1, width)

    def joined(self, stream: int, parts: list[Samples]) -> Samples:
        """Return the samples of a stream in all blocks."""
        if stream in self._scattered:
            return concatenated(parts)
        if self._is_sparse[stream]:
            return Samples(self._sample_lines[stream], joined([p.frames for p in parts]))
        return Samples(self._sample_lines[stream], self._frames(stream))
