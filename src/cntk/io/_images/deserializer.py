"""`ImageDeserializer` and `Base64ImageDeserializer`: images and labels from a list file.

`Images` is the corpus; samples are decoded when a minibatch needs them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cntk._arguments import as_path, shown
from cntk._graph.variable import as_shape
from cntk.errors import DataError
from cntk.io._corpus.chunk import ChunkInfo, SparseFrames, StreamChunk
from cntk.io._corpus.sample_maker import unmade
from cntk.io._corpus.streams import StreamInformation
from cntk.io._images.decoding import BYTES, ImageLimits, load_decoder
from cntk.io._images.files import EncodedText, ImageFiles
from cntk.io._images.maps import Listed, read_base64, read_map
from cntk.io._images.transforms import Color, Crop, Mean, Pipeline, Scale
from cntk.io._native.loader import compiled_module
from cntk.io._source.deserializer_options import set_option
from cntk.io._text.encoding import readable
from cntk.io._text.listed_names import advice, folder_of, shortened

# The cost of scaling one image, in bytes of text, for the decision whether to compile.
_WORK = 1 << 15
# The smallest value of each option.
_OPTIONS = {"maxPixels": 1, "maxBytes": 1}


@dataclass(frozen=True)
class ImageDeserializer:
    """Deserializer of images and their labels, which a map file lists.

    The map file has a line for each image: ``name<tab>label``, or ``key<tab>name<tab>label`` where
    the key is the sequence id by which it is joined with other deserializers. ``.../`` at the
    beginning of a name stands for the map file's folder, and ``archive.zip@/name`` is a file in an
    archive. Map files from Windows are read as well: with ``\\`` for ``/``, a byte order mark, and
    names in Windows-1252. A sample is ``[channels, height, width]``, its channels blue, green, red,
    from 0 to 255; a label is a sparse one-hot row. Needs Pillow, the extra ``image``.

    Args:
        filename: the map file.
        streams: `StreamDefs` of ``StreamDef(field='image', transforms=[...])``, see
            `cntk.io.transforms`, and ``StreamDef(field='label', shape=classes)``.

    Raises:
        ValueError: if a stream's field is neither of these, or a label has no shape.
        TypeError: if ``streams`` are no stream definitions, or ``transforms`` no transforms.

    Example:
        >>> import os, tempfile
        >>> from PIL import Image
        >>> from cntk.io import MinibatchSource, StreamDef, StreamDefs, transforms
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Image.new("RGB", (30, 20), "red").save(os.path.join(folder, "red.png"))
        ...     with open(os.path.join(folder, "map.txt"), "w") as file:
        ...         print(".../red.png", 2, sep=chr(9), file=file)
        ...     streams = StreamDefs(
        ...         image=StreamDef("image", transforms=[transforms.scale(8, 4, 3)]),
        ...         label=StreamDef("label", shape=5),
        ...     )
        ...     source = MinibatchSource(ImageDeserializer(file.name, streams), max_sweeps=1)
        ...     minibatch = source.next_minibatch(10)
        >>> (
        ...     minibatch[source.streams.image].shape,
        ...     minibatch[source.streams.image].asarray()[0, 0, :, 0, 0].tolist(),
        ... )
        ((1, 1, 3, 4, 8), [0.0, 0.0, 255.0])
    """

    filename: str
    streams: Any
    _options: dict[str, int] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        as_path(self.filename, "ImageDeserializer: filename")
        _definitions(self.streams, "ImageDeserializer")

    def __setitem__(self, option: str, value: Any) -> None:
        """Set a limit for the size of images; larger ones are an error.

        Without limits, a malicious file of a few bytes could fill the memory.

        Args:
            option: ``'maxPixels'``, the most pixels of an image, by default 8,388,608, or 16 for
                each byte of its file if that is more; or ``'maxBytes'``, the most bytes of an
                encoded image, after it is unpacked from an archive, by default 134,217,728.
            value: an integer.

        Raises:
            KeyError: for any other option.
            ValueError: for any other value.
        """
        set_option("ImageDeserializer", self._options, _OPTIONS, option, value)

    def open(self, threads: int = 1) -> Images:
        """Read the map file; images are read when they are needed.

        Args:
            threads: accepted; the minibatch source says how many images are read at a time.
        """
        images, labels = _definitions(self.streams, "ImageDeserializer")
        listed = read_map(str(self.filename), _classes(labels))
        return Images(str(self.filename), listed, images, labels, _limits(self._options))


@dataclass(frozen=True)
class Base64ImageDeserializer:
    """Deserializer of images and their labels in one file, as base64 text.

    The file has a line for each image: ``label<tab>text``, or ``key<tab>label<tab>text``, where the
    text is an encoded image (PNG, JPEG, ...) in base64. All else is as for `ImageDeserializer`.

    Args:
        filename: the file.
        streams: as for `ImageDeserializer`.

    Raises:
        ValueError: if a stream's field is neither ``'image'`` nor ``'label'``, or a label has no
            shape.
        TypeError: if ``streams`` are no stream definitions, or ``transforms`` no transforms.

    Example:
        >>> from cntk.io import StreamDef, StreamDefs
        >>> Base64ImageDeserializer(
        ...     "images.txt", StreamDefs(image=StreamDef("image", transforms=[]))
        ... ).filename
        'images.txt'
    """

    filename: str
    streams: Any
    _options: dict[str, int] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        as_path(self.filename, "Base64ImageDeserializer: filename")
        _definitions(self.streams, "Base64ImageDeserializer")

    def __setitem__(self, option: str, value: Any) -> None:
        """Set a limit for the size of images, as for `ImageDeserializer`.

        Args:
            option: ``'maxPixels'`` or ``'maxBytes'``.
            value: an integer.

        Raises:
            KeyError: for any other option.
            ValueError: for any other value.
        """
        set_option("Base64ImageDeserializer", self._options, _OPTIONS, option, value)

    def open(self, threads: int = 1) -> Images:
        """Index the images in the file; they are read when they are needed.

        Args:
            threads: accepted; the minibatch source says how many images are read at a time.
        """
        images, labels = _definitions(self.streams, "Base64ImageDeserializer")
        listed = read_base64(str(self.filename), _classes(labels))
        return Images(str(self.filename), listed, images, labels, _limits(self._options))


@dataclass(frozen=True)
class ImageStream:
    """Stream of images.

    Attributes:
        name: the stream's name.
        pipeline: transforms of each image.
        defines_mb_size: whether minibatches are measured in its samples.
    """

    name: str
    pipeline: Pipeline
    defines_mb_size: bool


@dataclass(frozen=True)
class LabelStream:
    """Stream of labels.

    Attributes:
        name: the stream's name.
        shape: its shape, with as many elements as there are classes.
        defines_mb_size: whether minibatches are measured in its samples.
    """

    name: str
    shape: tuple[int, ...]
    defines_mb_size: bool


class Images:
    """Corpus of a list of images: each view of an image is a sequence of one sample.

    Args:
        file: path of the list.
        listed: contents of the list.
        images: the streams of images.
        labels: the streams of labels.
        limits: limits for the size of images.

    Raises:
        DataError: if a file that a transform needs cannot be read.
        ImportError: if Pillow is not installed.
    """

    def __init__(
        self,
        file: str,
        listed: Listed,
        images: list[ImageStream],
        labels: list[LabelStream],
        limits: ImageLimits,
    ) -> None:
        self._file = file
        self._listed = listed
        self._images = images
        self._labels = labels
        self._decode = load_decoder(limits)
        compiled_module(len(listed.keys) * _WORK)
        self._files = ImageFiles(folder_of(file), limits)
        self._encoded = EncodedText(file, *listed.texts, limits) if listed.texts else None
        self._views = max((s.pipeline.views for s in images), default=1)
        for stream in images:
            stream.pipeline.prepare()
        self.errors = listed.errors
        self.streams = tuple(
            [
                StreamInformation(
                    s.name, k, "dense", np.float32, s.pipeline.shape, s.defines_mb_size
                )
                for k, s in enumerate(images)
            ]
            + [
                StreamInformation(
                    s.name, len(images) + k, "sparse", np.float32, s.shape, s.defines_mb_size
                )
                for k, s in enumerate(labels)
            ]
        )
        keys = np.repeat(listed.keys, self._views)
        is_single = bool(listed.names)
        sizes = [1] * len(keys) if is_single else [n * self._views for n in listed.shuffled]
        self.chunks = [ChunkInfo(keys, np.ones(len(keys), np.int64), np.array(sizes, np.int64))]

    def load(self, chunk: int) -> tuple[StreamChunk, ...]:
        """Return all sequences; images are made later, by `make`."""
        count = len(self._listed.keys) * self._views
        ends = np.arange(count + 1)
        images = [unmade(self, k, count) for k in range(len(self._images))]
        classes = np.repeat(self._listed.labels, self._views)
        frames = SparseFrames(ends, classes, np.ones(count, np.float32))
        return (*images, *(StreamChunk(frames, ends) for _ in self._labels))

    def make(self, row: int, seed: tuple[int, int]) -> tuple[np.ndarray, ...]:
        """Make the sample of one view of one image for each stream.

        Raises:
            DataError: if the image cannot be read.
        """
        number, view = divmod(row, self._views)
        # An image is decoded again for each of its views, which are rarely needed together.
        key = (seed[0] & (2**64 - 1), seed[1], _number(self._listed.keys[number]))
        decoded: dict[int, np.ndarray] = {}
        for stream in self._images:
            channels = stream.pipeline.channels
            if channels not in decoded:
                decoded[channels] = self._decoded(number, channels)
        try:
            return tuple(
                s.pipeline.sample(decoded[s.pipeline.channels], key, view) for s in self._images
            )
        except DataError as error:
            raise self._fault(number, error) from None

    def _decoded(self, number: int, channels: int) -> np.ndarray:
        try:
            if self._encoded is not None:
                return self._decode(self._encoded.read(number), channels, False)
            encoded, is_file = self._files.read(self._listed.names[number])
            # As in the original, the EXIF orientation is used only for images in their own files.
            return self._decode(encoded, channels, is_file)
        except FileNotFoundError as error:
            reason = (
                f"there is no file "
                f"{readable(shortened(error.filename))}{advice(error.filename, is_listed=True)}"
            )
        except OSError as error:
            reason = (
                f"the file {readable(shortened(str(error.filename)))} cannot be opened: "
                f"{error.strerror}"
            )
        except DataError as error:
            reason = str(error)
        raise self._fault(number, reason)

    def _fault(self, number: int, reason: object) -> DataError:
        where = f"{self._file}, line {self._listed.lines[number]}"
        return DataError(f"{where}: cannot read {self._listed.name(number)}: {reason}")


def _number(key: np.generic | str) -> int:
    """Return an integer for a key: the key itself, or a hash of a string."""
    if isinstance(key, str):
        return int.from_bytes(
            hashlib.blake2b(key.encode("utf-8", "surrogateescape"), digest_size=8).digest(),
            "little",
        )
    return int(key)


def _limits(options: Mapping[str, int]) -> ImageLimits:
    return ImageLimits(options.get("maxBytes", BYTES), options.get("maxPixels"))


def _classes(labels: list[LabelStream]) -> int | None:
    return min((int(np.prod(s.shape)) for s in labels), default=None)


def _definitions(streams: Any, reader: str) -> tuple[list[ImageStream], list[LabelStream]]:
    """Return the streams of images and those of labels."""
    if not isinstance(streams, Mapping):
        raise TypeError(
            f"{reader}: streams must be StreamDefs(name=StreamDef(...), ...), got {shown(streams)}"
        )
    images, labels = [], []
    for name, stream in streams.items():
        if not isinstance(stream, Mapping):
            raise TypeError(
                f"{reader}: stream '{name}' must be a StreamDef, got {type(stream).__name__}"
            )
        kind = stream.get("stream_alias")
        if kind == "image":
            steps = stream.get("transforms", ())
            allowed = (Crop, Scale, Mean, Color)
            if not isinstance(steps, (list, tuple)) or not all(
                isinstance(t, allowed) for t in steps
            ):
                raise TypeError(
                    f"{reader}: stream '{name}': transforms must be a list of cntk.io.transforms, "
                    f"got {steps!r}"
                )
            images.append(
                ImageStream(name, Pipeline(tuple(steps)), bool(stream["defines_mb_size"]))
            )
        elif kind == "label":
            shape = as_shape(stream["dim"]) if "dim" in stream else ()
            if not shape or any(d <= 0 for d in shape):
                raise ValueError(
                    f"{reader}: stream '{name}' needs the number of classes: StreamDef('label', "
                    f"shape=...)"
                )
            labels.append(LabelStream(name, shape, bool(stream["defines_mb_size"])))
        else:
            raise ValueError(
                f"{reader}: stream '{name}': field must be 'image' or 'label', got {kind!r}"
            )
    if not images and not labels:
        raise ValueError(
            f"{reader}: no streams were given; give StreamDef('image', ...) or StreamDef('label', "
            f"...)"
        )
    return images, labels
