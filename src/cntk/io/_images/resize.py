"""Resizes images with the same result as OpenCV, which the original uses.

Pixel centres of both sizes are aligned, borders are replicated, and there is no smoothing when an
image shrinks, except to exactly half its size with ``linear``, which takes the mean of four pixels.
For uint8 images the weights are rounded to 1/2048, as in OpenCV's fixed-point arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cntk.io._native.loader import compiled_module

_UNIT = 2048  # 11 bits of a weight
INTERPOLATIONS = ("nearest", "linear", "cubic", "lanczos")


def resize(image: np.ndarray, width: int, height: int, interpolation: str) -> np.ndarray:
    """Resize an image.

    Args:
        image: ``[height, width, channels]``, uint8 or float32.
        width: the new width in pixels.
        height: the new height in pixels.
        interpolation: one of `INTERPOLATIONS`.

    Returns:
        ``[height, width, channels]`` of the same dtype.

    Example:
        >>> resize(np.array([[[0], [90]]], np.uint8), 3, 1, "linear").ravel().tolist()
        [0, 45, 90]
    """
    old_height, old_width = image.shape[:2]
    if (old_height, old_width) == (height, width):
        return image
    if interpolation == "nearest":
        nearest: np.ndarray = image[
            _nearest(old_height, height)[:, None], _nearest(old_width, width)
        ]
        return nearest
    if interpolation == "linear" and (old_height, old_width) == (2 * height, 2 * width):
        return _halved(image)
    across = _taps(old_width, width, interpolation, clip_weights=True)
    down = _taps(old_height, height, interpolation, clip_weights=False)
    rows, indices = np.unique(down.indices, return_inverse=True)
    down = Taps(indices.reshape(down.indices.shape), down.weights)
    if image.dtype == np.uint8:
        return _resize_uint8(image[rows], across, down, interpolation)
    lines = _weighted(image[rows], across.indices, across.weights, 1)
    return _weighted(lines, down.indices, down.weights, 0)


@dataclass(frozen=True)
class Taps:
    """Filter taps: the old pixels that each new one interpolates along one axis.

    Attributes:
        indices: their indices, int64 ``[new size, taps]``.
        weights: their weights, float32 ``[new size, taps]``.
    """

    indices: np.ndarray
    weights: np.ndarray

    @property
    def integer_weights(self) -> np.ndarray:
        """The weights in units of 1/2048, int32 ``[new size, taps]``."""
        rounded: np.ndarray = np.rint(self.weights * np.float32(_UNIT)).astype(np.int32)
        return rounded


def _nearest(old: int, new: int) -> np.ndarray:
    indices = np.floor(np.arange(new) * (1 / (new / old))).astype(np.int64)
    within: np.ndarray = np.minimum(indices, old - 1)
    return within


def _taps(old: int, new: int, interpolation: str, clip_weights: bool) -> Taps:
    centres = ((np.arange(new) + 0.5) * (1 / (new / old)) - 0.5).astype(np.float32)
    first = np.floor(centres).astype(np.int64)
    part = centres - first.astype(np.float32)
    if interpolation == "linear":
        if clip_weights:
            part[(first < 0) | (first >= old - 1)] = 0
            first = np.clip(first, 0, old - 1)
        weights = [1 - part, part]
        before = 0
    elif interpolation == "cubic":
        weights, before = _cubic(part), 1
    else:
        weights, before = _lanczos(part), 3
    indices = first[:, None] + np.arange(len(weights)) - before
    return Taps(np.clip(indices, 0, old - 1), np.stack(weights, 1).astype(np.float32))


def _cubic(x: np.ndarray) -> list[np.ndarray]:
    """Return weights of a cubic convolution (Keys, 1981) with a slope of -3/4 at distance 1."""
    a = np.float32(-0.75)
    w0 = ((a * (x + 1) - 5 * a) * (x + 1) + 8 * a) * (x + 1) - 4 * a
    w1 = ((a + 2) * x - (a + 3)) * x * x + 1
    w2 = ((a + 2) * (1 - x) - (a + 3)) * (1 - x) * (1 - x) + 1
    return [w0, w1, w2, 1 - w0 - w1 - w2]


def _lanczos(x: np.ndarray) -> list[np.ndarray]:
    """Return weights of a Lanczos window with four lobes, normalized to a sum of 1."""
    distance = x[:, None].astype(np.float64) - (np.arange(8) - 3)
    weights = np.sinc(distance) * np.sinc(distance / 4)
    near = x < np.finfo(np.float32).eps
    weights[near] = np.arange(8) == 3
    weights = weights / weights.sum(1, keepdims=True)
    return list(weights.T.astype(np.float32))


def _halved(image: np.ndarray) -> np.ndarray:
    wide = image.astype(np.int32 if image.dtype == np.uint8 else np.float32)
    sums: np.ndarray = wide[::2, ::2] + wide[::2, 1::2] + wide[1::2, ::2] + wide[1::2, 1::2]
    return ((sums + 2) >> 2).astype(np.uint8) if image.dtype == np.uint8 else sums / np.float32(4)


def _weighted(image: np.ndarray, indices: np.ndarray, weights: np.ndarray, axis: int) -> np.ndarray:
    """Return the weighted sums of pixels along one axis of an image."""
    weights = weights[:, :, None] if axis == 1 else weights[:, :, None, None]
    total: np.ndarray = np.take(image, indices[:, 0], axis) * weights[:, 0]
    for k in range(1, weights.shape[1]):
        total += np.take(image, indices[:, k], axis) * weights[:, k]
    return total


def _resize_uint8(image: np.ndarray, across: Taps, down: Taps, interpolation: str) -> np.ndarray:
    weights = down.integer_weights
    compiled = compiled_module(0)
    if interpolation == "linear" and compiled is not None:
        scaled = np.empty((len(weights), len(across.indices), image.shape[2]), np.uint8)
        compiled.scale_linearly(
            image, across.indices, across.integer_weights, down.indices, weights, scaled
        )
        return scaled
    lines = _weighted(image.astype(np.int32), across.indices, across.integer_weights, 1)
    if interpolation == "linear":
        # As in OpenCV, which stays within 16 bits, low bits are dropped before the sum.
        high, low = (
            (np.take(lines >> 4, down.indices[:, k], 0) * weights[:, k, None, None]) >> 16
            for k in (0, 1)
        )
        linear: np.ndarray = ((high + low + 2) >> 2).astype(np.uint8)
        return linear
    rounded: np.ndarray = (_weighted(lines, down.indices, weights, 0) + (1 << 21)) >> 22
    if interpolation == "cubic":
        # OpenCV sums eight numbers of a line at a time as float32, and the remainder as integers.
        factors = weights.astype(np.float32) * np.float32(2.0**-22)
        floats = np.rint(_weighted(lines.astype(np.float32), down.indices, factors, 0)).astype(
            np.int32
        )
        count = lines[0].size // 8 * 8
        height = len(rounded)
        rounded.reshape(height, -1)[:, :count] = floats.reshape(height, -1)[:, :count]
    within: np.ndarray = np.clip(rounded, 0, 255).astype(np.uint8)
    return within
