"""A network as a list of layers, and its conversion to a model."""

from __future__ import annotations

__all__ = []
