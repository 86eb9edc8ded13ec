"""Lines of the CNTK text format, read one at a time.

A line is ``[id] |name value value ... |name index:value ... |# comment``. Reading line by line
defines the format and words its errors; `_ctf_blocks` reads the same lines many at a time and
leaves to this module what it does not understand.
"""

from __future__ import annotations

import re
import warnings
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock

import numpy as np

from cntk._errors import DataError
from cntk.io._corpus.chunk import Frames, SparseFrames, joined

_NUMBER = re.compile(rb"[+-]?\d+(?:\.(?:\d+(?:[eE][+-]?\d+)?)?|[eE][+-]?\d+)?")
_NAME = re.compile(rb"[^\s|]+")
_SPACE = b" \t\r\v\f"
_TOKEN = re.compile(rb"\S+")
_SOLID = bytes(0 if byte in b" \t\n\r\v\f" else 1 for byte in range(256))
# What no honest line comes near, beside its numbers: names, comments, streams that are not read.
_LONGEST = 1 << 23
_DIGITS = 20
# Bytes of a line to each number that a sample may have: from so many on it is read with care rather
# than fast.
_LONG, _NUMBER_BYTES = 1 << 22, 32


@dataclass(frozen=True)
class Field:
    """A stream as it stands in a file.

    Attributes:
        name: the stream's name in the program.
        alias: its name in the file.
        width: numbers in a sample.
        is_sparse: whether samples are written as ``index:value``.
        dtype: number format to read into.
    """

    name: str
    alias: bytes
    width: int
    is_sparse: bool
    dtype: np.dtype


@dataclass(frozen=True)
class Lines:
    """Whole lines of a file.

    Attributes:
        file: the file's name.
        first: number of the first line, from 1.
        text: the lines.
        have_ids: whether lines may begin with a sequence id.
    """

    file: str
    first: int
    text: bytes
    have_ids: bool

    def fail(self, line: int, reason: str, stream: str = "") -> DataError:
        """An error at a line, counted from 0."""
        about = f", stream '{stream}'" if stream else ""
        return DataError(f"{self.file}, line {self.first + line}{about}: {reason}")


@dataclass(frozen=True)
class Samples:
    """One stream's samples in some lines.

    Attributes:
        lines: the line of each sample, counted from 0, int64 ``[samples]``.
        frames: ``[samples, width]``, or sparse.
    """

    lines: np.ndarray
    frames: Frames


def concatenated(parts: Sequence[Samples]) -> Samples:
    """Samples of several parts of a text, which count lines alike."""
    return Samples(np.concatenate([p.lines for p in parts]), joined([p.frames for p in parts]))


def is_long(text: int, fields: Sequence[Field]) -> bool:
    """Whether so many bytes are more than lines of some streams have, and would take much memory if
    they were read fast.
    """
    return text > max(_LONG, _NUMBER_BYTES * sum(f.width for f in fields))


class Allowance:
    """How much malformed data of a file to pass over: each is counted once, however often it is
    read.

    Args:
        most: how many malformed samples, lines without any, and sequences of fewer samples than
            lines.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._seen: set[str] = set()
        self._lock = Lock()

    def __bool__(self) -> bool:
        return self._most > 0

    def skip(self, error: DataError) -> None:
        """Warn of an error, or raise it if there are more than are allowed.

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
    """The samples of each field.

    Args:
        lines: what to read.
        fields: what to read of it.
        allowance: how much that is malformed to leave out, as the original does: a sample by
            itself, then the rest up to the next '|'. None for nothing.

    Raises:
        DataError: for anything else that the format does not allow; it names file, line and stream.
    """
    allowance = allowance or Allowance(0)
    found = [_Growing() for _ in fields]
    by_alias = {f.alias: (f, g) for f, g in zip(fields, found, strict=True)}
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
            wanted = ", ".join(f"|{f.alias.decode(errors='replace')}" for f in fields)
            reason = f"the line is empty, or has none of the streams that are read: {wanted}"
            allowance.skip(lines.fail(number, reason))
        if samples > len(fields) and not allowance:
            raise lines.fail(
                number, f"{samples} samples on a line, and {len(fields)} streams are read"
            )
    return [_samples(f, g) for f, g in zip(fields, found, strict=True)]


def _parts(
    lines: Lines, number: int, line: bytes, longest: int, allowance: Allowance
) -> Iterator[bytes | None]:
    """None for what stands before the first '|', then what stands behind each."""
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
    """Read what stands behind a '|'; whether it is a sample of a stream that is read."""
    name = _NAME.match(part)
    if name is None:
        raise lines.fail(number, "a stream's name was expected right after '|'")
    if name.group() not in by_alias:
        return False
    wanted, into = by_alias[name.group()]
    counts = len(into.values), len(into.columns)
    try:
        _read_sample(lines, number, part[name.end() :], wanted, into)
    except DataError:
        # Nothing of it stays.
        del into.values[counts[0] :], into.columns[counts[1] :], into.lines[-1]
        raise
    return True


def _check_head(lines: Lines, number: int, head: bytes) -> None:
    """What stands before the first '|': nothing, or a sequence id."""
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


def _read_sample(lines: Lines, number: int, text: bytes, wanted: Field, into: _Growing) -> None:
    into.lines.append(number)
    if wanted.is_sparse:
        _read_entries(lines, number, text, wanted, into)
        return
    tokens = text.split(None, wanted.width)
    for token in tokens[: wanted.width]:
        if not _NUMBER.fullmatch(token):
            raise lines.fail(
                number, f"expected a number such as -0.5 or 1e-3, got {_quoted(token)}", wanted.name
            )
    if len(tokens) > wanted.width:
        count = wanted.width + _count(tokens[-1])
        raise lines.fail(
            number,
            f"a sample has {count} numbers, and the stream's shape holds {wanted.width}",
            wanted.name,
        )
    # As in the original, zeros at the end of a dense sample need not be written.
    into.values.extend(map(float, tokens))
    into.values.extend([0.0] * (wanted.width - len(tokens)))


def _read_entries(lines: Lines, number: int, text: bytes, wanted: Field, into: _Growing) -> None:
    for match in _TOKEN.finditer(text):
        index, colon, value = match[0].partition(b":")
        if not colon or not index.isdigit() or not _NUMBER.fullmatch(value):
            raise lines.fail(number, f"expected index:value, got {_quoted(match[0])}", wanted.name)
        digits = index if len(index) <= _DIGITS else index.lstrip(b"0") or b"0"
        if len(digits) > _DIGITS or int(digits) >= wanted.width:
            shown = int(digits) if len(digits) <= _DIGITS else _quoted(digits)
            raise lines.fail(
                number,
                f"index {shown} is out of range, the stream has {wanted.width} columns",
                wanted.name,
            )
        into.columns.append(int(digits))
        into.values.append(float(value))
    into.offsets.append(len(into.values))


def _count(text: bytes) -> int:
    """Count the words of a string that begins with one."""
    solid = np.frombuffer(text.translate(_SOLID), np.uint8)
    return 1 + int(np.count_nonzero(solid[1:] > solid[:-1]))


def _samples(wanted: Field, found: _Growing) -> Samples:
    with np.errstate(over="ignore"):
        values = np.array(found.values, np.float64).astype(wanted.dtype)
    frames: Frames
    if wanted.is_sparse:
        frames = SparseFrames(
            np.array(found.offsets, np.int64), np.array(found.columns, np.int64), values
        )
    else:
        frames = values.reshape(-1, wanted.width)
    return Samples(np.array(found.lines, np.int64), frames)


def _quoted(text: bytes) -> str:
    shown = text[:200].decode("utf-8", errors="replace")
    return repr(shown if len(shown) <= 40 else shown[:37] + "...")
