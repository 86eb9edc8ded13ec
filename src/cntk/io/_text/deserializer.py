"""`CTFDeserializer`: the CNTK text format (CTF), lines of samples of any number of streams.

`TextFile` is the corpus: it reads chunks, or single sequences of a large file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, BinaryIO

import numpy as np

from cntk._arguments import as_path
from cntk._graph.variable import as_shape
from cntk._runtime.reasons import Reasons
from cntk._wording import escaped
from cntk._writing.whole_files import opened
from cntk.errors import DataError
from cntk.io._corpus.chunk import ChunkInfo, Frames, StreamChunk, ends_of, take
from cntk.io._corpus.streams import StreamConfiguration, StreamInformation, configurations
from cntk.io._source.deserializer_options import set_option
from cntk.io._text.blocks import read_text
from cntk.io._text.encoding import windows_bytes
from cntk.io._text.index import FileChunk, index_file
from cntk.io._text.index_file import index_path
from cntk.io._text.lines import Allowance, Field, Lines, Samples

CHUNK_BYTES = 32 << 20
_LOOKED_AT = 1 << 16
_NAME = re.compile(rb"\|([^#\s|][^\s|]*)")
# The chunks of a shuffle window of larger files would take too much memory.
_LARGE = 512 << 20
# Options of the original's configuration, and the least value of each.
_OPTIONS = {"maxErrors": 0, "skipSequenceIds": 0, "chunkSizeInBytes": 1, "cacheIndex": 0}


@dataclass(frozen=True)
class CTFDeserializer:
    """Deserializer of a file in the CNTK text format (CTF).

    A line is ``[id] |name value value ... |name index:value ... |# comment``. Consecutive lines
    with the same id are one sequence; in a file without ids every line is a sequence.

    Args:
        filename: the file.
        streams: its streams, `StreamDefs` of `StreamDef` with ``field``, ``shape`` and
            ``is_sparse``.

    Raises:
        ValueError: if a stream has no shape.
        TypeError: if ``streams`` are no stream definitions.

    Example:
        >>> import os, tempfile
        >>> from cntk.io import MinibatchSource, StreamDef, StreamDefs
        >>> with tempfile.NamedTemporaryFile("w", suffix=".ctf", delete=False) as file:
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
        >>> source = MinibatchSource(CTFDeserializer(file.name, streams), randomize=False)
        >>> source.next_minibatch(3)[source.streams.tags]
        MinibatchData(data=Value([2 x 2 x 2], CPU), samples=3, seqs=2)
        >>> os.remove(file.name)
    """

    filename: str
    streams: Any
    _options: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        as_path(self.filename, "CTFDeserializer: filename")
        configurations(self.streams, "CTFDeserializer")

    def __setitem__(self, option: str, value: Any) -> None:
        """Set an option that has no argument, by its name in the original's configuration.

        Args:
            option: ``'maxErrors'``, how many malformed samples, lines and sequences to skip;
                ``'skipSequenceIds'``, whether every line is a sequence, whatever its id;
                ``'chunkSizeInBytes'``, how much is read at once; or ``'cacheIndex'``, whether to
                save the index of sequences in a file beside this one, for the next time.
            value: an integer or a bool.

        Raises:
            KeyError: for any other option.
            ValueError: for any other value.
        """
        set_option("CTFDeserializer", self._options, _OPTIONS, option, value)

    def open(self, threads: int = 1) -> TextFile:
        """Open the file and index its sequences.

        Args:
            threads: how many parts of a chunk to read at a time.
        """
        if not self.filename:
            raise DataError("CTFDeserializer: no file was given")
        configured = configurations(self.streams, "CTFDeserializer")
        if not configured:
            raise DataError(f"CTFDeserializer: no streams of {self.filename} were given")
        opened = TextFile(
            str(self.filename),
            configured,
            threads,
            self._options.get("chunkSizeInBytes", CHUNK_BYTES),
            skip_ids=bool(self._options.get("skipSequenceIds", False)),
            keep_index=bool(self._options.get("cacheIndex", False)),
        )
        opened.allow(self._options.get("maxErrors", 0))
        return opened


class TextFile:
    """Corpus of a CTF file.

    Args:
        file: path of the file.
        streams: the streams to read.
        threads: how many parts of a chunk to read at a time.
        chunk_bytes: approximate size of a chunk in bytes.
        dtype: dtype of the samples.
        skip_ids: whether every line is a sequence, whatever its id.
        keep_index: whether to save the index of sequences in a file beside this one.

    Attributes:
        reasons: why it is read slowly.
    """

    def __init__(
        self,
        file: str,
        streams: list[StreamConfiguration],
        threads: int = 1,
        chunk_bytes: int = CHUNK_BYTES,
        dtype: Any = np.float32,
        skip_ids: bool = False,
        keep_index: bool = False,
    ) -> None:
        self.file = file
        self.reasons = Reasons(f"{escaped(file)} is read slowly")
        self._allowance = Allowance(0)
        self._threads = threads
        self.streams = tuple(
            StreamInformation(
                s.name,
                k,
                "sparse" if s.is_sparse else "dense",
                dtype,
                as_shape(s.dim),
                s.defines_mb_size,
            )
            for k, s in enumerate(streams)
        )
        self._fields = [
            Field(
                i.name,
                _encode_alias(file, s.stream_alias or s.name),
                i.width,
                i.is_sparse,
                np.dtype(i.dtype),
            )
            for s, i in zip(streams, self.streams, strict=True)
        ]
        aliases = [f.alias for f in self._fields]
        for alias in aliases:
            if aliases.count(alias) > 1:
                raise DataError(
                    f"{file}: several streams are to be read from the same field "
                    f"|{alias.decode(errors='replace')}"
                )
        self._counting = next(
            (f for f, i in zip(self._fields, self.streams, strict=True) if i.defines_mb_size), None
        )
        self._index = index_file(
            file,
            chunk_bytes,
            self._counting.alias if self._counting else None,
            skip_ids,
            keep_index,
        )

    @cached_property
    def chunks(self) -> list[ChunkInfo]:
        """Index of each chunk."""
        return [ChunkInfo(c.keys, c.lengths) for c in self._index.chunks]

    def allow(self, errors: int) -> None:
        """Skip up to so many malformed samples, lines without samples, and short sequences."""
        if errors:
            self._allowance = Allowance(errors)

    def load(self, chunk: int) -> tuple[StreamChunk, ...]:
        """Read a chunk.

        Raises:
            DataError: if a line is malformed, or a sequence lacks a stream.
        """
        part = self._index.chunks[chunk]
        with _reading(self.file) as file:
            text = _read_range(file, part.begin, part.end)
        lines = Lines(self.file, part.first_line, text, self._index.have_ids)
        return self._read(lines, part, self._allowance)

    @property
    def is_large(self) -> bool:
        """True if chunks would take too much memory, so that sequences are read one by one."""
        return self._index.size > _LARGE

    @cached_property
    def _firsts(self) -> np.ndarray:
        """Index of each chunk's first sequence."""
        sizes = np.array([len(c.keys) for c in self._index.chunks])
        firsts: np.ndarray = np.cumsum(sizes) - sizes
        return firsts

    def load_sequences(self, chunk: np.ndarray, number: np.ndarray) -> tuple[StreamChunk, ...]:
        """Read some sequences, in the order of the arguments.

        Args:
            chunk: index of each sequence's chunk.
            number: index of each sequence in its chunk.

        Raises:
            DataError: if a line is malformed, or a sequence lacks a stream.
        """
        # Read in the order of the file, adjacent sequences at once.
        requested = self._firsts[chunk] + number
        order = np.argsort(requested, kind="stable")
        numbers = requested[order]
        lines, part = self._lines_of(numbers)
        try:
            chunks = self._read(lines, part, Allowance(0))
        except DataError:
            chunks = self._one_by_one(numbers.tolist())
        if (np.diff(requested) >= 0).all():
            return chunks
        inverse = np.argsort(order, kind="stable")
        permuted = [take([(c, inverse)]) for c in chunks]
        return tuple(StreamChunk(frames, ends_of(lengths)) for frames, lengths in permuted)

    def _lines_of(self, numbers: np.ndarray) -> tuple[Lines, FileChunk]:
        """Read the lines of some sequences, as if they were a chunk."""
        every = self._index.sequences
        begins = every.begins[numbers]
        last = numbers + 1 == len(every.begins)
        ends = np.where(last, self._index.size, every.begins[np.where(last, 0, numbers + 1)])
        runs = np.flatnonzero(np.append(True, begins[1:] != ends[:-1]))
        parts = []
        with _reading(self.file) as file:
            for begin, end in zip(
                begins[runs].tolist(),
                ends[np.append(runs[1:], len(ends)) - 1].tolist(),
                strict=True,
            ):
                parts.append(_read_range(file, begin, end))
        lines = Lines(self.file, 1, b"".join(parts), self._index.have_ids)
        part = FileChunk(
            0, len(lines.text), 1, every.keys[numbers], every.rows[numbers], every.counted[numbers]
        )
        return lines, part

    def _one_by_one(self, numbers: list[int]) -> tuple[StreamChunk, ...]:
        """Read each sequence by itself, so that an error names its line in the file."""
        rows = self._index.sequences.rows
        read = []
        for number in numbers:
            lines, part = self._lines_of(np.array([number]))
            lines = replace(
                lines, first=self._index.chunks[0].first_line + int(rows[:number].sum())
            )
            read.append(self._read(lines, part, self._allowance))
        joint = [
            take([(part, np.zeros(1, np.int64)) for part in parts])
            for parts in zip(*read, strict=True)
        ]
        return tuple(StreamChunk(frames, ends_of(lengths)) for frames, lengths in joint)

    def _read(self, lines: Lines, part: FileChunk, allowance: Allowance) -> tuple[StreamChunk, ...]:
        """Parse lines into sequences, each of which must have all streams."""
        samples = read_text(lines, self._fields, self._threads, allowance, self.reasons)
        return self._sequences(lines, part, samples, allowance)

    def _sequences(
        self, lines: Lines, part: FileChunk, samples: list[Samples], allowance: Allowance
    ) -> tuple[StreamChunk, ...]:
        """Divide the samples of each stream into sequences."""
        heads = np.cumsum(part.rows) - part.rows
        sequence_of = np.repeat(np.arange(len(part.rows)), part.rows)
        if any(len(s.lines) and s.lines[-1] >= len(sequence_of) for s in samples):
            raise DataError(
                f"{self.file}: its index is of another file; remove {index_path(self.file)}"
            )
        counts = [np.bincount(sequence_of[s.lines], minlength=len(heads)) for s in samples]
        for stream, count in zip(self._fields, counts, strict=True):
            if not count.all():
                missing = int(np.flatnonzero(count == 0)[0])
                raise lines.fail(
                    int(heads[missing]),
                    f"the sequence (id {part.keys[missing]}) has no sample of this stream",
                    stream.name,
                )
        if self._counting is None:
            longest = np.max(counts, axis=0)
            for k in np.flatnonzero(longest != part.rows).tolist():
                reason = (
                    f"the sequence (id {part.keys[k]}) has {part.rows[k]} lines, and {longest[k]} "
                    f"samples of its longest stream; there must be one on each line"
                )
                allowance.skip(lines.fail(int(heads[k]), reason))
        return tuple(
            StreamChunk(self._reshape(s.frames, info), np.concatenate([[0], np.cumsum(count)]))
            for s, count, info in zip(samples, counts, self.streams, strict=True)
        )

    def _reshape(self, frames: Frames, info: StreamInformation) -> Frames:
        return frames.reshape(-1, *info.sample_shape) if isinstance(frames, np.ndarray) else frames


def _encode_alias(file: str, alias: str) -> bytes:
    """Encode a field's name as the file does: in UTF-8, or Windows-1252 if its begin has that."""
    plain, windows = alias.encode(), windows_bytes(alias)
    if alias.isascii() or windows is None:
        return plain
    try:
        with _reading(file) as text:
            names = set(_NAME.findall(text.read(_LOOKED_AT)))
    except DataError:  # Indexing the file reports it.
        return plain
    return windows if windows in names and plain not in names else plain


@contextmanager
def _reading(file: str) -> Iterator[BinaryIO]:
    try:
        # Large ranges are read at once: a buffer would only cost a copy.
        with opened(file, buffering=0) as text:
            yield text
    except OSError as error:
        raise DataError(f"{file}: the file cannot be read ({error.strerror})") from None


def _read_range(file: BinaryIO, begin: int, end: int) -> bytes:
    file.seek(begin)
    text = file.read(end - begin)
    if len(text) != end - begin:
        raise DataError(
            f"{file.name!s}: the file has changed since it was opened: it ends at byte "
            f"{begin + len(text)}, before byte {end}"
        )
    return text
