"""Every operation goes into a file and comes back out of it, tested from the rows of the
operations' tables.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cntk as C
from cntk._graph import walk
from cntk._graph.op import PrimitiveOp, registry
from cntk._graph.primitive import Primitive
from cntk._ops.support.composite_op import Fused
from cntk._persist.v2.attributes import field_kinds
from tests.graph.graph_programs import facts
from tests.ops.op_case import Built, OpCase, densely
from tests.ops.test_cases import CASES, operations

# Fused operations that a loaded graph need not become again: what files hold of them runs as well,
# or several of them are written alike. One row has a graph of which its operation cannot be told.
RUN_AS_WRITTEN = {"Einsum", "Flatten"}
NOT_TOLD = {"convolution_sequential_without_channels"}


def check_equal(one: Any, other: Any) -> None:
    if isinstance(one, list):
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            check_equal(a, b)
    else:
        assert one.shape == other.shape and one.dtype == other.dtype
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12)


def becomes_another_graph(function: Any) -> bool:
    """Whether a function holds an operation that files hold as others: one of our own, or one that
    stretches.
    """

    def is_ours(primitive: Primitive) -> bool:
        axes = {len(v.type_.dynamic_axes) for v in primitive.operands if v.type_.dynamic_axes}
        return primitive.op.primitive is None or (
            primitive.op.broadcasts_over_sequence and len(axes) > 1
        )

    return any(is_ours(p) for p in walk.primitives(function.root_function))


def fused_kinds(function: Any) -> set[str]:
    """What computes blocks of a function in one step."""
    return {type(op).__name__ for op in operations(function) if isinstance(op, Fused)}


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES])
def test_operation_is_the_same_after_saving_and_loading(case: OpCase, tmp_path: Path) -> None:
    built = Built(case)
    built.function.save(tmp_path / "operation.model")
    loaded = C.load_model(tmp_path / "operation.model")
    outputs = loaded.outputs
    if not becomes_another_graph(built.function):
        assert [(v.name, v.shape) for v in loaded.inputs] == [
            (v.name, v.shape) for v in built.function.inputs
        ]
        assert facts(C, loaded) == facts(C, built.function)
    if case.name not in NOT_TOLD:
        assert fused_kinds(loaded) == fused_kinds(built.function) - RUN_AS_WRITTEN, (
            "see `Fused.guesses`"
        )
    loaded.save(tmp_path / "again.model")
    assert facts(C, C.load_model(tmp_path / "again.model")) == facts(C, loaded)
    data = {variable.name: value for variable, value in built.feed().items()}
    results = loaded.eval({v: data[v.name] for v in loaded.arguments})
    assert [(v.name, v.shape) for v in outputs] == [
        (v.name, v.shape) for v in built.function.outputs
    ]
    for one, other in zip(built.eval(), outputs, strict=True):
        check_equal(one, densely(results if len(outputs) == 1 else results[other]))


@pytest.mark.parametrize("number", sorted(registry), ids=lambda number: number.name)
def test_files_have_a_kind_for_every_attribute(number: PrimitiveOp) -> None:
    if number is PrimitiveOp.Block:
        pytest.skip("files hold a block in a way of its own")
    names = registry[number].disk_fields()
    assert set(field_kinds(registry[number])) == set(names)
    assert len(set(names.values())) == len(names)
