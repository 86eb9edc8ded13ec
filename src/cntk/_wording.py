"""Wording of errors: shapes, names and operations as messages show them."""

from __future__ import annotations

from collections.abc import Iterable

_LONGEST_SHOWN = 1000


class Escaped(Exception):
    """Text that contains names from a file or a program, escaped: no name moves the cursor, colors
    a terminal or begins a line.
    """

    def __init__(self, *args: object) -> None:
        super().__init__(*(escaped(each) if isinstance(each, str) else each for each in args))


def shape_text(shape: Iterable[int]) -> str:
    """Return a shape as errors and graphs show it: ``[3 x 4]``, ``?`` for a dimension not known
    yet, ``*`` for a free one.

    Example:
        >>> shape_text((3, -1, -3))
        '[3 x ? x *]'
    """
    shape = tuple(shape)
    if shape == (-2,):
        return "[???]"
    return "[" + " x ".join({-1: "?", -3: "*"}.get(d, str(d)) for d in shape) + "]"


def escaped(text: str) -> str:
    r"""Escape what is not printable in a string: its names move no cursor, color no terminal and
    turn no line around.

    Example:
        >>> print(escaped("new\nline \x1b[31m größe"))
        new\nline \x1b[31m größe
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def quoted(name: str) -> str:
    """Return a name as errors show it, in quotes and escaped; only the beginning of a very long
    one.
    """
    return f"'{escaped(name[:_LONGEST_SHOWN])}{'...' * (len(name) > _LONGEST_SHOWN)}'"


def operation_text(op_name: str, name: str = "") -> str:
    """Return an operation as errors name it: its kind, and its name in the graph where it has
    one.
    """
    return f"{escaped(op_name)} {quoted(name)}" if name else escaped(op_name)
