"""Layers of a graph's nodes from the top down: which edges are reversed so that there are no
cycles, and each node's layer.

After Sugiyama, Tagawa, Toda: Methods for visual understanding of hierarchical system structures,
1981.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["find_layers", "find_turned"]


def find_turned(
    count: int, edges: Sequence[tuple[int, int]], may_turn: Sequence[bool]
) -> list[bool]:
    """Return which edges point upwards, so that the others make no cycle.

    Args:
        count: the number of nodes.
        edges: source and target of each edge; those from a node to itself are left alone.
        may_turn: of each edge, whether it is the one to turn where it is part of a cycle. Others
            are only turned in cycles that have no such edge.
    """
    turned = [False] * len(edges)
    below: list[list[int]] = [[] for _ in range(count)]
    firm = [n for n, (source, target) in enumerate(edges) if not may_turn[n] and source != target]
    for number in _back_edges(count, edges, firm):
        turned[number] = True
    for number in firm:
        source, target = edges[number]
        above, under = (target, source) if turned[number] else (source, target)
        below[above].append(under)
    for number, (source, target) in enumerate(edges):
        if may_turn[number] and source != target:
            turned[number] = _reaches(below, target, source)
            above, under = (target, source) if turned[number] else (source, target)
            below[above].append(under)
    return turned


def find_layers(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """Return the layer of each node: below all that point to it, and no higher than what it points
    to needs.

    Args:
        count: the number of nodes.
        edges: upper and lower end of each edge, without cycles.
    """
    above: list[list[int]] = [[] for _ in range(count)]
    below: list[list[int]] = [[] for _ in range(count)]
    for upper, lower in edges:
        below[upper].append(lower)
        above[lower].append(upper)
    waiting = [len(each) for each in above]
    order = [node for node in range(count) if not waiting[node]]
    layers = [0] * count
    for node in order:  # which grows meanwhile
        for lower in below[node]:
            layers[lower] = max(layers[lower], layers[node] + 1)
            waiting[lower] -= 1
            if not waiting[lower]:
                order.append(lower)
    for node in reversed(order):
        if len(below[node]) > len(above[node]):
            layers[node] = min(layers[lower] for lower in below[node]) - 1
    first = min(layers, default=0)
    return [layer - first for layer in layers]


def _back_edges(count: int, edges: Sequence[tuple[int, int]], among: Sequence[int]) -> list[int]:
    """Return the edges to a node that is still on the stack of a depth-first search."""
    leaving: list[list[int]] = [[] for _ in range(count)]
    entered = [0] * count
    for number in among:
        leaving[edges[number][0]].append(number)
        entered[edges[number][1]] += 1
    back = []
    new, open_, done = 0, 1, 2
    state = [new] * count
    for start in sorted(range(count), key=lambda node: entered[node] > 0):
        if state[start] != new:
            continue
        state[start] = open_
        stack = [(start, iter(leaving[start]))]
        while stack:
            node, rest = stack[-1]
            for number in rest:
                target = edges[number][1]
                if state[target] == open_:
                    back.append(number)
                elif state[target] == new:
                    state[target] = open_
                    stack.append((target, iter(leaving[target])))
                    break
            else:
                state[node] = done
                stack.pop()
    return back


def _reaches(below: Sequence[Sequence[int]], start: int, end: int) -> bool:
    seen = {start}
    stack = [start]
    while stack:
        node = stack.pop()
        if node == end:
            return True
        for lower in below[node]:
            if lower not in seen:
                seen.add(lower)
                stack.append(lower)
    return False
