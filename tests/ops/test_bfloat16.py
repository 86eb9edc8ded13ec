"""Every row of the operations' tables in bfloat16, values and gradients beside float32's of the
same rounded operands.
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass, replace
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import scipy.sparse
import torch

import cntk as C
from cntk._graph.op import Kernel
from cntk._ops.math.unary import Unary
from cntk._ops.support.composite_op import Fused
from cntk._ops.support.operands import apply
from tests.ops.op_case import Built, Held, OpCase, Operand, Sparse
from tests.ops.test_cases import CASES, named, operations

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)

# The largest difference beside the largest number, of values and of gradients: some roundings of
# 2**-9 on the way.
VALUES, GRADIENTS = 2**-6, 2**-5

# Rows that cannot come so close, and why.
EXCEPTIONS = {
    "uniform_above_its_lowest": "a number drawn just above the bound is rounded to the bound",
    "sequence.softmax": "the true gradient is 0: what is left is rounding",
}
# Rows whose results are sparse: SciPy's matrices have no bfloat16.
SPARSE = {
    "eye_like_sparse",
    "one_hot_sparse",
    "random_sample_of_one_class_with_duplicates",
    "random_sample_of_one_class_without_duplicates",
}
# A row whose own constant is float32.
MIXED = "sequence.unpack for attention"


class Rounded(Built):
    """A row in float32 or bfloat16; SciPy's matrices have no bfloat16, so sparse operands are fed
    in float32.
    """

    def feed(self, operands: Any = None, sample: int | None = None) -> dict[Any, Any]:
        return {
            v: self._wide(x, operand)
            for operand, (v, x) in zip(
                self._fed_operands(), self._plain(operands, sample).items(), strict=True
            )
        }

    def _fed_operands(self) -> list[Operand]:
        return [x for x in self.case.inputs if not isinstance(x, Held)]

    def _plain(self, operands: Any, sample: int | None) -> dict[Any, Any]:
        dtype, self.dtype = self.dtype, np.float32
        try:
            return super().feed(operands, sample)
        finally:
            self.dtype = dtype

    def _wide(self, data: Any, operand: Operand) -> Any:
        if isinstance(operand, Sparse):
            return data
        return (
            [x.astype(self.dtype) for x in data]
            if isinstance(data, list)
            else data.astype(self.dtype)
        )


def rounded(operand: Operand) -> Operand:
    """The operand in numbers that bfloat16 can hold."""
    if isinstance(operand, (Held, Sparse)):
        return type(operand)(operand.value.astype(BFLOAT16).astype(np.float64))
    if isinstance(operand, list):
        return type(operand)(x.astype(BFLOAT16).astype(np.float64) for x in operand)
    return operand.astype(BFLOAT16).astype(np.float64)


def results(case: OpCase, dtype: Any) -> tuple[list[Any], list[Any]]:
    """All outputs of a row, and the gradients of its first one, told apart by weights."""
    built = Rounded(case, dtype)
    outputs = built.function.outputs
    chosen = [
        built.variables[k]
        for k, x in enumerate(case.inputs)
        if not isinstance(x, Sparse) and (case.gradient is None or k in case.gradient)
    ]
    if not chosen:
        return built.eval(), []
    weights = np.random.default_rng(5).uniform(0.5, 1.5, outputs[0].shape).astype(BFLOAT16)
    weighted = C.element_times(outputs[0], C.constant(weights.astype(dtype)), name="weighted")
    gradients, found = C.combine(weighted, *outputs).grad(
        built.feed(), wrt=chosen, outputs=list(outputs), grad_root=weighted.output
    )
    values = [found[v] for v in outputs] if len(outputs) > 1 else [found]
    return values, [gradients[v] for v in chosen] if len(chosen) > 1 else [gradients]


def flat(result: Any) -> np.ndarray:
    if isinstance(result, list):
        return np.concatenate([flat(x) for x in result])
    if scipy.sparse.issparse(result):
        result = result.toarray()
    return np.asarray(result).astype(np.float64).ravel()


def check(found: list[Any], wanted: list[Any], tolerance: float) -> None:
    for one, other in zip(found, wanted, strict=True):
        one, other = flat(one), flat(other)
        assert one.shape == other.shape
        finite = np.isfinite(other)
        assert np.array_equal(one[~finite], other[~finite], equal_nan=True)
        largest = max(np.abs(other[finite]).max(initial=0), 2**-6)
        assert np.abs(one[finite] - other[finite]).max(initial=0) <= tolerance * largest


@named([case for case in CASES if case.name not in EXCEPTIONS and case.name != MIXED])
def test_results_and_gradients_are_float32s_but_for_rounding(case: OpCase) -> None:
    case = replace(case, inputs=tuple(map(rounded, case.inputs)))
    (values, gradients), (wanted, slopes) = results(case, BFLOAT16), results(case, np.float32)
    check(values, wanted, VALUES)
    check(gradients, slopes, GRADIENTS)
    for result in (*values, *gradients):
        first = result[0] if isinstance(result, list) else result
        assert first.dtype == (np.float32 if case.name in SPARSE else BFLOAT16)


def composed(case: OpCase) -> bool:
    """Whether a row has an operation that files hold as a graph of others, with numbers that
    bfloat16 rounds.
    """
    return any(isinstance(op, Fused) and op.constants for op in operations(Built(case).function))


@named([case for case in CASES if composed(case)])
def test_what_files_hold_as_a_graph_gives_the_same_when_it_is_read(case: OpCase) -> None:
    built = Rounded(case, BFLOAT16)
    wanted = built.eval()
    data = {v.name: x for v, x in built.feed().items()}
    built.function = pickle.loads(pickle.dumps(built.function))  # noqa: S301
    found = built.function.eval({v: data[v.name] for v in built.function.arguments})
    assert np.array_equal(flat(found), flat(wanted[0]))


@dataclass(frozen=True)
class Zeta(Unary):
    """What torch has no kernel for in 16 bits."""

    op_name = "Zeta"

    def compute(self) -> Kernel:
        return lambda x: torch.special.zeta(x, x)


def test_what_torch_does_not_compute_is_told() -> None:
    x = C.input_variable(2, "bfloat16", name="x")
    with pytest.raises(
        ValueError, match="Zeta 'z': nothing computes it in bfloat16 on this device; use cntk.cast"
    ):
        apply(Zeta(), (x,), "z").eval({x: [[2, 3]]})


def test_exceptions_are_rows() -> None:
    assert {*EXCEPTIONS, *SPARSE, MIXED} <= {case.name for case in CASES}


def test_formats_that_do_not_meet_are_told() -> None:
    case = next(case for case in CASES if case.name == MIXED)
    with pytest.raises(ValueError, match="bfloat16 and float32; use cntk.cast"):
        Rounded(case, BFLOAT16).eval()
    x = C.input_variable(3, "bfloat16")
    for other in (np.float16, np.float32, np.float64):
        with pytest.raises(ValueError, match=f"bfloat16 and {np.dtype(other).name}; use cntk.cast"):
            x + C.input_variable(3, other)
