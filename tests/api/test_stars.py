"""A star import brings all that the original's does: `np`, `sys` or `Value` too, which programs
then use.

`record_stars.py` wrote down what the original's modules bring. Left out are `cntk.contrib`,
`cntk.sample_installer` and `cntk.conftest`, which are examples and tests, and `cntk.cntk_py`: its
functions take operands in the native layer's order of axes, and what programs use of it is there by
name.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import cntk as C
from cntk._graph.names.handed_on import HANDED_ON
from cntk.internal import native_shape, sanitize, utils

STARS: dict[str, str] = json.loads(
    (Path(__file__).parent / "stars_of_the_original.json").read_text(encoding="utf-8")
)

NOT_BROUGHT = {
    "tests": "the original's own tests, which lie within its modules",
    "getargspec": (
        "a function of Python's that is gone since 3.11; inspect.signature is what to use"
    ),
    "contrib": "imported by its own name alone, in the original's programs too",
    "cntk_py_init": "looks for the original's native libraries",
}
# What is not the package's own.
OTHERS = {"np": np, "sys": sys, "C": C, "cntk": C, "DATATYPE": np.float32}


def brought(module: str) -> dict[str, Any]:
    space: dict[str, Any] = {}
    exec(f"from {module} import *", space)  # noqa: S102
    return space


@pytest.mark.parametrize("module", STARS)
def test_star_import(module: str) -> None:
    space = brought(module)
    wanted = set(STARS[module].split()) - set(NOT_BROUGHT)
    assert wanted - set(space) == set()
    assert "hand_on" not in space
    for name in wanted & set(OTHERS):
        assert space[name] is OTHERS[name]
    for name in wanted:
        assert space[name] is getattr(importlib.import_module(module), name)
        if (
            isinstance(space[name], type)
            and hasattr(C, name)
            and name not in ("Sequence", "Tensor")
        ):
            assert space[name] is getattr(C, name)


def test_the_table_holds_what_the_original_has() -> None:
    for module, names in HANDED_ON.items():
        assert set(names.split()) <= set(STARS[module].split()), module
        assert not set(names.split()) & set(NOT_BROUGHT)


def test_there_are_no_other_names() -> None:
    for module in STARS:
        loaded = importlib.import_module(module)
        assert isinstance(loaded, ModuleType)
        for name in ("nothing", "_nothing", "__nothing__"):
            with pytest.raises(
                AttributeError, match=f"module '{module}' has no attribute '{name}'"
            ):
                getattr(loaded, name)


@pytest.mark.parametrize(
    "module", ["cntk", "cntk.layers", "cntk.ops.functions", "cntk.internal", "cntk.train"]
)
def test_a_program_that_begins_with_a_star_import(module: str) -> None:
    code = f"from {module} import *" + (
        "\nsys.exit(int(np.ones(2).sum()) - 2)" if module == "cntk" else ""
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# -- what is handed on of the original's internals -------------------------------------------------


def test_results_are_kept() -> None:
    calls = []

    @sanitize.bounded_cache(4)
    def computed(*key: int) -> int:
        calls.append(key)
        return sum(key)

    assert [computed(1), computed(1), computed(1, 2)] == [1, 1, 3] and calls == [(1,), (1, 2)]
    for key in range(2, 8):
        computed(key)
    counts = []
    for key in (7, 6, 5, 4, 3, 2):
        computed(key)
        counts.append(len(calls))
    assert counts == [8, 8, 8, 8, 9, 10]
    with pytest.raises(TypeError):
        computed([1])  # type: ignore[arg-type]


def test_arguments_of_random_operations() -> None:
    for given, expected in (
        (((2,), np.float32), ((2,), 1)),
        (((2,), None), ((2,), 1)),
        ((2, "float"), ((2,), 1)),
        (((2, 3), np.float64), ((2, 3), 2)),
        (((2,), np.float16), ((2,), 4)),
        (((-1,), np.float32), ((-1,), 1)),
    ):
        assert sanitize.sanitize_random_args(*given) == expected
    with pytest.raises(ValueError, match="not supported"):
        sanitize.sanitize_random_args((2,), "q")


def test_attributes_and_values() -> None:
    flags = [True, False, False]
    for name in ("sharing", "autoPadding"):
        assert sanitize.sanitize_Function_attributes({name: flags}) == {name: [False, False, True]}
    for name in ("autoPad", "axisVec", "strides", "transpose"):
        given = {name: flags}
        assert sanitize.sanitize_Function_attributes(given) is given and given == {name: flags}
    assert sanitize.sanitize_variable_value_dict({"x": None}) is None
    assert sanitize.sanitize_variable_value_dict({"x": 1, "y": 2}) == {"x": 1, "y": 2}
    with pytest.raises(IndexError, match="expected values by variable"):
        sanitize.sanitize_variable_value_dict({})


def test_values_for_files() -> None:
    view = C.NDArrayView.from_dense(np.ones((2, 3), np.float32))
    assert utils.DictionaryValueFromNDArrayView(view).value_type() == 11
    assert utils.DictionaryValueFromDict(C.cntk_py.Dictionary()).value_type() == 10
    for call in (utils.DictionaryValueFromNDArrayView, utils.DictionaryValueFromDict):
        with pytest.raises(TypeError, match="expected a"):
            call({"a": 1})


# What the original says of each: dimensions, string, size, whether it is free, is inferred, and is
# a scalar.
SHAPES = [
    ((2, 3), (3, 2), "[3 x 2]", 6, False, False, False),
    ((), (), "[]", 1, False, False, True),
    (3, (-1, -1, -1), "[? x ? x ?]", None, False, True, False),
]


@pytest.mark.parametrize(
    ("given", "dimensions", "text", "size", "free", "inferred", "scalar"), SHAPES
)
def test_native_shapes(
    given: Any,
    dimensions: tuple[int, ...],
    text: str,
    size: int | None,
    free: bool,
    inferred: bool,
    scalar: bool,
) -> None:
    shape = native_shape.NDShape(given)
    assert (shape.dimensions(), shape.as_string(), shape.rank()) == (
        dimensions,
        text,
        len(dimensions),
    )
    assert (shape.has_free_dimension(), shape.has_inferred_dimension(), shape.is_scalar()) == (
        free,
        inferred,
        scalar,
    )
    assert shape.has_unbound_dimension() == inferred and not shape.is_unknown()
    assert shape == native_shape.NDShape(given) and hash(shape) == hash(native_shape.NDShape(given))
    with pytest.raises(RuntimeError, match="has no axis 5"):
        shape[5]
    if size is None:
        with pytest.raises(RuntimeError, match="has no size"):
            shape.total_size()
    else:
        assert shape.total_size() == size


def test_parts_of_native_shapes() -> None:
    shape = native_shape.NDShape((2, 3))
    assert (
        shape.sub_shape(0, 1),
        shape.sub_shape(1),
        shape.sub_shape(),
        shape[0],
        tuple(shape),
    ) == (
        (2,),
        (3,),
        (3, 2),
        3,
        (3, 2),
    )
    with pytest.raises(ValueError, match="expected a range of the 0 axes"):
        native_shape.NDShape(()).sub_shape(1)
    assert (
        native_shape.NDShape.unknown().is_unknown()
        and repr(native_shape.NDShape.unknown()) == "NDShape([???])"
    )
