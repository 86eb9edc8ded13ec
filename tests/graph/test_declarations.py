"""What an operation's declaration must not be."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from cntk._graph.op import PrimitiveOp, primitive
from cntk._ops.math.unary import Unary


def test_a_number_is_declared_once() -> None:
    with pytest.raises(ValueError, match=r"Tanh \(2\) is declared twice: Tanh and Other"):

        @primitive(PrimitiveOp.Tanh)
        @dataclass(frozen=True)
        class Other(Unary):
            pass


def test_a_field_has_no_methods_name() -> None:
    with pytest.raises(TypeError, match="Shifted: a field cannot be called 'lower'"):

        @dataclass(frozen=True)
        class Shifted(Unary):
            lower: float  # type: ignore[assignment]
