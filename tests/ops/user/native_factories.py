"""Factories of native user functions, as a program's own module has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

import cntk as C
from tests.ops.user.user_functions import Product

NO_FACTORY = 5


def create_scaled(operands: Sequence[Any], attributes: Mapping[str, Any], name: str) -> Any:
    """A graph: the operand times a number."""
    return C.sin(operands[0] * attributes["factor"])


def create_product(operands: Sequence[Any], attributes: Mapping[str, Any], name: str) -> Any:
    """A user function."""
    return Product(*operands)


def create_weighted(operands: Sequence[Any], attributes: Mapping[str, Any], name: str) -> Any:
    """A graph with a parameter of its own."""
    return operands[0] * C.parameter(2, init=3, dtype=np.float64, name="own")


def create_nothing(operands: Sequence[Any], attributes: Mapping[str, Any], name: str) -> Any:
    """No function at all."""
    return 5


def create_foreign(operands: Sequence[Any], attributes: Mapping[str, Any], name: str) -> Any:
    """A function of something else."""
    return operands[0] + C.input_variable(2, dtype=np.float64, name="foreign")


def create_failing(operands: Sequence[Any], attributes: Mapping[str, Any], name: str) -> Any:
    """None, since it fails."""
    raise KeyError("factory")
