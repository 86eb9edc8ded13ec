"""What the arguments of layers mean: a number or one for each axis, an initializer or a first value."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from cntk.initializer import Initializer, initializer_with_rank

Shape = tuple[int, ...]


def as_tuple(value: Any) -> tuple[Any, ...]:
    """A number as a tuple of one, anything with several elements as a tuple."""
    return tuple(value) if isinstance(value, Iterable) else (value,)


def as_shape(value: Any, what: str) -> Shape:
    """A shape given as a number or a sequence of numbers.

    Raises:
        TypeError: for anything else.
    """
    try:
        return tuple(int(d) for d in as_tuple(value))
    except (TypeError, ValueError):
        raise TypeError(f"{what}: expected an integer or a tuple of integers, got {value!r}") from None


def per_axis(value: Any, filter_shape: Shape, what: str) -> tuple[Any, ...]:
    """One value for each axis of a filter from a single value or one for each.

    Raises:
        ValueError: if their number is another.
    """
    values = as_tuple(value)
    if len(values) == 1:
        return values * len(filter_shape)
    if len(values) != len(filter_shape):
        raise ValueError(
            f"{what} {values} must be a single value or have one for each axis of the filter {filter_shape}"
        )
    return values


def window_of_rank(filter_shape: Any, rank: int, layer: str) -> Shape:
    """A window of ``rank`` axes; a single number is for all of them.

    Raises:
        ValueError: if it has another number of axes.
    """
    window = as_shape(filter_shape, f"{layer}: filter_shape")
    if len(window) not in (1, rank):
        raise ValueError(f"{layer}: filter_shape must be a scalar or have {rank} elements, got {window}")
    return window * (rank // len(window))


def initial(init: Any, what: str, output_rank: int | None = None, filter_rank: int | None = None) -> Any:
    """A parameter's first value: an initializer, told what the parameter's axes mean, or numbers as they are.

    Raises:
        ValueError: for None.
    """
    if init is None:
        raise ValueError(
            f"{what}: init must not be None; give an initializer such as glorot_uniform(), a number or an array"
        )
    if not isinstance(init, Initializer):
        return init
    return initializer_with_rank(init, output_rank, filter_rank)


def shape_for(shape: Shape, init: Any) -> Shape:
    """A parameter's shape; numbers with as many axes settle the dimensions that are yet to be inferred."""
    given = () if isinstance(init, Initializer) else np.shape(init)
    return given if len(given) == len(shape) else shape


def activated(x: Any, activation: Callable[[Any], Any] | None) -> Any:
    """An activation applied; none is the identity."""
    return x if activation is None else activation(x)
