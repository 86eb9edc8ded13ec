"""A network as a list of layers, independent of its toolkit."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

__all__ = [
    "CntkBatchNormParameters",
    "CntkConvolutionParameters",
    "CntkDenseParameters",
    "CntkDropoutParameters",
    "CntkLRNParameters",
    "CntkLayerType",
    "CntkLayersDefinition",
    "CntkModelDescription",
    "CntkPSROIPoolingParameters",
    "CntkParameters",
    "CntkPoolingParameters",
    "CntkReluParameters",
    "CntkSolver",
    "CntkSpliceParameters",
    "CntkTensorDefinition",
]


class CntkLayerType(Enum):
    """Kinds of layers."""

    relu = 1
    convolution = 2
    pooling = 3
    batch_norm = 4
    plus = 5
    dense = 6
    splice = 7
    classification_error = 10
    cross_entropy_with_softmax = 11
    dropout = 12
    lrn = 13
    psroi_pooling = 14
    softmax = 15
    unknown = 100


@dataclass
class CntkParameters:
    """Options of a layer without any."""


@dataclass
class CntkConvolutionParameters(CntkParameters):
    """Options of a convolution.

    Attributes:
        output: how many filters there are.
        stride: by height and width.
        kernel: the filters' height and width.
        auto_pad: whether the output is of the input's size, divided by the strides.
        scale_setting: not used.
        bias_setting: not used.
        need_bias: whether there is a bias.
        dilation: by height and width.
        group: into how many groups channels are divided.
        pad: zeros around the image, lower and upper by height and width, where automatic padding
            does not give them.
    """

    output: int = 0
    stride: list[int] = field(default_factory=lambda: [0, 0])
    kernel: list[int] = field(default_factory=lambda: [0, 0])
    auto_pad: bool = False
    scale_setting: list[int] = field(default_factory=lambda: [1, 1])
    bias_setting: list[int] = field(default_factory=lambda: [1, 1])
    need_bias: bool = True
    dilation: list[int] = field(default_factory=lambda: [1, 1])
    group: int = 1
    pad: list[tuple[int, int]] | None = None


@dataclass
class CntkPoolingParameters(CntkParameters):
    """Options of pooling.

    Attributes:
        stride: by height and width.
        kernel: the window's height and width.
        auto_pad: whether the output is of the input's size, divided by the strides.
        pooling_type: 0 for the maximum, 1 for the average.
        pad: elements around the image, lower and upper by height and width, where automatic padding
            does not give them.
    """

    stride: list[int] = field(default_factory=lambda: [0, 0])
    kernel: list[int] = field(default_factory=lambda: [0, 0])
    auto_pad: bool = False
    pooling_type: int = 0
    pad: list[tuple[int, int]] | None = None


@dataclass
class CntkBatchNormParameters(CntkParameters):
    """Options of batch normalization.

    Attributes:
        spatial: not used.
        norm_time_const: not used.
        blend_time_const: not used.
        epsilon: added to the variance.
        scale_setting: not used.
        bias_setting: not used.
    """

    spatial: int = 2
    norm_time_const: int = 0
    blend_time_const: int = 0
    epsilon: float = 0.00001
    scale_setting: list[int] = field(default_factory=lambda: [1, 1])
    bias_setting: list[int] = field(default_factory=lambda: [1, 1])


@dataclass
class CntkDenseParameters(CntkParameters):
    """Options of a dense layer.

    Attributes:
        num_output: how many outputs there are.
        scale_setting: not used.
        bias_setting: not used.
        transpose: whether the weights lie as ``[outputs, inputs]``.
    """

    num_output: int = 0
    scale_setting: list[int] = field(default_factory=lambda: [1, 1])
    bias_setting: list[int] = field(default_factory=lambda: [1, 1])
    transpose: bool = False


@dataclass
class CntkSpliceParameters(CntkParameters):
    """Options of concatenation.

    Attributes:
        axis: the axis, the minibatch being 0.
    """

    axis: int = 1


@dataclass
class CntkLRNParameters(CntkParameters):
    """Options of local response normalization.

    Attributes:
        kernel_size: one more than how many channels to each side are looked at.
        alpha: factor of the mean of squares.
        beta: exponent.
        k: added to it.
    """

    kernel_size: float = 5
    alpha: float = 1
    beta: float = 5
    k: float = 1


@dataclass
class CntkDropoutParameters(CntkParameters):
    """Options of dropout.

    Attributes:
        rate: the probability that an element is 0 while the model is trained.
    """

    rate: float = 0.0


@dataclass
class CntkReluParameters(CntkParameters):
    """Options of a rectifier.

    Attributes:
        slope: factor of what is negative.
    """

    slope: float = 0.0


@dataclass
class CntkPSROIPoolingParameters(CntkParameters):
    """Options of position-sensitive pooling of regions.

    Attributes:
        group_size: how many parts a region has.
        out_channel: how many channels the output has.
    """

    group_size: int = 1
    out_channel: int = 1


@dataclass
class CntkTensorDefinition:
    """A parameter's numbers.

    Attributes:
        tensor: their shape.
        data: the numbers, in any form that NumPy takes.
    """

    tensor: Any = field(default_factory=lambda: [0])
    data: Any = field(default_factory=list)


@dataclass
class CntkLayersDefinition:
    """A layer, or an input.

    Attributes:
        inputs: names of the layers and inputs that it reads.
        outputs: names of what it gives.
        op_name: its name.
        parameters: its options.
        op_type: its kind.
        tensor: the shape of its output, without the minibatch.
        parameter_tensor: its parameters.
    """

    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    op_name: str | None = None
    parameters: Any = None
    op_type: CntkLayerType = CntkLayerType.unknown
    tensor: list[int] = field(default_factory=list)
    parameter_tensor: list[CntkTensorDefinition] = field(default_factory=list)


@dataclass
class CntkSolver:
    """Settings of the original training. Nothing reads them."""

    learning_rate: float | None = None
    max_epoch: int | None = None
    adjust_interval: int | None = None
    decrease_factor: float | None = None
    upper_limit: float | None = None
    minibatch_size: int | None = None
    weight_decay: float | None = None
    dropout: float | None = None
    number_to_show_result: int | None = None
    grad_update_type: str | None = None
    momentum: float | None = None


@dataclass
class CntkModelDescription:
    """A network.

    Attributes:
        data_provider: its inputs.
        cntk_layers: its layers by name.
        cntk_sorted_layers: their names, each behind those of what it reads.
        model_name: its name.
        solver: how it was trained.
    """

    data_provider: list[CntkLayersDefinition] = field(default_factory=list)
    cntk_layers: dict[str, CntkLayersDefinition] = field(default_factory=dict)
    cntk_sorted_layers: list[str] = field(default_factory=list)
    model_name: str = "Untitled"
    solver: CntkSolver | None = None
