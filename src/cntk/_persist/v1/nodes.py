"""Table of the kinds of nodes in model files of version 1.

For each kind it has its name in files, the operation of version 2, its fields in order, and the
conversions between these and the operation's attributes in version 2. The format is frozen.
"""

from __future__ import annotations

from cntk._graph.op import PrimitiveOp
from cntk._persist.protobuf.dictionary import Size
from cntk._persist.v1.kinds import FLAG, SIZE, Attributes, Field, Fields, NodeKind, Values
from cntk._persist.v1.sequences import SEQUENCE_KINDS
from cntk._persist.v1.shapes import SHAPE_KINDS
from cntk._persist.v1.windows import WINDOW_KINDS


def _dropout(values: Values) -> Attributes:
    # Files do not have the rate, which the trainer set. As in the original it is 0.
    return {
        "dropoutRate": 0.0,
        "rngSeed": Size(values["rngSeed"]),
        "rngOffset": Size(values["rngOffset"]),
    }


_RANDOM: Fields = (Field("rngSeed", SIZE, 16, 0), Field("rngOffset", SIZE, 16, 0))
_SAMPLE: Fields = (Field("allowDuplicates", FLAG), Field("numSamples", SIZE), *_RANDOM)


def _sample(values: Values) -> Attributes:
    sizes = {name: Size(values[name]) for name in ("numSamples", "rngSeed", "rngOffset")}
    return sizes | {"allowDuplicates": values["allowDuplicates"]}


def _eye(values: Values) -> Attributes:
    return {"OutputSparse": values["OutputSparse"]}


# Nodes without fields.
_PLAIN = {
    "Abs": PrimitiveOp.Abs,
    "Acos": PrimitiveOp.Acos,
    "Asin": PrimitiveOp.Asin,
    "Asinh": PrimitiveOp.Asinh,
    "Assign": PrimitiveOp.Assign,
    "Atan": PrimitiveOp.Atan,
    "Atanh": PrimitiveOp.Atanh,
    "CosDistance": PrimitiveOp.CosDistance,
    "CosDistanceWithNegativeSamples": PrimitiveOp.CosDistanceWithNegativeSamples,
    "Cosh": PrimitiveOp.Cosh,
    "Cosine": PrimitiveOp.Cos,
    "ElementTimes": PrimitiveOp.ElementTimes,
    "Equal": PrimitiveOp.Equal,
    "Exp": PrimitiveOp.Exp,
    "ExponentialLinearUnit": PrimitiveOp.ELU,
    "Floor": PrimitiveOp.Floor,
    "Gather": PrimitiveOp.Gather,
    "Greater": PrimitiveOp.Greater,
    "GreaterEqual": PrimitiveOp.GreaterEqual,
    "Hardmax": PrimitiveOp.Hardmax,
    "If": PrimitiveOp.Select,
    "LabelsToGraph": PrimitiveOp.LabelsToGraph,
    "Less": PrimitiveOp.Less,
    "LessEqual": PrimitiveOp.LessEqual,
    "Log": PrimitiveOp.Log,
    "LogPlus": PrimitiveOp.LogPlus,
    "LogSoftmax": PrimitiveOp.LogSoftmax,
    "Minus": PrimitiveOp.Minus,
    "Negate": PrimitiveOp.Negate,
    "NotEqual": PrimitiveOp.NotEqual,
    "PackedIndex": PrimitiveOp.PackedIndex,
    "Pass": PrimitiveOp.NoOp,
    "Plus": PrimitiveOp.Plus,
    "Pow": PrimitiveOp.Pow,
    "Reciprocal": PrimitiveOp.Reciprocal,
    "ReconcileDynamicAxis": PrimitiveOp.ReconcileDynamicAxis,
    "RectifiedLinear": PrimitiveOp.ReLU,
    "Sigmoid": PrimitiveOp.Sigmoid,
    "Sin": PrimitiveOp.Sin,
    "Sinh": PrimitiveOp.Sinh,
    "Softmax": PrimitiveOp.Softmax,
    "Sqrt": PrimitiveOp.Sqrt,
    "SquareError": PrimitiveOp.SquaredError,
    "StableSigmoid": PrimitiveOp.StableSigmoid,
    "StopGradient": PrimitiveOp.StopGradient,
    "StraightThrough": PrimitiveOp.StraightThrough,
    "Tan": PrimitiveOp.Tan,
    "Tanh": PrimitiveOp.Tanh,
    "ToBatchAxisNode": PrimitiveOp.ToBatch,
    "ToSequenceLike": PrimitiveOp.ToSequenceLike,
    "UnpackBatchAxis": PrimitiveOp.UnpackBatch,
}
_EXCHANGED = (1, 0)
_KINDS = (
    *(NodeKind(name, op) for name, op in _PLAIN.items()),
    NodeKind("ClassificationError", PrimitiveOp.ClassificationError, order=_EXCHANGED),
    NodeKind("Clip", PrimitiveOp.Clip, order=(1, 2, 0)),
    NodeKind("CrossEntropyWithSoftmax", PrimitiveOp.CrossEntropyWithSoftmax, order=_EXCHANGED),
    NodeKind("GatherPacked", PrimitiveOp.GatherPacked, order=_EXCHANGED),
    NodeKind("LambdaRank", PrimitiveOp.LambdaRank, order=_EXCHANGED),
    NodeKind("Logistic", PrimitiveOp.Logistic, order=_EXCHANGED),
    NodeKind("NDCG1Eval", PrimitiveOp.NDCG, order=_EXCHANGED),
    NodeKind("ScatterPacked", PrimitiveOp.ScatterPacked, order=(2, 1, 0)),
    NodeKind("Dropout", PrimitiveOp.Dropout, _RANDOM, _dropout),
    NodeKind("RandomSample", PrimitiveOp.RandomSample, _SAMPLE, _sample),
    NodeKind(
        "RandomSampleInclusionFrequency",
        PrimitiveOp.RandomSampleInclusionFrequency,
        _SAMPLE,
        _sample,
    ),
    NodeKind("EyeLikeOp", PrimitiveOp.EyeLikeOp, (Field("OutputSparse", FLAG),), _eye),
    *SHAPE_KINDS,
    *WINDOW_KINDS,
    *SEQUENCE_KINDS,
)
# Other names of some kinds, in files of other programs.
_ALSO = {
    "ColumnElementTimes": "ElementTimes",
    "Delay": "PastValue",
    "DiagTimes": "ElementTimes",
    "ErrorPrediction": "ClassificationError",
    "RNN": "OptimizedRNNStack",
    "RowElementTimes": "ElementTimes",
    "RowSlice": "Slice",
    "Scale": "ElementTimes",
    "Transpose": "TransposeDimensions",
}
# Where several kinds have one operation or one name, the first of them is used.
BY_OPERATION = {kind.op: kind for kind in reversed(_KINDS)}
BY_NAME = {kind.name: kind for kind in reversed(_KINDS)}
BY_NAME |= {other: BY_NAME[name] for other, name in _ALSO.items()}
