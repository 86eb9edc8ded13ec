"""Products, convolutions, pooling, normalization and dropout."""

from __future__ import annotations

import cntk as C
from tests.random_programs.drawing import Chance, Drawn, elements, operation

ACTIVATIONS = [None, C.tanh, C.relu, C.sigmoid, C.leaky_relu]


def _is_image(x: Drawn) -> bool:
    return x.rank == 3 and min(x.shape[1:]) >= 3 and x.shape[0] <= 12


@operation("product")
def dense(chance: Chance, x: Drawn) -> Drawn:
    shape = chance.one_of([chance.between(1, 6), (2, 3), (4,)])
    map_rank = chance.one_of([None, None, 0, 1]) if x.rank > 1 else None
    layer = C.layers.Dense(
        shape, chance.one_of(ACTIVATIONS), bias=chance.often(0.8), map_rank=map_rank
    )
    return x.with_(layer(x.f))


@operation("product")
def times(chance: Chance, x: Drawn) -> Drawn | None:
    if not x.rank:
        return None
    k = chance.between(1, min(2, x.rank))
    inner, outer = x.shape[-k:], chance.one_of([(3,), (2, 2), (1,)])
    return x.with_(C.times(x.f, chance.parameter(*inner, *outer), output_rank=len(outer)))


@operation("product")
def times_on_the_left(chance: Chance, x: Drawn) -> Drawn | None:
    if x.rank != 2:
        return None
    return x.with_(C.times(chance.parameter(3, x.shape[0]), x.f))


@operation("product")
def times_transpose(chance: Chance, x: Drawn) -> Drawn | None:
    return x.with_(C.times_transpose(x.f, chance.parameter(4, x.shape[0]))) if x.rank == 1 else None


@operation("product")
def with_its_transpose(chance: Chance, x: Drawn) -> Drawn | None:
    if x.rank != 2 or elements(x.shape) > 40:
        return None
    return x.with_(C.times(C.tanh(x.f), C.swapaxes(x.f)) * 0.3)


@operation("product")
def stabilized(chance: Chance, x: Drawn) -> Drawn:
    return x.with_(C.layers.Stabilizer()(x.f), x.shape)


@operation("image")
def convolution(chance: Chance, x: Drawn) -> Drawn | None:
    if not _is_image(x):
        return None
    kernel = chance.one_of([(3, 3), (2, 2), (1, 1), (2, 3)])
    options = {
        "pad": chance.often(0.6),
        "strides": chance.one_of([1, 1, 2, (1, 2)]),
        "bias": chance.often(0.6),
    }
    layer = C.layers.Convolution(
        kernel, 2 * chance.between(1, 3), activation=chance.one_of(ACTIVATIONS), **options
    )
    return x.with_(layer(x.f))


@operation("image")
def convolution_by_groups(chance: Chance, x: Drawn) -> Drawn | None:
    if not _is_image(x) or x.shape[0] % 2:
        return None
    kernel = chance.parameter(4, x.shape[0] // 2, 2, 3)
    return x.with_(C.convolution(kernel, x.f, auto_padding=[False, True, True], groups=2))


@operation("image")
def transposed_convolution(chance: Chance, x: Drawn) -> Drawn | None:
    if not _is_image(x) or elements(x.shape) > 300:
        return None
    layer = C.layers.ConvolutionTranspose(
        (2, 2), 2, strides=chance.one_of([1, 2]), pad=chance.often(0.5)
    )
    return x.with_(layer(x.f))


@operation("image")
def convolution_of_a_line(chance: Chance, x: Drawn) -> Drawn | None:
    if x.rank != 2 or x.shape[1] < 3:
        return None
    return x.with_(
        C.layers.Convolution((3,), 3, activation=chance.one_of(ACTIVATIONS), pad=chance.often(0.7))(
            x.f
        )
    )


@operation("image")
def pooling(chance: Chance, x: Drawn) -> Drawn | None:
    if not _is_image(x):
        return None
    layer = chance.one_of([C.layers.MaxPooling, C.layers.AveragePooling])
    return x.with_(
        layer((2, 2), strides=chance.one_of([1, 2]), pad=chance.often(0.4))(chance.apart(x))
    )


@operation("image")
def global_pooling(chance: Chance, x: Drawn) -> Drawn | None:
    if not _is_image(x):
        return None
    return x.with_(
        chance.one_of([C.layers.GlobalAveragePooling, C.layers.GlobalMaxPooling])()(chance.apart(x))
    )


@operation("image")
def local_response(chance: Chance, x: Drawn) -> Drawn | None:
    return (
        x.with_(C.local_response_normalization(x.f, 1, 1.0, 0.3, 0.75), x.shape)
        if _is_image(x)
        else None
    )


@operation("image")
def to_image(chance: Chance, x: Drawn) -> Drawn | None:
    """A product that gives channels and two positions, for those above to work on."""
    return x.with_(C.layers.Dense((2, 4, 3))(x.f)) if x.rank and elements(x.shape) <= 60 else None


@operation("normalization")
def batch_normalization(chance: Chance, x: Drawn) -> Drawn | None:
    if not x.rank:
        return None
    time = chance.one_of([5000, 0, 20])
    layer = C.layers.BatchNormalization(
        map_rank=chance.one_of([1, None]),
        normalization_time_constant=time,
        epsilon=chance.one_of([1e-2, 1e-3]),
    )
    return x.with_(layer(x.f), x.shape)


@operation("normalization")
def layer_normalization(chance: Chance, x: Drawn) -> Drawn | None:
    # Of nearly equal numbers it is rounding alone.
    return (
        x.with_(C.layers.LayerNormalization(epsilon=0.1)(x.f), x.shape)
        if elements(x.shape) > 2 and x.rank
        else None
    )


@operation("normalization", rough=True)
def dropout(chance: Chance, x: Drawn) -> Drawn:
    return x.with_(C.dropout(x.f, chance.one_of([0.2, 0.5]), seed=chance.below(1000)), x.shape)
