"""Makes functions from dictionaries, which `Function.load` reads."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from cntk._graph import walk
from cntk._graph.block import Block
from cntk._graph.composite import Composite
from cntk._graph.infer import infer_graph
from cntk._graph.names.naming import next_uid
from cntk._graph.op import Op, PrimitiveOp, registry
from cntk._graph.primitive import Primitive, misfit
from cntk._graph.types import TensorType
from cntk._graph.variable import DTYPE_NUMBERS, Variable, VariableKind, as_dtype
from cntk._ops.support.version1_nodes import FormerNode
from cntk._persist import files
from cntk._persist.protobuf.arrays import NDShape, checked_shape
from cntk._persist.protobuf.described import briefly, flag, part
from cntk._persist.v1.former import FORMER, FORMER_NODE
from cntk._persist.v1.load import is_legacy, legacy_dictionary
from cntk._persist.v2.attributes import CUSTOM, details_from_file, format_from_file, op_from_file
from cntk._persist.v2.fused_blocks import single_operation
from cntk._persist.v2.save import APART, COMPOSITE_VERSION, PRIMITIVE_VERSION, VARIABLE_VERSION
from cntk._persist.v2.user_functions import USER_FUNCTION_VERSION, user_function_from_file
from cntk.axis import Axis
from cntk.device import DeviceDescriptor
from cntk.errors import FileFormatError, GraphError, UserFunctionError
from cntk.variables import Constant, Parameter

# Real models nest a few levels deep. In a malicious file each level may double the cost of type
# inference.
MAX_BLOCK_DEPTH = 16
# How often, on average, an operation of a file may be repeated when all blocks are opened.
MAX_REPETITION = 50

# Errors that an operation with invalid attributes or operands may raise. Their texts say nothing to
# somebody who loads a file.
NOT_MEANT = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    RuntimeError,
    TypeError,
    ValueError,
)


def load(model: Any, device: DeviceDescriptor | None = None) -> Composite:
    """Read a function from a file of version 2 or 1; see `Function.load`."""
    return from_dictionary(files.read(model, model_dictionary), device, files.describe(model))


def model_dictionary(data: memoryview) -> dict[str, Any]:
    """Decode a model file's bytes to a dictionary of version 2; a file of version 1 is converted.

    Raises:
        FileFormatError: if it is cut short, damaged, or of another kind.
    """
    return legacy_dictionary(data) if is_legacy(data) else files.decode(data)


def from_dictionary(
    values: dict[str, Any],
    device: DeviceDescriptor | None = None,
    name: str = "the model",
    contract: bool = True,
    apart: Sequence[Variable] = (),
) -> Composite:
    """Make the function of a dictionary.

    Args:
        values: the dictionary.
        device: device of its parameters and constants.
        name: name of the model in errors.
        contract: whether blocks that a fused operation computes are replaced by that operation.
        apart: leaves that the dictionary refers to by index; see `to_dictionary`.

    Raises:
        FileFormatError: if it is no function, contradicts itself, or has an unknown operation or
            user function. If making a user function failed, its error is the cause.
    """
    try:
        return _Reader(values, device, contract, apart).function()
    except FileFormatError as error:
        raise FileFormatError(f"{name} cannot be loaded: {error}") from None
    except UserFunctionError as error:
        raise FileFormatError(f"{name} cannot be loaded: {error}") from error.__cause__
    except GraphError as error:
        raise FileFormatError(f"{name} cannot be loaded: {error}") from error
    except NOT_MEANT as error:
        raise FileFormatError(
            f"{name} cannot be loaded: its parts do not hold together; the file is damaged"
        ) from error


def _check(values: dict[str, Any], kinds: tuple[str, ...], newest: int) -> None:
    kind, version = part(values, "type", str), part(values, "version", int)
    if kind not in kinds:
        raise FileFormatError(f"it holds a '{kind}' where {kinds[0]} was expected; it is no model")
    if version > newest:
        raise FileFormatError(
            f"a {kind} is of version {version}, and the newest one known is {newest}"
        )


class _Reader:
    """Builder of one function: the dictionaries of its parts by uid, and the parts made of them."""

    def __init__(
        self,
        values: dict[str, Any],
        device: DeviceDescriptor | None,
        contract: bool,
        apart: Sequence[Variable],
    ) -> None:
        _check(values, ("CompositeFunction",), COMPOSITE_VERSION)
        self._values = values
        self._contract, self._apart = contract, apart
        self._device = device
        self._described = {
            part(f, "uid", str): f for f in _dictionaries(values, "primitive_functions")
        }
        self._variables = {part(v, "uid", str): v for v in _dictionaries(values, "inputs")}
        self._leaves: dict[str, Variable] = {}
        self._made: dict[str, Primitive] = {}
        self._stand_ins: dict[Variable, str] = {}
        self._uncounted = False

    def function(self) -> Composite:
        """Make the function."""
        root = part(self._values, "root", str)
        self._check_nesting(root)
        for uid in self._order(root, self._below):
            self._made[uid] = self._primitive(uid)
        self._close_loops(self._made[root])
        if self._uncounted:
            warnings.warn(
                "the model is from before batch normalization counted samples: the counts begin at "
                "0, so that the first minibatch of further training replaces the running "
                "statistics; evaluation is not affected",
                stacklevel=2,
            )
        return _composite(self._made[root], self._values)

    # -- order -------------------------------------------------------------------------------------

    def _order(self, root: str, below: Callable[[str], list[str]]) -> list[str]:
        """Return the functions below a root in post-order, but for one operand of each loop."""
        return walk.depth_first([root], below, key=str)

    def _beside(self, uid: str) -> list[str]:
        """Return the functions whose outputs a function reads."""
        owners = (self._owner(operand) for operand in _texts(self._function(uid), "inputs"))
        return [owner for owner, _ in filter(None, owners)]

    def _below(self, uid: str) -> list[str]:
        """Return the functions that a function reads, after the root of a block's graph."""
        inside = self._inside(uid)
        return self._beside(uid) if inside is None else [inside, *self._beside(uid)]

    def _function(self, uid: str) -> dict[str, Any]:
        if uid not in self._described:
            raise FileFormatError(
                f"function '{uid}' is referred to and is not there; the file is damaged"
            )
        return self._described[uid]

    def _owner(self, uid: str) -> tuple[str, int] | None:
        """Return the function that computes a variable, and the output's index; None for leaves."""
        owner, _, index = uid.rpartition("_Output_")
        if owner in self._described and index.isdecimal() and len(index) < 9:
            return owner, int(index)
        return None

    def _inside(self, uid: str) -> str | None:
        composite = self._function(uid).get("block_function_composite")
        return None if not isinstance(composite, dict) else part(composite, "root", str)

    def _check_nesting(self, root: str) -> None:
        """Check that blocks are not inside themselves, and do not grow excessively when opened.

        Raises:
            FileFormatError: if they do.
        """
        sizes: dict[str, tuple[int, int]] = {}
        under_way: set[str] = set()
        limit = MAX_REPETITION * (len(self._described) + 100)

        def measure(graph: str) -> tuple[int, int]:
            """Return the number of operations when all blocks are opened, and the nesting depth."""
            if graph in under_way or len(under_way) > MAX_BLOCK_DEPTH:
                raise FileFormatError(
                    f"blocks are inside themselves or nested more than {MAX_BLOCK_DEPTH} levels "
                    f"deep"
                )
            if graph not in sizes:
                under_way.add(graph)
                size = depth = 0
                for uid in self._order(graph, self._beside):
                    inside = self._inside(uid)
                    more, deeper = (1, 0) if inside is None else measure(inside)
                    size, depth = size + more, max(depth, deeper + 1)
                    if size > limit:
                        raise FileFormatError(
                            f"its blocks hold each other so often that they would have over "
                            f"{limit} operations"
                        )
                under_way.discard(graph)
                sizes[graph] = size, depth
            return sizes[graph]

        measure(root)

    # -- parts -------------------------------------------------------------------------------------

    def _primitive(self, uid: str) -> Primitive:
        described = self._function(uid)
        kind = part(described, "type", str)
        if kind == "UserDefinedFunction":
            return self._user_function(described, uid)
        if kind == FORMER_NODE:
            return self._former_node(described, uid)
        _check(described, ("PrimitiveFunction",), PRIMITIVE_VERSION)
        attributes = part(described, "attributes", dict)
        number = part(described, "op", int)
        op: Op
        if number == PrimitiveOp.Block:
            op, operands = self._block(described)
        else:
            op_class = _op_class(number, uid)
            operands = [self._operand(v) for v in _texts(described, "inputs")]
            if op_class.reversed_on_disk:
                operands.reverse()
            if number == PrimitiveOp.BatchNormalization and len(operands) == 5:
                operands.append(self._count(operands[0]))
            try:
                op = op_from_file(op_class, attributes, operands)
            except (FileFormatError, GraphError) as error:
                raise FileFormatError(f"function '{uid}': {error}") from None
        primitive = self._applied(op, operands, described, uid)
        custom = attributes.get(CUSTOM)
        primitive.custom = custom if isinstance(custom, dict) else {}
        return primitive

    def _applied(
        self, op: Op, operands: list[Variable], described: dict[str, Any], uid: str
    ) -> Primitive:
        """Apply an operation to operands; an error names both."""
        name = _name(described, uid)
        try:
            return Primitive(op, operands, name, uid)
        except (FileFormatError, GraphError, UserFunctionError):
            raise
        except NOT_MEANT as error:
            attributes = ", ".join(
                f"{key} {briefly(value)}"
                for key, value in part(described, "attributes", dict).items()
            )
            reason = f"its attributes ({attributes}) do not fit each other or its operands"
            raise misfit(op.op_name, name or uid, reason, operands) from error

    def _user_function(self, described: dict[str, Any], uid: str) -> Primitive:
        _check(described, ("UserDefinedFunction",), USER_FUNCTION_VERSION)
        operands = [self._operand(v) for v in _texts(described, "inputs")]
        state = part(described, "user_defined_state", dict)
        name = _name(described, uid)
        root = user_function_from_file(state, flag(described, "native"), operands, name, uid)
        # The program may return a graph of several operations.
        self._made.update({f"{uid}/{k}": p for k, p in enumerate(walk.post_order(root.results))})
        return root

    def _count(self, operand: Variable) -> Variable:
        """Make the sample count that batch normalization has not in old files."""
        self._uncounted = True
        count = Constant.__new__(Constant)
        dtype = operand.type_.dtype or np.dtype(np.float32)
        uid = next_uid("BatchNormSampleCountConstant")
        count._initialize(
            VariableKind.Constant, (), np.zeros((), dtype), dtype, self._device, "", uid
        )
        return count

    def _former_node(self, described: dict[str, Any], uid: str) -> Primitive:
        kind, rank = part(described, "kind", str), part(described, "rank", int)
        if kind not in FORMER:
            raise FileFormatError(f"'{uid}' is a {kind}, which is not supported")
        operands = [self._operand(v) for v in _texts(described, "inputs")]
        return Primitive(FormerNode(kind, rank), operands, _name(described, uid), uid)

    def _block(self, described: dict[str, Any]) -> tuple[Block, list[Variable]]:
        values = part(described, "block_function_composite", dict)
        root_uid = part(values, "root", str)
        if root_uid not in self._made:
            raise FileFormatError(
                f"block '{described['uid']}' holds the graph of '{root_uid}', which itself reads "
                f"the block; the file is damaged"
            )
        root = self._made[root_uid]
        inner = [
            self._operand(v)
            for v in _texts(described, "block_function_composite_arguments_map_keys")
        ]
        outer = [
            self._operand(v)
            for v in _texts(described, "block_function_composite_arguments_map_values")
        ]
        wrong = [v for v in inner if not (v.is_placeholder or v.is_input)]
        if len(inner) != len(outer) or len(set(inner)) != len(inner) or wrong:
            raise FileFormatError(
                "a block's arguments do not fit what they stand for; the file is damaged"
            )
        name = part(described, "block_function_op_name", str)
        details = details_from_file(part(described, "attributes", dict))
        single = single_operation(name, root, inner) if self._contract else None
        if single is not None and single.reads_operands and not _named(root):
            return Block(
                Composite(Primitive(single, inner)), tuple(inner), name, details=details
            ), outer
        block = Block(_composite(root, values), tuple(inner), name, single=single, details=details)
        return block, [*self._leaves_inside(described, root, inner), *outer]

    def _leaves_inside(
        self, described: dict[str, Any], root: Primitive, inner: list[Variable]
    ) -> list[Variable]:
        """Return the parameters and constants inside a block.

        The order is the file's, which is that of `Function.parameters`.
        """
        # A stand-in for an output that a loop computes later is not a leaf of the block.
        known = {*inner, *self._stand_ins}
        leaves = dict.fromkeys(v for v in walk.leaves(root) if v not in known)
        listed = [v for v in map(self._operand, _texts(described, "inputs")) if v in leaves]
        return listed if len(listed) == len(leaves) else list(leaves)

    def _operand(self, uid: str) -> Variable:
        owner = self._owner(uid)
        if owner is not None and owner[0] in self._made:
            return self._output(*owner)
        if uid not in self._leaves:
            if uid in self._variables:
                self._leaves[uid] = self._leaf(uid)
            elif owner is not None:
                self._leaves[uid] = Variable.make(VariableKind.Placeholder, TensorType(), "")
            else:
                raise FileFormatError(
                    f"variable '{uid}' is referred to and is not there; the file is damaged"
                )
            if owner is not None:
                self._stand_ins[self._leaves[uid]] = uid
        return self._leaves[uid]

    def _leaf(self, uid: str) -> Variable:
        described = self._variables[uid]
        if not self._apart or APART not in described:
            return _leaf(described, uid, self._device)
        index = part(described, APART, int)
        if not 0 <= index < len(self._apart) or not isinstance(self._apart[index], Variable):
            raise FileFormatError(f"variable '{uid}' is not there")
        return self._apart[index]

    def _output(self, function: str, index: int) -> Variable:
        if function not in self._made:
            raise FileFormatError(
                f"function '{function}' is read by a loop that it is no part of; the file is "
                f"damaged"
            )
        results = self._made[function].results
        if index >= len(results):
            raise FileFormatError(
                f"function '{function}' has no output {index}; the file is damaged"
            )
        return results[index]

    def _close_loops(self, root: Primitive) -> None:
        """Replace stand-ins by the outputs that they stand for, after all functions are made."""
        if not self._stand_ins:
            return
        outputs = {}
        for stand_in, uid in self._stand_ins.items():
            owner = self._owner(uid)
            if owner is not None:
                outputs[stand_in] = self._output(*owner)
        if any(output in outputs for output in outputs.values()):
            raise FileFormatError(
                "a loop runs through nothing but combinations; the file is damaged"
            )
        for primitive in self._made.values():
            if any(v in outputs for v in primitive.operands):
                primitive.rewire(outputs.get(v, v) for v in primitive.operands)
        infer_graph(root.results)


def leaf_from_dictionary(values: dict[str, Any], name: str) -> Variable:
    """Make the leaf of a dictionary.

    Raises:
        FileFormatError: if it describes something else.
    """
    try:
        return _leaf(values, part(values, "uid", str), None)
    except FileFormatError as error:
        raise FileFormatError(f"{name} cannot be loaded: {error}") from None


def _named(root: Primitive) -> bool:
    """Return whether an operation has a name of the program's, by which it must remain findable.

    Names that the original itself gives begin with an underscore.
    """
    return any(p._name and not p._name.startswith("_") for p in walk.post_order(root.results))


def _composite(root: Primitive, values: dict[str, Any]) -> Composite:
    composite = Composite(root, (), _name(values, "the function"))
    composite._uid = part(values, "uid", str)
    return composite


def _name(values: dict[str, Any], uid: str) -> str:
    """Return the name that a program gave to a part of the file, '' for no name."""
    name = values.get("name") or ""
    if not isinstance(name, str):
        raise FileFormatError(f"'{uid}' has a name that is no string; the file is damaged")
    return name


def _op_class(number: int, uid: str) -> type[Op]:
    try:
        primitive = PrimitiveOp(number)
    except ValueError:
        raise FileFormatError(
            f"'{uid}' is an operation with the number {number}, which is not known; the file may "
            f"be newer"
        ) from None
    if primitive not in registry:
        raise FileFormatError(
            f"'{uid}' is an operation {primitive.name}, which is not supported yet"
        )
    return registry[primitive]


def _dictionaries(values: dict[str, Any], key: str) -> list[dict[str, Any]]:
    return _items(values, key, dict)


def _texts(values: dict[str, Any], key: str) -> list[str]:
    return _items(values, key, str)


def _items(values: dict[str, Any], key: str, type_: type[Any]) -> list[Any]:
    items = part(values, key, list)
    for item in items:
        part({"uid": values.get("uid"), f"an item of {key}": item}, f"an item of {key}", type_)
    return items


def _leaf(values: dict[str, Any], uid: str, device: DeviceDescriptor | None) -> Variable:
    """Make a leaf: a parameter, constant, input or placeholder."""
    _check(values, ("Variable",), VARIABLE_VERSION)
    values = format_from_file(values, "data_type")
    kind, data_type = part(values, "kind", int), part(values, "data_type", int)
    if kind not in list(VariableKind):
        raise FileFormatError(
            f"variable '{uid}' is of the kind {kind}, which is not known; the file is damaged or "
            f"newer"
        )
    if data_type and data_type not in DTYPE_NUMBERS.values():
        raise FileFormatError(
            f"variable '{uid}' has the dtype {data_type}, which is not known; the file is damaged "
            f"or newer"
        )
    kind, dtype = VariableKind(kind), as_dtype(data_type)
    axes = part(values, "dynamic_axis", list)
    if not all(isinstance(axis, Axis) and not axis.is_static_axis for axis in axes):
        raise FileFormatError(
            f"variable '{uid}' has dynamic axes that are not dynamic; the file is damaged"
        )
    shape = tuple(reversed(checked_shape(part(values, "shape", NDShape))))
    type_ = TensorType(shape, tuple(reversed(axes)), dtype, flag(values, "is_sparse"))
    name = _name(values, uid)
    needs_gradient = flag(values, "needs_gradient")
    if kind in (VariableKind.Parameter, VariableKind.Constant):
        return _holder(
            kind, type_, name, uid, part(values, "value", np.ndarray), needs_gradient, device
        )
    if kind is VariableKind.Output:
        raise FileFormatError(
            f"variable '{uid}' is the output of a function that is not there; the file is damaged"
        )
    return Variable.make(kind, type_, name, needs_gradient, uid)


def _holder(
    kind: VariableKind,
    type_: TensorType,
    name: str,
    uid: str,
    value: np.ndarray,
    needs_gradient: bool,
    device: DeviceDescriptor | None,
) -> Variable:
    if value.shape != type_.shape or (type_.dtype is not None and value.dtype != type_.dtype):
        raise FileFormatError(
            f"'{uid}' is an array of {type_.dtype} and shape {type_.shape}, and its value one of "
            f"{value.dtype} and shape {value.shape}; the file is damaged"
        )
    holder_class = Parameter if kind is VariableKind.Parameter else Constant
    holder = holder_class.__new__(holder_class)
    holder._initialize(kind, type_.shape, value, value.dtype, device, name, uid)
    holder.needs_gradient_ = needs_gradient
    return holder
