"""Nodes of version 1 for images: convolution, pooling, crops and batch normalization."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from cntk._graph.op import PrimitiveOp
from cntk._persist.protobuf.arrays import NDShape
from cntk._persist.protobuf.dictionary import Size
from cntk._persist.v1.kinds import (
    DOUBLE,
    FLAG,
    FLAGS,
    INT32,
    SHAPE,
    SIZE,
    Attributes,
    Field,
    Fields,
    Kind,
    NodeKind,
    Signature,
    Values,
)
from cntk._persist.v1.wire import Reader, Writer
from cntk.errors import FileFormatError

_CHANNELS_FIRST = 1
_NO_SHAPE = (0,)
# Pooling and convolution share their fields. "what" is the operation, "layout" that of images.
_WINDOWS: Fields = (
    Field("kernel", SHAPE),
    Field("maps", SHAPE),
    Field("strides", SHAPE),
    Field("sharing", FLAGS),
    Field("autoPadding", FLAGS),
    Field("lowerPad", SHAPE),
    Field("upperPad", SHAPE),
    Field("what", INT32),
    Field("layout", INT32),
    Field("maxTempMemSizeInSamples", SIZE),
    Field("transpose", FLAG),
    Field("outputShape", SHAPE, 20, _NO_SHAPE),
    Field("ceilOutDim", FLAG, 21, False),
    Field("includePad", FLAG, 23, False),
)
_CONVOLUTION: Fields = (*_WINDOWS, Field("two_dimensional", FLAG), Field("dilation", SHAPE, 18))


def _check_layout(values: Values) -> None:
    if values["layout"] != _CHANNELS_FIRST:
        raise FileFormatError(
            "it holds images with the channels last (the layout HWC), which is not supported"
        )


def _convolution(values: Values) -> Attributes:
    # Only convolutions of the oldest kind use the layout.
    if values["two_dimensional"]:
        _check_layout(values)
    return {
        "kernelShape": NDShape(values["kernel"]),
        "maxTempMemSizeInSamples": Size(values["maxTempMemSizeInSamples"]),
        "transpose": values["transpose"],
        "dilation": NDShape(values["dilation"] or [1] * len(values["kernel"])),
        **{name: list(values[name]) for name in ("sharing", "autoPadding")},
        **{
            name: NDShape(values[name])
            for name in ("strides", "lowerPad", "upperPad", "outputShape")
        },
    }


def filters_shape(shape: Sequence[int], kernel: Sequence[int]) -> tuple[int, ...]:
    """Return the shape of a convolution's filters, the last axis first.

    Filters in a matrix ``[filters x elements]`` get the shape of a tensor.

    Raises:
        FileFormatError: if the matrix does not have as many columns as the window has elements.
    """
    if len(shape) != 2 or len(kernel) < 2 or tuple(shape) == tuple(kernel):
        return tuple(shape)
    filters, elements = shape
    if elements != prod(kernel):
        raise FileFormatError(
            f"the filters are a matrix [{filters} x {elements}], and the window has {prod(kernel)} "
            f"elements; the file is damaged"
        )
    return (*kernel, filters)


def _convolution_values(attributes: Attributes, signature: Signature) -> Values:
    if attributes["groups"] != 1:
        raise FileFormatError(
            f"the format has no convolution in groups, and this one has {attributes['groups']}"
        )
    weights = signature.operands[0].shape[::-1]
    rank = len(attributes["kernelShape"])
    return attributes | {
        "kernel": attributes["kernelShape"],
        "maps": [*[1] * (rank - 1), *(weights[rank:] or (1,))],
        "what": 0,
        "layout": _CHANNELS_FIRST,
        "ceilOutDim": False,
        "includePad": False,
        "two_dimensional": False,
    }


def _pooling(values: Values) -> Attributes:
    _check_layout(values)
    return _windows("poolingWindowShape", values) | {
        name: values[name] for name in ("ceilOutDim", "includePad")
    }


def _unpooling(values: Values) -> Attributes:
    _check_layout(values)
    return _windows("unpoolingWindowShape", values)


def _windows(window: str, values: Values) -> Attributes:
    if values["what"] not in (1, 2):
        raise FileFormatError(
            f"pooling is of the unknown kind {values['what']}; the file is damaged"
        )
    return {
        window: NDShape(values["kernel"]),
        "poolingType": Size(values["what"] - 1),
        "autoPadding": list(values["autoPadding"]),
        **{name: NDShape(values[name]) for name in ("strides", "lowerPad", "upperPad")},
    }


def _pooling_values(attributes: Attributes, signature: Signature) -> Values:
    """Return the fields for all axes; attributes may have fewer values than there are axes."""
    rank = signature.operands[0].rank
    window = attributes.get("poolingWindowShape") or attributes["unpoolingWindowShape"]

    def spread(values: Sequence[Any], beyond: Any) -> list[Any]:
        own = list(values) + list(values[-1:]) * (len(window) - len(values))
        return [*own, *[beyond] * (rank - len(own))]

    return {
        "kernel": spread(window, 1),
        "maps": (1,),
        "strides": spread(attributes["strides"], 1),
        "sharing": [True] * rank,
        "autoPadding": spread(attributes["autoPadding"], False),
        "lowerPad": spread(attributes["lowerPad"], 0),
        "upperPad": spread(attributes["upperPad"], 0),
        "what": attributes["poolingType"] + 1,
        "layout": _CHANNELS_FIRST,
        "maxTempMemSizeInSamples": 0,
        "transpose": "unpoolingWindowShape" in attributes,
        "outputShape": _NO_SHAPE,
        "ceilOutDim": attributes.get("ceilOutDim", False),
        "includePad": attributes.get("includePad", False),
    }


# Windows of the oldest kind of pooling are over the first two axes of [width x height x channels].
_OLDEST_POOLING: Fields = (
    Field("width", INT32),
    Field("layout", INT32),
    Field("height", SIZE),
    Field("right", SIZE),
    Field("down", SIZE),
)


def _oldest_pooling(what: int) -> Callable[[Values], Attributes]:
    def attributes(values: Values) -> Attributes:
        _check_layout(values)
        return {
            "poolingWindowShape": NDShape((values["width"], values["height"], 1)),
            "strides": NDShape((values["right"], values["down"], 1)),
            "poolingType": Size(what),
            "autoPadding": [False],
            "lowerPad": NDShape((0,)),
            "upperPad": NDShape((0,)),
        }

    return attributes


def _region_pooling(values: Values) -> Attributes:
    return {
        "poolingType": Size(values["what"] - 1),
        "roiOutputShape": NDShape(values["shape"]),
        "spatialScale": values["scale"],
    }


def _region_pooling_values(attributes: Attributes, signature: Signature) -> Values:
    return {
        "what": attributes["poolingType"] + 1,
        "shape": attributes["roiOutputShape"],
        "scale": attributes["spatialScale"],
    }


def _read_count(reader: Reader) -> int:
    return int(reader.flag()) if reader.version == 19 else reader.size()


_NORMALIZATION: Fields = (
    Field("spatial", FLAG),
    Field("normalizationTimeConstant", DOUBLE),
    Field("blendTimeConstant", DOUBLE),
    Field("layout", INT32),
    Field("count", Kind(_read_count, Writer.size)),
    Field("epsilon", DOUBLE),
    Field("own", FLAG),
)


def _normalization(values: Values) -> Attributes:
    names = ("spatial", "normalizationTimeConstant", "blendTimeConstant", "epsilon")
    return {name: values[name] for name in names} | {"useCuDNNEngine": not values["own"]}


def _normalization_values(attributes: Attributes, signature: Signature) -> Values:
    # On a CPU the original always writes that it computes without cuDNN.
    return attributes | {"layout": _CHANNELS_FIRST, "count": 0, "own": True}


def _crop(values: Values) -> Attributes:
    offsets = [values["x"], values["y"]]
    if any(not -(2**31) < offset < 2**31 or offset % 1 for offset in offsets):
        raise FileFormatError("the offset of a crop is no integer; the file is damaged")
    return {"offset": [Size(int(offset)) for offset in offsets]}


def _crop_values(attributes: Attributes, signature: Signature) -> Values:
    if "offset" not in attributes:
        raise FileFormatError("the format has no crop with an automatic offset; use crop_manual")
    x, y = attributes["offset"]
    return {"x": x, "y": y}


_REGIONS: Fields = (
    Field("shape", SHAPE),
    Field("what", INT32, 26, 1),
    Field("scale", DOUBLE, 26, 1 / 16),
)

WINDOW_KINDS = (
    NodeKind(
        "Convolution", PrimitiveOp.Convolution, _CONVOLUTION, _convolution, _convolution_values
    ),
    NodeKind("Pooling", PrimitiveOp.Pooling, _WINDOWS, _pooling, _pooling_values),
    NodeKind("MaxPooling", PrimitiveOp.Pooling, _OLDEST_POOLING, _oldest_pooling(0)),
    NodeKind("AveragePooling", PrimitiveOp.Pooling, _OLDEST_POOLING, _oldest_pooling(1)),
    NodeKind("MaxUnpooling", PrimitiveOp.Unpooling, _WINDOWS, _unpooling, _pooling_values),
    NodeKind(
        "ROIPooling", PrimitiveOp.ROIPooling, _REGIONS, _region_pooling, _region_pooling_values
    ),
    NodeKind(
        "Crop", PrimitiveOp.Crop, (Field("x", DOUBLE), Field("y", DOUBLE)), _crop, _crop_values
    ),
    NodeKind(
        "BatchNormalization",
        PrimitiveOp.BatchNormalization,
        _NORMALIZATION,
        _normalization,
        _normalization_values,
    ),
)
