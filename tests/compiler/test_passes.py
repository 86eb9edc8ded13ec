"""Each pass of the compiler changes something, no result, and can be switched off."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
import pytest
import torch

import cntk as C
from cntk._compiler.passes.pipeline import FUSIONS, PIPELINE, before_and_after, without
from cntk._compiler.plan import Plan
from cntk._execution.bind import bind
from cntk._execution.compiled_state import state_of
from cntk._graph.composite import whole_graph
from cntk._runtime.bind_input import bind_input
from cntk.errors import ArgumentError

CPU = torch.device("cpu")
Program = tuple[C.Function, Mapping[C.Variable, Any]]


def values(*shape: int) -> np.ndarray:
    return np.random.default_rng(shape).uniform(-0.8, 0.8, shape)


def sequences() -> tuple[C.Variable, list[np.ndarray]]:
    x = C.sequence.input_variable(3, np.float64)
    return x, [values(n, 3) for n in (4, 1, 3)]


def perceptron() -> Program:
    x = C.input_variable(3, np.float64)
    with C.default_options(dtype=np.float64):
        hidden = C.layers.Dense(4, C.tanh, init=values(3, 4), init_bias=values(4))(x)
    return C.exp(hidden) * C.exp(hidden) + hidden, {x: values(5, 3)}


def convolutions() -> Program:
    x = C.input_variable((2, 5, 5), np.float64)
    kernel, bias = (C.parameter(init=values(*s)) for s in ((3, 2, 3, 3), (3, 1, 1)))
    image = C.relu(C.convolution(kernel, x, auto_padding=[False, True, True]) + bias)
    return C.crop_automatic(image, C.pooling(image, C.MAX_POOLING, (3, 3))), {x: values(2, 2, 5, 5)}


def total() -> Program:
    x, data = sequences()
    with C.default_options(dtype=np.float64):
        return C.layers.Recurrence(lambda state, s: state + C.exp(s) + C.exp(s))(x), {x: data}


def recurrence(cell: Callable[..., Any], backwards: bool, **options: Any) -> Callable[[], Program]:
    def program() -> Program:
        x, data = sequences()
        with C.default_options(dtype=np.float64):
            step = cell(2, init=C.uniform(0.8, seed=3), **options)
            states = C.layers.Recurrence(step, go_backwards=backwards)(x)
        return (C.sequence.first if backwards else C.sequence.last)(states), {x: data}

    return program


def masks() -> Program:
    x = C.input_variable(3, np.float64)
    return C.dropout(x, 0.5, seed=7) + x, {x: values(2, 3)}


PROGRAMS: dict[str, Callable[[], Program]] = {
    "perceptron": perceptron,
    "convolutions": convolutions,
    "total": total,
    "plain recurrence": recurrence(C.layers.RNNStep, False, activation=C.tanh),
    "LSTM": recurrence(C.layers.LSTM, False),
    "GRU, backwards": recurrence(C.layers.GRU, True),
    "dropout": masks,
}
OPTIONAL = sorted({each.name for each in PIPELINE if not each.needed})
NEEDED = sorted({each.name for each in PIPELINE if each.needed})


@contextmanager
def original_dropout() -> Iterator[None]:
    C.cntk_py.set_dropout_compatibility()
    try:
        yield
    finally:
        C.cntk_py.set_dropout_compatibility(False)


def run(program: Program, *off: str) -> tuple[Plan, list[np.ndarray]]:
    """Return a plan without some passes, and its outputs and gradients."""
    function, feeds = program
    with without(*off):
        plan = Plan(function.outputs, {})
    rows, context = bind(plan, {v: bind_input(v, x, CPU) for v, x in feeds.items()}, True, CPU)
    rows = [x.clone().requires_grad_() for x in rows]
    with torch.enable_grad():
        outputs = plan.execute(rows, context)
        sources = [*rows, *(p.data for p in function.parameters)]
        scalar = sum((y * torch.arange(y.numel()).reshape(y.shape)).sum() for y in outputs)
        gradients = torch.autograd.grad(scalar, sources)
    return plan, [x.detach().numpy() for x in (*outputs, *gradients)]


OFF = {**{name: [name] for name in OPTIONAL}, "all": OPTIONAL, "fusions": sorted(FUSIONS)}


@pytest.mark.parametrize("off", OFF.values(), ids=OFF.keys())
@pytest.mark.parametrize("name", [name for name in PROGRAMS if name != "dropout"])
def test_results_are_the_same_without(name: str, off: list[str]) -> None:
    program = PROGRAMS[name]()
    plan, expected = run(program)
    assert [report.name for report in plan.pass_reports] == [each.name for each in PIPELINE]
    other, actual = run(program, *off)
    assert not {report.name for report in other.pass_reports} & set(off)
    for one, two in zip(actual, expected, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-6, atol=1e-9)


def test_every_pass_does_something() -> None:
    with original_dropout():
        plans = [Plan(make()[0].outputs, {}) for make in PROGRAMS.values()]
    for position, each in enumerate(PIPELINE):
        reports = [plan.pass_reports[position] for plan in plans]
        assert {report.name for report in reports} == {each.name}
        assert any(report.changed and report.notes for report in reports), each.name


def test_a_report_counts_all_and_tells_the_first() -> None:
    x = C.input_variable(2)
    plan = Plan(sum((C.exp(x) for _ in range(30)), x).outputs, {})
    (report,) = (each for each in plan.pass_reports if each.name == "share")
    assert report.changed == 29 and len(report.notes) == 20
    assert all(note.startswith("Exp '") for note in report.notes)


@pytest.mark.parametrize("name", NEEDED)
def test_what_nothing_runs_without_stays(name: str) -> None:
    with pytest.raises(ArgumentError, match=f"'{name}' cannot be left out: "), without(name):
        pass


def test_an_unknown_pass_is_refused_with_those_that_there_are() -> None:
    listed = ", ".join(dict.fromkeys(p.name for p in PIPELINE if not p.needed))
    with pytest.raises(ArgumentError, match=f"'fuse_bais'.*{listed}"), without("fuse_bais"):
        pass
    with pytest.raises(ArgumentError, match="'fuse_bais'"):
        before_and_after("fuse_bais", C.exp(C.input_variable(1)))


def test_functions_have_plans_of_their_own_without_a_pass() -> None:
    function, feeds = perceptron()
    results = []
    for context in (nullcontext(), without("fuse_bias"), without("fuse_bias", "share")):
        with context:
            results += [function.eval(feeds), function.eval(feeds)]
    plans = state_of(whole_graph(function)).plans.values()
    assert [len(plan.nodes) for plan in plans] == [5, 6, 7]
    for result in results:
        np.testing.assert_allclose(result, results[0], rtol=1e-12)


def test_passes_are_left_out_inside_alone() -> None:
    function, _ = perceptron()
    with pytest.raises(KeyError), without("share"):
        with without("fuse_bias"):
            assert len(Plan(function.outputs, {}).nodes) == 7
        assert len(Plan(function.outputs, {}).nodes) == 6
        raise KeyError
    assert len(Plan(function.outputs, {}).nodes) == 5


def test_a_mask_in_a_loop_is_drawn_before_its_steps() -> None:
    x, data = sequences()
    with original_dropout(), C.default_options(dtype=np.float64):
        loop = C.layers.Recurrence(lambda state, s: C.dropout(state + s, 0.5, seed=7))(x)
        _, (result, *_) = run((loop, {x: data}))
    assert np.isfinite(result).all() and (result == 0).any()


@pytest.mark.parametrize("each", PIPELINE, ids=[f"{k} {p.name}" for k, p in enumerate(PIPELINE)])
def test_a_pass_has_a_file_an_example_and_a_reason(each: Any) -> None:
    assert each.rewrite.__module__.endswith(f".passes.{each.name}")
    assert "becomes" in each.rewrite.__doc__ and each.position.endswith(".")


class Plus(C.ops.functions.UserFunction):
    """A user function that bears an operation's name, and computes something else."""

    def __init__(self, a: Any, b: Any) -> None:
        super().__init__([a, b], name="own")

    def infer_outputs(self) -> list[C.Variable]:
        of = self.inputs[0]
        return [C.output_variable(of.shape, of.dtype, of.dynamic_axes)]

    def forward(self, arguments: Any, device: Any = None, outputs_to_retain: Any = None) -> Any:
        return None, arguments[0]


def test_what_bears_an_operations_name_is_not_taken_for_it() -> None:
    x = C.input_variable(3)
    product = C.times(x, C.parameter((3, 2), init=1))
    function = C.user_function(Plus(product, C.parameter(2, init=5)))
    assert len(Plan(function.outputs, {}).nodes) == 2
