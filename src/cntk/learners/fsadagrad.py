"""FSAdaGrad: momentum on gradients that are scaled to an even size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from cntk.learners.base import Learner
from cntk.learners.options import LearningOptions, flag, learning_options
from cntk.learners.scalars import root
from cntk.learners.schedules import SLOW_VARIANCE_MOMENTUM, TrainingParameterSchedule

__all__ = ["FSAdaGrad", "fsadagrad"]


_LARGEST_SCALE = 10.0


class FSAdaGrad(Learner, inner=True):
    """``v = b * v + (1 - b) * g**2; s = m * s + u * g * sqrt(n / v); p -= rate * s``.

    Without a momentum s is left as it is, and the gradient takes its place. Here n is the running
    mean of minibatch sizes with the same decay b, and a scale above 10 counts as 10.
    """

    kind = "fsadagrad"
    spare_copies = 2
    states = ("variance", "velocity")
    normalizes = True
    counts = True

    def __init__(
        self,
        parameters: Sequence[Any],
        learning_rate: TrainingParameterSchedule,
        momentum: TrainingParameterSchedule,
        unit_gain: bool,
        variance_momentum: TrainingParameterSchedule,
        options: LearningOptions,
    ) -> None:
        super().__init__(parameters, learning_rate, options)
        self.momentum = momentum
        self.variance_momentum = variance_momentum
        self.unit_gain = flag("fsadagrad", "unit_gain", unit_gain)

    def rule(
        self, leaves: list[Tensor], gradients: list[Tensor], rate: float, samples: int
    ) -> None:
        """See `Learner.rule`."""
        momentum = self._decay(self._momentum(self.momentum, samples))
        decay = self._momentum(self.variance_momentum, samples)
        self.smoothed_count = decay * self.smoothed_count + (1 - decay) * samples
        size = root(self.smoothed_count)
        decay = self._decay(decay)
        variance, velocity = self.state("variance"), self.state("velocity")
        torch._foreach_mul_(variance, decay)
        torch._foreach_addcmul_(variance, gradients, gradients, value=1 - decay)
        scale = torch._foreach_sqrt(variance)
        torch._foreach_reciprocal_(scale)
        torch._foreach_mul_(scale, size)
        torch._foreach_clamp_max_(scale, _LARGEST_SCALE)
        if not 0 <= decay < 1:  # where the variance is 0 for all that, gradients stay as they are
            scale = tuple(torch.where(v == 0, 1.0, s) for v, s in zip(variance, scale, strict=True))
        if not momentum > 0:
            torch._foreach_addcmul_(leaves, gradients, scale, value=-rate)
            return
        torch._foreach_mul_(velocity, momentum)
        torch._foreach_addcmul_(
            velocity, gradients, scale, value=1 - momentum if self.unit_gain else 1
        )
        torch._foreach_add_(leaves, velocity, alpha=-rate)


def fsadagrad(
    parameters: Sequence[Any],
    lr: Any,
    momentum: Any,
    unit_gain: bool = True,
    variance_momentum: Any = SLOW_VARIANCE_MOMENTUM,
    l1_regularization_weight: float = 0.0,
    l2_regularization_weight: float = 0.0,
    gaussian_noise_injection_std_dev: Any = 0.0,
    gradient_clipping_threshold_per_sample: float = math.inf,
    gradient_clipping_with_truncation: bool = True,
    use_mean_gradient: bool | None = None,
    minibatch_size: int | None = None,
    epoch_size: int | None = None,
) -> Learner:
    """FSAdaGrad, the speech group's variant of AdaGrad with momentum.

    Its scaling is that of J. Duchi, E. Hazan, Y. Singer: "Adaptive subgradient methods for online
    learning and stochastic optimization", JMLR 12, 2011, on a running mean.

    Args:
        variance_momentum: decay of the running mean of squared gradients; as ``momentum``.

    The other arguments, and errors: see `momentum_sgd` and `sgd`.

    Returns:
        The learner, for a `Trainer`.

    Example:
        >>> import cntk as C
        >>> import numpy as np
        >>> w = C.parameter((2,), init=1)
        >>> learner = C.fsadagrad([w], lr=0.1, momentum=0.9)
        >>> learner.update({w: np.array([1.0, -2.0])}, 1)
        True
        >>> w.value
        array([0.99, 1.01], dtype=float32)
    """
    options = learning_options(
        "fsadagrad",
        (l1_regularization_weight, l2_regularization_weight, gaussian_noise_injection_std_dev),
        (gradient_clipping_threshold_per_sample, gradient_clipping_with_truncation),
        (use_mean_gradient, minibatch_size, epoch_size),
    )
    return FSAdaGrad(
        parameters,
        options.rate(lr),
        options.schedule("momentum", momentum),
        unit_gain,
        options.schedule("variance_momentum", variance_momentum),
        options,
    )
