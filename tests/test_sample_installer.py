"""Samples: an archive is unpacked or refused as a whole, and the address that is gone is said to
be.
"""

import zipfile
from urllib.error import URLError

import pytest

import cntk as C
from cntk import sample_installer
from cntk.sample_installer import SamplesGoneError


@pytest.fixture
def archive(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with zipfile.ZipFile("a.zip", "w") as made:
        made.writestr("Examples/x.txt", "hello")
        made.writestr("../outside.txt", "no")
        made.writestr("requirements.txt", "matplotlib\n")
    return (tmp_path / "a.zip").as_uri()


def test_the_address_is_gone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for address in (None, sample_installer.default_sample_url()):
        with pytest.raises(
            SamplesGoneError,
            match=r"^install_samples: https://cntk.ai/.* is gone.*github.com/microsoft/CNTK",
        ):
            C.install_samples(address)
    assert issubclass(SamplesGoneError, URLError) and issubclass(SamplesGoneError, OSError)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("there", [False, True])
def test_archives_are_unpacked(archive, tmp_path, capsys, there):
    if there:
        (tmp_path / "out").mkdir()
    assert C.install_samples(archive, "out") is None
    assert (tmp_path / "out" / "Examples" / "x.txt").read_text() == "hello"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.zip", "out"]
    said = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in said] == ["retrieving", "unzipping", "samples"]


def test_the_default_folder_and_no_words(archive, tmp_path, capsys):
    C.install_samples(archive, quiet=True)
    assert (
        tmp_path / "CNTK-Samples-2-7" / "requirements.txt"
    ).exists() and capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("address", "folder", "error"),
    [
        (None, "full", ValueError),
        ("/nonexistent/x", "out", ValueError),
        (3, "out", TypeError),
        ("file:///nonexistent/x.zip", "out", URLError),
        ("no zip", "out", zipfile.BadZipFile),
        ("zip", "full", ValueError),
        ("zip", "a.zip", ValueError),
    ],
    ids=range(7),
)
def test_nothing_is_left_of_what_fails(archive, tmp_path, address, folder, error):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "kept.txt").write_text("kept")
    (tmp_path / "other").write_text("no zip")
    before = sorted(p.name for p in tmp_path.rglob("*"))
    given = {"zip": archive, "no zip": (tmp_path / "other").as_uri()}.get(address, address)
    with pytest.raises(error):
        C.install_samples(given, folder, quiet=True)
    assert sorted(p.name for p in tmp_path.rglob("*")) == before
