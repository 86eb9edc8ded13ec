"""A flat graph as passes see it: values that are wanted, and what computes them, operands first."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from cntk._compiler.ir import Node, Ref
from cntk._compiler.recurrence.fused_loop import FusedLoop
from cntk._compiler.recurrence.loop import Loop
from cntk._graph.op import Op

Key = tuple[int, int]
# How many times each value is read, by its key.
Uses = Counter[Key]


@dataclass
class FlatGraph:
    """Graph that a pass rewrites, in place.

    Nodes keep their identity where their operation changes, so that references to them stay valid.

    Attributes:
        outputs: the values that are wanted.
        work: what computes them, operands first: single operations, and loops.
    """

    outputs: list[Ref]
    work: list[Node | Loop]

    def uses(self) -> Uses:
        """Count how many times each value is read, an output of the graph being one more time."""
        uses: Uses = Counter(ref.key for item in self.work for ref in item.operands)
        uses.update(ref.key for ref in self.outputs)
        return uses

    def __str__(self) -> str:
        return Printer().text(self)


def results(item: Node | Loop) -> list[Ref]:
    """Return the values that a node computes, or those of a loop that are read outside."""
    if isinstance(item, Loop):
        return item.outputs
    return [Ref(item, k) for k in range(len(item.types))]


def named(item: Node | Loop) -> str:
    """Name an operation, or a loop, in one line of a report."""
    if isinstance(item, Loop):
        delays = ", ".join(f"'{d.primitive.name or d.primitive.uid}'" for d in item.delays)
        return f"the loop through {delays}"
    return f"{type(item.op).__name__} '{item.primitive.name or item.primitive.uid}'"


class Printer:
    """Prints graphs a line an operation; a value has the same number in all that one prints.

    Example:
        >>> import cntk as C
        >>> from cntk._compiler.ir import Flattener
        >>> x = C.input_variable(2, name="x")
        >>> print(FlatGraph(*Flattener({}).flatten([(C.exp(x) * 2).output])))
        %1 = Exp(x)
        %2 = ElementTimes(%1, 2)
        output %2
    """

    def __init__(self) -> None:
        self._labels: dict[Key, str] = {}
        # What has a label stays, so that nothing else gets its identity.
        self._labelled: list[Ref] = []
        self._unnamed: Counter[str] = Counter()

    def text(self, graph: FlatGraph) -> str:
        """Print a graph."""
        lines: list[str] = []
        for item in graph.work:
            lines += self.lines(item)
        return "\n".join([*lines, f"output {self._list(graph.outputs)}"])

    def lines(self, item: Node | Loop) -> list[str]:
        """Print an operation, or a loop and its members."""
        if isinstance(item, FusedLoop):
            end = ", the last state alone" if item.only_final else ""
            return [self._line(item.outputs, type(item).__name__, item.operands) + end]
        if isinstance(item, Loop):
            for node in item.members:
                self._list(results(node))
            inside = [f"  {line}" for node in item.members for line in self.lines(node)]
            return [f"{self._list(item.outputs)} = loop:", *inside]
        attributes = "".join(f", {name}={value}" for name, value in _attributes(item.op))
        return [self._line(results(item), type(item.op).__name__, item.operands, attributes)]

    def _line(
        self, outputs: list[Ref], operation: str, operands: list[Ref], attributes: str = ""
    ) -> str:
        return f"{self._list(outputs)} = {operation}({self._list(operands)}{attributes})"

    def _list(self, refs: list[Ref]) -> str:
        return ", ".join(map(self._label, refs))

    def _label(self, ref: Ref) -> str:
        if ref.key not in self._labels:
            self._labelled.append(ref)
            self._unnamed["%"] += ref.leaf is None
            self._labels[ref.key] = (
                f"%{self._unnamed['%']}" if ref.leaf is None else self._leaf(ref.leaf)
            )
        return self._labels[ref.key]

    def _leaf(self, leaf: Any) -> str:
        if leaf._name:
            return str(leaf._name)
        if leaf.is_constant and math.prod(leaf.shape) == 1:
            return f"{leaf.data.item():g}"
        kind = leaf.kind.name.lower()
        self._unnamed[kind] += 1
        return f"{kind}{self._unnamed[kind]}"


def _attributes(op: Op) -> Iterator[tuple[str, Any]]:
    """Yield an operation's attributes that differ from their defaults, but for operations."""
    for each in fields(op):  # type: ignore[arg-type]
        value = getattr(op, each.name)
        if value != each.default and not isinstance(value, Op):
            yield each.name, value
