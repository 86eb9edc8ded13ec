"""Order of cells within layers such that few edges cross."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence

__all__ = ["count_crossings", "order_layers"]


_FEWEST_SWEEPS, _MOST_SWEEPS = 4, 16
_MOST_VISITS = 200_000
_SWAPS_AT_MOST = 400


def order_layers(
    layers: list[list[int]], above: Sequence[Sequence[int]], below: Sequence[Sequence[int]]
) -> list[list[int]]:
    """Return layers with their cells in an order in which few edges cross.

    Sweeps down and up put each cell where its neighbours are on average; the best order found is
    kept. Very large graphs get fewer sweeps.

    Args:
        layers: the cells of each layer.
        above: the neighbours of each cell in the layer above.
        below: those in the layer below.
    """
    current = [list(layer) for layer in layers]
    best, fewest = current, count_crossings(current, below)
    visits = sum(map(len, layers))
    for sweep in range(max(_FEWEST_SWEEPS, min(_MOST_SWEEPS, _MOST_VISITS // max(1, visits)))):
        if not fewest:
            break
        current = [list(layer) for layer in current]
        down = sweep % 2 == 0
        numbers = range(1, len(current)) if down else range(len(current) - 2, -1, -1)
        neighbours = above if down else below
        for number in numbers:
            _sort(current[number], current[number - 1 if down else number + 1], neighbours)
        _swap(current, above, below)
        crossings = count_crossings(current, below)
        if crossings < fewest:
            best, fewest = current, crossings
    return best


def count_crossings(layers: Sequence[Sequence[int]], below: Sequence[Sequence[int]]) -> int:
    """Return how many pairs of edges between neighbouring layers cross."""
    total = 0
    for upper, lower in zip(layers, layers[1:], strict=False):
        position = {cell: number for number, cell in enumerate(lower)}
        ends: list[int] = []
        for cell in upper:
            reached = sorted(position[each] for each in below[cell])
            total += sum(len(ends) - bisect_right(ends, end) for end in reached)
            for end in reached:
                insort(ends, end)
    return total


def _sort(layer: list[int], fixed: Sequence[int], neighbours: Sequence[Sequence[int]]) -> None:
    """Sort a layer by the average position of the neighbours; cells without any stay near where
    they are.
    """
    position = {cell: number / max(1, len(fixed) - 1) for number, cell in enumerate(fixed)}
    own = {cell: number / max(1, len(layer) - 1) for number, cell in enumerate(layer)}

    def key(cell: int) -> float:
        positions = [position[each] for each in neighbours[cell]]
        return sum(positions) / len(positions) if positions else own[cell]

    layer.sort(key=key)


def _swap(
    layers: list[list[int]], above: Sequence[Sequence[int]], below: Sequence[Sequence[int]]
) -> None:
    """Swap neighbouring cells where fewer edges cross then."""
    for number, layer in enumerate(layers):
        if len(layer) > _SWAPS_AT_MOST:
            continue
        sides = []
        if number:
            sides.append((above, {cell: n for n, cell in enumerate(layers[number - 1])}))
        if number + 1 < len(layers):
            sides.append((below, {cell: n for n, cell in enumerate(layers[number + 1])}))
        for left in range(len(layer) - 1):
            first, second = layer[left], layer[left + 1]
            gain = 0
            for neighbours, position in sides:
                ones, others = (
                    [position[c] for c in neighbours[first]],
                    [position[c] for c in neighbours[second]],
                )
                gain += sum((a > b) - (a < b) for a in ones for b in others)
            if gain > 0:
                layer[left], layer[left + 1] = second, first
