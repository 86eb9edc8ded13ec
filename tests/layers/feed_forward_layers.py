"""Fully connected layers, embeddings, normalisation and what stands between layers; see
`layer_cases`.
"""

import numpy as np

from tests.layers.layer_cases import s, x

TABLE = np.arange(6, dtype=np.float32).reshape(3, 2)
WORDS = {"is_sparse": True}


def with_defaults(options, build):
    """A builder under default options; the options are made by a function of the module."""

    def build_so(C):
        with C.default_options(**options(C)):
            return build(C)

    return build_so


def twice(C, a):
    layer = C.layers.Dense(3, activation=C.tanh, name="shared")
    return layer(layer(a))


def options_for_one(C):
    with C.default_options_for(C.layers.Dense, activation=C.sigmoid, bias=False):
        return C.layers.Sequential([C.layers.Dense((2, 4)), C.layers.Convolution1D(2)])


def nested_options(C):
    with C.default_options(activation=C.tanh, init=C.he_uniform()):
        with C.default_options(init_bias=0.3, activation=None):
            inner = C.layers.Dense(3)
        return C.layers.Sequential([inner, C.layers.Dense(2)])


CASES = {
    "dense": (lambda C: C.layers.Dense(5), [x(3)]),
    "dense without bias": (lambda C: C.layers.Dense(5, bias=False, activation=C.relu), [x(3)]),
    "dense to a matrix": (
        lambda C: C.layers.Dense((5, 2), init=C.he_uniform(), init_bias=0.5),
        [x(3)],
    ),
    "dense to a cube": (lambda C: C.layers.Dense((2, 3, 4), activation=C.tanh), [x(3, 2)]),
    "dense to a scalar": (lambda C: C.layers.Dense((), init=C.normal(0.5)), [x(3)]),
    "dense from a matrix": (lambda C: C.layers.Dense(5, init=C.he_normal()), [x(3, 4)]),
    "dense from a scalar": (lambda C: C.layers.Dense(5), [x()]),
    "dense with input_rank": (
        lambda C: C.layers.Dense(5, input_rank=1, init=C.he_uniform()),
        [x(3, 4)],
    ),
    "dense with input_rank 2": (
        lambda C: C.layers.Dense((5, 2), input_rank=2, init=C.xavier()),
        [x(2, 3, 4)],
    ),
    "dense with map_rank": (
        lambda C: C.layers.Dense((5, 2), map_rank=1, init=C.he_uniform()),
        [x(3, 4)],
    ),
    "dense with map_rank 2": (lambda C: C.layers.Dense(5, map_rank=2, bias=False), [x(2, 3, 4)]),
    "dense with map_rank 0": (lambda C: C.layers.Dense(5, map_rank=0), [x(3, 4)]),
    "dense on sequences": (lambda C: C.layers.Dense(2, activation=C.tanh), [s(3)]),
    "dense on sequences with map_rank": (lambda C: C.layers.Dense(2, map_rank=1), [s(4, 3)]),
    "dense on sparse rows": (lambda C: C.layers.Dense(4), [x(6, **WORDS)]),
    "dense on sparse sequences": (
        lambda C: C.layers.Dense(4, activation=C.sigmoid),
        [s(6, **WORDS)],
    ),
    "dense with a layer as activation": (
        lambda C: C.layers.Dense(2, activation=C.layers.Dense(3)),
        [x(4)],
    ),
    "dense with a lambda as activation": (
        lambda C: C.layers.Dense(2, activation=lambda r: r * r + 1),
        [x(4)],
    ),
    "dense with numbers": (lambda C: C.layers.Dense(2, init=TABLE, init_bias=TABLE[0]), [x(3)]),
    "dense with one number": (lambda C: C.layers.Dense(2, init=0.25, init_bias=[0.5, 1.5]), [x(3)]),
    "dense, named": (lambda C: C.layers.Dense(2, name="classify"), [x(3)]),
    "dense twice": (twice, [x(3)]),
    "dense without activation by None": (lambda C: C.layers.Dense(2, activation=None), [x(3)]),
    "dense with identity": (lambda C: C.layers.Dense(2, activation=C.layers.identity), [x(3)]),
    "dense, uniform": (lambda C: C.layers.Dense(2, init=C.uniform(0.2)), [x(3)]),
    "dense, truncated normal": (
        lambda C: C.layers.Dense(2, init=C.truncated_normal(0.2, seed=7)),
        [x(3)],
    ),
    "dense, glorot normal": (lambda C: C.layers.Dense((2, 3), init=C.glorot_normal()), [x(3, 2)]),
    "dense of large random weights": (
        lambda C: C.layers.Dense(60, init=C.glorot_uniform()),
        [x(40)],
    ),
    "dense in double": (
        with_defaults(lambda C: {"dtype": np.float64}, lambda C: C.layers.Dense(2)),
        [lambda C: C.input_variable(3, np.float64, True, name="x")],
    ),
    "dense by default options": (
        with_defaults(lambda C: {"activation": C.relu, "bias": False}, lambda C: C.layers.Dense(2)),
        [x(3)],
    ),
    "defaults for one layer": (options_for_one, [x(2, 3)]),
    "defaults in defaults": (nested_options, [x(3)]),
    "embedding": (lambda C: C.layers.Embedding(5), [x(3)]),
    "embedding of a shape": (lambda C: C.layers.Embedding((5, 2), init=C.he_normal()), [x(3)]),
    "embedding of sparse rows": (lambda C: C.layers.Embedding(5, name="embed"), [x(6, **WORDS)]),
    "embedding of words": (lambda C: C.layers.Embedding(5), [s(6, **WORDS)]),
    "embedding begun with numbers": (
        lambda C: C.layers.Embedding(init=TABLE.tolist(), shape=2),
        [x(3)],
    ),
    "embedding given": (lambda C: C.layers.Embedding(weights=TABLE), [x(3)]),
    "embedding given as a list": (
        lambda C: C.layers.Embedding(weights=TABLE.tolist()),
        [s(3, **WORDS)],
    ),
    "embedding by default options": (
        with_defaults(lambda C: {"init": C.normal(0.1)}, lambda C: C.layers.Embedding(2)),
        [x(3)],
    ),
    "activation": (lambda C: C.layers.Activation(C.tanh), [x(3)]),
    "activation by default": (
        with_defaults(lambda C: {"activation": C.relu}, lambda C: C.layers.Activation(name="act")),
        [x(3)],
    ),
    "activation of nothing": (lambda C: C.layers.Activation(), [x(3)]),
    "dropout": (lambda C: C.layers.Dropout(0.3), [x(3)]),
    "dropout of none": (lambda C: C.layers.Dropout(0), [x(3)]),
    "dropout by what is kept": (lambda C: C.layers.Dropout(keep_prob=0.75, name="kept"), [s(8)]),
    "dropout with a seed": (lambda C: C.layers.Dropout(0.5, seed=5), [x(20)]),
    "label": (lambda C: C.layers.Label("here"), [x(3)]),
    "identity": (lambda C: C.layers.identity, [x(3)]),
    "stabilizer": (lambda C: C.layers.Stabilizer(steepness=2), [x(3)]),
    "stabilizer, named": (lambda C: C.layers.Stabilizer(name="stable"), [s(3, 2)]),
    "stabilizer switched off": (
        lambda C: C.layers.Stabilizer(enable_self_stabilization=False),
        [x(3)],
    ),
    "layer normalization": (
        lambda C: C.layers.LayerNormalization(initial_scale=2, initial_bias=0.5),
        [x(3, 4)],
    ),
    "layer normalization of vectors": (
        lambda C: C.layers.LayerNormalization(epsilon=0.1, name="ln"),
        [x(5)],
    ),
    "layer normalization of frames": (lambda C: C.layers.LayerNormalization(), [s(5)]),
    "batch normalization": (lambda C: C.layers.BatchNormalization(init_scale=2), [x(3, 4)]),
    "batch normalization of channels": (
        lambda C: C.layers.BatchNormalization(map_rank=1),
        [x(3, 4)],
    ),
    "batch normalization of images": (
        lambda C: C.layers.BatchNormalization(
            map_rank=1, normalization_time_constant=10, epsilon=0.1, name="bn"
        ),
        [x(2, 3, 4)],
    ),
    "batch normalization of frames": (
        lambda C: C.layers.BatchNormalization(use_cntk_engine=True, disable_regularization=True),
        [s(3)],
    ),
    "batch normalization, cumulative": (
        lambda C: C.layers.BatchNormalization(normalization_time_constant=-1),
        [x(3)],
    ),
    "batch normalization by default options": (
        with_defaults(
            lambda C: {"map_rank": 1, "epsilon": 0.01}, lambda C: C.layers.BatchNormalization()
        ),
        [x(2, 3)],
    ),
}
