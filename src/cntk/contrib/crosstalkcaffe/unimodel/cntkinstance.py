"""Conversion of a list of layers to a model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cntk import ops
from cntk._graph.define import BlockFunction
from cntk._graph.function import Function
from cntk.contrib.crosstalkcaffe.unimodel.cntkmodel import (
    CntkLayersDefinition,
    CntkModelDescription,
)
from cntk.contrib.crosstalkcaffe.utils.globalconf import GlobalConf
from cntk.errors import ConversionError
from cntk.variables import Constant, Parameter

__all__ = ["ApiSetup", "BlockApiSetup", "CntkApiInstance"]

Array = NDArray[np.float32]


class BlockApiSetup:
    """Builders of layers that are one block in the graph."""

    @staticmethod
    def convolution(
        output: int,
        kernel: Sequence[int],
        stride: Sequence[int],
        pad: bool,
        kernel_init: Array,
        bias_init: Array | None,
        group: int,
        dilation: Sequence[int],
        name: str,
    ) -> Function:
        """Return a convolution.

        Args:
            output: how many filters there are.
            kernel: their height and width.
            stride: by height and width.
            pad: whether the output is of the input's size, divided by the strides.
            kernel_init: the filters, ``[output, channels / group, height, width]``.
            bias_init: the bias ``[output, 1, 1]``, or None.
            group: into how many groups channels are divided.
            dilation: by height and width.
            name: its name in the graph; parameters are called after it.
        """
        parts = [""] if group == 1 else [f".{k}" for k in range(group)]
        filters = [
            Parameter(part.shape, init=part, name=f"{name}{which}.W")
            for which, part in zip(parts, np.split(kernel_init, group), strict=True)
        ]
        bias = (
            None
            if bias_init is None
            else Parameter(bias_init.shape, init=bias_init, name=f"{name}.b")
        )
        channels = kernel_init.shape[1]

        def convolved(W: Any, x: Any) -> Any:
            return ops.convolution(
                W, x, strides=(1, *stride), auto_padding=[False, pad, pad], dilation=(1, *dilation)
            )

        @BlockFunction("Convolution", name)
        def convolution(x: Any) -> Any:
            if group == 1:
                result = convolved(filters[0], x)
            else:
                slices = [ops.slice(x, 0, k * channels, (k + 1) * channels) for k in range(group)]
                result = ops.splice(*map(convolved, filters, slices), axis=0)
            return result if bias is None else result + bias

        return convolution

    @staticmethod
    def linear(
        output_shape: tuple[int, ...],
        input_shape: tuple[int, ...],
        scale_init: Array,
        bias_init: Array | None,
        name: str,
    ) -> Function:
        """Return a dense layer.

        Args:
            output_shape: the output's shape, a single size.
            input_shape: the shape of the weights: the input's, and the output's behind it.
            scale_init: the weights, of that shape.
            bias_init: the bias, or None.
            name: its name in the graph; parameters are called after it.
        """
        scale = Parameter(input_shape, init=scale_init, name=f"{name}.sc")
        bias = (
            None if bias_init is None else Parameter(output_shape, init=bias_init, name=f"{name}.b")
        )

        @BlockFunction("linear", name)
        def linear(x: Any) -> Any:
            result = ops.times(x, scale)
            return result if bias is None else result + bias

        return linear

    @staticmethod
    def lrn(k: float, n: float, alpha: float, beta: float, name: str) -> Function:
        """Return a local response normalization.

        Args:
            k: added to the mean of squares.
            n: one more than how many channels to each side are looked at.
            alpha: factor of the mean of squares.
            beta: exponent.
            name: its name in the graph.
        """

        @BlockFunction("lrn", name)
        def lrn(x: Any) -> Any:
            return ops.local_response_normalization(x, int(n - 1), k, alpha, beta)

        return lrn


def _margins(x: Any, pad: Sequence[tuple[int, int]] | None, value: float = 0) -> Any:
    """Pad an image where automatic padding does not give the same."""
    return x if pad is None else ops.pad(x, [(0, 0), *pad], constant_value=value)


def _numbers(layer: CntkLayersDefinition, k: int, shape: tuple[int, ...]) -> Array:
    """Return a layer's k-th parameter."""
    what = f"layer '{layer.op_name}'"
    if k >= len(layer.parameter_tensor):
        raise ConversionError(
            f"{what}: it has {len(layer.parameter_tensor)} parameters in the file, and needs "
            f"{k + 1}"
        )
    data = np.asarray(layer.parameter_tensor[k].data, dtype=np.float32)
    if data.size == 1:  # one for all
        return np.broadcast_to(data.ravel(), shape)
    if data.size != math.prod(shape):
        raise ConversionError(
            f"{what}: its parameter {k} has {data.size} numbers, and the network wants "
            f"{list(shape)}"
        )
    return data.reshape(shape)


class ApiSetup:
    """Builders by kind of layer: each takes the layer and its inputs and returns a function of
    them.
    """

    @staticmethod
    def convolution(cntk_layer: CntkLayersDefinition, inputs: Sequence[Any]) -> Function:
        """Return a convolution."""
        options = cntk_layer.parameters
        shape = (options.output, inputs[0].shape[0] // options.group, *options.kernel)
        layer = BlockApiSetup.convolution(
            options.output,
            options.kernel,
            options.stride,
            options.auto_pad,
            _numbers(cntk_layer, 0, shape),
            _numbers(cntk_layer, 1, (options.output, 1, 1)) if options.need_bias else None,
            options.group,
            options.dilation,
            str(cntk_layer.op_name),
        )
        convolved: Function = layer(_margins(inputs[0], options.pad))
        return convolved

    @staticmethod
    def batch_norm(cntk_layer: CntkLayersDefinition, inputs: Sequence[Any]) -> Function:
        """Return a batch normalization with running statistics."""
        shape = (inputs[0].shape[0],)
        total = float(_numbers(cntk_layer, 2, (1,))[0])
        share = 1 / total if total else 0.0
        values = {
            "mean": _numbers(cntk_layer, 0, shape) * share,
            "var": _numbers(cntk_layer, 1, shape) * share,
        }
        scaled = len(cntk_layer.parameter_tensor) > 3
        values["scale"] = _numbers(cntk_layer, 3, shape) if scaled else np.ones(shape, np.float32)
        values["bias"] = _numbers(cntk_layer, 4, shape) if scaled else np.zeros(shape, np.float32)
        parameters = {
            key: Parameter(shape, init=value, name=f"{cntk_layer.op_name}.{key}")
            for key, value in values.items()
        }
        return ops.batch_normalization(
            inputs[0],
            parameters["scale"],
            parameters["bias"],
            parameters["mean"],
            parameters["var"],
            True,
            use_cudnn_engine=False,
            epsilon=cntk_layer.parameters.epsilon,
            running_count=Constant(0),
            name=str(cntk_layer.op_name),
        )

    @staticmethod
    def pooling(cntk_layer: CntkLayersDefinition, inputs: Sequence[Any]) -> Function:
        """Return pooling."""
        options = cntk_layer.parameters
        least = float(np.finfo(np.float32).min)
        return ops.pooling(
            _margins(inputs[0], options.pad, 0 if options.pooling_type else least),
            ops.AVG_POOLING if options.pooling_type else ops.MAX_POOLING,
            tuple(options.kernel),
            strides=tuple(options.stride),
            auto_padding=[options.auto_pad],
            ceil_out_dim=True,
            name=str(cntk_layer.op_name),
        )

    @staticmethod
    def relu(cntk_layer: CntkLayersDefinition, inputs: Sequence[Any]) -> Function:
        """Return a rectifier."""
        slope = getattr(cntk_layer.parameters, "slope", 0)
        if slope:
            return ops.leaky_relu(inputs[0], slope, name=str(cntk_layer.op_name))
        return ops.relu(inputs[0], name=str(cntk_layer.op_name))

    @staticmethod
    def dense(cntk_layer: CntkLayersDefinition, inputs: Sequence[Any]) -> Function:
        """Return a dense layer."""
        options, x = cntk_layer.parameters, inputs[0]
        outputs, count = options.num_output, math.prod(x.shape)
        weights = _numbers(
            cntk_layer, 0, (outputs, count) if options.transpose else (count, outputs)
        )
        weights = np.ascontiguousarray(weights.T if options.transpose else weights).reshape(
            *x.shape, outputs
        )
        bias = _numbers(cntk_layer, 1, (outputs,)) if len(cntk_layer.parameter_tensor) > 1 else None
        layer = BlockApiSetup.linear(
            (outputs,), weights.shape, weights, bias, str(cntk_layer.op_name)
        )
        product: Function = layer(x)
        return product

    @staticmethod
    def plus(cntk_layer: CntkLayersDefinition, inputs: Sequence[Any]) -> Function:
        """Return a sum."""
        if len(inputs) == 1:
            return ops.alias(inputs[0], name=str(cntk_layer.op_name))
        *first, last = inputs
        return ops.plus(
            ops.plus(*first) if len(first) > 1 else first[0], last, name=str(cntk_layer.op_name)
        )

    @staticmethod
    def dropout(cntk_layer: CntkLayersDefinition, inputs: Sequence[Any]) -> Function:
        """Return dropout."""
        return ops.dropout(
            inputs[0], getattr(cntk_layer.parameters, "rate", 0.0), name=str(cntk_layer.op_name)
        )

    @staticmethod
    def lrn(cntk_layer: CntkLayersDefinition, inputs: Sequence[Any]) -> Function:
        """Return a local response normalization."""
        options = cntk_layer.parameters
        layer = BlockApiSetup.lrn(
            options.k, options.kernel_size, options.alpha, options.beta, str(cntk_layer.op_name)
        )
        x, radius = inputs[0], int(options.kernel_size - 1)
        channels = x.shape[0]
        if 2 * radius + 1 <= channels:
            normalized: Function = layer(x)
            return normalized
        # A window over more channels than there are: channels of zeros make it fit.
        around = ops.pad(x, [(radius, radius)] + [(0, 0)] * (len(x.shape) - 1))
        return ops.slice(layer(around), 0, radius, radius + channels, name=str(cntk_layer.op_name))

    @staticmethod
    def splice(cntk_layer: CntkLayersDefinition, inputs: Sequence[Any]) -> Function:
        """Return a concatenation along channels."""
        return ops.splice(*inputs, axis=0, name=str(cntk_layer.op_name))

    @staticmethod
    def softmax(cntk_layer: CntkLayersDefinition, inputs: Sequence[Any]) -> Function:
        """Return a softmax over channels."""
        if math.prod(inputs[0].shape[1:]) == 1:
            return ops.softmax(inputs[0], name=str(cntk_layer.op_name))
        return ops.softmax(inputs[0], axis=0, name=str(cntk_layer.op_name))


class CntkApiInstance:
    """The model of a list of layers.

    Args:
        cntk_uni_model: the layers.
        global_conf: the configuration.

    Raises:
        ConversionError: (a ValueError and AssertionError) if a layer's parameters are missing or of
            another size.
    """

    def __init__(self, cntk_uni_model: CntkModelDescription, global_conf: GlobalConf) -> None:
        self._functions: dict[str, Any] = {}
        self._output: Function | None = None
        self._model_solver = global_conf.model_solver
        self.instance_input(cntk_uni_model.data_provider)
        self.instance_functions(cntk_uni_model.cntk_sorted_layers, cntk_uni_model.cntk_layers)

    def instance_input(self, data_providers: Sequence[CntkLayersDefinition]) -> None:
        """Make the inputs.

        Args:
            data_providers: their names and shapes; those in the configuration count before these.
        """
        tensors = self._model_solver.cntk_tensor or {}
        for provider in data_providers:
            name = str(provider.op_name)
            self._functions[name] = ops.input_variable(
                tuple(tensors.get(name, provider.tensor)), name=name
            )

    def instance_functions(
        self, cntk_sorted_layers: Sequence[str], cntk_layers: dict[str, CntkLayersDefinition]
    ) -> None:
        """Make the layers, and the model of those that no other reads.

        Args:
            cntk_sorted_layers: their names, each behind those of what it reads.
            cntk_layers: the layers by name.
        """
        ends: dict[str, Any] = {}
        for name in cntk_sorted_layers:
            layer = cntk_layers[name]
            for read in layer.inputs:
                ends.pop(read, None)
            inputs = [self._functions[read] for read in layer.inputs]
            ends[name] = self._functions[name] = getattr(ApiSetup, layer.op_type.name)(
                layer, inputs
            )
        if not ends:
            raise ConversionError("the network has no layers that are converted")
        self._output = ops.combine(list(ends.values()), name="outputs")

    def export_model(self) -> None:
        """Save the model where the configuration says."""
        if not self._model_solver.cntk_model_path:
            raise ConversionError("the configuration must say a CntkModelPath in ModelSolver")
        self.get_model().save(self._model_solver.cntk_model_path)

    def get_model(self) -> Function:
        """Return the model; its outputs are those of all layers that no other reads."""
        if self._output is None:
            raise ConversionError("the model has not been made yet")
        return self._output

    def get_functions(self) -> dict[str, Any]:
        """Return the inputs and layers by name."""
        return self._functions
