"""Functions of a graph replaced by others, and stacks of recurrent layers written out as layers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import cntk as C
from cntk.misc.converter import convert
from cntk.misc.optimized_rnnstack_converter import convert_optimized_rnnstack


def names(function: Any, depth: int = 0) -> list[tuple[str, str]]:
    found = C.logging.depth_first_search(function, lambda f: isinstance(f, C.Function), depth=depth)
    return [(f.name, f.op_name) for f in found]


def is_dense(function: Any) -> bool:
    return bool(function.op_name == "Dense")


def test_functions_are_replaced_in_a_chain_and_side_by_side() -> None:
    x = C.input_variable(3)
    first = C.layers.Dense(3, name="a")(x)
    model = C.layers.Dense(3, name="b")(first) + C.layers.Dense(3, name="c")(first)
    new = convert(
        model,
        is_dense,
        lambda f: C.times(
            f.inputs[-1], C.constant(2 * np.eye(3, dtype=np.float32)), name=f"new_{f.name}"
        ),
    )
    assert new.arguments == (x,)
    assert ["Dense"] * 3 == [op for _, op in names(model) if op == "Dense"]
    assert {name for name, op in names(new) if op == "Times"} == {"new_a", "new_b", "new_c"}
    np.testing.assert_allclose(new.eval({x: [[1, 2, 3]]}), [[8, 16, 24]])


def test_functions_inside_blocks_and_loops_are_replaced_and_parameters_shared() -> None:
    x = C.sequence.input_variable(3)
    model = C.layers.Recurrence(C.layers.RNNStep(4, activation=C.tanh, name="step"))(
        C.layers.Dense(3)(x)
    )
    new = convert(model, lambda f: f.op_name == "Tanh", lambda f: C.relu(f.inputs[0]))
    assert {op for _, op in names(new, depth=-1)} == {op for _, op in names(model, -1)} - {
        "Tanh"
    } | {"ReLU"}
    assert new.parameters == model.parameters
    assert ("step", "RNNStep") in names(new)
    data = [np.ones((2, 3), np.float32)]
    assert (new.eval({new.arguments[0]: data})[0] >= 0).all()


def test_what_a_converter_makes_is_not_converted_again() -> None:
    x = C.input_variable(3)
    new = convert(
        C.relu(C.relu(x)), lambda f: f.op_name == "ReLU", lambda f: C.relu(f.inputs[0] * 2)
    )
    assert [op for _, op in names(new)] == ["ReLU", "ElementTimes"] * 2


def test_a_graph_without_such_functions_is_given_back_itself() -> None:
    model = C.layers.Dense(3)(C.input_variable(3))
    assert convert(model, lambda f: False, lambda f: f) is model


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("kind", ["lstm", "gru", "rnnReLU", "rnnTanh"])
def test_layers_give_what_the_stack_gives(kind: str, bidirectional: bool, dtype: Any) -> None:
    x = C.sequence.input_variable(3, dtype, needs_gradient=True)
    weights = C.parameter((C.InferredDimension, 5), init=C.uniform(0.5, seed=3), dtype=dtype)
    model = C.optimized_rnnstack(x * 2, weights, 5, 2, bidirectional, kind, name="stack")
    layers = convert_optimized_rnnstack(model)
    assert layers.arguments == (x,)
    data = [np.random.default_rng(n).normal(size=(n, 3)).astype(dtype) for n in (4, 1, 6)]
    tolerance = 1e-5 if dtype == np.float32 else 1e-10
    for stacked, written_out in (
        (model.eval({x: data}), layers.eval({x: data})),
        (model.grad({x: data}), layers.grad({x: data})),
    ):
        for one, other in zip(stacked, written_out, strict=True):
            np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)


def test_layers_are_named_after_the_stack() -> None:
    x = C.sequence.input_variable(3)
    weights = [C.parameter((C.InferredDimension, 4)) for _ in range(2)]
    both = C.optimized_rnnstack(x, weights[0], 4, 2, True, "lstm", name="a")
    model = C.layers.Dense(2)(
        C.optimized_rnnstack(both, weights[1], 3, 1, False, "rnnReLU", name="b")
    )
    found = {name: op for name, op in names(convert_optimized_rnnstack(model)) if name}
    assert found == {
        "b_0": "RNNStep",
        **dict.fromkeys(("a_fw0", "a_bw0", "a_fw1", "a_bw1"), "LSTM"),
    }


def test_weights_without_a_value_are_refused() -> None:
    model = C.optimized_rnnstack(C.placeholder(), C.parameter((C.InferredDimension, 4)), 4, 1)
    with pytest.raises(ValueError, match="have no value yet"):
        convert_optimized_rnnstack(model)


def test_both_converters_are_in_the_package_too():
    from cntk.misc import (
        convert,
        convert_optimized_rnnstack,
        converter,
        optimized_rnnstack_converter,
    )

    assert convert is converter.convert
    assert convert_optimized_rnnstack is optimized_rnnstack_converter.convert_optimized_rnnstack
