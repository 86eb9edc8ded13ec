"""How text in files is encoded: as UTF-8, with or without a byte order mark, or as Windows-1252."""

from __future__ import annotations

import codecs
import os
import re

from cntk._errors import DataError
from cntk._files import opened

MARK = codecs.BOM_UTF8
EMPTY_LINE = b"\n\n"
# Of more, which are nothing but work, no honest file of any kind is made.
_EMPTY_LINES = 1 << 20
_MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
# Windows-1252 is Latin-1 but for these; the five that it does not define stay what they are there.
_FROM_WINDOWS = {
    byte: bytes([byte]).decode("cp1252")
    for byte in range(0x80, 0xA0)
    if byte not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)
}
_TO_WINDOWS = {ord(character): byte for byte, character in _FROM_WINDOWS.items()}
_SURROGATES = re.compile("[\ud800-\udfff]")
# Which of the first bytes are 0 where text begins with ASCII characters and no mark.
_ZEROS = {
    (False, True, True, True): "UTF-32",
    (True, True, True, False): "UTF-32",
    (False, True, False, True): "UTF-16",
    (True, False, True, False): "UTF-16",
}


def check_encoding(file: str, head: bytes) -> None:
    """Refuse a text file in UTF-16 or UTF-32.

    Args:
        file: its name, for the error.
        head: its first bytes, four if there are so many.

    Raises:
        DataError: if it is one.
    """
    name = next((name for mark, name in _MARKS if head.startswith(mark)), None)
    name = name or _ZEROS.get(tuple(byte == 0 for byte in head[:4]))  # type: ignore[arg-type]
    if name is not None:
        raise DataError(
            f"{file}: the file is text in {name}, and UTF-8 was expected; save it as UTF-8"
        )


def check_empty_lines(file: str, count: int) -> None:
    """Refuse a file that has hardly anything but empty lines.

    Args:
        file: its name, for the error.
        count: how many there are.

    Raises:
        DataError: if there are too many.
    """
    if count > _EMPTY_LINES:
        raise DataError(
            f"{file}: up to {_EMPTY_LINES:,} empty lines were expected, got {count:,} and perhaps "
            f"more"
        )


def text_of(path: str | os.PathLike[str]) -> str:
    """The text that a file holds, as by `decoded`.

    Raises:
        OSError: if it cannot be read.
        DataError: if it is text in UTF-16 or UTF-32.
    """
    with opened(path) as file:
        return decoded(str(path), file.read())


def decoded(file: str, content: bytes) -> str:
    """A file's text, without a byte order mark. Lines that are not in UTF-8 are taken as
    Windows-1252.

    Args:
        file: its name, for errors.
        content: its bytes.

    Raises:
        DataError: if it is text in UTF-16 or UTF-32.
    """
    text = escaped(file, content)
    return text if _is_plain(text) else "\n".join(map(readable, text.split("\n")))


def escaped(file: str, content: bytes) -> str:
    """A file's text as by `decoded`, but with bytes that are not in UTF-8 escaped, as Python has
    them in names of files.
    """
    check_encoding(file, content[:4])
    check_empty_lines(file, content.count(EMPTY_LINE))
    return content.removeprefix(MARK).decode("utf-8", "surrogateescape")


def readable(text: str) -> str:
    """Text whose escaped bytes are taken as Windows-1252, and then all of it.

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
    """The name that a file has whose bytes are text in Windows-1252, as Python has it; None if they
    cannot be.
    """
    raw = windows_bytes(text)
    return None if raw is None else raw.decode("utf-8", "surrogateescape")


def windows_bytes(text: str) -> bytes | None:
    """Text as bytes in Windows-1252; None if it cannot be.

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
