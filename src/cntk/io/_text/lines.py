"""Reference parser of the CNTK text format (CTF), one line at a time.

A line is ``[id] |name value value ... |name index:value ... |# comment``. This module defines the
format and its errors; `cntk.io._text.blocks` parses many regular lines at once, with the same
result, and leaves all others to this module.
"""

from __future__ import annotations

import re
import warnings
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock

import numpy as np

from cntk.errors import DataError
from cntk.io._corpus.chunk import Frames, SparseFrames, joined

_NUMBER = re.compile(rb"[+-]?\d+(?:\.(?:\d+(?:[eE][+-]?\d+)?)?|[eE][+-]?\d+)?")
_NAME = re.compile(rb"[^\s|]+")
_SPACE = b" \t\r\v\f"
_TOKEN = re.compile(rb"\S+")
_SOLID = bytes(0 if byte in b" \t\n\r\v\f" else 1 for byte in range(256))
# The most bytes of a line beside its numbers (names, comments, streams that are not read); real
# files are far below.
_LONGEST = 1 << 23
_DIGITS = 20
# From so many bytes of a block on, or bytes for each number of a sample, lines are read one at a
# time, with little memory, rather than fast.
_LONG, _NUMBER_BYTES = 1 << 22, 32


@dataclass(frozen=True)
class Field:
    """Field of a CTF file that a stream is read from.

    Attributes:
        name: the stream's name in the program.
        alias: its name in the file.
        width: number of elements of a sample.
        is_sparse: whether samples are written as ``index:value``.
        dtype: dtype of the samples.
    """

    name: str
    alias: bytes
    width: int
    is_sparse: bool
    dtype: np.dtype


@dataclass(frozen=True)
class Lines:
    """Block of complete lines of a file.

    Attributes:
        file: path of the file.
        first: number of the first line in the file, from 1.
        text: the lines' bytes.
        have_ids: whether lines may begin with a sequence id.
    """

    file: str
    first: int
    text: bytes
    have_ids: bool

    def fail(self, line: int, reason: str, stream: str = "") -> DataError:
        """Return an error that names a line, counted from 0 in the block."""
        about = f", stream '{stream}'" if stream else ""
        return DataError(f"{self.file}, line {self.first + line}{about}: {reason}")


@dataclass(frozen=True)
class Samples:
    """Samples of one stream in some lines.

    Attributes:
        lines: index of each sample's line, int64 ``[samples]``.
        frames: ``[samples, width]``, or sparse.
    """

    lines: np.ndarray
    frames: Frames


def concatenated(parts: Sequence[Samples]) -> Samples:
    """Concatenate samples whose lines are counted from the same line on."""
    return Samples(np.concatenate([p.lines for p in parts]), joined([p.frames for p in parts]))


def is_long(text: int, fields: Sequence[Field]) -> bool:
    """Return whether lines have so many bytes that the fast parsers would take too much memory."""
    return text > max(_LONG, _NUMBER_BYTES * sum(f.width for f in fields))


class Allowance:
    """Counter of skipped malformed data of a file; the same error counts once.

    Args:
        most: how many malformed samples, lines without samples, and sequences of fewer samples
            than lines may be skipped.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._seen: set[str] = set()
        self._lock = Lock()

    def __bool__(self) -> bool:
        return self._most > 0

    def skip(self, error: DataError) -> None:
        """Warn of an error, or raise it if more than ``most`` are skipped.

        Raises:
            DataError: if so.
        """
        with self._lock:
            if str(error) in self._seen:
                return
            if len(self._seen) >= self._most:
                if not self._most:
                    raise error
                raise DataError(f"{error}. That is one more than max_errors={self._most} allows")
            self._seen.add(str(error))
            count = len(self._seen)
        warnings.warn(
            f"{error}; it is left out ({count} of {self._most} errors allowed)", stacklevel=2
        )


@dataclass
class _Growing:
    lines: array[int] = field(default_factory=lambda: array("q"))
    values: array[float] = field(default_factory=lambda: array("d"))
    columns: array[int] = field(default_factory=lambda: array("q"))
    offsets: array[int] = field(default_factory=lambda: array("q", [0]))


def read_lines(
    lines: Lines, fields: Sequence[Field], allowance: Allowance | None = None
) -> list[Samples]:
    """Read the samples of each field, line by line.

    Args:
        lines: the lines to read.
        fields: the fields to read.
        allowance: counts malformed data that are skipped. As in the original, a malformed sample
            is skipped up to the next '|'. None to skip nothing.

    Raises:
        DataError: for anything else that the format does not allow; it names file, line and stream.
    """
    allowance = allowance or Allowance(0)
    outputs = [_Growing() for _ in fields]
    by_alias = {f.alias: (f, g) for f, g in zip(fields, outputs, strict=True)}
    longest = _LONGEST + _NUMBER_BYTES * sum(f.width for f in fields)
    text = lines.text[:-1] if lines.text.endswith(b"\n") else lines.text
    for number, line in enumerate(text.split(b"\n") if lines.text else ()):
        samples = 0
        for part in _parts(lines, number, line, longest, allowance):
            try:
                if part is None:
                    _check_head(lines, number, line[: line.find(b"|")] if b"|" in line else line)
                else:
                    samples += _read_field(lines, number, part, by_alias)
            except DataError as error:
                allowance.skip(error)
        if not samples:
            names = ", ".join(f"|{f.alias.decode(errors='replace')}" for f in fields)
            reason = f"the line is empty, or has none of the streams that are read: {names}"
            allowance.skip(lines.fail(number, reason))
        if samples > len(fields) and not allowance:
            raise lines.fail(
                number, f"{samples} samples on a line, and {len(fields)} streams are read"
            )
    return [_samples(f, g) for f, g in zip(fields, outputs, strict=True)]


def _parts(
    lines: Lines, number: int, line: bytes, longest: int, allowance: Allowance
) -> Iterator[bytes | None]:
    """Yield None for the part before the first '|', then the part after each '|'."""
    if len(line) > longest:
        reason = (
            f"a line of up to {longest:,} bytes was expected, got {len(line):,}, which begin with "
            f"{_quoted(line)}"
        )
        allowance.skip(lines.fail(number, reason))
        return
    yield None
    if b"|" in line:
        yield from line.split(b"|")[1:]


def _read_field(
    lines: Lines, number: int, part: bytes, by_alias: Mapping[bytes, tuple[Field, _Growing]]
) -> bool:
    """Read the part after a '|'; return whether it is a sample of one of the fields."""
    name = _NAME.match(part)
    if name is None:
        raise lines.fail(number, "a stream's name was expected right after '|'")
    if name.group() not in by_alias:
        return False
    stream, into = by_alias[name.group()]
    counts = len(into.values), len(into.columns)
    try:
        _read_sample(lines, number, part[name.end() :], stream, into)
    except DataError:
        # Remove what was read of the malformed sample.
        del into.values[counts[0] :], into.columns[counts[1] :], into.lines[-1]
        raise
    return True


def _check_head(lines: Lines, number: int, head: bytes) -> None:
    """Raise DataError unless the part before the first '|' is empty or a sequence id."""
    rest = head
    if lines.first + number == 1 and rest.startswith(b"\xef\xbb\xbf"):
        rest = rest[3:]
    if lines.have_ids:
        rest = rest.lstrip(b"0123456789")
    if rest.strip(_SPACE):
        kind = "a sequence id (digits) or '|'" if lines.have_ids else "'|'"
        raise lines.fail(
            number, f"{kind} was expected at the beginning of the line, got {_quoted(head)}"
        )


def _read_sample(lines: Lines, number: int, text: bytes, stream: Field, into: _Growing) -> None:
    into.lines.append(number)
    if stream.is_sparse:
        _read_entries(lines, number, text, stream, into)
        return
    tokens = text.split(None, stream.width)
    for token in tokens[: stream.width]:
        if not _NUMBER.fullmatch(token):
            raise lines.fail(
                number, f"expected a number such as -0.5 or 1e-3, got {_quoted(token)}", stream.name
            )
    if len(tokens) > stream.width:
        count = stream.width + _count(tokens[-1])
        raise lines.fail(
            number,
            f"a sample has {count} numbers, and the stream's shape holds {stream.width}",
            stream.name,
        )
    # As in the original, zeros at the end of a dense sample need not be written.
    into.values.extend(map(float, tokens))
    into.values.extend([0.0] * (stream.width - len(tokens)))


def _read_entries(lines: Lines, number: int, text: bytes, stream: Field, into: _Growing) -> None:
    for match in _TOKEN.finditer(text):
        index, colon, value = match[0].partition(b":")
        if not colon or not index.isdigit() or not _NUMBER.fullmatch(value):
            raise lines.fail(number, f"expected index:value, got {_quoted(match[0])}", stream.name)
        digits = index if len(index) <= _DIGITS else index.lstrip(b"0") or b"0"
        if len(digits) > _DIGITS or int(digits) >= stream.width:
            shown = int(digits) if len(digits) <= _DIGITS else _quoted(digits)
            raise lines.fail(
                number,
                f"index {shown} is out of range, the stream has {stream.width} columns",
                stream.name,
            )
        into.columns.append(int(digits))
        into.values.append(float(value))
    into.offsets.append(len(into.values))


def _count(text: bytes) -> int:
    """Count the words of a string that begins with one."""
    solid = np.frombuffer(text.translate(_SOLID), np.uint8)
    return 1 + int(np.count_nonzero(solid[1:] > solid[:-1]))


def _samples(stream: Field, output: _Growing) -> Samples:
    with np.errstate(over="ignore"):
        values = np.array(output.values, np.float64).astype(stream.dtype)
    frames: Frames
    if stream.is_sparse:
        frames = SparseFrames(
            np.array(output.offsets, np.int64), np.array(output.columns, np.int64), values
        )
    else:
        frames = values.reshape(-1, stream.width)
    return Samples(np.array(output.lines, np.int64), frames)


def _quoted(text: bytes) -> str:
    shown = text[:200].decode("utf-8", errors="replace")
    return repr(shown if len(shown) <= 40 else shown[:37] + "...")
