"""What programs in the manner of the original's tutorials share: files that readers read, and how they look on.

Runs with the original too, on Python 3.6.
"""

import os
import zlib
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
    lines = [dense("labels", label) + " " + dense("features", feature) for feature, label in zip(features, labels)]
    return write_text(folder, name, lines)


def write_sequences(folder, name, **fields):
    """Sequences in the text format: each field a list of sequences of indices, which may differ in length."""
    lines = []
    for number, sequences in enumerate(zip(*fields.values())):
        for row in range(max(len(sequence) for sequence in sequences)):
            told = [sparse(field, seq[row]) for field, seq in zip(fields, sequences) if row < len(seq)]
            lines.append(" ".join([str(number)] + told))
    return write_text(folder, name, lines)


def write_images(folder, name, images, classes):
    """Images [height x width x RGB] as PNG files, and a file that maps them to classes; gives its path."""
    lines = []
    for number, (image, label) in enumerate(zip(images, classes)):
        path = os.path.join(folder, "{}_{}.png".format(name, number))
        with open(path, "wb") as file:
            file.write(_png(image))
        lines.append("{}\t{}".format(path, label))
    return write_text(folder, name + "_map.txt", lines)


def _png(image):
    height, width, _ = image.shape
    rows = b"".join(b"\0" + row.tobytes() for row in np.ascontiguousarray(image, np.uint8))
    parts = (b"IHDR", pack(">2I5B", width, height, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")
    chunks = [pack(">I", len(data)) + kind + data + pack(">I", zlib.crc32(kind + data)) for kind, data in parts]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def write_mean(folder, name, mean):
    """A mean image [channels x height x width] as the original's tools write it, for OpenCV."""
    channels, height, width = mean.shape
    lines = ["<?xml version='1.0' encoding='utf-8'?>", "<opencv_storage>"]
    lines += ["<Channel>%d</Channel><Row>%d</Row><Col>%d</Col>" % (channels, height, width)]
    lines += ['<MeanImg type_id="opencv-matrix"><rows>1</rows><cols>%d</cols><dt>f</dt>' % mean.size]
    lines += ["<data>" + " ".join("%.6f" % number for number in mean.ravel()) + "</data></MeanImg>"]
    return write_text(folder, name, [*lines, "</opencv_storage>"])


def averages(trainer):
    """Loss and metric of the last minibatch."""
    return [trainer.previous_minibatch_loss_average, trainer.previous_minibatch_evaluation_average]
