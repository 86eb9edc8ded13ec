"""`HTKFeatureDeserializer`: speech features in HTK archives, which script files list.

Each frame may have a context window of the frames beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cntk._arguments import shown
from cntk._graph.variable import as_shape
from cntk.errors import DataError
from cntk.io._corpus.chunk import ChunkInfo, Neighbours, StreamChunk
from cntk.io._corpus.streams import MAX_SEQUENCE_LENGTH, StreamInformation, files_of
from cntk.io._speech.archive import Archives
from cntk.io._speech.script import read_script
from cntk.io._text.listed_names import shortened

# As in the original, a chunk has utterances until it has more frames than this, which is a quarter
# of an hour at 100 frames a second.
CHUNK_FRAMES = 90_000


@dataclass(frozen=True)
class HTKFeatureDeserializer:
    """Deserializer of speech features in HTK archives.

    A script file has lines ``name=archive[first,last]``. Several streams are joined by the names of
    their utterances without extension; the first stream defines the utterances and their order.
    ``...`` at the beginning of an archive's name stands for the script file's folder. Script files
    from Windows are read as well: with ``\\`` for ``/``, in names of utterances too, a byte order
    mark, and names in Windows-1252.

    Args:
        streams: its streams, `StreamDefs` of `StreamDef` with ``scp`` (script file, or files),
            ``shape`` (number of elements of a frame in the archive) and optionally ``context``
            (numbers of frames before and after to put beside each frame; at the ends of an
            utterance its first and last frame are repeated), ``broadcast`` (the utterance has one
            frame, which is repeated for each frame of the first stream) and
            ``max_sequence_length`` (longer utterances are skipped if it is below 65,535, which
            means any length).

    Raises:
        ValueError: if there are no streams, or one has no script file or shape.
        TypeError: if ``streams`` are no stream definitions.

    Example:
        >>> import os, struct, tempfile
        >>> from cntk.io import MinibatchSource, StreamDef, StreamDefs
        >>> folder = tempfile.mkdtemp()
        >>> archive, script = os.path.join(folder, "a.chunk"), os.path.join(folder, "train.scp")
        >>> with open(archive, "wb") as file:
        ...     written = file.write(
        ...         struct.pack(">iihh", 3, 100000, 4, 9) + struct.pack(">3f", 1, 2, 3)
        ...     )
        >>> with open(script, "w") as file:
        ...     written = file.write("first.mfc=" + archive + "[0,2]")
        >>> streams = StreamDefs(features=StreamDef(scp=script, shape=1, context=(1, 1)))
        >>> source = MinibatchSource(HTKFeatureDeserializer(streams), randomize=False)
        >>> source.next_minibatch(3)[source.streams.features].asarray()[0].tolist()
        [[1.0, 1.0, 2.0], [1.0, 2.0, 3.0], [2.0, 3.0, 3.0]]
    """

    streams: Any

    def __post_init__(self) -> None:
        _configurations(self.streams)

    def open(self, threads: int = 1) -> tuple[Utterances, ...]:
        """Read the script files.

        Args:
            threads: ignored; chunks are read ahead anyway.
        """
        return tuple(Utterances(c) for c in _configurations(self.streams))


@dataclass(frozen=True)
class FeatureConfiguration:
    """Configuration of a stream of speech features.

    Attributes:
        name: the stream's name.
        files: script files.
        width: number of elements of a frame, without context.
        context: numbers of frames before and after each frame in its context window.
        broadcast: whether an utterance's only frame is repeated.
        defines_mb_size: whether minibatches are measured in frames of this stream.
        longest: longer utterances are skipped.
    """

    name: str
    files: tuple[str, ...]
    width: int
    context: tuple[int, int]
    broadcast: bool
    defines_mb_size: bool
    longest: int


def _configurations(streams: Any) -> list[FeatureConfiguration]:
    if not isinstance(streams, Mapping):
        raise TypeError(
            f"HTKFeatureDeserializer: streams must be StreamDefs(name=StreamDef(...), ...), got "
            f"{shown(streams)}"
        )
    if not streams:
        raise DataError("HTKFeatureDeserializer: no streams were given")
    return [_configuration(name, stream) for name, stream in streams.items()]


def _configuration(name: str, stream: Any) -> FeatureConfiguration:
    where = f"HTKFeatureDeserializer: stream '{name}'"
    if not isinstance(stream, Mapping):
        raise TypeError(f"{where} must be a StreamDef, got {type(stream).__name__}")
    if "dim" not in stream:
        raise DataError(f"{where} has no shape; give StreamDef(scp=..., shape=...)")
    shape = as_shape(stream["dim"])
    if not shape or any(d <= 0 for d in shape):
        raise DataError(f"{where} must have a positive shape, got {stream['dim']!r}")
    context = stream.get("context", (0, 0))
    if (
        not isinstance(context, (tuple, list))
        or len(context) != 2
        or not all(isinstance(n, (int, np.integer)) and n >= 0 for n in context)
    ):
        raise DataError(
            f"{where}: context must be two numbers of frames, before and after, got {context!r}"
        )
    longest = stream.get("max_sequence_length", MAX_SEQUENCE_LENGTH)
    return FeatureConfiguration(
        name,
        files_of(stream, "scp", where),
        int(np.prod(shape)),
        (int(context[0]), int(context[1])),
        bool(stream.get("broadcast", False)),
        bool(stream["defines_mb_size"]),
        longest if longest < MAX_SEQUENCE_LENGTH else 2**31,
    )


class Utterances:
    """Corpus of the utterances in script files.

    Args:
        configuration: the stream.

    Raises:
        DataError: if a script file or the first archive cannot be read, or its frames are not as
            wide as the stream's.
    """

    def __init__(self, configuration: FeatureConfiguration) -> None:
        self._configuration = configuration
        self.broadcast = configuration.broadcast
        self.indivisible = ""
        self.faults: dict[int, DataError] = {}
        self._script = read_script(configuration.files, configuration.longest)
        self._archives = Archives()
        first = self._archives.get(self._script.archives[0], self._script.place(0))
        self._context = self._context_of(first.width, first.file)
        width = first.width * (1 + sum(self._context))
        self.streams = (
            StreamInformation(
                configuration.name, 0, "dense", np.float32, (width,), configuration.defines_mb_size
            ),
        )
        self._edges = _edges(self._script.lengths)
        self.chunks = [
            ChunkInfo(self._script.keys[b:e], self._script.lengths[b:e])
            for b, e in zip(self._edges[:-1], self._edges[1:], strict=True)
        ]

    def _context_of(self, width: int, file: str) -> tuple[int, int]:
        """Return the numbers of frames before and after a frame in its context window.

        If there is no context, a shape of an odd number of frames means a symmetric one.
        """
        configuration = self._configuration
        if configuration.width == width:
            return configuration.context
        factor, rest = divmod(configuration.width, width)
        if rest or factor % 2 == 0 or configuration.context != (0, 0):
            raise DataError(
                f"HTKFeatureDeserializer: stream '{configuration.name}' has shape "
                f"{configuration.width}, and a frame of {file} has {width} numbers; neighbours are "
                f"given as context=(before, after), not in the shape"
            )
        return factor // 2, factor // 2

    def check_frames(self) -> None:
        """Check that the archives have all frames that the script files list.

        Raises:
            DataError: if an archive has too few. Without this check, reading them raises it.
        """
        last: dict[str, int] = {}
        ends = self._script.begins + self._script.lengths
        for number, file in enumerate(self._script.archives):
            if file not in last or ends[number] > ends[last[file]]:
                last[file] = number
        for file, number in last.items():
            place = self._script.place(number)
            self._archives.get(file, place).check(int(ends[number]), place)

    def load(self, chunk: int) -> tuple[StreamChunk, ...]:
        """Read a chunk.

        Raises:
            DataError: if an archive cannot be read, is truncated, or has other features than the
                first one.
        """
        begin, end = self._edges[chunk], self._edges[chunk + 1]
        script = self._script
        lengths = script.lengths[begin:end]
        if self.broadcast and (lengths != 1).any():
            k = begin + int(np.flatnonzero(lengths != 1)[0])
            raise DataError(
                f"{script.place(k)}: stream '{self._configuration.name}' is broadcast, so its "
                f"utterances must have one frame, and '{shortened(script.keys[k])}' has "
                f"{script.lengths[k]}"
            )
        ends = np.concatenate([[0], np.cumsum(lengths)])
        frames = np.concatenate([self._read(b, e) for b, e in self._runs(begin, end)])
        neighbours = Neighbours(*self._context, ends) if any(self._context) else None
        return (StreamChunk(frames, ends, neighbours),)

    def _runs(self, begin: int, end: int) -> list[tuple[int, int]]:
        """Split a range of utterances into runs that are contiguous in an archive."""
        script = self._script
        behind = script.begins + script.lengths
        new = [
            k
            for k in range(begin + 1, end)
            if script.archives[k] != script.archives[k - 1] or script.begins[k] != behind[k - 1]
        ]
        return list(zip([begin, *new], [*new, end], strict=True))

    def _read(self, begin: int, end: int) -> np.ndarray:
        script = self._script
        archive = self._archives.get(script.archives[begin], script.place(begin))
        first = int(script.begins[begin])
        ends = script.begins[begin:end] + script.lengths[begin:end]
        beyond = np.flatnonzero(ends > archive.frames)
        last = end - 1 if not len(beyond) else begin + int(beyond[0])
        return archive.read(first, int(ends[-1]), script.place(last))


def _edges(lengths: np.ndarray) -> list[int]:
    """Return the index of each chunk's first utterance, and at the end the number of all."""
    edges, frames = [0], 0
    for number, length in enumerate(lengths.tolist()):
        if frames > CHUNK_FRAMES:
            edges.append(number)
            frames = 0
        frames += length
    return [*edges, len(lengths)]
