"""Kernel of a loop: step by step on the frames of all sequences that still run, or by recorded
code.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from cntk._compiler import lowering
from cntk._compiler.deferred_shapes import RuntimeShapeKernel
from cntk._compiler.ir import Node, delay_of
from cntk._compiler.probe import Step
from cntk._compiler.recurrence.initial_states import initial_state
from cntk._compiler.recurrence.recorded_steps import Feedback, RecordedSteps
from cntk._graph.op import RunKernel
from cntk._graph.types import BATCH_AXIS, FreeDimension, TensorType
from cntk._ops.nn.dropout import DropoutMask
from cntk._ops.random.distribution import RandomDistribution
from cntk._runtime.carried_state import broadcast_rows, keep_carry
from cntk._runtime.context import RunContext
from cntk._runtime.layout.layout import Layout
from cntk._runtime.reasons import Reasons
from cntk._runtime.sparse import SparseRows
from cntk._runtime.step_operands import (
    PER_FRAME,
    PER_SEQUENCE,
    STATIC,
    Rows,
    by_step,
    kind_of,
    to_frames,
)
from cntk._wording import operation_text

if TYPE_CHECKING:
    from cntk._compiler.recurrence.loop import Loop


# Operations that use their operands' types only: they run before a loop's first step.
_READS_TYPES_ALONE = (DropoutMask, RandomDistribution)


class LoopKernel:
    """Loop with all that can be decided before data come."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.axes, self.backwards = loop.axes, loop.backwards
        keys = {ref.key: k for k, ref in enumerate(loop.operands)}
        # Initial states are read before the first step, whatever their dynamic axes.
        read = {r.key for n in loop.members for r in n.operands[: 1 if delay_of(n) else None]}
        self.kinds = [
            kind_of(ref.type, self.axes) if ref.key in read else STATIC for ref in loop.operands
        ]
        self.registers: dict[tuple[int, int], int] = dict(keys)
        for node in loop.members:
            for k in range(len(node.types)):
                self.registers[(id(node), k)] = len(self.registers)
        for node in loop.delays:
            if node.operands[1].key not in keys:
                raise node.primitive.misfit(
                    "its initial state depends on the loop that it is part of"
                )
        self.initial = [keys[n.operands[1].key] for n in loop.delays]
        self.steps = []
        differs = ""
        self.nodes: list[Node] = []
        self.ahead: list[tuple[int, Any]] = []
        for node in loop.members:
            if isinstance(node.op, _READS_TYPES_ALONE):
                self.ahead.append((self.registers[(id(node), 0)], lowering.lower_node(node)))
            elif not delay_of(node):
                kernel = lowering.lower_node(_within_step(node, self.axes))
                several = len(node.types) > 1
                reads = tuple(self.registers[r.key] for r in node.operands)
                writes = tuple(self.registers[(id(node), k)] for k in range(len(node.types)))
                compute = kernel.compute if isinstance(kernel, RunKernel) else kernel
                self.steps.append((compute, reads, writes, isinstance(kernel, RunKernel), several))
                self.nodes.append(node)
                differs = differs or _why_not_recordable(node, kernel)
        self.types = {
            self.registers[(id(n), k)]: t for n in loop.members for k, t in enumerate(n.types)
        }
        self.delays = [
            (self.registers[(id(n), 0)], self._source(n), abs(delay_of(n))) for n in loop.delays
        ]
        self.results = [self.registers[ref.key] for ref in loop.outputs]
        self.stored_registers = sorted({*self.results, *(source for _, source, _ in self.delays)})
        self.reasons = Reasons(
            f"steps of the loop through {loop.text} are not recorded", loop.delays[0].primitive
        )
        if self.ahead:
            differs = "it has values that the run alone tells"
        self.recorded = None if differs else self._recorded(read)
        if differs:
            self.reasons.keep(differs)

    def _recorded(self, read: set[tuple[int, int]]) -> RecordedSteps | None:
        """Return the steps for recording.

        None, with the reason kept, if a state or a weight has a dimension known at run time only.
        """
        operands_by_kind = {
            kind: [k for k, own in enumerate(self.kinds) if own == kind] for kind in range(3)
        }
        self.row_operands = [operands_by_kind[PER_FRAME], operands_by_kind[PER_SEQUENCE]]
        self.static = [k for k in operands_by_kind[STATIC] if self.loop.operands[k].key in read]
        sized = [
            *(self.loop.operands[k].type for k in self.static),
            *(self.types[register] for register in self.stored_registers),
        ]
        if any(FreeDimension in t.shape for t in sized):
            self.reasons.keep("a state or a weight has a dimension whose size only the run tells")
            return None
        registers = [
            *self.row_operands[0],
            *self.row_operands[1],
            *(target for target, _, _ in self.delays),
            *self.static,
        ]

        def step(*tensors: Tensor) -> list[Tensor]:
            values: list[Any] = [None] * len(self.registers)
            for register, tensor in zip(registers, tensors, strict=True):
                values[register] = tensor
            self._step(values, None)
            return [values[k] for k in self.stored_registers]

        shapes = (self.loop.operands[k].type.shape for kind in self.row_operands for k in kind)
        free = [
            tuple(axis for axis, d in enumerate(shape, 1) if d == FreeDimension) for shape in shapes
        ]
        feedback = [
            Feedback(self.stored_registers.index(source), n) for _, source, n in self.delays
        ]
        return RecordedSteps(step, feedback, free, self.reasons)

    def _step(self, registers: list[Any], run: RunContext | None, step: Step | None = None) -> None:
        """Compute one step's values from those of earlier steps and of outside."""
        probe = None if run is None else run.probe
        for node, (compute, reads, writes, wants_run, several) in zip(
            self.nodes, self.steps, strict=True
        ):
            values = [registers[k] for k in reads]
            if probe is not None and run is not None:
                result = probe.run(node, compute, run, wants_run, values, step)
            else:
                result = compute(run, *values) if wants_run else compute(*values)
            if several:
                for register, value in zip(writes, result, strict=True):
                    registers[register] = value
            else:
                registers[writes[0]] = result

    def _source(self, delay: Node) -> int:
        source, type_ = delay.operands[0], delay.types[0]
        if source.key not in self.registers:
            raise delay.primitive.misfit("its operand must be computed inside the loop")
        if source.type.shape == type_.shape:
            return self.registers[source.key]
        # The initial state has more or longer axes than the state: the state is broadcast to them
        # at every step.
        register = len(self.registers)
        self.registers[(id(delay), -1)] = register
        self.types[register] = type_
        broadcast = partial(broadcast_rows, shape=type_.shape)
        self.steps.append((broadcast, (self.registers[source.key],), (register,), False, False))
        self.nodes.append(delay)
        return register

    def compute(self, run: RunContext, *operands: Any) -> list[Tensor]:
        layout = run.layout(self.axes)
        initial = [
            initial_state(run, layout, n, operands[k])
            for n, k in zip(self.loop.delays, self.initial, strict=True)
        ]
        done = self._by_recording(run, layout, operands, initial) or self._one_by_one(
            run, layout, operands, initial
        )
        for node, (_, source, offset) in zip(self.loop.delays, self.delays, strict=True):
            keep_carry(run, node.primitive.uid, done[source], layout, offset)
        return [done[register] for register in self.results]

    def _by_recording(
        self, run: RunContext, layout: Layout, operands: Sequence[Any], initial: Sequence[Rows]
    ) -> dict[int, Tensor] | None:
        """Run all steps by recorded code, if there is such."""
        if (
            self.recorded is None
            or not torch.is_grad_enabled()
            or run.draws is not None
            or run.probe is not None
        ):
            return None
        # Counted for sequences of any length, since a checkpoint has only the number of
        # minibatches.
        self.recorded.runs += 1
        if layout.longest < max(_SHORTEST, *(offset for *_, offset in self.delays)):
            self.reasons.keep(f"sequences of fewer than {_SHORTEST} steps, or than it looks back")
            return None
        if any(isinstance(x, SparseRows) for x in operands):
            self.reasons.keep("sparse data come into it")
            return None
        static = [operands[k] for k in self.static]
        sizes = layout.step_sizes
        starts = [
            states(step, sizes[step])
            for states, (*_, offset) in zip(initial, self.delays, strict=True)
            for step in range(offset)
        ]
        outside = [operands[k] for indices in self.row_operands for k in indices]
        recording = self.recorded.recording(outside, starts, static, run.passes)
        if recording is None:
            return None
        frames = [layout.by_steps(operands[k], self.backwards) for k in self.row_operands[0]]
        sequences = [operands[k].index_select(0, layout.sorted_rows) for k in self.row_operands[1]]
        outputs = self.recorded.run(recording, sizes, frames, sequences, starts, static)
        return {
            register: layout.by_sequences(x, self.backwards)
            for register, x in zip(self.stored_registers, outputs, strict=True)
        }

    def _one_by_one(
        self, run: RunContext, layout: Layout, operands: Sequence[Any], initial: Sequence[Rows]
    ) -> dict[int, Tensor]:
        """Run all steps by the kernels of their operations."""
        sizes = layout.step_sizes
        rows_by_step = [
            by_step(x, kind, layout, self.backwards)
            for x, kind in zip(operands, self.kinds, strict=True)
        ]
        ahead = self._computed_ahead(run, layout)
        full = len(set(sizes)) == 1
        history: dict[int, list[Tensor]] = {register: [] for register in self.stored_registers}
        registers: list[Any] = [None] * len(self.registers)
        inner = RunContext(
            run.training,
            run.device,
            sizes[0],
            {},
            {},
            run.deferred,
            run.draws,
            run.streams,
            probe=run.probe,
        )
        for step, size in enumerate(sizes):
            inner.batch = size
            for k, rows_at in enumerate(rows_by_step):
                registers[k] = rows_at(step, size)
            for register, rows_at in ahead:
                registers[register] = rows_at(step, size)
            for (target, source, offset), states in zip(self.delays, initial, strict=True):
                if step >= offset:
                    before = history[source][step - offset]
                    registers[target] = before if full else before[:size]
                else:
                    registers[target] = states(step, size)
            self._step(
                registers,
                inner,
                Step(step, layout, self.backwards) if run.probe is not None else None,
            )
            for register in self.stored_registers:
                history[register].append(registers[register])
        return {
            register: to_frames(history[register], layout, self.backwards)
            for register in self.stored_registers
        }

    def _computed_ahead(
        self, run: RunContext, layout: Layout
    ) -> list[tuple[int, Callable[[int, int], Any]]]:
        """Compute values that depend on no value of the loop, for all frames.

        Returns:
            For each its register, and a function to its rows at a step.
        """
        if not self.ahead:
            return []
        whole = replace(run, steps=-1 if self.backwards else 1)
        frames = [(register, kernel.compute(whole)) for register, kernel in self.ahead]
        return [(register, by_step(x, PER_FRAME, layout, self.backwards)) for register, x in frames]


_SHORTEST = 4  # steps of a loop that recorded code pays for


def _why_not_recordable(node: Node, kernel: Any) -> str:
    """Return why steps with an operation are not recorded; empty if they may be."""
    what = operation_text(node.op.op_name, node.primitive.name)
    if node.op.not_recordable:
        return f"{what}: {node.op.not_recordable}"
    if isinstance(kernel, RunKernel) and not isinstance(kernel, RuntimeShapeKernel):
        return f"{what} depends on the run: on its sequences, its mode or its random numbers"
    return ""


def _within_step(node: Node, axes: Any) -> Node:
    """Return a node as one step sees it: on a batch of single frames."""

    def at_step(type_: TensorType) -> TensorType:
        return type_.with_axes((BATCH_AXIS,)) if len(type_.dynamic_axes) > 1 else type_

    refs = [_StepRef(at_step(ref.type)) for ref in node.operands]
    types = tuple(at_step(t) for t in node.types)
    return Node(node.op, node.primitive, refs, types, node.place)  # type: ignore[arg-type]


class _StepRef:
    """Reference that stands for an operand of which only the type matters."""

    def __init__(self, type_: TensorType) -> None:
        self.type = type_
