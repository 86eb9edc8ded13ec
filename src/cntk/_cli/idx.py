"""Reader of idx files, the format of MNIST: a magic number, the sizes of the axes, then one
unsigned byte per element.

A file is not trusted. The sizes in its header are compared with the size of the file before memory
is allocated. Of a compressed file no more is unpacked than the header says and compression can
possibly have packed into it. LeCun, Cortes, Burges: "The MNIST database of handwritten digits"
describes the format.
"""

from __future__ import annotations

import gzip
import io
import math
import struct
import zlib
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from cntk._writing.whole_files import opened

UNSIGNED_BYTE = 0x08
OTHER_TYPES = {0x09: "int8", 0x0B: "int16", 0x0C: "int32", 0x0D: "float32", 0x0E: "float64"}
GZIP_MAGIC = b"\x1f\x8b"
LARGEST_GZIP_RATIO = 1032
"""A byte of deflated data stands for at most this many; a header that claims more is a lie."""
LARGEST_CONTENT = 1 << 30
"""Bytes of elements that are read at the most, 1 GiB: twenty times MNIST."""


class IdxError(ValueError):
    """The file is not a valid idx file. The message is for people and names the file."""


def read_idx(path: Path, rank: int) -> NDArray[np.uint8]:
    """Read all elements of an idx file of unsigned bytes.

    Args:
        path: the file, plain or compressed with gzip (its first bytes tell, not its name).
        rank: how many axes it must have: 3 for images (count, rows, columns), 1 for labels.

    Returns:
        An array of that rank.

    Raises:
        IdxError: the file is of another kind, truncated, longer than it says, or unreasonably
            large.
        OSError: the file cannot be opened or read.
    """
    with cast(io.BufferedReader, opened(path)) as file:
        compressed = file.read(len(GZIP_MAGIC)) == GZIP_MAGIC
        size = file.seek(0, 2)
        file.seek(0)
        if not compressed:
            return _read(file, path, rank, most=size)
        try:
            with gzip.GzipFile(fileobj=file, mode="rb") as unpacked:
                return _read(unpacked, path, rank, most=size * LARGEST_GZIP_RATIO)
        except EOFError:
            raise IdxError(f"{path}: truncated: the compressed data end early") from None
        except (gzip.BadGzipFile, zlib.error) as error:
            raise IdxError(f"{path}: the compressed data are damaged ({error})") from None


def _read(file: io.BufferedIOBase, path: Path, rank: int, most: int) -> NDArray[np.uint8]:
    """Read header and elements from an open file that cannot hold more than `most` bytes."""
    shape = _read_shape(file, path, rank)
    header, count = 4 + 4 * rank, math.prod(shape)
    told = " x ".join(map(str, shape))
    if count > LARGEST_CONTENT:
        raise IdxError(
            f"{path}: its header says {told}, {count:,} bytes; more than {LARGEST_CONTENT:,} are "
            f"not read"
        )
    if header + count > most:
        raise IdxError(
            f"{path}: truncated: its header says {told}, {count:,} bytes, and the file cannot hold "
            f"as many"
        )
    content = np.empty(count, np.uint8)
    filled, view = 0, content.data
    while filled < count:
        got = file.readinto(view[filled : filled + (1 << 20)])
        if not got:
            raise IdxError(
                f"{path}: truncated: its header says {told}, {count:,} bytes, and only {filled:,} "
                f"are there"
            )
        filled += got
    if file.read(1):
        raise IdxError(f"{path}: goes on after the {told} elements that its header speaks of")
    return content.reshape(shape)


def _read_shape(file: io.BufferedIOBase, path: Path, rank: int) -> tuple[int, ...]:
    """Check the magic number (two zero bytes, the type, the rank) and read the size of each
    axis.
    """
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in {UNSIGNED_BYTE, *OTHER_TYPES}:
        raise IdxError(
            f"{path}: not an idx file (it begins with {_hex(magic)}, expected {_hex(_magic(rank))})"
        )
    if magic[2] != UNSIGNED_BYTE:
        raise IdxError(f"{path}: holds {OTHER_TYPES[magic[2]]}, expected unsigned bytes")
    if magic[3] != rank:
        raise IdxError(
            f"{path}: has {magic[3]} axes, expected {rank} ({'images' if rank == 3 else 'labels'})"
        )
    sizes = file.read(4 * rank)
    if len(sizes) < 4 * rank:
        raise IdxError(f"{path}: truncated within its header")
    return struct.unpack(f">{rank}I", sizes)


def _magic(rank: int) -> bytes:
    return bytes([0, 0, UNSIGNED_BYTE, rank])


def _hex(data: bytes) -> str:
    return data.hex(" ") or "nothing"
