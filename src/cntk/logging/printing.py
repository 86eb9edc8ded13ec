"""Lines that are printed wherever they go."""

from __future__ import annotations

import sys


def show(line: object) -> None:
    r"""Print a line, though names in it may have characters that where it goes cannot hold, as
    files on Windows often cannot.

    Example:
        >>> show("Plus: вход")
        Plus: вход
    """
    try:
        print(line, flush=True)
    except UnicodeEncodeError:
        encoding = sys.stdout.encoding
        print(str(line).encode(encoding, "backslashreplace").decode(encoding), flush=True)
