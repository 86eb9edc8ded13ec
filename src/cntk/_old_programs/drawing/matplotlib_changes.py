"""Wrappers of Matplotlib's functions that accept their former arguments."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from typing import Any

from cntk._old_programs.drawing.names import COLOURS
from cntk._old_programs.rows import Changed
from cntk._old_programs.tell import Teller, is_served

Wrapped = Callable[..., Any]


RENAMED = {
    "qt4agg": "qtagg",
    "qt4cairo": "qtcairo",
    "gtkagg": "gtk3agg",
    "gtk": "gtk3agg",
    "gtkcairo": "gtk3cairo",
}
WINDOWS = ("qt", "gtk", "tk", "wx", "macosx")


def backend(function: Wrapped, row: Changed, teller: Teller) -> Wrapped:
    """Return `matplotlib.use` that draws without a window where there is no screen, and knows old
    backends.
    """

    @functools.wraps(function)
    def old(backend: Any, *arguments: Any, **options: Any) -> Any:
        name = str(backend).lower()
        if name.startswith(WINDOWS) and is_served():
            replacement = "agg" if _has_no_screen() else RENAMED.get(name, name)
            if replacement != name:
                teller.row(row)
                backend = replacement
        return function(backend, *arguments, **options)

    return old


def _has_no_screen() -> bool:
    return sys.platform.startswith("linux") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )


def gca(function: Wrapped, row: Changed, teller: Teller) -> Wrapped:
    """Return `Figure.gca` that takes a projection for new axes."""

    @functools.wraps(function)
    def old(figure: Any, **options: Any) -> Any:
        if not options or not is_served():
            return function(figure, **options)
        teller.row(row)
        axes = figure.axes
        if axes and axes[-1].name == options.get("projection", axes[-1].name):
            return function(figure)
        return figure.add_subplot(**options)

    return old


def style(function: Wrapped, row: Changed, teller: Teller) -> Wrapped:
    """Return `style.use` that knows seaborn's styles by their old names."""

    @functools.wraps(function)
    def old(style: Any) -> Any:
        one = [style] if isinstance(style, str) else style
        if isinstance(one, list) and is_served() and any(_is_seaborn(name) for name in one):
            teller.row(row)
            style = [
                name.replace("seaborn", "seaborn-v0_8", 1) if _is_seaborn(name) else name
                for name in one
            ]
        return function(style)

    return old


def _is_seaborn(name: object) -> bool:
    return isinstance(name, str) and name.startswith("seaborn") and "v0_8" not in name


def colours(function: Wrapped, row: Changed, teller: Teller) -> Wrapped:
    """Return `get_cmap` that knows colour maps by their old names."""
    names = dict(COLOURS)

    @functools.wraps(function)
    def old(name: Any = None, *arguments: Any, **options: Any) -> Any:
        if name in names and is_served():
            teller.row(row)
            name = names[name]
        return function(name, *arguments, **options)

    return old
