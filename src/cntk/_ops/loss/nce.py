"""Noise contrastive estimation: training of a softmax over very many classes with a few random
classes.
"""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np

from cntk._arguments import as_bool, as_integer, shown
from cntk._graph.composite import Composite
from cntk._graph.types import DType
from cntk._graph.variable import Variable
from cntk._ops.math.arithmetic import ElementTimes, LogPlus, Minus, Plus
from cntk._ops.math.reduction import ReduceElements
from cntk._ops.math.times import Times, TransposeTimes
from cntk._ops.random.sampling import random_sample, random_sample_inclusion_frequency
from cntk._ops.shape.reshape import Reshape
from cntk._ops.support.composite_op import compose
from cntk._ops.support.operands import apply, as_operands
from cntk._runtime.random.seeds import SentinelValueForAutoSelectRandomSeed
from cntk._wording import shape_text
from cntk.axis import Axis
from cntk.errors import ArgumentError, GraphError, SettingError
from cntk.variables import Constant, Parameter

__all__ = ["nce_loss"]

_SMALLEST = 1.10037379e-37  # what the original's logarithm takes 0 for


def nce_loss(
    weights: Any,
    biases: Any,
    inputs: Any,
    labels: Any,
    noise_distribution: Any,
    num_samples: int = 32,
    allow_duplicates: bool = True,
    seed: int = SentinelValueForAutoSelectRandomSeed,
    name: str = "",
) -> Composite:
    """Compute noise contrastive estimation, a loss instead of cross entropy with softmax where
    there are very many classes.

    It asks to tell the label from `num_samples` classes that are drawn at random, others at each
    evaluation and the same for all samples of the minibatch. Only their rows of the weights take
    part, and have a gradient.

    M. Gutmann, A. Hyvarinen: "Noise-contrastive estimation: A new estimation principle for
    unnormalized statistical models" (2010); A. Mnih, Y. W. Teh: "A fast and simple algorithm for
    training neural probabilistic language models" (2012).

    Args:
        weights: a parameter ``[classes x n]``; n may be inferred.
        biases: a parameter ``[classes x 1]``.
        inputs: what the output layer is given, an operand ``[n]``.
        labels: one-hot rows ``[classes]`` on the same dynamic axes, best sparse.
        noise_distribution: a vector ``[classes]`` of numbers, 0 or more, by which classes are
            drawn: usually how often each occurs in the data. An array, a list or a constant.
        num_samples: how many classes are drawn.
        allow_duplicates: whether a class may be drawn more than once.
        seed: seed of the random numbers; chosen if not given.
        name: its name in the graph.

    Returns:
        A function whose output is a number for each sample.

    Raises:
        GraphError: if shapes or dynamic axes do not fit.
        ValueError: if nothing can be drawn by the noise distribution.

    Example:
        >>> import cntk as C
        >>> x, y = C.input_variable(2), C.input_variable(4, is_sparse=True)
        >>> weights, biases = C.parameter((4, 2), init=0.5), C.parameter((4, 1), init=-1)
        >>> loss = nce_loss(weights, biases, x, y, [4, 3, 2, 1], num_samples=2, seed=1)
        >>> loss.eval({x: [[1, 2], [0, 1]], y: C.Value.one_hot([2, 0], 4)}).shape
        (2,)
    """
    w, b, x, y = as_operands((weights, biases, inputs, labels), "nce_loss")
    dtype = next(
        (v.type_.dtype for v in (x, w, b) if v.type_.dtype is not None), np.dtype(np.float32)
    )
    noise = _noise(noise_distribution, dtype)
    _check_shapes(w, b, x, y, len(noise))
    if not isinstance(num_samples, Integral) or num_samples <= 0:
        raise SettingError(
            f"nce_loss: num_samples must be an integer above 0, got {shown(num_samples)}"
        )
    allow_duplicates = as_bool(allow_duplicates, "nce_loss: allow_duplicates")
    draws = (
        num_samples,
        allow_duplicates,
        as_integer(seed, "nce_loss: seed", least=0, most=2**64 - 1),
    )
    if x.type_.has_shape and isinstance(w, Parameter):
        w.refine(w.type_.with_shape((len(noise), x.shape[0])))  # the products within would not tell
    shares = Constant(noise, dtype=dtype, name="noise")
    expected = random_sample_inclusion_frequency(shares, *draws).eval()
    log_prior = np.log(np.maximum(noise * num_samples, _SMALLEST))
    prior = Constant(log_prior.reshape(-1, 1), dtype=dtype, name="logNoisePrior")
    entropy = Constant(
        num_samples * (noise * log_prior).sum(), dtype=dtype, name="noisePriorEntropy"
    )
    importance = np.divide(noise, expected, out=np.zeros_like(noise), where=expected > 0)
    importances = Constant(importance, dtype=dtype, name="importanceWeights")
    negatives = random_sample(shares, *draws, name="negativeSamples")

    def build(x: Variable, y: Variable) -> Composite:
        positive = _positive_logits(w, b, x, y)
        known = _number(apply(Times(), (y, prior)))
        on_positives = apply(
            Minus(), (apply(LogPlus(), (positive, known)), positive), "lossOnPositives"
        )
        scale = apply(TransposeTimes(), (importances, negatives), "sampledImportanceWeights")
        logits = _negative_logits(w, b, x, negatives)
        losses = apply(LogPlus(), (logits, _vector(apply(Times(), (negatives, prior)))))
        mean = _sum(apply(ElementTimes(), (scale, losses)))
        on_negatives = apply(
            Minus(), (apply(ElementTimes(), (Constant(num_samples, dtype=dtype), mean)), entropy)
        )
        return apply(Plus(), (on_positives, on_negatives))

    return compose("NCE", (x, y), build, name)


def _positive_logits(w: Variable, b: Variable, x: Variable, y: Variable) -> Composite:
    product = _sum(apply(ElementTimes(), (x, apply(Times(), (y, w), "positiveWeights"))))
    return apply(
        Plus(), (product, _number(apply(Times(), (y, b), "positiveBiases"))), "positiveLogits"
    )


def _negative_logits(w: Variable, b: Variable, x: Variable, negatives: Composite) -> Composite:
    products = apply(TransposeTimes(), (x, apply(Times(), (negatives, w), "negativeWeights")))
    return apply(
        Plus(),
        (products, _vector(apply(Times(), (negatives, b), "negativeBiases"))),
        "negativeLogits",
    )


def _sum(x: Composite) -> Composite:
    return apply(ReduceElements("Sum", False, Axis.all_static_axes()), (x,))


def _number(x: Composite) -> Composite:
    """Reshape ``[1]`` to a scalar."""
    return apply(Reshape(()), (x,))


def _vector(x: Composite) -> Composite:
    """Reshape ``[n x 1]`` to a vector."""
    return apply(Reshape((-1,)), (x,))


def _noise(distribution: Any, dtype: DType) -> np.ndarray:
    """Return the noise distribution as probabilities."""
    if isinstance(distribution, Parameter):
        raise TypeError(
            "nce_loss: noise_distribution must be an array or a constant, since the loss is made "
            "for its values; give the parameter's `value`"
        )
    try:
        values = np.asarray(
            distribution.value if isinstance(distribution, Constant) else distribution, dtype
        )
    except (TypeError, ValueError):
        raise ArgumentError(
            f"nce_loss: noise_distribution must be a vector of numbers, got {shown(distribution)}"
        ) from None
    if values.ndim != 1:
        raise GraphError(
            f"nce_loss: noise_distribution must be a vector, got {shape_text(values.shape)}"
        )
    if not np.isfinite(values).all() or (values < 0).any() or not (values > 0).any():
        raise ValueError(
            "nce_loss: noise_distribution must hold finite numbers, 0 or more, and one above 0"
        )
    return values / values.sum()  # type: ignore[no-any-return]


def _check_shapes(w: Variable, b: Variable, x: Variable, y: Variable, classes: int) -> None:
    """Raise an error that names the operand that does not fit."""
    expected = {
        "weights": (classes, None),
        "biases": (classes, 1),
        "labels": (classes,),
        "inputs": (None,),
    }
    for (role, dims), variable in zip(expected.items(), (w, b, y, x), strict=True):
        if not variable.type_.has_shape:
            continue
        shape = variable.shape
        fits = len(shape) == len(dims) and all(
            d is None or s < 0 or s == d for s, d in zip(shape, dims, strict=True)
        )
        if not fits:
            expected_text = shape_text(-1 if d is None else d for d in dims)
            raise GraphError(
                f"nce_loss: {role} must be {expected_text} with the {classes} classes of "
                f"noise_distribution, got {shape_text(shape)}"
            )
    if (
        w.type_.has_shape
        and x.type_.has_shape
        and min(w.shape[1], x.shape[0]) >= 0
        and w.shape[1] != x.shape[0]
    ):
        raise GraphError(
            f"nce_loss: weights have {w.shape[1]} numbers for each class, and inputs {x.shape[0]}; "
            f"they must agree"
        )
