"""Base of all learners: the learning rate, one step of an update, and reports of progress."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cntk._arguments import as_bool, as_integer, shown
from cntk._runtime.numpy_tensors import SHORT
from cntk._wording import quoted, shape_text
from cntk.errors import ArgumentError, FeedError, SettingError
from cntk.learners.options import LearningOptions
from cntk.learners.scalars import power
from cntk.learners.schedules import IGNORE, TrainingParameterSchedule
from cntk.learners.state import LearnerState

__all__ = ["Learner"]


class Learner(LearnerState):
    """Changes parameters by their gradients. Made by `sgd`, `adam` and the other functions of this
    package.

    A step asks for the learning rate, applies the rule of the concrete learner, and counts the
    samples: `begin_step`, the rule, `end_step`. `apply` does all three.
    """

    _MINIBATCH_SIZE = "MinibatchSize"
    """What `cntk.cntk_py.AdditionalLearningOptions.dict_options` calls the reference minibatch
    size; libraries ask for it.
    """

    ignored_minibatch_size = IGNORE
    """The reference minibatch size that stands for each minibatch's own."""

    normalizes = False
    """Whether the rule divides by the gradient's own size, so that a mean gradient is not a matter
    of the rate.
    """

    counts = False
    """Whether the rule keeps `smoothed_count`, a count or a running mean of minibatch sizes."""

    subtracts = False
    """Whether the rule only subtracts the gradient, times the rate."""

    spare_copies = 1
    """How many matrices more the original keeps for a parameter of 16 bits: a copy in float32, and
    room for its gradient.
    """

    runs_users_code = False
    """Whether the rule is what the program has written: it may fail, and an update is taken back
    then.
    """

    takes_sparse = False
    """Whether the rule can be given gradients of some rows only (sparse COO tensors)."""

    def __init__(
        self,
        parameters: Sequence[Any],
        learning_rate: TrainingParameterSchedule,
        options: LearningOptions,
    ) -> None:
        super().__init__(parameters, learning_rate)
        self.options = options
        self._minibatch_size = IGNORE if options.minibatch_size is None else options.minibatch_size
        self.is_minibatch_size_explicitly_specified = options.minibatch_size is not None
        self._conditions = options.conditions_gradients
        self._finishes = options.finishes_parameters
        self._writers: list[Any] = []
        self._reported: dict[str, float] = {}

    def __reduce_ex__(self, protocol: Any) -> Any:
        from cntk._persist.pickled import learner_parts

        return learner_parts(self)

    @property
    def parameters(self) -> tuple[Any, ...]:
        """The parameters that this learner changes."""
        return self._parameters

    def learning_rate(self) -> float:
        """Return the learning rate of the next minibatch, as the schedule gives it."""
        return self._value(self._learning_rate_schedule)

    def reset_learning_rate(self, learning_rate: TrainingParameterSchedule) -> None:
        """Take another schedule of learning rates, which begins now.

        Its rates are for minibatches of the size that the first schedule's were for, whatever it
        says itself.

        Args:
            learning_rate: made by `learning_parameter_schedule`.

        Raises:
            ValueError: if it is no schedule.
        """
        if not isinstance(learning_rate, TrainingParameterSchedule):
            raise ArgumentError(
                f"reset_learning_rate: expected a schedule, got {shown(learning_rate)}; make one "
                f"with learning_parameter_schedule"
            )
        learning_rate = replace(
            learning_rate, minibatch_size=self._learning_rate_schedule.minibatch_size
        )
        seen = self._sweeps if learning_rate.is_sweep_based() else self._samples
        self._learning_rate_schedule = learning_rate.from_now(seen)

    @property
    def minibatch_size(self) -> int:
        """Reference minibatch size, for rates that state none; `IGNORE` where each minibatch's own
        size counts.
        """
        return self._minibatch_size

    @minibatch_size.setter
    def minibatch_size(self, size: int) -> None:
        self._minibatch_size = as_integer(
            size, f"{self.kind}: minibatch_size", least=0, most=2**64 - 1
        )
        self.is_minibatch_size_explicitly_specified = True

    def is_compatible_mode(self) -> bool:
        """Return whether the rule sees the mean gradient, as with `IGNORE` for minibatch_size."""
        return self.is_minibatch_size_explicitly_specified and self._minibatch_size == IGNORE

    def total_number_of_samples_seen(self) -> int:
        """Return how many samples this learner has seen."""
        return self._samples

    def total_number_of_minibatches_seen(self) -> int:
        """Return how many minibatches this learner has seen."""
        return self._minibatches

    def total_number_of_sweeps_seen(self) -> int:
        """Return how many sweeps over the data this learner has seen the end of."""
        return self._sweeps

    def add_progress_writers(self, progress_writers: Sequence[Any]) -> None:
        """Let progress writers know of each new learning rate (and momentum), by their ``write(key,
        value)``.
        """
        if not isinstance(progress_writers, (list, tuple)):
            raise ArgumentError(
                f"{self.kind}: add_progress_writers expects a list of progress writers, got "
                f"{shown(progress_writers)}"
            )
        self._writers.extend(progress_writers)

    def update(
        self,
        gradient_values: Mapping[Any, Any],
        training_sample_count: int,
        is_sweep_end: bool = False,
    ) -> bool:
        """Change the parameters by one minibatch's gradients.

        Args:
            gradient_values: for each parameter its gradient summed over the minibatch: an array or
                torch tensor of the parameter's shape.
            training_sample_count: number of samples in the minibatch; at least 1.
            is_sweep_end: whether the minibatch ended a sweep over the data.

        Returns:
            Whether there was an update; there is none while the learning rate is 0.

        Raises:
            ValueError: if a parameter has no gradient, one of another shape, or there are no
                samples.
        """
        if not isinstance(gradient_values, Mapping):
            raise ArgumentError(
                f"{self.kind}: update expects a dictionary of gradients by parameter, got "
                f"{type(gradient_values).__name__}"
            )
        training_sample_count = as_integer(
            training_sample_count, f"{self.kind}: update: training_sample_count", most=2**64 - 1
        )
        is_sweep_end = as_bool(is_sweep_end, f"{self.kind}: update: is_sweep_end")
        gradients = [self._gradient(parameter, gradient_values) for parameter in self._parameters]
        return self.apply(gradients, training_sample_count, is_sweep_end)

    def apply(self, gradients: list[Tensor], sample_count: int, is_sweep_end: bool = False) -> bool:
        """As `update`, with tensors in the order of `parameters`: dense, or sparse COO with whole
        rows.
        """
        rate = self.begin_step(sample_count)
        if rate == 0:
            return False
        leaves = self._current()
        if not self.takes_sparse:
            gradients = [g.to_dense() if g.is_sparse else g for g in gradients]
        masters = self._masters
        if masters is not None:
            leaves, gradients = masters.follow(), masters.widened(gradients)
        if self._conditions:
            gradients = self.options.condition(leaves, gradients, sample_count)
        if self.normalizes and self.is_compatible_mode():
            self.rule(
                leaves, [g / sample_count for g in gradients], rate * sample_count, sample_count
            )
        else:
            self.rule(leaves, gradients, rate, sample_count)
        if self._finishes:
            std = self._value(self.options.noise)
            self._noise_seed = self.options.finish(
                leaves, rate, sample_count, std, self._noise_seed
            )
        if masters is not None:
            masters.hand_on()
        self.end_step(sample_count, is_sweep_end)
        return True

    def before_update(
        self, sparse: Sequence[Tensor | None]
    ) -> tuple[Callable[[], None], Callable[[], list[Tensor]]]:
        """Copy what an update is about to change, so that it can be taken back.

        Args:
            sparse: for each parameter its gradient where that is sparse, else None. Of a sparse
                gradient's parameter only the rows that it has are copied, where the rule touches no
                others.

        Returns:
            A function that takes the update back; and one that returns, for each parameter, a
            tensor with all that may have changed.
        """
        by_rows = self.takes_sparse and self.is_plain and type(self).rule is not Learner.rule
        return self.back_up(sparse if by_rows else [None] * len(sparse))

    def begin_step(self, sample_count: int) -> float:
        """Begin a minibatch of that many samples: the factor of its summed gradient; 0 if nothing
        is to be done.
        """
        if sample_count < 1:
            raise SettingError(
                f"{self.kind}: expected a minibatch of at least 1 sample, got {sample_count}"
            )
        self.tell_writers()
        return self.step_rate(sample_count)

    def step_rate(self, sample_count: int) -> float:
        """Return the learning rate for a gradient summed over ``sample_count`` samples."""
        schedule = self._learning_rate_schedule
        return self._value(schedule) / (schedule.minibatch_size or sample_count)

    def end_step(self, sample_count: int, is_sweep_end: bool = False) -> None:
        """Count a minibatch."""
        self._samples += sample_count
        self._minibatches += 1
        if is_sweep_end:
            self._sweeps += 1

    @property
    def is_plain(self) -> bool:
        """True if the rule is all there is: no clipping, regularization or noise, and no copies of
        parameters.
        """
        if self._leaves is None:
            self._bind()
        return not (self._conditions or self._finishes or self._masters is not None)

    def rule(
        self, leaves: list[Tensor], gradients: list[Tensor], rate: float, samples: int
    ) -> None:
        """Change ``leaves`` in place.

        Args:
            leaves: the parameters' values, detached.
            gradients: for each its gradient, to be left as it is.
            rate: what the learning rate comes to for these gradients.
            samples: size of the minibatch.

        Raises:
            NotImplementedError: if the class has no rule.
        """
        raise NotImplementedError(
            f"{type(self).__name__} has no update rule; make a learner with sgd, adam, ..., or "
            f"derive from UserLearner"
        )

    def tell_writers(self) -> None:
        """Tell progress writers, if there are any, of values that have changed."""
        if self._writers:
            self.report()

    def report(self) -> None:
        """Tell progress writers of values that have changed."""
        self._report("Learning rate", self._learning_rate_schedule)

    def create_checkpoint(self) -> Any:
        """Return the learner's state as checkpoints hold it: a `cntk.cntk_py.Dictionary`, which can
        be saved.
        """
        from cntk._persist.learner_state import learner_checkpoint

        return learner_checkpoint(self)

    def restore_from_checkpoint(self, checkpoint: Mapping[str, Any]) -> None:
        """Go on from what `create_checkpoint` returned.

        Raises:
            ArgumentError: for anything but such a dictionary.
            RuntimeError: if it is of another kind of learner, or for other parameters. Nothing has
                been changed then.
        """
        from cntk._persist.learner_state import restore_learner

        if not isinstance(checkpoint, Mapping):
            raise ArgumentError(
                f"{self.kind}: expected what create_checkpoint returned, got {checkpoint!r}"
            )
        restore_learner(checkpoint, self)

    def _value(self, schedule: TrainingParameterSchedule) -> float:
        value: float = schedule[self._samples if schedule.epoch_size else self._sweeps]
        return value

    def _decay(self, value: float) -> float:
        """Round a decay to the parameters' precision, as the original does; 1 - decay is so too."""
        return float(np.float32(value)) if self._is_single else value

    def _momentum(self, schedule: TrainingParameterSchedule, sample_count: int) -> float:
        value, reference = self._value(schedule), schedule.minibatch_size
        return (
            power(value, sample_count / reference)
            if reference and reference != sample_count
            else value
        )

    def _report(self, what: str, schedule: TrainingParameterSchedule) -> None:
        value = self._value(schedule)
        if self._reported.get(what) != value:
            self._reported[what] = value
            reference = schedule.minibatch_size
            unit = "minibatch" if reference == IGNORE else f"{reference} samples"
            for writer in self._writers:
                writer.write(f"{what} per {unit}", value)

    def _gradient(self, parameter: Any, gradients: Mapping[Any, Any]) -> Tensor:
        value = gradients.get(parameter)
        if value is None:
            raise FeedError(
                f"{self.kind}: there is no gradient for parameter {quoted(parameter.name)} (uid "
                f"{parameter.uid}); update needs one for each of the learner's parameters"
            )
        value = getattr(value, "tensor", value)
        data = parameter.data
        gradient = (
            value.detach() if isinstance(value, Tensor) else torch.as_tensor(np.asarray(value))
        )
        if tuple(gradient.shape) != tuple(data.shape):
            if gradient.numel() != data.numel():
                raise FeedError(
                    f"{self.kind}: the gradient of parameter {quoted(parameter.name)} has shape "
                    f"{shape_text(gradient.shape)}, expected {shape_text(data.shape)}"
                )
            gradient = gradient.reshape(data.shape)
        return gradient.to(
            device=data.device, dtype=torch.float32 if data.dtype in SHORT else data.dtype
        )
