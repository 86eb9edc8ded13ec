"""Functions that are built, fed and saved by the original and by this package alike.

The code runs under Python 3.6, the original's, as well.
"""

from collections import OrderedDict

import numpy as np

import cntk as C
from cntk.ops.functions import UserFunction

PROGRAMS = OrderedDict()


def program(build):
    """Register a program under its name."""
    PROGRAMS[build.__name__] = build
    return build


def vector(size, name="x"):
    return C.input_variable(size, name=name)


def sequence(size, name="s", **options):
    return C.sequence.input_variable(size, name=name, **options)


def weights(*shape):
    values = np.random.RandomState(sum(shape)).uniform(-1, 1, shape)
    return C.parameter(shape, init=values.astype(np.float32), name="w")


def initialized(function):
    """The function with the same parameters at every call."""
    random = np.random.RandomState(5)
    for parameter in function.parameters:
        parameter.value = random.uniform(-0.5, 0.5, parameter.shape).astype(np.float32)
    return function


@program
def plus_one():
    return vector(3) + 1


@program
def named_outputs():
    x, y = vector((2, 3)), vector((2, 3), "y")
    return C.combine(
        [C.plus(x, 1, name="first"), C.element_times(y, 2, name="second")], name="both"
    )


@program
def dense():
    return initialized(C.layers.Dense((2, 3), activation=C.relu, name="layer")(vector((4, 5))))


@program
def mlp():
    layers = [
        C.layers.Dense(6, activation=C.tanh),
        C.layers.Dropout(0.3),
        C.layers.Dense(4, activation=C.sigmoid, name="hidden"),
        C.layers.Dense(2),
    ]
    return initialized(C.layers.Sequential(layers)(vector(3)))


@program
def convolutions():
    layers = [
        C.layers.Convolution((3, 3), 4, activation=C.relu, pad=True),
        C.layers.MaxPooling((2, 2), (2, 2)),
        C.layers.BatchNormalization(map_rank=1),
        C.layers.Convolution2D((2, 2), 5),
        C.layers.AveragePooling((2, 2)),
        C.layers.GlobalAveragePooling(),
        C.layers.Dense(3, activation=C.softmax),
    ]
    return initialized(C.layers.Sequential(layers)(vector((2, 10, 12))))


@program
def sequence_classifier():
    layers = [
        C.layers.Embedding(3),
        C.layers.Recurrence(C.layers.LSTM(4)),
        C.sequence.last,
        C.layers.Dense(2),
    ]
    return initialized(C.layers.Sequential(layers)(sequence(5)))


@program
def tagger_of_sparse_words():
    s = sequence(6, is_sparse=True)
    embedded = C.layers.Embedding(3)(s)
    forwards = C.layers.Recurrence(C.layers.GRU(3))(embedded)
    backwards = C.layers.Recurrence(C.layers.RNNStep(2), go_backwards=True)(embedded)
    return initialized(C.layers.Dense(2)(C.splice(forwards, backwards)))


@program
def folded_peepholes():
    return initialized(C.layers.Fold(C.layers.LSTM(3, use_peepholes=True))(sequence(4)))


@program
def window_of_the_past():
    return C.layers.PastValueWindow(2, C.Axis(-2))(sequence(4))


@program
def normalized():
    return initialized(
        C.layers.Sequential([C.layers.LayerNormalization(), C.layers.Stabilizer()])(vector(5))
    )


@program
def criterion():
    x, y = vector(3), vector(4, "y")
    z = C.layers.Dense(4)(x)
    return initialized(
        C.combine([C.cross_entropy_with_softmax(z, y), C.classification_error(z, y)])
    )


@program
def criteria_of_sequences():
    s, t = sequence(3), sequence(3, "t")
    marks = C.labels_to_graph(C.hardmax(t) * (1 + C.sequence.is_first(t)))
    functions = [
        C.forward_backward(marks, s, 2),
        C.forward_backward(marks, s, 0, 3, name="late"),
        C.edit_distance_error(s, t, 0.3, 2, 1.5),
        C.edit_distance_error(s, t, squashInputs=True, tokensToIgnore=[1, 7], name="squashed"),
    ]
    return C.combine(functions)


@program
def rankings():
    x, y, z = vector(1), vector(1, "y"), vector(1, "z")
    gain, group = C.abs(y), C.floor(z)
    return C.combine([C.lambda_rank(x, gain, group), C.ndcg_at_1(x, gain, group, name="metric")])


@program
def random_numbers():
    s, w = sequence(3), weights(6)
    noise = C.random.normal_like(s, 0.5, 2, seed=2**64 - 1) + C.random.gumbel_like(
        s, seed=3, name="noise"
    )
    drawn = C.random.uniform((2, 3), low=-1, seed=4), C.random.bernoulli(4, mean=0.3, seed=5)
    chosen = [
        C.times(C.random_sample(w * w, 4, again, seed=6), np.eye(6, dtype=np.float32))
        for again in (True, False)
    ]
    often = [
        C.random_sample_inclusion_frequency(C.abs(w), 4, again, seed=7) for again in (True, False)
    ]
    return C.combine([noise, *drawn, *chosen, *often])


@program
def few_of_many_classes():
    x, y, label = sequence(3), sequence(8, "y", is_sparse=True), sequence(1, "label")
    w, b = weights(8, 3), C.parameter((8, 1), init=0.5, name="b")
    losses = [
        C.nce_loss(w, b, x, y, np.arange(8, dtype=np.float32), 3, again, seed=2)
        for again in (True, False)
    ]
    chosen, of_groups, of_labels = C.hierarchical_softmax_layer(x, label, 7)
    return initialized(C.combine(losses + [chosen, of_groups] + of_labels))


@program
def activations():
    x = vector((2, 3))
    functions = [
        C.elu(x),
        C.selu(x),
        C.leaky_relu(x),
        C.softplus(x),
        C.hard_sigmoid(x, 0.2, 0.5),
        C.log_softmax(x),
    ]
    return C.combine(functions + [C.softmax(x, axis=0), C.hardmax(x)])


@program
def shapes():
    x, y = vector((2, 3, 4)), vector((2, 3, 4), "y")
    functions = [
        C.reshape(x, (12,), 1, 3),
        C.reshape(x, (-1, 2), begin_axis=1),
        C.transpose(x, (2, 0, 1)),
        C.swapaxes(x, 0, 1),
        C.flatten(x, 2),
        C.expand_dims(x, 1),
        C.squeeze(C.reshape(x, (1, 6, 1, 4)), (0, 2)),
        C.splice(x, y, axis=0),
        C.splice(x, y, axis=-4),
        C.slice(x, 1, 0, 2),
        C.slice(x, [0, -1], [0, 1], [1, -1], [1, 2]),
    ]
    return C.combine(functions)


@program
def reductions():
    x = vector((2, 3, 4))
    functions = [
        C.reduce_sum(x, axis=1),
        C.reduce_max(x, axis=(0, 2), keepdims=False),
        C.reduce_mean(x),
        C.reduce_log_sum_exp(x, axis=-1),
        C.argmax(x, axis=0),
    ]
    return C.combine(functions)


@program
def products():
    x = vector((3, 4))
    functions = [
        C.times(x, weights(4, 5)),
        C.times(x, weights(3, 4, 2, 5), output_rank=2),
        C.times_transpose(vector(4, "y"), weights(5, 4)),
        C.gather(weights(5, 2), C.floor(C.abs(vector(3, "z")))),
    ]
    return C.combine(functions)


@program
def windows():
    x = vector((3, 8, 9))
    functions = [
        C.convolution(weights(5, 3, 2, 3), x, strides=(1, 2, 3), auto_padding=[False, True, False]),
        C.convolution_transpose(
            weights(3, 5, 2, 3), x, strides=(2, 2), auto_padding=[False, True, True]
        ),
        C.pooling(x, C.AVG_POOLING, (2, 3), (1, 2), [True, False], True, True),
        C.unpooling(
            C.pooling(x, C.MAX_POOLING, (2, 3), (2, 3)), x, C.MAX_UNPOOLING, (2, 3), (2, 3)
        ),
    ]
    return C.combine(functions)


@program
def picked():
    x = vector((2, 5))
    functions = [
        C.one_hot(C.floor(C.abs(x)), 4, axis=0),
        C.top_k(x, 2).outputs[0],
        C.pad(x, [(1, 2), (0, 3)], C.ops.CONSTANT_PAD, 2.5),
        C.clip(x, -0.5, 0.5),
        C.element_select(C.greater(x, 0), x, 1),
    ]
    return C.combine(functions)


@program
def parts_of_sequences():
    s = sequence(2)
    functions = [
        C.sequence.first(s),
        C.sequence.slice(s, 1, -1),
        C.sequence.slice(s, 1, 0) + C.sequence.slice(s, 0, -1),
        C.sequence.slice(s, -2, 0),
        C.sequence.is_last(s),
        C.sequence.past_value(s, initial_state=C.constant([3, 4]), time_step=2),
        C.sequence.future_value(s),
        C.sequence.broadcast_as(vector(2), s),
    ]
    return C.combine(functions)


@program
def picked_frames():
    s = sequence(2)
    condition = 1 - C.sequence.is_last(s)
    gathered = C.sequence.gather(s, condition)
    return C.combine([gathered, C.sequence.scatter(gathered * 2, condition)])


@program
def sums_of_sequences():
    s = sequence(2)
    return C.combine([C.sequence.reduce_sum(s), C.sequence.reduce_max(s), C.sequence.softmax(s)])


@program
def loop_by_hand():
    s, feedback = sequence(3), C.placeholder()
    state = C.tanh(s + 0.5 * C.sequence.past_value(feedback))
    state.replace_placeholders({feedback: state})
    return state


@program
def block_of_ones_own():
    @C.BlockFunction("Swish", "swish")
    def swish(a):
        return a * C.sigmoid(a)

    return swish(vector(3))


@program
def doubles():
    x = C.input_variable(3, dtype=np.float64, name="x")
    return x * C.parameter((3,), init=np.array([1.0, 2.0, 3.0]), dtype=np.float64)


@program
def free_axis():
    return C.reduce_sum(C.input_variable((2, C.FreeDimension), name="x") * 2, axis=0)


class Cube(UserFunction):
    """``factor * x ** 3``, of samples or of sequences."""

    def __init__(self, x, factor=1.0, name="", state=None):
        super().__init__([x], name=name)
        self.factor = factor
        self.state = state

    def infer_outputs(self):
        x = self.inputs[0]
        return [C.output_variable(x.shape, x.dtype, x.dynamic_axes)]

    def forward(self, argument, device=None, outputs_to_retain=None):
        if isinstance(argument, list):
            return argument, [self.factor * x**3 for x in argument]
        return argument, self.factor * argument**3

    def serialize(self):
        # One of each kind of value that files can hold; None in a list is more than the original
        # can write.
        return {
            "factor": self.factor,
            "nothing": None,
            "flag": True,
            "count": 3,
            "below": -2,
            "large": 2**40,
            "list": [1, "a", [2.5]],
            "array": np.arange(6, dtype=np.float32).reshape(2, 3),
            "more": {"empty": {}, "text": "\u00e4"},
        }

    @staticmethod
    def deserialize(inputs, name, state):
        return Cube(inputs[0], state["factor"], name, state)


@program
def user_functions():
    return (
        C.user_function(
            Cube(C.user_function(Cube(vector(3), 0.5, name="first")) + 1, 2.0, name="second")
        )
        * 3
    )


@program
def user_functions_in_loops_and_blocks():
    @C.BlockFunction("Cubed", "cubed")
    def cubed(a):
        return C.user_function(Cube(a, name="inside"))

    s, feedback = sequence(3), C.placeholder(shape=(3,))
    state = C.user_function(Cube(0.5 * C.sequence.past_value(feedback), 0.2, name="loop")) + s
    state.replace_placeholders({feedback: state.outputs[0]})
    return cubed(state)


# Files with user functions load where the program knows them: by importing this module.
if not C.cntk_py.is_native_user_function_registered("NativeUserTimesOp"):
    LIBRARY = "Cntk.ExtensibilityExamples-2.7"
    C.ops.register_native_user_function("NativeUserTimesOp", LIBRARY, "CreateUserTimesFunction")


@program
def native_user_function():
    attributes = {
        "padding": True,
        "nothing": None,
        "lists": [[1, 2], [3]],
        "text": "t",
        "array": np.ones((2, 2), np.float32),
    }
    return (
        C.ops.native_user_function(
            "NativeUserTimesOp", [weights(3, 2), vector(3)], attributes, "native"
        )
        + 1
    )


def data(function):
    """Data for each argument by its name: an array, or a list of arrays for sequences."""
    random = np.random.RandomState(7)
    result = {}
    for variable in sorted(function.arguments, key=lambda v: v.name):
        dtype = np.float64 if variable.dtype == np.float64 else np.float32
        shape = tuple(4 if d < 0 else d for d in variable.shape)
        if variable.is_sparse:
            result[variable.name] = [
                np.eye(shape[0], dtype=dtype)[[1, 3, 5, 0]],
                np.eye(shape[0], dtype=dtype)[[2, 2, 4]],
            ]
        elif len(variable.dynamic_axes) == 2:
            result[variable.name] = [
                random.uniform(-2, 2, (n,) + shape).astype(dtype) for n in (4, 3)
            ]
        else:
            result[variable.name] = random.uniform(-2, 2, (2,) + shape).astype(dtype)
    return result


def evaluate(function, values):
    """All outputs, those of sequences one array a sequence, in order."""
    from scipy.sparse import csr_matrix

    feed = {}
    for variable in function.arguments:
        value = values[variable.name]
        feed[variable] = [csr_matrix(x) for x in value] if variable.is_sparse else value
    results = function.eval(feed)
    outputs = [results[v] for v in function.outputs] if isinstance(results, dict) else [results]
    return [
        np.asarray(array)
        for output in outputs
        for array in (output if isinstance(output, list) else [output])
    ]
