"""Protocol buffers on the wire: numbers, bytes and messages inside messages, read and written
without generated code.

Nothing is copied while reading: what is inside a message is a view of the file's bytes, so a file
can make the reader hold little more than the file itself.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Protocol, TypeAlias

from cntk._wording import Escaped

Data: TypeAlias = "bytes | memoryview"

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_WORD = 2**64


class Writable(Protocol):
    """What bytes are written to: a file opened in binary mode, or what stands for one."""

    def write(self, content: bytes | memoryview, /) -> object:
        """Write all of the bytes."""


class FileFormatError(Escaped, ValueError, RuntimeError):
    """A file is cut short, damaged, not of this kind, or holds what cannot be read or written."""


def read_varint(data: memoryview, position: int) -> tuple[int, int]:
    """A number of variable length, unsigned, and the position behind it.

    Raises:
        FileFormatError: if the data end before it does, or it has more than 64 bits.
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
    """The fields of a message: their number, how they are stored, and a number or a view of bytes.

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
    """The fields of a message that lies between two places; as `fields`, for many small messages in
    less time.

    Returns:
        For each field its number, how it is stored, and a number and 0, or the two places between
        which its bytes lie.

    Raises:
        FileFormatError: if there is no message.
    """
    found = []
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
                found.append((key >> 3, stored, value, 0))
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
        found.append((key >> 3, stored, position, position + value))
        position += value
    if position > end:
        raise FileFormatError(
            "a field reaches past the end of what holds it; the file is cut short or damaged"
        )
    return found


def signed(value: int) -> int:
    """A 64-bit number in two's complement as a signed one."""
    return value - _WORD if value >= _WORD // 2 else value


def varint(value: int) -> bytes:
    """A number of variable length; negative ones in two's complement of 64 bits."""
    value %= _WORD
    result = bytearray()
    while value > 0x7F:
        result.append(value & 0x7F | 0x80)
        value >>= 7
    result.append(value)
    return bytes(result)


class Message:
    """A message being written: its parts in order, and their size. Large arrays stay where they are
    until then.
    """

    def __init__(self) -> None:
        self._parts: list[Data] = []
        self.size = 0

    def _add(self, part: Data) -> None:
        self._parts.append(part)
        self.size += part.nbytes if isinstance(part, memoryview) else len(part)

    def number(self, field: int, value: int) -> Message:
        """Add a whole number or a flag."""
        self._add(varint(field << 3 | VARINT) + varint(int(value)))
        return self

    def single(self, field: int, value: float) -> Message:
        """Add a number of 32 bits with a fraction."""
        self._add(varint(field << 3 | FIXED32) + struct.pack("<f", value))
        return self

    def double(self, field: int, value: float) -> Message:
        """Add a number of 64 bits with a fraction."""
        self._add(varint(field << 3 | FIXED64) + struct.pack("<d", value))
        return self

    def data(self, field: int, value: Data | str) -> Message:
        """Add bytes, or a text."""
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
        """Return it as bytes."""
        return b"".join(self._parts)

    def write(self, file: Writable) -> None:
        """Write it to a file."""
        for part in self._parts:
            file.write(part)
