"""Errors of layers about sizes, shapes and values: each names the layer, what came, and what to do
instead.
"""

from __future__ import annotations

import numpy as np
import pytest

import cntk as C
from cntk.layers import (
    GRU,
    LSTM,
    Activation,
    AttentionModel,
    AveragePooling,
    BatchNormalization,
    Convolution,
    Convolution1D,
    Convolution2D,
    Convolution3D,
    ConvolutionTranspose,
    ConvolutionTranspose2D,
    Delay,
    Dense,
    Dropout,
    Embedding,
    GlobalAveragePooling,
    GlobalMaxPooling,
    Label,
    LayerNormalization,
    MaxPooling,
    MaxUnpooling,
    PastValueWindow,
    RNNStep,
    SequentialConvolution,
    Stabilizer,
)
from tests.layers.misuse import IMAGE, NUMBER, Misuse, X, check

SIZES = {
    "Dense": Misuse(lambda: Dense(-1), ValueError, ("Dense: shape", "at least 0", "-1")),
    "Dense, half": Misuse(
        lambda: Dense(2.5), TypeError, ("Dense: shape", "integer or a tuple of integers", "2.5")
    ),
    "Dense, text": Misuse(lambda: Dense("ten"), TypeError, ("Dense: shape", "integer", "'ten'")),
    "Dense on a variable": Misuse(
        lambda: Dense(X), TypeError, ("Dense: shape", "'vector'", r"Dense\(10\)\(x\)")
    ),
    "Dense, input_rank": Misuse(
        lambda: Dense(3, input_rank=-1), ValueError, ("Dense: input_rank", "at least 0", "-1")
    ),
    "Dense, map_rank": Misuse(
        lambda: Dense(3, map_rank=1)(X), ValueError, (r"\(1\)", "smaller", "'vector'", "Dense")
    ),
    "Dense, ranks": Misuse(
        lambda: Dense(3, input_rank=1, map_rank=1), ValueError, ("Dense", "at the same time")
    ),
    "Embedding": Misuse(
        lambda: Embedding(-3), ValueError, ("Embedding: shape", "at least 0", "-3")
    ),
    "Embedding of nothing": Misuse(
        Embedding, ValueError, ("Embedding", "must be specified", "weights")
    ),
    "Embedding of a scalar": Misuse(
        lambda: Embedding(2)(NUMBER), ValueError, ("'number'", "0 axes", "inside Embedding")
    ),
    "LSTM": Misuse(lambda: LSTM(0), ValueError, ("LSTM: shape", "at least 1", "got 0")),
    "LSTM of a matrix": Misuse(
        lambda: LSTM((2, 3)), ValueError, ("LSTM: shape", "vectors", r"\(2, 3\)")
    ),
    "LSTM, cell": Misuse(
        lambda: LSTM(3, cell_shape=(2, 2)), ValueError, ("LSTM", "cell_shape", r"\(2, 2\)")
    ),
    "GRU, cell": Misuse(
        lambda: GRU(3, cell_shape=4), ValueError, ("GRU: cell_shape", "3, got 4", "leave it out")
    ),
    "RNNStep": Misuse(lambda: RNNStep(-4), ValueError, ("RNNStep: shape", "at least 1", "-4")),
    "Convolution": Misuse(
        lambda: Convolution((-3, 3), 2),
        ValueError,
        ("Convolution: filter_shape", "at least 1", "-3"),
    ),
    "Convolution, filters": Misuse(
        lambda: Convolution((3, 3), 0), ValueError, ("Convolution: num_filters", "got 0")
    ),
    "Convolution, strides": Misuse(
        lambda: Convolution((3, 3), 2, strides=(1, 1, 1)),
        ValueError,
        ("Convolution: strides", r"\(1, 1, 1\)", "single value or have one for each axis"),
    ),
    "Convolution, no stride": Misuse(
        lambda: Convolution((3, 3), 2, strides=0),
        ValueError,
        ("Convolution: strides", "at least 1", "0"),
    ),
    "Convolution, dilation": Misuse(
        lambda: Convolution2D(3, 2, dilation=0),
        ValueError,
        ("Convolution2D: dilation", "at least 1"),
    ),
    "Convolution, pad": Misuse(
        lambda: Convolution((3, 3), 2, pad="same"),
        TypeError,
        ("Convolution: pad", "True or False", "'same'"),
    ),
    "Convolution1D": Misuse(
        lambda: Convolution1D((2, 3)),
        ValueError,
        ("Convolution1D: filter_shape", "1 elements", "2, 3"),
    ),
    "Convolution3D": Misuse(
        lambda: Convolution3D((2, 3)),
        ValueError,
        ("Convolution3D: filter_shape", "scalar or", "2, 3"),
    ),
    "Convolution of a vector": Misuse(
        lambda: Convolution((3, 3), 2)(X),
        ValueError,
        ("Convolution", "'vector'", "one axis more than the operand", r"\[3\]"),
    ),
    "Convolution, too large": Misuse(
        lambda: Convolution((9, 9), 2)(IMAGE),
        ValueError,
        ("Convolution", "9 long", "only 5", "pad", "'image'"),
    ),
    "Convolution, reduction_rank": Misuse(
        lambda: Convolution((3, 3), reduction_rank=2),
        NotImplementedError,
        ("Convolution: reduction_rank", "got 2", "reshape"),
    ),
    "Convolution, groups": Misuse(
        lambda: Convolution((3, 3), 4, groups=2),
        ValueError,
        ("Convolution: groups 2", "use cntk.convolution"),
    ),
    "Convolution, transposed": Misuse(
        lambda: Convolution((3, 3), transpose_weight=True),
        NotImplementedError,
        ("Convolution: transpose_weight", "ConvolutionTranspose"),
    ),
    "Convolution along the sequence": Misuse(
        lambda: Convolution(3, 4, sequential=True)(X),
        ValueError,
        ("Convolution", "sequence axis", "sequence.input_variable"),
    ),
    "Convolution along the sequence, strides": Misuse(
        lambda: Convolution(3, 4, sequential=True, strides=2),
        NotImplementedError,
        ("strides", "use SequentialConvolution"),
    ),
    "SequentialConvolution": Misuse(
        lambda: SequentialConvolution(3, 2)(X),
        ValueError,
        ("Convolution", "'vector'", "sequence axis"),
    ),
    "ConvolutionTranspose": Misuse(
        lambda: ConvolutionTranspose((3, 0), 2),
        ValueError,
        ("ConvolutionTranspose: filter_shape", "at least 1", "3, 0"),
    ),
    "ConvolutionTranspose, filters": Misuse(
        lambda: ConvolutionTranspose((3, 3), None),
        TypeError,
        ("ConvolutionTranspose: num_filters", "integer", "None"),
    ),
    "ConvolutionTranspose, two numbers of filters": Misuse(
        lambda: ConvolutionTranspose((3, 3), (2, 3)),
        ValueError,
        ("ConvolutionTranspose: num_filters", "scalar", r"2, 3"),
    ),
    "ConvolutionTranspose, output": Misuse(
        lambda: ConvolutionTranspose2D(3, 2, output_shape=(3, 3))(IMAGE),
        ValueError,
        (
            "Convolution",
            r"output_shape \[2 x 3 x 3\]",
            "'image'",
            "leave output_shape out",
            "inside ConvolutionTranspose",
        ),
    ),
    "MaxPooling": Misuse(
        lambda: MaxPooling((0, 2)), ValueError, ("MaxPooling: filter_shape", "at least 1", "0, 2")
    ),
    "MaxPooling, strides": Misuse(
        lambda: MaxPooling(2, strides=0), ValueError, ("MaxPooling: strides", "at least 1", "0")
    ),
    "MaxPooling of a vector": Misuse(
        lambda: MaxPooling((2, 2))(X),
        ValueError,
        ("more axes than the operand", "'vector'", "fewer", "inside MaxPooling"),
    ),
    "AveragePooling": Misuse(
        lambda: AveragePooling("two"),
        TypeError,
        ("AveragePooling: filter_shape", "integer", "'two'"),
    ),
    "AveragePooling, too large": Misuse(
        lambda: AveragePooling((9, 9))(IMAGE),
        ValueError,
        ("9 long", "only 5", "shorter window", "inside AveragePooling"),
    ),
    "GlobalMaxPooling": Misuse(
        lambda: GlobalMaxPooling()(X),
        ValueError,
        ("axes after the channel axis", "'vector'", "inside GlobalMaxPooling"),
    ),
    "GlobalAveragePooling": Misuse(
        lambda: GlobalAveragePooling()(NUMBER),
        ValueError,
        ("axes after the channel", "'number'", "GlobalAveragePooling"),
    ),
    "MaxUnpooling": Misuse(
        lambda: MaxUnpooling((2, 2), strides=2)(IMAGE, IMAGE),
        ValueError,
        ("Unpooling", r"\[2 x 2 x 3\]", "must be those of the pooling", "inside MaxUnpooling"),
    ),
    "MaxUnpooling of one": Misuse(
        lambda: MaxUnpooling((2, 2))(IMAGE),
        TypeError,
        ("expected 2 arguments, got 1", "its arguments are: x, y"),
    ),
    "PastValueWindow": Misuse(
        lambda: PastValueWindow(0, axis=-2),
        ValueError,
        ("PastValueWindow: window_size", "at least 1", "got 0"),
    ),
    "Delay": Misuse(lambda: Delay(1.5), TypeError, ("Delay: T", "integer", "1.5")),
    "AttentionModel": Misuse(
        lambda: AttentionModel(-3),
        ValueError,
        ("AttentionModel: attention_dim", "at least 1", "-3"),
    ),
    "AttentionModel, span": Misuse(
        lambda: AttentionModel(3, attention_span=2),
        ValueError,
        ("AttentionModel: attention_axis", "give both or neither"),
    ),
    "AttentionModel, axis": Misuse(
        lambda: AttentionModel(3, attention_axis=-3),
        ValueError,
        ("AttentionModel: attention_span", "both or neither"),
    ),
}

VALUES = {
    "activation": Misuse(
        lambda: Dense(3, activation="relu"),
        TypeError,
        ("Dense: activation", "'relu'", "give cntk.relu"),
    ),
    "unknown activation": Misuse(
        lambda: LSTM(3, activation="rleu"),
        TypeError,
        ("LSTM: activation", "'rleu'", "a function such as cntk.relu"),
    ),
    "activation, number": Misuse(
        lambda: Activation(3), TypeError, ("Activation: activation", "function", "got 3")
    ),
    "activation of two": Misuse(
        lambda: Convolution(3, 2, activation=C.plus),
        TypeError,
        ("Convolution: activation", "one argument", "plus takes"),
    ),
    "activation of nothing": Misuse(
        lambda: GRU(3, activation=lambda v: None),
        TypeError,
        ("activation <lambda>", "must return", "cntk.relu", "None"),
    ),
    "init": Misuse(
        lambda: Dense(3, init="glorot"),
        TypeError,
        ("Dense: init", r"glorot_uniform\(\)", "'glorot'"),
    ),
    "init, none": Misuse(
        lambda: RNNStep(3, init=None),
        ValueError,
        ("RNNStep: init must not be None", "glorot_uniform"),
    ),
    "init, shape": Misuse(
        lambda: Dense(3, init=np.ones((5, 3)))(X),
        ValueError,
        (r"\[5", "'vector'", "must agree", "inside Dense"),
    ),
    "init_bias": Misuse(
        lambda: Dense(3, init_bias=np.ones(5)),
        ValueError,
        ("Dense: init_bias", r"\(5,\)", r"\(3,\)", "or a number"),
    ),
    "init_bias of an LSTM": Misuse(
        lambda: LSTM(3, init_bias=[1, 2]),
        ValueError,
        ("LSTM: init_bias", r"\(2,\)", r"\(12,\)", "or a number"),
    ),
    "weights": Misuse(
        lambda: Embedding(weights=[[1, 2], [3]]),
        TypeError,
        ("Embedding: weights", "vectors of one size", "give shape and init"),
    ),
    "weights and shape": Misuse(
        lambda: Embedding(2, weights=np.ones((3, 2))),
        ValueError,
        ("Embedding", "shape must not be", "weights"),
    ),
    "weights of another vocabulary": Misuse(
        lambda: Embedding(weights=np.ones((5, 2)))(X),
        ValueError,
        ("'vector'", r"\[5", "must agree", "inside Embedding"),
    ),
    "dropout": Misuse(
        lambda: Dropout(1.5), ValueError, ("Dropout: dropout_rate", r"\[0,1\)", "1.5")
    ),
    "dropout, kept": Misuse(
        lambda: Dropout(keep_prob=0), ValueError, ("Dropout: keep_prob", r"\(0,1\]", "got 0")
    ),
    "dropout, text": Misuse(
        lambda: Dropout("half"), TypeError, ("Dropout: dropout_rate", "number", "'half'")
    ),
    "dropout, both": Misuse(lambda: Dropout(0.5, 0.5), ValueError, ("Dropout", "at the same time")),
    "dropout, neither": Misuse(
        Dropout, ValueError, ("Dropout", "either dropout_rate or keep_prob")
    ),
    "dropout, seed": Misuse(
        lambda: Dropout(0.5, seed="a"), TypeError, ("Dropout: seed", "integer", "'a'")
    ),
    "label": Misuse(lambda: Label(3), TypeError, ("Label: name", "string", "got 3")),
    "epsilon": Misuse(
        lambda: BatchNormalization(epsilon=-1),
        ValueError,
        ("BatchNormalization: epsilon", "at least 0", "-1"),
    ),
    "map_rank": Misuse(
        lambda: BatchNormalization(map_rank=2),
        NotImplementedError,
        ("BatchNormalization map_rank", "1 or None"),
    ),
    "scale": Misuse(
        lambda: LayerNormalization(initial_scale="a"),
        TypeError,
        ("LayerNormalization: initial_scale", "number", "'a'"),
    ),
    "channels of a scalar": Misuse(
        lambda: BatchNormalization(map_rank=1)(NUMBER),
        ValueError,
        ("BatchNormalization", "static axis", "'number'"),
    ),
    "steepness": Misuse(
        lambda: Stabilizer(steepness=0), ValueError, ("Stabilizer: steepness", "above 0", "got 0")
    ),
    "data of no known type": Misuse(
        lambda: Dense(3)([[1, 2]]),
        ValueError,
        ("call of Dense", "'x' is not known", "update_signature", "input_variable"),
    ),
    "nothing": Misuse(lambda: Dense(3)(None), TypeError, ("call of Dense", "'x' is None")),
    "data and variables": Misuse(
        lambda: MaxUnpooling(2)(IMAGE, [[1]]),
        TypeError,
        ("call of MaxUnpooling", "'y' is data", "cntk.constant"),
    ),
}


@pytest.mark.parametrize("name", SIZES)
def test_sizes_and_shapes_are_explained(name: str) -> None:
    check(SIZES[name])


@pytest.mark.parametrize("name", VALUES)
def test_values_are_explained(name: str) -> None:
    check(VALUES[name])
