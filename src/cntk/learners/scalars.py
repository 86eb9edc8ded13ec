"""Arithmetic of rates and decays that gives infinity or nan where Python's own would raise."""

from __future__ import annotations

import math

import numpy as np

__all__ = ["power", "quotient", "root"]


def power(base: float, exponent: float) -> float:
    """Return ``base ** exponent``: infinity where that is too large, nan where it is undefined."""
    with np.errstate(all="ignore"):
        return float(np.float64(base) ** exponent)


def quotient(a: float, b: float) -> float:
    """Return ``a / b``: infinite, or nan, where b is 0."""
    with np.errstate(all="ignore"):
        return float(np.float64(a) / b)


def root(value: float) -> float:
    """Return the square root; nan of negative numbers."""
    return math.sqrt(value) if value >= 0 else math.nan
