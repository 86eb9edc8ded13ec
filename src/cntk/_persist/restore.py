"""Values from a file, put back into a function that is there already."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from typing import Any

from cntk._graph import walk
from cntk._graph.function import Function
from cntk._persist.files import describe
from cntk._persist.load import load
from cntk._persist.wire import FileFormatError


def restore(function: Function, filename: str | os.PathLike[str]) -> None:
    """Take over values from a file; see `Function.restore`.

    The file's function may be written down in other operations inside its blocks, as the original does it.
    """
    loaded = load(filename)
    if _operations(function) != _operations(loaded):
        raise _other(filename, function, loaded)
    pairs = _paired(function.parameters, loaded.parameters)
    if pairs is None:
        raise _other(filename, function, loaded)
    constants = _paired(function.constants, loaded.constants)
    if constants is None:
        # Constants without a name are part of how an operation is written down; those with one are state.
        named = [[c for c in f.constants if c.name] for f in (function, loaded)]
        constants = _paired(*named)
        if constants is None:
            raise _other(filename, function, loaded)
    for own, other in [*pairs, *constants]:
        own.value = other.value


def _operations(function: Function) -> Counter[str]:
    return Counter(p.op_name for p in walk.post_order(function.outputs))


def _paired(own: Sequence[Any], other: Sequence[Any]) -> list[tuple[Any, Any]] | None:
    """Variables of both functions in order; None unless there are as many, of the same names and shapes."""
    if [(v.name, v.shape) for v in own] != [(v.name, v.shape) for v in other]:
        return None
    return list(zip(own, other, strict=True))


def _other(filename: Any, function: Function, loaded: Function) -> FileFormatError:
    return FileFormatError(f"{describe(filename)} holds another function, {loaded}, than the one to be restored, {function}")
