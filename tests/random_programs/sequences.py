"""Operations along sequences: parts of them, reductions, recurrences, attention."""

from __future__ import annotations

from typing import Any

import cntk as C
from tests.random_programs.drawing import Chance, Drawn, Shape, elements, operation


def _each(x: Drawn, change: Any) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(change(n) for n in each) for each in x.lengths or ())


def _is_short(x: Drawn) -> bool:
    return x.lengths is not None and elements(x.shape) <= 12


@operation("sequence")
def end(chance: Chance, x: Drawn) -> Drawn:
    return Drawn(chance.one_of([C.sequence.first, C.sequence.last])(x.f), x.shape)


@operation("sequence")
def part(chance: Chance, x: Drawn) -> Drawn | None:
    if x.shortest < 3:
        return None
    begin, end = chance.one_of([(1, 0), (0, -1), (1, -1), (-2, 0), (0, 2), (0, 3)])
    change = {
        (1, 0): lambda n: n - 1,
        (0, -1): lambda n: n - 1,
        (1, -1): lambda n: n - 2,
        (-2, 0): lambda n: 2,
        (0, 2): lambda n: 2,
        (0, 3): lambda n: 3,
    }[begin, end]
    return Drawn(C.sequence.slice(x.f, begin, end), x.shape, _each(x, change))


@operation("sequence")
def stride(chance: Chance, x: Drawn) -> Drawn:
    step = chance.between(1, 3)
    return Drawn(C.sequence.stride(x.f, step), x.shape, _each(x, lambda n: -(-n // step)))


@operation("sequence")
def joined(chance: Chance, x: Drawn) -> Drawn:
    if chance.often(0.5):
        return Drawn(C.sequence.join(x.f, C.tanh(x.f)), x.shape, _each(x, lambda n: 2 * n))
    return Drawn(C.sequence.join(x.f, C.sequence.last(x.f)), x.shape, _each(x, lambda n: n + 1))


@operation("sequence")
def delayed(chance: Chance, x: Drawn) -> Drawn:
    initial = chance.one_of([0, 0.5, None, chance.parameter(*x.shape)])
    delay = chance.one_of([C.sequence.past_value, C.sequence.future_value])
    return x.with_(x.f + delay(x.f, initial, chance.between(1, 3)), x.shape)


@operation("sequence")
def window(chance: Chance, x: Drawn) -> Drawn | None:
    return (
        x.with_(C.sequence.window(x.f, 3, chance.below(3), 0.5))
        if _is_short(x) and x.rank < 3
        else None
    )


@operation("sequence")
def turned(chance: Chance, x: Drawn) -> Drawn:
    return x.with_(C.sequence.reverse(x.f) - x.f, x.shape)


@operation("sequence")
def over_time(chance: Chance, x: Drawn) -> Drawn:
    # Frames may be equal, and then the gradient of a maximum is no derivative.
    how = chance.one_of(
        [
            C.sequence.reduce_sum,
            C.sequence.reduce_mean,
            *[C.sequence.reduce_max] * (not chance.smooth),
        ]
    )
    return Drawn(how(x.f), x.shape)


@operation("sequence")
def weighted(chance: Chance, x: Drawn) -> Drawn | None:
    if not x.rank:
        return None
    weights = C.sequence.softmax(C.reduce_sum(x.f, axis=C.Axis.all_static_axes()))
    return Drawn(C.sequence.reduce_sum(C.reshape(weights, (1,) * x.rank) * x.f), x.shape)


@operation("sequence")
def ends_marked(chance: Chance, x: Drawn) -> Drawn:
    flags = chance.one_of([C.sequence.is_first, C.sequence.is_last])(x.f)
    return x.with_(x.f * (flags + 0.5), x.shape)


@operation("sequence")
def whole_beside_frames(chance: Chance, x: Drawn) -> Drawn:
    total = C.sequence.broadcast_as(
        chance.one_of([C.sequence.last, C.sequence.reduce_sum])(x.f), x.f
    )
    return x.with_(C.tanh(total) + x.f, x.shape)


@operation("sequence")
def chosen(chance: Chance, x: Drawn) -> Drawn:
    """Frames by a condition on the data: such a step cannot be recorded."""
    condition = C.plus(C.sequence.is_first(x.f), C.sequence.is_last(x.f)) > 0
    return Drawn(C.sequence.reduce_sum(C.sequence.gather(x.f, condition)), x.shape)


@operation("sequence")
def unpacked(chance: Chance, x: Drawn) -> Drawn | None:
    if x.rank > 2:
        return None
    packed = C.sequence.unpack(x.f, 0.1, no_mask_output=True)
    return Drawn(C.reduce_sum(C.tanh(packed), axis=0, keepdims=False), x.shape)


@operation("sequence")
def convolved(chance: Chance, x: Drawn) -> Drawn | None:
    if not (_is_short(x) and x.rank == 1):
        return None
    layer = C.layers.SequentialConvolution(
        (3,), 3, chance.one_of([None, C.tanh]), pad=True, bias=chance.often(0.5)
    )
    return x.with_(layer(x.f))


@operation("sequence")
def attended(chance: Chance, x: Drawn) -> Drawn | None:
    if x.rank != 1:
        return None
    d = chance.one_of([2, 4])
    q, k, v = (C.times(x.f, chance.parameter(x.shape[0], d)) for _ in range(3))
    return x.with_(C.sequence.scaled_dot_product_attention(q, k, v), (d,))


def _cell(chance: Chance, width: int) -> Any:
    kind = chance.one_of(["lstm", "gru", "rnn", "sigmoid", "stabilized", "after"])
    chance.said.append(kind)
    return {
        "lstm": lambda: C.layers.LSTM(width),
        "gru": lambda: C.layers.GRU(width),
        "rnn": lambda: C.layers.RNNStep(width, activation=C.tanh),
        "sigmoid": lambda: C.layers.RNNStep(width, activation=C.sigmoid),
        "stabilized": lambda: C.layers.LSTM(width, enable_self_stabilization=True),
        "after": lambda: C.layers.LSTM(width, use_peepholes=True),
    }[kind]()


@operation("recurrence")
def recurrence(chance: Chance, x: Drawn) -> Drawn | None:
    if not (_is_short(x) and x.rank == 1):
        return None
    width, backwards = chance.between(1, 4), chance.often(0.4)
    how = chance.one_of(["all", "fold", "both", "from"])
    chance.said.append(how)
    if how == "fold":
        return Drawn(C.layers.Fold(_cell(chance, width), go_backwards=backwards)(x.f), (width,))
    if how == "both":
        parts = (
            C.layers.Recurrence(_cell(chance, width), go_backwards=b)(x.f) for b in (False, True)
        )
        return x.with_(C.splice(*parts), (2 * width,))
    if how == "from":
        first = C.layers.Dense(width)(C.sequence.first(x.f) if backwards else C.sequence.last(x.f))
        cell = chance.one_of(
            [lambda: C.layers.GRU(width), lambda: C.layers.RNNStep(width, activation=C.tanh)]
        )()
        return x.with_(C.layers.RecurrenceFrom(cell, go_backwards=backwards)(first, x.f), (width,))
    initial = chance.one_of([0, 0.1])
    return x.with_(C.layers.Recurrence(_cell(chance, width), backwards, initial)(x.f), (width,))


def _mixed(chance: Chance, h: Any, shape: Shape) -> Any:
    """A step's state, moved about and compared."""
    if not shape:
        return h
    count = elements(shape)
    how = chance.one_of(
        ["swap", "select", "flat", "log_add", "relu", "normalize", "none", "splice"]
    )
    chance.said.append(how)
    if how == "swap" and len(shape) > 1:
        return C.swapaxes(
            C.swapaxes(h, 0, 1) * chance.parameter(shape[1], shape[0], *shape[2:]), 0, 1
        )
    if how == "select":
        return C.element_select(C.greater(h, 0.05), h, 0.3 * h)
    if how == "flat":
        return C.reshape(C.times(C.reshape(h, (count,)), chance.parameter(count, count)), shape)
    if how == "log_add":
        return C.log_add_exp(h, chance.parameter(*shape))
    if how == "relu":
        return C.leaky_relu(h, 0.1)
    if how == "normalize":
        return C.softmax(h, axis=-1)
    if how == "splice":
        return C.splice(C.slice(h, -1, 0, 1), C.slice(h, -1, 1, shape[-1])) if shape[-1] > 1 else h
    return h


@operation("recurrence")
def by_hand(chance: Chance, x: Drawn) -> Drawn | None:
    """A loop of a program's own, over states of any shape, with one delay or two."""
    if not _is_short(x):
        return None
    delay = chance.one_of([C.sequence.past_value, C.sequence.future_value])
    feedback = C.placeholder(x.shape)
    initial = chance.one_of([0, 0.2, chance.parameter(*x.shape)])
    before = delay(feedback, initial, chance.one_of([1, 1, 1, 2]))
    state = C.tanh(
        x.f + _mixed(chance, before, x.shape) * chance.operand(*chance.broadcasting(x.shape))
    )
    if chance.often(0.3):
        state = state + 0.5 * C.sin(delay(feedback, 0.1, 2))
    if chance.often(0.3):
        state = state * C.sequence.broadcast_as(C.sigmoid(C.sequence.last(x.f)), x.f)
    return x.with_(state.replace_placeholders({feedback: state.output}), x.shape)
