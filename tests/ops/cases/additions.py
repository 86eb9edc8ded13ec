"""Rows of operations that the original does not have."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special

import cntk as C
from tests.ops.op_case import Held, Misuse, OpCase, held, numbers

MATRIX, WIDE = numbers(3, 4), numbers(5, low=-9, high=9)
CUBE, OTHER = numbers(2, 3, 4), numbers(2, 4, 5, seed=4)


def tanh_gelu(x: np.ndarray) -> np.ndarray:
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def normalized(
    x: np.ndarray, scale: np.ndarray, bias: np.ndarray, epsilon: float = 1e-5
) -> np.ndarray:
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(
        x.var(-1, keepdims=True) + epsilon
    ) * scale + bias


def summed(suffix: str, equation: str, *inputs: Any, wanted: str = "", **extra: Any) -> OpCase:
    return OpCase(
        f"einsum_{suffix}",
        lambda *operands, equation=equation: C.einsum(equation, *operands),
        inputs,
        lambda *arrays: np.einsum(wanted or equation, *arrays),
        **extra,
    )


CASES = (
    OpCase("erf", C.erf, (WIDE,), scipy.special.erf, free=(0,)),
    OpCase("erf_of_a_matrix", C.erf, (MATRIX,), scipy.special.erf),
    OpCase("gelu", C.gelu, (WIDE,), lambda x: x * scipy.special.ndtr(x), free=(0,)),
    OpCase("gelu_by_tanh", lambda x: C.gelu(x, approximate=True), (WIDE,), tanh_gelu),
    OpCase("silu", C.silu, (MATRIX,), lambda x: x * scipy.special.expit(x), free=(0, 1)),
    OpCase("mish", C.mish, (MATRIX,), lambda x: x * np.tanh(np.logaddexp(x, 0))),
    OpCase(
        "layer_normalization",
        C.layer_normalization,
        (MATRIX, held(4), held(4, seed=3)),
        normalized,
        free=(0,),
        errors=(
            Misuse(((), (1,), (1,)), "a scalar has no axis to normalise along"),
            Misuse(((3,), (3,), (3,)), "scale must have no dynamic axes"),
            Misuse(((3,), (3,), (3,)), "expected a positive epsilon, got 0", {"epsilon": 0}),
        ),
    ),
    OpCase(
        "layer_normalization_of_vectors",
        lambda *operands: C.layer_normalization(*operands, epsilon=0.5),
        (WIDE, held(5), held(5, seed=3)),
        lambda *operands: normalized(*operands, epsilon=0.5),
    ),
    OpCase(
        "cumsum",
        lambda x, axis=1: C.cumsum(x, axis),
        (CUBE,),
        lambda x: x.cumsum(1),
        free=(0, 1),
        errors=(
            Misuse(((),), "is a number and has no axis to sum along"),
            Misuse(
                ((2, 3),),
                "static axis 2 is out of range for an operand with 2 static axes",
                {"axis": 2},
            ),
            Misuse(((2, 3),), "expected the index of a static axis, got 1.5", {"axis": 1.5}),
        ),
    ),
    OpCase("cumsum_along_the_last", C.cumsum, (MATRIX,), lambda x: x.cumsum(-1)),
    summed(
        "product_of_matrices",
        "ij,jk->ik",
        MATRIX,
        numbers(4, 5),
        free=(0,),
        errors=(
            Misuse(
                ((3, 4), (5, 2)), "the axes 'j' of 'ij,jk->ik' have the sizes 4 and 5, and must"
            ),
            Misuse(((3, 4, 2), (4, 5)), r"names 2 axes 'ij' of an operand \[3 x 4 x 2\]"),
            Misuse(((3, 4),), "is for 2 operands, got 1"),
            Misuse(((3, 4), (4, 5)), "'l' is not so", {"equation": "ij,jk->il"}),
            Misuse(((3, 4), (4, 5)), "must have each letter once", {"equation": "ij,jk->ii"}),
            Misuse(
                ((3, 4), (4, 5)),
                r"has '\.'; only letters may name axes",
                {"equation": "...j,jk->...k"},
            ),
        ),
    ),
    summed("with_a_parameter", "ij,kj->ki", MATRIX, held(6, 4)),
    summed("of_many_matrices", "bij,bjk->bik", CUBE, OTHER),
    summed("of_many_matrices_in_another_order", "bij,bjk->kbi", CUBE, OTHER),
    summed("over_one_operand", "abc->ca", CUBE),
    summed("of_nothing", "abc->abc", CUBE),
    summed("diagonal", "aba->ba", numbers(3, 4, 3)),
    summed("trace", "aa->", numbers(3, 3)),
    summed("inner", "i,i->", numbers(5), numbers(5, seed=4)),
    summed("outer", "i,jk->kij", numbers(5), MATRIX),
    summed("along_an_axis_that_stays", "ij,j,jk->jik", MATRIX, held(4), numbers(4, 5)),
    summed("of_three", "ij,jk,lk->il", MATRIX, held(4, 5), numbers(6, 5)),
    summed(
        "to_the_letters_that_occur_once", "ki, ij", numbers(3, 2), numbers(2, 4), wanted="ki,ij"
    ),
    OpCase(
        "batchmatmul",
        C.batchmatmul,
        (CUBE, Held(np.random.default_rng(1).normal(size=(2, 4, 5)))),
        np.matmul,
        errors=(
            Misuse(((2, 3), (2, 3, 4)), "expected two operands of the same, known rank"),
            Misuse(((3,), (3,)), "2 at least"),
            Misuse(((2, 3, 4), (3, 4, 5)), "have the sizes 2 and 3"),
        ),
    ),
)
