"""Errors that programs catch: where they are, and which built-in classes each also is."""

from __future__ import annotations

import builtins
import inspect
import pickle
from collections.abc import Callable

import numpy as np
import pytest

import cntk as C
from cntk import errors

PUBLIC = sorted(errors.__all__)


@pytest.mark.parametrize("name", PUBLIC)
def test_an_error_is_public_and_described(name: str) -> None:
    kind = getattr(errors, name)
    assert issubclass(kind, Exception)
    assert (kind.__module__, kind.__qualname__) == ("cntk.errors", name)
    assert inspect.getdoc(kind) not in ("", None)
    assert any(vars(builtins).get(base.__name__) is base for base in kind.__mro__[1:-3])


def test_all_names_every_error() -> None:
    own = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and value.__module__ == "cntk.errors"
    }
    assert own == set(PUBLIC)


def missing_model() -> None:
    C.Function.load("no such.model")


def damaged_model() -> None:
    C.Function.load(b"no model")


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("GraphError", lambda: C.input_variable(2) + C.input_variable(3)),
        ("ArgumentError", lambda: C.input_variable(2) + "text"),
        ("FeedError", lambda: C.square(C.input_variable(2)).eval([np.ones(3, np.float32)])),
        ("NodeAsSizeError", lambda: C.layers.AttentionModel(C.input_variable(2))),
        ("ModelNotFoundError", missing_model),
        ("FileFormatError", damaged_model),
        ("NotWritableError", lambda: C.square(C.input_variable(2)).save("new/")),
        ("UnknownNameError", lambda: C.ops.no_such_operation),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_where_an_error_is_raised(name: str, call: Callable[[], object]) -> None:
    with pytest.raises(getattr(errors, name)) as caught:
        call()
    assert type(caught.value).__name__ == name
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)  # noqa: S301
