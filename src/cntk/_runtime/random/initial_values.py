"""Random initial values of parameters: the distributions behind `cntk.initializer`.

All random ones come from `MersenneTwister64` in the original's order, so the same seed gives the
original's values.

A shape is read as ``[inputs..., outputs..., filter...]``: the last ``filter_rank`` axes are a
convolution's window, the ``output_rank`` axes before them are what the parameter produces, the
others what it consumes. A negative ``output_rank`` of -k says that the first k axes are the
outputs, as in convolution kernels.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from cntk._runtime.random.mersenne_twister import MersenneTwister64
from cntk._wording import quoted, shape_text

Array = npt.NDArray[Any]
SentinelValueForInferParamInitRank = 2**31 - 1


@dataclass(frozen=True)
class Initializer(ABC):
    """Distribution of a parameter's initial value.

    Attributes:
        seed: of the random numbers; None lets each parameter take the next automatic one.
    """

    seed: int | None

    @abstractmethod
    def sample(self, shape: tuple[int, ...], dtype: np.dtype[Any], seed: int) -> Array:
        """Return a value of that shape and dtype; the same seed gives the same value.

        Raises:
            ValueError: if the shape has fewer axes than the initializer's ranks ask for.
        """

    def validate(self, name: str) -> None:  # noqa: B027
        """Refuse a scale that is not positive, naming the parameter.

        Raises:
            ValueError: for such a scale.
        """

    def seeded(self, seed: int) -> Initializer:
        """Return the same initializer with that seed."""
        return replace(self, seed=seed)


@dataclass(frozen=True)
class Constant(Initializer):
    """The same number everywhere."""

    value: float

    def sample(self, shape: tuple[int, ...], dtype: np.dtype[Any], seed: int) -> Array:
        return np.full(shape, self.value, dtype)


@dataclass(frozen=True)
class Random(Initializer):
    """Random numbers with a scale; ``kind`` is the distribution's name in files and errors."""

    kind: str
    scale: float

    def validate(self, name: str) -> None:
        if not self.scale > 0:
            raise ValueError(
                f"CreateInitializer: parameter {quoted(name)}: the scale of initializer "
                f"'{self.kind}' must be greater than 0, got {self.scale:g}; for a parameter of "
                f"equal values pass a number as init"
            )


@dataclass(frozen=True)
class Uniform(Random):
    """Uniform on [-scale, scale)."""

    def sample(self, shape: tuple[int, ...], dtype: np.dtype[Any], seed: int) -> Array:
        return _uniform(self.scale, shape, dtype, seed)


@dataclass(frozen=True)
class TruncatedNormal(Random):
    """Normal, without what is more than two standard deviations out."""

    def sample(self, shape: tuple[int, ...], dtype: np.dtype[Any], seed: int) -> Array:
        stream, parts, missing = MersenneTwister64(seed), [], math.prod(shape)
        while missing > 0:
            drawn = stream.normal(missing + missing // 16 + 16)
            parts.append(drawn[np.abs(drawn) <= 2][:missing])
            missing -= len(parts[-1])
        numbers = np.concatenate(parts) if parts else np.empty(0)
        return _scaled(numbers, self.scale, shape, dtype)


@dataclass(frozen=True)
class Ranked(Random):
    """A distribution that knows which axes are inputs, outputs and filter."""

    output_rank: int
    filter_rank: int

    def fans(self, shape: tuple[int, ...]) -> tuple[int, int]:
        """Return how many values each output reads, and how many each input writes to."""
        rank = len(shape)
        outputs = 1 if self.output_rank == SentinelValueForInferParamInitRank else self.output_rank
        filter_ = 0 if self.filter_rank == SentinelValueForInferParamInitRank else self.filter_rank
        if filter_ < 0 or filter_ + abs(outputs) > rank:
            raise ValueError(
                f"initializer '{self.kind}': filter_rank {filter_} and output_rank {outputs} "
                f"together must fit the {rank} axes of a parameter of shape {shape_text(shape)}; "
                f"pass smaller ranks"
            )
        outer, window = shape[: rank - filter_], math.prod(shape[rank - filter_ :])
        split = -outputs if outputs < 0 else len(outer) - outputs
        first, second = math.prod(outer[:split]), math.prod(outer[split:])
        inputs, outputs = (second, first) if outputs < 0 else (first, second)
        return inputs * window, outputs * window

    def sample(self, shape: tuple[int, ...], dtype: np.dtype[Any], seed: int) -> Array:
        self.fans(shape)
        return _normal(self.scale, shape, dtype, seed)


@dataclass(frozen=True)
class FanScaled(Ranked):
    """Scaled by ``sqrt(gain / fan)``: the values read (``fan_in``), or those read and written."""

    gain: float
    both_fans: bool
    is_uniform: bool

    def sample(self, shape: tuple[int, ...], dtype: np.dtype[Any], seed: int) -> Array:
        fan_in, fan_out = self.fans(shape)
        spread = self.scale * math.sqrt(
            self.gain / max(1, fan_in + fan_out if self.both_fans else fan_in)
        )
        return (_uniform if self.is_uniform else _normal)(spread, shape, dtype, seed)


@dataclass(frozen=True)
class Bilinear(Initializer):
    """A square kernel that interpolates linearly, each channel onto itself."""

    kernel_width: int
    kernel_height: int

    def sample(self, shape: tuple[int, ...], dtype: np.dtype[Any], seed: int) -> Array:
        width = self.kernel_width
        if width != self.kernel_height:
            raise ValueError(
                f"bilinear: the kernel must be square, got {width} x {self.kernel_height}"
            )
        if len(shape) < 4 or shape[-2:] != (width, width) or shape[-3] != shape[-4]:
            raise ValueError(
                f"bilinear: expected a kernel of shape [channels x channels x {width} x {width}], "
                f"got {shape_text(shape)}"
            )
        half = (width + 1) // 2
        centre = half - 1 if width % 2 else half - 0.5
        ramp = 1 - np.abs(np.arange(width) - centre) / half
        out = np.zeros(shape, dtype)
        # The original leaves whatever lies beyond the first kernel at zero.
        channels = out.reshape(-1, *shape[-4:])[0]
        channels[range(shape[-3]), range(shape[-3])] = ramp[:, None] * ramp
        return out


def _range(spread: float, dtype: np.dtype[Any]) -> float:
    """Return the spread, rounded to the parameter's dtype as in the original, which draws in
    double.
    """
    return spread if dtype == np.float64 else float(np.float32(spread))


def _uniform(spread: float, shape: tuple[int, ...], dtype: np.dtype[Any], seed: int) -> Array:
    spread = _range(spread, dtype)
    numbers = MersenneTwister64(seed).uniform(math.prod(shape))
    numbers *= 2 * spread
    numbers -= spread
    return numbers.astype(dtype).reshape(shape)


def _normal(spread: float, shape: tuple[int, ...], dtype: np.dtype[Any], seed: int) -> Array:
    return _scaled(MersenneTwister64(seed).normal(math.prod(shape)), spread, shape, dtype)


def _scaled(numbers: Array, spread: float, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    numbers *= _range(spread, dtype)
    return numbers.astype(dtype).reshape(shape)
