"""Encodes and decodes dictionaries: trees of named values, each with its kind.

In Python a dictionary is a ``dict``. Kinds without a Python type have one here: `Size`, `Single`
and `arrays.NDShape`. Axes are numbered, and shapes ordered, as in the file: the last axis first.
"""

from __future__ import annotations

import enum
import struct
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from cntk._persist.protobuf import arrays
from cntk._persist.protobuf.arrays import MAX_RANK, NDShape
from cntk._persist.protobuf.number_lists import Numbers, decode_numbers
from cntk._persist.protobuf.wire import (
    BYTES,
    FIXED32,
    FIXED64,
    VARINT,
    Message,
    fields,
    scan,
    signed,
)
from cntk.axis import Axis
from cntk.errors import FileFormatError

VERSION = 2
# Real files nest a few levels deep and have some hundred thousand values. Numbers in lists of one
# kind are decoded fast, so there may be more of them.
MAX_DEPTH, MAX_VALUES, MAX_NUMBERS = 64, 1_000_000, 5_000_000


class Size(int):
    """Unsigned 64-bit integer (size_t)."""

    __slots__ = ()


class Single(float):
    """Number that is a float32 in files."""

    __slots__ = ()


class PythonShape(tuple):  # type: ignore[type-arg]
    """Shape in Python's order; files have the last axis first."""


class Wrapped:
    """Wrapper of a value; files have the value itself.

    Attributes:
        wrapped: the value.
    """

    wrapped: Any


class Kind(enum.IntEnum):
    """Kinds of values, with their numbers in files."""

    Nothing = 0
    Bool = 1
    Int = 2
    Size = 3
    Single = 4
    Double = 5
    Text = 6
    Shape = 7
    Axis = 8
    List = 9
    Dictionary = 10
    Array = 11


# A dynamic axis has no index; files have these instead.
_DYNAMIC = 2**31 - 1
_MARKS = {
    Axis.all_static_axes().name: 2**31 - 2,
    Axis.unknown_dynamic_axes()[0].name: 2**31 - 3,
    Axis.all_axes().name: 2**31 - 5,
}
# The position behind the last static axis, and a new axis at that position.
END_OF_AXES = 2**31 - 4
_SPECIAL = {
    axis.name: axis
    for axis in (
        Axis.all_static_axes(),
        Axis.unknown_dynamic_axes()[0],
        Axis.all_axes(),
        Axis.default_batch_axis(),
    )
}


# -- writing ---------------------------------------------------------------------------------------


def encode_dictionary(values: Mapping[str, Any], later: list[np.ndarray] | None = None) -> Message:
    """Encode a dictionary as a message.

    Args:
        values: the values by name; None is skipped.
        later: list to append arrays' elements to, if they are to follow the message; None to have
            them inside it.

    Raises:
        FileFormatError: for a value that files cannot hold.
    """
    message = Message().number(1, VERSION)
    for key, value in values.items():
        if not isinstance(key, str):
            raise FileFormatError(f"a dictionary's keys must be strings to be saved, got {key!r}")
        if value is not None:
            try:
                encoded = encode_value(value, later)
            except FileFormatError as error:
                raise FileFormatError(f"{key}: {error}") from None
            message.message(2, Message().data(1, key).message(2, encoded))
    return message


def encode_value(value: Any, later: list[np.ndarray] | None = None) -> Message:
    """Encode a value as a message; see `encode_dictionary`."""
    if isinstance(value, Wrapped):
        value = value.wrapped
    if value is None:
        return Message().number(1, VERSION)
    kind, write = _writer(value)
    return write(Message().number(1, VERSION).number(2, kind), value, later)


_Writer = Callable[[Message, Any, Any], Message]


def kind_of(value: Any) -> Kind:
    """Return the kind that a value has in files.

    Raises:
        FileFormatError: for a value that files cannot hold.
    """
    return Kind.Nothing if value is None else _writer(value)[0]


def _writer(value: Any) -> tuple[Kind, _Writer]:
    for type_, kind, write in _WRITERS:
        if isinstance(value, type_):
            return kind, write
    raise FileFormatError(
        f"a {type(value).__name__} cannot be saved; use numbers, strings, axes, NumPy arrays, or "
        f"lists and dictionaries of these"
    )


def _write_integer(message: Message, value: Any, later: Any) -> Message:
    number = int(value)
    if -(2**31) <= number < 2**31:
        return message.number(4, number)
    raise FileFormatError(f"the number {number} is too large to be saved; integers have 32 bits")


def _write_size(message: Message, value: Any, later: Any) -> Message:
    if not 0 <= value < 2**64:
        raise FileFormatError(
            f"the size {int(value)} is outside of what files can hold, 0 to 2**64 - 1"
        )
    return message.number(5, value)


def _write_list(message: Message, value: Any, later: Any) -> Message:
    items = Message()
    for item in value:
        items.message(1, encode_value(item, later))
    return message.message(11, items)


def _write_axis(message: Message, axis: Axis, later: Any) -> Message:
    index = axis.static_axis_index() if axis.is_static_axis else _MARKS.get(axis.name, _DYNAMIC)
    ordered = axis.is_ordered and axis.name not in _SPECIAL
    result = Message()
    if index:
        result.number(1, index)
    result.data(2, axis.name)
    return message.message(10, result.number(3, 1) if ordered else result)


def _write_array(message: Message, value: np.ndarray, later: Any) -> Message:
    return message.message(13, arrays.encode(value, later))


_WRITERS: list[tuple[Any, Kind, _Writer]] = [
    (bool, Kind.Bool, lambda m, v, _: m.number(3, v)),
    (np.bool_, Kind.Bool, lambda m, v, _: m.number(3, bool(v))),
    (Size, Kind.Size, _write_size),
    ((int, np.integer), Kind.Int, _write_integer),
    (Single, Kind.Single, lambda m, v, _: m.single(6, v)),
    ((float, np.floating), Kind.Double, lambda m, v, _: m.double(7, float(v))),
    (str, Kind.Text, lambda m, v, _: m.data(8, v)),
    (NDShape, Kind.Shape, lambda m, v, _: m.message(9, arrays.encode_shape(v))),
    (PythonShape, Kind.Shape, lambda m, v, _: m.message(9, arrays.encode_shape(v[::-1]))),
    (Axis, Kind.Axis, _write_axis),
    ((list, tuple), Kind.List, _write_list),
    (Mapping, Kind.Dictionary, lambda m, v, later: m.message(12, encode_dictionary(v, later))),
    (np.ndarray, Kind.Array, _write_array),
]


# -- reading ---------------------------------------------------------------------------------------


class Decoder:
    """Decoder of one file's dictionary.

    Args:
        behind: the arrays' elements that follow the message in a very large file; else None.
        newer_is_nothing: whether values of unknown kinds are None, as in the original; else they
            are an error.
    """

    def __init__(self, behind: memoryview | None = None, newer_is_nothing: bool = False) -> None:
        self._newer_is_nothing = newer_is_nothing
        self._arrays = arrays.Decoder(behind)
        self._values = self._numbers = 0
        self._data = memoryview(b"")

    def dictionary(self, data: memoryview) -> dict[str, Any]:
        """Decode a dictionary.

        Raises:
            FileFormatError: if the data are no dictionary, or have unsupported values.
        """
        self._data = data
        return self._dictionary(0, len(data), 0)

    def value(self, data: memoryview) -> Any:
        """Decode a single value."""
        self._data = data
        return self._value(0, len(data), 0)

    def _dictionary(self, begin: int, end: int, depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for number, stored, first, last in scan(self._data, begin, end):
            if number == 1 and stored == VARINT:
                _check_version(first)
            elif number == 2 and stored == BYTES:
                key = content = (0, 0)
                for n, s, a, b in scan(self._data, first, last):
                    if n in (1, 2) and s == VARINT:
                        raise FileFormatError(
                            "an entry of a dictionary has no name; the file is damaged or of "
                            "another kind"
                        )
                    if n == 1:
                        key = a, b
                    elif n == 2:
                        content = a, b
                result[_text(self._data[key[0] : key[1]])] = self._value(*content, depth)
        return result

    def _value(self, begin: int, end: int, depth: int) -> Any:
        self._values += 1
        if self._values > MAX_VALUES:
            raise FileFormatError(f"it holds more than {MAX_VALUES} values")
        kind, content, content_field = 0, None, 0
        for field in scan(self._data, begin, end):
            number, stored = field[:2]
            if number >= 3:
                content, content_field = field, number
            elif stored == VARINT and number == 1:
                _check_version(field[2])
            elif stored == VARINT and number == 2:
                kind = field[2]
        if kind == 0 or (kind not in _FIELDS and self._newer_is_nothing):
            return None
        if kind not in _FIELDS or (content is not None and content_field != _FIELDS[kind]):
            raise FileFormatError(
                f"a value is of the unknown kind {kind}, or does not fit its kind; the file is "
                f"damaged or newer"
            )
        if content is None:
            content = (content_field, _STORED[kind], 0, 0)
        elif content[1] != _STORED[kind]:
            raise _unfit(kind)
        return self._read(kind, content[2], content[3], depth)

    def _read(self, kind: int, first: int, last: int, depth: int) -> Any:
        """Decode a value of a kind: a varint's value, or the bytes between two offsets."""
        if kind <= Kind.Size:
            return _NUMBERS[kind](first)
        content = self._data[first:last]
        if kind == Kind.Text:
            return _text(content)
        if kind in (Kind.Single, Kind.Double):
            number = (
                struct.unpack("<f" if kind == Kind.Single else "<d", content)[0] if last else 0.0
            )
            return Single(number) if kind == Kind.Single else number
        if kind in (Kind.List, Kind.Dictionary):
            if depth > MAX_DEPTH:
                raise FileFormatError(f"values are nested more than {MAX_DEPTH} levels deep")
            return (self._list if kind == Kind.List else self._dictionary)(first, last, depth + 1)
        if kind == Kind.Array:
            return self._arrays.array(content)
        return arrays.decode_shape(content) if kind == Kind.Shape else _axis(content)

    def _list(self, begin: int, end: int, depth: int) -> list[Any]:
        numbers = decode_numbers(self._data[begin:end])
        if numbers is not None:
            self._numbers += len(numbers)
            if self._numbers > MAX_NUMBERS:
                raise FileFormatError(f"its lists hold more than {MAX_NUMBERS} numbers")
            return _as_values(numbers)
        items = scan(self._data, begin, end)
        return [
            self._value(a, b, depth) for n, stored, a, b in items if n == 1 and stored != VARINT
        ]


_FIELDS = {kind.value: kind.value + 2 for kind in Kind if kind != Kind.Nothing}


# The wire type of each kind, and the conversion of varints to values.
_STORED = {kind.value: BYTES for kind in Kind} | {
    Kind.Bool: VARINT,
    Kind.Int: VARINT,
    Kind.Size: VARINT,
}
_STORED |= {Kind.Single: FIXED32, Kind.Double: FIXED64}
_NUMBERS: dict[int, Callable[[int], Any]] = {Kind.Bool: bool, Kind.Int: signed, Kind.Size: Size}


def _unfit(kind: int) -> FileFormatError:
    return FileFormatError(f"a value does not fit its kind, {Kind(kind).name}; the file is damaged")


def _as_values(numbers: Numbers) -> list[Any]:
    """Convert numbers to the types of their kind."""
    values: list[Any] = numbers.values.tolist()
    if numbers.kind == Kind.Size:
        return list(map(Size, values))
    if numbers.kind == Kind.Single:
        return list(map(Single, values))
    return list(map(bool, values)) if numbers.kind == Kind.Bool else values


def _check_version(version: int) -> None:
    if version > VERSION:
        raise FileFormatError(
            f"a part is of version {version}, newer than {VERSION}, the last one known"
        )


def _text(data: memoryview) -> str:
    try:
        return str(data, "utf-8")
    except UnicodeDecodeError:
        raise FileFormatError(
            "a string is not valid UTF-8; the file is damaged or of another kind"
        ) from None


def _axis(data: memoryview) -> Axis:
    parts = {n: v for n, _, v in fields(data)}
    index, name, ordered = parts.get(1, 0), parts.get(2, memoryview(b"")), parts.get(3, 0)
    if not isinstance(index, int) or not isinstance(name, memoryview):
        raise _unfit(Kind.Axis)
    index, text = signed(index), _text(name)
    if text in _SPECIAL:
        return _SPECIAL[text]
    if index >= _DYNAMIC:
        if text.startswith("staticAxisIdx="):
            raise _unfit(Kind.Axis)
        return Axis(text, bool(ordered))
    if -MAX_RANK <= index <= MAX_RANK or index == END_OF_AXES:
        return Axis(index)
    raise FileFormatError(f"a static axis has the impossible index {index}; the file is damaged")
