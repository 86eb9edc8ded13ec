"""What a user does first, with the package as it is installed and nothing but what it needs.

`run.py` has it run in such an environment, in an empty folder; it says in one line what is wrong.
"""

from __future__ import annotations

import importlib
import logging
import pkgutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

import cntk as C

# Modules that need an extra, or another library that programs for the original bring along.
NEEDING_MORE = {
    "cntk._cli.demo": "rich",
    "cntk._cli.picture": "matplotlib",
    "cntk.io._native.compiled": "numba",
    "cntk.io._native.jit": "numba",
    "cntk.io._native.rows": "numba",
    "cntk.io._native.text": "numba",
    "cntk._old_programs.sklearn.cross_validation": "sklearn",
    "cntk._old_programs.sklearn.functions": "sklearn",
    "cntk._old_programs.sklearn.testing": "sklearn",
}
EXTRAS = ("PIL", "matplotlib", "ml_dtypes", "numba", "onnx", "pyarrow", "pytest", "rich", "sklearn")
SIZE, CLASSES = 3, 2


def check_environment() -> None:
    expect(Path(sys.prefix) in Path(C.__file__).parents, f"cntk was imported from {C.__file__}")
    there = [name for name in EXTRAS if importlib.util.find_spec(name) is not None]
    expect(not there, f"what was to be left out is there: {there}")


def check_modules() -> None:
    """Every module can be imported, but for those that need an extra."""
    failed = {}
    for module in pkgutil.walk_packages(C.__path__, "cntk."):
        if module.name.rpartition(".")[2] == "__main__":
            continue
        try:
            importlib.import_module(module.name)
        except ModuleNotFoundError as error:
            failed[module.name] = error.name
    wrong = set(failed.items()) ^ set(NEEDING_MORE.items())
    expect(not wrong, f"an import needs what is not declared, or no longer does: {sorted(wrong)}")


def check_training(
    model: C.Function, features: C.Variable, data: object, classes: list[int]
) -> None:
    """Train, evaluate, save, and load."""
    label = C.input_variable(CLASSES)
    losses = C.cross_entropy_with_softmax(model, label), C.classification_error(model, label)
    learner = C.adam(model.parameters, C.learning_parameter_schedule(0.1), C.momentum_schedule(0.9))
    trainer = C.Trainer(model, losses, [learner])
    marks = np.eye(CLASSES, dtype=np.float32)[classes]
    for _ in range(60):
        trainer.train_minibatch({features: data, label: marks})
    error = trainer.previous_minibatch_evaluation_average
    expect(error == 0, f"training leaves an error of {error}")
    model.save("trained.model")
    trainer.save_checkpoint("trained.checkpoint")
    expected = model.eval({features: data})
    loaded = C.load_model("trained.model")
    expect(np.array_equal(loaded.eval({loaded.arguments[0]: data}), expected), "loads otherwise")
    trainer.restore_from_checkpoint("trained.checkpoint")


def check_dense() -> None:
    features = C.input_variable(SIZE)
    model = C.layers.Sequential([C.layers.Dense(8, C.tanh), C.layers.Dense(CLASSES)])(features)
    classes = [k % CLASSES for k in range(20)]
    data = np.array([[k, 1 - k, 1] for k in classes], np.float32)
    check_training(model, features, data, classes)


def check_sequences() -> None:
    features = C.sequence.input_variable(SIZE)
    recurrence = C.layers.Recurrence(C.layers.LSTM(8))
    layers = [recurrence, C.sequence.last, C.layers.Dense(CLASSES)]
    model = C.layers.Sequential(layers)(features)
    classes = [k % CLASSES for k in range(8)]
    data = [np.full((2 + k, SIZE), 2 * c - 1, np.float32) for k, c in enumerate(classes)]
    check_training(model, features, data, classes)


def check_reading() -> None:
    """A text of 6 MB is read without compiled code, and the log says once what would be faster."""
    said: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger("cntk").addHandler(handler)
    logging.getLogger("cntk").setLevel(logging.INFO)
    lines, width = 6000, 500
    row = " ".join(str(k % 10) for k in range(width))
    Path("data.ctf").write_text("".join(f"|x {k % 7} {row}\n" for k in range(lines)))
    streams = C.io.StreamDefs(x=C.io.StreamDef("x", width + 1))
    for _ in range(2):
        source = C.io.MinibatchSource(C.io.CTFDeserializer("data.ctf", streams), max_sweeps=1)
        first = source.next_minibatch(lines)[source.streams.x].asarray().reshape(lines, -1)[:, 0]
        expect(int(first.sum()) == sum(k % 7 for k in range(lines)), "text is not read as it is")
    helpful = [line for line in said if "pip install 'cntk-torch[fast]'" in line]
    expect(len(helpful) == 1, f"the log does not say once how to read faster: {said}")


def check_extras() -> None:
    """What needs an extra says in one line how to get it."""
    demo = subprocess.run(
        [sys.executable, "-I", "-m", "cntk", "demo"], capture_output=True, text=True, check=False
    )
    expect(demo.returncode == 2, f"the demo's exit code is {demo.returncode}")
    expect_hint("python -m cntk demo", demo.stderr.rstrip("\n"), "demo")
    streams = C.io.StreamDefs(x=C.io.StreamDef("x", 1))
    pictures = C.io.StreamDefs(x=C.io.StreamDef("image"), y=C.io.StreamDef("label", shape=2))
    Path("map.txt").write_text("none.png\t0\n")
    screen = np.zeros((210, 160, 3), np.uint8)
    from cntk.contrib.deeprl.agent.shared.preprocessing import AtariPreprocessing

    tries: list[tuple[str, Callable[[], object]]] = [
        ("arrow", lambda: C.io.ArrowDeserializer("none.arrow", streams)),
        ("bfloat16", lambda: C.input_variable(1, dtype="bfloat16")),
        ("demo", lambda: C.logging.graph.plot(C.input_variable(1) + 1, "graph.png")),
        ("image", lambda: read_picture(pictures)),
        ("image", lambda: AtariPreprocessing((210, 160, 3), 1).preprocess(screen)),
    ]
    for extra, call in tries:
        try:
            call()
        except ImportError as error:
            expect_hint(f"what needs {extra}", str(error), extra)
        else:
            expect(False, f"what needs {extra} says nothing without it")


def read_picture(streams: C.io.StreamDefs) -> object:
    return C.io.MinibatchSource(C.io.ImageDeserializer("map.txt", streams)).next_minibatch(1)


def expect_hint(what: str, text: str, extra: str) -> None:
    wanted = f"cntk-torch[{extra}]"
    is_one_line = "\n" not in text and "pip install" in text and wanted in text
    expect(is_one_line, f"{what} is to say in one line how to install {wanted}, and says: {text}")


def expect(is_so: bool, complaint: str) -> None:
    if not is_so:
        sys.exit(f"installed package: {complaint}")


def main() -> None:
    for check in (
        check_environment,
        check_dense,
        check_sequences,
        check_reading,
        check_extras,
        check_modules,
    ):
        check()
        print(f"  {check.__name__.removeprefix('check_')}: well", flush=True)


if __name__ == "__main__":
    main()
