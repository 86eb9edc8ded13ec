"""The demonstration: a small convolutional network learns to read digits, by the public interface
alone.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

import cntk as C
from cntk._cli.data import CLASSES, Digits
from cntk._writing.whole_files import replacing

MINIBATCH = 64
TEST_MINIBATCH = 1000
EPOCHS_SMALL, EPOCHS_LARGE = 25, 4
"""Epochs by default, below and above ten thousand pictures to learn from."""


@dataclass
class Course:
    """History of a training: the loss of each minibatch, and the error rate of each epoch."""

    minibatch_losses: list[float] = field(default_factory=list)
    train_errors: list[float] = field(default_factory=list)
    test_errors: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Outcome:
    """A trained network, its history, and its predictions for the test digits."""

    model: C.Function
    course: Course
    guesses: NDArray[np.intp]
    parameters: int
    seconds: float


def run(digits: Digits, folder: Path, epochs: int | None, seed: int) -> None:
    """Train, test, and write `digits.png` and `digits.model` into the folder.

    Args:
        digits: what to learn and to test with.
        folder: is made if there is none.
        epochs: how often to go through the training digits; None for a number that suits their
            count.
        seed: of the first weights, the order of the digits and dropout.

    Raises:
        OSError: the folder cannot be written to; said before the training starts.
    """
    from cntk._cli.picture import draw

    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        pass
    # Operations on pictures this small lose more by sharing work than they gain; on a busy machine,
    # tenfold.
    torch.set_num_threads(1)
    console = Console()
    small = len(digits.train_labels) < 10_000
    outcome = train(digits, epochs or (EPOCHS_SMALL if small else EPOCHS_LARGE), seed, console)
    right = int((outcome.guesses == digits.test_labels).sum())
    picture, model = folder / "digits.png", folder / "digits.model"
    with replacing(picture, "demo") as file:
        draw(digits, outcome, file)
    outcome.model.save(str(model))
    count = len(digits.test_labels)
    for line in (
        f"{right / count:.2%} of {count:,} digits never seen before are read correctly",
        f"{outcome.parameters:,} parameters, {outcome.seconds:.1f} s of training",
        f"picture: {picture}",
        f"model:   {model} (C.Function.load gives it back)",
    ):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def network(images: C.Variable) -> C.Function:
    """Return two rounds of convolution and pooling, a hidden layer, and a score for each digit."""
    with C.layers.default_options(activation=C.relu, pad=True):
        layers = C.layers.Sequential(
            [
                C.layers.Convolution2D((5, 5), 16, name="edges"),
                C.layers.MaxPooling((2, 2), strides=2),
                C.layers.Convolution2D((3, 3), 32, name="strokes"),
                C.layers.MaxPooling((2, 2), strides=2),
                C.layers.Dense(96, name="shapes"),
                C.layers.Dropout(0.3),
                C.layers.Dense(CLASSES, activation=None, name="scores"),
            ]
        )
    scores: C.Function = layers(images)
    return scores


def train(digits: Digits, epochs: int, seed: int, console: Console) -> Outcome:
    """Train the network and return it with its history and its predictions for the test digits."""
    C.cntk_py.set_fixed_random_seed(seed)
    images = C.input_variable(digits.train_images.shape[1:], name="image")
    labels = C.input_variable(CLASSES, name="digit")
    scores = network(images)
    loss, error = (
        C.cross_entropy_with_softmax(scores, labels),
        C.classification_error(scores, labels),
    )
    count = len(digits.train_labels)
    # Three quarters of the epochs at full rate, the rest at a tenth: the last steps settle what the
    # first ones found.
    fast = max(1, round(0.75 * epochs))
    rates = C.learning_parameter_schedule([0.4] * fast + [0.04] * (epochs - fast), epoch_size=count)
    trainer = C.Trainer(
        scores, (loss, error), [C.momentum_sgd(scores.parameters, rates, C.momentum_schedule(0.9))]
    )

    course, order = Course(), np.random.default_rng(seed)
    one_hot = np.eye(CLASSES, dtype=np.float32)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    started = time.perf_counter()
    with Progress(*columns, console=console, transient=True) as progress:
        steps = progress.add_task(digits.title, total=epochs * count)
        for epoch in range(1, epochs + 1):
            wrong = 0.0
            for rows in _minibatches(order.permutation(count)):
                trainer.train_minibatch(
                    {images: digits.train_images[rows], labels: one_hot[digits.train_labels[rows]]}
                )
                wrong += trainer.previous_minibatch_evaluation_average * len(rows)
                course.minibatch_losses.append(trainer.previous_minibatch_loss_average)
                progress.update(steps, advance=len(rows))
            guesses = guess(scores, digits.test_images)
            course.train_errors.append(wrong / count)
            course.test_errors.append(float((guesses != digits.test_labels).mean()))
            line = (
                f"epoch {epoch:2d} of {epochs}: {course.train_errors[-1]:6.2%} errors while "
                f"training, "
            )
            progress.console.print(
                f"{line}{course.test_errors[-1]:6.2%} on new digits", highlight=False
            )
    parameters = sum(parameter.value.size for parameter in scores.parameters)
    return Outcome(scores, course, guesses, parameters, time.perf_counter() - started)


def guess(scores: C.Function, images: NDArray[np.float32]) -> NDArray[np.intp]:
    """Return the digit with the highest score for each picture."""
    parts = range(0, len(images), TEST_MINIBATCH)
    return np.concatenate(
        [scores.eval(images[start : start + TEST_MINIBATCH]).argmax(axis=1) for start in parts]
    )


def _minibatches(order: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    for start in range(0, len(order), MINIBATCH):
        yield order[start : start + MINIBATCH]
