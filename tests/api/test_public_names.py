"""What modules offer: every public module says its names, has each, and completion shows no other
ones.
"""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

import cntk as C

ROOT = Path(C.__file__).parent
# What the original's tests share; no part of the interface.
LEFT_OUT = {"cntk.tests", "cntk.tests.test_utils"}


def public_modules() -> list[str]:
    """Modules of whose path no part is private."""
    names = []
    for path in sorted(ROOT.rglob("*.py")):
        parts = ["cntk", *path.relative_to(ROOT).with_suffix("").parts]
        if parts[-1] == "__init__":
            parts.pop()
        name = ".".join(parts)
        if not any(part.startswith("_") for part in parts) and name not in LEFT_OUT:
            names.append(name)
    return names


def module_of(name: str) -> ModuleType:
    return importlib.import_module(name)


@pytest.mark.parametrize("name", public_modules())
def test_a_module_says_its_names_and_has_them(name: str) -> None:
    module = module_of(name)
    names = module.__all__
    assert len(names) == len(set(names))
    assert [each for each in names if not hasattr(module, each)] == []
    assert [each for each in names if each.startswith("__")] == []


@pytest.mark.parametrize(
    "name",
    [name for name in public_modules() if "__dir__" in vars(module_of(name))],
)
def test_completion_shows_public_names_only(name: str) -> None:
    module = module_of(name)
    shown = {each for each in dir(module) if not each.startswith("__")}
    assert shown == {each for each in module.__all__ if not each.startswith("__")}
    assert "hand_on" not in shown


def test_faces_of_the_package_show_public_names_only() -> None:
    faces = "cntk io layers learners logging losses metrics ops random train errors typing".split()
    for face in faces:
        module = C if face == "cntk" else getattr(C, face)
        assert "__dir__" in vars(module), face
        assert [n for n in dir(module) if n.startswith("_") and not n.startswith("__")] == []
    assert {"plus", "layers", "errors", "typing", "Trainer", "sgd"} <= set(dir(C))
