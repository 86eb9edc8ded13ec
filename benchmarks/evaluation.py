"""Evaluation of a network for one sample at a time, as a service does."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

import cntk as C

from .timing import Contestants, Run, Workload
from .training import NUM_MINIBATCHES, repeat


def pytorch_evaluation(model: nn.Module, samples: list[torch.Tensor]) -> Run:
    model.eval()

    @torch.inference_mode()
    def run(steps: int) -> None:
        for sample in repeat(samples, steps):
            model(sample)

    return run


def cntk_evaluation(model: C.Function, features: C.Variable, samples: list[np.ndarray]) -> Run:
    def run(steps: int) -> None:
        for sample in repeat(samples, steps):
            model.eval({features: sample})

    return run


def build_single_sample() -> Contestants:
    rng = np.random.default_rng(0)
    samples = [rng.random((1, 784), dtype=np.float32) for _ in range(NUM_MINIBATCHES)]
    pytorch = nn.Sequential(
        nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10)
    )
    features = C.input_variable(784)
    with C.layers.default_options(activation=C.relu):
        cntk = C.layers.Sequential(
            [C.layers.Dense(512), C.layers.Dense(512), C.layers.Dense(10, activation=None)],
        )(features)
    return Contestants(
        pytorch_evaluation(pytorch, [torch.from_numpy(sample) for sample in samples]),
        cntk_evaluation(cntk, features, samples),
    )


WORKLOADS = [
    Workload("evaluation", "784-512-512-10, relu, one sample at a time", build_single_sample)
]
