"""RMSProp with a step size for each element, which grows while the gradient keeps its sign."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from cntk._arguments import as_real
from cntk.errors import SettingError
from cntk.learners.base import Learner
from cntk.learners.options import LearningOptions, flag, learning_options
from cntk.learners.schedules import TrainingParameterSchedule

__all__ = ["RMSProp", "rmsprop"]


_FLOOR = 9.999999974752427e-07  # 1e-6 in single precision, as the original has it
_FIRST_STEP = 0.02
# Without a limit a step could grow to infinity, and the mean that all are divided by with it:
# nothing would be a number.
_LARGEST_STEP = 1e30


class RMSProp(Learner, inner=True):
    """``v = gamma * v + (1 - gamma) * g**2; p -= rate * step * g / sqrt(v)``, divided by the mean
    factor if averaged.

    A step is multiplied by ``inc``, up to ``max``, where the gradient has the sign that it had
    before, else by ``dec``, down to ``min``.
    """

    kind = "rmsprop"
    states = ("variance", "sign", "step")
    normalizes = True
    counts = True

    def __init__(
        self,
        parameters: Sequence[Any],
        learning_rate: TrainingParameterSchedule,
        gamma: float,
        inc: float,
        dec: float,
        max: float,
        min: float,
        need_ave_multiplier: bool,
        options: LearningOptions,
    ) -> None:
        super().__init__(parameters, learning_rate, options)
        gamma, inc, dec = (
            as_real(v, f"rmsprop: {n}", finite=False)
            for n, v in (("gamma", gamma), ("inc", inc), ("dec", dec))
        )
        max, min = (
            as_real(v, f"rmsprop: {n}", finite=False) for n, v in (("max", max), ("min", min))
        )
        for name, value, holds, expected in (
            ("gamma", gamma, 0 < gamma < 1, "between 0 and 1"),
            ("inc", inc, inc > 1, "above 1"),
            ("dec", dec, 0 < dec < 1, "between 0 and 1"),
            ("max", max, max > 0 and max > min, "above 0 and above min"),
            ("min", min, min > 0, "above 0"),
        ):
            if not holds:
                raise SettingError(f"rmsprop: expected {name} {expected}, got {value}")
        self.gamma, self.inc, self.dec, self.max, self.min = gamma, inc, dec, max, min
        self.need_ave_multiplier = flag("rmsprop", "need_ave_multiplier", need_ave_multiplier)

    def rule(
        self, leaves: list[Tensor], gradients: list[Tensor], rate: float, samples: int
    ) -> None:
        """See `Learner.rule`."""
        variance, sign, step = (
            self.state("variance"),
            self.state("sign"),
            self.state("step"),
        )
        if self.smoothed_count == 0:
            for mean, first, gradient in zip(variance, step, gradients, strict=True):
                torch.mul(gradient, gradient, out=mean)
                first.fill_(_FIRST_STEP)
        self.smoothed_count += 1
        gamma = self._decay(self.gamma)
        torch._foreach_mul_(variance, gamma)
        torch._foreach_addcmul_(variance, gradients, gradients, value=1 - gamma)
        size = torch._foreach_add(variance, _FLOOR)
        torch._foreach_sqrt_(size)
        largest = min(self.max, _LARGEST_STEP)
        for before, now, gradient in zip(sign, step, gradients, strict=True):
            same = (before * gradient) > 0
            longer, shorter = (
                (now * self.inc).clamp_max_(largest),
                (now * self.dec).clamp_min_(self.min),
            )
            torch.where(same, longer, shorter, out=now)
            torch.sign(gradient, out=before)
        factor = torch._foreach_div(step, size)
        if self.need_ave_multiplier:
            torch._foreach_div_(factor, [each.mean() for each in factor])
        torch._foreach_addcmul_(leaves, gradients, factor, value=-rate)


def rmsprop(
    parameters: Sequence[Any],
    lr: Any,
    gamma: float,
    inc: float,
    dec: float,
    max: float,
    min: float,
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
    """RMSProp with adapted step sizes.

    T. Tieleman, G. Hinton: "Lecture 6.5: rmsprop", COURSERA: Neural networks for machine learning,
    2012.

    Args:
        gamma: decay of the running mean of squared gradients, in (0, 1).
        inc: factor of an element's step while its gradient keeps its sign; above 1.
        dec: factor of the step when the sign changes; in (0, 1).
        max: largest step.
        min: smallest step.
        need_ave_multiplier: whether each parameter's step is divided by the mean of its elements'
            factors, so that the rate keeps its meaning in the course of training.

    The other arguments, and errors: see `sgd`.

    Returns:
        The learner, for a `Trainer`.

    Example:
        >>> import cntk as C
        >>> import numpy as np
        >>> w = C.parameter((2,), init=1)
        >>> learner = C.rmsprop([w], 0.1, gamma=0.9, inc=1.2, dec=0.5, max=10, min=1e-3)
        >>> learner.update({w: np.array([1.0, -2.0])}, 1)
        True
        >>> w.value
        array([0.8666667, 1.1333333], dtype=float32)
    """
    options = learning_options(
        "rmsprop",
        (l1_regularization_weight, l2_regularization_weight, gaussian_noise_injection_std_dev),
        (gradient_clipping_threshold_per_sample, gradient_clipping_with_truncation),
        (use_mean_gradient, minibatch_size, epoch_size),
    )
    rate = options.rate(lr)
    return RMSProp(parameters, rate, gamma, inc, dec, max, min, need_ave_multiplier, options)
