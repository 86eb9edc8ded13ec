"""Horizontal positions of cells within ordered layers: near their neighbours, and with room between
them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = ["Cell", "place_cells"]


_SWEEPS = 24


@dataclass
class Cell:
    """A cell of a layer: a node, a label beside an edge, or only an edge that passes.

    Attributes:
        width: how much room it takes.
        height: likewise.
        gap: room to its right and left.
        anchor: where edges meet it, to the right of its middle.
        stiffness: how much edges through it should be straight.
        x: its middle.
        above: its neighbours in the layer above.
        below: those in the layer below.
    """

    width: float
    height: float
    gap: float
    anchor: float = 0.0
    stiffness: float = 1.0
    x: float = 0.0
    above: list[int] = field(default_factory=list)
    below: list[int] = field(default_factory=list)


def place_cells(cells: Sequence[Cell], layers: Sequence[Sequence[int]]) -> None:
    """Set the centres of cells, from left to right, in the order of their layers."""
    rows = [([cells[number] for number in layer], _offsets(cells, layer)) for layer in layers]
    for row, offsets in rows:
        for cell, offset in zip(row, offsets, strict=True):
            cell.x = offset - offsets[-1] / 2
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        both = sweep >= _SWEEPS - 6
        for row, offsets in rows if down else reversed(rows):
            _pull(cells, row, offsets, use_above=down or both, use_below=not down or both)
    left = min((c.x - c.width / 2 for c in cells), default=0.0)
    for cell in cells:
        cell.x -= left


def _offsets(cells: Sequence[Cell], layer: Sequence[int]) -> list[float]:
    """Return the distances of a layer's cells from its first one, if they are as close as
    allowed.
    """
    offsets: list[float] = []
    for position, number in enumerate(layer):
        if not position:
            offsets.append(0.0)
            continue
        cell, before = cells[number], cells[layer[position - 1]]
        offsets.append(offsets[-1] + (cell.width + before.width) / 2 + max(cell.gap, before.gap))
    return offsets


def _pull(
    cells: Sequence[Cell],
    row: Sequence[Cell],
    offsets: Sequence[float],
    use_above: bool,
    use_below: bool,
) -> None:
    """Move the cells of a layer towards their neighbours, as far as order and room allow, by least
    squares.
    """
    targets, weights = [], []
    for cell, offset in zip(row, offsets, strict=True):
        weight = total = 0.0
        for neighbours in (cell.above if use_above else (), cell.below if use_below else ()):
            for number in neighbours:
                other = cells[number]
                weight += other.stiffness
                total += other.stiffness * (other.x + other.anchor)
        targets.append((total / weight - cell.anchor if weight else cell.x) - offset)
        weights.append(weight * cell.stiffness or 0.05)
    for cell, place, offset in zip(row, _isotonic(targets, weights), offsets, strict=True):
        cell.x = place + offset


def _isotonic(targets: Sequence[float], weights: Sequence[float]) -> list[float]:
    """Return the non-decreasing numbers nearest to targets (isotonic regression, by pooling
    neighbours).
    """
    pools: list[tuple[float, float, int]] = []
    for target, weight in zip(targets, weights, strict=True):
        size = 1
        while pools and pools[-1][0] > target:
            before, before_weight, before_size = pools.pop()
            target = (before * before_weight + target * weight) / (before_weight + weight)
            weight, size = before_weight + weight, before_size + size
        pools.append((target, weight, size))
    return [target for target, _, size in pools for _ in range(size)]
