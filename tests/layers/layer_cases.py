"""Layers and what they are applied to, for comparison with the original.

The module is read by Python 3.6 too, where the original runs: `record_layers.py` writes down what each layer is there,
and `test_layers.py` compares. Every builder is given the `cntk` module.
"""

import numpy as np

SEQUENCE_LENGTHS = (4, 1, 3)
BATCH = 3


def x(*shape):
    """An input with a batch axis."""
    return lambda C: C.input_variable(shape, name="x")


def s(*shape):
    """An input with a sequence axis."""
    return lambda C: C.sequence.input_variable(shape, name="x")


def data_for(variable):
    """Data for an input: the same numbers everywhere."""
    shape = tuple(variable.shape)
    random = np.random.RandomState(3)
    if len(variable.dynamic_axes) > 1:
        return [random.uniform(-1, 1, (n,) + shape).astype(np.float32) for n in SEQUENCE_LENGTHS]
    return random.uniform(-1, 1, (BATCH,) + shape).astype(np.float32)


def applied(C, case):
    """A layer of the table, with automatic seeds started afresh, and its applied form; and the inputs."""
    build, inputs = case
    C.cntk_py.reset_random_seed(1)
    arguments = [make(C) for make in inputs]
    layer = build(C)
    return layer, layer(*arguments), arguments


def results(function, arguments):
    """Each output's value: a list of arrays for sequences."""
    values = function.eval({v: data_for(v) for v in arguments})
    values = [values[v] for v in function.outputs] if len(function.outputs) > 1 else [values]
    return [[np.asarray(a) for a in value] for value in values]


def repeat(C):
    return C.layers.Recurrence(C.plus)


CASES = {
    # fully connected
    "dense": (lambda C: C.layers.Dense(5), [x(3)]),
    "dense without bias": (lambda C: C.layers.Dense(5, bias=False, activation=C.relu), [x(3)]),
    "dense to a matrix": (lambda C: C.layers.Dense((5, 2), init=C.he_uniform(), init_bias=0.5), [x(3)]),
    "dense from a matrix": (lambda C: C.layers.Dense(5, init=C.he_normal()), [x(3, 4)]),
    "dense with input_rank": (lambda C: C.layers.Dense(5, input_rank=1, init=C.he_uniform()), [x(3, 4)]),
    "dense with map_rank": (lambda C: C.layers.Dense((5, 2), map_rank=1, init=C.he_uniform()), [x(3, 4)]),
    "dense on sequences": (lambda C: C.layers.Dense(2, activation=C.tanh), [s(3)]),
    "dense with a layer as activation": (lambda C: C.layers.Dense(2, activation=C.layers.Dense(3)), [x(4)]),
    "embedding": (lambda C: C.layers.Embedding(5), [x(3)]),
    "embedding given": (lambda C: C.layers.Embedding(weights=np.arange(6, dtype=np.float32).reshape(3, 2)), [x(3)]),
    "activation": (lambda C: C.layers.Activation(C.tanh), [x(3)]),
    "dropout": (lambda C: C.layers.Dropout(0.3), [x(3)]),
    "label": (lambda C: C.layers.Label("here"), [x(3)]),
    "stabilizer": (lambda C: C.layers.Stabilizer(steepness=2), [x(3)]),
    "layer normalization": (lambda C: C.layers.LayerNormalization(initial_scale=2, initial_bias=0.5), [x(3, 4)]),
    "batch normalization": (lambda C: C.layers.BatchNormalization(init_scale=2), [x(3, 4)]),
    "batch normalization of channels": (lambda C: C.layers.BatchNormalization(map_rank=1), [x(3, 4)]),
    # convolution and pooling
    "convolution": (lambda C: C.layers.Convolution((3, 2), 4), [x(2, 5, 6)]),
    "convolution padded": (lambda C: C.layers.Convolution((3, 3), 4, pad=True, init=C.he_uniform()), [x(2, 5, 6)]),
    "convolution with strides": (
        lambda C: C.layers.Convolution((2, 3), 4, pad=(True, False), strides=(2, 3), activation=C.relu),
        [x(2, 5, 7)],
    ),
    "convolution, even window": (lambda C: C.layers.Convolution((2, 4), 3, pad=True, strides=3), [x(2, 7, 8)]),
    "convolution, one filter": (lambda C: C.layers.Convolution((3, 3), init_bias=0.5), [x(2, 5, 6)]),
    "convolution without channels": (
        lambda C: C.layers.Convolution((3, 3), 4, reduction_rank=0, init=C.he_uniform()),
        [x(5, 6)],
    ),
    "convolution without channels, one filter": (
        lambda C: C.layers.Convolution((3, 3), reduction_rank=0, activation=C.tanh),
        [x(5, 6)],
    ),
    "convolution 1d": (lambda C: C.layers.Convolution1D(3, 4, pad=True, bias=False), [x(2, 5)]),
    "convolution 2d": (lambda C: C.layers.Convolution2D(3, 4, init=C.glorot_normal()), [x(2, 5, 6)]),
    "convolution 3d": (lambda C: C.layers.Convolution3D((2, 3, 2), 3, pad=(True, False, True)), [x(2, 3, 4, 5)]),
    "convolution on sequences": (lambda C: C.layers.Convolution2D((2, 2), 2), [s(2, 3, 4)]),
    "convolution transpose": (lambda C: C.layers.ConvolutionTranspose((3, 2), 4, init=C.he_uniform()), [x(2, 4, 3)]),
    "convolution transpose, strides": (
        lambda C: C.layers.ConvolutionTranspose2D((3, 3), 4, strides=2, pad=True, output_shape=(8, 6)),
        [x(2, 4, 3)],
    ),
    "convolution transpose, padded": (
        lambda C: C.layers.ConvolutionTranspose2D((3, 2), 4, strides=(2, 3), pad=True, activation=C.relu),
        [x(2, 4, 3)],
    ),
    "convolution transpose 1d": (lambda C: C.layers.ConvolutionTranspose1D(3, 4, strides=2), [x(2, 4)]),
    "convolution transpose 3d": (lambda C: C.layers.ConvolutionTranspose3D(2, 2), [x(2, 3, 2, 3)]),
    "convolution transpose without channels": (
        lambda C: C.layers.ConvolutionTranspose((3, 3), 2, reduction_rank=0),
        [x(4, 3)],
    ),
    "max pooling": (lambda C: C.layers.MaxPooling((2, 3), strides=2), [x(2, 5, 6)]),
    "max pooling padded": (lambda C: C.layers.MaxPooling((2, 3), strides=(2, 3), pad=(True, False)), [x(2, 5, 7)]),
    "average pooling": (lambda C: C.layers.AveragePooling((2, 2), strides=2), [x(2, 5, 6)]),
    "average pooling padded": (lambda C: C.layers.AveragePooling((3, 2), pad=True), [x(2, 5, 6)]),
    "global max pooling": (lambda C: C.layers.GlobalMaxPooling(), [x(2, 5, 6)]),
    "global average pooling": (lambda C: C.layers.GlobalAveragePooling(), [x(2, 5, 6)]),
    "max unpooling": (lambda C: C.layers.MaxUnpooling((2, 2), strides=2), [x(2, 2, 3), x(2, 4, 6)]),
    # recurrence
    "rnn": (lambda C: C.layers.Recurrence(C.layers.RNNStep(4)), [s(3)]),
    "rnn backwards": (
        lambda C: C.layers.Recurrence(C.layers.RNNStep(4, activation=C.tanh), go_backwards=True, initial_state=0.3),
        [s(3)],
    ),
    "rnn stabilized": (lambda C: C.layers.Recurrence(C.layers.RNNStep(4, enable_self_stabilization=True)), [s(3)]),
    "rnn projected": (lambda C: C.layers.Recurrence(C.layers.RNNStep(4, cell_shape=5)), [s(3)]),
    "gru": (lambda C: C.layers.Recurrence(C.layers.GRU(4, init_bias=0.2)), [s(3)]),
    "gru stabilized": (lambda C: C.layers.Recurrence(C.layers.GRU(4, enable_self_stabilization=True)), [s(3)]),
    "lstm": (lambda C: C.layers.Recurrence(C.layers.LSTM(4, init_bias=0.2)), [s(3)]),
    "lstm with all states": (
        lambda C: C.layers.Recurrence(C.layers.LSTM(4), initial_state=(0.1, 0.2), return_full_state=True),
        [s(3)],
    ),
    "lstm with peepholes": (lambda C: C.layers.Recurrence(C.layers.LSTM(4, use_peepholes=True)), [s(3)]),
    "lstm projected": (lambda C: C.layers.Recurrence(C.layers.LSTM(4, cell_shape=5), go_backwards=True), [s(3)]),
    "lstm stabilized": (lambda C: C.layers.Recurrence(C.layers.LSTM(4, enable_self_stabilization=True)), [s(3)]),
    "lstm with everything": (
        lambda C: C.layers.Recurrence(
            C.layers.LSTM(4, cell_shape=5, use_peepholes=True, enable_self_stabilization=True, activation=C.relu)
        ),
        [s(3)],
    ),
    "recurrence over plus": (repeat, [s(2)]),
    "recurrence over a lambda": (lambda C: C.layers.Recurrence(lambda h, x: C.tanh(h) + x, initial_state=0.5), [s(2)]),
    "recurrence over two states": (
        lambda C: C.layers.Recurrence(lambda h, c, x: (h + x, c * 0.5 + x), return_full_state=True),
        [s(2)],
    ),
    "recurrence from a state": (lambda C: C.layers.RecurrenceFrom(C.layers.GRU(4)), [x(4), s(3)]),
    "fold": (lambda C: C.layers.Fold(C.element_max, initial_state=-1), [s(2)]),
    "fold backwards": (lambda C: C.layers.Fold(C.layers.GRU(4), go_backwards=True), [s(3)]),
    "fold with all states": (lambda C: C.layers.Fold(C.layers.LSTM(4), return_full_state=True), [s(3)]),
    "delay": (lambda C: C.layers.Delay(2, initial_state=0.4), [s(2)]),
    "delay into the future": (lambda C: C.layers.Delay(-1), [s(2)]),
    "past value window": (lambda C: C.layers.PastValueWindow(3, axis=-2), [s(2)]),
    "first value window": (lambda C: C.layers.PastValueWindow(2, axis=-2, go_backwards=True), [s(2)]),
    "convolution along the sequence": (lambda C: C.layers.Convolution(3, 4, sequential=True, pad=True), [s(2)]),
    "convolution along the sequence, even window": (
        lambda C: C.layers.Convolution((2, 3), 4, sequential=True, pad=(True, False)),
        [s(2, 5)],
    ),
    "sequential convolution": (lambda C: C.layers.SequentialConvolution(3, 4, pad=True), [s(2)]),
    "sequential convolution, strides": (
        lambda C: C.layers.SequentialConvolution((2, 3), 4, pad=True, strides=2, activation=C.relu),
        [s(2, 5)],
    ),
    "sequential convolution, one filter": (lambda C: C.layers.SequentialConvolution(3, pad=True), [s(2)]),
    # layers of layers
    "sequential": (
        lambda C: C.layers.Sequential([C.layers.Dense(4, activation=C.tanh), [C.layers.Dense(3), C.relu]]),
        [x(2)],
    ),
    "sequential with branches": (
        lambda C: C.layers.Sequential([(C.layers.Dense(4), C.layers.Dense(4)), (C.tanh, C.layers.Dense(4)), C.plus]),
        [x(2)],
    ),
    "for": (lambda C: C.layers.For(range(3), lambda i: C.layers.Dense(i + 2), name="stack"), [x(2)]),
    "clique": (lambda C: C.layers.SequentialClique([C.layers.Dense(2), C.layers.Dense(2), C.exp], name="q"), [x(2)]),
    "resnet block": (lambda C: C.layers.ResNetBlock(C.layers.Dense(2)), [x(2)]),
    "small tagger": (
        lambda C: C.layers.Sequential(
            [
                C.layers.Embedding(4),
                C.layers.Recurrence(C.layers.LSTM(3)),
                C.layers.Dropout(0.5),
                C.layers.Dense(2, name="classify"),
            ]
        ),
        [s(3)],
    ),
    "small image model": (
        lambda C: C.layers.Sequential(
            [
                C.layers.Convolution2D((3, 3), 4, pad=True, activation=C.relu),
                C.layers.BatchNormalization(map_rank=1),
                C.layers.MaxPooling((2, 2), strides=2),
                C.layers.Dense(3),
            ]
        ),
        [x(1, 4, 6)],
    ),
}
