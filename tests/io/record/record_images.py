"""Write down what the original makes of the images in `image_cases.py`: run it there, from an empty
folder.

<interpreter of the original> record_images.py

The original's reader of images needs libraries of its time (libjpeg 8, libpng 1.2, libtiff 5,
libjasper 1). Bitmaps are read without them, so that libraries which only have the names of their
functions will do.
"""

import os
import sys

import numpy as np
from PIL import Image

from cntk.io import ImageDeserializer, MinibatchSource, StreamDef, StreamDefs, transforms

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(HERE, "cases"))
from image_cases import CASES, pixels, write_mean  # noqa: E402


def record(number, case):
    Image.fromarray(pixels(case.size, number)).save("image.bmp")
    with open("map.txt", "w") as file:
        file.write("image.bmp\t0\n")
    steps = [
        getattr(transforms, name)(**({"filename": "mean.xml"} if name == "mean" else given))
        for name, given in case.transforms
    ]
    streams = StreamDefs(
        image=StreamDef("image", transforms=steps), label=StreamDef("label", shape=2)
    )
    source = MinibatchSource(ImageDeserializer("map.txt", streams), randomize=False)
    sample = source.next_minibatch(1)[source.streams.image].asarray()[0, 0]
    whole = sample.astype(np.uint8)
    return whole if (whole == sample).all() else sample


write_mean("mean.xml")
found = {}
for number, case in enumerate(CASES):
    try:
        found[case.name] = record(number, case)
    except RuntimeError:
        found[case.name] = np.zeros(0, np.uint8)  # The original cannot do this.
np.savez_compressed(os.path.join(HERE, "golden", "images_of_the_original.npz"), **found)
