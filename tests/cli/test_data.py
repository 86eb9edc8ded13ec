"""The data of the demonstration: the split of the small digits, and what a folder of MNIST files
must hold.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cntk._cli.data import DataError, mnist_folder, scanned_digits
from cntk._cli.idx import IdxError
from tests.cli.mnist_files import idx, write_mnist


def test_scanned_digits_are_split_the_same_way_each_time() -> None:
    digits, again = scanned_digits(), scanned_digits()
    assert digits.train_images.shape == (1437, 1, 8, 8)
    assert digits.test_images.shape == (360, 1, 8, 8)
    assert digits.train_images.dtype == np.float32
    assert digits.train_images.min() == 0
    assert digits.train_images.max() == 1
    np.testing.assert_array_equal(digits.test_images, again.test_images)
    rows = {image.tobytes() for image in digits.train_images}
    assert not any(image.tobytes() in rows for image in digits.test_images)
    assert set(digits.test_labels) == set(range(10))


def test_folder_is_read(tmp_path: Path) -> None:
    write_mnist(tmp_path)
    digits = mnist_folder(tmp_path)
    assert digits.train_images.shape == (20, 1, 11, 13)
    assert digits.test_images.shape == (10, 1, 11, 13)
    assert digits.train_images.dtype == np.float32
    assert digits.train_images.max() <= 1
    assert digits.title == f"{tmp_path.name}, 11 x 13"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"label": 10}, "has a label 10; labels of digits run from 0 to 9"),
        ({"labels_missing": 1}, "has 20 pictures, but .* has 19 labels"),
        ({"counts": (0, 10)}, "has no pictures"),
        ({"size": (7, 28)}, "pictures are 7 x 28; from 8 x 8 to 64 x 64"),
        ({"size": (28, 65)}, "pictures are 28 x 65"),
    ],
)
def test_files_must_fit_together(tmp_path: Path, change: dict, message: str) -> None:
    write_mnist(tmp_path, **change)
    with pytest.raises(DataError, match=message):
        mnist_folder(tmp_path)


def test_pictures_of_both_parts_must_have_one_size(tmp_path: Path) -> None:
    write_mnist(tmp_path)
    (tmp_path / "t10k-images-idx3-ubyte.gz").write_bytes(idx(np.zeros((10, 13, 11), np.uint8)))
    with pytest.raises(DataError, match="differ in size"):
        mnist_folder(tmp_path)


def test_missing_folder_and_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere: no such folder"):
        mnist_folder(tmp_path / "nowhere")
    with pytest.raises(
        DataError, match="has no file train-images-idx3-ubyte or train-images-idx3-ubyte.gz"
    ):
        mnist_folder(tmp_path)


def test_labels_in_place_of_pictures(tmp_path: Path) -> None:
    write_mnist(tmp_path)
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(idx(np.zeros(20, np.uint8)))
    with pytest.raises(IdxError, match="has 1 axes, expected 3"):
        mnist_folder(tmp_path)
