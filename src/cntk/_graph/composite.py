"""Composites: functions that are graphs of primitives."""

from __future__ import annotations

from typing import Any

from cntk._graph import walk
from cntk._graph.function import Function
from cntk._graph.names.naming import next_uid
from cntk._graph.primitive import Primitive
from cntk._graph.variable import Variable


class Composite(Function, inner=True):
    """A graph: a root primitive and all that it depends on.

    Args:
        root: the primitive whose outputs are the graph's.
        declared: arguments whose order is laid down, as by a Python function's parameters.
        name: its name, where that is not its root's.
    """

    def __init__(
        self, root: Primitive, declared: tuple[Variable, ...] = (), name: str | None = None
    ) -> None:
        self._root = root
        self._declared = declared
        self._own_name = name
        self._uid = ""
        # What execution keeps between runs, a `CompiledState`; None before the first.
        self.compiled: Any = None

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        # Programs know one class of functions alone; `type` tells what it is inside.
        return Function

    @property
    def uid(self) -> str:
        """The graph's unique name."""
        if not self._uid:
            self._uid = next_uid("CompositeFunction")
        return self._uid

    @property
    def name(self) -> str:
        return self._root._name if self._own_name is None else self._own_name

    @name.setter
    def name(self, name: str) -> None:
        self.check_renaming(name)
        self._own_name = name

    @property
    def is_composite(self) -> bool:
        return True

    @property
    def root_function(self) -> Primitive:
        return self._root

    @property
    def inputs(self) -> tuple[Variable, ...]:
        return walk.leaves(self._root)

    def _leaves_on_disk(self) -> tuple[Variable, ...]:
        return walk.leaves(self._root, as_on_disk=True)

    @property
    def arguments(self) -> tuple[Variable, ...]:
        arguments = super().arguments
        declared = [v for v in dict.fromkeys(self._declared) if v in arguments]
        return (*declared, *(v for v in arguments if v not in declared))


def whole_graph(function: Function) -> Composite:
    """Return the whole graph of a function; of a primitive, such as one found by its name, with
    all that it depends on.
    """
    return function if isinstance(function, Composite) else Composite(function.root_function)
