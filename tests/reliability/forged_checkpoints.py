"""Forged checkpoints, the model's file or the one beside it: restored into a trainer, which then
takes a step.

A trainer that refuses a checkpoint must be as it was before.
"""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import cntk as C
from cntk._persist import files
from cntk.errors import (
    FeedError,
    FileFormatError,
    GraphError,
    LearnerStateError,
    NotEnoughMemoryError,
)
from tests.persist import mutations
from tests.train import checkpoint_programs

refusals = (FileFormatError, LearnerStateError, GraphError, FeedError, NotEnoughMemoryError)
GOLDEN = Path(checkpoint_programs.__file__).parent / "golden_checkpoints.npz"


class Checkpoint(NamedTuple):
    """A checkpoint's file, and the learner that the trainer has."""

    path: Path
    learner: str


@cache
def whole() -> dict[str, list[bytes]]:
    """The original's checkpoints, each of two files, by learner."""
    with np.load(GOLDEN) as held:
        return {
            name: [held[f"{name}/{part}"].tobytes() for part in ("model", "state")]
            for name in checkpoint_programs.learners(C)
        }


@cache
def trainer(learner: str) -> tuple[Any, Any]:
    """Inputs and a trainer."""
    return checkpoint_programs.trainer(C, learner)


def prepare() -> None:
    for learner in whole():
        step(learner)


def step(learner: str) -> None:
    inputs, training = trainer(learner)
    checkpoint_programs.losses(training, inputs, 0, 1)


def forged(draw: random.Random, folder: Path) -> Checkpoint:
    learner = draw.choice(sorted(whole()))
    model, state = whole()[learner]
    if draw.random() < 0.7:
        state = mutations.changed(state, draw)
    else:
        model = mutations.changed(model, draw)
    path = folder / "forged"
    path.write_bytes(model)
    Path(f"{path}.ckp").write_bytes(state)
    return Checkpoint(path, learner)


def read(what: Checkpoint) -> None:
    files.read(f"{what.path}.ckp")
    _, training = trainer(what.learner)
    before = everything(training)
    try:
        training.restore_from_checkpoint(what.path)
    except refusals:
        if everything(training) != before:
            raise AssertionError(
                "a checkpoint was refused, and the trainer is not as before"
            ) from None
        raise
    step(what.learner)


def everything(training: Any) -> list[Any]:
    """All that a checkpoint could change in a trainer."""
    graph = C.combine([training.model, training.loss_function])
    values = [v.value for v in (*graph.parameters, *graph.constants)]
    states = [learner.state_dict() for learner in training.parameter_learners]
    slots = [
        t.numpy() for state in states for tensors in state.pop("slots").values() for t in tensors
    ]
    return [
        training.total_number_of_samples_seen,
        repr(states),
        *(a.tobytes() for a in (*values, *slots)),
    ]
