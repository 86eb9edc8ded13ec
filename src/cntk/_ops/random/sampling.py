"""Sampling of classes by their weights, and the expected count of each class in a sample."""

from __future__ import annotations

from dataclasses import dataclass, field
from numbers import Integral
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from cntk._arguments import as_bool, shown
from cntk._graph.composite import Composite
from cntk._graph.op import Op, PrimitiveOp, StreamKernel, primitive
from cntk._graph.types import TensorType
from cntk._ops.random.distribution import as_seed
from cntk._ops.support.operands import apply
from cntk._runtime.context import RunContext
from cntk._runtime.conversion import torch_dtype
from cntk._runtime.random.mersenne_twister import MersenneTwister64
from cntk._runtime.random.seeds import SentinelValueForAutoSelectRandomSeed
from cntk._runtime.random.streams import TwisterStream
from cntk._runtime.sparse import SparseRows
from cntk._runtime.transfer import to_device
from cntk._wording import shape_text
from cntk.errors import ArgumentError, FeedError, GraphError

__all__ = ["random_sample", "random_sample_inclusion_frequency"]

_Doubles = npt.NDArray[np.float64]
_Classes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Sampling(Op):
    """Common part of both operations.

    Attributes:
        num_samples: how many classes are drawn.
        allow_duplicates: whether a class may be drawn more than once.
        rng_seed: seed of the random numbers.
        rng_offset: how many numbers were drawn before the function was saved.
    """

    operand_counts = (1,)

    num_samples: int
    allow_duplicates: bool
    rng_seed: int = 0
    rng_offset: int = 0

    settable = ("rngSeed",)
    pure = False
    not_recordable = "which classes are drawn depends on the weights' values"

    def classes(self, weights: TensorType) -> int:
        """Return the number of classes; -1 if it is still unknown.

        Raises:
            GraphError: if the weights are no vector of enough numbers.
        """
        if not weights.rank or any(d != 1 for d in weights.shape[:-1]):
            raise GraphError(
                f"the weights must be a vector, one number a class, got {shape_text(weights.shape)}"
            )
        count = weights.shape[-1]
        if not self.allow_duplicates and 0 <= count <= self.num_samples:
            raise GraphError(
                f"without duplicates fewer samples ({self.num_samples}) can be drawn than there "
                f"are classes ({count}); draw fewer, or allow duplicates"
            )
        return count

    def cumulative(self, weights: Tensor) -> _Doubles:
        """Return the cumulative sums of the weights.

        Raises:
            FeedError: if nothing can be drawn by these weights.
        """
        values = weights.detach().reshape(-1).double().cpu().numpy()
        if not np.isfinite(values).all() or values.min(initial=0.0) < 0:
            wrong = values[~(np.isfinite(values) & (values >= 0))][0]
            raise FeedError(
                f"{self.op_name}: the weights must be finite numbers, 0 or more, and one is "
                f"{wrong:g}"
            )
        sums = np.cumsum(values)
        possible = int(np.count_nonzero(values > sums[-1] * 2.0**-60))
        needed = 1 if self.allow_duplicates else self.num_samples
        if possible < needed:
            raise FeedError(
                f"{self.op_name}: {needed} {'class' if needed == 1 else 'different classes'} "
                f"cannot be drawn, since only {possible} have a weight above 0"
            )
        return sums


@primitive(PrimitiveOp.RandomSample)
@dataclass(frozen=True)
class RandomSample(Sampling):
    """Classes sampled by their weights, as one-hot rows."""

    def infer(self, *operands: TensorType) -> TensorType:
        (weights,) = operands
        shape = (self.num_samples, self.classes(weights))
        return TensorType(shape, weights.dynamic_axes, weights.dtype, is_sparse=True)

    def lower(self, *operands: TensorType) -> StreamKernel:
        _refuse_batches(operands[0])
        dtype = torch_dtype(operands[0].dtype or np.float32)

        def compute(run: RunContext, stream: TwisterStream, weights: Tensor) -> SparseRows:
            sums = self.cumulative(weights)
            if self.allow_duplicates:
                drawn = _classes(stream.twister.uniform(self.num_samples), sums)
                stream.offset += self.num_samples
            else:
                drawn, taken = _draw_distinct(stream.twister, sums, self.num_samples)
                stream.offset += taken
            offsets = torch.arange(self.num_samples + 1, device=run.device)
            ones = torch.ones(self.num_samples, dtype=dtype, device=run.device)
            columns = to_device(torch.from_numpy(drawn), run.device)
            return SparseRows(offsets, columns, ones, len(sums), one_hot=True, by_rows=True)

        return StreamKernel(compute, lambda: TwisterStream(self.rng_seed, self.rng_offset))


@dataclass
class _Estimates:
    """State of a node: expected counts, and the weights that they were estimated for."""

    stream: TwisterStream
    weights: _Doubles = field(default_factory=lambda: np.empty(0))
    frequencies: _Doubles = field(default_factory=lambda: np.empty(0))

    @property
    def offset(self) -> int:
        """Number of random numbers drawn so far."""
        return self.stream.offset

    def mark(self) -> Any:
        """Return the state, for `go_back`."""
        return self.stream.mark(), self.weights, self.frequencies

    def go_back(self, mark: Any) -> None:
        """Restore the state that `mark` returned; the initial one if there is none."""
        stream, self.weights, self.frequencies = mark or (None, np.empty(0), np.empty(0))
        self.stream.go_back(stream)


# So many times the original draws all samples, to see how many tries it takes.
_TRIALS = 10


@primitive(PrimitiveOp.RandomSampleInclusionFrequency)
@dataclass(frozen=True)
class RandomSampleInclusionFrequency(Sampling):
    """Expected count of each class among the samples: estimated once, and again when the weights
    change.
    """

    def infer(self, *operands: TensorType) -> TensorType:
        (weights,) = operands
        self.classes(weights)
        return weights

    def lower(self, *operands: TensorType) -> StreamKernel:
        (type_,) = operands
        _refuse_batches(type_)
        dtype = torch_dtype(type_.dtype or np.float32)

        def compute(run: RunContext, estimates: _Estimates, weights: Tensor) -> Tensor:
            sums = self.cumulative(weights)
            if not np.array_equal(sums, estimates.weights):
                estimates.weights, estimates.frequencies = (
                    sums,
                    self._estimate(estimates.stream, sums),
                )
            return to_device(torch.from_numpy(estimates.frequencies), run.device, dtype).reshape(
                type_.shape
            )

        return StreamKernel(
            compute, lambda: _Estimates(TwisterStream(self.rng_seed, self.rng_offset))
        )

    def _estimate(self, stream: TwisterStream, sums: _Doubles) -> _Doubles:
        shares: _Doubles = np.diff(sums, prepend=0.0) / sums[-1]
        if self.allow_duplicates:
            return shares * self.num_samples
        tries = sum(
            _draw_distinct(stream.twister, sums, self.num_samples)[1] for _ in range(_TRIALS)
        )
        stream.offset += tries
        # Without duplicates a class is in if it comes up in any of the tries that it takes.
        with np.errstate(divide="ignore"):
            expected: _Doubles = -np.expm1(tries / _TRIALS * np.log1p(-shares))
        return expected


def _refuse_batches(weights: TensorType) -> None:
    # As in the original a graph may be built so, and not be run.
    if weights.has_batch_axis:
        raise GraphError(
            "the weights must be a parameter or a constant, and this operand has a batch axis"
        )


def _classes(uniform: _Doubles, sums: _Doubles) -> _Classes:
    """Return the class that each uniform number stands for."""
    classes: _Classes = np.searchsorted(sums, uniform * sums[-1]).astype(np.int64)
    return classes


def _draw_distinct(twister: MersenneTwister64, sums: _Doubles, count: int) -> tuple[_Classes, int]:
    """Draw different classes, and return them in order and how many numbers that took."""
    distinct: dict[int, None] = {}
    taken, block = 0, 2 * count + 16
    while True:
        drawn = _classes(twister.peek(block) / 2.0**64, sums)
        classes, first_indices = np.unique(drawn, return_index=True)
        for index in np.sort(first_indices[~np.isin(classes, list(distinct))]).tolist():
            distinct[int(drawn[index])] = None
            if len(distinct) == count:
                twister.skip(index + 1)
                return np.array(list(distinct), np.int64), taken + index + 1
        twister.skip(block)
        taken += block
        block = min(2 * block, 1 << 16)


def _apply(
    kind: type[Sampling],
    op_name: str,
    weights: Any,
    num_samples: int,
    allow_duplicates: bool,
    seed: int,
    name: str,
) -> Composite:
    if not isinstance(num_samples, Integral) or num_samples <= 0:
        raise ArgumentError(
            f"{op_name}: num_samples must be an integer above 0, got {shown(num_samples)}"
        )
    repeats = as_bool(allow_duplicates, f"{op_name}: allow_duplicates")
    # Arrays become float32, as in the original.
    operand = weights.astype(np.float32) if isinstance(weights, np.ndarray) else weights
    return apply(kind(int(num_samples), repeats, as_seed(seed, op_name)), (operand,), name)


def random_sample(
    weights: Any,
    num_samples: int,
    allow_duplicates: bool,
    seed: int = SentinelValueForAutoSelectRandomSeed,
    name: str = "",
) -> Composite:
    """Sample classes at random by their weights, other ones in each evaluation.

    Args:
        weights: a vector ``[classes]`` of numbers, 0 or more: an array, a parameter or a constant.
            A class is drawn with a probability in proportion to its weight.
        num_samples: how many are drawn.
        allow_duplicates: whether a class may be drawn more than once.
        seed: seed of the random numbers; chosen if not given.
        name: its name in the graph.

    Returns:
        A function with sparse output ``[num_samples, classes]``: a one-hot row for each class
        drawn.

    Raises:
        ValueError: if there are too few classes; at evaluation, if weights are negative or too few
            are above 0.

    Example:
        >>> random_sample([1, 3, 5, 1], 5, True, seed=98052).eval().toarray()
        array([[0., 0., 0., 1.],
               [0., 0., 1., 0.],
               [0., 0., 1., 0.],
               [0., 0., 0., 1.],
               [1., 0., 0., 0.]], dtype=float32)
    """
    return _apply(RandomSample, "random_sample", weights, num_samples, allow_duplicates, seed, name)


def random_sample_inclusion_frequency(
    weights: Any,
    num_samples: int,
    allow_duplicates: bool,
    seed: int = SentinelValueForAutoSelectRandomSeed,
    name: str = "",
) -> Composite:
    """Estimate how often each class is among the samples that `random_sample` draws.

    With duplicates this is exact; without, it is estimated from ten drawings, once for the same
    weights.

    The arguments, and errors: see `random_sample`.

    Returns:
        A function with output ``[classes]``.

    Example:
        >>> random_sample_inclusion_frequency([1, 3, 5, 1], 5, True).eval()
        array([0.5, 1.5, 2.5, 0.5], dtype=float32)
    """
    kind, op_name = RandomSampleInclusionFrequency, "random_sample_inclusion_frequency"
    return _apply(kind, op_name, weights, num_samples, allow_duplicates, seed, name)
