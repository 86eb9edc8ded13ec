"""Criteria of sequences and rankings give the original's numbers: values, and gradients where there are any."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.ops.criteria_cases import CASES

ORIGINAL = np.load(Path(__file__).parent / "criteria_of_the_original.npz")
NAMES = list(CASES)
IMPOSSIBLE = 1e10  # larger losses say that some sequence is too short for its labels


def kinds(kind: str) -> list[str]:
    return [name for name in NAMES if name.startswith(kind)]


def test_there_are_many() -> None:
    assert [len(kinds(kind)) for kind in ("connectionist", "edited", "ranked")] == [80, 72, 60]
    losses = ORIGINAL["single"][: len(kinds("connectionist"))]
    assert 20 < np.sum(losses > IMPOSSIBLE) < 40


def test_numbers_in_double_precision() -> None:
    place, numbers = 0, ORIGINAL["numbers"]
    for name, run in CASES.items():
        arrays = run(np.float64)
        impossible = np.abs(arrays[0]) > IMPOSSIBLE
        for array in arrays:
            wanted = numbers[place : place + array.size].reshape(array.shape)
            place += array.size
            # Next to 1e11 a number of 64 bits holds five digits behind the point.
            tolerance = 1e-4 if impossible else 1e-8
            assert np.isfinite(array).all(), name
            known = np.isfinite(wanted)  # an overflow of the original's, in one impossible sequence
            np.testing.assert_allclose(array[known], wanted[known], rtol=1e-8, atol=tolerance, err_msg=name)
    assert place == numbers.size
    assert np.sum(~np.isfinite(numbers)) == 4


@pytest.mark.parametrize("kind", ["connectionist", "edited", "ranked"])
def test_values_in_single_precision(kind: str) -> None:
    for name in kinds(kind):
        value = CASES[name](np.float32)[0]
        assert value.dtype == np.float32
        np.testing.assert_allclose(value, ORIGINAL["single"][NAMES.index(name)], rtol=1e-5, atol=1e-5, err_msg=name)
