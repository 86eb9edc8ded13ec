"""What recurrences begin with: numbers, arrays, a state for each sequence, states that are
sequences themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import cntk as C
from cntk.layers import GRU, LSTM, Delay, Dense, Fold, Recurrence, RecurrenceFrom, RNNStep

WORDS = C.Axis("words")
X = C.sequence.input_variable(1, name="x")
OTHER = C.sequence.input_variable(1, needs_gradient=True, sequence_axis=WORDS, name="other")


def counting(start: int, lengths: tuple[int, ...]) -> list[np.ndarray]:
    """Sequences of these lengths; each begins ten above the one before, and its frames rise by
    one.
    """
    return [
        start + 10 * k + np.arange(n, dtype=np.float32).reshape(n, 1) for k, n in enumerate(lengths)
    ]


def flat(values: Any) -> list[list[float]]:
    return [v.ravel().tolist() for v in values]


# What the original gives for a delay whose initial state is a sequence: its last frames before the
# beginning of the other sequence, its first frames after the end; a single frame is repeated.
DELAYED = {
    (1, (4, 1, 3), (5, 2, 4)): (
        [[4, 100, 101, 102], [11], [23, 120, 121]],
        [[0, 0, 0, 0, 1], [0, 1], [0, 0, 0, 1]],
    ),
    (-1, (4, 1, 3), (5, 2, 4)): (
        [[101, 102, 103, 0], [10], [121, 122, 20]],
        [[1, 0, 0, 0, 0], [1, 0], [1, 0, 0, 0]],
    ),
    (2, (5, 2, 4), (4, 1, 3)): (
        [[2, 3, 100, 101, 102], [10, 10], [21, 22, 120, 121]],
        [[0, 0, 1, 1], [2], [0, 1, 1]],
    ),
    (-2, (5, 2, 4), (4, 1, 3)): (
        [[102, 103, 104, 0, 1], [10, 10], [122, 123, 20, 21]],
        [[1, 1, 0, 0], [2], [1, 1, 0]],
    ),
    (2, (4, 2, 3), (4, 2, 3)): (
        [[2, 3, 100, 101], [10, 11], [21, 22, 120]],
        [[0, 0, 1, 1], [1, 1], [0, 1, 1]],
    ),
    (3, (2, 1), (6, 1)): ([[3, 4], [10]], [[0, 0, 0, 1, 1, 0], [1]]),
    (-3, (2, 1), (6, 1)): ([[1, 2], [10]], [[0, 1, 1, 0, 0, 0], [1]]),
}


@pytest.mark.parametrize(("steps", "lengths", "of_the_state"), DELAYED)
def test_delay_that_begins_with_a_sequence(
    steps: int, lengths: tuple[int, ...], of_the_state: tuple[int, ...]
) -> None:
    values, gradients = DELAYED[steps, lengths, of_the_state]
    feed = {X: counting(100, lengths), OTHER: counting(0, of_the_state)}
    delayed = C.sequence.delay(X, OTHER, steps)
    assert flat(delayed.eval(feed)) == values
    assert flat(delayed.grad(feed, wrt=[OTHER])) == gradients


@pytest.mark.parametrize("backwards", [False, True])
def test_recurrence_that_begins_with_a_sequence_on_another_axis(backwards: bool) -> None:
    """It begins with the other sequence's last frame, or backwards with its first."""
    total = RecurrenceFrom(lambda h, x: h + x, go_backwards=backwards)(OTHER, X)
    feed = {X: counting(100, (4, 1, 3)), OTHER: counting(0, (2, 3, 1))}
    totals = []
    for x, start in zip(feed[X], feed[OTHER], strict=True):
        order = x[::-1] if backwards else x
        found = np.cumsum(np.concatenate([start[:1] if backwards else start[-1:], order]))[1:]
        totals.append((found[::-1] if backwards else found).tolist())
    assert flat(total.eval(feed)) == totals
    place = 0 if backwards else -1
    for gradient, x in zip(total.grad(feed, wrt=[OTHER]), feed[X], strict=True):
        assert gradient[place] == len(x) and gradient.sum() == len(x)


def test_state_of_several_frames_that_is_too_short() -> None:
    delayed = C.sequence.past_value(X, OTHER, 3)
    with pytest.raises(ValueError, match="initial state of several frames must have at least 3"):
        delayed.eval({X: counting(0, (4,)), OTHER: counting(0, (2,))})


CELLS = {"rnn": RNNStep, "gru": GRU, "lstm": LSTM}


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("backwards", [False, True])
def test_each_sequence_has_its_own_states(kind: str, backwards: bool) -> None:
    """States that are fed, one sequence after another and all together; and states that are
    constants of their value.
    """
    cell = CELLS[kind](4, init_bias=0.1)
    count = len(cell.outputs)
    x = C.sequence.input_variable(3)
    starts = [C.input_variable(4) for _ in range(count)]
    function = RecurrenceFrom(cell, go_backwards=backwards, return_full_state=True)(*starts, x)
    random = np.random.RandomState(1)
    data = [random.uniform(-1, 1, (n, 3)).astype(np.float32) for n in (5, 1, 3)]
    states = [random.uniform(-1, 1, (3, 4)).astype(np.float32) for _ in range(count)]
    together = function.eval({x: data, **dict(zip(starts, states, strict=True))})
    for k, frames in enumerate(data):
        alone = Recurrence(
            cell,
            go_backwards=backwards,
            return_full_state=True,
            initial_state=tuple(C.constant(s[k]) for s in states),
        )(x)
        values = alone.eval({x: [frames]})
        for a, b in zip(function.outputs, alone.outputs, strict=True):
            many, one = (together, values) if count == 1 else (together[a], values[b])
            np.testing.assert_allclose(many[k], one[0], rtol=1e-5, atol=1e-6)


def test_inputs_as_states_inside_a_function() -> None:
    """What the original refuses: a state that is an argument of the function around."""

    @C.Function
    def decode(frames: Any, start: Any) -> Any:
        return Recurrence(RNNStep(1, init=1, activation=C.layers.identity), initial_state=start)(
            frames
        )

    start = C.input_variable(1)
    values = decode(X, start).eval({X: counting(0, (3, 1)), start: [[7], [5]]})
    assert flat(values) == [[7, 8, 10], [15]]


@pytest.mark.parametrize("layer", [Recurrence, Fold])
def test_inputs_and_sequences_as_states_of_a_layer(layer: Any) -> None:
    """What the original refuses: a layer is a function of its sequence, though its first state
    comes from elsewhere.
    """
    start, other = C.input_variable(2), C.sequence.input_variable(3, sequence_axis=C.Axis("other"))
    states = Dense(4)(start), Dense(4)(C.sequence.last(other))
    step = LSTM(4)
    begun = C.layers.Sequential([C.layers.identity, layer(step, initial_state=states)])(X)
    wanted = RecurrenceFrom(step)(*states, X)
    feed = {
        X: counting(0, (3, 1)),
        start: [[1, 2], [3, 4]],
        other: [np.ones((n, 3), np.float32) for n in (4, 2)],
    }
    assert set(begun.arguments) == {X, start, other}
    found, sequences = begun.eval(feed), wanted.eval(feed)
    for one, frames in zip(found, sequences, strict=True):
        np.testing.assert_allclose(one, frames if layer is Recurrence else frames[-1], rtol=1e-6)
    gradients = begun.grad(feed, wrt=list(begun.parameters))
    assert len(gradients) == 7 and all(np.abs(g).sum() > 0 for g in gradients.values())


def test_steps_that_read_inputs_of_the_graph_around_them() -> None:
    """What the original refuses, if the inputs are no arguments of a function around."""
    factor, step = C.input_variable(1), RNNStep(2)

    @C.Function
    def scaled(h: Any, x: Any) -> Any:
        return h + factor * x

    feed = {X: counting(1, (3, 1)), factor: [[2], [10]]}
    assert flat(C.layers.Sequential([C.layers.identity, Recurrence(scaled)])(X).eval(feed)) == [
        [2, 6, 12],
        [110],
    ]
    assert flat(Fold(scaled, initial_state=1)(X).eval(feed)) == [[13], [111]]
    assert flat(RecurrenceFrom(scaled)(C.constant(1, (1,)), X).eval(feed)) == [[3, 7, 13], [111]]
    attend = C.layers.AttentionModel(3)

    def decoder(other: Any) -> C.Function:
        return Recurrence(C.Function(lambda h, x: step(h, C.splice(attend(other, h), x))))

    model = C.Function(lambda other, x: decoder(other)(x))
    feed = {X: counting(1, (3, 1)), OTHER: counting(0, (2, 4))}
    for found, wanted in zip(decoder(OTHER)(X).eval(feed), model(OTHER, X).eval(feed), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-6)


def test_numbers_and_arrays_as_states() -> None:
    data = {X: counting(0, (3, 1))}
    for state in (
        5,
        5.0,
        np.float32(5),
        [5],
        np.array([5.0]),
        C.constant(5),
        C.parameter(1, init=5),
    ):
        assert flat(Fold(C.plus, initial_state=state)(X).eval(data)) == [[8], [15]]
        assert flat(Delay(1, initial_state=state)(X).eval(data)) == [[5, 0, 1], [5]]
    assert flat(Fold(C.plus, initial_state=None)(X).eval(data)) == [[3], [10]]


def test_recurrences_stacked_nested_and_both_ways() -> None:
    """A step may hold layers; its result may be another recurrence's frames; both directions meet
    on one axis.
    """
    below, above, back = (
        Recurrence(GRU(2)),
        Recurrence(LSTM(3), go_backwards=True),
        Fold(RNNStep(2), go_backwards=True),
    )
    head = Dense(2)

    @C.Function
    def step(h: Any, x: Any) -> Any:
        return C.tanh(head(C.splice(h, x)))

    model = C.layers.Sequential([(below, above), C.splice, Recurrence(step), back])(X)
    whole = model.eval({X: counting(0, (4, 1, 2))})
    assert whole.shape == (3, 2)
    for k, frames in enumerate(counting(0, (4, 1, 2))):
        np.testing.assert_allclose(model.eval({X: [frames]}), whole[k : k + 1], rtol=1e-5)
    parameters = model.grad({X: counting(0, (4, 1, 2))}, wrt=list(model.parameters))
    assert all(np.abs(g).sum() > 0 for g in parameters.values())


def test_states_that_do_not_reach_the_output_are_still_arguments() -> None:
    f = RecurrenceFrom(lambda a, b, x: (a + x, b * x))
    start = [C.input_variable(1) for _ in range(2)]
    values = f(*start, X).eval({X: counting(1, (3,)), start[0]: [[10]], start[1]: [[3]]})
    assert flat(values) == [[11, 13, 16]]


DEFERRED = C.InferredDimension


def behind_a_placeholder(initial: Any, x: Any) -> Any:
    p = C.placeholder()
    y = C.sequence.past_value(p, initial)
    y.replace_placeholders({p: x})
    return y


def by_hand(initial: Any, x: Any) -> Any:
    state = C.placeholder()
    y = C.tanh(
        C.times(C.sequence.past_value(state, initial), C.constant(np.eye(4, dtype=np.float32)))
        + C.splice(x, x)[0:4]
    )
    y.replace_placeholders({state: y.output})
    return y


@pytest.mark.parametrize(
    ("build", "size", "values", "gradient"),
    [
        (lambda s, x: C.sequence.past_value(x, s), 3, [9.85, 6.0], 6.0),
        (lambda s, x: C.sequence.past_value(x, s, 2), 3, [13.55, 6.0], 9.0),
        (lambda s, x: C.sequence.future_value(x, s), 3, [8.684, 6.0], 6.0),
        (lambda s, x: C.sequence.delay(x, s, -2), 3, [12.38, 6.0], 9.0),
        (lambda s, x: C.layers.Delay(1, initial_state=s)(x), 3, [9.85, 6.0], 6.0),
        (lambda s, x: C.layers.Recurrence(C.plus, initial_state=s)(x), 3, [27.63, 7.137], 12.0),
        (behind_a_placeholder, 3, [9.85, 6.0], 6.0),
    ],
)
def test_parameters_find_their_size_as_initial_states(
    build: Callable[[Any, Any], Any], size: int, values: list[float], gradient: float
) -> None:
    """Sums of absolute values are the original's."""
    initial, x = C.parameter(DEFERRED), C.sequence.input_variable(3)
    y = build(initial, x)
    assert initial.shape == (size,)
    initial.value = np.arange(1, size + 1, dtype=np.float32)
    data = [np.random.RandomState(n).rand(n, 3).astype(np.float32) for n in (3, 1)]
    found, results = y.grad({x: data}, wrt=[initial], outputs=[y.output])
    np.testing.assert_allclose([np.abs(v).sum() for v in results], values, rtol=1e-3)
    np.testing.assert_allclose(np.abs(found).sum(), gradient, rtol=1e-3)


@pytest.mark.parametrize(
    ("build", "shapes"),
    [
        (
            lambda s, t, x: C.layers.Recurrence(C.layers.LSTM(4), initial_state=(s, t))(x),
            [(4,), (4,)],
        ),
        (lambda s, t, x: C.layers.RecurrenceFrom(C.layers.LSTM(4))(s, t, x), [(4,), (4,)]),
        (
            lambda s, t, x: C.layers.Recurrence(C.layers.GRU(4), initial_state=s)(x) + t,
            [(4,), (4,)],
        ),
        (lambda s, t, x: C.layers.Fold(C.layers.RNNStep(4), True, s)(x) + t, [(4,), (4,)]),
        (lambda s, t, x: by_hand(s, x) + t, [(4,), (4,)]),
        (lambda s, t, x: C.clip(x, s, t), [(3,), (3,)]),
    ],
)
def test_parameters_find_their_size_in_recurrences(
    build: Callable[..., Any], shapes: list[tuple[int, ...]]
) -> None:
    states, x = [C.parameter(DEFERRED), C.parameter(DEFERRED)], C.sequence.input_variable(3)
    y = build(*states, x)
    assert [s.shape for s in states] == shapes
    y.eval({x: [np.ones((2, 3), np.float32)]})
