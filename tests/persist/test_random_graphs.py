"""Graphs drawn at random, both ways: what the original saved loads here, and what is saved here
loads again.
"""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cntk as C
from tests.persist.random_graphs import data, drawn, evaluate
from tests.persist.record.record_random_graphs import ARCHIVE, SEEDS

with zipfile.ZipFile(ARCHIVE) as _archive:
    MODELS = {seed: _archive.read(f"{seed}.model") for seed in SEEDS}
    RESULTS = dict(np.load(io.BytesIO(_archive.read("results.npz"))))


def check_outputs(seed: int, function: Any) -> None:
    outputs = evaluate(function, data(function))
    for k, output in enumerate(outputs):
        wanted = RESULTS[f"{seed}/output_{k}"]
        assert output.shape == wanted.shape and output.dtype == wanted.dtype
        np.testing.assert_allclose(output, wanted, rtol=1e-5, atol=1e-5)
    assert f"{seed}/output_{len(outputs)}" not in RESULTS


@pytest.mark.parametrize("seed", SEEDS)
def test_originals_model_computes_the_same_here(seed: int) -> None:
    check_outputs(seed, C.load_model(MODELS[seed]))


@pytest.mark.parametrize("seed", SEEDS)
def test_model_saved_here_computes_the_same(seed: int, tmp_path: Path) -> None:
    function, _ = drawn(seed)
    path = Path(os.environ.get("CNTK_MODELS_SAVED_HERE", tmp_path)) / f"{seed}.model"
    # Before it runs: a file also says how many random numbers have been drawn.
    function.save(path)
    check_outputs(seed, function)
    check_outputs(seed, C.load_model(path))


@pytest.mark.parametrize("seed", SEEDS)
def test_loaded_model_saved_again_computes_the_same(seed: int, tmp_path: Path) -> None:
    C.load_model(MODELS[seed]).save(tmp_path / "again.model")
    check_outputs(seed, C.load_model(tmp_path / "again.model"))


def test_every_family_of_operations_is_drawn() -> None:
    names = {name for seed in SEEDS for name in drawn(seed)[1]}
    assert len(names) > 90
    assert {"unpacked", "edits", "ctc", "noise"} <= names
    assert {
        "convolution",
        "recurrence",
        "loop",
        "nested",
        "gathered",
        "pooling",
        "cross_entropy",
        "fold",
    } <= names
