"""Replacement of `IPython` where it is not installed."""

from __future__ import annotations

from cntk._old_programs import ipython_display as display

__all__ = ["display", "get_ipython", "version_info"]
__version__ = "0.0.0"
version_info = (0, 0, 0)


def get_ipython() -> None:
    """Return None."""
