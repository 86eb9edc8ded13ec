"""The public interface is the original's: every name, with its parameters, their order and their
defaults.

`record_api.py` wrote down the original's. What is not there yet is in ``pending.txt``, which holds
exactly that; a line that ends in ``.*`` stands for all that a module has yet to offer.
"""

from __future__ import annotations

import importlib
import inspect
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.api.described import described_signature

HERE = Path(__file__).parent
API: dict[str, dict[str, Any]] = json.loads(
    (HERE / "api_of_the_original.json").read_text(encoding="utf-8")
)
PENDING = (HERE / "pending.txt").read_text(encoding="utf-8").splitlines()
# What the original takes as **kw_name and looks into itself is spelled out here.
SPELLED_OUT = {"**kw_name": "name=''", "**kw_axis_name": "axis=-1, name=''"}


def module_of(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not (name + ".").startswith(error.name + "."):
            raise
        return None


def static(cls: type, name: str) -> Any:
    """A class's member, not called; a dataclass's field is as good as a property."""
    return inspect.getattr_static(
        cls, name, property() if name in getattr(cls, "__dataclass_fields__", ()) else None
    )


def described_member(cls: type, name: str) -> str:
    member = static(cls, name)
    if isinstance(member, property):
        return "property"
    if isinstance(member, (staticmethod, classmethod)):
        return "static " + described_signature(member.__func__)
    if name == "__init__" and not inspect.isfunction(member):
        # Calling it is all that there is to its metaclass.
        return "(self, " + described_signature(cls)[1:]
    return described_signature(member) if inspect.isfunction(member) else "attribute"


def wanted() -> Iterator[tuple[str, str, Any]]:
    """Yield each name as module, name (``Class.member`` for what a class has), and what it stands
    for.
    """
    for module, entries in API.items():
        for name, entry in entries.items():
            yield module, name, entry
            if isinstance(entry, dict):
                for member, described in entry.items():
                    yield module, f"{name}.{member}", described


def spelled_out(text: str) -> str:
    for pattern, words in SPELLED_OUT.items():
        text = text.replace(pattern, words)
    return text


def missing() -> list[str]:
    """The names that are not there; of a module or class that is not there, that alone."""
    found = []
    for name, entries in API.items():
        module = module_of(name)
        absent = [key for key in entries if not hasattr(module, key)]
        if module is None or len(absent) == len(entries):
            found.append(f"{name}.*")
            continue
        found += [f"{name}.{key}" for key in absent]
        for key, entry in entries.items():
            if isinstance(entry, dict) and key not in absent:
                found += [
                    f"{name}.{key}.{member}"
                    for member in entry
                    if static(getattr(module, key), member) is None
                ]
    return found


THERE = [
    (module, name, entry)
    for module, name, entry in wanted()
    if not {f"{module}.*", f"{module}.{name}", f"{module}.{name.partition('.')[0]}"} & set(PENDING)
]


def test_what_is_pending_is_listed_exactly() -> None:
    """Whoever adds a name takes it off the list, and nothing gets lost again."""
    assert missing() == PENDING


@pytest.mark.parametrize(("module", "name", "entry"), THERE, ids=[f"{m}.{n}" for m, n, _ in THERE])
def test_name(module: str, name: str, entry: Any) -> None:
    owner, _, member = name.partition(".")
    value = getattr(importlib.import_module(module), owner)
    if isinstance(entry, (int, float)):
        assert value == entry and isinstance(value, bool) == isinstance(entry, bool)
    elif isinstance(entry, dict):
        assert isinstance(value, type)
    elif not entry.startswith(("(", "static (", "property", "attribute")):
        home = module_of(entry)
        assert home is None or value is getattr(home, owner, value)
    elif member:
        assert described_member(value, member) == spelled_out(entry)
    else:
        assert described_signature(value) == spelled_out(entry)


def test_signatures_are_compared() -> None:
    def f(x, y=1.0, *rest, axes=((1, 2), None), name="", **more):
        pass

    assert described_signature(f) == "(x, y=1, *rest, axes=[[1, 2], None], name='', **more)"
    assert (
        described_signature(lambda **kw_name: None) == "(**kw_name)"
        and spelled_out("(**kw_name)") == "(name='')"
    )
    assert (
        described_member(int, "real") == "attribute"
        and described_member(ModuleType, "x") == "attribute"
    )


def test_operations_that_old_programs_take_from_layers() -> None:
    layers = importlib.import_module("cntk.layers")
    space = {name: getattr(layers, name) for name in layers.__all__}
    ops = importlib.import_module("cntk.ops")
    names = """alias batch_normalization combine convolution convolution_transpose dropout placeholder pooling
        reconcile_dynamic_axes reduce_mean reshape sequence sigmoid slice softplus splice sqrt tanh times unpooling"""  # noqa: E501
    assert all(space[name] is getattr(ops, name) for name in names.split())
    assert space["glorot_uniform"] is importlib.import_module("cntk").glorot_uniform
    # The layers' own modules are still there under their full names.
    from cntk.layers.convolution import Convolution2D
    from cntk.layers.sequence import Recurrence

    assert space["Recurrence"] is Recurrence and space["Convolution2D"] is Convolution2D


def test_image_transforms_need_no_import_of_their_own() -> None:
    code = "import cntk, sys; sys.exit(not callable(cntk.io.transforms.scale))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
