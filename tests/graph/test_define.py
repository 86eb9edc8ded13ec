"""Functions written as Python functions, blocks, and types for their arguments."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import cntk as C
from cntk.layers.typing import Sequence, SparseTensor, Tensor

Batch, Frames = Tensor[3], Sequence[Tensor[3]]


def names(variables) -> list[str]:
    return [v.name for v in variables]


def test_parameters_become_arguments_in_their_order():
    @C.Function
    def f(b, a):
        return a - 2 * b

    assert names(f.arguments) == names(f.signature) == ["b", "a"]
    assert all(v.is_placeholder for v in f.arguments)
    x, y = C.input_variable(3), C.input_variable(3)
    np.testing.assert_array_equal(f(x, y).eval({x: [[1, 1, 1]], y: [[5, 5, 5]]}), [[3, 3, 3]])


def test_parameters_with_a_default_are_no_arguments():
    @C.Function
    def f(a, scale=3):
        return a * scale

    assert names(f.arguments) == ["a"]
    np.testing.assert_array_equal(f(C.constant([1, 2])).eval(), [3, 6])


def test_what_may_be_returned():
    x = C.input_variable(3)
    assert len(C.Function(lambda a: (a + 1, a * 2)).outputs) == 2
    assert len(C.Function(lambda a: [a + 1, a * 2, a])(x).outputs) == 3
    assert len(C.Function(lambda a: (a + 1, (a * 2, a - 1))).outputs) == 3
    assert C.Function(lambda a: a)(x).outputs == (x,)
    assert len(C.Function(lambda a: C.combine([a + 1, a * 2])).outputs) == 2
    named = C.Function(lambda a: {"one": a + 1, "two": a * 2})
    assert names(named.outputs) == ["one", "two"]


def test_a_function_is_itself():
    function = C.input_variable(3) + 1
    assert C.Function(function) is function


@pytest.mark.parametrize(
    "value, kind", [(3, "int"), (None, "NoneType"), ("text", "str"), ((3, 4), "int")]
)
def test_what_may_not_be_returned(value, kind):
    with pytest.raises(
        TypeError, match=f"expected it to return a graph node or a tuple of them, got {kind}"
    ):
        C.Function(lambda a: value)


def test_unused_arguments_are_refused():
    def add(a, b, c):
        return b + 1

    with pytest.raises(TypeError, match=r"add: 2 unused arguments \(a, c\)"):
        C.Function(add)


def test_arguments_without_number_are_refused():
    with pytest.raises(TypeError, match="name every argument"):
        C.Function(lambda *a: a[0])
    with pytest.raises(TypeError, match="name every argument"):
        C.Function(lambda a, **more: a)


def test_typed_functions_run_as_they_are():
    @C.Function
    def f(b: Tensor[3], a: Tensor[3]):
        return a - 2 * b

    assert all(v.is_input for v in f.arguments)
    assert str(f) == "Composite(b: Tensor[3], a: Tensor[3]) -> Tensor[3]"
    np.testing.assert_array_equal(f([[1, 2, 3]], [[1, 1, 1]]), [[-1, -3, -5]])
    x, y = C.input_variable(3), C.input_variable(3)
    assert f(x, y).arguments == (x, y)


def test_types_of_sequences_and_names_spelled_as_text():
    @C.Function
    def f(s: Frames, x: Batch):  # text, under the import from __future__
        return C.sequence.last(s) + x

    assert [len(v.dynamic_axes) for v in f.arguments] == [2, 1]
    np.testing.assert_array_equal(f([np.ones((2, 3), np.float32)], [[1, 2, 3]]), [[2, 3, 4]])


def test_sparse_and_scalar_types():
    w = C.parameter((3, 2), init=1)

    @C.Function
    def f(x: SparseTensor[3], scale: float):
        return C.times(x, w) * scale

    assert [v.is_sparse for v in f.arguments] == [True, False]
    assert f.arguments[1].shape == ()


def test_annotations_that_are_no_types():
    @C.Function
    def f(a: int, b: "no such name", c: 3):  # noqa: F722
        return a + b + c

    assert all(v.is_placeholder for v in f.arguments)


def test_some_arguments_typed():
    @C.Function
    def f(a, b: Tensor[3]):
        return a + b

    assert [v.is_placeholder for v in f.arguments] == [True, False]


def test_with_signature():
    @C.Function.with_signature(Tensor[3], a=Sequence[Tensor[3]])
    def f(b, a):
        return a - C.sequence.broadcast_as(b, a)

    assert str(f) == "Composite(b: Tensor[3], a: Sequence[Tensor[3]]) -> Sequence[Tensor[3]]"
    with pytest.raises(TypeError, match="types for 2 parameters.*the parameters are: a"):
        C.Function.with_signature(Tensor[3], Tensor[3])(lambda a: a + 1)
    with pytest.raises(TypeError, match=r"\['z'\].*the parameters are: a"):
        C.Function.with_signature(z=Tensor[3])(lambda a: a + 1)


def test_update_signature():
    def fresh():
        return C.Function(lambda b, a: a - 2 * b)

    for types, named in [
        ((3, 3), {}),
        ((), {"a": 3, "b": 3}),
        ((Tensor[3], Tensor[3]), {}),
        ((3,), {"a": Tensor[3]}),
    ]:
        f = fresh()
        f.update_signature(*types, **named)
        assert str(f) == "Composite(b: Tensor[3], a: Tensor[3]) -> Tensor[3]"
        np.testing.assert_array_equal(f([[1, 1, 1]], [[5, 5, 5]]), [[3, 3, 3]])
    x = C.sequence.input_variable(2)
    f = C.Function(lambda a: a + 1)
    f.update_signature(x)
    assert f.arguments[0].dynamic_axes == x.dynamic_axes and f.shape == (2,)
    f = fresh()
    for types in ((3,), (3, 3, 3)):
        with pytest.raises(TypeError, match="expected 2 arguments"):
            f.update_signature(*types)
    assert all(v.is_placeholder for v in f.arguments)


def test_declared_types():
    f = C.Function(lambda a: C.relu(a))
    f.declare_args((3, 2))
    assert f.shape == (3, 2)


# -- blocks ----------------------------------------------------------------------------------------


def test_blocks_appear_as_one_operation():
    block = C.BlockFunction("Swish", "act")(lambda v: v * C.sigmoid(v))
    x = C.input_variable(3, name="x")
    applied = block(x)
    assert applied.root_function.is_block and applied.root_function.op_name == "Swish"
    assert applied.root_function.inputs == (x,)
    np.testing.assert_allclose(
        applied.eval({x: [[0, 1, 2]]}), [[0, 0.7310586, 1.7615942]], rtol=1e-6
    )


def test_blocks_of_several_outputs():
    block = C.BlockFunction("Two", "two")(lambda a, b: (C.alias(a + b, "s"), C.alias(a * b, "m")))
    x, y = C.input_variable(3, name="x"), C.input_variable(3, name="y")
    applied = block(x, y)
    assert names(applied.outputs) == ["two", "two"] and applied.s.op_name == "NoOp"
    total, product = applied.eval({x: [[1, 2, 3]], y: [[4, 5, 6]]}).values()
    np.testing.assert_array_equal(total, [[5, 7, 9]])
    np.testing.assert_array_equal(product, [[4, 10, 18]])


def test_what_blocks_hold_comes_before_their_arguments():
    w = C.parameter((3, 3), name="W")
    block = C.BlockFunction("B", "b")(lambda v: C.times(v, w) + 1)
    applied = block(C.input_variable(3, name="x")).root_function
    assert [v.kind.name for v in applied.inputs] == ["Parameter", "Constant", "Input"]


def test_as_block():
    p, x = C.placeholder(name="p"), C.input_variable(3, name="x")
    block = C.as_block(p * 2 + 1, [(p, x)], "Twice", "tw")
    assert str(block) == "tw: Twice(x: Tensor[3]) -> Tensor[3]"
    np.testing.assert_array_equal(block.eval({x: [[1, 2, 3]]}), [[3, 5, 7]])


def test_as_block_maps_every_argument():
    p, q, x = C.placeholder(name="p"), C.placeholder(name="q"), C.input_variable(3, name="x")
    with pytest.raises(ValueError, match="as_block 'Twice': .*leaves out.*'q'.*map every argument"):
        C.as_block(p * 2 + q, [(p, x)], "Twice", "tw")
    with pytest.raises(
        ValueError, match="as_block 'Twice': Parameter.* is no placeholder; all arguments"
    ):
        C.as_block(p * 2, [(p, x), (C.parameter(3), x)], "Twice", "tw")


def test_as_composite():
    primitive = (C.input_variable(3) + 1).root_function
    composite = C.as_composite(primitive)
    assert composite.is_composite and composite.root_function is primitive
    assert C.as_composite(composite) is composite


def test_functions_inside_functions_may_use_the_outer_ones_arguments() -> None:
    signatures = []

    @C.Function
    def outer(u: Any, s: Any) -> Any:
        start = u * 3

        @C.Function
        def step(h: Any, x: Any) -> Any:
            return h + x + C.sequence.broadcast_as(start, x)

        signatures.append([v.name for v in step.signature])
        return C.layers.Recurrence(step)(s)

    assert all(names == ["h", "x"] for names in signatures)
    assert [v.name for v in outer.signature] == ["u", "s"]
    u, s = C.input_variable(1), C.sequence.input_variable(1)
    result = outer(u, s).eval({u: [[1], [2]], s: [[[1], [1]], [[0]]]})
    np.testing.assert_array_equal(result[0], [[4], [8]])
    np.testing.assert_array_equal(result[1], [[6]])


def test_what_is_put_into_a_clone_shares_its_inputs() -> None:
    x, y, z = (C.input_variable(2, name=n) for n in "xyz")
    copy = (x * 2 + y).clone("share", {x: y * z})
    assert sorted(v.name for v in copy.arguments) == ["y", "z"]
    np.testing.assert_array_equal(copy.eval({y: [[1, 2]], z: [[3, 4]]}), [[7, 18]])


def test_states_of_a_loop_may_be_wider_than_what_they_meet_first() -> None:
    x, keep = C.sequence.input_variable(2), C.sequence.input_variable(1)
    cell = C.layers.LSTM(3)

    @C.Function
    def step(h: Any, c: Any, both: Any) -> Any:
        return cell(both[-1] * h, both[-1] * c, both[0:-1])

    states = C.layers.Recurrence(step)(C.splice(x, keep))
    assert states.shape == (3,)
    plain = C.layers.Recurrence(cell)(x)
    data = {x: np.ones((1, 4, 2), np.float32), keep: np.ones((1, 4, 1), np.float32)}
    np.testing.assert_allclose(states.eval(data)[0], plain.eval({x: data[x]})[0], rtol=1e-5)
