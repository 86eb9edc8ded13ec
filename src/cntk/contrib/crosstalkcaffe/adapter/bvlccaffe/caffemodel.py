"""Reader of Caffe's binary files: messages with the parameters of a network, as views of the file's
bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cntk._persist.protobuf.wire import BYTES, FIXED32, FIXED64, VARINT, fields, read_varint, signed
from cntk.contrib.crosstalkcaffe.adapter.bvlccaffe.schema import MESSAGES, Field, Message
from cntk.errors import FileFormatError

__all__ = ["read_message"]

_ARRAYS = {"floats": ("<f4", FIXED32), "doubles": ("<f8", FIXED64)}


def read_message(kind: str, data: memoryview) -> Message:
    """Parse a message; fields that are not needed are skipped.

    Args:
        kind: the message's name in `schema.MESSAGES`.
        data: the bytes.

    Raises:
        FileFormatError: (a ValueError and RuntimeError) if they are damaged or no such message.
    """
    by_number = {field.number: (name, field) for name, field in MESSAGES[kind].items()}
    values: dict[str, Any] = {}
    arrays: dict[str, list[Any]] = {}
    for number, stored, value in fields(data):
        if number not in by_number:
            continue
        name, field = by_number[number]
        if field.kind in _ARRAYS:
            arrays.setdefault(name, []).append(_array_part(name, field, stored, value))
        elif field.repeated:
            values.setdefault(name, []).extend(_values(name, field, stored, value))
        else:
            (values[name],) = list(_values(name, field, stored, value))[-1:] or [field.default]
    for name, parts in arrays.items():
        values[name] = _joined(parts, by_number, name)
    return Message(kind, values)


def _array_part(name: str, field: Field, stored: int, value: Any) -> memoryview:
    """Return a part of an array: packed numbers, or one number."""
    dtype, single = _ARRAYS[field.kind]
    if stored not in (BYTES, single) or len(value) % np.dtype(dtype).itemsize:
        raise FileFormatError(
            f"the numbers in '{name}' are no {dtype[1:]}; the file is damaged or of another kind"
        )
    return value  # type: ignore[no-any-return]


def _joined(parts: list[Any], by_number: dict[int, tuple[str, Field]], name: str) -> NDArray[Any]:
    (kind,) = [field.kind for n, field in by_number.values() if n == name]
    content = parts[0] if len(parts) == 1 else b"".join(parts)
    return np.frombuffer(content, _ARRAYS[kind][0])


def _values(name: str, field: Field, stored: int, value: Any) -> Iterator[Any]:
    """Yield the values of one field on the wire: numbers may be packed."""
    if field.kind in MESSAGES:
        if stored != BYTES:
            raise FileFormatError(f"'{name}' is no message; the file is damaged or of another kind")
        yield read_message(field.kind, value)
    elif field.kind == "text":
        if stored != BYTES:
            raise FileFormatError(f"'{name}' is no string; the file is damaged or of another kind")
        yield bytes(value).decode("utf-8", "replace")
    elif field.kind == "float":
        if stored not in (BYTES, FIXED32) or len(value) % 4:
            raise FileFormatError(f"'{name}' is no number; the file is damaged or of another kind")
        yield from (x for (x,) in struct.iter_unpack("<f", value))
    elif stored == VARINT:
        yield bool(value) if field.kind == "bool" else signed(value)
    elif stored == BYTES:
        position = 0
        while position < len(value):
            number, position = read_varint(value, position)
            yield bool(number) if field.kind == "bool" else signed(number)
    else:
        raise FileFormatError(f"'{name}' is no integer; the file is damaged or of another kind")
