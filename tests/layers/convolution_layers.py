"""Convolution layers, over static axes and along sequences, and pooling layers; see
`layer_cases`.
"""

import numpy as np

from tests.layers.layer_cases import s, x

KERNEL = np.arange(8, dtype=np.float32).reshape(1, 2, 2, 2) / 8


def pool_and_back(C, a):
    pooled = C.layers.MaxPooling((2, 2), strides=2, pad=True)(a)
    return C.layers.MaxUnpooling((2, 2), strides=2, pad=True)(pooled * 2, a)


def image_defaults(C):
    with C.default_options(pad=True, activation=C.relu, bias=False):
        return C.layers.Sequential(
            [C.layers.Convolution2D(3, 2), C.layers.MaxPooling((2, 2), strides=2)]
        )


CASES = {
    "convolution": (lambda C: C.layers.Convolution((3, 2), 4), [x(2, 5, 6)]),
    "convolution padded": (
        lambda C: C.layers.Convolution((3, 3), 4, pad=True, init=C.he_uniform()),
        [x(2, 5, 6)],
    ),
    "convolution with strides": (
        lambda C: C.layers.Convolution(
            (2, 3), 4, pad=(True, False), strides=(2, 3), activation=C.relu
        ),
        [x(2, 5, 7)],
    ),
    "convolution, even window": (
        lambda C: C.layers.Convolution((2, 4), 3, pad=True, strides=3),
        [x(2, 7, 8)],
    ),
    "convolution, one filter": (
        lambda C: C.layers.Convolution((3, 3), init_bias=0.5),
        [x(2, 5, 6)],
    ),
    "convolution, filters in a tuple": (lambda C: C.layers.Convolution((3, 3), (4,)), [x(2, 5, 6)]),
    "convolution with numbers": (
        lambda C: C.layers.Convolution(
            (2, 2), 1, init=KERNEL, init_bias=np.array([[[0.5]]], np.float32)
        ),
        [x(2, 3, 4)],
    ),
    "convolution, named": (
        lambda C: C.layers.Convolution((2, 2), 3, name="filters", op_name="Edges"),
        [x(2, 3, 4)],
    ),
    "convolution without channels": (
        lambda C: C.layers.Convolution((3, 3), 4, reduction_rank=0, init=C.he_uniform()),
        [x(5, 6)],
    ),
    "convolution without channels, one filter": (
        lambda C: C.layers.Convolution((3, 3), reduction_rank=0, activation=C.tanh),
        [x(5, 6)],
    ),
    "convolution without channels, padded": (
        lambda C: C.layers.Convolution1D(3, 2, reduction_rank=0, pad=True, strides=2),
        [x(6)],
    ),
    "convolution 1d": (lambda C: C.layers.Convolution1D(3, 4, pad=True, bias=False), [x(2, 5)]),
    "convolution 1d with strides": (
        lambda C: C.layers.Convolution1D((4,), 3, strides=(2,), activation=C.tanh),
        [x(2, 9)],
    ),
    "convolution 1d, one filter": (lambda C: C.layers.Convolution1D(2), [x(3, 5)]),
    "convolution 2d": (
        lambda C: C.layers.Convolution2D(3, 4, init=C.glorot_normal()),
        [x(2, 5, 6)],
    ),
    "convolution 2d, normal": (
        lambda C: C.layers.Convolution2D((3, 1), 4, init=C.normal(0.3, seed=4)),
        [x(2, 5, 6)],
    ),
    "convolution 2d, bilinear": (
        lambda C: C.layers.Convolution2D((4, 4), 2, init=C.initializer.bilinear(4, 4)),
        [x(2, 5, 6)],
    ),
    "convolution 3d": (
        lambda C: C.layers.Convolution3D((2, 3, 2), 3, pad=(True, False, True)),
        [x(2, 3, 4, 5)],
    ),
    "convolution 3d with one number": (
        lambda C: C.layers.Convolution3D(2, 2, strides=2),
        [x(2, 4, 4, 5)],
    ),
    "convolution on sequences": (lambda C: C.layers.Convolution2D((2, 2), 2), [s(2, 3, 4)]),
    "convolution by default options": (image_defaults, [x(2, 4, 6)]),
    "convolution along the sequence": (
        lambda C: C.layers.Convolution(3, 4, sequential=True, pad=True),
        [s(2)],
    ),
    "convolution along the sequence, 4 wide": (
        lambda C: C.layers.Convolution(
            (4,), 3, sequential=True, pad=True, bias=False, activation=C.tanh
        ),
        [s(2)],
    ),
    "convolution along the sequence, 1 wide": (
        lambda C: C.layers.Convolution(1, 3, sequential=True),
        [s(2)],
    ),
    "convolution along the sequence, one filter": (
        lambda C: C.layers.Convolution(3, sequential=True, pad=True),
        [s(2)],
    ),
    "convolution along the sequence, even window": (
        lambda C: C.layers.Convolution((2, 3), 4, sequential=True, pad=(True, False)),
        [s(2, 5)],
    ),
    "convolution along the sequence of matrices": (
        lambda C: C.layers.Convolution((3, 2), 3, sequential=True, pad=True, strides=(1, 2)),
        [s(2, 4)],
    ),
    "convolution along the sequence without channels": (
        lambda C: C.layers.Convolution((3, 2), 3, sequential=True, pad=True, reduction_rank=0),
        [s(4)],
    ),
    "convolution along the sequence of numbers": (
        lambda C: C.layers.Convolution(3, 2, sequential=True, pad=True, reduction_rank=0),
        [s()],
    ),
    "sequential convolution": (lambda C: C.layers.SequentialConvolution(3, 4, pad=True), [s(2)]),
    "sequential convolution, strides": (
        lambda C: C.layers.SequentialConvolution((2, 3), 4, pad=True, strides=2, activation=C.relu),
        [s(2, 5)],
    ),
    "sequential convolution, one filter": (
        lambda C: C.layers.SequentialConvolution(3, pad=True),
        [s(2)],
    ),
    "sequential convolution of numbers": (
        lambda C: C.layers.SequentialConvolution(2, 2, pad=True, reduction_rank=0, name="along"),
        [s()],
    ),
    "sequential convolution, 1 wide": (
        lambda C: C.layers.SequentialConvolution(1, 3, bias=False),
        [s(2)],
    ),
    "convolution transpose": (
        lambda C: C.layers.ConvolutionTranspose((3, 2), 4, init=C.he_uniform()),
        [x(2, 4, 3)],
    ),
    "convolution transpose, strides": (
        lambda C: C.layers.ConvolutionTranspose2D(
            (3, 3), 4, strides=2, pad=True, output_shape=(8, 6)
        ),
        [x(2, 4, 3)],
    ),
    "convolution transpose, padded": (
        lambda C: C.layers.ConvolutionTranspose2D(
            (3, 2), 4, strides=(2, 3), pad=True, activation=C.relu
        ),
        [x(2, 4, 3)],
    ),
    "convolution transpose, half padded": (
        lambda C: C.layers.ConvolutionTranspose(
            (4, 3), 2, strides=(2, 1), pad=(True, False), bias=False, name="up"
        ),
        [x(2, 3, 4)],
    ),
    "convolution transpose 1d": (
        lambda C: C.layers.ConvolutionTranspose1D(3, 4, strides=2),
        [x(2, 4)],
    ),
    "convolution transpose 1d, shape given": (
        lambda C: C.layers.ConvolutionTranspose1D(3, 4, strides=2, pad=True, output_shape=(8,)),
        [x(2, 4)],
    ),
    "convolution transpose 3d": (lambda C: C.layers.ConvolutionTranspose3D(2, 2), [x(2, 3, 2, 3)]),
    "convolution transpose without channels": (
        lambda C: C.layers.ConvolutionTranspose((3, 3), 2, reduction_rank=0),
        [x(4, 3)],
    ),
    "convolution transpose on sequences": (
        lambda C: C.layers.ConvolutionTranspose2D((2, 2), 2, init_bias=0.25, activation=C.tanh),
        [s(2, 2, 3)],
    ),
    "max pooling": (lambda C: C.layers.MaxPooling((2, 3), strides=2), [x(2, 5, 6)]),
    "max pooling padded": (
        lambda C: C.layers.MaxPooling((2, 3), strides=(2, 3), pad=(True, False)),
        [x(2, 5, 7)],
    ),
    "max pooling of one axis": (
        lambda C: C.layers.MaxPooling(3, strides=2, name="pool"),
        [x(2, 3, 7)],
    ),
    "max pooling on sequences": (lambda C: C.layers.MaxPooling((2,)), [s(2, 5)]),
    "max pooling over channels": (lambda C: C.layers.MaxPooling((2, 2, 2)), [x(2, 3, 4)]),
    "average pooling": (lambda C: C.layers.AveragePooling((2, 2), strides=2), [x(2, 5, 6)]),
    "average pooling padded": (lambda C: C.layers.AveragePooling((3, 2), pad=True), [x(2, 5, 6)]),
    "average pooling padded with strides": (
        lambda C: C.layers.AveragePooling((3, 3), strides=2, pad=True, name="mean"),
        [x(2, 5, 6)],
    ),
    "global max pooling": (lambda C: C.layers.GlobalMaxPooling(), [x(2, 5, 6)]),
    "global max pooling of one axis": (lambda C: C.layers.GlobalMaxPooling(), [x(3, 5)]),
    "global average pooling": (lambda C: C.layers.GlobalAveragePooling(), [x(2, 5, 6)]),
    "global average pooling on sequences": (
        lambda C: C.layers.GlobalAveragePooling(name="all"),
        [s(2, 3, 4)],
    ),
    "max unpooling": (lambda C: C.layers.MaxUnpooling((2, 2), strides=2), [x(2, 2, 3), x(2, 4, 6)]),
    "max unpooling of a pooled image": (pool_and_back, [x(2, 5, 5)]),
}
