"""The pictures of the demonstration: scikit-learn's scanned digits, or a folder of MNIST files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cntk._cli.idx import read_idx

CLASSES = 10
SMALLEST, LARGEST = 8, 64
"""Rows and columns of a picture: two poolings need 8, and the network is not meant for more than
64.
"""


class DataError(ValueError):
    """The data asked for cannot be used. The message is for people."""


@dataclass(frozen=True)
class Digits:
    """Grey pictures of digits, `count x 1 x rows x columns` in [0, 1], with their labels as
    integers.
    """

    title: str
    train_images: NDArray[np.float32]
    train_labels: NDArray[np.uint8]
    test_images: NDArray[np.float32]
    test_labels: NDArray[np.uint8]


def scanned_digits() -> Digits:
    """Return scikit-learn's 1,797 real scans of 8 x 8 pixels, split 1,437 to 360, the same way
    every time.
    """
    from sklearn.datasets import load_digits

    content = load_digits()
    images = (content.images / 16).astype(np.float32)[:, None]
    labels = content.target.astype(np.uint8)
    order = np.random.default_rng(1797).permutation(len(labels))
    test, train = order[:360], order[360:]
    return Digits(
        "handwritten digits, 8 x 8", images[train], labels[train], images[test], labels[test]
    )


def mnist_folder(folder: Path) -> Digits:
    """Read the four files of MNIST, or of a data set in its layout, each plain or compressed with
    gzip.

    Args:
        folder: holds `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte`
            and `t10k-labels-idx1-ubyte`, with or without `.gz`.

    Raises:
        DataError: the folder or a file is missing, or files do not fit together.
        cntk._cli.idx.IdxError: a file is not what it should be.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder")
    train = _labelled_images(folder, "train")
    test = _labelled_images(folder, "t10k")
    if train[0].shape[2:] != test[0].shape[2:]:
        raise DataError(f"{folder}: pictures to learn from and to test with differ in size")
    rows, columns = train[0].shape[2:]
    return Digits(f"{folder.name or folder}, {rows} x {columns}", *train, *test)


def _labelled_images(folder: Path, part: str) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    images_file, labels_file = (
        _find(folder, f"{part}-images-idx3-ubyte"),
        _find(folder, f"{part}-labels-idx1-ubyte"),
    )
    images, labels = read_idx(images_file, rank=3), read_idx(labels_file, rank=1)
    count, rows, columns = images.shape
    if count != len(labels):
        raise DataError(
            f"{images_file} has {count:,} pictures, but {labels_file} has {len(labels):,} labels"
        )
    if not count:
        raise DataError(f"{images_file}: has no pictures")
    if not (SMALLEST <= min(rows, columns) and max(rows, columns) <= LARGEST):
        size = f"{SMALLEST} x {SMALLEST} to {LARGEST} x {LARGEST}"
        raise DataError(f"{images_file}: pictures are {rows} x {columns}; from {size} can be used")
    if labels.max() >= CLASSES:
        raise DataError(
            f"{labels_file}: has a label {labels.max()}; labels of digits run from 0 to "
            f"{CLASSES - 1}"
        )
    return images.astype(np.float32)[:, None] / np.float32(255), labels


def _find(folder: Path, name: str) -> Path:
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return path
    raise DataError(f"{folder}: has no file {name} or {name}.gz")
