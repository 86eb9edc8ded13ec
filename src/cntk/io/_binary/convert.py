"""Converts files between the CNTK text and binary formats, in both directions, chunk by chunk.

An addition: the original has a script for one direction.
"""

from __future__ import annotations

from typing import IO, Any

import numpy as np

from cntk._graph.variable import as_dtype
from cntk._writing.whole_files import opened, replacing
from cntk.errors import DataError
from cntk.io._binary.deserializer import BinaryFile
from cntk.io._binary.layout import MAGIC, VERSION, BinaryChunk, BinaryStream, directory_bytes
from cntk.io._corpus.chunk import SparseFrames, StreamChunk
from cntk.io._corpus.streams import StreamConfiguration, configurations
from cntk.io._text.deserializer import CHUNK_BYTES, TextFile


def text_to_binary(
    text_file: str,
    binary_file: str,
    streams: Any,
    dtype: Any = np.float32,
    chunk_bytes: int = CHUNK_BYTES,
) -> None:
    """Convert a file in the CNTK text format to one in the binary format.

    `CBFDeserializer` and the original read it. The binary format has no sequence ids: sequences
    are numbered in their order. A chunk of the text file becomes a chunk of the binary file, so
    that both are shuffled alike.

    Args:
        text_file: path of the file to read.
        binary_file: path of the file to write; an error leaves it as it was.
        streams: the streams to convert, `StreamDefs`; their names are those in the binary file.
        dtype: dtype in the binary file, float32 or float64. The original reads float32 only.
        chunk_bytes: how many bytes of text make a chunk, which is read at once.

    Raises:
        ValueError: if the text is malformed, or lacks a stream.

    Example:
        >>> from cntk.io import StreamDef, StreamDefs
        >>> with open("data.ctf", "w") as file:
        ...     print("|x 1 2 |y 0", "|x 3 4 |y 1", sep=chr(10), file=file)
        >>> text_to_binary(
        ...     "data.ctf",
        ...     "data.bin",
        ...     StreamDefs(features=StreamDef("x", 2), label=StreamDef("y", 1)),
        ... )
        >>> binary_to_text("data.bin", "again.ctf")
        >>> print(open("again.ctf").read())
        0	|features 1.0 2.0 |label 0.0
        1	|features 3.0 4.0 |label 1.0
    """
    configured = configurations(streams, "text_to_binary")
    number = as_dtype(dtype)
    if number not in (np.float32, np.float64):
        raise ValueError(f"text_to_binary: dtype must be float32 or float64, got {dtype!r}")
    if not configured:
        raise DataError(f"text_to_binary: no streams of {text_file} were given")
    text = TextFile(str(text_file), configured, chunk_bytes=chunk_bytes, dtype=number)
    described = [
        BinaryStream(i.name, i.is_sparse, np.dtype(number).newbyteorder("<"), i.width)
        for i in text.streams
    ]
    with replacing(binary_file, "text_to_binary") as out:
        out.write(MAGIC + VERSION.to_bytes(4, "little"))
        chunks = []
        for k in range(len(text.chunks)):
            begin = out.tell()
            lengths = _write_chunk(out, described, text.load(k))
            chunks.append(BinaryChunk(begin, out.tell(), len(lengths), int(lengths.sum())))
        out.write(directory_bytes(described, chunks, out.tell()))


def binary_to_text(binary_file: str, text_file: str) -> None:
    """Convert a file in the CNTK binary format to one in the text format.

    Reading the text yields exactly the same numbers. The id of a sequence is its index.

    Args:
        binary_file: path of the file to read.
        text_file: path of the file to write; an error leaves it as it was.

    Raises:
        ValueError: if the file is damaged, or has what the text format cannot express: infinities,
            or names with spaces or ``|``.
    """
    source = BinaryFile(str(binary_file), [])
    names = [s.name for s in source.directory.streams]
    for name in names:
        if not name or any(c in name for c in "| \t\r\n:#"):
            raise DataError(f"{binary_file}: the text format cannot hold a stream named {name!r}")
    with replacing(text_file, "binary_to_text") as out:
        first = 0
        for k, info in enumerate(source.chunks):
            parts = [
                _texts(str(binary_file), name, part)
                for name, part in zip(names, source.load(k), strict=True)
            ]
            for sequence in range(len(info.keys)):
                here = [
                    (f"|{name} ", part[sequence]) for name, part in zip(names, parts, strict=True)
                ]
                for row in range(max(len(samples) for _, samples in here)):
                    fields = " ".join(
                        field + samples[row] for field, samples in here if row < len(samples)
                    )
                    out.write(f"{first + sequence}\t{fields}\n".encode())
            first += len(info.keys)


def is_binary(file: str) -> bool:
    """Return whether a file begins like one in the binary format."""
    with opened(file) as start:
        return start.read(len(MAGIC)) == MAGIC


def header_streams(lines: list[str]) -> list[StreamConfiguration]:
    """Parse streams as the original's converter is told of them.

    Args:
        lines: ``name alias dense|sparse width``: the name in the binary file, the name in the text
            file, the storage format, and the number of elements of a sample.

    Raises:
        ValueError: if a line is anything else.

    Example:
        >>> header_streams(["features F dense 784"])
        [StreamConfiguration(name='features', dim=784, ...)]
    """
    streams = []
    for line in filter(str.strip, lines):
        words = line.split()
        if len(words) != 4 or words[2] not in ("dense", "sparse") or not words[3].isdecimal():
            raise DataError(
                f"expected 'name alias dense|sparse width' for a stream, got {line.strip()!r}"
            )
        streams.append(StreamConfiguration(words[0], int(words[3]), words[2] == "sparse", words[1]))
    return streams


def _write_chunk(
    out: IO[bytes], streams: list[BinaryStream], parts: tuple[StreamChunk, ...]
) -> np.ndarray:
    lengths: np.ndarray = np.max([np.diff(p.ends) for p in parts], axis=0)
    out.write(lengths.astype("<u4").tobytes())
    for stream, part in zip(streams, parts, strict=True):
        ends = part.ends.tolist()
        for begin, end in zip(ends, ends[1:], strict=False):
            out.write((end - begin).to_bytes(4, "little"))
            if isinstance(part.frames, SparseFrames):
                offsets = part.frames.offsets[begin : end + 1]
                first, last = int(offsets[0]), int(offsets[-1])
                out.write((last - first).to_bytes(4, "little"))
                out.write(part.frames.values[first:last].astype(stream.dtype).tobytes())
                out.write(part.frames.columns[first:last].astype("<u4").tobytes())
                out.write(np.diff(offsets).astype("<u4").tobytes())
            else:
                out.write(part.frames[begin:end].astype(stream.dtype).tobytes())
    return lengths


def _texts(file: str, name: str, part: StreamChunk) -> list[list[str]]:
    """Return the text of each sample, by sequence."""
    numbers = part.frames.values if isinstance(part.frames, SparseFrames) else part.frames
    if not np.isfinite(numbers).all():
        raise DataError(
            f"{file}, stream '{name}': the text format has no infinities and no NaN, and the file "
            f"has some"
        )
    if isinstance(part.frames, SparseFrames):
        entries = [
            f"{c}:{v}" for c, v in zip(part.frames.columns.tolist(), map(str, numbers), strict=True)
        ]
        offsets = part.frames.offsets.tolist()
        rows = [" ".join(entries[a:b]) for a, b in zip(offsets, offsets[1:], strict=False)]
    else:
        rows = [" ".join(map(str, row)) for row in numbers]
    ends = part.ends.tolist()
    return [rows[a:b] for a, b in zip(ends, ends[1:], strict=False)]
