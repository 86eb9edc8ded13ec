"""What libraries of 2019 need of h5py, of pytest and of Python's regular expressions, with the
results of that time.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from cntk._old_programs.hook import Hook
from cntk._old_programs.table import TABLE
from cntk._old_programs.tell import Teller


@pytest.fixture(autouse=True)
def old() -> Iterator[None]:
    with Hook(TABLE, Teller(quiet=True)):
        yield


@pytest.mark.parametrize(
    ("pattern", "string", "maxsplit", "parts"),
    [
        (r"(\W+)?", "Where is it?", 0, ["Where", " ", "is", " ", "it", "?", ""]),
        (r"(\W+)?", "a b c d", 2, ["a", " ", "b", " ", "c d"]),
        (r"x*", "axbcxxd", 0, ["a", "bc", "d"]),
        (r"(a)|(b)*", "xaybbz", 0, ["x", "a", None, "y", None, "b", "z"]),
        (r"(x*)", "", 0, [""]),
        (rb"x*", b"axb", 0, [b"a", b"b"]),
        (r",", "a,b", 0, ["a", "b"]),  # a pattern that matches something: as today
        (re.compile(r"\s*"), "a b  c", 1, ["a", "b  c"]),
    ],
    ids=str,
)
def test_strings_are_split_where_something_matches(pattern, string, maxsplit, parts) -> None:
    assert re.split(pattern, string, maxsplit=maxsplit) == parts


def test_pytest_takes_none_for_any_warnings() -> None:
    with pytest.warns(None) as found:
        warnings.warn("one", UserWarning, stacklevel=1)
    assert [str(one.message) for one in found] == ["one"]
    with pytest.warns(None) as found:
        pass
    assert not found.list
    with pytest.warns(UserWarning, match="two"):
        warnings.warn("two", UserWarning, stacklevel=1)


def test_attributes_that_were_bytes_are_bytes(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "of_now.h5", "w") as file:
        assert file.fid.valid
        for place in (file.attrs, file.create_group("group").attrs):
            place["bytes"], place["text"], place["count"] = b"ab\xff", "é", 3
            place["list"], place["texts"] = [b"a", b"bcd"], ["a", "é"]
            place.create("created", (b"a", b"bcd"))
            place.create("any length", [b"a", b"bcd"], dtype=h5py.string_dtype("ascii"))
    with h5py.File(tmp_path / "of_now.h5", "r") as file:
        for place in (file.attrs, file["group"].attrs):
            assert place["bytes"] == b"ab\xff" and place["text"] == "é" and place["count"] == 3
            assert place["list"].dtype == place["created"].dtype == "S3" and place[
                "list"
            ].tolist() == [b"a", b"bcd"]
            assert place["any length"].tolist() == [b"a", b"bcd"] and place["texts"].tolist() == [
                "a",
                "é",
            ]


def test_files_open_to_write(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    for name in ("first", "second"):
        with h5py.File(tmp_path / "a.h5") as file:
            file[name] = np.arange(2)
    with h5py.File("nowhere", driver="core", backing_store=False) as file:
        file["a"] = [1]
    with h5py.File(tmp_path / "a.h5") as file:
        assert file["second"].value.tolist() == [0, 1] and sorted(file) == ["first", "second"]
