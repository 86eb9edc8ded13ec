"""What a random training program is drawn from: values, chance, and the lists that operations
register in.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import cntk as C

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Drawn:
    """A value of a program.

    Attributes:
        f: the function or variable.
        shape: its static shape.
        lengths: frames of each sequence of the minibatches; None without a sequence axis.
    """

    f: Any
    shape: Shape
    lengths: tuple[tuple[int, ...], ...] | None = None

    @property
    def rank(self) -> int:
        return len(self.shape)

    @property
    def shortest(self) -> int:
        """Frames of the shortest sequence."""
        return min(min(each) for each in self.lengths or ())

    def with_(self, f: Any, shape: Shape | None = None) -> Drawn:
        """Another value on the same axes; its shape, unless it is given, is the function's."""
        return Drawn(f, tuple(f.shape) if shape is None else shape, self.lengths)


@dataclass
class Chance:
    """Where a program's choices and numbers come from.

    Attributes:
        seed: the same seed gives the same program and data.
        dtype: float32 or float64.
        smooth: whether only operations are drawn whose gradients are derivatives.
        said: what was drawn, for reading.
    """

    seed: int
    dtype: type = np.float32
    smooth: bool = False
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.choices = random.Random(self.seed)
        self.numbers = np.random.RandomState(self.seed % 2**32)

    def one_of(self, options: Any) -> Any:
        return self.choices.choice(list(options))

    def often(self, share: float) -> bool:
        return self.choices.random() < share

    def below(self, n: int) -> int:
        return self.choices.randrange(n)

    def between(self, low: int, high: int) -> int:
        return self.choices.randint(low, high)

    def array(self, *shape: int, scale: float = 1.0) -> np.ndarray:
        """Numbers between -scale and scale."""
        return (self.numbers.uniform(-1, 1, shape) * scale).astype(self.dtype)

    def parameter(self, *shape: int, scale: float = 0.7) -> Any:
        return C.parameter(shape, init=self.array(*shape, scale=scale), dtype=self.dtype)

    def apart(self, x: Drawn) -> Any:
        """A value of which no two elements are equal, where gradients are compared.

        The original's gradient of a maximum goes to every element that is as large, which is no
        derivative.
        """
        return x.f + self.array(*x.shape) if self.smooth else x.f

    def operand(self, *shape: int) -> Any:
        """A parameter, a constant or an array, to be combined with a value."""
        kind = self.below(6)
        if kind == 0:
            return C.constant(self.array(*shape), dtype=self.dtype)
        if kind == 1 and shape:
            return self.array(*shape)
        return self.parameter(*shape)

    def broadcasting(self, shape: Shape) -> Shape:
        """A shape that meets another by broadcasting: with ones, without leading axes, or all of
        it.
        """
        own = [1 if self.often(0.3) else d for d in shape]
        return tuple(own[self.below(len(own) + 1) if self.often(0.4) else 0 :])


# An operation takes chance and a value; it gives the new value, or None where it does not fit.
Operation = Callable[[Chance, Drawn], "Drawn | None"]
OPERATIONS: dict[str, list[tuple[str, Operation, bool]]] = {}


def operation(kind: str, rough: bool = False) -> Callable[[Operation], Operation]:
    """Register an operation of a kind; a rough one has a gradient that is not its derivative, or
    none at all.
    """

    def register(function: Operation) -> Operation:
        OPERATIONS.setdefault(kind, []).append((function.__name__, function, rough))
        return function

    return register


def elements(shape: Shape) -> int:
    return int(np.prod(shape)) if shape else 1
