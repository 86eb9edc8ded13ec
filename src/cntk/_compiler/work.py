"""Estimate of the work of a plan's run, from sizes alone.

So the same run takes as many threads each time. Work is counted in multiplications. An element that
is only read or written counts as several: memory is slower.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate

from cntk._compiler.ir import Node
from cntk._compiler.recurrence.fused_loop import FusedLoop
from cntk._compiler.recurrence.loop import Loop
from cntk._graph.types import FreeDimension, TensorType
from cntk._runtime.context import RunContext
from cntk.axis import Axis

# Calls of fewer multiplications are as fast in one thread.
LEAST_CALL = 2**20
# On an idle machine with two CPUs, training steps of fewer than these, in larger calls, gain less
# than a sixth by the second one.
LEAST_RUN = 2**28
# A training step also computes two gradients for each product.
_PASSES_OF_TRAINING = 3
# Multiplications in the time of reading or writing an element.
_ELEMENT = 16
# Estimate of a size that is known at run time only.
_USUAL_SIZE = 64
# Number of minibatch sizes for which the answer is kept.
_MOST_SIZES = 1000


class Work:
    """Work of a plan for each row of its dynamic axes.

    Args:
        items: the plan's operations and loops.
        weights: number of elements of each parameter.
    """

    def __init__(self, items: Sequence[Node | Loop], weights: Sequence[int]) -> None:
        costs: dict[tuple[tuple[Axis, ...], bool], list[int]] = {}
        for item in items:
            in_loop = isinstance(item, Loop)
            for node in item.members if isinstance(item, Loop) else [item]:
                axes = max((t.dynamic_axes for t in _types(node)), key=len, default=())
                costs.setdefault((axes, in_loop), []).append(_cost(node))
            if isinstance(item, FusedLoop):
                # It also multiplies its inputs by matrices, for all frames in one call.
                matrices = (
                    _sized(ref.type) for ref in item.operands if not ref.type.has_batch_axis
                )
                costs.setdefault((item.axes, False), []).append(sum(t.elements for t in matrices))
        # For each kind of rows the costs in ascending order, and for each the sum of itself and all
        # above it.
        self._costs = {
            kind: (each, list(accumulate(reversed(each)))[::-1])
            for kind, each in ((kind, sorted(node_costs)) for kind, node_costs in costs.items())
        }
        self._known: dict[tuple[int | None, bool], bool] = {}
        self._updates = _ELEMENT * sum(w for w in weights if w * _ELEMENT >= LEAST_CALL)

    def total(self, run: RunContext) -> int:
        """Return the multiplications of a run in calls that are large enough for several
        threads.
        """
        total = 0.0
        for (axes, in_loop), (costs, sums) in self._costs.items():
            rows, steps = _rows(run, axes, in_loop)
            first = bisect_left(costs, LEAST_CALL * steps / rows) if rows else len(costs)
            if first < len(costs):
                total += rows * sums[first]
        return int(total * _PASSES_OF_TRAINING) + self._updates if run.training else int(total)

    def is_large(self, run: RunContext) -> bool:
        """Return whether a run is worth several threads."""
        if run.layouts:
            return self.total(run) >= LEAST_RUN
        key = run.batch, run.training
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= _MOST_SIZES:
                self._known.clear()
            known = self._known[key] = self.total(run) >= LEAST_RUN
        return known


def _types(node: Node) -> list[TensorType]:
    return [t for t in (*node.types, *(ref.type for ref in node.operands)) if t.has_axes]


def _cost(node: Node) -> int:
    """Return the multiplications for one row, elements included."""
    operands = tuple(_sized(ref.type) for ref in node.operands)
    results = tuple(map(_sized, node.types))
    elements = sum(t.elements for t in results) + sum(
        t.elements for t in operands if t.has_batch_axis and not t.is_sparse
    )
    return max(node.op.multiplications(operands, results[0]) if results else 0, _ELEMENT * elements)


def _sized(type_: TensorType) -> TensorType:
    return type_.with_shape(
        tuple(_USUAL_SIZE if d == FreeDimension else max(d, 1) for d in type_.shape)
    )


def _rows(run: RunContext, axes: tuple[Axis, ...], in_loop: bool) -> tuple[int, int]:
    """Return the number of rows, and of the calls that compute them."""
    if len(axes) < 2:
        return (run.batch or 1 if axes else 1), 1
    # The lengths on an axis that the graph makes are not known yet: it hardly has more frames than
    # the axes that it is made of.
    layout = run.layouts.get(axes) or max(
        run.layouts.values(), key=lambda x: x.frames, default=None
    )
    if layout is None:
        return run.batch or 1, 1
    return layout.frames, max(layout.longest, 1) if in_loop else 1
