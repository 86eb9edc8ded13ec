"""Training of fully connected networks, from one where only overhead counts to one where only
arithmetic does.
"""

from __future__ import annotations

from torch import nn

import cntk as C

from .timing import Contestants, Workload
from .training import cntk_training, pytorch_training, random_minibatches


def race(
    pytorch: nn.Module, cntk: C.Function, num_inputs: int, num_classes: int, minibatch_size: int
) -> Contestants:
    """Both networks in training on the same random vectors; `cntk` is a layer, not yet applied to
    an input.
    """
    tensors, arrays = random_minibatches((num_inputs,), num_classes, minibatch_size)
    features = C.input_variable(num_inputs)
    return Contestants(
        pytorch_training(pytorch, tensors),
        cntk_training(cntk(features), features, num_classes, arrays),
    )


def build_tiny() -> Contestants:
    return race(
        nn.Sequential(nn.Linear(2, 50), nn.Sigmoid(), nn.Linear(50, 2)),
        C.layers.Sequential([C.layers.Dense(50, activation=C.sigmoid), C.layers.Dense(2)]),
        num_inputs=2,
        num_classes=2,
        minibatch_size=25,
    )


def build_logistic_regression() -> Contestants:
    return race(
        nn.Linear(784, 10), C.layers.Dense(10), num_inputs=784, num_classes=10, minibatch_size=64
    )


def build_perceptron() -> Contestants:
    return race(
        nn.Sequential(
            nn.Linear(784, 512),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(512, 512),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(512, 10),
        ),
        C.layers.Sequential(
            [
                C.layers.For(
                    range(2),
                    lambda: [C.layers.Dense(512, activation=C.relu), C.layers.Dropout(0.5)],
                ),
                C.layers.Dense(10),
            ]
        ),
        num_inputs=784,
        num_classes=10,
        minibatch_size=64,
    )


WORKLOADS = [
    Workload("tiny", "2-50-2, sigmoid, batch 25", build_tiny),
    Workload("logistic", "784-10, batch 64", build_logistic_regression),
    Workload("perceptron", "784-512-512-10, relu, dropout 0.5, batch 64", build_perceptron),
]
