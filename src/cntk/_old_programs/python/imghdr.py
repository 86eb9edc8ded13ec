"""Replacement of `imghdr`: the kind of a picture's file, by its first bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

KINDS = (
    (b"\x89PNG\r\n\x1a\n", 0, "png"),
    (b"\xff\xd8\xff", 0, "jpeg"),
    (b"JFIF", 6, "jpeg"),
    (b"Exif", 6, "jpeg"),
    (b"GIF87a", 0, "gif"),
    (b"GIF89a", 0, "gif"),
    (b"MM\x00*", 0, "tiff"),
    (b"II*\x00", 0, "tiff"),
    (b"BM", 0, "bmp"),
    (b"WEBP", 8, "webp"),
    (b"v/1\x01", 0, "exr"),
    (b"\x59\xa6\x6a\x95", 0, "rast"),
)


def what(file: Any, h: bytes | None = None) -> str | None:
    """Return the kind of a picture, as "png"; None for what is none.

    Args:
        file: a path or an open file.
        h: its first bytes, instead of the file.

    Example:
        >>> what(None, b"GIF89a...")
        'gif'
    """
    if h is None:
        if hasattr(file, "read"):
            place = file.tell()
            h = file.read(32)
            file.seek(place)
        else:
            with Path(file).open("rb") as opened:
                h = opened.read(32)
    return next((kind for mark, at, kind in KINDS if h[at : at + len(mark)] == mark), None)
