"""Functions as model files of version 1: what `cntk.debugging.save_as_legacy_model` writes.

Such a file has no blocks: it is a flat list of nodes, sorted by name, then who reads whom, then
which are outputs.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from cntk._compiler.ir import Flattener, Node, Ref, Widen
from cntk._compiler.passes.flat_graph import FlatGraph
from cntk._compiler.passes.resolve_crop import resolve_crop
from cntk._files import replacing
from cntk._graph import walk
from cntk._graph.function import Function
from cntk._graph.op import PrimitiveOp
from cntk._graph.primitive import Primitive
from cntk._graph.variable import Variable, VariableKind
from cntk._ops.user.native_function import NativePrimitive
from cntk._ops.user.user_function import UserPrimitive
from cntk._persist.v1.kinds import (
    DYNAMIC_AXIS,
    FURTHER_OUTPUT,
    GROUPS,
    HOLDER,
    INPUT,
    NAME,
    SPARSE_INPUT,
    UID,
    VERSION,
    Signature,
    name_of,
)
from cntk._persist.v1.nodes import BY_OPERATION
from cntk._persist.v1.wire import FORMATS, Writer
from cntk._persist.v2.attributes import attributes_to_file
from cntk._persist.v2.load import from_dictionary
from cntk._persist.v2.save import to_dictionary
from cntk._runtime.numpy_tensors import array_of
from cntk._wording import operation_text
from cntk.errors import FileFormatError
from cntk.variables import Constant, Parameter

# How fast a node learns; for an input only whether gradients reach it.
_PARAMETER_RATE, _INPUT_RATE = 1.0, 1e-5


def save_legacy(function: Function, filename: str | os.PathLike[str]) -> None:
    """Write a function to a file of version 1.

    Args:
        function: the function.
        filename: the path; a file of that name is replaced once all is written, and not before.

    Raises:
        FileFormatError: if it holds what the format cannot hold.
    """
    for primitive in walk.primitives(function.root_function):
        if isinstance(primitive, (UserPrimitive, NativePrimitive)):
            raise _unknown(primitive)
    # As version 2 holds it a graph has no operations but the original's own.
    whole = from_dictionary(to_dictionary(function), contract=False)
    writer = _Writer(whole.outputs).file()
    with replacing(filename, "save_as_legacy_model") as file:
        writer.write(file)


class _Writer:
    """One function being written: its nodes by name, each with what writes its fields and whom it
    reads.

    Args:
        outputs: the function's outputs.
    """

    def __init__(self, outputs: Sequence[Variable]) -> None:
        _check_inputs(outputs)
        roots, nodes = Flattener({}).flatten(outputs)
        resolve_crop(FlatGraph(roots, [*nodes]))
        self._read = {ref.key for node in nodes for ref in node.operands}
        self._read |= {Ref(node).key for node in nodes if len(node.types) > 1}
        self._nodes = [node for node in nodes if not _hands_on(node)]
        self._roots = [_behind(root) for root in roots]
        self._out = Writer(_format(outputs))
        self._names: dict[tuple[int, int], str] = {}
        self._taken: set[str] = set()
        # By name: the node's kind, what it reads, and the node or leaf itself.
        self._kinds: dict[str, str] = {}
        self._children: dict[str, list[str]] = {}
        self._written: dict[str, Node | Variable | None] = {}

    def file(self) -> Writer:
        """The whole file."""
        for node in self._nodes:
            self._add_node(node)
        for root in self._roots:
            self._name(root)
        order = sorted(self._kinds, key=str.lower)
        out = self._out
        out.text("BCN")
        out.text("BVersion")
        out.size(VERSION)
        out.text("EVersion")
        out.size(len(order))
        out.text("BNodeList")
        for name in order:
            self._write_node(name)
        out.text("ENodeList")
        out.text("BRelation")
        for name in order:
            out.text(name)
            out.texts(self._children[name])
        out.text("ERelation")
        self._write_groups()
        out.text("ECN")
        return out

    # -- collecting --------------------------------------------------------------------------------

    def _add(self, name: str, kind: str, children: list[str], what: Node | Variable | None) -> str:
        self._kinds[name] = kind
        self._children[name] = children
        self._written[name] = what
        return name

    def _add_node(self, node: Node) -> None:
        op = node.op
        kind = BY_OPERATION.get(op.primitive) if op.primitive is not None else None
        if kind is None:
            raise _unknown(node.primitive)
        operands = [_behind(ref) for ref in node.operands]
        if op.reversed_on_disk:
            operands.reverse()
        operands = kind.as_before(operands)
        name = self._add(self._name(Ref(node)), kind.name, [], node)
        self._children[name] = [self._name(ref) for ref in operands]
        for k in range(1, len(node.types)):
            self._add(self._name(Ref(node, k)), FURTHER_OUTPUT, [name], None)

    def _name(self, ref: Ref) -> str:
        """A value's name in the file; a leaf is added when it is first met."""
        if ref.key not in self._names:
            uid, name = _uid_and_name(ref)
            first, count = uid, 0
            while uid.lower() in self._taken:
                count += 1
                uid = f"{first}_{count}"
            self._taken.add(uid.lower())
            self._names[ref.key] = f"{UID}{uid}{NAME}{name}"
            if ref.leaf is not None:
                self._add_leaf(self._names[ref.key], ref.leaf)
        return self._names[ref.key]

    def _add_leaf(self, name: str, leaf: Variable) -> None:
        if isinstance(leaf, (Parameter, Constant)):
            self._add(name, HOLDER, [], leaf)
            return
        self._add(name, SPARSE_INPUT if leaf.type_.is_sparse else INPUT, [], leaf)
        axis = name_of(leaf.type_.dynamic_axes[::-1])
        self._add(axis, DYNAMIC_AXIS, [], None)

    # -- writing -----------------------------------------------------------------------------------

    def _write_node(self, name: str) -> None:
        out, what = self._out, self._written[name]
        out.text(out.format)
        out.text(self._kinds[name])
        out.text(name)
        if isinstance(what, Node):
            self._write_fields(what)
        elif isinstance(what, (Parameter, Constant)):
            out.single(_PARAMETER_RATE if what.needs_gradient_ else 0.0)
            out.shape(what.type_.shape[::-1])
            out.matrix(array_of(what.data))
        elif what is not None:
            self._write_input(what)

    def _write_input(self, what: Variable) -> None:
        out, type_ = self._out, what.type_
        # Older versions had a matrix's size here.
        out.size(0)
        out.size(0)
        out.shape(type_.shape[::-1])
        out.whole(1)
        out.text(name_of(type_.dynamic_axes[::-1]))
        out.single(_INPUT_RATE if what.needs_gradient_ else 0.0)

    def _write_fields(self, node: Node) -> None:
        types = [ref.type for ref in node.operands]
        attributes = attributes_to_file(node.op, types)
        if node.op.reversed_on_disk:
            types.reverse()
        try:
            kind = BY_OPERATION[PrimitiveOp(node.op.primitive or 0)]
            kind.write(self._out, attributes, Signature(tuple(types), node.types[0]))
        except FileFormatError as error:
            raise FileFormatError(
                f"{_described(node.primitive)}: {error}; use Function.save"
            ) from None

    def _write_groups(self) -> None:
        """Outputs are listed that others read, are no operations, or come twice: the last first, as
        the original does.
        """
        keys = [root.key for root in self._roots]
        listed = dict.fromkeys(
            self._name(root)
            for root in self._roots
            if root.node is None or root.key in self._read or keys.count(root.key) > 1
        )
        out = self._out
        out.text("BRootNodes")
        for group in GROUPS:
            out.text(f"B{group}Nodes")
            out.texts(list(listed)[::-1] if group == "Output" else [])
            out.text(f"E{group}Nodes")
        out.text("ERootNodes")


def _hands_on(node: Node) -> bool:
    """Whether an operation gives its operand, or a constant in the others' format: the file does
    without.
    """
    return node.op.primitive is PrimitiveOp.NoOp or isinstance(node.op, Widen)


def _behind(ref: Ref) -> Ref:
    """A value behind operations that hand it on."""
    while ref.node is not None and _hands_on(ref.node):
        ref = ref.node.operands[0]
    return ref


def _uid_and_name(ref: Ref) -> tuple[str, str]:
    if ref.node is None:
        leaf = ref.leaf
        return (leaf.uid, leaf._name) if leaf is not None else ("", "")
    primitive = ref.node.primitive
    if ref.index == 0:
        return primitive.uid, primitive._name
    return f"{primitive.uid}_Output_{ref.index}", primitive.results[ref.index].name


def _described(primitive: Primitive) -> str:
    return (
        f"{operation_text(primitive.op_name, primitive._name)} cannot be saved in the format of "
        f"version 1"
    )


def _unknown(primitive: Primitive) -> FileFormatError:
    return FileFormatError(
        f"{_described(primitive)}, which has no such operation, or not all of its attributes; use "
        f"Function.save"
    )


def _check_inputs(outputs: Sequence[Variable]) -> None:
    """Refuse inputs that the format cannot hold.

    Raises:
        FileFormatError: for such inputs.
    """
    for root in _owners(outputs):
        for leaf in walk.leaves(root):
            what = f"{leaf!r} cannot be saved in the format of version 1"
            if leaf.kind is VariableKind.Placeholder:
                raise FileFormatError(
                    f"{what}: it is a placeholder; put an input in its place first"
                )
            if any(d < 0 for d in leaf.type_.shape):
                raise FileFormatError(
                    f"{what}, which has no free or inferred dimensions; give it a definite shape"
                )
            if leaf.is_input and not leaf.type_.dynamic_axes:
                raise FileFormatError(
                    f"{what}, where every input has a batch axis; use a constant, or an input with "
                    f"one"
                )


def _format(outputs: Sequence[Variable]) -> str:
    """The number format of the file, which is that of all values.

    Raises:
        FileFormatError: if values are of several formats, or of one that the format does not have.
    """
    leaves = [v for root in _owners(outputs) for v in walk.leaves(root)]
    # Constants take on the others' format where there are others.
    fixed = [v for v in leaves if v.kind is not VariableKind.Constant]
    found = sorted(
        {v.type_.dtype.name for v in fixed or leaves or outputs if v.type_.dtype is not None}
    )
    names = {dtype.name: name for name, dtype in FORMATS.items()}
    if len(found) == 1 and found[0] in names:
        return names[found[0]]
    raise FileFormatError(
        f"a file of version 1 holds either float32 or float64 alone, and the function has "
        f"{' and '.join(found)}; "
        "use Function.save"
    )


def _owners(outputs: Sequence[Variable]) -> list[Primitive]:
    return list(
        {id(v._owner): v._owner.root_function for v in outputs if v._owner is not None}.values()
    )
