"""Rewrites of a flat graph, one after another."""
