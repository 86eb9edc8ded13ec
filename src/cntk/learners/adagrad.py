"""AdaGrad: rates that shrink with the squares of the gradients so far."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from cntk.learners.base import Learner
from cntk.learners.options import LearningOptions, flag, learning_options, rate_schedule
from cntk.learners.schedules import TrainingParameterSchedule

_FLOOR = 1.0000000168623835e-16  # 1e-16 in single precision, as the original has it


class AdaGrad(Learner, inner=True):
    """``h += g**2; p -= rate * g / sqrt(h)``, divided by the mean of ``1 / sqrt(h)`` if averaged.

    Rows that a sparse gradient does not have are left alone, and out of that mean.
    """

    kind = "adagrad"
    slots = ("squares",)
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
        squares = self.slot("squares")
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
        moved = torch.zeros_like(values)
        self._update([moved], [sums], [values], rate)
        squares[rows] = sums
        leaf.index_add_(0, rows, moved)


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
        parameters: list of the parameters to change, such as ``model.parameters``.
        lr: learning rate: a number, a list, or a schedule; see `learning_parameter_schedule`.
        need_ave_multiplier: whether each parameter's step is divided by the mean of its elements'
            factors, so that the rate keeps its meaning in the course of training.
        l1_regularization_weight: pulls parameters towards 0 by this much of the rate, per sample.
        l2_regularization_weight: adds this much of the parameter to its gradient, per sample.
        gaussian_noise_injection_std_dev: standard deviation of normal noise added to the parameters
            after each update: a number, a list, or a schedule.
        gradient_clipping_threshold_per_sample: largest gradient per sample.
        gradient_clipping_with_truncation: whether each element is clipped, or else each parameter's
            gradient scaled down to that Euclidean norm.
        use_mean_gradient: as older programs have it: True is ``minibatch_size=IGNORE``.
        minibatch_size: reference minibatch size of rates and momenta that state none; with `IGNORE`
            the mean gradient is seen.
        epoch_size: number of samples an epoch of a list given as rate or momentum; sweeps unless
            given.

    Returns:
        The learner, for a `Trainer`.

    Raises:
        TypeError: if ``parameters`` are none.
        ValueError: for an empty list of parameters, or a rate that is no schedule.

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
        l1_regularization_weight,
        l2_regularization_weight,
        gaussian_noise_injection_std_dev,
        gradient_clipping_threshold_per_sample,
        gradient_clipping_with_truncation,
        use_mean_gradient,
        minibatch_size,
    )
    rate = rate_schedule("adagrad", lr, options, epoch_size)
    return AdaGrad(parameters, rate, need_ave_multiplier, options)
