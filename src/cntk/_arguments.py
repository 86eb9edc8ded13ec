"""Checks of arguments. Each returns the value as the package uses it, or raises an error that says
what was expected and what came.

``what`` is the callable and its argument, such as ``"Dense: bias"``; errors begin with it. Checks
are made where something is set up, never in a training step.
"""

from __future__ import annotations

import math
import operator
import os
import reprlib
from collections.abc import Callable
from numbers import Real
from typing import Any, TypeGuard

import numpy as np

from cntk.errors import ArgumentError, RangeError

_LONGEST = 80
_short = reprlib.Repr()
_short.maxstring = _short.maxother = _short.maxlong = _LONGEST


def is_real(value: Any) -> TypeGuard[float]:
    """Return whether it is a real number, NumPy's and fractions too; type checkers see a float."""
    return isinstance(value, Real)


def shown(value: Any) -> str:
    """Return a value as errors show it: short, on one line, and without addresses.

    Example:
        >>> shown("a"), shown(np.ones((2, 3))), shown(object())
        ("'a'", 'an array of shape (2, 3)', 'an object')
    """
    if isinstance(value, np.ndarray) and value.ndim:
        return f"an array of shape {value.shape}"
    text = " ".join(_short.repr(value).split())
    if " at 0x" in text:
        name = getattr(value, "__name__", None)
        kind = type(value).__name__
        return f"{kind} {name}" if name else f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"
    return text if len(text) <= 2 * _LONGEST else text[: 2 * _LONGEST] + "..."


def as_flag(value: Any, what: str) -> bool:
    """Convert a value to a bool by Python's rules.

    Raises:
        ArgumentError: for what is neither, such as an array of several elements.
    """
    try:
        return bool(value)
    except (TypeError, ValueError, RuntimeError):
        raise ArgumentError(f"{what}: expected True or False, got {shown(value)}") from None


def as_bool(value: Any, what: str) -> bool:
    """Return a bool; refuse values that merely convert to one, as the original's native layer does.

    Raises:
        ArgumentError: for anything else.
    """
    if not isinstance(value, (bool, np.bool_)):
        raise ArgumentError(f"{what}: expected True or False, got {shown(value)}")
    return bool(value)


def as_integer(
    value: Any, what: str, least: int | None = None, most: int | None = None, instead: str = ""
) -> int:
    """Convert an integer of Python's or NumPy's to an int.

    Args:
        value: what the program gave.
        what: the callable and its argument.
        least: the smallest that makes sense.
        most: the largest.
        instead: what else may be given, as the error puts it: "or None".

    Raises:
        ArgumentError: for what is no integer.
        RangeError: for one that is too small or too large.
    """
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or (isinstance(value, np.ndarray) and value.ndim):
        raise ArgumentError(
            f"{what}: expected an integer{instead and ' ' + instead}, got {shown(value)}"
        )
    _check_range(number, what, least, most, value)
    return number


def as_real(
    value: Any,
    what: str,
    least: float | None = None,
    most: float | None = None,
    above: float | None = None,
    finite: bool = True,
) -> float:
    """Convert a real number to a float.

    Args:
        value: what the program gave.
        what: the callable and its argument.
        least: the smallest that makes sense.
        most: the largest.
        above: what it must be larger than.
        finite: whether infinity and NaN are refused.

    Raises:
        ArgumentError: for what is no number.
        RangeError: for one that is out of range.
    """
    if not isinstance(value, Real):
        raise ArgumentError(f"{what}: expected a number, got {shown(value)}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if finite and not math.isfinite(number):
        raise RangeError(f"{what}: expected a finite number, got {shown(value)}")
    if above is not None and not number > above:
        raise RangeError(f"{what}: must be above {above}, got {shown(value)}")
    _check_range(number, what, least, most, value)
    return number


def as_number(value: Any, what: str) -> float:
    """Convert a number, infinity and NaN too, to a float; an array without axes counts.

    Raises:
        ArgumentError: for anything else.
    """
    if type(value) is float:
        return value
    return as_real(
        value.item() if isinstance(value, np.ndarray) and value.ndim == 0 else value,
        what,
        finite=False,
    )


def as_share(value: Any, what: str) -> float:
    """Convert a number from 0 to less than 1 to a float.

    Raises:
        ArgumentError: for what is no number.
        RangeError: for one that is out of range.
    """
    number = as_number(value, what)
    if not 0 <= number < 1:
        raise RangeError(f"{what} must be in the interval [0, 1), got {shown(value)}")
    return number


def _check_range(
    number: float, what: str, least: float | None, most: float | None, value: Any
) -> None:
    if least is not None and not number >= least:
        raise RangeError(f"{what}: must be at least {least}, got {shown(value)}")
    if most is not None and not number <= most:
        raise RangeError(f"{what}: must be at most {most}, got {shown(value)}")


def as_string(value: Any, what: str, instead: str = "") -> str:
    """Return a string, after a check.

    Raises:
        ArgumentError: for anything else.
    """
    if not isinstance(value, str):
        raise ArgumentError(
            f"{what}: expected a string{instead and ' ' + instead}, got {shown(value)}"
        )
    return value


def as_path(value: Any, what: str, of: str = "a file") -> str:
    """Return the path of a file or a folder as a string.

    Raises:
        ArgumentError: for what is no path, or has a character that no path has.
    """
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if not isinstance(value, str):
        raise ArgumentError(f"{what}: expected the path of {of}, got {shown(value)}")
    if "\0" in value:
        raise ArgumentError(
            f"{what}: expected the path of {of}, got {value!r}, which no path can be; take out the "
            f"'\\0'"
        )
    return value


def as_function(value: Any, what: str, of: str = "", instead: str = "") -> Callable[..., Any]:
    """Return a callable, after a check.

    Args:
        value: what the program gave.
        what: the callable and its argument.
        of: what it is called with, and what it gives, as the error puts it: "of a node, which says
            whether to go on".
        instead: what else may be given: "or None".

    Raises:
        ArgumentError: for anything else.
    """
    if not callable(value):
        expected = " ".join(filter(None, ("a function", of))) + (f", {instead}" if instead else "")
        raise ArgumentError(f"{what}: expected {expected}, got {shown(value)}")
    return value  # type: ignore[no-any-return]
