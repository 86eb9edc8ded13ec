"""The variables and functions that wrong calls are made with, new for each."""

from __future__ import annotations

import functools
from types import SimpleNamespace
from typing import Any

import numpy as np

import cntk as C


class Nodes:
    """Variables and functions, each made when it is asked for.

    Attributes:
        x, y: inputs of shape (3,).
        m: an input of shape (3, 4).
        image: an input of shape (2, 6, 6).
        s, q: sequences of shape (3,), on the same axis; r is on one of its own.
        w: a parameter of shape (3, 2).
        p: a placeholder.
        f: x times w, named 'f'.
        two: a function with two outputs.
    """

    def __getattr__(self, name: str) -> Any:
        if name not in MAKERS:
            raise AttributeError(name)
        value = MAKERS[name](self)
        setattr(self, name, value)
        return value


MAKERS: dict[str, Any] = {
    "x": lambda v: C.input_variable(3, name="x"),
    "y": lambda v: C.input_variable(3, name="y"),
    "g": lambda v: C.input_variable(3, needs_gradient=True, name="g"),
    "m": lambda v: C.input_variable((3, 4), name="m"),
    "scalar": lambda v: C.input_variable((), name="scalar"),
    "image": lambda v: C.input_variable((2, 6, 6), name="image"),
    "pooled": lambda v: C.input_variable((2, 3, 3), name="pooled"),
    "s": lambda v: C.sequence.input_variable(3, name="s"),
    "q": lambda v: C.sequence.input_variable(3, name="q"),
    "r": lambda v: C.sequence.input_variable(3, sequence_axis=C.Axis("r"), name="r"),
    "flag": lambda v: C.sequence.input_variable(1, name="flag"),
    "w": lambda v: C.parameter((3, 2), init=1, name="w"),
    "kernel": lambda v: C.parameter((4, 2, 3, 3), init=1, name="kernel"),
    "p": lambda v: C.placeholder(name="p"),
    "f": lambda v: C.times(v.x, v.w, name="f"),
    "of_p": lambda v: C.relu(v.p, name="of_p"),
    "dropped": lambda v: C.dropout(v.x, 0.5, seed=1, name="dropped"),
    "two": lambda v: C.combine([v.x + 1, v.x * 2], name="two"),
    "data": lambda v: np.ones((1, 3), np.float32),
}


@functools.cache
def something() -> Any:
    """An object that is of no use for anything."""
    return SimpleNamespace()
