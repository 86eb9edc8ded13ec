"""Converts functions to dictionaries, which `Function.save` writes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import IO, Any

import numpy as np

from cntk._execution.compiled_state import random_offsets
from cntk._graph import walk
from cntk._graph.block import Block
from cntk._graph.composite import Composite, whole_graph
from cntk._graph.function import Function
from cntk._graph.op import Op, PrimitiveOp
from cntk._graph.primitive import Primitive
from cntk._graph.variable import Variable, VariableKind
from cntk._ops.shape.reconcile import ReconcileDynamicAxis
from cntk._ops.support.composite_op import Fused
from cntk._ops.user.native_function import NativePrimitive
from cntk._ops.user.user_function import UserPrimitive
from cntk._persist import files
from cntk._persist.protobuf.arrays import NDShape
from cntk._persist.protobuf.dictionary import Size
from cntk._persist.v2.attributes import (
    CUSTOM,
    DATA_TYPE,
    attributes_to_file,
    details_to_file,
    format_to_file,
)
from cntk._persist.v2.user_functions import user_function_to_file
from cntk._runtime.numpy_tensors import array_of
from cntk._wording import operation_text
from cntk.errors import FileFormatError, GraphError
from cntk.variables import Constant, Parameter

# The newest versions that the original writes and reads.
COMPOSITE_VERSION, PRIMITIVE_VERSION, VARIABLE_VERSION = 3, 24, 1

# In pickles: the index of a variable that is stored apart.
APART = "apart"


def save(function: Function, target: str | os.PathLike[str] | IO[bytes]) -> None:
    """Write a function to a file; see `Function.save`."""
    files.write(target, to_dictionary(function))


def to_dictionary(
    function: Function, running: Sequence[Composite] = (), apart: list[Variable] | None = None
) -> dict[str, Any]:
    """Convert a function to a dictionary.

    Args:
        function: the function.
        running: other graphs that have run its operations, as training does: the offset of random
            numbers is that of the last of these, or else of the function itself.
        apart: list to append the leaves to; the dictionary has their indices in it. If None, the
            dictionary has the leaves.

    Raises:
        FileFormatError: if the function has an operation that files cannot hold.
        ValueError: if a parameter's shape is not inferred yet.
    """
    composite = whole_graph(function)
    offsets: dict[int, int] = {}
    for graph in (composite, *running):
        offsets.update(random_offsets(graph))
    writer = _Writer(offsets, apart)
    described = _composite(composite, writer.graph(composite.root_function))
    return described | {
        "inputs": list(writer.variables.values()),
        "primitive_functions": writer.functions,
    }


def _composite(composite: Composite, root: str) -> dict[str, Any]:
    primitive = composite.root_function
    return _without_none(
        {
            "version": Size(COMPOSITE_VERSION),
            "type": "CompositeFunction",
            "root": root,
            # In the original a graph has the name of its root, except for user functions.
            "name": (
                None
                if isinstance(primitive, UserPrimitive) and not composite._own_name
                else composite.name
            )
            or None,
            "uid": composite.uid,
        }
    )


def _without_none(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


class _Writer:
    """Writer of one function: the dictionaries of its parts, and their uids.

    Args:
        offsets: how many random numbers operations have drawn, by the identity of primitives.
        apart: see `to_dictionary`.

    Attributes:
        functions: the primitive functions; those inside a block come before the block.
        variables: the leaves, and placeholders for outputs that a loop reads before they are
            written.
    """

    def __init__(self, offsets: Mapping[int, int], apart: list[Variable] | None = None) -> None:
        self._offsets, self._apart = offsets, apart
        self.functions: list[dict[str, Any]] = []
        self.variables: dict[str, dict[str, Any]] = {}
        self._uids: dict[int, str] = {}
        self._taken: set[str] = set()
        self._written: set[int] = set()
        # Temporary objects must live as long as others are compared with them by identity.
        self._temporaries: list[Any] = []

    def graph(self, root: Primitive) -> str:
        """Write a graph; return the root's uid."""
        for primitive in walk.post_order(root.results):
            self._function(primitive)
        self._function(root)
        return self._uid(root)

    def _function(self, primitive: Primitive) -> None:
        if id(primitive) in self._written:
            return
        if isinstance(primitive, (UserPrimitive, NativePrimitive)):
            self.functions.append(self._user_function(primitive))
            self._written.add(id(primitive))
            return
        block = primitive.block
        if block is None and primitive.op.primitive is None:
            block = self._expanded(primitive)
        self.functions.append(
            self._operation(primitive) if block is None else self._block(primitive, block)
        )
        self._written.add(id(primitive))

    def _with_offset(self, primitive: Primitive) -> Op:
        """Return an operation with the number of random numbers that it has drawn, if any."""
        if id(primitive) not in self._offsets:
            return primitive.op
        drawing: Any = primitive.op
        drawn: Op = replace(drawing, rng_offset=self._offsets[id(primitive)])
        return drawn

    def _operation(self, primitive: Primitive) -> dict[str, Any]:
        op = self._with_offset(primitive)
        attributes = format_to_file(
            attributes_to_file(op, [v.type_ for v in primitive.operands]), DATA_TYPE
        )
        operands = self._on_same_axes(primitive)
        if op.reversed_on_disk:
            operands.reverse()
        return self._described(
            primitive, op.primitive, attributes, [self._operand(v) for v in operands]
        )

    def _on_same_axes(self, primitive: Primitive) -> list[Variable]:
        """Return the operands, with explicit reconciliation of dynamic axes.

        Some operations here broadcast over sequences by themselves; in files they do not.
        """
        operands = list(primitive.operands)
        if not primitive.op.broadcasts_over_sequence:
            return operands
        widest = max(operands, key=lambda v: len(v.type_.dynamic_axes))
        axes = widest.type_.dynamic_axes
        for k, operand in enumerate(operands):
            if len(axes) > 1 and operand.type_.dynamic_axes == axes[:1]:
                reconciled = Primitive(ReconcileDynamicAxis(), [operand, widest])
                self._temporaries.append(reconciled)
                self._function(reconciled)
                operands[k] = reconciled.results[0]
        return operands

    def _user_function(self, primitive: UserPrimitive | NativePrimitive) -> dict[str, Any]:
        operands = [self._operand(v) for v in primitive.inputs]
        written: dict[str, Any] = user_function_to_file(primitive, self._uid(primitive), operands)
        return written

    def _block(self, primitive: Primitive, block: Block) -> dict[str, Any]:
        inside = block.composite.root_function
        if inside.block is None and inside.op.primitive is None and isinstance(inside.op, Fused):
            inside = self._expansion(inside, inside.operands, primitive).root_function
        root = self.graph(inside)
        split = len(primitive.operands) - len(block.arguments)
        arguments = [self._operand(v) for v in primitive.operands[split:]]
        # The order of the block's own leaves is that of `Function.parameters`; leaves of an
        # expansion come after them.
        leaves = [v for v in walk.leaves(inside) if v not in block.arguments]
        own = dict.fromkeys([*(v for v in primitive.operands[:split] if v in leaves), *leaves])
        details = details_to_file(block.details)
        return self._described(
            primitive, PrimitiveOp.Block, details, [*map(self._operand, own), *arguments]
        ) | {
            "block_function_op_name": block.block_name,
            "block_function_composite": _composite(block.composite, root),
            "block_function_composite_arguments_map_keys": [
                self._operand(v) for v in block.arguments
            ],
            "block_function_composite_arguments_map_values": arguments,
        }

    def _expanded(self, primitive: Primitive) -> Block:
        """Expand an operation of our own to a block of the original's operations.

        Raises:
            FileFormatError: if it cannot be expanded.
        """
        op = primitive.op
        if not isinstance(op, Fused):
            raise FileFormatError(
                f"{operation_text(op.op_name, primitive._name)} cannot be saved: the file format "
                f"has no such operation, and it is not known how to express it by others"
            )
        stand_ins = tuple(
            Variable.make(VariableKind.Placeholder, v.type_, v.name) for v in primitive.operands
        )
        block = Block(self._expansion(primitive, stand_ins, primitive), stand_ins, op.op_name)
        self._temporaries.append(block)
        return block

    def _expansion(
        self, primitive: Primitive, operands: Sequence[Variable], seen: Primitive
    ) -> Composite:
        """Expand a fused operation to a graph of the original's operations.

        Args:
            primitive: the operation.
            operands: the graph's operands.
            seen: the operation as the program knows it, for errors: itself, or the block around it.

        Raises:
            FileFormatError: if its operands' types are not known well enough.
        """
        try:
            expanded: Composite = self._with_offset(primitive).expand(*operands)  # type: ignore[attr-defined]
        except GraphError as error:
            raise FileFormatError(
                f"{operation_text(seen.op_name, seen._name)} cannot be saved before the types of "
                f"its operands are known: {error}; apply the function to its inputs first"
            ) from None
        self._temporaries.append(expanded)
        return expanded

    def _described(
        self,
        primitive: Primitive,
        number: int | None,
        attributes: dict[str, Any],
        operands: list[str],
    ) -> dict[str, Any]:
        if primitive.custom:
            attributes = attributes | {CUSTOM: primitive.custom}
        return _without_none(
            {
                "version": Size(PRIMITIVE_VERSION),
                "type": "PrimitiveFunction",
                "op": Size(number or 0),
                "name": primitive._name or None,
                "uid": self._uid(primitive),
                "attributes": attributes,
                "inputs": operands,
            }
        )

    def _operand(self, variable: Variable) -> str:
        """Return the uid of an operand; a leaf is written first."""
        owner = variable._owner
        if owner is None:
            uid = self._uid(variable)
            if uid not in self.variables:
                self.variables[uid] = self._leaf(variable, uid)
            return uid
        primitive = owner.root_function
        index = next(k for k, v in enumerate(primitive.results) if v is variable)
        uid = f"{self._uid(primitive)}_Output_{index}"
        if id(primitive) not in self._written and uid not in self.variables:
            self.variables[uid] = _variable(variable, uid, VariableKind.Placeholder)
        return uid

    def _leaf(self, variable: Variable, uid: str) -> dict[str, Any]:
        if self._apart is None:
            return _variable(variable, uid, variable.kind)
        self._apart.append(variable)
        return {"uid": uid, APART: Size(len(self._apart) - 1)}

    def _uid(self, node: Primitive | Variable) -> str:
        """Return a node's uid, with a suffix if another node has the same."""
        uid = self._uids.get(id(node))
        if uid is None:
            uid, count = node.uid, 0
            while uid in self._taken:
                count += 1
                uid = f"{node.uid}_{count}"
            self._uids[id(node)] = uid
            self._taken.add(uid)
        return uid


def leaf_to_dictionary(variable: Variable) -> dict[str, Any]:
    """Convert a leaf to a dictionary."""
    return _variable(variable, variable.uid, variable.kind)


def _variable(variable: Variable, uid: str, kind: VariableKind) -> dict[str, Any]:
    # A variable's dtype may be inferred only when its value is created.
    value = _value(variable) if isinstance(variable, (Parameter, Constant)) else None
    type_ = variable.type_
    stands_in = kind is VariableKind.Placeholder
    described = _without_none(
        {
            "version": Size(VARIABLE_VERSION),
            "type": "Variable",
            "uid": uid,
            "kind": Size(kind),
            "data_type": Size(variable.get_data_type()),
            "dynamic_axis": list(reversed(type_.dynamic_axes)),
            "is_sparse": type_.is_sparse and not stands_in,
            "name": variable._name or None,
            "needs_gradient": variable.needs_gradient_ and not stands_in,
            "shape": NDShape(reversed(type_.shape)),
            "value": value,
        }
    )
    return format_to_file(described, "data_type")


def _value(variable: Parameter | Constant) -> np.ndarray:
    return array_of(variable.data)
