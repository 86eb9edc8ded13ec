"""What a kind of nodes in model files of version 1 is made of: its names, its fields, and how axes
are numbered there.
"""

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

# The newest version of the format, and the only one that is written; and the oldest that is read.
VERSION, OLDEST = 31, 10
# How a node's name holds a uid and a name of version 2.
UID, NAME = "__v2libuid__", "__v2libname__"
# Groups of nodes that meant something to trainers of that time; the last one is what is looked at.
GROUPS = ("Feature", "Label", "Criterion", "Eval", "Output")
# Nodes that are no operations: a name for dynamic axes, leaves, and outputs of the node they read
# beyond its first.
DYNAMIC_AXIS, FURTHER_OUTPUT = "DynamicAxis", "OutputMultiplexer"
INPUT, SPARSE_INPUT, HOLDER = "InputValue", "SparseInputValue", "LearnableParameter"
# What was computed of all data before training: means, and inverse standard deviations; and what
# makes use of both.
PRECOMPUTED, STANDARDIZED = ("Mean", "InvStdDev"), "PerDimMeanVarNormalization"

Attributes = dict[str, Any]
Values = dict[str, Any]


class Kind(NamedTuple):
    """How a field is read and written."""

    read: Callable[[Reader], Any]
    write: Callable[[Writer, Any], None]


class Signature(NamedTuple):
    """The types that a node reads, in the order of files, and gives."""

    operands: tuple[TensorType, ...]
    result: TensorType


SIZE = Kind(Reader.size, Writer.size)
WHOLE = Kind(Reader.whole, Writer.whole)
SINGLE = Kind(Reader.single, Writer.single)
DOUBLE = Kind(Reader.double, Writer.double)
ELEMENT = Kind(Reader.element, Writer.element)
FLAG = Kind(Reader.flag, Writer.flag)
TEXT = Kind(Reader.text, Writer.text)
SHAPE = Kind(Reader.shape, Writer.shape)
FLAGS = Kind(Reader.flags, Writer.flags)
WHOLES = Kind(Reader.wholes, Writer.wholes)
SIZES = Kind(Reader.sizes, Writer.sizes)


class Field(NamedTuple):
    """One field of a node.

    Attributes:
        name: its name here.
        kind: how it lies.
        since: the format's version that has it first.
        before: its value in earlier versions.
    """

    name: str
    kind: Kind
    since: int = 0
    before: Any = None


Fields = tuple[Field, ...]
T = TypeVar("T")


def read_fields(fields: Fields, reader: Reader) -> Values:
    """The fields of a node, which come next in a file."""
    return {f.name: f.kind.read(reader) if f.since <= reader.version else f.before for f in fields}


@dataclass(frozen=True)
class NodeKind:
    """One kind of nodes.

    Attributes:
        name: what files call it.
        op: the operation.
        fields: the names of its fields, and how they lie.
        attributes: the operation's attributes from the fields.
        values: the fields from the operation's attributes.
        order: for each operand in files of version 1 its place in version 2; the same if not given.
    """

    name: str
    op: PrimitiveOp
    fields: Fields = ()
    attributes: Callable[[Values], Attributes] = dict
    values: Callable[[Attributes, Signature], Values] = lambda attributes, signature: attributes
    order: tuple[int, ...] = ()

    def as_before(self, operands: Sequence[T]) -> list[T]:
        """A node's operands in the order of version 1 from that of version 2."""
        own = len(self.order)
        return [
            *(operands[place] for place in self.order if place < len(operands)),
            *operands[own:],
        ]

    def as_now(self, operands: Sequence[T]) -> list[T]:
        """A node's operands in the order of version 2 from that of version 1."""
        own = len(self.order)
        if len(operands) < own:
            raise FileFormatError(
                f"a {self.name} reads {len(operands)} values, and needs {own}; the file is damaged"
            )
        return [*(operands[self.order.index(place)] for place in range(own)), *operands[own:]]

    def write(self, writer: Writer, attributes: Attributes, signature: Signature) -> None:
        """Write the fields of a node.

        Raises:
            FileFormatError: for attributes that the format cannot hold.
        """
        values = self.values(attributes, signature)
        for field in self.fields:
            field.kind.write(writer, values[field.name])


# -- axes ------------------------------------------------------------------------------------------

# Files count static axes from 1 on; these are no static axes.
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
    """The number of an axis that is counted as version 2 does: from 0, negative ones from behind
    the last.
    """
    for number, named in _NAMED.items():
        if axis == named:
            return number
    if not axis.is_static_axis:
        raise FileFormatError(f"the format has no reduction along {axis}")
    index = axis.static_axis_index()
    return (index + rank if index < 0 else min(index, rank)) + 1


def position_of(index: int) -> Axis:
    """A place between axes; files of some versions have 0 for the place behind the last."""
    if not 0 <= index <= 65:
        raise FileFormatError(f"{index} is no position between axes; the file is damaged")
    return Axis(index - 1 if index else END_OF_AXES)


def complete(type_: TensorType) -> tuple[int, ...]:
    """A shape, the last axis first.

    Raises:
        FileFormatError: if a dimension is open.
    """
    if not type_.is_complete:
        raise FileFormatError(f"the format has no open dimensions, and its result is {type_}")
    return type_.shape[::-1]


NO_SEQUENCE = "__noSequenceAxis"
DEFAULT_SEQUENCE = "*"


def axes_of(name: str) -> list[Axis]:
    """The dynamic axes, the batch axis last, that files name by one name."""
    if name == NO_SEQUENCE:
        return [Axis.default_batch_axis()]
    return [
        Axis.default_dynamic_axis() if name == DEFAULT_SEQUENCE else Axis(name),
        Axis.default_batch_axis(),
    ]


def name_of(axes: Sequence[Axis]) -> str:
    """The name of dynamic axes, the batch axis last; see `axes_of`.

    Raises:
        FileFormatError: for axes that the format cannot hold.
    """
    if not axes or len(axes) > 2:
        raise FileFormatError(
            f"the format has a batch axis and at most one other dynamic axis, and not {list(axes)}"
        )
    if len(axes) == 1:
        return NO_SEQUENCE
    return DEFAULT_SEQUENCE if axes[0] == Axis.default_dynamic_axis() else axes[0].name
