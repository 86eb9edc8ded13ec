"""Plans: what runs, what is shared and left out, when a plan is compiled anew, and checked runs."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch

import cntk as C
from cntk._compiler.passes.pipeline import FUSIONS
from cntk._compiler.plan import Plan
from cntk._execution.compiled_state import state_of
from cntk._graph.composite import Composite, whole_graph
from cntk._graph.op import Kernel, Op
from cntk._graph.primitive import Primitive
from cntk._graph.types import TensorType


def names(*outputs: Any, off: Collection[str] = ()) -> list[str]:
    """The operations of a plan, in their order."""
    return [node.op.op_name for node in Plan([f.output for f in outputs], {}, off).nodes]


def plans(function: C.Function) -> list[Plan]:
    return list(state_of(whole_graph(function)).plans.values())


def test_operands_come_before_operations():
    x = C.input_variable(3)
    assert names(C.relu(C.exp(x) * 2)) == ["Exp", "ElementTimes", "ReLU"]


def test_common_subexpressions_are_computed_once():
    x, y = C.input_variable(3), C.input_variable(3)
    function = C.relu(x * y) + C.exp(x * y) * C.relu(x * y)
    assert sorted(names(function)) == ["ElementTimes", "ElementTimes", "Exp", "Plus", "ReLU"]
    data = {x: np.full((2, 3), 2), y: np.full((2, 3), 3)}
    np.testing.assert_allclose(function.eval(data), np.full((2, 3), 6 + np.exp(6.0) * 6), rtol=1e-6)


def test_different_attributes_are_not_shared():
    x = C.input_variable(4)
    function = C.slice(x, 0, 0, 2) + C.slice(x, 0, 1, 3) + C.slice(x, 0, 0, 2)
    assert names(function).count("Slice") == 2


def test_operands_in_another_order_are_not_shared():
    x, y = C.input_variable(3), C.input_variable(3)
    function = (x - y) * (y - x)
    assert names(function).count("Minus") == 2
    np.testing.assert_array_equal(
        function.eval({x: np.full((1, 3), 5), y: np.full((1, 3), 3)}), [[-4, -4, -4]]
    )


def test_random_numbers_are_not_shared():
    x = C.input_variable(3)
    first, second = C.dropout(x, 0.5, seed=1), C.dropout(x, 0.5, seed=1)
    assert names(C.plus(first, second)).count("Dropout") == 2


def test_what_no_output_needs_is_left_out():
    x, y = C.input_variable(3), C.input_variable(3)
    used, unused = C.relu(x), C.exp(y)
    both = C.combine([used, unused])
    plan = Plan([both.outputs[0]], {})
    assert [n.op.op_name for n in plan.nodes] == ["ReLU"] and plan.inputs == [x]


def test_blocks_are_opened():
    x = C.input_variable(3)
    inner = C.BlockFunction("Inner", "i")(lambda v: C.relu(v) + 1)
    outer = C.BlockFunction("Outer", "o")(lambda v: inner(inner(v)))
    assert names(outer(x)) == ["ReLU", "Plus", "ReLU", "Plus"]


def test_the_same_block_on_the_same_operands_is_computed_once():
    x = C.input_variable(3)
    block = C.BlockFunction("B", "b")(lambda v: C.exp(C.relu(v)))
    assert sorted(names(block(x) + block(x))) == ["Exp", "Plus", "ReLU"]


def test_outputs_inside_blocks():
    x = C.input_variable(3, name="x")
    two = C.BlockFunction("Two", "two")(lambda a: (a + 1, a * 2))(x)
    values = C.combine(list(two.outputs)).eval({x: [[1, 2, 3]]})
    np.testing.assert_array_equal(list(values.values()), [[[2, 3, 4]], [[2, 4, 6]]])


def test_a_bias_joins_the_product():
    x = C.input_variable(3)
    w, b = C.parameter((3, 2), init=1), C.parameter(2, init=5)
    function = C.times(x, w) + b
    assert len(names(function)) == 1 and len(names(function, off=FUSIONS)) == 2
    np.testing.assert_array_equal(function.eval({x: np.ones((2, 3))}), np.full((2, 2), 8))
    product = C.times(x, w)
    assert len(names(product + b, product)) == 2, "a product that is read elsewhere stays"


def test_optimized_plans_give_the_same_numbers():
    x = C.input_variable((2, 6, 6), np.float64)
    random = np.random.default_rng(0)

    def parameter(*shape: int) -> C.Parameter:
        return C.parameter(init=random.uniform(-1, 1, shape))

    hidden = C.relu(
        C.convolution(parameter(4, 2, 3, 3), x, auto_padding=[False, True, True])
        + parameter(4, 1, 1)
    )
    hidden = C.pooling(hidden, C.MAX_POOLING, (2, 2), (2, 2))
    function = C.softmax(C.times(hidden, parameter(4, 3, 3, 5)) + parameter(5))
    data = random.uniform(-1, 1, (3, 2, 6, 6))
    fast, slow = Plan(function.outputs, {}), Plan(function.outputs, {}, off=FUSIONS)
    assert len(fast.nodes) < len(slow.nodes)
    results = [
        plan.execute([torch.from_numpy(data)], _run(3))[0].detach().numpy() for plan in (fast, slow)
    ]
    np.testing.assert_allclose(*results, rtol=1e-12)


def _run(batch: int) -> Any:
    from cntk._runtime.context import RunContext

    return RunContext(False, torch.device("cpu"), batch)


# -- when a plan is compiled -----------------------------------------------------------------------


def test_a_plan_is_kept():
    x = C.input_variable(3)
    function = C.relu(x)
    for n in (1, 5, 2):
        function.eval({x: np.ones((n, 3))})
    assert len(plans(function)) == 1


def test_free_dimensions_have_a_plan_each():
    x = C.input_variable((C.FreeDimension, 3), name="x")
    function = C.reduce_sum(C.relu(x), axis=0)
    for n in (2, 5, 2, 7, 5):
        np.testing.assert_array_equal(function.eval({x: np.ones((4, n, 3))}), np.full((4, 1, 3), n))
    assert len(plans(function)) == 3


def test_free_dimensions_must_fit_each_other():
    x, y = (C.input_variable(C.FreeDimension, name=n) for n in "xy")
    function = C.plus(x, y, name="sum")
    np.testing.assert_array_equal(
        function.eval({x: np.ones((2, 5)), y: np.ones((2, 5))}), np.full((2, 5), 2)
    )
    with pytest.raises(ValueError, match=r"Plus 'sum'.*\[5\] on \[batch\].*\[4\] on \[batch\]"):
        function.eval({x: np.ones((2, 5)), y: np.ones((2, 4))})


def test_free_dimensions_of_parameters_do_not_settle():
    x = C.input_variable((C.FreeDimension, 3))
    dense = C.times(x, C.parameter((3, 2), init=1))
    for n in (1, 4):
        assert dense.eval({x: np.ones((2, n, 3))}).shape == (2, n, 2)


def test_a_changed_attribute_is_compiled_anew():
    x = C.input_variable(1000, needs_gradient=True)
    function = C.dropout(x, 0.5, name="drop")
    data = {x: np.ones((1, 1000), np.float32)}

    def dropped() -> float:
        return float(np.mean(function.grad(data) == 0))

    assert 0.4 < dropped() < 0.6
    function.set_attribute("dropoutRate", 0.0)
    assert dropped() == 0
    function.set_attribute("dropoutRate", 0.9)
    assert 0.85 < dropped() < 0.95


def test_a_changed_attribute_inside_a_block_is_compiled_anew():
    x = C.input_variable(1000, needs_gradient=True)
    block = C.BlockFunction("B", "b")(lambda v: C.dropout(v, 0.5, name="drop") + 0)(x)
    data = {x: np.ones((1, 1000), np.float32)}
    block.grad(data)
    block.drop.set_attribute("dropoutRate", 0.0)
    assert (block.grad(data) == 1).all()


def test_values_of_parameters_are_read_at_each_run():
    x, w = C.input_variable(3), C.parameter(3, init=1)
    function = x * w
    np.testing.assert_array_equal(function.eval({x: np.ones((1, 3))}), [[1, 1, 1]])
    w.value = 4
    np.testing.assert_array_equal(function.eval({x: np.ones((1, 3))}), [[4, 4, 4]])


def test_replaced_placeholders_are_seen():
    p, x = C.placeholder(), C.input_variable(3)
    function = p * 2
    with pytest.raises(ValueError, match="placeholder"):
        function.eval({})
    function.replace_placeholder(x)
    np.testing.assert_array_equal(function.eval({x: np.ones((1, 3))}), [[2, 2, 2]])


def test_deep_graphs():
    x = C.input_variable(1)
    function = x
    for _ in range(3000):
        function = function + 1
    np.testing.assert_array_equal(function.eval({x: [[0]]}), [[3000]])


# -- checked runs ----------------------------------------------------------------------------------


@pytest.fixture
def checked() -> Iterator[None]:
    C.debugging.set_checked_mode(True)
    yield
    C.debugging.set_checked_mode(False)


@dataclass(frozen=True)
class Wrong(Op):
    """An operation whose inference and kernel disagree."""

    shape: tuple[int, ...]
    doubles: bool = False

    op_name = "Wrong"

    def infer(self, *operands: TensorType) -> TensorType:
        return operands[0].with_shape(self.shape)

    def lower(self, *operands: TensorType) -> Kernel:
        return lambda x: x.double() if self.doubles else x


def wrong(x: C.Variable, **options: Any) -> C.Function:
    return Composite(Primitive(Wrong(**options), [x], "liar"))


def test_checked_runs_find_a_wrong_shape(checked):
    x = C.input_variable(3)
    with pytest.raises(
        RuntimeError, match=r"Wrong 'liar'.*computed shape \(2, 3\), inferred \(2, 4\)"
    ):
        wrong(x, shape=(4,)).eval({x: np.ones((2, 3))})


def test_checked_runs_find_a_wrong_format(checked):
    x = C.input_variable(3)
    with pytest.raises(
        RuntimeError, match=r"Wrong 'liar'.*computed torch.float64, inferred float32"
    ):
        wrong(x, shape=(3,), doubles=True).eval({x: np.ones((2, 3))})


def test_checked_runs_of_right_graphs(checked):
    s = C.sequence.input_variable(4)
    function = C.layers.Sequential(
        [C.layers.Recurrence(C.layers.LSTM(3)), C.sequence.last, C.layers.Dense(2)]
    )(s)
    assert function.eval({s: [np.ones((3, 4), np.float32), np.ones((1, 4), np.float32)]}).shape == (
        2,
        2,
    )


def test_unchecked_runs_do_not_look():
    x = C.input_variable(3)
    assert wrong(x, shape=(4,)).eval({x: np.ones((2, 3))}).shape == (2, 3)
