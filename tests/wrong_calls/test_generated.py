"""Wrong calls made from right ones, an argument at a time: each is answered by one sentence of
ours; see `generated`.
"""

from __future__ import annotations

import importlib
import warnings
from pathlib import Path

import pytest

from tests.wrong_calls.checker import complaints
from tests.wrong_calls.generated import Right, call, found, names_of, wrong_arguments
from tests.wrong_calls.nodes import Nodes

AREAS = sorted(path.stem for path in (Path(__file__).parent / "calls").glob("*.py"))


def right_calls() -> list[object]:
    found = []
    for area in AREAS:
        table: list[Right] = importlib.import_module(f"tests.wrong_calls.calls.{area}").RIGHT
        found += [
            pytest.param(right, id=f"{area}-{number}-{right.name}")
            for number, right in enumerate(table)
        ]
    return found


@pytest.mark.parametrize("right", right_calls())
def test_wrong_arguments(right: Right) -> None:
    nodes = Nodes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what is deprecated or accepted without use
        names = names_of(call(found(right.name, nodes), right.args(nodes)))
        wrong, accepted = [], []
        for label, make in wrong_arguments(right, nodes):
            try:
                make()
            except Exception as error:
                wrong += [
                    f"{label}: {c}" for c in complaints(right.name, error, *names, *right.named)
                ]
            else:
                accepted.append(label)
    assert not wrong, "\n".join(wrong)
    assert sorted(accepted) == sorted(right.accepts), (
        "taken without a word, or refused though listed as taken"
    )
