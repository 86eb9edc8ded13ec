"""Small models, trainers and readers that wrong calls of training and reading are made with, new
for each.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

import cntk as C
from cntk.io import (
    MinibatchSource,
    MinibatchSourceFromData,
    StreamDef,
    StreamDefs,
    StreamInformation,
    UserDeserializer,
)
from cntk.train import training_session

X, Y = np.ones((4, 2), np.float32), np.ones((4, 1), np.float32)
STREAMS = StreamDefs(x=StreamDef("x", 2))


def made() -> Any:
    """A model z of an input x and its target y, loss, metric, criterion, and data for one
    minibatch.
    """
    x, y = C.input_variable(2, name="x"), C.input_variable(1, name="y")
    z = C.layers.Dense(1, name="z")(x)
    loss = C.squared_error(z, y)
    metric = C.reduce_sum(loss)
    both = C.combine([loss, metric])
    return SimpleNamespace(
        x=x, y=y, z=z, loss=loss, metric=metric, criterion=both, data={x: X, y: Y}
    )


def weight() -> Any:
    """A parameter w of two elements."""
    return C.parameter(2, init=1, name="w")


def trainer(model: Any = None, writers: Any = None) -> C.Trainer:
    """A trainer of a model's criterion."""
    model = model or made()
    return C.Trainer(model.z, (model.loss, model.metric), C.sgd(model.z.parameters, 0.1), writers)


def data(**options: Any) -> MinibatchSourceFromData:
    """Four samples in memory."""
    return MinibatchSourceFromData({"x": X, "y": Y}, **{"max_samples": 4, **options})


def session(**options: Any) -> None:
    """A session that trains on four samples, with other arguments than it should have."""
    model, source = made(), data()
    right = {
        "trainer": trainer(model),
        "mb_source": source,
        "mb_size": 2,
        "model_inputs_to_streams": {model.x: source.streams.x, model.y: source.streams.y},
    }
    training_session(**{**right, **options}).train()


class Chunks(UserDeserializer):
    """A chunk of four samples; ``overrides`` are what its methods give instead."""

    def __init__(self, **overrides: Any) -> None:
        self.overrides = overrides
        super().__init__()

    def stream_infos(self) -> Any:
        return self.overrides.get("infos", [StreamInformation("x", 0, "dense", np.float32, (2,))])

    def num_chunks(self) -> Any:
        return self.overrides.get("count", 1)

    def get_chunk(self, chunk_id: int) -> Any:
        return self.overrides.get("chunk", {"x": X})


def source(**options: Any) -> MinibatchSource:
    """A source of four samples."""
    return MinibatchSource([Chunks()], **options)
