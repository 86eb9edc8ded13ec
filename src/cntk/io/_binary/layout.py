"""The CNTK binary format: what a file says of itself at its end, and how that is written.

A file is ``nib_ktnc``, a version, chunks, a directory, and the directory's place. All numbers are
little-endian. A chunk begins with the samples of each of its sequences; then each stream has,
sequence by sequence, its number of samples and their numbers. A sparse sequence has its samples,
its entries, then all values, all columns, and the entries of each sample.
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
"""Where the first chunk begins."""
WORD = 4
"""Bytes that everything within a chunk is a multiple of."""
_TYPES = (np.dtype("<f4"), np.dtype("<f8"))
_FORMATS = ("dense", "sparse")
# Each is a part of every minibatch.
_STREAMS = 1 << 12
_ENTRY = np.dtype([("offset", "<i8"), ("sequences", "<u4"), ("samples", "<u4")])


@dataclass(frozen=True)
class BinaryStream:
    """A stream as a file describes it.

    Attributes:
        name: its name.
        is_sparse: whether only some columns are stored.
        dtype: format of its numbers.
        width: numbers in one sample.
    """

    name: str
    is_sparse: bool
    dtype: np.dtype
    width: int


@dataclass(frozen=True)
class BinaryChunk:
    """Where a chunk lies in its file, and what it holds.

    Attributes:
        begin: its first byte.
        end: the first byte behind it.
        sequences: how many sequences it has.
        samples: how many samples they have.
    """

    begin: int
    end: int
    sequences: int
    samples: int


@dataclass(frozen=True)
class Directory:
    """What a file holds.

    Attributes:
        streams: its streams in their order.
        chunks: its chunks in their order.
    """

    streams: tuple[BinaryStream, ...]
    chunks: tuple[BinaryChunk, ...]


def bad(file: str, byte: int, reason: str) -> DataError:
    """The error for a file that is not what it should be."""
    return DataError(f"{file}, byte {byte}: {reason}")


def read_directory(file: str, opened: BinaryIO) -> Directory:
    """What a file holds, by its own account; nothing beyond that account is believed.

    Args:
        file: the file's name, for errors.
        opened: the file, opened to read bytes.

    Raises:
        DataError: if it is no such file, is truncated, or contradicts itself.
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
            f"expected the place of the directory, got {begin} of {size} bytes; is it truncated?",
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
    found: dict[str, BinaryStream] = {}
    for _ in range(streams):
        stream = _stream(cursor)
        if stream.name in found:
            raise bad(file, cursor.place, f"a second stream is named '{shortened(stream.name)}'")
        found[stream.name] = stream
    table = np.frombuffer(
        cursor.take(chunks * _ENTRY.itemsize, f"the places of {chunks} chunks"), _ENTRY
    )
    if cursor.left:
        raise bad(file, cursor.place, f"the directory ends here, and {cursor.left} bytes follow")
    return Directory(
        tuple(found.values()), _chunks(file, begin, table, cursor.place - table.nbytes)
    )


class _Cursor:
    def __init__(self, file: str, begin: int, data: bytes) -> None:
        self.file, self._begin, self._data, self._at = file, begin, data, 0

    @property
    def place(self) -> int:
        return self._begin + self._at

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def take(self, count: int, what: str) -> bytes:
        if count > self.left:
            raise bad(
                self.file,
                self.place,
                f"expected {what} ({count} bytes), and the directory has {self.left} left",
            )
        self._at += count
        return self._data[self._at - count : self._at]


def _stream(cursor: _Cursor) -> BinaryStream:
    at = cursor.place
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
    kind, width = struct.unpack("<BI", cursor.take(5, "a stream's number format and width"))
    if kind >= len(_TYPES):
        raise bad(cursor.file, cursor.place - 5, f"expected 0 (float) or 1 (double), got {kind}")
    if not 0 < width < 1 << 31:
        raise bad(
            cursor.file,
            cursor.place - 4,
            f"expected the width of stream '{shortened(text)}', got {width}",
        )
    return BinaryStream(text, bool(storage), _TYPES[kind], width)


def _chunks(file: str, end: int, table: np.ndarray, place: int) -> tuple[BinaryChunk, ...]:
    begins = [*table["offset"].tolist(), end]
    found = []
    for k, (sequences, samples) in enumerate(
        zip(table["sequences"].tolist(), table["samples"].tolist(), strict=True)
    ):
        at = place + k * _ENTRY.itemsize
        if not BEGIN <= begins[k] < begins[k + 1] or (begins[k + 1] - begins[k]) % WORD:
            raise bad(
                file,
                at,
                f"chunk {k} cannot lie at byte {begins[k]}: the next part begins at "
                f"{begins[k + 1]}",
            )
        if not 0 < sequences <= samples or sequences * WORD > begins[k + 1] - begins[k]:
            raise bad(
                file, at + 8, f"chunk {k} of {begins[k + 1] - begins[k]} bytes cannot hold "
                              f"{sequences} sequences of "
                f"{samples} samples"
            )  # fmt: skip
        found.append(BinaryChunk(begins[k], begins[k + 1], sequences, samples))
    return tuple(found)


def directory_bytes(streams: list[BinaryStream], chunks: list[BinaryChunk], begin: int) -> bytes:
    """The end of a file.

    Args:
        streams: its streams.
        chunks: its chunks.
        begin: where this will lie.
    """
    parts = [MAGIC, struct.pack("<II", len(chunks), len(streams))]
    for stream in streams:
        name = stream.name.encode()
        parts.append(struct.pack("<BI", stream.is_sparse, len(name)) + name)
        parts.append(struct.pack("<BI", _TYPES.index(stream.dtype), stream.width))
    table = np.array([(c.begin, c.sequences, c.samples) for c in chunks], _ENTRY)
    return b"".join([*parts, table.tobytes(), struct.pack("<q", begin)])
