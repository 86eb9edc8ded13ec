"""How variables and functions print, compared with what the original CNTK 2.7 printed for the same
programs.
"""

from __future__ import annotations

import re

import numpy as np
import pytest

import cntk as C


def named() -> tuple[C.Variable, C.Variable, C.Variable]:
    return (
        C.input_variable(3, name="x"),
        C.input_variable(3, name="y"),
        C.sequence.input_variable(4, name="s"),
    )


def without_numbers(text: str) -> str:
    """Text with the running numbers of uids taken out."""
    return re.sub(r"'([A-Za-z]+?)\d+(_Output_\d)?'", r"'\1N\2'", text)


VARIABLES = {
    "Input('InputN', [#], [2 x 3])": lambda: C.input_variable((2, 3)),
    "Input('x', [#], [3])": lambda: C.input_variable(3, name="x"),
    "Input('s', [#, *], [3])": lambda: C.sequence.input_variable(3, name="s"),
    "Input('q', [#, words], [3])": lambda: C.sequence.input_variable(
        3, sequence_axis=C.Axis("words"), name="q"
    ),
    "Input('n', [], [3])": lambda: C.input_variable(3, dynamic_axes=[], name="n"),
    "Input('z', [#], [])": lambda: C.input_variable((), name="z"),
    "Input('f', [#], [*])": lambda: C.input_variable(C.FreeDimension, name="f"),
    "Input('i', [#], [? x 2])": lambda: C.input_variable((C.InferredDimension, 2), name="i"),
    "Input('sp', [#], [3])": lambda: C.input_variable(3, is_sparse=True, name="sp"),
    "Placeholder('p', [???], [???])": lambda: C.placeholder(name="p"),
    "Placeholder('p', [???], [3 x 4])": lambda: C.placeholder((3, 4), name="p"),
    "Parameter('W', [], [2 x 3])": lambda: C.parameter((2, 3), name="W"),
    "Parameter('V', [], [? x 5])": lambda: C.parameter(
        (C.InferredDimension, 5), C.glorot_uniform(), name="V"
    ),
    "Constant('ConstantN', [], [])": lambda: C.constant(1),
    "Constant('c', [], [1 x 2])": lambda: C.constant([[1, 2]], name="c"),
    "Output('PlusN_Output_0', [#], [3])": lambda: (named()[0] + 1).output,
    "Output('add', [#], [3])": lambda: C.plus(*named()[:2], name="add").output,
    "Output('PastValueN_Output_0', [#, *], [4])": lambda: C.sequence.past_value(named()[2]).output,
    "Output('two', [#], [3])": lambda: two()(*named()[:2]).outputs[1],
    "Output('BlockN_Output_0', [#], [3])": lambda: C.element_divide(*named()[:2]).output,
}


@pytest.mark.parametrize("text", VARIABLES)
def test_variables_print_as_the_originals(text):
    variable = VARIABLES[text]()
    assert without_numbers(repr(variable)) == without_numbers(str(variable)) == text


def two() -> C.Function:
    return C.BlockFunction("Two", "two")(lambda a, b: (C.alias(a + b, "s"), C.alias(a * b, "m")))


def swish() -> C.Function:
    return C.BlockFunction("Swish", "act")(lambda v: v * C.sigmoid(v))


def pair() -> C.Function:
    return C.Function(lambda a, b: (a * b, a + b))


# str, and repr where it tells more than the str
FUNCTIONS = [
    ("Plus(x: Tensor[3]) -> Tensor[3]", lambda x, y, s: x + 1),
    ("Plus(x: Tensor[3], y: Tensor[3]) -> Tensor[3]", lambda x, y, s: C.plus(x, y)),
    ("Plus(x: Tensor[3], Tensor[3]) -> Tensor[3]", lambda x, y, s: C.plus(x, C.input_variable(3))),
    ("add: Plus(x: Tensor[3], y: Tensor[3]) -> "
     "Tensor[3]", lambda x, y, s: C.plus(x, y, name="add")),
    ("Composite(x: Tensor[3]) -> Tensor[3]", lambda x, y, s: C.sigmoid(x + 1)),
    ("sig: Composite(x: Tensor[3]) -> Tensor[3]", lambda x, y, s: C.sigmoid(x + 1, name="sig")),
    ("Plus(x: Tensor[3]) -> Tensor[3]", lambda x, y, s: (x + 1).root_function),
    ("add: Plus(x: Tensor[3], y: Tensor[3]) -> "
     "Tensor[3]", lambda x, y, s: C.plus(x, y, name="add").root_function),
    ("Sequence::Slice(s: Sequence[Tensor[4]]) -> Tensor[4]", lambda x, y, s: C.sequence.first(s)),
    ("l: Sequence::Slice(s: Sequence[Tensor[4]]) -> "
     "Tensor[4]", lambda x, y, s: C.sequence.last(s, name="l")),
    ("PastValue(s: Sequence[Tensor[4]]) -> "
     "Sequence[Tensor[4]]", lambda x, y, s: C.sequence.past_value(s)),
    ("ReduceElements(s: Sequence[Tensor[4]]) -> "
     "Sequence[np.float32]", lambda x, y, s: C.reduce_sum(s)),
    ("ReduceElements(x: Tensor[3]) -> np.float32", lambda x, y, s: C.reduce_sum(x)),
    ("Times(x: Tensor[3]) -> Tensor[2]", lambda x, y, s: C.times(x, C.parameter((3, 2)))),
    ("Composite(x: Tensor[3]) -> "
     "Tensor[2]", lambda x, y, s: C.times(x, C.parameter((3, 2))) + C.parameter(2)),
    ("Splice(x: Tensor[3], y: Tensor[3]) -> Tensor[6]", lambda x, y, s: C.splice(x, y)),
    (
        "Composite(x: Tensor[3], y: Tensor[3]) -> Tuple[Tensor[3], Tensor[3]]",
        lambda x, y, s: C.combine([x + 1, y + 2]),
    ),
    (
        "both: Composite(x: Tensor[3], y: Tensor[3]) -> Tuple[Tensor[3], Tensor[3]]",
        lambda x, y, s: C.combine([x + 1, y + 2], name="both"),
    ),
    ("Composite(x: Tensor[3]) -> Tensor[3]", lambda x, y, s: C.combine([x + 1])),
    ("Combine(x: Tensor[3], y: Tensor[3]) -> Tuple[Tensor[3], "
     "Tensor[3]]", lambda x, y, s: C.combine([x, y])),
    ("al: NoOp(x: Tensor[3]) -> Tensor[3]", lambda x, y, s: C.alias(x, name="al")),
    ("al: Composite(x: Tensor[3]) -> Tensor[3]", lambda x, y, s: C.alias(x + 1, name="al")),
    ("Plus(p: Sequence[tensor]) -> Sequence[tensor]", lambda x, y, s: C.placeholder(name="p") + 1),
    ("Plus(Sequence[tensor]) -> Sequence[tensor]", lambda x, y, s: C.placeholder() + 1),
    (
        "Sequence::Slice(p: Sequence[tensor]) -> Sequence[tensor]",
        lambda x, y, s: C.sequence.first(C.placeholder(name="p")),
    ),
    ("act: Swish(v: Sequence[tensor]) -> Sequence[tensor]", lambda x, y, s: swish()),
    ("act: Swish(x: Tensor[3]) -> Tensor[3]", lambda x, y, s: swish()(x)),
    ("act: Swish(x: Tensor[3]) -> Tensor[3]", lambda x, y, s: swish()(x).root_function),
    (
        "two: Two(x: Tensor[3], y: Tensor[3]) -> Tuple[Tensor[3], Tensor[3]]",
        lambda x, y, s: two()(x, y),
    ),
    (
        "Composite(a: Sequence[tensor], b: Sequence[tensor]) -> Tuple[Sequence[tensor], "
        "Sequence[tensor]]",
        lambda x, y, s: pair(),
    ),
    ("Composite(x: Tensor[3]) -> Tuple[Tensor[3], Tensor[3]]", lambda x, y, s: pair()(x, x)),
    ("Softmax(x: Tensor[3]) -> Tensor[3]", lambda x, y, s: C.softmax(x)),
    ("CrossEntropyWithSoftmax(x: Tensor[3]) -> "
     "Tensor[1]", lambda x, y, s: C.cross_entropy_with_softmax(x, x)),
    ("SquaredError(x: Tensor[3]) -> np.float32", lambda x, y, s: C.squared_error(x, x)),
    ("ClassificationError(x: Tensor[3]) -> "
     "Tensor[1]", lambda x, y, s: C.classification_error(x, x)),
    ("ElementDivide(x: Tensor[3]) -> Tensor[3]", lambda x, y, s: C.element_divide(x, x)),
    ("Plus() -> np.float32", lambda x, y, s: C.constant(3) + 1),
    ("Plus() -> ParameterTensor[2]", lambda x, y, s: C.constant([3, 4]) + 1),
    ("Composite(x: Tensor[3]) -> Tensor[3]", lambda x, y, s: x >> swish() >> C.relu),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(FUNCTIONS)))
def test_functions_print_as_the_originals(number):
    text, build = FUNCTIONS[number]
    assert str(build(*named())) == text


TYPED = {
    "ElementTimes(x: Tensor[np.float64,3,2]) -> Tensor[np.float64,3,2]": C.input_variable(
        (3, 2), np.float64, name="x"
    ),
    "ElementTimes(x: Tensor[np.float16,3]) -> Tensor[np.float16,3]": C.input_variable(
        3, np.float16, name="x"
    ),
    "ElementTimes(z: np.float32) -> np.float32": C.input_variable((), name="z"),
    "ElementTimes(z: np.float64) -> np.float64": C.input_variable((), np.float64, name="z"),
    "ElementTimes(n: ParameterTensor[3]) -> ParameterTensor[3]": C.input_variable(
        3, dynamic_axes=[], name="n"
    ),
    "ElementTimes(q: SequenceOver[q][Tensor[3]]) -> "
    "SequenceOver[q][Tensor[3]]": C.sequence.input_variable(3, sequence_axis=C.Axis("q"), name="q"),
    "ElementTimes(Tensor[-3,2]) -> Tensor[-3,2]": C.input_variable((C.FreeDimension, 2)),
    "ElementTimes(Tensor[-1,2]) -> Tensor[-1,2]": C.input_variable((C.InferredDimension, 2)),
    "ElementTimes(q: Tensor[3]) -> Tensor[3]": C.placeholder(
        3, name="q", dynamic_axes=[C.Axis.default_batch_axis()]
    ),
}


@pytest.mark.parametrize("text", TYPED)
def test_types_print_as_the_originals(text):
    assert str(TYPED[text] * 2) == text


def test_sparse_types_print_as_the_originals():
    sparse, sequence = (
        C.input_variable(5, is_sparse=True, name="sp"),
        C.sequence.input_variable(3, is_sparse=True),
    )
    assert str(C.times(sparse, C.parameter((5, 2)))) == "Times(sp: SparseTensor[5]) -> Tensor[2]"
    product = C.times(sequence, C.parameter((3, 2)))
    assert str(product) == "Times(Sequence[SparseTensor[3]]) -> Sequence[Tensor[2]]"


REPRESENTATIONS = [
    (
        "Composite(Plus): Input('x', [#], [3]) -> Output('PlusN_Output_0', [#], [3])",
        lambda x, y, s: x + 1,
    ),
    (
        "Composite(Plus): Input('x', [#], [3]), Input('y', [#], [3]) -> Output('add', [#], [3])",
        lambda x, y, s: C.plus(x, y, name="add"),
    ),
    (
        "Plus: Input('x', [#], [3]), Input('y', [#], [3]) -> Output('add', [#], [3])",
        lambda x, y, s: C.plus(x, y, name="add").root_function,
    ),
    (
        "Composite(StableSigmoid): Input('x', [#], [3]) -> Output('StableSigmoidN_Output_0', [#], "
        "[3])",
        lambda x, y, s: C.sigmoid(x + 1),
    ),
    (
        "Composite(Combine): Input('x', [#], [3]), Input('y', [#], [3]) -> "
        "Output('PlusN_Output_0', [#], [3]), Output('PlusN_Output_0', [#], [3])",
        lambda x, y, s: C.combine([x + 1, y + 2], name="both"),
    ),
    (
        "Composite(Plus): Placeholder('p', [???], [???]) -> Output('PlusN_Output_0', [???], [???])",
        lambda x, y, s: C.placeholder(name="p") + 1,
    ),
    (
        "Swish: Input('x', [#], [3]) -> Output('act', [#], [3])",
        lambda x, y, s: swish()(x).root_function,
    ),
    (
        "Composite(Two): Input('x', [#], [3]), Input('y', [#], [3]) -> Output('two', [#], [3]), "
        "Output('two', [#], [3])",
        lambda x, y, s: two()(x, y),
    ),
    (
        "ReLU: Output('PlusN_Output_0', [#], [3]) -> Output('r', [#], [3])",
        lambda x, y, s: C.relu(x + 1, name="r").root_function,
    ),
]


@pytest.mark.parametrize("number", range(len(REPRESENTATIONS)))
def test_functions_represent_themselves_as_the_originals(number):
    text, build = REPRESENTATIONS[number]
    assert without_numbers(repr(build(*named()))) == text


LAYERS = [
    (
        "d: Dense(x: Sequence[tensor]) -> Sequence[tensor]",
        lambda x, s: C.layers.Dense(5, C.relu, name="d"),
    ),
    ("d: Dense(x: Tensor[3]) -> Tensor[5]", lambda x, s: C.layers.Dense(5, C.relu, name="d")(x)),
    (
        "Embedding(s: Sequence[Tensor[4]]) -> Sequence[Tensor[3]]",
        lambda x, s: C.layers.Embedding(3)(s),
    ),
    (
        "Composite(s: Sequence[Tensor[4]]) -> Sequence[Tensor[3]]",
        lambda x, s: C.layers.Recurrence(C.layers.LSTM(3))(s),
    ),
    (
        "Composite(s: Sequence[Tensor[4]]) -> Tensor[3]",
        lambda x, s: C.layers.Fold(C.layers.RNNStep(3))(s),
    ),
    (
        "out: Composite(x: Tensor[3]) -> Tensor[2]",
        lambda x, s: C.layers.Sequential([C.layers.Dense(4), C.layers.Dense(2, name="out")])(x),
    ),
    (
        "LSTM(dh: Sequence[tensor], dc: Sequence[tensor], x: Sequence[tensor]) -> "
        "Tuple[Sequence[tensor], Sequence[tensor]]",
        lambda x, s: C.layers.LSTM(3),
    ),
    (
        "Convolution(x: Sequence[tensor]) -> Sequence[tensor]",
        lambda x, s: C.layers.Convolution((3, 3), 8),
    ),
    (
        "MaxPooling(x: Sequence[tensor]) -> Sequence[tensor]",
        lambda x, s: C.layers.MaxPooling((2, 2)),
    ),
    (
        "BatchNormalization(x: Sequence[tensor]) -> Sequence[tensor]",
        lambda x, s: C.layers.BatchNormalization(),
    ),
    ("Dropout(x: Sequence[tensor]) -> Sequence[tensor]", lambda x, s: C.layers.Dropout(0.5)),
]


@pytest.mark.parametrize("number", range(len(LAYERS)))
def test_layers_print_as_the_originals(number):
    text, build = LAYERS[number]
    x, _, s = named()
    assert str(build(x, s)) == text


def test_the_type_of_a_function_is_its_outputs():
    x, y, _ = named()
    assert (x + 1).type == "Tensor[3]"
    assert pair()(x, y).type == "Tuple[Tensor[3], Tensor[3]]"
    assert np.all(C.alias(x, "al").shape == (3,))
