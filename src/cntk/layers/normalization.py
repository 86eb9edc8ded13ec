"""Layers that normalise: over the minibatch, or over each sample's elements."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np

from cntk import ops
from cntk._arguments import as_flag, as_real
from cntk._graph.bfloat16 import is_short
from cntk._graph.define import BlockFunction
from cntk._graph.function import Function
from cntk._graph.types import InferredDimension
from cntk._graph.variable import as_dtype
from cntk.default_options import default_override_or, get_default_override
from cntk.layers.blocks import UntestedBranchError
from cntk.layers.options import first_value
from cntk.variables import Constant, Parameter

__all__ = ["BatchNormalization", "LayerNormalization"]


def BatchNormalization(
    map_rank: Any = default_override_or(None),
    init_scale: float = 1,
    normalization_time_constant: Any = default_override_or(5000),
    blend_time_constant: float = 0,
    epsilon: Any = default_override_or(0.00001),
    use_cntk_engine: Any = default_override_or(False),
    disable_regularization: Any = default_override_or(False),
    name: str = "",
) -> Function:
    """Batch normalisation (Ioffe and Szegedy, 2015): mean 0 and variance 1 over the minibatch, then
    scale and shift.

    Args:
        map_rank: 1 to normalise each channel (the first axis) over all its positions, as after
            convolutions; None to normalise each element on its own.
        init_scale: initial value of the parameter ``scale``.
        normalization_time_constant: samples after which a minibatch weighs 1/e in the running
            statistics.
        blend_time_constant: without effect.
        epsilon: added to the variance.
        use_cntk_engine: without effect.
        disable_regularization: whether learners leave the parameters out of regularisation.
        name: its name in the graph.

    Returns:
        A function of one argument with parameters ``scale`` and ``bias`` and constants
        ``aggregate_mean``, ``aggregate_variance`` and ``aggregate_count``, which training changes.

    Raises:
        NotImplementedError: if ``map_rank`` is neither 1 nor None.

    Example:
        >>> import cntk as C
        >>> layer = C.layers.BatchNormalization(map_rank=1)
        >>> [p.shape for p in layer(C.input_variable((3, 8, 8))).parameters]
        [(3,), (3,)]
    """
    map_rank = get_default_override(BatchNormalization, map_rank=map_rank)
    time_constant = get_default_override(
        BatchNormalization, normalization_time_constant=normalization_time_constant
    )
    epsilon = get_default_override(BatchNormalization, epsilon=epsilon)
    use_cntk_engine = get_default_override(BatchNormalization, use_cntk_engine=use_cntk_engine)
    disable = get_default_override(
        BatchNormalization, disable_regularization=disable_regularization
    )
    if map_rank is not None and not (isinstance(map_rank, Real) and map_rank == 1):
        UntestedBranchError("BatchNormalization map_rank can only be 1 or None for now")
    time_constant = as_real(
        time_constant, "BatchNormalization: normalization_time_constant", finite=False
    )
    blend_time_constant = as_real(
        blend_time_constant, "BatchNormalization: blend_time_constant", finite=False
    )
    use_cntk_engine = as_flag(use_cntk_engine, "BatchNormalization: use_cntk_engine")
    disable = as_flag(disable, "BatchNormalization: disable_regularization")

    shape = (InferredDimension,)
    epsilon = as_real(epsilon, "BatchNormalization: epsilon", least=0, finite=False)
    dtype = as_dtype(
        get_default_override(None, dtype=default_override_or(np.float32)),
        "BatchNormalization: dtype",
    )
    if is_short(dtype):
        dtype = np.dtype(np.float32)  # statistics are gathered over many samples
    scale = Parameter(
        shape, first_value(init_scale, "BatchNormalization: init_scale"), dtype, name="scale"
    )
    bias = Parameter(shape, init=0, dtype=dtype, name="bias")
    running_mean = Constant(0, shape=shape, dtype=dtype, name="aggregate_mean")
    running_variance = Constant(0, shape=shape, dtype=dtype, name="aggregate_variance")
    running_count = Constant(0, shape=(), dtype=dtype, name="aggregate_count")

    @BlockFunction("BatchNormalization", name)
    def batch_normalize(x: Any) -> Any:
        return ops.batch_normalization(
            x,
            scale,
            bias,
            running_mean,
            running_variance,
            running_count=running_count,
            spatial=map_rank == 1,
            normalization_time_constant=time_constant,
            blend_time_constant=blend_time_constant,
            epsilon=epsilon,
            use_cudnn_engine=not use_cntk_engine,
            disable_regularization=disable,
        )

    return batch_normalize


def LayerNormalization(
    initial_scale: float = 1,
    initial_bias: float = 0,
    epsilon: Any = default_override_or(0.00001),
    name: str = "",
) -> Function:
    """Layer normalisation (Ba et al., 2016): each sample to mean 0 and standard deviation 1, then
    scale and shift.

    Args:
        initial_scale: initial value of the parameter ``scale``.
        initial_bias: initial value of the parameter ``bias``.
        epsilon: added to the standard deviation, not to the variance.
        name: its name in the graph.

    Returns:
        A function of one argument; ``scale`` and ``bias`` have the size of its last axis.

    Example:
        >>> import cntk as C
        >>> x = C.input_variable(4)
        >>> C.layers.LayerNormalization()(x).eval({x: [[1, 2, 3, 4]]}).round(3)
        array([[-1.342, -0.447,  0.447,  1.342]], dtype=float32)
    """
    epsilon = as_real(
        get_default_override(LayerNormalization, epsilon=epsilon),
        "LayerNormalization: epsilon",
        least=0,
        finite=False,
    )
    scale = Parameter(
        (InferredDimension,),
        init=first_value(initial_scale, "LayerNormalization: initial_scale"),
        name="scale",
    )
    bias = Parameter(
        (InferredDimension,),
        init=first_value(initial_bias, "LayerNormalization: initial_bias"),
        name="bias",
    )

    @BlockFunction("LayerNormalization", name)
    def layer_normalize(x: Any) -> Any:
        centred = x - ops.reduce_mean(x)
        deviation = ops.sqrt(ops.reduce_mean(centred * centred))
        return centred / (deviation + epsilon) * scale + bias

    return layer_normalize
