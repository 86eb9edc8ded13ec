"""Recurrent loops: components of a graph that feed themselves through delays, run step by step.

Values that do not depend on the recurrent state are outside the component, computed for all frames
at once. Inside, frames are time-major, longest sequence first: a step is a contiguous slice,
without sequences that have ended.
"""

from __future__ import annotations

from collections.abc import Mapping

from cntk._compiler.ir import Node, Ref, delay_of
from cntk._compiler.recurrence.kernel import LoopKernel
from cntk._graph.op import RunKernel
from cntk._runtime.layout.layout import Layout
from cntk._runtime.reasons import Reasons
from cntk._wording import operation_text
from cntk.errors import GraphError

_SHOWN = 3  # delays by name


class Loop:
    """Recurrent component as a single operation of a plan.

    Args:
        members: its nodes, operands first but for the delays.

    Attributes:
        operands: the values that it reads from outside.
        outputs: those of its members' values that are read outside.
        kernel: its kernel once it is lowered; None for a fused one.
        reasons: reasons why it is none of the cells that have a fused kernel.
    """

    def __init__(self, members: list[Node]) -> None:
        self.kernel: LoopKernel | None = None
        self.delays = [n for n in members if delay_of(n)]
        self.reasons = Reasons(
            f"the loop through {self.text} has no fused kernel", self.delays[0].primitive
        )
        self.members = _step_order(members)
        self.operands = self._outside()
        self.outputs = [Ref(n, k) for n in members for k in range(len(n.types))]
        signs = {delay_of(n) > 0 for n in self.delays}
        if len(signs) != 1:
            names = ", ".join(n.primitive.name or n.primitive.uid for n in self.delays)
            raise GraphError(
                f"a loop must run either forwards or backwards, but this one has past and future "
                f"values: {names}"
            )
        self.backwards = signs == {False}
        self.axes = self.delays[0].types[0].dynamic_axes
        if len(self.axes) < 2:
            raise self.delays[0].primitive.misfit(
                "a loop needs a sequence axis, and its operands have none"
            )

    @property
    def text(self) -> str:
        """Names of its delays, for errors and explanations."""
        shown = [d.primitive for d in self.delays[:_SHOWN]]
        names = [operation_text(p.op_name, p.name or p.uid) for p in shown]
        more = len(self.delays) - len(shown)
        return " and ".join([*names, f"{more} more"] if more else names)

    def _outside(self) -> list[Ref]:
        inside = {id(n) for n in self.members}
        refs: dict[tuple[int, int], Ref] = {}
        for node in self.members:
            for ref in node.operands:
                if ref.node is None or id(ref.node) not in inside:
                    refs.setdefault(ref.key, ref)
        return list(refs.values())

    def substitute(self, replacements: Mapping[tuple[int, int], Ref]) -> None:
        """Replace values by equal ones that are computed already."""
        for node in self.members:
            node.operands = [replacements.get(ref.key, ref) for ref in node.operands]
        self.operands = self._outside()

    def keep_outputs(self, used_keys: set[tuple[int, int]]) -> None:
        """Drop the outputs that nobody reads."""
        self.outputs = [ref for ref in self.outputs if ref.key in used_keys]

    def calls(self, layout: Layout) -> int | None:
        """Return an estimate of the number of calls of a run; None for one that cannot be
        recorded.
        """
        return layout.longest * len(self.members)

    def lower(self) -> RunKernel:
        """Return the kernel: operands in the order of `operands`, results in the order of
        `outputs`.
        """
        self.kernel = LoopKernel(self)
        return RunKernel(self.kernel.compute)


def _step_order(members: list[Node]) -> list[Node]:
    """Return the members in the order in which a step computes them.

    Delays read earlier steps and come first.
    """
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
                if delay_of(node) or id(node) in done
                else [
                    r.node
                    for r in node.operands
                    if r.node and id(r.node) in inside and id(r.node) not in done
                ]
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
