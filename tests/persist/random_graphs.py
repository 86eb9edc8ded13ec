"""Graphs drawn at random from all families of operations, layers and loops: the same for a seed
here and in the original.

The code runs under Python 3.6, the original's, as well. A graph grows from one input by steps, each
of which fits the value so far by its kind: a vector or an image of one sample, or a sequence of
vectors.
"""

from collections import OrderedDict

import numpy as np

import cntk as C
from tests.persist.programs import data, evaluate, initialized

__all__ = ["data", "drawn", "evaluate"]

WIDTHS = (2, 3, 4, 5, 6)


class Draw:
    """Random choices of one graph."""

    def __init__(self, seed):
        self.random = np.random.RandomState(seed)
        self.inputs = 0

    def of(self, choices):
        return choices[self.random.randint(len(choices))]

    def flag(self):
        return bool(self.random.randint(2))

    def weights(self, *shape):
        return C.parameter(shape, init=self.random.uniform(-1, 1, shape).astype(np.float32))

    def numbers(self, *shape):
        return C.constant(self.random.uniform(0.5, 1.5, shape).astype(np.float32))

    def like(self, x):
        """Another operand for x: an input on the same axes, a parameter, a constant, or x by
        another way.
        """
        kind = self.random.randint(4)
        if kind == 0:
            self.inputs += 1
            name = f"other{self.inputs}"
            make = C.sequence.input_variable if is_sequence(x) else C.input_variable
            return make(x.shape, name=name)
        if kind == 1:
            return self.weights(*x.shape)
        return self.numbers(*x.shape) if kind == 2 else C.tanh(x)


def is_sequence(x):
    return len(x.dynamic_axes) == 2


def looped(draw, x, delay):
    """A recurrence written by hand."""
    size = x.shape[0]
    feedback = C.placeholder()
    state = C.tanh(x + C.times(delay(feedback), draw.weights(size, size)), name="state")
    state.replace_placeholders({feedback: state})
    return state


def swish(draw, x):
    @C.BlockFunction("Swish", "swish")
    def block(a):
        return a * C.sigmoid(a)

    return block(x)


def nested(draw, x):
    dense = C.layers.Dense(3, name="inner")

    @C.BlockFunction("Outer", "outer")
    def block(a):
        return dense(swish(draw, a)) * 2

    return block(x)


def normalization(draw, x):
    return C.layers.BatchNormalization(map_rank=1)(x)


def selected(draw, x):
    return C.element_select(C.greater(x, draw.like(x)), x, draw.like(x))


def gathered(draw, s):
    condition = C.greater_equal(C.sequence.is_first(s) + C.sequence.is_last(s), 1)
    found = C.sequence.gather(s, condition)
    return (
        C.sequence.scatter(found, condition)
        if draw.flag()
        else s - C.sequence.broadcast_as(C.sequence.last(found), s)
    )


def recurrence(draw, s):
    size = draw.of(WIDTHS)
    cell = draw.of([C.layers.LSTM, C.layers.GRU, C.layers.RNNStep])
    return C.layers.Recurrence(cell(size), go_backwards=draw.flag())(s)


def windowed(draw, x):
    window, strides = draw.of([(2, 2), (3, 2)]), draw.of([(1, 1), (2, 1)])
    pads = [draw.flag(), draw.flag()]
    kind = draw.of([C.MAX_POOLING, C.AVG_POOLING])
    return C.pooling(
        x, kind, window, strides, pads, include_pad=draw.flag() and kind == C.AVG_POOLING
    )


def sliced(draw, x):
    axis = draw.random.randint(len(x.shape))
    size = x.shape[axis]
    return C.slice(x, int(axis), 0, max(1, size - 1)) if size > 1 else x * 3


def of_one(function):
    return lambda draw, x: function(x)


def of_two(function):
    return lambda draw, x: function(x, draw.like(x))


UNARY = (
    C.abs, C.exp, C.sigmoid, C.tanh, C.relu, C.sin, C.cos, C.tan, C.atan, C.sinh, C.cosh, C.asinh, C.floor, C.ceil,
    C.round, C.negate, C.reciprocal, C.sqrt, C.square, C.softplus, C.softsign, C.elu, C.selu, C.leaky_relu, C.hardmax,
    C.stop_gradient, C.alias, C.element_not, C.zeros_like, C.ones_like,
)  # fmt: skip
BINARY = (
    C.plus, C.minus, C.element_times, C.element_divide, C.log_add_exp, C.element_max, C.element_min, C.equal,
    C.not_equal, C.less, C.less_equal, C.greater, C.greater_equal, C.element_and, C.element_or, C.element_xor,
)  # fmt: skip
# What fits any value, by element.
BY_ELEMENT = OrderedDict(
    [(f.__name__, of_one(f)) for f in UNARY] + [(f.__name__, of_two(f)) for f in BINARY] + [
        ("log", lambda draw, x: C.log(C.abs(x) + 1)),
        ("hard_sigmoid", lambda draw, x: C.hard_sigmoid(x, 0.3, 0.4)),
        ("clip", lambda draw, x: C.clip(x, -0.5, 1.5)),
        ("pow", lambda draw, x: C.pow(C.abs(x) + 1, draw.numbers(*x.shape))),
        ("param_relu", lambda draw, x: C.param_relu(draw.numbers(*x.shape), x)),
        ("select", selected),
        ("scaled", lambda draw, x: 2 * x - 1),
        ("dropout", lambda draw, x: C.dropout(x, 0.3, seed=5)),
        ("block", swish),
        ("named", lambda draw, x: C.plus(x, 1, name="named")),
        ("noise", lambda draw, x: x + C.random.uniform_like(x, -0.5, 0.5, seed=7)),
        ("cast", lambda draw, x: C.cast(C.cast(x, np.float64) * 1, np.float32)),
        ("straight_through", lambda draw, x: C.straight_through_impl(x) * 0.5),
        ("asin", lambda draw, x: C.asin(C.tanh(x)) + C.acos(C.tanh(x)) + C.atanh(0.5 * C.sin(x))),
        ("mean", lambda draw, x: C.mean(x, draw.like(x), x)),
        ("sum", lambda draw, x: C.sum(x, draw.like(x), x)),
        ("reconciled", lambda draw, x: C.reconcile_dynamic_axes(x, C.cos(x))),
    ]
)  # fmt: skip
# What fits a value by its static axes.
BY_SHAPE = OrderedDict([
    ("softmax", lambda draw, x: C.softmax(x, axis=draw.random.randint(len(x.shape)))),
    ("log_softmax", lambda draw, x: C.log_softmax(x)),
    ("reduce", lambda draw, x: draw.of([C.reduce_sum, C.reduce_mean, C.reduce_max, C.reduce_min, C.reduce_prod,
        C.reduce_log_sum_exp, C.reduce_l1, C.reduce_l2, C.reduce_sum_square, C.argmax, C.argmin])(x, axis=0)),
    ("expand_dims", lambda draw, x: C.reduce_sum(C.expand_dims(x, 0), axis=0, keepdims=False)),
    ("slice", sliced),
    ("splice", lambda draw, x: C.splice(x, draw.like(x), axis=0)),
    ("flatten", lambda draw, x: C.reshape(C.flatten(x), x.shape)),
    ("pad", lambda draw, x: C.pad(x, [(1, 0)] + [(0, 0)] * (len(x.shape) - 1), draw.of([0, 1]) if x.shape[0] > 1 else 0)),
    ("transpose", lambda draw, x: C.transpose(x, tuple(reversed(range(len(x.shape)))))),
    ("normalized", lambda draw, x: C.layers.LayerNormalization()(x)),
    ("mean_variance", lambda draw, x: C.mean_variance_normalization(x)),
    ("crossed", lambda draw, x: C.cosine_distance(x, C.cos(x)) * x if len(x.shape) == 1 else x),
    ("squared_error", lambda draw, x: C.squared_error(x, draw.numbers(*x.shape)) + x),
    ("top_k", lambda draw, x: C.combine([C.top_k(x, 1).outputs[0]])),
    ("eye", lambda draw, x: C.times(C.reshape(x, (-1,)), C.constant(np.eye(int(np.prod(x.shape)), 4, dtype=np.float32)))),
])  # fmt: skip
VECTOR = OrderedDict([
    ("dense", lambda draw, x: C.layers.Dense(draw.of(WIDTHS), activation=draw.of([None, C.relu, C.tanh]))(x)),
    ("nested", nested),
    ("normalization", normalization),
    ("stabilizer", lambda draw, x: C.layers.Stabilizer()(x)),
    ("times", lambda draw, x: C.times(x, draw.weights(x.shape[0], draw.of(WIDTHS)))),
    ("times_two", lambda draw, x: C.times(x, draw.weights(x.shape[0], 2, 3), output_rank=2)),
    ("times_transpose", lambda draw, x: C.times_transpose(x, draw.weights(draw.of(WIDTHS), x.shape[0]))),
    ("one_hot", lambda draw, x: C.reduce_sum(C.one_hot(C.round(C.abs(x)), 4), axis=0, keepdims=False)),
    ("gather", lambda draw, x: C.reduce_sum(
        C.gather(draw.weights(4, 3), C.clip(C.round(C.abs(x)), 0, 3)), axis=0, keepdims=False)),
    ("cross_entropy", lambda draw, x: C.cross_entropy_with_softmax(x, C.softmax(C.cos(x))) + x),
    ("error", lambda draw, x: C.classification_error(x, C.hardmax(C.cos(x))) + x),
    ("binary", lambda draw, x: C.binary_cross_entropy(C.sigmoid(x), C.sigmoid(C.cos(x))) + x),
])  # fmt: skip
IMAGE = OrderedDict([
    ("convolution", lambda draw, x: C.layers.Convolution2D((3, 2), draw.of([2, 4]), pad=draw.flag(), activation=C.relu)(x)),
    ("convolution_op", lambda draw, x: C.convolution(
        draw.weights(3, x.shape[0], 2, 2), x, auto_padding=[False, True, draw.flag()])),
    ("transposed", lambda draw, x: C.layers.ConvolutionTranspose2D((2, 2), 3, strides=2)(x)),
    ("pooling", windowed),
    ("global", lambda draw, x: C.layers.GlobalAveragePooling()(x)),
    ("normalization", normalization),
    ("response", lambda draw, x: C.local_response_normalization(x, 1, 1.0, 0.5, 0.75)),
    ("depth", lambda draw, x: C.space_to_depth(C.depth_to_space(C.splice(x, x, x, x, axis=0), 2), 2)),
    ("crop", lambda draw, x: C.crop_manual(x, C.slice(x, 1, 0, 1), 0, 0)),
    ("vector", lambda draw, x: C.layers.Dense(draw.of(WIDTHS))(x)),
    ("unpooling", lambda draw, x: C.unpooling(
        C.pooling(x, C.MAX_POOLING, (2, 2), (1, 1)), x, C.MAX_UNPOOLING, (2, 2), (1, 1))),
])  # fmt: skip
SEQUENCE = OrderedDict([
    ("past", lambda draw, s: C.sequence.past_value(s, time_step=draw.of([1, 2]))),
    ("future", lambda draw, s: C.sequence.future_value(s, initial_state=draw.weights(*s.shape))),
    ("delay", lambda draw, s: C.layers.Delay(draw.of([1, -1]))(s)),
    ("loop", lambda draw, s: looped(draw, s, draw.of([C.sequence.past_value, C.sequence.future_value]))),
    ("recurrence", recurrence),
    ("fold", lambda draw, s: C.sequence.broadcast_as(C.layers.Fold(C.layers.LSTM(3))(s), s)),
    ("softmax", lambda draw, s: C.sequence.softmax(s)),
    ("sum", lambda draw, s: s + C.sequence.broadcast_as(C.sequence.reduce_sum(s), s)),
    ("max", lambda draw, s: s - C.sequence.broadcast_as(C.sequence.reduce_max(s), s)),
    ("first", lambda draw, s: s + C.sequence.first(s)),
    ("last", lambda draw, s: s * C.sequence.broadcast_as(C.sequence.last(s), s)),
    ("ends", lambda draw, s: C.sequence.slice(s, 1, 0) if draw.flag() else C.sequence.slice(s, 0, -1)),
    ("flags", lambda draw, s: s * C.sequence.is_first(s) + C.sequence.is_last(s)),
    ("gathered", gathered),
    ("unpacked", lambda draw, s: C.to_sequence_like(C.sequence.unpack(s, 0, no_mask_output=True) * 2, s)),
    ("spread", lambda draw, s: s + C.reduce_sum(C.sequence.unpack(s, 0.5, no_mask_output=True), axis=0, keepdims=False)),
    ("edits", lambda draw, s: s * C.edit_distance_error(C.hardmax(s), C.hardmax(C.cos(s)), 1, 1, 1, True, [0])),
    ("ctc", lambda draw, s: s + 0.1 * C.forward_backward(C.labels_to_graph(2 * C.hardmax(C.cos(s))), s, 0)),
    ("window", lambda draw, s: s + C.reduce_sum(C.layers.PastValueWindow(2, C.Axis(-2))(s)[0], axis=0)),
])  # fmt: skip


def start(draw):
    kind = draw.of(["vector", "image", "sequence", "sequence", "tokens", "matrix"])
    if kind == "vector":
        return C.input_variable(draw.of(WIDTHS), name="x")
    if kind == "matrix":
        return C.input_variable((3, 4), name="x")
    if kind == "image":
        return C.input_variable((2, 5, 6), name="x")
    if kind == "tokens":
        return C.layers.Embedding(4)(C.sequence.input_variable(6, is_sparse=True, name="x"))
    return C.sequence.input_variable(draw.of(WIDTHS), name="x")


def steps_for(x):
    """The tables of what fits a value."""
    tables = [BY_ELEMENT, BY_SHAPE]
    if len(x.shape) == 1:
        tables += [VECTOR, VECTOR]
    if len(x.shape) == 3 and min(x.shape[1:]) > 2:
        tables += [IMAGE, IMAGE, IMAGE]
    if is_sequence(x) and len(x.shape) == 1:
        tables += [SEQUENCE, SEQUENCE, SEQUENCE]
    return tables


def drawn(seed):
    """The graph of a seed, and the names of its steps.

    Values stay tame: what grows fast is squashed after each step, by an operation that is part of
    the graph.
    """
    draw = Draw(seed)
    x, names, kept = start(draw), [], []
    for _ in range(3 + draw.random.randint(6)):
        table = draw.of(steps_for(x))
        name = draw.of(list(table))
        names.append(name)
        x = C.tanh(table[name](draw, x)) if draw.flag() else C.clip(table[name](draw, x), -4, 4)
        if draw.random.randint(5) == 0 and not is_sequence(x):
            kept.append(x)
    if is_sequence(x) and draw.flag():
        x = C.sequence.last(x)
    return initialized(C.combine(kept + [x]) if kept else x), names
