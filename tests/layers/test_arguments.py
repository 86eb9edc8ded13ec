"""Layers' arguments: what default options and initial values do, how types are written, in which
order arguments come.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cntk as C
from cntk.layers import (
    GRU,
    LSTM,
    Convolution,
    Convolution2D,
    Dense,
    Embedding,
    Fold,
    LayerNormalization,
    Recurrence,
    RecurrenceFrom,
    RNNStep,
    RNNUnit,
    Sequential,
    SequentialConvolution,
    Stabilizer,
)
from cntk.layers.typing import (
    ParameterTensor,
    Sequence,
    SequenceOver,
    Signature,
    SparseTensor,
    Tensor,
)

CONVOLUTIONS = [
    "SequentialConvolution",
    *(f"Convolution{kind}" for kind in ("", "1D", "2D", "3D")),
    *(f"ConvolutionTranspose{kind}" for kind in ("", "1D", "2D", "3D")),
]
IMAGE, WORDS = C.input_variable((2, 6, 7)), C.sequence.input_variable(3)


def test_what_is_untested_is_refused() -> None:
    with pytest.raises(NotImplementedError, match="this"):
        C.layers.UntestedBranchError("this")


def test_default_options_reach_layers() -> None:
    with C.default_options(activation=C.relu, bias=False, pad=True):
        dense, convolution = Dense(3)(WORDS), Convolution2D(3, 4)(IMAGE)
    assert [p.name for p in dense.parameters] == [
        "W"
    ] and dense.root_function.block_root.op_name == "ReLU"
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
    model = Sequential([Dense(3, name="first"), Dense(2, name="second")], name="both")(
        C.input_variable(4)
    )
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
    np.testing.assert_allclose(
        y, [np.array([-1.5, -0.5, 0.5, 1.5]) / (np.sqrt(1.25) + 0.5)], rtol=1e-6
    )


def test_dense_of_short_sequences_in_a_padded_convolution() -> None:
    """Sequences shorter than the window are padded like all others."""
    x = C.sequence.input_variable(1)
    f = SequentialConvolution(3, 1, init=1, pad=True, bias=False)(x)
    values = f.eval({x: [[[1]], [[1], [2]], [[1], [2], [3], [4]]]})
    assert [v.ravel().tolist() for v in values] == [[1], [3, 3], [3, 6, 9, 7]]


def test_types() -> None:
    words = C.Axis("words")
    written = [
        Tensor[3, 4],
        Tensor[()],
        SparseTensor[5],
        ParameterTensor[3],
        ParameterTensor[()],
        C.layers.tensor,
    ]
    assert [str(t) for t in written] == [
        "Tensor[3,4]",
        "float",
        "SparseTensor[5]",
        "ParameterTensor[3]",
        "float",
        "tensor",
    ]
    of_doubles = Sequence[np.float64]
    assert (
        str(of_doubles) == "Sequence[np.float64]" and of_doubles.tensor_type().dtype == np.float64
    )
    assert str(SequenceOver[words][Tensor[2]]) == "SequenceOver[words][Tensor[2]]"
    assert Sequence[float] == Sequence[Tensor[()]]
    x = C.input_variable(**Sequence[SparseTensor[20]])
    assert (x.shape, x.is_sparse, len(x.dynamic_axes)) == ((20,), True, 2)
    assert C.input_variable(**SequenceOver[words][Tensor[2]]).dynamic_axes[1] == words
    for wrong in (
        lambda: Sequence[Sequence[Tensor[3]]],
        lambda: Sequence[3],
        lambda: SequenceOver[3],
    ):
        with pytest.raises(TypeError):
            wrong()
    layer = Dense(3)
    layer.update_signature(SequenceOver[words][Tensor[4]])
    assert (
        str(layer) == "Dense(x: SequenceOver[words][Tensor[4]]) -> SequenceOver[words][Tensor[3]]"
    )


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
    # A mean of ones, padding left out.
    np.testing.assert_allclose(np.concatenate(values), 1, rtol=1e-5)


def test_arrays_take_on_the_default_number_format() -> None:
    doubles = np.arange(6, dtype=np.float64).reshape(2, 3)
    x = C.input_variable(2)
    assert Dense(3, init_bias=doubles[0])(x).b.dtype == np.float32
    assert Embedding(weights=doubles)(x).E.dtype == np.float32
    assert C.Parameter(init=doubles).dtype == C.Constant(doubles).dtype == np.float32
    assert C.parameter(init=doubles).dtype == C.constant(doubles).dtype == np.float64
    with C.default_options(dtype=np.float64):
        assert C.Parameter(init=doubles.astype(np.float32)).dtype == np.float64
        assert (
            C.parameter(init=doubles.astype(np.float32)).dtype == C.constant(1).dtype == np.float32
        )


def test_arguments_keep_the_order_of_the_parameters(tmp_path: Path) -> None:
    calls = []

    @C.Function
    def difference(first: Any, second: Any) -> Any:
        calls.append(1)
        return second - first

    difference.save(str(tmp_path / "model"))
    made_of_it = (
        difference,
        C.alias(difference, "named"),
        difference * 1,
        C.combine([difference.output]),
        difference.clone("share"),
        C.Function.load(str(tmp_path / "model")),
    )
    for function in made_of_it:
        assert [v.name for v in function.arguments] == ["first", "second"]
        x, y = C.input_variable(1, name="x"), C.input_variable(1, name="y")
        np.testing.assert_array_equal(function(x, y).eval({x: [[1]], y: [[3]]}), [[2]])
    assert len(calls) == 2  # once more, behind a bundle of the arguments, as the original


def test_a_placeholder_of_a_block_can_be_used_again() -> None:
    p, x, y = (
        C.placeholder(name="p"),
        C.input_variable(3, name="x"),
        C.input_variable((2, 2), name="y"),
    )
    first, second = (
        C.as_block(p * 2, [(p, x)], "Twice", "a"),
        C.as_block(p + 1, [(p, y)], "Next", "b"),
    )
    assert (first.shape, second.shape) == ((3,), (2, 2)) and p.shape == (-2,)
    assert str(second) == "b: Next(y: Tensor[2,2]) -> Tensor[2,2]"
    np.testing.assert_array_equal(second.eval({y: [np.eye(2)]}), [np.eye(2) + 1])


def test_types_may_be_told_one_after_another() -> None:
    f = C.Function(lambda x, y: C.abs(x) + y)
    f.update_signature(None, 3)
    assert [v.is_placeholder for v in f.arguments] == [True, False]
    f.update_signature(3, None)
    assert f.shape == (3,) and not any(v.is_placeholder for v in f.arguments)
    f.update_signature(3, 3)


def test_a_typed_function_takes_what_has_its_type() -> None:
    f = C.Function(Signature(Tensor[3])(lambda x: C.abs(x)))
    for operand in (
        C.input_variable(3),
        C.constant([1, 2, 3]),
        C.parameter(3),
        C.placeholder(),
        -C.input_variable(3),
    ):
        assert f(operand).root_function.op_name == "Abs"
    free = C.Function(Signature(Tensor[C.FreeDimension, 3])(lambda x: C.abs(x)))
    assert free(C.input_variable((5, 3))).shape == (5, 3)


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_each_convolution_is_overridden_under_its_own_name(name: str) -> None:
    make = getattr(C.layers, name)
    others = [getattr(C.layers, n) for n in CONVOLUTIONS if n != name]
    for scope, parameters in ((make, ["W"]), (others, ["W", "b"])):
        with C.layers.default_options_for(scope, bias=False):
            assert sorted(p.name for p in make(3, 2).parameters) == parameters
