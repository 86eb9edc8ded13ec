"""What is printed gets where it goes, whatever that can hold."""

from __future__ import annotations

import io
from contextlib import redirect_stdout

import numpy as np
import pytest

import cntk as C
from cntk.logging.printing import show

ENCODINGS = ["ascii", "cp1252", "utf-8"]


def printed(encoding, function):
    """What arrives on standard output, as Windows has it when it goes to a file."""
    written = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="\n", write_through=True)
    with redirect_stdout(written):
        function()
    return written.buffer.getvalue().decode(encoding)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_what_cannot_be_held_is_escaped(encoding):
    expected = {
        "ascii": "\\xe4 \\u0432\\u0445\\u043e\\u0434",
        "cp1252": "ä \\u0432\\u0445\\u043e\\u0434",
        "utf-8": "ä вход",
    }
    assert printed(encoding, lambda: show("ä вход")) == expected[encoding] + "\n"


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_training_goes_on(encoding, tmp_path):
    x, y = C.input_variable(2, name="вход"), C.input_variable(1)
    model = C.layers.Dense(1, name="é模")(x)

    def train():
        printer = C.logging.ProgressPrinter(1, tag="Обучение", num_epochs=1)
        trainer = C.Trainer(
            model, C.squared_error(model, y), C.sgd(model.parameters, 0.1), [printer]
        )
        trainer.train_minibatch({x: np.ones((2, 2), np.float32), y: np.ones((2, 1), np.float32)})
        trainer.summarize_training_progress()
        C.debugging.dump_function(model)
        C.logging.ProgressPrinter(1, log_to_file=str(tmp_path / "模"))

    text = printed(encoding, train)
    assert "Redirecting" in text and ("Обучение" in text) == (encoding == "utf-8")
