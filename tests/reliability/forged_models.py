"""Forged models of both versions: loaded, and evaluated once on little data."""

from __future__ import annotations

import random
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import cntk as C
from cntk.errors import (
    FeedError,
    FileFormatError,
    GraphError,
    NotEnoughMemoryError,
    UserFunctionError,
)
from tests.persist import mutations

refusals = (FileFormatError, GraphError, FeedError, UserFunctionError, NotEnoughMemoryError)
# Data for an input of more elements are not made.
LARGEST_INPUT = 100_000


@cache
def whole() -> list[bytes]:
    """Models to forge."""
    return mutations.recorded_models() + mutations.legacy_models()


def prepare() -> None:
    for data in whole()[::8]:
        with suppress(*refusals):  # some need longer sequences, or lattices
            evaluate(C.load_model(data))


def forged(draw: random.Random, folder: Path) -> Path:
    data = draw.choice(whole())
    path = folder / "forged.model"
    path.write_bytes(mutations.changed(data, draw))
    return path


def read(path: Path) -> None:
    evaluate(C.load_model(path))


def evaluate(model: Any) -> None:
    """Evaluate all outputs of a model on two samples, or on two sequences of two and three
    frames.
    """
    data = {v: _data(v) for v in model.arguments}
    if all(value is not None for value in data.values()):
        model.eval(data)


def _data(variable: Any) -> Any:
    shape = tuple(2 if d == C.FreeDimension else d for d in variable.shape)
    if any(d < 0 for d in shape) or np.prod(shape, dtype=float) > LARGEST_INPUT:
        return None
    lengths = (2, 3) if len(variable.dynamic_axes) > 1 else ()
    dtype = variable.dtype or np.float32
    if lengths:
        return [np.ones((length, *shape), dtype) for length in lengths]
    return np.ones((2, *shape) if variable.dynamic_axes else shape, dtype)
