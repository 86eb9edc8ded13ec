"""Every call that was recorded with the original, once more with this package."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import cntk as C
from cntk._graph import walk
from cntk._graph.op import Op, registry
from cntk._ops.support.composite_op import Fused
from tests.against_original import calls, draw, recording
from tests.against_original.agreement import difference
from tests.against_original.known import CANNOT, WRONG

# That nobody counts samples is meant.
pytestmark = pytest.mark.filterwarnings("ignore:batch_normalization")

RECORDED = recording.read()
REASONS = {
    name: reason
    for reasons in (CANNOT, WRONG)
    for reason, names in reasons.items()
    for name in names
}
IN_OLD_FILES_ALONE = {"CrossEntropyWithSoftmax", "LogSoftmax", "Sigmoid", "SquaredError"}
# What a proxy stands for, and lattices from files of a speech recogniser, cannot be run by a call
# that is drawn.
WITHOUT_THE_ORIGINAL = {"CustomProxyOp", "LatticeSequenceWithSoftmax"}
NOTHING = ("crash", "unsteady")  # what the original gave cannot be compared with


def outcome(found: dict[str, Any]) -> list[str]:
    return found.get("error", ["none", ""])


def replayed(name: str) -> tuple[str | None, dict[str, Any]]:
    """What differs, and what this package gave."""
    description, theirs = RECORDED[name]
    with np.errstate(all="ignore"):
        ours = calls.run(description)
    stage, error = outcome(theirs)
    if error not in NOTHING:
        return difference(description, ours, theirs), ours
    if stage == "gradient":  # the gradient is ours alone; there must be one
        if outcome(ours)[0] != "none" or len(ours["gradients"]) != sum(
            x["gradient"] for x in description["operands"]
        ):
            return f"{outcome(ours)} where a gradient is due", ours
        bare = {"training": [], "gradients": [], "after": []}
        return difference(
            description, {**ours, **bare}, {"outputs": theirs["outputs"], **bare}
        ), ours
    refused = outcome(ours)[1]
    return (
        None if refused in ("none", "", "GraphError", "FeedError", "ValueError") else refused
    ), ours


def test_recording_is_of_the_calls_that_are_drawn() -> None:
    drawn = json.loads(json.dumps(draw.descriptions()))
    assert {name: description for name, (description, _) in RECORDED.items()} == drawn


@pytest.mark.parametrize("name", [name for name in RECORDED if name not in REASONS])
def test_gives_what_the_original_gave(name: str) -> None:
    different, ours = replayed(name)
    if different:
        pytest.fail(
            f"{json.dumps(RECORDED[name][0])}\n{different}\n{ours.get('message', '')}",
            pytrace=False,
        )


@pytest.mark.parametrize("name", REASONS)
def test_known_difference_is_still_one(name: str) -> None:
    different, ours = replayed(name)
    assert different is not None, "no longer different: take it off the list"
    assert outcome(ours)[0] == "none", ours.get("message")
    if any(name in names for names in CANNOT.values()):
        assert outcome(RECORDED[name][1])[0] != "none", "the original gives a result"


def operations(function: Any) -> set[type[Op]]:
    """The operations of a graph, also inside blocks and in what fused operations stand for."""
    found: set[type[Op]] = set()
    pending = [function.root_function]
    for root in pending:
        for primitive in [root, *walk.post_order(root.results)]:
            found.add(type(primitive.op))
            if primitive.is_block:
                pending.append(primitive.block_root)
            if isinstance(primitive.op, Fused):
                pending.append(primitive.op.expand(*primitive.operands).root_function)
    return found


def test_every_operation_is_called() -> None:
    called: set[type[Op]] = set()
    for description, theirs in RECORDED.values():
        if outcome(theirs)[0] not in ("build", "forward") or description["name"] in REASONS:
            operands = [calls.Operand(description, k) for k in range(len(description["operands"]))]
            called |= operations(C.as_composite(calls.built(description, operands)))
    missing = {number.name for number, op in registry.items() if op not in called}
    assert missing == IN_OLD_FILES_ALONE | WITHOUT_THE_ORIGINAL
