"""`combine` of nothing, as Keras asks for one to look for nodes in; blocks that bear its name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import cntk as C


def test_a_function_without_outputs(tmp_path) -> None:
    nothing = C.combine([], name="nothing")
    assert nothing.outputs == nothing.inputs == nothing.arguments == nothing.parameters == ()
    assert [f.op_name for f in nothing.find_all_with_name("")] == []
    assert nothing.name == "nothing" and nothing.root_function.op_name == "Combine"
    assert nothing.clone("clone").outputs == ()
    path = tmp_path / "nothing.model"
    nothing.save(str(path))
    assert C.load_model(str(path)).outputs == ()


def test_one_of_several_may_have_none() -> None:
    x = C.input_variable(2)
    assert len(C.combine([C.combine([]), x + 1]).outputs) == 1


@pytest.mark.parametrize("name", ["Combine", "Tuple", "Plus"])
def test_a_block_of_a_name_that_an_operation_has_is_no_such_operation(
    name: str, tmp_path: Path
) -> None:
    x = C.input_variable(2, name="x")
    block = C.BlockFunction(name, "own")(lambda v: v + 1)(x)
    copy = block.clone("clone")
    block.save(str(tmp_path / "model"))
    for function in (block, copy, C.load_model(str(tmp_path / "model"))):
        assert function.root_function.is_block and len(function.outputs) == 1
        np.testing.assert_array_equal(function.eval({function.arguments[0]: [[1, 2]]}), [[2, 3]])
