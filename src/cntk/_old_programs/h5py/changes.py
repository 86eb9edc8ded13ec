"""Wrappers of h5py with the behaviour of version 2: attributes that are bytes, files that can be
written.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import Any

import numpy as np

from cntk._old_programs.rows import Changed
from cntk._old_programs.tell import Teller, is_served


def ascii_is_bytes(
    function: Callable[..., Any], row: Changed, teller: Teller
) -> Callable[..., Any]:
    """Return `AttributeManager.__getitem__` with bytes where the file says ASCII, of any length, as
    for what was bytes.
    """

    def as_bytes(text: str) -> bytes:
        return text.encode("utf-8", "surrogateescape")

    @functools.wraps(function)
    def old(attributes: Any, name: Any) -> Any:
        value = function(attributes, name)
        if not isinstance(value, str) and not (
            isinstance(value, np.ndarray) and value.dtype.kind == "O"
        ):
            return value
        if _encoding(attributes.get_id(name).dtype) != "ascii" or not is_served():
            return value
        teller.row(row)
        if isinstance(value, str):
            return as_bytes(value)
        flat = np.empty(value.size, object)
        flat[:] = [as_bytes(one) for one in value.ravel()]
        return flat.reshape(value.shape)

    return old


def strings(function: Callable[..., Any], row: Changed, teller: Teller) -> Callable[..., Any]:
    """Return `Dataset.__getitem__` with strings where the file says UTF-8."""

    @functools.wraps(function)
    def old(dataset: Any, *arguments: Any, **options: Any) -> Any:
        value = function(dataset, *arguments, **options)
        if not isinstance(value, bytes) and not (
            isinstance(value, np.ndarray) and value.dtype.kind == "O"
        ):
            return value
        if _encoding(dataset.dtype) != "utf-8" or not is_served():
            return value
        teller.row(row)
        if isinstance(value, bytes):
            return value.decode("utf-8")
        flat = np.empty(value.size, object)
        flat[:] = [one.decode("utf-8") if isinstance(one, bytes) else one for one in value.ravel()]
        return flat.reshape(value.shape)

    return old


def _encoding(dtype: np.dtype[Any]) -> str | None:
    """Return how strings of any length are encoded; None if these are none."""
    kind = dtype.metadata["vlen"] if dtype.metadata and "vlen" in dtype.metadata else None
    return "ascii" if kind is bytes else "utf-8" if kind is str else None


def fixed_bytes(function: Callable[..., Any], row: Changed, teller: Teller) -> Callable[..., Any]:
    """Return what writes an attribute, writing a list of bytes as NumPy makes an array of it."""

    @functools.wraps(function)
    def old(attributes: Any, name: Any, data: Any, *arguments: Any, **options: Any) -> None:
        if (
            isinstance(data, (list, tuple))
            and not arguments
            and options.get("dtype") is None
            and _are_bytes(data)
        ):
            if is_served():
                teller.row(row)
                data = np.array(data)
        function(attributes, name, data, *arguments, **options)

    return old


def _are_bytes(data: Any) -> bool:
    if isinstance(data, (list, tuple)):
        return bool(data) and all(map(_are_bytes, data))
    return isinstance(data, bytes)


def mode(function: Callable[..., Any], row: Changed, teller: Teller) -> Callable[..., Any]:
    """Return `File.__init__` that, without a mode, opens a file to write if it can, and makes it if
    there is none.
    """

    @functools.wraps(function)
    def old(file: Any, name: Any, *arguments: Any, **options: Any) -> None:
        if (
            arguments
            or "mode" in options
            or not isinstance(name, (str, bytes, os.PathLike))
            or not is_served()
        ):
            function(file, name, *arguments, **options)
            return
        writable = not os.path.exists(name) or os.access(name, os.W_OK)
        if writable:
            teller.row(row)
        function(file, name, "a" if writable else "r", **options)

    return old


def _value(dataset: Any) -> Any:
    return dataset[()]


def _fid(file: Any) -> Any:
    return file.id


value = property(_value)
fid = property(_fid)
