"""What the types of some operands say of a result before all are known; shapes and numbers are the
original's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import cntk as C
from cntk._graph.types import UNKNOWN_AXES

UNKNOWN = (-2,)


def five() -> Any:
    return C.input_variable(5)


def sequence(*shape: int) -> Any:
    return C.sequence.input_variable(shape)


def on_a_sequence(x: Any) -> Any:
    """A value whose dynamic axes are known, and whose shape is not."""
    return C.reconcile_dynamic_axes(x, sequence(3))


@pytest.mark.parametrize(
    ("build", "shape", "axes"),
    [
        (lambda p: five() + p, (5,), 1),
        (lambda p: p - five(), (5,), 1),
        (lambda p: (p + C.parameter(5)) + five(), (5,), 1),
        (lambda p: p + C.parameter(5), UNKNOWN, None),
        (lambda p: C.times(p, C.parameter((5, 4))) + five()[0:4], (4,), 1),
        (lambda p: C.splice(five(), p), UNKNOWN, 1),
        (lambda p: C.element_select(p, five(), five()), (5,), 1),
        (lambda p: C.clip(p, five(), 1), (5,), 1),
        (lambda p: C.greater(five(), p), (5,), 1),
        (lambda p: C.layers.BatchNormalization()(p + five()), (5,), 1),
        (lambda p: (five() + p)[0:2], (2,), 1),
        (lambda p: C.reduce_sum(five() + p, 0), (1,), 1),
        (lambda p: C.transpose(C.input_variable((2, 3)) + p, (1, 0)), (3, 2), 1),
        (lambda p: C.cross_entropy_with_softmax(p, five()), UNKNOWN, 1),
        (lambda p: C.sequence.past_value(sequence(5), p), (5,), 2),
        (lambda p: C.sequence.past_value(p, sequence(5)), UNKNOWN, None),
        (lambda p: C.sequence.past_value(on_a_sequence(p), C.parameter((2, 1))), (2, 1), 2),
        (lambda p: C.sequence.past_value(on_a_sequence(p), C.parameter(1)), (1,), 2),
        (on_a_sequence, UNKNOWN, 2),
        (lambda p: C.sigmoid(on_a_sequence(p)), UNKNOWN, 2),
        (lambda p: C.times(on_a_sequence(p), C.parameter((5, 4))), UNKNOWN, 2),
        (lambda p: C.dropout(on_a_sequence(p) + C.parameter(5), 0.5), (5,), 2),
        # A scalar stretches to anything: it says nothing.
        (lambda p: on_a_sequence(p) * C.parameter(1), UNKNOWN, 2),
        (lambda p: on_a_sequence(p) * 2, UNKNOWN, 2),
        (lambda p: on_a_sequence(p) * C.parameter((1, 1)), (1, 1), 2),
    ],
)
def test_operands_that_are_known_tell(
    build: Callable[[Any], Any], shape: tuple[int, ...], axes: int | None
) -> None:
    result = build(C.placeholder())
    assert result.shape == shape
    assert (None if result.dynamic_axes == UNKNOWN_AXES else len(result.dynamic_axes)) == axes


def test_parameters_take_on_what_is_told() -> None:
    p = C.placeholder()
    dense = C.layers.Dense(4)(five() + p)
    assert (dense.shape, dense.W.shape) == ((4,), (5, 4))
    dense.replace_placeholders({p: C.parameter((3, 5))})
    assert (dense.shape, dense.W.shape) == ((3, 4), (5, 4))


def test_what_is_told_may_be_wrong() -> None:
    """An operand that fits no longer, once all are known, is refused then, and one that begins to
    fit is not.
    """
    p, w = C.placeholder(), C.parameter((3, 5, 4))
    product = C.times(five() + p, w)
    product.replace_placeholders({p: C.parameter((3, 5))})
    assert product.shape == (4,)
    product = C.times(five() + p, C.parameter((6, 4)))
    with pytest.raises(ValueError, match="the last axis of the left operand"):
        product.replace_placeholders({p: C.parameter(1)})


def _dense(step: Any, *shape: int, **more: Any) -> Any:
    return C.layers.Sequential([C.layers.Recurrence(step, **more), C.layers.Dense(2)])(
        sequence(*shape)
    )


def wide_state_behind_placeholders() -> Any:
    offset = C.parameter(5)

    @C.Function
    def step(h: Any, x: Any) -> Any:
        return offset + C.reduce_sum(C.splice(h, x, axis=0), 0)

    return C.layers.Sequential([C.layers.Recurrence(step), C.layers.Dense(4)])(sequence(1, 3, 5))


def wide_state_at_once() -> Any:
    offset = C.parameter(5)

    @C.Function
    def step(h: Any, x: Any) -> Any:
        return offset + C.reduce_sum(C.splice(h, x, axis=0), 0)

    return C.layers.Dense(4)(C.layers.Recurrence(step)(sequence(1, 3, 5)))


def scalars_in_a_loop() -> Any:
    @C.Function
    def step(h: Any, x: Any) -> Any:
        return C.tanh(h * 0.5 + C.reduce_sum(x))

    return _dense(step, 3)


def states_of_other_rank() -> Any:
    w = C.parameter(3)

    @C.BlockFunction("Step", "step")
    def step(h: Any, c: Any, x: Any) -> Any:
        c = C.tanh(c + C.reshape(x, (1, 3)))
        return C.sigmoid(C.reduce_sum(c, 0) + h * w), c

    return _dense(step, 3)


def three_states() -> Any:
    @C.BlockFunction("Step", "step")
    def step(a: Any, b: Any, c: Any, x: Any) -> Any:
        return C.tanh(b + x), c * 0.5, C.splice(a, b)[0:3] + x

    return _dense(step, 3)


def initial_state_of_leading_ones() -> Any:
    return _dense(
        C.layers.LSTM(4), 3, initial_state=C.constant(np.full((1, 1, 4), 0.1, np.float32))
    )


def initial_state_of_a_matrix() -> Any:
    return _dense(
        C.layers.RNNStep(4), 3, initial_state=C.constant(np.full((2, 4), 0.1, np.float32))
    )


def dense_layer_of_a_sum() -> Any:
    dense = C.layers.Dense(4)

    @C.Function
    def step(h: Any, x: Any) -> Any:
        return C.tanh(dense(h + x))

    return _dense(step, 4)


def unfolding_a_layer() -> Any:
    recurrent, dense = C.layers.Recurrence(C.layers.LSTM(4)), C.layers.Dense(3)
    unfold = C.layers.UnfoldFrom(lambda y: C.sigmoid(dense(recurrent(y))), length_increase=2)
    return unfold(C.constant(np.ones(3, np.float32)), sequence(2))


def future_of_a_wider_initial_state() -> Any:
    state, x = C.placeholder(), sequence(3)
    initial = C.constant(np.ones((2, 1), np.float32))
    y = C.tanh(C.layers.Dense(3)(C.sequence.future_value(state, initial)) + x)
    y.replace_placeholders({state: y.output})
    return y


def selection_in_a_loop() -> Any:
    @C.Function
    def step(h: Any, x: Any) -> Any:
        return C.element_select(C.greater(h, 0.2), h * 0.5, x)

    return _dense(step, 2, 3)


@pytest.mark.parametrize(
    ("build", "shape", "parameters", "values", "gradients"),
    [
        (
            wide_state_behind_placeholders,
            (1, 3, 4),
            [(5, 4), (4,), (5,)],
            [11.25, 4.3382],
            [137.72, 48.0, 48.877],
        ),
        (
            wide_state_at_once,
            (4,),
            [(1, 3, 5, 4), (4,), (5,)],
            [5.2945, 1.8102],
            [139.69, 16.0, 25.16],
        ),
        (scalars_in_a_loop, (2,), [(1, 2), (2,)], [1.3445, 0.43866], [6.8517, 8.0]),
        (
            states_of_other_rank,
            (2,),
            [(1, 3, 2), (2,), (3,)],
            [1.558, 0.47622],
            [15.139, 8.0, 0.13637],
        ),
        (three_states, (2,), [(3, 2), (2,)], [1.2938, 0.33323], [10.775, 8.0]),
        (
            initial_state_of_leading_ones,
            (1, 1, 2),
            [(4, 2), (2,), (16,), (3, 16), (4, 16)],
            [0.69562, 0.26129],
            [2.2512, 8.0, 1.1065, 1.6223, 0.20734],
        ),
        (
            initial_state_of_a_matrix,
            (2, 2),
            [(4, 2), (2,), (3, 4), (4, 4), (4,)],
            [4.4419, 1.509],
            [33.68, 16.0, 2.1141, 1.9277, 1.5785],
        ),
        (
            dense_layer_of_a_sum,
            (2,),
            [(4, 2), (2,), (4, 4), (4,)],
            [0.76331, 0.25397],
            [6.9566, 8.0, 4.3299, 2.7899],
        ),
        (
            unfolding_a_layer,
            (3,),
            [(4, 3), (3,), (16,), (3, 16), (4, 16)],
            [8.276, 2.7658],
            [2.4956, 5.8274, 1.1555, 2.0563, 0.37862],
        ),
        (
            future_of_a_wider_initial_state,
            (3,),
            [(2, 3, 3), (3,)],
            [4.3707, 1.1764],
            [38.755, 9.4077],
        ),
        (selection_in_a_loop, (2,), [(2, 3, 2), (2,)], [2.2666, 0.53392], [18.04, 8.0]),
    ],
)
def test_loops_find_their_types(
    build: Callable[[], Any],
    shape: tuple[int, ...],
    parameters: list[tuple[int, ...]],
    values: list[float],
    gradients: list[float],
) -> None:
    """Shapes, and sums of absolute values: of each sequence's result, and of each parameter's
    gradient.
    """
    model = build()
    assert (model.shape, [p.shape for p in model.parameters]) == (shape, parameters)
    for k, p in enumerate(model.parameters):
        p.value = np.asarray(np.random.RandomState(k).rand(*p.shape) - 0.5, np.float32)
    (x,) = model.arguments
    data = [np.random.RandomState(n).rand(n, *x.shape).astype(np.float32) for n in (3, 1)]
    for _ in range(4):  # a loop's steps are recorded after a few
        found, results = model.grad({x: data}, wrt=list(model.parameters), outputs=[model.output])
        np.testing.assert_allclose([np.abs(v).sum() for v in results], values, rtol=5e-5)
        np.testing.assert_allclose(
            [np.abs(found[p]).sum() for p in model.parameters], gradients, rtol=5e-5
        )


def attention_model(layers: int, wide: bool) -> tuple[Any, Any]:
    """A decoder with attention, for training and, made of the same layers, for decoding."""
    encoder = C.layers.Recurrence(C.layers.LSTM(5), go_backwards=True)
    cells = [C.layers.LSTM(5) for _ in range(layers)]
    window = {"attention_span": 20, "attention_axis": -3} if wide else {}
    attention, stabilizer, dense = (
        C.layers.AttentionModel(3, **window),
        C.layers.Stabilizer(),
        C.layers.Dense(4),
    )
    start = C.constant(np.eye(4, dtype=np.float32)[0])

    @C.Function
    def decoder(history: Any, source: Any) -> Any:
        encoded = encoder(source)

        @C.Function
        def attending(h: Any, c: Any, x: Any) -> Any:
            return cells[0](h, c, C.splice(x, attention(encoded, h)))

        result = C.layers.Recurrence(attending)(stabilizer(history))
        for cell in cells[1:]:
            result = C.layers.Recurrence(cell)(result)
        return dense(result)

    def training(source: Any, target: Any) -> Any:
        return decoder(C.layers.Delay(initial_state=start)(target), source)

    def decoding(model: Any) -> Any:
        @C.Function
        @C.layers.Signature(C.layers.SequenceOver[C.Axis("source")][C.layers.Tensor[4]])
        def decode(source):  # type: ignore[no-untyped-def]
            unfold = C.layers.UnfoldFrom(
                lambda history: C.hardmax(model(history, source)),
                until_predicate=lambda word: word[..., 3],
                length_increase=1.5,
            )
            return unfold(start, source)

        return decode

    return training, [decoding(decoder), decoding(decoder.clone("share"))]


@pytest.mark.parametrize(
    ("layers", "wide", "values", "gradients", "decoded"),
    [
        (
            2,
            True,
            [5.862, 7.0953],
            [13.869, 20.0, 11.602, 8.8882, 3.6872],
            [[1, 0, 0, 0, 1], [1, 0, 0]],
        ),
        (
            1,
            False,
            [7.4795, 19.445],
            [17.975, 20.0, 12.268, 22.307, 5.1042],
            [[1, 1, 1, 1, 1], [1, 1, 1]],
        ),
    ],
)
def test_attention_in_training_and_in_decoding(
    layers: int, wide: bool, values: list[float], gradients: list[float], decoded: list[list[int]]
) -> None:
    """The decoder's state has two more axes than its layers say, where attention looks at a
    window.
    """
    training, decodings = attention_model(layers, wide)
    source, target = (
        C.sequence.input_variable(4, sequence_axis=C.Axis(n)) for n in ("source", "target")
    )
    model = training(source, target)
    ones = (1, 1) if wide else ()
    assert (model.shape, [p.shape for p in model.parameters[:3]]) == (
        (*ones, 4),
        [(5, 4), (4,), (20,)],
    )
    for k, p in enumerate(model.parameters):
        p.value = np.asarray(np.random.RandomState(k).rand(*p.shape) * 4 - 2, np.float32)
    words = np.eye(4, dtype=np.float32)
    data = {source: [words[[0, 1, 2]], words[[3, 2]]], target: [words[[1, 1]], words[[3, 2, 0]]]}
    parameters = [p for p in model.parameters if p.shape][:5]
    found, results = model.grad(data, wrt=parameters, outputs=[model.output])
    np.testing.assert_allclose([np.abs(v).sum() for v in results], values, rtol=5e-5)
    np.testing.assert_allclose([np.abs(found[p]).sum() for p in parameters], gradients, rtol=5e-5)
    for decode in decodings:
        assert decode.shape == (*ones, 4)
        assert [v.reshape(-1, 4).argmax(1).tolist() for v in decode.eval(data[source])] == decoded


@pytest.mark.parametrize("cell", [C.layers.LSTM, C.layers.GRU, C.layers.RNNStep])
def test_decoding_with_parameters_of_all_axes(cell: Callable[[int], Any]) -> None:
    """A layer that was made for the state's three axes meets fewer while the decoder's types are
    being found.
    """
    encoder, step, dense = C.layers.Recurrence(C.layers.LSTM(5)), cell(5), C.layers.Dense(4)
    attention = C.layers.AttentionModel(3, attention_span=20, attention_axis=-3)
    source, target = (
        C.sequence.input_variable(4, sequence_axis=C.Axis(n)) for n in ("source", "target")
    )
    encoded = encoder(source)

    if cell == C.layers.LSTM:
        attending = C.Function(lambda h, c, x: step(h, c, C.splice(x, attention(encoded, h))))
    else:
        attending = C.Function(lambda h, x: step(h, C.splice(x, attention(encoded, h))))
    recurrent = C.layers.Recurrence(attending)
    assert dense(recurrent(target)).shape == (4,) and dense.W.shape == (1, 1, 5, 4)
    unfold = C.layers.UnfoldFrom(lambda history: C.hardmax(dense(recurrent(history))))
    decoded = unfold(C.constant(np.eye(4, dtype=np.float32)[0]), source)
    assert decoded.shape == (4,)
    assert [
        v.shape for v in decoded.eval({source: [np.ones((n, 4), np.float32) for n in (3, 1)]})
    ] == [(3, 4), (1, 4)]


def test_what_never_fits_in_a_loop_is_refused() -> None:
    state, x = C.placeholder(), sequence(1, 3, 5)
    result = C.splice(C.sequence.past_value(state), x)[0:5] + C.parameter(5)
    with pytest.raises(
        RuntimeError, match=r"the range \[0, 5\) is not part of a static axis with 1 elements"
    ):
        result.replace_placeholders({state: result.output})
