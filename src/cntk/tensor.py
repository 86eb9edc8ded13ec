"""Tensor methods of variables and functions: operators that build graphs, and values as NumPy
arrays.
"""

from __future__ import annotations

from cntk._graph.names.late_names import hand_on
from cntk._graph.operators import Operators as TensorOpsMixin
from cntk.core import ArrayMixin

__all__ = ["AVAILABLE_TENSOR_OPS", "ArrayMixin", "TensorOpsMixin"]

AVAILABLE_TENSOR_OPS = [
    "abs",
    "add",
    "div",
    "getitem",
    "matmul",
    "mul",
    "radd",
    "rdiv",
    "rmatmul",
    "rmul",
    "rsub",
    "rtruediv",
    "sub",
    "truediv",
    "neg",
]
"""The operators that every variable and function has, by the names of Python's methods."""

hand_on(globals())
