"""Layers over sequences that the original does not have: pooling, both directions, and an output
that shares a matrix.
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
    BiRecurrence,
    Dense,
    Embedding,
    Recurrence,
    SequenceAttentionPooling,
    SequenceAveragePooling,
    SequenceFirst,
    SequenceLast,
    SequenceMaxPooling,
    Sequential,
    TiedProjection,
)

SIZE, LENGTHS = 3, (4, 1, 6, 2)
VOCABULARY = 9


def sequences(size: int = SIZE, lengths: tuple[int, ...] = LENGTHS) -> list[np.ndarray]:
    random = np.random.default_rng(2)
    return [random.normal(size=(n, size)) for n in lengths]


def settled(function: C.Function) -> C.Function:
    """A function whose parameters are random numbers."""
    random = np.random.default_rng(3)
    for p in function.parameters:
        p.value = random.normal(size=p.shape) * 0.5
    return function


def attention_pooling() -> C.Function:
    return SequenceAttentionPooling(5)


def attended(x: np.ndarray, parameters: dict[str, np.ndarray]) -> np.ndarray:
    scores = np.tanh(x @ parameters["W"] + parameters["b"]) @ parameters["v"]
    weights = np.exp(scores - scores.max())
    return (x * weights / weights.sum()).sum(0)


POOLINGS = [
    pytest.param(SequenceMaxPooling, lambda x, _: x.max(0), id="max"),
    pytest.param(SequenceAveragePooling, lambda x, _: x.mean(0), id="average"),
    pytest.param(SequenceFirst, lambda x, _: x[0], id="first"),
    pytest.param(SequenceLast, lambda x, _: x[-1], id="last"),
    pytest.param(attention_pooling, attended, id="attention"),
]


@pytest.mark.parametrize(("make", "reference"), POOLINGS)
@pytest.mark.parametrize("lengths", [LENGTHS, (3, 3), (1,)])
def test_a_sequence_becomes_one_vector(make: Any, reference: Any, lengths: tuple[int, ...]) -> None:
    x = C.sequence.input_variable(SIZE, np.float64)
    with C.default_options(dtype=np.float64):
        function = settled(make()(x))
    assert function.shape == (SIZE,)
    assert len(function.dynamic_axes) == 1
    data = sequences(lengths=lengths)
    parameters = {p.name: p.value for p in function.parameters}
    wanted = np.stack([reference(one, parameters) for one in data])
    np.testing.assert_allclose(function.eval({x: data}), wanted, rtol=1e-12)


@pytest.mark.parametrize(("make", "reference"), POOLINGS)
def test_gradients_of_pooling_are_those_of_finite_differences(make: Any, reference: Any) -> None:
    x = C.sequence.input_variable(SIZE, np.float64, needs_gradient=True)
    with C.default_options(dtype=np.float64):
        function = settled(make()(x))
    weights = np.array([0.5, 1.5, -1.0])
    gradients = C.element_times(function, C.constant(weights)).grad({x: sequences()}, wrt=[x])
    parameters = {p.name: p.value for p in function.parameters}
    random, step = np.random.default_rng(4), 1e-6
    for one, gradient in zip(sequences(), gradients, strict=True):
        direction = random.normal(size=one.shape)
        ends = [
            (reference(one + s * step * direction, parameters) * weights).sum() for s in (1, -1)
        ]
        np.testing.assert_allclose(
            (gradient * direction).sum(), (ends[0] - ends[1]) / (2 * step), rtol=1e-6
        )


def test_both_directions_are_two_recurrences_side_by_side() -> None:
    x = C.sequence.input_variable(SIZE, np.float64)
    with C.default_options(dtype=np.float64):
        ahead, back = LSTM(4), GRU(2)
        together = settled(BiRecurrence(ahead, back, initial_state=0.3)(x))
        apart = [
            Recurrence(ahead, initial_state=0.3)(x),
            Recurrence(back, initial_state=0.3, go_backwards=True)(x),
        ]
    assert together.shape == (6,)
    for found, *wanted in zip(*(f.eval({x: sequences()}) for f in (together, *apart)), strict=True):
        np.testing.assert_allclose(found, np.concatenate(wanted, axis=-1), rtol=1e-12)


def test_the_way_back_has_parameters_of_its_own() -> None:
    x = C.sequence.input_variable(SIZE)
    function = BiRecurrence(LSTM(4), name="both")(x)
    assert function.shape == (8,)
    assert len(function.parameters) == 6
    assert len(BiRecurrence(C.plus)(x).parameters) == 0
    assert function.name == "both"


def test_default_initial_states_hold_for_both_directions() -> None:
    x = C.sequence.input_variable(1)
    with C.default_options_for(BiRecurrence, initial_state=10):
        both = BiRecurrence(C.plus)
    (found,) = both(x).eval({x: [np.array([[1], [2]], np.float32)]})
    assert found.tolist() == [[11, 13], [13, 12]]


# Few rows of a large matrix have a gradient of these alone.
@pytest.mark.parametrize("vocabulary", [VOCABULARY, 200])
def test_tied_projection_learns_the_embeddings_matrix(vocabulary: int) -> None:
    words = C.sequence.input_variable(vocabulary, np.float64, is_sparse=True)
    target = C.sequence.input_variable(vocabulary, np.float64, is_sparse=True)
    with C.default_options(dtype=np.float64):
        embed = Embedding(SIZE)
        model = settled(
            Sequential([embed, Dense(SIZE, activation=C.tanh), TiedProjection(embed)])(words)
        )
    assert [p.name for p in model.parameters].count("E") == 1
    assert model.shape == (vocabulary,)
    values = {p.name: p.value for p in model.parameters if p.shape != (vocabulary,)}
    bias = next(p for p in model.parameters if p.shape == (vocabulary,)).value
    batch, wanted = [[1, 4, 0], [8]], [[4, 0, 2], [3]]
    feed = {words: C.Value.one_hot(batch, vocabulary, dtype=np.float64)}
    dense_bias = next(p for p in model.parameters if p.shape == (SIZE,)).value

    def scores(matrix: np.ndarray) -> list[np.ndarray]:
        return [np.tanh(matrix[s] @ values["W"] + dense_bias) @ matrix.T + bias for s in batch]

    for found, one in zip(model.eval(feed), scores(values["E"]), strict=True):
        np.testing.assert_allclose(found, one, rtol=1e-10)

    def loss(matrix: np.ndarray) -> float:
        total = 0.0
        for s, w in zip(scores(matrix), wanted, strict=True):
            total += (np.log(np.exp(s).sum(1)) - s[np.arange(len(w)), w]).sum()
        return total

    criterion = C.cross_entropy_with_softmax(model, target)
    feed[target] = C.Value.one_hot(wanted, vocabulary, dtype=np.float64)
    before = values["E"]
    trainer = C.Trainer(
        model, criterion, [C.sgd(model.parameters, C.learning_parameter_schedule_per_sample(0.1))]
    )
    trainer.train_minibatch(feed)
    step, gradient = 1e-6, (before - embed.E.value) / 0.1
    direction = np.random.default_rng(4).normal(size=before.shape)
    slope = (loss(before + step * direction) - loss(before - step * direction)) / (2 * step)
    np.testing.assert_allclose((gradient * direction).sum(), slope, rtol=1e-6)


def test_tied_projection_of_a_given_matrix_needs_no_bias() -> None:
    matrix = np.arange(6, dtype=np.float32).reshape(3, 2)
    project = TiedProjection(Embedding(weights=matrix), bias=False)
    x = C.input_variable(2)
    assert len(project(x).parameters) == 0
    assert project(x).eval({x: [[1, 10]]}).tolist() == [[10, 32, 54]]


def model(words: Any) -> C.Function:
    """All layers of this file in one."""
    embed = Embedding(4)
    pools = (
        SequenceMaxPooling(),
        SequenceAveragePooling(),
        SequenceFirst(),
        SequenceLast(),
        attention_pooling(),
    )
    return settled(
        Sequential(
            [embed, BiRecurrence(LSTM(2)), pools, C.splice, Dense(4), TiedProjection(embed)]
        )(words)
    )


def test_saved_layers_load_as_they_were(tmp_path: Path) -> None:
    words = C.sequence.input_variable(VOCABULARY, is_sparse=True)
    function = model(words)
    function.save(str(tmp_path / "layers.model"))
    loaded = C.load_model(str(tmp_path / "layers.model"))
    data = C.Value.one_hot([[1, 4, 0], [8]], VOCABULARY)
    np.testing.assert_allclose(loaded.eval(data), function.eval({words: data}), rtol=1e-6)
    assert [p.shape for p in loaded.parameters] == [p.shape for p in function.parameters]


def test_training_reduces_the_loss() -> None:
    random = np.random.default_rng(1)
    words, label = (
        C.sequence.input_variable(VOCABULARY, is_sparse=True),
        C.input_variable(VOCABULARY, is_sparse=True),
    )
    function = model(words)
    learner = C.adam(function.parameters, 0.02, 0.9, minibatch_size=C.learners.IGNORE)
    trainer = C.Trainer(function, C.cross_entropy_with_softmax(function, label), [learner])
    losses = []
    for _ in range(120):
        batch = [random.integers(VOCABULARY, size=n).tolist() for n in random.integers(1, 8, 16)]
        last = [s[-1] for s in batch]
        feed = {words: C.Value.one_hot(batch, VOCABULARY), label: C.Value.one_hot(last, VOCABULARY)}
        trainer.train_minibatch(feed)
        losses.append(trainer.previous_minibatch_loss_average)
    assert np.mean(losses[-10:]) < 0.25 * np.mean(losses[:5])


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (
            lambda: SequenceAttentionPooling(0),
            ValueError,
            "attention_dim must be at least 1, got 0",
        ),
        (lambda: SequenceAttentionPooling(2, init=None), ValueError, "init must not be None"),
        (
            lambda: SequenceMaxPooling()(C.input_variable(3)),
            ValueError,
            "expected an operand with a sequence axis",
        ),
        (
            lambda: TiedProjection(Dense(3)),
            ValueError,
            "TiedProjection: expected an Embedding, which holds one",
        ),
        (lambda: TiedProjection(3), ValueError, "expected an Embedding.*got 3"),
        (lambda: TiedProjection(Embedding((2, 3))), ValueError, r"'E' \[vocabulary, size\], got"),
        (
            lambda: BiRecurrence(lambda h, x: h * C.parameter(3) + x),
            TypeError,
            "cannot be created inside BiRecurrence",
        ),
        (lambda: BiRecurrence(3), TypeError, "expected a step"),
    ],
)
def test_what_is_refused(make: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        make()
