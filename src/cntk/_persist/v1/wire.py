"""Reads and writes the primitives of version 1 files: numbers, strings, shapes, matrices, marks.

Numbers are little-endian. A string is UTF-16LE with a terminating zero; strings such as "BCN" mark
the begin and end of parts. A matrix is between two marks, in column-major order. Reading does not
copy: a matrix is a view of the file's bytes.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Sequence
from typing import IO, Any

import numpy as np

from cntk._persist.protobuf.arrays import MAX_RANK
from cntk._persist.protobuf.wire import Data
from cntk.errors import FileFormatError

_DENSE = b"d"
_BY_COLUMNS = 0
_END = b"\0\0"
# Numbers of bytes in which the end of a string is searched. Names and axes in real files have some
# hundred characters at most.
_TEXT_SIZES = (2**8, 2**12, 2**17)
FORMATS: dict[str, np.dtype[Any]] = {"float": np.dtype("<f4"), "double": np.dtype("<f8")}


def mark(text: str) -> bytes:
    """Encode a string as files have it."""
    return text.encode("utf-16-le") + _END


START = mark("BCN")


class Reader:
    """Reader of one file from its begin to its end.

    Args:
        data: the file's bytes.

    Attributes:
        format: dtype of the node that is being read.
        version: the file's version of the format.
    """

    def __init__(self, data: memoryview) -> None:
        self._data = data
        self._position = 0
        self.version = 0
        self.format = FORMATS["float"]

    @property
    def left(self) -> int:
        """Number of bytes that have not been read yet."""
        return len(self._data) - self._position

    def take(self, size: int) -> memoryview:
        """Read bytes.

        Raises:
            FileFormatError: if there are not so many.
        """
        if size > self.left:
            raise FileFormatError(
                "it ends in the middle of a value; the file is cut short or damaged"
            )
        self._position += size
        return self._data[self._position - size : self._position]

    def _number(self, code: str) -> Any:
        return struct.unpack(code, self.take(struct.calcsize(code)))[0]

    def size(self) -> int:
        """Read a uint64."""
        return int(self._number("<Q"))

    def long(self) -> int:
        """Read an int64."""
        return int(self._number("<q"))

    def int32(self) -> int:
        """Read an int32."""
        return int(self._number("<i"))

    def single(self) -> float:
        """Read a float32."""
        return float(self._number("<f"))

    def double(self) -> float:
        """Read a float64."""
        return float(self._number("<d"))

    def element(self) -> float:
        """Read a number of the node's dtype."""
        return self.single() if self.format.itemsize == 4 else self.double()

    def flag(self) -> bool:
        """Read a bool of one byte."""
        value = self.take(1)[0]
        if value > 1:
            raise FileFormatError(f"a flag has the value {value}; the file is damaged")
        return value == 1

    def string(self) -> str:
        """Read a UTF-16LE string.

        Raises:
            FileFormatError: if it does not end, or is not UTF-16.
        """
        end = -1
        for size in _TEXT_SIZES:
            content = self._data[self._position : self._position + size].tobytes()
            end = content.find(_END)
            while end % 2 and end >= 0:
                end = content.find(_END, end + 1)
            if end >= 0 or len(content) < size:
                break
        if end < 0:
            raise FileFormatError("a string does not end; the file is cut short or damaged")
        self._position += end + 2
        try:
            return content[:end].decode("utf-16-le")
        except UnicodeDecodeError:
            raise FileFormatError("a string is not UTF-16; the file is damaged") from None

    def narrow(self) -> bytes:
        """Read a zero-terminated string of single bytes.

        Raises:
            FileFormatError: if it does not end.
        """
        content = self._data[self._position : self._position + _TEXT_SIZES[1]].tobytes()
        end = content.find(b"\0")
        if end < 0:
            raise FileFormatError("a string does not end; the file is cut short or damaged")
        self._position += end + 1
        return content[:end]

    def at(self, text: str) -> bool:
        """Return whether a mark comes next, and skip it if so."""
        expected = mark(text)
        is_next = self._data[self._position : self._position + len(expected)] == expected
        if is_next:
            self._position += len(expected)
        return is_next

    def expect(self, text: str) -> None:
        """Skip a mark.

        Raises:
            FileFormatError: if something else comes next.
        """
        if not self.at(text):
            raise FileFormatError(
                f"'{text}' was expected and something else is there; the file is damaged"
            )

    def shape(self) -> tuple[int, ...]:
        """Read a shape, the last axis first.

        Raises:
            FileFormatError: if it has more than `MAX_RANK` axes.
        """
        rank = self._number("<I")
        if rank > MAX_RANK:
            raise FileFormatError(f"a shape has more than {MAX_RANK} axes; the file is damaged")
        return struct.unpack(f"<{rank}I", self.take(4 * rank))

    def flags(self) -> tuple[bool, ...]:
        """Read bools, one for each axis.

        Raises:
            FileFormatError: if there are more than `MAX_RANK`.
        """
        count = self.size()
        if count > MAX_RANK:
            raise FileFormatError(
                f"there are {count} flags, and no tensor has so many axes; the file is damaged"
            )
        return tuple(self.flag() for _ in range(count))

    def int32s(self) -> tuple[int, ...]:
        """Read int32 numbers, whose count comes first."""
        count = self.int32()
        if not 0 <= count <= MAX_RANK:
            raise FileFormatError(f"a list says that it has {count} elements; the file is damaged")
        return struct.unpack(f"<{count}i", self.take(4 * count))

    def sizes(self) -> tuple[int, ...]:
        """Read uint64 numbers, whose count comes first."""
        count = self.size()
        if 8 * count > self.left:
            raise FileFormatError(
                "a list is longer than the file; the file is cut short or damaged"
            )
        return struct.unpack(f"<{count}Q", self.take(8 * count))

    def matrix(self) -> np.ndarray:
        """Read a matrix of the node's dtype, as an array of its columns.

        Raises:
            FileFormatError: if it is sparse, of another dtype, or truncated.
        """
        if self.take(1) != _DENSE:
            raise FileFormatError(
                "it holds a matrix in sparse storage, which cannot be read; save it with dense "
                "values"
            )
        self.expect("BMAT")
        itemsize = self.size()
        self.string()
        order, rows, columns = self.int32(), self.size(), self.size()
        if itemsize != self.format.itemsize or order != _BY_COLUMNS:
            raise FileFormatError(
                "a matrix is of another dtype or order than the file says; the file is damaged"
            )
        elements = np.frombuffer(self.take(rows * columns * itemsize), self.format)
        self.expect("EMAT")
        return elements.reshape(columns, rows)


class Writer:
    """File to be written: its parts in order. Matrices are not copied.

    Args:
        format: dtype of all nodes, 'float' or 'double'.
    """

    def __init__(self, format: str) -> None:
        self._parts: list[Data] = []
        self.format = format

    def _number(self, code: str, value: float) -> None:
        try:
            self._parts.append(struct.pack(code, value))
        except struct.error:
            raise FileFormatError(f"the number {value} is too large for the file") from None

    def size(self, value: int) -> None:
        """Add a uint64."""
        self._number("<Q", value)

    def long(self, value: int) -> None:
        """Add an int64."""
        self._number("<q", value)

    def int32(self, value: int) -> None:
        """Add an int32."""
        self._number("<i", value)

    def single(self, value: float) -> None:
        """Add a float32."""
        self._number("<f", value)

    def double(self, value: float) -> None:
        """Add a float64."""
        self._number("<d", value)

    def element(self, value: float) -> None:
        """Add a number of the nodes' dtype."""
        self._number("<f" if self.format == "float" else "<d", value)

    def flag(self, value: bool) -> None:
        """Add a bool of one byte."""
        self._parts.append(b"\1" if value else b"\0")

    def string(self, value: str) -> None:
        """Add a UTF-16LE string, or a mark.

        Raises:
            FileFormatError: if it is too long, or has a zero in it, which ends strings.
        """
        if "\0" in value or 2 * len(value) >= _TEXT_SIZES[-1] // 2:
            raise FileFormatError(
                f"a name of {len(value)} characters cannot be saved: it is too long or has a zero "
                f"in it"
            )
        self._parts.append(mark(value))

    def shape(self, value: Sequence[int]) -> None:
        """Add a shape, the last axis first."""
        self._number("<I", len(value))
        for dim in value:
            self._number("<I", dim)

    def flags(self, value: Sequence[bool]) -> None:
        """Add bools, one for each axis."""
        self.size(len(value))
        for one in value:
            self.flag(one)

    def int32s(self, value: Sequence[int]) -> None:
        """Add int32 numbers, their count first."""
        for number in (len(value), *value):
            self.int32(number)

    def sizes(self, value: Sequence[int]) -> None:
        """Add uint64 numbers, their count first."""
        for number in (len(value), *value):
            self.size(number)

    def strings(self, value: Sequence[str]) -> None:
        """Add strings, their count first."""
        self.size(len(value))
        for one in value:
            self.string(one)

    def matrix(self, value: np.ndarray) -> None:
        """Add an array as a matrix: its last axis are the rows, all others the columns."""
        elements = np.ascontiguousarray(value).astype(FORMATS[self.format], copy=False).reshape(-1)
        rows = value.shape[-1] if value.ndim else 1
        self._parts.append(_DENSE)
        self.string("BMAT")
        self.size(elements.itemsize)
        self.string("unnamed")
        self.int32(_BY_COLUMNS)
        self.size(rows)
        self.size(math.prod(value.shape[:-1]))
        if elements.size:
            self._parts.append(elements.data.cast("B"))
        self.string("EMAT")

    def write(self, file: IO[bytes]) -> None:
        """Write it to a file."""
        for part in self.parts():
            file.write(part)

    def parts(self) -> Iterable[Data]:
        """Return the parts to write, in order."""
        return self._parts
