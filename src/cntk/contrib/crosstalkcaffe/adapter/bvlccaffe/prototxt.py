"""Parser of Caffe's networks in protocol buffers' text format."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

from cntk.contrib.crosstalkcaffe.adapter.bvlccaffe.schema import MESSAGES, Field, Message
from cntk.errors import FileFormatError

__all__ = ["read_text"]

_TOKEN = re.compile(
    r"""(?P<space>(?:\s|\#[^\n]*)+)
    |(?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
    |(?P<number>[-+]?(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|inf|nan)f?(?![\w.]))
    |(?P<name>-?[A-Za-z_]\w*)
    |(?P<mark>[{}<>:\[\],;])""",
    re.VERBOSE,
)
_DEEPEST = 32
_CLOSING = {"{": "}", "<": ">"}


def read_text(kind: str, text: str) -> Message:
    """Parse the message in a string; fields that are not needed are skipped.

    Args:
        kind: the message's name in `schema.MESSAGES`.
        text: the text.

    Raises:
        FileFormatError: (a ValueError and RuntimeError) if it is no such message, with the line.

    Example:
        >>> net = read_text(
        ...     "NetParameter",
        ...     'name: "small" layer { name: "a" type: "ReLU" bottom: "x" top: "y" }',
        ... )
        >>> net.name, net.layer[0].type, net.layer[0].bottom, net.layer[0].relu_param.negative_slope
        ('small', 'ReLU', ['x'], 0.0)
    """
    reader = _Reader(text)
    message = reader.message(kind, "", 0)
    return message


class _Reader:
    """Recursive-descent parser of a string."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = self._all()
        self._next()

    def _all(self) -> Iterator[tuple[str, str, int]]:
        position = 0
        while position < len(self._text):
            match = _TOKEN.match(self._text, position)
            if match is None:
                raise self._error(
                    f"{self._text[position : position + 10]!r} is nothing that can stand here",
                    position,
                )
            if match.lastgroup != "space":
                yield str(match.lastgroup), match.group(), position
            position = match.end()
        yield "end", "", position

    def _next(self) -> tuple[str, str]:
        """Return the next token, and read one more ahead."""
        now = getattr(self, "_ahead", ("", "", 0))
        self._ahead = next(self._tokens, ("end", "", len(self._text)))
        return now[0], now[1]

    def _error(self, what: str, position: int | None = None) -> FileFormatError:
        at = self._ahead[2] if position is None else position
        return FileFormatError(f"line {self._text.count(chr(10), 0, at) + 1}: {what}")

    def _is(self, *marks: str) -> bool:
        return self._ahead[0] in ("mark", "end") and self._ahead[1] in marks

    def message(self, kind: str | None, closing: str, depth: int) -> Message:
        """Parse fields up to a closing bracket; None as kind skips the message."""
        if depth > _DEEPEST:
            raise self._error(f"messages are more than {_DEEPEST} deep")
        known = MESSAGES[kind] if kind else {}
        values: dict[str, Any] = {}
        while not self._is(closing):
            if self._ahead[0] != "name":
                raise self._error(
                    f"expected the name of a field, got '{self._ahead[1] or 'the end'}'"
                )
            name = self._next()[1]
            field = known.get(name)
            for value in self._values(name, field, depth):
                if field is not None and (field.repeated or field.kind in ("floats", "doubles")):
                    values.setdefault(name, []).append(value)
                else:
                    values[name] = value
            if self._is(",", ";"):
                self._next()
        self._next()
        return Message(kind, values) if kind else Message("BlobShape")

    def _values(self, name: str, field: Field | None, depth: int) -> Iterator[Any]:
        """Yield the value of a field, or the values of a list."""
        colon = self._is(":")
        if colon:
            self._next()
        if not self._is("["):
            yield self._value(name, field, colon, depth)
            return
        self._next()
        while not self._is("]"):
            yield self._value(name, field, colon, depth)
            if self._is(","):
                self._next()
            elif not self._is("]"):
                raise self._error(f"expected ',' or ']' in the list of '{name}'")
        self._next()

    def _value(self, name: str, field: Field | None, colon: bool, depth: int) -> Any:
        if self._is("{", "<"):
            if field is not None and field.kind not in MESSAGES:
                raise self._error(f"'{name}' is no message")
            closing = _CLOSING[self._next()[1]]
            return self.message(None if field is None else field.kind, closing, depth + 1)
        if not colon or (field is not None and field.kind in MESSAGES):
            raise self._error(
                f"expected {'a message in brackets' if colon else ':'} after '{name}'"
            )
        kind, token = self._ahead[:2]
        if kind not in ("text", "number", "name"):
            raise self._error(f"expected a value for '{name}', got '{token or 'the end'}'")
        values = self._scalar(field, kind, token)
        if values is None:
            raise self._error(f"'{name}' cannot be {token}")
        self._next()
        while kind == "text" and self._ahead[0] == "text":  # strings in a row are one
            values += self._scalar(field, *self._ahead[:2])
            self._next()
        return values

    def _scalar(self, field: Field | None, kind: str, token: str) -> Any:
        """Convert a token to the value of a field; refuse one that is none."""
        if field is None:
            return token
        if field.kind == "text":
            try:
                return ast.literal_eval(token) if kind == "text" else None
            except (SyntaxError, ValueError):
                return None
        if field.kind == "bool":
            return {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}.get(
                token.lower()
            )
        if field.kind == "enum" and kind == "name":
            return (field.names or {}).get(token, None if field.names is None else -1)
        try:
            if field.kind in ("int", "enum"):
                return int(token, 0)
            return float(token.removesuffix("f") if not token.endswith("inf") else token)
        except ValueError:
            return None
