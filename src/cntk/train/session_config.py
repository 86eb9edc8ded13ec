"""Configuration of a training session's checkpoints, cross validation and test, and of their
frequencies.
"""

from __future__ import annotations

import operator
import os
import sys
import warnings
from collections.abc import Callable, Mapping
from enum import IntEnum
from numbers import Real
from typing import Any

import numpy as np

from cntk._arguments import as_flag, as_path, as_real, shown
from cntk._graph.function import Function
from cntk.errors import ArgumentError, SettingError
from cntk.io import INFINITELY_REPEAT
from cntk.learners.schedules import MinibatchSizeSchedule
from cntk.train.minibatches import StreamSource, source_of

__all__ = [
    "CheckpointConfig",
    "CrossValidationConfig",
    "DataUnit",
    "Frequency",
    "NEVER",
    "TestConfig",
    "as_frequency",
    "as_index",
    "as_limit",
    "as_minibatch_size",
    "check_finite",
]


NEVER = sys.maxsize


class DataUnit(IntEnum):
    """Units of frequencies. The numbers are the original's.

    Example:
        >>> CheckpointConfig("model", frequency=(100, DataUnit.minibatch)).frequency
        (100, <DataUnit.minibatch: 2>)
    """

    sweep = 0
    sample = 1
    minibatch = 2


Frequency = tuple[int, DataUnit]


def as_frequency(frequency: Any, name: str) -> Frequency:
    """Convert a frequency: a number of samples, a pair of a number and a `DataUnit`, or None for
    once, at the end.

    Raises:
        TypeError: for anything else.
        ValueError: for a negative number.
    """
    if frequency is None:
        return NEVER, DataUnit.sample
    number, unit = (
        frequency
        if isinstance(frequency, tuple) and len(frequency) == 2
        else (frequency, DataUnit.sample)
    )
    count = as_index(number)
    if count is None or not isinstance(unit, DataUnit):
        raise TypeError(
            f"{name}: the frequency must be a number of samples, such as 1000, or a pair of a "
            f"number and a unit, such as (5, cntk.train.DataUnit.sweep); got {shown(frequency)}"
        )
    if count < 0:
        raise SettingError(
            f"{name}: a frequency must not be negative, got {count}; 0 is for never, None for "
            f"once, at the end"
        )
    return count, unit


def as_minibatch_size(value: Any, name: str) -> Any:
    """Convert the size of minibatches: a number of samples, or a schedule.

    Raises:
        ArgumentError: for anything else.
        ValueError: for a size that is not positive.
    """
    if isinstance(value, MinibatchSizeSchedule):
        as_minibatch_size(min(value.values), name)
        return value
    size = as_index(value)
    if size is None:
        raise ArgumentError(
            f"{name}: the minibatch size must be a number of samples or what "
            f"minibatch_size_schedule() gives, got {type(value).__name__}"
        )
    if size < 1:
        raise SettingError(f"{name}: the minibatch size must be positive, got {size}")
    return size


def as_index(value: Any) -> int | None:
    """Convert an integer of Python or NumPy; return None for anything else."""
    try:
        return None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        return None


def as_limit(value: Any, name: str, finite: bool = False) -> Any:
    """Convert a limit of samples, which may have a fraction, and be infinite unless it must be
    ``finite``.

    Raises:
        ArgumentError: for what is no number.
    """
    if isinstance(value, bool) or not isinstance(value, (Real, np.integer, np.floating)):
        raise ArgumentError(f"{name} must be a number, got {shown(value)}")
    if finite or value != value:
        as_real(value, name)
    return value


class CheckpointConfig:
    """Configuration of a session's checkpoints: file name and frequency.

    Args:
        filename: path of the model's file; that of all else that training needs has ``.ckp`` after
            it. None for no checkpoints.
        frequency: after how many samples, or a pair of a number and a `DataUnit`; at the end alone
            if not given; 0 for never.
        restore: whether a session continues from the newest checkpoint.
        preserve_all: whether each is kept, with a number behind its name, beside the last one.

    Raises:
        ValueError: if the name is empty, or the frequency negative.
        TypeError: if the frequency is none.

    Example:
        >>> CheckpointConfig("model", frequency=1000).preserve_all
        False
    """

    def __init__(
        self,
        filename: str | os.PathLike[str] | None,
        frequency: Any = None,
        restore: bool = True,
        preserve_all: bool = False,
    ) -> None:
        self.frequency = as_frequency(frequency, "CheckpointConfig")
        if filename is not None:
            as_path(filename, "CheckpointConfig: filename")
        if filename is None:
            self.frequency = (0, DataUnit.sample)
        elif not os.fspath(filename) and self.frequency[0]:
            raise ValueError(
                "CheckpointConfig: the file name must not be empty; give None for no checkpoints"
            )
        self.filename = None if filename is None else os.fspath(filename) or None
        self.restore = as_flag(restore, "CheckpointConfig: restore")
        self.preserve_all = as_flag(preserve_all, "CheckpointConfig: preserve_all")


class _DataConfig:
    """Data to evaluate a model on, from a reader or from arrays."""

    def __init__(self, source: Any, size: Any, streams: Any, criterion: Any) -> None:
        name = type(self).__name__
        self.minibatch_size = as_minibatch_size(size, name)
        self.source, self.streams, self._feed = source, streams, None
        if streams is not None and not isinstance(streams, Mapping):
            raise TypeError(
                f"{name}: model_inputs_to_streams must be a dictionary, got "
                f"{type(streams).__name__}"
            )
        if source is None or hasattr(source, "next_minibatch"):
            return
        if criterion is None:
            raise ValueError(
                f"{name}: where data are given in place of a minibatch source, criterion must be "
                f"given too"
            )
        if not isinstance(criterion, Function):
            raise ArgumentError(f"{name}: criterion: expected a function, got {shown(criterion)}")
        self._feed = source_of(criterion, source, None, None, sweeps=1, method=name)

    def feed(self, streams: Mapping[Any, Any]) -> StreamSource | None:
        """Return the data's source for a session with these streams; None without data."""
        if self.source is None:
            return None
        return self._feed or StreamSource(self.source, dict(self.streams or streams))


class CrossValidationConfig(_DataConfig):
    """Configuration of the evaluation of the model during training: data and frequency.

    Args:
        minibatch_source: the data; or arrays for the arguments of a criterion; None if there is
            only a callback.
        frequency: after how many samples, or a pair of a number and a `DataUnit`; at the end alone
            if not given; 0 for never.
        minibatch_size: samples of a minibatch, or a schedule.
        callback: called with an index, the average error, and the numbers of samples and
            minibatches; training ends if it returns false.
        max_samples: of how many samples; all that the source gives if not given.
        model_inputs_to_streams: which stream is for which argument; the session's own if not given.
        criterion: whose arguments the arrays are for.
        source: older name of ``minibatch_source``.
        mb_size: older name of ``minibatch_size``.

    Raises:
        ValueError: if arrays come without a criterion, or a number is out of range.
        TypeError: for arguments of other kinds.

    Example:
        >>> config = CrossValidationConfig(
        ...     frequency=100, callback=lambda index, error, samples, minibatches: error > 0.01
        ... )
    """

    def __init__(
        self,
        minibatch_source: Any = None,
        frequency: Any = None,
        minibatch_size: Any = 32,
        callback: Callable[[int, float, int, int], bool] | None = None,
        max_samples: int | None = None,
        model_inputs_to_streams: Mapping[Any, Any] | None = None,
        criterion: Any = None,
        source: Any = None,
        mb_size: Any = None,
    ) -> None:
        data, size = _renamed(self, minibatch_source, minibatch_size, source, mb_size)
        super().__init__(data, size, model_inputs_to_streams, criterion)
        self.frequency = as_frequency(frequency, "CrossValidationConfig")
        if callback is not None and not callable(callback):
            raise ArgumentError(
                f"CrossValidationConfig: the callback must be a function, got {shown(callback)}"
            )
        if (
            max_samples is not None
            and as_limit(max_samples, "CrossValidationConfig: max_samples") < 1
        ):
            raise SettingError(
                f"CrossValidationConfig: max_samples must be positive, got {max_samples}"
            )
        self.callback, self.max_samples = callback, max_samples


class TestConfig(_DataConfig):
    """Configuration of the evaluation of the model after training.

    Args:
        minibatch_source: the data; or arrays for the arguments of a criterion.
        minibatch_size: samples of a minibatch, or a schedule.
        model_inputs_to_streams: which stream is for which argument; the session's own if not given.
        criterion: whose arguments the arrays are for.
        source: older name of ``minibatch_source``.
        mb_size: older name of ``minibatch_size``.

    Raises:
        ValueError: if arrays come without a criterion, or the size is not positive.

    Example:
        >>> TestConfig(minibatch_size=64).minibatch_size
        64
    """

    def __init__(
        self,
        minibatch_source: Any = None,
        minibatch_size: Any = 32,
        model_inputs_to_streams: Mapping[Any, Any] | None = None,
        criterion: Any = None,
        source: Any = None,
        mb_size: Any = None,
    ) -> None:
        data, size = _renamed(self, minibatch_source, minibatch_size, source, mb_size)
        super().__init__(data, size, model_inputs_to_streams, criterion)


def _renamed(
    config: Any, minibatch_source: Any, minibatch_size: Any, source: Any, mb_size: Any
) -> tuple[Any, Any]:
    """Return source and size, passed by their present or their former names."""
    for old, value, new in (
        ("source", source, "minibatch_source"),
        ("mb_size", mb_size, "minibatch_size"),
    ):
        if value is not None:
            warnings.warn(
                f"{type(config).__name__}: {old} is called {new} now",
                DeprecationWarning,
                stacklevel=3,
            )
    return (
        minibatch_source if source is None else source,
        minibatch_size if mb_size is None else mb_size,
    )


def check_finite(feed: StreamSource | None, limit: int | None, what: str) -> None:
    """Refuse data without an end.

    Raises:
        ValueError: if there is no limit and the source has none.
    """
    if (
        feed is not None
        and (limit is None or limit >= INFINITELY_REPEAT - 1)
        and feed.is_infinite()
    ):
        raise ValueError(
            f"{what} minibatch source must have a limited number of samples or sweeps: give it "
            f"max_sweeps or max_samples"
        )
