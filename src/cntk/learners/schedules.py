"""Schedules: training parameters, such as a learning rate, that change as samples are seen.

A schedule gives a value for a count, of samples if it has an epoch size, else of sweeps over the
data. A value may have a reference minibatch size M: it then stands for what is to happen per M
samples, whatever the size of the minibatches.
"""

from __future__ import annotations

import math
import sys
import warnings
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from itertools import accumulate
from numbers import Integral, Real
from typing import Any

from cntk._arguments import as_integer, as_real, shown
from cntk.errors import SettingError

__all__ = [
    "FULL_DATA_SWEEP",
    "IGNORE",
    "MinibatchSizeSchedule",
    "SLOW_VARIANCE_MOMENTUM",
    "TrainingParameterSchedule",
    "UnitType",
    "learning_parameter_schedule",
    "learning_parameter_schedule_per_sample",
    "learning_rate_schedule",
    "minibatch_size_schedule",
    "momentum_as_time_constant_schedule",
    "momentum_schedule",
    "momentum_schedule_per_sample",
    "training_parameter_schedule",
]


IGNORE = 0
"""Reference minibatch size of a value that is taken for each minibatch as it is, whatever its
size.
"""

FULL_DATA_SWEEP = 0

_MOST = 2**64 - 1
"""As many samples as the original can count."""

_LARGEST_EXPONENT = math.log(sys.float_info.max)


class UnitType(Enum):
    """Unit of the values of a schedule: `learning_rate_schedule` takes it."""

    sample = "sample"
    minibatch = "minibatch"


@dataclass(frozen=True)
class _Schedule:
    """Values, and the counts at which they end."""

    values: tuple[Any, ...]
    ends: tuple[int, ...]
    epoch_size: int

    def __getitem__(self, count: int) -> Any:
        if type(count) is not int and not isinstance(count, Integral):
            raise TypeError(f"schedule: expected a count of samples, got {count!r}")
        values = self.values
        if len(values) == 1:
            return values[0]
        if count < 0:
            raise IndexError(f"schedule: counts start at 0, got {count}")
        return values[min(bisect_right(self.ends, count), len(values) - 1)]

    def is_sweep_based(self) -> bool:
        """Return whether the schedule counts sweeps over the data, not samples."""
        return self.epoch_size == FULL_DATA_SWEEP


@dataclass(frozen=True)
class TrainingParameterSchedule(_Schedule):
    """Values of a training parameter over the course of training: ``schedule[count]``.

    Made by `learning_parameter_schedule`, `momentum_schedule` and the like.

    Attributes:
        values: one after another.
        ends: the count at which each value ends; the last one goes on for good.
        epoch_size: samples an epoch; 0 where sweeps are counted.
        minibatch_size: reference minibatch size M; `IGNORE` if there is none.
        is_minibatch_size_explicitly_specified: whether M was given; if not, a learner may supply
            its own.
    """

    minibatch_size: int = IGNORE
    is_minibatch_size_explicitly_specified: bool = False

    def from_now(self, count: int) -> TrainingParameterSchedule:
        """Return the same values, the first of them beginning at ``count``."""
        return (
            self
            if len(self.values) == 1
            else replace(self, ends=tuple(end + count for end in self.ends))
        )


@dataclass(frozen=True)
class MinibatchSizeSchedule(_Schedule):
    """Minibatch sizes over the course of training; made by `minibatch_size_schedule`."""


def learning_parameter_schedule(
    schedule: Any, minibatch_size: int | None = None, epoch_size: int | None = None
) -> TrainingParameterSchedule:
    """Create a schedule of learning rates or other training parameters.

    Args:
        schedule: a number; or a list of numbers, one an epoch; or a list of pairs ``(number of
            epochs, number)``, the last of which goes on for good, whatever its number of epochs; or
            a schedule, which comes back as it is.
        minibatch_size: reference minibatch size M: with g the gradient summed over a minibatch, a
            learning rate lr moves a parameter by ``lr * g / M``. With `IGNORE`, or if nobody gives
            one, the minibatch's own size counts.
        epoch_size: how many samples an epoch has; None or 0 takes the sweeps over the data as
            epochs.

    Returns:
        The schedule.

    Raises:
        ValueError: for other values, an empty list, or a number of epochs below 1 (0 for the last).

    Example:
        >>> s = learning_parameter_schedule(
        ...     [(3, 0.2), (2, 0.4), (1, 0.8)], minibatch_size=32, epoch_size=100
        ... )
        >>> s[0], s[299], s[300], s[500], s[10_000]
        (0.2, 0.2, 0.4, 0.8, 0.8)
    """
    return _training("learning_parameter_schedule", schedule, minibatch_size, epoch_size)


def learning_parameter_schedule_per_sample(
    schedule: Any, epoch_size: int | None = None
) -> TrainingParameterSchedule:
    """Create a schedule of values per sample: `learning_parameter_schedule` with a reference
    minibatch size of 1.

    Args:
        schedule: as in `learning_parameter_schedule`.
        epoch_size: as in `learning_parameter_schedule`.

    Returns:
        The schedule.

    Example:
        >>> learning_parameter_schedule_per_sample(0.01).minibatch_size
        1
    """
    return _training("learning_parameter_schedule_per_sample", schedule, 1, epoch_size)


def learning_rate_schedule(
    lr: Any, unit: UnitType, epoch_size: int | None = None
) -> TrainingParameterSchedule:
    """Create a schedule of learning rates, as older programs make it; newer ones use
    `learning_parameter_schedule`.

    Args:
        lr: as ``schedule`` of `learning_parameter_schedule`.
        unit: ``UnitType.sample`` or ``UnitType.minibatch``. As in the original, the words
            ``'sample'`` and ``'minibatch'`` are accepted, and both stand for the minibatch.
        epoch_size: as in `learning_parameter_schedule`.

    Returns:
        The schedule.

    Raises:
        ValueError: if ``unit`` is none.

    Example:
        >>> learning_rate_schedule(0.01, UnitType.sample).minibatch_size
        1
    """
    return _in_units("learning_rate_schedule", lr, unit, epoch_size)


def training_parameter_schedule(
    schedule: Any, unit: UnitType | str = UnitType.minibatch, epoch_size: int | None = None
) -> TrainingParameterSchedule:
    """Create a schedule of training parameters, as older programs make it; newer ones use
    `learning_parameter_schedule`.

    Args:
        schedule: as in `learning_parameter_schedule`.
        unit: as in `learning_rate_schedule`.
        epoch_size: as in `learning_parameter_schedule`.

    Returns:
        The schedule.

    Raises:
        ValueError: if ``unit`` is none.

    Example:
        >>> training_parameter_schedule([0.1, 0.01], UnitType.minibatch, epoch_size=1000)[1000]
        0.01
    """
    return _in_units("training_parameter_schedule", schedule, unit, epoch_size)


def _in_units(
    function: str, schedule: Any, unit: Any, epoch_size: Any
) -> TrainingParameterSchedule:
    try:
        UnitType(unit)
    except ValueError:
        raise SettingError(
            f"{function}: unit: expected UnitType.sample or UnitType.minibatch, got {shown(unit)}"
        ) from None
    made = _training(function, schedule, 1 if unit is UnitType.sample else IGNORE, epoch_size)
    return replace(made, is_minibatch_size_explicitly_specified=True)


def momentum_schedule(
    momentum: Any, epoch_size: int | None = None, minibatch_size: int | None = None
) -> TrainingParameterSchedule:
    """Create a schedule of momenta.

    Args:
        momentum: as ``schedule`` of `learning_parameter_schedule`.
        epoch_size: as in `learning_parameter_schedule`.
        minibatch_size: reference minibatch size M: a minibatch of N samples decays by ``momentum **
            (N / M)``. With `IGNORE`, or if nobody gives one, by ``momentum`` whatever its size.

    Returns:
        The schedule.

    Example:
        >>> momentum_schedule([0.9, 0.99], epoch_size=1000)[1000]
        0.99
    """
    return _training("momentum_schedule", momentum, minibatch_size, epoch_size)


def momentum_schedule_per_sample(
    momentum: Any, epoch_size: int | None = None
) -> TrainingParameterSchedule:
    """Create a schedule of momenta per sample: `momentum_schedule` with ``minibatch_size=1``.

    Args:
        momentum: as ``schedule`` of `learning_parameter_schedule`.
        epoch_size: as in `learning_parameter_schedule`.

    Returns:
        The schedule.

    Example:
        >>> momentum_schedule_per_sample(0.999).minibatch_size
        1
    """
    return _training("momentum_schedule_per_sample", momentum, 1, epoch_size)


def momentum_as_time_constant_schedule(
    momentum: Any, epoch_size: int | None = None
) -> TrainingParameterSchedule:
    """Create a schedule of momenta from the number of samples in which a contribution fades to 1/e.

    Args:
        momentum: as ``schedule`` of `learning_parameter_schedule`, in samples; 0 is no momentum.
        epoch_size: as in `learning_parameter_schedule`.

    Returns:
        The schedule of momenta per sample, ``exp(-1 / momentum)``.

    Example:
        >>> momentum_as_time_constant_schedule(1100)[0]
        0.9990913221888589
    """
    made = _training("momentum_as_time_constant_schedule", momentum, 1, epoch_size, _decay)
    return replace(made, is_minibatch_size_explicitly_specified=True)


def minibatch_size_schedule(schedule: Any, epoch_size: int = 1) -> MinibatchSizeSchedule:
    """Create a schedule of minibatch sizes for a training session.

    Args:
        schedule: an integer; or a list of such, one an epoch; or a list of pairs ``(number of
            epochs, size)``.
        epoch_size: how many samples an epoch has; 0 takes the sweeps over the data as epochs.

    Returns:
        The schedule.

    Raises:
        ValueError: for other values, or if an epoch size comes with a scalar.

    Example:
        >>> s = minibatch_size_schedule([32, 64], epoch_size=1000)
        >>> s[999], s[1000]
        (32, 64)
    """
    name = "minibatch_size_schedule"
    if isinstance(schedule, Integral):
        if not isinstance(epoch_size, Integral) or epoch_size != 1:
            raise ValueError(
                f"{name}: epoch_size {shown(epoch_size)} has no effect on a scalar; leave it out"
            )
        made = MinibatchSizeSchedule((int(schedule),), (0,), FULL_DATA_SWEEP)
    else:
        made = MinibatchSizeSchedule(*_steps(name, schedule, epoch_size, Integral, int))
    for size in made.values:
        as_integer(size, name, least=0, most=_MOST)
    return made


def _training(
    function: str,
    schedule: Any,
    minibatch_size: Any,
    epoch_size: Any,
    convert: Callable[[Any], float] = float,
) -> TrainingParameterSchedule:
    if isinstance(schedule, TrainingParameterSchedule):
        return schedule
    reference = _count(function, "minibatch_size", minibatch_size)
    explicit = minibatch_size is not None
    if isinstance(schedule, Real):
        if epoch_size is not None:
            warnings.warn(
                f"{function}: epoch_size has no effect on a schedule of one number",
                RuntimeWarning,
                stacklevel=3,
            )
        value = convert(as_real(schedule, function, finite=False))
        return TrainingParameterSchedule((value,), (0,), FULL_DATA_SWEEP, reference, explicit)
    return TrainingParameterSchedule(
        *_steps(function, schedule, epoch_size, Real, convert), reference, explicit
    )


def _steps(
    function: str, schedule: Any, epoch_size: Any, kind: type, convert: Callable[[Any], Any]
) -> tuple[tuple[Any, ...], tuple[int, ...], int]:
    """Return the values of a list, the counts at which they end, and the epoch size."""
    if not isinstance(schedule, list):
        raise ValueError(
            f"{function}: expected a number, a list of numbers, or a list of pairs (number of "
            f"epochs, number), got {shown(schedule)}"
        )
    if not schedule:
        raise SettingError(f"{function}: the list is empty; give at least one value")
    pairs = [entry if isinstance(entry, (tuple, list)) else (1, entry) for entry in schedule]
    for number, pair in enumerate(pairs, 1):
        # How long the last value holds makes no difference: 0 is accepted there.
        fewest = number < len(pairs)
        if (
            len(pair) != 2
            or not isinstance(pair[0], Integral)
            or not isinstance(pair[1], kind)
            or pair[0] < fewest
        ):
            raise SettingError(
                f"{function}: expected numbers, or pairs of a number of epochs (at least 1, except "
                f"for the last) and a number, got {shown(pair)}"
            )
    size = _count(function, "epoch_size", epoch_size)
    ends = tuple(accumulate((int(epochs) or 1) * (size or 1) for epochs, _ in pairs))
    return tuple(convert(value) for _, value in pairs), ends, size


def _count(function: str, name: str, value: Any) -> int:
    if value is None:
        return 0
    return as_integer(value, f"{function}: {name}", least=0, most=_MOST)


def _decay(time_constant: float) -> float:
    """Return the momentum per sample; infinite where that of a negative time constant overflows."""
    exponent = -math.inf if time_constant == 0 else -1.0 / time_constant
    return math.exp(exponent) if exponent < _LARGEST_EXPONENT else math.inf


SLOW_VARIANCE_MOMENTUM = momentum_as_time_constant_schedule(2 * 3600 * 100)
"""Decay of running mean squares unless given: they fade to 1/e in two hours of speech, at 100
frames a second.
"""
