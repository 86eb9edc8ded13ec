"""What Windows and macOS lack is used nowhere without a way around it.

No such machine takes part in the tests. The sources are read for modules and names that other systems do not have, and a
training runs in a process that pretends to lack them.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parent.parent / "src"

# Modules that Python has on POSIX systems alone.
POSIX_MODULES = frozenset(
    ["crypt", "fcntl", "grp", "nis", "posix", "pty", "pwd", "readline", "resource", "spwd", "syslog", "termios", "tty"]
)  # fmt: skip
# Names of `os` and `signal` that are not there, or not everywhere.
POSIX_NAMES = frozenset(
    f"os.{name}"
    for name in (
        "O_CLOEXEC", "O_DIRECTORY", "O_DSYNC", "O_NOFOLLOW", "O_NONBLOCK", "O_SYNC", "chown", "chroot", "fchmod", "fchown",
        "fork", "forkpty", "getegid", "geteuid", "getgid", "getgroups", "getloadavg", "getpgid", "getuid", "killpg", "lchown",
        "mkfifo", "nice", "posix_fadvise", "pread", "pwrite", "sched_getaffinity", "setsid", "sync", "sysconf", "uname", "wait",
    )
) | {f"signal.{name}" for name in ("SIGALRM", "SIGHUP", "SIGKILL", "SIGUSR1", "SIGUSR2", "alarm", "setitimer")}  # fmt: skip

FILES = sorted(SOURCE.rglob("*.py"))


def posix_only(text: str) -> Iterator[str]:
    """What a source uses that other systems lack, but for what stands behind a look whether it is there."""
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
        if isinstance(block, ast.Try) and any(_catches(h, "ImportError", "OSError") for h in block.handlers)
        for statement in block.body
        for node in ast.walk(statement)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names if alias.name.split(".")[0] in POSIX_MODULES]
        elif isinstance(node, ast.ImportFrom):
            found = [node.module or ""] if (node.module or "").split(".")[0] in POSIX_MODULES else []
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
    return handler.type is None or any(isinstance(n, ast.Name) and n.id in names for n in ast.walk(handler.type))


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


# Lacks POSIX modules and names, oneDNN and MKL; cannot replace files that are open.
PRETENDING = f"""
import builtins, importlib.abc, os, sys
POSIX = {sorted(POSIX_MODULES - {"posix"})!r}

class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name in POSIX:
            raise ImportError(f"No module named {{name!r}}", name=name)

for name in POSIX:
    sys.modules.pop(name, None)
sys.meta_path.insert(0, Absent())

import torch
torch.backends.mkldnn.is_available = lambda: False
torch.backends.mkl.is_available = lambda: False
del os.O_DIRECTORY, os.O_CLOEXEC

opened, replace, plain_open = {{}}, os.replace, builtins.open

def open_and_note(file, *arguments, **options):
    handle = plain_open(file, *arguments, **options)
    if isinstance(file, (str, os.PathLike)):
        opened[id(handle)] = (os.path.realpath(file), handle)
    return handle

def replace_unless_open(source, target):
    for path, handle in opened.values():
        if not handle.closed and path in (os.path.realpath(source), os.path.realpath(target)):
            raise PermissionError(13, "Access is denied", str(target))
    replace(source, target)

builtins.open, os.replace = open_and_note, replace_unless_open
"""

TRAINING = """
import pkgutil
import numpy as np
import cntk as C
import cntk

for module in pkgutil.walk_packages(cntk.__path__, "cntk."):
    if module.name != "cntk.__main__":
        __import__(module.name)

with open("data.txt", "w", newline="\\r\\n") as file:
    for k in range(40):
        file.write(f"{k // 4} |x {k % 7} {k % 5} |y {k % 3}:1\\n")

def source():
    streams = C.io.StreamDefs(
        x=C.io.StreamDef(field="x", shape=2), y=C.io.StreamDef(field="y", shape=3, is_sparse=True)
    )
    return C.io.MinibatchSource(C.io.CTFDeserializer("data.txt", streams), max_sweeps=4)

x, y = C.sequence.input_variable(2), C.sequence.input_variable(3, is_sparse=True)
model = C.layers.Sequential([C.layers.Recurrence(C.layers.LSTM(4)), C.layers.Dense(3)])(x)
loss = C.cross_entropy_with_softmax(model, y)

def trainer():
    return C.Trainer(model, loss, C.adam(model.parameters, 0.01, 0.9))

def train(trainer, reader, minibatches):
    losses = []
    for _ in range(minibatches):
        data = reader.next_minibatch(8, {x: reader.streams.x, y: reader.streams.y})
        trainer.train_minibatch(data)
        losses.append(trainer.previous_minibatch_loss_average)
    return losses

reader, first = source(), trainer()
train(first, reader, 5)
first.save_checkpoint("state.dnn", {"reader": reader.get_checkpoint_state()})
first.save_checkpoint("state.dnn", {"reader": reader.get_checkpoint_state()})
rest = train(first, reader, 5)
again, second = source(), trainer()
again.restore_from_checkpoint(second.restore_from_checkpoint("state.dnn")["reader"])
assert train(second, again, 5) == rest
model.save("a.model")
loaded = C.load_model("a.model")
loaded.save("a.model")
data = [np.ones((3, 2), np.float32)]
np.testing.assert_array_equal(C.load_model("a.model").eval(data), model.eval(data))
print("trained")
"""


def test_a_training_where_posix_is_not(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PRETENDING + TRAINING],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert done.stdout.endswith("trained\n"), done.stderr[-3000:]
