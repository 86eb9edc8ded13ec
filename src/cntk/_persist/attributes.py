"""Operations' attributes in files: from the fields of an operation's class to named values and back.

Python counts axes from the first, files from the last: axis -1 - k here is axis k there, and the other way round.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from cntk._graph.op import DiskKind, Op
from cntk._graph.types import TensorType
from cntk._graph.variable import Variable
from cntk._persist.arrays import NDShape
from cntk._persist.dictionary import END_OF_AXES, Single, Size
from cntk._persist.wire import FileFormatError
from cntk.axis import Axis

CUSTOM = "customAttributes"


def attributes_to_file(op: Op, operands: Sequence[TensorType]) -> dict[str, Any]:
    """An operation's attributes as files hold them.

    Args:
        op: the operation.
        operands: its operands' types; static axes are numbered by the first one's rank.
    """
    op = op.settled(*operands)
    rank = operands[0].rank if operands and operands[0].has_shape else None
    written, names = op.attributes(), op.disk_fields()
    kinds = field_kinds(type(op))
    return {
        names[field]: _to_file(getattr(op, field), kind, rank)
        for field, kind in kinds.items()
        if names[field] in written and getattr(op, field) is not None
    }


def op_from_file(cls: type[Op], attributes: dict[str, Any], operands: Sequence[Variable]) -> Op:
    """An operation from a file's attributes.

    Args:
        cls: the operation's class.
        attributes: the attributes by their names on disk.
        operands: the operands.

    Raises:
        FileFormatError: for an attribute that the operation does not have, or of another kind.
    """
    kinds = field_kinds(cls)
    by_name = {name: field for field, name in cls.disk_fields().items() if field in kinds}
    values = {}
    for name, value in attributes.items():
        field = by_name.get(name)
        if name == CUSTOM:
            continue
        if field is None:
            raise FileFormatError(f"{cls.op_name} has an attribute '{name}' that is not known; the file may be newer")
        try:
            values[field] = _from_file(value, kinds[field])
        except (TypeError, ValueError):
            raise FileFormatError(f"{cls.op_name}: the attribute '{name}' is {value!r}, which does not fit its kind") from None
    return cls.from_file(values, operands)


def field_kinds(cls: type[Op]) -> dict[str, str | DiskKind]:
    """How files hold each field of an operation: its annotation, or what the class says beside.

    Raises:
        TypeError: for a field whose annotation does not tell.
    """
    kinds: dict[str, str | DiskKind] = {}
    for field in fields(cls):  # type: ignore[arg-type]
        annotation = str(field.type).removesuffix(" | None")
        kind = cls.disk_kinds.get(field.name, annotation)
        if kind not in _TO_FILE:
            raise TypeError(f"{cls.__name__}.{field.name}: files have no kind for {annotation}; say one in disk_kinds")
        kinds[field.name] = kind
    return kinds


def axis_to_file(axis: Axis, rank: int | None) -> Axis:
    """An axis by its number in files; where the rank is unknown, those counted from the first stay negative."""
    if axis == Axis.new_leading_axis():
        return Axis(END_OF_AXES if rank is None else rank)
    if not axis.is_static_axis:
        return axis
    index = axis.static_axis_index()
    if index < 0:
        place = -1 - index
        return Axis(place if place < END_OF_AXES or rank is None else rank)
    return Axis(-1 - index if rank is None else rank - 1 - index)


def axis_from_file(axis: Axis) -> Axis:
    """An axis by its number in Python."""
    if not isinstance(axis, Axis):
        raise TypeError(axis)
    return Axis(-1 - axis.static_axis_index()) if axis.is_static_axis else axis


def _to_file(value: Any, kind: str | DiskKind, rank: int | None) -> Any:
    return _TO_FILE[kind](value, rank)


_TO_FILE: dict[str | DiskKind, Any] = {
    "bool": lambda value, rank: bool(value),
    "int": lambda value, rank: Size(value),
    "float": lambda value, rank: float(value),
    "str": lambda value, rank: str(value),
    "Axis": axis_to_file,
    "Shape": lambda value, rank: NDShape(reversed(value)),
    "tuple[bool, ...]": lambda value, rank: [bool(flag) for flag in reversed(value)],
    "tuple[int, ...]": lambda value, rank: [Size(number) for number in value],
    "tuple[float, ...]": lambda value, rank: [float(number) for number in value],
    "tuple[Axis, ...]": lambda value, rank: [axis_to_file(axis, rank) for axis in value],
    DiskKind.Int: lambda value, rank: [int(n) for n in value] if isinstance(value, tuple) else int(value),
    DiskKind.Single: lambda value, rank: Single(value),
    DiskKind.DynamicAxes: lambda value, rank: list(reversed(value)),
}


def _from_file(value: Any, kind: str | DiskKind) -> Any:
    return _FROM_FILE[kind](value)


def _whole(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_whole(item) for item in value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(value)
    return int(value)


def _number(value: Any) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise TypeError(value)
    return float(value)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(value)
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _one(value: Any) -> int:
    if isinstance(value, list):
        raise TypeError(value)
    return _whole(value)  # type: ignore[no-any-return]


def _shape(value: Any) -> tuple[int, ...]:
    if not isinstance(value, NDShape):
        raise TypeError(value)
    return tuple(reversed(value))


def _items(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(value)
    return value


_FROM_FILE: dict[str | DiskKind, Any] = {
    "bool": _flag,
    "int": _one,
    "float": _number,
    "str": _text,
    "Axis": axis_from_file,
    "Shape": _shape,
    "tuple[bool, ...]": lambda value: tuple(_flag(item) for item in reversed(_items(value))),
    "tuple[int, ...]": lambda value: tuple(_one(item) for item in _items(value)),
    "tuple[float, ...]": lambda value: tuple(_number(item) for item in _items(value)),
    "tuple[Axis, ...]": lambda value: tuple(axis_from_file(item) for item in _items(value)),
    DiskKind.Int: _whole,
    DiskKind.Single: _number,
    DiskKind.DynamicAxes: lambda value: tuple(axis_from_file(item) for item in reversed(_items(value))),
}
