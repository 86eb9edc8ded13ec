"""Recurrent programs drawn at random: cells and steps of all kinds, stacked, both ways, with all
kinds of initial states.

A row is drawn from its number alone, here and under Python 3.6 alike; see `layer_cases`.
"""

import numpy as np

from tests.layers.layer_cases import s, x

COUNT = 120


class Draw:
    """Choices of one program, and the inputs that it may use."""

    def __init__(self, C, number, other, vector):
        self.C, self.other, self.vector = C, other, vector
        self.random = np.random.RandomState(number)

    def below(self, begin, end):
        return int(self.random.randint(begin, end))

    def chance(self, share):
        return bool(self.random.uniform() < share)

    def one(self, *choices):
        return choices[self.random.randint(len(choices))]

    def name(self):
        return self.one("", "", "", "drawn")

    def activation(self):
        return self.one(None, self.C.tanh, self.C.sigmoid, self.C.relu)


# Steps: each is drawn for a size of its first state, and comes with the sizes of all its states.


def lstm(d, size):
    cell = d.below(2, 6) if d.chance(0.3) else size
    more = {"cell_shape": cell} if cell != size else {}
    step = d.C.layers.LSTM(
        size,
        activation=d.one(d.C.tanh, d.C.tanh, d.C.sigmoid, d.C.relu),
        use_peepholes=d.chance(0.4),
        enable_self_stabilization=d.chance(0.4),
        name=d.name(),
        **more,
    )
    return step, [size, cell]


def gru(d, size):
    activation, stable = d.one(d.C.tanh, d.C.sigmoid), d.chance(0.3)
    return d.C.layers.GRU(
        size, activation=activation, enable_self_stabilization=stable, name=d.name()
    ), [size]


def rnn(d, size):
    activation, stable = d.one(d.C.tanh, d.C.sigmoid), d.chance(0.3)
    return d.C.layers.RNNStep(
        size, activation=activation, enable_self_stabilization=stable, name=d.name()
    ), [size]


def by_hand(d, size):
    C, kind = d.C, d.below(0, 3)
    recurrent = C.parameter((size, size), init=C.glorot_uniform(), name="R")
    dense = C.layers.Dense(size)

    @C.Function
    def step(h, a):
        product = C.times(h, recurrent)
        if kind == 0:
            return C.tanh(product + dense(a))
        return (
            C.element_max(h * 0.5, dense(a)) + product
            if kind == 1
            else dense(a) - C.sigmoid(product)
        )

    return step, [size]


def gated(d, size):
    C = d.C
    dense, gate = (
        C.layers.Dense(size, activation=d.activation()),
        C.layers.Dense(size, activation=C.sigmoid),
    )

    @C.Function
    def step(h, a):
        both = C.splice(h, a)
        share = gate(both)
        return share * h + (1 - share) * dense(both)

    return step, [size]


def two_states(d, size):
    C, second = d.C, d.below(1, 4)
    upper, lower = C.layers.Dense(size, activation=C.tanh), C.layers.Dense(second)

    @C.Function
    def step(h, c, a):
        return upper(C.splice(h, c, a)), C.tanh(lower(h)) + 0.5 * c

    return step, [size, second]


def two_cells(d, size):
    C, below = d.C, d.below(2, 5)
    lower, upper = C.layers.GRU(below), C.layers.LSTM(size)

    @C.Function
    def step(h, c, g, a):
        g = lower(g, a)
        h, c = upper(h, c, g).outputs
        return h, c, g

    return step, [size, size, below]


def stabilized(d, size):
    """Layers whose sizes become known only once the loop is closed."""
    C = d.C
    recurrent, stable, dense = (
        C.layers.Dense(size, activation=C.tanh),
        C.layers.Stabilizer(),
        C.layers.Dense(size),
    )

    @C.Function
    def step(h, a):
        return recurrent(stable(h)) + dense(a)

    return step, [size]


def block(d, size):
    C = d.C
    dense = C.layers.Dense(size)

    @C.BlockFunction("Drawn", "mine")
    def step(h, a):
        return C.tanh(dense(a) * 0.7 + h)

    return step, [size]


STEPS = (lstm, lstm, lstm, gru, gru, rnn, by_hand, gated, two_states, two_cells, stabilized, block)


def step(d, size):
    return d.one(*STEPS)(d, size)


def held_state(d, size):
    """An initial state that the original takes for `Recurrence`."""
    kind, values = d.below(0, 4), d.random.uniform(-1, 1, size).astype(np.float32)
    if kind < 2:
        return d.C.constant(values)
    return (
        float(np.round(values[0], 2))
        if kind == 2
        else d.C.parameter((size,), init=0.5, name="start")
    )


def computed_state(d, size):
    """One for `RecurrenceFrom`: a value for each sequence, from an input or the end of another
    sequence.
    """
    kind = d.below(0, 3)
    if kind == 0:
        return d.C.constant(d.random.uniform(-1, 1, size).astype(np.float32))
    return d.C.layers.Dense(size)(d.vector if kind == 1 else d.C.sequence.last(d.other))


# Layers: each is applied to a sequence of vectors and gives one.


def recurrence(d, a, size):
    cell, sizes = step(d, size)
    more = {}
    if d.chance(0.5):
        states = tuple(held_state(d, n) for n in sizes)
        more["initial_state"] = states if len(states) > 1 else states[0]
    whole = d.chance(0.2)
    found = d.C.layers.Recurrence(
        cell, go_backwards=d.chance(0.5), return_full_state=whole, name=d.name(), **more
    )(a)
    return d.C.splice(*found.outputs) if whole and len(sizes) > 1 else found


def recurrence_from(d, a, size):
    cell, sizes = step(d, size)
    states, whole = [computed_state(d, n) for n in sizes], d.chance(0.2)
    layer = d.C.layers.RecurrenceFrom(
        cell, go_backwards=d.chance(0.5), return_full_state=whole, name=d.name()
    )
    found = layer(*(states + [a]))
    return d.C.splice(*found.outputs) if whole and len(sizes) > 1 else found


def fold(d, a, size):
    folded = d.C.layers.Fold(step(d, size)[0], go_backwards=d.chance(0.5), name=d.name())(a)
    return d.C.sequence.broadcast_as(folded, a)


def both_ways(d, a, size):
    ways = [d.C.layers.Recurrence(step(d, size)[0], go_backwards=way)(a) for way in (False, True)]
    return d.C.splice(*ways, name=d.name())


def shortcut(d, a, size):
    return d.C.layers.ResNetBlock(
        d.C.layers.Recurrence(step(d, a.shape[0])[0], go_backwards=d.chance(0.5))
    )(a)


def stack(d, a, size):
    layers = []
    for _ in range(d.below(1, 3)):
        layers.append(d.C.layers.Recurrence(step(d, size)[0], go_backwards=d.chance(0.5)))
        if d.chance(0.5):
            layers.append(d.C.layers.Dense(size, activation=d.activation()))
    return d.C.layers.Sequential(layers, name=d.name())(a)


def window(d, a, size):
    values, valid = d.C.layers.PastValueWindow(d.below(2, 5), axis=-2, go_backwards=d.chance(0.5))(
        a
    ).outputs
    total = d.C.reshape(d.C.reduce_sum(values * valid, axis=-2), a.shape)
    return d.C.sequence.broadcast_as(total, a)


def delay(d, a, size):
    return d.C.layers.Delay(d.one(1, 2, -1, -2), initial_state=d.one(0, 0.3), name=d.name())(a)


def shifted(d, a, size):
    shift = d.one(d.C.sequence.past_value, d.C.sequence.future_value)
    start = d.one(0.2, d.C.layers.Dense(a.shape[0])(d.vector))
    return shift(a, initial_state=start, time_step=d.below(1, 3), name=d.name())


def dense(d, a, size):
    return d.C.layers.Dense(size, activation=d.activation(), name=d.name())(a)


def normalized(d, a, size):
    return d.one(d.C.layers.Stabilizer, d.C.layers.LayerNormalization)(name=d.name())(a)


def unfolded(d, a, size):
    again = d.C.layers.Dense(size, activation=d.C.tanh)
    return d.C.layers.UnfoldFrom(lambda h: again(h), name=d.name())(
        d.C.layers.Dense(size)(d.C.sequence.last(a)), a
    )


LAYERS = (
    recurrence,
    recurrence,
    recurrence,
    recurrence_from,
    recurrence_from,
    fold,
    both_ways,
    shortcut,
    stack,
) + (
    window,
    delay,
    shifted,
    dense,
    normalized,
)


def program(number):
    def build(C, a, other, vector):
        d = Draw(C, number, other, vector)
        for _ in range(d.below(1, 4)):
            a = d.one(*LAYERS)(d, a, d.below(2, 5))
        # The original cannot go on after an unfolding: that comes last.
        return unfolded(d, a, 3) if d.chance(0.1) else a

    return build


CASES = {f"drawn {k}": (program(k), [s(3), s(2, axis="words"), x(3)]) for k in range(COUNT)}
