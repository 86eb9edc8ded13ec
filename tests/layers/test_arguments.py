"""Layers' arguments: what they refuse, what default options and initial values do, how types are written."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import cntk as C
from cntk.layers import (
    GRU,
    LSTM,
    Convolution,
    Convolution1D,
    Convolution2D,
    ConvolutionTranspose,
    Dense,
    Dropout,
    Embedding,
    Fold,
    For,
    LayerNormalization,
    MaxPooling,
    Recurrence,
    RecurrenceFrom,
    RNNStep,
    RNNUnit,
    Sequential,
    SequentialConvolution,
    Stabilizer,
)
from cntk.layers.typing import ParameterTensor, Sequence, SequenceOver, Signature, SparseTensor, Tensor

IMAGE, WORDS = C.input_variable((2, 6, 7)), C.sequence.input_variable(3)


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: Dense(3, input_rank=1, map_rank=1), ValueError, "cannot be specified at the same time"),
        (lambda: Dense("a"), TypeError, "Dense: shape: expected an integer"),
        (lambda: Dense(3, init=None), ValueError, "Dense: init must not be None"),
        (lambda: Embedding(), ValueError, "output shape must be specified"),
        (lambda: Embedding(2, weights=np.ones((3, 2))), ValueError, "must not be specified when weights"),
        (lambda: Embedding(init=1, weights=np.ones((3, 2))), ValueError, "mutually exclusive"),
        (lambda: Dropout(), ValueError, "either dropout_rate or keep_prob"),
        (lambda: Dropout(0.5, 0.5), ValueError, "at the same time"),
        (lambda: Dropout(1.5), ValueError, "interval"),
        (lambda: Dropout(keep_prob=-0.5), ValueError, "interval"),
        (lambda: Convolution((3, 3), 4, reduction_rank=2), NotImplementedError, "reduction_rank must be 0 or 1"),
        (lambda: Convolution((3, 3), 4, transpose_weight=True), NotImplementedError, "ConvolutionTranspose"),
        (lambda: Convolution((3, 3), 4, groups=2), ValueError, "use cntk.convolution"),
        (lambda: Convolution((3, 3), 4, strides=(1, 1, 1)), ValueError, "strides"),
        (lambda: Convolution((3, 3), (4, 5)), ValueError, "num_filters must be a single number"),
        (lambda: Convolution(3, 4, sequential=True, strides=2), NotImplementedError, "SequentialConvolution"),
        (lambda: Convolution1D((2, 3)), ValueError, "Convolution1D: filter_shape must be a scalar"),
        (lambda: Convolution2D((2, 3, 4)), ValueError, "Convolution2D: filter_shape must be a scalar or have 2"),
        (lambda: ConvolutionTranspose((3, 3), 1, reduction_rank=2), NotImplementedError, "reduction_rank"),
        (lambda: MaxPooling((2, 2), strides=(1, 2, 3)), ValueError, "one for each axis of the filter"),
        (lambda: LSTM((4, 2)), ValueError, "must be vectors"),
        (lambda: For(range(2), Dense(3)), ValueError, "constructor must be a Python function"),
        (lambda: Sequential([3]), TypeError, "expected functions of one argument"),
        (lambda: Recurrence(lambda h, x: h * C.parameter(3) + x), TypeError, "Parameter cannot be created inside"),
        (lambda: Recurrence(lambda h, x: h * IMAGE * x), TypeError, "besides its own arguments"),
        (lambda: Recurrence(lambda h, x: (h, x)), TypeError, "takes 1 states and a frame, and returns 2"),
        (lambda: Recurrence(LSTM(3), initial_state=(1, 2, 3)), ValueError, "3 initial states were given"),
        (lambda: C.layers.AttentionModel(3, attention_span=2), ValueError, "attention_axis cannot be None"),
        (lambda: C.layers.UntestedBranchError("this"), NotImplementedError, "this"),
    ],
)
def test_what_is_refused(make: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        make()


def test_operands_that_do_not_fit() -> None:
    for layer, operand in (
        (Convolution((3, 3), 4), C.input_variable(())),
        (Convolution((3, 3), 4), C.input_variable(28)),
        (MaxPooling((2, 2)), C.input_variable(28)),
        (ConvolutionTranspose((3, 3), 1), C.input_variable(5)),
        (SequentialConvolution(3, 4), IMAGE),
        (Recurrence(RNNStep(4)), C.input_variable(3)),
    ):
        with pytest.raises(ValueError):
            layer(operand)


def test_default_options_reach_layers() -> None:
    with C.default_options(activation=C.relu, bias=False, pad=True):
        dense, convolution = Dense(3)(WORDS), Convolution2D(3, 4)(IMAGE)
    assert [p.name for p in dense.parameters] == ["W"] and dense.root_function.block_root.op_name == "ReLU"
    assert convolution.shape == (4, 6, 7)
    with C.default_options(bias=True), C.layers.default_options_for(Dense, bias=False):
        assert [len(layer.parameters) for layer in (Dense(3), Convolution2D(3, 4))] == [1, 2]
    with C.default_options(init=1, enable_self_stabilization=True):
        gru = Recurrence(GRU(2))(WORDS)
    assert [p.name for p in gru.parameters] == ["b", "W", "H", "alpha", "H1"]
    assert (gru.W.value == 1).all()
    with C.default_options(dtype=np.float64):
        assert {p.dtype for p in Dense(3)(C.input_variable(2)).parameters} == {np.float64}


def test_initial_values_given_as_numbers() -> None:
    weights = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.testing.assert_array_equal(Dense(3, init=weights)(C.input_variable(2)).W.value, weights)
    np.testing.assert_array_equal(Embedding(3, init=weights.tolist()).E.value, weights)
    kernel = SequentialConvolution(3, init=np.array([4, 2, 1]), reduction_rank=0, bias=False).W
    assert kernel.shape == (1, 1, 3)
    assert Convolution((3, 2), 4, init=np.ones((4, 2, 3, 2), np.float32)).W.shape == (4, 2, 3, 2)


def test_a_layer_shares_its_parameters_wherever_it_is_applied() -> None:
    layer = Dense(3)
    first, second = layer(C.input_variable(2)), layer(C.input_variable(2))
    assert layer.W.shape == (2, 3) and first.W is second.W is layer.W
    with pytest.raises(ValueError, match="must agree"):
        layer(C.input_variable(4))


def test_names() -> None:
    model = Sequential([Dense(3, name="first"), Dense(2, name="second")], name="both")(C.input_variable(4))
    assert model.name == "both" and model.first.W.shape == (4, 3) and model.second.W.shape == (3, 2)
    assert Recurrence(RNNStep(2), name="loop")(WORDS).name == "loop"
    assert Fold(LSTM(2), return_full_state=True, name="ends")(WORDS).name == "ends"
    assert Stabilizer(enable_self_stabilization=False) is C.layers.identity
    with pytest.warns(DeprecationWarning, match="RNNStep"):
        RNNUnit(2)


def test_states_that_do_not_reach_the_output_stay_arguments() -> None:
    f = RecurrenceFrom(lambda a, b, c, x: (a + x, b * x, c - x))
    assert [v.name for v in f.arguments] == ["h", "c", "a", "x"]
    recurrence = Recurrence(lambda a, b, x: (a + x, b * x))(C.sequence.input_variable(1))
    np.testing.assert_array_equal(recurrence.eval([[[1], [2], [3]]])[0].ravel(), [1, 3, 6])


def test_layer_normalization_divides_by_deviation_plus_epsilon() -> None:
    x = C.input_variable(4)
    y = LayerNormalization(epsilon=0.5)(x).eval({x: [[1, 2, 3, 4]]})
    np.testing.assert_allclose(y, [np.array([-1.5, -0.5, 0.5, 1.5]) / (np.sqrt(1.25) + 0.5)], rtol=1e-6)


def test_dense_of_short_sequences_in_a_padded_convolution() -> None:
    """Sequences shorter than the window are padded like all others."""
    x = C.sequence.input_variable(1)
    f = SequentialConvolution(3, 1, init=1, pad=True, bias=False)(x)
    values = f.eval({x: [[[1]], [[1], [2]], [[1], [2], [3], [4]]]})
    assert [v.ravel().tolist() for v in values] == [[1], [3, 3], [3, 6, 9, 7]]


def test_types() -> None:
    words = C.Axis("words")
    assert [str(t) for t in (Tensor[3, 4], Tensor[()], SparseTensor[5], ParameterTensor[3])] == [
        "Tensor[3,4]",
        "float",
        "SparseTensor[5]",
        "ParameterTensor[3]",
    ]
    assert str(SequenceOver[words][Tensor[2]]) == "SequenceOver[words][Tensor[2]]"
    assert Sequence[float] == Sequence[Tensor[()]]
    x = C.input_variable(**Sequence[SparseTensor[20]])
    assert (x.shape, x.is_sparse, len(x.dynamic_axes)) == ((20,), True, 2)
    assert C.input_variable(**SequenceOver[words][Tensor[2]]).dynamic_axes[1] == words
    for wrong in (lambda: Sequence[Sequence[Tensor[3]]], lambda: Sequence[3], lambda: SequenceOver[3]):
        with pytest.raises(TypeError):
            wrong()
    layer = Dense(3)
    layer.update_signature(SequenceOver[words][Tensor[4]])
    assert str(layer) == "Dense(x: SequenceOver[words][Tensor[4]]) -> SequenceOver[words][Tensor[3]]"


def test_signature() -> None:
    @C.Function
    @Signature(Tensor[3], y=Tensor[3])
    def product(x: Any, y: Any) -> Any:
        return x * y

    assert product.shape == (3,)
    np.testing.assert_array_equal(product([[1, 2, 3]], [[4, 5, 6]]), [[4, 10, 18]])
    with pytest.raises(TypeError, match="2 types were given for the parameters x"):
        Signature(Tensor[3], Tensor[2])(lambda x: x)


def test_attention_over_a_window() -> None:
    encoded = C.sequence.input_variable(3, sequence_axis=C.Axis("source"))
    decoded = C.sequence.input_variable(2, sequence_axis=C.Axis("target"))
    attend = C.layers.AttentionModel(4, attention_span=3, attention_axis=-3)(encoded, decoded)
    assert attend.shape == (1, 1, 3) and attend.dynamic_axes == decoded.dynamic_axes
    data = {encoded: [np.ones((2, 3), np.float32), np.ones((5, 3), np.float32)]}
    data[decoded] = [np.ones((n, 2), np.float32) for n in (1, 4)]
    values = attend.eval(data)
    assert [v.shape for v in values] == [(1, 1, 1, 3), (4, 1, 1, 3)]
    np.testing.assert_allclose(np.concatenate(values), 1, rtol=1e-5)  # a mean of ones, padding left out
