"""`HTKMLFDeserializer` and `HTKMLFBinaryDeserializer`: the class of each frame from label files."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cntk._arguments import as_flag, as_path, shown
from cntk._graph.variable import as_shape
from cntk.errors import DataError
from cntk.io._corpus.chunk import ChunkInfo, SparseFrames, StreamChunk
from cntk.io._corpus.streams import StreamInformation, files_of
from cntk.io._speech.features import CHUNK_FRAMES
from cntk.io._speech.label_files import Alignments, read_binary, read_states, read_text
from cntk.io._text.listed_names import keys_of, shortened

# Half a minute; the mean segment of speech is far shorter.
_SEGMENT = 3000


@dataclass(frozen=True)
class HTKMLFDeserializer:
    """Deserializer of frames' classes in HTK master label files, as sparse one-hot samples.

    A label file begins with ``#!MLF!#``; an utterance is a line with its name in quotes, a line
    ``begin end state`` for each segment, with times in 100 ns, and a line with a full stop. A frame
    lasts 10 ms. The first segment begins at 0, and each other one where the one before ends.
    Utterances are joined with those of other deserializers by name without extension; those
    without labels are skipped. Of several utterances of one name the first is used. A malformed
    utterance is an error when it is read, unless `MinibatchSource` skips it by ``max_errors``.

    Args:
        label_mapping_file: the names of the states, one on a line; the index of a line is the
            state's class.
        streams: its stream, `StreamDefs` of a `StreamDef` with ``mlf`` (label file, or files) and
            ``shape`` (number of classes).
        phoneBoundaries: whether the first frame of each segment has the value 2 instead of 1.

    Raises:
        ValueError: if there is not one stream, or it has no label file or shape.
        TypeError: if ``streams`` are no stream definitions.

    Example:
        >>> import os, tempfile
        >>> from cntk.io import MinibatchSource, StreamDef, StreamDefs
        >>> folder = tempfile.mkdtemp()
        >>> states, labels = os.path.join(folder, "state.list"), os.path.join(folder, "train.mlf")
        >>> with open(states, "w") as file:
        ...     print("a", "b", sep=chr(10), file=file)
        >>> with open(labels, "w") as file:
        ...     print(
        ...         "#!MLF!#",
        ...         '"first.lab"',
        ...         "0 100000 b",
        ...         "100000 300000 a",
        ...         ".",
        ...         sep=chr(10),
        ...         file=file,
        ...     )
        >>> deserializer = HTKMLFDeserializer(
        ...     states, StreamDefs(labels=StreamDef(mlf=labels, shape=2))
        ... )
        >>> source = MinibatchSource(deserializer, randomize=False)
        >>> source.next_minibatch(3)[source.streams.labels].as_sequences()[0].toarray().tolist()
        [[0.0, 1.0], [1.0, 0.0], [1.0, 0.0]]
    """

    label_mapping_file: Any
    streams: Any
    phoneBoundaries: bool = False

    def __post_init__(self) -> None:
        _stream(self.streams, type(self).__name__)
        if not isinstance(self.label_mapping_file, (str, os.PathLike)) or not str(
            self.label_mapping_file
        ):
            raise DataError(
                f"HTKMLFDeserializer: expected a file with the names of states, got "
                f"{shown(self.label_mapping_file)}"
            )
        as_path(self.label_mapping_file, "HTKMLFDeserializer: label_mapping_file")
        as_flag(self.phoneBoundaries, "HTKMLFDeserializer: phoneBoundaries")

    def open(self, threads: int = 1) -> Labels:
        """Read the label files.

        Args:
            threads: ignored.

        Raises:
            DataError: if a file cannot be read, or is no label file.
        """
        name, files, stream = _stream(self.streams, type(self).__name__)
        states = read_states(str(self.label_mapping_file))
        return Labels(
            name, stream, [read_text(f, states) for f in files], bool(self.phoneBoundaries)
        )


@dataclass(frozen=True)
class HTKMLFBinaryDeserializer:
    """Deserializer of frames' classes in binary label files, as sparse one-hot samples.

    All numbers are little-endian. A file begins with the letters ``MLF`` and an int16, the version.
    An utterance is its name, its number of frames (uint32), its number of segments (uint16), and
    for each segment its class and its number of frames (both uint16). In version 1 a name is a
    uint32, whose decimal string is the key; in version 2 it is its length in bytes (uint16), and
    the bytes, without extension. In all else it is as `HTKMLFDeserializer`.

    Args:
        streams: its stream, `StreamDefs` of a `StreamDef` with ``mlf`` (label file, or files) and
            ``shape`` (number of classes).

    Raises:
        ValueError: if there is not one stream, or it has no label file or shape.
        TypeError: if ``streams`` are no stream definitions.

    Example:
        >>> import os, struct, tempfile
        >>> from cntk.io import MinibatchSource, StreamDef, StreamDefs
        >>> path = os.path.join(tempfile.mkdtemp(), "train.mlf")
        >>> with open(path, "wb") as file:
        ...     written = file.write(
        ...         b"MLF" + struct.pack("<hH5sIHHHHH", 2, 5, b"first", 3, 2, 1, 1, 0, 2)
        ...     )
        >>> source = MinibatchSource(
        ...     HTKMLFBinaryDeserializer(StreamDefs(labels=StreamDef(mlf=path, shape=2))),
        ...     randomize=False,
        ... )
        >>> source.next_minibatch(3)[source.streams.labels].as_sequences()[0].toarray().tolist()
        [[0.0, 1.0], [1.0, 0.0], [1.0, 0.0]]
    """

    streams: Any

    def __post_init__(self) -> None:
        _stream(self.streams, type(self).__name__)

    def open(self, threads: int = 1) -> Labels:
        """Read the label files.

        Args:
            threads: ignored.

        Raises:
            DataError: if a file cannot be read, or is no binary label file.
        """
        name, files, stream = _stream(self.streams, type(self).__name__)
        return Labels(name, stream, [read_binary(f) for f in files])


def _stream(streams: Any, reader: str) -> tuple[str, tuple[str, ...], Mapping[str, Any]]:
    """Return the name, the files and the definition of the only stream."""
    if not isinstance(streams, Mapping):
        raise TypeError(
            f"{reader}: streams must be StreamDefs(name=StreamDef(...)), got {shown(streams)}"
        )
    if len(streams) != 1:
        raise DataError(
            f"{reader}: one stream of labels is expected, got {len(streams)}; use a deserializer "
            f"for each"
        )
    ((name, stream),) = streams.items()
    where = f"{reader}: stream '{name}'"
    if not isinstance(stream, Mapping):
        raise TypeError(f"{where} must be a StreamDef, got {type(stream).__name__}")
    if "dim" not in stream:
        raise DataError(f"{where} has no shape; give StreamDef(mlf=..., shape=number of classes)")
    shape = as_shape(stream["dim"])
    if not shape or any(d <= 0 for d in shape):
        raise DataError(f"{where} must have a positive shape, got {stream['dim']!r}")
    return name, files_of(stream, "mlf", where), stream


class Labels:
    """Corpus of label files: the class of each frame of their utterances.

    Args:
        name: the stream's name.
        stream: its definition.
        parts: the contents of each file.
        mark_boundaries: whether a segment's first frame has the value 2.
    """

    broadcast = False

    def __init__(
        self,
        name: str,
        stream: Mapping[str, Any],
        parts: Sequence[Alignments],
        mark_boundaries: bool = False,
    ) -> None:
        shape = as_shape(stream["dim"])
        self.streams = (
            StreamInformation(
                name, 0, "sparse", np.float32, shape, bool(stream["defines_mb_size"])
            ),
        )
        self.indivisible = "phoneBoundaries need whole sequences" if mark_boundaries else ""
        self._mark_boundaries = mark_boundaries
        self.faults: dict[int, DataError] = {}
        self._parts, self._chunks = list(parts), []
        self.chunks: list[ChunkInfo] = []
        before = 0
        for part in self._parts:
            self._find_faults(part, before)
            for begin, end in _cuts(part.lengths):
                self._chunks.append((part, begin, end))
                self.chunks.append(
                    ChunkInfo(keys_of(part.keys[begin:end]), part.lengths[begin:end])
                )
            before += len(part.keys)
        if not before:
            raise DataError(
                f"{', '.join(p.file for p in self._parts)}: the label files have no utterances"
            )

    def _find_faults(self, part: Alignments, before: int) -> None:
        self.faults.update((before + k, error) for k, error in part.faults.items())
        width = self.streams[0].width
        for segment in np.flatnonzero(part.classes >= width).tolist():
            number = int(np.searchsorted(part.begins, segment, side="right")) - 1
            self.faults.setdefault(
                before + number,
                DataError(
                    f"{part.file}, utterance '{shortened(part.keys[number])}': class "
                    f"{part.classes[segment]} is out of range, stream '{self.streams[0].name}' has "
                    f"{width} classes"
                ),
            )

    def check_frames(self) -> None:
        """Check that files do not claim far more frames for a segment than speech has.

        Raises:
            DataError: if one does.
        """
        for part in self._parts:
            frames, segments = int(part.lengths.sum()), len(part.classes)
            if frames > _SEGMENT * segments:
                raise DataError(
                    f"{part.file}: the label file has {segments:,} segments; up to {_SEGMENT:,} "
                    f"frames for each were expected, got {frames:,} in all"
                )

    def load(self, chunk: int) -> tuple[StreamChunk, ...]:
        """Return the frames of a chunk. Those of a malformed utterance are all of class 0."""
        part, begin, end = self._chunks[chunk]
        first, last = part.begins[begin], part.begins[end]
        counts, classes = part.counts[first:last], part.classes[first:last]
        lengths = part.lengths[begin:end]
        columns: np.ndarray = np.repeat(
            np.where(classes < self.streams[0].width, classes, 0), counts
        )
        values = np.ones(len(columns), np.float32)
        if self._mark_boundaries:
            values[np.cumsum(counts) - counts] = 2
        frames = SparseFrames(np.arange(len(columns) + 1), columns, values)
        return (StreamChunk(frames, np.concatenate([[0], np.cumsum(lengths)])),)


def _cuts(lengths: np.ndarray) -> list[tuple[int, int]]:
    """Split utterances into chunks, as ranges (end exclusive)."""
    if not len(lengths):
        return []
    number = (np.cumsum(lengths) - lengths) // CHUNK_FRAMES
    edges = np.flatnonzero(np.diff(number)) + 1
    return list(zip([0, *edges.tolist()], [*edges.tolist(), len(lengths)], strict=True))
