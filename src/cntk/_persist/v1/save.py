"""Writes functions as model files of version 1, for `cntk.debugging.save_as_legacy_model`.

Such a file has no blocks: it is a flat list of nodes, sorted by name, then each node's operands,
then the outputs.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from cntk._compiler.ir import Flattener, Node, Ref, Widen
from cntk._compiler.passes.flat_graph import FlatGraph
from cntk._compiler.passes.resolve_crop import resolve_crop
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
from cntk._writing.whole_files import replacing
from cntk.errors import FileFormatError
from cntk.variables import Constant, Parameter

# The learning rate of a parameter; that of an input says only whether it has a gradient.
_PARAMETER_RATE, _INPUT_RATE = 1.0, 1e-5


def save_legacy(function: Function, filename: str | os.PathLike[str]) -> None:
    """Write a function to a file of version 1.

    Args:
        function: the function.
        filename: the path; an existing file is replaced when all is written.

    Raises:
        FileFormatError: if the function has something that the format does not have.
    """
    for primitive in walk.primitives(function.root_function):
        if isinstance(primitive, (UserPrimitive, NativePrimitive)):
            raise _unknown(primitive)
    # Saving as version 2 expands our own operations to the original's.
    whole = from_dictionary(to_dictionary(function), contract=False)
    writer = _Writer(whole.outputs).file()
    with replacing(filename, "save_as_legacy_model") as file:
        writer.write(file)


class _Writer:
    """Writer of one function: its nodes by name, each with its kind and its operands.

    Args:
        outputs: the function's outputs.
    """

    def __init__(self, outputs: Sequence[Variable]) -> None:
        _check_inputs(outputs)
        roots, nodes = Flattener({}).flatten(outputs)
        resolve_crop(FlatGraph(roots, [*nodes]))
        self._read = {ref.key for node in nodes for ref in node.operands}
        self._read |= {Ref(node).key for node in nodes if len(node.types) > 1}
        self._nodes = [node for node in nodes if not _is_identity(node)]
        self._roots = [_skip_identities(root) for root in roots]
        self._out = Writer(_format(outputs))
        self._names: dict[tuple[int, int], str] = {}
        self._taken: set[str] = set()
        # By name: the node's kind, its operands, and the node or leaf itself.
        self._kinds: dict[str, str] = {}
        self._children: dict[str, list[str]] = {}
        self._written: dict[str, Node | Variable | None] = {}

    def file(self) -> Writer:
        """Return the whole file."""
        for node in self._nodes:
            self._add_node(node)
        for root in self._roots:
            self._name(root)
        order = sorted(self._kinds, key=str.lower)
        out = self._out
        out.string("BCN")
        out.string("BVersion")
        out.size(VERSION)
        out.string("EVersion")
        out.size(len(order))
        out.string("BNodeList")
        for name in order:
            self._write_node(name)
        out.string("ENodeList")
        out.string("BRelation")
        for name in order:
            out.string(name)
            out.strings(self._children[name])
        out.string("ERelation")
        self._write_groups()
        out.string("ECN")
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
        operands = [_skip_identities(ref) for ref in node.operands]
        if op.reversed_on_disk:
            operands.reverse()
        operands = kind.to_v1_order(operands)
        name = self._add(self._name(Ref(node)), kind.name, [], node)
        self._children[name] = [self._name(ref) for ref in operands]
        for k in range(1, len(node.types)):
            self._add(self._name(Ref(node, k)), FURTHER_OUTPUT, [name], None)

    def _name(self, ref: Ref) -> str:
        """Return a value's name in the file; add a leaf when it is first met."""
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
        out.string(out.format)
        out.string(self._kinds[name])
        out.string(name)
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
        out.int32(1)
        out.string(name_of(type_.dynamic_axes[::-1]))
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
        """Write the outputs that others read, are no operations, or come twice.

        As in the original, the last is the first.
        """
        keys = [root.key for root in self._roots]
        listed = dict.fromkeys(
            self._name(root)
            for root in self._roots
            if root.node is None or root.key in self._read or keys.count(root.key) > 1
        )
        out = self._out
        out.string("BRootNodes")
        for group in GROUPS:
            out.string(f"B{group}Nodes")
            out.strings(list(listed)[::-1] if group == "Output" else [])
            out.string(f"E{group}Nodes")
        out.string("ERootNodes")


def _is_identity(node: Node) -> bool:
    """Return whether an operation returns its operand, perhaps in another dtype.

    Files do not have such operations.
    """
    return node.op.primitive is PrimitiveOp.NoOp or isinstance(node.op, Widen)


def _skip_identities(ref: Ref) -> Ref:
    """Return the operand of a chain of identities."""
    while ref.node is not None and _is_identity(ref.node):
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
    """Raise FileFormatError for inputs that the format does not have."""
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
    """Return the dtype of the file, which is that of all values.

    Raises:
        FileFormatError: if values have several dtypes, or one that the format does not have.
    """
    leaves = [v for root in _owners(outputs) for v in walk.leaves(root)]
    # Constants are converted to the dtype of other values.
    fixed = [v for v in leaves if v.kind is not VariableKind.Constant]
    dtypes = sorted(
        {v.type_.dtype.name for v in fixed or leaves or outputs if v.type_.dtype is not None}
    )
    names = {dtype.name: name for name, dtype in FORMATS.items()}
    if len(dtypes) == 1 and dtypes[0] in names:
        return names[dtypes[0]]
    raise FileFormatError(
        f"a file of version 1 holds either float32 or float64 alone, and the function has "
        f"{' and '.join(dtypes)}; use Function.save"
    )


def _owners(outputs: Sequence[Variable]) -> list[Primitive]:
    return list(
        {id(v._owner): v._owner.root_function for v in outputs if v._owner is not None}.values()
    )
