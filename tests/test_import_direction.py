"""The floors of the house: every import in src/cntk points down, and the ground floor knows no
torch.

The sources are read, not run. A module belongs to the floor of the longest entry of `FLOORS` that
is its name or a package around it. What runs when a module is imported may come from its own floor
or one below. An import inside a function, or one for type checkers alone, may point up only where
`DEFERRED` says so and says why.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parent.parent / "src"

FLOORS: dict[str, int] = {
    # 0 graph: a description
    "cntk.axis": 0,
    "cntk._wording": 0,
    "cntk.errors": 0,
    "cntk._arguments": 0,
    "cntk._writing": 0,
    "cntk._graph": 0,
    # 1 runtime: what a kernel may use. Initializers only describe and draw numbers; parameters, on
    # floor 2, use them.
    "cntk._openmp": 1,
    "cntk.device": 1,
    "cntk.core": 1,
    "cntk._runtime": 1,
    "cntk.default_options": 1,
    "cntk.typing": 1,
    "cntk.initializer": 1,
    # 2 operations
    "cntk._ops": 2,
    "cntk.ops": 2,
    "cntk.tensor": 2,
    "cntk.variables": 2,
    "cntk.random": 2,
    # 3 compiler: graph to plan
    "cntk._compiler": 3,
    # 4 execution: running a plan
    "cntk._execution": 4,
    # 5 vocabulary
    "cntk.losses": 5,
    "cntk.metrics": 5,
    "cntk.layers": 5,
    # 6 training
    "cntk.learners": 6,
    "cntk.train": 6,
    "cntk.distributed": 6,
    "cntk.io": 6,
    "cntk.eval": 6,
    # 7 edges: files, pictures, compatibility
    "cntk._persist": 7,
    "cntk.logging": 7,
    "cntk.debugging": 7,
    "cntk.misc": 7,
    "cntk.contrib": 7,
    "cntk.internal": 7,
    "cntk.cntk_py": 7,
    "cntk.sample_installer": 7,
    # 8 the public face, `import cntk`, and 9 the programs that use it as anybody would
    "cntk": 8,
    "cntk.tests": 9,
    "cntk._cli": 9,
    "cntk._old_programs": 9,
    "cntk.__main__": 9,
}

# file -> what it may import from above, late. CNTK's method syntax asks for these and for nothing
# else.
DEFERRED: dict[str, tuple[str, ...]] = {
    "_graph/operators.py": ("cntk.ops",),  # x + y, x[a:b], x @ y build operations
    "_graph/define.py": ("cntk.ops",),  # what a @Function returns by name is an alias
    # Underscored names that libraries import from modules.
    "_graph/names/late_names.py": ("cntk.internal.names",),
    # f.eval, f.grad, f.train, f.save, ...
    "_graph/function_methods.py": (
        "cntk._execution.evaluate",
        "cntk._execution.gradients",
        "cntk._compiler.profiling",
        "cntk.train.function_train",
        "cntk._persist",
        "cntk.typing",  # what they take
    ),
    # __reduce_ex__: what pickle keeps is what files keep
    "_graph/function.py": ("cntk._persist.pickled",),
    "_graph/variable.py": ("cntk._persist.pickled",),
    # save_checkpoint, restore_from_checkpoint, __reduce_ex__
    "train/trainer.py": ("cntk._persist.checkpoints", "cntk._persist.pickled"),
    # Which checkpoint a session goes on from.
    "train/training_session.py": ("cntk._persist.checkpoints",),
    # create_checkpoint, restore_from_checkpoint, __reduce_ex__
    "learners/base.py": ("cntk._persist.learner_state", "cntk._persist.pickled"),
    "train/distributed.py": ("cntk._persist.learner_state", "cntk._persist.pickled"),
    "io/_corpus/streams.py": ("cntk.internal.native_shape",),  # m_sample_layout
}

GROUND_MAY_USE = {"ml_dtypes", "numpy", "typing_extensions"}


@dataclass(frozen=True)
class Import:
    """One imported name as it stands in a file."""

    line: int
    target: str
    late: bool
    """Inside a function, or seen by type checkers only."""


def module_name(path: Path, source: Path) -> str:
    """`cntk.ops.sequence` for src/cntk/ops/sequence/__init__.py or src/cntk/ops/sequence.py."""
    parts = path.relative_to(source).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def floor(module: str) -> int | None:
    """The floor of the longest entry that is the module or a package around it; a new top-level
    module has none.
    """
    name = module
    while name not in FLOORS:
        name = name.rpartition(".")[0]
        if not name or name == "cntk":
            return None
    return FLOORS[name]


def is_for_type_checkers(test: ast.expr) -> bool:
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )


def imports(path: Path, source: Path) -> Iterator[Import]:
    """Yield every imported module of a file; `from package import name` gives the module where
    `name` is one.
    """
    package = (
        module_name(path, source)
        if path.name == "__init__.py"
        else module_name(path, source).rpartition(".")[0]
    )

    def exists(module: str) -> bool:
        place = source.joinpath(*module.split("."))
        return place.with_suffix(".py").exists() or place.is_dir() or module in FLOORS

    def visit(node: ast.AST, late: bool) -> Iterator[Import]:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(node.lineno, alias.name, late)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, base] if base else above)
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                yield Import(
                    node.lineno, inner if base.startswith("cntk") and exists(inner) else base, late
                )
        elif isinstance(node, ast.If) and is_for_type_checkers(node.test):
            for child in node.body:
                yield from visit(child, True)
            for child in node.orelse:
                yield from visit(child, late)
        else:
            late = late or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
            for child in ast.iter_child_nodes(node):
                yield from visit(child, late)

    yield from visit(ast.parse(path.read_text(encoding="utf-8"), filename=str(path)), False)


def is_or_is_within(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(package + ".") for package in packages)


def faults(path: Path, source: Path) -> Iterator[str]:
    """What is wrong with a file's imports, one sentence each."""
    module = module_name(path, source)
    own = floor(module)
    if own is None:
        yield f"{module} has no floor yet; give it one in FLOORS of {Path(__file__).name}"
        return
    allowed = DEFERRED.get(path.relative_to(source / "cntk").as_posix(), ())
    for found in imports(path, source):
        place = f"{path.relative_to(source).as_posix()}:{found.line}"
        if not is_or_is_within(found.target, ("cntk",)):
            if own == 0 and is_or_is_within(found.target, ("torch",)):
                yield f"{place}: floor 0 knows no torch"
            continue
        target = floor(found.target)
        if target is None:
            yield (
                f"{place}: {found.target} has no floor yet; give it one in FLOORS of "
                f"{Path(__file__).name}"
            )
        elif target > own and not (found.late and is_or_is_within(found.target, allowed)):
            how = (
                "late, but is not listed in DEFERRED"
                if found.late
                else "when it is imported itself"
            )
            yield (
                f"{place}: {module} (floor {own}) imports {found.target} (floor {target}), which "
                f"is above it, {how}"
            )


def files() -> list[Path]:
    return sorted((SOURCE / "cntk").rglob("*.py"))


@pytest.mark.parametrize("path", files(), ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_imports_point_down(path: Path) -> None:
    assert "\n".join(faults(path, SOURCE)) == ""


def test_ground_floor_uses_little() -> None:
    """Floor 0 stands on the standard library and NumPy."""
    import sys

    outside = {
        found.target.partition(".")[0]
        for path in files()
        if floor(module_name(path, SOURCE)) == 0
        for found in imports(path, SOURCE)
    }
    assert outside - set(sys.stdlib_module_names) - {"cntk"} <= GROUND_MAY_USE


def test_deferred_imports_are_needed() -> None:
    """The list of exceptions holds nothing that no file uses any more."""
    stale = []
    for name, targets in DEFERRED.items():
        path = SOURCE / "cntk" / name
        if path.exists():
            used = [found.target for found in imports(path, SOURCE) if found.late]
            stale += [
                (name, t)
                for t in targets
                if not any(is_or_is_within(target, (t,)) for target in used)
            ]
    assert not stale


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("_graph/walk.py", "import torch", "no torch"),
        ("_graph/walk.py", "def f():\n    import torch.fx", "no torch"),
        ("_graph/walk.py", "from cntk._compiler import plan", "above it, when"),
        ("_runtime/bind_input.py", "from .. import ops", "above it, when"),
        ("_compiler/plan.py", "from ..layers.blocks import LSTM", "above it, when"),
        ("_compiler/plan.py", "class A:\n    from cntk import layers", "above it, when"),
        ("_compiler/plan.py", "if True:\n    import cntk as C", "(floor 8)"),
        ("_compiler/plan.py", "def f():\n    import cntk.layers", "not listed"),
        ("_graph/operators.py", "from cntk import ops", "above it, when"),
        ("_graph/operators.py", "def f():\n    from cntk import layers", "not listed"),
        (
            "layers/blocks.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from cntk import train",
            "not lis",
        ),
        ("newcomer.py", "", "has no floor"),
        ("_ops/new.py", "from cntk import newcomer", "(floor 8)"),
        ("_ops/new.py", "import cntk.newcomer", "has no floor"),
    ],
)
def test_faults_are_found(tmp_path: Path, name: str, text: str, fault: str) -> None:
    path = tmp_path / "cntk" / name
    path.parent.mkdir(parents=True)
    path.write_text(text)
    assert [fault in sentence for sentence in faults(path, tmp_path)] == [True]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "_graph/operators.py",
            "def f():\n    from cntk import ops\n    from cntk.ops.sequence import first",
        ),
        (
            "_graph/clone.py",
            "from cntk._graph.walk import walk\nfrom . import types\nimport numpy as np",
        ),
        ("_ops/linear.py", "import torch\nfrom cntk._graph.op import Op\nfrom ..device import cpu"),
        ("layers/blocks.py", "from cntk import ops, initializer"),
        ("__init__.py", "from cntk.layers import Dense\nfrom . import logging"),
        ("_cli/demo.py", "import cntk as C\nfrom cntk._cli.idx import read_images"),
    ],
)
def test_right_imports_are_right(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / "cntk" / name
    path.parent.mkdir(parents=True)
    path.write_text(text)
    assert not list(faults(path, tmp_path))
