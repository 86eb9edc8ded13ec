"""Streams: what a reader gives, and where in its files it is to be found."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cntk._errors import DataError, shape_text
from cntk._graph.variable import as_dtype, as_shape
from cntk.variables import Record

MAX_SEQUENCE_LENGTH = 65535


@dataclass(frozen=True, init=False, repr=False)
class StreamInformation:
    """What one stream of a reader gives.

    Args:
        name: the stream's name.
        stream_id: its number within its reader.
        storage_format: ``'dense'`` or ``'sparse'``.
        dtype: number format.
        shape: shape of one sample.
        defines_mb_size: whether minibatches are measured in samples of this stream.

    Raises:
        ValueError: for another storage format.

    Example:
        >>> StreamInformation('features', 0, 'dense', np.float32, (28, 28))
        features([28 x 28])
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
        if storage_format not in ("dense", "sparse"):
            raise ValueError(
                f"StreamInformation '{name}': storage_format must be 'dense' or 'sparse', got {storage_format!r}"
            )
        # A frozen dataclass whose arguments are named as in the original, not as its fields.
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "stream_id", stream_id)
        object.__setattr__(self, "storage_format", storage_format)
        object.__setattr__(self, "dtype", (as_dtype(dtype) or np.dtype(np.float32)).type)
        object.__setattr__(self, "sample_shape", as_shape(shape))
        object.__setattr__(self, "defines_mb_size", bool(defines_mb_size))

    @property
    def is_sparse(self) -> bool:
        """Whether samples are sparse rows."""
        return self.storage_format == "sparse"

    @property
    def width(self) -> int:
        """Numbers in one sample."""
        return int(np.prod(self.sample_shape, dtype=np.int64))

    def __repr__(self) -> str:
        return f"{self.name}({shape_text(self.sample_shape)})"


@dataclass(frozen=True)
class StreamConfiguration:
    """A stream of a file, by its name in programs and its alias in the file.

    Args:
        name: the stream's name in the program.
        dim: numbers in one sample.
        is_sparse: whether samples are written as ``index:value``.
        stream_alias: its name in the file; the same as ``name`` if empty.
        defines_mb_size: whether minibatches are measured in samples of this stream.

    Example:
        >>> StreamConfiguration('features', 784, stream_alias='F').stream_alias
        'F'
    """

    name: str
    dim: Any
    is_sparse: bool = False
    stream_alias: str = ""
    defines_mb_size: bool = False


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
    max_sequence_length: int = MAX_SEQUENCE_LENGTH,
) -> Record:
    """Where a deserializer finds one stream, and in which form.

    Args:
        field: the stream's name in the file.
        shape: numbers in one sample, or its shape.
        is_sparse: whether samples are written as ``index:value``.
        transforms: what to do with each image, in order (images only).
        context: how many frames before and after to put beside each frame (speech only).
        scp: file, or files, that list the utterances (speech only).
        mlf: file, or files, with the labels (speech only); such a stream is sparse.
        broadcast: whether a sequence's one sample is repeated for each frame (speech only).
        defines_mb_size: whether minibatches are measured in samples of this stream.
        max_sequence_length: longer sequences are left out (speech only).

    Returns:
        A `Record` for `StreamDefs`.

    Example:
        >>> StreamDef(field='S0', shape=69, is_sparse=True).dim
        69
    """
    given = {"dim": shape, "transforms": transforms, "context": context, "scp": scp, "mlf": mlf, "broadcast": broadcast}
    return Record(
        stream_alias=field,
        is_sparse=bool(is_sparse) or mlf is not None,
        **{key: value for key, value in given.items() if value is not None},
        defines_mb_size=bool(defines_mb_size),
        max_sequence_length=max_sequence_length,
    )


def StreamDefs(**kwargs: Record) -> Record:
    """The streams of a deserializer by name.

    Args:
        **kwargs: a `StreamDef` for each name.

    Example:
        >>> sorted(StreamDefs(query=StreamDef('S0', 943), intent=StreamDef('S1', 26)))
        ['intent', 'query']
    """
    return Record(**kwargs)


def configurations(streams: Any, reader: str) -> list[StreamConfiguration]:
    """Stream definitions as configurations, for readers of files that name their streams.

    Args:
        streams: a record of `StreamDef`, or a list of `StreamConfiguration`.
        reader: who asks, for errors.

    Raises:
        ValueError: if there are none, or one has no shape.
        TypeError: if they are anything else.
    """
    if not isinstance(streams, Mapping):
        found = list(streams) if isinstance(streams, (list, tuple)) else [streams]
        if not all(isinstance(s, StreamConfiguration) for s in found):
            raise TypeError(f"{reader}: streams must be StreamDefs(name=StreamDef(...), ...), got {streams!r}")
    else:
        found = []
        for name, stream in streams.items():
            if not isinstance(stream, Mapping):
                raise TypeError(f"{reader}: stream '{name}' must be a StreamDef, got {type(stream).__name__}")
            if "dim" not in stream:
                raise ValueError(f"{reader}: stream '{name}' has no shape; give StreamDef(field=..., shape=...)")
            found.append(
                StreamConfiguration(
                    name, stream["dim"], stream["is_sparse"], stream["stream_alias"] or name, stream["defines_mb_size"]
                )
            )
    for stream in found:
        shape = as_shape(stream.dim)
        if not shape or any(d <= 0 for d in shape):
            raise ValueError(f"{reader}: stream '{stream.name}' must have a positive shape, got {stream.dim!r}")
    return found


def files_of(stream: Mapping[str, Any], which: str, where: str) -> tuple[str, ...]:
    """The files that a stream is read from.

    Args:
        stream: a `StreamDef`.
        which: ``'scp'`` or ``'mlf'``.
        where: whose stream it is, for errors.

    Raises:
        DataError: if there are none.
    """
    given = stream.get(which)
    files = tuple(given) if isinstance(given, (list, tuple)) else (given,)
    if not files or not all(isinstance(f, (str, os.PathLike)) and str(f) for f in files):
        raise DataError(f"{where} needs a file, or a list of files, as {which}=..., got {given!r}")
    return tuple(str(f) for f in files)
