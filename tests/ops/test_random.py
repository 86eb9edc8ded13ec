"""Random numbers are the original's for the same seed, and go on, are saved and are trained with as they should."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cntk as C
import cntk.random as random
from tests.ops.random_programs import programs

GOLDEN = np.load(Path(__file__).parent / "random_of_the_original.npz")


def numbered(name: str) -> list[np.ndarray]:
    return [GOLDEN[f"{name} #{k}"] for k in range(sum(key.startswith(f"{name} #") for key in GOLDEN.files))]


def test_all_programs_are_the_originals() -> None:
    names = set()
    for name, results in programs():
        wanted = numbered(name)
        assert len(wanted) == len(results), name
        for one, other in zip(results, wanted, strict=True):
            assert np.shape(one) == other.shape, name
            tolerance = {2: 1e-3, 4: 1e-6, 8: 1e-12}[other.dtype.itemsize]
            np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance, err_msg=name)
        names.add(name)
    assert len(names) > 50
