"""Arithmetic, comparisons, activations, products, reductions."""
