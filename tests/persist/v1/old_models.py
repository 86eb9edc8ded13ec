"""Model files that people have from earlier versions of CNTK: where they lie, what they are fed,
what they compute.

The code runs under Python 3.6, the original's, as well.
"""

import os
import tarfile
import zlib

import numpy as np

import cntk as C

NAMES = [
    "01_OneHidden.dnn",
    "ASGD_Resnet.model.1",
    "LR_reg.dnn",
    "MC.dnn",
    "ResNet20_CIFAR10_DataAug.dnn",
    "batch.norm.no.sample.count.v1.bin",
    "batch.norm.no.sample.count.v2.bin",
    "cifar10.ResNet.cmf",
    "cifar10.pretrained.cmf",
    "initial_policy_network.dnn",
    "resnet20_meanimage_159.dnn",
    "slu_sentence_tagging.cmf",
]
# Of a long result only so many elements are compared, from all parts of it.
MOST = 24


def found(folder, into):
    """The paths of the files that are there, by name: in an archive, which is unpacked, or beside
    it.
    """
    paths = {}
    archive = os.path.join(folder, "old_models.tar.xz")
    if os.path.exists(archive):
        with tarfile.open(archive) as packed:
            for member in packed:
                paths[os.path.basename(member.name)] = path = os.path.join(
                    into, os.path.basename(member.name)
                )
                with open(path, "wb") as file:
                    file.write(packed.extractfile(member).read())
    for place in (
        os.path.join(folder, "old_models"),
        os.path.join(folder, os.pardir, "faults", "files"),
    ):
        for name in os.listdir(place) if os.path.isdir(place) else []:
            paths[name] = os.path.join(place, name)
    return paths


def feed(function):
    """Two samples, or two sequences of three and two frames, for each argument; labels are
    one-hot.
    """
    result = {}
    for variable in function.arguments:
        rng = np.random.RandomState(zlib.crc32(variable.name.encode()) % 2**31)
        is_long = len(variable.dynamic_axes) > 1 and variable.dynamic_axes[1].name == "n"
        size = int(np.prod(variable.shape))
        rows = rng.uniform(0, 1, (5 if is_long else 2, size))
        if "abel" in variable.name:
            rows = rows == rows.max(1, keepdims=True) if size > 1 else rows > 0.5
        array = rows.astype(np.float32).reshape((len(rows),) + tuple(variable.shape))  # noqa: RUF005
        result[variable] = [array[:3], array[3:]] if is_long else [a[None] for a in array]
    return result


def numbers(value):
    """Some elements of a result, and how many there are."""
    parts = value if isinstance(value, list) else [value]
    flat = np.concatenate([np.ravel(np.asarray(part)) for part in parts])
    step = max(1, flat.size // MOST)
    return [int(flat.size)] + [float("%.6g" % x) for x in flat[::step][:MOST]]  # noqa: UP031


def outputs(function):
    """For each output by its name what it computes, or None if the original refuses to, and its
    shape.
    """
    result = {}
    for k, output in enumerate(function.outputs):
        alone = C.combine([output])
        try:
            computed = numbers(alone.eval(feed(alone)))
        except (RuntimeError, ValueError):
            computed = None
        result[output.name or str(k)] = {"shape": list(output.shape), "numbers": computed}
    return result
