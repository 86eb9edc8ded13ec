"""Learners with the signatures of the original's native layer: schedules, and further options in
one object.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from numbers import Integral
from typing import Any

from cntk import learners
from cntk._persist.protobuf.value import Dictionary
from cntk.errors import ArgumentError
from cntk.learners.base import Learner
from cntk.learners.schedules import (
    SLOW_VARIANCE_MOMENTUM,
    TrainingParameterSchedule,
    training_parameter_schedule,
)

__all__ = [
    "AdditionalLearningOptions",
    "SizeTWrapper",
    "ada_delta_learner",
    "ada_grad_learner",
    "adam_learner",
    "fsada_grad_learner",
    "momentum_sgd_learner",
    "nesterov_learner",
    "rmsprop_learner",
    "sgd_learner",
]


class AdditionalLearningOptions:
    """Options that all learners take.

    Attributes:
        l1_regularization_weight: weight of the sum of absolute parameters, per sample.
        l2_regularization_weight: weight of half the sum of squared parameters, per sample.
        gaussian_noise_injection_std_dev: a schedule: standard deviation of the normal noise added
            to parameters.
        gradient_clipping_threshold_per_sample: largest gradient per sample.
        gradient_clipping_with_truncation: whether each element is clipped, or else each parameter's
            gradient as a whole.
        dict_options: ``dict_options[cntk_py.Learner._MINIBATCH_SIZE]``, a `SizeTWrapper`, is the
            learner's reference minibatch size: 0 for rules that see the mean gradient. It does not
            change schedules that state none.

    Example:
        >>> options = AdditionalLearningOptions()
        >>> options.l1_regularization_weight = 0.01
        >>> options.gradient_clipping_threshold_per_sample
        inf
    """

    def __init__(self) -> None:
        self.l1_regularization_weight = 0.0
        self.l2_regularization_weight = 0.0
        self.gaussian_noise_injection_std_dev = training_parameter_schedule(0.0)
        self.gradient_clipping_threshold_per_sample = math.inf
        self.gradient_clipping_with_truncation = True
        self.dict_options = Dictionary()

    def arguments(self) -> dict[str, Any]:
        """Return the options as arguments of a learner's factory."""
        return {name: value for name, value in vars(self).items() if name != "dict_options"}


class SizeTWrapper:
    """An integer that stands for a size.

    Args:
        value: the integer.

    Raises:
        ArgumentError: for anything else.

    Example:
        >>> SizeTWrapper(3).value
        3
    """

    def __init__(self, value: int) -> None:
        if not isinstance(value, Integral):
            raise ArgumentError(f"SizeTWrapper: expected an integer, got {value!r}")
        self.value = int(value)


def _made(
    make: Callable[..., Learner],
    parameters: Sequence[Any],
    schedules: Sequence[Any],
    options: AdditionalLearningOptions | None,
    **arguments: Any,
) -> Learner:
    """Create a learner, after a check that its schedules are schedules.

    Raises:
        ArgumentError: if one is none, or ``options`` are of another kind.
    """
    for schedule in (*schedules, *(v for k, v in arguments.items() if k == "variance_momentum")):
        if not isinstance(schedule, TrainingParameterSchedule):
            raise ArgumentError(
                f"{make.__name__}: expected a schedule such as learning_parameter_schedule gives, "
                f"got {schedule!r}"
            )
    options = AdditionalLearningOptions() if options is None else options
    if not isinstance(options, AdditionalLearningOptions):
        raise ArgumentError(f"{make.__name__}: expected AdditionalLearningOptions, got {options!r}")
    made = make(parameters, *schedules, **arguments, **options.arguments())
    size = options.dict_options.get(Learner._MINIBATCH_SIZE)
    if size is not None:
        made.minibatch_size = int(getattr(size, "value", size))
    return made


def sgd_learner(
    parameters: Sequence[Any],
    learning_rate: Any,
    additional_options: AdditionalLearningOptions | None = None,
) -> Learner:
    """Return a learner by stochastic gradient descent; see `cntk.sgd`.

    Example:
        >>> import cntk as C
        >>> sgd_learner([C.parameter(2)], C.learning_parameter_schedule(0.1)).learning_rate()
        0.1
    """
    return _made(learners.sgd, parameters, (learning_rate,), additional_options)


def momentum_sgd_learner(
    parameters: Sequence[Any],
    learning_rate: Any,
    momentum: Any,
    unit_gain: bool = True,
    additional_options: AdditionalLearningOptions | None = None,
) -> Learner:
    """Return a learner with momentum; see `cntk.momentum_sgd`."""
    return _made(
        learners.momentum_sgd,
        parameters,
        (learning_rate, momentum),
        additional_options,
        unit_gain=unit_gain,
    )


def nesterov_learner(
    parameters: Sequence[Any],
    learning_rate: Any,
    momentum: Any,
    unit_gain: bool = True,
    additional_options: AdditionalLearningOptions | None = None,
) -> Learner:
    """Return a learner with Nesterov's momentum; see `cntk.nesterov`."""
    return _made(
        learners.nesterov,
        parameters,
        (learning_rate, momentum),
        additional_options,
        unit_gain=unit_gain,
    )


def ada_grad_learner(
    parameters: Sequence[Any],
    learning_rate: Any,
    need_ave_multiplier: bool = True,
    additional_options: AdditionalLearningOptions | None = None,
) -> Learner:
    """Return a learner by AdaGrad; see `cntk.adagrad`."""
    more = {"need_ave_multiplier": need_ave_multiplier}
    return _made(learners.adagrad, parameters, (learning_rate,), additional_options, **more)


def ada_delta_learner(
    parameters: Sequence[Any],
    learning_rate: Any,
    rho: float = 0.95,
    epsilon: float = 1e-8,
    additional_options: AdditionalLearningOptions | None = None,
) -> Learner:
    """Return a learner by AdaDelta; see `cntk.adadelta`."""
    return _made(
        learners.adadelta,
        parameters,
        (learning_rate,),
        additional_options,
        rho=rho,
        epsilon=epsilon,
    )


def adam_learner(
    parameters: Sequence[Any],
    learning_rate: Any,
    momentum: Any,
    unit_gain: bool = True,
    variance_momentum: Any = SLOW_VARIANCE_MOMENTUM,
    epsilon: float = 1e-8,
    adamax: bool = False,
    additional_options: AdditionalLearningOptions | None = None,
) -> Learner:
    """Return a learner by Adam, or AdaMax; see `cntk.adam`."""
    more = {
        "unit_gain": unit_gain,
        "variance_momentum": variance_momentum,
        "epsilon": epsilon,
        "adamax": adamax,
    }
    return _made(learners.adam, parameters, (learning_rate, momentum), additional_options, **more)


def fsada_grad_learner(
    parameters: Sequence[Any],
    learning_rate: Any,
    momentum: Any,
    unit_gain: bool = True,
    variance_momentum: Any = SLOW_VARIANCE_MOMENTUM,
    additional_options: AdditionalLearningOptions | None = None,
) -> Learner:
    """Return a learner by FSAdaGrad; see `cntk.fsadagrad`."""
    more = {"unit_gain": unit_gain, "variance_momentum": variance_momentum}
    return _made(
        learners.fsadagrad, parameters, (learning_rate, momentum), additional_options, **more
    )


def rmsprop_learner(
    parameters: Sequence[Any],
    learning_rate: Any,
    gamma: float,
    inc: float,
    dec: float,
    max: float,
    min: float,
    need_ave_multiplier: bool = True,
    additional_options: AdditionalLearningOptions | None = None,
) -> Learner:
    """Return a learner by RMSProp; see `cntk.rmsprop`."""
    more = {
        "gamma": gamma,
        "inc": inc,
        "dec": dec,
        "max": max,
        "min": min,
        "need_ave_multiplier": need_ave_multiplier,
    }
    return _made(learners.rmsprop, parameters, (learning_rate,), additional_options, **more)
