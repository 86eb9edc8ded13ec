"""Base of the kernels that take a loop's place: operands, initial states and output."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor

from cntk._compiler.ir import Node, Ref
from cntk._compiler.recurrence.initial_states import initial_rows
from cntk._compiler.recurrence.loop import Loop
from cntk._compiler.recurrence.loop_algebra import WeightSlices
from cntk._graph.op import RunKernel
from cntk._runtime.carried_state import carried, keep_carry
from cntk._runtime.context import RunContext
from cntk._runtime.layout.layout import Layout


class FusedLoop(Loop):
    """Known cell in place of a loop.

    Args:
        loop: the loop.
        output: the value that is read outside: the output state.
        order: index of the delay of the output state, and of those of further states, if any.

    Attributes:
        size: elements in a state.
        only_final: True if only the state after each sequence's last step is returned.
    """

    def __init__(self, loop: Loop, output: Ref, order: Sequence[int]) -> None:
        self.delays = [loop.delays[k] for k in order]
        self.members, self.backwards, self.axes = loop.members, loop.backwards, loop.axes
        self.kernel, self.reasons = None, loop.reasons
        self.outputs = [output]
        self.only_final = False
        self.size = output.type.shape[0]
        self.operands: list[Ref] = []
        self._positions: dict[tuple[int, int], int] = {}

    def position(self, ref: Ref) -> int:
        """Return a value's index among the operands; add it if it is none yet."""
        if ref.key not in self._positions:
            self._positions[ref.key] = len(self.operands)
            self.operands.append(ref)
        return self._positions[ref.key]

    def give_final(self, output: Ref) -> None:
        """Return only the state after each sequence's last step, under another node's name."""
        self.outputs, self.only_final = [output], True

    def columns(self, parts: Sequence[tuple[Ref, tuple[int, int]]]) -> WeightSlices:
        """Return slices of matrices, gate by gate; see `WeightSlices`."""
        return WeightSlices([(self.position(matrix), span) for matrix, span in parts], self.size)

    def calls(self, layout: Layout) -> int | None:
        return layout.longest * 20

    def lower(self) -> RunKernel:
        return RunKernel(self._compute)

    @abstractmethod
    def _compute(self, run: RunContext, *operands: Tensor) -> list[Tensor]:
        """Compute the only output."""

    def state(self, run: RunContext, layout: Layout, initial: Tensor, delay: Node) -> Tensor:
        """Return the state before each sequence's first step, carried over for those that go on,
        ``[sequences, size]``.
        """
        rows = initial_rows(delay, initial, layout.count)
        carried_rows = carried(run, delay.primitive.uid, layout, 1, not self.backwards)
        if carried_rows is None:
            return rows
        before, has = carried_rows
        return torch.where(has.unsqueeze(1), before, rows)

    def finish(self, run: RunContext, layout: Layout, states: Tensor) -> Tensor:
        """Return the output of time-major states, and keep it for sequences that go on in the
        next minibatch.
        """
        if self.only_final:
            last = layout.first if self.backwards else layout.last
            y = states.index_select(0, layout.from_time_major(self.backwards)[last])
        else:
            y = layout.by_sequences(states, self.backwards)
        if not self.backwards:
            self.keep_output(run, layout, y)
        return y

    def keep_output(self, run: RunContext, layout: Layout, y: Tensor) -> None:
        """Keep the output for sequences that go on in the next minibatch."""
        keep_carry(
            run,
            self.delays[0].primitive.uid,
            y,
            one_frame_each(layout) if self.only_final else layout,
            1,
        )


def one_frame_each(layout: Layout) -> Layout:
    """Return a layout of as many sequences, of one frame each."""
    return Layout([1] * layout.count, None, layout.device)
