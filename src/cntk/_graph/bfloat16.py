"""The dtype bfloat16, which NumPy knows only from the package ml_dtypes, and what dtypes count as
numbers with it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

NAME = "bfloat16"
# As operations' attributes number it; files say it otherwise, since the original has no such
# number.
NUMBER = 16

DType = np.dtype[Any]


def bfloat16() -> DType:
    """Return the dtype.

    Raises:
        ImportError: if the package ml_dtypes is not there.

    Example:
        >>> bfloat16().itemsize
        2
    """
    try:
        import ml_dtypes
    except ImportError:
        raise ImportError(
            "bfloat16 needs ml_dtypes, since NumPy has no such dtype; install it with: pip install "
            "'cntk-torch[bfloat16]'"
        ) from None
    dtype: DType = np.dtype(ml_dtypes.bfloat16)
    return dtype


def dtype_named(name: str) -> DType:
    """Return the dtype of a name, as NumPy and torch know it.

    Example:
        >>> dtype_named("float16")
        dtype('float16')
    """
    return bfloat16() if name == NAME else np.dtype(name)


def is_bfloat16(dtype: DType) -> bool:
    """Return whether a dtype is bfloat16."""
    return dtype.kind == "V" and dtype.name == NAME


def is_floating(dtype: DType) -> bool:
    """Return whether a dtype's numbers may have fractions."""
    return dtype.kind == "f" or is_bfloat16(dtype)


def is_computed(dtype: DType) -> bool:
    """Return whether operations compute in a dtype.

    Example:
        >>> [is_computed(np.dtype(name)) for name in ("float16", "int8")]
        [True, False]
    """
    return dtype in (np.float32, np.float64, np.float16) or is_bfloat16(dtype)


def is_short(dtype: DType | None) -> bool:
    """Return whether a dtype is a 16-bit float: sums over many samples then need float32.

    Example:
        >>> [is_short(np.dtype(name)) for name in ("float16", "float32")]
        [True, False]
    """
    return dtype is not None and (dtype == np.float16 or is_bfloat16(dtype))


def is_number(dtype: DType) -> bool:
    """Return whether an array of a dtype holds real numbers."""
    return dtype.kind in "biuf" or is_bfloat16(dtype)
