"""Checks and conversions of the arguments of layers: sizes, one value for each axis,
first values, functions.

Whatever is refused is refused when the layer is made, with the layer's name, what came, and what to
give instead.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from numbers import Real
from typing import Any

import numpy as np

from cntk import ops
from cntk._arguments import is_real, shown
from cntk._graph.bfloat16 import is_number
from cntk._graph.function import Function
from cntk._graph.variable import Variable, as_name
from cntk._wording import shape_text
from cntk.errors import ArgumentError, NodeAsSizeError, RangeError, SettingError
from cntk.initializer import Initializer, initializer_with_rank

__all__ = [
    "MOST_AXES",
    "Shape",
    "activated",
    "as_activation",
    "as_count",
    "as_layer_name",
    "as_shape",
    "as_tuple",
    "check_reduction_rank",
    "first_value",
    "fitted",
    "flags_per_axis",
    "initial",
    "initial_bias",
    "name_of",
    "per_axis",
    "shape_for",
    "sizes_per_axis",
    "takes",
    "window_of_rank",
]


Shape = tuple[int, ...]

_LARGEST = 2**31 - 1
"""More elements than that along an axis nothing computes with."""

MOST_AXES = 32
"""More axes nothing has."""


def as_tuple(value: Any) -> tuple[Any, ...]:
    """Return a number or a string as a tuple of one, anything with several elements as a tuple."""
    return (
        tuple(value)
        if isinstance(value, Iterable) and not isinstance(value, (str, bytes))
        else (value,)
    )


def as_shape(value: Any, what: str, least: int = 0) -> Shape:
    """Return a shape given as a number or a sequence of numbers.

    Args:
        value: the shape.
        what: the layer and its argument, such as ``"Dense: shape"``.
        least: the smallest size that makes sense.

    Raises:
        TypeError: for anything else.
        ValueError: for sizes that are too small, or larger than anything.
    """
    if isinstance(value, (Variable, Function)):
        raise NodeAsSizeError(
            f"{what}: expected an integer or a tuple of integers, got {value!r}; a layer is made "
            f"first and applied then, as in Dense(10)(x)"
        )
    sizes = as_tuple(value)
    if not all(map(_is_whole, sizes)):
        raise ArgumentError(
            f"{what}: expected an integer or a tuple of integers, got {shown(value)}"
        )
    if any(d < least for d in sizes):
        raise RangeError(f"{what}: sizes must be at least {least}, got {shown(value)}")
    if any(d > _LARGEST for d in sizes):
        raise RangeError(f"{what}: sizes must be at most {_LARGEST}, got {shown(value)}")
    return tuple(int(d) for d in sizes)


def _is_whole(value: Any) -> bool:
    """Return whether a value is an integer, or a float that is one."""
    return is_real(value) and value == value and abs(value) != float("inf") and int(value) == value


def as_count(value: Any, what: str, least: int = 1, most: int = _LARGEST) -> int:
    """Return a value as an integer.

    Raises:
        TypeError: for anything else.
        ValueError: if it is too small or too large.
    """
    if isinstance(value, (Variable, Function)):
        raise NodeAsSizeError(
            f"{what}: expected an integer, got {value!r}; sizes come first, as in "
            f"AttentionModel(100)"
        )
    if not _is_whole(value):
        raise ArgumentError(f"{what}: expected an integer, got {shown(value)}")
    if not least <= value <= most:
        bound = f"at least {least}" if value < least else f"at most {most}"
        raise RangeError(f"{what}: must be {bound}, got {shown(value)}")
    return int(value)


def per_axis(value: Any, filter_shape: Shape, what: str) -> tuple[Any, ...]:
    """Return one value for each axis of a filter, from a single value or one for each.

    Raises:
        ValueError: if their number is another.
    """
    values = as_tuple(value)
    if len(values) == 1:
        return values * len(filter_shape)
    if len(values) != len(filter_shape):
        raise ValueError(
            f"{what} {values} must be a single value or have one for each axis of the filter "
            f"{filter_shape}"
        )
    return values


def sizes_per_axis(value: Any, filter_shape: Shape, what: str) -> Shape:
    """Steps or distances, at least 1, for each axis of a filter; see `per_axis`."""
    return as_shape(per_axis(value, filter_shape, what), what, least=1)


def flags_per_axis(value: Any, filter_shape: Shape, what: str) -> tuple[bool, ...]:
    """True or False for each axis of a filter; see `per_axis`.

    Raises:
        TypeError: for anything else.
    """
    flags = as_tuple(value)
    if not all(isinstance(f, (bool, np.bool_, Real)) and f in (0, 1) for f in flags):
        raise ArgumentError(
            f"{what}: expected True or False, for all axes or for each, got {shown(value)}"
        )
    return per_axis(value, filter_shape, what)


def window_of_rank(filter_shape: Any, rank: int, layer: str) -> Shape:
    """Return a window of ``rank`` axes; a scalar is for all of them.

    Raises:
        ValueError: if it has another number of axes.
    """
    window = as_shape(filter_shape, f"{layer}: filter_shape", least=1)
    if len(window) not in (1, rank):
        raise ValueError(
            f"{layer}: filter_shape must be a scalar or have {rank} elements, got {window}"
        )
    return window * (rank // len(window))


def check_reduction_rank(reduction_rank: Any, layer: str) -> None:
    """Refuse a number of the input's channel axes that is neither 0 nor 1.

    Raises:
        NotImplementedError: for anything else.
    """
    if not isinstance(reduction_rank, Real) or reduction_rank not in (0, 1):
        raise ArgumentError(
            f"{layer}: reduction_rank must be 0 or 1, got {shown(reduction_rank)}; put further "
            f"axes together with cntk.reshape"
        )


def initial(
    init: Any, what: str, output_rank: int | None = None, filter_rank: int | None = None
) -> Any:
    """Return a parameter's first value: an initializer, told what the parameter's axes mean, or
    numbers as they are.

    Raises:
        ValueError: for None.
        TypeError: for what is no number.
    """
    if init is None:
        raise ValueError(
            f"{what}: init must not be None; give an initializer such as glorot_uniform(), a "
            f"number or an array"
        )
    if isinstance(init, Initializer):
        return initializer_with_rank(init, output_rank, filter_rank)
    return first_value(init, f"{what}: init")


def initial_bias(init_bias: Any, shape: Shape, layer: str) -> Any:
    """Return a bias's first value: an initializer, a number, or numbers that can be added to an
    output of some shape.

    Raises:
        TypeError: for what is no number.
        ValueError: for numbers of another shape.
    """
    value = first_value(init_bias, f"{layer}: init_bias")
    if isinstance(value, Initializer):
        return value
    value_shape = np.shape(value)
    fits = len(value_shape) <= len(shape) and all(
        a in (1, b) for a, b in zip(reversed(value_shape), reversed(shape), strict=False)
    )
    if not fits:
        raise SettingError(
            f"{layer}: init_bias has shape {value_shape}, and the output {shape}; give one of that "
            f"shape or a number"
        )
    return value


def first_value(value: Any, what: str) -> Any:
    """Return an initializer, a number, or numbers, after checking that it is one of these.

    Raises:
        ArgumentError: for anything else.
    """
    if isinstance(value, Initializer):
        return value
    if not _is_numeric(value):
        raise ArgumentError(
            f"{what}: expected an initializer such as glorot_uniform(), a number or an array, got "
            f"{shown(value)}"
        )
    return value


def _is_numeric(value: Any) -> bool:
    """Return whether a value is a number, or numbers of some shape."""
    try:
        return is_number(np.asarray(value).dtype)
    except ValueError:
        return False


def shape_for(shape: Shape, init: Any) -> Shape:
    """Return a parameter's shape; numbers with as many axes settle the dimensions that are yet to
    be inferred.
    """
    value_shape = () if isinstance(init, Initializer) or not _is_numeric(init) else np.shape(init)
    return value_shape if len(value_shape) == len(shape) else shape


def fitted(init: Any, shape: Shape, what: str) -> Any:
    """Return a parameter's first value with all of its axes: numbers may come without those that
    have one entry.

    Raises:
        ValueError: for numbers that do not fit the shape.
    """
    if isinstance(init, Initializer) or not np.ndim(init):
        return init
    try:
        return np.reshape(init, shape)
    except ValueError:
        raise SettingError(
            f"{what}: init has shape {shape_text(np.shape(init))}, and the parameter "
            f"{shape_text(shape)}; give numbers of that shape, or an initializer such as "
            f"glorot_uniform()"
        ) from None


def as_layer_name(name: Any, layer: str) -> str:
    """Return a name in the graph; as in the original whatever is empty, as None, is none.

    Raises:
        ArgumentError: for anything but a string.
    """
    return "" if not isinstance(name, np.ndarray) and not name else as_name(name, layer)


def as_activation(activation: Any, layer: str) -> Callable[[Any], Any] | None:
    """Return the function of one argument that is applied to a layer's result, or None.

    Raises:
        TypeError: for anything else.
    """
    if activation is None:
        return None
    if not callable(activation):
        named = isinstance(activation, str) and callable(getattr(ops, activation, None))
        instead = f"cntk.{activation}" if named else "a function such as cntk.relu, or None"
        raise TypeError(
            f"{layer}: activation: expected a function of one argument, got {shown(activation)}; "
            f"give {instead}"
        )
    if not takes(activation, 1):
        raise TypeError(
            f"{layer}: activation: expected a function of one argument, and {name_of(activation)} "
            f"takes another number"
        )
    return activation  # type: ignore[no-any-return]


def activated(x: Any, activation: Callable[[Any], Any] | None) -> Any:
    """Apply an activation; None is the identity.

    Raises:
        TypeError: if it returns something that is no part of a graph.
    """
    if activation is None:
        return x
    result = activation(x)
    if not isinstance(result, (Variable, Function)):
        raise TypeError(
            f"activation {name_of(activation)}: must return a function of the graph, such as "
            f"cntk.relu(x), and returned {result!r}"
        )
    return result


def takes(function: Callable[..., Any], count: int) -> bool:
    """Return whether a function takes so many arguments; True where that cannot be told."""
    if isinstance(function, Function):
        # Inputs that it uses inside may be left out.
        return count in (len(function.signature), sum(v.is_placeholder for v in function.signature))
    try:
        inspect.signature(function).bind(*[None] * count)
    except TypeError:
        return False
    except ValueError:
        return True
    return True


def name_of(function: Any) -> str:
    """Return the name of a function, for errors."""
    return (
        str(function)
        if isinstance(function, Function)
        else getattr(function, "__name__", repr(function))
    )
