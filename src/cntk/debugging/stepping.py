"""Stepping through a model: a prompt at every node, in the forward pass and in the backward
pass.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TextIO

import numpy as np

from cntk._arguments import as_function, shown as named
from cntk._graph import walk
from cntk._graph.clone import clone
from cntk._graph.composite import Composite
from cntk._graph.function import Function
from cntk._graph.infer import infer_graph
from cntk._graph.primitive import Primitive
from cntk._graph.variable import HOLDERS, Variable
from cntk._ops.user.user_function import UserFunction
from cntk._wording import quoted
from cntk.core import user_function
from cntk.errors import ArgumentError
from cntk.ops import output_variable

__all__ = ["DEBUG_USAGE", "debug_model"]


DEBUG_USAGE = """\
    Commands:
        n           go on to the next node
        n <number>  go on by so many nodes
        u f         go on to the next node of a forward pass
        u b         go on to the next node of a backward pass
        u <name>    go on to the next node that has this name or is this operation
        c           go on without stopping again
        p           print the node's value, in the backward pass its gradient
        d           open Python's debugger here
        q           quit
"""

_RULE = "=" * 35


@dataclass
class _Prompt:
    """State that the nodes of a model share: the streams, and where to stop next.

    Attributes:
        read: where commands come from.
        write: where nodes and values are printed.
        leave: is called to quit, with the exit code.
        stops: says of a pass and a node whether to stop there.
        names: the names and operations that can be waited for.
    """

    read: TextIO
    write: TextIO
    leave: Callable[[int], Any]
    stops: Callable[[str, Any], bool] = lambda direction, node: True
    names: set[str] = field(default_factory=set)
    _direction: str = ""

    def visit(self, direction: str, node: Any, value: Any) -> None:
        """Show a node, and prompt if this is where to stop."""
        if direction != self._direction:
            self._direction = direction
            self.write.write(f"\n{_RULE} {direction.ljust(8)} {_RULE}\n")
        self.write.write(f"\n{_described(node)}\n")
        if not self.stops(direction, node):
            return
        prompt = _DebugNode.PROMPT_FORWARD if direction == "forward" else _DebugNode.PROMPT_BACKWARD
        while True:
            self.write.write(prompt)
            self.write.flush()
            line = self.read.readline()
            # A stream that has ended asks for nothing more.
            if self._do(line.strip() if line else "c", direction, value):
                return

    def _do(self, command: str, direction: str, value: Any) -> bool:
        """Run a command; return whether the run continues."""
        what, _, argument = command.partition(" ")
        argument = argument.strip()
        if what == "n" and (not argument or (argument.isdecimal() and int(argument) > 0)):
            self.stops = _after(int(argument or 1))
        elif what == "u" and argument in ("f", "b"):
            target = {"f": "forward", "b": "backward"}[argument]
            self.stops = lambda now, node: now == target or direction == target
        elif what == "u" and argument in self.names:
            self.stops = lambda now, node: argument in _names(node)
        elif command == "c":
            self.stops = lambda now, node: False
        elif command == "q":
            self.leave(0)
        elif command == "p":
            self.write.write(_shown("Input" if direction == "forward" else "Root gradients", value))
            return False
        elif command == "d":
            sys.breakpointhook()  # noqa: T100
            return False
        elif command:
            self.write.write(DEBUG_USAGE)
            return False
        else:
            return False
        return True


def _after(count: int) -> Callable[[str, Any], bool]:
    left = count

    def stops(direction: str, node: Any) -> bool:
        nonlocal left
        left -= 1
        return left <= 0

    return stops


def _names(node: Any) -> set[str]:
    """Return a node's name, and its operation's if it is a function."""
    return {node.name, node.op_name if isinstance(node, Function) else ""} - {""}


def _described(node: Any) -> str:
    shown = str(node) if isinstance(node, Function) else repr(node)
    return f"{shown} with uid {quoted(node.uid)}"


def _shown(what: str, value: Any) -> str:
    if isinstance(value, list):
        shapes = ", ".join(str(np.shape(item)) for item in value)
        return f"{what}, sequences with shapes {shapes}:\n" + "\n".join(map(str, value)) + "\n"
    return f"{what} with shape {np.shape(value)}:\n{value}\n"


class _DebugNode(UserFunction):
    """Identity that shows its operand.

    Args:
        argument: the value's variable.
        node: what computes it, or the variable itself.
        prompt: what all nodes of the model share.
        name: its name in the graph.
    """

    PROMPT_FORWARD = "[CNTK forward] >>> "
    PROMPT_BACKWARD = "[CNTK backward] >>> "

    def __init__(self, argument: Variable, node: Any, prompt: _Prompt, name: str = "") -> None:
        super().__init__([argument], name=name)
        self._node = node
        self._prompt = prompt

    def infer_outputs(self) -> list[Variable]:
        x = self.inputs[0]
        return [output_variable(x.shape, x.dtype, x.dynamic_axes)]

    def forward(self, argument: Any, device: Any = None, outputs_to_retain: Any = None) -> Any:  # type: ignore[override]
        self._prompt.visit("forward", self._node, argument)
        return None, argument

    def backward(self, state: Any, root_gradients: Any) -> Any:  # type: ignore[override]
        self._prompt.visit("backward", self._node, root_gradients)
        return root_gradients


def debug_model(
    model: Function,
    in_stream: TextIO = sys.stdin,
    out_stream: TextIO = sys.stdout,
    exit_func: Callable[[int], Any] = sys.exit,
) -> Composite:
    """Return a copy of a model with a prompt at every node; it shares arguments and parameters.

    The insides of blocks run without a stop. Conditions written in Python, which the original reads
    at its prompt and evaluates, are not taken: ``d`` opens Python's debugger.

    Args:
        model: a function with one output.
        in_stream: where commands are read from; once it has ended the model goes on without
            stopping.
        out_stream: where nodes and values are printed.
        exit_func: is called with 0 to quit.

    Raises:
        TypeError: for anything but a function with one output.

    Example:
        >>> import cntk as C, io
        >>> x = C.input_variable(2, name="x")
        >>> out = io.StringIO()
        >>> debug_model(C.relu(x, name="r"), io.StringIO("n\\np\\nc\\n"), out).eval([[1, -1]])
        array([[1., 0.]], dtype=float32)
        >>> print(out.getvalue().splitlines()[-2])
        [[1. 0.]]
    """
    if not isinstance(model, Function) or len(model.outputs) != 1:
        raise ArgumentError(f"debug_model: expected a function with one output, got {named(model)}")
    for name, stream, method in (
        ("in_stream", in_stream, "readline"),
        ("out_stream", out_stream, "write"),
    ):
        if not hasattr(stream, method):
            raise ArgumentError(
                f"debug_model: {name}: expected a text stream, which has {method}(), got "
                f"{named(stream)}"
            )
    as_function(exit_func, "debug_model: exit_func", "that is called with 0 to quit")
    prompt = _Prompt(in_stream, out_stream, exit_func)
    root = clone(model, "share", {v: v for v in model.arguments}).root_function
    primitives = walk.post_order(root.results)
    shown: dict[Variable, Variable] = {}

    def stop_at(variable: Variable, node: Any) -> Variable:
        if variable not in shown:
            prompt.names |= _names(node)
            shown[variable] = _DebugNode(variable, node, prompt, f"D_{node.uid}").output
        return shown[variable]

    for primitive in primitives:
        for variable in primitive.results:
            stop_at(variable, primitive)
    for primitive in primitives:
        first = (
            0
            if primitive.block is None
            else len(primitive.operands) - len(primitive.block.arguments)
        )
        for k, operand in enumerate(primitive.operands[first:], first):
            if operand in shown or _is_only_read(operand, primitive):
                primitive.operands[k] = stop_at(operand, operand)
    output = shown[root.results[0]]
    infer_graph([output])
    return user_function(output.owner)


def _is_only_read(operand: Variable, primitive: Primitive) -> bool:
    """Return whether an operation reads a leaf only, so that a copy may be passed; an operation
    that writes to its operands needs these themselves.
    """
    return operand.kind not in HOLDERS or primitive.op.pure
