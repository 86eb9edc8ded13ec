"""Descriptions of streams: what a reader returns, and where a deserializer finds it in files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np

from cntk._arguments import as_bool, as_flag, as_integer, as_string, shown
from cntk._graph.variable import as_dtype, as_shape, format_number
from cntk._wording import shape_text
from cntk.errors import ArgumentError, DataError, RangeError, SettingError
from cntk.variables import Record

if TYPE_CHECKING:
    from cntk.internal.native_shape import NDShape

# Storage formats by their number in the native layer.
_STORAGE = ("dense", "sparse")
MAX_SEQUENCE_LENGTH = 65535


@dataclass(init=False, repr=False)
class StreamInformation:
    """Description of one stream of a reader: name, storage format, dtype, and shape of a sample.

    Programs read and change it by the original's names as well: `m_name`, `m_id`,
    `m_storage_format` (0 is dense, 1 sparse), `m_element_type` (a number as
    `cntk.cntk_py.DataType_Float`) and `m_sample_layout`.

    Args:
        name: the stream's name.
        stream_id: its index within its reader.
        storage_format: ``'dense'`` or ``'sparse'``.
        dtype: dtype of its elements.
        shape: shape of one sample.
        defines_mb_size: whether minibatches are measured in samples of this stream.

    Raises:
        ValueError: for another storage format.

    Example:
        >>> stream = StreamInformation("features", 0, "dense", np.float32, (28, 28))
        >>> stream
        features([28 x 28])
        >>> (
        ...     stream.m_name,
        ...     stream.m_id,
        ...     stream.m_storage_format,
        ...     stream.m_element_type,
        ...     stream.m_sample_layout.dimensions(),
        ... )
        ('features', 0, 0, 1, (28, 28))
    """

    name: str
    stream_id: int
    storage_format: str
    dtype: Any
    sample_shape: tuple[int, ...]
    defines_mb_size: bool

    def __init__(
        self,
        name: str,
        stream_id: int,
        storage_format: str,
        dtype: Any,
        shape: Any,
        defines_mb_size: bool = False,
    ) -> None:
        if not isinstance(storage_format, str) or storage_format not in _STORAGE:
            raise SettingError(
                f"StreamInformation '{name}': storage_format must be 'dense' or 'sparse', got "
                f"{shown(storage_format)}"
            )
        self.name = as_string(name, "StreamInformation: name")
        self.stream_id = as_integer(
            stream_id, "StreamInformation: stream_id", least=0, most=2**64 - 1
        )
        self.storage_format = storage_format
        self.dtype = (as_dtype(dtype) or np.dtype(np.float32)).type
        self.sample_shape = as_shape(shape)
        self.defines_mb_size = as_bool(defines_mb_size, "StreamInformation: defines_mb_size")

    def __hash__(self) -> int:
        # As in the original: a stream may be renamed while it is the key of a minibatch.
        return hash(self.stream_id)

    @property
    def is_sparse(self) -> bool:
        """True if samples are sparse rows."""
        return self.storage_format == "sparse"

    @property
    def width(self) -> int:
        """Number of elements of one sample."""
        return int(np.prod(self.sample_shape, dtype=np.int64))

    @property
    def m_name(self) -> str:
        """The stream's name."""
        return self.name

    @m_name.setter
    def m_name(self, name: str) -> None:
        if not isinstance(name, str):
            raise TypeError(f"{self}: m_name must be a string, got {name!r}")
        self.name = name

    @property
    def m_id(self) -> int:
        """The stream's index within its reader."""
        return self.stream_id

    @m_id.setter
    def m_id(self, stream_id: int) -> None:
        if not isinstance(stream_id, Integral):
            raise TypeError(f"{self}: m_id must be an integer, got {stream_id!r}")
        if stream_id < 0:
            raise OverflowError(f"{self}: m_id must be 0 or more, got {stream_id}")
        self.stream_id = int(stream_id)

    @property
    def m_storage_format(self) -> int:
        """Storage format as a number: 0 is dense, 1 sparse."""
        return _STORAGE.index(self.storage_format)

    @m_storage_format.setter
    def m_storage_format(self, storage_format: int) -> None:
        if not isinstance(storage_format, Integral) or storage_format not in range(len(_STORAGE)):
            raise TypeError(
                f"{self}: m_storage_format must be 0 for dense or 1 for sparse, got "
                f"{storage_format!r}"
            )
        self.storage_format = _STORAGE[storage_format]

    @property
    def m_element_type(self) -> int:
        """The dtype as the native layer numbers it, such as `cntk.cntk_py.DataType_Float`."""
        return format_number(np.dtype(self.dtype))

    @m_element_type.setter
    def m_element_type(self, element_type: int) -> None:
        dtype = as_dtype(element_type) if isinstance(element_type, Integral) else None
        if dtype is None:
            raise TypeError(
                f"{self}: m_element_type must be a number such as cntk_py.DataType_Float, got "
                f"{element_type!r}"
            )
        self.dtype = dtype.type

    @property
    def m_sample_layout(self) -> NDShape:
        """The shape of one sample in the axis order of the native layer (reversed)."""
        from cntk.internal.native_shape import NDShape

        return NDShape(self.sample_shape[::-1])

    @m_sample_layout.setter
    def m_sample_layout(self, shape: NDShape) -> None:
        if not hasattr(shape, "dimensions"):
            raise TypeError(f"{self}: m_sample_layout must be a cntk_py.NDShape, got {shape!r}")
        self.sample_shape = tuple(shape.dimensions())

    @property
    def m_defines_mb_size(self) -> bool:
        """True if minibatches are measured in samples of this stream."""
        return self.defines_mb_size

    @m_defines_mb_size.setter
    def m_defines_mb_size(self, defines_mb_size: bool) -> None:
        self.defines_mb_size = as_bool(defines_mb_size, f"{self}: m_defines_mb_size")

    @property
    def m_is_binary(self) -> bool:
        """True if samples are bytes rather than numbers; always False."""
        return False

    def as_string(self) -> str:
        """Return the stream's name and the shape of one sample.

        Example:
            >>> StreamInformation("x", 0, "dense", np.float32, (2, 3)).as_string()
            'x([2 x 3])'
        """
        return f"{self.name}({shape_text(self.sample_shape)})"

    def __repr__(self) -> str:
        return self.as_string()


@dataclass(frozen=True)
class StreamConfiguration:
    """A stream of a file, by its name in programs and its alias in the file.

    Args:
        name: the stream's name in the program.
        dim: number of elements of one sample.
        is_sparse: whether samples are written as ``index:value``.
        stream_alias: its name in the file; the same as ``name`` if empty.
        defines_mb_size: whether minibatches are measured in samples of this stream.

    Example:
        >>> StreamConfiguration("features", 784, stream_alias="F").stream_alias
        'F'
    """

    name: str
    dim: Any
    is_sparse: bool = False
    stream_alias: str = ""
    defines_mb_size: bool = False

    def __post_init__(self) -> None:
        as_string(self.name, "StreamConfiguration: name")
        as_string(self.stream_alias, "StreamConfiguration: stream_alias")
        if not isinstance(self.dim, (Integral, tuple, list, np.ndarray)):
            raise ArgumentError(
                f"StreamConfiguration: dim: expected an integer or a tuple of integers, got "
                f"{shown(self.dim)}"
            )
        as_bool(self.is_sparse, "StreamConfiguration: is_sparse")
        as_bool(self.defines_mb_size, "StreamConfiguration: defines_mb_size")


def StreamDef(
    field: str | None = None,
    shape: Any = None,
    is_sparse: bool = False,
    transforms: Any = None,
    context: tuple[int, int] | None = None,
    scp: Any = None,
    mlf: Any = None,
    broadcast: bool | None = None,
    defines_mb_size: bool = False,
    max_sequence_length: int | None = MAX_SEQUENCE_LENGTH,
) -> Record:
    """Describe where a deserializer finds one stream, and in which form.

    Args:
        field: the stream's name in the file.
        shape: number of elements of one sample, or its shape.
        is_sparse: whether samples are written as ``index:value``.
        transforms: what to do with each image, in order (images only).
        context: how many frames before and after to put beside each frame (speech only).
        scp: file, or files, that list the utterances (speech only).
        mlf: file, or files, with the labels (speech only); such a stream is sparse.
        broadcast: whether a sequence's one sample is repeated for each frame (speech only).
        defines_mb_size: whether minibatches are measured in samples of this stream.
        max_sequence_length: longer sequences are skipped (speech only).

    Returns:
        A `Record` for `StreamDefs`.

    Example:
        >>> StreamDef(field="S0", shape=69, is_sparse=True).dim
        69
    """
    if field is not None:
        as_string(field, "StreamDef: field", "or None")
    if broadcast is not None:
        broadcast = as_flag(broadcast, "StreamDef: broadcast")
    if max_sequence_length is None:
        max_sequence_length = MAX_SEQUENCE_LENGTH
    max_sequence_length = as_integer(max_sequence_length, "StreamDef: max_sequence_length", least=0)
    options = {
        "dim": shape,
        "transforms": transforms,
        "context": context,
        "scp": scp,
        "mlf": mlf,
        "broadcast": broadcast,
    }
    return Record(
        stream_alias=field,
        is_sparse=as_flag(is_sparse, "StreamDef: is_sparse") or mlf is not None,
        **{key: value for key, value in options.items() if value is not None},
        defines_mb_size=as_flag(defines_mb_size, "StreamDef: defines_mb_size"),
        max_sequence_length=max_sequence_length,
    )


def StreamDefs(**kwargs: Record) -> Record:
    """Collect the streams of a deserializer by name.

    Args:
        **kwargs: a `StreamDef` for each name.

    Example:
        >>> sorted(StreamDefs(query=StreamDef("S0", 943), intent=StreamDef("S1", 26)))
        ['intent', 'query']
    """
    return Record(**kwargs)


def stream_list(infos: Any, owner: str) -> list[StreamInformation]:
    """Check the streams that a user-defined source or deserializer returns.

    Raises:
        ArgumentError: if ``infos`` is not a list of `StreamInformation`, or is empty.
    """
    streams = list(infos) if isinstance(infos, (list, tuple)) else []
    if not streams or not all(isinstance(s, StreamInformation) for s in streams):
        raise ArgumentError(
            f"{owner}.stream_infos: expected a list of StreamInformation, got {shown(infos)}"
        )
    return streams


def configurations(streams: Any, reader: str) -> list[StreamConfiguration]:
    """Convert stream definitions to configurations, for files that name their streams.

    Args:
        streams: a record of `StreamDef`, or a list of `StreamConfiguration`.
        reader: name of the deserializer, for errors.

    Raises:
        ValueError: if there are none, or one has no shape.
        TypeError: if they are anything else.
    """
    if not isinstance(streams, Mapping):
        configured = list(streams) if isinstance(streams, (list, tuple)) else [streams]
        if not all(isinstance(s, StreamConfiguration) for s in configured):
            raise ArgumentError(
                f"{reader}: streams must be StreamDefs(name=StreamDef(...), ...), got "
                f"{shown(streams)}"
            )
    else:
        configured = []
        for name, stream in streams.items():
            if not isinstance(stream, Mapping):
                raise TypeError(
                    f"{reader}: stream '{name}' must be a StreamDef, got {type(stream).__name__}"
                )
            if "dim" not in stream:
                raise ValueError(
                    f"{reader}: stream '{name}' has no shape; give StreamDef(field=..., shape=...)"
                )
            _check_dimensions(stream["dim"], f"{reader}: stream '{name}'")
            configured.append(
                StreamConfiguration(
                    name,
                    stream["dim"],
                    stream["is_sparse"],
                    stream["stream_alias"] or name,
                    stream["defines_mb_size"],
                )
            )
    for stream in configured:
        _check_dimensions(stream.dim, f"{reader}: stream '{stream.name}'")
    return configured


def _check_dimensions(dim: Any, where: str) -> None:
    """Check the shape of a stream's samples.

    Raises:
        ArgumentError: if ``dim`` is not an integer or a tuple of integers.
        RangeError: if it is empty, or a dimension is not between 1 and 2**31 - 1.
    """
    try:
        shape = as_shape(dim)
    except ValueError:
        raise ArgumentError(
            f"{where}: expected an integer or a tuple of integers as shape, got {shown(dim)}"
        ) from None
    if not shape or any(not 0 < d < 2**31 for d in shape):
        raise RangeError(f"{where} must have a positive shape, got {shown(dim)}")


def files_of(stream: Mapping[str, Any], which: str, where: str) -> tuple[str, ...]:
    """Return the files that a stream is read from.

    Args:
        stream: a `StreamDef`.
        which: ``'scp'`` or ``'mlf'``.
        where: deserializer and stream, for errors.

    Raises:
        DataError: if no file is named.
    """
    value = stream.get(which)
    files = tuple(value) if isinstance(value, (list, tuple)) else (value,)
    if not files or not all(isinstance(f, (str, os.PathLike)) and str(f) for f in files):
        raise DataError(f"{where} needs a file, or a list of files, as {which}=..., got {value!r}")
    return tuple(str(f) for f in files)
