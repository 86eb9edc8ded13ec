"""Reads label files: HTK's master label files (text), and the original's binary ones."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from cntk._writing.whole_files import opened
from cntk.errors import DataError
from cntk.io._speech.script import key_of
from cntk.io._text.encoding import decoded
from cntk.io._text.listed_names import LONGEST, as_key, check_name, shortened, why

# A frame lasts 10 ms, whatever the features say; times are in 100 ns.
_FRAME = 100_000
# About eleven hours: longer utterances are errors in the file, and would fill the memory.
_LONGEST = 2**22
_TIME = re.compile(r"([0-9]{1,18})(?:\.[0-9]*)?")
# The most characters of a segment's line: times, a state, and further columns.
_LINE = 2 * LONGEST
# Characters that are split into lines at a time.
_BLOCK = 1 << 20
# The most segments of an utterance; the longest one may have four times as many frames.
_SEGMENTS = 1 << 20


@dataclass(frozen=True)
class Alignments:
    """Utterances of a label file, each as segments of one class.

    Attributes:
        file: path of the file.
        keys: the utterances' names without extension.
        lengths: their numbers of frames, int64 ``[utterances]``, at least one.
        begins: offset of each utterance in the segments, int64 ``[utterances + 1]``.
        classes: each segment's class, int64 ``[segments]``.
        counts: its number of frames, int64 ``[segments]``; those of an utterance add up to its
            length.
        faults: error of each malformed utterance, by its index. Such an utterance has one segment
            of class 0.
    """

    file: str
    keys: list[str]
    lengths: np.ndarray
    begins: np.ndarray
    classes: np.ndarray
    counts: np.ndarray
    faults: dict[int, DataError]


class _Builder:
    """Builder of `Alignments`, utterance by utterance."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._keys: list[str] = []
        self._lengths: list[int] = []
        self._sizes: list[int] = []
        self._classes: list[np.ndarray] = []
        self._counts: list[np.ndarray] = []
        self._faults: dict[int, DataError] = {}

    def add(self, key: str, classes: np.ndarray, counts: np.ndarray) -> None:
        """Add an utterance."""
        self._keys.append(key)
        self._lengths.append(int(counts.sum()))
        self._sizes.append(len(classes))
        self._classes.append(classes)
        self._counts.append(counts)

    def add_fault(self, key: str, length: int, error: DataError) -> None:
        """Add a malformed utterance."""
        self._faults[len(self._keys)] = error
        self.add(key, np.zeros(1, np.int64), np.array([min(max(length, 1), _LONGEST)], np.int64))

    def build(self) -> Alignments:
        """Return all utterances."""
        none = np.zeros(0, np.int64)
        return Alignments(
            self._file,
            self._keys,
            np.array(self._lengths, np.int64),
            np.concatenate([[0], np.cumsum(np.array(self._sizes, np.int64))]),
            np.concatenate([none, *self._classes]),
            np.concatenate([none, *self._counts]),
            self._faults,
        )


def _content(file: str, what: str) -> bytes:
    try:
        with opened(file) as labels:
            return labels.read()
    except OSError as error:
        raise DataError(f"{file}: the {what} cannot be opened: {why(error, file)}") from None


def _lines(file: str, what: str) -> Iterator[tuple[int, str]]:
    """Yield the lines of a text file and their numbers, from 1.

    They are no list, which could take many times the file's size.
    """
    text = decoded(file, _content(file, what))
    begin, number = 0, 1
    while begin <= len(text):
        end = text.find("\n", begin + _BLOCK)
        end = len(text) if end < 0 else end
        for line in text[begin:end].split("\n"):
            yield number, line
            number += 1
        begin = end + 1


def read_states(file: str) -> dict[str, int]:
    """Read the names of states, one on a line; return the class of each.

    Raises:
        DataError: if the file cannot be read, has no names, or one of them twice.
    """
    states: dict[str, int] = {}
    for number, line in _lines(file, "file of state names"):
        name = line.strip()
        if name in states:
            raise DataError(
                f"{file}, line {number}: the state '{shortened(name)}' is listed before, as class "
                f"{states[name]}"
            )
        if name:
            states[name] = len(states)
    if not states:
        raise DataError(f"{file}: there are no names of states")
    return states


def read_text(file: str, states: Mapping[str, int]) -> Alignments:
    """Read a master label file.

    Args:
        file: path of the file.
        states: the class of each state.

    Raises:
        DataError: if it cannot be read, or a line between utterances is malformed.
    """
    builder = _Builder(file)
    key: str | None = None
    begin = 0
    segments: list[tuple[int, str]] = []
    for number, line in _lines(file, "label file"):
        if number == 1 and line.rstrip() != "#!MLF!#":
            raise DataError(
                f"{file}, line 1: a label file begins with #!MLF!#, this one with {line[:40]!r}"
            )
        if key is None:
            if line.startswith('"'):
                key, begin, segments = _key(file, number, line), number, []
            elif line.strip() and line.rstrip() != "#!MLF!#":
                raise DataError(
                    f'{file}, line {number}: the name of an utterance was expected, as "name.lab", '
                    f"got {line[:80]!r}"
                )
        elif line.rstrip() == ".":
            _add_utterance(builder, file, key, begin, segments, states)
            key = None
        elif line and not line.isspace():
            if len(segments) == _SEGMENTS:
                where = f"{file}, line {number}, utterance '{shortened(key)}'"
                raise DataError(
                    f"{where}: up to {_SEGMENTS:,} segments of an utterance were expected"
                )
            segments.append((number, line))
    if key is not None:
        error = DataError(
            f"{file}, line {begin}: the file ends within the utterance '{shortened(key)}'; a line "
            f"with '.' was expected"
        )
        builder.add_fault(key, 1, error)
    return builder.build()


def _key(file: str, number: int, line: str) -> str:
    name = line.rstrip()[1:]
    if not name.endswith('"') or len(name) < 2:
        raise DataError(
            f'{file}, line {number}: the name of an utterance was expected, as "name.lab", got '
            f"{line[:80]!r}"
        )
    try:
        check_name("the name of an utterance", name)
    except DataError as error:
        raise DataError(f"{file}, line {number}: {error}") from None
    return key_of(name[:-1].replace("\\", "/").removeprefix("*/"))


def _add_utterance(
    builder: _Builder,
    file: str,
    key: str,
    begin: int,
    segments: list[tuple[int, str]],
    states: Mapping[str, int],
) -> None:
    classes, counts, reached = [], [], 0
    for number, line in segments:
        fields = line[:_LINE].split(None, 3)
        reason, first, last = _segment(fields, reached, states)
        if reason:
            where = f"{file}, line {number}, utterance '{shortened(key)}'"
            builder.add_fault(
                key, max(last, reached), DataError(f"{where}: {reason}, got {line.strip()[:80]!r}")
            )
            return
        classes.append(states[fields[2]])
        counts.append(last - first)
        reached = last
    if not classes:
        builder.add_fault(
            key,
            1,
            DataError(f"{file}, line {begin}, utterance '{shortened(key)}': it has no segments"),
        )
        return
    builder.add(key, np.array(classes, np.int64), np.array(counts, np.int64))


def _segment(fields: list[str], reached: int, states: Mapping[str, int]) -> tuple[str, int, int]:
    """Parse a segment.

    Returns:
        Why it is malformed (empty if it is not), its first frame, and the one behind its last.
    """
    times = [_TIME.fullmatch(f) for f in fields[:2]]
    if len(fields) < 3 or times[0] is None or times[1] is None:
        return "'begin end state' was expected, with times in 100 ns or in frames", 0, 0
    first, last = (int(t[1]) for t in times if t is not None)
    # As in the original, times of a line that are less than a frame in 100 ns apart are in frames.
    unit = 1 if last - first < _FRAME - 1 else _FRAME
    first, last = (first + unit // 2) // unit, (last + unit // 2) // unit
    if last < first:
        return "the segment ends before it begins", first, 0
    if last >= _LONGEST:
        return "its end is out of range", first, 0
    if first != reached:
        which = "" if unit > 1 else " (times less than 99999 apart are numbers of frames)"
        return (
            f"the segment was expected to begin at {reached * unit}, where the one before "
            f"ends{which}",
            first,
            last,
        )
    if fields[2] not in states:
        return f"the state '{shortened(fields[2])}' is not in the file of state names", first, last
    return "", first, last


def read_binary(file: str) -> Alignments:
    """Read a binary label file.

    Raises:
        DataError: if it cannot be read, is not a label file, or is truncated.
    """
    content = _content(file, "binary label file")
    if len(content) < 5 or content[:3] != b"MLF":
        raise DataError(
            f"{file}: a binary label file begins with the letters MLF and its version, this one "
            f"with {content[:5]!r}"
        )
    (version,) = struct.unpack_from("<h", content, 3)
    if version not in (1, 2):
        raise DataError(
            f"{file}, byte 3: a binary label file of version 1 or 2 was expected, got version "
            f"{version}"
        )
    builder, offset = _Builder(file), 5
    while offset < len(content):
        offset = _add_binary(builder, file, content, offset, version)
    return builder.build()


def _add_binary(builder: _Builder, file: str, content: bytes, begin: int, version: int) -> int:
    """Add the utterance that begins at an offset; return the offset behind it."""
    try:
        if version == 1:
            key, offset = str(struct.unpack_from("<I", content, begin)[0]), begin + 4
        else:
            (size,) = struct.unpack_from("<H", content, begin)
            (name,) = struct.unpack_from(f"{size}s", content, begin + 2)
            if size > LONGEST:
                raise DataError(
                    f"{file}, byte {begin}: expected a name of up to {LONGEST:,} bytes, got one of "
                    f"{size:,}"
                )
            key, offset = as_key(name.decode("utf-8", "surrogateescape")), begin + 2 + size
        length, segments = struct.unpack_from("<IH", content, offset)
        table = (
            np.frombuffer(content, "<u2", 2 * segments, offset + 6).astype(np.int64).reshape(-1, 2)
        )
    except DataError:
        raise
    except (struct.error, ValueError):
        raise DataError(
            f"{file}, byte {begin}: the file ends, at byte {len(content)}, within the utterance "
            f"that begins there"
        ) from None
    classes, counts = table[:, 0], table[:, 1]
    total = int(counts.sum())
    if total != length or not 0 < total <= _LONGEST:
        where = f"{file}, byte {begin}, utterance '{shortened(key)}'"
        reason = f"{length} frames were announced, and its {segments} segments have {total}"
        builder.add_fault(key, min(length, total), DataError(f"{where}: {reason}"))
    else:
        builder.add(key, classes, counts)
    behind: int = offset + 6 + 4 * segments
    return behind
