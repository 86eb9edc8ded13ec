"""Damaged and forged files: each is loaded or refused by one kind of error, and soon; nothing else
comes out.
"""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import cntk as C
from tests.persist.mutations import GOLDEN, damaged, forged, is_loaded

ROOT = Path(__file__).parents[2]
MEGABYTE = 2**20
only_linux = pytest.mark.skipif(
    sys.platform != "linux", reason="needs a limit of the process's memory"
)


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_damaged_files(path: Path) -> None:
    data, draw = path.read_bytes(), random.Random(path.stem)
    assert sum(is_loaded(damaged(data, draw)) for _ in range(40)) < 40


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_forged_files(path: Path) -> None:
    data, draw = path.read_bytes(), random.Random(path.stem)
    assert sum(is_loaded(forged(data, draw)) for _ in range(40)) < 40


def test_files_that_are_whole_are_loaded() -> None:
    assert all(is_loaded(path.read_bytes()) for path in GOLDEN)


def child(*arguments: object) -> str:
    """What a child process of this folder's module prints; its failure is this one's."""
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


LOAD_LARGE = """
import gc, sys
import cntk as C
from tests.persist.mutations import is_loaded, limit_memory
small, *large = sys.argv[1:]
C.load_model(small)
limit_memory({size})
for path in large:
    print(is_loaded(path))
    gc.collect()  # a graph's parts know each other
"""


@only_linux
def test_a_large_file_takes_no_more_than_twice_its_size(tmp_path: Path) -> None:
    size = 96 * MEGABYTE
    rng = np.random.default_rng(0)
    for name, rows in (("small", 1), ("large", size // 4096)):
        weights = C.parameter((rows, 1024), init=rng.random((rows, 1024), dtype=np.float32))
        C.times(C.input_variable(rows), weights).save(tmp_path / f"{name}.model")
    data = (tmp_path / "large.model").read_bytes()
    paths = [tmp_path / "large.model"]
    draw = random.Random(3)
    for k in range(3):
        paths.append(tmp_path / f"damaged{k}.model")
        paths[-1].write_bytes(data[: draw.randrange(len(data))])
    script = LOAD_LARGE.format(size=len(data))
    assert child("-c", script, tmp_path / "small.model", *paths).split() == [
        "True",
        "False",
        "False",
        "False",
    ]
