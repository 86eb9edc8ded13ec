"""Samples of images that were saved without loss are the original's, number by number."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

from cntk.io import ImageDeserializer, MinibatchSource, StreamDef, StreamDefs, transforms
from tests.io.cases.image_cases import CASES, pixels, write_mean

Image = pytest.importorskip("PIL.Image")

ORIGINAL = np.load(Path(__file__).parent.parent / "golden" / "images_of_the_original.npz")


@pytest.mark.parametrize("number", range(len(CASES)), ids=[c.name for c in CASES])
def test_sample(number, tmp_path):
    case = CASES[number]
    Image.fromarray(pixels(case.size, number)).save(tmp_path / "image.png")
    (tmp_path / "map.txt").write_text(".../image.png\t0\n")
    write_mean(tmp_path / "mean.xml")
    steps = [
        getattr(transforms, name)(
            **({"filename": str(tmp_path / "mean.xml")} if name == "mean" else given)
        )
        for name, given in case.transforms
    ]
    streams = StreamDefs(
        image=StreamDef("image", transforms=steps), label=StreamDef("label", shape=2)
    )
    source = MinibatchSource(
        ImageDeserializer(str(tmp_path / "map.txt"), streams), randomize=False, max_sweeps=1
    )
    with warnings.catch_warnings():
        if case.name == "mean_of_another_size":
            warnings.simplefilter("ignore")
        found = source.next_minibatch(1)[source.streams.image].asarray()[0, 0]
    expected = ORIGINAL[case.name]
    if not expected.size:  # The original fails where an image would have to shrink to nothing, and for some proportions.  # noqa: E501
        scaled = case.transforms[-1][1]
        assert found.shape == (3, scaled["height"], scaled["width"])
    elif expected.dtype == np.uint8:
        np.testing.assert_array_equal(found, expected)
    else:
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-3)
    assert found.dtype == np.float32
