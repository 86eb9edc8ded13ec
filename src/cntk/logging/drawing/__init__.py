"""Drawings of graphs: description, layout, and files."""

__all__ = []
