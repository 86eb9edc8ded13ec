"""Layered layout: from the sizes of nodes and labels to the positions of all and the courses of
edges. Downwards is positive.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from cntk.logging.drawing.layers import find_layers, find_turned
from cntk.logging.drawing.order import order_layers
from cntk.logging.drawing.places import Cell, place_cells

__all__ = ["Box", "Link", "Point", "lay_out"]


Point = tuple[float, float]

_NODE_GAP, _LABEL_GAP, _EDGE_GAP = 20.0, 10.0, 12.0
_LEAST_RISE, _MOST_RISE, _RISE = 14.0, 70.0, 0.16
_ARROW_RISE = 10.0
_LABEL_ROOM = 8.0
_LOOP = 26.0


@dataclass
class Box:
    """A node: its size, and its centre."""

    width: float
    height: float
    x: float = 0.0
    y: float = 0.0


@dataclass
class Link:
    """An edge between two boxes, by their numbers, with the size of its label.

    Attributes:
        may_turn: whether it is the one to point upwards where it is part of a cycle.
        course: points from source to target, the first and last at the heights of the layers that
            the boxes stand in; every second piece between them is a straight one.
        label: the middle of the label.
        upwards: whether it points upwards.
    """

    source: int
    target: int
    label_width: float = 0.0
    label_height: float = 0.0
    may_turn: bool = False
    course: list[Point] = field(default_factory=list)
    label: Point = (0.0, 0.0)
    upwards: bool = False

    @property
    def is_loop(self) -> bool:
        """True if it leads from a box to itself."""
        return self.source == self.target


def lay_out(boxes: Sequence[Box], links: Sequence[Link]) -> Point:
    """Place boxes, labels and edges; return width and height of all.

    Boxes stand in layers, sources above their targets but for edges that close a cycle. Between two
    layers of boxes is one of labels. The same boxes and links give the same layout.
    """
    edges = [(link.source, link.target) for link in links]
    for link, turned in zip(
        links, find_turned(len(boxes), edges, [link.may_turn for link in links]), strict=True
    ):
        link.upwards = turned
    ends = [(t, s) if link.upwards else (s, t) for link, (s, t) in zip(links, edges, strict=True)]
    layer_of = [2 * layer for layer in find_layers(len(boxes), [e for e in ends if e[0] != e[1]])]
    loops = _room_for_loops(links)
    # A box with an edge to itself has room for that on both sides, and stays in the middle.
    cells = []
    for number, box in enumerate(boxes):
        width, height = loops.get(number, (0.0, 0.0))
        cells.append(Cell(box.width + 2 * width, max(box.height, height), _NODE_GAP))
    layers: list[list[int]] = [[] for _ in range(max(layer_of, default=-1) + 1)]
    chains = [_chain(link, end, layer_of, cells) for link, end in zip(links, ends, strict=True)]
    for number, layer in _in_order_of_search(len(boxes), cells, layer_of, ends, chains):
        layers[layer].append(number)
    layers = order_layers(layers, [cell.above for cell in cells], [cell.below for cell in cells])
    place_cells(cells, layers)
    tops, bottoms = _heights(cells, layers)
    for number, box in enumerate(boxes):
        box.x, box.y = cells[number].x, (tops[layer_of[number]] + bottoms[layer_of[number]]) / 2
    _set_ports_and_courses(boxes, links, ends, chains, cells, layer_of, tops, bottoms)
    width = max((cell.x + cell.width / 2 for cell in cells), default=0.0)
    return width, bottoms[-1] if bottoms else 0.0


def _room_for_loops(links: Sequence[Link]) -> dict[int, Point]:
    """Return width and height of the labels beside boxes with edges to themselves, one under the
    other.
    """
    room: dict[int, Point] = {}
    for link in links:
        if link.is_loop:
            width, height = room.get(link.source, (0.0, 0.0))
            room[link.source] = (max(width, _LOOP + link.label_width), height + link.label_height)
    return room


def _chain(
    link: Link, end: tuple[int, int], layer_of: Sequence[int], cells: list[Cell]
) -> list[int]:
    """Add the cells through which an edge passes, and connect them; return their numbers from the
    top down.
    """
    if link.is_loop:
        return []
    upper, lower = end
    first, last = layer_of[upper] + 1, layer_of[lower] - 1
    middle = (first + last) // 2 | 1
    chain = []
    for layer in range(first, last + 1):
        if layer == min(middle, last) and link.label_width:
            width = link.label_width + _LABEL_ROOM
            cell = Cell(width, link.label_height, _LABEL_GAP, anchor=-width / 2, stiffness=2.0)
        else:
            cell = Cell(1.0, 0.0, _EDGE_GAP, stiffness=4.0)
        chain.append(len(cells))
        cells.append(cell)
    whole = [upper, *chain, lower]
    for one, other in zip(whole, whole[1:], strict=False):
        cells[one].below.append(other)
        cells[other].above.append(one)
    return chain


def _in_order_of_search(
    count: int,
    cells: Sequence[Cell],
    layer_of: Sequence[int],
    ends: Sequence[tuple[int, int]],
    chains: Sequence[Sequence[int]],
) -> list[tuple[int, int]]:
    """Return all cells with their layers, in the order of a search upwards from the last boxes."""
    layers = dict(enumerate(layer_of))
    for (upper, _), chain in zip(ends, chains, strict=True):
        layers.update((number, layer_of[upper] + 1 + step) for step, number in enumerate(chain))
    visited: dict[int, None] = {}
    starts = [n for n in range(count) if not cells[n].below]
    for start in [*starts, *range(count)]:
        stack = [start]
        while stack:
            number = stack.pop()
            if number not in visited:
                visited[number] = None
                stack += reversed(cells[number].above)
    return [(number, layers[number]) for number in visited]


def _heights(
    cells: Sequence[Cell], layers: Sequence[Sequence[int]]
) -> tuple[list[float], list[float]]:
    """Return top and bottom of each layer, with more room where edges go far to the side, and for
    arrows.
    """
    tops, bottoms = [], []
    bottom = 0.0
    for number, layer in enumerate(layers):
        if number:
            sideways = [
                abs(cells[n].x + cells[n].anchor - cells[m].x - cells[m].anchor)
                for n in layer
                for m in cells[n].above
            ]
            bottom += min(
                max(_LEAST_RISE, _RISE * max(sideways, default=0.0)), _MOST_RISE
            ) + _ARROW_RISE * (number % 2 == 0)
        tops.append(bottom)
        bottom += max((cells[n].height for n in layer), default=0.0)
        bottoms.append(bottom)
    return tops, bottoms


def _set_ports_and_courses(
    boxes: Sequence[Box],
    links: Sequence[Link],
    ends: Sequence[tuple[int, int]],
    chains: Sequence[Sequence[int]],
    cells: Sequence[Cell],
    layer_of: Sequence[int],
    tops: Sequence[float],
    bottoms: Sequence[float],
) -> None:
    ports = _ports(boxes, ends, chains, cells)
    loops = _room_for_loops(links)
    used: dict[int, float] = {}
    for number, (link, (upper, lower), chain) in enumerate(zip(links, ends, chains, strict=True)):
        if link.is_loop:
            box = boxes[link.source]
            above = used.get(link.source, 0.0)
            used[link.source] = above + link.label_height
            y = box.y - loops[link.source][1] / 2 + above + link.label_height / 2
            link.label = (box.x + box.width / 2 + _LOOP + link.label_width / 2, y)
            continue
        points: list[Point] = [(ports[number, True], bottoms[layer_of[upper]])]
        for step, cell_number in enumerate(chain):
            cell, layer = cells[cell_number], layer_of[upper] + 1 + step
            x = cell.x + cell.anchor
            points += [(x, tops[layer]), (x, bottoms[layer])]
            if cell.height:
                link.label = (cell.x + _LABEL_ROOM / 2, (tops[layer] + bottoms[layer]) / 2)
        points.append((ports[number, False], tops[layer_of[lower]]))
        link.course = points[::-1] if link.upwards else points


def _ports(
    boxes: Sequence[Box],
    ends: Sequence[tuple[int, int]],
    chains: Sequence[Sequence[int]],
    cells: Sequence[Cell],
) -> dict[tuple[int, bool], float]:
    """Return where edges leave the bottoms of boxes (True) and reach their tops (False), side by
    side in the order of their directions.
    """
    ends_of: dict[tuple[int, bool], list[tuple[float, int]]] = {}
    for number, ((upper, lower), chain) in enumerate(zip(ends, chains, strict=True)):
        if chain:
            first, last = cells[chain[0]], cells[chain[-1]]
            ends_of.setdefault((upper, True), []).append((first.x + first.anchor, number))
            ends_of.setdefault((lower, False), []).append((last.x + last.anchor, number))
    ports = {}
    for (box_number, at_bottom), sides in ends_of.items():
        box = boxes[box_number]
        step = min(14.0, 0.6 * box.width / max(1, len(sides) - 1))
        for position, (_, number) in enumerate(sorted(sides)):
            ports[number, at_bottom] = box.x + (position - (len(sides) - 1) / 2) * step
    return ports
