"""The installed package: its version, its types, and the pins of what it is developed with."""

from __future__ import annotations

import re
from pathlib import Path

import cntk

ROOT = Path(__file__).resolve().parent.parent


def test_version_is_the_projects() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert re.findall(r'^version = "(.*)"$', project, re.MULTILINE) == [cntk.__version__]


def test_package_is_typed() -> None:
    assert Path(cntk.__file__).with_name("py.typed").is_file()


def test_every_dependency_is_pinned() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    named = set(re.findall(r'"([a-z][a-z0-9-]*)>=', project)) - {"setuptools"}
    pinned = set(
        re.findall(
            r"^([a-z0-9-]+)==", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE
        )
    )
    assert {"numpy", "torch", "pytest"} <= named
    assert named <= pinned
    explained = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    assert not {name for name in named if name not in explained}
