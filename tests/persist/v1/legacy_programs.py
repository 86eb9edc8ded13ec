"""Functions that model files of version 1 can hold; built, fed and saved by the original and by
this package alike.

The code runs under Python 3.6, the original's, as well.
"""

from collections import OrderedDict

import numpy as np

import cntk as C
from tests.persist.programs import data, evaluate, initialized, sequence, vector, weights

__all__ = ["PROGRAMS", "STATELESS", "data", "evaluate"]


def image(channels=2, height=8, width=9, name="x"):
    return C.input_variable((channels, height, width), name=name)


def matrix(name="x"):
    return C.input_variable((2, 3, 4), name=name)


def two(function):
    return lambda: function(vector(3), vector(3, "y"))


def looped(delay):
    x, feedback = sequence(3), C.placeholder()
    state = C.tanh(x + C.times(delay(feedback), weights(3, 3)), name="state")
    return state.replace_placeholders({feedback: state})


def several():
    x = vector(3)
    a, b, c = C.tanh(x, name="a"), C.abs(x, name="b"), C.sin(x)
    return C.combine([a, b, c, C.exp(a) + b + c])


def criterion():
    x, y = vector(3), vector(4, "y")
    z = C.times(x, weights(3, 4))
    return C.combine([z, C.cross_entropy_with_softmax(z, y), C.classification_error(z, y)])


def selected(first):
    s = sequence(3)
    condition = first(s)
    return C.sequence.scatter(C.sequence.gather(s, condition) * 2, condition)


def normalized(**options):
    return initialized(C.layers.BatchNormalization(**options)(image(2, 4, 5)))


def unpooled():
    x = image(2, 8, 8)
    return C.unpooling(
        C.pooling(x, C.MAX_POOLING, (2, 2), (2, 2)), x, C.MAX_UNPOOLING, (2, 2), (2, 2)
    )


def cropped():
    x = image(1, 9, 9)
    return C.crop_automatic(x, C.pooling(x, C.MAX_POOLING, (3, 5), (1, 1)))


def aligned(blank, delay):
    t = sequence(3, "t")
    marks = C.labels_to_graph(C.hardmax(t) * (1 + C.sequence.is_first(t)))
    return C.forward_backward(marks, sequence(3), blank, delay)


def doubles():
    x = C.input_variable(3, dtype=np.float64, name="x")
    w = C.parameter((3, 2), init=np.arange(6).reshape(3, 2), dtype=np.float64)
    return C.times(x, w) + 1.5


def delayed_doubles():
    s = C.sequence.input_variable(2, dtype=np.float64, name="s")
    return C.sequence.past_value(s, C.constant(1.5, dtype=np.float64), 2)


def own_axis():
    return C.abs(C.sequence.input_variable(3, sequence_axis=C.Axis("Words"), name="words"))


def layers(*parts):
    return lambda: initialized(C.layers.Sequential(list(parts))(image()))


def recurrent(cell, **options):
    return lambda: initialized(C.layers.Recurrence(cell, **options)(sequence(3)))


UNARY = [
    "abs",
    "acos",
    "asin",
    "ceil",
    "cos",
    "cosh",
    "exp",
    "floor",
    "hardmax",
    "log",
    "log_softmax",
    "negate",
]
UNARY += [
    "reciprocal",
    "relu",
    "round",
    "sigmoid",
    "sin",
    "sinh",
    "softmax",
    "softplus",
    "softsign",
    "sqrt",
    "square",
]
UNARY += ["stop_gradient", "tanh", "argmax", "leaky_relu"]
BINARY = [
    "plus",
    "minus",
    "element_times",
    "element_divide",
    "log_add_exp",
    "element_max",
    "equal",
    "not_equal",
]
BINARY += [
    "less",
    "less_equal",
    "greater",
    "greater_equal",
    "squared_error",
    "times_transpose",
    "cosine_distance",
]
BINARY += [
    "cross_entropy_with_softmax",
    "classification_error",
    "element_and",
    "element_xor",
    "splice",
]
REDUCTIONS = [
    "reduce_sum",
    "reduce_mean",
    "reduce_max",
    "reduce_min",
    "reduce_prod",
    "reduce_log_sum_exp",
    "reduce_l2",
]
# Those that the original writes and cannot load again.
OURS = ["tan", "atan", "asinh", "atanh", "elu", "selu"]

PROGRAMS = OrderedDict()
for _name in UNARY + OURS:
    PROGRAMS[_name] = lambda name=_name: getattr(C, name)(vector((2, 3)))
for _name in BINARY:
    PROGRAMS[_name] = two(getattr(C, _name))
for _name in REDUCTIONS:
    PROGRAMS[_name] = lambda name=_name: getattr(C, name)(matrix(), axis=1)
PROGRAMS.update(
    [
        ("named", lambda: C.plus(vector(3), 1, name="a name")),
        ("several", several),
        ("criterion", criterion),
        ("doubles", doubles),
        ("own_axis", own_axis),
        ("sparse", lambda: C.times(sequence(6, is_sparse=True), weights(6, 4))),
        ("with_gradient", lambda: C.abs(C.input_variable(3, needs_gradient=True, name="x"))),
        ("number", lambda: C.abs(vector(())) + 1),
        (
            "times",
            lambda: C.times(C.input_variable((2, 3), name="x"), weights(3, 4, 5), output_rank=2),
        ),
        ("times_mapped", lambda: C.times(matrix(), weights(4, 5), infer_input_rank_to_map=0)),
        ("dense", lambda: initialized(C.layers.Dense((2, 3), C.relu, name="d")(vector((4, 5))))),
        ("frozen", lambda: initialized(C.layers.Dense(4)(vector(3))).clone("freeze")),
        ("of_all", lambda: C.reduce_sum(matrix(), axis=C.Axis.all_axes())),
        ("of_all_static", lambda: C.reduce_mean(matrix())),
        ("of_two", lambda: C.reduce_sum(matrix(), axis=(0, 2))),
        ("of_batch", lambda: C.reduce_mean(matrix(), axis=C.Axis.default_batch_axis())),
        ("without_axis", lambda: C.reduce_max(matrix(), axis=1, keepdims=False)),
        ("clip", lambda: C.clip(vector(3), -0.25, 0.5)),
        ("select", lambda: C.element_select(C.greater(vector(3), 0), vector(3, "y"), 2)),
        ("slices", lambda: C.slice(matrix(), [0, 2], [0, 1], [1, 3])),
        ("slice_from_behind", lambda: C.slice(matrix(), -1, -3, 0)),
        ("slice_by_two", lambda: C.slice(matrix(), 2, 0, 4, 2)),
        ("spliced", lambda: C.splice(matrix(), matrix("y"), axis=1)),
        ("stacked", lambda: C.splice(vector((2, 3)), vector((2, 3), "y"), axis=-3)),
        ("reshape", lambda: C.reshape(matrix(), (12,), 1, 3)),
        ("reshape_inferred", lambda: C.reshape(matrix(), (-1, 2), 0, 1)),
        ("squeeze", lambda: C.squeeze(vector((2, 1, 3)), 1)),
        ("flatten", lambda: C.flatten(matrix(), 1)),
        ("expand_dims", lambda: C.expand_dims(vector((2, 3)), 1)),
        ("swapaxes", lambda: C.swapaxes(matrix(), 0, 2)),
        ("transpose", lambda: C.transpose(matrix(), (2, 0, 1))),
        ("dropout", lambda: C.dropout(vector(3), 0.0, seed=2**32 + 7)),
        ("past_value", lambda: C.sequence.past_value(sequence(3), 2.5, 3)),
        ("future_value", lambda: C.sequence.future_value(sequence(3), weights(3), 1)),
        ("delayed_doubles", delayed_doubles),
        ("loop", lambda: looped(C.sequence.past_value)),
        ("loop_backwards", lambda: looped(lambda x: C.sequence.future_value(x, 1, 2))),
        ("rnn", recurrent(C.layers.RNNStep(2))),
        ("lstm", recurrent(C.layers.LSTM(2, use_peepholes=True))),
        ("gru", recurrent(C.layers.GRU(2), go_backwards=True)),
        (
            "fold",
            lambda: initialized(
                C.layers.Fold(C.layers.LSTM(2, enable_self_stabilization=True))(sequence(3))
            ),
        ),
        ("window", lambda: C.layers.PastValueWindow(2, C.Axis(-2))(sequence(3))),
        ("last", lambda: C.sequence.last(sequence(3))),
        (
            "first_and_last",
            lambda: C.sequence.first(sequence(3)) + C.sequence.last(sequence(3, "t")),
        ),
        ("part", lambda: C.sequence.slice(sequence(3), 1, 3)),
        ("scattered", lambda: selected(C.sequence.is_first)),
        ("where", lambda: C.sequence.where(C.sequence.is_last(sequence(3)))),
        ("broadcast", lambda: C.sequence.broadcast_as(vector(3), sequence(4))),
        ("stretched", lambda: vector(3) * sequence(3)),
        ("sum_of_sequence", lambda: C.sequence.reduce_sum(sequence(3))),
        ("unpacked", lambda: C.sequence.unpack(sequence(3), 2.0)),
        ("to_sequence", lambda: C.to_sequence(vector((4, 3)))),
        (
            "convolution",
            lambda: C.convolution(
                weights(4, 2, 3, 2), image(), (1, 2, 3), auto_padding=[False, True, False]
            ),
        ),
        (
            "transposed",
            lambda: C.convolution_transpose(
                weights(2, 4, 3, 3), image(), (1, 2, 2), auto_padding=[False, True, True]
            ),
        ),
        (
            "to_size",
            lambda: C.convolution_transpose(
                weights(2, 4, 3, 3),
                image(2, 4, 4),
                (1, 2, 2),
                auto_padding=[False, True, True],
                output_shape=(4, 8, 8),
            ),
        ),
        (
            "images",
            layers(
                C.layers.Convolution2D((3, 3), 4, C.relu, pad=True), C.layers.GlobalMaxPooling()
            ),
        ),
        (
            "convolution_1d",
            lambda: initialized(C.layers.Convolution1D(3, 4, pad=True)(vector((2, 9)))),
        ),
        (
            "of_sequence",
            lambda: initialized(
                C.layers.Convolution((3, 3), 4, sequential=True, pad=True)(sequence((2, 9)))
            ),
        ),
        (
            "max_pooling",
            lambda: C.pooling(image(), C.MAX_POOLING, (2, 3), (3, 2), ceil_out_dim=True),
        ),
        (
            "avg_pooling",
            lambda: C.pooling(
                image(), C.AVG_POOLING, (2, 3), (2, 3), [True, True], include_pad=True
            ),
        ),
        ("unpooled", unpooled),
        (
            "regions",
            lambda: C.roipooling(
                image(2, 8, 8), C.abs(vector((3, 4), "r")), C.MAX_POOLING, (2, 3), 0.5
            ),
        ),
        ("normalized", lambda: normalized(map_rank=1, normalization_time_constant=7, epsilon=0.25)),
        ("layer_normalization", lambda: initialized(C.layers.LayerNormalization()(vector(3)))),
        ("response", lambda: C.local_response_normalization(image(4, 5, 5), 1, 1.0, 0.5, 0.75)),
        ("crop", lambda: C.crop_manual(image(1, 6, 6), image(1, 3, 4, "y"), 2, 1)),
        ("crop_automatic", cropped),
        ("binary", lambda: C.binary_cross_entropy(C.sigmoid(vector(3)), C.sigmoid(vector(3, "y")))),
        ("error_of_two", lambda: C.classification_error(vector(5), vector(5, "y"), topN=2)),
        (
            "edits",
            lambda: C.edit_distance_error(sequence(3), sequence(3, "t"), 0.3, 2, 1.5, True, [1, 7]),
        ),
        ("alignment", lambda: aligned(2, -1)),
        ("late_alignment", lambda: aligned(0, 3)),
        ("scaled_image", lambda: C.image_scaler(image(3, 4, 5), 0.5, [1, 2, 3])),
        ("depth_to_space", lambda: C.depth_to_space(image(8, 2, 3), 2)),
        ("pow", two(lambda x, y: C.pow(C.abs(x), y))),
        ("gather", lambda: C.gather(weights(5, 3), C.floor(C.abs(vector(2))))),
    ]
)
# Of these files alone are compared: they draw random numbers, or the original cannot compute them
# on a processor.
FILES_ALONE = OrderedDict(
    [
        ("samples", lambda: C.random_sample(np.ones(5, np.float32), 3, True, seed=2**32 + 5)),
        (
            "frequencies",
            lambda: C.random_sample_inclusion_frequency(np.ones(5, np.float32), 3, False, seed=4),
        ),
        (
            "negatives",
            lambda: C.cosine_distance_with_negative_samples(sequence(4), sequence(4, "t"), 2, 3),
        ),
        (
            "logistic",
            lambda: C.weighted_binary_cross_entropy(*(C.sigmoid(vector(3, n)) for n in "xyz")),
        ),
        ("ranks", lambda: C.lambda_rank(vector(1), vector(1, "y"), vector(1, "q"))),
        ("gain", lambda: C.ndcg_at_1(vector(1), vector(1, "y"), vector(1, "q"))),
        ("stack", lambda: C.optimized_rnnstack(sequence(3), weights(184, 4), 4, 2, True, "lstm")),
        ("assigned", lambda: C.assign(weights(3), weights(3) * 2)),
        ("identity", lambda: C.eye_like(weights(3, 3)) + vector(3)),
        ("rows", lambda: C.to_batch(weights(4, 3))),
    ]
)
PROGRAMS.update(FILES_ALONE)
STATELESS = [name for name in PROGRAMS if name not in FILES_ALONE]
