"""Operations are told by their classes, never by their names: sources are read, not run.

A name is for people and for files. Where code compares names, an operation that is renamed stops
being recognised without a word, and a block of a program's own that bears the name is taken for it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parent.parent / "src"

# Files that may compare names, and why.
MAY_COMPARE: dict[str, str] = {
    "logging/drawing/description.py": "how a picture shows what bears a name",
    "contrib/netopt/quantization.py": "blocks of the program's, which have nothing but a name",
    "contrib/netopt/factorization.py": "blocks of the program's, which have nothing but a name",
    "contrib/crosstalk/crosstalk_cntk.py": "layers of foreign formats",
    "contrib/crosstalkcaffe/adapter/bvlccaffe/caffeadapter.py": "layers of Caffe's format",
    "_persist/checkpoints.py": "a file's place for operations that have a count of random numbers",
}


def comparisons(tree: ast.AST) -> Iterator[int]:
    """Yield the lines that compare an operation's name, or ask a table for one."""
    for function in (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)):
        named = set(_named(function))
        for node in ast.walk(function) if named else ():
            if any(_is_name(each, named) for each in _asked(node)):
                yield node.lineno  # type: ignore[attr-defined]
    for node in ast.walk(tree):
        if any(_is_name(each, set()) for each in _asked(node)):
            yield node.lineno  # type: ignore[attr-defined]


def _asked(node: ast.AST) -> list[ast.expr]:
    """What a node compares, chooses by, looks up, or asks an operation for by its name."""
    if isinstance(node, ast.Compare):
        return [node.left, *node.comparators]
    if isinstance(node, ast.Match):
        return [node.subject]
    if isinstance(node, ast.Subscript):
        return [node.slice]
    if not isinstance(node, ast.Call):
        return []
    called = node.func
    if isinstance(called, ast.Attribute) and called.attr in ("startswith", "endswith"):
        return [called.value]
    if isinstance(called, ast.Attribute) and called.attr == "get":
        return node.args[:1]
    return []


def _is_name(node: ast.expr, named: set[str]) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr == "op_name"
    return isinstance(node, ast.Name) and node.id in named


def _named(function: ast.AST) -> Iterator[str]:
    """Yield the local names that are an operation's name."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and _is_name(node.value, set()):
            yield from (t.id for t in node.targets if isinstance(t, ast.Name))


def asked_by_string(tree: ast.AST) -> Iterator[int]:
    """Yield the lines that ask an operation for an attribute which it may lack."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        if node.func.id in ("getattr", "hasattr") and len(node.args) > 1:
            of, what = node.args[:2]
            is_operation = (isinstance(of, ast.Attribute) and of.attr == "op") or (
                isinstance(of, ast.Name) and of.id == "op"
            )
            if is_operation and isinstance(what, ast.Constant):
                yield node.lineno


SAMPLES = {
    "equal": "def f(n):\n    return n.op.op_name == 'Plus'",
    "in": "def f(n):\n    return n.op_name in ('Plus', 'Minus')",
    "different": "x = [n for n in nodes if 'Plus' != n.op.op_name]",
    "by a local name": "def f(n):\n    name = n.op.op_name\n    return name == 'Plus'",
    "by a table": "def f(n):\n    return TABLE[n.op.op_name]",
    "by a table's get": "def f(n):\n    return TABLE.get(n.op_name)",
    "match": "match n.op_name:\n    case 'Plus':\n        pass",
    "beginning": "def f(n):\n    return n.op_name.startswith('Sequence')",
}


@pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES.keys())
def test_comparisons_are_seen(sample: str) -> None:
    assert list(comparisons(ast.parse(sample)))


@pytest.mark.parametrize(
    "sample", ["x = f'{n.op_name}: too long'", "cls.op_name = name", "show(n.op_name, 3)"]
)
def test_other_uses_are_let_be(sample: str) -> None:
    assert not list(comparisons(ast.parse(sample)))


def test_questions_by_string_are_seen() -> None:
    assert list(asked_by_string(ast.parse("getattr(node.op, 'begin', None)")))
    assert not list(asked_by_string(ast.parse("getattr(node.op, field.name)")))


def test_operations_are_told_by_their_classes() -> None:
    found: dict[str, list[int]] = {}
    for path in sorted((SOURCE / "cntk").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if re.search(r"\bop_name\b|attr\([\w.]*\bop,", text) is None:
            continue
        tree = ast.parse(text)
        lines = sorted({*comparisons(tree), *asked_by_string(tree)})
        if lines:
            found[path.relative_to(SOURCE / "cntk").as_posix()] = lines
    assert {path: lines for path, lines in found.items() if path not in MAY_COMPARE} == {}
    assert sorted(MAY_COMPARE) == sorted(found), "files that compare no names any more stay listed"
