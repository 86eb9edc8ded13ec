"""The primitives of model files of version 1: numbers, texts, shapes, matrices and the marks
between the parts.

Numbers lie as in memory, the low byte first. A text is UTF-16 with a zero behind it. A matrix lies
between two marks, column by column. Nothing is copied while reading: a matrix is a view of the
file's bytes.
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
# How far a text's end is looked for, in bytes. Names and axes in real files have some hundred
# characters at most.
_TEXT_SIZES = (2**8, 2**12, 2**17)
FORMATS: dict[str, np.dtype[Any]] = {"float": np.dtype("<f4"), "double": np.dtype("<f8")}


def mark(text: str) -> bytes:
    """A text as it stands in files."""
    return text.encode("utf-16-le") + _END


START = mark("BCN")


class Reader:
    """Reads one file from its beginning to its end.

    Args:
        data: the file's bytes.

    Attributes:
        format: the number format of the node that is being read.
        version: the file's version of the format.
    """

    def __init__(self, data: memoryview) -> None:
        self._data = data
        self._position = 0
        self.version = 0
        self.format = FORMATS["float"]

    @property
    def left(self) -> int:
        """How many bytes have not been read yet."""
        return len(self._data) - self._position

    def take(self, size: int) -> memoryview:
        """The next bytes.

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
        """An unsigned number of 64 bits."""
        return int(self._number("<Q"))

    def long(self) -> int:
        """A signed number of 64 bits."""
        return int(self._number("<q"))

    def whole(self) -> int:
        """A signed number of 32 bits."""
        return int(self._number("<i"))

    def single(self) -> float:
        """A number of 32 bits with a fraction."""
        return float(self._number("<f"))

    def double(self) -> float:
        """A number of 64 bits with a fraction."""
        return float(self._number("<d"))

    def element(self) -> float:
        """A number in the node's own format."""
        return self.single() if self.format.itemsize == 4 else self.double()

    def flag(self) -> bool:
        """A flag of one byte."""
        value = self.take(1)[0]
        if value > 1:
            raise FileFormatError(f"a flag has the value {value}; the file is damaged")
        return value == 1

    def text(self) -> str:
        """A text.

        Raises:
            FileFormatError: if it does not end, or is none.
        """
        end = -1
        for size in _TEXT_SIZES:
            found = self._data[self._position : self._position + size].tobytes()
            end = found.find(_END)
            while end % 2 and end >= 0:
                end = found.find(_END, end + 1)
            if end >= 0 or len(found) < size:
                break
        if end < 0:
            raise FileFormatError("a string does not end; the file is cut short or damaged")
        self._position += end + 2
        try:
            return found[:end].decode("utf-16-le")
        except UnicodeDecodeError:
            raise FileFormatError("a string is not UTF-16; the file is damaged") from None

    def narrow(self) -> bytes:
        """A string of single bytes, with a zero behind it.

        Raises:
            FileFormatError: if it does not end.
        """
        found = self._data[self._position : self._position + _TEXT_SIZES[1]].tobytes()
        end = found.find(b"\0")
        if end < 0:
            raise FileFormatError("a string does not end; the file is cut short or damaged")
        self._position += end + 1
        return found[:end]

    def at(self, text: str) -> bool:
        """Whether a mark comes next; if so, it is passed."""
        expected = mark(text)
        found = self._data[self._position : self._position + len(expected)] == expected
        if found:
            self._position += len(expected)
        return found

    def expect(self, text: str) -> None:
        """Pass a mark.

        Raises:
            FileFormatError: if another thing comes next.
        """
        if not self.at(text):
            raise FileFormatError(
                f"'{text}' was expected and something else stands there; the file is damaged"
            )

    def shape(self) -> tuple[int, ...]:
        """A shape, the last axis first.

        Raises:
            FileFormatError: if it has impossibly many axes.
        """
        rank = self._number("<I")
        if rank > MAX_RANK:
            raise FileFormatError(f"a shape has more than {MAX_RANK} axes; the file is damaged")
        return struct.unpack(f"<{rank}I", self.take(4 * rank))

    def flags(self) -> tuple[bool, ...]:
        """Flags, one an axis.

        Raises:
            FileFormatError: if they are more than any tensor has axes.
        """
        count = self.size()
        if count > MAX_RANK:
            raise FileFormatError(
                f"there are {count} flags, and no tensor has so many axes; the file is damaged"
            )
        return tuple(self.flag() for _ in range(count))

    def wholes(self) -> tuple[int, ...]:
        """Signed numbers of 32 bits, their count before them."""
        count = self.whole()
        if not 0 <= count <= MAX_RANK:
            raise FileFormatError(f"a list says that it has {count} elements; the file is damaged")
        return struct.unpack(f"<{count}i", self.take(4 * count))

    def sizes(self) -> tuple[int, ...]:
        """Unsigned numbers of 64 bits, their count before them."""
        count = self.size()
        if 8 * count > self.left:
            raise FileFormatError(
                "a list is longer than the file; the file is cut short or damaged"
            )
        return struct.unpack(f"<{count}Q", self.take(8 * count))

    def matrix(self) -> np.ndarray:
        """A matrix in the node's own format, as an array of its columns.

        Raises:
            FileFormatError: if it is stored sparsely, is of another format, or ends too early.
        """
        if self.take(1) != _DENSE:
            raise FileFormatError(
                "it holds a matrix in sparse storage, which cannot be read; save it with dense "
                "values"
            )
        self.expect("BMAT")
        itemsize = self.size()
        self.text()
        order, rows, columns = self.whole(), self.size(), self.size()
        if itemsize != self.format.itemsize or order != _BY_COLUMNS:
            raise FileFormatError(
                "a matrix is of another number format or order than the file says; the file is "
                "damaged"
            )
        elements = np.frombuffer(self.take(rows * columns * itemsize), self.format)
        self.expect("EMAT")
        return elements.reshape(columns, rows)


class Writer:
    """A file being written: its parts in order. Matrices stay where they are until then.

    Args:
        format: the number format of all nodes, 'float' or 'double'.
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
        """Add an unsigned number of 64 bits."""
        self._number("<Q", value)

    def long(self, value: int) -> None:
        """Add a signed number of 64 bits."""
        self._number("<q", value)

    def whole(self, value: int) -> None:
        """Add a signed number of 32 bits."""
        self._number("<i", value)

    def single(self, value: float) -> None:
        """Add a number of 32 bits with a fraction."""
        self._number("<f", value)

    def double(self, value: float) -> None:
        """Add a number of 64 bits with a fraction."""
        self._number("<d", value)

    def element(self, value: float) -> None:
        """Add a number in the nodes' own format."""
        self._number("<f" if self.format == "float" else "<d", value)

    def flag(self, value: bool) -> None:
        """Add a flag of one byte."""
        self._parts.append(b"\1" if value else b"\0")

    def text(self, value: str) -> None:
        """Add a text, or a mark.

        Raises:
            FileFormatError: if it is too long, or has a zero in it, which ends texts.
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
        """Add flags, one an axis."""
        self.size(len(value))
        for one in value:
            self.flag(one)

    def wholes(self, value: Sequence[int]) -> None:
        """Add signed numbers of 32 bits, their count before them."""
        for number in (len(value), *value):
            self.whole(number)

    def sizes(self, value: Sequence[int]) -> None:
        """Add unsigned numbers of 64 bits, their count before them."""
        for number in (len(value), *value):
            self.size(number)

    def texts(self, value: Sequence[str]) -> None:
        """Add texts, their count before them."""
        self.size(len(value))
        for one in value:
            self.text(one)

    def matrix(self, value: np.ndarray) -> None:
        """Add an array as a matrix: its last axis along the columns, all others across."""
        elements = np.ascontiguousarray(value).astype(FORMATS[self.format], copy=False).reshape(-1)
        rows = value.shape[-1] if value.ndim else 1
        self._parts.append(_DENSE)
        self.text("BMAT")
        self.size(elements.itemsize)
        self.text("unnamed")
        self.whole(_BY_COLUMNS)
        self.size(rows)
        self.size(math.prod(value.shape[:-1]))
        if elements.size:
            self._parts.append(elements.data.cast("B"))
        self.text("EMAT")

    def write(self, file: IO[bytes]) -> None:
        """Write it to a file."""
        for part in self.parts():
            file.write(part)

    def parts(self) -> Iterable[Data]:
        """What is to be written, in order."""
        return self._parts
