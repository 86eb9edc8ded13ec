"""Converts the fields of an operation's class to named attributes in files, and back.

Python counts axes from the first, files from the last: axis -1 - k here is axis k in files, and
vice versa.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, fields
from typing import Any, NamedTuple

import numpy as np

from cntk._graph.bfloat16 import NUMBER
from cntk._graph.block import Block
from cntk._graph.op import DiskKind, Op
from cntk._graph.types import TensorType
from cntk._graph.variable import Variable
from cntk._persist.protobuf.arrays import NDShape, checked_shape
from cntk._persist.protobuf.described import briefly, flag
from cntk._persist.protobuf.dictionary import END_OF_AXES, Single, Size
from cntk.axis import Axis
from cntk.errors import FileFormatError

CUSTOM = "customAttributes"
IS_BFLOAT16, DATA_TYPE = "bfloat16", "newDataType"


def attributes_to_file(op: Op, operands: Sequence[TensorType]) -> dict[str, Any]:
    """Convert an operation's fields to attributes of a file.

    Args:
        op: the operation.
        operands: its operands' types; static axes are numbered by the rank of the first.
    """
    op = op.canonical_for_disk(*operands)
    rank = operands[0].rank if operands and operands[0].has_shape else None
    written, names = op.attributes(), op.disk_fields()
    kinds = field_kinds(type(op))
    return {
        names[field]: _KINDS[kind].to_file(getattr(op, field), rank)
        for field, kind in kinds.items()
        if names[field] in written and getattr(op, field) is not None
    }


def format_to_file(values: dict[str, Any], key: str) -> dict[str, Any]:
    """Replace bfloat16 in a dictionary by float32 and a flag of our own.

    The original ignores the flag, and reads the value as float32.

    Args:
        values: the dictionary.
        key: the dtype's key.
    """
    return (
        values
        if values.get(key) != NUMBER
        else values | {key: type(values[key])(1), IS_BFLOAT16: True}
    )


def format_from_file(values: dict[str, Any], key: str) -> dict[str, Any]:
    """Undo `format_to_file`."""
    if key not in values or not flag(values, IS_BFLOAT16):
        return values
    return {name: value for name, value in values.items() if name != IS_BFLOAT16} | {key: NUMBER}


def attributes_shown(op: Op, operands: Sequence[TensorType]) -> dict[str, Any]:
    """Return an operation's attributes as programs see them.

    They are those of files in plain Python types, with shapes in Python's order.

    Args:
        op: the operation.
        operands: its operands' types.
    """
    if isinstance(op, Block) and op.details:
        return {name: _shown(value) for name, value in details_to_file(op.details).items()}
    if op.primitive is None or isinstance(op, Block):
        return op.attributes()
    return {name: _shown(value) for name, value in attributes_to_file(op, operands).items()}


def details_to_file(details: Mapping[str, Any]) -> dict[str, Any]:
    """Convert a block's attributes to those of a file.

    Axes that are counted from the first stay negative.
    """
    return {name: _detail_to_file(value) for name, value in details.items()}


def _detail_to_file(value: Any) -> Any:
    if isinstance(value, Axis):
        return axis_to_file(value, None)
    if isinstance(value, np.float32):
        return Single(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return Size(value)
    return [_detail_to_file(item) for item in value] if isinstance(value, tuple) else value


def details_from_file(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Convert a block's attributes from a file; see `cntk._graph.block.Block`."""
    return {name: _detail_from_file(value) for name, value in attributes.items() if name != CUSTOM}


def _detail_from_file(value: Any) -> Any:
    if isinstance(value, Axis):
        return axis_from_file(value)
    if isinstance(value, Single):
        return np.float32(value)
    if isinstance(value, list):
        return tuple(_detail_from_file(item) for item in value)
    return int(value) if isinstance(value, Size) else value


def _shown(value: Any) -> Any:
    if isinstance(value, Axis):
        order = "ordered" if value.is_ordered else "unordered"
        if value.is_static_axis:
            return order, "static", value.static_axis_index()
        return order, "dynamic", value.name
    if isinstance(value, NDShape):
        return tuple(reversed(value))
    if isinstance(value, list):
        shown = [_shown(item) for item in value]
        # Flags are one an axis.
        return shown[::-1] if all(isinstance(item, bool) for item in shown) else shown
    if isinstance(value, Size):
        return int(value)
    return float(value) if isinstance(value, Single) else value


def op_from_file(cls: type[Op], attributes: dict[str, Any], operands: Sequence[Variable]) -> Op:
    """Make an operation from a file's attributes.

    Args:
        cls: the operation's class.
        attributes: the attributes by their names on disk.
        operands: the operands.

    Raises:
        FileFormatError: for an attribute that the operation does not have, or of another kind.
    """
    attributes = format_from_file(attributes, DATA_TYPE)
    kinds = field_kinds(cls)
    by_name = {name: field for field, name in cls.disk_fields().items() if field in kinds}
    values = {}
    for name, value in attributes.items():
        field = by_name.get(name)
        if name == CUSTOM:
            continue
        if field is None:
            raise FileFormatError(
                f"{cls.op_name} has an attribute '{name}' that is not known; the file may be newer"
            )
        try:
            values[field] = _KINDS[kinds[field]].from_file(value)
        except (TypeError, ValueError) as error:
            reason = f"; {error}" if isinstance(error, FileFormatError) else ""
            raise FileFormatError(
                f"{cls.op_name}: the attribute '{name}' is {briefly(value)}, which does not fit "
                f"its kind{reason}"
            ) from None
    for known in fields(cls):  # type: ignore[arg-type]
        needed = known.default is MISSING and known.default_factory is MISSING
        if needed and known.name not in values and known.name not in cls.held_by_operands:
            raise FileFormatError(
                f"{cls.op_name}: the attribute '{cls.disk_fields()[known.name]}' is missing"
            )
    return cls.from_file(values, operands)


def field_kinds(cls: type[Op]) -> dict[str, str | DiskKind]:
    """Return the kind of each field in files: its annotation, or the class's ``disk_kinds``.

    Raises:
        TypeError: for a field of an unknown kind.
    """
    kinds: dict[str, str | DiskKind] = {}
    for field in fields(cls):  # type: ignore[arg-type]
        annotation = str(field.type).removesuffix(" | None")
        kind = cls.disk_kinds.get(field.name, annotation)
        if kind not in _KINDS:
            raise TypeError(
                f"{cls.__name__}.{field.name}: files have no kind for {annotation}; say one in "
                f"disk_kinds"
            )
        kinds[field.name] = kind
    return kinds


def axis_to_file(axis: Axis, rank: int | None) -> Axis:
    """Convert an axis to its number in files; for an unknown rank it may stay negative."""
    if axis == Axis.new_leading_axis():
        return Axis(END_OF_AXES if rank is None else rank)
    if not axis.is_static_axis:
        return axis
    index = axis.static_axis_index()
    if index < 0:
        position = -1 - index
        return Axis(position if position < END_OF_AXES or rank is None else rank)
    return Axis(-1 - index if rank is None else rank - 1 - index)


def axis_from_file(axis: Axis) -> Axis:
    """Convert an axis of a file to its number in Python."""
    if not isinstance(axis, Axis):
        raise TypeError(axis)
    return Axis(-1 - axis.static_axis_index()) if axis.is_static_axis else axis


def _integer(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(value)
    return int(value)


def _number(value: Any) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise TypeError(value)
    return float(value)


def _plain(type_: type) -> Any:
    def checked(value: Any) -> Any:
        if not isinstance(value, type_):
            raise TypeError(value)
        return value

    return checked


_flag, _text, _shape, _list = _plain(bool), _plain(str), _plain(NDShape), _plain(list)


class _Kind(NamedTuple):
    """Functions that write an attribute, given the operand's rank, and read it."""

    to_file: Callable[[Any, int | None], Any]
    from_file: Callable[[Any], Any]


_KINDS: dict[str | DiskKind, _Kind] = {
    "bool": _Kind(lambda value, rank: bool(value), _flag),
    "int": _Kind(lambda value, rank: Size(value), _integer),
    "float": _Kind(lambda value, rank: float(value), _number),
    "str": _Kind(lambda value, rank: str(value), _text),
    "Axis": _Kind(axis_to_file, axis_from_file),
    "Shape": _Kind(
        lambda value, rank: NDShape(reversed(value)),
        lambda value: tuple(reversed(checked_shape(_shape(value)))),
    ),
    "tuple[bool, ...]": _Kind(
        lambda value, rank: [bool(flag) for flag in reversed(value)],
        lambda value: tuple(_flag(flag) for flag in reversed(_list(value))),
    ),
    "tuple[int, ...]": _Kind(
        lambda value, rank: [Size(number) for number in value],
        lambda value: tuple(_integer(number) for number in _list(value)),
    ),
    "tuple[float, ...]": _Kind(
        lambda value, rank: [float(number) for number in value],
        lambda value: tuple(_number(number) for number in _list(value)),
    ),
    "tuple[Axis, ...]": _Kind(
        lambda value, rank: [axis_to_file(axis, rank) for axis in value],
        lambda value: tuple(axis_from_file(axis) for axis in _list(value)),
    ),
    DiskKind.Int: _Kind(
        lambda value, rank: (
            [int(number) for number in value] if isinstance(value, tuple) else int(value)
        ),
        lambda value: (
            tuple(_integer(number) for number in value)
            if isinstance(value, list)
            else _integer(value)
        ),
    ),
    DiskKind.Single: _Kind(lambda value, rank: Single(value), _number),
    DiskKind.GivenAxes: _Kind(
        lambda value, rank: [axis_to_file(axis, None) for axis in value],
        lambda value: tuple(axis_from_file(axis) for axis in _list(value)),
    ),
    DiskKind.DynamicAxes: _Kind(
        lambda value, rank: list(reversed(value)),
        lambda value: tuple(axis_from_file(axis) for axis in reversed(_list(value))),
    ),
}
