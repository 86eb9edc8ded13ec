"""Encodes and decodes shapes and arrays.

Files have the last axis first. An array's elements are inside its message or, in very large files,
behind the whole message.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from cntk._graph.bfloat16 import bfloat16, is_bfloat16
from cntk._graph.types import MAX_SIZE, element_count
from cntk._persist.protobuf.wire import BYTES, Message, fields, read_varint, signed, varint
from cntk.errors import FileFormatError

MAX_RANK = 64

# dtype's number on disk -> dtype, field of the elements, encoding of an element
_FORMATS: dict[int, tuple[Any, int, str]] = {
    1: (np.float32, 4, "<f4"),
    2: (np.float64, 5, "<f8"),
    4: (np.float16, 4, "<f4"),
    5: (np.int8, 6, "i1"),
    6: (np.int16, 7, "zigzag"),
}
# A field of our own, which the original ignores: the elements, stored as float32, are bfloat16.
_IS_BFLOAT16 = 16
_NUMBERS = {np.dtype(format_[0]): number for number, format_ in _FORMATS.items()}


class NDShape(tuple):  # type: ignore[type-arg]
    """Shape with the last axis first.

    A dimension of -1 is inferred, -2 means an unknown shape, and -3 is a free dimension.
    """


def encode_shape(shape: tuple[int, ...]) -> Message:
    """Encode a shape as a message."""
    return Message().data(1, b"".join(map(varint, shape))) if shape else Message()


def decode_shape(data: memoryview) -> NDShape:
    """Decode a shape, whose dimensions may be any integers; see `checked_shape`.

    Raises:
        FileFormatError: if the bytes are no shape, or have more than `MAX_RANK` axes.
    """
    dims: list[int] = []
    for number, stored, value in fields(data):
        if number != 1:
            continue
        position = 0
        while (
            isinstance(value, memoryview)
            and stored == BYTES
            and position < len(value)
            and len(dims) <= MAX_RANK
        ):
            dim, position = read_varint(value, position)
            dims.append(signed(dim))
        if isinstance(value, int):
            dims.append(signed(value))
        if len(dims) > MAX_RANK:
            raise FileFormatError(f"a shape has more than {MAX_RANK} axes; the file is damaged")
    return NDShape(dims)


def checked_shape(shape: NDShape) -> NDShape:
    """Return the shape unchanged, if a variable or an attribute may have it.

    Raises:
        FileFormatError: if it has an invalid dimension, or too many elements.
    """
    if any(d < -3 or (d == -2 and len(shape) > 1) for d in shape):
        raise FileFormatError(
            f"a shape has an impossible dimension, {min(shape)}; the file is damaged"
        )
    if element_count(shape) > MAX_SIZE:
        raise FileFormatError("a shape has more elements than there can be; the file is damaged")
    return shape


def encode(value: np.ndarray, later: list[np.ndarray] | None) -> Message:
    """Encode an array as a message.

    Args:
        value: the array.
        later: list to append the elements to, if they are to follow the whole message; None to
            have them inside the array's message.

    Raises:
        FileFormatError: for a dtype that files cannot hold.
    """
    short = is_bfloat16(value.dtype)
    number = _NUMBERS.get(np.dtype(np.float32) if short else value.dtype)
    if number is None:
        raise FileFormatError(
            f"an array of {value.dtype} cannot be saved; convert it to float32, float64, float16, "
            f"bfloat16, int8 or int16"
        )
    _, field, stored = _FORMATS[number]
    message = Message().number(1, number).message(3, encode_shape(value.shape[::-1]))
    if short:
        message.number(_IS_BFLOAT16, 1)
    if stored == "zigzag":
        return message.message(field, Message().data(1, _zigzag(value)))
    elements = np.ascontiguousarray(value).reshape(-1).astype(stored, copy=False)
    if later is not None:
        later.append(elements)
        return message
    return message.message(
        field, Message().data(1, elements.data.cast("B") if elements.size else b"")
    )


def _zigzag(value: np.ndarray) -> bytes:
    """Encode int16 values as zigzag varints, which are short for small values of either sign."""
    wide = value.astype(np.int32).reshape(-1)
    numbers = ((wide << 1) ^ (wide >> 31)).astype(np.uint32)
    digits = np.stack([numbers & 0x7F, numbers >> 7 & 0x7F, numbers >> 14], 1).astype(np.uint8)
    count = 1 + (numbers > 0x7F) + (numbers > 0x3FFF)
    index = np.arange(3)
    digits[index < (count - 1)[:, None]] |= 0x80
    return digits[index < count[:, None]].tobytes()


def _from_zigzag(data: memoryview) -> np.ndarray:
    octets = np.frombuffer(data, np.uint8)
    last = octets < 0x80
    if not octets.size:
        return np.zeros(0, np.int16)
    ends = np.flatnonzero(last)
    if not last[-1] or np.diff(ends, prepend=-1).max() > 3:
        raise FileFormatError("an array of int16 is damaged")
    numbers = np.zeros(ends.size, np.uint32)
    for k in range(3):
        offsets = np.maximum(ends - k, 0)
        begins = np.concatenate([[-1], ends[:-1]])
        inside = ends - k > begins
        numbers = np.where(inside, (numbers << 7) | (octets[offsets] & 0x7F), numbers)
    wide = (numbers >> 1).astype(np.int32) ^ -(numbers & 1).astype(np.int32)
    return wide.astype(np.int16)


class Decoder:
    """Decoder of one file's arrays, which are read-only views of its bytes where possible.

    Args:
        behind: the elements that follow the message in a very large file.
    """

    def __init__(self, behind: memoryview | None) -> None:
        self._behind = behind

    def array(self, data: memoryview) -> np.ndarray:
        """Decode an array, in Python's order of axes.

        Raises:
            FileFormatError: if the number of elements does not fit the shape, or the dtype is
                unknown.
        """
        parts = {n: v for n, _, v in fields(data)}
        number, storage = parts.get(1, 0), parts.get(2, 0)
        shape_bytes = parts.get(3, memoryview(b""))
        if storage != 0:
            raise FileFormatError(
                "it holds an array in sparse storage, which cannot be read; save the model with "
                "dense values"
            )
        if (
            not isinstance(number, int)
            or number not in _FORMATS
            or not isinstance(shape_bytes, memoryview)
        ):
            raise FileFormatError(f"it holds an array of the unknown dtype {number!r}")
        dtype, field, stored = _FORMATS[number]
        shape = decode_shape(shape_bytes)[::-1]
        if any(d < 0 for d in shape):
            raise FileFormatError("it holds an array of unknown shape")
        count = math.prod(shape)
        elements = self._elements(parts.get(field), stored, count)
        if elements.size != count:
            raise FileFormatError(
                f"an array of shape {tuple(shape)} should have {count} elements and has "
                f"{elements.size}; the file is damaged"
            )
        if parts.get(_IS_BFLOAT16):
            dtype = bfloat16()
        return elements.astype(dtype, copy=False).reshape(shape)

    def _elements(self, message: Any, stored: str, count: int) -> np.ndarray:
        if self._behind is not None and stored != "zigzag":
            size = count * np.dtype(stored).itemsize
            if size > len(self._behind):
                raise FileFormatError("its arrays end before they should; the file is cut short")
            taken, self._behind = self._behind[:size], self._behind[size:]
            return np.frombuffer(taken, stored)
        chunks = (
            [v for n, w, v in fields(message) if n == 1 and w == BYTES]
            if isinstance(message, memoryview)
            else []
        )
        if len(chunks) > 1:
            raise FileFormatError("an array's elements are in several parts; the file is damaged")
        packed: Any = chunks[0] if chunks else memoryview(b"")
        if stored == "zigzag":
            return _from_zigzag(packed)
        if len(packed) % np.dtype(stored).itemsize:
            raise FileFormatError("an array's last element is cut off; the file is damaged")
        return np.frombuffer(packed, stored)
