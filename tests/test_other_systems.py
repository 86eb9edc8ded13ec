"""What Windows and macOS lack is used nowhere without a way around it.

No such machine takes part in the tests. The sources are read for modules and names that other
systems do not have, and a training runs in a process that pretends to lack them.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pretended_windows import POSIX_MODULES, PRETENDING, WITHOUT_TORCH

SOURCE = Path(__file__).resolve().parent.parent / "src"

# Names of `os` and `signal` that are not there, or not everywhere.
POSIX_NAMES = frozenset(
    f"os.{name}"
    for name in (
        "O_CLOEXEC",
        "O_DIRECTORY",
        "O_DSYNC",
        "O_NOFOLLOW",
        "O_NONBLOCK",
        "O_SYNC",
        "chown",
        "chroot",
        "fchmod",
        "fchown",
        "fork",
        "forkpty",
        "getegid",
        "geteuid",
        "getgid",
        "getgroups",
        "getloadavg",
        "getpgid",
        "getuid",
        "killpg",
        "lchown",
        "mkfifo",
        "nice",
        "posix_fadvise",
        "pread",
        "pwrite",
        "sched_getaffinity",
        "setsid",
        "sync",
        "sysconf",
        "uname",
        "wait",
    )
) | {
    f"signal.{name}"
    for name in ("SIGALRM", "SIGHUP", "SIGKILL", "SIGUSR1", "SIGUSR2", "alarm", "setitimer")
}

FILES = sorted(SOURCE.rglob("*.py"))


def posix_only(text: str) -> Iterator[str]:
    """What a source uses that other systems lack, but for what stands behind a look whether it is
    there.
    """
    tree = ast.parse(text)
    asked = {
        f"{call.args[0].id}.{call.args[1].value}"
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id in ("hasattr", "getattr")
        and isinstance(call.args[0], ast.Name)
        and isinstance(call.args[1], ast.Constant)
    }
    guarded = {
        node
        for block in ast.walk(tree)
        if isinstance(block, ast.Try)
        and any(_catches(h, "ImportError", "OSError") for h in block.handlers)
        for statement in block.body
        for node in ast.walk(statement)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found = [
                alias.name for alias in node.names if alias.name.split(".")[0] in POSIX_MODULES
            ]
        elif isinstance(node, ast.ImportFrom):
            found = (
                [node.module or ""] if (node.module or "").split(".")[0] in POSIX_MODULES else []
            )
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            name = f"{node.value.id}.{node.attr}"
            found = [name] if name in POSIX_NAMES - asked else []
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and node.value.startswith(("/proc", "/dev", "/sys/"))
        ):
            found = [node.value]
        else:
            continue
        if node not in guarded:
            yield from found


def _catches(handler: ast.ExceptHandler, *names: str) -> bool:
    return handler.type is None or any(
        isinstance(n, ast.Name) and n.id in names for n in ast.walk(handler.type)
    )


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(SOURCE)))
def test_nothing_is_used_that_other_systems_lack(file: Path) -> None:
    assert list(posix_only(file.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import fcntl", ["fcntl"]),
        ("from resource import getrusage", ["resource"]),
        ("import os\nos.open('a', os.O_DIRECTORY)", ["os.O_DIRECTORY"]),
        ("open('/proc/cpuinfo')", ["/proc/cpuinfo"]),
        ("import os\nif hasattr(os, 'O_DIRECTORY'):\n    os.open('a', os.O_DIRECTORY)", []),
        ("try:\n    import fcntl\nexcept ImportError:\n    fcntl = None", []),
        ("try:\n    open('/proc/cpuinfo')\nexcept OSError:\n    pass", []),
        ("def f():\n    import pwd", ["pwd"]),
    ],
)
def test_what_the_search_finds(text: str, found: list[str]) -> None:
    assert list(posix_only(text)) == found


PROGRAM = (
    PRETENDING
    + """
import multiprocessing
import pkgutil
import numpy as np
import cntk as C
import cntk

def trainer_of(model, loss):
    return C.Trainer(model, loss, C.adam(model.parameters, 0.01, 0.9))

def criterion():
    x, y = C.sequence.input_variable(2, name="x"), C.sequence.input_variable(3, is_sparse=True, name="y")
    model = C.layers.Sequential([C.layers.Recurrence(C.layers.LSTM(4)), C.layers.Dense(3)])(x)
    return model, C.cross_entropy_with_softmax(model, y)

def train(trainer, reader, minibatches):
    losses = []
    for _ in range(minibatches):
        arguments = {a: reader.streams[a.name] for a in trainer.loss_function.arguments}
        trainer.train_minibatch(reader.next_minibatch(8, arguments))
        losses.append(trainer.previous_minibatch_loss_average)
    return losses

def resume(deserializer, checkpoint, minibatches):
    reader, trainer = C.io.MinibatchSource(deserializer, max_sweeps=4), trainer_of(*criterion())
    reader.restore_from_checkpoint(trainer.restore_from_checkpoint(checkpoint)["reader"])
    return train(trainer, reader, minibatches)

def resume_apart(answer, *arguments):
    answer.send(resume(*arguments))

def main():
    for module in pkgutil.walk_packages(cntk.__path__, "cntk."):
        try:
            if module.name != "cntk.__main__":
                __import__(module.name)
        except ModuleNotFoundError as error:  # An extra that is not installed.
            if error.name.split(".")[0] in ("cntk", *POSIX):
                raise
    with open("data.txt", "w", newline="\\r\\n") as file:
        for k in range(40):
            file.write(f"{k // 4} |x {k % 7} {k % 5} |y {k % 3}:1\\n")
    streams = C.io.StreamDefs(
        x=C.io.StreamDef(field="x", shape=2), y=C.io.StreamDef(field="y", shape=3, is_sparse=True)
    )
    text = C.io.CTFDeserializer("data.txt", streams)
    text["cacheIndex"] = True
    C.io.text_to_binary("data.txt", "data.bin", streams)

    # What is being read is replaced.
    reader, read = C.io.MinibatchSource(text, max_sweeps=4), C.io.MinibatchSource(C.io.CBFDeserializer("data.bin"))
    read.next_minibatch(4)
    C.io.text_to_binary("data.txt", "data.bin", streams)
    os.replace("data.txt", "moved.txt")
    os.replace("moved.txt", "data.txt")
    read.next_minibatch(4)

    model, loss = criterion()
    first = trainer_of(model, loss)
    train(first, reader, 5)
    for _ in range(2):
        first.save_checkpoint("state.dnn", {"reader": reader.get_checkpoint_state()})
    rest = train(first, reader, 5)
    assert resume(text, "state.dnn", 5) == rest
    first.save_checkpoint("state.dnn")

    model.save("a.model")
    loaded = C.load_model("a.model")
    loaded.save("a.model")
    data = [np.ones((3, 2), np.float32)]
    np.testing.assert_array_equal(C.load_model("a.model").eval(data), model.eval(data))

    # A process that is spawned gets what is pickled, and goes on from a checkpoint as this one.
    reader, trainer = C.io.MinibatchSource(text, max_sweeps=4), trainer_of(*criterion())
    train(trainer, reader, 5)
    trainer.save_checkpoint("other.dnn", {"reader": reader.get_checkpoint_state()})
    here, there = multiprocessing.Pipe()
    child = multiprocessing.get_context("spawn").Process(target=resume_apart, args=(there, text, "other.dnn", 5))
    child.start()
    there.close()
    assert here.recv() == train(trainer, reader, 5)
    child.join()
    print("trained", *sorted(os.listdir()))

if __name__ == "__main__":
    main()
"""  # noqa: E501
)


@pytest.mark.slow
def test_a_training_where_posix_is_not(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(program)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    files = (
        "a.model data.bin data.txt data.txt.index other.dnn other.dnn.ckp program.py state.dnn "
        "state.dnn.ckp"
    )
    assert done.stdout.splitlines()[-1:] == [f"trained {files}"], done.stderr[-3000:]


REFUSED = (
    WITHOUT_TORCH
    + """
def refused(kind, function, *arguments):
    try:
        function(*arguments)
    except kind as error:
        return error.errno in (13, 22)

import numpy as np
for name in ("a", "b"):
    np.arange(3.0).tofile(name)
held = open("a", "rb")
assert refused(PermissionError, os.replace, "b", "a") and refused(PermissionError, os.remove, "a")
held.close()
mapped = np.memmap("a", np.uint8, "r")
assert refused(PermissionError, os.replace, "b", "a") or not os.path.isdir("/proc/self/fd")
del mapped
for name in ("a:b", "con", "NUL.txt", "a.", "a ", "a?", "a|b"):
    assert refused(OSError, open, name, "w") and refused(OSError, os.open, name, os.O_CREAT | os.O_WRONLY), name
os.replace("b", "a")
print("refused")
"""  # noqa: E501
)


def test_what_the_pretence_refuses(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", REFUSED],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.stdout == "refused\n", done.stderr[-3000:]
