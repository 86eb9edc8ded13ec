"""Values and dictionaries of files as objects of their own, for programs that save some by
themselves.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from cntk._persist import files
from cntk._persist.protobuf.arrays import NDShape
from cntk._persist.protobuf.dictionary import Held, Kind, PythonShape, Single, Size, kind_of

_NAMES = {
    Kind.Nothing: "None",
    Kind.Size: "SizeT",
    Kind.Single: "Float",
    Kind.Text: "String",
    Kind.Shape: "NDShape",
    Kind.List: "Vector",
    Kind.Array: "NDArrayView",
}


class DictionaryValue(Held):
    """One value as files hold it.

    Args:
        value: a number, a flag, a text, an axis, an array, or a list or dictionary of these; None
            for nothing.

    Raises:
        FileFormatError: for anything else, which files cannot hold.

    Example:
        >>> DictionaryValue(3) == DictionaryValue(3)
        True
        >>> DictionaryValue.type_name(DictionaryValue([1, 2]).value_type())
        'Vector'
    """

    Type__none = Kind.Nothing
    Type_Bool = Kind.Bool
    Type_Int = Kind.Int
    Type_SizeT = Kind.Size
    Type_Float = Kind.Single
    Type_Double = Kind.Double
    Type_String = Kind.Text
    Type_NDShape = Kind.Shape
    Type_Axis = Kind.Axis
    Type_Vector = Kind.List
    Type_Dictionary = Kind.Dictionary
    Type_NDArrayView = Kind.Array

    def __init__(self, value: Any = None) -> None:
        self.held = unwrapped(value)
        self._kind = kind_of(self.held)

    def has_value(self) -> bool:
        """Whether it holds anything."""
        return self._kind is not Kind.Nothing

    def value_type(self) -> Kind:
        """What kind of value it is, by the number in files."""
        return self._kind

    @staticmethod
    def type_name(type: int) -> str:
        """The name of a kind of value.

        Args:
            type: its number in files.

        Raises:
            ValueError: if there is no such kind.
        """
        kind = Kind(type)
        return _NAMES.get(kind, kind.name)

    def save(self, filename: str | os.PathLike[str]) -> None:
        """Write the value to a file, which is replaced once all is written.

        Args:
            filename: the path; missing directories are made.
        """
        files.write_value(filename, self.held)

    @staticmethod
    def load(filename: str | os.PathLike[str]) -> DictionaryValue:
        """Read a value from a file that `save` wrote.

        Raises:
            FileNotFoundError: if there is no such file.
            FileFormatError: if it is cut short, damaged, or of another kind.
        """
        return DictionaryValue(_in_python(files.read_value(filename)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, DictionaryValue):
            return NotImplemented
        return self._kind is other._kind and _equal(self.held, other.held)

    __hash__ = None  # type: ignore[assignment]  # arrays can change

    def __repr__(self) -> str:
        return f"DictionaryValue({self.held!r})"


class Dictionary(dict):  # type: ignore[type-arg]
    """Values by name that can be saved. What is not there reads as None.

    Example:
        >>> config = Dictionary()
        >>> config["frames"] = DictionaryValue(True)
        >>> config["frames"], config["depth"]
        (True, None)
    """

    def __getitem__(self, key: str) -> Any:
        return _read(super().__getitem__(key))

    def __missing__(self, key: str) -> None:
        return None

    def __setitem__(self, key: str, value: Any) -> None:
        if not isinstance(key, str):
            raise TypeError(f"Dictionary: names must be text, got {key!r}")
        super().__setitem__(key, unwrapped(value))

    def add(self, other: Dictionary) -> None:
        """Take over all values of another dictionary."""
        self.update(other)

    def contains(self, key: str) -> bool:
        """Whether there is a value of that name."""
        return key in self

    def size(self) -> int:
        """How many values there are."""
        return len(self)

    def save(self, filename: str | os.PathLike[str]) -> None:
        """Write the dictionary to a file, which is replaced once all is written.

        Args:
            filename: the path; missing directories are made.
        """
        files.write(filename, self)

    @staticmethod
    def load(filename: str | os.PathLike[str]) -> Dictionary:
        """Read a dictionary from a file that `save` wrote.

        Raises:
            FileNotFoundError: if there is no such file.
            FileFormatError: if it is cut short, damaged, or of another kind.
        """
        return Dictionary(_in_python(files.read(filename, files.decode_loosely)))


def unwrapped(value: Any) -> Any:
    """A value without what programs wrap around values for files, in lists and dictionaries too."""
    if isinstance(value, Held):
        return value.held
    if isinstance(value, dict):
        return {key: unwrapped(item) for key, item in value.items()}
    if type(value) in (list, tuple):
        return [unwrapped(item) for item in value]
    return value


def _read(value: Any) -> Any:
    """A value as programs read it: its kind in files, as of an unsigned number, stays in the
    dictionary.
    """
    if isinstance(value, Size):
        return int(value)
    if isinstance(value, Single):
        return float(value)
    if isinstance(value, dict):
        return {key: _read(item) for key, item in value.items()}
    return [_read(item) for item in value] if isinstance(value, list) else value


def _in_python(value: Any) -> Any:
    """A value from a file with its shapes in Python's order, in lists and dictionaries too."""
    if isinstance(value, NDShape):
        return PythonShape(reversed(value))
    if isinstance(value, dict):
        return {key: _in_python(item) for key, item in value.items()}
    return [_in_python(item) for item in value] if isinstance(value, list) else value


def _equal(left: Any, right: Any) -> bool:
    if isinstance(left, np.ndarray):
        return (
            isinstance(right, np.ndarray)
            and left.dtype == right.dtype
            and np.array_equal(left, right)
        )
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_equal(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(
            _equal(a, b) for a, b in zip(left, right, strict=True)
        )
    return bool(left == right)
