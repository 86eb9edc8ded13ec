"""With `set_dropout_compatibility`, dropout drops what the original drops for the same seed; the
masks were recorded there.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cntk as C


@pytest.fixture(autouse=True)
def compatible() -> Iterator[None]:
    C.cntk_py.set_dropout_compatibility(True)
    yield
    C.cntk_py.set_dropout_compatibility(False)


def kept(value: Any) -> str:
    """Which elements are not zero; sequences apart."""
    parts = value if isinstance(value, list) else [value]
    return " ".join(
        "".join("01"[int(element != 0)] for element in np.ravel(part)) for part in parts
    )


def masks(function: Any, *minibatches: Any) -> list[str]:
    """What training passes keep, one after another."""
    output = function.output
    return [
        kept(
            function.forward(dict.fromkeys(function.arguments, data), [output], {output})[1][output]
        )
        for data in minibatches
    ]


def rows(count: int = 2, width: int = 10, dtype: Any = np.float32) -> np.ndarray:
    return np.ones((count, width), dtype)


def frames(*lengths: int) -> list[np.ndarray]:
    return [np.ones((n, 3), np.float32) for n in lengths]


def vector() -> Any:
    return C.input_variable(10)


def test_passes_one_after_another() -> None:
    function = C.dropout(vector(), 0.3, seed=12)
    assert masks(function, rows(), rows(), rows()) == [
        "01011100101111111101",
        "11110101110111101011",
        "10111111111001110110",
    ]


def test_sequences_of_different_length_and_files(tmp_path: Path) -> None:
    function = C.dropout(C.sequence.input_variable(3), 0.3, seed=5)
    assert masks(function, frames(2, 4, 1), frames(1, 1), frames(3, 5, 2, 2)) == [
        "100011 100001101101 010",
        "010 101",
        "100101111 100111010101011 111111 101100",
    ]
    function.save(tmp_path / "dropout.model")
    loaded = C.load_model(tmp_path / "dropout.model")
    # With the gaps beside shorter sequences.
    assert loaded.root_function.attributes["rngOffset"] == 75
    assert masks(loaded, frames(2, 4)) == masks(function, frames(2, 4)) == ["001110 010101111011"]


def test_in_a_loop() -> None:
    state = C.placeholder(3)
    summed = C.sequence.input_variable(3) + C.sequence.past_value(state)
    function = C.dropout(summed, 0.4, seed=3)
    function.replace_placeholders({state: function.output})
    assert masks(function, frames(2, 4, 1)) == ["101111 010001001000 110"]


def test_training_checkpoints_and_attributes(tmp_path: Path) -> None:
    x = vector()
    function = C.dropout(x * C.parameter(10, init=1), 0.5, seed=12)
    learner = C.sgd(function.parameters, C.learning_parameter_schedule_per_sample(0.0))
    trainer = C.Trainer(function, (C.reduce_sum(function), None), [learner])

    def step() -> str:
        return kept(
            trainer.train_minibatch({x: rows()}, outputs=[function.output])[1][function.output]
        )

    assert [step() for _ in range(3)] == [
        "01011100101101011001",
        "01010100110111001011",
        "10110010111001110110",
    ]
    trainer.save_checkpoint(str(tmp_path / "trained"))
    assert step() == "01111100011100101001"
    trainer.restore_from_checkpoint(str(tmp_path / "trained"))
    assert step() == "01111100011100101001"
    np.testing.assert_array_equal(function.eval({x: rows(1)}), rows(1))
    assert step() == "00110110111111101110"
    function.set_attribute("rngSeed", 12)
    assert step() == "01011100101101011001"
    function.set_attribute("dropoutRate", 0.2)  # goes on in the same random numbers
    assert step() == "11110101111111101011"


@pytest.mark.parametrize(
    ("build", "data", "mask"),
    [
        (
            lambda: C.dropout(C.input_variable((2, 3), np.float64), 0.3, seed=5),
            np.ones((2, 2, 3)),
            "100100011001",
        ),
        (lambda: C.dropout(vector(), 0.3, seed=2**40 + 7), rows(), "10101110000010011100"),
        (
            lambda: C.dropout(C.dropout(vector(), 0.5, seed=12), 0.5, seed=12),
            rows(),
            "01011100101101011001",
        ),
        (
            lambda: C.layers.Sequential([C.layers.Dropout(0.5, seed=12), C.relu])(vector()),
            rows(1),
            "0101110010",
        ),
        (lambda: C.dropout(vector(), 0.0, seed=5), rows(1), "1111111111"),
        (
            lambda: C.layers.Dropout(0.5, seed=12)(
                C.ones_like(C.sequence.first(C.sequence.input_variable(10)))
            ),
            [rows(3)],
            "0101110010",
        ),
    ],
    ids=["double", "a large seed", "twice", "a layer", "rate 0", "of a sequence's first frame"],
)
def test_other_places(build: Any, data: Any, mask: str) -> None:
    assert masks(build(), data) == [mask]


def test_recorded_steps_go_on_in_the_same_numbers() -> None:
    x = vector()
    function = C.dropout(x * C.parameter(10, init=1), 0.5, seed=12)
    learner = C.sgd(function.parameters, C.learning_parameter_schedule_per_sample(0.0))
    trainer = C.Trainer(function, (C.reduce_sum(function), None), [learner])
    numbers = C.dropout(vector(), 0.5, seed=12)
    for _ in range(50):
        found = trainer.train_minibatch({x: rows()}, outputs=[function.output])[1][function.output]
        assert [kept(found)] == masks(numbers, rows())
