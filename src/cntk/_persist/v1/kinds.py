"""`NodeKind` and `Field`: a kind of nodes in model files of version 1; and the numbers of axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from cntk._graph.op import PrimitiveOp
from cntk._graph.types import TensorType
from cntk._persist.protobuf.dictionary import END_OF_AXES
from cntk._persist.v1.wire import Reader, Writer
from cntk.axis import Axis
from cntk.errors import FileFormatError

# The newest version of the format, the only one that is written; and the oldest that can be read.
VERSION, OLDEST = 31, 10
# Prefixes of uid and name of version 2 in the name of a node.
UID, NAME = "__v2libuid__", "__v2libname__"
# Groups of nodes that trainers of that time used; only the last one is written.
GROUPS = ("Feature", "Label", "Criterion", "Eval", "Output")
# Nodes that are no operations: a name for dynamic axes, leaves, and further outputs of other nodes.
DYNAMIC_AXIS, FURTHER_OUTPUT = "DynamicAxis", "OutputMultiplexer"
INPUT, SPARSE_INPUT, HOLDER = "InputValue", "SparseInputValue", "LearnableParameter"
# Means and inverse standard deviations of all data, computed before training; and their use.
PRECOMPUTED, STANDARDIZED = ("Mean", "InvStdDev"), "PerDimMeanVarNormalization"

Attributes = dict[str, Any]
Values = dict[str, Any]


class Kind(NamedTuple):
    """Functions that read and write a field."""

    read: Callable[[Reader], Any]
    write: Callable[[Writer, Any], None]


class Signature(NamedTuple):
    """Types of a node's operands, in the order of files, and of its result."""

    operands: tuple[TensorType, ...]
    result: TensorType


SIZE = Kind(Reader.size, Writer.size)
INT32 = Kind(Reader.int32, Writer.int32)
SINGLE = Kind(Reader.single, Writer.single)
DOUBLE = Kind(Reader.double, Writer.double)
ELEMENT = Kind(Reader.element, Writer.element)
FLAG = Kind(Reader.flag, Writer.flag)
STRING = Kind(Reader.string, Writer.string)
SHAPE = Kind(Reader.shape, Writer.shape)
FLAGS = Kind(Reader.flags, Writer.flags)
INT32S = Kind(Reader.int32s, Writer.int32s)
SIZES = Kind(Reader.sizes, Writer.sizes)


class Field(NamedTuple):
    """Field of a node.

    Attributes:
        name: its name here.
        kind: functions that read and write it.
        since: the first version of the format that has it.
        before: its value in earlier versions.
    """

    name: str
    kind: Kind
    since: int = 0
    before: Any = None


Fields = tuple[Field, ...]
T = TypeVar("T")


def read_fields(fields: Fields, reader: Reader) -> Values:
    """Read the fields of a node, which come next in a file."""
    return {f.name: f.kind.read(reader) if f.since <= reader.version else f.before for f in fields}


@dataclass(frozen=True)
class NodeKind:
    """Kind of nodes.

    Attributes:
        name: its name in files.
        op: the operation.
        fields: its fields in order.
        attributes: computes the operation's attributes from the fields.
        values: computes the fields from the operation's attributes.
        order: for each operand in files of version 1 its index in version 2; by default the same.
    """

    name: str
    op: PrimitiveOp
    fields: Fields = ()
    attributes: Callable[[Values], Attributes] = dict
    values: Callable[[Attributes, Signature], Values] = lambda attributes, signature: attributes
    order: tuple[int, ...] = ()

    def to_v1_order(self, operands: Sequence[T]) -> list[T]:
        """Permute a node's operands from the order of version 2 to that of version 1."""
        own = len(self.order)
        return [
            *(operands[index] for index in self.order if index < len(operands)),
            *operands[own:],
        ]

    def to_v2_order(self, operands: Sequence[T]) -> list[T]:
        """Permute a node's operands from the order of version 1 to that of version 2."""
        own = len(self.order)
        if len(operands) < own:
            raise FileFormatError(
                f"a {self.name} reads {len(operands)} values, and needs {own}; the file is damaged"
            )
        return [*(operands[self.order.index(index)] for index in range(own)), *operands[own:]]

    def write(self, writer: Writer, attributes: Attributes, signature: Signature) -> None:
        """Write the fields of a node.

        Raises:
            FileFormatError: for attributes that the format cannot hold.
        """
        values = self.values(attributes, signature)
        for field in self.fields:
            field.kind.write(writer, values[field.name])


# -- axes ------------------------------------------------------------------------------------------

# Files count static axes from 1 on; these numbers have another meaning.
_ALL_STATIC, _ALL, _BATCH = 0, -1, -3
_NAMED = {
    _ALL_STATIC: Axis.all_static_axes(),
    _ALL: Axis.all_axes(),
    _BATCH: Axis.default_batch_axis(),
}


def axis_of(number: int) -> Axis:
    if number not in _NAMED and not 1 <= number <= 64:
        raise FileFormatError(f"{number} is the number of no axis; the file is damaged")
    return _NAMED.get(number) or Axis(number - 1)


def axis_number(axis: Axis, rank: int) -> int:
    """Return the number of an axis of version 2, which counts from 0, or backwards from -1."""
    for number, named in _NAMED.items():
        if axis == named:
            return number
    if not axis.is_static_axis:
        raise FileFormatError(f"the format has no reduction along {axis}")
    index = axis.static_axis_index()
    return (index + rank if index < 0 else min(index, rank)) + 1


def position_of(index: int) -> Axis:
    """Return a position between axes; in some versions 0 is the position behind the last."""
    if not 0 <= index <= 65:
        raise FileFormatError(f"{index} is no position between axes; the file is damaged")
    return Axis(index - 1 if index else END_OF_AXES)


def complete(type_: TensorType) -> tuple[int, ...]:
    """Return the shape of a type, the last axis first.

    Raises:
        FileFormatError: if a dimension is free or not inferred.
    """
    if not type_.is_complete:
        raise FileFormatError(f"the format has no open dimensions, and its result is {type_}")
    return type_.shape[::-1]


NO_SEQUENCE = "__noSequenceAxis"
DEFAULT_SEQUENCE = "*"


def axes_of(name: str) -> list[Axis]:
    """Return the dynamic axes, the batch axis last, that have one name in files."""
    if name == NO_SEQUENCE:
        return [Axis.default_batch_axis()]
    return [
        Axis.default_dynamic_axis() if name == DEFAULT_SEQUENCE else Axis(name),
        Axis.default_batch_axis(),
    ]


def name_of(axes: Sequence[Axis]) -> str:
    """Return the name of dynamic axes, the batch axis last; see `axes_of`.

    Raises:
        FileFormatError: for axes that the format does not have.
    """
    if not axes or len(axes) > 2:
        raise FileFormatError(
            f"the format has a batch axis and at most one other dynamic axis, and not {list(axes)}"
        )
    if len(axes) == 1:
        return NO_SEQUENCE
    return DEFAULT_SEQUENCE if axes[0] == Axis.default_dynamic_axis() else axes[0].name
