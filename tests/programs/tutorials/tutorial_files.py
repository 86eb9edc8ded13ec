"""What programs in the manner of the original's tutorials share: files that readers read, and how
they look on.

Runs with the original too, on Python 3.6.
"""

import os
import re
from struct import pack

import numpy as np


def write_text(folder, name, lines):
    """A file of these lines; gives its path."""
    path = os.path.join(folder, name)
    with open(path, "w") as file:
        file.writelines(line + "\n" for line in lines)
    return path


def dense(name, numbers):
    """A field of a line in the text format."""
    return "|" + name + " " + " ".join("%.6g" % number for number in numbers)


def sparse(name, index):
    """A one-hot field of a line in the text format."""
    return "|{} {}:1".format(name, index)


def write_samples(folder, name, features, labels):
    """Samples in the text format, `labels` before `features`, both dense."""
    lines = [
        dense("labels", label) + " " + dense("features", feature)
        for feature, label in zip(features, labels)
    ]
    return write_text(folder, name, lines)


def write_sequences(folder, name, **fields):
    """Sequences in the text format: each field a list of sequences of indices, which may differ in
    length.
    """
    lines = []
    for number, sequences in enumerate(zip(*fields.values())):
        for row in range(max(len(sequence) for sequence in sequences)):
            told = [
                sparse(field, seq[row]) for field, seq in zip(fields, sequences) if row < len(seq)
            ]
            lines.append(" ".join([str(number)] + told))
    return write_text(folder, name, lines)


def write_images(folder, name, images, classes):
    """Images [height x width x RGB] as bitmaps, and a file that maps them to classes; gives its
    path.

    The original reads bitmaps without the libraries of its time.
    """
    lines = []
    for number, (image, label) in enumerate(zip(images, classes)):
        path = os.path.join(folder, f"{name}_{number}.bmp")
        with open(path, "wb") as file:
            file.write(_bitmap(image))
        lines.append(f"{path}\t{label}")
    return write_text(folder, name + "_map.txt", lines)


def _bitmap(image):
    height, width, _ = image.shape
    padding = bytes(-3 * width % 4)
    rows = b"".join(row[:, ::-1].astype(np.uint8).tobytes() + padding for row in image[::-1])
    head = pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, len(rows), 2835, 2835, 0, 0)
    return b"BM" + pack("<IHHI", 54 + len(rows), 0, 0, 54) + head + rows


def write_mean(folder, name, mean):
    """A mean image [channels x height x width] as the original's tools write it, for OpenCV."""
    channels, height, width = mean.shape
    lines = ['<?xml version="1.0" ?>', "<opencv_storage>"]
    lines += ["<Channel>%d</Channel><Row>%d</Row><Col>%d</Col>" % (channels, height, width)]
    lines += [
        '<MeanImg type_id="opencv-matrix"><rows>1</rows><cols>%d</cols><dt>f</dt>' % mean.size
    ]
    lines += ["<data>" + " ".join("%.6f" % number for number in mean.ravel()) + "</data></MeanImg>"]
    return write_text(folder, name, [*lines, "</opencv_storage>"])


def averages(trainer):
    """Loss and metric of the last minibatch."""
    return [trainer.previous_minibatch_loss_average, trainer.previous_minibatch_evaluation_average]


def numbers_in_log(folder, name):
    """What progress printers wrote into files: numbers of samples, losses and metrics; names of
    files are counted.
    """
    names = sorted(found for found in os.listdir(folder) if found.startswith(name))
    numbers = [len(names)]
    for found in names:
        with open(os.path.join(folder, found)) as file:
            text = file.read()
        for line in text.splitlines():
            for loss, count in re.findall(r"(?:loss|metric) = (\S+?)%? \* (\d+)", line):
                numbers += [float(loss), int(count)]
    return numbers
