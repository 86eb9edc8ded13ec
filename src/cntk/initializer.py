"""Initial values of parameters: uniform, normal, and the variants scaled by a unit's fan-in and
fan-out.

An initializer describes the distribution of a parameter's first value. The value is drawn when the
parameter's shape is known. With the same seed the values are those of the original, number for
number: all come from `MersenneTwister64`.

A shape is read as ``[inputs..., outputs..., filter...]``: the last ``filter_rank`` axes are a
convolution's window, the ``output_rank`` axes before them are what the parameter produces, the
others what it consumes. A negative ``output_rank`` of -k means that the first k axes are the
outputs, as in convolution kernels.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from cntk._arguments import as_integer, as_real
from cntk._graph.names.late_names import hand_on
from cntk._runtime.random.initial_values import (
    Bilinear,
    Constant,
    FanScaled,
    Initializer,
    Ranked,
    SentinelValueForInferParamInitRank,
    TruncatedNormal,
    Uniform,
)
from cntk._runtime.random.seeds import SentinelValueForAutoSelectRandomSeed
from cntk.errors import ArgumentError, RangeError

__all__ = [
    "DefaultParamInitScale",
    "Initializer",
    "SentinelValueForAutoSelectRandomSeed",
    "SentinelValueForInferParamInitRank",
    "bilinear",
    "constant_initializer",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "initializer_with_rank",
    "normal",
    "truncated_normal",
    "uniform",
    "xavier",
]

DefaultParamInitScale = 1


def _number(function: str, name: str, value: Any) -> float:
    if isinstance(value, np.ndarray) and not value.ndim:
        value = value[()]
    return as_real(value, f"{function}: {name}", finite=False)


def _whole(function: str, name: str, value: Any) -> int:
    if isinstance(value, bool):
        raise ArgumentError(f"{function}: {name}: expected an integer, got {value!r}")
    return as_integer(value, f"{function}: {name}")


def _seed(function: str, seed: Any) -> int | None:
    if seed is None:
        return None
    number = _whole(function, "seed", seed)
    if not 0 <= number < 2**64:
        raise RangeError(f"{function}: expected a seed from 0 to 2**64 - 1, got {number}")
    return None if number == SentinelValueForAutoSelectRandomSeed else number


def _new_rank(kind: str, name: str, present: int, rank: int | None) -> int:
    if rank is None:
        return present
    rank = _whole("initializer_with_rank", name, rank)
    if present not in (rank, SentinelValueForInferParamInitRank):
        raise ValueError(
            f"initializer_with_rank: initializer '{kind}' already has {name} {present}, which "
            f"{rank} would override; make it without {name}"
        )
    return rank


def _fan_scaled(
    function: str,
    kind: str,
    scale: Any,
    ranks: tuple[Any, Any],
    seed: Any,
    gain: float,
    both_fans: bool,
    is_uniform: bool,
) -> Initializer:
    output_rank, filter_rank = ranks
    return FanScaled(
        _seed(function, seed),
        kind,
        _number(function, "scale", scale),
        _whole(function, "output_rank", output_rank),
        _whole(function, "filter_rank", filter_rank),
        gain,
        both_fans,
        is_uniform,
    )


def constant_initializer(value: float = 0.0) -> Initializer:
    """Return an initializer of one constant.

    Args:
        value: the number.

    Returns:
        The initializer.
    """
    return Constant(0, _number("constant_initializer", "value", value))


def uniform(scale: float, seed: int | None = None) -> Initializer:
    """Return an initializer by the uniform distribution on [-scale, scale).

    Args:
        scale: half the width of the range; greater than 0.
        seed: of the random numbers; None takes the next automatic one.

    Returns:
        The initializer, to be passed as ``init`` of a parameter or layer.

    Example:
        >>> uniform(0.1, seed=1).sample((3,), np.dtype("float32"), 1)
        array([-0.07322467, -0.07271859, -0.00975702], dtype=float32)
    """
    return Uniform(_seed("uniform", seed), "uniform1", _number("uniform", "scale", scale))


def normal(
    scale: float,
    output_rank: int = SentinelValueForInferParamInitRank,
    filter_rank: int = SentinelValueForInferParamInitRank,
    seed: int | None = None,
) -> Initializer:
    """Return an initializer by the normal distribution of mean 0.

    Args:
        scale: the standard deviation; greater than 0.
        output_rank: checked against the shape, otherwise without effect.
        filter_rank: checked against the shape, otherwise without effect.
        seed: of the random numbers; None takes the next automatic one.

    Returns:
        The initializer.

    Example:
        >>> normal(1, seed=1).sample((2,), np.dtype("float64"), 1)
        array([-0.2277023 , -0.25937725])
    """
    return Ranked(
        _seed("normal", seed),
        "normal",
        _number("normal", "scale", scale),
        _whole("normal", "output_rank", output_rank),
        _whole("normal", "filter_rank", filter_rank),
    )


def truncated_normal(stdev: float, seed: int | None = None) -> Initializer:
    """Return an initializer by the normal distribution of mean 0, without values beyond two
    standard deviations.

    Args:
        stdev: the standard deviation before cutting; greater than 0.
        seed: of the random numbers; None takes the next automatic one.

    Returns:
        The initializer.

    Example:
        >>> bool(np.abs(truncated_normal(3).sample((1000,), np.dtype("float32"), 5)).max() <= 6)
        True
    """
    return TruncatedNormal(
        _seed("truncated_normal", seed), "TruncNormal", _number("truncated_normal", "stdev", stdev)
    )


def xavier(
    scale: float = DefaultParamInitScale,
    output_rank: int = SentinelValueForInferParamInitRank,
    filter_rank: int = SentinelValueForInferParamInitRank,
    seed: int | None = None,
) -> Initializer:
    """Return an initializer by the uniform distribution within ``scale * sqrt(3 / fan_in)``, of
    variance ``scale**2 / fan_in``.

    Args:
        scale: factor of the range, or of the standard deviation; greater than 0.
        output_rank: how many axes before the filter's are outputs; -k says the first k axes; 1
            unless given.
        filter_rank: how many of the last axes are a filter's window; 0 unless given.
        seed: of the random numbers; None takes the next automatic one.

    Returns:
        The initializer.

    Example:
        >>> bool(np.abs(xavier().sample((300, 20), np.dtype("float64"), 0)).max() < 0.1)
        True
    """
    return _fan_scaled("xavier", "xavier", scale, (output_rank, filter_rank), seed, 3, False, True)


def glorot_uniform(
    scale: float = DefaultParamInitScale,
    output_rank: int = SentinelValueForInferParamInitRank,
    filter_rank: int = SentinelValueForInferParamInitRank,
    seed: int | None = None,
) -> Initializer:
    """Return an initializer by the uniform distribution within ``scale * sqrt(6 / (fan_in +
    fan_out))``; the layers' default.

    X. Glorot, Y. Bengio: "Understanding the difficulty of training deep feedforward neural
    networks", AISTATS 2010.

    The arguments: see `xavier`.

    Example:
        >>> bool(np.abs(glorot_uniform().sample((300, 300), np.dtype("float64"), 0)).max() < 0.1)
        True
    """
    return _fan_scaled(
        "glorot_uniform", "glorotUniform", scale, (output_rank, filter_rank), seed, 6, True, True
    )


def glorot_normal(
    scale: float = DefaultParamInitScale,
    output_rank: int = SentinelValueForInferParamInitRank,
    filter_rank: int = SentinelValueForInferParamInitRank,
    seed: int | None = None,
) -> Initializer:
    """Return an initializer by the normal distribution of standard deviation ``scale * sqrt(2 /
    (fan_in + fan_out))``.

    X. Glorot, Y. Bengio: "Understanding the difficulty of training deep feedforward neural
    networks", AISTATS 2010.

    The arguments: see `xavier`.

    Example:
        >>> round(float(glorot_normal().sample((100, 100), np.dtype("float64"), 0).std()), 2)
        0.1
    """
    return _fan_scaled(
        "glorot_normal", "glorotNormal", scale, (output_rank, filter_rank), seed, 2, True, False
    )


def he_uniform(
    scale: float = DefaultParamInitScale,
    output_rank: int = SentinelValueForInferParamInitRank,
    filter_rank: int = SentinelValueForInferParamInitRank,
    seed: int | None = None,
) -> Initializer:
    """Return an initializer by the uniform distribution within ``scale * sqrt(6 / fan_in)``, meant
    for layers followed by ``relu``.

    K. He, X. Zhang, S. Ren, J. Sun: "Delving deep into rectifiers", ICCV 2015.

    The arguments: see `xavier`.

    Example:
        >>> bool(np.abs(he_uniform().sample((600, 20), np.dtype("float64"), 0)).max() < 0.1)
        True
    """
    return _fan_scaled(
        "he_uniform", "heUniform", scale, (output_rank, filter_rank), seed, 6, False, True
    )


def he_normal(
    scale: float = DefaultParamInitScale,
    output_rank: int = SentinelValueForInferParamInitRank,
    filter_rank: int = SentinelValueForInferParamInitRank,
    seed: int | None = None,
) -> Initializer:
    """Return an initializer by the normal distribution of standard deviation ``scale * sqrt(2 /
    fan_in)``, meant for layers followed by ``relu``.

    K. He, X. Zhang, S. Ren, J. Sun: "Delving deep into rectifiers", ICCV 2015.

    The arguments: see `xavier`.

    Example:
        >>> round(float(he_normal().sample((200, 100), np.dtype("float64"), 0).std()), 2)
        0.1
    """
    return _fan_scaled(
        "he_normal", "heNormal", scale, (output_rank, filter_rank), seed, 2, False, False
    )


def bilinear(kernel_width: int, kernel_height: int) -> Initializer:
    """Return an initializer of a transposed convolution that enlarges pictures by linear
    interpolation.

    Args:
        kernel_width: in pixels.
        kernel_height: in pixels; equal to the width.

    Returns:
        An initializer for shapes ``[channels, channels, kernel_height, kernel_width]``: each
        channel onto itself.

    Example:
        >>> bilinear(3, 3).sample((1, 1, 3, 3), np.dtype("float32"), 0)[0, 0]
        array([[0.25, 0.5 , 0.25],
               [0.5 , 1.  , 0.5 ],
               [0.25, 0.5 , 0.25]], dtype=float32)
    """
    width = _whole("bilinear", "kernel_width", kernel_width)
    height = _whole("bilinear", "kernel_height", kernel_height)
    return Bilinear(0, width, height)


def initializer_with_rank(
    initializer: Initializer, output_rank: int | None = None, filter_rank: int | None = None
) -> Initializer:
    """Return a copy of an initializer with ranks of outputs and filter.

    Args:
        initializer: any initializer; those whose spread does not depend on the ranks come back as
            they are.
        output_rank: how many axes before the filter's are outputs; None leaves it.
        filter_rank: how many of the last axes are a filter's window; None leaves it.

    Returns:
        The initializer with these ranks.

    Raises:
        TypeError: if ``initializer`` is none.
        ValueError: if the initializer has been told other ranks before.

    Example:
        >>> conv = initializer_with_rank(glorot_uniform(), output_rank=-1, filter_rank=2)
        >>> bool(np.abs(conv.sample((64, 32, 5, 5), np.dtype("float64"), 0)).max() < 0.05)
        True
    """
    if not isinstance(initializer, Initializer):
        raise TypeError(
            f"initializer_with_rank: expected an initializer such as glorot_uniform(), got "
            f"{type(initializer).__name__}"
        )
    if not isinstance(initializer, Ranked):
        return initializer
    return replace(
        initializer,
        output_rank=_new_rank(
            initializer.kind, "output_rank", initializer.output_rank, output_rank
        ),
        filter_rank=_new_rank(
            initializer.kind, "filter_rank", initializer.filter_rank, filter_rank
        ),
    )


hand_on(globals())
