"""Replacements of Pillow's former functions: size of text, pictures from strings."""

from __future__ import annotations

from typing import Any

VERSION = "1.1.7"


def tostring(image: Any, *arguments: Any) -> bytes:
    """Return a picture's bytes."""
    content: bytes = image.tobytes(*arguments)
    return content


def fromstring(image: Any, *arguments: Any) -> None:
    """Fill a picture with bytes."""
    image.frombytes(*arguments)


def getsize(font: Any, text: str, *arguments: Any, **options: Any) -> tuple[int, int]:
    """Return the width and height of a string, its height from the line's top."""
    left, _, right, bottom = (
        font.getbbox(text, "", *arguments, **options)
        if arguments
        else font.getbbox(text, **options)
    )
    return int(right - left), int(bottom)


def getoffset(font: Any, text: str) -> tuple[int, int]:
    """Return where a string begins."""
    left, top, _, _ = font.getbbox(text)
    return int(left), int(top)


def textsize(
    draw: Any, text: str, font: Any = None, spacing: int = 4, *_: Any, **options: Any
) -> tuple[int, int]:
    """Return the width and height of a string of one line or more."""
    font = font or draw.getfont()
    lines = text.split("\n")
    if len(lines) == 1:
        return getsize(font, text, **options)
    height = getsize(font, "A")[1] + spacing
    return max(getsize(font, line, **options)[0] for line in lines), len(lines) * height - spacing
