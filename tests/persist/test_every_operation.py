"""Every operation goes into a file and comes back out of it, tested from the rows of the operations' tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cntk as C
from cntk._graph.op import PrimitiveOp, registry
from cntk._persist.attributes import field_kinds
from tests.ops.op_case import Built, OpCase, densely
from tests.ops.test_cases import CASES


def check_equal(one: Any, other: Any) -> None:
    if isinstance(one, list):
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            check_equal(a, b)
    else:
        assert one.shape == other.shape and one.dtype == other.dtype
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES])
def test_operation_is_the_same_after_saving_and_loading(case: OpCase, tmp_path: Path) -> None:
    built = Built(case)
    built.function.save(tmp_path / "operation.model")
    loaded = C.load_model(tmp_path / "operation.model")
    data = {variable.name: value for variable, value in built.feed().items()}
    results = loaded.eval({v: data[v.name] for v in loaded.arguments})
    outputs = loaded.outputs
    assert [(v.name, v.shape) for v in outputs] == [(v.name, v.shape) for v in built.function.outputs]
    for one, other in zip(built.eval(), outputs, strict=True):
        check_equal(one, densely(results if len(outputs) == 1 else results[other]))


@pytest.mark.parametrize("number", sorted(registry), ids=lambda number: number.name)
def test_files_have_a_kind_for_every_attribute(number: PrimitiveOp) -> None:
    if number is PrimitiveOp.Block:
        pytest.skip("files hold a block in a way of its own")
    names = registry[number].disk_fields()
    assert set(field_kinds(registry[number])) == set(names)
    assert len(set(names.values())) == len(names)
