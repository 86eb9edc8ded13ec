"""Files and names that pages mention in code font are there."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
BASES = (ROOT, ROOT / "src" / "cntk")
TOP = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
PAGES = [*(ROOT / name for name in TOP), *sorted((ROOT / "docs").rglob("*.md"))]
# These tell of other libraries, and of files and names that programs had.
FOREIGN = {"old-names.md", "old-programs.md", "keras.md"}
# Files of programs in examples, and of the original's.
NOT_OURS = {"ctf2bin.py", "program.py", "train.py"}

FOLDERS = {path.name for base in BASES for path in base.iterdir() if path.is_dir()}
FILES = {
    path.name for folder in ("src", "tests", "benchmarks") for path in (ROOT / folder).rglob("*.py")
}


def mentioned(page: Path) -> list[str]:
    """What stands in code font in a page's prose."""
    text = page.read_text(encoding="utf-8")
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"`([^`\n]+)`", prose)


def named(pages: list[Path]) -> pytest.MarkDecorator:
    ours = [page for page in pages if page.name not in FOREIGN]
    return pytest.mark.parametrize(
        "page", [pytest.param(page, id=page.relative_to(ROOT).as_posix()) for page in ours]
    )


def absent_files(text: str) -> Iterator[str]:
    for path in re.findall(r"[\w.*-]+(?:/[\w.*-]+)*/?", text):
        folder, *rest = path.split("/")
        if rest and (folder in FOLDERS or folder.startswith("_")):
            if not any(any(base.glob(path.rstrip("/"))) for base in BASES):
                yield path
        elif re.fullmatch(r"\w+\.py", path) and path not in FILES | NOT_OURS:
            yield path


@named(PAGES)
def test_files_of_the_project_exist(page: Path) -> None:
    assert not [path for text in mentioned(page) for path in absent_files(text)]


def found(name: str) -> Any:
    """What a dotted name stands for; None if there is nothing."""
    place: Any = importlib.import_module("cntk")
    for part in name.split(".")[1:]:
        if not hasattr(place, part) and hasattr(place, "__path__"):
            try:
                importlib.import_module(f"{place.__name__}.{part}")
            except ModuleNotFoundError:
                return None
        place = getattr(place, part, None)
    return place


@named(PAGES)
def test_names_of_the_package_exist(page: Path) -> None:
    names = [
        name
        for text in mentioned(page)
        for name in re.findall(r"(?<![\w/.\"'])(?:cntk|C)(?:\.[A-Za-z_]\w*)+", text)
    ]
    assert not [name for name in names if found(name) is None]


def test_names_of_the_glossary_are_in_the_sources() -> None:
    sources = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py"))
    page = ROOT / "docs" / "glossary.md"
    names = [name for name in mentioned(page) if "/" not in name]
    assert not [name for name in names if not re.search(rf"(?<!\w){re.escape(name)}\b", sources)]
