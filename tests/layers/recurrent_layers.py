"""Recurrent layers, folds, unfolding, delays and windows, with all kinds of steps and initial
states; see `layer_cases`.
"""

import numpy as np

from tests.layers.layer_cases import s, x

STATE = np.array([0.1, -0.2, 0.3, 0.4], np.float32)
STATES = np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)


def repeat(C):
    return C.layers.Recurrence(C.plus)


def stacked(C):
    return C.layers.Sequential(
        [
            C.layers.Recurrence(C.layers.LSTM(3)),
            C.layers.Recurrence(C.layers.GRU(4), go_backwards=True),
            C.layers.Recurrence(C.layers.RNNStep(2, activation=C.tanh)),
        ]
    )


def both_ways(C, a):
    ways = [C.layers.Recurrence(C.layers.LSTM(3), go_backwards=way)(a) for way in (False, True)]
    return C.splice(*ways)


def layers_in_a_step(C):
    """Two cells, one on top of the other, in one step."""
    lower, upper = C.layers.GRU(3), C.layers.RNNStep(4, activation=C.tanh)

    @C.Function
    def step(h, c, a):
        below = lower(h, a)
        return below, upper(c, below)

    return C.layers.Recurrence(step)


def block_step(C):
    dense = C.layers.Dense(3)

    @C.BlockFunction("MyStep", "mine")
    def step(h, a):
        return C.tanh(dense(h) + a)

    return C.layers.Recurrence(step, initial_state=0.2)


def block_of_two_states(C):
    dense = C.layers.Dense(3)

    @C.BlockFunction("MyStep", "mine")
    def step(h, c, a):
        c = 0.5 * c + dense(a)
        return C.tanh(h * c + a), c

    return C.layers.Recurrence(step, initial_state=(0.2, -0.1), return_full_state=True)


def function_step(C):
    dense = C.layers.Dense(3, activation=C.sigmoid)

    @C.Function
    def step(h, a):
        return dense(C.splice(h, a))

    return C.layers.Recurrence(step)


def recurrence_in_a_function(C):
    inner = C.layers.Recurrence(C.layers.GRU(3))

    @C.Function
    def model(a):
        return inner(a) + inner(a * 2)

    return model


def frozen_state(C):
    return C.layers.Recurrence(C.layers.RNNStep(4), initial_state=C.constant(STATE))


def learned_state(C):
    return C.layers.Recurrence(
        C.layers.RNNStep(4), initial_state=C.parameter(4, init=STATE, name="start")
    )


def state_of_a_batch(C, a, start):
    return C.layers.Recurrence(C.layers.GRU(4), initial_state=start)(a)


def states_of_a_batch(C, a, h, c):
    return C.layers.Recurrence(C.layers.LSTM(4), initial_state=(h, c), return_full_state=True)(a)


def state_of_an_encoder(C, a):
    """The last state of one recurrence begins another over the same sequence."""
    last = C.layers.Fold(C.layers.GRU(4))(a)
    return C.layers.RecurrenceFrom(C.layers.GRU(4))(last, a)


def states_of_an_encoder(C, source, target):
    """A decoder that begins with all states in which the encoder ends, on another axis."""
    ends = C.layers.Fold(C.layers.LSTM(4), return_full_state=True)(source)
    return C.layers.RecurrenceFrom(C.layers.LSTM(4))(*(list(ends.outputs) + [target]))


def mixed_states(C):
    return C.layers.Recurrence(
        C.layers.LSTM(4),
        initial_state=(C.parameter(4, init=STATE, name="start"), 0.5),
        go_backwards=True,
    )


def state_of_a_sequence(C, a, start):
    return C.layers.Recurrence(C.layers.RNNStep(4), initial_state=start)(a)


def decoder_of_an_encoder(C):
    """A model of two sequences on axes of their own, as one function."""
    encode, decode = C.layers.Fold(C.layers.GRU(4)), C.layers.RecurrenceFrom(C.layers.GRU(4))

    @C.Function
    def model(source, target):
        return C.layers.Label("decoded")(decode(encode(source), target))

    return model


def fold_in_a_step(C):
    """Each step folds all frames of another sequence, begun with its own state."""
    fold, cell = C.layers.RecurrenceFrom(C.layers.RNNStep(3)), C.layers.RNNStep(3)

    @C.Function
    def model(source, target):
        ends = C.sequence.last(fold(C.sequence.last(target), source))

        @C.Function
        def step(h, a):
            return cell(h, a + C.sequence.broadcast_as(ends, a))

        return C.layers.Recurrence(step)(target)

    return model


def recurrence_in_a_step(C):
    """A step whose input has gone through another recurrence, whose step holds a third one's
    result.
    """
    inner, outer = (
        C.layers.Recurrence(C.layers.GRU(3)),
        C.layers.Recurrence(C.layers.LSTM(2), go_backwards=True),
    )

    @C.BlockFunction("Twice", "nested")
    def nested(a):
        return outer(C.splice(inner(a), a))

    return nested


def in_double(C):
    with C.default_options(dtype=np.float64):
        return C.layers.Recurrence(C.layers.LSTM(3, use_peepholes=True))


def attention(C, a, b):
    return C.layers.AttentionModel(4)(a, b)


def attention_over_a_span(C, a, b):
    return C.layers.AttentionModel(4, attention_span=3, attention_axis=-3, name="attend")(a, b)


def attention_from_the_front(C, a, b):
    return C.layers.AttentionModel(
        4, attention_span=2, attention_axis=-3, go_backwards=True, enable_self_stabilization=False
    )(a, b)


def attending_decoder(C):
    """Each step looks at what the encoder made of all other frames."""
    encode, attend, cell = (
        C.layers.Recurrence(C.layers.GRU(3)),
        C.layers.AttentionModel(3),
        C.layers.LSTM(4),
    )
    classify = C.layers.Dense(2, name="classify")

    @C.Function
    def decode(source, target):
        encoded = encode(source)

        @C.Function
        def step(h, c, a):
            return cell(h, c, C.splice(attend(encoded.output, h), a))

        return classify(C.layers.Recurrence(step)(target))

    return decode


def unfolding_until(C, start, like):
    grow = C.layers.UnfoldFrom(
        lambda h: h * 2, until_predicate=lambda h: C.greater(C.reduce_sum(h), 5), length_increase=2
    )
    return grow(start, like)


def unfolding_states(C, start, like):
    dense = C.layers.Dense(3)
    return C.layers.UnfoldFrom(lambda h: (dense(h), C.tanh(h + 1)))(start, like)


CASES = {
    "rnn": (lambda C: C.layers.Recurrence(C.layers.RNNStep(4)), [s(3)]),
    "rnn backwards": (
        lambda C: C.layers.Recurrence(
            C.layers.RNNStep(4, activation=C.tanh), go_backwards=True, initial_state=0.3
        ),
        [s(3)],
    ),
    "rnn stabilized": (
        lambda C: C.layers.Recurrence(C.layers.RNNStep(4, enable_self_stabilization=True)),
        [s(3)],
    ),
    "rnn projected": (lambda C: C.layers.Recurrence(C.layers.RNNStep(4, cell_shape=5)), [s(3)]),
    "rnn on sparse words": (
        lambda C: C.layers.Recurrence(C.layers.RNNStep(4, init_bias=0.3)),
        [s(6, is_sparse=True)],
    ),
    "rnn on another axis": (
        lambda C: C.layers.Recurrence(C.layers.RNNStep(4), name="read"),
        [s(3, axis="words")],
    ),
    "gru": (lambda C: C.layers.Recurrence(C.layers.GRU(4, init_bias=0.2)), [s(3)]),
    "gru backwards": (
        lambda C: C.layers.Recurrence(C.layers.GRU(4, activation=C.relu), go_backwards=True),
        [s(3)],
    ),
    "gru stabilized": (
        lambda C: C.layers.Recurrence(C.layers.GRU(4, enable_self_stabilization=True)),
        [s(3)],
    ),
    "gru with the cell's shape": (
        lambda C: C.layers.Recurrence(C.layers.GRU(4, cell_shape=4)),
        [s(3)],
    ),
    "gru on sparse words": (lambda C: C.layers.Recurrence(C.layers.GRU(4)), [s(6, is_sparse=True)]),
    "lstm": (lambda C: C.layers.Recurrence(C.layers.LSTM(4, init_bias=0.2)), [s(3)]),
    "lstm backwards": (
        lambda C: C.layers.Recurrence(C.layers.LSTM(4, name="cell"), go_backwards=True),
        [s(3)],
    ),
    "lstm on sparse words": (
        lambda C: C.layers.Recurrence(C.layers.LSTM(4)),
        [s(6, is_sparse=True)],
    ),
    "lstm with all states": (
        lambda C: C.layers.Recurrence(
            C.layers.LSTM(4), initial_state=(0.1, 0.2), return_full_state=True
        ),
        [s(3)],
    ),
    "lstm with peepholes": (
        lambda C: C.layers.Recurrence(C.layers.LSTM(4, use_peepholes=True)),
        [s(3)],
    ),
    "lstm projected": (
        lambda C: C.layers.Recurrence(C.layers.LSTM(4, cell_shape=5), go_backwards=True),
        [s(3)],
    ),
    "lstm stabilized": (
        lambda C: C.layers.Recurrence(C.layers.LSTM(4, enable_self_stabilization=True)),
        [s(3)],
    ),
    "lstm stabilized and projected": (
        lambda C: C.layers.Recurrence(
            C.layers.LSTM(4, cell_shape=3, enable_self_stabilization=True)
        ),
        [s(3)],
    ),
    "lstm with everything": (
        lambda C: C.layers.Recurrence(
            C.layers.LSTM(
                4,
                cell_shape=5,
                use_peepholes=True,
                enable_self_stabilization=True,
                activation=C.relu,
            )
        ),
        [s(3)],
    ),
    "a step of an lstm": (
        lambda C: C.layers.LSTM(4, use_peepholes=True, name="step"),
        [x(4), x(4), x(3)],
    ),
    "a step of a projected lstm": (lambda C: C.layers.LSTM(4, cell_shape=5), [x(4), x(5), x(3)]),
    "a step of a gru": (lambda C: C.layers.GRU(4), [x(4), x(3)]),
    "a step of an rnn": (
        lambda C: C.layers.RNNStep((4,), cell_shape=2, activation=C.tanh),
        [x(4), x(3)],
    ),
    "recurrence over plus": (repeat, [s(2)]),
    "recurrence over a lambda": (
        lambda C: C.layers.Recurrence(lambda h, x: C.tanh(h) + x, initial_state=0.5),
        [s(2)],
    ),
    "recurrence over two states": (
        lambda C: C.layers.Recurrence(lambda h, c, x: (h + x, c * 0.5 + x), return_full_state=True),
        [s(2)],
    ),
    "recurrence over three states": (
        lambda C: C.layers.Recurrence(
            lambda h, c, a, x: (h + c, a, x), initial_state=(1, 2, 3), name="three"
        ),
        [s(2)],
    ),
    "recurrence over a layer's function": (function_step, [s(3)]),
    "recurrence over a block": (block_step, [s(3)]),
    "recurrence over a block of two states": (block_of_two_states, [s(3)]),
    "recurrence over two cells": (layers_in_a_step, [s(3)]),
    "recurrences stacked": (stacked, [s(3)]),
    "recurrences both ways": (both_ways, [s(3)]),
    "a recurrence applied twice": (recurrence_in_a_function, [s(3)]),
    "recurrence from a state": (lambda C: C.layers.RecurrenceFrom(C.layers.GRU(4)), [x(4), s(3)]),
    "recurrence from a state, backwards": (
        lambda C: C.layers.RecurrenceFrom(C.layers.RNNStep(4), go_backwards=True, name="back"),
        [x(4), s(3)],
    ),
    "recurrence from two states": (
        lambda C: C.layers.RecurrenceFrom(C.layers.LSTM(4)),
        [x(4), x(4), s(3)],
    ),
    "recurrence from two states, all of them": (
        lambda C: C.layers.RecurrenceFrom(C.layers.LSTM(4), return_full_state=True),
        [x(4), x(4), s(3)],
    ),
    "recurrence from two states of a projection": (
        lambda C: C.layers.RecurrenceFrom(
            C.layers.LSTM(4, cell_shape=2), go_backwards=True, return_full_state=True
        ),
        [x(4), x(2), s(3)],
    ),
    "recurrence from a lambda's states": (
        lambda C: C.layers.RecurrenceFrom(lambda h, c, x: (h * c + x, c + 1)),
        [x(2), x(2), s(2)],
    ),
    "initial state as an array": (
        lambda C: C.layers.Recurrence(C.layers.RNNStep(4), initial_state=C.constant(STATE)),
        [s(3)],
    ),
    "initial state as a parameter": (learned_state, [s(3)]),
    "initial state of each sequence": (state_of_a_batch, [s(3), x(4)]),
    "initial states of each sequence": (states_of_a_batch, [s(3), x(4), x(4)]),
    "initial state from an encoder": (state_of_an_encoder, [s(3)]),
    "initial states from an encoder of other sequences": (
        states_of_an_encoder,
        [s(3, axis="source"), s(2, axis="target")],
    ),
    "initial state as a sequence": (state_of_a_sequence, [s(3), s(4)]),
    "initial states of several kinds": (mixed_states, [s(3)]),
    "initial state from a sequence": (
        lambda C: C.layers.RecurrenceFrom(C.layers.RNNStep(4)),
        [s(4), s(3)],
    ),
    "initial state from a sequence, backwards": (
        lambda C: C.layers.RecurrenceFrom(C.layers.RNNStep(4), go_backwards=True),
        [s(4), s(3)],
    ),
    "initial state from a sequence on another axis": (
        lambda C: C.layers.RecurrenceFrom(C.layers.RNNStep(4)),
        [s(4, axis="source"), s(3)],
    ),
    "a model of two sequences": (decoder_of_an_encoder, [s(3, axis="source"), s(2, axis="target")]),
    "a fold beside a recurrence": (fold_in_a_step, [s(3, axis="source"), s(3, axis="target")]),
    "recurrences in a block": (recurrence_in_a_step, [s(3)]),
    "lstm in double": (
        in_double,
        [lambda C: C.sequence.input_variable(3, np.float64, True, name="x")],
    ),
    "lstm with all states, named": (
        lambda C: C.layers.Recurrence(C.layers.LSTM(3), return_full_state=True, name="states"),
        [s(3)],
    ),
    "fold over two states": (
        lambda C: C.layers.Fold(
            lambda h, n, x: (h + x, n * 0.5 + x), initial_state=(0, 1), return_full_state=True
        ),
        [s(2)],
    ),
    "fold": (lambda C: C.layers.Fold(C.element_max, initial_state=-1), [s(2)]),
    "fold over plus": (lambda C: C.layers.Fold(C.plus, name="total"), [s(2, 3)]),
    "fold backwards": (lambda C: C.layers.Fold(C.layers.GRU(4), go_backwards=True), [s(3)]),
    "fold with all states": (
        lambda C: C.layers.Fold(C.layers.LSTM(4), return_full_state=True),
        [s(3)],
    ),
    "fold with all states backwards": (
        lambda C: C.layers.Fold(
            C.layers.LSTM(4),
            go_backwards=True,
            return_full_state=True,
            initial_state=(0.5, -0.5),
            name="ends",
        ),
        [s(3)],
    ),
    "fold of a projection": (lambda C: C.layers.Fold(C.layers.LSTM(4, cell_shape=5)), [s(3)]),
    "fold on sparse words": (lambda C: C.layers.Fold(C.layers.GRU(4)), [s(6, is_sparse=True)]),
    "unfold": (lambda C: C.layers.UnfoldFrom(lambda h: h * 2 + 1), [x(2), s(1)]),
    "unfold with a layer": (
        lambda C: C.layers.UnfoldFrom(C.layers.Dense(3, activation=C.tanh), name="make"),
        [x(3), s(1)],
    ),
    "unfold longer": (
        lambda C: C.layers.UnfoldFrom(lambda h: h + 1, length_increase=1.5),
        [x(2), s(1)],
    ),
    "unfold until": (unfolding_until, [x(2), s(1)]),
    "unfold frames and states": (unfolding_states, [x(3), s(2)]),
    "delay": (lambda C: C.layers.Delay(2, initial_state=0.4), [s(2)]),
    "delay by one": (lambda C: C.layers.Delay(name="before"), [s(2, 3)]),
    "delay by nothing": (lambda C: C.layers.Delay(0), [s(2)]),
    "delay into the future": (lambda C: C.layers.Delay(-1), [s(2)]),
    "delay far into the future": (lambda C: C.layers.Delay(-3, initial_state=0.5), [s(2)]),
    "delay with a state as array": (
        lambda C: C.layers.Delay(1, initial_state=C.constant(STATE[:2])),
        [s(2)],
    ),
    "delay of sparse words": (lambda C: C.layers.Delay(1), [s(6, is_sparse=True)]),
    "past value window": (lambda C: C.layers.PastValueWindow(3, axis=-2), [s(2)]),
    "past value window along the frames": (lambda C: C.layers.PastValueWindow(2, axis=-1), [s(2)]),
    "past value window on a new axis": (
        lambda C: C.layers.PastValueWindow(3, axis=-3, name="window"),
        [s(2)],
    ),
    "past value window of one": (lambda C: C.layers.PastValueWindow(1, axis=-2), [s(2)]),
    "first value window": (
        lambda C: C.layers.PastValueWindow(2, axis=-2, go_backwards=True),
        [s(2)],
    ),
    "attention": (attention, [s(3, axis="source"), s(2, axis="target")]),
    "attention over a span": (attention_over_a_span, [s(3, axis="source"), s(2, axis="target")]),
    "attention from the front": (
        attention_from_the_front,
        [s(3, axis="source"), s(2, axis="target")],
    ),
    "a decoder with attention": (attending_decoder, [s(3, axis="source"), s(2, axis="target")]),
}
