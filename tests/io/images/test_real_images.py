"""Map files, archives and base64 text of real images: colours, labels and minibatches; what is
broken is named.

The data are read from the folder that the environment variable CNTK_TEST_DATA names.
"""

from __future__ import annotations

import os
import tarfile
import warnings
from pathlib import Path

import numpy as np
import pytest

from cntk.io import (
    Base64ImageDeserializer,
    ImageDeserializer,
    MinibatchSource,
    StreamDef,
    StreamDefs,
    transforms,
)

pytest.importorskip("PIL.Image")
DATA = os.environ.get("CNTK_TEST_DATA", "")
pytestmark = pytest.mark.skipif(
    not DATA, reason="CNTK_TEST_DATA names no folder with images.tar.xz in it"
)

# Blue, green and red of the four pictures: black, blue, green, red.
COLORS = np.array([[0, 0, 0], [255, 0, 0], [0, 255, 0], [0, 0, 255]])
FOUR = [0, 1, 2, 3]
# Map file: the class of each sample in order.
SOUND = {
    "ImageReaderSimple": FOUR,
    "ImageReaderZip": FOUR,
    "ImageReaderZipDuplicate": [0, 0, 0, 1, 2, 2, 2, 3],
    "ImageAndTextReaderSimple": FOUR,
    "Base64ImageReaderSimple": FOUR,
    "Base64WithStringIds": FOUR,
    "Base64WithStringIdsAnother": FOUR,
}
# Map file: what is left of it, and what is said.
BROKEN = {
    "ImageReaderBadLabel": (
        [0, 2, 3],
        "line 2: expected the number of a class as the label, got 'blah'",
    ),
    "ImageReaderBadMap": ([0, 1, 3], "line 3: expected image<tab>label"),
    "ImageReaderLabelOutOfRange": (
        [0, 1, 2],
        "line 4: the label is 10; the label's stream has 4 classes, 0 to 3",
    ),
    "ImageReaderMissingImage": (
        [1, 2, 3],
        "line 1: cannot read image 'imageDoesNotExists/black.jpg'",
    ),
    "ImageReaderZipMissing": (FOUR, "line 4: cannot read image 'images/simple.zip@/missing.jpg'"),
    "InvalidBase64ImageReaderSimple": ([], "line 1: cannot read the image"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    found = tmp_path_factory.mktemp("images")
    with tarfile.open(Path(DATA) / "images.tar.xz") as tar:
        tar.extractall(found, filter="data")
    return found


def read(name, **options):
    """Classes and sizes of the minibatches of three; checks that the colours are those of the
    classes.
    """
    kind = Base64ImageDeserializer if "ase64" in name else ImageDeserializer
    streams = StreamDefs(
        image=StreamDef("image", transforms=[transforms.scale(4, 4, 3)]),
        label=StreamDef("label", shape=4),
    )
    source = MinibatchSource(
        kind(f"Data/{name}_map.txt", streams), randomize=False, max_sweeps=1, **options
    )
    classes, sizes = [], []
    while minibatch := source.next_minibatch(3):
        images, labels = minibatch[source.streams.image], minibatch[source.streams.label]
        found = labels.asarray()[:, 0].argmax(-1)
        np.testing.assert_allclose(images.asarray()[:, 0, :, 1, 2], COLORS[found], atol=2)
        classes += found.tolist()
        sizes.append((images.num_samples, images.end_of_sweep))
    return classes, sizes


@pytest.mark.parametrize("name", list(SOUND))
def test_sound_files(name, folder, monkeypatch):
    monkeypatch.chdir(folder)
    classes, sizes = read(name)
    assert classes == SOUND[name]
    count = len(classes)
    assert sizes == [(min(3, count - k), k + 3 >= count) for k in range(0, count, 3)]


@pytest.mark.parametrize("name", list(BROKEN))
def test_broken_files(name, folder, monkeypatch):
    monkeypatch.chdir(folder)
    left, said = BROKEN[name]
    with pytest.raises(ValueError) as error:
        read(name)
    assert f"{name}_map.txt, {said}" in str(error.value)
    with warnings.catch_warnings(record=True) as given:
        warnings.simplefilter("always")
        assert read(name, max_errors=1)[0] == left
    assert [said in str(w.message) for w in given] == [True]
