"""What lists and programs name and is not there is said so that people can mend it; what is read
stays free to be replaced.
"""

from __future__ import annotations

import os
import re

import pytest

pytest.importorskip("PIL.Image")

import cntk as C  # noqa: E402
from cntk.io import (  # noqa: E402
    ArrowDeserializer,
    Base64ImageDeserializer,
    CBFDeserializer,
    CTFDeserializer,
    ImageDeserializer,
    MinibatchSource,
    StreamDef,
    StreamDefs,
    text_to_binary,
)
from cntk.io._text import listed_names  # noqa: E402
from tests.io.cases.htk_cases import TEN  # noqa: E402
from tests.io.cases.windows_cases import (  # noqa: E402
    CLEAN,
    POSIX,
    TWINS,
    filled,
    labels_of,
    minibatches,
    pictures,
    png,
    speech,
    write,
)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return filled(tmp_path)


def in_use():
    """What this process has open or mapped."""
    found = {os.path.realpath(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd")}
    with open("/proc/self/maps", "rb") as maps:
        return found | {
            os.fsdecode(line.split(None, 5)[5].rstrip()) for line in maps if line.count(b"/")
        }


def rows(kind):
    pyarrow = pytest.importorskip("pyarrow")
    table = pyarrow.table({"x": [1.0, 2.0, 3.0]})
    if kind == "parquet":
        pytest.importorskip("pyarrow.parquet").write_table(table, "d.parquet")
    else:
        with (
            pyarrow.OSFile("d.arrow", "wb") as file,
            pyarrow.ipc.new_file(file, table.schema) as writer,
        ):
            writer.write_table(table)
    return ArrowDeserializer(f"d.{kind}", StreamDefs(x=StreamDef("x", 1)))


def binary():
    write({"d.ctf": "|x 1\n|x 2\n"})
    text_to_binary("d.ctf", "d.bin", StreamDefs(x=StreamDef("x", 1)))
    return CBFDeserializer("d.bin")


@pytest.mark.skipif(
    not os.path.isdir("/proc/self/fd"), reason="the system does not tell which files are open"
)
@pytest.mark.parametrize(
    "name", ["map, all", "base64", "labels", "binary labels", "text", "arrow", "parquet", "binary"]
)
def test_nothing_stays_open(folder, name):
    """Windows replaces and removes nothing that a reader has open or mapped."""
    made, clean, _ = TWINS.get(name, (binary if name == "binary" else lambda: rows(name), {}, {}))
    write(clean)
    source = MinibatchSource(made(), max_sweeps=1)
    while source.next_minibatch(2):
        assert source.streams
    found = {path for path in in_use() if path.startswith(os.path.realpath(folder) + os.sep)}
    assert found == set()


def fails(made):
    with pytest.raises(ValueError) as caught:
        minibatches(made())
    return str(caught.value)


# Name in a list, and what the error has besides its line.
ADVICE = [
    ("C:\\data\\a.png", r"Windows path: replace 'C:' by .* as .../name"),
    ("c:/data/a.png", r"Windows path: replace 'c:' by"),
    ("\\\\server\\share\\a.png", r"Windows path: replace '\\\\server' by"),
    ("data/A.png", r"did you mean 'data/a.png'\?"),
    ("Data\\DEEPER\\B.PNG", r"did you mean 'data/deeper/b.png'\?"),
    ("data/GRU\u0308N.png", r"did you mean 'data/grün.png'\?"),
    ("data/GR\u00dcN.png", r"did you mean 'data/grün.png'\?"),
    ("data/missing.png", r"missing.png$"),
]


@POSIX
@pytest.mark.parametrize(("name", "words"), ADVICE)
def test_pictures_that_are_not_there(name, words):
    if os.path.exists("DATA"):
        pytest.skip("the system takes capital letters for small ones")
    write({"d.map": f"data/a.png\t0\n{name}\t1\n"})
    text = fails(pictures(ImageDeserializer, "d.map"))
    assert "d.map, line 2: cannot read image" in text
    assert re.search(words, text), text


@POSIX
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("C:\\data\\ten.chunk", "Windows path"),
        ("data/Deeper/TEN.chunk", "did you mean 'data/deeper/ten.chunk'?"),
        ("...\\DATA\\deeper\\ten.chunk", "did you mean './data/deeper/ten.chunk'?"),
    ],
)
def test_archives_that_are_not_there(name, words):
    if os.path.exists("DATA"):
        pytest.skip("the system takes capital letters for small ones")
    write({**CLEAN, "d.scp": f"w={name}[0,4]\n"})
    text = fails(speech())
    assert "d.scp, line 1: the archive" in text and words in text


def test_pictures_that_are_not_in_an_archive():
    write({"d.map": "data\\deeper\\x.zip@\\Deeper\\B.png\t1\n"})
    assert "the archive has no file 'Deeper/B.png'; did you mean 'deeper/b.png'?" in fails(
        pictures(ImageDeserializer, "d.map")
    )


def test_archives_in_folders_with_an_at(folder):
    (folder / "data").rename(folder / "me@host")
    names = [
        "me@host/a.png",
        ".../me@host/deeper/x.zip@/a.png",
        "...\\me@host\\deeper\\x.zip@a.png",
    ]
    write({"d.map": "".join(f"{name}\t1\n" for name in names)})
    found = minibatches(pictures(ImageDeserializer, "d.map")(), randomize=False, max_sweeps=1)
    assert len(found) == 8 and found[1] == found[2] == found[3]


@pytest.mark.parametrize(
    "name", ["C:\\data\\a.png", "C:/data/a.png", "\\\\server\\share\\a.png", "sub\\a.png"]
)
def test_names_stay_as_they_are_on_windows(monkeypatch, name):
    monkeypatch.setattr(listed_names, "_ON_WINDOWS", True)
    assert listed_names.located(name, "D:\\lists") == name
    assert listed_names.located("...\\a.png", "D:\\lists") == "D:\\lists\\a.png"
    assert "Windows path" not in listed_names.advice(name)


def test_folders_of_every_name(folder, monkeypatch):
    place = folder / "Модель" / "ümläut" / "模型" / ("n" * 200) / ("m" * 200)
    (place / "data").mkdir(parents=True)
    (place / "data/a.png").write_bytes(png(0))
    (place / "data/ten.chunk").write_bytes(TEN)
    write(
        {
            place / "d.map": "...\\data\\a.png\t0\n",
            place / "d.scp": "w=...\\data\\ten.chunk[0,4]\n",
            **CLEAN,
        }
    )
    write(
        {
            place / "d.mlf": labels_of("w"),
            place / "d.list": "a\nb\n",
            place / "d.ctf": "0 |x 1\n1 |x 2\n",
        }
    )
    names = [str(place / f"d.{kind}") for kind in ("map", "scp", "mlf", "list", "ctf")]
    text = CTFDeserializer(names[4], StreamDefs(x=StreamDef("x", 1)))
    text["cacheIndex"] = True
    assert minibatches(pictures(ImageDeserializer, names[0])())
    assert minibatches(speech(*names[1:4])())
    first = minibatches(text)
    assert (place / "d.ctf.index").exists() and minibatches(text) == first


@POSIX
@pytest.mark.parametrize(
    "made",
    [
        lambda file: CTFDeserializer(file, StreamDefs(x=StreamDef("x", 1))),
        CBFDeserializer,
        lambda file: pictures(ImageDeserializer, file)(),
        lambda file: pictures(Base64ImageDeserializer, file)(),
        lambda file: speech(script=file)(),
        lambda file: speech(labels=file)(),
        lambda file: speech(states=file)(),
        lambda file: speech(labels=file + ".bin")(),
    ],
    ids=["text", "binary", "map", "base64", "script", "labels", "states", "binary labels"],
)
def test_files_of_programs_from_windows(made, folder):
    """What a program names itself is not looked for elsewhere, but the error says where it is."""
    write(CLEAN)
    for name in ("there", "there.bin"):
        (folder / "lists" / name).write_bytes(b"")
    for file in ("lists\\there", "Lists/there"):
        assert re.search(
            r"; did you mean 'lists/there(.bin)?'\?", fails(lambda file=file: made(file))
        )
    assert "this is a Windows path: replace 'C:' by the folder where the files are now" in fails(
        lambda: made("C:\\lists\\there")
    )


@POSIX
def test_models_of_programs_from_windows(folder):
    (folder / "lists" / "a.model").write_bytes(b"")
    with pytest.raises(
        ValueError,
        match=r"there is no file 'lists\\a.model' to load; did you mean 'lists/a.model'\?",
    ):
        C.load_model("lists\\a.model")
