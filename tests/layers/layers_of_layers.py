"""Layers made of layers, functions and blocks of one's own, types, and small models; see
`layer_cases`.
"""

from tests.layers.layer_cases import s, x


def function_with_types(C):
    Tensor = C.layers.typing.Tensor

    @C.Function
    @C.layers.typing.Signature(Tensor[3], Tensor[3])
    def product(first, second):
        return first * second + 1

    return product


def function_with_signature(C):
    types = C.layers.typing

    @C.Function.with_signature(types.Sequence[types.Tensor[2]])
    def total(a):
        return C.sequence.reduce_sum(a)

    return total


def block(C):
    @C.BlockFunction("Square", "squared")
    def square(a):
        return a * a

    return square


def block_with_parameters(C):
    scale = C.parameter(3, init=2, name="scale")

    @C.BlockFunction("Scale", "")
    def scaled(a, b):
        return scale * a + b

    return scaled


def block_of_two_outputs(C):
    @C.BlockFunction("Both", "both")
    def both(a):
        return C.exp(a), C.tanh(a)

    return both


def as_block(C, a):
    p = C.placeholder(name="p")
    inner = C.layers.Dense(2, name="inside")(p) * 3
    return C.as_block(inner, [(p, a)], "Tripled", "three")


def named_outputs(C):
    @C.Function
    def parts(a):
        return C.layers.Label("low")(a - 1), C.layers.Label("high")(a + 1)

    return parts


def shared_and_cloned(C, a):
    """A layer, a clone that has its values but learns nothing, and one with values of its own."""
    layer = C.layers.Dense(3)
    layer.update_signature(3)
    clones = [
        layer.clone(method, {layer.arguments[0]: a}) for method in ("share", "freeze", "clone")
    ]
    return clones[0] * clones[1] + clones[2]


def curried(C, a):
    return (C.layers.Dense(4) >> C.tanh >> C.layers.Dense(3, name="end"))(a)


def late_shape(C, a):
    """A layer is told its input's shape after it has been put into a model."""
    model = C.layers.Sequential([C.layers.Dense(4, name="first"), C.layers.Dense(2)])
    model.update_signature(3)
    return model(a)


CASES = {
    "sequential": (
        lambda C: C.layers.Sequential(
            [C.layers.Dense(4, activation=C.tanh), [C.layers.Dense(3), C.relu]]
        ),
        [x(2)],
    ),
    "sequential of nothing": (lambda C: C.layers.Sequential([]), [x(2)]),
    "sequential of one": (lambda C: C.layers.Sequential(C.layers.Dense(3)), [x(2)]),
    "sequential of lambdas": (
        lambda C: C.layers.Sequential([lambda a: a * 2, C.square, lambda a: a + 1]),
        [x(2)],
    ),
    "sequential, named": (
        lambda C: C.layers.Sequential([C.layers.Dense(3, name="in"), C.relu], name="both"),
        [x(2)],
    ),
    "sequential with branches": (
        lambda C: C.layers.Sequential(
            [(C.layers.Dense(4), C.layers.Dense(4)), (C.tanh, C.layers.Dense(4)), C.plus]
        ),
        [x(2)],
    ),
    "sequential with branches, lists in them": (
        lambda C: C.layers.Sequential(
            [([C.layers.Dense(4), C.tanh], C.layers.identity), C.splice, C.layers.Dense(2)]
        ),
        [x(2)],
    ),
    "sequential of sequentials": (
        lambda C: C.layers.Sequential(
            [
                C.layers.Sequential([C.layers.Dense(4), C.layers.Label("mid")]),
                C.layers.Sequential([C.layers.Dense(2)]),
            ]
        ),
        [x(3)],
    ),
    "for": (
        lambda C: C.layers.For(range(3), lambda i: C.layers.Dense(i + 2), name="stack"),
        [x(2)],
    ),
    "for without an index": (
        lambda C: C.layers.For(range(2), lambda: C.layers.Dense(3, activation=C.relu)),
        [x(2)],
    ),
    "for over names": (
        lambda C: C.layers.For(["a", "b"], lambda n: C.layers.Dense(2, name=n)),
        [x(3)],
    ),
    "for of nothing": (lambda C: C.layers.For(range(0), lambda: C.layers.Dense(3)), [x(2)]),
    "clique": (
        lambda C: C.layers.SequentialClique(
            [C.layers.Dense(2), C.layers.Dense(2), C.exp], name="q"
        ),
        [x(2)],
    ),
    "clique of one": (lambda C: C.layers.SequentialClique([C.layers.Dense(2)]), [x(2)]),
    "clique of four": (
        lambda C: C.layers.SequentialClique(
            [C.layers.Dense(2, activation=C.tanh) for _ in range(4)]
        ),
        [x(2)],
    ),
    "resnet block": (lambda C: C.layers.ResNetBlock(C.layers.Dense(2)), [x(2)]),
    "resnet block, named": (
        lambda C: C.layers.ResNetBlock(
            C.layers.Sequential([C.layers.Convolution2D(3, 2, pad=True), C.relu]), name="shortcut"
        ),
        [x(2, 4, 4)],
    ),
    "composition by operators": (curried, [x(3)]),
    "shape told late": (late_shape, [x(3)]),
    "function with types": (function_with_types, [x(3), x(3)]),
    "function with a signature": (function_with_signature, [s(2)]),
    "block": (block, [x(3)]),
    "block with parameters": (block_with_parameters, [x(3), x(3)]),
    "block of two outputs": (block_of_two_outputs, [x(3)]),
    "as_block": (as_block, [x(3)]),
    "function of two outputs": (named_outputs, [x(3)]),
    "clones": (shared_and_cloned, [x(3)]),
    "small tagger": (
        lambda C: C.layers.Sequential(
            [
                C.layers.Embedding(4),
                C.layers.Recurrence(C.layers.LSTM(3)),
                C.layers.Dropout(0.5),
                C.layers.Dense(2, name="classify"),
            ]
        ),
        [s(3)],
    ),
    "small intent classifier": (
        lambda C: C.layers.Sequential(
            [
                C.layers.Embedding(3),
                C.layers.Stabilizer(),
                C.layers.Fold(C.layers.LSTM(3), go_backwards=True),
                C.layers.BatchNormalization(),
                C.layers.Dense(2, activation=C.softmax),
            ],
            name="intent",
        ),
        [s(6, is_sparse=True)],
    ),
    "small image model": (
        lambda C: C.layers.Sequential(
            [
                C.layers.Convolution2D((3, 3), 4, pad=True, activation=C.relu),
                C.layers.BatchNormalization(map_rank=1),
                C.layers.MaxPooling((2, 2), strides=2),
                C.layers.Dense(3),
            ]
        ),
        [x(1, 4, 6)],
    ),
    "small autoencoder": (
        lambda C: C.layers.Sequential(
            [
                C.layers.Convolution2D(
                    (3, 3), 2, strides=2, pad=True, activation=C.tanh, reduction_rank=0
                ),
                C.layers.ConvolutionTranspose2D(
                    (3, 3), 1, strides=2, pad=True, output_shape=(4, 6)
                ),
                C.layers.LayerNormalization(),
            ]
        ),
        [x(4, 6)],
    ),
}
