"""Conversion between NumPy's arrays and torch's tensors; bfloat16 goes by way of its bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from cntk._graph.bfloat16 import bfloat16, dtype_named, is_bfloat16

SHORT = (torch.float16, torch.bfloat16)
"""The dtypes of 16 bits."""


def tensor_of(array: np.ndarray) -> Tensor:
    """Return an array as a tensor of the same memory.

    Args:
        array: numbers; writable, and of steps that torch can take.

    Example:
        >>> tensor_of(np.ones(2, np.float32))
        tensor([1., 1.])
    """
    if array.dtype.kind == "V" and is_bfloat16(array.dtype):
        return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(array)


def array_of(tensor: Tensor) -> np.ndarray:
    """Return a tensor as an array, of the same memory where that is the CPU's.

    Example:
        >>> array_of(torch.ones(2, requires_grad=True))
        array([1., 1.], dtype=float32)
    """
    values = tensor.detach().cpu()
    if values.dtype is torch.bfloat16:
        return values.view(torch.int16).numpy().view(bfloat16())
    return values.numpy()


def numpy_dtype(dtype: torch.dtype) -> np.dtype[Any]:
    """Return NumPy's dtype for one of torch's.

    Example:
        >>> numpy_dtype(torch.float16)
        dtype('float16')
    """
    return dtype_named(str(dtype).removeprefix("torch."))
