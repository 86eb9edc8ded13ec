"""A drawing as PDF: one page, in Helvetica, which every reader has."""

from __future__ import annotations

import zlib

from cntk.logging.drawing.layout import Point
from cntk.logging.drawing.shapes import Path, Picture, Text

__all__ = ["pdf_bytes"]


_LARGEST_PAGE = 14400.0


def pdf_bytes(picture: Picture) -> bytes:
    """Return a picture as the bytes of a PDF file.

    Letters that are not in Windows code page 1252 are written by their numbers, such as
    ``\\u03b1``: the face has no others.
    """
    scale = min(1.0, _LARGEST_PAGE / max(picture.width, picture.height))
    content = [f"{scale:.6f} 0 0 {-scale:.6f} 0 {picture.height * scale:.2f} cm", "1 j"]
    for group in picture.groups:
        for shape in group.shapes:
            content += _path_operators(shape) if isinstance(shape, Path) else _text_operators(shape)
    packed = zlib.compress("\n".join(content).encode("ascii"))
    page = f"/MediaBox [0 0 {picture.width * scale:.2f} {picture.height * scale:.2f}]"
    return _file(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            b"<< /Type /Page /Parent 2 0 R %s /Contents 5 0 R /Resources << /Font << /F1 4 0 R >> "
            b">> >>" % page.encode(),
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
            b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(packed), packed),
        ]
    )


def _file(objects: list[bytes]) -> bytes:
    """Return numbered objects with a table of where each begins."""
    parts = [b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"]
    offsets, position = [], len(parts[0])
    for number, content in enumerate(objects, 1):
        offsets.append(position)
        parts.append(b"%d 0 obj\n%s\nendobj\n" % (number, content))
        position += len(parts[-1])
    parts.append(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    parts += [b"%010d 00000 n \n" % place for place in offsets]
    parts.append(
        b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
        % (len(objects) + 1, position)
    )
    return b"".join(parts)


def _path_operators(path: Path) -> list[str]:
    lines = [f"{path.thickness:.2f} w"]
    if path.fill:
        lines.append(f"{_colour(path.fill)} rg")
    if path.stroke:
        lines.append(f"{_colour(path.stroke)} RG")
    lines.append(f"{_point(path.start)} m")
    lines += [
        f"{' '.join(map(_point, segment))} {'c' if len(segment) == 3 else 'l'}"
        for segment in path.segments
    ]
    if path.is_closed:
        lines.append("h")
    painted = {(True, True): "B", (True, False): "f", (False, True): "S", (False, False): "n"}
    lines.append(painted[bool(path.fill), bool(path.stroke)])
    return lines


def _text_operators(text: Text) -> list[str]:
    encoded = text.content.encode("cp1252", "backslashreplace")
    x, y = text.middle
    # What numbers of letters make longer than it is meant to be is set narrower.
    narrow = 100 * min(1.0, len(text.content) / len(encoded))
    return [
        "0 0 0 rg",
        f"BT /F1 {text.size:.2f} Tf {narrow:.1f} Tz 1 0 0 -1 {x - text.width / 2:.2f} {y:.2f} Tm "
        f"<{encoded.hex()}> Tj ET",
    ]


def _point(point: Point) -> str:
    return f"{point[0]:.2f} {point[1]:.2f}"


def _colour(colour: str) -> str:
    return " ".join(f"{int(colour[n : n + 2], 16) / 255:.3f}" for n in (1, 3, 5))
