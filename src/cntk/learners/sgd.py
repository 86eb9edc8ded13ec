"""Stochastic gradient descent, plain, with momentum, and with Nesterov's momentum."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from cntk.learners.base import Learner
from cntk.learners.options import LearningOptions, flag, learning_options
from cntk.learners.schedules import TrainingParameterSchedule
from cntk.learners.state import match_strides

__all__ = ["MomentumSGD", "Nesterov", "SGD", "momentum_sgd", "nesterov", "sgd"]


# What is left of the gradient by 1 - dampening would lose digits below.
_SMALLEST_GAIN = 1e-7


class SGD(Learner, inner=True):
    """``p -= rate * g``."""

    kind = "sgd"
    subtracts = True
    takes_sparse = True

    def rule(
        self, leaves: list[Tensor], gradients: list[Tensor], rate: float, samples: int
    ) -> None:
        """See `Learner.rule`; of sparse gradients only the rows present are touched."""
        torch._foreach_add_(leaves, gradients, alpha=-rate)


class _WithMomentum(Learner, inner=True):
    """``s = m * s + u * rate * g``, where u is 1 - m with unit gain, else 1."""

    states = ("velocity",)

    def __init__(
        self,
        parameters: Sequence[Any],
        learning_rate: TrainingParameterSchedule,
        momentum: TrainingParameterSchedule,
        unit_gain: bool,
        options: LearningOptions,
    ) -> None:
        super().__init__(parameters, learning_rate, options)
        self.momentum = momentum
        self.unit_gain = flag(self.kind, "unit_gain", unit_gain)


class MomentumSGD(_WithMomentum, inner=True):
    """``p -= s``. Rows that a sparse gradient does not have keep their s and their value.

    As in the original, s of a sparse gradient's rows is that of a rate of 1, ``p -= rate * s``:
    another rate, or size of the minibatch, holds for what was gathered before as well. It is left
    as it is where the momentum is 0.
    """

    kind = "momentum_sgd"
    spare_copies = 2
    takes_sparse = True

    def report(self) -> None:
        """See `Learner.report`; tells of the momentum as well."""
        super().report()
        if self.learning_rate():
            self._report("Momentum", self.momentum)

    def rule(
        self, leaves: list[Tensor], gradients: list[Tensor], rate: float, samples: int
    ) -> None:
        """See `Learner.rule`."""
        momentum = self._decay(self._momentum(self.momentum, samples))
        share = 1 - momentum if self.unit_gain else 1
        gain = share * rate
        velocity = self.state("velocity")
        if any(gradient.is_sparse for gradient in gradients):
            for leaf, moving, gradient in zip(leaves, velocity, gradients, strict=True):
                if gradient.is_sparse:
                    _move_rows(leaf, moving, gradient.coalesce(), momentum, share, rate)
                else:
                    leaf.sub_(moving.mul_(momentum).add_(gradient, alpha=gain))
        elif self.fusible and momentum and gain > _SMALLEST_GAIN:
            # As a step of rate 1 whose dampening leaves the gain of the gradient: s and p in one
            # pass over memory.
            torch._fused_sgd_(
                leaves,
                list(map(match_strides, leaves, gradients)),
                velocity,
                weight_decay=0.0,
                momentum=momentum,
                lr=1.0,
                dampening=1 - gain,
                nesterov=False,
                maximize=False,
                is_first_step=False,
            )
        else:
            torch._foreach_mul_(velocity, momentum)
            torch._foreach_add_(velocity, gradients, alpha=gain)
            torch._foreach_sub_(leaves, velocity)


class Nesterov(_WithMomentum, inner=True):
    """``p -= m * s + u * rate * g``."""

    kind = "nesterov"
    spare_copies = 2

    def rule(
        self, leaves: list[Tensor], gradients: list[Tensor], rate: float, samples: int
    ) -> None:
        """See `Learner.rule`."""
        momentum = self._decay(self._momentum(self.momentum, samples))
        gain = (1 - momentum if self.unit_gain else 1) * rate
        velocity = self.state("velocity")
        torch._foreach_mul_(velocity, momentum)
        torch._foreach_add_(velocity, gradients, alpha=gain)
        torch._foreach_add_(leaves, velocity, alpha=-momentum)
        torch._foreach_add_(leaves, gradients, alpha=-gain)


def _move_rows(
    leaf: Tensor, velocity: Tensor, gradient: Tensor, momentum: float, share: float, rate: float
) -> None:
    rows, values = gradient.indices()[0], gradient.values()
    if momentum == 0:
        leaf.index_add_(0, rows, values, alpha=-share * rate)
        return
    values = velocity[rows].mul_(momentum).add_(values, alpha=share)
    velocity[rows] = values
    leaf.index_add_(0, rows, values, alpha=-rate)


def sgd(
    parameters: Sequence[Any],
    lr: Any,
    l1_regularization_weight: float = 0.0,
    l2_regularization_weight: float = 0.0,
    gaussian_noise_injection_std_dev: Any = 0.0,
    gradient_clipping_threshold_per_sample: float = math.inf,
    gradient_clipping_with_truncation: bool = True,
    use_mean_gradient: bool | None = None,
    minibatch_size: int | None = None,
    epoch_size: int | None = None,
) -> Learner:
    """Plain stochastic gradient descent: ``p -= rate * g``.

    Args:
        parameters: list of the parameters to change, such as ``model.parameters``.
        lr: learning rate: a number, a list, or a schedule; see `learning_parameter_schedule`.
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
        >>> learner = C.sgd([w], lr=0.1)
        >>> learner.update({w: np.array([1.0, -2.0])}, 1)
        True
        >>> w.value
        array([0.9, 1.2], dtype=float32)
    """
    options = learning_options(
        "sgd",
        (l1_regularization_weight, l2_regularization_weight, gaussian_noise_injection_std_dev),
        (gradient_clipping_threshold_per_sample, gradient_clipping_with_truncation),
        (use_mean_gradient, minibatch_size, epoch_size),
    )
    return SGD(parameters, options.rate(lr), options)


def momentum_sgd(
    parameters: Sequence[Any],
    lr: Any,
    momentum: Any,
    unit_gain: bool = True,
    l1_regularization_weight: float = 0.0,
    l2_regularization_weight: float = 0.0,
    gaussian_noise_injection_std_dev: Any = 0.0,
    gradient_clipping_threshold_per_sample: float = math.inf,
    gradient_clipping_with_truncation: bool = True,
    use_mean_gradient: bool | None = None,
    minibatch_size: int | None = None,
    epoch_size: int | None = None,
) -> Learner:
    """Stochastic gradient descent with momentum: ``s = m * s + (1 - m) * rate * g; p -= s``.

    B. T. Polyak: "Some methods of speeding up the convergence of iteration methods", 1964.

    Args:
        momentum: a number, a list, or a schedule; see `momentum_schedule`.
        unit_gain: whether gradients are scaled by 1 - momentum, so that the momentum does not
            change their sum.

    The other arguments, and errors: see `sgd`.

    Returns:
        The learner, for a `Trainer`.

    Example:
        >>> import cntk as C
        >>> import numpy as np
        >>> w = C.parameter((2,), init=1)
        >>> learner = C.momentum_sgd([w], lr=0.1, momentum=0.9)
        >>> learner.update({w: np.array([1.0, -2.0])}, 1)
        True
        >>> w.value
        array([0.99, 1.02], dtype=float32)
    """
    options = learning_options(
        "momentum_sgd",
        (l1_regularization_weight, l2_regularization_weight, gaussian_noise_injection_std_dev),
        (gradient_clipping_threshold_per_sample, gradient_clipping_with_truncation),
        (use_mean_gradient, minibatch_size, epoch_size),
    )
    momentum = options.schedule("momentum", momentum)
    return MomentumSGD(parameters, options.rate(lr), momentum, unit_gain, options)


def nesterov(
    parameters: Sequence[Any],
    lr: Any,
    momentum: Any,
    unit_gain: bool = True,
    l1_regularization_weight: float = 0.0,
    l2_regularization_weight: float = 0.0,
    gaussian_noise_injection_std_dev: Any = 0.0,
    gradient_clipping_threshold_per_sample: float = math.inf,
    gradient_clipping_with_truncation: bool = True,
    use_mean_gradient: bool | None = None,
    minibatch_size: int | None = None,
    epoch_size: int | None = None,
) -> Learner:
    """Stochastic gradient descent with momentum that looks ahead: ``p -= m * s + (1 - m) * rate *
    g``.

    Y. Nesterov: "A method for solving the convex programming problem with convergence rate
    O(1/k^2)", 1983.

    The other arguments, and errors: see `momentum_sgd` and `sgd`.

    Returns:
        The learner, for a `Trainer`.

    Example:
        >>> import cntk as C
        >>> import numpy as np
        >>> w = C.parameter((2,), init=1)
        >>> learner = C.nesterov([w], lr=0.1, momentum=0.9)
        >>> learner.update({w: np.array([1.0, -2.0])}, 1)
        True
        >>> w.value
        array([0.981, 1.038], dtype=float32)
    """
    options = learning_options(
        "nesterov",
        (l1_regularization_weight, l2_regularization_weight, gaussian_noise_injection_std_dev),
        (gradient_clipping_threshold_per_sample, gradient_clipping_with_truncation),
        (use_mean_gradient, minibatch_size, epoch_size),
    )
    momentum = options.schedule("momentum", momentum)
    return Nesterov(parameters, options.rate(lr), momentum, unit_gain, options)
