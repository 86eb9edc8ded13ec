"""Values of variables in files: arrays, lists and dictionaries of them, and the parameters of a
layer.

One array is a NumPy file ``.npy``. All else is a file ``.npz`` of uncompressed arrays, among them
``header``, a string in JSON that describes their structure. Nothing is ever unpickled, and nothing
larger than the file is allocated.
"""

from __future__ import annotations

import json
import math
import os
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from cntk._writing.whole_files import opened, replacing
from cntk.errors import DataError

Array = NDArray[Any]

_HEADERS: dict[
    tuple[int, int], Callable[[IO[bytes]], tuple[tuple[int, ...], bool, np.dtype[Any]]]
] = {
    (1, 0): npy.read_array_header_1_0,
    (2, 0): npy.read_array_header_2_0,
}


def write_value(stem: str, value: Any, layers: Mapping[str, type]) -> None:
    """Write a value to a file of its own.

    Args:
        stem: the path without its ending. A file of the other ending is removed.
        value: an array; a list or a dictionary of arrays, whose keys are strings or numbers; or one
            of ``layers``.
        layers: named tuples of arrays and None, by their names.

    Raises:
        TypeError: for any other value.
    """
    one = isinstance(value, np.ndarray)
    arrays = {} if one else _split(value, layers)
    with replacing(stem + (".npy" if one else ".npz"), "save") as file:
        if one:
            np.save(file, value, allow_pickle=False)
        else:
            np.savez(file, allow_pickle=False, **arrays)
    Path(stem + (".npz" if one else ".npy")).unlink(missing_ok=True)


def read_value(stem: str, layers: Mapping[str, type]) -> Any:
    """Read what `write_value` wrote.

    Args:
        stem: the path without its ending.
        layers: named tuples by their names.

    Raises:
        DataError: (a ValueError and RuntimeError) if the file is damaged, of another kind, or
            pickled.
        FileNotFoundError: if there is none.
    """
    for ending, read in ((".npy", _read_array), (".npz", lambda path: _read_arrays(path, layers))):
        path = Path(stem + ending)
        if path.exists():
            try:
                return read(path)
            except (
                ValueError,
                KeyError,
                TypeError,
                EOFError,
                OSError,
                zipfile.BadZipFile,
            ) as error:
                raise DataError(f"'{path}' cannot be read: {error}") from error
    if os.path.exists(stem + ".pkl"):
        raise DataError(
            f"'{stem}.pkl' is pickled: reading it could run whatever code it names, so that it is "
            f"not read; write it again as .npz, as docs/shrink-and-convert.md says"
        )
    raise FileNotFoundError(f"there is neither '{stem}.npy' nor '{stem}.npz'")


def _split(value: Any, layers: Mapping[str, Any]) -> dict[str, Array]:
    """Split a value into named arrays, a header among them."""
    kind = "list" if isinstance(value, list) else type(value).__name__
    header: dict[str, Any] = {"kind": kind}
    if layers.get(kind) is type(value):
        arrays = {name: part for name, part in value._asdict().items() if part is not None}
    elif isinstance(value, list):
        arrays = {str(k): part for k, part in enumerate(value)}
    elif isinstance(value, dict) and all(isinstance(key, (str, int, float)) for key in value):
        header["keys"] = list(value)
        arrays = {str(k): part for k, part in enumerate(value.values())}
    else:
        raise TypeError(
            f"files hold arrays, lists and dictionaries of them, and parameters of layers, and not "
            f"{value!r}"
        )
    wrong = [
        part for part in arrays.values() if not isinstance(part, np.ndarray) or part.dtype.hasobject
    ]
    if wrong:
        raise TypeError(
            f"files hold arrays of numbers, lists and dictionaries of them, and not a "
            f"{type(wrong[0]).__name__}"
        )
    if "keys" in header and len({(part.shape, part.dtype) for part in arrays.values()}) == 1:
        # A vocabulary may have a hundred thousand words.
        arrays = {"values": np.stack(list(arrays.values()))}
    return {"header": np.array(json.dumps(header)), **arrays}


def _join(arrays: dict[str, Array], layers: Mapping[str, type]) -> Any:
    """Join named arrays into a value; the inverse of `_split`."""
    header = json.loads(str(arrays.pop("header")))
    kind = header["kind"]
    if kind in layers:
        fields = layers[kind]._fields  # type: ignore[attr-defined]
        return layers[kind](*(arrays.get(name) for name in fields))
    if kind not in ("list", "dict"):
        raise ValueError(f"it holds a '{kind}', which is not known")
    parts: Any = (
        arrays["values"] if "values" in arrays else [arrays[str(k)] for k in range(len(arrays))]
    )
    return list(parts) if kind == "list" else dict(zip(header["keys"], parts, strict=True))


def _read_arrays(path: Path, layers: Mapping[str, type]) -> Any:
    with opened(path) as file, zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        plain = all(
            m.compress_type == zipfile.ZIP_STORED and m.compress_size == m.file_size
            for m in members
        )
        if not plain or sum(m.file_size for m in members) > path.stat().st_size:
            raise ValueError("its arrays must be uncompressed, as numpy.savez writes them")
        arrays = {}
        for member in members:
            with archive.open(member) as part:
                arrays[member.filename.removesuffix(".npy")] = _array(part, member.file_size)
    return _join(arrays, layers)


def _read_array(path: Path) -> Array:
    with opened(path) as file:
        return _array(file, path.stat().st_size)


def _array(file: IO[bytes], size: int) -> Array:
    """Read the array in a file of a known size."""
    version = npy.read_magic(file)
    if version not in _HEADERS:
        raise ValueError(f"it is of version {version} of NumPy's format")
    shape, by_columns, dtype = _HEADERS[version](file)
    if dtype.hasobject:
        raise ValueError("it holds pickled objects")
    if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != size - file.tell():
        raise ValueError(f"an array of shape {shape} does not fill it exactly")
    array: Array = np.empty(math.prod(shape), dtype)
    if array.nbytes:
        file.readinto(array.view(np.uint8))  # type: ignore[attr-defined]
    return array.reshape(shape[::-1]).T if by_columns else array.reshape(shape)
