"""Rows of crops whose place follows from the graph."""

from __future__ import annotations

from typing import Any

import numpy as np

import cntk as C
from tests.ops.op_case import Misuse, OpCase, numbers

IMAGE, OTHER = numbers(2, 9, 10), numbers(3, 5, 6)


def automatic(x: Any) -> Any:
    """The part of an image that the windows of 3 x 5 of a pooling have their centres on."""
    return C.crop_automatic(x * 2, C.pooling(x, C.MAX_POOLING, (3, 5)))


def with_ancestors(x: Any, y: Any) -> Any:
    return C.crop_automatic_with_ancestors(x, C.pooling(y, C.AVG_POOLING, (3, 4)), x, y)


CASES = (
    OpCase(
        "crop_automatic",
        lambda x, *like: C.crop_automatic(x, *like) if like else automatic(x),
        (IMAGE,),
        lambda x: 2 * x[:, 1:8, 2:8],
        errors=(
            Misuse(((9, 10), (3, 5, 6)), "the same number of static axes"),
            Misuse(((9,), (5,)), "two at least"),
        ),
    ),
    OpCase(
        "crop_automatic_with_ancestors",
        with_ancestors,
        (IMAGE, OTHER),
        lambda x, y: x[:, 1:4, 1:4],
        slope=lambda x, y, g: (np.pad(g, [(0, 0), (1, 5), (1, 6)]), 0 * y),
    ),
)
