r"""Lists and data written on Windows are read as their clean twins: the same minibatches, in the same order.

Each kind of file is made twice, clean and as Windows has it: ``\`` in names, a byte order mark, line ends of two
characters, Windows-1252.
"""

from __future__ import annotations

import base64
import codecs
import io
import os
import re
import struct
import zipfile

import numpy as np
import pytest

Image = pytest.importorskip("PIL.Image")

import cntk as C  # noqa: E402
import cntk.io.transforms as xforms  # noqa: E402
from cntk.io import (  # noqa: E402
    Base64ImageDeserializer,
    CBFDeserializer,
    CTFDeserializer,
    HTKFeatureDeserializer,
    HTKMLFBinaryDeserializer,
    HTKMLFDeserializer,
    ImageDeserializer,
    MinibatchSource,
    StreamDef,
    StreamDefs,
)
from tests.io.htk_cases import TEN  # noqa: E402

MARK = codecs.BOM_UTF8
POSIX = pytest.mark.skipif(os.name == "nt", reason="on Windows these names are as good as any")


def png(shade):
    written = io.BytesIO()
    Image.fromarray(np.arange(shade, shade + 90, dtype=np.uint8).reshape(5, 6, 3)).save(written, "PNG")
    return written.getvalue()


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Pictures, archives of them, and frames of speech, in folders."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lists").mkdir()
    for place in ("data/deeper", "lists/data/deeper"):
        (tmp_path / place).mkdir(parents=True)
        for k, name in enumerate(["a.png", "deeper/b.png", "grün.png"]):
            (tmp_path / place.removesuffix("/deeper") / name).write_bytes(png(40 * k))
        (tmp_path / place / "ten.chunk").write_bytes(TEN)
        with zipfile.ZipFile(tmp_path / place / "x.zip", "w") as archive:
            for k, name in enumerate(["a.png", "deeper/b.png", "grün.png"]):
                archive.writestr(name, png(40 * k))
    return tmp_path


def minibatches(deserializers, **options):
    """All that a sweep gives, its streams by name."""
    options = {"randomize": True, "randomization_seed": 3, "max_sweeps": 2, **options}
    source = MinibatchSource(deserializers, **options)
    found = []
    while minibatch := source.next_minibatch(3):
        for info, data in sorted(minibatch.items(), key=lambda item: item[0].name):
            found.append(info.name)
            found += [(s.toarray() if hasattr(s, "toarray") else s).tolist() for s in data.as_sequences()]
    assert found
    return found


def pictures(kind, file):
    steps = [xforms.crop(crop_type="randomside", side_ratio=(0.5, 1.0)), xforms.scale(4, 4, 3)]
    streams = StreamDefs(i=StreamDef("image", transforms=steps), c=StreamDef("label", shape=4))
    return lambda: kind(file, streams)


def speech(script="d.scp", labels="d.mlf", states="d.list"):
    def made():
        features = HTKFeatureDeserializer(StreamDefs(f=StreamDef(scp=script, shape=1)))
        if labels.endswith(".bin"):
            return [features, HTKMLFBinaryDeserializer(StreamDefs(l=StreamDef(mlf=labels, shape=2)))]
        return [features, HTKMLFDeserializer(states, StreamDefs(l=StreamDef(mlf=labels, shape=2)))]

    return made


def labels_of(*names, states="ab"):
    segments = f"0 200000 {states[0]}\n200000 500000 {states[1]}\n.\n"
    return "#!MLF!#\n" + "".join(f'"{name}"\n{segments}' for name in names)


def binary_labels(*names):
    utterances = (struct.pack("<H", len(n)) + n + struct.pack("<IHHHHH", 5, 2, 0, 2, 1, 3) for n in names)
    return b"MLF" + struct.pack("<h", 2) + b"".join(utterances)


MAP = "data/a.png\t0\ndata/deeper/b.png\t1\nk/1\tdata/deeper/x.zip@/deeper/b.png\t2\n"
SCRIPT = "s/u.v.mfc=data/deeper/ten.chunk[0,4]\nw=data/deeper/ten.chunk[5,9]\n"
CLEAN = {
    "d.scp": SCRIPT,
    "d.mlf": labels_of("*/s/u.v.lab", "w.lab"),
    "d.list": "a\nb\n",
    "d.bin": binary_labels(b"s/u.v", b"w"),
}


def write(files):
    for name, content in files.items():
        with open(name, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)


def marked(text):
    """As an editor of Windows saves it."""
    return MARK + text.replace("\n", "\r\n").encode()


def back(text):
    return text.replace("/", "\\")


def base64_list(key="k"):
    return "".join(f"{key}/{k}\t{k}\t{base64.b64encode(png(40 * k)).decode()}\n" for k in range(3))


# What is read; the clean files; what of them Windows has in which way.
TWINS = {
    "map, separators": (pictures(ImageDeserializer, "d.map"), {"d.map": MAP}, {"d.map": back(MAP)}),
    "map, all": (pictures(ImageDeserializer, "d.map"), {"d.map": MAP}, {"d.map": marked(back(MAP))}),
    "map, own folder": (
        pictures(ImageDeserializer, "lists/d.map"),
        {"lists/d.map": MAP.replace("data/", ".../data/")},
        {"lists/d.map": marked(back(MAP.replace("data/", ".../data/")))},
    ),
    "map, dots": (
        pictures(ImageDeserializer, "d.map"),
        {"d.map": MAP},
        {"d.map": back(MAP.replace("data/", "./lists/../data/"))},
    ),
    "map, Windows-1252": (
        pictures(ImageDeserializer, "d.map"),
        {"d.map": "ü\tdata/grün.png\t0\nb\tdata/deeper/x.zip@/grün.png\t2\n"},
        {"d.map": "ü\tdata\\grün.png\t0\r\nb\tdata\\deeper\\x.zip@\\grün.png\t2\r\n".encode("cp1252")},
    ),
    "base64": (
        pictures(Base64ImageDeserializer, "d.txt"),
        {"d.txt": base64_list()},
        {"d.txt": marked(base64_list())},
    ),
    "base64, keys": (
        pictures(Base64ImageDeserializer, "d.txt"),
        {"d.txt": base64_list("ü")},
        {"d.txt": base64_list("ü").encode("cp1252").replace(b"\xfc/", b"\xfc\\")},
    ),
    "script": (speech(), CLEAN, {"d.scp": marked(back(SCRIPT))}),
    "script, own folder": (
        speech(script="lists/d.scp"),
        {**CLEAN, "lists/d.scp": SCRIPT.replace("=data/", "=.../data/")},
        {"lists/d.scp": marked(back(SCRIPT.replace("=data/", "=.../data/")))},
    ),
    "labels": (speech(), CLEAN, {"d.mlf": marked(back(CLEAN["d.mlf"]))}),
    "script and labels": (speech(), CLEAN, {"d.scp": back(SCRIPT), "d.mlf": marked(back(CLEAN["d.mlf"]))}),
    "states": (speech(), CLEAN, {"d.list": marked(CLEAN["d.list"])}),
    "states, Windows-1252": (
        speech(),
        {**CLEAN, "d.list": "ä\nß\n", "d.mlf": labels_of("s/u.v.lab", "w", states="äß")},
        {"d.list": "ä\r\nß\r\n".encode("cp1252"), "d.mlf": labels_of("s\\u.v.x", "w", states="äß").encode("cp1252")},
    ),
    "speech, Windows-1252": (
        speech(),
        {**CLEAN, "d.scp": SCRIPT.replace("w", "€ü"), "d.mlf": labels_of("s/u.v.lab", "€ü.lab")},
        {"d.scp": SCRIPT.replace("w", "€ü").encode("cp1252")},
    ),
    "binary labels": (speech(labels="d.bin"), CLEAN, {"d.bin": binary_labels(b"s\\u.v", b"w")}),
    "binary labels, Windows-1252": (
        speech(labels="d.bin"),
        {**CLEAN, "d.scp": SCRIPT.replace("w", "ü"), "d.bin": binary_labels(b"s/u.v", "ü".encode())},
        {"d.bin": binary_labels(b"s/u.v", b"\xfc")},
    ),
    "text": (
        lambda: CTFDeserializer("d.ctf", StreamDefs(x=StreamDef("größe", 1), y=StreamDef("y", 2, is_sparse=True))),
        {"d.ctf": "|größe 1 |y 0:1 |# für\n|größe 2 |y 1:1\n"},
        {"d.ctf": "|größe 1 |y 0:1 |# für\r\n|größe 2 |y 1:1\r\n".encode("cp1252")},
    ),
    "text, marked": (
        lambda: CTFDeserializer("d.ctf", StreamDefs(x=StreamDef("größe", 1))),
        {"d.ctf": "|größe 1 |# für\n|größe 2\n"},
        {"d.ctf": marked("|größe 1 |# für\n|größe 2\n")},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", list(TWINS))
def test_read_as_their_clean_twins(name):
    made, clean, windows = TWINS[name]
    write(clean)
    expected = minibatches(made())
    write(windows)
    assert minibatches(made()) == expected


@POSIX
@pytest.mark.parametrize("list_in", ["utf-8", "cp1252"])
@pytest.mark.parametrize("disk_in", ["utf-8", "cp1252"])
def test_names_in_either_encoding(folder, list_in, disk_in):
    """A list in one encoding, file names in the other, as archives that were unpacked elsewhere leave them."""
    text = "data/fluß.png\t1\ndata\\fluß.png\t2\n"
    write({"d.map": text.encode("utf-8").replace(b"\\", b"/").replace("fluß".encode(), b"a")})
    expected = minibatches(pictures(ImageDeserializer, "d.map")())
    for target in (b"data/flu%s.png", b"flu%s.chunk"):
        (folder / "data/a.png" if b"png" in target else folder / "data/deeper/ten.chunk").rename(
            os.fsdecode(os.fsencode(folder) + b"/" + target % "ß".encode(disk_in))
        )
    write({"d.map": text.encode(list_in), **CLEAN, "d.mlf": labels_of("ß", "w")})
    assert minibatches(pictures(ImageDeserializer, "d.map")()) == expected
    write({"d.scp": "ß=fluß.chunk[0,4]\nw=...\\fluß.chunk[5,9]\n".encode(list_in)})
    assert len(minibatches(speech()())) > 4


def archive_of(*names):
    with zipfile.ZipFile("y.zip", "w") as archive:
        for name in names:
            archive.writestr(name, png(0))


@pytest.mark.parametrize("written", ["deeper\\grün.png", "deeper/grün.png", "grün.png"])
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_archives_of_other_systems(written, encoding):
    """Old programs of Windows put backslashes into archives, and bytes that are in no known encoding."""
    archive_of(written.encode(encoding).decode("cp437"))
    write({"y.map": f".../y.zip@/{back(written)}\t0\n", "c.map": "data/a.png\t0\n"})
    assert minibatches(pictures(ImageDeserializer, "y.map")()) == minibatches(pictures(ImageDeserializer, "c.map")())


@POSIX
def test_the_name_as_it_stands_comes_first(folder):
    (folder / "data\\a.png").write_bytes(png(80))
    write({"d.map": "data\\a.png\t0\n", "c.map": "data/grün.png\t0\n"})
    assert minibatches(pictures(ImageDeserializer, "d.map")()) == minibatches(pictures(ImageDeserializer, "c.map")())


def fails(made):
    with pytest.raises(ValueError) as caught:
        minibatches(made())
    return str(caught.value)


# Name in a list, and what the error has besides its line.
ADVICE = [
    ("C:\\data\\a.png", r"path of Windows: .*in the place of 'C:'.* as .../name"),
    ("c:/data/a.png", r"path of Windows: .*in the place of 'c:'"),
    ("\\\\server\\share\\a.png", r"path of Windows: .*in the place of '\\\\server'"),
    ("data/A.png", r"did you mean 'data/a.png'\?"),
    ("Data\\DEEPER\\B.PNG", r"did you mean 'data/deeper/b.png'\?"),
    ("data/gru\u0308n.png", r"did you mean 'data/grün.png'\?"),
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
        ("C:\\data\\ten.chunk", "path of Windows"),
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


def test_folders_of_every_name(folder, monkeypatch):
    place = folder / "Модель" / "ümläut" / "模型" / ("n" * 200) / ("m" * 200)
    (place / "data").mkdir(parents=True)
    (place / "data/a.png").write_bytes(png(0))
    (place / "data/ten.chunk").write_bytes(TEN)
    write({place / "d.map": "...\\data\\a.png\t0\n", place / "d.scp": "w=...\\data\\ten.chunk[0,4]\n", **CLEAN})
    write({place / "d.mlf": labels_of("w"), place / "d.list": "a\nb\n", place / "d.ctf": "0 |x 1\n1 |x 2\n"})
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
        assert re.search(r"; did you mean 'lists/there(.bin)?'\?", fails(lambda file=file: made(file)))
    assert "this is a path of Windows: put the folder where the files are now in the place of 'C:'" in fails(
        lambda: made("C:\\lists\\there")
    )


@POSIX
def test_models_of_programs_from_windows(folder):
    (folder / "lists" / "a.model").write_bytes(b"")
    with pytest.raises(ValueError, match=r"there is no file 'lists\\a.model' to load; did you mean 'lists/a.model'\?"):
        C.load_model("lists\\a.model")
