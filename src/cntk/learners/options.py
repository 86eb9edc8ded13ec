"""Options that all learners take: clipping, regularization, injected noise,
reference sizes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any

import torch
from torch import Tensor

from cntk._arguments import as_bool, as_flag, as_real, shown
from cntk._runtime.random.mersenne_twister import MersenneTwister64
from cntk.errors import SettingError
from cntk.learners.schedules import (
    IGNORE,
    TrainingParameterSchedule,
    UnitType,
    _count,
    _in_units,
    _training,
)

__all__ = [
    "LearningOptions",
    "default_unit_gain_value",
    "flag",
    "learning_options",
    "set_default_unit_gain_value",
]


@dataclass
class _Defaults:
    unit_gain: bool = True


_defaults = _Defaults()


def default_unit_gain_value() -> bool:
    """Return the value that `set_default_unit_gain_value` has set; True at first.

    Example:
        >>> default_unit_gain_value()
        True
    """
    return _defaults.unit_gain


def set_default_unit_gain_value(value: bool) -> None:
    """Set what `default_unit_gain_value` returns. As in the original, learners do not ask it: pass
    it as unit_gain.

    Args:
        value: True or False.

    Raises:
        TypeError: for anything else.
    """
    _defaults.unit_gain = flag("set_default_unit_gain_value", "value", value)


def flag(function: str, name: str, value: Any) -> bool:
    """Return an argument that must be True or False.

    Raises:
        TypeError: for anything else.
    """
    return as_bool(value, f"{function}: {name}")


@dataclass(frozen=True)
class LearningOptions:
    """Options of a learner; the arguments that all learners take.

    Attributes:
        l1: weight of the sum of absolute parameters, per sample.
        l2: weight of half the sum of squared parameters, per sample.
        noise: standard deviation of the normal noise added to parameters.
        clipping_threshold: largest gradient per sample.
        clips_by_truncation: whether each element is clipped, or else each parameter's gradient as a
            whole.
        minibatch_size: the learner's reference minibatch size; None if not given.
        uses_mean_gradient: whether that was asked for, in the manner of older programs.
        epoch_size: samples an epoch of lists that stand for schedules; None for sweeps.
        learner: name of the learner, for errors.
    """

    l1: float
    l2: float
    noise: TrainingParameterSchedule
    clipping_threshold: float
    clips_by_truncation: bool
    minibatch_size: int | None
    uses_mean_gradient: bool
    epoch_size: Any
    learner: str

    @property
    def conditions_gradients(self) -> bool:
        """True if gradients are changed before a learner's rule sees them."""
        return self.l2 > 0 or math.isfinite(self.clipping_threshold)

    @property
    def finishes_parameters(self) -> bool:
        """True if parameters are changed after a learner's rule."""
        return self.l1 > 0 or any(std > 0 for std in self.noise.values)

    def condition(
        self, tensors: list[Tensor], gradients: list[Tensor], samples: int
    ) -> list[Tensor]:
        """Clipped and regularized gradients; those given stay as they are."""
        conditioned = list(gradients)
        if math.isfinite(self.clipping_threshold):
            limit = abs(self.clipping_threshold) * samples
            clip = _truncated if self.clips_by_truncation else _scaled_down
            conditioned = [clip(gradient, limit) for gradient in conditioned]
        if self.l2 > 0:
            dense = [g.to_dense() if g.is_sparse else g for g in conditioned]
            conditioned = list(torch._foreach_add(dense, list(tensors), alpha=self.l2 * samples))
        return conditioned

    def finish(
        self, tensors: list[Tensor], rate: float, samples: int, std: float, seed: int
    ) -> int:
        """Add noise and shrink parameters, in place; returns the seed for the next noise."""
        if std > 0:
            for tensor in tensors:
                tensor.add_(_noise(tensor, seed), alpha=std)
                seed += 1
        shrink = rate * samples * self.l1
        if shrink > 0:
            for tensor in tensors:
                limit = min(shrink, torch.finfo(tensor.dtype).max)  # torch refuses infinity
                tensor.copy_(torch.nn.functional.softshrink(tensor, limit))
        return seed

    def schedule(self, name: str, value: Any) -> TrainingParameterSchedule:
        """Return a learner's argument as a schedule, with the learner's minibatch size.

        Args:
            name: the argument's name, for errors.
            value: a number, a list of numbers or pairs, or a schedule.

        Raises:
            ValueError: for other values.
        """
        if not isinstance(value, (TrainingParameterSchedule, Real, list)):
            raise SettingError(
                f"{self.learner}: {name}: expected a number, a list of numbers or pairs, or a "
                f"schedule, got {shown(value)}; see learning_parameter_schedule"
            )
        size = self.minibatch_size
        schedule = _training(f"{self.learner}: {name}", value, size, self.epoch_size)
        if size is not None and not schedule.is_minibatch_size_explicitly_specified:
            schedule = replace(schedule, minibatch_size=size)
        return schedule

    def rate(self, lr: Any) -> TrainingParameterSchedule:
        """Return a learner's learning rate as a schedule.

        Older programs asked for the mean gradient together with a rate per sample: they meant that
        rate for the mean.
        """
        schedule = self.schedule("lr", lr)
        if self.uses_mean_gradient and schedule.minibatch_size == 1:
            return replace(schedule, minibatch_size=IGNORE)
        return schedule


def _on_values(gradient: Tensor, values: Tensor) -> Tensor:
    return torch.sparse_coo_tensor(
        gradient.indices(), values, gradient.shape, is_coalesced=True, check_invariants=False
    )


def _truncated(gradient: Tensor, limit: float) -> Tensor:
    if gradient.is_sparse:
        gradient = gradient.coalesce()
        return _on_values(gradient, gradient.values().clamp(-limit, limit))
    return gradient.clamp(-limit, limit)


def _scaled_down(gradient: Tensor, limit: float) -> Tensor:
    """Scaled to a Euclidean norm of ``limit`` where that is exceeded; a norm that is no number
    leaves it as it is.
    """
    if gradient.is_sparse:
        gradient = gradient.coalesce()
        return _on_values(gradient, _scaled_down(gradient.values(), limit))
    norm = torch.linalg.vector_norm(gradient)
    return gradient * torch.where(norm > limit, limit / norm, 1.0)


def _noise(tensor: Tensor, seed: int) -> Tensor:
    """Standard normal numbers: the original's on the CPU; on a GPU, where the original's differ as
    well, torch's.
    """
    if tensor.device.type == "cpu":
        numbers = torch.from_numpy(MersenneTwister64(seed).normal(tensor.numel()))
        return numbers.to(tensor.dtype).reshape(tensor.shape)
    generator = torch.Generator(tensor.device).manual_seed(seed)
    return torch.randn(tensor.shape, generator=generator, dtype=tensor.dtype, device=tensor.device)


def learning_options(
    learner: str,
    regularization: tuple[Any, Any, Any] = (0, 0, 0),
    clipping: tuple[Any, Any] = (math.inf, True),
    units: tuple[Any, Any, Any] = (None, None, None),
) -> LearningOptions:
    """Check the options that all learners take, whose meaning `sgd` tells.

    Args:
        learner: name of the learner, for errors.
        regularization: weights of the L1 and L2 terms, and the standard deviation of noise.
        clipping: largest gradient per sample, and whether it is clipped by truncation.
        units: use_mean_gradient, minibatch_size and epoch_size.

    Raises:
        ValueError: for a minibatch size below 0 or numbers that are none.
    """
    l1, l2, noise = regularization
    threshold, truncation = clipping
    use_mean_gradient, minibatch_size, epoch_size = units
    for name, value in (
        ("l1_regularization_weight", l1),
        ("l2_regularization_weight", l2),
        ("gradient_clipping_threshold_per_sample", threshold),
    ):
        if math.isnan(as_real(value, f"{learner}: {name}", finite=False)):
            raise SettingError(f"{learner}: {name}: expected a number, got nan")
    mean_gradient = as_flag(use_mean_gradient, f"{learner}: use_mean_gradient")
    if minibatch_size is not None:
        _count(learner, "minibatch_size", minibatch_size)
    elif mean_gradient:
        minibatch_size = IGNORE
    return LearningOptions(
        float(l1),
        float(l2),
        _in_units(f"{learner}: gaussian_noise_injection_std_dev", noise, UnitType.minibatch, None),
        float(threshold),
        flag(learner, "gradient_clipping_with_truncation", truncation),
        minibatch_size,
        mean_gradient,
        epoch_size,
        learner,
    )
