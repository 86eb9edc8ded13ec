"""Layout of the CNTK binary format (CBF): reads and writes the directory at the end of a file.

A file is the magic number ``nib_ktnc``, a version, chunks, a directory, and the directory's
offset. All numbers are little-endian. A chunk begins with the number of samples of each of its
sequences. Then each stream has, sequence by sequence, the number of samples and the samples. A
sparse sequence has the numbers of its samples and of its entries, then all values, all columns, and
the number of entries of each sample.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from cntk.errors import DataError
from cntk.io._text.listed_names import LONGEST, shortened

MAGIC = b"nib_ktnc"
VERSION = 1
BEGIN = len(MAGIC) + 4
"""Offset of the first chunk."""
WORD = 4
"""Bytes of a word; everything within a chunk is a multiple of it."""
_TYPES = (np.dtype("<f4"), np.dtype("<f8"))
_FORMATS = ("dense", "sparse")
# The most streams of a file, since each costs time in every minibatch.
_STREAMS = 1 << 12
_ENTRY = np.dtype([("offset", "<i8"), ("sequences", "<u4"), ("samples", "<u4")])


@dataclass(frozen=True)
class BinaryStream:
    """Description of a stream in a file.

    Attributes:
        name: its name.
        is_sparse: whether samples are stored as columns and values.
        dtype: dtype of its elements.
        width: number of elements of one sample.
    """

    name: str
    is_sparse: bool
    dtype: np.dtype
    width: int


@dataclass(frozen=True)
class BinaryChunk:
    """Entry of a chunk in the directory.

    Attributes:
        begin: offset of its first byte.
        end: offset behind its last byte.
        sequences: number of sequences.
        samples: number of samples of all sequences together.
    """

    begin: int
    end: int
    sequences: int
    samples: int


@dataclass(frozen=True)
class Directory:
    """Directory of a file.

    Attributes:
        streams: its streams in their order.
        chunks: its chunks in their order.
    """

    streams: tuple[BinaryStream, ...]
    chunks: tuple[BinaryChunk, ...]


def bad(file: str, byte: int, reason: str) -> DataError:
    """Return an error that names the file and the offset of the malformed byte."""
    return DataError(f"{file}, byte {byte}: {reason}")


def read_directory(file: str, opened: BinaryIO) -> Directory:
    """Read and check the directory of a file.

    Args:
        file: path of the file, for errors.
        opened: the file, opened to read bytes.

    Raises:
        DataError: if it is not a CBF file, is truncated, or contradicts itself.
    """
    size = opened.seek(0, os.SEEK_END)
    if not size:
        raise DataError(f"{file}: the file cannot be opened: it is empty")
    opened.seek(0)
    head = opened.read(BEGIN)
    if head[: len(MAGIC)] != MAGIC:
        raise bad(
            file, 0, f"expected a file in the CNTK binary format, which begins with {MAGIC!r}"
        )
    if size < BEGIN + len(MAGIC) + 16:
        raise bad(file, size, "the file is truncated")
    (version,) = struct.unpack("<I", head[len(MAGIC) :])
    if version != VERSION:
        raise bad(file, len(MAGIC), f"expected version {VERSION} of the format, got {version}")
    opened.seek(size - 8)
    (begin,) = struct.unpack("<q", opened.read(8))
    if not BEGIN <= begin <= size - 8 - len(MAGIC) - 8:
        raise bad(
            file,
            size - 8,
            f"expected the offset of the directory, got {begin} of {size} bytes; is it truncated?",
        )
    opened.seek(begin)
    cursor = _Cursor(file, begin, opened.read(size - 8 - begin))
    if cursor.take(len(MAGIC), "the directory") != MAGIC:
        raise bad(file, begin, f"expected the directory, which begins with {MAGIC!r}")
    chunks, streams = struct.unpack("<II", cursor.take(8, "how many chunks and streams there are"))
    if not chunks or not streams:
        raise bad(
            file,
            begin + len(MAGIC),
            f"the file is empty: it has {chunks} chunks and {streams} streams",
        )
    if streams > _STREAMS:
        raise bad(
            file, begin + len(MAGIC) + 4, f"expected up to {_STREAMS:,} streams, got {streams:,}"
        )
    by_name: dict[str, BinaryStream] = {}
    for _ in range(streams):
        stream = _stream(cursor)
        if stream.name in by_name:
            raise bad(file, cursor.offset, f"a second stream is named '{shortened(stream.name)}'")
        by_name[stream.name] = stream
    table = np.frombuffer(
        cursor.take(chunks * _ENTRY.itemsize, f"the offsets of {chunks} chunks"), _ENTRY
    )
    if cursor.left:
        raise bad(file, cursor.offset, f"the directory ends here, and {cursor.left} bytes follow")
    return Directory(
        tuple(by_name.values()), _chunks(file, begin, table, cursor.offset - table.nbytes)
    )


class _Cursor:
    def __init__(self, file: str, begin: int, data: bytes) -> None:
        self.file, self._begin, self._data, self._at = file, begin, data, 0

    @property
    def offset(self) -> int:
        return self._begin + self._at

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def take(self, count: int, what: str) -> bytes:
        if count > self.left:
            raise bad(
                self.file,
                self.offset,
                f"expected {what} ({count} bytes), and the directory has {self.left} left",
            )
        self._at += count
        return self._data[self._at - count : self._at]


def _stream(cursor: _Cursor) -> BinaryStream:
    at = cursor.offset
    storage, length = struct.unpack("<BI", cursor.take(5, "a stream"))
    if storage >= len(_FORMATS):
        raise bad(cursor.file, at, f"expected 0 (dense) or 1 (sparse), got {storage}")
    try:
        name = cursor.take(length, "a stream's name")
        if length > LONGEST:
            raise bad(
                cursor.file,
                at + 1,
                f"expected a stream's name of up to {LONGEST:,} bytes, got {length:,}",
            )
        text = name.decode()
    except UnicodeDecodeError:
        raise bad(cursor.file, at + 5, "expected a stream's name in UTF-8") from None
    kind, width = struct.unpack("<BI", cursor.take(5, "a stream's dtype and width"))
    if kind >= len(_TYPES):
        raise bad(cursor.file, cursor.offset - 5, f"expected 0 (float) or 1 (double), got {kind}")
    if not 0 < width < 1 << 31:
        raise bad(
            cursor.file,
            cursor.offset - 4,
            f"expected the width of stream '{shortened(text)}', got {width}",
        )
    return BinaryStream(text, bool(storage), _TYPES[kind], width)


def _chunks(file: str, end: int, table: np.ndarray, offset: int) -> tuple[BinaryChunk, ...]:
    begins = [*table["offset"].tolist(), end]
    chunks = []
    for k, (sequences, samples) in enumerate(
        zip(table["sequences"].tolist(), table["samples"].tolist(), strict=True)
    ):
        at = offset + k * _ENTRY.itemsize
        if not BEGIN <= begins[k] < begins[k + 1] or (begins[k + 1] - begins[k]) % WORD:
            raise bad(
                file,
                at,
                f"chunk {k} cannot begin at byte {begins[k]}: the next part begins at "
                f"{begins[k + 1]}",
            )
        if not 0 < sequences <= samples or sequences * WORD > begins[k + 1] - begins[k]:
            raise bad(
                file, at + 8, f"chunk {k} of {begins[k + 1] - begins[k]} bytes cannot hold "
                              f"{sequences} sequences of "
                f"{samples} samples"
            )  # fmt: skip
        chunks.append(BinaryChunk(begins[k], begins[k + 1], sequences, samples))
    return tuple(chunks)


def directory_bytes(streams: list[BinaryStream], chunks: list[BinaryChunk], begin: int) -> bytes:
    """Return the directory and its offset, the end of a file.

    Args:
        streams: the file's streams.
        chunks: the file's chunks.
        begin: offset that the directory will have.
    """
    parts = [MAGIC, struct.pack("<II", len(chunks), len(streams))]
    for stream in streams:
        name = stream.name.encode()
        parts.append(struct.pack("<BI", stream.is_sparse, len(name)) + name)
        parts.append(struct.pack("<BI", _TYPES.index(stream.dtype), stream.width))
    table = np.array([(c.begin, c.sequences, c.samples) for c in chunks], _ENTRY)
    return b"".join([*parts, table.tobytes(), struct.pack("<q", begin)])
