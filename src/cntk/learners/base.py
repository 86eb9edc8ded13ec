"""The base of all learners: which parameters, at what rate, what has been seen, and one step of an
update.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cntk._arguments import as_bool, as_integer, shown
from cntk._graph.kinds import Kind
from cntk._runtime.numpy_tensors import SHORT
from cntk._runtime.random.seeds import next_seed
from cntk._runtime.transfer import MOVES
from cntk._wording import quoted, shape_text
from cntk.errors import ArgumentError, FeedError, SettingError
from cntk.learners.masters import Masters, state_like
from cntk.learners.options import LearningOptions
from cntk.learners.schedules import IGNORE, TrainingParameterSchedule

__all__ = ["Learner", "checked_parameters", "lying_as", "power", "quotient", "root"]


class Learner(metaclass=Kind):
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

    kind = ""
    """The name of the function that makes such a learner."""

    states: tuple[str, ...] = ()
    """Names of the tensors that the rule keeps for each parameter, in the order in which
    checkpoints hold them.
    """

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

    has_masters = True
    """Whether the rule changes what it is given, so that this may be copies in float32 of
    parameters of 16 bits.
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
        self._parameters = checked_parameters(self.kind, parameters)
        self._learning_rate_schedule = learning_rate
        self.options = options
        self._minibatch_size = IGNORE if options.minibatch_size is None else options.minibatch_size
        self.is_minibatch_size_explicitly_specified = options.minibatch_size is not None
        self._conditions = options.conditions_gradients
        self._finishes = options.finishes_parameters
        self._noise_seed = next_seed()
        self._samples = self._minibatches = self._sweeps = 0
        self.smoothed_count = 0.0
        self._leaves: list[Tensor] | None = None
        self._masters: Masters | None = None
        self._restored: list[Tensor | None] | None = None
        self.fusible = self._is_single = False
        self._state: dict[str, list[Tensor]] = {}
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
        """The learning rate of the next minibatch, as the schedule gives it."""
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
                f"reset_learning_rate: expected a schedule, got {shown(learning_rate)}; "
                "make one with learning_parameter_schedule"
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
        """Whether the rule sees the mean gradient: `IGNORE` was given as the reference minibatch
        size.
        """
        return self.is_minibatch_size_explicitly_specified and self._minibatch_size == IGNORE

    def total_number_of_samples_seen(self) -> int:
        """How many samples this learner was given."""
        return self._samples

    def total_number_of_minibatches_seen(self) -> int:
        """How many minibatches this learner was given."""
        return self._minibatches

    def total_number_of_sweeps_seen(self) -> int:
        """How many ends of sweeps over the data this learner was told of."""
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
        """Keep what an update is about to change, so that it can be taken back.

        Args:
            sparse: for each parameter its gradient where that is sparse, else None. Of a sparse
                gradient's parameter only the rows that it has are kept, where the rule touches no
                others.

        Returns:
            What takes the update back; and what gives, for each parameter, a tensor with all that
            may have changed.
        """
        leaves = self._current()
        counts = (
            self._samples,
            self._minibatches,
            self._sweeps,
            self.smoothed_count,
            self._noise_seed,
        )
        by_rows = self.takes_sparse and self.is_plain and type(self).rule is not Learner.rule
        kept = []
        changed: list[tuple[Tensor, Tensor | None]] = []
        for k, (leaf, gradient) in enumerate(zip(leaves, sparse, strict=True)):
            rows = gradient._indices()[0].unique() if gradient is not None and by_rows else None
            copies = [] if self._masters is None else [self._masters.tensors[k]]
            tensors = [leaf, *copies, *(tensors[k] for tensors in self._state.values())]
            changed.append((leaf, rows))
            kept += [(t, rows, t.clone() if rows is None else t[rows]) for t in tensors]
        slots = {name: list(tensors) for name, tensors in self._state.items()}

        def undo() -> None:
            for tensor, rows, value in kept:
                if rows is None:
                    tensor.copy_(value)
                else:
                    tensor[rows] = value
            (
                self._samples,
                self._minibatches,
                self._sweeps,
                self.smoothed_count,
                self._noise_seed,
            ) = counts
            self._state = slots

        return undo, lambda: [leaf if rows is None else leaf[rows] for leaf, rows in changed]

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
        """What the learning rate comes to for a gradient summed over ``sample_count`` samples."""
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
        """Whether the rule is all there is: no clipping, regularization or noise, and no copies of
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

    def state(self, name: str) -> list[Tensor]:
        """The tensors of that name, one a parameter; zeros at first."""
        found = self._state.get(name)
        if found is None:
            found = self._state[name] = [state_like(p.data).zero_() for p in self._parameters]
        return found

    def reset_smoothed_gradients(self) -> None:
        """Forget what the rule has gathered."""
        self._state = {}
        self.smoothed_count = 0.0

    def rebind(self) -> None:
        """Look up the parameters' tensors anew; needed only after they were replaced, not after
        changes in place.
        """
        self._leaves = None

    def tell_writers(self) -> None:
        """Tell progress writers, if there are any, of values that have changed."""
        if self._writers:
            self.report()

    def report(self) -> None:
        """Tell progress writers of values that have changed."""
        self._report("Learning rate", self._learning_rate_schedule)

    def state_dict(self) -> dict[str, Any]:
        """All that changes in the course of training: numbers, and copies of tensors.

        Returns:
            ``kind``, ``samples``, ``minibatches``, ``sweeps``, ``noise_seed``, ``smoothed_count``;
            ``learning_rate``, the schedule as a dictionary; ``slots``, for each name of `states` a
            list of one tensor a parameter; ``masters``, a list of the copies in float32 of
            parameters of 16 bits, None for others.
        """
        # Others stay free to lie as the first pass wants them.
        if (
            self._leaves is None
            and self.has_masters
            and any(p.data.dtype in SHORT for p in self._parameters)
        ):
            self._bind()
        schedule = self._learning_rate_schedule
        return {
            "kind": self.kind,
            "samples": self._samples,
            "minibatches": self._minibatches,
            "sweeps": self._sweeps,
            "noise_seed": self._noise_seed,
            "smoothed_count": self.smoothed_count,
            "learning_rate": {
                "values": list(schedule.values),
                "ends": list(schedule.ends),
                "epoch_size": schedule.epoch_size,
                "minibatch_size": schedule.minibatch_size,
            },
            "slots": {
                name: [tensor.clone() for tensor in self.state(name)] for name in self.states
            },
            "masters": [None] * len(self._parameters)
            if self._masters is None
            else self._masters.copied(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` returned.

        Raises:
            RuntimeError: if it came from another kind of learner, or for parameters of other
                shapes. Nothing has been changed then.
        """
        loaded = {name: self._loaded(name, state["slots"].get(name)) for name in self.states}
        rate = state["learning_rate"]
        self._learning_rate_schedule = replace(
            self._learning_rate_schedule,
            values=tuple(rate["values"]),
            ends=tuple(rate["ends"]),
            epoch_size=rate["epoch_size"],
            minibatch_size=rate["minibatch_size"],
        )
        self._samples, self._minibatches, self._sweeps = (
            state["samples"],
            state["minibatches"],
            state["sweeps"],
        )
        self._noise_seed, self.smoothed_count = state["noise_seed"], state["smoothed_count"]
        self._state = loaded
        self._restored = state.get("masters")
        self._leaves = None

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

    def _loaded(self, name: str, tensors: list[Tensor] | None) -> list[Tensor]:
        if tensors is None or len(tensors) != len(self._parameters):
            raise RuntimeError(
                f"{self.kind}: the state to restore holds no {name} for {len(self._parameters)} "
                f"parameters; "
                "was it saved by another kind of learner, or for another model?"
            )
        for parameter, tensor in zip(self._parameters, tensors, strict=True):
            if tensor.shape != parameter.data.shape:
                raise RuntimeError(
                    f"{self.kind}: the {name} to restore for parameter {quoted(parameter.name)} "
                    f"has shape "
                    f"{shape_text(tensor.shape)}, expected {shape_text(parameter.shape)}"
                )
        pairs = zip(self._parameters, tensors, strict=True)
        return [state_like(p.data).copy_(t.detach()) for p, t in pairs]

    def _value(self, schedule: TrainingParameterSchedule) -> float:
        value: float = schedule[self._samples if schedule.epoch_size else self._sweeps]
        return value

    def _decay(self, value: float) -> float:
        """A decay as the original's rules use it: in the parameters' own precision, so that 1 -
        decay is too.
        """
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

    def _current(self) -> list[Tensor]:
        """The parameters' tensors, where they lie now."""
        return self._leaves if self._leaves and self._moves == MOVES.count else self._bind()

    def _bind(self) -> list[Tensor]:
        self._moves = MOVES.count
        self._leaves = [parameter.freeze_storage() for parameter in self._parameters]
        masters = Masters(self._leaves) if self.has_masters else None
        known = self._restored or (None if self._masters is None else self._masters.tensors)
        self._masters = masters if masters is not None and masters.copies else None
        if self._masters is not None and known is not None:
            self._masters.load(known)
        self._restored = None
        changed = self._leaves if self._masters is None else self._masters.tensors
        first = changed[0]
        self._is_single = all(leaf.dtype == torch.float32 for leaf in changed)
        self.fusible = first.dtype in (torch.float32, torch.float64) and all(
            leaf.dtype == first.dtype and leaf.device == first.device for leaf in changed
        )
        for (
            name,
            tensors,
        ) in (
            self._state.items()
        ):  # restored, or asked for, before it was settled how parameters lie
            self._state[name] = [
                lying_as(leaf, tensor) for leaf, tensor in zip(changed, tensors, strict=True)
            ]
        return self._leaves

    def _gradient(self, parameter: Any, gradients: Mapping[Any, Any]) -> Tensor:
        value = gradients.get(parameter)
        if value is None:
            raise FeedError(
                f"{self.kind}: there is no gradient for parameter {quoted(parameter.name)} (uid "
                f"{parameter.uid}); "
                "update needs one for each of the learner's parameters"
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


def lying_as(leaf: Tensor, tensor: Tensor) -> Tensor:
    """A tensor in a parameter's number format that lies in memory as the parameter does, as fused
    kernels want it.
    """
    same = (
        tensor.stride() == leaf.stride()
        and tensor.dtype == leaf.dtype
        and tensor.device == leaf.device
    )
    return tensor if same else torch.empty_like(leaf).copy_(tensor)


def power(base: float, exponent: float) -> float:
    """``base ** exponent`` as processors compute it: infinity where it is too large, no number
    where there is none.
    """
    with np.errstate(all="ignore"):
        return float(np.float64(base) ** exponent)


def quotient(a: float, b: float) -> float:
    """``a / b``: infinite, or no number, where b is 0."""
    with np.errstate(all="ignore"):
        return float(np.float64(a) / b)


def root(value: float) -> float:
    """The square root; no number of negative ones."""
    return math.sqrt(value) if value >= 0 else math.nan


def checked_parameters(learner: str, parameters: Any) -> tuple[Any, ...]:
    """A learner's parameters, after a look whether they are some.

    Raises:
        ValueError: for none at all, for one that is given twice, or whose shape is not known yet.
        ArgumentError: for anything but a list of parameters.
    """
    if (
        isinstance(parameters, (str, Mapping))
        or not hasattr(parameters, "__iter__")
        or hasattr(parameters, "uid")
    ):
        raise ArgumentError(
            f"{learner}: expected a list of parameters, such as model.parameters, got "
            f"{shown(parameters)}"
        )
    found = tuple(parameters)
    if not found:
        raise ValueError(
            f"{learner}: the list of parameters is empty; does the model have any "
            f"(model.parameters)?"
        )
    seen = set()
    for parameter in found:
        if not getattr(parameter, "is_parameter", hasattr(parameter, "uid")):
            raise ArgumentError(
                f"{learner}: expected parameters, got {shown(parameter)}; constants and inputs are "
                f"not learned"
            )
        if any(dimension < 0 for dimension in parameter.shape):
            raise ValueError(
                f"{learner}: parameter {quoted(parameter.name)} has shape "
                f"{shape_text(parameter.shape)}, which is still to "
                "be inferred; apply the model to its input first"
            )
        if parameter.uid in seen:
            raise ValueError(
                f"{learner}: parameter {quoted(parameter.name)} (uid {parameter.uid}) is in the "
                f"list twice"
            )
        seen.add(parameter.uid)
    return found
