"""Schema of Caffe's messages: numbers, names and defaults of the fields that are needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["MESSAGES", "TYPES_OF_OLD_LAYERS", "Field", "Message"]


@dataclass(frozen=True)
class Field:
    """A field of a message.

    Attributes:
        number: its number in binary files.
        kind: 'int', 'float', 'bool', 'text', 'floats' or 'doubles' for arrays, 'enum', or the name
            of a message.
        repeated: whether there may be several.
        default: its value where it is not given.
        names: numbers by name, of an enum.
    """

    number: int
    kind: str
    repeated: bool = False
    default: Any = None
    names: dict[str, int] | None = None


def _int(number: int, default: int | None = None) -> Field:
    return Field(number, "int", default=default)


def _ints(number: int) -> Field:
    return Field(number, "int", repeated=True)


def _float(number: int, default: float) -> Field:
    return Field(number, "float", default=float(np.float32(default)))


def _flag(number: int, default: bool) -> Field:
    return Field(number, "bool", default=default)


def _enum(number: int, default: int, *names: str) -> Field:
    return Field(number, "enum", default=default, names={name: k for k, name in enumerate(names)})


def _texts(number: int) -> Field:
    return Field(number, "text", repeated=True)


# Types of layers in files from before 2014, by their numbers and by their names in text.
TYPES_OF_OLD_LAYERS = {
    1: ("ACCURACY", "Accuracy"),
    3: ("CONCAT", "Concat"),
    4: ("CONVOLUTION", "Convolution"),
    5: ("DATA", "Data"),
    6: ("DROPOUT", "Dropout"),
    14: ("INNER_PRODUCT", "InnerProduct"),
    15: ("LRN", "LRN"),
    17: ("POOLING", "Pooling"),
    18: ("RELU", "ReLU"),
    20: ("SOFTMAX", "Softmax"),
    21: ("SOFTMAX_LOSS", "SoftmaxWithLoss"),
    22: ("SPLIT", "Split"),
    25: ("ELTWISE", "Eltwise"),
}

_PARAMETERS = {
    "concat_param": (104, 9, "ConcatParameter"),
    "convolution_param": (106, 10, "ConvolutionParameter"),
    "dropout_param": (108, 12, "DropoutParameter"),
    "eltwise_param": (110, 24, "EltwiseParameter"),
    "inner_product_param": (117, 17, "InnerProductParameter"),
    "lrn_param": (118, 18, "LRNParameter"),
    "pooling_param": (121, 19, "PoolingParameter"),
    "relu_param": (123, 30, "ReLUParameter"),
    "softmax_param": (125, 39, "SoftmaxParameter"),
}
_PHASES = ("TRAIN", "TEST")

MESSAGES: dict[str, dict[str, Field]] = {
    "NetParameter": {
        "name": Field(1, "text", default=""),
        "input": _texts(3),
        "input_shape": Field(8, "BlobShape", repeated=True),
        "input_dim": _ints(4),
        "layer": Field(100, "LayerParameter", repeated=True),
        "layers": Field(2, "V1LayerParameter", repeated=True),
    },
    "LayerParameter": {
        "name": Field(1, "text", default=""),
        "type": Field(2, "text", default=""),
        "bottom": _texts(3),
        "top": _texts(4),
        "blobs": Field(7, "BlobProto", repeated=True),
        "include": Field(8, "NetStateRule", repeated=True),
        "exclude": Field(9, "NetStateRule", repeated=True),
        "batch_norm_param": Field(139, "BatchNormParameter"),
        "input_param": Field(143, "InputParameter"),
        "scale_param": Field(142, "ScaleParameter"),
        **{name: Field(number, kind) for name, (number, _, kind) in _PARAMETERS.items()},
    },
    "V1LayerParameter": {
        "bottom": _texts(2),
        "top": _texts(3),
        "name": Field(4, "text", default=""),
        "include": Field(32, "NetStateRule", repeated=True),
        "exclude": Field(33, "NetStateRule", repeated=True),
        "type": Field(
            5, "enum", default=0, names={name: k for k, (name, _) in TYPES_OF_OLD_LAYERS.items()}
        ),
        "blobs": Field(6, "BlobProto", repeated=True),
        **{name: Field(number, kind) for name, (_, number, kind) in _PARAMETERS.items()},
    },
    "NetStateRule": {"phase": _enum(1, -1, *_PHASES)},
    "BlobShape": {"dim": _ints(1)},
    "BlobProto": {
        "num": _int(1, 0),
        "channels": _int(2, 0),
        "height": _int(3, 0),
        "width": _int(4, 0),
        "data": Field(5, "floats"),
        "shape": Field(7, "BlobShape"),
        "double_data": Field(8, "doubles"),
    },
    "InputParameter": {"shape": Field(1, "BlobShape", repeated=True)},
    "ConvolutionParameter": {
        "num_output": _int(1, 0),
        "bias_term": _flag(2, True),
        "pad": _ints(3),
        "kernel_size": _ints(4),
        "group": _int(5, 1),
        "stride": _ints(6),
        "pad_h": _int(9),
        "pad_w": _int(10),
        "kernel_h": _int(11),
        "kernel_w": _int(12),
        "stride_h": _int(13),
        "stride_w": _int(14),
        "axis": _int(16, 1),
        "dilation": _ints(18),
    },
    "PoolingParameter": {
        "pool": _enum(1, 0, "MAX", "AVE", "STOCHASTIC"),
        "kernel_size": _ints(2),
        "stride": _ints(3),
        "pad": _ints(4),
        "kernel_h": _int(5),
        "kernel_w": _int(6),
        "stride_h": _int(7),
        "stride_w": _int(8),
        "pad_h": _int(9),
        "pad_w": _int(10),
        "global_pooling": _flag(12, False),
    },
    "InnerProductParameter": {
        "num_output": _int(1, 0),
        "bias_term": _flag(2, True),
        "axis": _int(5, 1),
        "transpose": _flag(6, False),
    },
    "BatchNormParameter": {"eps": _float(3, 1e-5)},
    "ScaleParameter": {"axis": _int(1, 1), "bias_term": _flag(4, False)},
    "LRNParameter": {
        "local_size": _int(1, 5),
        "alpha": _float(2, 1),
        "beta": _float(3, 0.75),
        "norm_region": _enum(4, 0, "ACROSS_CHANNELS", "WITHIN_CHANNEL"),
        "k": _float(5, 1),
    },
    "ConcatParameter": {"concat_dim": _int(1, 1), "axis": _int(2, 1)},
    "EltwiseParameter": {
        "operation": _enum(1, 1, "PROD", "SUM", "MAX"),
        "coeff": Field(2, "float", repeated=True),
    },
    "DropoutParameter": {"dropout_ratio": _float(1, 0.5)},
    "SoftmaxParameter": {"axis": _int(2, 1)},
    "ReLUParameter": {"negative_slope": _float(1, 0)},
}


class Message:
    """A parsed message: its fields are attributes; fields that the file lacks have their defaults.

    Args:
        kind: its name in `MESSAGES`.
        values: the fields that were given.
    """

    def __init__(self, kind: str, values: dict[str, Any] | None = None) -> None:
        self.kind = kind
        self.values = values or {}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name not in MESSAGES[self.kind]:
            raise AttributeError(f"{self.kind} has no field '{name}'")
        if name in self.values:
            return self.values[name]
        field = MESSAGES[self.kind][name]
        if field.repeated:
            return []
        return Message(field.kind) if field.kind in MESSAGES else field.default
