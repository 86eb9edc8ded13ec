"""Graphs as text: a line for each node, with the names and types of its inputs and outputs."""

from __future__ import annotations

from typing import Any

from cntk._arguments import shown
from cntk._graph.function import Function
from cntk._graph.variable import Variable
from cntk._wording import escaped
from cntk.axis import Axis
from cntk.errors import ArgumentError
from cntk.logging.graph import depth_first_search
from cntk.logging.printing import show

__all__ = ["dump_function", "dump_signature"]

_LETTERS = 26
_FIRST_AXIS = 12  # axes are called m, n, ...


def dump_signature(root: Any, tag: str | None = None) -> None:
    """Print a function's name, arguments and outputs with their types.

    Args:
        root: the function.
        tag: accepted for programs that give it.

    Example:
        >>> import cntk as C
        >>> dump_signature(C.plus(C.input_variable(2, name="x"), 1, name="p"))
        p: Plus(x: Tensor[2]) -> Tensor[2]
    """
    show(root)


def dump_function(root: Function, tag: str | None = None) -> None:
    """Print a function's signature, and a line for each node of its graph, with those inside
    blocks.

    Args:
        root: the function.
        tag: accepted for programs that give it.

    Raises:
        TypeError: for anything but a function.

    Example:
        >>> import cntk as C
        >>> dump_function(C.plus(C.parameter(2, name="w"), 1, name="p"))
        p: Plus() -> ParameterTensor[2]
          Plus                 p                              (w:(2,), a:()) -> (p:(2,))
          Parameter            w                               (2,)
          Constant             a                               ()
    """
    if not isinstance(root, Function):
        raise ArgumentError(f"dump_function: expected a function, got {shown(root)}")
    nodes = depth_first_search(
        root.root_function, lambda node: not isinstance(node, Variable) or not node.is_output, -1
    )
    dump_signature(root, tag)
    names = _Names()
    for node in nodes:
        show(names.line(node))


class _Names:
    """Names of nodes and axes in one dump: letters where they have no name of their own."""

    def __init__(self) -> None:
        self.nodes: dict[Any, str] = {}
        self.axes: dict[str, str] = {}

    def line(self, node: Any) -> str:
        """Return a node as one line."""
        name = self.of(node)
        if isinstance(node, Function):
            whole = node.root_function
            outputs = ", ".join(f"{self.of(v)}:{self.type_of(v)}" for v in whole.outputs)
            inputs = ", ".join(f"{self.of(v)}:{self.type_of(v)}" for v in whole.inputs)
            return f"  {node.op_name:20} {name:30} ({inputs}) -> ({outputs})"
        if isinstance(node, Variable) and (node.is_input or node.is_placeholder):
            kind = "Input" if node.is_input else "Placeholder"
            return f"  {kind:20} {f'{name} {node.uid}':30}  {self.type_of(node)}"
        kind = "Parameter" if node.is_parameter else "Constant"
        return f"  {kind:20} {name:30}  {self.type_of(node)}"

    def of(self, node: Any) -> str:
        """Return a node's name."""
        if node.name:
            return escaped(node.name)
        return self.nodes.setdefault(node, _letters(len(self.nodes)))

    def type_of(self, variable: Variable) -> str:
        """Return a variable's axes and shape as text."""
        axes = (
            f"[{','.join(map(self.axis, variable.dynamic_axes))}]" if variable.dynamic_axes else ""
        )
        return f"{axes}{tuple(variable.shape)}"

    def axis(self, axis: Axis) -> str:
        """Return an axis's name; print the axis if it is new."""
        known = self.axes.get(axis.name)
        if known is None:
            known = {"UnknownAxes": "?", "defaultBatchAxis": "b*"}.get(axis.name)
            if known is None:
                known = f"{_letters(len(self.axes) + _FIRST_AXIS)}*"
                show(f"  Axis {escaped(axis.name)} == {known}")
            self.axes[axis.name] = known
        return known


def _letters(number: int) -> str:
    """Return letters for a number: a, b, ..., z, ba, bb, ..."""
    last = chr(ord("a") + number % _LETTERS)
    return last if number < _LETTERS else _letters(number // _LETTERS) + last
