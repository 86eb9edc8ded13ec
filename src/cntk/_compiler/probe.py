"""Probes of runs, operation by operation: the origin of NaN and infinity, forward and backward."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from cntk._graph.types import TensorType
from cntk._runtime.context import RunContext
from cntk._runtime.layout.layout import Layout
from cntk._runtime.sparse import SparseRows
from cntk._wording import operation_text
from cntk.errors import NotFiniteError

if TYPE_CHECKING:
    from cntk._compiler.ir import Node
    from cntk._compiler.recurrence.loop import Loop

Key = tuple[int, int]


@dataclass(frozen=True)
class Flags:
    """Flags of NaN and infinity in a tensor."""

    nan: bool = False
    infinite: bool = False

    @property
    def any(self) -> bool:
        """True if there is NaN or infinity."""
        return self.nan or self.infinite

    def __or__(self, other: Flags) -> Flags:
        return Flags(self.nan or other.nan, self.infinite or other.infinite)


FINITE = Flags()


@dataclass(frozen=True)
class Step:
    """Step of a loop.

    Attributes:
        number: the step's, from 0.
        layout: that of the loop's sequences.
        backwards: True if the loop begins at the last frames.
    """

    number: int
    layout: Layout
    backwards: bool


@dataclass
class Call:
    """Run of one operation.

    Attributes:
        number: index of the call in the run.
        node: the operation.
        step: the step of the loop that it is part of.
        operands: flags of each operand.
        results: flags of its results, combined.
        place: position in the minibatch of its first result that is not finite.
        incoming: flags of the gradients of its results.
        outgoing: for each operand whose gradient was not finite its flags and its position.
        turn: rank of this call among those with a gradient that is not finite; None if it has none.
        began: True if the gradients that came in were finite then.
    """

    number: int
    node: Node
    step: Step | None
    operands: list[Flags]
    results: Flags = FINITE
    place: str = ""
    incoming: Flags = FINITE
    outgoing: dict[int, tuple[Flags, str]] = field(default_factory=dict)
    turn: int | None = None
    began: bool = False

    @property
    def operand_flags(self) -> Flags:
        """Flags of all operands, combined."""
        return combined(self.operands)


class Probe:
    """Recorder of the values and gradients of each operation of one run.

    Args:
        strict: True if a first result that is not finite though the operands are, or that has a
            NaN, is an error at once; the same for gradients.
        shown: operations whose results the program sees, and variables whose gradients it sees: an
            infinity of theirs is no error.

    Attributes:
        calls: all calls, in their order.
    """

    def __init__(self, strict: bool = False, shown: Iterable[object] = ()) -> None:
        self.strict, self._shown = strict, frozenset(map(id, shown))
        self.calls: list[Call] = []
        self._turns = 0

    def run(
        self,
        item: Node | Loop,
        compute: Callable[..., Any],
        run: RunContext,
        wants_run: bool,
        values: Sequence[Any],
        step: Step | None = None,
    ) -> Any:
        """Run an operation, and record its flags.

        Args:
            item: the operation; of a loop whose operations are noted one by one nothing else is.
            compute: its kernel.
            run: context of the run.
            wants_run: True if the kernel takes the run.
            values: its operands.
            step: the step of the loop that it is part of.

        Raises:
            NotFiniteError: if the probe is strict.
        """
        before = len(self.calls)
        node, types, result_types = _described(item)
        call = Call(before, node, step, [flags_of(x) for x in values])
        # A parameter's gradient by sparse rows has only some rows, as long as nothing comes
        # between.
        by_rows = self.strict and any(isinstance(x, SparseRows) for x in values)
        apart = [
            ref.leaf is not None and (by_rows or id(ref.leaf) in self._shown)
            for ref in item.operands
        ]
        values = [
            x if apart[k] else self._with_edge(x, call, k, types[k], run)
            for k, x in enumerate(values)
        ]
        result = compute(run, *values) if wants_run else compute(*values)
        if len(self.calls) > before:
            return result
        self.calls.append(call)
        results = result if isinstance(result, (list, tuple)) else (result,)
        for value, type_ in zip(results, result_types, strict=False):
            flags = flags_of(value)
            if flags.any and not call.results.any:
                call.place = place_of(value, type_, run, step)
            call.results |= flags
            if isinstance(value, Tensor) and value.requires_grad:
                value.register_hook(lambda gradient: self._note_incoming(call, gradient))
        overflows = not call.operand_flags.any and id(item) not in self._shown
        if self.strict and call.results.any and (overflows or call.results.nan):
            raise NotFiniteError(_strict_text(call), direction="forward", **named(node))
        return result

    def _with_edge(
        self, value: Any, call: Call, index: int, type_: TensorType, run: RunContext
    ) -> Any:
        if not isinstance(value, Tensor) or not (torch.is_grad_enabled() and value.requires_grad):
            return value

        def note(gradient: Tensor) -> None:
            self._note_outgoing(call, index, gradient, type_, run)

        return _Edge.apply(value, note)  # type: ignore[no-untyped-call]

    def _note_incoming(self, call: Call, gradient: Tensor) -> None:
        call.incoming |= flags_of(gradient)

    def _note_outgoing(
        self, call: Call, index: int, gradient: Tensor, type_: TensorType, run: RunContext
    ) -> None:
        flags = flags_of(gradient)
        if not flags.any:
            return
        if call.turn is None:
            call.turn, call.began = self._turns, not call.incoming.any
            self._turns += 1
        call.outgoing[index] = (flags, place_of(gradient, type_, run, call.step))
        if self.strict and call.began:
            position = _at(call.outgoing[index][1])
            text = (
                f"{title(call.node)}: its gradient is not finite{position}, though the one that "
                f"came to it is"
            )
            raise NotFiniteError(text, direction="backward", **named(call.node))


class _Edge(torch.autograd.Function):
    """Identity that shows its gradient."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, note: Callable[[Tensor], None]) -> Tensor:
        ctx.note = note
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        ctx.note(gradients[0])
        return gradients[0], None


def flags_of(value: Any) -> Flags:
    """Return the flags of a value."""
    if isinstance(value, SparseRows):
        value = value.values
    if not isinstance(value, Tensor):
        return FINITE
    value = value.detach()
    if value.is_sparse:
        value = value._values()
    if not value.dtype.is_floating_point or bool(torch.isfinite(value).all()):
        return FINITE
    return Flags(bool(torch.isnan(value).any()), bool(torch.isinf(value).any()))


def combined(flags: Iterable[Flags]) -> Flags:
    """Return the combined flags of several values."""
    result = FINITE
    for each in flags:
        result |= each
    return result


def place_of(value: Any, type_: TensorType, run: RunContext, step: Step | None) -> str:
    """Return the position in the minibatch of the first number that is not finite: "sample 3",
    "frame 5 of sequence 2".
    """
    if isinstance(value, SparseRows):
        row = int(value.row_numbers()[~torch.isfinite(value.values)][0])
    elif isinstance(value, Tensor) and not value.is_sparse and value.dim() > 0:
        row = int(torch.nonzero(~torch.isfinite(value.detach()))[0][0])
    else:
        return ""
    if step is not None:
        if not type_.has_batch_axis:
            return ""
        sequence = int(step.layout.sorted_rows[row])
        frame = step.layout.lengths[sequence] - 1 - step.number if step.backwards else step.number
        return f"frame {frame} of sequence {sequence}"
    if type_.is_sequence:
        layout = run.layout(type_.dynamic_axes)
        return f"frame {int(layout.positions[row])} of sequence {int(layout.segments[row])}"
    return f"sample {row}" if type_.has_batch_axis else ""


def title(node: Node) -> str:
    """Return the name of an operation, and of the blocks around it."""
    primitive, *blocks = node.place or (node.primitive,)
    around = "".join(f" in {operation_text(b.op_name, b.name or b.uid)}" for b in blocks)
    return operation_text(primitive.op_name, primitive.name or primitive.uid) + around


def named(node: Node) -> dict[str, Any]:
    """Return an operation's kind, name and uid."""
    primitive = node.primitive
    return {"operation": primitive.op_name, "name": primitive.name, "uid": primitive.uid}


def _described(item: Node | Loop) -> tuple[Node, list[TensorType], list[TensorType]]:
    """Return the node that an item is named by, the types of its operands, and those of its
    results.
    """
    from cntk._compiler.recurrence.loop import Loop  # which runs its steps with a probe

    operands = [ref.type for ref in item.operands]
    if isinstance(item, Loop):
        named_by = next(
            (ref.node for ref in reversed(item.outputs) if ref.node is not None), item.members[-1]
        )
        return named_by, operands, [ref.type for ref in item.outputs]
    return item, operands, list(item.types)


def what(flags: Flags) -> str:
    """Return the names of flags."""
    return " and ".join(["NaN"] * flags.nan + ["infinity"] * flags.infinite)


def _at(place: str) -> str:
    return f" at {place}" if place else ""


def _strict_text(call: Call) -> str:
    source = (
        "though all that it computes from is finite"
        if not call.operand_flags.any
        else f"from {what(call.operand_flags)} that it was given"
    )
    return (
        f"{title(call.node)}: it unexpectedly produced {what(call.results)}{_at(call.place)}, "
        f"{source}"
    )
