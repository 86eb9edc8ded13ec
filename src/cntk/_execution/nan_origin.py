"""Search for a run's first NaN or infinity: the run is repeated, operation by operation."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from cntk._compiler.ir import Ref, delay_of
from cntk._compiler.plan import Plan
from cntk._compiler.probe import (
    Call,
    Flags,
    Key,
    Probe,
    combined,
    flags_of,
    named,
    place_of,
    title,
    what,
)
from cntk._graph.variable import Variable, VariableKind
from cntk._runtime.context import RunContext
from cntk._wording import quoted


@dataclass(frozen=True)
class Origin:
    """Origin of numbers that are not finite.

    Attributes:
        text: that, in words.
        direction: ``"forward"`` or ``"backward"``.
        named: the operation's kind, name and uid; the leaf's name and uid where it was given such
            numbers.
    """

    text: str
    direction: str
    named: Mapping[str, Any]


def find_origin(
    plan: Plan, rows: Sequence[Any], run: RunContext, sources: Sequence[Variable]
) -> Origin | None:
    """Repeat a training pass and say where its first numbers that are not finite arose.

    Args:
        plan: loss and what else is computed, not optimized.
        rows: rows for each of its inputs.
        run: a new run.
        sources: the parameters whose gradients count.

    Returns:
        The origin; None if loss and gradients are finite.
    """
    probe = run.probe = Probe()
    leaves = _leaves(plan, rows, run)
    with torch.enable_grad():
        results = plan.execute(rows, run)
        root = next(
            key for key, slot in plan._registers.items() if slot == plan.output_registers[0]
        )
        flags = flags_of(results[0])
        if flags.any:
            return _Forward(plan, probe, leaves).origin(root, flags)
        if flags_of(results[0].detach().sum()).any:
            text = "the loss of each sample is finite, and their sum over the minibatch is not"
            return Origin(text, "forward", {})
        if not results[0].requires_grad:
            return None
        tensors = [v.data for v in sources]  # type: ignore[attr-defined]
        gradients = torch.autograd.grad(
            results[0], tensors, torch.ones_like(results[0]), allow_unused=True
        )
    bad = [v for v, g in zip(sources, gradients, strict=True) if flags_of(g).any]
    return _backward_origin(plan, probe, bad) if bad else None


_HELD = "held {} already before this minibatch"


class _Leaf(NamedTuple):
    """Flags of an input, a parameter or a constant before the run, with the position in the
    minibatch.
    """

    variable: Variable
    flags: Flags
    place: str


def _leaves(plan: Plan, rows: Sequence[Any], run: RunContext) -> dict[Key, _Leaf]:
    """Return all leaves, before operations change some of them."""
    leaves: dict[Key, _Leaf] = {}
    for variable, data in zip(plan.inputs, rows, strict=True):
        flags = flags_of(data)
        place = place_of(data, variable.type_, run, None) if flags.any else ""
        leaves[(id(variable), -1)] = _Leaf(variable, flags, place)
    for variable in plan.holders:
        leaves[(id(variable), -1)] = _Leaf(variable, flags_of(variable.data), "")  # type: ignore[attr-defined]
    return leaves


class _Forward:
    """Search from a loss that is not finite back through such values to their origin."""

    def __init__(self, plan: Plan, probe: Probe, leaves: dict[Key, _Leaf]) -> None:
        self.nodes = {id(node): node for node in plan.single_nodes()}
        self.leaves = leaves
        self.calls: dict[int, list[Call]] = {}
        for call in probe.calls:
            self.calls.setdefault(id(call.node), []).append(call)

    def origin(self, root: Key, flags: Flags) -> Origin:
        """Return the origin of the flags of the loss."""
        if flags.nan:
            calls, leaves = self._walk(root, nan_alone=True)
            if leaves:
                return self._leaf(leaves[0])
            first = _earliest(c for c in calls if c.results.nan and not c.operand_flags.nan)
            if first is not None and first.operand_flags.any:
                return self._infinite_first(first)
            if first is not None:
                return _of_call(first)
        calls, leaves = self._walk(root, nan_alone=False)
        if leaves:
            return self._leaf(leaves[0])
        first = _earliest(c for c in calls if c.results.any and not c.operand_flags.any)
        if first is None:
            return Origin(
                f"the loss is {what(flags)}, and no operation was found where that began",
                "forward",
                {},
            )
        return _of_call(first)

    def _infinite_first(self, became: Call) -> Origin:
        """Return the origin of infinities that an operation turned into NaN."""
        calls, leaves = [], []
        for ref in became.node.operands:
            below = self._walk(ref.key, nan_alone=False)
            calls += below[0]
            leaves += below[1]
        fed = [key for key in leaves if self.leaves[key].variable.kind is not VariableKind.Constant]
        first = _earliest(
            c
            for c in calls
            if c.results.any and not c.operand_flags.any and c.number < became.number
        )
        if fed or first is None:
            origin = self._leaf(fed[0]) if fed else _of_call(became)
        else:
            origin = _of_call(first)
        text = (
            f"{origin.text}; that became NaN in {title(became.node)}{_at(became.place)}"
            if fed or first
            else origin.text
        )
        return Origin(text, "forward", origin.named)

    def _walk(self, root: Key, nan_alone: bool) -> tuple[list[Call], list[Key]]:
        """All calls on the way down through values that are not finite, and the leaves that are
        not.
        """
        calls: list[Call] = []
        leaves: list[Key] = []
        seen: set[Key] = set()
        waiting = [root]
        while waiting:
            key = waiting.pop()
            if key in seen:
                continue
            seen.add(key)
            if key in self.leaves:
                flags = self.leaves[key].flags
                if flags.nan or (flags.any and not nan_alone):
                    leaves.append(key)
                continue
            node = self.nodes.get(key[0])
            if node is None:
                continue
            own = self.calls.get(id(node), [])
            flags = combined(c.results for c in own)
            # A delay within a loop hands on what its operand has.
            if own and not (flags.nan or (flags.any and not nan_alone)):
                continue
            calls += own
            waiting += [ref.key for ref in node.operands]
        return calls, leaves

    def _leaf(self, key: Key) -> Origin:
        variable, flags, place = self.leaves[key]
        kind = {VariableKind.Input: "the data given for input", VariableKind.Parameter: "parameter"}
        was = (
            f"hold {what(flags)}{_at(place)}"
            if variable.kind is VariableKind.Input
            else _HELD.format(what(flags))
        )
        text = f"{kind.get(variable.kind, 'constant')} '{variable.name or variable.uid}' {was}"
        return Origin(text, "forward", {"name": variable.name, "uid": variable.uid})


def _backward_origin(plan: Plan, probe: Probe, bad: Sequence[Variable]) -> Origin:
    """Return the origin of gradients that are not finite."""
    reached: set[Key] = {(id(v), -1) for v in bad}
    readers = {id(node): node for node in plan.single_nodes()}
    by_node: dict[int, list[Call]] = {}
    for call in probe.calls:
        if call.turn is not None:
            by_node.setdefault(id(call.node), []).append(call)
    calls_reached: dict[int, Call] = {}
    grown = True
    while grown:
        grown = False
        for number, node in readers.items():
            calls = [
                c
                for c in by_node.get(number, [])
                if any(node.operands[k].key in reached for k in c.outgoing)
            ]
            calls_reached.update({c.number: c for c in calls})
            hands_on = bool(calls) or (
                delay_of(node) != 0 and any(r.key in reached for r in node.operands)
            )
            keys = {Ref(node, k).key for k in range(len(node.types))}
            if hands_on and not keys <= reached:
                reached |= keys
                grown = True
    first = min(
        (c for c in calls_reached.values() if c.began), key=lambda c: c.turn or 0, default=None
    )
    if first is None:
        name = bad[0].name or bad[0].uid
        text = (
            f"parameter {quoted(name)} is used several times: each of its gradients is finite, and "
            f"their sum is not"
        )
        return Origin(text, "backward", {"name": bad[0].name, "uid": bad[0].uid})
    flags, place = next(iter(first.outgoing.values()))
    text = (
        f"the gradient of {title(first.node)} is the first that holds {what(flags)}{_at(place)}; "
        f"that of its result is finite"
    )
    return Origin(text, "backward", named(first.node))


def _of_call(call: Call) -> Origin:
    return Origin(
        f"{title(call.node)} is the first that gives {what(call.results)}{_at(call.place)}",
        "forward",
        named(call.node),
    )


def _earliest(calls: Iterable[Call]) -> Call | None:
    return min(calls, key=lambda c: c.number, default=None)


def _at(place: str) -> str:
    return f", at {place}" if place else ""


def all_finite(tensors: Sequence[Tensor]) -> bool:
    """Return whether all numbers of some tensors are finite: one number is read from the device."""
    stored = [t._values() if t.is_sparse else t for t in tensors]
    sums = [
        t.detach().sum(dtype=torch.float64 if t.dtype == torch.float64 else torch.float32)
        for t in stored
    ]
    if not sums or math.isfinite(float(sum(sums[1:], sums[0]))):
        return True
    # A sum of finite numbers may be too large.
    return not any(flags_of(t).any for t in stored)
