"""Stepping through a model: where it stops, what it prints, and that it computes the same."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest

import cntk as C
from cntk.debugging import DEBUG_USAGE, debug_model

DATA = np.array([[1, -2]], np.float32)


def stepped(
    model: Any, *commands: str, data: Any = DATA, gradient: bool = False, times: int = 1
) -> list[str]:
    """What is printed, without empty lines; `>` stands for a prompt."""
    out = io.StringIO()
    debugged = debug_model(model, io.StringIO("".join(f"{c}\n" for c in commands)), out)
    for _ in range(times):
        run = debugged.grad if gradient else debugged.eval
        found, expected = (
            run({debugged.arguments[0]: data}),
            (model.grad if gradient else model.eval)(data),
        )
        np.testing.assert_allclose(
            np.concatenate(list(found)), np.concatenate(list(expected)), rtol=1e-6
        )
    text = (
        out.getvalue().replace("[CNTK forward] >>> ", ">\n").replace("[CNTK backward] >>> ", ">\n")
    )
    text = text.replace("=" * 35, "").replace(" with uid", "\n with uid")
    return [
        line.strip()
        for line in text.splitlines()
        if line.strip() and not line.startswith(" with uid")
    ]


def model() -> Any:
    x = C.input_variable(2, name="x", needs_gradient=True)
    return C.plus(
        C.element_times(x, C.parameter(2, init=3, name="w"), name="product"), 1, name="sum"
    )


X, W, ONE = "Input('x', [#], [2])", "Parameter('w', [], [2])", "Constant("
PRODUCT = "product: ElementTimes(x: Tensor[2]) -> Tensor[2]"
SUM = "sum: Plus(product: Tensor[2]) -> Tensor[2]"


def nodes(printed: list[str]) -> list[str]:
    """Which nodes there were, and where it stopped."""
    names = {
        "Input('x": "x",
        "Parameter('w": "w",
        "Constant": "1",
        "product": "product",
        "sum": "sum",
    }
    found = []
    for line in printed:
        if line in ("forward", "backward", ">"):
            found.append(line)
        else:
            found += [name for start, name in names.items() if line.startswith(start)]
    return found


FORWARD = ["x", "w", "product", "1", "sum"]


def stops(printed: list[str]) -> list[str]:
    """The nodes at which it stopped."""
    found = nodes(printed)
    return [node for node, after in zip(found, found[1:], strict=False) if after == ">"]


def test_every_node() -> None:
    printed = nodes(stepped(model(), *"nnnnn"))
    assert printed == ["forward", *(word for node in FORWARD for word in (node, ">"))]


def test_both_passes() -> None:
    printed = nodes(stepped(model(), "c", gradient=True))
    assert printed == [
        "forward",
        "x",
        ">",
        *FORWARD[1:],
        "backward",
        "sum",
        "product",
        *printed[-2:],
    ]
    assert set(printed[-2:]) == {"x", "w"}


@pytest.mark.parametrize(
    ("commands", "expected"),
    [
        (["n", "n 2", "c"], ["x", "w", "1"]),
        (["u product", "c"], ["x", "product"]),
        (["u Plus", "c"], ["x", "sum"]),
        (["u w", "u w", "c"], ["x", "w", "w"]),
        (["u b", "c"], ["x", "sum"]),
        (["u f", "u f", "u b", "c"], ["x", "w", "product", "sum"]),
        ([], ["x"]),
        (["n"], ["x", "w"]),
    ],
)
def test_where_it_stops(commands: list[str], expected: list[str]) -> None:
    assert stops(stepped(model(), *commands, gradient=True)) == expected


def test_the_next_run_goes_on_as_the_last_one() -> None:
    assert stops(stepped(model(), "u b", times=2)) == ["x"]
    assert stops(stepped(model(), "n 6", "n 2", "c", times=2)) == ["x", "w", "1"]


def test_values() -> None:
    printed = stepped(model(), "p", "u product", "p", "u b", "p", "c", gradient=True)
    assert printed[3:5] == ["Input with shape (1, 2):", "[[ 1. -2.]]"]
    assert (
        "[[ 3. -6.]]" in printed
        and "Root gradients with shape (1, 2):" in printed
        and "[[1. 1.]]" in printed
    )


@pytest.mark.parametrize(
    "command",
    ["help", "?", "n x", "n 0", "n -1", "u", "u nobody", "u lambda arg, node: True", "p 1"],
)
def test_what_it_does_not_know(command: str) -> None:
    out = io.StringIO()
    f = debug_model(model(), io.StringIO(f"{command}\n\nc\n"), out)
    f.eval(DATA)
    assert out.getvalue().count(DEBUG_USAGE) == 1 and out.getvalue().count(">>>") == 3


def test_quitting() -> None:
    left: list[int] = []
    debug_model(model(), io.StringIO("q\nc\n"), io.StringIO(), left.append).eval(DATA)
    assert left == [0]
    with pytest.raises(SystemExit):
        debug_model(model(), io.StringIO("q\n"), io.StringIO()).eval(DATA)


def test_pythons_debugger(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[int] = []
    monkeypatch.setattr("sys.breakpointhook", lambda: opened.append(1))
    assert stops(stepped(model(), "d", "c")) == ["x", ">"] and opened == [1]


def test_sequences_and_recurrences() -> None:
    x = C.sequence.input_variable(2, name="x", needs_gradient=True)
    data = [np.ones((3, 2), np.float32), np.ones((1, 2), np.float32)]
    f = C.layers.Recurrence(C.layers.LSTM(2, name="cell"))(x)
    printed = stepped(f, "n", "p", "c", data=data, gradient=True)
    assert sum(line.startswith("cell: LSTM") for line in printed) >= 6
    assert any(line.startswith("Input, sequences with shapes (1, 2), (1, 2)") for line in printed)


def test_what_operations_write_to_stays_theirs() -> None:
    x = C.input_variable(2, name="x", needs_gradient=True)
    f = C.layers.BatchNormalization()(x) * 2
    debugged = debug_model(f, io.StringIO("c\n"), io.StringIO())
    trainer = C.Trainer(debugged, (C.reduce_sum(debugged), None), [C.sgd(debugged.parameters, 0.1)])
    trainer.train_minibatch({x: np.array([[1, 2], [3, 5]], np.float32)})
    mean = next(v for v in f.constants if v.name == "aggregate_mean")
    assert mean.value == pytest.approx([2, 3.5])


def test_wrong_models() -> None:
    x = C.input_variable(2)
    with pytest.raises(TypeError, match="expected a function with one output"):
        debug_model(C.combine([x + 1, x + 2]))
    with pytest.raises(TypeError, match="expected a function with one output"):
        debug_model(x)
