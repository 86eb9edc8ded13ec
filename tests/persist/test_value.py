"""Values and dictionaries that programs save by themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cntk as C
from cntk.cntk_py import Dictionary, DictionaryValue

VALUES: list[Any] = [
    None,
    True,
    3,
    2.5,
    "text",
    C.Axis(1),
    [1, [2.5, "x"]],
    {"a": 1, "b": [True]},
    np.arange(-4, 4, dtype=np.int8).reshape(2, 4),
    np.arange(-4000, 4000, 999, dtype=np.int16),
    np.ones((2, 3), np.float32),
]


@pytest.mark.parametrize("value", VALUES, ids=str)
def test_value_comes_back(value: Any, tmp_path: Path) -> None:
    path = tmp_path / "value.bin"
    saved = DictionaryValue(value)
    saved.save(path)
    loaded = DictionaryValue.load(path)
    assert loaded == saved
    assert loaded.value_type() == saved.value_type()
    assert loaded.has_value() == (value is not None)
    assert (
        np.array_equal(loaded.wrapped, value)
        if isinstance(value, np.ndarray)
        else loaded.wrapped == value
    )


def test_values_differ() -> None:
    kinds = [
        DictionaryValue(v)
        for v in (*VALUES, 4, 3.0, np.ones((2, 3)), np.ones((3, 2), np.float32), [1], {"a": 2})
    ]
    assert [[a == b for b in kinds] for a in kinds] == [[a is b for b in kinds] for a in kinds]


def test_array_of_small_numbers_is_small(tmp_path: Path) -> None:
    """The size that the original's file of the same array has."""
    path = tmp_path / "value.bin"
    DictionaryValue(np.arange(64, dtype=np.int8).reshape(16, 4)).save(path)
    assert path.stat().st_size == 82


def test_a_function_keeps_a_wrapped_value(tmp_path: Path) -> None:
    function = C.input_variable(2) * C.parameter(2, init=1)
    weights = np.arange(6, dtype=np.int16).reshape(2, 3)
    function.custom_attributes = {"weights": DictionaryValue(weights)}
    function.save(tmp_path / "f.model")
    assert np.array_equal(C.load_model(tmp_path / "f.model").custom_attributes["weights"], weights)


def test_dictionary(tmp_path: Path) -> None:
    config = Dictionary()
    config["flag"] = DictionaryValue(False)
    config["inner"] = {"size": DictionaryValue(3)}
    other = Dictionary()
    other["name"] = "x"
    config.add(other)
    assert config.contains("flag") and not config.contains("none") and config["none"] is None
    assert config.size() == 3
    config.save(tmp_path / "d.bin")
    assert Dictionary.load(tmp_path / "d.bin") == {"flag": False, "inner": {"size": 3}, "name": "x"}


@pytest.mark.parametrize(
    "value",
    [object(), {1: 2}.keys(), 2**40, np.ones(2, np.int64)],
    ids=["object", "keys", "large", "int64"],
)
def test_what_files_cannot_hold(value: Any, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be saved|too large"):
        DictionaryValue(value).save(tmp_path / "value.bin")
    assert not (tmp_path / "value.bin").exists()


def test_names_are_text() -> None:
    with pytest.raises(TypeError, match="names must be strings"):
        Dictionary()[1] = 2  # type: ignore[index]


def test_damaged_value(tmp_path: Path) -> None:
    path = tmp_path / "value.bin"
    DictionaryValue([1, 2, 3]).save(path)
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(ValueError, match="cannot be read"):
        DictionaryValue.load(path)
