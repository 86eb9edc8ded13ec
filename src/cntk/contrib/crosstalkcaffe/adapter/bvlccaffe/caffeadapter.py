"""Reader of Caffe's networks as lists of layers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from cntk._writing.whole_files import opened
from cntk.contrib.crosstalkcaffe.adapter.baseadapter import Adapter
from cntk.contrib.crosstalkcaffe.adapter.bvlccaffe.caffeimpl import CAFFE_LAYER_WRAPPER
from cntk.contrib.crosstalkcaffe.adapter.bvlccaffe.caffemodel import read_message
from cntk.contrib.crosstalkcaffe.adapter.bvlccaffe.layer_options import SetupCaffeParameters
from cntk.contrib.crosstalkcaffe.adapter.bvlccaffe.prototxt import read_text
from cntk.contrib.crosstalkcaffe.adapter.bvlccaffe.schema import TYPES_OF_OLD_LAYERS, Message
from cntk.contrib.crosstalkcaffe.unimodel.cntkmodel import (
    CntkLayersDefinition,
    CntkLayerType,
    CntkModelDescription,
    CntkTensorDefinition,
)
from cntk.contrib.crosstalkcaffe.utils.globalconf import GlobalConf
from cntk.errors import ConversionError, DataError, FileFormatError
from cntk.io._text.encoding import text_of

__all__ = ["CaffeAdapter"]

_TEST = 1
_SOURCES = ("Input", "Data", "ImageData", "HDF5Data", "MemoryData", "DummyData", "WindowData")


class CaffeAdapter(Adapter):
    """Reader of a network's text and its parameters."""

    def load_model(self, global_conf: GlobalConf) -> CntkModelDescription:
        """Return the network that a configuration names, with its parameters.

        Args:
            global_conf: the configuration.

        Raises:
            FileNotFoundError: if there is no such file.
            DataError: (a ValueError and RuntimeError) if a file is damaged or of another kind.
            ConversionError: (a ValueError and AssertionError) for a layer that has no counterpart.
        """
        source = global_conf.source_solver
        if not source.model_path or not source.weights_path:
            raise DataError(
                "the configuration must name a ModelPath and a WeightsPath in SourceSolver"
            )
        network = _read(source.model_path, lambda path: read_text("NetParameter", text_of(path)))
        weights = _read(
            source.weights_path,
            lambda path: read_message("NetParameter", memoryview(_content(path))),
        )
        phase = _TEST if source.phase is None else source.phase
        model = CntkModelDescription(model_name=os.path.splitext(source.model_path)[0])
        reading = _Reading(model, global_conf.model_solver.cntk_tensor or {})
        for name, shape in _declared_inputs(network):
            reading.add_input(name, shape)
        for layer in network.layer or network.layers:
            if _counts(layer, phase):
                reading.add(layer)
        reading.add_parameters(weights.layer or weights.layers)
        return model


def _read(path: str, decode: Any) -> Message:
    try:
        return decode(path)  # type: ignore[no-any-return]
    except FileFormatError as error:
        raise DataError(f"'{path}' is no network of Caffe: {error}") from None


def _content(path: str) -> bytes:
    with opened(path) as file:
        return file.read()


def _declared_inputs(network: Message) -> Iterator[tuple[str, list[int]]]:
    """Yield the inputs that a network declares beside its layers, in either of two ways, with their
    shapes.
    """
    dims = network.input_dim
    for k, name in enumerate(network.input):
        yield (
            name,
            (
                network.input_shape[k].dim
                if k < len(network.input_shape)
                else dims[4 * k : 4 * k + 4]
            ),
        )


def _counts(layer: Message, phase: int) -> bool:
    """Return whether a layer is part of the network in a phase, test or training."""
    rules = [rule.phase for rule in layer.include]
    return (not rules or phase in rules or -1 in rules) and phase not in [
        rule.phase for rule in layer.exclude
    ]


def _type(layer: Message) -> str:
    """Return a layer's type; in old files it is a number."""
    return (
        str(layer.type)
        if layer.kind == "LayerParameter"
        else TYPES_OF_OLD_LAYERS.get(layer.type, ("", "NONE"))[1]
    )


class _Reading:
    """State of reading a network.

    Args:
        model: where layers go.
        shapes: shapes of inputs that the program gave.
    """

    def __init__(self, model: CntkModelDescription, shapes: dict[str, list[int]]) -> None:
        self.model, self.shapes = model, shapes
        # What computes each blob, and which normalization a layer of scales goes with.
        self.blobs: dict[str, CntkLayersDefinition] = {}
        self.scales: dict[str, tuple[CntkLayersDefinition, Message]] = {}

    def add_input(self, name: str, shape: list[int]) -> None:
        """Take over an input; its shape begins with the size of minibatches."""
        own = list(self.shapes.get(name, shape[1:]))
        if (not own and not shape) or any(not isinstance(d, int) or d < 1 for d in own):
            raise ConversionError(
                f"input '{name}': its shape is not known; say it under CntkTensor in ModelSolver"
            )
        definition = CntkLayersDefinition(op_name=name, tensor=own, outputs=[name])
        self.model.data_provider.append(definition)
        self.blobs[name] = definition

    def add(self, layer: Message) -> None:
        """Take over a layer."""
        kind = _type(layer)
        if kind in _SOURCES:
            shapes = (
                [shape.dim for shape in layer.input_param.shape]
                if layer.kind == "LayerParameter"
                else []
            )
            for k, name in enumerate(layer.top):
                self.add_input(name, shapes[min(k, len(shapes) - 1)] if shapes else [])
            return
        inputs = [self._blob(layer, name) for name in layer.bottom]
        if kind == "Split" and len(inputs) == 1:
            self.blobs.update(dict.fromkeys(layer.top, inputs[0]))
        elif kind == "Scale":
            self._add_scale(layer, inputs)
        elif kind not in CAFFE_LAYER_WRAPPER:
            raise ConversionError(
                f"layer '{layer.name}': layers of type {kind} are not supported; take the network "
                f"as it is deployed, without criteria and data"
            )
        else:
            self._add_layer(layer, CAFFE_LAYER_WRAPPER[kind], inputs)

    def _blob(self, layer: Message, name: str) -> CntkLayersDefinition:
        if name not in self.blobs:
            raise ConversionError(
                f"layer '{layer.name}' reads '{name}', which no layer before it gives"
            )
        return self.blobs[name]

    def _add_scale(self, layer: Message, inputs: list[CntkLayersDefinition]) -> None:
        """Put scales and biases to the normalization before them."""
        before = inputs[0] if len(inputs) == 1 else None
        taken = any(definition is before for definition, _ in self.scales.values())
        if (
            before is None
            or before.op_type != CntkLayerType.batch_norm
            or taken
            or layer.scale_param.axis != 1
        ):
            raise ConversionError(
                f"layer '{layer.name}': scales are supported right behind a batch normalization "
                f"alone"
            )
        for name in [name for name, definition in self.blobs.items() if definition is before]:
            del self.blobs[name]  # the normalization without them is nowhere in what is made
        self.blobs[layer.top[0]] = before
        self.scales[layer.name] = (before, layer)

    def _add_layer(
        self, layer: Message, kind: CntkLayerType, inputs: list[CntkLayersDefinition]
    ) -> None:
        name = layer.name
        if not inputs or len(layer.top) != 1:
            raise ConversionError(
                f"layer '{name}': expected inputs and one output, got {layer.bottom} and "
                f"{layer.top}"
            )
        if (
            not name
            or name in self.model.cntk_layers
            or any(i.op_name == name for i in self.model.data_provider)
        ):
            raise ConversionError(f"layer '{name}': each layer needs a name of its own")
        definition = CntkLayersDefinition(
            inputs=[str(i.op_name) for i in inputs], outputs=[name], op_name=name, op_type=kind
        )
        options = {
            "plus": "eltwise",
            "dense": "inner_product",
            "splice": "concat",
        }.get(kind.name, kind.name)
        getattr(SetupCaffeParameters, kind.name)(
            getattr(layer, f"{options}_param"), inputs, definition
        )
        self.model.cntk_layers[name] = definition
        self.model.cntk_sorted_layers.append(name)
        self.blobs[layer.top[0]] = definition

    def add_parameters(self, layers: list[Message]) -> None:
        """Give the layers their parameters; those of layers that are not there are passed over."""
        for layer in layers:
            tensors = [_tensor(layer, blob) for blob in layer.blobs]
            if layer.name in self.scales:
                definition, scale = self.scales[layer.name]
                if len(tensors) == 1 and not scale.scale_param.bias_term:
                    tensors.append(
                        CntkTensorDefinition(tensors[0].tensor, np.zeros_like(tensors[0].data))
                    )
            elif layer.name in self.model.cntk_layers:
                definition = self.model.cntk_layers[layer.name]
            else:
                continue
            definition.parameter_tensor.extend(tensors)


def _tensor(layer: Message, blob: Message) -> CntkTensorDefinition:
    """Return the numbers of a parameter; old files have four dimensions."""
    data = blob.values.get("data", blob.values.get("double_data", np.zeros(0, np.float32)))
    shape = (
        blob.shape.dim
        if "shape" in blob.values
        else [blob.num, blob.channels, blob.height, blob.width]
    )
    if (
        any(d < 0 for d in shape)
        or int(np.prod([int(d) for d in shape], dtype=object)) != data.size
    ):
        raise DataError(
            f"layer '{layer.name}': a parameter of shape {shape} has {data.size} numbers"
        )
    return CntkTensorDefinition(list(shape), data)
