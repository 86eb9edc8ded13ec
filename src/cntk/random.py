"""Random numbers in graphs: functions that draw new ones in each evaluation."""

from __future__ import annotations

from typing import Any

import numpy as np

from cntk._graph.composite import Composite
from cntk._graph.names.late_names import hand_on
from cntk._ops.random.distribution import like, of_shape
from cntk._runtime.random.seeds import SentinelValueForAutoSelectRandomSeed
from cntk.default_options import default_override_or, get_default_override

__all__ = [
    "bernoulli",
    "bernoulli_like",
    "gumbel",
    "gumbel_like",
    "normal",
    "normal_like",
    "uniform",
    "uniform_like",
]

auto_select = SentinelValueForAutoSelectRandomSeed


def uniform(
    shape: Any,
    dtype: Any = default_override_or(np.float32),
    low: float = 0.0,
    high: float = 1.0,
    seed: int = SentinelValueForAutoSelectRandomSeed,
    name: str = "",
) -> Composite:
    """Draw uniform random numbers, new ones in each evaluation.

    Args:
        shape: a number or a tuple.
        dtype: float32 or float64.
        low: the lowest number.
        high: above the highest number.
        seed: seed of the random numbers; chosen if not given.
        name: its name in the graph.

    Returns:
        A function without arguments, with output of that shape.

    Raises:
        ValueError: if ``low`` is not below ``high``.

    Example:
        >>> uniform((2, 3), seed=98052).eval().round(3)
        array([[0.932, 0.815, 0.48 ],
               [0.937, 0.004, 0.185]], dtype=float32)
    """
    dtype = get_default_override(uniform, dtype=dtype)
    return of_shape("uniform", shape, dtype, seed, name, low=low, high=high)


def uniform_like(
    x: Any,
    low: float = 0.0,
    high: float = 1.0,
    seed: int = SentinelValueForAutoSelectRandomSeed,
    name: str = "",
) -> Composite:
    """Draw uniform random numbers of an operand's shape, on its dynamic axes: others for each
    sample or frame.

    Args:
        x: an operand; its values are not read.

    The other arguments, and errors: see `uniform`.

    Returns:
        A function with output of the shape of ``x``.

    Example:
        >>> from cntk._ops.support.structure import input_variable
        >>> x = input_variable(2)
        >>> uniform_like(x, 5, 6, seed=98052).eval({x: [[1, 2], [3, 4]]}).round(3)
        array([[5.932, 5.815],
               [5.48 , 5.937]], dtype=float32)
    """
    return like("uniform", x, seed, name, low=low, high=high)


def normal(
    shape: Any,
    dtype: Any = default_override_or(np.float32),
    mean: float = 0.0,
    scale: float = 1.0,
    seed: int = SentinelValueForAutoSelectRandomSeed,
    name: str = "",
) -> Composite:
    """Draw random numbers of a normal distribution, new ones in each evaluation.

    Args:
        mean: the distribution's mean.
        scale: its standard deviation.

    The other arguments: see `uniform`.

    Raises:
        ValueError: if ``scale`` is negative.

    Example:
        >>> normal(3, mean=10, scale=2, seed=98052).eval().shape
        (3,)
    """
    dtype = get_default_override(normal, dtype=dtype)
    return of_shape("normal", shape, dtype, seed, name, mean=mean, scale=scale)


def normal_like(
    x: Any,
    mean: float = 0.0,
    scale: float = 1.0,
    seed: int = SentinelValueForAutoSelectRandomSeed,
    name: str = "",
) -> Composite:
    """Draw random numbers of a normal distribution, of an operand's shape, on its dynamic axes.

    The arguments: see `uniform_like` and `normal`.

    Example:
        >>> from cntk._ops.support.structure import input_variable
        >>> x = input_variable(2)
        >>> normal_like(x, seed=98052).eval({x: [[1, 2], [3, 4]]}).shape
        (2, 2)
    """
    return like("normal", x, seed, name, mean=mean, scale=scale)


def gumbel(
    shape: Any,
    dtype: Any = default_override_or(np.float32),
    loc: float = 0.0,
    scale: float = 1.0,
    seed: int = SentinelValueForAutoSelectRandomSeed,
    name: str = "",
) -> Composite:
    """Draw random numbers of a Gumbel distribution, new ones in each evaluation.

    Added to log probabilities, their largest element is a draw from these probabilities: the
    "Gumbel-max trick".

    Args:
        loc: the distribution's most likely value.
        scale: its scale; the standard deviation is this times pi / sqrt(6).

    The other arguments: see `uniform`.

    Raises:
        ValueError: if ``scale`` is negative.

    Example:
        >>> gumbel(3, seed=98052).eval().shape
        (3,)
    """
    dtype = get_default_override(gumbel, dtype=dtype)
    return of_shape("gumbel", shape, dtype, seed, name, loc=loc, scale=scale)


def gumbel_like(
    x: Any,
    loc: float = 0.0,
    scale: float = 1.0,
    seed: int = SentinelValueForAutoSelectRandomSeed,
    name: str = "",
) -> Composite:
    """Draw random numbers of a Gumbel distribution, of an operand's shape, on its dynamic axes.

    The arguments: see `uniform_like` and `gumbel`.

    Example:
        >>> from cntk._ops.support.structure import input_variable
        >>> x = input_variable(2)
        >>> gumbel_like(x, seed=98052).eval({x: [[1, 2], [3, 4]]}).shape
        (2, 2)
    """
    return like("gumbel", x, seed, name, loc=loc, scale=scale)


def bernoulli(
    shape: Any,
    dtype: Any = default_override_or(np.float32),
    mean: float = 0.5,
    seed: int = SentinelValueForAutoSelectRandomSeed,
    name: str = "",
) -> Composite:
    """Draw random zeros and ones, new ones in each evaluation.

    Args:
        mean: the probability of a one.

    The other arguments: see `uniform`.

    Raises:
        ValueError: if ``mean`` is not from 0 to 1.

    Example:
        >>> bernoulli((2, 3), seed=98052).eval()
        array([[1., 1., 0.],
               [1., 0., 0.]], dtype=float32)
    """
    dtype = get_default_override(bernoulli, dtype=dtype)
    return of_shape("bernoulli", shape, dtype, seed, name, mean=mean)


def bernoulli_like(
    x: Any, mean: float = 0.5, seed: int = SentinelValueForAutoSelectRandomSeed, name: str = ""
) -> Composite:
    """Draw random zeros and ones, of an operand's shape, on its dynamic axes.

    The arguments: see `uniform_like` and `bernoulli`.

    Example:
        >>> from cntk._ops.support.structure import input_variable
        >>> x = input_variable(2)
        >>> bernoulli_like(x, seed=98052).eval({x: [[1, 2], [3, 4]]})
        array([[1., 1.],
               [0., 1.]], dtype=float32)
    """
    return like("bernoulli", x, seed, name, mean=mean)


hand_on(globals())
