"""Where automatic crops begin: the places are the original's, except that more operations are
followed here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cntk as C


def convolved(x: Any, size: int, stride: int = 1, pad: bool = False, **options: Any) -> Any:
    kernel = C.parameter((4, x.shape[0], size, size), init=C.uniform(1, seed=1))
    return C.convolution(
        kernel, x, strides=(stride, stride), auto_padding=[False, pad, pad], **options
    )


def pooled(x: Any, size: int, stride: int, pad: bool = False) -> Any:
    return C.pooling(
        x, C.AVG_POOLING, (size, size), (stride, stride), auto_padding=[False, pad, pad]
    )


def spread(x: Any, size: int, stride: int, pad: bool = False, shape: Any = None) -> Any:
    kernel = C.parameter((x.shape[0], 4, size, size), init=C.uniform(1, seed=2))
    return C.convolution_transpose(
        kernel, x, strides=(stride, stride), auto_padding=[False, pad, pad], output_shape=shape
    )


def back(
    x: Any,
    size: int,
    stride: int,
    pad: bool,
    larger: int,
    pad_again: bool = False,
    shape: Any = None,
) -> Any:
    """Pooled, and spread out again."""
    return spread(pooled(x, size, stride, pad), larger, stride, pad_again, shape)


def place(function: Any) -> tuple[int, int]:
    """Column and row at which a crop begins, found by its numbers."""
    operand = function.root_function.inputs[0]
    feed = {
        v: np.random.default_rng(0).uniform(-1, 1, (1, *v.shape)).astype(np.float32)
        for v in function.arguments
    }
    results = C.combine(C.alias(operand), function).eval(feed)
    whole, part = (
        next(r for v, r in results.items() if v.owner.op_name == name) for name in ("NoOp", "Crop")
    )
    rows, columns = (a - b + 1 for a, b in zip(whole.shape[-2:], part.shape[-2:], strict=True))
    (found,) = [
        (c, r)
        for r in range(rows)
        for c in range(columns)
        if np.array_equal(whole[..., r : r + part.shape[-2], c : c + part.shape[-1]], part)
    ]
    return found


X = C.input_variable((3, 21, 27), name="x")
Y = C.input_variable((3, 9, 9), name="y")

FOUND = {
    "itself": (X, X, (0, 0)),
    "convolution": (X, convolved(X, 3), (1, 1)),
    "padded convolution": (X, convolved(X, 3, pad=True), (0, 0)),
    "even window": (X, convolved(X, 4), (1, 1)),
    "padded even window": (X, pooled(X, 4, 1, True), (0, 0)),
    "dilated": (X, convolved(X, 3, dilation=(2, 2)), (2, 2)),
    "spread out": (X, spread(pooled(convolved(X, 3), 2, 2), 2, 2), (1, 1)),
    "larger window back": (back(X, 2, 2, False, 4), convolved(X, 3), (2, 2)),
    "odd window back": (back(X, 2, 2, False, 3), convolved(X, 3), (2, 2)),
    "padding that leaves elements over": (back(X, 3, 3, True, 3), convolved(X, 5), (2, 2)),
    "padding of one side": (back(X, 5, 5, True, 5), convolved(X, 9), (6, 6)),
    "padded transpose": (X, back(X, 5, 5, False, 5, True), (2, 2)),
    "transpose of a given shape": (X, back(X, 5, 5, False, 3, True, (4, 18, 21)), (2, 1)),
    "half an element": (pooled(convolved(X, 3), 2, 2), convolved(pooled(X, 2, 2), 3), (0, 0)),
    "two thirds of an element": (pooled(X, 1, 3), pooled(convolved(X, 5), 1, 3), (0, 0)),
    "element by element": (C.sigmoid(X * 2), C.relu(convolved(X, 3)) + 1, (1, 1)),
    "two ways that agree": (
        X,
        convolved(X, 3) + convolved(X, 3) * convolved(convolved(X, 3, pad=True), 3),
        (1, 1),
    ),
    "layers": (X, C.layers.Convolution2D(5, 4)(X), (2, 2)),
    "batch normalisation": (X, C.layers.BatchNormalization(map_rank=1)(convolved(X, 3)), (1, 1)),
    "inside another crop": (X, C.crop_manual(convolved(X, 3), Y, 2, 3), (3, 4)),
    "a dilated window, dropout": (X, C.dropout(C.clip(convolved(X, 3), -1, 1), 0.5), (1, 1)),
    "unpooling": (
        X,
        C.unpooling(pooled(X, 2, 2), X[:, :20, :26], C.MAX_UNPOOLING, (2, 2), (2, 2)),
        (0, 0),
    ),
}


@pytest.mark.parametrize("case", FOUND)
def test_crop_begins_where_the_other_operand_has_its_centre(case: str) -> None:
    x, referent, wanted = FOUND[case]
    assert place(C.crop_automatic(x, referent)) == wanted


def test_ancestors_count_as_one() -> None:
    other = convolved(Y, 5)
    assert place(C.crop_automatic_with_ancestors(X, other, X, Y)) == (2, 2)
    # A common value is found although one of the ancestors given is on no way.
    assert place(
        C.crop_automatic_with_ancestors(X, convolved(convolved(X, 5), 3), X, convolved(X, 5))
    ) == (3, 3)


REFUSED = {
    "nothing in common": (X, Y, "no value was found that both operands come from"),
    "another order of elements": (
        X,
        C.transpose(X, (0, 2, 1)),
        "not followed through TransposeAxes",
    ),
    "half the scale": (
        X,
        pooled(X, 2, 2),
        "an element of the second operand is 2 elements of the first",
    ),
    "twice the scale": (pooled(X, 2, 2), X, "an element of the second operand is 1/2 elements"),
    "beginning before": (convolved(X, 3), C.relu(X), "begins 1 elements before the first one does"),
    "too small": (
        pooled(X, 1, 3),
        pooled(convolved(X, 3), 1, 3),
        "elements from 1/3 on are not within an axis with",
    ),
    "ways that disagree": (X, X[:, :17, :23] + C.layers.Convolution2D(5, 3)(X), None),
}


@pytest.mark.parametrize("case", REFUSED)
def test_crop_without_a_place_is_refused_when_it_runs(case: str) -> None:
    x, referent, message = REFUSED[case]
    function = C.crop_automatic(x, referent)
    feed = {v: np.zeros((1, *v.shape), np.float32) for v in function.arguments}
    if message is None:
        # A slice hides the second way.
        assert place(function) == (2, 2)
        return
    with pytest.raises(ValueError, match=message):
        function.eval(feed)


def test_two_ways_that_disagree_are_refused() -> None:
    shifted = C.crop_manual(X, Y, 1, 1) + C.crop_manual(X, Y, 2, 2)
    with pytest.raises(ValueError, match="two ways lead to Input"):
        C.crop_automatic(X, shifted).eval({X: np.zeros((1, 3, 21, 27)), Y: np.zeros((1, 3, 9, 9))})


@pytest.mark.parametrize("ancestors", [False, True])
def test_automatic_crop_is_saved_and_loaded(ancestors: bool, tmp_path: Path) -> None:
    below = Y if ancestors else X
    other = convolved(below, 3)
    function = (
        C.crop_automatic_with_ancestors(X, other, X, Y) if ancestors else C.crop_automatic(X, other)
    )
    function.save(tmp_path / "crop.model")
    loaded = C.load_model(tmp_path / "crop.model")
    assert place(loaded) == (1, 1)
    assert len(loaded.root_function.inputs) == (4 if ancestors else 2)


def test_crop_follows_inputs_of_another_size() -> None:
    x = C.input_variable((3, C.FreeDimension, C.FreeDimension))
    function = C.crop_automatic(x, convolved(x, 3))
    for size in (5, 8):
        data = np.random.default_rng(size).normal(size=(2, 3, size, size + 1)).astype(np.float32)
        np.testing.assert_array_equal(function.eval({x: data}), data[:, :, 1:-1, 1:-1])


def test_sequences_of_images_are_cropped_frame_by_frame() -> None:
    x = C.sequence.input_variable((3, 6, 7))
    data = [np.random.default_rng(n).normal(size=(n, 3, 6, 7)).astype(np.float32) for n in (2, 1)]
    for part, whole in zip(C.crop_automatic(x, convolved(x, 3)).eval({x: data}), data, strict=True):
        np.testing.assert_array_equal(part, whole[..., 1:-1, 1:-1])
