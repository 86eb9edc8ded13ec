"""Normalisation: of each channel over a minibatch, and of each element by its neighbours in other
channels.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cntk._arguments import as_bool, as_integer, as_number
from cntk._graph.bfloat16 import is_short
from cntk._graph.block import make_block
from cntk._graph.composite import Composite
from cntk._graph.op import Op, PrimitiveOp, RunKernel, primitive
from cntk._graph.types import InferredDimension, Shape, TensorType
from cntk._graph.variable import Variable, VariableKind, as_name
from cntk._ops.math.arithmetic import element_divide, element_times, plus
from cntk._ops.math.unary import exp, log
from cntk._ops.nn.convolution import convolution
from cntk._ops.nn.windows import regular
from cntk._ops.shape.reshape import reshape
from cntk._ops.support.operands import apply, as_operand
from cntk._runtime.context import RunContext
from cntk._wording import shape_text
from cntk.errors import GraphError
from cntk.typing import Operand
from cntk.variables import Constant

__all__ = ["batch_normalization", "local_response_normalization"]


@primitive(PrimitiveOp.BatchNormalization)
@dataclass(frozen=True)
class BatchNormalization(Op):
    """Each channel, or each element, normalized to mean 0 and variance 1 over the minibatch, then
    scaled and shifted.

    Attributes:
        spatial: whether all positions of a channel (the first static axis) are normalised together.
        normalization_time_constant: samples after which a minibatch weighs 1/e in the running
            statistics; 0 to keep the latest minibatch's, infinity for those of the first, -1 for
            the average over all samples.
        blend_time_constant: hardly any effect, as on the original's CPU: infinity beside an
            infinite ``normalization_time_constant`` stops the count of samples.
        epsilon: added to the variance.
        use_cudnn_engine, disable_regularization: kept for files.
    """

    operand_counts = (5, 6)
    endless = ("normalization_time_constant", "blend_time_constant")
    keeps_axes = True
    pointwise = True
    # Beside data of 16 bits, statistics, scale and bias may be float32.
    allows_mixed_dtypes = True
    # It counts samples and keeps statistics: two of them do so twice.
    pure = False
    disk_names = {"use_cudnn_engine": "useCuDNNEngine"}

    spatial: bool = False
    normalization_time_constant: float = 5000.0
    blend_time_constant: float = 0.0
    epsilon: float = 1e-5
    use_cudnn_engine: bool = False
    disable_regularization: bool = False

    def infer(self, *operands: TensorType) -> TensorType:
        x = operands[0]
        if x.rank == 0 and self.spatial:
            raise GraphError(
                "a scalar has no channels to normalise; the operand must have a static axis"
            )
        for t in operands[1:5]:
            size = _size(t.shape)
            if size >= 0 and self._features(x.shape) >= 0 and size != self._features(x.shape):
                channels = (
                    "one element a channel" if self.spatial else "as many elements as the operand"
                )
                raise GraphError(
                    f"scale, bias and running statistics must have {channels} "
                    f"({self._features(x.shape)}), got {shape_text(t.shape)}"
                )
        if len(operands) > 5 and _size(operands[5].shape) > 1:
            raise GraphError(
                f"running_count must be one number, got {shape_text(operands[5].shape)}"
            )
        _check_formats(operands)
        return x.dense()

    def infer_partial(self, *operands: TensorType) -> TensorType | None:
        return operands[0] if operands[0].is_known else None

    def complete(self, *operands: TensorType) -> tuple[TensorType, ...]:
        x = operands[0]
        features = self._features(x.shape) if x.has_shape and (x.rank or not self.spatial) else -1
        if features < 0:
            return operands
        return (
            x,
            *(
                t.with_shape((features,)) if t.shape == (InferredDimension,) else t
                for t in operands[1:5]
            ),
            *operands[5:],
        )

    def _features(self, shape: Shape) -> int:
        return shape[0] if self.spatial else _size(shape)

    def lower(self, *operands: TensorType) -> RunKernel:
        x = operands[0]
        features = self._features(x.shape)
        folded = (-1, *x.shape) if self.spatial else (-1, features)
        epsilon = self.epsilon
        as_it_is = bool(x.lead) and (self.spatial or x.rank == 1)
        # With both time constants infinite nothing is learned any more, and not counted either.
        frozen = self.normalization_time_constant == self.blend_time_constant == math.inf

        def compute(
            run: RunContext,
            x: Tensor,
            scale: Tensor,
            bias: Tensor,
            mean: Tensor,
            variance: Tensor,
            count: Tensor | None = None,
        ) -> Tensor:
            rows = x if as_it_is else x.reshape(folded)
            doubtful = 1 in rows.shape
            if doubtful:
                rows = regular(rows)
            mean, variance = mean.reshape(-1), variance.reshape(-1)
            # Torch ignores the strides of a scale.
            scale, bias = scale.reshape(-1).contiguous(), bias.reshape(-1).contiguous()
            if not run.training or rows.shape[0] == 0:
                result = torch.batch_norm(
                    rows, scale, bias, mean, variance, False, 0.0, epsilon, True
                )
                return (regular(result) if doubtful else result).reshape(x.shape)
            # With a momentum of 1 torch leaves the minibatch's own statistics here, the variance
            # unbiased.
            batch_mean, batch_variance = torch.zeros_like(mean), torch.zeros_like(variance)
            if rows.numel() == features:
                batch_mean, result = _single(rows, scale, bias, epsilon)
            else:
                result = torch.batch_norm(
                    rows, scale, bias, batch_mean, batch_variance, True, 1.0, epsilon, True
                )
            with torch.no_grad():
                weight = self._weight(rows.shape[0], count)
                if isinstance(weight, Tensor):
                    weight = weight.to(mean.dtype)
                mean.lerp_(batch_mean, weight)
                if rows.numel() > features:
                    variance.lerp_(batch_variance, weight)
                if count is not None:
                    count.add_(rows.shape[0] if not frozen else rows.shape[0] * (count == 0))
            return (regular(result) if doubtful else result).reshape(x.shape)

        return RunKernel(compute)

    def _weight(self, samples: int, count: Tensor | None) -> Tensor | float:
        """Return the weight of the new minibatch in the running statistics; the first one replaces
        what was there.
        """
        time = self.normalization_time_constant
        if time == 0 or count is None:
            return 1.0 if time == 0 else _decay(samples, time)
        if time < 0:
            return (samples / (count + samples)).squeeze()
        return (count == 0).to(count.dtype).clamp_(min=_decay(samples, time)).squeeze()


def _check_formats(operands: tuple[TensorType, ...]) -> None:
    data = operands[0].dtype
    allowed = (data, np.dtype(np.float32)) if is_short(data) else (data,)
    for t in operands[1:]:
        if data is not None and t.dtype is not None and t.dtype not in allowed:
            raise GraphError(
                f"scale, bias and running statistics must be "
                f"{' or '.join(d.name for d in allowed if d is not None)} beside data of "
                f"{data.name}, got {t.dtype.name}; use cntk.cast"
            )


def _single(rows: Tensor, scale: Tensor, bias: Tensor, epsilon: float) -> tuple[Tensor, Tensor]:
    """Return the mean and the result for one number in each channel, where torch's own kernels
    divide by zero.
    """
    shape = (1, -1, *(1,) * (rows.dim() - 2))
    centred = rows - rows.mean([0, *range(2, rows.dim())], keepdim=True)
    result = centred * (scale.view(shape) * epsilon**-0.5) + bias.view(shape)
    return rows.detach().reshape(-1), result


def _decay(samples: int, time: float) -> float:
    return 0.0 if time == math.inf else 1.0 - math.exp(-samples / time)


def _size(shape: Shape) -> int:
    """Return the number of elements; -1 if a dimension is unknown."""
    return -1 if any(d < 0 for d in shape) else int(np.prod(shape))


def batch_normalization(
    operand: Operand,
    scale: Any,
    bias: Any,
    running_mean: Any,
    running_inv_std: Any,
    spatial: bool,
    normalization_time_constant: float = 5000,
    blend_time_constant: float = 0,
    epsilon: float = 0.00001,
    use_cudnn_engine: bool = False,
    disable_regularization: bool = False,
    name: str = "",
    running_count: Any = None,
) -> Composite:
    """Normalize over the minibatch while training, by running statistics otherwise (Ioffe and
    Szegedy, 2015).

    On sequences the statistics are taken over all frames.

    Args:
        operand: what to normalise, with at least one static axis.
        scale: factors after normalisation, ``[channels]`` if ``spatial``, else as many as the
            operand has elements.
        bias: what is added then, of the same shape.
        running_mean: running means, a constant of that shape; training changes it.
        running_inv_std: running variances, a constant of that shape; training changes it.
        spatial: whether the mean is taken over all positions of a channel too; else each element
            has its own.
        normalization_time_constant: samples after which a minibatch weighs 1/e in the running
            statistics; 0 to keep the latest minibatch's, -1 for the average over all samples.
        blend_time_constant: without effect.
        epsilon: added to the variance.
        use_cudnn_engine: without effect.
        disable_regularization: whether learners leave scale and bias out of regularisation.
        name: its name in the graph.
        running_count: samples seen so far, a constant of shape ``()``; training changes it.

    Returns:
        A function with output of the shape of ``operand``.

    Raises:
        GraphError: if the shapes do not fit.

    Example:
        >>> import cntk as C
        >>> x = C.input_variable(2)
        >>> mean, variance, count = C.constant([1, 2]), C.constant([4, 9]), C.constant(0)
        >>> scale, bias = C.parameter(2, init=1), C.parameter(2, init=0)
        >>> y = C.batch_normalization(
        ...     x, scale, bias, mean, variance, spatial=True, running_count=count
        ... )
        >>> y.eval({x: [[3, 8]]}).round(3)
        array([[1., 2.]], dtype=float32)
    """
    operands = [
        as_operand(v, None, "BatchNormalization")
        for v in (operand, scale, bias, running_mean, running_inv_std)
    ]
    dtype = operands[0].type_.dtype
    if is_short(dtype):
        dtype = np.dtype(np.float32)  # it counts on
    if running_count is None:
        warnings.warn(
            "batch_normalization: without running_count the running statistics do not know how "
            "many samples they hold; pass running_count=constant(0)",
            stacklevel=2,
        )
        running_count = Constant(0, shape=(), dtype=dtype or np.float32)
    count = as_operand(running_count, dtype, "BatchNormalization")
    called = "batch_normalization"
    op = BatchNormalization(
        as_bool(spatial, f"{called}: spatial"),
        as_number(normalization_time_constant, f"{called}: normalization_time_constant"),
        as_number(blend_time_constant, f"{called}: blend_time_constant"),
        as_number(epsilon, f"{called}: epsilon"),
        as_bool(use_cudnn_engine, f"{called}: use_cudnn_engine"),
        as_bool(disable_regularization, f"{called}: disable_regularization"),
    )
    return apply(op, (*operands, count), name)


def local_response_normalization(
    operand: Operand, depth_radius: int, bias: float, alpha: float, beta: float, name: str = ""
) -> Composite:
    """Divide each element by a power of the mean square of its neighbours in nearby channels
    (Krizhevsky et al., 2012).

    ``x / (bias + alpha / (2 * depth_radius + 1) * sum of x squared over the channels) ** beta``

    Args:
        operand: ``[channels, *positions]``.
        depth_radius: how many channels to each side count; of a window longer than the number of
            channels only as many elements are left as there are channels.
        bias: positive, so that nothing is divided by zero.
        alpha: factor of the mean square.
        beta: the power.
        name: its name in the graph.

    Returns:
        A function with output of the shape of ``operand``.

    Example:
        >>> import cntk as C
        >>> x = C.input_variable((1, 1, 2))
        >>> y = C.local_response_normalization(x, depth_radius=0, bias=1, alpha=1, beta=0.5)
        >>> y.eval({x: [[[[0, 1]]]]}).round(4)
        array([[[[0.    , 0.7071]]]], dtype=float32)
    """
    called = "local_response_normalization"
    depth_radius = as_integer(depth_radius, f"{called}: depth_radius", 0)
    bias, alpha, beta = (
        as_number(value, f"{called}: {what}")
        for what, value in (("bias", bias), ("alpha", alpha), ("beta", beta))
    )
    x, name = (
        as_operand(operand, None, "LocalResponseNormalization"),
        as_name(name, "LocalResponseNormalization"),
    )
    inner = Variable.make(VariableKind.Placeholder, x.type_)
    width = 2 * int(depth_radius) + 1
    dtype = x.type_.dtype or np.dtype(np.float32)
    channels = x.shape[0] if x.shape else -1
    # The original's window is never wider than the operand.
    within = min(width, channels) if channels > 0 else width
    kernel = Constant(np.full((1, within, 1, 1), alpha / width), dtype=dtype)
    # Channels become a spatial axis of their own, along which a kernel adds up squares.
    squares = reshape(element_times(inner, inner), (1, InferredDimension), 0, 1)
    sums = reshape(convolution(kernel, squares), (InferredDimension,), 0, 2)
    power = exp(
        element_times(Constant(beta, dtype=dtype), log(plus(Constant(bias, dtype=dtype), sums)))
    )
    details = {
        "depthRadius": int(depth_radius),
        "bias": float(bias),
        "alpha": float(alpha),
        "beta": float(beta),
    }
    root = element_divide(inner, power)
    return make_block(root, [(inner, x)], "LocalResponseNormalization", name, details=details)
