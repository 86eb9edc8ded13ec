"""Stand-ins for operations of other programs, and the dtypes that nothing here computes
in.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import cntk as C


@pytest.mark.parametrize("dtype", [np.int8, np.int16])
def test_whole_numbers_are_kept_and_saved(dtype: type, tmp_path: Path) -> None:
    x = C.input_variable((1, 5), dtype=np.float64)
    scale = C.parameter((1, 5), dtype=np.float64)
    packed = C.parameter((2, 3), dtype=dtype)
    assert packed.dtype == dtype and packed.value.dtype == dtype and not packed.value.any()
    packed.value = np.arange(-3, 3).reshape(2, 3)
    fixed = C.constant(7, shape=(2,), dtype=dtype)
    proxy = C.custom_proxy_op("packed_times", (21, 2), dtype, x, packed, scale, fixed, name="proxy")
    assert proxy.shape == (21, 2) and proxy.dtype == dtype and proxy.dynamic_axes == x.dynamic_axes
    proxy.save(tmp_path / "proxy.model")
    loaded = C.load_model(tmp_path / "proxy.model")
    assert loaded.root_function.attributes == {
        "customOp": "packed_times",
        "outputShape": (21, 2),
        "newDataType": C.internal.sanitize_dtype_cntk(dtype),
    }
    assert loaded.name == "proxy" and loaded.shape == (21, 2) and loaded.dtype == dtype
    np.testing.assert_array_equal(loaded.parameters[0].value, packed.value)
    np.testing.assert_array_equal(loaded.constants[0].value, [7, 7])
    assert [p.dtype for p in loaded.parameters] == [dtype, np.float64]


def test_shapes_and_axes() -> None:
    assert C.custom_proxy_op("f", (C.InferredDimension, 2), np.float32).shape == (-1, 2)
    sequences = C.sequence.input_variable(3)
    assert (
        C.custom_proxy_op("f", 4, np.float32, sequences, C.parameter(2)).dynamic_axes
        == sequences.dynamic_axes
    )
    with pytest.raises(ValueError, match="CustomProxyOp: .*axes"):
        C.custom_proxy_op("f", 4, np.float32, sequences, C.input_variable(3))


def test_nothing_is_computed_in_whole_numbers() -> None:
    x = C.input_variable(3)
    with pytest.raises(ValueError, match="'f' is computed by another program"):
        C.custom_proxy_op("f", 4, np.float32, x).eval({x: [[1, 2, 3]]})
    with pytest.raises(ValueError, match="an initializer draws no int8"):
        C.parameter((2, 3), init=C.glorot_uniform(), dtype=np.int8)
    with pytest.raises(ValueError, match="float32 and int8"):
        (x + C.parameter(3, dtype=np.int8)).eval({x: [[1, 2, 3]]})
    packed = C.parameter(3, init=100, dtype=np.int8)
    with pytest.raises(ValueError, match="nothing computes in int8; use cntk.cast"):
        (packed + packed).eval()
    np.testing.assert_array_equal(C.cast(packed, np.float32).eval(), [100, 100, 100])
