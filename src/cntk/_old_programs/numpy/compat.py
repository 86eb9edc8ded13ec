"""Replacement of `numpy.compat`, helpers for programs of both Python 2 and 3."""

from __future__ import annotations

import io
import os
import pickle
from os import PathLike as os_PathLike, fspath as os_fspath
from typing import Any

long, integer_types, basestring, unicode = int, (int,), str, str
strchar, sixu, Path = "U", str, os.PathLike

__all__ = [
    "asbytes",
    "asbytes_nested",
    "asstr",
    "asunicode",
    "asunicode_nested",
    "basestring",
    "integer_types",
    "is_pathlib_path",
    "isfileobj",
    "long",
    "os_PathLike",
    "os_fspath",
    "Path",
    "pickle",
    "sixu",
    "strchar",
    "unicode",
]


def asbytes(text: Any) -> bytes:
    """Return text as bytes, in Latin-1."""
    return text if isinstance(text, bytes) else str(text).encode("latin1")


def asstr(text: Any) -> str:
    """Return bytes as text, in Latin-1."""
    return text.decode("latin1") if isinstance(text, bytes) else str(text)


asunicode = asstr


def asbytes_nested(texts: Any) -> Any:
    """Return all texts of nested lists as bytes."""
    return [asbytes_nested(one) for one in texts] if _is_nested(texts) else asbytes(texts)


def asunicode_nested(texts: Any) -> Any:
    """Return all bytes of nested lists as text."""
    return [asunicode_nested(one) for one in texts] if _is_nested(texts) else asunicode(texts)


def isfileobj(thing: object) -> bool:
    """Tell whether a thing is a file opened in binary mode."""
    return isinstance(thing, (io.FileIO, io.BufferedReader, io.BufferedWriter))


def is_pathlib_path(thing: object) -> bool:
    """Tell whether a thing is a path of pathlib."""
    return isinstance(thing, os.PathLike)


def _is_nested(texts: object) -> bool:
    return hasattr(texts, "__iter__") and not isinstance(texts, (bytes, str))
