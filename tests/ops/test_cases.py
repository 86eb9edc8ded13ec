"""What holds for every operation, tested from the rows of the operations' tables."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cntk as C
from cntk._graph import walk
from cntk._graph.op import Op, PrimitiveOp, registry
from cntk._graph.types import TensorType
from cntk._ops.support.composite_op import Fused
from cntk._ops.support.operands import apply
from tests.ops.op_case import (
    ROWS,
    Built,
    Held,
    Misuse,
    OpCase,
    Operand,
    Sparse,
    expected,
    raw,
    sample,
    sequences,
)

TABLES = sorted(path.stem for path in (Path(__file__).parent / "cases").glob("*.py"))
CASES: list[OpCase] = [
    case for table in TABLES for case in importlib.import_module(f"tests.ops.cases.{table}").CASES
]
MISUSES = [(case, misuse) for case in CASES for misuse in case.errors]

# Operations that compute nothing by themselves (test_custom_proxy.py), or cannot (test_lattice.py),
# and one whose effect comes after the run (test_assign.py).
WITHOUT_ROW = {
    PrimitiveOp.Combine,
    PrimitiveOp.Block,
    PrimitiveOp.CustomProxyOp,
    PrimitiveOp.LatticeSequenceWithSoftmax,
    PrimitiveOp.Assign,
}
# Operations whose rows are still to be written; nothing is added here.
PENDING: set[PrimitiveOp] = set()


def named(cases: list[OpCase]) -> Any:
    return pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in cases])


def check_close(actual: Any, wanted: Any, tolerance: float) -> None:
    """Compare arrays, or lists of arrays, one for each sample, in shape and in value."""
    if isinstance(wanted, list):
        assert len(actual) == len(wanted)
        for one, other in zip(actual, wanted, strict=True):
            check_close(one, other, tolerance)
        return
    assert np.shape(actual) == np.shape(wanted)
    np.testing.assert_allclose(actual, wanted, rtol=tolerance, atol=tolerance)


def test_names_are_unique() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


@named(CASES)
def test_result_is_the_references(case: OpCase) -> None:
    for output, wanted in zip(Built(case).eval(), expected(case), strict=True):
        check_close(output, wanted, case.tolerance)


@named(CASES)
def test_float32_differs_by_rounding_alone(case: OpCase) -> None:
    for output, wanted in zip(Built(case, np.float32).eval(), expected(case), strict=True):
        check_close(output, wanted, max(2e-5, case.tolerance))
        assert (output[0] if isinstance(output, list) else output).dtype == np.float32


@named(CASES)
def test_inferred_shape_is_the_results(case: OpCase) -> None:
    built = Built(case)
    for variable, result in zip(built.function.outputs, built.eval(), strict=True):
        row = result[0] if isinstance(result, list) else result
        assert variable.shape == row.shape[min(len(variable.dynamic_axes), 1) :]


@named([case for case in CASES if case.free])
def test_free_axes_give_the_same(case: OpCase) -> None:
    free, fixed = Built(case, free=True), Built(case)
    for one, other in zip(free.eval(), fixed.eval(), strict=True):
        check_close(one, other, 1e-12)


@named([case for case in CASES if case.has_rows and not case.whole])
def test_batch_is_its_samples_one_by_one(case: OpCase) -> None:
    built = Built(case)
    together = built.eval()
    for k in range(case.count):
        for output, alone in zip(together, built.eval(sample=k), strict=True):
            check_close(alone[0], output[k], 1e-12)


@named(
    [
        case
        for case in CASES
        if case.on_sequences and case.count == ROWS and not case.whole and not case.has_sequences
    ]
)
def test_frames_of_sequences_are_like_samples(case: OpCase) -> None:
    frames, samples = Built(case, as_frames=True), Built(case)
    for in_sequences, rows in zip(frames.eval(), samples.eval(), strict=True):
        check_close(np.concatenate(in_sequences), rows, 1e-12)


def weighted(case: OpCase) -> tuple[Built, np.ndarray]:
    """A case's function times fixed weights, so that the gradient of its sum tells each element of
    the output apart.
    """
    built = Built(case)
    weights = np.random.default_rng(5).uniform(0.5, 1.5, built.function.outputs[0].shape)
    built.function = C.element_times(built.function.outputs[0], C.constant(weights))
    return built, weights


def gradients(built: Built, chosen: list[int]) -> dict[int, Any]:
    by_variable = built.function.grad(built.feed(), wrt=[built.variables[k] for k in chosen])
    return {k: by_variable[built.variables[k]] if len(chosen) > 1 else by_variable for k in chosen}


def finite_differences(built: Built, k: int, step: float = 1e-6) -> Any:
    """The gradient of the sum of all outputs' elements for the k-th operand, from evaluations."""

    def total() -> float:
        output = built.eval(operands)[0]
        return float(sum(x.sum() for x in output) if isinstance(output, list) else output.sum())

    operands: list[Operand] = [_copy(x) for x in built.case.inputs]
    rows = raw(operands[k])
    result = []
    for array in rows if isinstance(rows, list) else [rows]:
        slopes = np.zeros_like(array)
        for place in np.ndindex(array.shape):
            value = array[place]
            array[place] = value + step
            above = total()
            array[place] = value - step
            slopes[place] = (above - total()) / (2 * step)
            array[place] = value
        result.append(slopes)
    return result if isinstance(rows, list) else result[0]


def _copy(operand: Operand) -> Operand:
    if isinstance(operand, list):
        return [x.copy() for x in operand]
    return (
        type(operand)(operand.value.copy())
        if isinstance(operand, (Held, Sparse))
        else operand.copy()
    )


@named([case for case in CASES if case.gradient != () and case.slope is None])
def test_gradient_is_that_of_finite_differences(case: OpCase) -> None:
    built, _ = weighted(case)
    chosen = [
        k
        for k, x in enumerate(case.inputs)
        if not isinstance(x, Sparse) and (case.gradient is None or k in case.gradient)
    ]
    for k, gradient in gradients(built, chosen).items():
        check_close(gradient, finite_differences(built, k), 1e-6)


@named([case for case in CASES if case.slope is not None])
def test_gradient_is_the_one_laid_down(case: OpCase) -> None:
    built, weights = weighted(case)
    slopes = [case.slope(*sample(case, n), weights) for n in range(case.count)]  # type: ignore[misc]
    chosen = [k for k, slope in enumerate(slopes[0]) if slope is not None]
    for k, gradient in gradients(built, chosen).items():
        wanted = [slope[k] for slope in slopes]
        check_close(gradient, sum(wanted) if isinstance(case.inputs[k], Held) else wanted, 1e-9)


@pytest.mark.parametrize(
    ("case", "misuse"), [pytest.param(c, m, id=f"{c.name}-{m.match[:30]}") for c, m in MISUSES]
)
def test_misuse_is_refused(case: OpCase, misuse: Misuse) -> None:
    variables = [C.input_variable(shape) for shape in misuse.shapes]
    with pytest.raises(misuse.error, match=misuse.match) as raised:
        case.op(*variables, **misuse.kwargs)
    text = str(raised.value)
    assert re.match(r"[A-Za-z_][\w.:]*( '[^']+')?: ", text), "names the operation first"
    assert re.search(r"\[|\d|'|got |operand", text), "says what came"
    assert re.search(
        r"must|expected|use |give |needs? |only |at least|at most|cannot|leave |not part|fit", text
    ), text


def test_enough_misuses_are_tested() -> None:
    assert len({(case.op, misuse.match) for case, misuse in MISUSES}) >= 120


def operations(function: Any) -> dict[Op, tuple[TensorType, ...]]:
    """All operations of a graph, also inside blocks, with their operands' types."""
    found: dict[Op, tuple[TensorType, ...]] = {}
    pending = [function.root_function]
    for root in pending:
        for primitive in [root, *walk.post_order(root.results)]:
            found[primitive.op] = tuple(v.type_ for v in primitive.operands)
            if primitive.is_block:
                pending.append(primitive.block_root)
                if primitive.block.single is not None:
                    found[primitive.block.single] = tuple(
                        v.type_ for v in primitive.block.arguments
                    )
    return found


OPERATIONS = {op: types for case in CASES for op, types in operations(Built(case).function).items()}
FUSED = {op: types for op, types in OPERATIONS.items() if isinstance(op, Fused)}


def operands(types: tuple[TensorType, ...]) -> dict[Any, Any]:
    """Variables like some operands, and data for them; None for a parameter."""
    result: dict[Any, Any] = {}
    for type_ in types:
        data = sequences(*type_.shape, lengths=(2, 4, 3))
        if not type_.shape:
            # It may be a condition: it selects each frame once.
            data = [np.ones_like(x) for x in data]
        if not type_.dynamic_axes and any(t.dynamic_axes for t in types):
            result[C.parameter(init=data[0][0])] = None
            continue
        axes = type_.dynamic_axes or (C.Axis.default_batch_axis(),)
        variable = C.input_variable(type_.shape, np.float64, needs_gradient=True, dynamic_axes=axes)
        result[variable] = data if type_.is_sequence else np.stack([x[0] for x in data])
    return result


@pytest.mark.parametrize("op", FUSED, ids=repr)
def test_fused_operation_is_the_graph_that_it_stands_for(op: Fused) -> None:
    variables = operands(FUSED[op])
    feed = {v: data for v, data in variables.items() if data is not None}
    results = []
    for function in (apply(op, list(variables)), op.expand(*variables)):
        weights = 1 + np.arange(np.prod(function.shape)).reshape(function.shape)
        result = C.element_times(function, C.constant(weights, dtype=np.float64))
        gradient = result.grad(feed, wrt=list(variables))
        results.append(
            [result.eval(feed), *(gradient.values() if len(variables) > 1 else [gradient])]
        )
    for one, other in zip(*results, strict=True):
        check_close(one, other, 1e-7)


def test_every_operation_has_a_row() -> None:
    # What fused operations stand for has been compared with them.
    found = {type(op) for op in OPERATIONS}
    found |= {type(part) for op in FUSED for part in operations(op.expand(*operands(FUSED[op])))}
    missing = [
        number.name
        for number, op in registry.items()
        if op not in found and number not in WITHOUT_ROW | PENDING
    ]
    assert not missing, f"add rows for {', '.join(missing)}"
