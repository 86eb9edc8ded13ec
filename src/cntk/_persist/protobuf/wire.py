"""Wire format of protocol buffers: varints, fixed-size numbers, bytes and nested messages.

There is no generated code. Nested messages are views of the file's bytes, so reading takes hardly
more memory than the file itself.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Protocol, TypeAlias

from cntk.errors import FileFormatError

Data: TypeAlias = "bytes | memoryview"

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_WORD = 2**64


class Writable(Protocol):
    """File opened in binary mode, or an object with its `write`."""

    def write(self, content: bytes | memoryview, /) -> object:
        """Write all of the bytes."""


def read_varint(data: memoryview, position: int) -> tuple[int, int]:
    """Decode an unsigned varint; return it and the position behind it.

    Raises:
        FileFormatError: if the data end within it, or it has more than 64 bits.
    """
    result = shift = 0
    while shift < 70:
        if position >= len(data):
            raise FileFormatError(
                "it ends in the middle of a number; the file is cut short or damaged"
            )
        byte = data[position]
        position += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result % _WORD, position
        shift += 7
    raise FileFormatError("a number is longer than 64 bits; the file is damaged or of another kind")


def fields(data: memoryview) -> Iterator[tuple[int, int, int | memoryview]]:
    """Yield the fields of a message: field number, wire type, and an integer or a view of bytes.

    Raises:
        FileFormatError: if the data are no message.
    """
    position, size = 0, len(data)
    while position < size:
        key, position = read_varint(data, position)
        number, stored = key >> 3, key & 7
        if stored == VARINT:
            value, position = read_varint(data, position)
            yield number, stored, value
            continue
        if stored == BYTES:
            length, position = read_varint(data, position)
        elif stored in (FIXED64, FIXED32):
            length = 8 if stored == FIXED64 else 4
        else:
            raise FileFormatError(
                "a field is stored in an unknown way; the file is damaged or of another kind"
            )
        if number == 0 or length > size - position:
            raise FileFormatError(
                "a field reaches past the end of what holds it; the file is cut short or damaged"
            )
        yield number, stored, data[position : position + length]
        position += length


def scan(data: memoryview, begin: int, end: int) -> list[tuple[int, int, int, int]]:
    """List the fields of a message between two offsets; faster than `fields` for small messages.

    Returns:
        For each field its number, its wire type, and for a varint its value and 0, else the offsets
        of its first byte and behind its last.

    Raises:
        FileFormatError: if the bytes are no message.
    """
    entries = []
    position = begin
    while position < end:
        key = data[position]
        position += 1
        if key > 0x7F:
            key, position = read_varint(data, position - 1)
        stored = key & 7
        if stored in (VARINT, BYTES):
            if position >= end:
                raise FileFormatError(
                    "it ends in the middle of a number; the file is cut short or damaged"
                )
            value = data[position]
            position += 1
            if value > 0x7F:
                value, position = read_varint(data, position - 1)
            if stored == VARINT:
                entries.append((key >> 3, stored, value, 0))
                continue
        elif stored in (FIXED64, FIXED32):
            value = 8 if stored == FIXED64 else 4
        else:
            raise FileFormatError(
                "a field is stored in an unknown way; the file is damaged or of another kind"
            )
        if key < 8 or value > end - position:
            raise FileFormatError(
                "a field reaches past the end of what holds it; the file is cut short or damaged"
            )
        entries.append((key >> 3, stored, position, position + value))
        position += value
    if position > end:
        raise FileFormatError(
            "a field reaches past the end of what holds it; the file is cut short or damaged"
        )
    return entries


def signed(value: int) -> int:
    """Convert an unsigned 64-bit integer in two's complement to a signed one."""
    return value - _WORD if value >= _WORD // 2 else value


def varint(value: int) -> bytes:
    """Encode an integer as a varint, negative ones in two's complement of 64 bits."""
    value %= _WORD
    result = bytearray()
    while value > 0x7F:
        result.append(value & 0x7F | 0x80)
        value >>= 7
    result.append(value)
    return bytes(result)


class Message:
    """Message to be written: its parts in order, and their size. Large arrays are not copied."""

    def __init__(self) -> None:
        self._parts: list[Data] = []
        self.size = 0

    def _add(self, part: Data) -> None:
        self._parts.append(part)
        self.size += part.nbytes if isinstance(part, memoryview) else len(part)

    def number(self, field: int, value: int) -> Message:
        """Add an integer or a bool, as a varint."""
        self._add(varint(field << 3 | VARINT) + varint(int(value)))
        return self

    def single(self, field: int, value: float) -> Message:
        """Add a float32."""
        self._add(varint(field << 3 | FIXED32) + struct.pack("<f", value))
        return self

    def double(self, field: int, value: float) -> Message:
        """Add a float64."""
        self._add(varint(field << 3 | FIXED64) + struct.pack("<d", value))
        return self

    def data(self, field: int, value: Data | str) -> Message:
        """Add bytes, or a string as UTF-8."""
        content: Data = value.encode("utf-8") if isinstance(value, str) else value
        size = content.nbytes if isinstance(content, memoryview) else len(content)
        self._add(varint(field << 3 | BYTES) + varint(size))
        if size:
            self._add(content)
        return self

    def message(self, field: int, value: Message) -> Message:
        """Add a message."""
        self._add(varint(field << 3 | BYTES) + varint(value.size))
        return self.merge(value)

    def merge(self, other: Message) -> Message:
        """Add the fields of another message."""
        self._parts += other._parts
        self.size += other.size
        return self

    def to_bytes(self) -> bytes:
        """Return the message as bytes."""
        return b"".join(self._parts)

    def write(self, file: Writable) -> None:
        """Write the message to a file."""
        for part in self._parts:
            file.write(part)
