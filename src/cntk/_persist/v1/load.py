"""Converts model files of version 1 to dictionaries of version 2, from which functions are made.

Such a file is a flat list of nodes, then each node's operands by name, then the nodes that are
outputs although others read them.
"""

from __future__ import annotations

import math
from typing import Any

from cntk._graph.names.naming import next_uid
from cntk._graph.variable import VariableKind, format_number
from cntk._persist.v1.former import FORMER
from cntk._persist.v1.graph import Graph, Node
from cntk._persist.v1.kinds import (
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
    axes_of,
    read_fields,
)
from cntk._persist.v1.nodes import BY_NAME
from cntk._persist.v1.wire import FORMATS, START, Reader
from cntk.errors import FileFormatError

# The largest real models have some ten thousand nodes.
MAX_NODES, MAX_READS = 500_000, 2_000_000
# Nodes in these groups are outputs even if others read them.
OUTPUT_GROUPS = ("Criterion", "Eval", "Output")


def is_legacy(data: memoryview) -> bool:
    """Return whether a file's bytes begin like those of version 1."""
    return bytes(data[: len(START)]) == START


def legacy_dictionary(data: memoryview) -> dict[str, Any]:
    """Convert a file of version 1 to a dictionary of version 2.

    Raises:
        FileFormatError: if it is cut short or damaged, or has unknown nodes.
    """
    return _Reader(data).dictionary()


class _Reader:
    """Reader of one file.

    Args:
        data: the file's bytes.
    """

    def __init__(self, data: memoryview) -> None:
        self._in = Reader(data)
        self._nodes: dict[str, Node] = {}

    def dictionary(self) -> dict[str, Any]:
        """Read the file to a dictionary of version 2."""
        self._read_version()
        self._read_nodes()
        self._read_relations()
        outputs = self._read_outputs()
        graph = Graph(self._in.version)
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
                f"it is of the format's version {data.version}, and the newest one known is "
                f"{VERSION}"
            )
        if data.version < OLDEST:
            raise FileFormatError(
                f"it is of the format's version {data.version}; those before {OLDEST} cannot be "
                f"read"
            )

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

    def _read_node(self) -> Node:
        data = self._in
        format_ = data.string()
        if format_ not in FORMATS:
            raise FileFormatError(f"a node has the unknown dtype '{format_}'; the file is damaged")
        data.format = FORMATS[format_]
        class_name, name = data.string(), data.string()
        if class_name == HOLDER:
            return self._holder(name)
        if class_name in (INPUT, SPARSE_INPUT):
            return self._input(name, class_name)
        if class_name in PRECOMPUTED:
            return self._precomputed(name, class_name)
        if class_name in (DYNAMIC_AXIS, FURTHER_OUTPUT, STANDARDIZED):
            return Node(name, class_name, *_uid_and_name(name, class_name))
        kind, former = BY_NAME.get(class_name), FORMER.get(class_name)
        if kind is not None:
            values = read_fields(kind.fields, data)
            return Node(
                name, class_name, *_uid_and_name(name, kind.op.name), kind=kind, values=values
            )
        if former is not None:
            values = read_fields(former.fields, data)
            return Node(
                name, class_name, *_uid_and_name(name, class_name), former=former, values=values
            )
        raise FileFormatError(
            f"node '{_uid_and_name(name, '')[1]}' is a {class_name}, which is not supported"
        )

    @property
    def _data_type(self) -> int:
        return format_number(self._in.format)

    def _holder(self, name: str) -> Node:
        data = self._in
        learns = data.single() != 0
        kind = VariableKind.Parameter if learns else VariableKind.Constant
        node = Node(name, HOLDER, *_uid_and_name(name, kind.name))
        shape = data.shape()
        value = data.matrix()
        if value.size != math.prod(shape):
            raise FileFormatError(
                f"the value of '{node.shown}' has {value.size} elements, not those of its shape "
                f"{shape}"
            )
        node.describe_leaf(kind, self._data_type, shape, learns, value=value.reshape(shape[::-1]))
        return node

    def _input(self, name: str, class_name: str) -> Node:
        data = self._in
        node = Node(name, class_name, *_uid_and_name(name, VariableKind.Input.name))
        data.size()
        data.size()
        shape = data.shape()
        count = data.int32()
        if count not in (0, 1):
            raise FileFormatError(
                f"input '{node.shown}' has {count} sequence axes; the file is damaged"
            )
        axes = axes_of(data.string() if count else DEFAULT_SEQUENCE)
        learns, sparse = data.single() != 0, class_name == SPARSE_INPUT
        node.describe_leaf(
            VariableKind.Input, self._data_type, shape, learns, is_sparse=sparse, dynamic_axis=axes
        )
        return node

    def _precomputed(self, name: str, class_name: str) -> Node:
        data = self._in
        node = Node(name, class_name, *_uid_and_name(name, VariableKind.Constant.name))
        if not data.flag():
            raise FileFormatError(
                f"{class_name} '{node.shown}' was never computed; train the model further before "
                f"saving"
            )
        value = data.matrix()
        if len(value) != 1:
            raise FileFormatError(f"{class_name} '{node.shown}' is no vector; the file is damaged")
        node.describe_leaf(
            VariableKind.Constant, self._data_type, value.shape[1:], False, value=value[0]
        )
        return node

    def _read_relations(self) -> None:
        data = self._in
        data.expect("BRelation")
        left = MAX_READS
        for _ in range(len(self._nodes)):
            node = self._named(data.string())
            count = data.size()
            left -= count
            if left < 0:
                raise FileFormatError(
                    "its nodes read more values than any model's do; the file is damaged"
                )
            node.reads = [self._named(data.string()) for _ in range(count)]
        data.expect("ERelation")

    def _read_outputs(self) -> list[Node]:
        """Return the nodes that no other reads, and those that the file lists, sorted by name."""
        data = self._in
        data.expect("BRootNodes")
        listed: set[str] = set()
        for group in GROUPS:
            data.expect(f"B{group}Nodes")
            count = data.size()
            if count > len(self._nodes):
                raise FileFormatError("it has more outputs than nodes; the file is damaged")
            names = [self._named(data.string()).name for _ in range(count)]
            if group in OUTPUT_GROUPS:
                listed.update(names)
            data.expect(f"E{group}Nodes")
        data.expect("ERootNodes")
        data.expect("ECN")
        read = {other.name for node in self._nodes.values() for other in node.reads}
        outputs = [
            node
            for node in self._nodes.values()
            if node.is_precomputed
            or (node.is_operation and (node.name in listed or node.name not in read))
        ]
        if not any(node.is_operation for node in outputs):
            raise FileFormatError(
                "it has no outputs; the file is damaged, or it holds variables alone"
            )
        return sorted(outputs, key=_sort_key)

    def _named(self, name: str) -> Node:
        if name not in self._nodes:
            raise FileFormatError(
                f"node '{name}' is referred to and is not there; the file is damaged"
            )
        return self._nodes[name]


def _sort_key(node: Node) -> tuple[str, str]:
    """Return the key by which outputs are sorted: by name, all outputs of one node together."""
    further = node.class_name == FURTHER_OUTPUT and node.reads
    return (node.reads[0].name, node.name) if further else (node.name, "")


def _uid_and_name(name: str, kind: str) -> tuple[str, str]:
    """Return a node's uid and name in version 2; a node without a uid gets a new one."""
    uid, separator, shown = name.partition(UID)[2].partition(NAME)
    return (uid, shown) if uid and separator else (next_uid(kind), name)
