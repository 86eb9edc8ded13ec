"""AdaGrad: rates that shrink with the squares of the gradients so far."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from cntk.learners.base import Learner
from cntk.learners.options import LearningOptions, flag, learning_options
from cntk.learners.schedules import TrainingParameterSchedule

__all__ = ["AdaGrad", "adagrad"]


_FLOOR = 1.0000000168623835e-16  # 1e-16 in single precision, as the original has it


class AdaGrad(Learner, inner=True):
    """``h += g**2; p -= rate * g / sqrt(h)``, divided by the mean of ``1 / sqrt(h)`` if averaged.

    Rows that a sparse gradient does not have are left alone, and out of that mean.
    """

    kind = "adagrad"
    states = ("squares",)
    normalizes = True
    takes_sparse = True

    def __init__(
        self,
        parameters: Sequence[Any],
        learning_rate: TrainingParameterSchedule,
        need_ave_multiplier: bool,
        options: LearningOptions,
    ) -> None:
        super().__init__(parameters, learning_rate, options)
        self.need_ave_multiplier = flag("adagrad", "need_ave_multiplier", need_ave_multiplier)

    def rule(
        self, leaves: list[Tensor], gradients: list[Tensor], rate: float, samples: int
    ) -> None:
        """See `Learner.rule`."""
        squares = self.state("squares")
        if any(gradient.is_sparse for gradient in gradients):
            for leaf, sums, gradient in zip(leaves, squares, gradients, strict=True):
                if gradient.is_sparse:
                    self._update_rows(leaf, sums, gradient.coalesce(), rate)
                else:
                    self._update([leaf], [sums], [gradient], rate)
        else:
            self._update(leaves, squares, gradients, rate)

    def _update(
        self, leaves: list[Tensor], squares: list[Tensor], gradients: list[Tensor], rate: float
    ) -> None:
        torch._foreach_addcmul_(squares, gradients, gradients)
        size = torch._foreach_add(squares, _FLOOR)
        torch._foreach_sqrt_(size)
        if self.need_ave_multiplier:
            torch._foreach_mul_(size, [each.reciprocal().mean() for each in size])
        torch._foreach_addcdiv_(leaves, gradients, size, value=-rate)

    def _update_rows(self, leaf: Tensor, squares: Tensor, gradient: Tensor, rate: float) -> None:
        rows, values = gradient.indices()[0], gradient.values()
        sums = squares[rows]
        step = torch.zeros_like(values)
        self._update([step], [sums], [values], rate)
        squares[rows] = sums
        leaf.index_add_(0, rows, step)


def adagrad(
    parameters: Sequence[Any],
    lr: Any,
    need_ave_multiplier: bool = True,
    l1_regularization_weight: float = 0.0,
    l2_regularization_weight: float = 0.0,
    gaussian_noise_injection_std_dev: Any = 0.0,
    gradient_clipping_threshold_per_sample: float = math.inf,
    gradient_clipping_with_truncation: bool = True,
    use_mean_gradient: bool | None = None,
    minibatch_size: int | None = None,
    epoch_size: int | None = None,
) -> Learner:
    """AdaGrad.

    J. Duchi, E. Hazan, Y. Singer: "Adaptive subgradient methods for online learning and stochastic
    optimization", JMLR 12, 2011.

    Args:
        need_ave_multiplier: whether each parameter's step is divided by the mean of its elements'
            factors, so that the rate keeps its meaning in the course of training.

    The other arguments, and errors: see `sgd`.

    Returns:
        The learner, for a `Trainer`.

    Example:
        >>> import cntk as C
        >>> import numpy as np
        >>> w = C.parameter((2,), init=1)
        >>> learner = C.adagrad([w], lr=0.1, need_ave_multiplier=False)
        >>> learner.update({w: np.array([1.0, -2.0])}, 1)
        True
        >>> w.value
        array([0.9, 1.1], dtype=float32)
    """
    options = learning_options(
        "adagrad",
        (l1_regularization_weight, l2_regularization_weight, gaussian_noise_injection_std_dev),
        (gradient_clipping_threshold_per_sample, gradient_clipping_with_truncation),
        (use_mean_gradient, minibatch_size, epoch_size),
    )
    return AdaGrad(parameters, options.rate(lr), need_ave_multiplier, options)
