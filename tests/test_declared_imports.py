"""What the package imports is declared: a dependency, or a package of an extra.

Whether those of extras are imported late, and say what to install, `tests/installed` finds out
where none of them is.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
OURS = {"cntk", "_cntk_py"}
# Imported only for programs that import it themselves, or in their tests.
OF_PROGRAMS = {
    "src/cntk/_old_programs/pytest/changes.py": {"pytest"},
    "src/cntk/tests/test_utils.py": {"pytest"},
}


def packages(requirements: list[str]) -> set[str]:
    """The names to import of what is required; those that are not installed keep their own."""
    wanted = {re.split(r"[^\w.-]", line)[0].lower() for line in requirements}
    found = set(wanted)
    for package, distributions in metadata.packages_distributions().items():
        if {re.sub(r"[-_.]+", "-", name).lower() for name in distributions} & wanted:
            found.add(package)
    return found


def imported(code: ast.AST) -> Iterator[str]:
    """The packages that some code imports, by statements."""
    for node in ast.walk(code):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module.partition(".")[0]


def undeclared(file: str, code: ast.AST, declared: set[str]) -> set[str]:
    known = declared | OURS | set(sys.stdlib_module_names) | OF_PROGRAMS.get(file, set())
    return set(imported(code)) - known


def test_every_import_is_declared() -> None:
    extras = [line for name, lines in EXTRAS.items() if name != "dev" for line in lines]
    declared = packages(PROJECT["dependencies"] + extras)
    wrong = {}
    for path in sorted((ROOT / "src").rglob("*.py")):
        file = path.relative_to(ROOT).as_posix()
        if found := undeclared(file, ast.parse(path.read_text(encoding="utf-8")), declared):
            wrong[file] = sorted(found)
    assert not wrong, "neither a dependency nor a package of an extra, see pyproject.toml"


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("import numpy.linalg, torch", set()),
        ("def f():\n    from yaml.nodes import Node", {"yaml"}),
        ("if True:\n    import requests as r", {"requests"}),
        ("from . import pytest", set()),
    ],
    ids=["declared", "late", "renamed", "relative"],
)
def test_undeclared_imports_are_found(code: str, found: set[str]) -> None:
    assert undeclared("file.py", ast.parse(code), {"numpy", "torch"}) == found


def test_every_extra_is_explained() -> None:
    explained = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    assert not [name for name in EXTRAS if f"`{name}`" not in explained]
