"""Agents do, learn, read and write what the original's do: the same to the bit, but for what
networks compute.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.contrib.deeprl import agents

with np.load(Path(__file__).with_name("agents_of_the_original.npz"), allow_pickle=False) as file:
    RECORDED = dict(file)


def compare(case: str, found: dict[str, Any], of_networks: str = "learned_") -> None:
    expected = {name: array for name, array in RECORDED.items() if name.startswith(case + "/")}
    assert [f"{case}/{name}" for name in found] == list(expected)
    for name, value in found.items():
        recorded = expected[f"{case}/{name}"]
        if name.startswith(of_networks):
            np.testing.assert_allclose(value, recorded, rtol=0, atol=1e-5, err_msg=name)
        else:
            np.testing.assert_array_equal(value, recorded, err_msg=name)


@pytest.mark.parametrize("name", agents.AGENTS)
def test_agents_do_and_learn_the_same(name: str, tmp_path: Path) -> None:
    compare(f"agent/{name}", agents.run_agent(name, str(tmp_path)))


@pytest.mark.parametrize("name", agents.PARAMETERS)
def test_files_are_read_and_written_the_same(name: str, tmp_path: Path) -> None:
    compare(f"parameters/{name}", agents.run_parameters(name, str(tmp_path)))


@pytest.mark.parametrize("prioritized", [False, True])
@pytest.mark.parametrize("capacity", [2, 3, 7, 8])
def test_the_same_is_remembered_and_drawn(capacity: int, prioritized: bool) -> None:
    compare(f"memory/{capacity}/{prioritized:d}", agents.run_memory(capacity, prioritized))


def test_boxes_are_cut_the_same() -> None:
    compare("cells", agents.run_cells())


def test_losses_and_networks_compute_the_same() -> None:
    compare("losses", agents.run_losses())


def test_preprocessing_shows_the_same() -> None:
    pytest.importorskip("PIL")
    compare("preprocessing", agents.run_preprocessing())
