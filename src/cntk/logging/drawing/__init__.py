"""Drawings of graphs: description, layout, and files."""
