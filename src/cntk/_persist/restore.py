"""Restores the values of an existing function's parameters and constants from a file."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from typing import Any

from cntk._graph import walk
from cntk._graph.composite import whole_graph
from cntk._graph.function import Function
from cntk._persist.files import describe
from cntk._persist.v2.load import load
from cntk.errors import FileFormatError
from cntk.variables import Constant, Parameter


def restore(function: Function, filename: str | os.PathLike[str]) -> None:
    """Copy values from a file; see `Function.restore`.

    Operations inside blocks are not compared, because the original may write others. The functions
    must have the same operations outside of blocks, parameters, and constants with a name (which
    are state).
    """
    set_values(matched(function, load(filename), filename))


def matched(
    function: Function, loaded: Function, filename: str | os.PathLike[str]
) -> list[tuple[Parameter | Constant, Parameter | Constant]]:
    """Pair the parameters and constants of a function with those of one from a file.

    Raises:
        FileFormatError: if the file holds another function.
    """
    function = whole_graph(function)
    parameters = _paired(function.parameters, loaded.parameters)
    constants = _paired(function.constants, loaded.constants) or _paired_by_name(
        function.constants, loaded.constants
    )
    if parameters is None or constants is None or _operations(function) != _operations(loaded):
        raise FileFormatError(
            f"{describe(filename)} holds another function, {loaded}, than the one to be restored, "
            f"{function}"
        )
    return [*parameters, *constants]


def set_values(pairs: Sequence[tuple[Parameter | Constant, Parameter | Constant]]) -> None:
    """Set the value of the first of each pair to the other's."""
    for own, other in pairs:
        own.value = other.value


def _operations(function: Function) -> Counter[str]:
    """Count the operations by name, but for those that the original adds for unknown axes."""
    names = Counter(primitive.op_name for primitive in walk.post_order(function.outputs))
    del names["ReconcileDynamicAxis"]
    return names


def _paired(own: Sequence[Any], other: Sequence[Any]) -> list[tuple[Any, Any]] | None:
    """Pair variables in order; None unless all names, shapes and dtypes are the same."""
    if [(v.name, v.shape, v.dtype) for v in own] != [(v.name, v.shape, v.dtype) for v in other]:
        return None
    return list(zip(own, other, strict=True))


def _paired_by_name(own: Sequence[Any], other: Sequence[Any]) -> list[tuple[Any, Any]] | None:
    """Pair the variables that have a name; None unless the others have all of these names."""
    names = {v.name for v in own if v.name}
    return _paired([v for v in own if v.name], [v for v in other if v.name in names])
