r"""Lists and data twice, clean and as Windows has them, and what reads them.

``\`` in names, a byte order mark, line ends of two characters, Windows-1252.
"""

from __future__ import annotations

import base64
import codecs
import io
import os
import struct
import zipfile

import numpy as np
import pytest

Image = pytest.importorskip("PIL.Image")

import cntk.io.transforms as xforms  # noqa: E402
from cntk.io import (  # noqa: E402
    Base64ImageDeserializer,
    CTFDeserializer,
    HTKFeatureDeserializer,
    HTKMLFBinaryDeserializer,
    HTKMLFDeserializer,
    ImageDeserializer,
    MinibatchSource,
    StreamDef,
    StreamDefs,
)
from tests.io.cases.htk_cases import TEN  # noqa: E402

MARK = codecs.BOM_UTF8
POSIX = pytest.mark.skipif(os.name == "nt", reason="on Windows these names are as good as any")


def png(shade):
    written = io.BytesIO()
    Image.fromarray(np.arange(shade, shade + 90, dtype=np.uint8).reshape(5, 6, 3)).save(
        written, "PNG"
    )
    return written.getvalue()


def filled(tmp_path):
    """A folder with pictures, archives of them, and frames of speech."""
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
            found += [
                (s.toarray() if hasattr(s, "toarray") else s).tolist() for s in data.as_sequences()
            ]
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
            return [
                features,
                HTKMLFBinaryDeserializer(StreamDefs(l=StreamDef(mlf=labels, shape=2))),
            ]
        return [features, HTKMLFDeserializer(states, StreamDefs(l=StreamDef(mlf=labels, shape=2)))]

    return made


def labels_of(*names, states="ab"):
    segments = f"0 200000 {states[0]}\n200000 500000 {states[1]}\n.\n"
    return "#!MLF!#\n" + "".join(f'"{name}"\n{segments}' for name in names)


def binary_labels(*names):
    utterances = (
        struct.pack("<H", len(n)) + n + struct.pack("<IHHHHH", 5, 2, 0, 2, 1, 3) for n in names
    )
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
    "map, all": (
        pictures(ImageDeserializer, "d.map"),
        {"d.map": MAP},
        {"d.map": marked(back(MAP))},
    ),
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
        {
            "d.map": "ü\tdata\\grün.png\t0\r\nb\tdata\\deeper\\x.zip@\\grün.png\t2\r\n".encode(
                "cp1252"
            )
        },
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
    "script and labels": (
        speech(),
        CLEAN,
        {"d.scp": back(SCRIPT), "d.mlf": marked(back(CLEAN["d.mlf"]))},
    ),
    "states": (speech(), CLEAN, {"d.list": marked(CLEAN["d.list"])}),
    "states, Windows-1252": (
        speech(),
        {**CLEAN, "d.list": "ä\nß\n", "d.mlf": labels_of("s/u.v.lab", "w", states="äß")},
        {
            "d.list": "ä\r\nß\r\n".encode("cp1252"),
            "d.mlf": labels_of("s\\u.v.x", "w", states="äß").encode("cp1252"),
        },
    ),
    "speech, Windows-1252": (
        speech(),
        {**CLEAN, "d.scp": SCRIPT.replace("w", "€ü"), "d.mlf": labels_of("s/u.v.lab", "€ü.lab")},
        {"d.scp": SCRIPT.replace("w", "€ü").encode("cp1252")},
    ),
    "binary labels": (speech(labels="d.bin"), CLEAN, {"d.bin": binary_labels(b"s\\u.v", b"w")}),
    "binary labels, Windows-1252": (
        speech(labels="d.bin"),
        {
            **CLEAN,
            "d.scp": SCRIPT.replace("w", "ü"),
            "d.bin": binary_labels(b"s/u.v", "ü".encode()),
        },
        {"d.bin": binary_labels(b"s/u.v", b"\xfc")},
    ),
    "text": (
        lambda: CTFDeserializer(
            "d.ctf", StreamDefs(x=StreamDef("größe", 1), y=StreamDef("y", 2, is_sparse=True))
        ),
        {"d.ctf": "|größe 1 |y 0:1 |# für\n|größe 2 |y 1:1\n"},
        {"d.ctf": "|größe 1 |y 0:1 |# für\r\n|größe 2 |y 1:1\r\n".encode("cp1252")},
    ),
    "text, marked": (
        lambda: CTFDeserializer("d.ctf", StreamDefs(x=StreamDef("größe", 1))),
        {"d.ctf": "|größe 1 |# für\n|größe 2\n"},
        {"d.ctf": marked("|größe 1 |# für\n|größe 2\n")},
    ),
}
