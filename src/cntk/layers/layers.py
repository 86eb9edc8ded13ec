"""All feed-forward layers under the import path that they have always had."""

from cntk._graph.names.late_names import hand_on
from cntk._ops.nn.pooling import PoolingType
from cntk._runtime.random.seeds import SentinelValueForAutoSelectRandomSeed
from cntk.layers.blocks import UntestedBranchError, identity
from cntk.layers.convolution import (
    Convolution,
    Convolution1D,
    Convolution2D,
    Convolution3D,
    SequentialConvolution,
)
from cntk.layers.dense import Activation, Dense, Dropout, Embedding, Label
from cntk.layers.normalization import BatchNormalization, LayerNormalization
from cntk.layers.pooling import (
    AveragePooling,
    GlobalAveragePooling,
    GlobalMaxPooling,
    MaxPooling,
    MaxUnpooling,
)
from cntk.layers.transposed_convolution import (
    ConvolutionTranspose,
    ConvolutionTranspose1D,
    ConvolutionTranspose2D,
    ConvolutionTranspose3D,
)

PoolingType_Max = int(PoolingType.Max)
PoolingType_Average = int(PoolingType.Average)

__all__ = [
    "Activation",
    "AveragePooling",
    "BatchNormalization",
    "Convolution",
    "Convolution1D",
    "Convolution2D",
    "Convolution3D",
    "ConvolutionTranspose",
    "ConvolutionTranspose1D",
    "ConvolutionTranspose2D",
    "ConvolutionTranspose3D",
    "Dense",
    "Dropout",
    "Embedding",
    "GlobalAveragePooling",
    "GlobalMaxPooling",
    "Label",
    "LayerNormalization",
    "MaxPooling",
    "MaxUnpooling",
    "PoolingType_Average",
    "PoolingType_Max",
    "SentinelValueForAutoSelectRandomSeed",
    "SequentialConvolution",
    "UntestedBranchError",
    "identity",
]

hand_on(globals())
