"""Rows of arithmetic, comparison, choice and logic element by element."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

import cntk as C
from tests.ops.op_case import Misuse, OpCase, held, numbers

MATRIX, OTHER = numbers(2, 3), numbers(2, 3, seed=4)
COLUMN, ROW, NUMBER = numbers(2, 1, seed=5), numbers(3, seed=6), numbers(seed=7)
POSITIVE = numbers(2, 3, low=0.3)
LEVELS = np.round(MATRIX)  # integers, so that some are equal
LEVELS_TOO = np.round(OTHER)

DIFFERENT_SHAPES = Misuse(
    ((2, 3), (2, 4)), "static axis -1 of the operands must agree or be 1, but has 3, 4"
)


def binary(
    name: str, op: Any, reference: Any, left: Any = MATRIX, right: Any = OTHER, **more: Any
) -> list[OpCase]:
    """An operation on two operands, with operands of several shapes."""
    return [
        OpCase(name, op, (left, right), reference, free=(0, 1), errors=(DIFFERENT_SHAPES,), **more),
        OpCase(f"{name}_stretched", op, (COLUMN, ROW), reference, **more),
        OpCase(f"{name}_ranks", op, (NUMBER, left), reference, **more),
        OpCase(f"{name}_parameter", op, (left, held(3)), reference, **more),
    ]


def comparison(op: Any, relation: Any) -> list[OpCase]:
    return [
        *binary(op.__name__, op, lambda x, y: 1.0 * relation(x, y), gradient=()),
        OpCase(
            f"{op.__name__}_ties",
            op,
            (LEVELS, LEVELS_TOO),
            lambda x, y: 1.0 * relation(x, y),
            slope=lambda x, y, g: (0 * x, 0 * y),
        ),
    ]


def logic(op: Any, relation: Any) -> OpCase:
    return OpCase(
        op.__name__,
        op,
        (LEVELS, LEVELS_TOO),
        lambda x, y: 1.0 * relation(x > 0, y > 0),
        slope=lambda x, y, g: (0 * x, 0 * y),
        errors=(DIFFERENT_SHAPES,),
    )


def divide(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.where(y == 0, 0, x / np.where(y == 0, 1, y))


def zero_power_slope(x: np.ndarray, y: np.ndarray, g: np.ndarray) -> tuple[Any, ...]:
    # At 0 nothing comes back but for an exponent of 1.
    return g * np.where(x == 0, 1.0 * (y == 1), y), 0 * y


CASES = (
    *binary("plus", C.plus, np.add),
    OpCase(
        "plus_of_five",
        C.plus,
        (MATRIX, OTHER, ROW, COLUMN, NUMBER),
        lambda *xs: functools.reduce(np.add, xs),
    ),
    *binary("minus", C.minus, np.subtract),
    *binary("element_times", C.element_times, np.multiply),
    OpCase(
        "element_times_of_three", C.element_times, (MATRIX, OTHER, ROW), lambda x, y, z: x * y * z
    ),
    *binary("element_divide", C.element_divide, np.divide),
    OpCase(
        "element_divide_by_zero",
        C.element_divide,
        (MATRIX, LEVELS),
        divide,
        slope=lambda x, y, g: (divide(g, y), -divide(g * x, y * y)),
    ),
    *binary("log_add_exp", C.log_add_exp, np.logaddexp),
    OpCase(
        "log_add_exp_large", C.log_add_exp, (1000 * MATRIX, 1000 * OTHER), np.logaddexp, gradient=()
    ),
    OpCase("pow", C.pow, (POSITIVE, OTHER), np.power, free=(0,), errors=(DIFFERENT_SHAPES,)),
    OpCase("pow_stretched", C.pow, (POSITIVE, ROW), np.power),
    OpCase("pow_negative_base", lambda x: C.pow(x, 3), (MATRIX,), lambda x: x**3),
    OpCase(
        "pow_zero_base",
        C.pow,
        (np.zeros((7, 4)), np.tile([2.0, 1.0, 0.0, -1.5], (7, 1))),
        lambda x, y: np.where(y == 0, 1.0, 0.0),
        slope=zero_power_slope,
    ),
    OpCase("square", C.square, (MATRIX,), np.square, free=(0, 1)),
    OpCase(
        "sum",
        C.sum,
        (MATRIX, OTHER, ROW),
        lambda *xs: functools.reduce(np.add, xs),
        errors=(DIFFERENT_SHAPES,),
    ),
    OpCase(
        "sum_of_one", C.sum, (MATRIX,), np.positive, errors=(Misuse((), "at least one operand"),)
    ),
    OpCase("mean", C.mean, (MATRIX, OTHER, ROW), lambda *xs: functools.reduce(np.add, xs) / 3),
    *comparison(C.equal, np.equal),
    *comparison(C.not_equal, np.not_equal),
    *comparison(C.less, np.less),
    *comparison(C.less_equal, np.less_equal),
    *comparison(C.greater, np.greater),
    *comparison(C.greater_equal, np.greater_equal),
    OpCase(
        "element_select",
        C.element_select,
        (LEVELS, MATRIX, ROW),
        lambda flag, x, y: np.where(flag != 0, x, y),
        gradient=(1, 2),
        free=(0,),
        errors=(Misuse(((2, 3), (2, 3), (4,)), "must agree or be 1"),),
    ),
    *binary("element_max", C.element_max, np.maximum),
    *binary("element_min", C.element_min, np.minimum),
    OpCase(
        "element_max_of_three",
        C.element_max,
        (MATRIX, OTHER, ROW),
        lambda x, y, z: np.maximum(np.maximum(x, y), z),
    ),
    OpCase(
        "element_max_ties",
        C.element_max,
        (LEVELS, LEVELS_TOO),
        np.maximum,
        slope=lambda x, y, g: (g * (x > y), g * (x <= y)),
    ),
    OpCase(
        "element_min_ties",
        C.element_min,
        (LEVELS, LEVELS_TOO),
        np.minimum,
        slope=lambda x, y, g: (g * (x < y), g * (x >= y)),
    ),
    logic(C.element_and, np.logical_and),
    logic(C.element_or, np.logical_or),
    logic(C.element_xor, np.logical_xor),
    OpCase(
        "element_not",
        C.element_not,
        (LEVELS,),
        lambda x: 1.0 * (x <= 0),
        slope=lambda x, g: (0 * x,),
    ),
)
