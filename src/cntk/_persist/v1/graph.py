"""Builds dictionaries of version 2 from the nodes of a model file of version 1."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cntk._graph.names.naming import next_uid
from cntk._graph.op import PrimitiveOp
from cntk._graph.variable import VariableKind, format_number
from cntk._persist.protobuf.arrays import NDShape
from cntk._persist.protobuf.dictionary import Size
from cntk._persist.v1.former import FORMER_NODE, FormerKind
from cntk._persist.v1.kinds import FURTHER_OUTPUT, PRECOMPUTED, STANDARDIZED, NodeKind
from cntk._persist.v1.windows import filters_shape
from cntk._persist.v2.save import COMPOSITE_VERSION, PRIMITIVE_VERSION, VARIABLE_VERSION
from cntk.errors import FileFormatError


@dataclass
class Node:
    """Node of the file.

    Attributes:
        name: its name in the file.
        class_name: the name of its kind in files.
        uid: its uid in version 2.
        shown: its name in version 2.
        kind: its kind, if it is an operation of the table.
        former: its kind, if version 2 has no such operation.
        values: its fields.
        leaf: the dictionary of a leaf in version 2.
        reads: its operands.
    """

    name: str
    class_name: str
    uid: str
    shown: str
    kind: NodeKind | None = None
    former: FormerKind | None = None
    values: dict[str, Any] = field(default_factory=dict)
    leaf: dict[str, Any] | None = None
    reads: Sequence[Node] = ()

    @property
    def is_precomputed(self) -> bool:
        """True if it is a constant that was computed from all data."""
        return self.class_name in PRECOMPUTED

    @property
    def is_operation(self) -> bool:
        """True if it computes something, or is a further output of its operand."""
        return bool(self.kind or self.former) or self.class_name in (FURTHER_OUTPUT, STANDARDIZED)

    def describe_leaf(
        self, kind: VariableKind, data_type: int, shape: Sequence[int], learns: bool, **more: Any
    ) -> None:
        """Set the dictionary of a leaf."""
        self.leaf = (
            _leaf(kind, self.uid, self.shown, data_type, shape) | {"needs_gradient": learns} | more
        )


class Graph:
    """Builder of a function's dictionary of version 2, node by node.

    Args:
        version: the file's version of the format.
    """

    def __init__(self, version: int) -> None:
        self._version = version
        self._updated: set[str] = set()
        self._leaves: list[dict[str, Any]] = []
        self._functions: list[dict[str, Any]] = []

    def dictionary(self, outputs: Sequence[Node]) -> dict[str, Any]:
        """Return the dictionary of the function with these outputs."""
        if self._updated:
            warnings.warn(
                "the model is from before cuDNN 5: the variances of batch normalization were "
                "computed from the inverse standard deviations that it holds",
                stacklevel=2,
            )
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

    def add(self, node: Node) -> None:
        """Add a node."""
        if node.leaf is not None:
            self._leaves.append(node.leaf)
        elif node.class_name == STANDARDIZED:
            self._add_standardized(node)
        elif node.former is not None:
            self._add_former(node, node.former)
        elif node.kind is not None:
            operands = [_variable(other) for other in node.reads]
            if node.kind.op is PrimitiveOp.Convolution:
                _spread_filters(node)
            if (
                node.kind.op in (PrimitiveOp.PastValue, PrimitiveOp.FutureValue)
                and len(operands) == 1
            ):
                operands.append(self._add_constant(np.float32(node.values["initial"]), node))
            if node.kind.op is PrimitiveOp.BatchNormalization and self._version < 19:
                operands += self._add_count(node)
            attributes = node.kind.attributes(node.values)
            self._add_function(
                node.kind.op, node.uid, node.shown, attributes, node.kind.to_v2_order(operands)
            )

    def apply(self, op: PrimitiveOp, *operands: str, **attributes: Any) -> str:
        """Add an operation without a name to values, given by uid; return the uid of its result."""
        uid = next_uid(op.name)
        self._add_function(op, uid, "", attributes, list(operands))
        return f"{uid}_Output_0"

    def _add_former(self, node: Node, kind: FormerKind) -> None:
        operands = [_variable(other) for other in node.reads]
        if len(operands) != kind.operands:
            raise FileFormatError(
                f"{kind.name} '{node.shown}' reads {len(operands)} values, not {kind.operands}; "
                f"the file is damaged"
            )
        if kind.build is None:
            self._functions.append(
                {
                    "type": FORMER_NODE,
                    "kind": kind.name,
                    "name": node.shown or None,
                    "uid": node.uid,
                    "inputs": operands,
                }
                | {"rank": node.values.get("rank", 1)}
            )
            return
        shapes = [
            None if other.leaf is None else tuple(other.leaf["shape"]) for other in node.reads
        ]
        op, operands, attributes = kind.build(self, node.values, operands, shapes)
        self._add_function(op, node.uid, node.shown, attributes, operands)

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

    def _add_constant(self, value: Any, beside: Node, name: str = "") -> str:
        """Add a constant in the dtype of a node's operands; return its uid."""
        uid = next_uid(VariableKind.Constant.name)
        value = np.asarray(value)
        dtype = next(
            (n.leaf["value"].dtype for n in beside.reads if n.leaf and "value" in n.leaf),
            value.dtype,
        )
        shape = value.shape[::-1]
        described = _leaf(VariableKind.Constant, uid, name, format_number(dtype), shape)
        self._leaves.append(described | {"value": value.astype(dtype)})
        return uid

    def _add_standardized(self, node: Node) -> None:
        if len(node.reads) != 3:
            raise FileFormatError(
                f"{STANDARDIZED} '{node.shown}' reads {len(node.reads)} values, not 3"
            )
        value, mean, inverse = (_variable(other) for other in node.reads)
        centred = next_uid(PrimitiveOp.Minus.name)
        self._add_function(PrimitiveOp.Minus, centred, "", {}, [value, mean])
        self._add_function(
            PrimitiveOp.ElementTimes, node.uid, node.shown, {}, [f"{centred}_Output_0", inverse]
        )

    def _add_count(self, node: Node) -> list[str]:
        """Update an old batch normalization, which had no sample count among its operands.

        The oldest had the inverse standard deviation instead of the variance.
        """
        if len(node.reads) != 5 or node.reads[4].leaf is None or "value" not in node.reads[4].leaf:
            raise FileFormatError(
                f"batch normalization '{node.shown}' does not read what it should; the file is "
                f"damaged"
            )
        leaf = node.reads[4].leaf
        if self._version < 13 and leaf["uid"] not in self._updated:
            self._updated.add(leaf["uid"])
            with np.errstate(all="ignore"):
                leaf["value"] = (leaf["value"] ** -2 + node.values["epsilon"]).astype(
                    leaf["value"].dtype
                )
        return [
            self._add_constant(np.zeros((), np.float32), node, f"{node.shown}.run_sample_count")
        ]


def _spread_filters(node: Node) -> None:
    """Reshape a convolution's filters, which are a matrix in files of programs before 2016."""
    leaf = node.reads[0].leaf if node.reads else None
    if leaf is None or "value" not in leaf:
        return
    try:
        shape = filters_shape(leaf["shape"], node.values["kernel"])
    except FileFormatError as error:
        raise FileFormatError(f"convolution '{node.shown}': {error}") from None
    leaf |= {"shape": NDShape(shape), "value": leaf["value"].reshape(shape[::-1])}


def _variable(node: Node) -> str:
    """Return the uid of a node's value."""
    if node.class_name != FURTHER_OUTPUT:
        return node.uid if node.leaf is not None else f"{node.uid}_Output_0"
    if len(node.reads) != 1 or not node.uid.startswith(f"{node.reads[0].uid}_Output_"):
        raise FileFormatError(f"'{node.uid}' is an output of no node; the file is damaged")
    return node.uid


def _leaf(
    kind: VariableKind, uid: str, name: str, data_type: int, shape: Sequence[int]
) -> dict[str, Any]:
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
