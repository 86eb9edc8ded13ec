"""Files with user functions: what makes them again, and that nothing but what the program has made
known is run.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cntk as C
from cntk._graph.names import user_functions as user_function_registry
from cntk._persist import files
from cntk.ops.functions import Function, UserFunction
from tests.ops.user.user_functions import Cube, SumAndDifference, like

DATA = np.array([[1, -2], [3, 0.5]], np.float32)


@pytest.fixture(autouse=True)
def callbacks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Callbacks last as long as a test."""
    monkeypatch.setattr(user_function_registry, "_callbacks", {})
    yield


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "f.model"


def changed(path: Path, **values: Any) -> Path:
    """The file with other values in its user function's state."""
    read = files.read(path)
    (described,) = [f for f in read["primitive_functions"] if f["type"] == "UserDefinedFunction"]
    described["user_defined_state"].update(values)
    files.write(path, read)
    return path


def cube(**kwargs: Any) -> tuple[Cube, Any]:
    user = Cube(C.input_variable(2, name="x", needs_gradient=True), name="cube", **kwargs)
    return user, C.user_function(user) + 1


def test_a_class_that_the_program_has_defined(path: Path) -> None:
    user, f = cube(factor=3.0)
    f.grad(DATA)
    f.save(path)
    loaded = C.load_model(path)
    assert loaded.eval(DATA) == pytest.approx(3 * DATA**3 + 1)
    assert loaded.grad(DATA) == pytest.approx(9 * DATA**2)
    assert user.calls == ["forward", "backward"]
    described = loaded.find_by_name("cube").serialize()
    assert described["op_name"] == Cube._op_name() and described["class"] == "Cube"
    assert described["state"]["calls"] == ["forward", "backward", "forward", "forward", "backward"]
    assert loaded.find_by_name("cube").uid == f.find_by_name("cube").uid


def test_several_outputs(path: Path) -> None:
    class Loaded(SumAndDifference):
        @staticmethod
        def deserialize(inputs: Any, name: str, state: Any) -> Any:
            assert state is None
            return Loaded(*inputs, name)

    x, y = C.input_variable(2, name="x"), C.input_variable(2, name="y")
    f = C.user_function(Loaded(x, y, name="n"))
    (f.outputs[1] * 2 + f.outputs[0]).save(path)
    loaded = C.load_model(path)
    data = {v: DATA * (1 if v.name == "x" else 2) for v in loaded.arguments}
    assert loaded.eval(data) == pytest.approx(3 * DATA)


def test_the_last_class_of_a_name_counts(path: Path) -> None:
    def define(factor: float) -> Any:
        class Again(Cube):
            @staticmethod
            def deserialize(inputs: Any, name: str, state: Any) -> Any:
                return Cube(inputs[0], factor)

        return Again

    first, second = define(1.0), define(2.0)
    C.user_function(first(C.input_variable(2), name="given")).save(path)
    loaded = C.load_model(path)
    assert loaded.eval(DATA) == pytest.approx(2 * DATA**3) and loaded.root_function.name == "given"
    assert first is not second


def test_callbacks_come_before_classes(path: Path) -> None:
    given = []

    def callback(*arguments: Any) -> Any:
        given.append(arguments)
        return Cube(arguments[0][0], 10.0)

    cube()[1].save(path)
    Function.register_udf_deserialize_callback(Cube._op_name(), callback)
    loaded = C.load_model(path)
    assert loaded.eval(DATA) == pytest.approx(10 * DATA**3 + 1)
    ((inputs, name, state),) = given
    assert [v.name for v in inputs] == ["x"] and name == "cube" and state["factor"] == 1
    with pytest.raises(ValueError, match="has been registered already"):
        Function.register_udf_deserialize_callback(Cube._op_name(), callback)


def test_names_of_ones_own(path: Path) -> None:
    class Renamed(Cube):
        @property
        def op_name(self) -> str:
            return "my cube"

    C.user_function(Renamed(C.input_variable(2))).save(path)
    Function.register_udf_deserialize_callback(
        "my cube", lambda inputs, name, state: Cube(inputs[0], 7.0)
    )
    assert C.load_model(path).eval(DATA) == pytest.approx(7 * DATA**3)


def test_a_graph_may_take_its_place(path: Path) -> None:
    """A model with a user function that has become an operation."""
    p = C.placeholder(2)
    f = C.user_function(Cube(C.sequence.past_value(p), 0.5)) + C.sequence.input_variable(2)
    f.replace_placeholders({p: f.outputs[0]})
    f.save(path)
    data = [np.ones((3, 2), np.float32)]
    expected = f.eval(data)

    def as_graph(inputs: Any, name: str, state: Any) -> Any:
        return state["factor"] * C.square(inputs[0]) * inputs[0]

    Function.register_udf_deserialize_callback(Cube._op_name(), as_graph)
    loaded = C.load_model(path)
    assert loaded.eval(data)[0] == pytest.approx(expected[0])
    assert not any(isinstance(p, UserFunction) for p in [loaded.root_function])


def test_restoring(path: Path) -> None:
    x, w = C.input_variable(2), C.parameter(2, init=2)
    f = C.user_function(Cube(x)) * w
    f.save(path)
    w.value = 5
    f.restore(path)
    assert w.value.tolist() == [2, 2]


# -- what is refused -------------------------------------------------------------------------------


def test_nothing_is_imported(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that names a module which lies in wait."""
    (tmp_path / "lies_in_wait.py").write_text("raise SystemExit('imported')\n")
    monkeypatch.syspath_prepend(tmp_path)
    cube()[1].save(path)
    changed(path, module="lies_in_wait", op_name="lies_in_wait.Cube")
    with pytest.raises(
        ValueError,
        match="class Cube in the module lies_in_wait, which this program has not defined",
    ):
        C.load_model(path)
    assert "lies_in_wait" not in sys.modules


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("os", "system"),
        ("builtins", "eval"),
        ("cntk", "Function"),
        ("tests.ops.user.user_functions", "each"),
    ],
)
def test_only_classes_of_user_functions_are_made(path: Path, module: str, name: str) -> None:
    cube()[1].save(path)
    changed(path, **{"module": module, "class": name, "op_name": f"{module}.{name}"})
    with pytest.raises(ValueError, match=r"register_udf_deserialize_callback\('"):
        C.load_model(path)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda *_: 5, "must return a UserFunction or another function, and returned a int"),
        (lambda *_: 1 / 0, "deserialize raised ZeroDivisionError"),
        (lambda inputs, *_: Empty(inputs), "infer_outputs"),
    ],
)
def test_what_is_made_wrongly(path: Path, made: Any, message: str) -> None:
    cube()[1].save(path)
    Function.register_udf_deserialize_callback(Cube._op_name(), made)
    with pytest.raises(ValueError, match=f"f.model' cannot be loaded: .*{message}"):
        C.load_model(path)


class Empty(UserFunction):
    """Lacks everything."""


def test_a_class_that_cannot_be_made_again(path: Path) -> None:
    C.user_function(SumAndDifference(C.input_variable(2), C.input_variable(2))).save(path)
    with pytest.raises(
        ValueError,
        match="SumAndDifference: deserialize raised NotImplementedError: .*static deserialize",
    ):
        C.load_model(path)


@pytest.mark.parametrize("key", ["module", "class", "op_name"])
def test_damaged_states(path: Path, key: str) -> None:
    cube()[1].save(path)
    changed(path, **{key: 5})
    with pytest.raises(ValueError, match=f"a user function has no '{key}'"):
        C.load_model(path)


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (object(), "state: a object cannot be saved"),
        ({"a": {"b": {1, 2}}}, "state: a: b: a set cannot be saved"),
        ({1: 2}, "keys must be strings"),
        ({"n": -(2**40)}, "too large"),
    ],
)
def test_states_that_files_cannot_hold(path: Path, state: Any, message: str) -> None:
    class Odd(Cube):
        def serialize(self) -> Any:
            return state

    with pytest.raises(ValueError, match=message):
        C.user_function(Odd(C.input_variable(2))).save(path)
    assert not path.exists()


def test_a_failing_serialize(path: Path) -> None:
    class Odd(Cube):
        def serialize(self) -> Any:
            raise KeyError("k")

    with pytest.raises(RuntimeError, match="Odd: serialize raised KeyError"):
        C.user_function(Odd(C.input_variable(2))).save(path)


@pytest.mark.parametrize(
    "state", [None, [1, "a", None], 5, "text", 2.5, True, {}, {"n": None, "l": [None, {"x": None}]}]
)
def test_states_come_back_as_they_were(path: Path, state: Any) -> None:
    found = []

    class Kept(Cube):
        def serialize(self) -> Any:
            return state

        @staticmethod
        def deserialize(inputs: Any, name: str, state: Any) -> Any:
            found.append(state)
            return Kept(inputs[0])

    C.user_function(Kept(C.input_variable(2))).save(path)
    C.load_model(path)
    assert found == [state] and type(found[0]) is type(state)


def test_registering_needs_a_name_and_a_function() -> None:
    register = Function.register_udf_deserialize_callback
    with pytest.raises(TypeError, match="expected a name and a function"):
        register("name", 5)
    with pytest.raises(TypeError, match="expected a name and a function"):
        register(5, like)
