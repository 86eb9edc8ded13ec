"""`CBFDeserializer`: the CNTK binary format (CBF), chunks of any number of streams.

`BinaryFile` is the corpus; `cntk.io._binary.layout` reads the file's directory.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, BinaryIO

import numpy as np

from cntk._arguments import as_path
from cntk._graph.variable import as_shape
from cntk._writing.whole_files import opened
from cntk.errors import DataError
from cntk.io._binary.layout import WORD, BinaryChunk, BinaryStream, Directory, bad, read_directory
from cntk.io._corpus.chunk import ChunkInfo, Frames, SparseFrames, StreamChunk
from cntk.io._corpus.streams import StreamConfiguration, StreamInformation, configurations
from cntk.io._text.listed_names import shortened, why

_COPIED_BY_SEQUENCE = 64
"""Mean length in words from which on it is faster to copy sequences of different length one by one.
"""


@dataclass(frozen=True, init=False)
class CBFDeserializer:
    """Deserializer of a file in the CNTK binary format (CBF).

    `text_to_binary` and the original's converter write such files. The file has the names, widths
    and storage formats of its streams; all of them are read. Definitions may give streams other
    names (``field`` is the name in the file) and samples a shape of several axes; the rest of a
    definition is ignored.

    Args:
        filename: the file.
        streams: `StreamDefs`; optional.

    Raises:
        ValueError: if a stream definition has no shape.
        TypeError: if ``streams`` are no stream definitions.

    Example:
        >>> from cntk.io import MinibatchSource, StreamDef, StreamDefs, text_to_binary
        >>> with open("data.ctf", "w") as file:
        ...     print(
        ...         "0 |word 3:1 |tag 1 0",
        ...         "0 |word 2:1 |tag 0 1",
        ...         "1 |word 0:1 |tag 1 0",
        ...         sep=chr(10),
        ...         file=file,
        ...     )
        >>> streams = StreamDefs(
        ...     words=StreamDef("word", 4, is_sparse=True), tags=StreamDef("tag", 2)
        ... )
        >>> text_to_binary("data.ctf", "data.bin", streams)
        >>> source = MinibatchSource(CBFDeserializer("data.bin"), randomize=False)
        >>> source.next_minibatch(3)[source.streams.tags]
        MinibatchData(data=Value([2 x 2 x 2], CPU), samples=3, seqs=2)
    """

    filename: str
    streams: Any

    def __init__(self, filename: str, streams: Any = {}) -> None:  # noqa: B006
        object.__setattr__(self, "filename", filename)
        object.__setattr__(self, "streams", streams)
        as_path(filename, "CBFDeserializer: filename")
        configurations(streams, "CBFDeserializer")

    def open(self, threads: int = 1) -> BinaryFile:
        """Open the file and read its directory.

        Args:
            threads: ignored; one thread reads at the speed of memory.
        """
        if not self.filename:
            raise DataError("CBFDeserializer: no file was given")
        return BinaryFile(str(self.filename), configurations(self.streams, "CBFDeserializer"))


class BinaryFile:
    """Corpus of a CBF file, of which chunks are read one by one.

    Args:
        file: path of the file.
        streams: other names and shapes for streams.
    """

    def __init__(self, file: str, streams: list[StreamConfiguration]) -> None:
        self.file = file
        with self._reading() as start:
            self.directory: Directory = read_directory(file, start)
        self.streams = tuple(
            _information(file, k, s, streams) for k, s in enumerate(self.directory.streams)
        )
        known = {s.name for s in self.directory.streams}
        for stream in streams:
            if not {stream.name, stream.stream_alias} & known:
                raise DataError(
                    f"{file}: the file has no stream '{stream.stream_alias or stream.name}'; it "
                    f"has: {shortened(', '.join(sorted(known)), 400)}"
                )

    @cached_property
    def chunks(self) -> list[ChunkInfo]:
        """Index of each chunk; the key of a sequence is its index in the file."""
        infos, first = [], 0
        with self._reading() as file:
            heads = [self._words(file, chunk, chunk.sequences) for chunk in self.directory.chunks]
        for chunk, head in zip(self.directory.chunks, heads, strict=True):
            lengths = head.astype(np.int64)
            if not lengths.all() or lengths.sum() != chunk.samples:
                raise bad(
                    self.file, chunk.begin, f"expected the lengths of {chunk.sequences} sequences, "
                                            f"{chunk.samples} in all"
                )  # fmt: skip
            infos.append(ChunkInfo(np.arange(first, first + chunk.sequences), lengths))
            first += chunk.sequences
        return infos

    def load(self, chunk: int) -> tuple[StreamChunk, ...]:
        """Read a chunk.

        Raises:
            DataError: if the chunk contradicts itself.
        """
        entry = self.directory.chunks[chunk]
        lengths = self.chunks[chunk].lengths
        with self._reading() as file:
            words = self._words(file, entry, (entry.end - entry.begin) // WORD)
        at, longest, parts = len(lengths), np.zeros(len(lengths), np.int64), []
        for stream, info in zip(self.directory.streams, self.streams, strict=True):
            read = _read_sparse if stream.is_sparse else _read_dense
            part, at = read(_Part(self.file, entry.begin, words, stream, lengths), at)
            longest = np.maximum(longest, np.diff(part.ends))
            frames = (
                part.frames.reshape(-1, *info.sample_shape)
                if isinstance(part.frames, np.ndarray)
                else part.frames
            )
            parts.append(StreamChunk(frames, part.ends))
        if at != len(words):
            raise bad(
                self.file,
                entry.begin + at * WORD,
                f"the chunk should end here; {len(words) - at} words are left",
            )
        wrong = np.flatnonzero(longest != lengths)
        if len(wrong):
            k = int(wrong[0])
            raise bad(
                self.file, entry.begin + k * WORD, f"sequence {k} of the chunk is said to have "
                                                   f"{lengths[k]} samples, and its "
                f"longest stream has {longest[k]}"
            )  # fmt: skip
        return tuple(parts)

    @contextmanager
    def _reading(self) -> Iterator[BinaryIO]:
        # Open only while it is read, since an open file cannot be replaced on Windows; and not
        # memory-mapped, since truncating a mapped file crashes its readers.
        try:
            with opened(self.file) as file:
                yield file
        except OSError as error:
            raise DataError(
                f"{self.file}: the file cannot be opened: {why(error, self.file)}"
            ) from None

    def _words(self, file: BinaryIO, chunk: BinaryChunk, count: int) -> np.ndarray:
        """Read the first words of a chunk as uint32."""
        file.seek(chunk.begin)
        words = np.fromfile(file, "<u4", count)
        if len(words) < count:
            raise bad(
                self.file,
                chunk.begin + len(words) * WORD,
                "the file ends here; it has changed since it was opened",
            )
        return words


def _information(
    file: str, number: int, stream: BinaryStream, configured: list[StreamConfiguration]
) -> StreamInformation:
    """Describe a stream under its name in the program."""
    named = [c for c in configured if (c.stream_alias or c.name) == stream.name]
    named = named or [c for c in configured if c.name == stream.name]
    if len(named) > 1:
        raise DataError(
            f"{file}: several streams are to be read from '{stream.name}': {named[0].name}, "
            f"{named[1].name}"
        )
    shape: tuple[int, ...] = (stream.width,)
    if named and int(np.prod(as_shape(named[0].dim))) == stream.width:
        shape = as_shape(named[0].dim)
    name = named[0].name if named else stream.name
    return StreamInformation(
        name, number, "sparse" if stream.is_sparse else "dense", stream.dtype, shape
    )


@dataclass(frozen=True)
class _Part:
    """Chunk from which a stream is read.

    Attributes:
        file: path of the file.
        begin: offset of the chunk in bytes.
        words: the chunk's words, uint32.
        stream: the stream that is read.
        lengths: number of samples of each sequence, from the head of the chunk.
    """

    file: str
    begin: int
    words: np.ndarray
    stream: BinaryStream
    lengths: np.ndarray

    @property
    def numbers(self) -> int:
        """Number of words of one element."""
        return self.stream.dtype.itemsize // WORD

    def bad(self, at: int, reason: str) -> DataError:
        return bad(
            self.file, self.begin + at * WORD, f"stream '{shortened(self.stream.name)}': {reason}"
        )

    def need(self, at: int, words: int, what: str) -> None:
        if words > len(self.words) - at:
            raise self.bad(
                at,
                f"expected {what}, {words * WORD} bytes, and the chunk has "
                f"{(len(self.words) - at) * WORD} left",
            )


def _read_dense(part: _Part, at: int) -> tuple[StreamChunk, int]:
    """Read a dense stream from word ``at`` on; return it and the index of the word behind it."""
    width = part.stream.width * part.numbers
    lengths = part.lengths
    # Limited by what the chunk can have, so that forged lengths do not overflow int64.
    room = (len(part.words) - at) // width
    heads = _heads(at, np.minimum(lengths, room + 1), width)
    if not _are_at(part, heads, lengths):
        # A sequence is shorter than in the longest stream: try one sample for each sequence.
        lengths = np.ones(len(lengths), np.int64)
        heads = _heads(at, lengths, width)
        if not _are_at(part, heads, lengths):
            heads, lengths = _walk(part, at, width)
    words = _without_heads(part.words, heads)
    return StreamChunk(
        words.view(part.stream.dtype).reshape(-1, part.stream.width), _ends(lengths)
    ), int(heads[-1])


def _heads(at: int, lengths: np.ndarray, width: int) -> np.ndarray:
    """Return the indices of the words with which sequences begin (their numbers of samples).

    The last index is the end of the last sequence.
    """
    return at + _ends(1 + lengths * width)


def _are_at(part: _Part, heads: np.ndarray, lengths: np.ndarray) -> bool:
    return bool(heads[-1] <= len(part.words) and (part.words[heads[:-1]] == lengths).all())


def _ends(counts: np.ndarray) -> np.ndarray:
    ends = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=ends[1:])
    return ends


def _walk(part: _Part, at: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    lengths = np.zeros(len(part.lengths), np.int64)
    begin = at
    for k in range(len(lengths)):
        part.need(at, 1, f"the number of samples of sequence {k} of the chunk")
        lengths[k] = count = int(part.words[at])
        if not 0 < count <= part.lengths[k]:
            raise part.bad(
                at,
                f"sequence {k} of the chunk has {count} samples; from 1 to {part.lengths[k]} were "
                f"expected",
            )
        part.need(at + 1, count * width, f"{count} samples")
        at += 1 + count * width
    return _heads(begin, lengths, width), lengths


def _without_heads(words: np.ndarray, heads: np.ndarray) -> np.ndarray:
    """Concatenate the elements of all sequences, without the words at ``heads``."""
    lengths = np.diff(heads)
    if (lengths == lengths[0]).all():
        return np.ascontiguousarray(
            words[heads[0] : heads[-1]].reshape(len(lengths), lengths[0])[:, 1:]
        ).reshape(-1)
    if len(words) >= _COPIED_BY_SEQUENCE * len(lengths):
        edges = heads.tolist()
        return np.concatenate([words[a + 1 : b] for a, b in zip(edges, edges[1:], strict=False)])
    keep = np.ones(heads[-1] - heads[0], bool)
    keep[heads[:-1] - heads[0]] = False
    return words[heads[0] : heads[-1]][keep]


def _read_sparse(part: _Part, at: int) -> tuple[StreamChunk, int]:
    """Read a sparse stream from word ``at`` on; return it and the index of the word behind it."""
    values, column_parts, entries = [], [], []
    for k, most in enumerate(part.lengths.tolist()):
        part.need(at, 2, f"the numbers of samples and entries of sequence {k} of the chunk")
        samples, count = int(part.words[at]), int(part.words[at + 1])
        if not 0 < samples <= most:
            raise part.bad(
                at,
                f"sequence {k} of the chunk has {samples} samples; from 1 to {most} were expected",
            )
        part.need(
            at + 2, count * (part.numbers + 1) + samples, f"{count} entries of {samples} samples"
        )
        middle = at + 2 + count * part.numbers
        values.append(part.words[at + 2 : middle])
        column_parts.append(part.words[middle : middle + count])
        at = middle + count + samples
        entries.append(part.words[at - samples : at])
        if int(entries[-1].sum(dtype=np.int64)) != count:
            raise part.bad(
                at - samples,
                f"the samples of sequence {k} of the chunk should have {count} entries in all",
            )
    columns = np.concatenate(column_parts)
    if len(columns) and columns.max() >= part.stream.width:
        raise part.bad(
            0, f"column {columns.max()} is out of range, the stream has {part.stream.width} columns"
        )
    lengths = np.array([len(e) for e in entries], np.int64)
    numbers = np.concatenate(values).view(part.stream.dtype)
    frames: Frames = SparseFrames(_ends(np.concatenate(entries)), columns.astype(np.int64), numbers)
    return StreamChunk(frames, _ends(lengths)), at
