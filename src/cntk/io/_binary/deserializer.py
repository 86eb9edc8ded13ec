"""The CNTK binary format: samples and sequences of any number of dense or sparse streams, a chunk
at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, BinaryIO

import numpy as np

from cntk._arguments import as_path
from cntk._files import opened
from cntk._graph.variable import as_shape
from cntk.errors import DataError
from cntk.io._binary.layout import WORD, BinaryChunk, BinaryStream, Directory, bad, read_directory
from cntk.io._corpus.chunk import ChunkInfo, Frames, SparseFrames, StreamChunk
from cntk.io._corpus.streams import StreamConfiguration, StreamInformation, configurations
from cntk.io._text.listed_names import shortened, why

_COPIED_BY_SEQUENCE = 64
"""Words of a sequence from which on sequences of different length are copied one by one, which is
then faster.
"""


@dataclass(frozen=True, init=False)
class CBFDeserializer:
    """Reads a file in the CNTK binary format, as `text_to_binary` and the original's converter
    write it.

    The file itself says which streams it has, of what width and form; all of them are read.
    Definitions give streams other names (``field`` is the name in the file) and samples a shape of
    several axes; what else they say is not needed.

    Args:
        filename: the file.
        streams: `StreamDefs`; none are needed.

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
        """Open the file and find its sequences.

        Args:
            threads: accepted; one thread reads as fast as memory is.
        """
        if not self.filename:
            raise DataError("CBFDeserializer: no file was given")
        return BinaryFile(str(self.filename), configurations(self.streams, "CBFDeserializer"))


class BinaryFile:
    """A file in the binary format. Of its bytes only what is read comes into memory.

    Args:
        file: its name.
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
        for given in streams:
            if not {given.name, given.stream_alias} & known:
                raise DataError(
                    f"{file}: the file has no stream '{given.stream_alias or given.name}'; it has: "
                    f"{shortened(', '.join(sorted(known)), 400)}"
                )

    @cached_property
    def chunks(self) -> list[ChunkInfo]:
        """What the chunks hold; sequences are numbered through the file."""
        found, first = [], 0
        with self._reading() as file:
            heads = [self._words(file, chunk, chunk.sequences) for chunk in self.directory.chunks]
        for chunk, head in zip(self.directory.chunks, heads, strict=True):
            lengths = head.astype(np.int64)
            if not lengths.all() or lengths.sum() != chunk.samples:
                raise bad(
                    self.file, chunk.begin, f"expected the lengths of {chunk.sequences} sequences, "
                                            f"{chunk.samples} in all"
                )  # fmt: skip
            found.append(ChunkInfo(np.arange(first, first + chunk.sequences), lengths))
            first += chunk.sequences
        return found

    def load(self, chunk: int) -> tuple[StreamChunk, ...]:
        """Read a chunk.

        Raises:
            DataError: if it contradicts itself.
        """
        place = self.directory.chunks[chunk]
        lengths = self.chunks[chunk].lengths
        with self._reading() as file:
            words = self._words(file, place, (place.end - place.begin) // WORD)
        at, longest, found = len(lengths), np.zeros(len(lengths), np.int64), []
        for stream, info in zip(self.directory.streams, self.streams, strict=True):
            read = _read_sparse if stream.is_sparse else _read_dense
            part, at = read(_Part(self.file, place.begin, words, stream, lengths), at)
            longest = np.maximum(longest, np.diff(part.ends))
            frames = (
                part.frames.reshape(-1, *info.sample_shape)
                if isinstance(part.frames, np.ndarray)
                else part.frames
            )
            found.append(StreamChunk(frames, part.ends))
        if at != len(words):
            raise bad(
                self.file,
                place.begin + at * WORD,
                f"the chunk should end here; {len(words) - at} words are left",
            )
        wrong = np.flatnonzero(longest != lengths)
        if len(wrong):
            k = int(wrong[0])
            raise bad(
                self.file, place.begin + k * WORD, f"sequence {k} of the chunk is said to have "
                                                   f"{lengths[k]} samples, and its "
                f"longest stream has {longest[k]}"
            )  # fmt: skip
        return tuple(found)

    @contextmanager
    def _reading(self) -> Iterator[BinaryIO]:
        # Not mapped, and open only while it is read: nobody could replace it on Windows, and none
        # should cut it short.
        try:
            with opened(self.file) as file:
                yield file
        except OSError as error:
            raise DataError(
                f"{self.file}: the file cannot be opened: {why(error, self.file)}"
            ) from None

    def _words(self, file: BinaryIO, chunk: BinaryChunk, count: int) -> np.ndarray:
        """The first words of a chunk, as numbers of 32 bits."""
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
    file: str, number: int, stream: BinaryStream, given: list[StreamConfiguration]
) -> StreamInformation:
    """A stream under the name that the program gives it."""
    named = [g for g in given if (g.stream_alias or g.name) == stream.name]
    named = named or [g for g in given if g.name == stream.name]
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
    """A chunk while one of its streams is read: where it is, its words, and samples of each
    sequence as it says.
    """

    file: str
    begin: int
    words: np.ndarray
    stream: BinaryStream
    lengths: np.ndarray

    @property
    def numbers(self) -> int:
        """Words of one number."""
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
    """A dense stream, and behind which word it ends."""
    width = part.stream.width * part.numbers
    lengths = part.lengths
    # What the chunk cannot hold might not fit into 64 bits either.
    room = (len(part.words) - at) // width
    heads = _heads(at, np.minimum(lengths, room + 1), width)
    if not _are_there(part, heads, lengths):
        # Not as long as the longest stream everywhere: one sample for each sequence, perhaps.
        lengths = np.ones(len(lengths), np.int64)
        heads = _heads(at, lengths, width)
        if not _are_there(part, heads, lengths):
            heads, lengths = _walk(part, at, width)
    words = _without_heads(part.words, heads)
    return StreamChunk(
        words.view(part.stream.dtype).reshape(-1, part.stream.width), _ends(lengths)
    ), int(heads[-1])


def _heads(at: int, lengths: np.ndarray, width: int) -> np.ndarray:
    """Where each sequence begins with its number of samples, and where the last one ends."""
    return at + _ends(1 + lengths * width)


def _are_there(part: _Part, heads: np.ndarray, lengths: np.ndarray) -> bool:
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
    """The numbers of all sequences, one after another."""
    lengths = np.diff(heads)
    if (lengths == lengths[0]).all():
        return np.ascontiguousarray(
            words[heads[0] : heads[-1]].reshape(len(lengths), lengths[0])[:, 1:]
        ).reshape(-1)
    if len(words) >= _COPIED_BY_SEQUENCE * len(lengths):
        places = heads.tolist()
        return np.concatenate([words[a + 1 : b] for a, b in zip(places, places[1:], strict=False)])
    keep = np.ones(heads[-1] - heads[0], bool)
    keep[heads[:-1] - heads[0]] = False
    return words[heads[0] : heads[-1]][keep]


def _read_sparse(part: _Part, at: int) -> tuple[StreamChunk, int]:
    """A sparse stream, and behind which word it ends."""
    values, columns, entries = [], [], []
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
        columns.append(part.words[middle : middle + count])
        at = middle + count + samples
        entries.append(part.words[at - samples : at])
        if int(entries[-1].sum(dtype=np.int64)) != count:
            raise part.bad(
                at - samples,
                f"the samples of sequence {k} of the chunk should have {count} entries in all",
            )
    found = np.concatenate(columns)
    if len(found) and found.max() >= part.stream.width:
        raise part.bad(
            0, f"column {found.max()} is out of range, the stream has {part.stream.width} columns"
        )
    lengths = np.array([len(e) for e in entries], np.int64)
    numbers = np.concatenate(values).view(part.stream.dtype)
    frames: Frames = SparseFrames(_ends(np.concatenate(entries)), found.astype(np.int64), numbers)
    return StreamChunk(frames, _ends(lengths)), at
