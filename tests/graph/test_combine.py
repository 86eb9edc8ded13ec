"""`combine` of nothing: a function without outputs, as Keras asks for one to look for nodes in."""

from __future__ import annotations

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
