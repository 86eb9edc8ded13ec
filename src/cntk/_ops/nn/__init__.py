"""Convolution, pooling, normalization, dropout."""
