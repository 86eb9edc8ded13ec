"""Layers are those of the original: parameters, their order and first values, shapes, results and how they print."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cntk as C
from tests.layers.layer_cases import CASES, applied, results

RECORDED: dict[str, Any] = json.loads((Path(__file__).parent / "layers_of_the_original.json").read_text())

named = pytest.mark.parametrize("name", CASES)


def test_all_cases_are_recorded() -> None:
    assert list(CASES) == list(RECORDED)


@named
def test_parameters_are_the_originals(name: str) -> None:
    _, function, _ = applied(C, CASES[name])
    wanted = RECORDED[name]["parameters"]
    assert [[p.name, list(p.shape)] for p in function.parameters] == [row[:2] for row in wanted]
    for parameter, (_, _, first, total) in zip(function.parameters, wanted, strict=True):
        np.testing.assert_allclose(parameter.value.ravel()[:4], first, rtol=2e-5, atol=1e-6)
        np.testing.assert_allclose(parameter.value.sum(), total[0], rtol=2e-5, atol=1e-5)
    assert sorted([c.name, list(c.shape)] for c in function.constants if c.name) == RECORDED[name]["constants"]


@named
def test_results_are_the_originals(name: str) -> None:
    _, function, arguments = applied(C, CASES[name])
    wanted = RECORDED[name]["results"]
    assert [list(v.shape) for v in function.outputs] == RECORDED[name]["shapes"]
    for output, values in zip(results(function, arguments), wanted, strict=True):
        assert [list(a.shape) for a in output] == [shape for shape, _ in values]
        for array, (_, numbers) in zip(output, values, strict=True):
            np.testing.assert_allclose(array.ravel(), numbers, rtol=2e-5, atol=2e-6)


@named
def test_layers_print_as_the_originals(name: str) -> None:
    layer, function, _ = applied(C, CASES[name])
    if RECORDED[name]["unapplied"]:
        assert str(layer) == RECORDED[name]["unapplied"]
    if "SequenceOver" not in RECORDED[name]["text"]:  # the names of new axes are running numbers
        assert str(function) == RECORDED[name]["text"]
