"""Wrong calls of layers."""

from __future__ import annotations

import numpy as np

import cntk as C
from cntk import layers as L
from tests.wrong_calls.checker import Wrong, wrong
from tests.wrong_calls.nodes import something

ARRAY = np.ones((2, 3))
NAN, INFINITE = float("nan"), float("inf")
SHAPED = ("Dense", "Embedding", "LSTM", "GRU", "RNNStep")
WINDOWED = {
    "Convolution": lambda **k: L.Convolution((3, 3), 2, **k),
    "Convolution1D": lambda **k: L.Convolution1D(3, 2, **k),
    "Convolution2D": lambda **k: L.Convolution2D((3, 3), 2, **k),
    "Convolution3D": lambda **k: L.Convolution3D((3, 3, 3), 2, **k),
    "SequentialConvolution": lambda **k: L.SequentialConvolution((3,), 2, **k),
    "ConvolutionTranspose": lambda **k: L.ConvolutionTranspose((3, 3), 2, **k),
    "ConvolutionTranspose1D": lambda **k: L.ConvolutionTranspose1D(3, 2, **k),
    "ConvolutionTranspose2D": lambda **k: L.ConvolutionTranspose2D((3, 3), 2, **k),
    "ConvolutionTranspose3D": lambda **k: L.ConvolutionTranspose3D((3, 3, 3), 2, **k),
}
POOLING = {
    "MaxPooling": lambda **k: L.MaxPooling((2, 2), **k),
    "AveragePooling": lambda **k: L.AveragePooling((2, 2), **k),
    "MaxUnpooling": lambda **k: L.MaxUnpooling((2, 2), **k),
}
RECURRENT = {
    "Recurrence": lambda **k: L.Recurrence(L.GRU(2), **k),
    "Fold": lambda **k: L.Fold(C.plus, **k),
    "RecurrenceFrom": lambda **k: L.RecurrenceFrom(L.GRU(2), **k),
}


def one(make, **argument):  # noqa: ANN001, ANN003, ANN201
    """A call of a layer with one wrong argument."""
    return lambda v: make(**argument)


ROWS: list[Wrong] = [
    # Sizes: no number at all, none that is an integer, and none that anything has.
    *(wrong(n, one(getattr(L, n), shape=s), "shape", error=TypeError) for n in SHAPED for s in ("2", 2.5, NAN, [None], {"a": 1})),
    *(wrong(n, one(getattr(L, n), shape=s), "shape", error=ValueError) for n in SHAPED for s in (-1, 2**70)),
    *(wrong(n, lambda v, n=n: getattr(L, n)(v.x), "made first", error=KeyError) for n in SHAPED),
    wrong("Dense", one(L.Dense, shape=()), "at least one axis", error=ValueError),
    wrong("Embedding", one(L.Embedding), "shape", "weights", error=ValueError),
    wrong("Embedding", one(L.Embedding, weights=[[1], [1, 2]]), "weights", "list", error=TypeError),
    wrong("LSTM", one(L.LSTM, shape=(2, 3)), "rank-1", error=ValueError),
    wrong("GRU", one(L.GRU, shape=2, cell_shape=3), "cell_shape", "leave it out", error=ValueError),
    # First values: no numbers, or numbers that do not fit.
    *(wrong(n, one(getattr(L, n), shape=2, init=i), "init", error=NotImplementedError)
      for n in SHAPED for i in ("x", lambda: 0, {}, [[1], [1, 2]])),
    *(wrong(n, one(m, init=i), "init", error=NotImplementedError) for n, m in WINDOWED.items() for i in ("x", something())),
    *(wrong(n, one(m, init=ARRAY), "init", r"\[2 x 3\]", "glorot_uniform", error=ValueError)
      for n, m in WINDOWED.items() if n in ("Convolution", "Convolution2D", "Convolution3D")),
    *(wrong(n, one(m, init_bias="x"), "init_bias", error=NotImplementedError) for n, m in WINDOWED.items()),
    wrong("Dense", one(L.Dense, shape=2, init_bias=[1, 2, 3]), "init_bias", r"\(3,\)", error=ValueError),
    wrong("BatchNormalization", one(L.BatchNormalization, init_scale="x"), "init_scale", error=NotImplementedError),
    wrong("LayerNormalization", one(L.LayerNormalization, initial_bias="x"), "initial_bias", error=NotImplementedError),
    # Activations: nothing that is called, or with another number of arguments.
    *(wrong(n, one(m, activation=a), "activation", "cntk.relu", error=TypeError) for n, m in WINDOWED.items()
      for a in ("relu", 3)),
    *(wrong(n, one(getattr(L, n), shape=2, activation=lambda: 0), "activation", "another number", error=TypeError)
      for n in SHAPED if n != "Embedding"),
    wrong("Activation", one(L.Activation, activation=3), "activation", "got 3", error=TypeError),
    # Flags that are neither true nor false.
    *(wrong(n, one(m, bias=ARRAY), "bias", "True or False", "array", error=ValueError) for n, m in WINDOWED.items()),
    *(wrong(n, one(getattr(L, n), shape=2, enable_self_stabilization=ARRAY), "True or False", error=ValueError)
      for n in ("LSTM", "GRU", "RNNStep")),
    *(wrong(n, one(m, **{flag: ARRAY}), flag, "True or False", error=ValueError)
      for n, m in RECURRENT.items() for flag in ("go_backwards", "return_full_state")),
    wrong("Dense", one(L.Dense, shape=2, bias=ARRAY), "bias", "array", error=ValueError),
    wrong("LSTM", one(L.LSTM, shape=2, use_peepholes=ARRAY), "use_peepholes", error=ValueError),
    wrong("Convolution", one(WINDOWED["Convolution"], sequential=ARRAY), "sequential", error=ValueError),
    wrong("BatchNormalization", one(L.BatchNormalization, disable_regularization=ARRAY), "True or False", error=ValueError),
    wrong("Stabilizer", one(L.Stabilizer, enable_self_stabilization=ARRAY), "True or False", error=ValueError),
    # Windows: one value for each axis, or for all.
    *(wrong(n, one(m, strides=s), "strides", error=ValueError) for n, m in (WINDOWED | POOLING).items() for s in (0, "x", 2**70)),
    *(wrong(n, one(m, pad=p), "pad", error=ValueError) for n, m in (WINDOWED | POOLING).items() for p in ("x", None, ARRAY)),
    *(wrong(n, one(m, strides=(1, 1, 1, 1, 1)), "strides", "single value", error=ValueError) for n, m in POOLING.items()),
    *(wrong(n, one(m, dilation=d), "dilation", error=ValueError) for n, m in WINDOWED.items() for d in (0, 1.5)),
    *(wrong(n, one(m, reduction_rank=r), "reduction_rank", "0 or 1", error=NotImplementedError)
      for n, m in WINDOWED.items() for r in (2, None, ARRAY)),
    wrong("Convolution", lambda v: L.Convolution((), 2), "filter_shape", "axis", error=ValueError),
    wrong("Convolution2D", lambda v: L.Convolution2D((3, 3, 3), 2), "filter_shape", "2 elements", error=ValueError),
    wrong("Convolution", lambda v: L.Convolution(3, (2, 2)), "num_filters", "scalar", error=ValueError),
    wrong("Convolution", one(WINDOWED["Convolution"], groups=2), "groups 2", "cntk.convolution", error=ValueError),
    wrong("Convolution", one(WINDOWED["Convolution"], transpose_weight=True), "ConvolutionTranspose", error=NotImplementedError),
    wrong("Convolution", one(WINDOWED["Convolution"], max_temp_mem_size_in_samples="x"), "integer", error=TypeError),
    wrong("GlobalMaxPooling", one(L.GlobalMaxPooling, name=3), "name", "got 3", error=NotImplementedError),
    wrong("GlobalAveragePooling", one(L.GlobalAveragePooling, name=3), "name", error=NotImplementedError),
    # Numbers.
    *(wrong("Dropout", one(L.Dropout, dropout_rate=r), "dropout_rate", error=ValueError) for r in (1, 1.5, -0.1, NAN)),
    wrong("Dropout", one(L.Dropout, dropout_rate="x"), "dropout_rate", "'x'", error=TypeError),
    wrong("Dropout", one(L.Dropout, keep_prob=0), "keep_prob", error=ValueError),
    wrong("Dropout", one(L.Dropout), "dropout_rate", "keep_prob", error=ValueError),
    *(wrong("Dropout", one(L.Dropout, dropout_rate=0.5, seed=s), "seed", error=ValueError) for s in (NAN, -1, 2**64, "x")),
    *(wrong("Dense", one(L.Dense, shape=2, **{r: n}), r, error=ValueError)
      for r in ("input_rank", "map_rank") for n in (-1, NAN, INFINITE, 2**70, "x")),
    *(wrong("BatchNormalization", one(L.BatchNormalization, **{a: b}), a, "number", error=TypeError)
      for a in ("normalization_time_constant", "blend_time_constant", "epsilon") for b in (None, "x")),
    wrong("BatchNormalization", one(L.BatchNormalization, map_rank=2), "map_rank", error=NotImplementedError),
    wrong("BatchNormalization", one(L.BatchNormalization, map_rank=ARRAY), "map_rank", error=NotImplementedError),
    wrong("LayerNormalization", one(L.LayerNormalization, epsilon=-1), "epsilon", "at least 0", error=ValueError),
    *(wrong("Stabilizer", one(L.Stabilizer, steepness=s), "steepness", error=ValueError) for s in (0, -1, 2**70, "x")),
    wrong("Label", one(L.Label, name=3), "name", "string", error=TypeError),
    # Sequences.
    *(wrong("Delay", one(L.Delay, T=t), "T", error=ValueError) for t in (NAN, 2**70, "x")),
    wrong("Delay", lambda v: L.Delay(1, "x")(v.s), "initial_state", "'x'", error=NotImplementedError),
    *(wrong("PastValueWindow", lambda v, w=w: L.PastValueWindow(w, -2), "window_size", error=ValueError)
      for w in (0, 2**70, "x")),
    *(wrong(n, lambda v, n=n: getattr(L, n)("x"), "step", "'x'", error=TypeError) for n in RECURRENT),
    *(wrong(n, one(m, name=ARRAY), "name", error=NotImplementedError) for n, m in RECURRENT.items()),
    wrong("Recurrence", lambda v: L.Recurrence(L.LSTM(2), initial_state=(0, 0, 0))(v.s), "initial states", error=TypeError),
    wrong("Fold", lambda v: L.Fold(C.plus, initial_state="x")(v.s), "initial_state", error=NotImplementedError),
    wrong("UnfoldFrom", one(L.UnfoldFrom, generator_function=3), "generator_function|generator", "got 3", error=TypeError),
    wrong("UnfoldFrom", one(L.UnfoldFrom, generator_function=lambda: 0), "another number", error=TypeError),
    wrong("UnfoldFrom", one(L.UnfoldFrom, generator_function=C.relu, until_predicate=3), "until_predicate", error=TypeError),
    wrong("UnfoldFrom", one(L.UnfoldFrom, generator_function=C.relu, length_increase=NAN), "length_increase", error=ValueError),
    wrong("AttentionModel", one(L.AttentionModel, attention_dim="x"), "attention_dim", error=TypeError),
    wrong("AttentionModel", one(L.AttentionModel, attention_dim=4, attention_span=3), "attention_axis", error=ValueError),
    wrong("AttentionModel", one(L.AttentionModel, attention_dim=4, go_backwards=ARRAY), "go_backwards", error=ValueError),
    # Layers of layers.
    wrong("Sequential", lambda v: L.Sequential([3]), "Dense", "got 3", error=TypeError),
    wrong("Sequential", lambda v: L.Sequential([L.Dense(2)], name=ARRAY), "name", error=NotImplementedError),
    wrong("SequentialClique", lambda v: L.SequentialClique([]), "Dense", error=TypeError),
    wrong("SequentialClique", lambda v: L.SequentialClique(3), "brackets", error=TypeError),
    wrong("ResNetBlock", lambda v: L.ResNetBlock("x"), "Dense", error=TypeError),
    wrong("For", lambda v: L.For(3, lambda i: L.Dense(i)), "what_range", "got 3", error=TypeError),
    wrong("For", lambda v: L.For(range(2), L.Dense(2)), "constructor", "lambda", error=TypeError),
    wrong("For", lambda v: L.For(range(2), lambda: 3), "layer", "3", error=TypeError),
    wrong("ForwardDeclaration", lambda v: L.ForwardDeclaration(3), "name", error=NotImplementedError, named="placeholder"),
    wrong("typing.Tensor", lambda v: C.layers.typing.Tensor["x"], "shape", "integer", error=ValueError, named="shape"),
    wrong("typing.SparseTensor", lambda v: C.layers.typing.SparseTensor[INFINITE], "integer", error=ValueError, named="shape"),
    wrong("typing.SequenceOver", lambda v: C.layers.typing.SequenceOver["x"][C.layers.typing.Tensor[1]], "Axis", error=TypeError),
    # Default options.
    wrong("default_options_for", lambda v: C.default_options_for(3, bias=False).__enter__(), "cntk.layers.Dense",
      error=TypeError),
    wrong("get_default_override", lambda v: C.get_default_override("x", bias=1), "function or a class", error=ValueError),
    wrong("get_default_override", lambda v: C.get_default_override(L.Dense), "one argument", error=TypeError),
    wrong("set_global_option", lambda v: C.set_global_option([], 1), "key", "string", error=TypeError),
    wrong("get_global_option", lambda v: C.get_global_option({}, 1), "key", "string", error=TypeError),
    # Initial values.
    *(wrong(n, lambda v, n=n, a=a: getattr(C.initializer, n)(**a), *a, error=NotImplementedError)
      for n in ("glorot_normal", "glorot_uniform", "he_normal", "he_uniform", "xavier")
      for a in ({"scale": "x"}, {"output_rank": 1.5}, {"filter_rank": None}, {"seed": "x"}, {"seed": ARRAY}, {"scale": ARRAY})),
    *(wrong(n, lambda v, n=n: getattr(C.initializer, n)(None), "number", error=NotImplementedError)
      for n in ("normal", "uniform", "truncated_normal")),
    wrong("bilinear", lambda v: C.initializer.bilinear(3, "x"), "kernel_height", error=ValueError),
    wrong("initializer_with_rank", lambda v: C.initializer.initializer_with_rank("x"), "initializer", error=TypeError),
    wrong("initializer_with_rank", lambda v: C.initializer_with_rank(C.glorot_uniform(2, 1), 2), "override", error=ValueError),
    wrong("parameter", lambda v: C.parameter(2, init=lambda: 0), "numbers", error=NotImplementedError),
]  # fmt: skip
