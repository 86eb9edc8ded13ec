"""Lists and data written on Windows or macOS are read as their clean twins: the same minibatches,
in the same order.
"""

from __future__ import annotations

import os
import unicodedata
import zipfile

import pytest

pytest.importorskip("PIL.Image")

from cntk.io import ImageDeserializer  # noqa: E402
from tests.io.cases.windows_cases import (  # noqa: E402
    CLEAN,
    POSIX,
    SCRIPT,
    TWINS,
    back,
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
    """A list in one encoding, file names in the other, as archives that were unpacked elsewhere
    leave them.
    """
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


@pytest.mark.parametrize("list_in", ["NFC", "NFD"])
@pytest.mark.parametrize("disk_in", ["NFC", "NFD"])
def test_accents_as_macos_writes_them(folder, list_in, disk_in):
    write({"d.map": "data/a.png\t1\ndata/deeper/x.zip@/a.png\t2\n"})
    expected = minibatches(pictures(ImageDeserializer, "d.map")())
    (folder / "data/a.png").rename(folder / "data" / unicodedata.normalize(disk_in, "é.png"))
    archive_of(unicodedata.normalize(disk_in, "é.png"))
    write({"d.map": unicodedata.normalize(list_in, "data/é.png\t1\ny.zip@/é.png\t2\n")})
    assert minibatches(pictures(ImageDeserializer, "d.map")()) == expected
    write({**CLEAN, "d.scp": unicodedata.normalize(list_in, SCRIPT.replace("w", "é"))})
    write({"d.mlf": unicodedata.normalize(disk_in, labels_of("é", "s/u.v.lab"))})
    assert len(minibatches(speech()())) == 16


def archive_of(*names):
    with zipfile.ZipFile("y.zip", "w") as archive:
        for name in names:
            archive.writestr(name, png(0))


@pytest.mark.parametrize("written", ["deeper\\grün.png", "deeper/grün.png", "grün.png"])
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_archives_of_other_systems(written, encoding):
    """Old programs of Windows put backslashes into archives, and bytes that are in no known
    encoding.
    """
    archive_of(written.encode(encoding).decode("cp437"))
    write({"y.map": f".../y.zip@/{back(written)}\t0\n", "c.map": "data/a.png\t0\n"})
    assert minibatches(pictures(ImageDeserializer, "y.map")()) == minibatches(
        pictures(ImageDeserializer, "c.map")()
    )


@POSIX
def test_the_name_as_it_stands_comes_first(folder):
    (folder / "data\\a.png").write_bytes(png(80))
    write({"d.map": "data\\a.png\t0\n", "c.map": "data/grün.png\t0\n"})
    assert minibatches(pictures(ImageDeserializer, "d.map")()) == minibatches(
        pictures(ImageDeserializer, "c.map")()
    )
