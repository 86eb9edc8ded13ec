"""Model files of version 1 as dictionaries of version 2, from which functions are made.

Such a file is a flat list of nodes, then who reads whom by name, then which nodes are outputs although others read them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cntk._graph.naming import next_uid
from cntk._graph.op import PrimitiveOp
from cntk._graph.variable import VariableKind, format_number
from cntk._persist.arrays import NDShape
from cntk._persist.dictionary import Size
from cntk._persist.legacy_kinds import (
    DEFAULT_SEQUENCE,
    DYNAMIC_AXIS,
    FURTHER_OUTPUT,
    GROUPS,
    HOLDER,
    INPUT,
    NAME,
    OLDEST,
    PRECOMPUTED,
    SPARSE_INPUT,
    STANDARDIZED,
    UID,
    VERSION,
    NodeKind,
    axes_of,
)
from cntk._persist.legacy_nodes import BY_NAME
from cntk._persist.legacy_wire import FORMATS, START, Reader
from cntk._persist.save import COMPOSITE_VERSION, PRIMITIVE_VERSION, VARIABLE_VERSION
from cntk._persist.wire import FileFormatError

# The largest real models have some ten thousand nodes.
MAX_NODES, MAX_READS = 500_000, 2_000_000
# Nodes in these groups are outputs even if others read them.
OUTPUT_GROUPS = ("Criterion", "Eval", "Output")


def is_legacy(data: memoryview) -> bool:
    """Whether a file's bytes begin as those of version 1 do."""
    return bytes(data[: len(START)]) == START


def legacy_dictionary(data: memoryview) -> dict[str, Any]:
    """What a file of version 1 holds, as a dictionary of version 2.

    Raises:
        FileFormatError: if it is cut short or damaged, or holds what is not known.
    """
    return _Reader(data).dictionary()


@dataclass
class _Node:
    """One node of the file.

    Attributes:
        name: its name in the file.
        class_name: what files call its kind.
        uid: its unique name in version 2.
        shown: its name in version 2.
        kind: its kind, if it is an operation of the table.
        values: its fields.
        leaf: a leaf, as version 2 describes it.
        reads: the nodes that it reads.
    """

    name: str
    class_name: str
    uid: str
    shown: str
    kind: NodeKind | None = None
    values: dict[str, Any] = field(default_factory=dict)
    leaf: dict[str, Any] | None = None
    reads: Sequence[_Node] = ()

    @property
    def is_precomputed(self) -> bool:
        """Whether it is a constant that was computed of all data."""
        return self.class_name in PRECOMPUTED

    @property
    def is_operation(self) -> bool:
        """Whether it computes anything, or gives a further output of what it reads."""
        return self.kind is not None or self.class_name in (FURTHER_OUTPUT, STANDARDIZED)

    def describe_leaf(
        self, kind: VariableKind, data_type: int, shape: Sequence[int], learns: bool, **more: Any
    ) -> None:
        """Say what leaf it is."""
        self.leaf = _leaf(kind, self.uid, self.shown, data_type, shape) | {"needs_gradient": learns} | more


class _Reader:
    """One file being read.

    Args:
        data: its bytes.
    """

    def __init__(self, data: memoryview) -> None:
        self._in = Reader(data)
        self._nodes: dict[str, _Node] = {}

    def dictionary(self) -> dict[str, Any]:
        """The function as version 2 describes it."""
        self._read_version()
        self._read_nodes()
        self._read_relations()
        outputs = self._read_outputs()
        graph = _Graph(self._in.version)
        for node in self._nodes.values():
            graph.add(node)
        return graph.dictionary(outputs)

    def _read_version(self) -> None:
        data = self._in
        data.expect("BCN")
        data.expect("BVersion")
        data.version = data.size()
        data.expect("EVersion")
        if data.version > VERSION:
            raise FileFormatError(
                f"it is of the format's version {data.version}, and the newest one known is {VERSION}"
            )
        if data.version < OLDEST:
            raise FileFormatError(f"it is of the format's version {data.version}; those before {OLDEST} cannot be read")

    def _read_nodes(self) -> None:
        data = self._in
        count = data.size()
        if count > MAX_NODES:
            raise FileFormatError(f"it says that it has {count} nodes; the file is damaged")
        data.expect("BNodeList")
        for _ in range(count):
            node = self._read_node()
            if node.name in self._nodes:
                raise FileFormatError(f"node '{node.name}' is there twice; the file is damaged")
            self._nodes[node.name] = node
        data.expect("ENodeList")
        if len({node.uid for node in self._nodes.values()}) < count:
            raise FileFormatError("two nodes have the same uid; the file is damaged")

    def _read_node(self) -> _Node:
        data = self._in
        format_ = data.text()
        if format_ not in FORMATS:
            raise FileFormatError(f"a node's numbers are of the unknown format '{format_}'; the file is damaged")
        data.format = FORMATS[format_]
        class_name, name = data.text(), data.text()
        if class_name == HOLDER:
            return self._holder(name)
        if class_name in (INPUT, SPARSE_INPUT):
            return self._input(name, class_name)
        if class_name in PRECOMPUTED:
            return self._precomputed(name, class_name)
        if class_name in (DYNAMIC_AXIS, FURTHER_OUTPUT, STANDARDIZED):
            return _Node(name, class_name, *_uid_and_name(name, class_name))
        kind = BY_NAME.get(class_name)
        if kind is None:
            raise FileFormatError(f"node '{_uid_and_name(name, '')[1]}' is a {class_name}, which is not supported")
        return _Node(name, class_name, *_uid_and_name(name, kind.op.name), kind, kind.read(data))

    @property
    def _data_type(self) -> int:
        return format_number(self._in.format)

    def _holder(self, name: str) -> _Node:
        data = self._in
        learns = data.single() != 0
        kind = VariableKind.Parameter if learns else VariableKind.Constant
        node = _Node(name, HOLDER, *_uid_and_name(name, kind.name))
        shape = data.shape()
        value = data.matrix()
        if value.size != math.prod(shape):
            raise FileFormatError(
                f"the value of '{node.shown}' has {value.size} elements, not those of its shape {shape}"
            )
        node.describe_leaf(kind, self._data_type, shape, learns, value=value.reshape(shape[::-1]))
        return node

    def _input(self, name: str, class_name: str) -> _Node:
        data = self._in
        node = _Node(name, class_name, *_uid_and_name(name, VariableKind.Input.name))
        data.size()
        data.size()
        shape = data.shape()
        count = data.whole()
        if count not in (0, 1):
            raise FileFormatError(f"input '{node.shown}' has {count} sequence axes; the file is damaged")
        axes = axes_of(data.text() if count else DEFAULT_SEQUENCE)
        learns, sparse = data.single() != 0, class_name == SPARSE_INPUT
        node.describe_leaf(VariableKind.Input, self._data_type, shape, learns, is_sparse=sparse, dynamic_axis=axes)
        return node

    def _precomputed(self, name: str, class_name: str) -> _Node:
        data = self._in
        node = _Node(name, class_name, *_uid_and_name(name, VariableKind.Constant.name))
        if not data.flag():
            raise FileFormatError(
                f"{class_name} '{node.shown}' was never computed; train the model further before saving"
            )
        value = data.matrix()
        if len(value) != 1:
            raise FileFormatError(f"{class_name} '{node.shown}' is no vector; the file is damaged")
        node.describe_leaf(VariableKind.Constant, self._data_type, value.shape[1:], False, value=value[0])
        return node

    def _read_relations(self) -> None:
        data = self._in
        data.expect("BRelation")
        left = MAX_READS
        for _ in range(len(self._nodes)):
            node = self._named(data.text())
            count = data.size()
            left -= count
            if left < 0:
                raise FileFormatError("its nodes read more values than any model's do; the file is damaged")
            node.reads = [self._named(data.text()) for _ in range(count)]
        data.expect("ERelation")

    def _read_outputs(self) -> list[_Node]:
        """The nodes that no other reads, and those that the file lists, by name."""
        data = self._in
        data.expect("BRootNodes")
        listed: set[str] = set()
        for group in GROUPS:
            data.expect(f"B{group}Nodes")
            count = data.size()
            if count > len(self._nodes):
                raise FileFormatError("it has more outputs than nodes; the file is damaged")
            names = [self._named(data.text()).name for _ in range(count)]
            if group in OUTPUT_GROUPS:
                listed.update(names)
            data.expect(f"E{group}Nodes")
        data.expect("ERootNodes")
        data.expect("ECN")
        read = {other.name for node in self._nodes.values() for other in node.reads}
        found = [
            node
            for node in self._nodes.values()
            if node.is_precomputed or (node.is_operation and (node.name in listed or node.name not in read))
        ]
        if not any(node.is_operation for node in found):
            raise FileFormatError("it has no outputs; the file is damaged, or it holds variables alone")
        return sorted(found, key=_place)

    def _named(self, name: str) -> _Node:
        if name not in self._nodes:
            raise FileFormatError(f"node '{name}' is referred to and is not there; the file is damaged")
        return self._nodes[name]


class _Graph:
    """A function as version 2 describes it, being made of nodes.

    Args:
        version: the file's version of the format.
    """

    def __init__(self, version: int) -> None:
        self._version = version
        self._updated: set[str] = set()
        self._leaves: list[dict[str, Any]] = []
        self._functions: list[dict[str, Any]] = []

    def dictionary(self, outputs: Sequence[_Node]) -> dict[str, Any]:
        """The function with these outputs."""
        root = next_uid("Combine")
        self._add_function(PrimitiveOp.Combine, root, "", {}, [_variable(node) for node in outputs])
        return {
            "version": Size(COMPOSITE_VERSION),
            "type": "CompositeFunction",
            "root": root,
            "uid": next_uid("CompositeFunction"),
            "inputs": self._leaves,
            "primitive_functions": self._functions,
        }

    def add(self, node: _Node) -> None:
        """Add what a node is in version 2."""
        if node.leaf is not None:
            self._leaves.append(node.leaf)
        elif node.class_name == STANDARDIZED:
            self._add_standardized(node)
        elif node.kind is not None:
            operands = [_variable(other) for other in node.reads]
            if node.kind.op in (PrimitiveOp.PastValue, PrimitiveOp.FutureValue) and len(operands) == 1:
                operands.append(self._add_constant(np.float32(node.values["initial"]), node))
            if node.kind.op is PrimitiveOp.BatchNormalization and self._version < 19:
                operands += self._add_count(node)
            attributes = node.kind.attributes(node.values)
            self._add_function(node.kind.op, node.uid, node.shown, attributes, node.kind.as_now(operands))

    def _add_function(
        self, op: PrimitiveOp, uid: str, name: str, attributes: dict[str, Any], operands: list[str]
    ) -> None:
        self._functions.append(
            {
                "version": Size(PRIMITIVE_VERSION),
                "type": "PrimitiveFunction",
                "op": Size(op),
                "name": name or None,
                "uid": uid,
                "attributes": attributes,
                "inputs": operands,
            }
        )

    def _add_constant(self, value: Any, beside: _Node, name: str = "") -> str:
        """Add a constant in the number format of what a node reads; returns its uid."""
        uid = next_uid(VariableKind.Constant.name)
        value = np.asarray(value)
        dtype = next((n.leaf["value"].dtype for n in beside.reads if n.leaf and "value" in n.leaf), value.dtype)
        shape = value.shape[::-1]
        described = _leaf(VariableKind.Constant, uid, name, format_number(dtype), shape)
        self._leaves.append(described | {"value": value.astype(dtype)})
        return uid

    def _add_standardized(self, node: _Node) -> None:
        if len(node.reads) != 3:
            raise FileFormatError(f"{STANDARDIZED} '{node.shown}' reads {len(node.reads)} values, not 3")
        value, mean, inverse = (_variable(other) for other in node.reads)
        centred = next_uid(PrimitiveOp.Minus.name)
        self._add_function(PrimitiveOp.Minus, centred, "", {}, [value, mean])
        self._add_function(PrimitiveOp.ElementTimes, node.uid, node.shown, {}, [f"{centred}_Output_0", inverse])

    def _add_count(self, node: _Node) -> list[str]:
        """Bring batch normalization up to date: it had no count among its operands, and first an inverse deviation."""
        if len(node.reads) != 5 or node.reads[4].leaf is None or "value" not in node.reads[4].leaf:
            raise FileFormatError(
                f"batch normalization '{node.shown}' does not read what it should; the file is damaged"
            )
        leaf = node.reads[4].leaf
        if self._version < 13 and leaf["uid"] not in self._updated:
            self._updated.add(leaf["uid"])
            with np.errstate(all="ignore"):
                leaf["value"] = (leaf["value"] ** -2 + node.values["epsilon"]).astype(leaf["value"].dtype)
        return [self._add_constant(np.zeros((), np.float32), node, f"{node.shown}.run_sample_count")]


def _place(node: _Node) -> tuple[str, str]:
    """Where an output comes among others: by name, those of one node together."""
    further = node.class_name == FURTHER_OUTPUT and node.reads
    return (node.reads[0].name, node.name) if further else (node.name, "")


def _variable(node: _Node) -> str:
    """The uid of a node's value."""
    if node.class_name != FURTHER_OUTPUT:
        return node.uid if node.leaf is not None else f"{node.uid}_Output_0"
    if len(node.reads) != 1 or not node.uid.startswith(f"{node.reads[0].uid}_Output_"):
        raise FileFormatError(f"'{node.uid}' is an output of no node; the file is damaged")
    return node.uid


def _uid_and_name(name: str, kind: str) -> tuple[str, str]:
    """What version 2 calls a node; one that was not made by it gets a new uid."""
    uid, found, shown = name.partition(UID)[2].partition(NAME)
    return (uid, shown) if uid and found else (next_uid(kind), name)


def _leaf(kind: VariableKind, uid: str, name: str, data_type: int, shape: Sequence[int]) -> dict[str, Any]:
    return {
        "version": Size(VARIABLE_VERSION),
        "type": "Variable",
        "uid": uid,
        "kind": Size(kind),
        "data_type": Size(data_type),
        "dynamic_axis": [],
        "is_sparse": False,
        "name": name or None,
        "needs_gradient": False,
        "shape": NDShape(shape),
    }
