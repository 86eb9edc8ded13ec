"""Files of drawings: by Graphviz where its program is installed, by this package where it is
not.
"""

from __future__ import annotations

import os
import shutil
import subprocess

from cntk._writing.whole_files import replacing
from cntk.logging.drawing.description import Description, dot_text
from cntk.logging.drawing.pdf import pdf_bytes
from cntk.logging.drawing.raster import png_bytes
from cntk.logging.drawing.shapes import draw
from cntk.logging.drawing.svg import svg_bytes

__all__ = ["check_suffix", "write_picture"]


_SUFFIXES = (".dot", ".svg", ".pdf", ".png")


def check_suffix(filename: str | os.PathLike[str]) -> str:
    """Return the suffix of a drawing's file, in lower case.

    Raises:
        ValueError: if there are no pictures of that kind.
    """
    suffix = os.path.splitext(os.fspath(filename))[1].lower()
    if suffix not in _SUFFIXES:
        raise ValueError(
            f"plot: expected a file name that ends in {', '.join(_SUFFIXES)}, got '{filename}'"
        )
    return suffix


def write_picture(description: Description, filename: str | os.PathLike[str]) -> None:
    """Write the drawing of a graph; a file of that name is replaced when all is drawn.

    Raises:
        ValueError: for a file of another kind.
        ImportError: if Matplotlib is needed and not installed.
        RuntimeError: if the file cannot be written, or Graphviz fails.
    """
    suffix = check_suffix(filename)
    if suffix == ".dot":
        content = dot_text(description).encode("utf-8")
    elif program := shutil.which("dot"):
        content = _by_graphviz(program, description, suffix, filename)
    else:
        content = _by_ourselves(description, suffix, filename)
    with replacing(filename, "plot") as file:
        file.write(content)


def _by_graphviz(
    program: str, description: Description, suffix: str, filename: str | os.PathLike[str]
) -> bytes:
    command = [program, f"-T{suffix[1:]}"]
    try:
        return subprocess.run(
            command, input=dot_text(description).encode("utf-8"), capture_output=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError) as failure:
        reason = getattr(failure, "stderr", None) or str(failure).encode()
        said = reason.decode("utf-8", "replace").strip()
        raise RuntimeError(f"plot: Graphviz could not draw '{filename}': {said}") from None


def _by_ourselves(description: Description, suffix: str, filename: str | os.PathLike[str]) -> bytes:
    picture = draw(description)
    if suffix != ".png":
        return svg_bytes(picture) if suffix == ".svg" else pdf_bytes(picture)
    try:
        return png_bytes(picture)
    except ImportError:
        raise ImportError(
            f"plot: drawing '{filename}' needs Matplotlib, or Graphviz's program dot: pip install "
            f"'cntk-torch[demo]'; or give a file name that ends in .svg or .pdf, which need nothing"
        ) from None
