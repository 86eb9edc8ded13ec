"""Width of text in Helvetica, a font of every PDF reader; Arial and Liberation Sans are as wide."""

from __future__ import annotations

import unicodedata

__all__ = ["LONGEST", "shorten", "text_width"]


# Thousandths of the font size, from the space to the tilde: Adobe's font metrics.
_ASCII = (
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556,
    556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667,
    611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667,
    667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500,
    222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
)  # fmt: skip
_WIDE, _OTHER, _ELLIPSIS = 1000, 600, 1000
LONGEST = 44


def text_width(text: str, size: float) -> float:
    """Return the width of a line of text.

    Example:
        >>> text_width("Plus", 10)
        19.45
    """
    return sum(map(_width, text)) * size / 1000


def shorten(text: str, longest: int = LONGEST) -> str:
    """Return a line without its middle where it is too long.

    Example:
        >>> shorten("a_name_that_says_everything", longest=11)
        'a_nam…thing'
    """
    if len(text) <= longest:
        return text
    remaining = longest - 1
    return f"{text[: (remaining + 1) // 2]}…{text[len(text) - remaining // 2 :]}"


def _width(character: str) -> int:
    code = ord(character)
    if 32 <= code < 127:
        return _ASCII[code - 32]
    if character == "…":
        return _ELLIPSIS
    if unicodedata.combining(character):
        return 0
    plain = unicodedata.normalize("NFD", character)[0]
    if plain != character:
        return _width(plain)
    return _WIDE if unicodedata.east_asian_width(character) in "WF" else _OTHER
