"""Random numbers as operations: uniform, normal, Gumbel and Bernoulli; the same seed gives the same
numbers as in the original.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cntk._arguments import is_real, shown
from cntk._graph.composite import Composite
from cntk._graph.op import DiskKind, Op, PrimitiveOp, StreamKernel, primitive
from cntk._graph.types import Shape, TensorType
from cntk._graph.variable import as_dtype, as_shape, format_number
from cntk._ops.support.operands import apply
from cntk._runtime.context import RunContext
from cntk._runtime.conversion import torch_dtype
from cntk._runtime.layout.layout import Layout
from cntk._runtime.random.seeds import SentinelValueForAutoSelectRandomSeed, next_seed
from cntk._runtime.random.streams import TwisterStream
from cntk._wording import shape_text
from cntk.axis import Axis
from cntk.errors import ArgumentError, GraphError

Draw = Callable[[TwisterStream, int, torch.device], Tensor]


# How many arguments each distribution has.
_ARGUMENTS = {"uniform": 2, "normal": 2, "gumbel": 2, "bernoulli": 1}


@primitive(PrimitiveOp.RandomDistribution)
@dataclass(frozen=True)
class RandomDistribution(Op):
    """Random numbers, new ones in each evaluation, of a constant shape or of an operand's.

    Attributes:
        random_distribution_type: 'uniform', 'normal', 'gumbel' or 'bernoulli'.
        random_distribution_args: low and high; mean and standard deviation; location and scale;
            mean.
        rng_seed: seed of the random numbers.
        rng_offset: how many numbers were drawn before the function was saved.
        new_shape: the shape, where there is no operand.
        new_data_type: the dtype as files number it, where there is no operand.
    """

    operand_counts = (0, 1)

    random_distribution_type: str
    random_distribution_args: tuple[float, ...]
    rng_seed: int = 0
    rng_offset: int = 0
    new_shape: Shape | None = None
    new_data_type: int | None = None

    settable = ("rngSeed",)
    pure = False
    sparse_operands = (0,)
    disk_kinds = {"new_data_type": DiskKind.Int}

    def attributes(self) -> dict[str, Any]:
        return {name: value for name, value in super().attributes().items() if value is not None}

    def check(self) -> None:
        super().check()
        kind, arguments = self.random_distribution_type, self.random_distribution_args
        count = _ARGUMENTS.get(kind)
        if count is None:
            raise GraphError(
                f"there is no random distribution '{kind}'; there are {', '.join(_ARGUMENTS)}"
            )
        if len(arguments) != count:
            raise GraphError(
                f"a {kind} distribution has {count} arguments, and was given {len(arguments)}"
            )
        if kind in ("normal", "gumbel") and arguments[1] < 0:
            raise GraphError(f"scale must not be negative, got {arguments[1]:g}")

    def infer(self, *operands: TensorType) -> TensorType:
        if operands:
            return operands[0].dense()
        shape = self.new_shape or ()
        if any(d < 0 for d in shape):
            raise GraphError(f"the shape must be fully known, got {shape_text(shape)}")
        dtype = as_dtype(self.new_data_type)
        if dtype is not None and dtype not in (np.float32, np.float64):
            raise GraphError(
                f"the dtype must be float32 or float64; use cntk.cast for {dtype.name}"
            )
        return TensorType(shape, (), dtype)

    def infer_partial(self, *operands: TensorType) -> TensorType | None:
        return operands[0].dense() if operands[0].has_shape else None

    def lower(self, *operands: TensorType) -> StreamKernel:
        type_ = self.infer(*operands)
        shape, axes, dtype = type_.shape, type_.dynamic_axes, torch_dtype(type_.dtype or np.float32)
        draw = _draws(self.random_distribution_type, self.random_distribution_args)

        def compute(run: RunContext, stream: TwisterStream, *_: Any) -> Tensor:
            return draw_numbers(run, stream, draw, shape, axes, dtype)

        return StreamKernel(compute, lambda: TwisterStream(self.rng_seed, self.rng_offset))


def draw_numbers(
    run: RunContext,
    stream: TwisterStream,
    draw: Draw,
    shape: Shape,
    axes: tuple[Axis, ...],
    dtype: torch.dtype,
) -> Tensor:
    """Draw random numbers in the original's order, ``[*shape]``, with a row for each sample or
    frame if there are dynamic axes.

    Args:
        run: what is under way.
        stream: from where they are taken.
        draw: draws so many of them.
        shape: the static shape.
        axes: the dynamic axes.
        dtype: the dtype of the result.
    """
    size = math.prod(shape)
    whole = (run.rows(axes), *shape) if axes else shape
    layout = run.layout(axes) if len(axes) > 1 else None
    device, steps = run.device, run.steps

    def make() -> Tensor:
        if layout is None:
            numbers = draw(stream, size * (whole[0] if axes else 1), device)
        else:
            numbers = _on_sequences(draw, stream, layout, size, steps)
        return numbers.to(dtype).view(whole)

    return run.draw(make, whole, dtype)


def _draws(kind: str, arguments: Sequence[float]) -> Draw:
    """Return a function that draws n float64 numbers of a distribution from a stream."""
    first, second = (*arguments, 0.0)[:2]
    if kind == "uniform":
        return lambda stream, n, device: stream.uniform(n, device).mul_(second - first).add_(first)
    if kind == "normal":
        return lambda stream, n, device: stream.normal(n, device).mul_(second).add_(first)
    if kind == "gumbel":
        return lambda stream, n, device: (
            first - second * torch.log(-torch.log1p(-stream.uniform(n, device)))
        )
    if kind == "bernoulli":
        return lambda stream, n, device: (stream.uniform(n, device) >= 1 - first).double()
    raise NotImplementedError(kind)


def _on_sequences(
    draw: Draw, stream: TwisterStream, layout: Layout, size: int, steps: int
) -> Tensor:
    """Draw numbers for the frames of sequences, ``[frames, size]``.

    The original draws them time step by time step, also for the gaps that are left where sequences
    of different lengths share a row.

    Args:
        draw: draws numbers.
        stream: from where.
        layout: the sequences.
        size: numbers in a frame.
        steps: other than 0 to draw for each time step by itself; below 0 for the last first.
    """
    rows, indices = layout.packing
    if not steps:
        grid = draw(stream, layout.longest * rows * size, layout.device)
    else:
        parts = [draw(stream, rows * size, layout.device) for _ in range(layout.longest)]
        grid = torch.cat(parts[:: 1 if steps > 0 else -1])
    return grid.view(-1, size).index_select(0, indices)


def as_seed(seed: Any, op_name: str) -> int:
    """Return a seed after a check; a new one for the sentinel value.

    Raises:
        ArgumentError: for anything but an integer of up to 64 bits.
    """
    if not isinstance(seed, Integral) or not 0 <= int(seed) < 2**64:
        raise ArgumentError(
            f"{op_name}: seed must be an integer from 0 to 2**64 - 1, got {shown(seed)}"
        )
    return next_seed() if seed == SentinelValueForAutoSelectRandomSeed else int(seed)


def _number(value: Any, argument: str, op_name: str) -> float:
    if not is_real(value) or not np.isfinite(value):
        raise ArgumentError(f"{op_name}: {argument} must be a finite number, got {shown(value)}")
    return float(value)


def _arguments(kind: str, op_name: str, values: dict[str, Any]) -> tuple[float, ...]:
    numbers = tuple(_number(value, argument, op_name) for argument, value in values.items())
    if kind == "uniform" and not numbers[0] < numbers[1]:
        raise ValueError(f"{op_name}: low ({numbers[0]:g}) must be below high ({numbers[1]:g})")
    if kind in ("normal", "gumbel") and numbers[1] < 0:
        raise ValueError(f"{op_name}: scale must not be negative, got {numbers[1]:g}")
    if kind == "bernoulli" and not 0 <= numbers[0] <= 1:
        raise ValueError(f"{op_name}: mean must be a probability, from 0 to 1, got {numbers[0]:g}")
    return numbers


def of_shape(kind: str, shape: Any, dtype: Any, seed: Any, name: str, **values: Any) -> Composite:
    """Create random numbers of a shape, without dynamic axes.

    Args:
        kind: the distribution.
        shape: a number or a tuple.
        dtype: float32 or float64.
        seed: their seed, chosen if it is the sentinel.
        name: the name in the graph.
        **values: the distribution's arguments, by the names that errors call them.

    Raises:
        ValueError: for arguments that the distribution cannot have.
    """
    if shape is None:
        raise TypeError(f"{kind}: expected a shape, a number or a tuple of them, got None")
    form = format_number(as_dtype(dtype, f"{kind}: dtype") or np.dtype(np.float32))
    arguments = _arguments(kind, kind, values)
    return apply(
        RandomDistribution(
            kind, arguments, as_seed(seed, kind), 0, as_shape(shape, f"{kind}: shape"), form
        ),
        (),
        name,
    )


def like(kind: str, x: Any, seed: Any, name: str, **values: Any) -> Composite:
    """Create random numbers of an operand's shape, on its dynamic axes; see `of_shape`."""
    op_name = f"{kind}_like"
    x = x.astype(np.float32) if isinstance(x, np.ndarray) else x
    return apply(
        RandomDistribution(kind, _arguments(kind, op_name, values), as_seed(seed, op_name)),
        (x,),
        name,
    )
