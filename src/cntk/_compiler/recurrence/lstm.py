"""Loops that are an LSTM, however they were written, on torch's fused kernel.

A loop is read as algebra: its states' expressions, with sums and products flattened, must have the
form of a known cell. For the fused call sequences are packed into lanes, or padded in time chunks.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from cntk._compiler.ir import Ref
from cntk._compiler.recurrence.fused_loop import FusedLoop, one_frame_each
from cntk._compiler.recurrence.gates import (
    Projection,
    RecurrentGate,
    other_than,
    read_gate,
    same_inputs,
)
from cntk._compiler.recurrence.loop import Loop
from cntk._compiler.recurrence.loop_algebra import (
    NOT_THE_STATE,
    LoopParser,
    NoMatch,
    SymbolicExpr,
    is_constant,
    transpose_together,
)
from cntk._compiler.recurrence.lstm_kernel import forget_gate_weights, lstm
from cntk._graph.op import RunKernel
from cntk._runtime.context import RunContext
from cntk._runtime.layout.index_map import IndexMap
from cntk._runtime.layout.layout import Layout
from cntk._runtime.transfer import Everywhere


class FusedLSTM(FusedLoop):
    """LSTM kernel in place of a loop.

    Args:
        loop: the loop.
        output: the value that is read outside: the output state.
        gates: the gates' arguments, in torch's order.
        order: index of the delay of the output state, and of that of the cell state.
    """

    def __init__(
        self, loop: Loop, output: Ref, gates: Sequence[RecurrentGate], order: Sequence[int]
    ) -> None:
        super().__init__(loop, output, order)
        self._projection = Projection(gates, self.size, self.position)
        self._recurrent = self.columns([g.recurrent for g in gates])
        self._scale = None if gates[0].scale is None else self.position(gates[0].scale)
        self._initial = [self.position(d.operands[1]) for d in self.delays]
        # Sequences may be packed into lanes if all begin with zeros.
        zeros = all(is_constant(d.operands[1], 0) for d in self.delays)
        self._forgetting = Everywhere(forget_gate_weights(self.size)) if zeros else None

    def calls(self, layout: Layout) -> int | None:
        # For sequences of different length the last cell states are computed only on demand.
        return 20 if layout.uniform or self.backwards else None

    def lower(self) -> RunKernel:
        for columns in (*self._projection.columns, self._recurrent):
            columns.store_column_major(self.operands)
        return super().lower()

    def _compute(self, run: RunContext, *operands: Tensor) -> list[Tensor]:
        layout = run.layout(self.axes)
        weights = self._weights(operands)
        x = self._projection.x(operands)
        if self._forgetting is not None and _can_pack(layout, x, weights):
            states: list[Tensor] = []
            last: list[Tensor] = []
            y = self._in_lanes(layout, x, weights, self._forgetting)
        else:
            states = [
                self.state(run, layout, operands[k], d).unsqueeze(0)
                for k, d in zip(self._initial, self.delays, strict=True)
            ]
            y, last = (self._in_one_block if layout.uniform else self._in_time_chunks)(
                layout, x, states, weights
            )
        if not self.backwards:
            self._keep(run, layout, y, x, states, weights, last)
        return [y]

    def _in_one_block(
        self, layout: Layout, x: Tensor, states: list[Tensor], weights: list[Tensor]
    ) -> tuple[Tensor, list[Tensor]]:
        """Return the output and the last states over sequences of one length."""
        rows = layout.reverse(x) if self.backwards else x
        block, *last = lstm(layout.pad(rows), [s.contiguous() for s in states], weights, True)
        if self.only_final:
            return last[0][0], last
        y = layout.unpad(block)
        return (layout.reverse(y) if self.backwards else y), last

    def _in_time_chunks(
        self, layout: Layout, x: Tensor, states: list[Tensor], weights: list[Tensor]
    ) -> tuple[Tensor, list[Tensor]]:
        """Return the output over sequences of different length.

        The last states are not available: sequences end inside chunks.
        """
        chunks = layout.time_chunks(self.backwards)
        states = [s.index_select(1, chunks.order) for s in states]
        outputs = []
        for chunk in chunks.split(chunks.gather(x)):
            y, *states = lstm(
                chunk, [s[:, : chunk.shape[1]].contiguous() for s in states], weights, False
            )
            outputs.append(y.flatten(0, 1))
        return self._output(layout, chunks, torch.cat(outputs)), []

    def _in_lanes(
        self, layout: Layout, x: Tensor, weights: list[Tensor], forgetting: Everywhere
    ) -> Tensor:
        """Return the output over sequences of different length that all begin with zeros, packed
        into lanes.
        """
        lanes = layout.packed_lanes(self.backwards)
        begin = [x.new_zeros(1, lanes.count, self.size)] * 2
        marked = [torch.cat([weights[0], forgetting.on(x.device, x.dtype)], 1), *weights[1:]]
        y, *_ = lstm(lanes.gather_with_separator(x), begin, marked, False)
        return self._output(layout, lanes, y.flatten(0, 1))

    def _output(self, layout: Layout, index_map: IndexMap, rows: Tensor) -> Tensor:
        """Return the output from the rows at all positions of an index map."""
        if not self.only_final:
            return index_map.scatter(rows)
        return rows.index_select(
            0, index_map.positions[layout.first if self.backwards else layout.last]
        )

    def _weights(self, operands: Sequence[Tensor]) -> list[Tensor]:
        *outside, recurrent = transpose_together(
            [*self._projection.columns, self._recurrent], operands
        )
        if self._scale is not None:
            # Factors of a state are the same as factors of the matrix's rows.
            recurrent = recurrent * operands[self._scale]
        of_inputs, bias = self._projection.joined(outside)
        zeros = recurrent.new_zeros(recurrent.shape[0])
        return [of_inputs, recurrent, zeros if bias is None else bias, zeros]

    def _keep(
        self,
        run: RunContext,
        layout: Layout,
        y: Tensor,
        x: Tensor,
        states: list[Tensor],
        weights: list[Tensor],
        last: list[Tensor],
    ) -> None:
        """Keep the last states for sequences that go on in the next minibatch."""
        self.keep_output(run, layout, y)
        cell = self.delays[1].primitive.uid
        if layout.uniform:
            run.carry[cell] = (last[1][0].detach(), one_frame_each(layout))
            return
        # The last cell states of shorter sequences are not available: they are recomputed on
        # demand.
        inputs = [t.detach() for t in (x, *states, *weights)]

        def recompute() -> tuple[Tensor, Layout]:
            frames, *states = inputs[:-4]
            with torch.no_grad():
                order, sizes = layout.sorted_rows, torch.tensor(layout.step_sizes)
                rows = frames.index_select(0, layout.time_major())
                begin = [s.index_select(1, order) for s in states] or [
                    rows.new_zeros(1, layout.count, self.size)
                ] * 2
                _, _, c = torch.lstm(rows, sizes, begin, inputs[-4:], True, 1, 0.0, False, False)
                return torch.empty_like(c[0]).index_copy(0, order, c[0]), one_frame_each(layout)

        run.carry[cell] = recompute


def _can_pack(layout: Layout, x: Tensor, weights: list[Tensor]) -> bool:
    """Return whether sequences can be packed into lanes without changing each other's results."""
    if layout.uniform or not layout.frames or layout.starts is not None or x.device.type != "cpu":
        return False
    # NaN and infinity would stay in the state of the next sequence. In training they spoil the
    # weights anyway.
    return x.requires_grad or weights[0].requires_grad or bool(torch.isfinite(x.sum()))


def match_lstm(loop: Loop) -> FusedLSTM:
    """Return the kernel of an LSTM (Hochreiter, Gers) for a loop.

    Output h = sigmoid(o) * tanh(c), cell c = sigmoid(f) * c' + sigmoid(i) * tanh(g).

    Raises:
        NoMatch: if a loop is anything else.
    """
    reason = NoMatch(NOT_THE_STATE)
    for h, c in ((0, 1), (1, 0)):
        output, cell = loop.delays[h].operands[0], loop.delays[c].operands[0]
        if loop.outputs[0].key != output.key:
            continue
        try:
            parser = LoopParser(loop)
            arguments = _lstm_arguments(parser.read(output), parser.read(cell), c)
            gates = [read_gate(a, output.type.shape[0], h) for a in arguments]
        except NoMatch as failure:
            reason = failure
            continue
        if same_inputs(gates):
            return FusedLSTM(loop, output, gates, [h, c])
        reason = NoMatch("its gates read different inputs, or have different numbers of biases")
    raise reason


def _lstm_arguments(
    out: SymbolicExpr, cell: SymbolicExpr, state: int
) -> tuple[SymbolicExpr, SymbolicExpr, SymbolicExpr, SymbolicExpr]:
    """Return the arguments of the gates i, f, g, o.

    Raises:
        NoMatch: if the states are computed in another way.
    """
    before = SymbolicExpr("state", span=(state,))
    output_gate = _factor(SymbolicExpr("tanh", (cell,)), out)
    if output_gate is None or output_gate.kind != "sigmoid":
        raise NoMatch("its output is not sigmoid(o) * tanh(c)")
    other = NoMatch("its cell is not sigmoid(f) * c' + sigmoid(i) * tanh(g)")
    if cell.kind != "sum" or len(cell.parts) != 2:
        raise other
    forget = next((p for p in cell.parts if p.kind == "product" and before in p.parts), None)
    forget_gate = None if forget is None else _factor(before, forget)
    if forget_gate is None or forget_gate.kind != "sigmoid":
        raise other
    update = cell.parts[1] if cell.parts[0] is forget else cell.parts[0]
    candidate = next((p for p in update.parts if p.kind == "tanh"), None)
    input_gate = next((p for p in update.parts if p.kind == "sigmoid"), None)
    is_product = update.kind == "product" and len(update.parts) == 2
    if not is_product or candidate is None or input_gate is None:
        raise NoMatch("what is added to its cell is not sigmoid(i) * tanh(g)")
    return input_gate.parts[0], forget_gate.parts[0], candidate.parts[0], output_gate.parts[0]


def _factor(known: SymbolicExpr, product: SymbolicExpr) -> SymbolicExpr | None:
    """Return the other factor of a product of two, if the known one is in it."""
    if product.kind != "product" or len(product.parts) != 2:
        return None
    return other_than(known, product.parts)
