"""Rows of random operations where chance leaves one result alone; test_random.py compares their
numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import cntk as C
from tests.ops.op_case import Held, Misuse, OpCase, numbers

TENSOR = numbers(3, 2)
WEIGHTS = Held(np.array([2.0, 0.5, 1.5, 4.0]))
ONLY_ONE = Held(np.array([0.0, 0.0, 5.0, 0.0]))
SHAPE = ((3,),)


def sure(kind: str, kwargs: dict[str, float], value: float, errors: tuple[Misuse, ...]) -> OpCase:
    """A distribution with no spread."""
    op = getattr(C.random, f"{kind}_like")
    return OpCase(
        f"{kind}_without_spread",
        op,
        (TENSOR,),
        lambda x, **_: np.full_like(x, value),
        kwargs,
        free=(0, 1),
        errors=errors,
    )


def drawn(weights: Any, allow_duplicates: bool) -> OpCase:
    count = 5 if allow_duplicates else 1
    return OpCase(
        f"random_sample_of_one_class_{'with' if allow_duplicates else 'without'}_duplicates",
        lambda w, **kwargs: C.random_sample(
            w, **{"num_samples": count, "allow_duplicates": allow_duplicates, **kwargs}
        ),
        (weights,),
        lambda w: np.tile(np.eye(len(w))[w.argmax()], (count, 1)),
        gradient=(),
        errors=(
            Misuse(((2, 3),), r"must be a vector, one number a class, got \[2 x 3\]"),
            Misuse(SHAPE, "num_samples must be an integer above 0, got 0", {"num_samples": 0}),
            Misuse(SHAPE, "num_samples must be an integer above 0, got 1.5", {"num_samples": 1.5}),
            Misuse(SHAPE, "seed must be an integer", {"seed": -1}),
        ),
    )


CASES = (
    sure(
        "normal",
        {"mean": 1.5, "scale": 0},
        1.5,
        (
            Misuse(SHAPE, "scale must not be negative, got -2", {"scale": -2}),
            Misuse(SHAPE, "mean must be a finite number, got nan", {"mean": np.nan}),
            Misuse(SHAPE, "seed must be an integer", {"seed": 1.5}),
        ),
    ),
    sure(
        "gumbel",
        {"loc": -0.5, "scale": 0},
        -0.5,
        (Misuse(SHAPE, "scale must not be negative", {"scale": -2}),),
    ),
    sure(
        "bernoulli",
        {"mean": 1},
        1.0,
        (
            Misuse(SHAPE, "mean must be a probability, from 0 to 1, got 1.5", {"mean": 1.5}),
            Misuse(SHAPE, "got -0.5", {"mean": -0.5}),
        ),
    ),
    OpCase(
        "uniform_above_its_lowest",
        lambda x, **kwargs: C.greater(
            C.random.uniform_like(x, **{"low": 2, "high": 3, **kwargs}), 2
        ),
        (TENSOR,),
        np.ones_like,
        gradient=(),
        errors=(
            Misuse(SHAPE, r"low \(3\) must be below high \(3\)", {"low": 3}),
            Misuse(SHAPE, "high must be a finite number, got 'b'", {"high": "b"}),
        ),
    ),
    drawn(ONLY_ONE, True),
    drawn(ONLY_ONE, False),
    OpCase(
        "random_sample_inclusion_frequency",
        lambda w: C.random_sample_inclusion_frequency(w, 3, True),
        (WEIGHTS,),
        lambda w: 3 * w / w.sum(),
        slope=lambda w, gradient: (np.zeros_like(w),),
        errors=(
            Misuse(((2, 3),), r"must be a vector, one number a class, got \[2 x 3\]"),
            Misuse(((),), r"must be a vector, one number a class, got \[\]"),
        ),
    ),
)
