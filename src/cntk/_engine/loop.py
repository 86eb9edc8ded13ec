"""Recurrent loops: components of a graph that feed themselves through delays, run step by step.

What does not depend on the recurrent state is outside the component and was computed for all frames at once. Inside,
the frames of all sequences lie step by step, longest sequence first: a step is a contiguous slice, and sequences
that have ended take no part in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from cntk._engine.layout import Layout
from cntk._engine.nodes import Node, Ref
from cntk._engine.run import Run, SparseRows
from cntk._errors import FeedError, GraphError
from cntk._graph.op import RunKernel
from cntk._graph.types import BATCH_AXIS, Shape, TensorType
from cntk._graph.walk import cycles


class Loop:
    """One recurrent component as a single operation of a plan.

    Args:
        members: its nodes, operands first but for the delays.

    Attributes:
        operands: what it reads from outside.
        outputs: those of its members' values that are read outside.
    """

    def __init__(self, members: list[Node]) -> None:
        self.delays = [n for n in members if n.op.delay]
        self.members = _step_order(members)
        self.operands = self._outside()
        self.outputs = [Ref(n, k) for n in members for k in range(len(n.types))]
        signs = {n.op.delay > 0 for n in self.delays}
        if len(signs) != 1:
            names = ", ".join(n.primitive.name or n.primitive.uid for n in self.delays)
            raise GraphError(
                f"a loop must run either forwards or backwards, but this one has past and future values: {names}"
            )
        self.backwards = signs == {False}
        self.axes = self.delays[0].types[0].dynamic_axes
        if len(self.axes) < 2:
            raise self.delays[0].primitive.misfit("a loop needs a sequence axis, and its operands have none")

    def _outside(self) -> list[Ref]:
        inside = {id(n) for n in self.members}
        found: dict[tuple[int, int], Ref] = {}
        for node in self.members:
            for ref in node.operands:
                if ref.node is None or id(ref.node) not in inside:
                    found.setdefault(ref.key, ref)
        return list(found.values())

    def substitute(self, same: Mapping[tuple[int, int], Ref]) -> None:
        """Read equal values in place of others."""
        for node in self.members:
            node.operands = [same.get(ref.key, ref) for ref in node.operands]
        self.operands = self._outside()

    def keep_outputs(self, wanted: set[tuple[int, int]]) -> None:
        """Leave out the outputs that nobody reads."""
        self.outputs = [ref for ref in self.outputs if ref.key in wanted]

    def calls(self, layout: Layout) -> int:
        """How many calls a run comes to, about."""
        return layout.longest * len(self.members)

    def lower(self) -> RunKernel:
        """The kernel: operands in the order of `operands`, results in the order of `outputs`."""
        return RunKernel(_LoopKernel(self).compute)


def _step_order(members: list[Node]) -> list[Node]:
    """The members in the order in which a step computes them; delays read earlier steps and come first."""
    inside = {id(n) for n in members}
    done: set[int] = set()
    order: list[Node] = []
    opened: set[int] = set()
    for start in members:
        stack = [start]
        while stack:
            node = stack[-1]
            waiting = (
                []
                if node.op.delay or id(node) in done
                else [r.node for r in node.operands if r.node and id(r.node) in inside and id(r.node) not in done]
            )
            if id(node) in done:
                stack.pop()
            elif waiting:
                opened.add(id(node))
                if any(id(w) in opened for w in waiting):
                    raise node.primitive.misfit(
                        "it depends on its own output without a past_value or future_value between"
                    )
                stack.extend(waiting)
            else:
                done.add(id(node))
                order.append(node)
                stack.pop()
    return order


def extract_loops(order: list[Node]) -> list[Node | Loop]:
    """A plan's work list: nodes and loops, operands first."""
    components = cycles(order, lambda n: [r.node for r in n.operands if r.node is not None])
    if not components:
        return list(order)
    owner: dict[int, Any] = {}
    for members in components:
        if not any(n.op.delay for n in members):
            raise members[0].primitive.misfit(
                "it depends on its own output without a past_value or future_value between"
            )
        loop = Loop(members)
        owner.update({id(n): loop for n in members})
    work: list[Node | Loop] = []
    placed: set[int] = set()

    def unit(node: Node) -> Node | Loop:
        return owner.get(id(node), node)  # type: ignore[no-any-return]

    for start in order:
        stack: list[Node | Loop] = [unit(start)]
        while stack:
            item = stack[-1]
            waiting = [unit(r.node) for r in item.operands if r.node is not None and id(unit(r.node)) not in placed]
            if id(item) in placed:
                stack.pop()
            elif waiting:
                stack.extend(waiting)
            else:
                placed.add(id(item))
                work.append(item)
                stack.pop()
    return work


class _LoopKernel:
    """A loop with everything decided that can be before data come."""

    def __init__(self, loop: Loop) -> None:
        from cntk._engine.plan import lower_node

        self.loop = loop
        self.axes, self.backwards = loop.axes, loop.backwards
        keys = {ref.key: k for k, ref in enumerate(loop.operands)}
        # Initial states are read before the first step, whatever axes they lie on.
        read = {r.key for n in loop.members for r in n.operands[: 1 if n.op.delay else None]}
        self.kinds = [_kind(ref.type, self.axes) if ref.key in read else _STATIC for ref in loop.operands]
        self.slots: dict[tuple[int, int], int] = dict(keys)
        for node in loop.members:
            for k in range(len(node.types)):
                self.slots[(id(node), k)] = len(self.slots)
        self.delays = [(self.slots[(id(n), 0)], self._source(n), abs(n.op.delay)) for n in loop.delays]
        self.initial = [keys[n.operands[1].key] for n in loop.delays]
        self.steps = []
        self.ahead: list[tuple[int, Any]] = []
        for node in loop.members:
            if node.op.reads_types_alone:
                self.ahead.append((self.slots[(id(node), 0)], lower_node(node)))
            elif not node.op.delay:
                kernel = lower_node(_within_step(node, self.axes))
                several = len(node.types) > 1
                reads = tuple(self.slots[r.key] for r in node.operands)
                writes = tuple(self.slots[(id(node), k)] for k in range(len(node.types)))
                compute = kernel.compute if isinstance(kernel, RunKernel) else kernel
                self.steps.append((compute, reads, writes, isinstance(kernel, RunKernel), several))
        self.results = [self.slots[ref.key] for ref in loop.outputs]

    def _source(self, delay: Node) -> int:
        source = delay.operands[0]
        if source.key not in self.slots:
            raise delay.primitive.misfit("its operand must be computed inside the loop")
        return self.slots[source.key]

    def compute(self, run: Run, *operands: Any) -> list[Tensor]:
        layout = run.layout(self.axes)
        sizes = layout.step_sizes
        sliced = [_by_step(x, kind, layout, self.backwards) for x, kind in zip(operands, self.kinds, strict=True)]
        ahead = self._computed_ahead(run, layout)
        full = len(set(sizes)) == 1
        kept = sorted({*self.results, *(source for _, source, _ in self.delays)})
        history: dict[int, list[Tensor]] = {slot: [] for slot in kept}
        slots: list[Any] = [None] * len(self.slots)
        initial = [
            _initial_state(run, layout, n, operands[k]) for n, k in zip(self.loop.delays, self.initial, strict=True)
        ]
        inner = Run(run.training, run.device, sizes[0], {}, {}, run.deferred, run.draws)
        for step, size in enumerate(sizes):
            inner.batch = size
            for k, at in enumerate(sliced):
                slots[k] = at(step, size)
            for slot, at in ahead:
                slots[slot] = at(step, size)
            for (target, source, offset), states in zip(self.delays, initial, strict=True):
                if step >= offset:
                    before = history[source][step - offset]
                    slots[target] = before if full else before[:size]
                else:
                    slots[target] = states(step, size)
            for compute, reads, writes, wants_run, several in self.steps:
                values = [slots[k] for k in reads]
                result = compute(inner, *values) if wants_run else compute(*values)
                if several:
                    for slot, value in zip(writes, result, strict=True):
                        slots[slot] = value
                else:
                    slots[writes[0]] = result
            for slot in kept:
                history[slot].append(slots[slot])
        done = {slot: _to_frames(history[slot], layout, self.backwards) for slot in kept}
        for node, (_, source, offset) in zip(self.loop.delays, self.delays, strict=True):
            keep_carry(run, node.primitive.uid, done[source], layout, offset)
        return [done[slot] for slot in self.results]

    def _computed_ahead(self, run: Run, layout: Layout) -> list[tuple[int, Callable[[int, int], Any]]]:
        """What depends on no value of the loop, computed for all frames: slots, and how to get at their rows."""
        if not self.ahead:
            return []
        whole = replace(run, steps=-1 if self.backwards else 1)
        frames = [(slot, kernel.compute(whole)) for slot, kernel in self.ahead]
        return [(slot, _by_step(x, _PER_FRAME, layout, self.backwards)) for slot, x in frames]


_STATIC, _PER_SEQUENCE, _PER_FRAME = range(3)


def _kind(type_: TensorType, axes: Any) -> int:
    if not type_.dynamic_axes:
        return _STATIC
    if len(type_.dynamic_axes) == 1:
        return _PER_SEQUENCE
    if type_.dynamic_axes != axes:
        raise GraphError(
            f"a loop on the sequence axis '{axes[-1].name}' reads a value on the axis '{type_.dynamic_axes[-1].name}'"
        )
    return _PER_FRAME


def _within_step(node: Node, axes: Any) -> Node:
    """A node as one step sees it: a batch of single frames."""

    def at_step(type_: TensorType) -> TensorType:
        return type_.with_axes((BATCH_AXIS,)) if len(type_.dynamic_axes) > 1 else type_

    refs = [_StepRef(at_step(ref.type)) for ref in node.operands]
    types = tuple(at_step(t) for t in node.types)
    return Node(node.op, node.primitive, refs, types, node.place)  # type: ignore[arg-type]


class _StepRef:
    """Stands for an operand of which only the type matters."""

    def __init__(self, type_: TensorType) -> None:
        self.type = type_


def _by_step(x: Any, kind: int, layout: Layout, backwards: bool) -> Callable[[int, int], Any]:
    """How to get at a loop operand's rows for one step."""
    if kind == _STATIC:
        return lambda step, size: x
    if kind == _PER_SEQUENCE:
        rows = x if layout.uniform else _pick(x, layout.sorted_rows)
        return lambda step, size: rows if size == layout.count else _head(rows, size)
    if isinstance(x, SparseRows):
        frames = layout.time_major(backwards)
        begins = [0]
        for size in layout.step_sizes:
            begins.append(begins[-1] + size)
        return lambda step, size: x.select(frames[begins[step] : begins[step] + size])
    if layout.uniform:
        grid = x.reshape(layout.count, layout.longest, *x.shape[1:]).transpose(0, 1)
        steps = grid.contiguous().unbind(0)
        last = layout.longest - 1
        return (lambda step, size: steps[last - step]) if backwards else (lambda step, size: steps[step])
    parts = torch.split(layout.by_steps(x, backwards), layout.step_sizes)
    return lambda step, size: parts[step]


def _pick(x: Any, rows: Tensor) -> Any:
    return x.select(rows) if isinstance(x, SparseRows) else x.index_select(0, rows)


def _head(x: Any, size: int) -> Any:
    return x.select(torch.arange(size, device=x.offsets.device)) if isinstance(x, SparseRows) else x[:size]


def _to_frames(steps: list[Tensor], layout: Layout, backwards: bool) -> Tensor:
    if layout.uniform:
        ordered = steps[::-1] if backwards else steps
        stacked = torch.stack(ordered, 1)
        return stacked.reshape(layout.frames, *stacked.shape[2:])
    return layout.by_sequences(torch.cat(steps), backwards)


# -- initial and carried state ----------------------------------------------------------------------------------------


def keep_carry(run: Run, uid: str, frames: Tensor, layout: Layout, offset: int) -> None:
    """Keep a delayed value, so that sequences which go on in the next minibatch find its last frames."""
    run.carry[uid] = (frames.detach(), layout)


def carried(run: Run, uid: str, layout: Layout, back: int, forwards: bool) -> Tensor | None:
    """The frame ``back`` frames before this minibatch's begin, one a sequence; None if none was kept."""
    kept = run.carry.get(uid)
    if kept is None or layout.starts is None or not forwards:
        return None
    frames, before = kept() if callable(kept) else kept
    if before.count != layout.count or min(before.lengths) < back:
        return None
    return frames.index_select(0, before.offsets[1:] - back)  # type: ignore[no-any-return]


def from_sequence(start: Tensor, given: Layout, layout: Layout, steps: int) -> Tensor:
    """For each frame the frame of an initial-state sequence that takes the missing one's place.

    Args:
        start: the initial states, ``[frames, *shape]``.
        given: their layout.
        layout: that of the sequences that are delayed.
        steps: by how many frames; negative for future values.

    Raises:
        FeedError: if there is not one initial state for each sequence, long enough for the delay.
    """
    if given.count != layout.count:
        raise FeedError(f"delay: {given.count} initial states were given for {layout.count} sequences")
    size = given.lengths_tensor
    if bool(((size < abs(steps)) & (size != 1)).any()):
        raise FeedError(f"delay: an initial state of several frames must have at least {abs(steps)}, the delay's steps")
    if steps > 0:
        at = size[layout.segments] - steps + layout.positions
    else:
        at = layout.positions - layout.lengths_tensor[layout.segments] - steps
    at = torch.minimum(torch.clamp(at, min=0), size[layout.segments] - 1)
    return start.index_select(0, given.first[layout.segments] + at)


def initial_rows(delay: Node, initial: Tensor, count: int) -> Tensor:
    """A delay's initial state for each of so many sequences: ``[count, *shape]``."""
    given, shape = delay.operands[1].type, delay.types[0].shape
    return stretched(initial, shape) if given.has_batch_axis else _repeated(initial, shape, count)


def stretched(rows: Tensor, shape: Shape) -> Tensor:
    """Rows of fewer or smaller static axes as rows of a shape; along free dimensions they stay as they are."""
    missing = len(shape) + 1 - rows.dim()
    raised = rows.reshape(rows.shape[0], *(1,) * missing, *rows.shape[1:])
    return raised.expand(rows.shape[0], *(max(d, -1) for d in shape))


def _repeated(value: Tensor, shape: Shape, count: int) -> Tensor:
    """A value without rows as so many rows of a shape."""
    return stretched(value.unsqueeze(0), shape).expand(count, *(-1,) * len(shape))


def _begin(run: Run, layout: Layout, delay: Node, initial: Tensor) -> Callable[[int, int], Tensor]:
    """A delay's initial states at one of the first steps, for the sequences that are still running."""
    given, shape = delay.operands[1].type, delay.types[0].shape
    if given.is_sequence:
        frames = from_sequence(initial, run.layout(given.dynamic_axes), layout, delay.op.delay)
        return _by_step(stretched(frames, shape), _PER_FRAME, layout, delay.op.delay < 0)
    if given.has_batch_axis:
        rows = stretched(initial if layout.uniform else initial.index_select(0, layout.sorted_rows), shape)
        return lambda step, size: rows[:size]
    return lambda step, size: _repeated(initial, shape, size)


def _initial_state(run: Run, layout: Layout, delay: Node, initial: Tensor) -> Callable[[int, int], Tensor]:
    begin = _begin(run, layout, delay, initial)
    if layout.starts is None:
        return begin
    fresh = torch.tensor(layout.starts, device=run.device).index_select(0, layout.sorted_rows)
    shape = (-1,) + (1,) * len(delay.types[0].shape)
    offset = abs(delay.op.delay)

    def mixed(step: int, size: int) -> Tensor:
        before = carried(run, delay.primitive.uid, layout, offset - step, delay.op.delay > 0)
        if before is None:
            return begin(step, size)
        before = before.index_select(0, layout.sorted_rows)[:size]
        return torch.where(fresh[:size].reshape(shape), begin(step, size), before)

    # The next minibatch's state is kept before this one's is read at a later step: read all now.
    states = [mixed(step, layout.step_sizes[step]) for step in range(min(offset, layout.longest))]
    return lambda step, size: states[step]
