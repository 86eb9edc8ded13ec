"""Files of version 2 from before its newest release: what they do without is added, what is newer
is passed over.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cntk as C
from cntk import cntk_py
from cntk._graph.op import PrimitiveOp
from cntk._persist import files
from cntk._persist.protobuf.arrays import NDShape
from cntk._persist.protobuf.dictionary import Size, encode_dictionary
from cntk._persist.v2.load import from_dictionary
from cntk._persist.v2.save import to_dictionary
from cntk.errors import FileFormatError


def normalizations(values: dict[str, Any]) -> list[dict[str, Any]]:
    return [f for f in values["primitive_functions"] if f["op"] == PrimitiveOp.BatchNormalization]


def test_batch_normalization_without_a_count_gets_one_each(tmp_path: Path) -> None:
    x = C.input_variable((2, 3, 4))
    model = C.layers.Sequential(
        [C.layers.BatchNormalization(map_rank=1, name=f"bn{k}") for k in range(2)]
    )(x)
    values = to_dictionary(model)
    for function in normalizations(values):
        function["version"] = Size(3)
        del function["inputs"][5]
        del function["attributes"]["disableRegularization"]
    with pytest.warns(UserWarning, match="from before batch normalization counted samples"):
        loaded = from_dictionary(values)
    data = np.random.default_rng(3).normal(size=(5, 2, 3, 4)).astype(np.float32)
    np.testing.assert_allclose(loaded.eval(data), model.eval(data), rtol=1e-6)

    loaded.save(tmp_path / "again.model")
    again = files.read(tmp_path / "again.model")
    counts = [function["inputs"][5] for function in normalizations(again)]
    assert len(set(counts)) == 2
    leaves = {leaf["uid"]: leaf for leaf in again["inputs"]}
    assert [(leaves[uid]["value"].shape, float(leaves[uid]["value"])) for uid in counts] == [
        ((), 0.0)
    ] * 2


def test_the_first_minibatch_replaces_uncounted_statistics() -> None:
    x = C.input_variable(3)
    values = to_dictionary(C.layers.BatchNormalization()(x))
    (function,) = normalizations(values)
    del function["inputs"][5]
    with pytest.warns(UserWarning, match="counts begin at 0"):
        loaded = from_dictionary(values)
    data = np.random.default_rng(4).normal(2, 1, size=(6, 3)).astype(np.float32)
    loaded.grad(data, wrt=loaded.parameters)
    mean = next(c for c in loaded.constants if "mean" in c.name)
    np.testing.assert_allclose(mean.value, data.mean(0), rtol=1e-5)


def written(values: dict[str, Any], path: Path) -> Path:
    path.write_bytes(b"".join(bytes(part) for part in encode_dictionary(values)._parts))
    return path


def test_dictionaries_hold_shapes_of_any_numbers(tmp_path: Path) -> None:
    odd = (-8159354028840531851, 5, -7761208298200192783)
    path = written({"shape": NDShape(odd), "list": [NDShape((2, 3))]}, tmp_path / "odd.bin")
    loaded = cntk_py.Dictionary.load(path)
    assert loaded["shape"] == odd[::-1] and loaded["list"] == [(3, 2)]
    loaded.save(tmp_path / "again.bin")
    assert cntk_py.Dictionary.load(tmp_path / "again.bin") == loaded


def test_a_value_of_a_newer_kind_is_nothing(tmp_path: Path) -> None:
    path = written({"known": 3, "newer": True}, tmp_path / "newer.bin")
    data = path.read_bytes()
    # A flag; a value of kind 12 in field 15.
    flag, newer = (
        b"\x08\x02\x10\x01\x18\x01",
        b"\x08\x02\x10\x0c\x78\x01",
    )
    assert data.count(flag) == 1
    path.write_bytes(data.replace(flag, newer))
    loaded = cntk_py.Dictionary.load(path)
    assert loaded["known"] == 3 and loaded["newer"] is None


def test_variables_have_no_such_shapes(tmp_path: Path) -> None:
    values = to_dictionary(C.abs(C.input_variable((2, 3))))
    values["inputs"][0]["shape"] = NDShape((-7, 3))
    with pytest.raises(FileFormatError, match="impossible dimension, -7"):
        C.load_model(written(values, tmp_path / "forged.model"))
