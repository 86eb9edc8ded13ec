"""Values from a file, put back into a function that is there already."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from typing import Any

from cntk._graph import walk
from cntk._graph.composite import whole_graph
from cntk._graph.function import Function
from cntk._persist.files import describe
from cntk._persist.protobuf.wire import FileFormatError
from cntk._persist.v2.load import load
from cntk.variables import Constant, Parameter


def restore(function: Function, filename: str | os.PathLike[str]) -> None:
    """Take over values from a file; see `Function.restore`.

    Inside its blocks the file's function may be written down in other operations, as the original
    does it: what counts are the operations outside, the parameters, and the constants with a name,
    which hold state.
    """
    set_values(matched(function, load(filename), filename))


def matched(
    function: Function, loaded: Function, filename: str | os.PathLike[str]
) -> list[tuple[Parameter | Constant, Parameter | Constant]]:
    """The parameters and constants of a function, each with its like in one from a file.

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
    """Give the first of each pair the other's value."""
    for own, other in pairs:
        own.value = other.value


def _operations(function: Function) -> Counter[str]:
    """How often each operation is there. Those that the original adds where dynamic axes are not
    known yet do not count.
    """
    names = Counter(primitive.op_name for primitive in walk.post_order(function.outputs))
    del names["ReconcileDynamicAxis"]
    return names


def _paired(own: Sequence[Any], other: Sequence[Any]) -> list[tuple[Any, Any]] | None:
    """Variables of both functions in order; None unless there are as many, of the same names,
    shapes and number formats.
    """
    if [(v.name, v.shape, v.dtype) for v in own] != [(v.name, v.shape, v.dtype) for v in other]:
        return None
    return list(zip(own, other, strict=True))


def _paired_by_name(own: Sequence[Any], other: Sequence[Any]) -> list[tuple[Any, Any]] | None:
    """Those that have a name, in order; None unless all have their like among the others."""
    names = {v.name for v in own if v.name}
    return _paired([v for v in own if v.name], [v for v in other if v.name in names])
