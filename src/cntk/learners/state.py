"""State of a learner: counts, optimizer state, copies in float32; all that a checkpoint holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from cntk._graph.names.kinds import Kind
from cntk._runtime.numpy_tensors import SHORT
from cntk._runtime.random.seeds import next_seed
from cntk._runtime.transfer import MOVES
from cntk._wording import quoted, shape_text
from cntk.learners.masters import Masters, state_like
from cntk.learners.parameters import checked_parameters
from cntk.learners.schedules import TrainingParameterSchedule

__all__ = ["LearnerState", "match_strides"]


class LearnerState(metaclass=Kind):
    """Parameters of a learner with all that training changes.

    Args:
        parameters: the parameters to change.
        learning_rate: the schedule of learning rates.
    """

    kind = ""
    """The name of the function that makes such a learner."""

    states: tuple[str, ...] = ()
    """Names of the rule's state tensors for each parameter, in the order in which checkpoints
    hold them.
    """

    has_masters = True
    """Whether the rule changes what it is given, so that this may be copies in float32 of
    parameters of 16 bits.
    """

    def __init__(self, parameters: Sequence[Any], learning_rate: TrainingParameterSchedule) -> None:
        self._parameters = checked_parameters(self.kind, parameters)
        self._learning_rate_schedule = learning_rate
        self._noise_seed = next_seed()
        self._samples = self._minibatches = self._sweeps = 0
        self.smoothed_count = 0.0
        self._leaves: list[Tensor] | None = None
        self._masters: Masters | None = None
        self._restored: list[Tensor | None] | None = None
        self.fusible = self._is_single = False
        self._state: dict[str, list[Tensor]] = {}

    def state(self, name: str) -> list[Tensor]:
        """Return the tensors of that name, one a parameter; zeros at first."""
        tensors = self._state.get(name)
        if tensors is None:
            tensors = self._state[name] = [state_like(p.data).zero_() for p in self._parameters]
        return tensors

    def reset_smoothed_gradients(self) -> None:
        """Reset the optimizer state to zeros."""
        self._state = {}
        self.smoothed_count = 0.0

    def rebind(self) -> None:
        """Look up the parameters' tensors anew; needed only after they were replaced, not after
        changes in place.
        """
        self._leaves = None

    def back_up(
        self, gradients: Sequence[Tensor | None]
    ) -> tuple[Callable[[], None], Callable[[], list[Tensor]]]:
        """Copy what an update changes.

        Args:
            gradients: for each parameter None, or a sparse gradient whose rows alone will change.

        Returns:
            A function that restores the copies; and one that returns, for each parameter, a tensor
            with all that may have changed.
        """
        leaves = self._current()
        counts = (
            self._samples,
            self._minibatches,
            self._sweeps,
            self.smoothed_count,
            self._noise_seed,
        )
        backups = []
        changed: list[tuple[Tensor, Tensor | None]] = []
        for k, (leaf, gradient) in enumerate(zip(leaves, gradients, strict=True)):
            rows = None if gradient is None else gradient._indices()[0].unique()
            copies = [] if self._masters is None else [self._masters.tensors[k]]
            tensors = [leaf, *copies, *(tensors[k] for tensors in self._state.values())]
            changed.append((leaf, rows))
            backups += [(t, rows, t.clone() if rows is None else t[rows]) for t in tensors]
        state = {name: list(tensors) for name, tensors in self._state.items()}

        def undo() -> None:
            for tensor, rows, value in backups:
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
            self._state = state

        return undo, lambda: [leaf if rows is None else leaf[rows] for leaf, rows in changed]

    def state_dict(self) -> dict[str, Any]:
        """Return all that changes in the course of training: numbers, and copies of tensors.

        Returns:
            ``kind``, ``samples``, ``minibatches``, ``sweeps``, ``noise_seed``, ``smoothed_count``;
            ``learning_rate``, the schedule as a dictionary; ``slots``, for each name of
            `states` a list of one tensor a parameter; ``masters``, a list of the copies in
            float32 of parameters of 16 bits, None for others.
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

    def _loaded(self, name: str, tensors: list[Tensor] | None) -> list[Tensor]:
        if tensors is None or len(tensors) != len(self._parameters):
            raise RuntimeError(
                f"{self.kind}: the state to restore holds no {name} for {len(self._parameters)} "
                f"parameters; was it saved by another kind of learner, or for another model?"
            )
        for parameter, tensor in zip(self._parameters, tensors, strict=True):
            if tensor.shape != parameter.data.shape:
                raise RuntimeError(
                    f"{self.kind}: the {name} to restore for parameter {quoted(parameter.name)} "
                    f"has shape {shape_text(tensor.shape)}, expected {shape_text(parameter.shape)}"
                )
        pairs = zip(self._parameters, tensors, strict=True)
        return [state_like(p.data).copy_(t.detach()) for p, t in pairs]

    def _current(self) -> list[Tensor]:
        """Return the parameters' tensors, where they lie now."""
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
        # Restored, or asked for, before it was settled how parameters lie.
        for name, tensors in self._state.items():
            self._state[name] = [
                match_strides(leaf, tensor) for leaf, tensor in zip(changed, tensors, strict=True)
            ]
        return self._leaves


def match_strides(leaf: Tensor, tensor: Tensor) -> Tensor:
    """Return a tensor with a parameter's dtype, device and strides, as fused kernels need it."""
    same = (
        tensor.stride() == leaf.stride()
        and tensor.dtype == leaf.dtype
        and tensor.device == leaf.device
    )
    return tensor if same else torch.empty_like(leaf).copy_(tensor)
