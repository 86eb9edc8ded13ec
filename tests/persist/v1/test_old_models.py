"""Files that people have from earlier versions of CNTK: they load, compute what they do there, and
are saved again.

The data are read from the folder that the environment variable CNTK_TEST_DATA names.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cntk as C
from cntk import cntk_py
from cntk._persist import files
from cntk._persist.learner_state import learner_from_file
from cntk.debugging import save_as_legacy_model
from cntk.errors import FileFormatError
from tests.persist.v1.old_models import NAMES, found, outputs

DATA = os.environ.get("CNTK_TEST_DATA", "")
RECORDED = json.loads((Path(__file__).parent.parent / "golden" / "old_models.json").read_text())

pytestmark = [
    pytest.mark.skipif(not DATA, reason="CNTK_TEST_DATA names no folder of real data"),
    pytest.mark.filterwarnings("ignore:the model is from before"),
]


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return found(DATA, str(tmp_path_factory.mktemp("models")))  # type: ignore[no-any-return]


def check(function: Any, name: str) -> None:
    computed, wanted = outputs(function), RECORDED[name]
    assert list(computed) == list(wanted)
    for key, output in computed.items():
        assert output["shape"] == wanted[key]["shape"]
        np.testing.assert_allclose(
            output["numbers"], wanted[key]["numbers"], rtol=1e-3, atol=1e-4, err_msg=key
        )


@pytest.mark.parametrize("name", NAMES)
def test_models(name: str, paths: dict[str, str], tmp_path: Path) -> None:
    if name not in paths:
        pytest.skip(f"{name} is not there")
    function = C.load_model(paths[name])
    check(function, name)
    folder = Path(os.environ.get("CNTK_MODELS_SAVED_HERE", tmp_path))
    function.save(folder / f"{name}.v2")
    check(C.load_model(folder / f"{name}.v2"), name)
    try:
        save_as_legacy_model(function, folder / f"{name}.v1")
    except FileFormatError as error:
        assert "version 1" in str(error)  # noqa: PT017
    else:
        assert set(outputs(C.load_model(folder / f"{name}.v1"))) == set(RECORDED[name])


@pytest.mark.parametrize("name", ["past", "v2.0.beta1.0", "future"])
def test_dictionaries(name: str, paths: dict[str, str], tmp_path: Path) -> None:
    loaded = cntk_py.Dictionary.load(paths[f"{name}.dictionary.proto.bin"])
    # What the original reads, but for the axes, which it gives without a class.
    assert (loaded["SizeT"], loaded["Int"], loaded["String"]) == (49308572, -9843, "String")
    assert loaded["NDShape"] == (19, 39467, 56516, 54)
    assert loaded["Dictionary"]["key2"] == 13980328397181907123
    assert ("Zombi" in loaded) == (name == "future") and loaded["Zombi"] is None
    loaded.save(tmp_path / "again.bin")
    again = cntk_py.Dictionary.load(tmp_path / "again.bin")
    assert {key for key in loaded if loaded[key] is not None} == set(again)


def test_a_learner_goes_on(paths: dict[str, str]) -> None:
    state = files.read(paths["learner.checkpoint.backcompat.bin"])
    gathered = {key: value for key, value in state.items() if isinstance(value, np.ndarray)}
    parameters = [C.parameter(value.shape, init=0) for value in gathered.values()]
    learner = C.momentum_sgd(
        parameters, C.learning_parameter_schedule(0.5), C.momentum_schedule(0.9)
    )
    restored, _ = learner_from_file(state, learner, list(gathered))
    learner.load_state_dict(restored)
    assert learner.learning_rate() == 0.005 and restored["minibatches"] == 10
    for value, velocity in zip(
        gathered.values(), learner.state_dict()["slots"]["velocity"], strict=True
    ):
        np.testing.assert_array_equal(velocity.numpy(), value)
