"""User functions: what their methods are given, gradients, states, several outputs, loops, blocks,
training.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import cntk as C
from cntk.ops.functions import UserFunction
from tests.ops.user.user_functions import (
    Cube,
    Product,
    RunningSum,
    SumAndDifference,
    Weighted,
    like,
)

RANDOM = np.random.default_rng(5)
SAMPLES = RANDOM.normal(size=(3, 2))
SEQUENCES = [RANDOM.normal(size=(n, 2)) for n in (1, 4, 2)]
SCALE = np.array([0.3, -1.1])


def sample(name: str = "", **kwargs: Any) -> Any:
    return C.input_variable(
        2, dtype=kwargs.pop("dtype", np.float64), needs_gradient=True, name=name, **kwargs
    )


def sequence(name: str = "") -> Any:
    return C.sequence.input_variable(2, dtype=np.float64, needs_gradient=True, name=name)


def check_gradient(function: Any, data: dict[Any, Any], step: float = 1e-5) -> None:
    """Compare the gradients of all arguments with finite differences."""

    def total() -> float:
        results = function.eval(data)
        return sum(float(np.sum(r)) for r in (results if isinstance(results, list) else [results]))

    found = function.grad(data, wrt=list(data))
    found = found if len(data) > 1 else {next(iter(data)): found}
    for variable, arrays in data.items():
        for k, array in enumerate(arrays):
            for place in np.ndindex(array.shape):
                before = array[place]
                array[place] = before + step
                above = total()
                array[place] = before - step
                slope = (above - total()) / (2 * step)
                array[place] = before
                assert found[variable][k][place] == pytest.approx(slope, rel=1e-6, abs=1e-8)


def copies(data: Any) -> Any:
    return [x.copy() for x in data] if isinstance(data, list) else data.copy()


# -- what the methods are given --------------------------------------------------------------------


def test_samples_come_as_an_array() -> None:
    x = sample()
    user = Cube(x)
    f = C.user_function(user)
    assert f.eval({x: SAMPLES}) == pytest.approx(SAMPLES**3)
    (seen,) = user.seen
    assert isinstance(seen, np.ndarray) and seen.dtype == np.float64 and seen.shape == (3, 2)


def test_sequences_come_as_a_list_of_arrays() -> None:
    x = sequence()
    user = Cube(x)
    result = C.user_function(user).eval({x: SEQUENCES})
    assert [r.shape for r in result] == [(1, 2), (4, 2), (2, 2)]
    (seen,) = user.seen
    assert isinstance(seen, list) and all(
        (a == b).all() for a, b in zip(seen, SEQUENCES, strict=True)
    )
    # Also where all are equally long.
    C.user_function(user).eval({x: [SEQUENCES[1], SEQUENCES[1]]})
    assert [a.shape for a in user.seen[-1]] == [(4, 2), (4, 2)]


class Listening(UserFunction):
    """Gives its first operand, and keeps what it was given."""

    def __init__(
        self, *operands: Any, as_numpy: bool = True, attributes: Any = None, name: str = ""
    ) -> None:
        super().__init__(list(operands), as_numpy=as_numpy, attributes=attributes, name=name)
        self.given: list[Any] = []
        self.roots: list[Any] = []

    def infer_outputs(self) -> list[Any]:
        return [like(self.inputs[0])]

    def forward(self, arguments: Any, device: Any = None, outputs_to_retain: Any = None) -> Any:
        self.given.append((arguments, device, outputs_to_retain))
        return "state", arguments if len(self.inputs) == 1 else arguments[0]

    def backward(self, state: Any, root_gradients: Any, variables: Any = None) -> Any:
        self.roots.append((state, root_gradients, variables))
        if len(self.inputs) == 1:
            return root_gradients
        variables[self.inputs[0]] = root_gradients
        return None


def test_parameters_constants_and_numbers() -> None:
    x, w = sample(), C.parameter(2, init=SCALE, dtype=np.float64)
    user = Listening(x, w, 3, C.constant([1, 2]), [4.0, 5.0])
    C.user_function(user).eval({x: SAMPLES})
    arguments, device, retained = user.given[0]
    assert isinstance(arguments, tuple) and [a.shape for a in arguments] == [
        (3, 2),
        (2,),
        (),
        (2,),
        (2,),
    ]
    assert {a.dtype for a in arguments} == {np.dtype(np.float64)}
    assert device == C.cpu() and retained == []


def test_outputs_are_retained_where_gradients_will_be_asked_for() -> None:
    x = sample()
    user = Listening(x)
    C.user_function(user).grad({x: SAMPLES})
    assert user.given[0][2] == [user.output]
    assert user.roots[0][0] == "state" and user.roots[0][1] == pytest.approx(np.ones((3, 2)))


@pytest.mark.parametrize("given", [None, (), 77, ("a", 2), {"k": np.ones(2)}])
def test_states_come_back_as_they_are(given: Any) -> None:
    class Stateful(Listening):
        def forward(self, arguments: Any, device: Any = None, outputs_to_retain: Any = None) -> Any:
            return given, arguments

    x = sample()
    user = Stateful(x)
    C.user_function(user).grad({x: SAMPLES})
    assert user.roots[0][0] is given


def test_sparse_operands_come_as_matrices() -> None:
    import scipy.sparse

    matrix = scipy.sparse.csr_matrix(np.eye(4, dtype=np.float32))
    x, s = C.input_variable(4, needs_gradient=True), C.input_variable(4, is_sparse=True)
    many = C.sequence.input_variable(4, is_sparse=True)
    user = Listening(x, s)
    f = C.user_function(user)
    assert f.grad({x: np.ones((4, 4), np.float32), s: matrix}, wrt=[x]) == pytest.approx(
        np.ones((4, 4))
    )
    assert (user.given[0][0][1] != matrix).nnz == 0
    user = Listening(many)
    assert [r.tolist() for r in C.user_function(user).eval({many: [matrix[:2], matrix[3:]]})] == [
        np.eye(4)[:2].tolist(),
        np.eye(4)[3:].tolist(),
    ]
    assert [m.shape for m in user.given[0][0]] == [(2, 4), (1, 4)]


def test_values_where_no_arrays_are_wanted() -> None:
    x, s, w = sample(), sequence(), C.parameter(2, init=SCALE, dtype=np.float64)
    user = Listening(x, w, as_numpy=False)
    found = C.user_function(user).grad({x: SAMPLES}, wrt=[x, w])
    assert found[x] == pytest.approx(np.ones((3, 2))) and found[w] == pytest.approx(np.zeros(2))
    (first, second), _, _ = user.given[0]
    assert isinstance(first, C.Value) and first.shape == (3, 2) and second.shape == (2,)
    user = Listening(s, as_numpy=False)
    f = C.user_function(user)
    assert [g.shape for g in f.grad({s: SEQUENCES})] == [(1, 2), (4, 2), (2, 2)]
    value, root = user.given[0][0], user.roots[0][1]
    assert value.shape == (3, 4, 2) and isinstance(root, C.Value)
    assert [a.shape for a in value.as_sequences()] == [(1, 2), (4, 2), (2, 2)]
    # Programs written for the native layer call them.
    assert value.shape() == (3, 4, 2) == value.data().shape()
    assert value.data().as_shape((12.0, 2)).asarray() == pytest.approx(
        value.asarray().reshape(12, 2)
    )


def test_results_of_other_functions_are_taken() -> None:
    """A function that evaluates others while it runs, and asks for their gradients."""

    class Outer(UserFunction):
        def __init__(self, x: Any) -> None:
            self.inner_input = C.input_variable(2, dtype=np.float64, needs_gradient=True)
            self.inner = C.exp(self.inner_input) * 2
            super().__init__([x], as_numpy=False)

        def infer_outputs(self) -> list[Any]:
            return [like(self.inputs[0])]

        def forward(self, argument: Any, device: Any = None, outputs_to_retain: Any = None) -> Any:
            state, values = self.inner.forward(
                {self.inner_input: argument},
                [self.inner.output],
                {self.inner.output},
                device,
                as_numpy=False,
            )
            return state, values[self.inner.output]

        def backward(self, state: Any, root_gradients: Any) -> Any:
            found = self.inner.backward(
                state, {self.inner.output: root_gradients}, {self.inner_input}, as_numpy=False
            )
            return found[self.inner_input]

    x = sample()
    f = C.user_function(Outer(x)) * 3
    assert f.eval({x: SAMPLES}) == pytest.approx(6 * np.exp(SAMPLES))
    assert f.grad({x: SAMPLES}) == pytest.approx(6 * np.exp(SAMPLES))


def test_torch_inside() -> None:
    class Sine(UserFunction):
        def __init__(self, x: Any) -> None:
            super().__init__([x])

        def infer_outputs(self) -> list[Any]:
            return [like(self.inputs[0])]

        def forward(self, argument: Any, device: Any = None, outputs_to_retain: Any = None) -> Any:
            x = torch.from_numpy(argument).requires_grad_()
            with torch.enable_grad():
                y = torch.sin(x)
            return (x, y), y.detach()

        def backward(self, state: Any, root_gradients: Any) -> Any:
            return torch.autograd.grad(state[1], state[0], torch.from_numpy(root_gradients))[
                0
            ].numpy()

    x = sample()
    f = C.user_function(Sine(x))
    assert f.eval({x: SAMPLES}) == pytest.approx(np.sin(SAMPLES))
    check_gradient(f, {x: SAMPLES.copy()})


def test_arrays_are_ones_own() -> None:
    """What a function does to its arrays, and to those that it has given, concerns nobody else."""

    class Careless(UserFunction):
        def __init__(self, x: Any) -> None:
            super().__init__([x])
            self.buffer = np.zeros((3, 2))

        def infer_outputs(self) -> list[Any]:
            return [like(self.inputs[0])]

        def forward(self, argument: Any, device: Any = None, outputs_to_retain: Any = None) -> Any:
            np.multiply(argument, 2, out=self.buffer)
            argument *= 0
            return None, self.buffer

        def backward(self, state: Any, root_gradients: Any) -> Any:
            self.buffer[:] = 9
            root_gradients *= 2
            return root_gradients

    x = sample()
    user = Careless(x)
    f = C.square(C.user_function(user)) + x
    data = SAMPLES.copy()
    assert f.eval({x: data}) == pytest.approx(4 * SAMPLES**2 + SAMPLES)
    assert f.grad({x: data}) == pytest.approx(8 * SAMPLES + 1)
    assert (data == SAMPLES).all()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_number_formats(dtype: Any) -> None:
    x = sample(dtype=dtype)
    user = Cube(x)
    f = C.user_function(user)
    assert f.grad({x: SAMPLES.astype(dtype)}).dtype == dtype and user.seen[0].dtype == dtype
    assert f.eval({x: SAMPLES.astype(dtype)}).dtype == dtype


def test_results_of_another_format_are_converted() -> None:
    class Doubling(Cube):
        def forward(self, argument: Any, device: Any = None, outputs_to_retain: Any = None) -> Any:
            return None, (argument.astype(np.float64) * 2).tolist()

    x = C.input_variable(2)
    result = C.user_function(Doubling(x)).eval({x: np.ones((1, 2), np.float32)})
    assert result.dtype == np.float32 and result.tolist() == [[2, 2]]


# -- gradients -------------------------------------------------------------------------------------

FORMS: list[tuple[str, Callable[..., Any], int]] = [
    ("one operand", lambda x: C.user_function(Cube(x, 0.7)), 1),
    ("two operands", lambda x, y: C.user_function(Product(x, y)), 2),
    ("among others", lambda x, y: C.exp(C.user_function(Product(C.sin(x), y * 0.3))) * x, 2),
    ("read twice", lambda x, y: (lambda p: p * p + C.sin(p))(C.user_function(Product(x, y))), 2),
    ("the same operand twice", lambda x: C.user_function(Product(x, x)), 1),
    (
        "two outputs",
        lambda x, y: (lambda f: f.outputs[0] * C.sin(f.outputs[1]))(two_outputs(x, y)),
        2,
    ),
    ("one of two outputs", lambda x, y: C.square(two_outputs(x, y).outputs[1]), 2),
    ("nested", lambda x, y: C.user_function(Product(Cube(x), Cube(Product(y, x)))), 2),
]


def two_outputs(x: Any, y: Any) -> Any:
    return C.user_function(SumAndDifference(x, y))


@pytest.mark.parametrize(
    ("build", "count"), [form[1:] for form in FORMS], ids=[form[0] for form in FORMS]
)
@pytest.mark.parametrize("data", [SAMPLES, SEQUENCES], ids=["samples", "sequences"])
def test_gradients(build: Callable[..., Any], count: int, data: Any) -> None:
    variables = [sample() if isinstance(data, np.ndarray) else sequence() for _ in range(count)]
    check_gradient(build(*variables), {v: copies(data) for v in variables})


def test_along_sequences() -> None:
    x = sequence()
    f = C.user_function(RunningSum(C.sin(x)))
    for found, given in zip(f.eval({x: SEQUENCES}), SEQUENCES, strict=True):
        assert found == pytest.approx(np.cumsum(np.sin(given), 0))
    check_gradient(f, {x: copies(SEQUENCES)})


def test_only_operands_that_need_a_gradient_are_asked_for() -> None:
    x, y, w = (
        sample("x"),
        C.input_variable(2, dtype=np.float64),
        C.parameter((3, 2), dtype=np.float64),
    )
    user = Product(x, y)
    C.user_function(user).grad({x: SAMPLES, y: SAMPLES})
    assert user.wanted == [{x}]
    # All that could be asked for are computed, as in the original.
    user = Product(x, w)
    C.user_function(user).grad({x: SAMPLES}, wrt=[x])
    assert user.wanted == [{x, w}]
    # Where none is asked for, none is computed.
    user = Product(y, y)
    (C.user_function(user) * x).grad({x: SAMPLES, y: SAMPLES}, wrt=[x])
    assert user.wanted == []


def test_what_is_left_out_counts_as_zero() -> None:
    class First(Listening):
        pass

    x, y = sample(), sample()
    found = C.user_function(First(x, y)).grad({x: SAMPLES, y: SAMPLES}, wrt=[x, y])
    assert found[x] == pytest.approx(np.ones((3, 2))) and found[y] == pytest.approx(
        np.zeros((3, 2))
    )


def test_an_output_without_gradient() -> None:
    class Blocking(Cube):
        def infer_outputs(self) -> list[Any]:
            return [like(self.inputs[0], needs_gradient=False)]

    x = sample()
    user = Blocking(x)
    f = C.user_function(user)
    assert f.output.needs_gradient is False
    assert (f + x).grad({x: SAMPLES}) == pytest.approx(np.ones((3, 2)))
    assert f.grad({x: SAMPLES}) == pytest.approx(np.zeros((3, 2)))
    assert "backward" not in user.calls


def test_an_output_that_nothing_reads_has_gradient_zero() -> None:
    x, y = sample(), sample()
    user = SumAndDifference(x, y)
    f = C.combine([user.outputs[1]]) * 3
    f.grad({x: SAMPLES, y: SAMPLES}, wrt=[x])
    (roots,) = user.roots
    assert list(roots) == list(user.outputs) and [v.name for v in roots] == ["sum", "difference"]
    assert roots[user.outputs[0]] == pytest.approx(np.zeros((3, 2)))
    assert roots[user.outputs[1]] == pytest.approx(np.full((3, 2), 3))


# -- shapes and axes -------------------------------------------------------------------------------


def test_parameters_alone() -> None:
    w = C.parameter((2, 3), init=2.0)
    f = C.user_function(Cube(w))
    assert f.eval() == pytest.approx(np.full((2, 3), 8)) and f.dynamic_axes == ()
    assert f.grad({}, wrt=[w]) == pytest.approx(np.full((2, 3), 12))


class Total(UserFunction):
    """Each sequence's sum over its frames: another axis than the operand's."""

    def __init__(self, x: Any) -> None:
        super().__init__([x])

    def infer_outputs(self) -> list[Any]:
        x = self.inputs[0]
        return [C.output_variable(x.shape, x.dtype, x.dynamic_axes[:1])]

    def forward(self, argument: Any, device: Any = None, outputs_to_retain: Any = None) -> Any:
        return [len(x) for x in argument], np.stack([x.sum(0) for x in argument])

    def backward(self, state: Any, root_gradients: Any) -> Any:
        return [np.tile(g, (n, 1)) for n, g in zip(state, root_gradients, strict=True)]


def test_from_sequences_to_samples() -> None:
    x = sequence()
    f = C.square(C.user_function(Total(x)))
    assert f.eval({x: SEQUENCES}) == pytest.approx(np.stack([x.sum(0) for x in SEQUENCES]) ** 2)
    check_gradient(f, {x: copies(SEQUENCES)})


def test_sequences_of_another_length() -> None:
    class EverySecond(UserFunction):
        def __init__(self, x: Any) -> None:
            super().__init__([x])
            self.axes = (C.Axis.default_batch_axis(), C.Axis.new_unique_dynamic_axis("half"))

        def infer_outputs(self) -> list[Any]:
            return [C.output_variable(self.inputs[0].shape, self.inputs[0].dtype, self.axes)]

        def forward(self, argument: Any, device: Any = None, outputs_to_retain: Any = None) -> Any:
            return [x.shape for x in argument], [x[::2] for x in argument]

        def backward(self, state: Any, root_gradients: Any) -> Any:
            found = [np.zeros(shape) for shape in state]
            for whole, gradient in zip(found, root_gradients, strict=True):
                whole[::2] = gradient
            return found

    x = sequence()
    f = C.user_function(EverySecond(x))
    assert [r.shape for r in f.eval({x: SEQUENCES})] == [(1, 2), (2, 2), (1, 2)]
    total = C.sequence.reduce_sum(C.square(f))
    assert total.eval({x: SEQUENCES}) == pytest.approx(
        np.stack([(s[::2] ** 2).sum(0) for s in SEQUENCES])
    )
    check_gradient(total, {x: copies(SEQUENCES)})


def test_free_dimensions() -> None:
    x = C.input_variable((2, C.FreeDimension), needs_gradient=True)
    user = Cube(x)
    f = C.user_function(user)
    assert f.shape == (2, C.FreeDimension)
    for width in (3, 5, 3):
        data = np.full((1, 2, width), 2.0, np.float32)
        assert f.eval({x: data}) == pytest.approx(data**3)
        assert f.grad({x: data}) == pytest.approx(3 * data**2)


def test_sizes_that_only_the_data_tell() -> None:
    class Positive(UserFunction):
        def __init__(self, x: Any) -> None:
            super().__init__([x])

        def infer_outputs(self) -> list[Any]:
            return [
                C.output_variable(
                    (C.FreeDimension,), self.inputs[0].dtype, self.inputs[0].dynamic_axes
                )
            ]

        def forward(self, argument: Any, device: Any = None, outputs_to_retain: Any = None) -> Any:
            kept = argument[0] > 0
            return kept, argument[:, kept]

        def backward(self, state: Any, root_gradients: Any) -> Any:
            found = np.zeros((1, len(state)), root_gradients.dtype)
            found[:, state] = root_gradients
            return found

    x = C.input_variable(4, needs_gradient=True)
    f = C.square(C.user_function(Positive(x)))
    for row in ([1, -1, 2, -2], [1, 2, 3, -1]):
        data = np.array([row], np.float32)
        assert f.eval({x: data}) == pytest.approx(data[data > 0][None] ** 2)
        assert f.grad({x: data}) == pytest.approx(np.where(data > 0, 2 * data, 0))


def test_placeholders() -> None:
    x, p = sample(), C.placeholder()
    user = Cube(p, name="cube")
    f = C.user_function(user) + 1
    assert f.shape == (-2,)
    f.replace_placeholder(x)
    assert user.inputs == (x,) and f.shape == (2,)
    assert f.eval({x: SAMPLES}) == pytest.approx(SAMPLES**3 + 1)


# -- loops, blocks, copies -------------------------------------------------------------------------


def recurrence(step: Callable[[Any, Any], Any], x: Any) -> Any:
    """``h = step(x, previous h)``."""
    p = C.placeholder(2)
    h = step(x, C.sequence.past_value(p))
    h.replace_placeholders({p: h.output})
    return h


def test_inside_a_recurrence() -> None:
    x = sequence()
    inside = Cube(x, 0.4)

    def with_user_functions(x: Any, h: Any) -> Any:
        nonlocal inside
        inside = Cube(h, 0.4)
        return C.sin(x) + C.user_function(inside)

    f = recurrence(with_user_functions, x)
    same = recurrence(lambda x, h: C.sin(x) + 0.4 * h * h * h, x)
    for one, other in zip(f.eval({x: SEQUENCES}), same.eval({x: SEQUENCES}), strict=True):
        assert one == pytest.approx(other)
    for one, other in zip(f.grad({x: SEQUENCES}), same.grad({x: SEQUENCES}), strict=True):
        assert one == pytest.approx(other)
    check_gradient(f, {x: copies(SEQUENCES)})
    # A call for each step, with one frame of each sequence that is still running.
    assert [[a.shape for a in step] for step in inside.seen[:4]] == [
        [(1, 2)] * n for n in (3, 2, 1, 1)
    ]


def test_inside_a_recurrence_with_parameters_and_layers() -> None:
    x = sequence()
    w = C.parameter((2, 2), init=[[0.2, -0.3], [0.5, 0.1]], dtype=np.float64)

    @C.BlockFunction("Step", "step")
    def step(h: Any, x: Any) -> Any:
        return C.user_function(Product(x, C.times(h, w) + 1))

    with C.layers.default_options(dtype=np.float64):
        f = C.layers.Recurrence(step, initial_state=0.5)(x)
    expected = []
    for frames in SEQUENCES:
        h = np.full(2, 0.5)
        expected.append([])
        for frame in frames:
            h = (h @ w.value + 1) * frame
            expected[-1].append(h)
    for one, other in zip(f.eval({x: SEQUENCES}), expected, strict=True):
        assert one == pytest.approx(np.array(other))
    check_gradient(f, {x: copies(SEQUENCES)})


def test_several_outputs_inside_a_backward_recurrence() -> None:
    x = sequence()
    p = C.placeholder(2)
    f = two_outputs(x, C.sequence.future_value(p) * 0.5)
    h = C.sin(f.outputs[0]) * f.outputs[1]
    h.replace_placeholders({p: h.output})
    check_gradient(h, {x: copies(SEQUENCES)})


def test_in_blocks() -> None:
    @C.BlockFunction("Cubed", "cubed")
    def cubed(x: Any) -> Any:
        return C.user_function(Cube(x, 2.0, name="inside"))

    x = sample()
    f = cubed(cubed(x))
    assert f.eval({x: SAMPLES}) == pytest.approx(2 * (2 * SAMPLES**3) ** 3)
    check_gradient(f, {x: SAMPLES.copy()})


def test_copies_are_constructed_again() -> None:
    x, y = sample("x"), sample("y")
    user = Cube(x, 5.0, name="mine")
    f = C.user_function(user) + 1
    f.eval({x: SAMPLES})
    copy = f.clone("share", {x: y})
    assert copy.arguments == (y,)
    assert copy.eval({y: SAMPLES}) == pytest.approx(5 * SAMPLES**3 + 1)
    assert user.calls == ["forward"]
    assert copy.find_by_name("mine").uid != f.find_by_name("mine").uid


def test_operands_in_lists_and_functions_are_replaced_in_copies() -> None:
    class Many(UserFunction):
        def __init__(self, operands: list[Any], factor: Any) -> None:
            super().__init__([*operands, factor])

        def infer_outputs(self) -> list[Any]:
            return [like(self.inputs[0])]

        def forward(self, arguments: Any, device: Any = None, outputs_to_retain: Any = None) -> Any:
            return None, sum(arguments[:-1]) * arguments[-1]

    x, y = sample(), sample()
    w = C.parameter((), init=3, dtype=np.float64)
    f = C.user_function(Many([x * 2, y, x], w))
    copy = f.clone("clone")
    w.value = 100.0
    first, second = copy.arguments
    data = {first: SAMPLES, second: SAMPLES + 1}
    assert copy.eval(data) == pytest.approx(3 * (4 * SAMPLES + 1) if first is not second else None)
    assert len(copy.parameters) == 1 and copy.parameters[0] is not w
    frozen = f.clone("freeze")
    assert frozen.parameters == () and len(frozen.constants) == 2


def test_a_class_may_say_how_it_is_copied() -> None:
    class Counted(Cube):
        made = 0

        def clone(self, cloned_inputs: Any) -> Any:
            Counted.made += 1
            return Counted(cloned_inputs[0], self.factor + 1)

    x = sample()
    f = C.user_function(Counted(x, 1.0, name="n"))
    copy = f.clone("share")
    assert Counted.made == 1 and copy.root_function.name == "n"
    assert copy.eval({copy.arguments[0]: SAMPLES}) == pytest.approx(2 * SAMPLES**3)


@pytest.mark.parametrize("result", ["none", "itself", "fewer"])
def test_wrong_copies_are_refused(result: str) -> None:
    class Wrong(Product):
        def clone(self, cloned_inputs: Any) -> Any:
            return {"none": None, "itself": self, "fewer": Cube(cloned_inputs[0])}[result]

    f = C.user_function(Wrong(sample(), sample(), name="w"))
    with pytest.raises(
        ValueError,
        match="Wrong 'w': clone.* must return a UserFunction of its own on these 2 operands",
    ):
        f.clone("share")


def test_a_copy_that_cannot_be_constructed() -> None:
    class Once(Cube):
        made = 0

        def __init__(self, x: Any) -> None:
            super().__init__(x)
            Once.made += 1
            if Once.made > 1:
                raise KeyError("only once")

    f = C.user_function(Once(sample()))
    with pytest.raises(
        RuntimeError, match=r"Once cannot be copied: KeyError.*define clone\(self, cloned_inputs\)"
    ) as info:
        f.clone("share")
    assert isinstance(info.value.__cause__, KeyError)


# -- what it is ------------------------------------------------------------------------------------


def test_names_and_properties() -> None:
    x = sample("x")
    user = Listening(x, attributes={"z": 1}, name="mine")
    f = C.user_function(user)
    kind = f"{Listening.__module__}.Listening"
    assert (
        user.op_name == Listening._op_name() == kind
        and user.name == "mine"
        and user.attributes == {"z": 1}
    )
    assert str(user) == f"mine: {kind}(x: Tensor[np.float64,2]) -> Tensor[np.float64,2]"
    assert f.root_function.op_name == "UserFunction" and f.root_function is user.root_function
    assert (
        user.is_primitive
        and not user.is_block
        and user.inputs == (x,)
        and user.outputs == f.outputs
    )
    assert (
        user.uid.startswith("UserDefinedFunction") and f.find_by_name("mine") is user.root_function
    )
    assert user.shape == (2,) and C.user_function(f) is f
    assert (f + 1).root_function.operands[0] is user.output
    assert user.eval({x: SAMPLES}) == pytest.approx(SAMPLES)


def test_an_unwrapped_one_is_an_operand() -> None:
    x = sample()
    assert (2 * Cube(x)).eval({x: SAMPLES}) == pytest.approx(2 * SAMPLES**3)
    assert C.user_function(Cube(x) + Cube(x)).eval({x: SAMPLES}) == pytest.approx(2 * SAMPLES**3)


def test_attributes_may_be_set_before_and_after_the_base_is_constructed() -> None:
    class Both(Cube):
        def __init__(self, x: Any) -> None:
            self.before = 2
            super().__init__(x)
            self.after = 3

        def infer_outputs(self) -> list[Any]:
            return [like(self.inputs[0], name=f"{self.before}{self.after}")]

    assert C.user_function(Both(sample())).output.name == "23"


# -- training --------------------------------------------------------------------------------------


def trained(build: Callable[[Any, Any], Any], steps: int) -> tuple[np.ndarray, list[float]]:
    x, y = C.input_variable(3), C.input_variable(2)
    w = C.parameter((3, 2), init=np.arange(6, dtype=np.float32).reshape(3, 2) / 10)
    loss = C.squared_error(build(x, w), y)
    trainer = C.Trainer(None, (loss, loss), [C.momentum_sgd([w], 0.01, 0.9)])
    random = np.random.default_rng(1)
    losses = []
    for _ in range(steps):
        data = random.normal(size=(5, 3)).astype(np.float32)
        trainer.train_minibatch({x: data, y: data[:, :2]})
        losses.append(trainer.previous_minibatch_loss_average)
    return w.value, losses


def test_training_gives_the_same_as_operations() -> None:
    """More minibatches than it takes until steps are recorded."""
    users: list[Cube] = []

    def build(x: Any, w: Any) -> Any:
        users.append(Cube(C.user_function(Weighted(x, w)), 0.5))
        return C.user_function(users[0])

    weights, losses = trained(build, 60)
    expected, same = trained(lambda x, w: 0.5 * C.pow(C.times(x, w), 3), 60)
    assert weights == pytest.approx(expected, rel=1e-4) and losses == pytest.approx(same, rel=1e-4)
    assert users[0].calls == ["forward", "backward"] * 60


def test_training_calls_backward_wherever_a_gradient_exists() -> None:
    x = C.input_variable(2, needs_gradient=True)
    user = Cube(x)
    w = C.parameter(2, init=1)
    z = C.user_function(user) + w
    trainer = C.Trainer(z, (C.reduce_sum(z), C.reduce_sum(z)), [C.sgd([w], 0.1)])
    for _ in range(3):
        trainer.train_minibatch({x: np.ones((2, 2), np.float32)})
    assert user.calls == ["forward", "backward"] * 3
    trainer.test_minibatch({x: np.ones((2, 2), np.float32)})
    assert user.calls[-1] == "forward"


def test_as_a_criterion() -> None:
    class Squares(UserFunction):
        def __init__(self, x: Any, y: Any) -> None:
            super().__init__([x, y])

        def infer_outputs(self) -> list[Any]:
            return [C.output_variable((), self.inputs[0].dtype, self.inputs[0].dynamic_axes)]

        def forward(self, arguments: Any, device: Any = None, outputs_to_retain: Any = None) -> Any:
            difference = arguments[0] - arguments[1]
            return difference, (difference**2).sum(1)

        def backward(self, state: Any, root_gradients: Any, variables: Any) -> None:
            variables[self.inputs[0]] = 2 * state * root_gradients[:, None]

    x, y = C.input_variable(2), C.input_variable(2)
    w = C.parameter(2, init=1)
    loss = C.user_function(Squares(x * w, y))
    trainer = C.Trainer(None, (loss, loss), [C.sgd([w], 0.25)])
    data = np.array([[1, 2], [3, 4]], np.float32)
    trainer.train_minibatch({x: data, y: 3 * data})
    assert trainer.previous_minibatch_loss_average == pytest.approx((4 * data**2).sum() / 2)
    assert w.value == pytest.approx(1 + 0.25 * 4 * (data**2).sum(0) / 2)


# -- errors ----------------------------------------------------------------------------------------


class Answering(UserFunction):
    """Gives and takes what a test says."""

    def __init__(self, operands: list[Any], result: Any = None, gradient: Any = None) -> None:
        super().__init__(operands, name="odd")
        self.result, self.gradient = result, gradient

    def infer_outputs(self) -> list[Any]:
        return [like(self.inputs[0])]

    def forward(self, arguments: Any, device: Any = None, outputs_to_retain: Any = None) -> Any:
        return self.result(arguments) if callable(self.result) else self.result

    def backward(self, state: Any, root_gradients: Any, variables: Any = None) -> Any:
        return (
            self.gradient(root_gradients, variables) if callable(self.gradient) else self.gradient
        )


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (None, "forward must return a pair.* returned NoneType"),
        ((1,), "forward must return a pair.* returned a tuple of 1"),
        (np.ones((3, 2)), "forward must return a pair.* returned an array of shape"),
        ((None, None), "forward returned for Output.* nothing; every output must be filled"),
        ((None, np.ones((3, 4))), "does not fit: data of shape .3 x 4."),
        ((None, np.ones((2, 2))), "has 2 samples or sequences, and there are 3"),
        ((None, "text"), "does not fit: batch must be"),
        ((None, np.array([["a", "b"]] * 3)), "does not fit: only integer"),
        ((None, 3.0), "does not fit"),
        ((None, [np.ones(2), np.ones(3), np.ones(2)]), "does not fit: element 1"),
    ],
)
def test_wrong_results(result: Any, message: str) -> None:
    x = sample()
    f = C.user_function(Answering([x], result))
    with pytest.raises(ValueError, match=f"Answering 'odd': .*{message}"):
        f.eval({x: SAMPLES})
    with pytest.raises(RuntimeError, match=f"Answering 'odd': .*{message}"):
        f.grad({x: SAMPLES})


@pytest.mark.parametrize(
    ("gradient", "message"),
    [
        (None, "backward must return the gradient, and returned None"),
        (np.ones((3, 4)), r"backward gave for Input\('x'.* does not fit: data of shape .3 x 4."),
        (np.ones((2, 2)), "has 2 samples or sequences, and there are 3"),
        ("text", "does not fit"),
    ],
)
def test_wrong_gradients(gradient: Any, message: str) -> None:
    x = sample("x")
    f = C.user_function(Answering([x], lambda x: (None, x), gradient))
    with pytest.raises(ValueError, match=f"Answering 'odd': .*{message}"):
        f.grad({x: SAMPLES})


def test_sequences_of_wrong_lengths() -> None:
    x = sequence()
    f = C.user_function(Answering([x], lambda x: (None, x[::-1])))
    with pytest.raises(
        ValueError, match=r"sequences of lengths \[2, 4, 1\], and on its axis they are \[1, 4, 2\]"
    ):
        f.eval({x: SEQUENCES})
    f = C.user_function(
        Answering([x], lambda x: (None, x), lambda roots, _: [g[:1] for g in roots])
    )
    with pytest.raises(ValueError, match=r"sequences of lengths \[1, 1, 1\]"):
        f.grad({x: SEQUENCES})


def test_gradients_for_what_is_no_operand() -> None:
    x, y = sample("x"), sample("y")

    def fill(roots: Any, variables: Any) -> None:
        variables[C.input_variable(2, name="stranger")] = roots

    f = C.user_function(Answering([x, y], lambda a: (None, a[0]), fill))
    with pytest.raises(ValueError, match="filled Input.'stranger'.* not among self.inputs"):
        f.grad({x: SAMPLES, y: SAMPLES}, wrt=[x])


def test_a_missing_output() -> None:
    class Half(SumAndDifference):
        def forward(
            self, arguments: Any, outputs: Any, device: Any = None, outputs_to_retain: Any = None
        ) -> Any:
            outputs[self.outputs[0]] = arguments[0]

    x, y = sample(), sample()
    with pytest.raises(ValueError, match="forward returned for Output.'difference'.* nothing"):
        C.user_function(Half(x, y)).eval({x: SAMPLES, y: SAMPLES})


@pytest.mark.parametrize("method", ["forward", "backward"])
def test_what_ones_own_code_raises_is_the_cause(method: str) -> None:
    class Failing(Cube):
        pass

    def fail(self: Any, *args: Any) -> Any:
        raise KeyError("mine")

    setattr(Failing, method, fail)
    x = sample()
    f = C.user_function(Failing(x, name="f"))
    with pytest.raises(
        RuntimeError, match=f"Failing 'f': {method} raised KeyError: 'mine'"
    ) as info:
        f.grad({x: SAMPLES})
    assert isinstance(info.value.__cause__, KeyError)


def test_interrupts_pass_through() -> None:
    x = sample()

    def stop(arguments: Any) -> Any:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        C.user_function(Answering([x], stop)).eval({x: SAMPLES})


def test_nothing_is_updated_where_a_gradient_fails() -> None:
    x = C.input_variable(2)
    w, v = C.parameter(2, init=1), C.parameter(2, init=1)
    user = Answering([x * w], lambda a: (None, a), lambda roots, _: roots[:, :1])
    loss = C.reduce_sum(C.user_function(user) * v)
    trainer = C.Trainer(None, (loss, loss), [C.momentum_sgd([w, v], 0.1, 0.9)])
    with pytest.raises(ValueError, match="odd"):
        trainer.train_minibatch({x: np.ones((3, 2), np.float32)})
    assert w.value.tolist() == v.value.tolist() == [1, 1]
    assert trainer.total_number_of_samples_seen == 0
    user.gradient = lambda roots, _: roots
    trainer.train_minibatch({x: np.ones((3, 2), np.float32)})
    assert w.value[0] < 1 and trainer.total_number_of_samples_seen == 3


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        (None, "must return a list of cntk.output_variable, and returned None"),
        ([], "must return a list"),
        ([3], "must return a list"),
        (
            lambda self: self.not_there,
            "infer_outputs raised AttributeError: .*no attribute 'not_there'",
        ),
        (
            lambda self: [self.output],
            "infer_outputs raised .*not known while infer_outputs tells them",
        ),
    ],
)
def test_wrong_declarations(outputs: Any, message: str) -> None:
    class Wrong(Cube):
        def infer_outputs(self) -> Any:
            return outputs(self) if callable(outputs) else outputs

    with pytest.raises(RuntimeError, match=f"Wrong.*{message}"):
        C.user_function(Wrong(sample()))


def test_the_number_of_outputs_must_not_change() -> None:
    class Growing(Cube):
        def infer_outputs(self) -> Any:
            return [like(self.inputs[0])] * (1 if self.inputs[0].shape == (-2,) else 2)

    p = C.placeholder()
    f = C.user_function(Growing(p))
    with pytest.raises(ValueError, match="told 1 outputs at first and 2 now"):
        f.replace_placeholder(sample())


def test_methods_that_are_missing() -> None:
    class Empty(UserFunction):
        pass

    class Declared(UserFunction):
        def infer_outputs(self) -> Any:
            return [like(self.inputs[0])]

    x = sample()
    with pytest.raises(RuntimeError, match="Empty must define infer_outputs"):
        C.user_function(Empty([x]))
    with pytest.raises(RuntimeError, match=r"Declared must define forward\(self, arguments"):
        C.user_function(Declared([x])).eval({x: SAMPLES})

    class Forward(Declared):
        def forward(self, argument: Any, device: Any = None, outputs_to_retain: Any = None) -> Any:
            return None, argument

    with pytest.raises(RuntimeError, match="Forward has no gradient: it must define backward"):
        C.user_function(Forward([x])).grad({x: SAMPLES})


def test_methods_of_the_wrong_form() -> None:
    class OneOutputForm(SumAndDifference):
        def forward(self, arguments: Any, device: Any = None) -> Any:
            return None, arguments

    x, y = sample(), sample()
    with pytest.raises(RuntimeError, match="forward raised TypeError"):
        C.user_function(OneOutputForm(x, y)).eval({x: SAMPLES, y: SAMPLES})


def test_a_base_that_was_not_constructed() -> None:
    class Forgetful(UserFunction):
        def __init__(self, x: Any) -> None:
            self.x = x

    with pytest.raises(ValueError, match=r"Forgetful: its __init__ must call super\(\).__init__"):
        C.user_function(Forgetful(sample()))


def test_wrong_operands() -> None:
    with pytest.raises(TypeError, match="inputs must be a list of operands, got Variable"):
        Answering(sample())
    with pytest.raises(TypeError, match="as operand, got object"):
        Answering([object()])
    with pytest.raises(
        TypeError, match="user_function: expected an instance of a UserFunction, got int"
    ):
        C.user_function(3)


def test_operands_of_different_formats() -> None:
    x, y = C.input_variable(2), sample()
    f = C.user_function(Product(x, y))
    with pytest.raises(ValueError, match="same dtype.*use cntk.cast"):
        f.eval({x: np.ones((1, 2), np.float32), y: np.ones((1, 2))})
