"""Replacement of `IPython.display` where IPython is not installed: prints what a notebook would
show.
"""

from __future__ import annotations

from typing import Any


class DisplayObject:
    """Something that a notebook shows.

    Args:
        data: what it shows, or its address.
        url: its address.
        filename: its file.
        options: of its display.
    """

    def __init__(
        self, data: Any = None, url: str | None = None, filename: str | None = None, **options: Any
    ) -> None:
        self.data, self.url, self.filename, self.options = data, url, filename, options

    def __repr__(self) -> str:
        what = self.url or self.filename or self.data
        shown = f"{len(what):,} bytes" if isinstance(what, bytes) else str(what)
        return f"<{type(self).__name__}: {shown}>"


class Image(DisplayObject):
    """A picture."""


class SVG(DisplayObject):
    """A drawing."""


class HTML(DisplayObject):
    """A part of a page."""


class Markdown(DisplayObject):
    """Text with marks."""


class Latex(DisplayObject):
    """Formulas."""


class Math(DisplayObject):
    """A formula."""


class Javascript(DisplayObject):
    """A program for the browser; it is not run."""


class Audio(DisplayObject):
    """Sound."""


class Video(DisplayObject):
    """A film."""


class YouTubeVideo(DisplayObject):
    """A film, by its name there."""


class IFrame(DisplayObject):
    """Another page."""


class FileLink(DisplayObject):
    """A link to a file."""


def display(*things: Any, **options: Any) -> None:
    """Print things."""
    for thing in things:
        print(thing)


def clear_output(wait: bool = False) -> None:
    """Do nothing: what is printed stays."""


def set_matplotlib_formats(*formats: str, **options: Any) -> None:
    """Do nothing: pictures have no window."""
