"""Pictures: 256 JPEG files of 256 x 256, cropped at random, scaled to 224 x 224, less a mean,
beside a torch DataLoader.

The rival is a torch Dataset on Pillow and NumPy with two workers that stay alive; this package
reads with its threads. A step is one shuffled sweep of minibatches of 32.
"""

from __future__ import annotations

import atexit
import functools
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from cntk.io import ImageDeserializer, MinibatchSource, StreamDef, StreamDefs, transforms

from .timing import Contestants, Workload

COUNT, SIZE, SCALED, BATCH, WORKERS = 256, 256, 224, 32, 2
MEAN = 104.0
XML = (
    '<?xml version="1.0" ?><opencv_storage><Channel>3</Channel><Row>{0}</Row><Col>{0}</Col>'
    '<MeanImg type_id="opencv-matrix"><rows>1</rows><cols>{1}</cols><dt>f</dt><data>{2}</data></MeanImg></opencv_storage>'  # noqa: E501
)


@functools.cache
def folder() -> Path:
    """Pictures like photographs: smooth shapes with some noise; a map file; a mean image."""
    from PIL import Image

    made = tempfile.TemporaryDirectory(prefix="cntk-pictures-")
    atexit.register(made.cleanup)
    target = Path(made.name)
    rng = np.random.default_rng(0)
    lines = []
    for k in range(COUNT):
        coarse = Image.fromarray(rng.integers(0, 256, (12, 12, 3), np.uint8))
        smooth = np.asarray(coarse.resize((SIZE, SIZE), Image.Resampling.BICUBIC), np.float32)
        noisy = np.clip(smooth + rng.normal(0, 8, smooth.shape), 0, 255).astype(np.uint8)
        Image.fromarray(noisy).save(target / f"{k}.jpg", quality=90)
        lines.append(f"{target}/{k}.jpg\t{k % 10}\n")
    (target / "map.txt").write_text("".join(lines))
    count = 3 * SCALED * SCALED
    (target / "mean.xml").write_text(XML.format(SCALED, count, " ".join([str(MEAN)] * count)))
    return target


class Pictures(torch.utils.data.Dataset):
    """The same with Pillow."""

    def __init__(self, files: list[str]) -> None:
        self.files = files
        self.mean = np.full((3, SCALED, SCALED), MEAN, np.float32)

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, number: int) -> tuple[np.ndarray, int]:
        from PIL import Image

        rng = np.random.default_rng()
        with Image.open(self.files[number]) as image:
            pixels = image.convert("RGB")
        side = int(min(pixels.size) * rng.uniform(0.8, 1.0))
        left, top = (int(rng.integers(n - side + 1)) for n in pixels.size)
        box = (left, top, left + side, top + side)
        scaled = np.asarray(pixels.resize((SCALED, SCALED), Image.Resampling.BILINEAR, box))
        if rng.integers(2):
            scaled = scaled[:, ::-1]
        return np.ascontiguousarray(scaled.transpose(2, 0, 1), np.float32) - self.mean, number % 10


def build() -> Contestants:
    where = folder()
    files = [str(where / f"{k}.jpg") for k in range(COUNT)]
    loader = torch.utils.data.DataLoader(
        Pictures(files), BATCH, shuffle=True, num_workers=WORKERS, persistent_workers=True
    )

    def pytorch(steps: int) -> None:
        for _ in range(steps):
            for images, _labels in loader:
                images.sum()

    steps_of = [
        transforms.crop(crop_type="randomside", side_ratio=(0.8, 1.0), jitter_type="uniratio"),
        transforms.scale(SCALED, SCALED, 3),
        transforms.mean(str(where / "mean.xml")),
    ]
    streams = StreamDefs(
        image=StreamDef("image", transforms=steps_of), label=StreamDef("label", shape=10)
    )
    source = MinibatchSource(ImageDeserializer(str(where / "map.txt"), streams))

    def cntk(steps: int) -> None:
        for _ in range(steps * COUNT // BATCH):
            source.next_minibatch(BATCH)

    return Contestants(pytorch, cntk)


Build = Callable[[], Contestants]
WORKLOADS = [
    Workload(
        "pictures",
        "256 JPEG files of 256 x 256: crop, scale, mean; DataLoader with two workers",
        build,
    )
]
