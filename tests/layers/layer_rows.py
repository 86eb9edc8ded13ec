"""One row for each public layer; `test_every_layer.py` asks of each what all layers promise.

The layers that CNTK has are compared with its numbers in the tables of `layer_cases.py` besides.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import cntk as C
from cntk import layers as Y


class Given(NamedTuple):
    """An input: the shape of a sample or a frame, and its sequence axis if it has one."""

    shape: tuple[int, ...]
    axis: str | None = None


def x(*shape: int) -> Given:
    """Samples."""
    return Given(shape)


def s(*shape: int, axis: str = "words") -> Given:
    """Sequences."""
    return Given(shape, axis)


@dataclass(frozen=True)
class LayerCase:
    """A layer and what it is applied to.

    Attributes:
        layer: its name in `cntk.layers`.
        build: called with a name in the graph; returns the layer.
        inputs: what the layer is applied to.
        shape: the shape of a sample or a frame of its first output.
        parameters: names of its parameters, sorted.
        title: the row's name; the layer's unless given.
        named: whether the name that is given lands on the result; if not, `why` says so.
        why: the reason for whatever the row is excused from.
        smooth: whether finite differences of evaluations tell its gradient; if not, `why`.
    """

    layer: str
    build: Callable[[str], Any]
    inputs: tuple[Given, ...]
    shape: tuple[int, ...]
    parameters: tuple[str, ...] = ()
    title: str = ""
    named: bool = True
    why: str = ""
    smooth: bool = True


def _step(size: int) -> Any:
    return Y.RNNStep(size, activation=C.tanh)


RNN = ("H", "W", "b")
AFFINE = ("W", "b")
CASES = (
    LayerCase("Activation", lambda n: Y.Activation(C.tanh, name=n), (x(3),), (3,)),
    LayerCase(
        "AttentionModel",
        lambda n: Y.AttentionModel(4, name=n),
        (s(3, axis="source"), s(2)),
        (3,),
        ("W", "W", "W", "alpha", "alpha", "alpha", "alpha"),
    ),
    LayerCase(
        "AveragePooling", lambda n: Y.AveragePooling((2, 2), name=n), (x(2, 3, 4),), (2, 2, 3)
    ),
    LayerCase(
        "BatchNormalization",
        lambda n: Y.BatchNormalization(map_rank=1, name=n),
        (x(2, 3, 4),),
        (2, 3, 4),
        ("bias", "scale"),
        smooth=False,
        why="evaluation takes the running mean, gradients that of the minibatch",
    ),
    LayerCase(
        "BiRecurrence",
        lambda n: Y.BiRecurrence(_step(2), name=n),
        (s(3),),
        (4,),
        ("H", "H", "W", "W", "b", "b"),
    ),
    LayerCase(
        "Convolution",
        lambda n: Y.Convolution((2, 3), 4, name=n),
        (x(2, 3, 5),),
        (4, 2, 3),
        AFFINE,
    ),
    LayerCase("Convolution1D", lambda n: Y.Convolution1D(3, 4, name=n), (x(2, 5),), (4, 3), AFFINE),
    LayerCase(
        "Convolution2D",
        lambda n: Y.Convolution2D((2, 3), 4, name=n),
        (x(2, 3, 5),),
        (4, 2, 3),
        AFFINE,
    ),
    LayerCase(
        "Convolution3D",
        lambda n: Y.Convolution3D(2, 3, name=n),
        (x(2, 2, 3, 4),),
        (3, 1, 2, 3),
        AFFINE,
    ),
    LayerCase(
        "ConvolutionTranspose",
        lambda n: Y.ConvolutionTranspose((2, 3), 4, name=n),
        (x(2, 3, 5),),
        (4, 4, 7),
        AFFINE,
    ),
    LayerCase(
        "ConvolutionTranspose1D",
        lambda n: Y.ConvolutionTranspose1D(3, 4, name=n),
        (x(2, 5),),
        (4, 7),
        AFFINE,
    ),
    LayerCase(
        "ConvolutionTranspose2D",
        lambda n: Y.ConvolutionTranspose2D((2, 3), 4, name=n),
        (x(2, 3, 5),),
        (4, 4, 7),
        AFFINE,
    ),
    LayerCase(
        "ConvolutionTranspose3D",
        lambda n: Y.ConvolutionTranspose3D(2, 3, name=n),
        (x(2, 2, 3, 4),),
        (3, 3, 4, 5),
        AFFINE,
    ),
    LayerCase("Delay", lambda n: Y.Delay(2, initial_state=0.4, name=n), (s(3),), (3,)),
    LayerCase(
        "Dense", lambda n: Y.Dense((4, 2), activation=C.tanh, name=n), (x(3),), (4, 2), AFFINE
    ),
    LayerCase(
        "Dropout",
        lambda n: Y.Dropout(0.3, name=n),
        (x(3),),
        (3,),
        smooth=False,
        why="training drops what evaluation keeps",
    ),
    LayerCase("Embedding", lambda n: Y.Embedding(4, name=n), (s(3),), (4,), ("E",)),
    LayerCase("Fold", lambda n: Y.Fold(_step(4), name=n), (s(3),), (4,), RNN),
    LayerCase(
        "For",
        lambda n: Y.For(range(2), lambda i: Y.Dense(i + 3), name=n),
        (x(2),),
        (4,),
        ("W", "W", "b", "b"),
    ),
    LayerCase("GRU", lambda n: Y.GRU(4, name=n), (x(4), x(3)), (4,), ("H", "H1", "W", "b")),
    LayerCase(
        "GlobalAveragePooling", lambda n: Y.GlobalAveragePooling(name=n), (x(2, 3, 4),), (2, 1, 1)
    ),
    LayerCase("GlobalMaxPooling", lambda n: Y.GlobalMaxPooling(name=n), (x(2, 3, 4),), (2, 1, 1)),
    LayerCase("LSTM", lambda n: Y.LSTM(4, name=n), (x(4), x(4), x(3)), (4,), RNN),
    LayerCase("Label", lambda n: Y.Label(n), (x(3),), (3,)),
    LayerCase(
        "LayerNormalization",
        lambda n: Y.LayerNormalization(name=n),
        (x(5),),
        (5,),
        ("bias", "scale"),
    ),
    LayerCase("MaxPooling", lambda n: Y.MaxPooling((2, 2), name=n), (x(2, 3, 4),), (2, 2, 3)),
    LayerCase(
        "MaxUnpooling",
        lambda n: Y.MaxUnpooling((2, 2), strides=2, name=n),
        (x(2, 2, 3), x(2, 4, 6)),
        (2, 4, 6),
        smooth=False,
        why="as in the original, a window's gradient is the largest of its outputs'",
    ),
    LayerCase(
        "MultiHeadAttention",
        lambda n: Y.MultiHeadAttention(2, 6, name=n),
        (s(5),),
        (6,),
        ("Wo", "Wqkv", "bo", "bqkv"),
    ),
    LayerCase("PastValueWindow", lambda n: Y.PastValueWindow(3, axis=-2, name=n), (s(2),), (3, 2)),
    LayerCase(
        "PositionalEmbedding", lambda n: Y.PositionalEmbedding(9, 3, name=n), (s(3),), (3,), ("E",)
    ),
    LayerCase("PositionalEncoding", lambda n: Y.PositionalEncoding(name=n), (s(4),), (4,)),
    LayerCase(
        "RNNStep", lambda n: Y.RNNStep(4, activation=C.tanh, name=n), (x(4), x(3)), (4,), RNN
    ),
    LayerCase(
        "RNNUnit", lambda n: Y.RNNUnit(4, activation=C.tanh, name=n), (x(4), x(3)), (4,), RNN
    ),
    LayerCase("Recurrence", lambda n: Y.Recurrence(_step(4), name=n), (s(3),), (4,), RNN),
    LayerCase(
        "RecurrenceFrom", lambda n: Y.RecurrenceFrom(_step(4), name=n), (x(4), s(3)), (4,), RNN
    ),
    LayerCase("ResNetBlock", lambda n: Y.ResNetBlock(Y.Dense(3), name=n), (x(3),), (3,), AFFINE),
    LayerCase(
        "SequenceAttentionPooling",
        lambda n: Y.SequenceAttentionPooling(4, name=n),
        (s(3),),
        (3,),
        ("W", "b", "v"),
    ),
    LayerCase("SequenceAveragePooling", lambda n: Y.SequenceAveragePooling(name=n), (s(3),), (3,)),
    LayerCase("SequenceFirst", lambda n: Y.SequenceFirst(name=n), (s(3),), (3,)),
    LayerCase("SequenceLast", lambda n: Y.SequenceLast(name=n), (s(3),), (3,)),
    LayerCase("SequenceMaxPooling", lambda n: Y.SequenceMaxPooling(name=n), (s(3),), (3,)),
    LayerCase(
        "Sequential",
        lambda n: Y.Sequential([Y.Dense(4), C.tanh, Y.Dense(2)], name=n),
        (x(3),),
        (2,),
        ("W", "W", "b", "b"),
    ),
    LayerCase(
        "SequentialClique",
        lambda n: Y.SequentialClique([Y.Dense(3), C.tanh], name=n),
        (x(3),),
        (3,),
        AFFINE,
    ),
    LayerCase(
        "SequentialConvolution",
        lambda n: Y.SequentialConvolution(3, 4, pad=True, name=n),
        (s(2),),
        (4,),
        AFFINE,
    ),
    LayerCase("Stabilizer", lambda n: Y.Stabilizer(name=n), (x(3),), (3,), ("alpha",)),
    LayerCase(
        "TiedProjection",
        lambda n: Y.TiedProjection(Y.Embedding(weights=[[1, 2, 3], [4, 5, 6]]), name=n),
        (x(3),),
        (2,),
        ("b",),
    ),
    LayerCase(
        "TransformerBlock",
        lambda n: Y.TransformerBlock(2, 4, 6, activation=C.tanh, name=n),
        (s(4),),
        (4,),
        ("W", "W", "Wo", "Wqkv", "b", "b", "bias", "bias", "bo", "bqkv", "scale", "scale"),
    ),
    LayerCase(
        "UnfoldFrom",
        lambda n: Y.UnfoldFrom(Y.Dense(3, activation=C.tanh), name=n),
        (x(3), s(1)),
        (3,),
        AFFINE,
    ),
    LayerCase("identity", lambda n: Y.identity, (x(3),), (3,), named=False, why="takes no name"),
)
