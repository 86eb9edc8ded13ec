"""Writes idx files, and small folders in MNIST's layout, for the tests of the command line."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np


def idx(array: np.ndarray) -> bytes:
    """Return the array of unsigned bytes as the content of an idx file."""
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def write_mnist(
    folder: Path,
    counts: tuple[int, int] = (20, 10),
    size: tuple[int, int] = (11, 13),
    label: int = 9,
    labels_missing: int = 0,
) -> None:
    """Write four small files in MNIST's layout, the pictures compressed, the labels not."""
    random = np.random.default_rng(5)
    for part, count in zip(("train", "t10k"), counts, strict=True):
        images = random.integers(0, 256, (count, *size), np.uint8)
        labels = np.full(count - labels_missing, label, np.uint8)
        (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(images)))
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(idx(labels))
