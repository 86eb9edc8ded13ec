"""Runs examples of Keras 2.3.1 on real data, cut down to minutes, and compares them with CNTK 2.7.

The data come from the folder that CNTK_TEST_DATA names (see data.py), the examples from Keras's
source distribution. A copy of each gets fewer epochs and samples; nothing else in it is changed.
`examples.json` has what CNTK 2.7 reached with the same copies, and the CPU time it took on the
machine that `docs/keras.md` names.

    CNTK_TEST_DATA=folder python tests/keras/examples.py                      all of them
    CNTK_TEST_DATA=folder python tests/keras/examples.py mnist_mlp babi_memnn
    CNTK_TEST_DATA=folder python tests/keras/examples.py --with PYTHON        by another
    interpreter, as it is: one
                                                                              that has CNTK 2.7 and
                                                                              Keras; written down
Exit status: 0 if each reaches what it should, 1 otherwise.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent.parent)]

from tests.keras.data import make  # noqa: E402
from tests.keras.run import CACHE, environment, fetch_packages, fetch_source  # noqa: E402

HOME = CACHE / "data"
"""Not the home of the tests, which remove data whose checksum is another."""
ORIGINAL = HERE / "examples.json"
SEED = 1
SECONDS = 3600

# What is put after the first import, and after the last line.
BEFORE = f"""
import json as _json, time as _time
import numpy as _numpy
import keras.utils.data_utils as _data_utils
_data_utils.validate_file = lambda *_, **__: True  # the files are made of fewer data
import cntk as _cntk
if hasattr(_cntk.cntk_py, 'set_dropout_compatibility'):  # masks as CNTK 2.7 draws them, to compare numbers
    _cntk.cntk_py.set_dropout_compatibility(True)
_numpy.random.seed({SEED})
_started = _time.process_time()
"""  # noqa: E501
AFTER = """
_history = {name: [float(value) for value in values] for name, values in model.history.history.items()}
print('RESULT ' + _json.dumps({'history': _history, 'seconds': _time.process_time() - _started}))
"""  # noqa: E501
FUTURE = "from __future__ import print_function\n"


@dataclass(frozen=True)
class Example:
    """An example, cut down.

    Attributes:
        cuts: what is replaced in it.
        metric: the entry of the history whose last value counts.
        least: what that has to reach.
        within: how far it may be from the original's.
    """

    cuts: dict[str, str]
    metric: str
    least: float
    within: float


def few(load: str, train: int, test: int) -> dict[str, str]:
    """Return the cut that keeps the first samples alone."""
    line = f"(x_train, y_train), (x_test, y_test) = {load}\n"
    kept = (
        f"x_train, y_train, x_test, y_test = x_train[:{train}], y_train[:{train}], "
        f"x_test[:{test}], y_test[:{test}]\n"
    )
    return {line: line + kept}


IMDB = "imdb.load_data(num_words=max_features)"
EXAMPLES = {
    "mnist_mlp": Example(
        {
            "epochs = 20": "epochs = 2",
            "(60000, 784)": "(12000, 784)",
            "(10000, 784)": "(2000, 784)",
            **few("mnist.load_data()", 12000, 2000),
        },
        "val_accuracy",
        0.9,
        0.003,
    ),
    "mnist_cnn": Example(
        {"epochs = 12": "epochs = 1", **few("mnist.load_data()", 4000, 1000)},
        "val_accuracy",
        0.8,
        0.003,
    ),
    # Threads draw random numbers for the pictures: no run is quite like another.
    "cifar10_cnn": Example(
        {"epochs = 100": "epochs = 2", **few("cifar10.load_data()", 1500, 500)},
        "val_accuracy",
        0.11,
        0.05,
    ),
    "reuters_mlp": Example({}, "val_accuracy", 0.9, 0.003),
    "imdb_fasttext": Example(
        {"epochs = 5": "epochs = 4", **few(IMDB, 2500, 1000)}, "val_accuracy", 0.6, 0.003
    ),
    "imdb_lstm": Example(
        {"epochs=15": "epochs=2", **few(IMDB, 2000, 500)}, "val_accuracy", 0.6, 0.003
    ),
    "imdb_bidirectional_lstm": Example(
        {"epochs=4": "epochs=2", **few(IMDB, 2000, 500)}, "val_accuracy", 0.6, 0.003
    ),
    "babi_memnn": Example({"epochs=120": "epochs=6"}, "val_accuracy", 0.15, 0.003),
    # Lengths are given: where they are not, the loss of Keras 2.3.1 fails with CNTK 2.7 as well.
    "lstm_seq2seq": Example(
        {
            "Input(shape=(None, "
            "num_encoder_tokens))": "Input(shape=(max_encoder_seq_length, num_encoder_tokens))",
            "Input(shape=(None, "
            "num_decoder_tokens))": "Input(shape=(max_decoder_seq_length, num_decoder_tokens))",
            "# Define sampling models\n": "decoder_inputs = Input(shape=(1, num_decoder_tokens))\n",
            "epochs = 100": "epochs = 4",
            "range(100)": "range(2)",
            "num_samples = 10000": "num_samples = 600",
        },
        "val_accuracy",
        0.3,
        0.003,
    ),
    "addition_rnn": Example(
        {"TRAINING_SIZE = 50000": ("TRAINING_SIZE = 4000"), "range(1, 200)": "range(1, 4)"},
        "val_accuracy",
        0.3,
        0.003,
    ),
}


def cut(example: str, source: Path) -> str:
    """Return the text of an example, cut down, with what it is measured by.

    Raises:
        ValueError: a cut does not fit the text.
    """
    text = (source / "examples" / f"{example}.py").read_text(encoding="utf-8")
    for old, new in {FUTURE: FUTURE + BEFORE, **EXAMPLES[example].cuts}.items():
        if text.count(old) != 1:
            raise ValueError(f"{example}: has {text.count(old)} times {old!r}, not once")
        text = text.replace(old, new)
    return text + AFTER


def run(example: str, source: Path, python: str | None) -> dict[str, Any]:
    """Run an example by this package, or by another interpreter as it is; return its history and
    its CPU time in seconds.
    """
    with tempfile.TemporaryDirectory() as tmp:
        folder, name = Path(tmp), f"{example}.py"
        (folder / name).write_text(cut(example, source), encoding="utf-8")
        (folder / "fra-eng").mkdir()
        shutil.copy(HOME / "datasets/fra-eng/fra.txt", folder / "fra-eng")
        env = environment(PYTHONIOENCODING="utf-8", KERAS_HOME=str(HOME))
        if python:
            env.pop("PYTHONPATH")
        command = (
            [python, name] if python else [sys.executable, "-m", "cntk", "run", "--quiet", name]
        )
        done = subprocess.run(
            command,
            cwd=folder,
            env=env,
            text=True,
            encoding="utf-8",
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    results = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    if done.returncode or not results:
        raise RuntimeError(
            f"{example} ended with {done.returncode}:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
        )
    found: dict[str, Any] = json.loads(results[-1].partition(" ")[2])
    return found


def judge(example: str, found: dict[str, Any], original: dict[str, Any] | None) -> bool:
    """Print a line about what an example reached; return whether that is enough."""
    due = EXAMPLES[example]
    reached, seconds = found["history"][due.metric][-1], found["seconds"]
    line = f"{example:24s} {due.metric} {reached:.4f}, {seconds:6.1f} s"
    good = reached >= due.least
    if original:
        other = original["history"][due.metric][-1]
        good = good and abs(reached - other) <= due.within
        line += (
            f"; the original {other:.4f}, {original['seconds']:6.1f} s; "
            f"{original['seconds'] / seconds:.1f} times as fast"
        )
    print(
        line if good else f"{line}  NOT ENOUGH (at least {due.least}, within {due.within})",
        flush=True,
    )
    return good


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="examples; all of them if none is given"
    )
    parser.add_argument(
        "--with", dest="python", metavar="PYTHON", help="an interpreter with CNTK 2.7 and Keras"
    )
    args = parser.parse_args()
    data = os.environ.get("CNTK_TEST_DATA")
    if not data:
        parser.error("CNTK_TEST_DATA names no folder of data")
    unknown = set(args.names) - EXAMPLES.keys()
    if unknown:
        parser.error(
            f"no such example: {', '.join(sorted(unknown))}; there are {', '.join(EXAMPLES)}"
        )
    source = fetch_source()
    fetch_packages()
    make(Path(data), HOME)
    originals = json.loads(ORIGINAL.read_text(encoding="utf-8")) if ORIGINAL.exists() else {}
    good = True
    for example in args.names or EXAMPLES:
        found = run(example, source, args.python)
        good &= judge(example, found, None if args.python else originals.get(example))
        if args.python:
            originals[example] = found
            ORIGINAL.write_text(
                json.dumps(originals, indent=1, sort_keys=True) + "\n", encoding="utf-8"
            )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
