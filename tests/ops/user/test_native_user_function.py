"""Native user functions: factories registered by name, what they make, copies, files and errors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cntk as C
from cntk._persist import files
from tests.ops.user.test_user_function import (
    SAMPLES,
    SEQUENCES,
    check_gradient,
    copies,
    sample,
    sequence,
)

MODULE = "tests.ops.user.native_factories"
ATTRIBUTES = {
    "factor": 2.0,
    "lists": [[1, 2], [3]],
    "text": "t",
    "none": None,
    "array": np.ones((2, 2), np.float32),
}
FACTORIES = {
    "Scaled": "create_scaled",
    "NativeProduct": "create_product",
    "NativeWeighted": "create_weighted",
    "NativeNothing": "create_nothing",
    "NativeForeign": "create_foreign",
    "NativeFailing": "create_failing",
}
for name, factory in FACTORIES.items():
    if not C.cntk_py.is_native_user_function_registered(name):
        C.ops.register_native_user_function(name, MODULE, factory)


def native(name: str, *operands: Any, attributes: Any = None) -> Any:
    return C.ops.native_user_function(name, list(operands), attributes, "mine")


def test_what_it_is() -> None:
    x = sample("x")
    f = native("Scaled", x, attributes=ATTRIBUTES)
    assert str(f) == "mine: Scaled(x: Tensor[np.float64,2]) -> Tensor[np.float64,2]"
    root = f.root_function
    assert (root.op_name, root.name, root.inputs, root.is_block) == ("Scaled", "mine", (x,), False)
    assert (
        root.attributes["lists"] == [[1, 2], [3]]
        and f.owner is root
        and root.uid.startswith("UserDefinedFunction")
    )
    assert (f + 1).find_by_name("mine") is root


def test_graphs() -> None:
    x = sample()
    f = C.square(native("Scaled", x, attributes=ATTRIBUTES))
    assert f.eval({x: SAMPLES}) == pytest.approx(np.sin(2 * SAMPLES) ** 2)
    check_gradient(f, {x: SAMPLES.copy()})


def test_user_functions_and_sequences() -> None:
    x, y = sequence(), sequence()
    f = native("NativeProduct", x, y)
    check_gradient(f, {x: copies(SEQUENCES), y: copies(SEQUENCES)})


def test_parameters_as_operands_and_of_their_own() -> None:
    x, w = sample(), C.parameter(2, init=3, dtype=np.float64)
    f = native("NativeWeighted", native("NativeWeighted", x))
    assert [p.name for p in f.parameters] == ["own", "own"]
    assert f.eval({x: SAMPLES}) == pytest.approx(9 * SAMPLES)
    f = native("Scaled", w, attributes=ATTRIBUTES)
    assert f.parameters == (w,)
    assert f.grad({}, wrt=[w]) == pytest.approx(2 * np.cos([6, 6]))


def test_in_a_recurrence_with_placeholders() -> None:
    x, p = sequence(), C.placeholder(2)
    h = native("Scaled", x + C.sequence.past_value(p), attributes=ATTRIBUTES)
    h.replace_placeholders({p: h.output})
    check_gradient(h, {x: copies(SEQUENCES)})


@pytest.mark.parametrize("method", ["share", "clone", "freeze"])
def test_copies(method: str) -> None:
    x, y = sample("x"), sample("y")
    f = native("NativeWeighted", x, attributes=ATTRIBUTES) + 1
    copy = f.clone(method, {x: y})
    assert copy.eval({y: SAMPLES}) == pytest.approx(3 * SAMPLES + 1)
    root = copy.find_by_name("mine")
    assert (
        root.op_name == "NativeWeighted" and root.attributes["text"] == "t" and root.inputs == (y,)
    )
    assert (copy.parameters == f.parameters) is (method == "share")


def test_files(tmp_path: Path) -> None:
    x, y = sample("x"), sample("y")
    f = native("NativeProduct", native("Scaled", x, attributes=ATTRIBUTES), y)
    f.save(tmp_path / "f.model")
    loaded = C.load_model(tmp_path / "f.model")
    data = dict.fromkeys(loaded.arguments, SAMPLES)
    assert loaded.eval(data) == pytest.approx(np.sin(2 * SAMPLES) * SAMPLES)
    found = loaded.find_all_with_name("mine")
    assert {p.op_name for p in found} == {"NativeProduct", "Scaled"}
    attributes = next(p.attributes for p in found if p.op_name == "Scaled")
    assert (attributes.pop("array") == 1).all()
    assert attributes == {k: v for k, v in ATTRIBUTES.items() if k != "array"}


def test_a_file_registers_nothing(tmp_path: Path) -> None:
    native("Scaled", sample(), attributes=ATTRIBUTES).save(tmp_path / "f.model")
    values = files.read(tmp_path / "f.model")
    (described,) = values["primitive_functions"]
    described["user_defined_state"]["op"] = "NotRegistered"
    files.write(tmp_path / "f.model", values)
    with pytest.raises(
        ValueError,
        match=r"register_native_user_function\('NotRegistered', '.*factories', 'create_scaled",
    ):
        C.load_model(tmp_path / "f.model")
    assert not C.cntk_py.is_native_user_function_registered("NotRegistered")


def test_parameters_of_their_own_have_no_place_in_files(tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match="NativeWeighted 'mine' cannot be saved: .*give it as an operand"
    ):
        native("NativeWeighted", sample()).save(tmp_path / "f.model")
    assert not (tmp_path / "f.model").exists()


def test_registering() -> None:
    register = C.ops.register_native_user_function
    with pytest.raises(ValueError, match="there is a 'Scaled' already"):
        register("Scaled", MODULE, "create_scaled")
    with pytest.raises(RuntimeError, match="the module 'no_such_module' cannot be imported"):
        register("Other", "no_such_module", "create")
    with pytest.raises(RuntimeError, match="has no function 'NO_FACTORY'"):
        register("Other", MODULE, "NO_FACTORY")
    with pytest.raises(RuntimeError, match="has no function 'missing'"):
        register("Other", MODULE, "missing")
    assert not C.cntk_py.is_native_user_function_registered("Other")


@pytest.mark.parametrize(
    ("op_id", "message"),
    [
        ("Unknown", "no native user function 'Unknown' is registered"),
        (
            "NativeNothing",
            "create_nothing must return a function of the operands, and returned a int",
        ),
        ("NativeForeign", "which is none of the operands"),
        ("NativeFailing", "create_failing raised KeyError: 'factory'"),
    ],
)
def test_errors(op_id: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        native(op_id, sample())


def test_the_originals_example() -> None:
    if not C.cntk_py.is_native_user_function_registered("NativeUserTimesOp"):
        library = "Cntk.ExtensibilityExamples-2.7"
        C.ops.register_native_user_function("NativeUserTimesOp", library, "CreateUserTimesFunction")
    x, w = (
        C.input_variable(2),
        C.parameter((2, 2), init=np.array([[0.5, 2], [-0.5, 1.5]], np.float32)),
    )
    f = native("NativeUserTimesOp", w, x)
    assert f.eval({x: [[0.1, 0.2], [-0.1, 0.3]]}) == pytest.approx(
        np.array([[-0.05, 0.5], [-0.2, 0.25]])
    )
    with pytest.raises(ValueError, match="expected a matrix and a vector"):
        native("NativeUserTimesOp", x)
