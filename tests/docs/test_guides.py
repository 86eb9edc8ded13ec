"""The guides for contributors, followed to the letter in a copy of the repository."""

from __future__ import annotations

import ast
import importlib
import shutil
from pathlib import Path

import pytest

from tests.docs.guide import follow, read_guide, run

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = sorted((ROOT / "docs" / "contributing").glob("*.md"))


def named(pages: list[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("page", [pytest.param(page, id=page.stem) for page in pages])


@named(PAGES)
def test_a_guide_fits_the_sources(page: Path, tmp_path: Path) -> None:
    guide = read_guide(page)
    assert guide.commands, "a guide says what to run"
    for path, _, _ in guide.changes:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
    follow(guide, tmp_path)
    assert not [path for path in guide.files if (ROOT / path).exists()]
    assert not [path for path in guide.files if not (ROOT / path).parent.is_dir()]
    for path in guide.touched:
        if path.endswith(".py"):
            compile((tmp_path / path).read_text(encoding="utf-8"), path, "exec")


@named(PAGES)
def test_a_guide_imports_what_is_there(page: Path) -> None:
    guide = read_guide(page)
    new = {module_name(path) for path in guide.files}
    absent = []
    for path, text in guide.files.items():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom) and node.module and path.startswith("src/"):
                if node.module.partition(".")[0] != "cntk" or node.module in new:
                    continue
                module = importlib.import_module(node.module)
                names = [alias.name for alias in node.names if not hasattr(module, alias.name)]
                absent += [f"{path}: {node.module}.{name}" for name in names]
    assert not absent


def module_name(path: str) -> str:
    """Return the name under which a file of the package is imported."""
    return path.removeprefix("src/").removesuffix(".py").replace("/", ".")


@pytest.mark.slow
@named(PAGES)
def test_a_guide_leads_to_passing_tests(page: Path, tmp_path: Path) -> None:
    left_out = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for name in ("benchmarks", "src", "tests", "docs"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=left_out)
    for name in ("pyproject.toml", "conftest.py", "CHANGELOG.md", "README.md"):
        shutil.copy(ROOT / name, tmp_path / name)
    guide = read_guide(page)
    follow(guide, tmp_path)
    for command in guide.commands:
        done = run(command, tmp_path)
        assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-1000:]
