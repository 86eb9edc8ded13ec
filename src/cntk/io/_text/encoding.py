"""Decodes text files: UTF-8, with or without a byte order mark, or Windows-1252."""

from __future__ import annotations

import codecs
import os
import re

from cntk._writing.whole_files import opened
from cntk.errors import DataError

MARK = codecs.BOM_UTF8
EMPTY_LINE = b"\n\n"
# The most empty lines of a file; real files have far fewer, and each costs time.
_EMPTY_LINES = 1 << 20
_MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
# Windows-1252 is Latin-1 but for these; the five bytes that it does not define stay as in Latin-1.
_FROM_WINDOWS = {
    byte: bytes([byte]).decode("cp1252")
    for byte in range(0x80, 0xA0)
    if byte not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)
}
_TO_WINDOWS = {ord(character): byte for byte, character in _FROM_WINDOWS.items()}
_SURROGATES = re.compile("[\ud800-\udfff]")
# Which of the first four bytes are 0 if text without byte order mark begins with ASCII characters.
_ZEROS = {
    (False, True, True, True): "UTF-32",
    (True, True, True, False): "UTF-32",
    (False, True, False, True): "UTF-16",
    (True, False, True, False): "UTF-16",
}


def check_encoding(file: str, head: bytes) -> None:
    """Raise DataError for a text file in UTF-16 or UTF-32.

    Args:
        file: path of the file, for the error.
        head: its first bytes, at least four if it has so many.

    Raises:
        DataError: if the file is in such an encoding.
    """
    name = next((name for mark, name in _MARKS if head.startswith(mark)), None)
    name = name or _ZEROS.get(tuple(byte == 0 for byte in head[:4]))  # type: ignore[arg-type]
    if name is not None:
        raise DataError(
            f"{file}: the file is text in {name}, and UTF-8 was expected; save it as UTF-8"
        )


def check_empty_lines(file: str, count: int) -> None:
    """Raise DataError for a file with far too many empty lines.

    Args:
        file: path of the file, for the error.
        count: number of empty lines.

    Raises:
        DataError: if there are too many.
    """
    if count > _EMPTY_LINES:
        raise DataError(
            f"{file}: up to {_EMPTY_LINES:,} empty lines were expected, got {count:,} and perhaps "
            f"more"
        )


def text_of(path: str | os.PathLike[str]) -> str:
    """Read a text file and decode it by `decoded`.

    Raises:
        OSError: if it cannot be read.
        DataError: if it is text in UTF-16 or UTF-32.
    """
    with opened(path) as file:
        return decoded(str(path), file.read())


def decoded(file: str, content: bytes) -> str:
    """Decode a file's bytes, without a byte order mark; lines that are not UTF-8 as Windows-1252.

    Args:
        file: path of the file, for errors.
        content: its bytes.

    Raises:
        DataError: if it is text in UTF-16 or UTF-32.
    """
    text = escaped(file, content)
    return text if _is_plain(text) else "\n".join(map(readable, text.split("\n")))


def escaped(file: str, content: bytes) -> str:
    """Decode a file's bytes as UTF-8, other bytes surrogate-escaped as in Python's file names."""
    check_encoding(file, content[:4])
    check_empty_lines(file, content.count(EMPTY_LINE))
    return content.removeprefix(MARK).decode("utf-8", "surrogateescape")


def readable(text: str) -> str:
    """Decode a surrogate-escaped string as Windows-1252; return any other string unchanged.

    Example:
        >>> readable("gr" + chr(0xDCFC) + "n")
        'grün'
    """
    if _is_plain(text):
        return text
    try:
        return text.encode("utf-8", "surrogateescape").decode("latin-1").translate(_FROM_WINDOWS)
    except UnicodeEncodeError:  # a lone surrogate that stands for no byte
        return text


def as_windows(text: str) -> str | None:
    """Return Python's name of a file that is named in Windows-1252; None if it cannot be."""
    raw = windows_bytes(text)
    return None if raw is None else raw.decode("utf-8", "surrogateescape")


def windows_bytes(text: str) -> bytes | None:
    """Encode a string as Windows-1252; None if it cannot be.

    Example:
        >>> windows_bytes("grün"), windows_bytes("模")
        (b'gr\\xfcn', None)
    """
    try:
        return text.translate(_TO_WINDOWS).encode("latin-1")
    except UnicodeEncodeError:
        return None


def _is_plain(text: str) -> bool:
    return text.isascii() or not _SURROGATES.search(text)
