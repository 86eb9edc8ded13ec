"""Conversion of the options of Caffe's layers, and inference of their output shapes."""

from __future__ import annotations

from collections.abc import Sequence

from cntk.contrib.crosstalkcaffe.adapter.bvlccaffe.geometry import Geometry, geometry_of
from cntk.contrib.crosstalkcaffe.adapter.bvlccaffe.schema import Message
from cntk.contrib.crosstalkcaffe.unimodel import cntkmodel
from cntk.contrib.crosstalkcaffe.unimodel.cntkmodel import CntkLayersDefinition
from cntk.errors import ConversionError

__all__ = ["SetupCaffeParameters"]

Inputs = Sequence[CntkLayersDefinition]


class SetupCaffeParameters:
    """A function for each kind of layers.

    Each is called with the layer's options as Caffe has them, what the layer reads, and the layer,
    whose ``parameters`` and ``tensor`` it sets.
    """

    @staticmethod
    def default(
        caffe_parameters: Message | None, inputs_info: Inputs, cntk_layer_def: CntkLayersDefinition
    ) -> None:
        """Take over a layer that changes no shape."""
        shapes = [list(info.tensor) for info in inputs_info]
        if any(shape != shapes[0] for shape in shapes):
            raise ConversionError(
                f"{_name(cntk_layer_def)}: its inputs must have one shape, and have {shapes}"
            )
        cntk_layer_def.tensor = shapes[0]
        cntk_layer_def.parameters = cntk_layer_def.parameters or cntkmodel.CntkParameters()

    @staticmethod
    def convolution(
        caffe_parameters: Message, inputs_info: Inputs, cntk_layer_def: CntkLayersDefinition
    ) -> None:
        """Take over a convolution."""
        channels, *size = _image(inputs_info, cntk_layer_def)
        windows = geometry_of(_name(cntk_layer_def), caffe_parameters, size)
        group, output = caffe_parameters.group, caffe_parameters.num_output
        if (
            caffe_parameters.axis != 1
            or group < 1
            or output < 1
            or channels % group
            or output % group
        ):
            raise ConversionError(
                f"{_name(cntk_layer_def)}: {channels} channels, {output} filters in {group} groups "
                f"along axis {caffe_parameters.axis} make no convolution"
            )
        parameters = cntkmodel.CntkConvolutionParameters(
            output=output, group=group, dilation=windows.dilation
        )
        parameters.need_bias = caffe_parameters.bias_term
        cntk_layer_def.parameters = _with_windows(parameters, windows)
        cntk_layer_def.tensor = [output, *windows.output]

    @staticmethod
    def pooling(
        caffe_parameters: Message, inputs_info: Inputs, cntk_layer_def: CntkLayersDefinition
    ) -> None:
        """Take over pooling."""
        channels, *size = _image(inputs_info, cntk_layer_def)
        if caffe_parameters.pool not in (0, 1):
            raise ConversionError(f"{_name(cntk_layer_def)}: only maxima and averages are pooled")
        if caffe_parameters.global_pooling:
            windows = Geometry(list(size), [1, 1], [1, 1], [1, 1], False, None)
        else:
            windows = geometry_of(_name(cntk_layer_def), caffe_parameters, size, pooling=True)
        parameters = cntkmodel.CntkPoolingParameters(pooling_type=caffe_parameters.pool)
        cntk_layer_def.parameters = _with_windows(parameters, windows)
        cntk_layer_def.tensor = [channels, *windows.output]

    @staticmethod
    def batch_norm(
        caffe_parameters: Message, inputs_info: Inputs, cntk_layer_def: CntkLayersDefinition
    ) -> None:
        """Take over batch normalization."""
        cntk_layer_def.parameters = cntkmodel.CntkBatchNormParameters(epsilon=caffe_parameters.eps)
        SetupCaffeParameters.default(caffe_parameters, inputs_info, cntk_layer_def)

    @staticmethod
    def dense(
        caffe_parameters: Message, inputs_info: Inputs, cntk_layer_def: CntkLayersDefinition
    ) -> None:
        """Take over a dense layer."""
        _check_axis(caffe_parameters.axis, cntk_layer_def)
        cntk_layer_def.parameters = cntkmodel.CntkDenseParameters(
            num_output=caffe_parameters.num_output, transpose=not caffe_parameters.transpose
        )
        cntk_layer_def.tensor = [caffe_parameters.num_output]

    @staticmethod
    def splice(
        caffe_parameters: Message, inputs_info: Inputs, cntk_layer_def: CntkLayersDefinition
    ) -> None:
        """Take over concatenation."""
        _check_axis(
            caffe_parameters.axis
            if "axis" in caffe_parameters.values
            else caffe_parameters.concat_dim,
            cntk_layer_def,
        )
        shapes = [list(info.tensor) for info in inputs_info]
        if any(shape[1:] != shapes[0][1:] for shape in shapes):
            raise ConversionError(
                f"{_name(cntk_layer_def)}: its inputs differ in more than their channels: {shapes}"
            )
        cntk_layer_def.parameters = cntkmodel.CntkSpliceParameters()
        cntk_layer_def.tensor = [sum(shape[0] for shape in shapes), *shapes[0][1:]]

    @staticmethod
    def relu(
        caffe_parameters: Message, inputs_info: Inputs, cntk_layer_def: CntkLayersDefinition
    ) -> None:
        """Take over a rectifier."""
        cntk_layer_def.parameters = cntkmodel.CntkReluParameters(
            slope=caffe_parameters.negative_slope
        )
        SetupCaffeParameters.default(caffe_parameters, inputs_info, cntk_layer_def)

    @staticmethod
    def plus(
        caffe_parameters: Message, inputs_info: Inputs, cntk_layer_def: CntkLayersDefinition
    ) -> None:
        """Take over a sum."""
        if caffe_parameters.operation != 1 or any(factor != 1 for factor in caffe_parameters.coeff):
            raise ConversionError(f"{_name(cntk_layer_def)}: only plain sums are supported")
        SetupCaffeParameters.default(caffe_parameters, inputs_info, cntk_layer_def)

    @staticmethod
    def dropout(
        caffe_parameters: Message, inputs_info: Inputs, cntk_layer_def: CntkLayersDefinition
    ) -> None:
        """Take over dropout."""
        cntk_layer_def.parameters = cntkmodel.CntkDropoutParameters(
            rate=caffe_parameters.dropout_ratio
        )
        SetupCaffeParameters.default(caffe_parameters, inputs_info, cntk_layer_def)

    @staticmethod
    def lrn(
        caffe_parameters: Message, inputs_info: Inputs, cntk_layer_def: CntkLayersDefinition
    ) -> None:
        """Take over local response normalization."""
        if caffe_parameters.norm_region != 0 or caffe_parameters.local_size % 2 == 0:
            raise ConversionError(
                f"{_name(cntk_layer_def)}: only an odd number of channels is normalized over, and "
                f"not {caffe_parameters.values}"
            )
        cntk_layer_def.parameters = cntkmodel.CntkLRNParameters(
            kernel_size=(caffe_parameters.local_size + 1) / 2,
            alpha=caffe_parameters.alpha,
            beta=caffe_parameters.beta,
            k=caffe_parameters.k,
        )
        SetupCaffeParameters.default(caffe_parameters, inputs_info, cntk_layer_def)

    @staticmethod
    def softmax(
        caffe_parameters: Message, inputs_info: Inputs, cntk_layer_def: CntkLayersDefinition
    ) -> None:
        """Take over a softmax over channels."""
        _check_axis(caffe_parameters.axis, cntk_layer_def)
        SetupCaffeParameters.default(caffe_parameters, inputs_info, cntk_layer_def)


def _name(layer: CntkLayersDefinition) -> str:
    return f"{layer.op_type.name} '{layer.op_name}'"


def _image(inputs_info: Inputs, layer: CntkLayersDefinition) -> list[int]:
    """Return the shape of a layer's input, which must be an image."""
    shape = list(inputs_info[0].tensor)
    if len(shape) != 3:
        raise ConversionError(
            f"{_name(layer)}: its input must have channels, height and width, and has shape {shape}"
        )
    return shape


def _check_axis(axis: int, layer: CntkLayersDefinition) -> None:
    if axis != 1:
        raise ConversionError(
            f"{_name(layer)}: only axis 1, that of channels, is supported, and not {axis}"
        )


def _with_windows(
    parameters: cntkmodel.CntkConvolutionParameters | cntkmodel.CntkPoolingParameters,
    windows: Geometry,
) -> cntkmodel.CntkParameters:
    parameters.kernel, parameters.stride = windows.kernel, windows.strides
    parameters.auto_pad, parameters.pad = windows.auto, windows.pad
    return parameters
