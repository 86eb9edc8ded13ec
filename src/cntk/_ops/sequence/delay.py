"""Delays along a sequence: past and future values, alone or as the feedback of a loop."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import Any, ClassVar

from torch import Tensor

from cntk._arguments import as_integer, shown
from cntk._graph.composite import Composite
from cntk._graph.op import CarryingKernel, Op, PrimitiveOp, Reach, primitive
from cntk._graph.types import TensorType
from cntk._ops.support.broadcasting import broadcast_shapes, fill_inferred
from cntk._ops.support.operands import apply, as_operands, in_float32
from cntk._ops.support.structure import alias
from cntk._runtime.carried_state import broadcast_rows, carried, from_sequence, goes_on, keep_carry
from cntk._runtime.context import RunContext
from cntk._runtime.layout.layout import Layout
from cntk._runtime.transfer import integers
from cntk.errors import ArgumentError, GraphError
from cntk.typing import Operand

__all__ = ["delay", "future_value", "past_value"]


class Delay(Op):
    """The value some frames away in the same sequence; beyond the sequence's end, an initial
    state.
    """

    operand_counts = (2,)

    direction: ClassVar[int]
    offset: int
    pure = False

    def check(self) -> None:
        if not abs(self.offset) < 2**31:
            raise GraphError(f"offset must be less than 2**31 frames, got {self.offset}")

    @property
    def delay(self) -> int:
        return self.direction * self.offset

    @property
    def reach(self) -> Reach:  # type: ignore[override]
        return Reach.LATER if self.delay < 0 else Reach.NONE

    def infer(self, *operands: TensorType) -> TensorType:
        x, initial = operands
        if not x.is_sequence:
            raise GraphError(
                "a delay needs an operand with a sequence axis; use sequence.input_variable, or "
                "broadcast it as one"
            )
        return TensorType(
            broadcast_shapes(x.shape, initial.shape), x.dynamic_axes, x.dtype or initial.dtype
        )

    def infer_partial(self, *operands: TensorType) -> TensorType | None:
        x, initial = operands
        if x.has_axes and not x.has_shape and initial.has_shape:
            return TensorType(initial.shape, x.dynamic_axes, x.dtype or initial.dtype)
        return None

    def infer_known(self, *operands: TensorType) -> TensorType | None:
        x, initial = operands
        if not x.is_sequence:
            return None
        shape = initial.shape if initial.has_shape else x.shape
        return TensorType(shape, x.dynamic_axes, x.dtype or initial.dtype)

    def complete(self, *operands: TensorType) -> tuple[TensorType, ...]:
        x, initial = operands
        return fill_inferred(x, initial), fill_inferred(initial, x)

    def lower(self, *operands: TensorType) -> CarryingKernel:
        x, initial = operands
        axes, shape, steps = x.dynamic_axes, broadcast_shapes(x.shape, initial.shape), self.delay
        initial_axes = initial.dynamic_axes
        raised = (1,) * (len(shape) - x.rank) + x.shape

        def compute(run: RunContext, key: str, frames: Tensor, start: Tensor) -> Tensor:
            layout = run.layout(axes)
            frames = frames.reshape(frames.shape[0], *raised).expand(frames.shape[0], *shape)
            if len(initial_axes) > 1:
                missing = from_sequence(start, run.layout(initial_axes), layout, steps)
            elif initial_axes:
                missing = layout.expand(start)
            else:
                missing = start
            if initial_axes:
                missing = broadcast_rows(missing, shape)
            result = _shifted(frames, missing, bool(initial_axes), layout, steps)
            if steps > 0:
                if layout.starts is not None:
                    result = _continued(run, key, result, layout, steps)
                keep_carry(run, key, frames, layout, steps)
            return result

        return CarryingKernel(compute)


def _shifted(x: Tensor, missing: Tensor, are_frames: bool, layout: Layout, steps: int) -> Tensor:
    index, beyond = layout.shift(steps)
    return x.index_select(0, index).index_put_(
        (beyond,), missing[beyond] if are_frames else missing
    )


def _continued(run: RunContext, key: str, result: Tensor, layout: Layout, steps: int) -> Tensor:
    """Fill the first frames of sequences that continue from the previous minibatch."""
    for position in range(steps):
        state = carried(run, key, layout, steps - position, True)
        if state is None:
            continue
        before, _ = state
        numbers = [
            k for k in goes_on(run, key, layout, steps - position) if layout.lengths[k] > position
        ]
        rows = integers(numbers, result.device)
        result = result.index_copy(0, layout.first[rows] + position, before[rows])
    return result


@primitive(PrimitiveOp.PastValue)
@dataclass(frozen=True)
class PastValue(Delay):
    """The value some frames earlier."""

    offset: int = 1
    direction = 1


@primitive(PrimitiveOp.FutureValue)
@dataclass(frozen=True)
class FutureValue(Delay):
    """The value some frames later."""

    offset: int = 1
    direction = -1


def _delayed(
    op: type[PastValue] | type[FutureValue], x: Any, initial_state: Any, time_step: int, name: str
) -> Composite:
    if not isinstance(time_step, Integral) or time_step < 1:
        raise ArgumentError(
            f"{op.op_name}: the time step must be an integer of at least 1, got {shown(time_step)}"
        )
    operands = as_operands(in_float32(x, 0 if initial_state is None else initial_state), op.op_name)
    return apply(op(int(time_step)), operands, name)


def past_value(
    x: Operand, initial_state: Any = None, time_step: int = 1, name: str = ""
) -> Composite:
    """Return the value some frames earlier in the sequence.

    Args:
        x: a sequence; its frames' shape is any.
        initial_state: what stands before the sequence's first frame: a number, a parameter of a
            frame's shape, a value for each sequence, or a sequence whose last frames are taken. 0
            if not given.
        time_step: how many frames earlier, at least 1.
        name: its name in the graph.

    Raises:
        GraphError: if ``x`` is no sequence.

    Example:
        >>> import cntk as C
        >>> x = C.sequence.input_variable(1)
        >>> past_value(x).eval({x: [[[1], [2], [3]]]})[0].ravel()
        array([0., 1., 2.], dtype=float32)
    """
    return _delayed(PastValue, x, initial_state, time_step, name)


def future_value(
    x: Operand, initial_state: Any = None, time_step: int = 1, name: str = ""
) -> Composite:
    """Return the value some frames later in the sequence; arguments as for `past_value`.

    Example:
        >>> import cntk as C
        >>> x = C.sequence.input_variable(1)
        >>> future_value(x).eval({x: [[[1], [2], [3]]]})[0].ravel()
        array([2., 3., 0.], dtype=float32)
    """
    return _delayed(FutureValue, x, initial_state, time_step, name)


def delay(x: Operand, initial_state: Any = None, time_step: int = 1, name: str = "") -> Composite:
    """Return the value some frames earlier, or later if ``time_step`` is negative; arguments as for
    `past_value`.

    Example:
        >>> import cntk as C
        >>> x = C.sequence.input_variable(1)
        >>> delay(x, time_step=-1).eval({x: [[[1], [2], [3]]]})[0].ravel()
        array([2., 3., 0.], dtype=float32)
    """
    time_step = as_integer(time_step, "delay: time_step")
    if time_step > 0:
        return past_value(x, initial_state, time_step, name)
    if time_step < 0:
        return future_value(x, initial_state, -time_step, name)
    return alias(x, name)
