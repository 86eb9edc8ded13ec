"""What prepares Keras's examples: the files of data in its form, and the examples' cuts."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.keras import data, examples


def test_rows_of_different_lengths_are_read_back(tmp_path: Path) -> None:
    file = tmp_path / "words.npz"
    data.save_numbered(file, {"x": [[1, 2], [], [3]]}, y=np.arange(3))
    with np.load(file, allow_pickle=True) as found:
        assert found["x"].dtype == object and found["x"].tolist() == [[1, 2], [], [3]]
        assert found["y"].tolist() == [0, 1, 2]


def test_the_most_frequent_words_come_first() -> None:
    index = data.ranks([data.words_of("The cat, the dog."), data.words_of("A cat isn't the dog's")])
    assert [*index][:3] == ["the", "cat", "a"] and "isn't" in index
    assert data.numbers([["the", "cow", "cat"]], index) == [[1, 2]]


def test_a_cut_that_does_not_fit_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "examples").mkdir()
    program = tmp_path / "examples" / "mnist_mlp.py"
    monkeypatch.setitem(
        examples.EXAMPLES,
        "mnist_mlp",
        examples.Example({"epochs = 20": "epochs = 2"}, "loss", 0, 0),
    )
    program.write_text(examples.FUTURE + "epochs = 20\n")
    assert "\nepochs = 2\n" in examples.cut("mnist_mlp", tmp_path)
    program.write_text(examples.FUTURE + "epochs = 30\n")
    with pytest.raises(ValueError, match="0 times 'epochs = 20'"):
        examples.cut("mnist_mlp", tmp_path)


def test_every_example_has_been_run_by_the_original() -> None:
    originals = json.loads(examples.ORIGINAL.read_text(encoding="utf-8"))
    assert originals.keys() == examples.EXAMPLES.keys()
    for name, example in examples.EXAMPLES.items():
        assert originals[name]["history"][example.metric][-1] >= example.least, name
