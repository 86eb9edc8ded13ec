"""Reads and writes files of dictionaries: checks what it reads, and replaces files atomically."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any

import numpy as np

from cntk._persist.foreign import ENOUGH, is_onnx, what_it_is
from cntk._persist.protobuf.dictionary import Decoder, encode_dictionary, encode_value
from cntk._persist.protobuf.wire import Writable
from cntk._persist.v1.wire import START
from cntk._writing.file_errors import checked_path, naming
from cntk._writing.whole_files import opened, reachable, replacing, replacing_together
from cntk.errors import ArgumentError, FileFormatError, ModelNotFoundError
from cntk.io._text.listed_names import advice

# A protobuf message has at most two gigabytes. A larger file begins with this magic number and the
# message's size; the message has no elements of arrays, which follow it.
_MARK = b"ktnc"
# The first byte of other files: the key of the version, or of the first value.
_BEGINNINGS = (b"\x08", b"\x12")
_LARGEST_MESSAGE = 2**31 - 2**20

# Key in a checkpoint's states: name of the model's temporary file, which is renamed right after
# these states are. The original ignores this key.
WEIGHTS_UNTIL_REPLACED = "WeightsUntilReplaced"


def describe(source: Any) -> str:
    """Return the name of a source in errors."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        return f"a model of {len(source)} bytes in memory"
    name = source if isinstance(source, (str, os.PathLike)) else getattr(source, "name", source)
    return f"'{os.fspath(name)}'" if isinstance(name, (str, os.PathLike)) else repr(name)


def read(
    source: Any, decoded: Callable[[memoryview], dict[str, Any]] | None = None
) -> dict[str, Any]:
    """Read the dictionary in a file.

    Args:
        source: a path, the file's bytes, or a file opened for reading in binary mode.
        decoded: converts the bytes to the dictionary; by default `decode`.

    Raises:
        FileNotFoundError: if there is no such file.
        FileFormatError: if it is cut short, damaged, or of another kind.
        ArgumentError: for any other source.
    """
    data = memoryview(_content(source))
    try:
        return (decoded or decode)(data)
    except FileFormatError as error:
        raise FileFormatError(f"{describe(source)} cannot be read: {error}") from None


def read_value(source: Any) -> Any:
    """Read the single value in a file that `write_value` wrote; see `read`."""
    data = memoryview(_content(source))
    try:
        with _no_collection():
            return Decoder().value(data)
    except FileFormatError as error:
        raise FileFormatError(f"{describe(source)} cannot be read: {error}") from None


def decode_loosely(data: memoryview) -> dict[str, Any]:
    """Decode a file's bytes, with None for each value of an unknown kind; see `read`."""
    return decode(data, newer_is_nothing=True)


def decode(data: memoryview, newer_is_nothing: bool = False) -> dict[str, Any]:
    """Decode a file's bytes to its dictionary; see `read`.

    Args:
        data: the bytes.
        newer_is_nothing: whether values of unknown kinds are None; else they are an error.
    """
    if data[: len(_MARK)] != _MARK:
        _require_own(bytes(data[:ENOUGH]))
        with _no_collection():
            return Decoder(newer_is_nothing=newer_is_nothing).dictionary(data)
    size = int.from_bytes(data[4:8], "little")
    if 8 + size > len(data):
        raise FileFormatError("it is shorter than it says; the file is cut short")
    with _no_collection():
        return Decoder(data[8 + size :], newer_is_nothing).dictionary(data[8 : 8 + size])


@contextmanager
def _no_collection() -> Iterator[None]:
    """Disable the garbage collector, which would take most of the time and find nothing."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _require_own(start: bytes) -> None:
    if not start.startswith(_BEGINNINGS) or is_onnx(start):
        raise FileFormatError(what_it_is(start))


def _content(source: Any) -> bytes | bytearray | memoryview:
    if isinstance(source, (bytes, bytearray, memoryview)):
        return source
    if isinstance(source, (str, os.PathLike)):
        if os.path.isdir(reachable(source)):
            raise ModelNotFoundError(
                f"{describe(source)} is a folder; give the path of a model's file"
            )
        if not os.path.isfile(reachable(source)):
            raise ModelNotFoundError(
                f"there is no file {describe(source)} to load{advice(os.fspath(source))}"
            )
        with opened(source) as file:
            # A file of another kind may be of any size: check its begin before reading all of it.
            start = file.read(ENOUGH)
            if not start.startswith((_MARK, START)):
                try:
                    _require_own(start)
                except FileFormatError as error:
                    raise FileFormatError(f"{describe(source)} cannot be read: {error}") from None
            file.seek(0)
            return file.read()
    if hasattr(source, "read"):
        content = source.read()
        if isinstance(content, bytes):
            return content
        raise TypeError(f"{describe(source)} gives text; open it in binary mode, open(..., 'rb')")
    raise ArgumentError(
        f"expected a path, bytes, or a file opened in binary mode, got {type(source).__name__}"
    )


def write(
    target: str | os.PathLike[str] | IO[bytes], values: Mapping[str, Any], operation: str = "save"
) -> None:
    """Write a dictionary to a file; an existing file is replaced when all is written.

    Args:
        target: the path, missing directories are made; or a file opened for writing in binary mode.
        values: the dictionary.
        operation: the function that the program has called, for errors.

    Raises:
        FileFormatError: for a value that files cannot hold.
        ArgumentError: for any other target.
        OSError: if it cannot be written.
    """
    if isinstance(target, (str, os.PathLike)) or not hasattr(target, "write"):
        write_together({checked_path(target, operation): values}, operation)
    else:
        _prepare(values)(_OpenedFile(target, operation))


def write_together(
    files: Mapping[str | os.PathLike[str], Mapping[str, Any]],
    operation: str,
    mark: str | None = None,
) -> None:
    """Write dictionaries to files that belong together; if one cannot be replaced, none is.

    Args:
        files: the dictionaries by path, the last to be replaced first; see `write`.
        operation: the function that the program has called, for errors.
        mark: part of the temporary files' names.
    """
    prepared = [_prepare(values) for values in files.values()]
    with replacing_together(files, operation, mark, _named_by_states) as fresh:
        for put, file in zip(prepared, fresh, strict=True):
            put(file)


def beside(filename: str | os.PathLike[str]) -> str:
    """Return the path of the states that belong to a checkpoint's model."""
    return os.fspath(filename) + ".ckp"


def _named_by_states(filename: str) -> set[Any]:
    """Return the temporary file of a model whose states have been renamed, but not it itself."""
    try:
        return {read(beside(filename)).get(WEIGHTS_UNTIL_REPLACED)}
    except (OSError, ValueError):
        return set()


class _OpenedFile:
    """File that the program has opened, and will close.

    Args:
        file: the file.
        operation: the function that the program has called, for errors.

    Raises:
        ArgumentError: if it is closed, takes strings in place of bytes, or was opened to be read.
    """

    def __init__(self, file: IO[bytes], operation: str) -> None:
        self._file, self._operation = file, operation
        try:
            file.write(b"")
        except (TypeError, ValueError):
            raise ArgumentError(
                f"{operation}: {describe(file)} takes no bytes; open it in binary mode, open(..., "
                f"'wb'), and close it afterwards"
            ) from None
        except OSError:
            pass  # Writing the first bytes raises it again.

    def write(self, content: bytes | bytearray | memoryview) -> None:
        """Write all of the bytes."""
        left = memoryview(content)
        with naming(self._operation, str(getattr(self._file, "name", type(self._file).__name__))):
            while left:
                taken = self._file.write(left)
                left = left[len(left) if taken is None else taken :]


def _prepare(values: Mapping[str, Any]) -> Callable[[Writable], None]:
    """Encode a dictionary; return a function that writes it to a file."""
    later: list[np.ndarray] = []
    message = encode_dictionary(values)
    large = message.size > _LARGEST_MESSAGE
    if large:
        message = encode_dictionary(values, later)

    def put(file: Writable) -> None:
        if large:
            file.write(_MARK + message.size.to_bytes(4, "little"))
        message.write(file)
        for elements in later:
            if elements.size:
                file.write(elements.data.cast("B"))

    return put


def write_value(filename: str | os.PathLike[str], value: Any, operation: str = "save") -> None:
    """Write a single value, which need not be a dictionary, to a file; see `write`."""
    message = encode_value(value)
    with replacing(filename, operation) as file:
        message.write(file)
