"""A drawing as lines, areas and text, whatever the file format. Downwards is positive; units are
points.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import sqrt

from cntk.logging.drawing.description import EDGE_FONT_SIZE, Description, PictureNode
from cntk.logging.drawing.layout import Box, Link, Point, lay_out
from cntk.logging.drawing.text_width import shorten, text_width

__all__ = ["Group", "Path", "Picture", "Text", "draw"]


_INCH = 72.0
_MARGIN = 12.0
_LINE = 1.2  # height of a line of text, by the font size
_PAD = 8.0
_ARROW_LENGTH, _ARROW_WIDTH = 8.0, 6.0
_BEND = 0.5523  # of a quarter of a circle as a Bézier curve
_EGG_TOP = 0.56  # how much of an egg's height is above its widest place
_COLOURS = {"lightgray": "#d3d3d3", "white": "#ffffff", "black": "#000000"}


@dataclass(frozen=True)
class Path:
    """Lines and curves: a point to begin at, then points to go straight to, or triples of a Bézier
    curve.
    """

    start: Point
    segments: tuple[tuple[Point, ...], ...]
    fill: str | None = None
    stroke: str | None = "#000000"
    thickness: float = 1.0
    is_closed: bool = False


@dataclass(frozen=True)
class Text:
    """A line of text: the middle of its baseline, its font size and its intended width."""

    middle: Point
    content: str
    size: float

    @property
    def width(self) -> float:
        """Intended width."""
        return text_width(self.content, self.size)


@dataclass(frozen=True)
class Group:
    """The shapes of a node or an edge, and its full name."""

    kind: str
    title: str
    shapes: tuple[Path | Text, ...]


@dataclass
class Picture:
    """All shapes of a drawing."""

    width: float
    height: float
    groups: list[Group] = field(default_factory=list)


def draw(description: Description) -> Picture:
    """Return the drawing of a graph."""
    numbers = {uid: number for number, uid in enumerate(description.nodes)}
    boxes = [_box_of(node) for node in description.nodes.values()]
    links = []
    for edge in description.edges:
        width, height = _size_of(edge.label, EDGE_FONT_SIZE)
        into_delay = description.nodes[edge.target].is_delay
        links.append(
            Link(numbers[edge.source], numbers[edge.target], width, height, may_turn=into_delay)
        )
    width, height = lay_out(boxes, links)
    picture = Picture(width + 2 * _MARGIN, height + 2 * _MARGIN)
    for box in boxes:
        box.x, box.y = box.x + _MARGIN, box.y + _MARGIN
    for link in links:
        link.course = [(x + _MARGIN, y + _MARGIN) for x, y in link.course]
        link.label = (link.label[0] + _MARGIN, link.label[1] + _MARGIN)
    outlines = [_outline(node.attribute("shape")) for node in description.nodes.values()]
    for edge, link in zip(description.edges, links, strict=True):
        shapes = (
            _loop(boxes[link.source])
            if link.is_loop
            else _course(boxes, link, description, outlines)
        )
        title = f"{edge.source} -> {edge.target}: {edge.label}"
        picture.groups.append(
            Group("edge", title, (*shapes, *_lines(edge.label, link.label, EDGE_FONT_SIZE)))
        )
    for node, box, outline in zip(description.nodes.values(), boxes, outlines, strict=True):
        title = f"{node.uid}: {node.label}"
        size = node.attribute("fontsize")
        label = _lines(node.label, _text_middle(box, outline), size)
        picture.groups.append(Group("node", title, (_shape(node, box, outline), *label)))
    return picture


def _outline(shape: str) -> str:
    return {"ellipse": "ellipse", "egg": "egg"}.get(shape, "box")


def _split(label: str) -> list[str]:
    """Return the lines of a label as they are shown: without the middle where it is too long, and
    with spaces for characters that cannot be printed.
    """
    return [
        shorten("".join(c if c.isprintable() else " " for c in line))
        for line in label.strip("\n").split("\n")
    ]


def _size_of(label: str, size: float) -> Point:
    lines = _split(label)
    return max(text_width(line, size) for line in lines), size * _LINE * len(lines)


def _box_of(node: PictureNode) -> Box:
    """Return a node's box, as large as its attributes say, or larger if the label needs it."""
    width, height = node.attribute("width") * _INCH, node.attribute("height") * _INCH
    text, lines = _size_of(node.label, node.attribute("fontsize"))
    if _outline(node.attribute("shape")) == "box":
        return Box(max(width, text + 2 * _PAD), max(height, lines + _PAD))
    if "\n" not in node.label.strip("\n"):  # a sign or a word: round if it is short
        return Box(max(width, text + (_PAD if text > width - _PAD else 0)), max(height, lines))
    height = max(height, 1.25 * lines)
    return Box(
        max(width, (text + _PAD / 2) / sqrt(max(0.2, 1 - (0.8 * lines / height) ** 2))), height
    )


def _text_middle(box: Box, outline: str) -> Point:
    return box.x, box.y + (0.04 * box.height if outline == "egg" else 0)


def _lines(label: str, middle: Point, size: float) -> list[Text]:
    lines = _split(label)
    first = middle[1] - (len(lines) - 1) / 2 * size * _LINE + 0.35 * size
    return [
        Text((middle[0], first + n * size * _LINE), line, size)
        for n, line in enumerate(lines)
        if line.strip()
    ]


def _shape(node: PictureNode, box: Box, outline: str) -> Path:
    fill, stroke = (
        _COLOURS[node.attribute("fillcolor")],
        _COLOURS[node.attributes.get("color", "black")],
    )
    # As thick as Graphviz draws it, a frame would hide what is near: half of that tells the kinds
    # apart.
    thickness = max(1.0, node.attributes.get("penwidth", 1) / 2)
    left, right = box.x - box.width / 2, box.x + box.width / 2
    top, bottom = box.y - box.height / 2, box.y + box.height / 2
    if outline == "box":
        corners = ((right, top), (right, bottom), (left, bottom))
        return Path(
            (left, top), tuple((c,) for c in corners), fill, stroke, thickness, is_closed=True
        )
    widest = _widest(box, outline)
    across, up, down = box.width / 2 * _BEND, (widest - top) * _BEND, (bottom - widest) * _BEND
    segments = (
        ((right, widest - up), (box.x + across, top), (box.x, top)),
        ((box.x - across, top), (left, widest - up), (left, widest)),
        ((left, widest + down), (box.x - across, bottom), (box.x, bottom)),
        ((box.x + across, bottom), (right, widest + down), (right, widest)),
    )
    return Path((right, widest), segments, fill, stroke, thickness, is_closed=True)


def _widest(box: Box, outline: str) -> float:
    return box.y - box.height / 2 + box.height * (_EGG_TOP if outline == "egg" else 0.5)


def _edge_of(box: Box, outline: str, x: float, at_top: bool) -> float:
    """Return the vertical position of the outline at a horizontal position."""
    end = box.y - box.height / 2 if at_top else box.y + box.height / 2
    if outline == "box":
        return end
    widest = _widest(box, outline)
    aside = min(1.0, abs(x - box.x) / (box.width / 2))
    return widest + (end - widest) * sqrt(1 - aside**2)


def _course(
    boxes: list[Box], link: Link, description: Description, outlines: list[str]
) -> list[Path]:
    """Return an edge's line, from outline to outline, and its arrow."""
    nodes = list(description.nodes.values())
    points = link.course
    (start_x, _), (end_x, _) = points[0], points[-1]
    start = _edge_of(boxes[link.source], outlines[link.source], start_x, at_top=link.upwards)
    end = _edge_of(boxes[link.target], outlines[link.target], end_x, at_top=not link.upwards)
    away = 1 if link.upwards else -1
    end += away * max(1.0, nodes[link.target].attributes.get("penwidth", 1) / 2) / 2
    base = end + away * _ARROW_LENGTH
    # The arrow's shaft is straight: the last curve ends above it.
    last = points[-1][1]
    if (base - last) * away > 0:
        last = base
    points = [*points[:-1], (end_x, last)]
    segments: list[tuple[Point, ...]] = [(points[0],)]
    for number, (one, other) in enumerate(zip(points, points[1:], strict=False)):
        if number % 2 or one[0] == other[0]:
            segments.append((other,))
        else:
            middle = (one[1] + other[1]) / 2
            segments.append(((one[0], middle), (other[0], middle), other))
    segments.append(((end_x, base),))
    line = Path((start_x, start), tuple(segments))
    half = _ARROW_WIDTH / 2
    return [line, _arrow((end_x, end), (end_x - half, base), (end_x + half, base))]


def _arrow(tip: Point, *base: Point) -> Path:
    return Path(tip, tuple((corner,) for corner in base), fill="#000000", is_closed=True)


def _loop(box: Box) -> list[Path]:
    """Return an edge from a node's right side back to it."""
    right, far, half = box.x + box.width / 2, box.x + box.width / 2 + 30, min(12.0, box.height / 4)
    base = right + _ARROW_LENGTH
    line = Path(
        (right, box.y - half),
        (((far, box.y - 2 * half), (far, box.y + half), (base, box.y + half)),),
    )
    inside = right - (2.0 if box.width else 0)
    tip = (inside, box.y + half)
    return [line, _arrow(tip, (base, box.y + half - 3), (base, box.y + half + 3))]
