"""`DictionaryValue` and `Dictionary`: values that programs save and load by themselves."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from cntk._persist import files
from cntk._persist.protobuf.arrays import NDShape
from cntk._persist.protobuf.dictionary import Kind, PythonShape, Single, Size, Wrapped, kind_of

_NAMES = {
    Kind.Nothing: "None",
    Kind.Size: "SizeT",
    Kind.Single: "Float",
    Kind.Text: "String",
    Kind.Shape: "NDShape",
    Kind.List: "Vector",
    Kind.Array: "NDArrayView",
}


class DictionaryValue(Wrapped):
    """Value of a file.

    Args:
        value: a number, a bool, a string, an axis, an array, or a list or dictionary of these; None
            for no value.

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
        self.wrapped = unwrapped(value)
        self._kind = kind_of(self.wrapped)

    def has_value(self) -> bool:
        """Return whether there is a value."""
        return self._kind is not Kind.Nothing

    def value_type(self) -> Kind:
        """Return the kind of the value; it has the number of files."""
        return self._kind

    @staticmethod
    def type_name(type: int) -> str:
        """Return the name of a kind of value.

        Args:
            type: its number in files.

        Raises:
            ValueError: if there is no such kind.
        """
        kind = Kind(type)
        return _NAMES.get(kind, kind.name)

    def save(self, filename: str | os.PathLike[str]) -> None:
        """Write the value to a file, which is replaced when all is written.

        Args:
            filename: the path; missing directories are made.
        """
        files.write_value(filename, self.wrapped)

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
        return self._kind is other._kind and _equal(self.wrapped, other.wrapped)

    __hash__ = None  # type: ignore[assignment]  # arrays can change

    def __repr__(self) -> str:
        return f"DictionaryValue({self.wrapped!r})"


class Dictionary(dict):  # type: ignore[type-arg]
    """Dictionary of values by name that can be saved. A missing value reads as None.

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
            raise TypeError(f"Dictionary: names must be strings, got {key!r}")
        super().__setitem__(key, unwrapped(value))

    def add(self, other: Dictionary) -> None:
        """Copy all values of another dictionary."""
        self.update(other)

    def contains(self, key: str) -> bool:
        """Return whether there is a value of a name."""
        return key in self

    def size(self) -> int:
        """Return the number of values."""
        return len(self)

    def save(self, filename: str | os.PathLike[str]) -> None:
        """Write the dictionary to a file, which is replaced when all is written.

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
    """Return a value without `Wrapped`, in lists and dictionaries too."""
    if isinstance(value, Wrapped):
        return value.wrapped
    if isinstance(value, dict):
        return {key: unwrapped(item) for key, item in value.items()}
    if type(value) in (list, tuple):
        return [unwrapped(item) for item in value]
    return value


def _read(value: Any) -> Any:
    """Return a value as a plain Python type, without its kind in files (`Size`, `Single`)."""
    if isinstance(value, Size):
        return int(value)
    if isinstance(value, Single):
        return float(value)
    if isinstance(value, dict):
        return {key: _read(item) for key, item in value.items()}
    return [_read(item) for item in value] if isinstance(value, list) else value


def _in_python(value: Any) -> Any:
    """Return a value with its shapes in Python's order, in lists and dictionaries too."""
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
