"""Decodes lists of numbers of one kind with NumPy, all at once.

In a file each number is a message: two bytes with the field's key and the length of the rest; then
five bytes that are the same for all, with version, kind, and the key of the number; then the
number, of four or eight bytes or a varint.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cntk._persist.protobuf.wire import BYTES, FIXED32, FIXED64, VARINT

_Octets = npt.NDArray[np.uint8]

_ITEM = 1 << 3 | BYTES
_VERSION, _KIND = 1 << 3 | VARINT, 2 << 3 | VARINT
_HEAD = 7
# Shorter lists are faster one item at a time.
_LEAST = 8

# By kind: the wire type, the dtype in files (None for a varint), and the dtype of the values.
_STORED: dict[int, tuple[int, str | None, str]] = {
    1: (VARINT, None, "uint64"),
    2: (VARINT, None, "int64"),
    3: (VARINT, None, "uint64"),
    4: (FIXED32, "<f4", "float32"),
    5: (FIXED64, "<f8", "float64"),
}


class Numbers(NamedTuple):
    """Numbers of a list.

    Attributes:
        kind: their kind (`dictionary.Kind`).
        values: their values, ``[count]``.
    """

    kind: int
    values: npt.NDArray[np.generic]

    def __len__(self) -> int:
        return len(self.values)


def decode_numbers(content: memoryview) -> Numbers | None:
    """Decode a list's bytes if all items are numbers of one kind; None for any other content."""
    if len(content) < _LEAST * _HEAD or content[0] != _ITEM:
        return None
    head = bytes(content[2:_HEAD])
    if head[0] != _VERSION or head[1] > 2 or head[2] != _KIND or head[3] not in _STORED:
        return None
    kind = head[3]
    stored, format_, dtype = _STORED[kind]
    if head[4] != (kind + 2) << 3 | stored:
        return None
    octets = np.frombuffer(content, np.uint8)
    begins = _begins(octets, head)
    if begins is None:
        return None
    sizes = octets[begins + 1].astype(np.int64) - (_HEAD - 2)
    if format_ is not None:
        size = np.dtype(format_).itemsize
        if (sizes != size).any():
            return None
        rows = octets[begins[:, None] + np.arange(_HEAD, _HEAD + size)]
        return Numbers(kind, rows.view(format_).reshape(-1))
    values = _varints(octets, begins + _HEAD, sizes)
    return None if values is None else Numbers(kind, values.view(dtype))


def _begins(octets: _Octets, head: bytes) -> npt.NDArray[np.int64] | None:
    """Find the offsets of items; None unless they fill all bytes without a gap."""
    count = len(octets) - _HEAD + 1
    is_item = octets[:count] == _ITEM
    for k, byte in enumerate(head, 2):
        is_item &= octets[k : k + count] == byte
    begins = np.flatnonzero(is_item)
    if not len(begins) or begins[0] != 0:
        return None
    lengths = octets[begins + 1].astype(np.int64)
    ends = begins + 2 + lengths
    if lengths.max() > 0x7F or ends[-1] != len(octets) or (ends[:-1] != begins[1:]).any():
        return None
    return begins


def _varints(
    octets: _Octets, begins: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64]
) -> npt.NDArray[np.uint64] | None:
    """Decode varints of known sizes; None unless each fills its bytes."""
    if sizes.min() < 1 or sizes.max() > 10:
        return None
    values = np.zeros(len(begins), np.uint64)
    for k in range(int(sizes.max())):
        inside = np.flatnonzero(sizes > k)
        byte = octets[begins[inside] + k]
        if ((byte > 0x7F) != (sizes[inside] > k + 1)).any():
            return None
        values[inside] |= (byte & 0x7F).astype(np.uint64) << np.uint64(7 * k)
    return values
