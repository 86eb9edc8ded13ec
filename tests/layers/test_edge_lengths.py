"""Layers over minibatches at the edge: a single sequence, and ten thousand sequences of length 1;
forward and trained.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import cntk as C
from cntk.layers import (
    GRU,
    LSTM,
    AttentionModel,
    BiRecurrence,
    Convolution,
    Delay,
    Dense,
    Fold,
    For,
    MaxPooling,
    MultiHeadAttention,
    PastValueWindow,
    PositionalEncoding,
    Recurrence,
    RecurrenceFrom,
    RNNStep,
    SequenceAttentionPooling,
    SequenceAveragePooling,
    SequenceMaxPooling,
    Sequential,
    TransformerBlock,
    UnfoldFrom,
)

SIZE = 4
LENGTHS = (1, 5, 1, 40, 2)
MANY = 10_000

Layer = Callable[[Any], Any]


def attention_in_a_loop() -> Layer:
    attend, step = AttentionModel(3), Dense(SIZE, activation=C.tanh)

    @C.Function
    def layer(x: Any) -> Any:
        @C.Function
        def attended(state: Any, frame: Any) -> Any:
            return step(attend(x, state) + frame)

        return Recurrence(attended)(x)

    return layer


def begun_elsewhere() -> Layer:
    ahead, back = Recurrence(GRU(SIZE)), RecurrenceFrom(RNNStep(SIZE), go_backwards=True)
    return lambda x: back(C.sequence.last(ahead(x)), x)


def unfolded() -> Layer:
    step = Dense(SIZE, activation=C.tanh)
    unfold = UnfoldFrom(lambda state: step(state))
    return lambda x: unfold(C.sequence.last(x), x)


def of_a_window() -> Layer:
    window, score = PastValueWindow(3, axis=-2), Dense(SIZE)

    def layer(x: Any) -> Any:
        values, valid = window(x).outputs
        return score(C.reduce_sum(C.element_times(values, valid), -2))

    return layer


LAYERS: dict[str, Callable[[], Layer]] = {
    "lstm": lambda: Recurrence(LSTM(SIZE)),
    "lstm with everything": lambda: Recurrence(
        LSTM(SIZE, cell_shape=6, use_peepholes=True, enable_self_stabilization=True),
        go_backwards=True,
    ),
    "gru": lambda: Recurrence(GRU(SIZE)),
    "gru, stabilised": lambda: Recurrence(
        GRU(SIZE, enable_self_stabilization=True), go_backwards=True
    ),
    "rnn": lambda: Recurrence(RNNStep(SIZE)),
    "step written by hand": lambda: Sequential(
        [Dense(SIZE), Recurrence(lambda h, x: C.tanh(h * x) + 0.5 * h)]
    ),
    "folded": lambda: Fold(LSTM(SIZE)),
    "stacked": lambda: For(
        range(2), lambda: [Recurrence(GRU(SIZE)), Recurrence(RNNStep(SIZE), go_backwards=True)]
    ),
    "both directions": lambda: BiRecurrence(LSTM(3), GRU(1)),
    "begun elsewhere": begun_elsewhere,
    "unfolded": unfolded,
    "delays": lambda: Sequential([(Delay(2), Delay(-1), Dense(SIZE)), C.plus]),
    "window": of_a_window,
    "attention": lambda: MultiHeadAttention(2, SIZE),
    "attention in a loop": attention_in_a_loop,
    "transformer": lambda: Sequential([PositionalEncoding(), TransformerBlock(2, SIZE, 6)]),
    "causal transformer": lambda: TransformerBlock(2, SIZE, 6, causal=True),
    "maximum": lambda: Sequential([Dense(SIZE), SequenceMaxPooling()]),
    "average": lambda: Sequential([Dense(SIZE), SequenceAveragePooling()]),
    "attention pooling": lambda: SequenceAttentionPooling(3),
    "convolution": lambda: Convolution(3, SIZE, sequential=True, pad=True),
    "convolution and pooling": lambda: Sequential(
        [
            Convolution((3, 2), 2, sequential=True, pad=True, reduction_rank=0),
            MaxPooling((1, 2), (1, 2)),
            Dense(SIZE),
        ]
    ),
}


def built(name: str) -> tuple[C.Variable, C.Function]:
    """An input, and the layer on it with random parameters, all in float64."""
    x = C.sequence.input_variable(SIZE, np.float64, needs_gradient=True)
    random = np.random.default_rng(3)
    with C.default_options(dtype=np.float64):
        function = LAYERS[name]()(x)
    for p in function.parameters:
        p.value = random.uniform(0.2, 0.8, p.shape) * random.choice([-1, 1], p.shape)
    return x, function


def criterion(function: C.Function) -> C.Function:
    """One number for each frame or sequence, to which elements add differently."""
    weights = C.constant(
        np.linspace(0.5, 1.5, int(np.prod(function.shape))).reshape(function.shape)
    )
    return C.reduce_sum(C.element_times(C.square(function), weights), C.Axis.all_static_axes())


def drawn(lengths: tuple[int, ...]) -> list[np.ndarray]:
    random = np.random.default_rng(2)
    return [random.normal(size=(n, SIZE)) for n in lengths]


def gradients(function: C.Function, x: C.Variable, data: list[np.ndarray]) -> dict[Any, Any]:
    wanted = [x, *function.parameters]
    found = function.grad({x: data}, wrt=wanted)
    return found if isinstance(found, dict) else {x: found}


@pytest.mark.parametrize("name", LAYERS)
def test_a_batch_of_one_is_the_same_sequence_among_others(name: str) -> None:
    x, function = built(name)
    loss, data = criterion(function), drawn(LENGTHS)
    together, summed = function.eval({x: data}), gradients(loss, x, data)
    alone = [gradients(loss, x, [one]) for one in data]
    for k, one in enumerate(data):
        np.testing.assert_allclose(
            function.eval({x: [one]})[0], together[k], rtol=1e-10, atol=1e-12
        )
        np.testing.assert_allclose(alone[k][x][0], summed[x][k], rtol=1e-8, atol=1e-10)
    for p in function.parameters:
        np.testing.assert_allclose(sum(g[p] for g in alone), summed[p], rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("name", LAYERS)
def test_ten_thousand_sequences_of_length_one(name: str) -> None:
    x, function = built(name)
    loss, few = criterion(function), drawn((1,) * 5)
    many = few * (MANY // 5)
    found = np.asarray(function.eval({x: many})).reshape(MANY // 5, 5, -1)
    np.testing.assert_allclose(
        found, np.broadcast_to(found[:1], found.shape), rtol=1e-10, atol=1e-12
    )
    np.testing.assert_allclose(
        found[0], np.asarray(function.eval({x: few})).reshape(5, -1), rtol=1e-10, atol=1e-12
    )
    of_few, of_many = gradients(loss, x, few), gradients(loss, x, many)
    np.testing.assert_allclose(of_many[x][:5], of_few[x], rtol=1e-8, atol=1e-10)
    for p in function.parameters:
        np.testing.assert_allclose(of_many[p] / (MANY // 5), of_few[p], rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("lengths", [(1,), (7,), (1,) * 6], ids=str)
def test_training_is_the_gradients_own_way_down(name: str, lengths: tuple[int, ...]) -> None:
    """Often enough for steps to be recorded and fused."""
    (x, function), (y, by_hand) = built(name), built(name)
    rate, data = 1e-3, drawn(lengths)
    loss, loss_by_hand = criterion(function), criterion(by_hand)
    learner = C.sgd(function.parameters, C.learning_parameter_schedule_per_sample(rate))
    trainer = C.Trainer(function, loss, [learner])
    for _ in range(48):
        trainer.train_minibatch({x: data})
        slopes = gradients(loss_by_hand, y, data)
        for p in by_hand.parameters:
            p.value = p.value - rate * slopes[p]
    for p, q in zip(function.parameters, by_hand.parameters, strict=True):
        np.testing.assert_allclose(p.value, q.value, rtol=1e-8, atol=1e-10)
