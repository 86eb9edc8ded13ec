"""AdaDelta: steps of the size of earlier steps, in units of the parameter."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from cntk._arguments import as_real
from cntk.learners.base import Learner
from cntk.learners.options import LearningOptions, learning_options
from cntk.learners.schedules import (
    TrainingParameterSchedule,
    learning_parameter_schedule_per_sample,
)

__all__ = ["AdaDelta", "adadelta"]


_RATE_ONE = learning_parameter_schedule_per_sample(1)


class AdaDelta(Learner, inner=True):
    """``v = r * v + (1 - r) * g**2; d = g * sqrt((w + e) / (v + e)); w = r * w + (1 - r) * d**2; p
    -= rate * d``.
    """

    kind = "adadelta"
    states = ("gradient_squares", "step_squares")
    normalizes = True

    def __init__(
        self,
        parameters: Sequence[Any],
        learning_rate: TrainingParameterSchedule,
        rho: float,
        epsilon: float,
        options: LearningOptions,
    ) -> None:
        super().__init__(parameters, learning_rate, options)
        self.rho = as_real(rho, "adadelta: rho", finite=False)
        self.epsilon = as_real(epsilon, "adadelta: epsilon", finite=False)

    def rule(
        self, leaves: list[Tensor], gradients: list[Tensor], rate: float, samples: int
    ) -> None:
        """See `Learner.rule`."""
        squares, steps = (
            self.state("gradient_squares"),
            self.state("step_squares"),
        )
        rho = self._decay(self.rho)
        torch._foreach_mul_(squares, rho)
        torch._foreach_addcmul_(squares, gradients, gradients, value=1 - rho)
        step = torch._foreach_add(steps, self.epsilon)
        torch._foreach_div_(step, torch._foreach_add(squares, self.epsilon))
        torch._foreach_sqrt_(step)
        torch._foreach_mul_(step, gradients)
        torch._foreach_mul_(steps, rho)
        torch._foreach_addcmul_(steps, step, step, value=1 - rho)
        torch._foreach_add_(leaves, step, alpha=-rate)


def adadelta(
    parameters: Sequence[Any],
    lr: Any = _RATE_ONE,
    rho: float = 0.95,
    epsilon: float = 1e-8,
    l1_regularization_weight: float = 0.0,
    l2_regularization_weight: float = 0.0,
    gaussian_noise_injection_std_dev: Any = 0.0,
    gradient_clipping_threshold_per_sample: float = math.inf,
    gradient_clipping_with_truncation: bool = True,
    use_mean_gradient: bool | None = None,
    minibatch_size: int | None = None,
    epoch_size: int | None = None,
) -> Learner:
    """AdaDelta.

    M. D. Zeiler: "ADADELTA: An adaptive learning rate method", arXiv:1212.5701, 2012.

    Args:
        rho: decay of the running means of squares.
        epsilon: added to these means.

    The other arguments, and errors: see `sgd`.

    Returns:
        The learner, for a `Trainer`.

    Example:
        >>> import cntk as C
        >>> import numpy as np
        >>> w = C.parameter((2,), init=1)
        >>> learner = C.adadelta([w], epsilon=1e-4)
        >>> learner.update({w: np.array([1.0, -2.0])}, 1)
        True
        >>> w.value
        array([0.9553233, 1.0447102], dtype=float32)
    """
    options = learning_options(
        "adadelta",
        (l1_regularization_weight, l2_regularization_weight, gaussian_noise_injection_std_dev),
        (gradient_clipping_threshold_per_sample, gradient_clipping_with_truncation),
        (use_mean_gradient, minibatch_size, epoch_size),
    )
    return AdaDelta(parameters, options.rate(lr), rho, epsilon, options)
