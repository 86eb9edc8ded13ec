"""Reads lists of labelled images: map files, which name images, and files with base64 images.

Columns are separated by tabs: an optional key, by which sequences are joined with those of other
files, then in a map file the image's name and its label, in a base64 file the label and the image.
A label is the index of a class.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from cntk._writing.whole_files import opened
from cntk.errors import DataError
from cntk.io._text.encoding import MARK, check_empty_lines, check_encoding, readable
from cntk.io._text.listed_names import as_key, check_name, keys_of, shortened, why

_LABEL = re.compile(rb"\s*\+?(\d{1,18})(\.0*)?\s*")
CHUNK_BYTES = 32 << 20
# The most digits of an integer key, with leading zeros.
_DIGITS = 40


@dataclass(frozen=True)
class Listed:
    """The images of a list.

    Attributes:
        lines: line of each image, from 1, int64 ``[images]``.
        keys: its key, uint64 ``[images]``, or strings if any key is not an integer.
        labels: its class, int64 ``[images]``.
        names: its name, in a map file.
        texts: offset and number of bytes of its base64 text, int64 ``[images]``, in a base64 file.
        shuffled: numbers of images of the parts into which the shuffle divides the list.
        errors: errors of the malformed lines.
    """

    lines: np.ndarray
    keys: np.ndarray
    labels: np.ndarray
    names: list[str]
    texts: tuple[np.ndarray, np.ndarray] | None
    shuffled: list[int]
    errors: list[DataError]

    def name(self, number: int) -> str:
        """Return the name of an image in errors."""
        return (
            f"image '{readable(shortened(self.names[number]))}'"
            if self.names
            else f"the image (sequence {self.keys[number]})"
        )


@dataclass(frozen=True)
class _Entry:
    line: int
    key: str
    label: int
    name: str
    begin: int
    size: int


def read_map(file: str, classes: int | None) -> Listed:
    """Read a map file.

    Args:
        file: the map file.
        classes: how many classes there are; None if labels are not read.

    Raises:
        DataError: if the file cannot be read.
    """
    entries, errors = _read(file, classes, "image<tab>label", has_names=True)
    return _listed(entries, errors, [e.name for e in entries], None, [1] * len(entries))


def read_base64(file: str, classes: int | None) -> Listed:
    """Read a file of base64 images.

    Args:
        file: the file.
        classes: how many classes there are; None if labels are not read.

    Raises:
        DataError: if the file cannot be read.
    """
    entries, errors = _read(file, classes, "label<tab>image", has_names=False)
    texts = (
        np.array([e.begin for e in entries], np.int64),
        np.array([e.size for e in entries], np.int64),
    )
    return _listed(entries, errors, [], texts, _chunk_sizes(entries))


def _chunk_sizes(entries: list[_Entry]) -> list[int]:
    """Return the number of images of each chunk of the file, as the original divides it."""
    counts: list[int] = []
    begin = 0
    for entry in entries:
        if not counts or entry.begin + entry.size - begin > CHUNK_BYTES:
            counts.append(0)
            begin = entry.begin
        counts[-1] += 1
    return counts


def _listed(
    entries: list[_Entry],
    errors: list[DataError],
    names: list[str],
    texts: tuple[np.ndarray, np.ndarray] | None,
    shuffled: list[int],
) -> Listed:
    return Listed(
        np.array([e.line for e in entries], np.int64),
        _keys([e.key for e in entries]),
        np.array([e.label for e in entries], np.int64),
        names,
        texts,
        shuffled,
        errors,
    )


def _keys(keys: list[str]) -> np.ndarray:
    are_numbers = all(
        len(k) <= _DIGITS and k.isascii() and k.isdigit() and int(k) < 2**64 for k in keys
    )
    return np.array([int(k) for k in keys], np.uint64) if are_numbers else keys_of(keys)


def _read(
    file: str, classes: int | None, columns: str, has_names: bool
) -> tuple[list[_Entry], list[DataError]]:
    entries: list[_Entry] = []
    errors: list[DataError] = []
    try:
        with opened(file) as listed:
            check_encoding(file, listed.read(4))
            listed.seek(0)
            for line, begin, text in _lines(file, listed):
                try:
                    entries.append(_entry(line, begin, text, classes, columns, has_names))
                except DataError as error:
                    errors.append(DataError(f"{file}, line {line}: {error}"))
    except OSError as error:
        raise DataError(f"cannot read {file}: {why(error, file)}") from None
    if not entries and not errors:
        raise DataError(f"{file} lists no images; expected lines of {columns}")
    return entries, errors


def _lines(file: str, listed: Iterator[bytes]) -> Iterator[tuple[int, int, bytes]]:
    """Yield number, offset and bytes of each line that is not blank."""
    begin = empty = 0
    for line, text in enumerate(listed, 1):
        if line == 1 and text.startswith(MARK):
            begin, text = len(MARK), text[len(MARK) :]
        if text.strip():
            yield line, begin, text.rstrip(b"\r\n")
        else:
            empty += 1
            check_empty_lines(file, empty)
        begin += len(text)


def _entry(
    line: int, begin: int, text: bytes, classes: int | None, columns: str, has_names: bool
) -> _Entry:
    cells = text.split(b"\t", 3)
    if len(cells) not in (2, 3):
        count = 1 + text.count(b"\t")
        raise DataError(
            f"expected {columns} or key<tab>{columns}, separated by tabs, got {count} "
            f"column{'s' * (count != 1)}"
        )
    if len(cells) == 3:
        check_name("a key", cells[0])
    if has_names:
        check_name("an image's name", cells[-2])
    key = (
        str(line - 1)
        if len(cells) == 2
        else as_key(cells[0].decode("utf-8", "surrogateescape")).strip()
    )
    if not key:
        raise DataError("expected a key in the first of three columns, got nothing")
    cell = cells[-1 if has_names else -2]
    if not (match := _LABEL.fullmatch(cell)):
        raise DataError(f"expected the number of a class as the label, got {_shown(cell)}")
    label = int(match[1])
    if classes is not None and label >= classes:
        raise DataError(
            f"the label is {label}; the label's stream has {classes} classes, 0 to {classes - 1}"
        )
    if has_names:
        return _Entry(line, key, label, cells[-2].decode("utf-8", "surrogateescape"), 0, 0)
    size = len(cells[-1])
    return _Entry(line, key, label, "", begin + len(text) - size, size)


def _shown(cell: bytes) -> str:
    shown = cell[:200].decode("utf-8", "replace")
    return repr(shown if len(shown) <= 40 else shown[:40] + "...")
