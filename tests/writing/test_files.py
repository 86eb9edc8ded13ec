"""Files as Windows lets them be: replaced while a scanner looks on, with long and foreign names,
never held open.
"""

from __future__ import annotations

import ast
import os
import sys
from pathlib import Path

import numpy as np
import pytest

import cntk as C
from cntk._writing import whole_files
from cntk._writing.whole_files import Reopened, extended, opened, replacing
from cntk.errors import NotWritableError
from cntk.io._text.index_file import index_path

SOURCE = Path(__file__).resolve().parent.parent.parent / "src"


@pytest.fixture
def refusals(monkeypatch):
    """How often `os.replace` is refused before it works; and how long was waited each time."""
    state = {"left": 0, "waits": []}
    replace = os.replace

    def sometimes(source, target):
        if state["left"]:
            state["left"] -= 1
            raise PermissionError(13, "Access is denied", str(target))
        replace(source, target)

    monkeypatch.setattr(os, "replace", sometimes)
    monkeypatch.setattr(whole_files.time, "sleep", state["waits"].append)
    return state


def saved(path):
    C.Function.save(C.input_variable(1, name="x") * 2, path)


@pytest.mark.parametrize("count", [1, 3, 7])
def test_a_scanner_is_waited_for(refusals, tmp_path, count):
    refusals["left"] = count
    saved(tmp_path / "a.model")
    assert len(refusals["waits"]) == count and refusals["waits"] == sorted(refusals["waits"])
    assert C.load_model(str(tmp_path / "a.model")).eval([[3]]) == 6
    assert [p.name for p in tmp_path.iterdir()] == ["a.model"]


def test_who_never_lets_go_is_named(refusals, tmp_path):
    path = tmp_path / "a.model"
    path.write_bytes(b"as before")
    refusals["left"] = 1000
    with pytest.raises(
        RuntimeError, match=r"'.*a\.model': it cannot be replaced: .* has it open .*close it"
    ) as caught:
        saved(path)
    assert isinstance(caught.value, OSError) and sum(refusals["waits"]) < 2
    assert path.read_bytes() == b"as before" and [p.name for p in tmp_path.iterdir()] == ["a.model"]


def test_what_an_error_leaves_is_told_by_the_error(refusals, tmp_path, monkeypatch):
    """The temporary file may be in use too; the error is the first one all the same."""
    refusals["left"] = 1000
    monkeypatch.setattr(
        os, "unlink", lambda path: (_ for _ in ()).throw(PermissionError(13, "in use"))
    )
    with pytest.raises(NotWritableError, match="cannot be replaced"):
        saved(tmp_path / "a.model")


@pytest.mark.parametrize(
    "name",
    [
        "Модель/ümläut/模型.model",
        "n" * 250,
        "ö" * 127,
        "模" * 85,
        "/".join(["folder" * 20] * 4) + "/a.model",
    ],
    ids=["foreign", "long", "long in bytes", "longer in bytes", "long path"],
)
def test_names_of_every_kind(tmp_path, name):
    path = str(tmp_path / name)
    for _ in range(2):
        saved(path)
        C.load_model(path).save(path)
    assert C.load_model(path).eval([[3]]) == 6


@pytest.mark.skipif(sys.platform != "linux", reason="names are text there")
def test_names_that_are_no_text(tmp_path):
    """On Linux a name is bytes; whatever writes files takes it."""
    folder = tmp_path / os.fsdecode(b"f\xfcr\xff")
    folder.mkdir()
    function = C.input_variable(1, name="x") * 2
    function.save(folder / os.fsdecode(b"\xff.model"))
    C.logging.ProgressPrinter(1, log_to_file=str(folder / "log"))
    C.logging.graph.plot(function, str(folder / "a.dot"))
    C.debugging.start_profiler(str(folder / "profile"))
    C.debugging.enable_profiler()
    function.eval([[3]])
    C.debugging.stop_profiler()
    assert len(os.listdir(folder)) == 4 and len(os.listdir(folder / "profile")) == 2


@pytest.mark.parametrize("name", ["a\0b", "a\ud800b"])
def test_names_that_cannot_be(tmp_path, name):
    with pytest.raises(RuntimeError, match="cannot write"):
        saved(str(tmp_path / name))
    with pytest.raises(ValueError, match="no file"):
        C.load_model(str(tmp_path / name))


DEEP = "C:\\data\\" + 30 * "folder\\" + "a.model"


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("C:\\data\\a.model", "C:\\data\\a.model"),
        (DEEP, "\\\\?\\" + DEEP),
        (DEEP.replace("\\", "/"), "\\\\?\\" + DEEP),
        (DEEP.replace("folder\\", "folder\\x\\..\\"), "\\\\?\\" + DEEP),
        ("\\\\?\\" + DEEP, "\\\\?\\" + DEEP),
        ("\\\\server\\share" + DEEP[2:], "\\\\?\\UNC\\server\\share" + DEEP[2:]),
    ],
    ids=["short", "long", "slashes", "not normal", "marked", "share"],
)
def test_long_paths_get_their_mark(path, found):
    assert extended(path) == found


@pytest.mark.parametrize("name", ["d.ctf", "d" * 246 + ".ctf", "模" * 84])
def test_an_index_has_a_name_that_can_be(name):
    found = index_path(f"folder/{name}")
    assert found.parent == Path("folder") and len(os.fsencode(found.name)) <= 255
    assert (found.name == f"{name}.index") == (len(os.fsencode(name)) <= 249)
    assert index_path(f"folder/{name}x") != found


def test_a_file_that_is_open_only_while_it_is_read(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(bytes(range(10)))
    file = Reopened(path)
    assert (file.read(3), file.tell(), file.seek(-2, os.SEEK_END), file.read()) == (
        b"\0\1\2",
        3,
        8,
        b"\10\11",
    )
    assert (file.seek(4), file.seek(1, os.SEEK_CUR), file.read(1)) == (
        4,
        5,
        b"\5",
    ) and file.seekable()


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """A trainer, and what makes replacing fail from a certain file on."""
    x, y = C.input_variable(3), C.input_variable(1)
    model = C.layers.Dense(1, name="d")(x)
    rates = C.learning_parameter_schedule(0.05), C.momentum_schedule(0.9)
    trainer = C.Trainer(
        model, C.squared_error(model, y), [C.momentum_sgd(model.parameters, *rates)]
    )
    replace = os.replace

    def train():
        trainer.train_minibatch({x: np.ones((4, 3), np.float32), y: np.ones((4, 1), np.float32)})
        return model.d.W.value.copy(), trainer.total_number_of_samples_seen

    def fail_at(ending, error):
        def failing(source, target):
            if str(source).endswith(".part") and str(target).endswith(ending):
                raise error
            replace(source, target)

        monkeypatch.setattr(os, "replace", failing)

    monkeypatch.setattr(whole_files.time, "sleep", lambda seconds: None)
    return trainer, model, train, fail_at


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), PermissionError(13, "in use"), OSError(28, "full")], ids=repr
)
@pytest.mark.parametrize("ending", [".dnn", ".ckp"])
@pytest.mark.parametrize("has_links", [True, False], ids=["links", "no links"])
def test_a_checkpoint_is_replaced_as_a_whole(
    trained, tmp_path, monkeypatch, error, ending, has_links
):
    """On Windows somebody may have one of the two files open: the former checkpoint is still there,
    and whole.
    """
    trainer, model, train, fail_at = trained
    if not has_links:
        monkeypatch.setattr(
            os, "link", lambda source, target: (_ for _ in ()).throw(OSError(1, "no links"))
        )
    path = str(tmp_path / "c.dnn")
    weights, samples = train()
    trainer.save_checkpoint(path)
    train()
    fail_at(ending, error)
    with pytest.raises((KeyboardInterrupt, OSError)):
        trainer.save_checkpoint(path)
    monkeypatch.undo()
    assert sorted(os.listdir(tmp_path)) == ["c.dnn", "c.dnn.ckp"]
    train()
    trainer.restore_from_checkpoint(path)
    assert trainer.total_number_of_samples_seen == samples
    np.testing.assert_array_equal(model.d.W.value, weights)


def test_a_process_that_ends_between_two_files(trained, tmp_path, monkeypatch):
    """As by a power failure: the weights are those of the states, for they are on the disk
    already.
    """
    trainer, model, train, _ = trained
    path = str(tmp_path / "c.dnn")
    train()
    trainer.save_checkpoint(path)
    weights, samples = train()
    with monkeypatch.context() as ended:
        ended.setattr(
            whole_files, "_exchange", lambda fresh: os.replace(fresh[0].temporary, fresh[0].target)
        )
        trainer.save_checkpoint(path)
    train()
    trainer.restore_from_checkpoint(path)
    assert trainer.total_number_of_samples_seen == samples
    np.testing.assert_array_equal(model.d.W.value, weights)
    weights, _ = train()
    trainer.save_checkpoint(path)
    train()
    trainer.restore_from_checkpoint(path)
    np.testing.assert_array_equal(model.d.W.value, weights)


def test_a_first_checkpoint_is_there_as_a_whole_or_not_at_all(trained, tmp_path):
    trainer, _, _, fail_at = trained
    fail_at(".dnn", KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        trainer.save_checkpoint(str(tmp_path / "c.dnn"))
    assert os.listdir(tmp_path) == []


def test_streams_that_fail_leave_the_target(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"as before")
    with pytest.raises(KeyboardInterrupt), replacing(path, "save") as file:
        file.write(b"half")
        raise KeyboardInterrupt
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("a", b"as before")]


# What opens files in any other way, and why.
ELSEWHERE = {
    "_writing/whole_files.py": "the one place",
    "_writing/leftovers.py": "temporary files are opened to see whether they are locked",
    "_runtime/matmul.py": "what the system says of its CPU",
    "_old_programs/": "programs, and functions that Python and NumPy had",
    "logging/event_file.py": "events grow record by record",
    "logging/progress_print.py": "a log grows line by line",
}


def calls(file):
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


def test_files_are_opened_and_replaced_in_one_place():
    kinds = {
        "open",
        "io.open",
        "os.open",
        "os.replace",
        "os.rename",
        "shutil.move",
        "np.memmap",
        "mmap.mmap",
    }
    methods = (".write_text", ".write_bytes", ".read_text", ".read_bytes")
    found = {
        (name, call)
        for file in (SOURCE / "cntk").rglob("*.py")
        if not (name := file.relative_to(SOURCE / "cntk").as_posix()).startswith(tuple(ELSEWHERE))
        for call in calls(file)
        if call in kinds or call.endswith(methods)
    }
    assert found == set()


READERS = {
    "text": lambda path: C.io.CTFDeserializer(
        path, C.io.StreamDefs(x=C.io.StreamDef("x", 1))
    ).open(),
    "binary": lambda path: C.io.CBFDeserializer(path).open(),
    "features": lambda path: C.io.HTKFeatureDeserializer(
        C.io.StreamDefs(f=C.io.StreamDef(scp=path, shape=1))
    ).open(),
    "states": lambda path: C.io.HTKMLFDeserializer(
        path, C.io.StreamDefs(l=C.io.StreamDef(mlf=path, shape=1))
    ).open(),
    "labels": lambda path: C.io.HTKMLFBinaryDeserializer(
        C.io.StreamDefs(l=C.io.StreamDef(mlf=path, shape=1))
    ).open(),
    "map": lambda path: C.io.ImageDeserializer(
        path, C.io.StreamDefs(l=C.io.StreamDef("label", shape=1))
    ).open(),
    "model": C.load_model,
}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes have names only on POSIX systems")
@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("kind", ["pipe", "link", "device"])
def test_only_regular_files_are_read(tmp_path, reader, kind):
    """A pipe that nobody writes to would be waited for for ever, and a device may have no end."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    if kind == "link":
        path = tmp_path / "link"
        path.symlink_to("pipe")
    path = "/dev/zero" if kind == "device" else str(path)
    with pytest.raises(ValueError, match=r"regular file|there is no file"):
        READERS[reader](path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes have names only on POSIX systems")
def test_links_to_regular_files_are_read(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    (tmp_path / "b").symlink_to("a")
    with opened(tmp_path / "b") as file:
        assert file.read() == b"abc"


@pytest.mark.parametrize("name", ["a\0b", "a\ud800b"])
def test_names_that_no_file_can_have(tmp_path, name):
    with pytest.raises(OSError, match="name"):
        opened(str(tmp_path / name))


def test_a_file_is_read_however_long_its_name_is(tmp_path):
    path = tmp_path / ("ö" * 100)
    path.write_bytes(np.arange(4, dtype="u1"))
    with opened(path) as file:
        assert file.read() == b"\0\1\2\3"
