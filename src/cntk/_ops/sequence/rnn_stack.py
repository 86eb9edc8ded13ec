"""Stacks of recurrent layers with all weights in one parameter, in cuDNN's order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

import torch
from torch import Tensor

from cntk._arguments import as_bool, as_integer, shown
from cntk._graph.composite import Composite
from cntk._graph.op import Op, PrimitiveOp, RunKernel, primitive
from cntk._graph.types import InferredDimension, Shape, TensorType
from cntk._ops.support.operands import apply
from cntk._runtime.context import RunContext
from cntk._runtime.layout.layout import Layout
from cntk._runtime.numpy_tensors import SHORT
from cntk._wording import shape_text
from cntk.errors import ArgumentError, FeedError, GraphError
from cntk.typing import Operand

__all__ = ["optimized_rnnstack"]

GATES = {"lstm": 4, "gru": 3, "rnnReLU": 1, "rnnTanh": 1}
_KERNELS: dict[str, Callable[..., tuple[Tensor, ...]]] = {
    "lstm": torch.lstm,
    "gru": torch.gru,
    "rnnReLU": torch.rnn_relu,
    "rnnTanh": torch.rnn_tanh,
}
# Kernels that torch takes apart step by step are recorded only where they have fewer steps.
_LONGEST_RECORDED = 100


@primitive(PrimitiveOp.OptimizedRNNStack)
@dataclass(frozen=True)
class OptimizedRNNStack(Op):
    """Stack of recurrent layers.

    Attributes:
        bidirectional: whether each layer also runs backwards.
        num_layers: how many layers there are.
        hidden_size: elements in a layer's state, for each direction.
        recurrent_op: ``lstm``, ``gru``, ``rnnReLU`` or ``rnnTanh``.
    """

    operand_counts = (2,)

    bidirectional: bool
    num_layers: int
    hidden_size: int
    recurrent_op: str

    def infer(self, *operands: TensorType) -> TensorType:
        x, weights = operands
        if self.recurrent_op not in GATES:
            raise GraphError(
                f"unknown recurrent_op {self.recurrent_op!r}; use one of "
                f"{', '.join(map(repr, GATES))}"
            )
        if self.num_layers < 1 or self.hidden_size < 1:
            raise GraphError(
                f"expected one layer and one hidden element at least, got num_layers "
                f"{self.num_layers} and hidden_size {self.hidden_size}"
            )
        if x.rank != 1:
            raise GraphError(
                f"the operand must have one static axis, got {shape_text(x.shape)}; flatten it "
                f"first"
            )
        if not x.dynamic_axes:
            raise GraphError(
                "the operand has no sequence axis; use sequence.input_variable for its input"
            )
        if weights.dynamic_axes:
            raise GraphError("the weights must be a parameter or a constant, without a batch axis")
        self._check_count(x.shape[0], weights.shape)
        return TensorType((self.hidden_size * self.directions,), x.dynamic_axes, x.dtype)

    def multiplications(self, operands: tuple[TensorType, ...], result: TensorType) -> int:
        return operands[1].elements

    def _check_count(self, inputs: int, weights: Shape) -> None:
        if inputs < 0 or any(d < 0 for d in weights):
            return
        size, expected = torch.Size(weights).numel(), self.count(inputs)
        if size != expected:
            raise GraphError(
                f"{expected} weights are needed for {inputs} inputs, a parameter of shape "
                f"{shape_text((expected // self.hidden_size, self.hidden_size))}, and there are "
                f"{size} ({shape_text(weights)}); give the shape (InferredDimension, "
                f"{self.hidden_size})"
            )

    def complete(self, *operands: TensorType) -> tuple[TensorType, ...]:
        x, weights = operands
        if (
            InferredDimension not in weights.shape
            or x.rank != 1
            or x.shape[0] < 0
            or self.hidden_size < 1
        ):
            return operands
        count = self.count(x.shape[0])
        if weights.rank > 2:
            return operands
        shape = (count,) if weights.rank == 1 else (count // self.hidden_size, self.hidden_size)
        return x, weights.with_shape(shape)

    @property
    def directions(self) -> int:
        """2 if each layer also runs backwards, else 1."""
        return 2 if self.bidirectional else 1

    def count(self, inputs: int) -> int:
        """Return the number of weights for a number of inputs."""
        return sum(torch.Size(shape).numel() for shape in self.shapes(inputs))

    def shapes(self, inputs: int) -> Iterator[Shape]:
        """Yield the shapes of the weights in their order: two matrices of each layer and direction,
        then all biases.

        Args:
            inputs: elements in a frame of the operand.
        """
        rows = GATES.get(self.recurrent_op, 0) * self.hidden_size
        for layer in range(self.num_layers):
            for _ in range(self.directions):
                yield rows, self.hidden_size * self.directions if layer else inputs
                yield rows, self.hidden_size
        for _ in range(2 * self.num_layers * self.directions):
            yield (rows,)

    def split(self, weights: Tensor, inputs: int) -> list[list[Tensor]]:
        """Split the weights into views: for each layer and direction two matrices ``[gates *
        hidden, in]`` and two biases.
        """
        shapes = list(self.shapes(inputs))
        ends = accumulate((torch.Size(shape).numel() for shape in shapes), initial=0)
        flat = weights.reshape(-1)
        parts = [
            flat[begin:end].view(shape)
            for (begin, end), shape in zip(pairwise(ends), shapes, strict=True)
        ]
        half = len(parts) // 2
        return [[*parts[k : k + 2], *parts[half + k : half + k + 2]] for k in range(0, half, 2)]

    def lower(self, *operands: TensorType) -> RunKernel:
        x = operands[0]
        axes, inputs = x.dynamic_axes, x.shape[0]

        def compute(run: RunContext, rows: Tensor, weights: Tensor) -> Tensor:
            if rows.dtype in SHORT and not rows.is_cuda:
                # On the CPU states keep what 16 bits would round away.
                return compute(run, rows.float(), weights.float()).to(rows.dtype)
            layout = (
                run.layout(axes)
                if len(axes) > 1
                else Layout([1] * rows.shape[0], None, rows.device)
            )
            if layout.starts is not None:
                raise FeedError(
                    "optimized_rnnstack: every sequence starts from zeros, and some were given as "
                    "going on from the previous minibatch; build the layers with "
                    "cntk.layers.Recurrence, which carries states over"
                )
            if rows.shape[0] == 0:
                return rows.new_zeros(0, self.hidden_size * self.directions)
            whole = rows.is_cuda or (self.recurrent_op == "lstm" and rows.dtype == torch.float32)
            if (
                run.draws is not None
                and not whole
                and layout.longest * self.num_layers > _LONGEST_RECORDED
            ):
                raise NotImplementedError("too many steps to be recorded")
            layers = self.split(weights, inputs)
            if layout.uniform:
                padded = self._run(layout.pad(rows), layers, self.num_layers, self.bidirectional)
                return layout.unpad(padded)
            return (
                self._packed(rows, layout, layers)
                if rows.is_cuda
                else self._one_by_one(rows, layout, layers)
            )

        return RunKernel(compute)

    def _states(self, layers: int, directions: int, count: int, like: Tensor) -> Any:
        zeros = like.new_zeros(layers * directions, count, self.hidden_size)
        return (zeros, zeros) if self.recurrent_op == "lstm" else zeros

    def _run(
        self, x: Tensor, weights: list[list[Tensor]], layers: int, bidirectional: bool
    ) -> Tensor:
        """Run layers on sequences of equal length ``[count, length, inputs]``."""
        states = self._states(layers, 2 if bidirectional else 1, x.shape[0], x)
        flat = [w for parts in weights for w in parts]
        learns = x.requires_grad or flat[0].requires_grad
        return _KERNELS[self.recurrent_op](
            x, states, flat, True, layers, 0.0, learns, bidirectional, True
        )[0]

    def _one_by_one(self, rows: Tensor, layout: Layout, weights: list[list[Tensor]]) -> Tensor:
        """Run each layer and direction by itself on padded sequences: on a CPU three times as fast
        as torch's packed sequences.
        """
        for layer in range(self.num_layers):
            outputs = []
            for k, parts in enumerate(
                weights[layer * self.directions : (layer + 1) * self.directions]
            ):
                ordered = layout.reverse(rows) if k else rows
                y = layout.unpad(self._run(layout.pad(ordered), [parts], 1, False))
                outputs.append(layout.reverse(y) if k else y)
            rows = outputs[0] if len(outputs) == 1 else torch.cat(outputs, 1)
        return rows

    def _packed(self, rows: Tensor, layout: Layout, weights: list[list[Tensor]]) -> Tensor:
        """Run all layers in one call, with frames in time-major order."""
        flat = [w for parts in weights for w in parts]
        states = self._states(self.num_layers, self.directions, layout.count, rows)
        learns = rows.requires_grad or flat[0].requires_grad
        ordered = rows.index_select(0, layout.time_major())
        y = _KERNELS[self.recurrent_op](
            ordered,
            torch.tensor(layout.step_sizes),
            states,
            flat,
            True,
            self.num_layers,
            0.0,
            learns,
            self.bidirectional,
        )[0]
        return y.index_select(0, layout.from_time_major())


def optimized_rnnstack(
    operand: Operand,
    weights: Any,
    hidden_size: int,
    num_layers: int,
    bidirectional: bool = False,
    recurrent_op: str = "lstm",
    name: str = "",
) -> Composite:
    """Apply a stack of recurrent layers with all weights in one parameter.

    States start from zeros. The weights are in cuDNN's order: for each layer, forwards before
    backwards, the matrix of the inputs and that of the states, ``[gates * hidden, inputs]`` and
    ``[gates * hidden, hidden]``; after all matrices two biases for each. Gates come in the order
    input, forget, cell, output in an LSTM, and reset, update, new state in a GRU, which applies the
    reset after the product (Cho et al., 2014; the variant of cuDNN).

    Args:
        operand: a sequence of vectors ``[inputs]``.
        weights: a parameter; with the shape ``(InferredDimension, hidden_size)`` it takes on the
            size that is needed.
        hidden_size: elements in a layer's state, for each direction.
        num_layers: how many layers there are.
        bidirectional: whether each layer also runs backwards; the next one then gets both outputs.
        recurrent_op: ``'lstm'``, ``'gru'``, ``'rnnReLU'`` or ``'rnnTanh'``.
        name: its name in the graph.

    Returns:
        A function with output ``[hidden_size]`` on the operand's axes, or ``[2 * hidden_size]`` if
        ``bidirectional``, the forward output first.

    Raises:
        ValueError: for another ``recurrent_op``.
        GraphError: if operand and weights do not fit.

    Example:
        >>> import cntk as C
        >>> x = C.sequence.input_variable(3)
        >>> weights = C.parameter((C.InferredDimension, 5))
        >>> C.optimized_rnnstack(x, weights, hidden_size=5, num_layers=2, bidirectional=True).shape
        (10,)
        >>> weights.shape
        (216, 5)
    """
    if not isinstance(recurrent_op, str) or recurrent_op not in GATES:
        raise ArgumentError(
            f"optimized_rnnstack: unknown recurrent_op {shown(recurrent_op)}; use one of "
            f"{', '.join(map(repr, GATES))}"
        )
    op = OptimizedRNNStack(
        as_bool(bidirectional, "optimized_rnnstack: bidirectional"),
        as_integer(num_layers, "optimized_rnnstack: num_layers"),
        as_integer(hidden_size, "optimized_rnnstack: hidden_size"),
        recurrent_op,
    )
    return apply(op, (operand, weights), name)
