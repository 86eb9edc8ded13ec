"""Layers are those of the original: how they print, parameters and their first values, shapes,
results and gradients.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cntk as C
from tests.layers.layer_cases import applied, facts, numbers, written
from tests.layers.layer_tables import CASES

RECORDING = np.load(Path(__file__).parent / "layers_of_the_original.npz")
RECORDED: dict[str, dict[str, Any]] = json.loads(bytes(RECORDING["facts"]).decode())
COMPARED = [name for name, row in RECORDED.items() if "refused" not in row]
REFUSED = [name for name, row in RECORDED.items() if "refused" in row]

# Which elements are dropped is drawn otherwise than in the original.
DRAWN = ("dropout", "dropout by what is kept", "dropout with a seed", "small tagger")

# A convolution that leaves sequences as long as they are leaves them on their axis too; the
# original makes a new one.
ON_THE_SAME_AXIS = (
    "sequential convolution",
    "sequential convolution, one filter",
    "sequential convolution of numbers",
)

# The original makes Python functions of these, which have no text.
PYTHON_FUNCTIONS = ("clique of one", "clique of four", "resnet block")

# What the original refuses although its documentation has it or means it.
BETTER_HERE = (
    "dense from a scalar",
    "dense with numbers",
    "dense, truncated normal",
    "convolution with numbers",
    "max pooling of one axis",
    "recurrence over two cells",
    "initial state of each sequence",
    "initial states of each sequence",
    "initial state as a sequence",
    "delay of sparse words",
    "sequential with branches, lists in them",
    # States that are computed of other inputs, of which the original loses the axes.
    *(name for name in REFUSED if name.startswith("drawn")),
)


def recorded_numbers() -> dict[str, list[list[np.ndarray]]]:
    """Each layer's arrays, cut out of all numbers by their shapes."""
    found: dict[str, list[list[np.ndarray]]] = {}
    held, place = RECORDING["numbers"], 0
    for name in COMPARED:
        found[name] = []
        for shapes in RECORDED[name]["numbers"]:
            sizes = [int(np.prod(shape)) for shape in shapes]
            ends = place + np.cumsum([0, *sizes])
            pairs = zip(ends[:-1], ends[1:], strict=True)
            found[name].append(
                [held[a:b].reshape(s) for (a, b), s in zip(pairs, shapes, strict=True)]
            )
            place = int(ends[-1])
    assert place == len(held)
    return found


NUMBERS = recorded_numbers()


def test_all_cases_are_recorded() -> None:
    assert list(CASES) == list(RECORDED) and len(CASES) > 350


@pytest.mark.parametrize("name", COMPARED)
def test_layer_reads_as_the_originals(name: str) -> None:
    layer, function, _ = applied(C, CASES[name])
    ours = json.loads(json.dumps(facts(C, layer, function)))
    wanted = {k: v for k, v in RECORDED[name].items() if k != "numbers"}
    if name in ON_THE_SAME_AXIS:
        wanted["text"] = wanted["text"].replace("SequenceOver[new]", "Sequence")
        wanted["outputs"][0][2][1] = "defaultDynamicAxis"
    if name in PYTHON_FUNCTIONS:
        assert not wanted["unapplied"]
        wanted["unapplied"] = written(layer)
    assert ours == wanted


@pytest.mark.parametrize("name", COMPARED)
def test_numbers_are_the_originals(name: str) -> None:
    _, function, arguments = applied(C, CASES[name])
    (first, *ours), (first_there, *theirs) = numbers(C, function, arguments), NUMBERS[name]
    for value, wanted in zip(first, first_there, strict=True):
        np.testing.assert_array_equal(np.float32(value), wanted)  # drawn at random, bit for bit
    if name in DRAWN:
        ours, theirs = (groups[: len(function.outputs)] for groups in (ours, theirs))
    assert [[a.shape for a in group] for group in ours] == [
        [a.shape for a in group] for group in theirs
    ]
    for group, wanted_group in zip(ours, theirs, strict=True):
        for value, wanted in zip(group, wanted_group, strict=True):
            np.testing.assert_allclose(value, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("name", "rate"), [(DRAWN[0], 0.3), (DRAWN[1], 0.25), (DRAWN[2], 0.5)])
def test_gradients_of_dropout_are_those_of_the_original_or_none(name: str, rate: float) -> None:
    """The elements that stay are weighted by 1 / (1 - rate), in the original as here, and the
    others by 0.
    """
    _, function, arguments = applied(C, CASES[name])
    gradients = [
        np.concatenate(groups[2]) for groups in (numbers(C, function, arguments), NUMBERS[name])
    ]
    weights = 1 + np.arange(gradients[0].shape[1]) % 7
    for gradient in gradients:
        kept = gradient / weights * (1 - rate)
        assert np.all(np.isclose(kept, 0) | np.isclose(kept, 1)) and 0 < kept.mean() < 1


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_original_refuses_is_refused_or_works(name: str) -> None:
    if name in BETTER_HERE:
        _, function, arguments = applied(C, CASES[name])
        assert all(np.isfinite(a).all() for group in numbers(C, function, arguments) for a in group)
        return
    with pytest.raises((ValueError, TypeError)):
        numbers(C, *applied(C, CASES[name])[1:])


def test_only_what_the_original_refuses_is_better() -> None:
    assert set(BETTER_HERE) <= set(REFUSED)
