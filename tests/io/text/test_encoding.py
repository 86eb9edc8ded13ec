"""Text in UTF-16 and UTF-32 is refused by its name; a byte order mark and line ends of Windows make
no difference.
"""

from __future__ import annotations

import base64
import codecs
import io

import numpy as np
import pytest

Image = pytest.importorskip("PIL.Image")

from cntk.io import (  # noqa: E402
    Base64ImageDeserializer,
    CTFDeserializer,
    HTKFeatureDeserializer,
    HTKMLFDeserializer,
    ImageDeserializer,
    MinibatchSource,
    StreamDef,
    StreamDefs,
)
from tests.io.cases.htk_cases import TEN  # noqa: E402


def png():
    written = io.BytesIO()
    Image.fromarray(np.full((2, 3, 3), 7, np.uint8)).save(written, "PNG")
    return written.getvalue()


IMAGES = StreamDefs(i=StreamDef("image"), c=StreamDef("label", shape=3))
TEXTS = {
    "d.ctf": "0 |x 1\n0 |x 2\n1 |x 3\n",
    "d.scp": "u=d.chunk[0,4]\nv=d.chunk[5,9]\n",
    "d.mlf": '#!MLF!#\n"u.lab"\n0 200000 a\n200000 500000 b\n.\n"v.lab"\n0 500000 b\n.\n',
    "d.list": "a\nb\n",
    "d.map": "d.png\t1\nd.png\t2\n",
    "d.base64": f"1\t{base64.b64encode(png()).decode()}\n2\t{base64.b64encode(png()).decode()}\n",
}


def speech():
    features = HTKFeatureDeserializer(StreamDefs(f=StreamDef(scp="d.scp", shape=1)))
    return [features, HTKMLFDeserializer("d.list", StreamDefs(l=StreamDef(mlf="d.mlf", shape=2)))]


READERS = {
    "d.ctf": lambda: CTFDeserializer("d.ctf", StreamDefs(x=StreamDef("x", 1))),
    "d.scp": speech,
    "d.mlf": speech,
    "d.list": speech,
    "d.map": lambda: ImageDeserializer("d.map", IMAGES),
    "d.base64": lambda: Base64ImageDeserializer("d.base64", IMAGES),
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "d.chunk").write_bytes(TEN)
    (tmp_path / "d.png").write_bytes(png())
    for name, text in TEXTS.items():
        (tmp_path / name).write_bytes(text.encode())
    return tmp_path


def read(name):
    source = MinibatchSource(READERS[name](), randomize=False, max_sweeps=1)
    found = []
    while minibatch := source.next_minibatch(5):
        for info, data in sorted(minibatch.items(), key=lambda item: item[0].name):
            found += [
                (s.toarray() if hasattr(s, "toarray") else s).tolist() for s in data.as_sequences()
            ]
            found.append(info.name)
    return found


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("name", list(READERS))
def test_other_encodings_are_named(folder, name, mark, encoding):
    (folder / name).write_bytes((mark + TEXTS[name]).encode(encoding))
    with pytest.raises(
        ValueError, match=rf"{name}: the file is text in {encoding[:6].upper()}.*save it as UTF-8"
    ):
        read(name)


@pytest.mark.parametrize("name", list(READERS))
def test_marks_and_line_ends_of_windows(folder, name):
    clean = read(name)
    (folder / name).write_bytes(codecs.BOM_UTF8 + TEXTS[name].encode())
    assert read(name) == clean
    (folder / name).write_bytes(codecs.BOM_UTF8 + TEXTS[name].replace("\n", "\r\n").encode())
    assert read(name) == clean
