"""A drawing as PNG, by Matplotlib."""

from __future__ import annotations

import io
from typing import Any

from cntk.logging.drawing.shapes import Path, Picture

__all__ = ["png_bytes"]


_DPI = 144.0
_MOST_PIXELS = 100e6
_MOST_ACROSS = 60_000.0
_POINTS = 72.0
_DEJAVU = 0.86  # Matplotlib's own face is wider than Helvetica by as much
# Faces for what that has no letters for, of those that systems have.
_MORE_FACES = (
    "Noto Sans CJK JP",
    "Noto Sans CJK SC",
    "Arial Unicode MS",
    "Microsoft YaHei",
    "Malgun Gothic",
    "Hiragino Sans GB",
    "PingFang SC",
    "WenQuanYi Zen Hei",
    "Noto Sans",
    "Segoe UI Symbol",
)


def png_bytes(picture: Picture) -> bytes:
    """Return a picture as the bytes of a PNG file, 144 pixels an inch, or fewer if it is very
    large.

    Raises:
        ImportError: if Matplotlib is not installed.
    """
    from matplotlib.figure import Figure
    from matplotlib.font_manager import get_font_names
    from matplotlib.patches import PathPatch
    from matplotlib.transforms import Affine2D

    across = max(picture.width, picture.height) / _POINTS
    area = picture.width * picture.height / _POINTS**2
    dpi = min(_DPI, _MOST_ACROSS / across, (_MOST_PIXELS / area) ** 0.5)
    figure = Figure((picture.width / _POINTS, picture.height / _POINTS), dpi=dpi, facecolor="white")
    scale = dpi / _POINTS
    to_pixels = Affine2D().scale(scale, -scale).translate(0, picture.height * scale)
    installed = set(get_font_names())
    faces = ["DejaVu Sans", *(face for face in _MORE_FACES if face in installed)]
    for layer, shape in enumerate(shape for group in picture.groups for shape in group.shapes):
        if isinstance(shape, Path):
            patch = PathPatch(
                _matplotlib_path(shape),
                facecolor=shape.fill or "none",
                edgecolor=shape.stroke or "none",
                linewidth=shape.thickness,
                transform=to_pixels,
                zorder=layer,
                joinstyle="miter",
            )
            figure.add_artist(patch)
        else:
            x, y = shape.middle[0] / picture.width, 1 - shape.middle[1] / picture.height
            figure.text(
                x,
                y,
                shape.content,
                fontsize=shape.size * _DEJAVU,
                family=faces,
                ha="center",
                va="baseline",
                zorder=layer,
                parse_math=False,
            )
    file = io.BytesIO()
    figure.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()


def _matplotlib_path(path: Path) -> Any:
    from matplotlib.path import Path as MatplotlibPath

    points, codes = [path.start], [MatplotlibPath.MOVETO]
    for segment in path.segments:
        points += segment
        codes += [MatplotlibPath.CURVE4 if len(segment) == 3 else MatplotlibPath.LINETO] * len(
            segment
        )
    if path.is_closed:
        points.append(path.start)
        codes.append(MatplotlibPath.CLOSEPOLY)
    return MatplotlibPath(points, codes)
