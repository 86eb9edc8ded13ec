"""What every writer says when its file cannot be written: the operation, the path and the reason;
and nothing is left.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import pickle
import sys

import numpy as np
import pytest

import cntk as C
from cntk.errors import ArgumentError, NotWritableError
from cntk.io import StreamDef, StreamDefs
from cntk.io._binary.convert import binary_to_text, text_to_binary


def function():
    return C.input_variable(300, name="x") * C.parameter(300, name="w", init=1)


def trainer():
    loss = C.reduce_sum(function())
    return C.Trainer(loss, loss, C.sgd(loss.parameters, C.learning_parameter_schedule(0.1)))


def dictionary():
    values = C.cntk_py.Dictionary()
    values["x"] = 5 * "text"
    return values


WRITERS = {
    "save": lambda path: function().save(path),
    "save_as_legacy_model": lambda path: C.debugging.save_as_legacy_model(function(), path),
    "save_checkpoint": lambda path: trainer().save_checkpoint(path),
    "Dictionary": lambda path: dictionary().save(path),
    "plot.svg": lambda path: C.logging.graph.plot(function(), path),
    "plot.dot": lambda path: C.logging.graph.plot(function(), path),
    "plot.pdf": lambda path: C.logging.graph.plot(function(), path),
    "text_to_binary": lambda path: text_to_binary(
        "data.ctf", path, StreamDefs(x=StreamDef("x", 1))
    ),
    "binary_to_text": lambda path: binary_to_text("data.bin", path),
    "ProgressPrinter": lambda path: C.logging.ProgressPrinter(log_to_file=path),
}
SAID = {name: name.split(".")[0] for name in WRITERS} | {"Dictionary": "save"}
ATOMIC = [name for name in WRITERS if name != "ProgressPrinter"]


@pytest.fixture(autouse=True)
def at_work(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with open("data.ctf", "w") as file:
        file.writelines(f"|x {k}\n" for k in range(1000))
    text_to_binary("data.ctf", "data.bin", StreamDefs(x=StreamDef("x", 1)))


def path_of(name):
    return f"a.{name.split('.')[1]}" if "." in name else "a.file"


def left():
    """All files but the test's own."""
    return {p for p in os.listdir() if not p.startswith(("data.", ".data."))}


@contextlib.contextmanager
def largest_file(size):
    """No file may become larger, as on a full disk."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("name", ATOMIC)
@pytest.mark.parametrize("existing", [b"", b"as before"], ids=["new", "old"])
@pytest.mark.parametrize("size", [0, 20], ids=["nothing", "a little"])
def test_a_file_that_becomes_too_large(name, existing, size):
    path = path_of(name)
    if existing:
        with open(path, "wb") as file:
            file.write(existing)
    before = left()
    with largest_file(size), pytest.raises(NotWritableError) as caught:
        WRITERS[name](path)
    reason = os.strerror(errno.EFBIG)
    written = f"{path}.ckp" if name == "save_checkpoint" else path
    start = f"{SAID[name]}: cannot write "
    assert str(caught.value).startswith(
        (f"{start}'{path}': {reason.lower()}; ", f"{start}'{written}': {reason.lower()}; ")
    )
    assert caught.value.errno == errno.EFBIG and isinstance(caught.value, (OSError, RuntimeError))
    assert left() == before
    if existing:
        with open(path, "rb") as file:
            assert file.read() == existing


@pytest.mark.parametrize("name", ATOMIC)
@pytest.mark.parametrize("call", ["fsync", "replace"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EROFS])
def test_a_disk_that_fails_at_the_end(name, call, number, monkeypatch):
    path = path_of(name)

    def fails(*args):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, call, fails)
    text = os.strerror(number)
    with pytest.raises(
        NotWritableError,
        match=f"^{SAID[name]}: cannot write '{path}.*': {text[0].lower()}{text[1:]}",
    ):
        WRITERS[name](path)
    assert not left()


@pytest.mark.parametrize("name", WRITERS)
def test_paths_that_cannot_be(name):
    path = path_of(name)
    with open("plain", "wb"):
        pass
    os.mkdir(path)
    said = SAID[name]
    if name == "ProgressPrinter":
        with pytest.raises(NotWritableError, match=f"^{said}: cannot write '{path}"):
            WRITERS[name](path)
        return
    with pytest.raises(
        NotWritableError,
        match=f"^{said}: cannot write '{path}': it is a folder; give the path of a file",
    ):
        WRITERS[name](path)
    with pytest.raises(
        NotWritableError, match=rf"^{said}: cannot write 'plain.{path}': '.*plain' is no folder"
    ):
        WRITERS[name](os.path.join("plain", path))
    assert left() == {"plain", path} and not os.listdir(path)


@pytest.mark.parametrize("name", [name for name in ATOMIC if "plot" not in name])
@pytest.mark.parametrize("path", ["", b"a.model", None, 5, ["a"]], ids=str)
def test_what_is_no_path(name, path):
    with pytest.raises(
        (TypeError, ValueError), match=f"^{SAID[name]}: (filename: |)expected (a path|the path)"
    ):
        WRITERS[name](path)
    assert not left()


def test_a_folder_that_is_meant(tmp_path):
    with pytest.raises(NotWritableError, match="it is a folder"):
        function().save("new" + os.sep)
    assert not left()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes have names there")
def test_a_pipe_stays_a_pipe():
    os.mkfifo("pipe")
    with pytest.raises(
        NotWritableError, match="save: cannot write 'pipe': it is a device or a pipe"
    ):
        function().save("pipe")
    with pytest.raises(NotWritableError, match="it is a device"):
        function().save(os.devnull)
    assert left() == {"pipe"}


def test_errors_go_to_other_processes():
    with pytest.raises(NotWritableError) as caught:
        function().save("new" + os.sep)
    again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301
    assert (
        str(again) == str(caught.value)
        and again.errno == errno.EISDIR
        and again.filename == "new" + os.sep
    )


class Counting:
    """A file that takes only a few bytes at a time."""

    def __init__(self):
        self.content = b""

    def write(self, content):
        self.content += bytes(content[:7])
        return min(7, len(content))


def test_save_to_a_file():
    f = function()
    buffer, few = io.BytesIO(), Counting()
    f.save(buffer)
    f.save(few)
    with open("a.model", "wb") as file:
        f.save(file)
        assert not file.closed
    f.save("b.model")
    with open("b.model", "rb") as file:
        assert file.read() == buffer.getvalue() == few.content
    buffer.seek(0)
    x = np.arange(300, dtype=np.float32)
    assert np.array_equal(C.load_model(buffer).eval([x]), [x])
    with open("a.model", "rb") as file:
        assert np.array_equal(C.Function.load(file).eval([x]), [x])


def test_files_that_take_no_bytes():
    f = function()
    with (
        open("a.txt", "w") as file,
        pytest.raises(ArgumentError, match=r"save: 'a.txt' takes no bytes; open it in binary"),
    ):
        f.save(file)
    with (
        open("a.txt", "rb") as file,
        pytest.raises(ArgumentError, match=r"save: 'a.txt' takes no bytes"),
    ):
        f.save(file)
    with pytest.raises(ArgumentError, match="takes no bytes"):
        f.save(file)  # closed by now
    with pytest.raises(ArgumentError, match="takes no bytes"):
        f.save(io.StringIO())
    assert os.path.getsize("a.txt") == 0


@pytest.mark.skipif(sys.platform != "linux", reason="there is such a device only there")
def test_a_file_that_is_full():
    with (
        open("/dev/full", "wb", buffering=0) as file,
        pytest.raises(NotWritableError, match="save: cannot write '/dev/full': no"),
    ):
        function().save(file)


def test_a_model_that_cannot_be_saved_leaves_a_file_alone():
    with open("a.model", "wb") as file:
        with pytest.raises(ValueError):
            C.layers.Dense(3).save(file)
        assert file.tell() == 0
