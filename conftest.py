"""What holds for every test: which files are collected, how Hypothesis searches, where examples
write to.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

TESTS = Path(__file__).resolve().parent / "tests"

# Examples take as long as they take on a loaded machine; continuous integration draws the same ones
# every time.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Of `tests`, only `test_*.py` are tests; programs, tables of cases and recorders beside them
    are not.
    """
    if TESTS not in collection_path.parents or collection_path.is_dir():
        return None
    return None if collection_path.name.startswith("test_") else True


@pytest.fixture(autouse=True)
def _examples_write_elsewhere(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An example in a docstring may save a file by its bare name: it runs in an empty folder of its
    own.
    """
    if isinstance(request.node, pytest.DoctestItem):
        monkeypatch.chdir(request.getfixturevalue("tmp_path"))


@pytest.fixture(autouse=True)
def _automatic_seeds_begin_anew() -> None:
    """A test that fixes the seed of what chooses its own must not decide the next test's
    numbers.
    """
    import cntk

    cntk.cntk_py.reset_random_seed(0)
