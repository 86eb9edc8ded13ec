"""Printing of lines to streams of any encoding."""

from __future__ import annotations

import sys

__all__ = ["show"]


def show(line: object) -> None:
    r"""Print a line; replace characters that the stream cannot encode, as files on Windows often
    cannot.

    Example:
        >>> show("Plus: вход")
        Plus: вход
    """
    try:
        print(line, flush=True)
    except UnicodeEncodeError:
        encoding = sys.stdout.encoding
        print(str(line).encode(encoding, "backslashreplace").decode(encoding), flush=True)
