"""Conversion of a function's graph to TensorFlow's `GraphDef` for TensorBoard. Blocks are scopes of
names.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cntk._graph import walk
from cntk._graph.function import Function
from cntk._graph.primitive import Primitive
from cntk._graph.variable import Variable, VariableKind
from cntk._persist.protobuf.wire import Message

__all__ = ["graph_message"]


_LEAVES = {VariableKind.Constant: "Const"}
_DTYPES = {"float32": 1, "float64": 2, "int16": 5, "int8": 6, "float16": 19, "bfloat16": 14}


def graph_message(model: Function) -> Message:
    """Return a function's graph as a message `GraphDef`.

    There is a node for each operation and leaf, from the root down; what is inside a block comes
    before the block's operands, under the block's name. A name that is taken gets a number.
    """
    graph = _Graph()
    graph.add(model.root_function)
    message = Message()
    for node in graph.nodes:
        message.message(1, _node_message(graph, node))
    return message


@dataclass
class _Node:
    name: str
    operation: str
    outputs: tuple[Variable, ...]
    operands: tuple[Variable, ...] = ()


@dataclass
class _Graph:
    nodes: list[_Node] = field(default_factory=list)
    names: dict[Any, str] = field(default_factory=dict)  # of primitives, by identity, and of leaves
    # What the arguments of blocks stand for.
    outside: dict[Variable, Variable] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)

    def add(self, root: Primitive) -> None:
        """Add nodes depth first, without recursion: graphs can be deep."""
        seen = {id(root)}
        stack = [self._visit(root, "")]
        while stack:
            for primitive, scope in stack[-1]:
                if id(primitive) not in seen:
                    seen.add(id(primitive))
                    stack.append(self._visit(primitive, scope))
                    break
            else:
                stack.pop()

    def _visit(self, primitive: Primitive, scope: str) -> Iterator[tuple[Primitive, str]]:
        """Add a primitive's own node and its leaves; yields the primitives that come next, each
        with its scope.
        """
        operands = tuple(walk.operands_as_on_disk(primitive))
        name = primitive.name or primitive.uid
        if primitive.block is not None:
            self.outside.update(primitive.block_arguments_mapping)
            yield primitive.block_root, f"{scope}{name}/"
        else:
            self.names[id(primitive)] = self._add_node(
                scope, name, primitive.op_name, primitive.outputs, operands
            )
        for operand in operands:
            if operand.is_output:
                yield operand.owner.root_function, scope
            elif operand not in self.outside and operand not in self.names:
                kind = _LEAVES.get(operand.kind, operand.kind.name)
                self.names[operand] = self._add_node(
                    scope, operand.name or operand.uid, kind, (operand,)
                )

    def _add_node(
        self,
        scope: str,
        name: str,
        operation: str,
        outputs: tuple[Variable, ...],
        operands: tuple[Variable, ...] = (),
    ) -> str:
        whole = unique = scope + name.replace(".", "-")
        number = 0
        while unique in self.taken:
            number += 1
            unique = f"{whole}_{number}"
        self.taken.add(unique)
        self.nodes.append(_Node(unique, operation, outputs, operands))
        return unique

    def source(self, operand: Variable) -> str:
        """Return the name of the node that computes an operand, through arguments and outputs of
        blocks.
        """
        while operand in self.outside:
            operand = self.outside[operand]
        if not operand.is_output:
            return self.names[operand]
        primitive = operand.owner.root_function
        while primitive.block is not None:
            primitive = primitive.block_root
        return self.names[id(primitive)]


def _node_message(graph: _Graph, node: _Node) -> Message:
    message = Message().data(1, node.name).data(2, node.operation)
    # The original adds what arguments of blocks stand for when everything else is there, the last
    # one first.
    bound = [operand for operand in node.operands if operand in graph.outside]
    for operand in (
        *(each for each in node.operands if each not in graph.outside),
        *reversed(bound),
    ):
        message.data(3, graph.source(operand))
    shapes = [_shape_message(output) for output in node.outputs]
    listed = Message()
    for shape in shapes:
        listed.message(7, shape)
    _add_attribute(message, "shape", Message().message(7, shapes[0]))
    _add_attribute(message, "_output_shapes", Message().message(1, listed))
    dtype = node.outputs[0].type_.dtype
    if dtype is not None:
        _add_attribute(message, "dtype", Message().number(6, _DTYPES[np.dtype(dtype).name]))
    return message


def _add_attribute(node: Message, key: str, value: Message) -> None:
    node.message(5, Message().data(1, key).message(2, value))


def _shape_message(variable: Variable) -> Message:
    """Return a shape as a message, in the original's order, the reverse of Python's."""
    message = Message()
    if not variable.type_.has_shape:
        return message.number(3, True)
    for size in reversed(variable.shape):
        message.message(2, Message().number(1, size) if size else Message())
    return message
