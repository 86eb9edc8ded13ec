"""Describes values of files in errors, and looks up required values of dictionaries."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

from cntk._persist.protobuf.arrays import NDShape
from cntk._wording import shape_text
from cntk.axis import Axis
from cntk.errors import FileFormatError

T = TypeVar("T")

_EXPECTED: dict[type, str] = {
    str: "a string",
    int: "an integer",
    float: "a number",
    bool: "a flag",
    dict: "a dictionary",
    list: "a list",
    NDShape: "a shape",
    np.ndarray: "an array",
}


def briefly(value: Any) -> str:
    """Describe a value of a file for an error: its kind, and, if it is short, the value."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {shape_text(value.shape)}"
    if isinstance(value, dict):
        return f"a dictionary of {len(value)} values"
    if isinstance(value, NDShape):
        return f"the shape {shape_text(reversed(value))}"
    if isinstance(value, list):
        return f"a list of {len(value)} values"
    if isinstance(value, Axis):
        return f"the axis '{value.name}'"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return f"{value:g}" if isinstance(value, float) else str(int(value))
    return f"the string '{value[:100]}'" if isinstance(value, str) else str(value)


def part(values: dict[str, Any], key: str, type_: type[T], whose: str = "a part") -> T:
    """Return a value of a dictionary, which must be of a type.

    Args:
        values: the dictionary.
        key: the value's name.
        type_: the type that it must have.
        whose: description of the dictionary in errors, if it has no uid.

    Raises:
        FileFormatError: if it is missing or of another type.
    """
    value = values.get(key)
    if not isinstance(value, type_):
        uid = values.get("uid")
        told = f"'{uid}'" if isinstance(uid, str) else whose
        what = (
            f"{told} has no '{key}'" if value is None else f"{told} has as '{key}' {briefly(value)}"
        )
        raise FileFormatError(
            f"{what}, and {_EXPECTED[type_]} was expected; the file is damaged or of another kind"
        )
    return value


def flag(values: dict[str, Any], key: str) -> bool:
    """Return a bool of a dictionary, False if it is missing.

    Raises:
        FileFormatError: if it is of another type.
    """
    return values.get(key) is not None and part(values, key, bool)
