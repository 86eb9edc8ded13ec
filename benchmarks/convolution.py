"""Training of a convolutional network for images of handwritten digits."""

from __future__ import annotations

from torch import nn

import cntk as C

from .timing import Contestants, Workload
from .training import cntk_training, pytorch_training, random_minibatches

IMAGE_SHAPE = (1, 28, 28)
NUM_CLASSES = 10
MINIBATCH_SIZE = 64


def pytorch_network() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 32, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(3, 2),
        nn.Conv2d(32, 48, 3),
        nn.ReLU(),
        nn.MaxPool2d(3, 2),
        nn.Flatten(),
        nn.Linear(48 * 5 * 5, 96),
        nn.ReLU(),
        nn.Linear(96, NUM_CLASSES),
    )


def cntk_network() -> C.Function:
    with C.layers.default_options(activation=C.relu):
        return C.layers.Sequential(
            [
                C.layers.Convolution2D((5, 5), 32, pad=True),
                C.layers.MaxPooling((3, 3), strides=(2, 2)),
                C.layers.Convolution2D((3, 3), 48),
                C.layers.MaxPooling((3, 3), strides=(2, 2)),
                C.layers.Dense(96),
                C.layers.Dense(NUM_CLASSES, activation=None),
            ]
        )


def build_digits() -> Contestants:
    tensors, arrays = random_minibatches(IMAGE_SHAPE, NUM_CLASSES, MINIBATCH_SIZE)
    features = C.input_variable(IMAGE_SHAPE)
    return Contestants(
        pytorch_training(pytorch_network(), tensors),
        cntk_training(cntk_network()(features), features, NUM_CLASSES, arrays),
    )


WORKLOADS = [
    Workload(
        "convnet", "28x28: conv 5x5x32, pool, conv 3x3x48, pool, 96-10, batch 64", build_digits
    )
]
