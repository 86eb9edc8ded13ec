"""Small model files that ask for much: they are computed at once, or refused before memory or time is spent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import cntk as C
from cntk._persist import files
from cntk._persist.dictionary import Size
from cntk._persist.save import to_dictionary


def altered(function: Any, change: Callable[[dict[str, Any]], Any]) -> bytes:
    """A model's file with a change to its dictionary."""
    values = to_dictionary(C.as_composite(function.root_function))
    change(values)
    return files.encode_dictionary(values).to_bytes()


def attributes(values: dict[str, Any], op: int) -> dict[str, Any]:
    """The attributes of the operation of a number."""
    return next(f["attributes"] for f in values["primitive_functions"] if f["op"] == op)


def test_random_numbers_however_many_were_drawn() -> None:
    function = C.random.uniform((2, 3), seed=5)
    data = altered(function, lambda values: attributes(values, 76).update(rngOffset=Size(2**63)))
    first, second = C.load_model(data), C.load_model(data)
    values = first.eval()
    np.testing.assert_array_equal(values, second.eval())
    assert (values != function.eval()).all() and (values != first.eval()).all()
