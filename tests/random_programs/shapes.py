"""Operations that move elements about."""

from __future__ import annotations

import cntk as C
from tests.random_programs.drawing import Chance, Drawn, elements, operation


@operation("shape")
def swapaxes(chance: Chance, x: Drawn) -> Drawn | None:
    if x.rank < 2:
        return None
    one, other = chance.choices.sample(range(x.rank), 2)
    return x.with_(C.swapaxes(x.f, one, other))


@operation("shape")
def transpose(chance: Chance, x: Drawn) -> Drawn | None:
    if x.rank < 2:
        return None
    order = list(range(x.rank))
    chance.choices.shuffle(order)
    return x.with_(C.transpose(x.f, order))


@operation("shape")
def reshape(chance: Chance, x: Drawn) -> Drawn:
    count = elements(x.shape)
    factors = [n for n in range(1, count + 1) if count % n == 0]
    first = chance.one_of(factors)
    shape = chance.one_of(
        [(count,), (first, count // first), (1, first, count // first), (first, -1), (-1,)]
    )
    return x.with_(C.reshape(x.f, shape))


@operation("shape")
def flatten(chance: Chance, x: Drawn) -> Drawn | None:
    return x.with_(C.flatten(x.f, axis=chance.below(x.rank) - x.rank)) if x.rank > 1 else None


@operation("shape")
def expand_dims(chance: Chance, x: Drawn) -> Drawn | None:
    return x.with_(C.expand_dims(x.f, -1 - chance.below(x.rank))) if 0 < x.rank < 4 else None


@operation("shape")
def squeeze(chance: Chance, x: Drawn) -> Drawn | None:
    return x.with_(C.squeeze(x.f)) if 1 in x.shape and elements(x.shape) > 1 else None


@operation("shape")
def sliced(chance: Chance, x: Drawn) -> Drawn | None:
    axes = [k for k, d in enumerate(x.shape) if d > 1]
    if not axes:
        return None
    axis = chance.one_of(axes)
    size = x.shape[axis]
    begin = chance.below(size)
    end = chance.between(begin + 1, size)
    stride = chance.one_of([1, 1, 1, 2, -1])
    return x.with_(C.slice(x.f, axis, begin, end, stride))


@operation("shape")
def spliced(chance: Chance, x: Drawn) -> Drawn | None:
    if not x.rank or elements(x.shape) > 60:
        return None
    parts = [x.f, C.tanh(x.f)]
    if chance.often(0.4):
        parts.append(chance.parameter(*x.shape))
    chance.choices.shuffle(parts)
    return x.with_(C.splice(*parts, axis=chance.below(x.rank) - x.rank))


@operation("shape")
def padded(chance: Chance, x: Drawn) -> Drawn | None:
    if not x.rank or min(x.shape) < 2 or elements(x.shape) > 100:
        return None
    pattern = [(chance.below(2), chance.below(2)) for _ in x.shape]
    mode = chance.one_of([C.CONSTANT_PAD, C.REFLECT_PAD, C.SYMMETRIC_PAD])
    return x.with_(C.pad(x.f, pattern, mode, 0.5))


@operation("shape")
def gathered(chance: Chance, x: Drawn) -> Drawn | None:
    if x.rank != 1 or x.shape[0] > 8 or chance.smooth:
        return None
    table = chance.parameter(5, 3)
    indices = C.clip(C.round(C.abs(x.f) * 3), 0, 4)
    return x.with_(C.gather(table, indices) * C.reshape(x.f, (x.shape[0], 1)))
