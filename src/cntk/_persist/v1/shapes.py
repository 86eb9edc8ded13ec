"""Nodes of version 1 that multiply, reduce or rearrange: conversion of fields and attributes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from cntk._graph.op import PrimitiveOp
from cntk._persist.protobuf.arrays import NDShape
from cntk._persist.protobuf.dictionary import Size
from cntk._persist.v1.kinds import (
    FLAG,
    INT32,
    SHAPE,
    SIZE,
    STRING,
    Attributes,
    Field,
    Fields,
    Kind,
    NodeKind,
    Signature,
    Values,
    axis_number,
    axis_of,
    complete,
    position_of,
)
from cntk._persist.v1.wire import Reader, Writer
from cntk.axis import Axis
from cntk.errors import FileFormatError


def _times(values: Values) -> Attributes:
    return {
        "outputRank": Size(values["outputRank"]),
        "inferInputRankToMap": values["inferInputRankToMap"],
    }


def _transpose_times(values: Values) -> Attributes:
    return {"outputRank": Size(values["outputRank"])}


def _times_values(attributes: Attributes, signature: Signature) -> Values:
    return {"inferInputRankToMap": -1} | attributes


_TIMES: Fields = (Field("outputRank", SIZE), Field("inferInputRankToMap", INT32, 12, -1))


def _read_axes(reader: Reader) -> tuple[int, ...]:
    return reader.int32s() if reader.version >= 27 else (reader.int32(),)


def _reduction(values: Values) -> Attributes:
    axes = [axis_of(number) for number in values["axes"]]
    # The original ignores the flag for a reduction of all static axes, and keeps them.
    keeps = values["keeps"] or Axis.all_static_axes() in axes
    return {"axisVec": axes, "reductionOpName": values["op"], "reductionKeepDimensions": keeps}


def _reduction_values(attributes: Attributes, signature: Signature) -> Values:
    rank = signature.operands[0].rank
    axes = attributes["axisVec"] if "axisVec" in attributes else [attributes["axis"]]
    numbers = [axis_number(axis, rank) for axis in axes]
    keeps = attributes.get("reductionKeepDimensions", True)
    return {"axes": numbers, "op": attributes["reductionOpName"], "keeps": keeps}


def _sum_of_columns(values: Values) -> Attributes:
    return {"axis": Axis(0), "reductionOpName": "Sum", "reductionKeepDimensions": True}


def _sum_of_all(values: Values) -> Attributes:
    return {"axis": Axis.all_axes(), "reductionOpName": "Sum", "reductionKeepDimensions": False}


class Part(NamedTuple):
    """Slice along one axis: first index, length before striding, axis, and stride."""

    begin: int
    length: int
    axis: int
    stride: int


def _read_parts(reader: Reader) -> list[Part]:
    count = reader.int32() if reader.version >= 22 else 1
    if not 0 <= count <= 64:
        raise FileFormatError(f"a slice is along {count} axes; the file is damaged")
    strides = reader.version >= 27
    return [
        Part(reader.long(), reader.long(), reader.int32(), reader.int32() if strides else 1)
        for _ in range(count)
    ]


def _write_parts(writer: Writer, parts: Sequence[Part]) -> None:
    writer.int32(len(parts))
    for part in parts:
        writer.long(part.begin)
        writer.long(part.length)
        writer.int32(part.axis)
        writer.int32(part.stride)


def _slice(values: Values) -> Attributes:
    parts = values["parts"]
    attributes = {
        "axisVec": [axis_of(p.axis) for p in parts],
        "beginIndexVec": [p.begin for p in parts],
        "endIndexVec": [p.begin + p.length for p in parts],
        "sliceStridesVec": [p.stride for p in parts],
    }
    if len(parts) == 1:
        return {name.removesuffix("Vec"): value[0] for name, value in attributes.items()}
    return attributes


def _slice_values(attributes: Attributes, signature: Signature) -> Values:
    names = ("beginIndex", "endIndex", "axis", "sliceStrides")
    if "axis" in attributes:
        columns = [[attributes[name]] for name in names]
    else:
        columns = [attributes[f"{name}Vec"] for name in names]
    rank = signature.operands[0].rank
    return {
        "parts": [
            Part(begin, end - begin, axis_number(axis, rank), stride)
            for begin, end, axis, stride in zip(*columns, strict=True)
        ]
    }


def _reshape(values: Values) -> Attributes:
    return {
        "newShape": NDShape(d or -1 for d in values["shape"]),
        "beginAxis": position_of(values["begin"] or 1),
        "endAxis": position_of(values["end"]),
    }


def _reshape_values(attributes: Attributes, signature: Signature) -> Values:
    rank = signature.operands[0].rank
    begin, end = (attributes[name].static_axis_index() for name in ("beginAxis", "endAxis"))
    shape = attributes["newShape"]
    if any(d < -1 for d in shape):
        raise FileFormatError("the format has no free dimensions")
    # A dimension that is to be inferred is 0.
    return {
        "begin": min(begin, rank) + 1,
        "end": min(end, rank) + 1,
        "shape": [max(d, 0) for d in shape],
    }


def _squeeze_values(attributes: Attributes, signature: Signature) -> Values:
    return {"begin": 1, "end": signature.operands[0].rank + 1, "shape": complete(signature.result)}


class Order(NamedTuple):
    """Permutation of axes: two axes to swap, counted from 1; if both are 0, all axes, from 0."""

    axis1: int
    axis2: int
    all: tuple[int, ...] = ()


def _read_order(reader: Reader) -> Order:
    axis1, axis2 = reader.int32(), reader.int32()
    return Order(axis1, axis2, () if axis1 or axis2 or reader.version < 25 else reader.sizes())


def _write_order(writer: Writer, order: Order) -> None:
    writer.int32(order.axis1)
    writer.int32(order.axis2)
    if order.all:
        writer.sizes(order.all)


def _transpose(values: Values) -> Attributes:
    order = values["order"]
    if order.axis1 or order.axis2:
        return {"axis1": axis_of(order.axis1), "axis2": axis_of(order.axis2)}
    return {"axisVec": [axis_of(min(number, 64) + 1) for number in order.all]}


def _transpose_values(attributes: Attributes, signature: Signature) -> Values:
    rank = signature.operands[0].rank
    if "axisVec" in attributes:
        return {
            "order": Order(
                0, 0, tuple(axis_number(axis, rank) - 1 for axis in attributes["axisVec"])
            )
        }
    axis1, axis2 = (axis_number(attributes[name], rank) for name in ("axis1", "axis2"))
    return {"order": Order(axis1, axis2)}


def _splice(values: Values) -> Attributes:
    return {"axis": axis_of(values["axis"])}


def _splice_values(attributes: Attributes, signature: Signature) -> Values:
    rank = max(t.rank for t in signature.operands)
    return {"axis": axis_number(attributes["axis"], rank)}


_RESHAPE: Fields = (Field("begin", INT32), Field("end", INT32), Field("shape", SHAPE))
_AXES = Kind(_read_axes, Writer.int32s)
_REDUCTION: Fields = (Field("axes", _AXES), Field("op", STRING), Field("keeps", FLAG, 24, True))
_PARTS = Kind(_read_parts, _write_parts)
_ORDER = Kind(_read_order, _write_order)

SHAPE_KINDS = (
    NodeKind("Times", PrimitiveOp.Times, _TIMES, _times, _times_values),
    NodeKind("TransposeTimes", PrimitiveOp.TransposeTimes, _TIMES, _transpose_times, _times_values),
    NodeKind(
        "ReduceElements", PrimitiveOp.ReduceElements, _REDUCTION, _reduction, _reduction_values
    ),
    NodeKind("SumColumnElements", PrimitiveOp.ReduceElements, (), _sum_of_columns),
    NodeKind("SumElements", PrimitiveOp.ReduceElements, (), _sum_of_all),
    NodeKind("Slice", PrimitiveOp.Slice, (Field("parts", _PARTS),), _slice, _slice_values),
    NodeKind("Reshape", PrimitiveOp.Reshape, _RESHAPE, _reshape, _reshape_values),
    NodeKind("Reshape", PrimitiveOp.Squeeze, _RESHAPE, _reshape, _squeeze_values),
    NodeKind(
        "TransposeDimensions",
        PrimitiveOp.TransposeAxes,
        (Field("order", _ORDER),),
        _transpose,
        _transpose_values,
    ),
    NodeKind("RowStack", PrimitiveOp.Splice, (Field("axis", INT32),), _splice, _splice_values),
)
