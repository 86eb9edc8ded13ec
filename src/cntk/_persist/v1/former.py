"""Nodes of version 1 that version 2 does not have: graphs of other operations, or a stand-in.

The original does not load files with such nodes. Here they are expanded to graphs; a stand-in for a
node without one raises an error only when it is evaluated.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from cntk._graph.op import PrimitiveOp
from cntk._persist.protobuf.arrays import NDShape
from cntk._persist.protobuf.dictionary import END_OF_AXES, Size
from cntk._persist.v1.kinds import FLAG, INT32, SHAPE, SIZE, STRING, Field, Fields, Kind, Values
from cntk._persist.v1.wire import Reader, Writer
from cntk.axis import Axis
from cntk.errors import FileFormatError


class Graph(Protocol):
    """Graph that a node is expanded into."""

    def apply(self, op: PrimitiveOp, *operands: str, **attributes: Any) -> str:
        """Add an operation to values, given by uid; return the uid of its result."""


# The type of a stand-in for a node that cannot be computed.
FORMER_NODE = "FormerNode"
Shapes = Sequence[tuple[int, ...] | None]


class FormerKind(NamedTuple):
    """Kind of nodes that version 2 does not have.

    Attributes:
        name: its name in files.
        operands: number of its operands.
        build: adds its graph without the last operation, and returns that operation's number,
            operands and attributes. Its arguments are the graph, the node's fields, its operands,
            and the shapes of those that are leaves. None if it cannot be computed.
        fields: its fields.
    """

    name: str
    operands: int
    build: (
        Callable[
            [Graph, Values, Sequence[str], Shapes], tuple[PrimitiveOp, list[str], dict[str, Any]]
        ]
        | None
    ) = None
    fields: Fields = ()


Last = tuple[PrimitiveOp, list[str], dict[str, Any]]
_ALL = {"axis": Axis.all_axes(), "reductionOpName": "Sum", "reductionKeepDimensions": False}


def _reshaped(*shape: int) -> dict[str, Any]:
    return {"newShape": NDShape(shape), "beginAxis": Axis(0), "endAxis": Axis(END_OF_AXES)}


def _handed_on(graph: Graph, values: Values, operands: Sequence[str], shapes: Shapes) -> Last:
    return PrimitiveOp.NoOp, [operands[0]], {}


def _spread_out(graph: Graph, values: Values, operands: Sequence[str], shapes: Shapes) -> Last:
    value, mean, inverse = operands
    deviation = graph.apply(PrimitiveOp.Reciprocal, inverse)
    return PrimitiveOp.Plus, [graph.apply(PrimitiveOp.ElementTimes, value, deviation), mean], {}


def _repeated(graph: Graph, values: Values, operands: Sequence[str], shapes: Shapes) -> Last:
    count = values["count"]
    if not 1 <= count <= 10_000:
        raise FileFormatError(f"it repeats rows {count} times; the file is damaged")
    return PrimitiveOp.Splice, [operands[0]] * count, {"axis": Axis(0)}


def _absolute_sum(graph: Graph, values: Values, operands: Sequence[str], shapes: Shapes) -> Last:
    return PrimitiveOp.ReduceElements, [graph.apply(PrimitiveOp.Abs, operands[0])], _ALL


def _norm(graph: Graph, values: Values, operands: Sequence[str], shapes: Shapes) -> Last:
    squares = graph.apply(PrimitiveOp.ElementTimes, operands[0], operands[0])
    return PrimitiveOp.Sqrt, [graph.apply(PrimitiveOp.ReduceElements, squares, **_ALL)], {}


def _cross_entropy(graph: Graph, values: Values, operands: Sequence[str], shapes: Shapes) -> Last:
    labels, probabilities = operands
    product = graph.apply(
        PrimitiveOp.ElementTimes, labels, graph.apply(PrimitiveOp.Log, probabilities)
    )
    return PrimitiveOp.Negate, [graph.apply(PrimitiveOp.ReduceElements, product, **_ALL)], {}


def _diagonal(graph: Graph, values: Values, operands: Sequence[str], shapes: Shapes) -> Last:
    unit = graph.apply(PrimitiveOp.EyeLikeOp, operands[0], OutputSparse=False)
    masked = graph.apply(PrimitiveOp.ElementTimes, operands[0], unit)
    along = {"axis": Axis(0), "reductionOpName": "Sum", "reductionKeepDimensions": True}
    return PrimitiveOp.ReduceElements, [masked], along


def _crossed(graph: Graph, values: Values, operands: Sequence[str], shapes: Shapes) -> Last:
    row = graph.apply(PrimitiveOp.Reshape, operands[1], **_reshaped(1, -1))
    return (
        PrimitiveOp.Reshape,
        [graph.apply(PrimitiveOp.ElementTimes, operands[0], row)],
        _reshaped(-1),
    )


def _looked_up(graph: Graph, values: Values, operands: Sequence[str], shapes: Shapes) -> Last:
    table = shapes[0]
    if table is None or len(table) != 2:
        raise FileFormatError("its table is no matrix; the file is damaged")
    words = graph.apply(PrimitiveOp.Reshape, operands[1], **_reshaped(table[1], -1))
    product = graph.apply(
        PrimitiveOp.Times, operands[0], words, outputRank=Size(1), inferInputRankToMap=-1
    )
    return PrimitiveOp.Reshape, [product], _reshaped(-1)


def _of_shape(graph: Graph, values: Values, operands: Sequence[str], shapes: Shapes) -> Last:
    # Without an image layout the result is a vector.
    layout = values["layout"]
    return (
        PrimitiveOp.Reshape,
        [operands[0]],
        _reshaped(*(layout if all(layout) else (values["rows"],))),
    )


def _never(writer: Writer, value: Any) -> None:
    raise FileFormatError("nodes of this kind are not written")


_NARROW = Kind(Reader.narrow, _never)
_TRACE: Fields = (
    Field("message", STRING),
    Field("frequency", SIZE),
    Field("first", SIZE),
    Field("gradient", FLAG),
    Field("category", FLAG),
    Field("labels", STRING),
    Field("sparse", FLAG),
    Field("transpose", FLAG),
    *(Field(f"mark{k}", _NARROW) for k in range(8)),
    Field("rows", SIZE),
    Field("steps", SIZE),
)

_KINDS = (
    FormerKind("CrossEntropy", 2, _cross_entropy),
    FormerKind("Diagonal", 1, _diagonal),
    FormerKind("KhatriRaoProduct", 2, _crossed),
    FormerKind("LegacyReshape", 1, _of_shape, (Field("rows", SIZE), Field("layout", SHAPE))),
    FormerKind("LookupTable", 2, _looked_up),
    FormerKind("MatrixL1Reg", 1, _absolute_sum),
    FormerKind("MatrixL2Reg", 1, _norm),
    FormerKind("PerDimMeanVarDeNormalization", 3, _spread_out),
    FormerKind("RowRepeat", 1, _repeated, (Field("count", SIZE),)),
    FormerKind("Trace", 1, _handed_on, _TRACE),
    FormerKind("ClassBasedCrossEntropyWithSoftmax", 4),
    FormerKind("DummyCriterion", 3),
    FormerKind("EnvironmentInput", 0, None, (Field("property", STRING),)),
    FormerKind("EpochAccumulator", 1),
    FormerKind("NCEBasedCrossEntropyWithSoftmax", 4),
    FormerKind(
        "QuantizedTimes",
        2,
        None,
        (Field("rank", SIZE), Field("map", INT32), Field("shiftA", SIZE), Field("shiftB", SIZE)),
    ),
    FormerKind("SequenceWithSoftmax", 3),
)
FORMER = {kind.name: kind for kind in _KINDS}
