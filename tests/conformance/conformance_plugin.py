"""pytest plugin: lets the original's test modules, written as submodules of `cntk`, import from the
`cntk` under test.

Beside that it only gives back what newer NumPy releases took away from the names that the suite's
own code uses, and prints numbers as the NumPy of its time did.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

SUITE = Path(os.environ["CNTK_CONFORMANCE_SUITE"])

for alias, kind in {"float": float, "int": int, "bool": bool, "object": object}.items():
    if alias not in np.__dict__:
        setattr(np, alias, kind)
for alias, name in {"product": "prod", "alltrue": "all"}.items():
    if not hasattr(np, alias):
        setattr(np, alias, getattr(np, name))
if not hasattr(np.lib, "pad"):
    np.lib.pad = np.pad  # type: ignore[attr-defined]
np.set_printoptions(precision=6, suppress=True, legacy="1.13")


class SuiteFinder(importlib.abc.MetaPathFinder):
    """Finds in the suite what the package under test does not have: its test packages, wherever
    they are asked for.
    """

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        *parents, _ = fullname.split(".")
        if parents[:1] != ["cntk"]:
            return None
        return importlib.machinery.PathFinder.find_spec(
            fullname, [str(SUITE.joinpath(*parents))], target
        )


sys.meta_path.append(SuiteFinder())


class SuiteModule(pytest.Module):
    """A test module imported under its dotted `cntk...` name."""

    def _getobj(self) -> ModuleType:
        parts = self.path.relative_to(SUITE).with_suffix("").parts
        for depth in range(1, len(parts) - 1):
            # What is a package in the suite may be a plain module here, and only packages have
            # submodules.
            vars(importlib.import_module(".".join(parts[:depth]))).setdefault("__path__", [])
        return importlib.import_module(".".join(parts))


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> SuiteModule:
    return SuiteModule.from_parent(parent, path=module_path)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--deviceid", action="append", default=[])


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "device_id" in metafunc.fixturenames:
        metafunc.parametrize("device_id", [-1])


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    import cntk.debugging

    cntk.debugging.set_checked_mode(True)


@pytest.fixture(autouse=True)
def reset_random_seed() -> None:
    import cntk

    cntk.cntk_py.reset_random_seed(0)
