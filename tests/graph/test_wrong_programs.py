"""Programs that build what cannot be: errors name the operation, the operands with shapes and axes,
and a way out.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import cntk as C


class Wrong(NamedTuple):
    """A wrong program.

    Attributes:
        build: called with the variables of `operands`.
        words: patterns that the error's text must contain.
        error: what is raised.
    """

    build: Callable[[dict[str, C.Variable]], Any]
    words: tuple[str, ...]
    error: type[Exception] = ValueError


def operands() -> dict[str, C.Variable]:
    return {
        "x": C.input_variable(3, name="x"),
        "four": C.input_variable(4, name="four"),
        "m": C.input_variable((3, 4), name="m"),
        "scalar": C.input_variable((), name="scalar"),
        "image": C.input_variable((2, 6, 6), name="image"),
        "double": C.input_variable(3, np.float64, name="double"),
        "s": C.sequence.input_variable(3, name="s"),
        "q": C.sequence.input_variable(3, sequence_axis=C.Axis("q"), name="q"),
        "w": C.parameter((4, 2), name="w"),
    }


X, FOUR, M = r"'x' is \[3\] on \[batch\]", r"\[4\] on \[batch\]", r"\[3 x 4\] on \[batch\]"
S, Q = r"\[3\] on \[batch, sequence\]", r"\[3\] on \[batch, 'q'\]"
W = r"'w' is \[4 x 2\]"

WRONG: dict[str, Wrong] = {
    "sum of shapes": Wrong(
        lambda v: C.plus(v["x"], v["four"], name="sum"), ("Plus 'sum'", "3, 4", X, FOUR)
    ),
    "difference of shapes": Wrong(
        lambda v: v["x"] - v["four"], ("Minus", "must agree or be 1", X, FOUR)
    ),
    "product of shapes": Wrong(lambda v: v["m"] * v["x"], ("ElementTimes", "3, 4", M, X)),
    "power of shapes": Wrong(lambda v: v["x"] ** v["four"], ("Pow", X, FOUR)),
    "sum of axes": Wrong(
        lambda v: v["s"] + v["q"],
        ("Plus", "different dynamic axes", S, Q, "reconcile_dynamic_axes|broadcast_as"),
    ),
    "quotient of axes": Wrong(
        lambda v: v["s"] / v["q"], ("ElementDivide", "different dynamic axes", "broadcast_as")
    ),
    "comparison of shapes": Wrong(lambda v: v["x"] < v["four"], ("Less", X, FOUR)),
    "formats": Wrong(
        lambda v: C.plus(v["x"], v["double"], name="mix"),
        ("Plus 'mix'", "float32 and float64", "use cntk.cast", X),
    ),
    "matrix product": Wrong(
        lambda v: C.times(v["x"], v["w"], name="hidden"), ("Times 'hidden'", X, W, "must agree")
    ),
    "matrix product by @": Wrong(lambda v: v["x"] @ v["w"], ("Times", X, W)),
    "matrix product of a scalar": Wrong(
        lambda v: C.times(v["scalar"], v["w"]), ("Times", W, "fewer axes|output_rank")
    ),
    "transposed product": Wrong(
        lambda v: C.times_transpose(v["x"], v["w"]), ("TransposeTimes", X, "3 and 2")
    ),
    "reshape": Wrong(
        lambda v: C.reshape(v["x"], (2, 2), name="r"), ("Reshape 'r'", r"\[3\]", r"\[2 x 2\]", X)
    ),
    "reshape with two unknowns": Wrong(
        lambda v: C.reshape(v["m"], (-1, -1)), ("Reshape", "more than one|at most one", M)
    ),
    "slice past the end": Wrong(
        lambda v: C.slice(v["x"], 0, 2, 5, name="part"), ("Slice 'part'", r"\[2, 5\)", X)
    ),
    "slice of no axis": Wrong(
        lambda v: C.slice(v["x"], 3, 0, 1), ("Slice", "axis 3 is out of range", X)
    ),
    "slice without progress": Wrong(
        lambda v: C.slice(v["x"], 0, 0, 1, strides=0), ("Slice", "stride", X)
    ),
    "subscript past the end": Wrong(lambda v: v["x"][5], ("Slice", X)),
    "splice": Wrong(lambda v: C.splice(v["x"], v["m"], axis=0), ("Splice", "3, 4", X, M)),
    "splice along no axis": Wrong(
        lambda v: C.splice(v["x"], v["four"], axis=4), ("Splice", "axis 4 is out of range", X)
    ),
    "splice of formats": Wrong(
        lambda v: C.splice(v["x"], v["double"]), ("Splice", "float32 and float64", "cast")
    ),
    "permutation": Wrong(lambda v: C.transpose(v["m"], (0, 0)), ("transpose", r"\(0, 0\)", "once")),
    "permutation of other axes": Wrong(
        lambda v: C.transpose(v["m"], (0, 1, 2)), ("TransposeAxes", "3 axes", M)
    ),
    "swapped axes": Wrong(
        lambda v: C.swapaxes(v["x"], 0, 3), ("TransposeAxes", "axis 3 is out of range", X)
    ),
    "reduction along no axis": Wrong(
        lambda v: C.reduce_sum(v["m"], axis=2), ("ReduceElements", "axis 2 is out of range", M)
    ),
    "reduction along the sequence": Wrong(
        lambda v: C.reduce_sum(v["s"], axis=C.Axis.default_dynamic_axis()),
        ("reduce_sum", "use sequence.reduce_sum"),
    ),
    "softmax along no axis": Wrong(
        lambda v: C.softmax(v["x"], axis=3), ("Softmax", "axis 3 is out of range")
    ),
    "cross entropy": Wrong(
        lambda v: C.cross_entropy_with_softmax(v["x"], v["four"], name="ce"),
        ("CrossEntropyWithSoftmax", r"output \(3\) and target \(4\)"),
    ),
    "squared error": Wrong(
        lambda v: C.squared_error(v["x"], v["four"]), ("3, 4", r"\[3\] on \[batch\]", FOUR)
    ),
    "classification error": Wrong(
        lambda v: C.classification_error(v["x"], v["four"]), ("ClassificationError", "3", "4")
    ),
    "convolution of a vector": Wrong(
        lambda v: C.convolution(C.parameter((8, 2, 3, 3)), v["x"], name="conv"),
        ("Convolution 'conv'", X),
    ),
    "convolution without room": Wrong(
        lambda v: C.convolution(C.parameter((8, 2, 9, 9)), v["image"], auto_padding=[False]),
        ("Convolution", r"\[2 x 6 x 6\]", "9"),
    ),
    "pooling of a vector": Wrong(
        lambda v: C.pooling(v["x"], C.MAX_POOLING, (2, 2)), ("Pooling", r"\[2 x 2\]", X)
    ),
    "delay of a sample": Wrong(
        lambda v: C.sequence.past_value(v["x"]), ("PastValue", "sequence axis", "input_variable", X)
    ),
    "delay by nothing": Wrong(
        lambda v: C.sequence.past_value(v["s"], time_step=0), ("PastValue", "at least 1", "0")
    ),
    "delay with a larger start": Wrong(
        lambda v: C.sequence.past_value(v["s"], initial_state=v["m"]), ("PastValue", S, M)
    ),
    "first of a sample": Wrong(
        lambda v: C.sequence.first(v["x"]),
        ("Sequence::Slice", "sequence axis", "sequence.input_variable"),
    ),
    "gather along another axis": Wrong(
        lambda v: C.sequence.gather(v["s"], v["q"]), ("Sequence::Gather", S, Q)
    ),
    "selection": Wrong(lambda v: C.element_select(v["x"], v["four"], v["x"]), ("Select", X, FOUR)),
    "clip": Wrong(lambda v: C.clip(v["x"], v["four"], v["x"]), ("Clip", X, FOUR)),
    "dropout rate": Wrong(lambda v: C.dropout(v["x"], 1.5), ("dropout", r"\[0, 1\)", "1.5")),
    "batch normalization": Wrong(
        lambda v: C.batch_normalization(
            v["x"],
            C.parameter(4),
            C.parameter(3),
            C.constant(np.zeros(3)),
            C.constant(np.ones(3)),
            spatial=False,
            running_count=C.constant(0),
        ),
        ("BatchNormalization",),
    ),
    "operand of no kind": Wrong(
        lambda v: C.sigmoid(object()), ("expected a variable", "got object"), TypeError
    ),
    "no operand": Wrong(lambda v: C.plus(v["x"], None), ("plus|Plus", "got NoneType"), TypeError),
    "operand and name mixed up": Wrong(
        lambda v: C.plus(v["x"], "sum"), ("plus", "a string"), TypeError
    ),
    "several outputs as an operand": Wrong(
        lambda v: C.relu(C.combine([v["x"] + 1, v["x"] * 2])),
        ("2 outputs", "take one of"),
        RuntimeError,
    ),
    "squeezed axis": Wrong(lambda v: C.squeeze(v["m"], 0), ("Squeeze", "3 elements", M)),
    "flattened axis": Wrong(lambda v: C.flatten(v["m"], 5), ("Flatten", "axis 5", "2 static axes")),
    "most of too few": Wrong(lambda v: C.top_k(v["x"], 5), ("TopK", "5 elements", "3", X)),
    "padding": Wrong(
        lambda v: C.pad(v["x"], [(1, 1), (2, 2)], 0), ("Pad", "2 pairs", "1 static axes", X)
    ),
    "layer of another width": Wrong(
        lambda v: (lambda d: (d(v["x"]), d(v["four"])))(C.layers.Dense(2, name="d")),
        (r"Times|Dense", r"\[4\]", r"\[3", "inside Dense 'd'"),
    ),
    "model of another width": Wrong(
        lambda v: C.layers.Dense(2, name="d")(v["x"])(v["four"]),
        (
            "call of d: Dense",
            "'x' is declared as",
            "'four'",
            r"Tensor\[4\]; pass a variable of that type",
        ),
        TypeError,
    ),
    "dimension": Wrong(
        lambda v: C.input_variable((3, -5)), (r"\(3, -5\)", "positive", "InferredDimension")
    ),
    "shape": Wrong(lambda v: C.input_variable("x"), ("shape", "tuple of integers", "'x'")),
    "format": Wrong(
        lambda v: C.input_variable(3, dtype=np.int32), ("int32", "use float16, float32 or float64")
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_programs_are_explained(name):
    case, variables = WRONG[name], operands()
    before = {k: (repr(v), v.type_) for k, v in variables.items()}
    with pytest.raises(case.error) as caught:
        case.build(variables)
    text = str(caught.value)
    for words in case.words:
        assert re.search(words, text), f"{words!r} is not in: {text}"
    assert "Traceback" not in text and "torch" not in text
    assert {k: (repr(v), v.type_) for k, v in variables.items()} == before
    assert variables["w"].value.shape == (4, 2)


def test_there_are_many():
    assert len(WRONG) >= 50


def test_an_operation_that_depends_on_itself_without_a_delay():
    p, s = C.placeholder(name="p"), C.sequence.input_variable(3, name="s")
    h = C.plus(s, p, name="h")
    h.replace_placeholder(h)
    with pytest.raises(
        ValueError, match="'h'.*its own output without a past_value or future_value"
    ):
        h.eval({s: [np.ones((2, 3))]})


def test_a_loop_in_both_directions():
    p, s = C.placeholder(name="p"), C.sequence.input_variable(3, name="s")
    h = C.plus(C.sequence.past_value(p), C.sequence.future_value(p, name="ahead"), s, name="h")
    h.replace_placeholder(h)
    with pytest.raises(
        ValueError, match="either forwards or backwards.*past and future values.*ahead"
    ):
        h.eval({s: [np.ones((2, 3))]})


def test_a_placeholder_that_nothing_has_replaced():
    p = C.placeholder(name="p")
    x = C.input_variable(3, name="x")
    with pytest.raises(ValueError, match="'p'.*is a placeholder.*replace_placeholders"):
        (x + p).eval({x: np.ones((1, 3))})


def test_a_function_that_is_not_known_well_enough():
    x = C.input_variable(3, name="x")
    f = x + C.parameter((C.InferredDimension, 3), name="w")
    if f.shape == (-1, 3):
        with pytest.raises(ValueError, match="not known well enough|still to be inferred"):
            f.eval({x: np.ones((1, 3))})
