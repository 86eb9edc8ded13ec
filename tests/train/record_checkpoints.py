"""Records checkpoints that the original CNTK 2.7 saves, and the losses with which it goes on.

Run from the root of the repository, by an interpreter that has the original:
`python -m tests.train.record_checkpoints`. Writes golden_checkpoints.npz beside this file: for each
of `checkpoint_programs.learners` both files as bytes, and losses and metrics of the minibatches
after them.
"""

import os
import shutil
import tempfile

import numpy as np

import cntk as C
from tests.train.checkpoint_programs import (
    MINIBATCHES,
    SAVED_AFTER,
    external,
    learners,
    losses,
    trainer,
)


def content(path):
    with open(path, "rb") as file:
        return np.frombuffer(file.read(), np.uint8)


if __name__ == "__main__":
    if C.__version__ != "2.7":
        raise SystemExit(
            "only the original CNTK 2.7 may record reference values; this is " + C.__version__
        )
    results, directory = {}, tempfile.mkdtemp()
    try:
        for name in sorted(learners(C)):
            C.cntk_py.reset_random_seed(40)
            inputs, training = trainer(C, name)
            losses(training, inputs, 0, SAVED_AFTER)
            path = os.path.join(directory, name)
            training.save_checkpoint(path, external(name))
            results[name + "/model"], results[name + "/state"] = (
                content(path),
                content(path + ".ckp"),
            )
            results[name + "/losses"] = losses(training, inputs, SAVED_AFTER, MINIBATCHES)
    finally:
        shutil.rmtree(directory)
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden_checkpoints.npz")
    np.savez_compressed(path, **results)
    print(len(results) // 3, "checkpoints,", os.path.getsize(path), "bytes")
