"""Wrappers of NumPy's functions with their former behaviour, only where today's would end with an
error.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cntk._old_programs.rows import Changed
from cntk._old_programs.tell import Teller, is_served

Wrapped = Callable[..., Any]


def ragged(function: Wrapped, row: Changed, teller: Teller) -> Wrapped:
    """Return the function with an array of objects for rows of different lengths."""

    @functools.wraps(function)
    def old(*arguments: Any, **options: Any) -> Any:
        try:
            return function(*arguments, **options)
        except ValueError as error:
            dtype = arguments[1] if arguments[1:] else options.get("dtype")
            if "inhomogeneous" not in str(error) or dtype is not None or not is_served():
                raise
        teller.row(row)
        return function(*arguments[:1], *arguments[2:], **{**options, "dtype": object})

    return old


def ragged_operand(function: Wrapped, row: Changed, teller: Teller) -> Wrapped:
    """Return the function with rows of different lengths as an array of objects."""

    @functools.wraps(function)
    def old(*arguments: Any, **options: Any) -> Any:
        try:
            return function(*arguments, **options)
        except ValueError as error:
            values = arguments[0] if arguments else options.get("a")
            if (
                "inhomogeneous" not in str(error)
                or isinstance(values, np.ndarray)
                or not is_served()
            ):
                raise
        teller.row(row)
        options.pop("a", None)
        return function(np.array(values, dtype=object), *arguments[1:], **options)

    return old


def no_copy(function: Wrapped, row: Changed, teller: Teller) -> Wrapped:
    """Return the function with copy=False as "copy only if needed"."""

    @functools.wraps(function)
    def old(*arguments: Any, **options: Any) -> Any:
        try:
            return function(*arguments, **options)
        except ValueError as error:
            if "avoid copy" not in str(error) or not is_served():
                raise
        teller.row(row)
        return function(*arguments, **{**options, "copy": None})

    return old


def wrapped(function: Wrapped, row: Changed, teller: Teller) -> Wrapped:
    """Return the function with integers that do not fit taken modulo the dtype's range."""

    @functools.wraps(function)
    def old(*arguments: Any, **options: Any) -> Any:
        try:
            return function(*arguments, **options)
        except OverflowError as error:
            if "out of bounds" not in str(error) or not is_served():
                raise
        teller.row(row)
        dtype = arguments[1] if arguments[1:] else options.pop("dtype")
        return function(*arguments[:1], *arguments[2:], **options).astype(dtype)

    return old


def from_bytes(function: Wrapped, row: Changed, teller: Teller) -> Wrapped:
    """Return `fromstring` that takes the bytes of numbers, too."""

    @functools.wraps(function)
    def old(
        string: Any, dtype: Any = float, count: int = -1, *, sep: str = "", **options: Any
    ) -> NDArray[Any]:
        if sep or not is_served():
            array: NDArray[Any] = function(string, dtype, count, sep=sep, **options)
            return array
        teller.row(row)
        data = string.encode("latin-1") if isinstance(string, str) else string
        return np.frombuffer(data, dtype, count).copy()

    return old


def count_as_int(function: Wrapped, row: Changed, teller: Teller) -> Wrapped:
    """Return `linspace` that takes a count that is a float."""

    @functools.wraps(function)
    def old(start: Any, stop: Any, num: Any = 50, *arguments: Any, **options: Any) -> Any:
        if isinstance(num, (float, np.floating)) and is_served():
            teller.row(row)
            num = int(num)
        return function(start, stop, num, *arguments, **options)

    return old
