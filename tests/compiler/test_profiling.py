"""How long operations take: what is counted, forward and backward, and how it is told."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pytest

import cntk as C
from cntk.debugging import set_node_timing

LINE = r"(\w+) +forward avg ([\d.]+)s, backward avg ([\d.]+)s \(fwd# (\d+)\|bwd# (\d+)\)"
X = np.ones((50, 100), np.float32)


@pytest.fixture(autouse=True)
def _timed() -> Iterator[None]:
    set_node_timing(True)
    yield
    set_node_timing(False)


def told(
    function: C.Function, capsys: pytest.CaptureFixture[str]
) -> dict[str, tuple[float, float, int, int]]:
    function.print_node_timing()
    lines = capsys.readouterr().err.splitlines()
    found = [re.fullmatch(LINE, line) for line in lines]
    assert all(found) and lines == sorted(lines)
    numbers = (m.groups() for m in found if m)
    return {uid: (float(f), float(b), int(n), int(m)) for uid, f, b, n, m in numbers}


def model() -> tuple[C.Variable, C.Function]:
    x = C.input_variable(100)
    return x, C.layers.Dense(60, activation=C.tanh)(x)


def kinds(found: dict[str, tuple[float, float, int, int]], column: int) -> dict[str, int]:
    return {re.sub(r"\d+$", "", uid): int(numbers[column]) for uid, numbers in found.items()}


def test_evaluations_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    x, f = model()
    f.print_node_timing()
    assert not capsys.readouterr().err, "nothing has run yet"
    f.eval({x: X})
    f.eval({x: X})
    found = told(f, capsys)
    assert (
        "Tanh" in kinds(found, 2)
        and set(kinds(found, 2).values()) == {2}
        and set(kinds(found, 3).values()) == {0}
    )
    assert sum(numbers[0] for numbers in found.values()) > 0
    again = told(f, capsys)
    assert again.keys() == found.keys() and set(again.values()) == {(0.0, 0.0, 0, 0)}


def test_gradients_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    x, f = model()
    label = C.input_variable(60)
    loss = C.squared_error(f, label)
    trainer = C.Trainer(f, loss, [C.sgd(f.parameters, 0.1)])
    for _ in range(60):  # more than it takes until steps are recorded
        trainer.train_minibatch({x: X, label: np.zeros((50, 60), np.float32)})
    found = told(loss, capsys)
    assert set(kinds(found, 2).values()) == {60}
    assert kinds(found, 3)["Tanh"] == 60 and all(
        numbers[3] in (0, 60) for numbers in found.values()
    )
    assert sum(numbers[1] for numbers in found.values()) > 0


def test_recurrences_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    words = C.sequence.input_variable(3)
    f = C.layers.Recurrence(C.layers.RNNStep(4, activation=C.exp))(words)
    f.eval({words: [np.ones((5, 3), np.float32), np.ones((2, 3), np.float32)]})
    assert told(f, capsys)


def test_nothing_is_timed_unless_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    C.cntk_py.disable_node_timeing()
    x, f = model()
    f.eval({x: X})
    assert not told(f, capsys)
    C.cntk_py.enable_node_timing()
    f.eval({x: X})
    assert told(f, capsys)


def test_results_are_the_same() -> None:
    x, f = model()
    timed = f.grad({x: X}, f.parameters), f.eval({x: X})
    set_node_timing(False)
    plain = f.grad({x: X}, f.parameters), f.eval({x: X})
    np.testing.assert_array_equal(timed[1], plain[1])
    for parameter in f.parameters:
        np.testing.assert_array_equal(timed[0][parameter], plain[0][parameter])
