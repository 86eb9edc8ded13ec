"""A drawing as SVG."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape

from cntk.logging.drawing.layout import Point
from cntk.logging.drawing.shapes import Group, Path, Picture, Text

__all__ = ["svg_bytes"]


# What XML cannot hold.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def svg_bytes(picture: Picture) -> bytes:
    """Return a picture as the bytes of an SVG file. Names are whole in the titles that a reader
    shows over a shape.
    """
    width, height = _number(picture.width), _number(picture.height)
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}pt" height="{height}pt" viewBox="0 '
        f'0 {width} {height}" font-family="Helvetica,Arial,sans-serif" text-anchor="middle">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    for group in picture.groups:
        lines += _group_lines(group)
    return "\n".join([*lines, "</svg>", ""]).encode("utf-8")


def _group_lines(group: Group) -> list[str]:
    lines = [f'<g class="{group.kind}">', f"<title>{_escaped(group.title)}</title>"]
    for shape in group.shapes:
        lines.append(_path_text(shape) if isinstance(shape, Path) else _text_text(shape))
    return [*lines, "</g>"]


def _path_text(path: Path) -> str:
    course = [f"M{_point(path.start)}"]
    course += [
        ("C" if len(segment) == 3 else "L") + " ".join(map(_point, segment))
        for segment in path.segments
    ]
    if path.is_closed:
        course.append("Z")
    drawn, fill, stroke = " ".join(course), path.fill or "none", path.stroke or "none"
    return (
        f'<path d="{drawn}" fill="{fill}" stroke="{stroke}" '
        f'stroke-width="{_number(path.thickness)}"/>'
    )


def _text_text(text: Text) -> str:
    x, y = map(_number, text.middle)
    # With the length given, text fits its box in whatever face it is shown.
    return (
        f'<text x="{x}" y="{y}" font-size="{_number(text.size)}" '
        f'textLength="{_number(text.width)}" '
        f'lengthAdjust="spacingAndGlyphs">{_escaped(text.content)}</text>'
    )


def _point(point: Point) -> str:
    return f"{_number(point[0])},{_number(point[1])}"


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _escaped(text: str) -> str:
    return escape(_FORBIDDEN.sub("\ufffd", text))
