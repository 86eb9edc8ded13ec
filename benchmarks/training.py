"""The training loops that all workloads share: PyTorch's usual one, and CNTK's
`Trainer.train_minibatch`.

Both do plain stochastic gradient descent and keep loss and error of every minibatch. The PyTorch
loop sums them in tensors and reads the sums once at the end; it gets tensors, made once from the
arrays that CNTK's loop gets.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from typing import TypeVar

import numpy as np
import torch
from torch import nn

import cntk as C

from .programs_of_cntk import LEARNING_RATE, NUM_MINIBATCHES, training
from .timing import Run

Item = TypeVar("Item")


def pytorch_training(
    model: nn.Module, minibatches: Sequence[tuple[torch.Tensor, torch.Tensor]]
) -> Run:
    """Trains a classifier on minibatches of (inputs, class indices), again and again."""
    optimizer = torch.optim.SGD(model.parameters(), lr=LEARNING_RATE)
    criterion = nn.CrossEntropyLoss()

    def run(steps: int) -> tuple[float, float]:
        model.train()
        loss_sum, num_errors, num_samples = torch.zeros(()), torch.zeros((), dtype=torch.int64), 0
        for inputs, classes in repeat(minibatches, steps):
            optimizer.zero_grad(set_to_none=True)
            output = model(inputs)
            loss = criterion(output, classes)
            loss.backward()
            optimizer.step()
            loss_sum += loss.detach()
            num_errors += (output.argmax(dim=1) != classes).sum()
            num_samples += len(classes)
        return loss_sum.item() / steps, num_errors.item() / num_samples

    return run


def cntk_training(
    model: C.Function,
    features: C.Variable,
    num_classes: int,
    minibatches: Sequence[tuple[object, np.ndarray]],
) -> Run:
    """Trains a classifier on minibatches of (inputs, one-hot classes), again and again."""
    label = C.input_variable(num_classes)
    criteria = C.cross_entropy_with_softmax(model, label), C.classification_error(model, label)
    return training(
        model, criteria, [{features: inputs, label: classes} for inputs, classes in minibatches]
    )


def repeat(minibatches: Sequence[Item], steps: int) -> Iterator[Item]:
    return islice(cycle(minibatches), steps)


def random_minibatches(
    shape: tuple[int, ...], num_classes: int, minibatch_size: int
) -> tuple[list[tuple[torch.Tensor, torch.Tensor]], list[tuple[np.ndarray, np.ndarray]]]:
    """The same minibatches twice, samples of the given shape drawn from 0 to 1: PyTorch's tensors
    and CNTK's arrays.
    """
    rng = np.random.default_rng(0)
    tensors, arrays = [], []
    for _ in range(NUM_MINIBATCHES):
        inputs = rng.random((minibatch_size, *shape), dtype=np.float32)
        classes, one_hot = random_classes(rng, minibatch_size, num_classes)
        tensors.append((torch.from_numpy(inputs), torch.from_numpy(classes)))
        arrays.append((inputs, one_hot))
    return tensors, arrays


def random_classes(
    rng: np.random.Generator, num_samples: int, num_classes: int
) -> tuple[np.ndarray, np.ndarray]:
    """Classes drawn at random, as indices (int64) and as one-hot rows (float32)."""
    classes = rng.integers(num_classes, size=num_samples)
    return classes, np.eye(num_classes, dtype=np.float32)[classes]
