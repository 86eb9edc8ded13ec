"""Training sessions: a whole training in one call, with checkpoints, cross validation, a test, and
progress reports.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cntk._arguments import shown
from cntk._graph.names.late_names import hand_on
from cntk._writing.whole_files import reachable
from cntk.device import DeviceDescriptor
from cntk.errors import ArgumentError
from cntk.io import FULL_DATA_SWEEP
from cntk.learners.schedules import minibatch_size_schedule
from cntk.train.minibatches import StreamSource
from cntk.train.session_config import (
    CheckpointConfig,
    CrossValidationConfig,
    DataUnit,
    Frequency,
    TestConfig,
    as_frequency,
    as_limit,
    as_minibatch_size,
    check_finite,
)
from cntk.train.tally import Tally
from cntk.train.trainer import Trainer

__all__ = [
    "CheckpointConfig",
    "CrossValidationConfig",
    "DataUnit",
    "TestConfig",
    "TrainingSession",
    "minibatch_size_schedule",
    "training_session",
]

# Under which name the original keeps a reader's position in a checkpoint.
_POSITION = "TrainingMinibatchSource"
# Not among the original's names: the index of a cross validation that was due when the checkpoint
# was written, which comes first. Where the process ends in between, it is made up for: it may
# change the learning rate.
_DUE = "CrossValidationDue"

Counts = Mapping[DataUnit, int]


@dataclass
class _Action:
    """An action at regular intervals.

    Attributes:
        frequency: how often.
        act: is called with an index; returns whether training continues.
        index: how often it would have been done by now.
        counted: how many units there were when it was done last.
    """

    frequency: Frequency
    act: Callable[[int], bool]
    index: int = 0
    counted: int = 0

    def begin(self, counts: Counts) -> None:
        """Continue from the counts of a restored training."""
        every, unit = self.frequency
        self.index, self.counted = counts[unit] // every, counts[unit]

    def after_minibatch(self, counts: Counts) -> bool:
        """Perform the action if it is due; return whether training continues."""
        return not self.is_due(counts) or self.do(counts)

    def is_due(self, counts: Counts) -> bool:
        """Return whether the action is due after this minibatch."""
        every, unit = self.frequency
        return counts[unit] // every > self.index

    def do(self, counts: Counts) -> bool:
        """Perform the action; return whether training continues."""
        every, unit = self.frequency
        return self._do(counts[unit], counts[unit] // every)

    def at_end(self, counts: Counts) -> None:
        """Perform the action for what has come since the last time, if anything."""
        units = counts[self.frequency[1]]
        if units != self.counted:
            self._do(units, self.index + 1)

    def _do(self, units: int, index: int) -> bool:
        goes_on = self.act(self.index)
        self.index, self.counted = index, units
        return goes_on


class TrainingSession:
    """A whole training. Most programs make one by `training_session`, which explains the arguments.

    Subclasses may override `on_cross_validation_end`.

    Raises:
        ValueError: if data never end, there are none for the model, or a number is out of range.
        TypeError: for a frequency or configuration of another kind.
    """

    def __init__(
        self,
        trainer: Trainer,
        mb_source: Any,
        mb_size: Any,
        model_inputs_to_streams: Mapping[Any, Any],
        max_samples: int | None,
        progress_frequency: Any,
        checkpoint_config: CheckpointConfig | None,
        cv_config: CrossValidationConfig | None,
        test_config: TestConfig | None,
    ) -> None:
        _check(trainer, mb_source, model_inputs_to_streams, max_samples)
        _check_kinds(checkpoint_config, cv_config, test_config)
        self.trainer = trainer
        self.mb_size = as_minibatch_size(mb_size, "training_session")
        self.max_samples = (
            None if max_samples is None or max_samples >= FULL_DATA_SWEEP else int(max_samples)
        )
        self.checkpoints = checkpoint_config or CheckpointConfig(None)
        self.cross_validation = cv_config or CrossValidationConfig(frequency=0)
        streams = dict(model_inputs_to_streams or {})
        self._feed = StreamSource(mb_source, streams)
        self._cv_feed = self.cross_validation.feed(streams)
        self._test_feed = None if test_config is None else test_config.feed(streams)
        self._test_size = None if test_config is None else test_config.minibatch_size
        if trainer.evaluation_function is None and (self._cv_feed or self._test_feed):
            raise ValueError(
                "training_session: to try the model the trainer needs a metric; give it "
                "criterion=(loss, metric)"
            )
        check_finite(self._feed, self.max_samples, "Train")
        check_finite(self._cv_feed, self.cross_validation.max_samples, "Cross validation")
        check_finite(self._test_feed, None, "Test")
        self._progress = as_frequency(progress_frequency, "training_session")
        self._device: DeviceDescriptor | None = None
        self._validation: _Action | None = None
        self._now: Counts = {}

    def train(self, device: DeviceDescriptor | None = None) -> None:
        """Train until the data end, the number of samples is reached, or nothing is updated any
        more.

        Args:
            device: where to run.

        Raises:
            ValueError: if data are malformed or do not fit, or a checkpoint cannot be read.
        """
        self._device = device
        restored, missed = self._restore()
        counts = self._now = self._counts()
        begun = dict(counts)
        actions = [a for a in self._actions() if a.frequency[0]]
        for action in actions:
            action.begin(counts)
        self._validation = next((a for a in actions if a.act == self._cross_validate), None)
        limit = self.max_samples
        if missed is not None and self._validation is not None:
            self._validation.index = missed
            if not self._validation.do(counts):
                limit = counts[DataUnit.sample]
        feed = self._feed.minibatches(self.mb_size, limit, lambda: counts[DataUnit.sample], device)
        for arguments, ends_sweep in feed:
            updated = self.trainer.train_minibatch(
                arguments, device=device, is_sweep_end=ends_sweep
            )
            if updated:
                counts[DataUnit.sample] = self.trainer.total_number_of_samples_seen
                counts[DataUnit.minibatch] += 1
                counts[DataUnit.sweep] += ends_sweep
            go_on = [a.after_minibatch(counts) for a in actions]
            if not (updated and all(go_on)):
                break
        if counts != begun:
            for action in actions:
                action.at_end(counts)
        if self.checkpoints.preserve_all and self.checkpoints.frequency[0]:
            # Also where the process ended just before this.
            if counts != begun or restored not in (None, self.checkpoints.filename):
                self._save(self.checkpoints.filename)
        if self._test_feed is not None and self._try(self._test_feed, self._test_size, None)[1]:
            self.trainer.summarize_test_progress()

    def on_cross_validation_end(
        self, index: int, average_error: float, num_samples: int, num_minibatches: int
    ) -> bool:
        """Call the configuration's callback after a cross validation.

        Args:
            index: how many there would have been before.
            average_error: the metric, averaged over samples.
            num_samples: how many samples the model was tried on.
            num_minibatches: in how many minibatches.

        Returns:
            Whether training goes on.
        """
        callback = self.cross_validation.callback
        if callback is None:
            return True
        goes_on = callback(index, average_error, num_samples, num_minibatches)
        if goes_on is None:
            raise TypeError(
                "CrossValidationConfig: the callback must return whether training goes on, and "
                "returned None"
            )
        return bool(goes_on)

    # -- what is done every so often ---------------------------------------------------------------

    def _actions(self) -> list[_Action]:
        return [
            _Action(self.checkpoints.frequency, self._save_numbered),
            _Action(self._progress, self._report),
            _Action(self.cross_validation.frequency, self._cross_validate),
        ]

    def _report(self, index: int) -> bool:
        self.trainer.summarize_training_progress()
        return True

    def _cross_validate(self, index: int) -> bool:
        error, samples, minibatches = 0.0, 0, 0
        if self._cv_feed is not None:
            position = self._cv_feed.get_checkpoint_state()
            config = self.cross_validation
            error, samples, minibatches = self._try(
                self._cv_feed, config.minibatch_size, config.max_samples
            )
            if position:
                self._cv_feed.restore_from_checkpoint(position)
            if samples:
                self.trainer.summarize_test_progress()
        return self.on_cross_validation_end(index, error, samples, minibatches)

    def _try(self, feed: StreamSource, size: Any, limit: int | None) -> tuple[float, int, int]:
        """Return the average metric over data, and the number of samples and minibatches."""
        tally = Tally()
        for arguments, _ in feed.minibatches(size, limit, lambda: tally.samples, self._device):
            tally.add(self.trainer._test(arguments, self._device))
        return tally.average(), tally.samples, tally.minibatches

    # -- checkpoints -------------------------------------------------------------------------------

    def _save_numbered(self, index: int) -> bool:
        name = self.checkpoints.filename
        self._save(f"{name}{index}" if self.checkpoints.preserve_all else name)
        return True

    def _save(self, filename: str | None) -> None:
        if filename is None:
            raise ValueError(
                "training_session: a checkpoint needs a file name; give CheckpointConfig one"
            )
        state: dict[str, Any] = {_POSITION: self._feed.get_checkpoint_state()}
        if self._validation is not None and self._validation.is_due(self._now):
            state[_DUE] = self._validation.index
        self.trainer.save_checkpoint(filename, state)

    def _restore(self) -> tuple[str | None, int | None]:
        """Restore the newest checkpoint.

        Returns:
            Its path, or None if there is none; and the index of a cross validation that was still
            due then.
        """
        from cntk._persist.checkpoints import go_on_from

        if not (self.checkpoints.restore and self.checkpoints.filename):
            return None, None
        restored = go_on_from(
            _checkpoints(self.checkpoints.filename), self.trainer.restore_from_checkpoint
        )
        if restored is None:
            return None, None
        path, state = restored
        position = state.get(_POSITION, {})
        if position:
            self._feed.restore_from_checkpoint(position)
        else:
            warnings.warn(
                f"training_session: the checkpoint {path!r} does not say how far the data had been "
                f"read; the source begins where it is, since it does not define "
                f"get_checkpoint_state",
                stacklevel=3,
            )
        return path, state.get(_DUE)

    def _counts(self) -> dict[DataUnit, int]:
        return {unit: self.trainer.total_number_of_units_seen(unit) for unit in DataUnit}


def training_session(
    trainer: Trainer,
    mb_source: Any,
    mb_size: Any,
    model_inputs_to_streams: Mapping[Any, Any],
    progress_frequency: Any = None,
    max_samples: int | None = None,
    checkpoint_config: CheckpointConfig | None = None,
    cv_config: CrossValidationConfig | None = None,
    test_config: TestConfig | None = None,
) -> TrainingSession:
    """Create a training session, to be run by `TrainingSession.train`.

    Frequencies are numbers of samples, or pairs of a number and a `DataUnit`; None is for once, at
    the end, 0 for never.

    Args:
        trainer: what is trained, by what.
        mb_source: the training data.
        mb_size: samples of a minibatch, or what `minibatch_size_schedule` gives.
        model_inputs_to_streams: which of the source's streams is for which argument.
        progress_frequency: how often the trainer's progress writers get a summary.
        max_samples: how many samples to train on, those of a checkpoint included; as far as the
            source goes if not given.
        checkpoint_config: where and how often checkpoints are written; training goes on from the
            newest one.
        cv_config: on what and how often the model is tried meanwhile.
        test_config: on what it is tried after training.

    Raises:
        ValueError: if data never end, there are none for the model, or a number is out of range.
        TypeError: for a frequency or configuration of another kind.

    Example:
        >>> import cntk as C, numpy as np
        >>> x, y = C.input_variable(2), C.input_variable(1)
        >>> model = C.layers.Dense(1)(x)
        >>> loss = C.squared_error(model, y)
        >>> trainer = C.Trainer(model, (loss, loss), C.sgd(model.parameters, 0.1))
        >>> ones = np.ones((10, 2), np.float32)
        >>> source = C.io.MinibatchSourceFromData(dict(x=ones, y=ones[:, :1]), max_samples=30)
        >>> streams = {x: source.streams.x, y: source.streams.y}
        >>> training_session(trainer, source, mb_size=4, model_inputs_to_streams=streams).train()
        >>> trainer.total_number_of_samples_seen
        30
    """
    return TrainingSession(
        trainer,
        mb_source,
        mb_size,
        model_inputs_to_streams,
        max_samples,
        progress_frequency,
        checkpoint_config,
        cv_config,
        test_config,
    )


def _check(trainer: Any, source: Any, streams: Any, max_samples: int | None) -> None:
    if trainer is None:
        raise ValueError("training_session: a trainer must be given")
    if not hasattr(trainer, "train_minibatch"):
        raise ArgumentError(f"training_session: expected a Trainer, got {type(trainer).__name__}")
    if source is None:
        raise ValueError("training_session: a training minibatch source must be given")
    if not hasattr(source, "next_minibatch"):
        raise ArgumentError(
            f"training_session: expected a minibatch source, got {type(source).__name__}; give "
            f"data in memory to cntk.io.MinibatchSourceFromData"
        )
    if streams is not None and not isinstance(streams, Mapping):
        raise ArgumentError(
            f"training_session: model_inputs_to_streams must be a dictionary, got {shown(streams)}"
        )
    if not streams:
        raise ValueError(
            "training_session: model_inputs_to_streams must say which stream is for which argument "
            "of the model"
        )
    if max_samples is not None and as_limit(max_samples, "training_session: max_samples") < 1:
        raise ValueError(f"training_session: max_samples must be positive, got {max_samples}")


def _check_kinds(*configs: Any) -> None:
    for config, kind in zip(
        configs, (CheckpointConfig, CrossValidationConfig, TestConfig), strict=True
    ):
        if config is not None and not isinstance(config, kind):
            raise TypeError(
                f"training_session: expected a {kind.__name__}, got {type(config).__name__}"
            )


def _checkpoints(filename: str) -> list[str]:
    """Return the existing checkpoints, newest first: the one of exactly this name, unless one with
    a number continued from it.
    """
    from cntk._persist.checkpoints import is_checkpoint, samples_in

    path = Path(reachable(filename))
    names = (
        (p.name for p in path.parent.glob("*") if p.name.startswith(path.name))
        if path.parent.is_dir()
        else ()
    )
    numbers = {
        int(n)
        for name in names
        if (n := name[len(path.name) :].removesuffix(".ckp")).isascii() and n.isdigit()
    }
    paths = [name for n in sorted(numbers, reverse=True) if is_checkpoint(name := f"{filename}{n}")]
    if not is_checkpoint(filename):
        return paths
    if paths and samples_in(paths[0]) > samples_in(filename):
        return [paths[0], filename, *paths[1:]]
    return [filename, *paths]


hand_on(globals())
