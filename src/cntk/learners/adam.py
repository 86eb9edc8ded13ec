"""Adam and AdaMax: rates adapted by running moments of the gradient, corrected for their start at
0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from cntk._arguments import as_real
from cntk.learners.base import Learner
from cntk.learners.options import LearningOptions, flag, learning_options
from cntk.learners.scalars import power, quotient, root
from cntk.learners.schedules import SLOW_VARIANCE_MOMENTUM, TrainingParameterSchedule
from cntk.learners.state import match_strides

__all__ = ["Adam", "adam"]


class Adam(Learner, inner=True):
    """``v = b * v + (1 - b) * g**2; m = a * m + (1 - a) * g; p -= rate * c * m / (sqrt(v) +
    epsilon)``.

    AdaMax has ``v = max(b * v, |g|)`` instead, and ``v`` for its square root. The correction c
    makes up for moments that begin at 0; as in the original it uses the decays of the minibatch at
    hand for all those before it.
    """

    kind = "adam"
    spare_copies = 2
    states = ("variance", "mean")
    normalizes = True
    counts = True

    def __init__(
        self,
        parameters: Sequence[Any],
        learning_rate: TrainingParameterSchedule,
        momentum: TrainingParameterSchedule,
        unit_gain: bool,
        variance_momentum: TrainingParameterSchedule,
        epsilon: float,
        adamax: bool,
        options: LearningOptions,
    ) -> None:
        super().__init__(parameters, learning_rate, options)
        self.momentum = momentum
        self.variance_momentum = variance_momentum
        self.unit_gain = flag("adam", "unit_gain", unit_gain)
        self.adamax = flag("adam", "adamax", adamax)
        self.epsilon = as_real(epsilon, "adam: epsilon", least=0, finite=False)

    def rule(
        self, leaves: list[Tensor], gradients: list[Tensor], rate: float, samples: int
    ) -> None:
        """See `Learner.rule`."""
        self.smoothed_count += 1
        momentum = self._momentum(self.momentum, samples)
        decay = self._momentum(self.variance_momentum, samples)
        rate = quotient(rate, _share(momentum, self.smoothed_count))
        if not self.adamax:
            rate *= root(_share(decay, self.smoothed_count))
        momentum, decay = self._decay(momentum), self._decay(decay)
        # The fused kernel makes corrections of its own, which must be numbers.
        correctable = 0 <= momentum < 1 and 0 <= decay < 1
        if self.unit_gain and self.fusible and not self.adamax and correctable:
            self._fused(leaves, gradients, rate, momentum, decay)
            return
        mean, variance = self.state("mean"), self.state("variance")
        torch._foreach_mul_(mean, momentum)
        torch._foreach_add_(mean, gradients, alpha=1 - momentum if self.unit_gain else 1)
        torch._foreach_mul_(variance, decay)
        if self.adamax:
            torch._foreach_maximum_(variance, torch._foreach_abs(gradients))
            size = torch._foreach_add(variance, self.epsilon)
        else:
            torch._foreach_addcmul_(variance, gradients, gradients, value=1 - decay)
            size = torch._foreach_sqrt(variance)
            torch._foreach_add_(size, self.epsilon)
        torch._foreach_addcdiv_(leaves, mean, size, value=-rate)

    def _fused(
        self,
        leaves: list[Tensor],
        gradients: list[Tensor],
        rate: float,
        momentum: float,
        decay: float,
    ) -> None:
        """All in one pass over memory, by a kernel that makes its own correction: it is taken out
        of the rate first.
        """
        count = torch.full((), self.smoothed_count, dtype=torch.float32, device=leaves[0].device)
        correction = math.sqrt(_share(decay, self.smoothed_count))
        torch._fused_adam_(
            leaves,
            list(map(match_strides, leaves, gradients)),
            self.state("mean"),
            self.state("variance"),
            [],
            [count] * len(leaves),
            lr=rate * _share(momentum, self.smoothed_count) / correction,
            beta1=momentum,
            beta2=decay,
            weight_decay=0.0,
            eps=self.epsilon / correction,
            amsgrad=False,
            maximize=False,
        )


def _share(decay: float, count: float) -> float:
    """Compute how much of a running mean that began at 0 is filled after ``count`` steps."""
    return 1 - power(decay, count)


def adam(
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
    epsilon: float = 1e-8,
    adamax: bool = False,
    minibatch_size: int | None = None,
    epoch_size: int | None = None,
) -> Learner:
    """Adam, or its variant AdaMax.

    D. P. Kingma, J. Ba: "Adam: A method for stochastic optimization", ICLR 2015.

    Args:
        variance_momentum: decay of the running mean of squared gradients; as ``momentum``.
        epsilon: added to the root of the running mean of squares.
        adamax: whether the largest gradient of late takes the place of that root.

    The other arguments, and errors: see `momentum_sgd` and `sgd`.

    Returns:
        The learner, for a `Trainer`.

    Example:
        >>> import cntk as C
        >>> import numpy as np
        >>> w = C.parameter((2,), init=1)
        >>> learner = C.adam([w], lr=0.1, momentum=0.9, variance_momentum=0.99)
        >>> learner.update({w: np.array([1.0, -2.0])}, 1)
        True
        >>> w.value
        array([0.9, 1.1], dtype=float32)
    """
    options = learning_options(
        "adam",
        (l1_regularization_weight, l2_regularization_weight, gaussian_noise_injection_std_dev),
        (gradient_clipping_threshold_per_sample, gradient_clipping_with_truncation),
        (use_mean_gradient, minibatch_size, epoch_size),
    )
    return Adam(
        parameters,
        options.rate(lr),
        options.schedule("momentum", momentum),
        unit_gain,
        options.schedule("variance_momentum", variance_momentum),
        epsilon,
        adamax,
        options,
    )
