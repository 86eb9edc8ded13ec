"""What killed processes have left of files they were writing is removed by the next who writes
them, and nothing else is.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cntk._writing import leftovers
from cntk._writing.leftovers import name_until_replaced, new_mark
from cntk._writing.whole_files import replacing

OTHER_HOST = "0" * 8 + "ab" * 6
# Begins to write as `replacing` does, says so, and waits for its end.
WRITING = """
import fcntl, sys, time
with open(sys.argv[1], "xb", 0) as file:
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    file.write(b"half")
    print("writing", flush=True)
    time.sleep(600)
"""


def parts(folder: Path) -> list[str]:
    return sorted(name for name in os.listdir(folder) if ".part" in name)


def write(path: Path) -> None:
    with replacing(path, "save") as file:
        file.write(b"whole")


@contextmanager
def writer(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process in the midst of writing."""
    command = [
        sys.executable,
        "-c",
        WRITING,
        str(path.with_name(name_until_replaced(path, new_mark()))),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None and process.stdout.readline() == "writing\n"
        yield process
    finally:
        process.kill()
        process.communicate()


needs_locks = pytest.mark.skipif(not leftovers.LOCKS, reason="systems without locks go by the time")


@needs_locks
def test_what_a_killed_process_left_goes_with_the_next_writing(tmp_path: Path) -> None:
    path = tmp_path / "a.model"
    with writer(path):
        (living,) = parts(tmp_path)
        write(path)
        assert parts(tmp_path) == [living]
    assert parts(tmp_path) == [living]
    write(path)
    assert os.listdir(tmp_path) == ["a.model"] and path.read_bytes() == b"whole"


@needs_locks
def test_writers_of_one_process_leave_each_other_s_alone(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with replacing(path, "save") as first:
        first.write(b"first")
        write(path)
        assert len(parts(tmp_path)) == 1
    assert path.read_bytes() == b"first" and os.listdir(tmp_path) == ["a"]


@pytest.mark.parametrize(
    ("mark", "locks", "age", "is_left"),
    [
        ("", True, 0, True),
        ("", False, 60, False),
        ("", False, 3600, True),
        (OTHER_HOST, True, 3600, False),
        (OTHER_HOST, True, 3 * 24 * 3600, True),
        ("abcdef012345", True, 3600, False),  # of a version that did not name the machine
        ("abcdef012345", True, 3 * 24 * 3600, True),
    ],
    ids=[
        "locks",
        "no locks",
        "no locks, old",
        "another machine",
        "another machine, old",
        "former",
        "former, old",
    ],
)
def test_who_is_taken_for_gone(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    mark: str,
    locks: bool,
    age: float,
    is_left: bool,
) -> None:
    if locks and not leftovers.LOCKS:
        pytest.skip("this system has no locks")
    if not locks:
        monkeypatch.setattr(leftovers, "fcntl", None)
    left = tmp_path / name_until_replaced("a", mark or new_mark())
    left.write_bytes(b"half")
    os.utime(left, times=(time.time() - age,) * 2)
    write(tmp_path / "a")
    assert left.exists() is not is_left


def test_other_files_stay(tmp_path: Path) -> None:
    """Also those of targets whose names begin alike, and what only looks like a temporary."""
    mark = new_mark()
    long = "n" * 60
    kept = [
        name_until_replaced("ab", mark),
        name_until_replaced("a.b", mark),
        name_until_replaced(long + "2", mark),
        f"a.{mark}.part",
        ".a.part",
        f".a.{mark}.parts",
        f".a.{mark[:-1]}x.part",
    ]
    for name in kept:
        (tmp_path / name).write_bytes(b"")
    write(tmp_path / "a")
    write(tmp_path / long)
    assert set(kept) <= set(os.listdir(tmp_path))


def test_a_temporary_that_is_taken_away_is_begun_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody may take it for a leftover between its beginning and its lock."""
    if not leftovers.LOCKS:
        pytest.skip("this system has no locks")
    flock, taken = leftovers.fcntl.flock, []

    def too_late(file: object, how: int) -> None:
        if not taken:
            taken.extend(parts(tmp_path))
            os.unlink(tmp_path / taken[0])
        flock(file, how)

    monkeypatch.setattr(leftovers.fcntl, "flock", too_late)
    write(tmp_path / "a")
    assert taken and os.listdir(tmp_path) == ["a"]


def test_a_disk_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not leftovers.LOCKS:
        pytest.skip("this system has no locks")

    def refused(file: object, how: int) -> None:
        raise OSError(95, "not supported")

    monkeypatch.setattr(leftovers.fcntl, "flock", refused)
    left = tmp_path / name_until_replaced("a", new_mark())
    left.write_bytes(b"half")
    write(tmp_path / "a")
    assert left.exists()
    os.utime(left, times=(1, 1))
    write(tmp_path / "a")
    assert os.listdir(tmp_path) == ["a"]
