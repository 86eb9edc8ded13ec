"""Errors about steps, layers in layers, types of arguments and dynamic axes: what came, and what to
do instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import cntk as C
from cntk.layers import (
    GRU,
    LSTM,
    Delay,
    Dense,
    Fold,
    For,
    PastValueWindow,
    Recurrence,
    RecurrenceFrom,
    ResNetBlock,
    Sequential,
    SequentialClique,
    UnfoldFrom,
)
from cntk.layers.models import AttentionModel
from cntk.layers.typing import Sequence, SequenceOver, Signature, SparseTensor, Tensor
from tests.layers.misuse import FOUR, NUMBER, Misuse, S, W, X, check


def typed(*types: Any) -> C.Function:
    return C.Function(Signature(*types)(lambda x: C.abs(x)))


STEPS = {
    "no step": Misuse(
        lambda: Recurrence(3), TypeError, ("Recurrence: expected a step", "LSTM", "got 3")
    ),
    "no state": Misuse(
        lambda: Recurrence(Dense(3)),
        TypeError,
        ("Recurrence: the step takes 0 states", "new value for each"),
    ),
    "a state too many": Misuse(
        lambda: Fold(lambda h, x: (h, x)),
        TypeError,
        ("Fold: the step takes 1 states", "returns 2 values", "for each state"),
    ),
    "too many states": Misuse(
        lambda: RecurrenceFrom(
            lambda a, b, c, d, e, f, g, h, i, j, k, x: (a + x, b, c, d, e, f, g, h, i, j, k)
        ),
        ValueError,
        ("RecurrenceFrom: at most 10", "has 11", "cntk.splice"),
    ),
    "an unused state": Misuse(
        lambda: Recurrence(lambda h, x: x * 1),
        TypeError,
        ("unused arguments", r"\(h\)", "take part"),
    ),
    "parameters in a step": Misuse(
        lambda: Recurrence(lambda h, x: h * C.parameter(3) + x),
        TypeError,
        ("inside Recurrence", "make layers and parameters"),
    ),
    "inputs in a step": Misuse(
        lambda: Fold(lambda h, x: h * X + x),
        TypeError,
        ("Fold: the Python step", "'vector'", "pass such values in", "@Function"),
    ),
    "initial states": Misuse(
        lambda: Recurrence(LSTM(3), initial_state=(1, 2, 3)),
        ValueError,
        ("Recurrence: 3 initial states", "has 2", "single one"),
    ),
    "initial state": Misuse(
        lambda: Fold(GRU(3), initial_state="zero"),
        TypeError,
        ("Fold: initial_state", "number, an array or a variable", "'zero'"),
    ),
    "initial state of a delay": Misuse(
        lambda: Delay(1, initial_state="zero")(S),
        TypeError,
        ("Delay: initial_state", "number", "'zero'"),
    ),
    "initial state of another shape": Misuse(
        lambda: RecurrenceFrom(GRU(3))(FOUR, S),
        ValueError,
        ("PastValue", "3, 4", "'four'", "GRU", "cntk.reshape"),
    ),
    "more arguments than a step whose initial state is an input has": Misuse(
        lambda: RecurrenceFrom(GRU(3))(Recurrence(GRU(3), initial_state=X), S, S),
        TypeError,
        ("expected 2 arguments, got 3", "its arguments are"),
    ),
    "no initial state": Misuse(
        lambda: RecurrenceFrom(LSTM(3))(X, S),
        TypeError,
        ("expected 3 arguments, got 2", "its arguments are: h, c, x"),
    ),
    "no sequence": Misuse(
        lambda: Recurrence(GRU(3))(X),
        ValueError,
        ("needs an operand with a sequence axis", "sequence.input_variable", "GRU"),
    ),
    "delay of no sequence": Misuse(
        lambda: Delay(1)(X),
        ValueError,
        ("'vector'", "sequence axis", "sequence.input_variable", "inside Delay"),
    ),
    "window of no sequence": Misuse(
        lambda: PastValueWindow(2, -2)(X),
        ValueError,
        ("sequence axis", "sequence.input_variable", "inside PastValueWindow"),
    ),
    "no generator": Misuse(
        lambda: UnfoldFrom(3),
        TypeError,
        ("UnfoldFrom: expected a generator", "previous state", "got 3"),
    ),
    "no predicate": Misuse(
        lambda: UnfoldFrom(C.tanh, until_predicate=3),
        TypeError,
        ("UnfoldFrom: until_predicate", "function of a frame", "3"),
    ),
    "length_increase": Misuse(
        lambda: UnfoldFrom(C.tanh, length_increase=-1),
        ValueError,
        ("UnfoldFrom: length_increase", "above 0", "-1"),
    ),
    "a generator of three": Misuse(
        lambda: UnfoldFrom(lambda h: (h, h, h)),
        TypeError,
        ("UnfoldFrom: the generator must return", "3 values"),
    ),
    "a generator of nothing": Misuse(
        lambda: UnfoldFrom(lambda h: None),
        TypeError,
        ("UnfoldFrom: the generator must return", "new state", "None"),
    ),
    "no lengths": Misuse(
        lambda: UnfoldFrom(C.tanh)(X, X),
        ValueError,
        ("'unfold_prev_state'", "sequence axis", "'vector'", "sequence.input"),
    ),
    "no layer in a sequence": Misuse(
        lambda: Sequential([Dense(3), 3]),
        TypeError,
        ("Sequential: expected functions", "cntk.relu", "got 3"),
    ),
    "no layer in a branch": Misuse(
        lambda: Sequential([(Dense(3), None)]),
        TypeError,
        ("Sequential: expected functions", "Dense", "got None"),
    ),
    "a layer of two": Misuse(
        lambda: Sequential([C.plus])(X),
        TypeError,
        ("Sequential: plus is given 1 arguments", "a tuple of layers"),
    ),
    "a layer of one": Misuse(
        lambda: Sequential([(C.tanh, C.relu), Dense(3)])(X),
        TypeError,
        ("Sequential: Dense", "given 2 arguments", "cntk.plus"),
    ),
    "a layer that is not made": Misuse(
        lambda: Sequential([Dense]), TypeError, ("Dense: shape", r"Dense\(10\)\(x\)")
    ),
    "no range": Misuse(
        lambda: For(3, lambda: Dense(3)), TypeError, ("For: what_range", r"range\(3\)", "got 3")
    ),
    "a layer for all": Misuse(
        lambda: For(range(2), Dense(3)), ValueError, ("For: constructor", r"lambda: Dense\(5\)")
    ),
    "a constructor of two": Misuse(
        lambda: For(range(2), lambda i, j: Dense(i)),
        TypeError,
        ("For: constructor <lambda>", "an item of the range, or nothing"),
    ),
    "a constructor of nothing": Misuse(
        lambda: For(range(2), lambda: None),
        TypeError,
        ("For: constructor <lambda>", "must return a layer", "None"),
    ),
    "a clique of nothing": Misuse(
        lambda: SequentialClique([]),
        TypeError,
        ("SequentialClique: expected functions of one argument", "none"),
    ),
    "a clique of one, bare": Misuse(
        lambda: SequentialClique(Dense(3)),
        TypeError,
        ("SequentialClique: expected a list", "Dense", "in brackets"),
    ),
    "a clique of other shapes": Misuse(
        lambda: SequentialClique([Dense(2)] * 2)(X),
        ValueError,
        ("Plus", "3, 2|2, 3", "'vector'", "Dense", "cntk.reshape"),
    ),
    "a shortcut around nothing": Misuse(
        lambda: ResNetBlock(3), TypeError, ("ResNetBlock: expected functions", "got 3")
    ),
    "a shortcut to another shape": Misuse(
        lambda: ResNetBlock(Dense(2))(X),
        ValueError,
        ("Plus", "2, 3", "'vector'", "Dense", "cntk.reshape"),
    ),
}

TYPES = {
    "shape": Misuse(
        lambda: typed(Tensor[3])(FOUR),
        TypeError,
        (r"'x' is declared as Tensor\[3\]", "'four'", r"Tensor\[4\]", "leave the type"),
    ),
    "rank": Misuse(
        lambda: typed(Tensor[3])(NUMBER),
        TypeError,
        (r"declared as Tensor\[3\]", "'number'", "np.float32"),
    ),
    "sequence": Misuse(
        lambda: typed(Tensor[3])(S),
        TypeError,
        (r"as Tensor\[3\]", "'first'", r"Sequence\[Tensor\[3\]\]", "pass a variable"),
    ),
    "no sequence": Misuse(
        lambda: typed(Sequence[Tensor[3]])(X),
        TypeError,
        (r"as Sequence\[Tensor\[3\]\]", "'vector'"),
    ),
    "other sequences": Misuse(
        lambda: typed(Sequence[Tensor[3]])(W),
        TypeError,
        (r"Sequence\[Tensor\[3\]\]", "'second'", r"SequenceOver\[words\]"),
    ),
    "sparse": Misuse(
        lambda: typed(SparseTensor[3])(X),
        TypeError,
        (r"declared as SparseTensor\[3\]", "'vector'", r"is Tensor\[3\]"),
    ),
    "format": Misuse(
        lambda: typed(Tensor[3])(C.input_variable(3, np.float64, name="double")),
        TypeError,
        ("'double'", r"np.float64,3"),
    ),
    "types twice": Misuse(
        lambda: typed(Tensor[3]).update_signature(4),
        TypeError,
        ("update_signature", "already", r"Tensor\[4\]", "placeholder"),
    ),
    "no type": Misuse(
        lambda: Dense(3).update_signature("a"),
        TypeError,
        ("update_signature", "'x'", r"Tensor\[3, 4\]", "'a'"),
    ),
    "types for others": Misuse(
        lambda: Dense(3).update_signature(y=3),
        TypeError,
        ("no argument named 'y'", "its arguments are: x"),
    ),
    "signature": Misuse(
        lambda: Signature(Tensor[3], Tensor[2])(lambda v: v),
        TypeError,
        ("Signature of <lambda>", "2 types", "parameters v"),
    ),
    "signature by name": Misuse(
        lambda: Signature(w=Tensor[2])(lambda v: v),
        TypeError,
        ("Signature of <lambda>", "parameters v"),
    ),
    "with_signature": Misuse(
        lambda: C.Function.with_signature(Tensor[3])(lambda u, v: u + v),
        TypeError,
        ("with_signature", "1 parameters", "u, v"),
    ),
    "sequences of sequences": Misuse(
        lambda: Sequence[Sequence[Tensor[3]]], TypeError, ("sequences over sequences",)
    ),
    "sequence of numbers": Misuse(
        lambda: Sequence[3], TypeError, (r"Sequence\[...\]", r"such as Tensor\[3\]", "got 3")
    ),
    "axis": Misuse(
        lambda: SequenceOver["words"],
        TypeError,
        (r"SequenceOver\[...\]", "expected an Axis", "'words'"),
    ),
    "dimension": Misuse(lambda: Tensor[1.5], ValueError, ("integer or a tuple of integers", "1.5")),
    "what a function returns": Misuse(
        lambda: C.Function(lambda v: 3),
        TypeError,
        ("@Function <lambda>", "graph node or a tuple", "int"),
    ),
    "what a block leaves out": Misuse(
        lambda: C.BlockFunction("Op", "")(lambda u, v: C.abs(u) * C.placeholder(name="w") * v),
        ValueError,
        ("as_block 'Op'", "leaves out", "'w'", "map every argument"),
    ),
    "a block over inputs": Misuse(
        lambda: C.as_block(X * 2, [(X, FOUR)], "Op"),
        ValueError,
        ("as_block 'Op'", "'vector'", "no placeholder"),
    ),
    "loop over a function": Misuse(lambda: list(Dense(3)), TypeError, ("not iterable",)),
}

AXES = {
    "sum": lambda: S + W,
    "layers": lambda: Dense(3)(S) * Dense(3)(W),
    "product": lambda: C.times(S, C.reshape(W, (3, 1))),
    "splice": lambda: C.splice(S, W),
    "loss": lambda: C.cross_entropy_with_softmax(S, W),
    "maximum": lambda: C.element_max(S, W),
    "choice": lambda: C.element_select(S, W, S),
    "recurrence": lambda: Recurrence(GRU(3))(S) + W,
    "step": lambda: Recurrence(lambda h, x: h + x)(S) - W,
    "shortcut": lambda: ResNetBlock(Delay(1))(S) + W,
    "selected frames": lambda: C.sequence.slice(S, 1, 3) + S,
}


@pytest.mark.parametrize("name", STEPS)
def test_steps_and_layers_in_layers_are_explained(name: str) -> None:
    check(STEPS[name])


@pytest.mark.parametrize("name", TYPES)
def test_types_are_explained(name: str) -> None:
    check(TYPES[name])


@pytest.mark.parametrize("name", AXES)
def test_sequences_of_different_axes_do_not_meet_by_accident(name: str) -> None:
    with pytest.raises(ValueError) as caught:
        AXES[name]()
    text = str(caught.value)
    other = r"fixedSliceOf" if name == "selected frames" else r"\[batch, 'words'\]"
    assert re.search(other, text) and "[batch, sequence]" in text
    assert "cntk.reconcile_dynamic_axes" in text and "cntk.sequence.broadcast_as" in text


def test_axes_that_differ_are_reconciled_as_the_error_says() -> None:
    total = C.sequence.broadcast_as(C.sequence.last(W), S) + S
    together = C.reconcile_dynamic_axes(W, S) + S
    first, second = ([np.full((n, 3), v, np.float32) for n in (2, 1)] for v in (1, 5))
    for function in (total, together):
        values = function.eval({S: first, W: second})
        assert [v.shape for v in values] == [(2, 3), (1, 3)] and all((v == 6).all() for v in values)


@pytest.mark.parametrize(
    ("call", "kinds", "reason"),
    [
        (
            lambda: AttentionModel(LSTM(4), 10, -3),
            (KeyError, TypeError),
            r"attention_dim: expected an integer, got Comp",
        ),
        (
            lambda: C.cross_entropy_with_softmax(Fold(LSTM(3))(S), S),
            (RuntimeError,),
            "different dynamic axes",
        ),
        (
            lambda: Recurrence(LSTM(4))(Fold(LSTM(3))(S)),
            (RuntimeError,),
            "an operand with a sequence axis",
        ),
        (lambda: AttentionModel(4, 10, 1)(S, W), (ValueError,), "static axis 1 is out of range"),
        (
            lambda: AttentionModel(4)(C.input_variable(3), S),
            (ValueError,),
            "an operand with a sequence axis",
        ),
        (lambda: AttentionModel(4, 10), (ValueError,), "attention_axis cannot be None"),
        (
            lambda: Recurrence(LSTM(4), initial_state=(1, 2, 3))(S),
            (TypeError, ValueError),
            "3 initial states were given",
        ),
        (
            lambda: C.sequence.past_value(C.input_variable(3)),
            (RuntimeError,),
            "an operand with a sequence axis",
        ),
        (
            lambda: C.sequence.past_value(S, C.constant([1.0, 2.0])),
            (RuntimeError,),
            "must agree or be 1",
        ),
    ],
)
def test_exceptions_are_of_the_originals_class(
    call: Callable[[], Any], kinds: tuple[type[Exception], ...], reason: str
) -> None:
    for kind in kinds:
        with pytest.raises(kind) as caught:
            call()
        assert re.search(reason, str(caught.value)) and not str(caught.value).startswith(('"', "'"))
