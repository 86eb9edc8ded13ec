"""How text in files is encoded: as UTF-8, with or without a byte order mark."""

from __future__ import annotations

import codecs

from cntk._errors import DataError

MARK = codecs.BOM_UTF8
_MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
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
        raise DataError(f"{file}: the file is text in {name}, and UTF-8 was expected; save it as UTF-8")


def decoded(file: str, content: bytes, what: str) -> str:
    """A file's text, without a byte order mark.

    Args:
        file: its name, for errors.
        content: its bytes.
        what: what kind of file it is, for errors.

    Raises:
        DataError: if it is no text in UTF-8.
    """
    check_encoding(file, content[:4])
    try:
        return content.removeprefix(MARK).decode()
    except UnicodeDecodeError as error:
        at = error.start + len(MARK) * content.startswith(MARK)
        raise DataError(f"{file}: a {what} is text in UTF-8, and byte {at} is none") from error
