"""Convolutions along sequences: where windows lie, which axes results have, and what files hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cntk as C


def summed(x: Any, size: int, stride: int, pad: bool) -> Any:
    """Sums over windows of a sequence."""
    kernel = C.constant(np.ones((1, 1, size), np.float32))
    return C.convolution(kernel, x, strides=(stride,), auto_padding=[False, pad], sequential=True)


def counted(*lengths: int) -> list[np.ndarray]:
    """Sequences 1, 2, 3, ..."""
    return [np.arange(1, n + 1, dtype=np.float32).reshape(n, 1) for n in lengths]


@pytest.mark.parametrize(
    ("lengths", "wanted"),
    [
        ((7, 3, 5), [[3, 9, 7], [3], [3, 9]]),
        ((6, 3, 1), [[5, 11], [5], [0]]),
        ((3,), [[5]]),
        ((1,), [[1]]),
    ],
)
def test_padding_is_laid_out_for_the_longest_sequence(
    lengths: tuple[int, ...], wanted: list[list[int]]
) -> None:
    # The numbers are the original's.
    x = C.sequence.input_variable((1,))
    results = summed(x, 2, 3, True).eval({x: counted(*lengths)})
    assert [r.ravel().tolist() for r in results] == wanted


def test_same_windows_over_the_same_axis_meet_again() -> None:
    x = C.sequence.input_variable((1,))
    total = summed(x, 2, 2, True) + 10 * summed(x, 2, 2, True)
    assert [r.ravel().tolist() for r in total.eval({x: counted(3, 2)})] == [[33, 33], [33]]
    with pytest.raises(ValueError, match="different dynamic axes"):
        summed(x, 2, 2, True) + summed(x, 3, 2, True)


def test_padded_windows_at_every_frame_stay_on_the_axis() -> None:
    x = C.sequence.input_variable((1,))
    assert (summed(x, 3, 1, True) + x).dynamic_axes == x.dynamic_axes


def test_sequence_shorter_than_a_window_is_refused() -> None:
    x = C.sequence.input_variable((1,))
    with pytest.raises(
        ValueError, match="sequential convolution: the window reaches over 3 elements"
    ):
        summed(x, 3, 1, False).eval({x: counted(3, 2)})


@pytest.mark.parametrize(("stride", "pad"), [(1, True), (3, True), (2, False)])
def test_loaded_convolution_is_one_operation_again(stride: int, pad: bool, tmp_path: Path) -> None:
    x = C.sequence.input_variable((1,))
    summed(x, 2, stride, pad).save(tmp_path / "sums.model")
    loaded = C.load_model(tmp_path / "sums.model")
    names = [
        f.op_name
        for f in C.logging.depth_first_search(loaded, lambda f: isinstance(f, C.Function), depth=-1)
    ]
    assert names == ["Convolution", "Convolution"]


def test_layer_is_saved_and_loaded(tmp_path: Path) -> None:
    x = C.sequence.input_variable((2,))
    layer = C.layers.SequentialConvolution((3,), 4, pad=True, strides=2)(x)
    layer.save(tmp_path / "layer.model")
    loaded = C.load_model(tmp_path / "layer.model")
    data = [np.random.default_rng(n).normal(size=(n, 2)).astype(np.float32) for n in (5, 1, 4)]
    for one, other in zip(
        layer.eval({x: data}), loaded.eval({loaded.arguments[0]: data}), strict=True
    ):
        np.testing.assert_array_equal(one, other)
