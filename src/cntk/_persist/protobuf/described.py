"""Values of files as errors tell of them, and parts of dictionaries that must be there."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

from cntk._persist.protobuf.arrays import NDShape
from cntk._persist.protobuf.wire import FileFormatError
from cntk._wording import shape_text
from cntk.axis import Axis

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
    """A value of a file as errors show it: what kind it is, and, if it is short, the value."""
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
    """A value of a dictionary.

    Args:
        values: the dictionary.
        key: the value's name.
        type_: of what type it must be.
        whose: what the dictionary is, where it has no uid to be told by.

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
            f"{what}, and {_EXPECTED[type_]} was expected; the file is damaged or holds something "
            f"else"
        )
    return value


def flag(values: dict[str, Any], key: str) -> bool:
    """A flag of a dictionary, unset if it is not there.

    Raises:
        FileFormatError: if something else is there.
    """
    return values.get(key) is not None and part(values, key, bool)
