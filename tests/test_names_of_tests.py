"""`cntk.tests.test_utils`, which programs copied from the original's tutorials begin with."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import scipy.sparse

import cntk as C
from cntk.tests import test_utils


def test_sparse_and_dense() -> None:
    data = np.array([[[0, 1, 0], [2, 0, 0]], [[0, 0, 3], [0, 0, 0]]], np.float32)
    matrix = test_utils._to_csr(data.tolist())
    assert scipy.sparse.issparse(matrix) and matrix.dtype == np.float32
    np.testing.assert_array_equal(matrix.toarray(), data.reshape(4, 3))
    rows = C.Value.one_hot([1, 0], 3)
    np.testing.assert_array_equal(test_utils._to_dense(rows), [[0, 1, 0], [1, 0, 0]])
    frames = C.Value.one_hot([[1, 0], [2, 2]], 3)
    np.testing.assert_array_equal(test_utils._to_dense(frames, True), np.eye(3)[[[1, 0], [2, 2]]])


@pytest.mark.parametrize(
    ("variable", "kind"), [("cpu", C.device.DeviceKind.CPU), (None, C.device.DeviceKind.CPU)]
)
def test_the_device_of_the_environment(variable, kind, monkeypatch) -> None:
    monkeypatch.delenv("TEST_DEVICE", raising=False)
    if variable:
        monkeypatch.setenv("TEST_DEVICE", variable)
    test_utils.set_device_from_pytest_env()
    assert C.device.use_default_device().type() == kind


def test_pytest_is_not_needed() -> None:
    program = (
        "import sys; sys.modules['pytest'] = None\n"
        "from cntk.tests.test_utils import *\n"
        "print(TOLERANCE_ABSOLUTE, PRECISION_TO_TYPE['double'].__name__, AA([1]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "1e-06 float64 [1]\n"
