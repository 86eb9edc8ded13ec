"""Models of the original: the same outputs here, and written again the same file but for names and
order.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cntk as C
from cntk._graph import walk
from cntk._ops.support.composite_op import Fused
from cntk._persist import files
from cntk._persist.protobuf.dictionary import Wrapped
from cntk._persist.v2.save import to_dictionary
from tests.persist.programs import PROGRAMS, data, evaluate

GOLDEN = Path(__file__).parent / "golden"
RESULTS = dict(np.load(GOLDEN / "results.npz"))
NAMES = list(PROGRAMS)


def path(name: str) -> Path:
    return GOLDEN / f"{name}.model"


def described(variables: Any) -> list[str]:
    return [repr((v.name, tuple(v.shape))) for v in variables]


def check_outputs(name: str, function: Any) -> None:
    outputs = evaluate(function, data(function))
    for k, output in enumerate(outputs):
        wanted = RESULTS[f"{name}/output_{k}"]
        assert output.shape == wanted.shape and output.dtype == wanted.dtype
        np.testing.assert_allclose(output, wanted, rtol=1e-5, atol=1e-5)
    assert f"{name}/output_{len(outputs)}" not in RESULTS


def operations(root: Any) -> list[Any]:
    """All operations of a graph, inside blocks as well."""
    found = []
    for primitive in walk.post_order(root.results):
        block = primitive.block
        found += [primitive.op] if block is None else operations(block.composite.root_function)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_outputs_are_the_originals(name: str) -> None:
    check_outputs(name, C.load_model(path(name)))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("what", ["parameters", "arguments", "outputs"])
def test_variables_have_the_originals_names_and_order(name: str, what: str) -> None:
    found = described(getattr(C.load_model(path(name)), what))
    assert (sorted(found) if what == "arguments" else found) == (
        sorted(RESULTS[f"{name}/{what}"])
        if what == "arguments"
        else list(RESULTS[f"{name}/{what}"])
    )


@pytest.mark.parametrize("name", NAMES)
def test_written_again_it_computes_the_same(name: str, tmp_path: Path) -> None:
    C.load_model(path(name)).save(tmp_path / "again.model")
    check_outputs(name, C.load_model(tmp_path / "again.model"))


@pytest.mark.parametrize("name", NAMES)
def test_built_here_it_takes_over_the_originals_values(name: str) -> None:
    function = PROGRAMS[name]()
    for parameter in function.parameters:
        parameter.value = np.zeros(parameter.shape)
    function.restore(path(name))
    check_outputs(name, function)


def by_uid(values: dict[str, Any], key: str) -> dict[str, Any]:
    return {item["uid"]: item for item in values[key]}


def check_same(one: Any, other: Any, where: str) -> None:
    """Compare two values of a dictionary, their kinds included."""
    one = one.wrapped if isinstance(one, Wrapped) else one
    assert type(one) is type(other), where
    if isinstance(one, dict):
        assert set(one) == set(other), where
        for key in one:
            check_same(one[key], other[key], f"{where}/{key}")
    elif isinstance(one, list):
        assert len(one) == len(other), where
        for k, (a, b) in enumerate(zip(one, other, strict=True)):
            check_same(a, b, f"{where}/{k}")
    elif isinstance(one, np.ndarray):
        np.testing.assert_array_equal(one, other)
    else:
        assert one == other, where


@pytest.mark.parametrize("name", NAMES)
def test_written_again_every_part_is_as_the_original_wrote_it(name: str) -> None:
    original = files.read(path(name))
    again = to_dictionary(C.load_model(path(name)))
    assert {k: v for k, v in again.items() if k not in ("inputs", "primitive_functions")} == {
        k: v for k, v in original.items() if k not in ("inputs", "primitive_functions")
    }
    functions, wanted = (
        by_uid(again, "primitive_functions"),
        by_uid(original, "primitive_functions"),
    )
    assert set(functions) == set(wanted)
    for uid, function in functions.items():
        check_same(function, wanted[uid], uid)
    variables, stored = by_uid(again, "inputs"), by_uid(original, "inputs")
    for uid, variable in variables.items():
        check_same(variable, stored[uid], uid)
    # The original also has stand-ins for outputs that come later in its order.
    assert {uid for uid in stored if uid not in variables} <= {
        uid for uid in stored if "_Output_" in uid
    }


@pytest.mark.parametrize(
    ("name", "ops"),
    [
        ("sequence_classifier", {"Sequence::Slice"}),
        ("parts_of_sequences", {"Sequence::Slice", "Sequence::IsLast"}),
        ("picked_frames", {"Sequence::Gather", "Sequence::Scatter"}),
        ("sums_of_sequences", {"Sequence::ReduceElements", "Sequence::Softmax"}),
        ("criterion", {"CrossEntropyWithSoftmax", "ClassificationError"}),
        ("activations", {"ELU", "LeakyReLU", "HardSigmoid", "LogSoftmax", "Softmax"}),
    ],
)
def test_graphs_are_recognised_that_run_in_one_step(name: str, ops: set[str]) -> None:
    found = walk.primitives(C.load_model(path(name)).root_function)
    assert ops <= {
        p.op_name for p in found if p.block is not None and isinstance(p.block.single, Fused)
    }
