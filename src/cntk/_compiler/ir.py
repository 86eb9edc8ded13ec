"""Intermediate representation: a flat graph, with blocks opened and types definite for the
data's shapes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch

from cntk._graph.bfloat16 import is_floating
from cntk._graph.op import Kernel, Op
from cntk._graph.primitive import Primitive
from cntk._graph.types import InferredDimension, Shape, TensorType, check_sizes, common_dtype
from cntk._graph.variable import Variable, VariableKind, output_type
from cntk._graph.walk import depth_first
from cntk._ops.sequence.delay import Delay
from cntk.errors import GraphError


@dataclass(eq=False)
class Node:
    """Operation of a flat graph.

    Attributes:
        op: the operation.
        primitive: the graph's primitive that it comes from; its name appears in errors.
        operands: the values that it reads.
        types: the outputs' types.
        place: its path in the graph, the same for all outputs that are asked for: the primitive,
            then the blocks around it.
        stands_for: the graph's primitives that it computes, where a pass has fused several.
    """

    op: Op
    primitive: Primitive
    operands: list[Ref] = field(default_factory=list)
    types: tuple[TensorType, ...] = ()
    place: tuple[Primitive, ...] = ()
    stands_for: tuple[Primitive, ...] = ()


@dataclass(frozen=True, eq=False)
class Ref:
    """Reference to a value of a flat graph: an output of a node, or a leaf variable.

    Attributes:
        node: the node, or None for a leaf.
        index: index of the node's output.
        leaf: the leaf variable.
        leaf_type: its type, with the data's size for free dimensions.
    """

    node: Node | None = None
    index: int = 0
    leaf: Variable | None = None
    leaf_type: TensorType = TensorType()

    @property
    def type(self) -> TensorType:
        """The value's type."""
        return self.leaf_type if self.node is None else self.node.types[self.index]

    @property
    def key(self) -> tuple[int, int]:
        """Key that all references to the same value share."""
        return (id(self.leaf), -1) if self.node is None else (id(self.node), self.index)


def delay_of(node: Node) -> int:
    """Return the number of frames that a delay along a sequence looks back, negative for
    forward; 0 for all else.
    """
    return node.op.delay if isinstance(node.op, Delay) else 0


@dataclass(frozen=True, eq=False)
class _Frame:
    """Inside of one block at one call: the values of its arguments, and the block with those
    around it.
    """

    arguments: Mapping[Variable, Variable]
    parent: _Frame | None
    blocks: tuple[Primitive, ...]


def _nodes(refs: Iterable[Ref]) -> Iterator[Node]:
    return (ref.node for ref in refs if ref.node is not None)


def single_operation(primitive: Primitive) -> Op | None:
    """Return the operation that computes a block in one step; None where a constant of its graph
    has been changed.
    """
    block = primitive.block
    return (
        None
        if block is None or any(v.is_changed for v in held_constants(primitive))
        else block.single
    )


def held_constants(primitive: Primitive) -> list[Any]:
    """Return the constants of a block's graph."""
    block = primitive.block
    return (
        []
        if block is None
        else [v for v in block.held_in(primitive.operands) if v.kind is VariableKind.Constant]
    )


class Flattener:
    """Flattening of a graph: blocks are opened, and every operation gets definite types.

    Args:
        shapes: the data's shapes of inputs with free dimensions.
        dense: sparse inputs that are bound as dense rows.
    """

    def __init__(self, shapes: Mapping[Variable, Shape], dense: Collection[Variable] = ()) -> None:
        self._shapes = shapes
        self._dense = dense
        self._frames: dict[tuple[int, int], _Frame] = {}
        self._nodes: dict[tuple[int, int], Node] = {}
        self._leaves: dict[int, Ref] = {}
        self._frame_of: dict[int, _Frame | None] = {}

    def flatten(self, outputs: Sequence[Variable]) -> tuple[list[Ref], list[Node]]:
        """Return references to some variables, and all nodes that they need, operands first."""
        refs = [self._resolve(v, None)[0] for v in outputs]
        order = depth_first(_nodes(refs), lambda node: _nodes(self._operands(node)))
        self._infer(order)
        return refs, order

    def _operands(self, node: Node) -> list[Ref]:
        if not node.operands and node.primitive.operands:
            frame = self._frame_of[id(node)]
            block, read = node.primitive.block, node.primitive.operands
            variables = read if block is None else block.operands_of(read)
            node.operands = _widened(
                node, variables, [self._resolve(v, frame)[0] for v in variables]
            )
        return node.operands

    def _resolve(self, variable: Variable, frame: _Frame | None) -> tuple[Ref, _Frame | None]:
        while True:
            if frame is not None and variable in frame.arguments:
                variable, frame = frame.arguments[variable], frame.parent
                continue
            owner = variable._owner
            if owner is None:
                return self._leaf(variable), None
            primitive = owner.root_function
            index = primitive.results.index(variable)
            block = primitive.block
            if block is None or single_operation(primitive) is not None:
                return Ref(self._node(primitive, frame), index), frame
            key = (id(primitive), id(frame))
            if key not in self._frames:
                outer = block.operands_of(primitive.operands)
                around = () if frame is None else frame.blocks
                arguments = dict(zip(block.arguments, outer, strict=True))
                self._frames[key] = _Frame(arguments, frame, (primitive, *around))
            variable, frame = block.composite.outputs[index], self._frames[key]

    def _node(self, primitive: Primitive, frame: _Frame | None) -> Node:
        key = (id(primitive), id(frame))
        if key not in self._nodes:
            node = Node(
                single_operation(primitive) or primitive.op,
                primitive,
                place=(primitive, *(() if frame is None else frame.blocks)),
            )
            node.types = (TensorType(),) * len(primitive.results)
            self._nodes[key] = node
            self._frame_of[id(node)] = frame
        return self._nodes[key]

    def _leaf(self, variable: Variable) -> Ref:
        if id(variable) not in self._leaves:
            if variable.is_placeholder:
                raise GraphError(
                    f"{variable!r} is a placeholder; put a variable in its place with "
                    f"replace_placeholders first"
                )
            type_ = variable.type_
            if variable in self._shapes:
                type_ = type_.with_shape(self._shapes[variable])
            if variable in self._dense:
                type_ = type_.dense()
            self._leaves[id(variable)] = Ref(leaf=variable, leaf_type=type_)
        return self._leaves[id(variable)]

    def _infer(self, order: list[Node]) -> None:
        """Infer the types of all nodes, until they no longer change; inside loops that takes a
        few rounds.
        """
        for partial in (False, True):
            for _ in range(len(order) + 1):
                changed = False
                for node in order:
                    changed |= infer_node(node, partial)
                if not changed:
                    break
            if all(t.is_known for node in order for t in node.types):
                break
        for node in order:
            for type_ in node.types:
                # The size of a free dimension may be known at run time only.
                if not type_.is_known or InferredDimension in type_.shape:
                    raise node.primitive.misfit(
                        f"its output is {type_}, which is not known well enough to run"
                    )


@dataclass(frozen=True)
class Widen(Op):
    """Conversion of a constant to the wider dtype of the other operands.

    Attributes:
        format: the dtype's name.
    """

    format: str

    op_name = "Cast"

    def infer(self, *operands: TensorType) -> TensorType:
        return replace(operands[0], dtype=np.dtype(self.format))

    def lower(self, *operands: TensorType) -> Kernel:
        dtype = getattr(torch, self.format)
        return lambda x: x.to(dtype)


def _widened(node: Node, variables: Sequence[Variable], refs: list[Ref]) -> list[Ref]:
    """Return the operands, with constants converted where the others have a wider dtype.

    A narrower one is refused later.
    """
    dtypes = {v.type_.dtype for v in variables if v.kind is not VariableKind.Constant} - {None}
    if len(dtypes) != 1 or node.op.allows_mixed_dtypes:
        return refs
    (wider,) = dtypes
    result = []
    for ref in refs:
        own = (
            ref.leaf.type_.dtype
            if ref.leaf is not None and ref.leaf.kind is VariableKind.Constant
            else None
        )
        if own is not None and wider is not None and own.itemsize < wider.itemsize:
            cast = Node(Widen(wider.name), node.primitive, [ref])
            cast.types = (replace(ref.type, dtype=wider),)
            ref = Ref(cast)
        result.append(ref)
    return result


def infer_node(node: Node, partial: bool) -> bool:
    """Update a node's types from its operands'; return whether anything changed.

    Raises:
        GraphError: if the operands do not fit, or differ in their dtype.
    """
    types = tuple(ref.type for ref in node.operands)
    known = all(t.is_known for t in types)
    inferred: TensorType | tuple[TensorType, ...] | None
    try:
        if known:
            _check_dtypes(node, types)
            inferred = _checked_infer(node.op, types)
        else:
            inferred = (_as_in_graph(node) or node.op.infer_partial(*types)) if partial else None
    except GraphError as error:
        if error.reason is not None:
            raise
        operands = ", ".join(f"operand {k} is {t}" for k, t in enumerate(types))
        raise GraphError(
            f"{node.primitive.op_name} '{node.primitive.name or node.primitive.uid}': {error}; "
            f"{operands}"
        ) from None
    if inferred is None:
        return False
    dtype = common_dtype(types)
    types_inferred = tuple(
        output_type(t, dtype) for t in (inferred if isinstance(inferred, tuple) else (inferred,))
    )
    changed = types_inferred != node.types
    node.types = types_inferred
    return changed


def _checked_infer(op: Op, types: tuple[TensorType, ...]) -> tuple[TensorType, ...]:
    inferred = op.infer(*types)
    results = inferred if isinstance(inferred, tuple) else (inferred,)
    check_sizes(results, types)
    return results


def _as_in_graph(node: Node) -> tuple[TensorType, ...] | None:
    """Return a node's types from when the graph was built, if they are definite."""
    types = tuple(v.type_ for v in node.primitive.results)
    return types if len(types) == len(node.types) and all(t.is_complete for t in types) else None


def _check_dtypes(node: Node, types: tuple[TensorType, ...]) -> None:
    dtypes = {t.dtype for t in types if t.dtype is not None}
    if len(dtypes) > 1 and not node.op.allows_mixed_dtypes:
        listed = " and ".join(sorted(f.name for f in dtypes))
        raise node.primitive.misfit(
            f"operands must have the same dtype, and have {listed}; use cntk.cast"
        )
    whole = next((f for f in dtypes if not is_floating(f)), None)
    if whole is not None and not node.op.allows_mixed_dtypes:
        raise node.primitive.misfit(f"nothing computes in {whole.name}; use cntk.cast")
