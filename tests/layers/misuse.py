"""A wrong use of a layer, what it may be given, and how its error is checked."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

import cntk as C

X = C.input_variable(3, name="vector")
FOUR = C.input_variable(4, name="four")
NUMBER = C.input_variable((), name="number")
IMAGE = C.input_variable((2, 5, 6), name="image")
S = C.sequence.input_variable(3, name="first")
W = C.sequence.input_variable(3, sequence_axis=C.Axis("words"), name="second")


class Misuse(NamedTuple):
    """A wrong use of a layer.

    Attributes:
        make: what is done.
        error: what is raised.
        words: patterns that the error's text must contain: the layer, what came, the way out.
    """

    make: Callable[[], Any]
    error: type[Exception]
    words: tuple[str, ...]


def check(case: Misuse) -> None:
    """What is raised is of the kind, and its text has the words."""
    with pytest.raises(case.error) as caught:
        case.make()
    text = str(caught.value)
    for words in case.words:
        assert re.search(words, text), f"{words!r} is not in: {text}"
    assert "torch" not in text and "Traceback" not in text
