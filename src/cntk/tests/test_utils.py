"""Helpers from the original's tests, which its tutorials, manual and many programs import.

Names and behaviour are the original's. pytest is needed for the fixture `precision` alone, which is
not there without it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse

import cntk as C

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


TOLERANCE_ABSOLUTE = 1e-6
PRECISION_TO_TYPE = {"float": np.float32, "double": np.float64}
AA = np.asarray

try:
    import pytest
except ImportError:
    pass
else:

    @pytest.fixture(params=list(PRECISION_TO_TYPE))
    def precision(request: Any) -> str:
        """Give a test each name of a precision in turn."""
        return str(request.param)


def set_device_from_pytest_env() -> None:
    """Choose the device by the environment variable TEST_DEVICE: the CPU for "cpu", GPU 0 for
    anything else.

    Without the variable nothing changes.

    Example:
        >>> from cntk.tests.test_utils import set_device_from_pytest_env
        >>> set_device_from_pytest_env()
    """
    device = os.environ.get("TEST_DEVICE")
    if device is not None:
        C.device.try_set_default_device(C.device.cpu() if device == "cpu" else C.device.gpu(0))


def _to_dense(val: Any, is_sequence: bool = False) -> np.ndarray:
    """Return sparse data as a dense array.

    Args:
        val: a `Value`, or what an input takes that has its shape: ``[samples, width]``, with
            ``is_sequence`` ``[sequences, frames, width]``.
        is_sequence: whether it is a batch of sequences.

    Returns:
        The numbers, as float32; a list of arrays for sequences of different length.
    """
    make = C.sequence.input_variable if is_sequence else C.input_variable
    x = make(val.shape[2 if is_sequence else 1 :], is_sparse=True)
    product = C.times(x, np.eye(val.shape[-1], dtype=np.float32))
    rows: np.ndarray = product.eval({x: val})
    return rows


def _to_csr(data: Any) -> csr_matrix:
    """Return an array as one sparse matrix of float32, all axes before the last one taken together.

    Args:
        data: ``[..., width]``.

    Returns:
        A matrix ``[rows, width]``.
    """
    dense = np.asarray(data, np.float32)
    return scipy.sparse.csr_matrix(dense.reshape(-1, dense.shape[-1]))
