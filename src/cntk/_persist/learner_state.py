"""Converts the state of learners to and from the original's dictionaries, for checkpoints."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from cntk._persist.protobuf.described import flag, part
from cntk._persist.protobuf.dictionary import Size
from cntk._persist.protobuf.value import Dictionary
from cntk._runtime.numpy_tensors import SHORT, array_of, tensor_of
from cntk._wording import shape_text
from cntk.errors import FileFormatError, LearnerStateError
from cntk.learners.base import Learner
from cntk.learners.user import UserLearner
from cntk.train.distributed import BlockMomentumLearner, DistributedLearner

LEARNER_VERSION, SCHEDULE_VERSION = 3, 2

# The result of a user-defined learner's `create_checkpoint`.
_OWN = "user_state"
# Of distributed learners: the state of the learner that they wrap, and the block momentum.
_LOCAL, _BASE, _SMOOTHED = "localLearners", "base", "blockLevelSmoothedGradient"
# In the first version a schedule had a unit, a sample or a minibatch, instead of a reference
# minibatch size.
_REFERENCE_OF_UNIT = {0: 1, 1: 0}

T = TypeVar("T")


def learner_to_file(learner: Any) -> dict[str, Any]:
    """Return a learner's state as a dictionary, with that of a user-defined learner."""
    if isinstance(learner, DistributedLearner):
        return _distributed_to_file(learner)
    values = _common(learner)
    if _has_own_state(learner):
        values[_OWN] = learner.create_checkpoint()
    return values


def learner_checkpoint(learner: Learner | DistributedLearner) -> Dictionary:
    """Return a learner's state without a trainer; see `Learner.create_checkpoint`."""
    return Dictionary(
        _common(learner) if isinstance(learner, Learner) else learner_to_file(learner)
    )


def restore_learner(values: Mapping[str, Any], learner: Learner | DistributedLearner) -> None:
    """Restore a learner from its state; see `Learner.restore_from_checkpoint`."""
    state, own = learner_from_file(dict(values), learner, [p.uid for p in learner.parameters])
    learner.load_state_dict(state)
    if isinstance(learner, DistributedLearner):
        restore_own_state(learner, own)


def _common(learner: Learner) -> dict[str, Any]:
    state = learner.state_dict()
    rates = state["learning_rate"]
    values: dict[str, Any] = {
        "version": Size(LEARNER_VERSION),
        "type": "Learner",
        "sample_count": Size(state["samples"]),
        "minibatchCount": Size(state["minibatches"]),
        "sweepCount": Size(state["sweeps"]),
        "learnig_rate_schedule": {
            "version": Size(SCHEDULE_VERSION),
            "type": "TrainingParameterSchedule",
            "epoch_size": Size(rates["epoch_size"]),
            "ref_mb_size": Size(rates["minibatch_size"]),
            "schedule": {
                str(end): value for end, value in zip(rates["ends"], rates["values"], strict=True)
            },
        },
        "noise_injection_seed": Size(state["noise_seed"]),
        "master_parameter_updated": state["minibatches"] > 0,
        "smoothed_gradients": _state_arrays(learner, state["slots"], state["masters"]),
    }
    if learner.counts:
        values["smoothed_count"] = float(state["smoothed_count"])
    return values


def _distributed_to_file(learner: DistributedLearner) -> dict[str, Any]:
    seen = Size(learner.total_number_of_samples_seen)
    values: dict[str, Any] = {
        _LOCAL: learner_to_file(learner.local),
        "totalNumberOfSamplesSeen": seen,
    }
    if isinstance(learner, BlockMomentumLearner):
        smoothed = [array_of(tensor) for tensor in learner.smoothed]
        values = {_BASE: values, "localTotalNumSamplesSeen": seen, _SMOOTHED: smoothed}
    return values


def _distributed_from_file(
    values: Any, learner: DistributedLearner, uids: Sequence[str | None]
) -> tuple[dict[str, Any], Any]:
    """Read the state of a distributed learner, or of the learner that it wraps."""
    local, own = learner_from_file(_local_values(values), learner.local, uids)
    state: dict[str, Any] = {"local": local}
    if isinstance(learner, BlockMomentumLearner):
        smoothed = values.get(_SMOOTHED) if isinstance(values, dict) else None
        if smoothed is None:
            raise LearnerStateError("the checkpoint is not of a learner with block momentum")
        sizes = (
            [a.size if isinstance(a, np.ndarray) else -1 for a in smoothed]
            if isinstance(smoothed, list)
            else []
        )
        if sizes != [a.numel() for a in learner.smoothed]:
            raise LearnerStateError("the checkpoint's block momentum is of other parameters")
        state["smoothed"] = [tensor_of(np.array(array)) for array in smoothed]
    return state, own


def _local_values(values: Any) -> Any:
    """Return the dictionary of the learner that a distributed learner wraps."""
    for key in (_BASE, _LOCAL):
        if isinstance(values, dict) and key in values:
            values = values[key]
    return values


def learner_from_file(
    values: Any, learner: Any, uids: Sequence[str | None]
) -> tuple[dict[str, Any], Any]:
    """Convert a dictionary to a state for `load_state_dict`, and a user-defined learner's state.

    Args:
        values: the dictionary.
        learner: the learner to be restored; it is not changed.
        uids: the uids that its parameters had when the file was written, for files of the first
            version.

    Raises:
        FileFormatError: if the dictionary is not a learner's.
        LearnerStateError: if it is of a learner of another kind or with other parameters.
    """
    if isinstance(learner, DistributedLearner):
        return _distributed_from_file(values, learner, uids)
    values = _local_values(values)  # one process goes on with what several have trained
    if isinstance(values, dict) and not values and isinstance(learner, UserLearner):
        return learner.state_dict(), None  # as the original writes such learners
    if not isinstance(values, dict) or _part(values, "type", str) != "Learner":
        raise FileFormatError(
            "it has something else where a learner's state was expected; the file is damaged"
        )
    version = _part(values, "version", int)
    if version > LEARNER_VERSION:
        raise FileFormatError(
            f"a learner's state is of version {version}, and the newest one known is "
            f"{LEARNER_VERSION}"
        )
    if learner.counts and "smoothed_count" not in values:
        raise LearnerStateError(
            f"the checkpoint has no smoothed count for {learner.kind}; was it saved by a learner "
            f"of another kind?"
        )
    before = learner.state_dict()
    states, masters = _split_arrays(
        learner, _arrays(values, version, uids), flag(values, "master_parameter_updated")
    )
    state = {
        "kind": learner.kind,
        "samples": _count(values, "sample_count"),
        "minibatches": _count(values, "minibatchCount"),
        "sweeps": _count(values, "sweepCount") if version >= LEARNER_VERSION else before["sweeps"],
        "noise_seed": _count(
            {"noise_injection_seed": before["noise_seed"]} | values, "noise_injection_seed"
        ),
        "smoothed_count": _smoothed_count(values) if learner.counts else 0.0,
        "learning_rate": _schedule(_part(values, "learnig_rate_schedule", dict)),
        "slots": states,
        "masters": masters,
    }
    return state, values.get(_OWN)


def restore_own_state(learner: Any, state: Any) -> None:
    """Restore a user-defined learner from the result of its `create_checkpoint`."""
    while isinstance(learner, DistributedLearner):
        learner = learner.local
    if state is not None and _has_own_state(learner):
        learner.restore_from_checkpoint(state)


def _has_own_state(learner: Learner) -> bool:
    return (
        isinstance(learner, UserLearner)
        and type(learner).create_checkpoint is not Learner.create_checkpoint
    )


# -- arrays ----------------------------------------------------------------------------------------


def _state_arrays(
    learner: Learner, states: dict[str, list[Tensor]], masters: Sequence[Tensor | None]
) -> list[np.ndarray]:
    """Return one array for each parameter: its optimizer states, one after another.

    A 16-bit parameter has two more: zeros in place of its gradient, where the original has that,
    and its float32 copy.
    """
    arrays = []
    for k, parameter in enumerate(learner.parameters):
        tensors, master = [states[name][k] for name in learner.states], masters[k]
        if master is not None:
            tensors += [*[torch.zeros_like(master)] * (learner.spare_copies - 1), master]
        parts = [array_of(t).reshape(-1) for t in tensors]
        shape = _shape(learner, parameter.shape, len(parts))
        arrays.append(
            np.concatenate(parts).reshape(shape) if parts else np.zeros(shape, parameter.dtype)
        )
    return arrays


def _shape(learner: Learner, shape: tuple[int, ...], count: int) -> tuple[int, ...]:
    """Return the shape of such an array: ``count`` states as matrices, one below another."""
    if count < 2:
        return tuple(shape) if count else ()
    return count * math.prod(shape[:-1]), shape[-1] if shape else 1


def _arrays(values: dict[str, Any], version: int, uids: Sequence[str | None]) -> list[np.ndarray]:
    arrays = (
        [values.get(uid or "") for uid in uids]
        if version < 2
        else _part(values, "smoothed_gradients", list)
    )
    if not all(isinstance(array, np.ndarray) for array in arrays):
        raise LearnerStateError(
            "the checkpoint does not have the optimizer state of each of the learner's parameters"
        )
    return arrays  # type: ignore[return-value]


def _split_arrays(
    learner: Learner, arrays: list[np.ndarray], has_masters: bool
) -> tuple[dict[str, list[Tensor]], list[Tensor | None]]:
    """Return optimizer states by name, and float32 copies of 16-bit parameters (else None)."""
    if len(arrays) != len(learner.parameters):
        raise LearnerStateError(
            f"the checkpoint's learner has {len(arrays)} parameters, and this {learner.kind} "
            f"{len(learner.parameters)}"
        )
    states: dict[str, list[Tensor]] = {name: [] for name in learner.states}
    masters: list[Tensor | None] = []
    for parameter, array in zip(learner.parameters, arrays, strict=True):
        count = len(learner.states)
        expected = _shape(learner, parameter.shape, count)
        short = parameter.data.dtype in SHORT and learner.has_masters
        # Earlier checkpoints of this package have no copies.
        with_copy = _shape(learner, parameter.shape, count + learner.spare_copies)
        if short and array.shape != expected:
            expected, count = with_copy, count + learner.spare_copies
        if array.shape != expected:
            raise LearnerStateError(
                f"the checkpoint's optimizer state of parameter '{parameter.name}' has shape "
                f"{shape_text(array.shape)}, and that of {learner.kind} {shape_text(expected)}; "
                f"was it saved by a learner of another kind?"
            )
        parts = np.split(array.reshape(-1), count or 1)
        tensors = [tensor_of(part.reshape(parameter.shape).copy()) for part in parts[:count]]
        for name, tensor in zip(learner.states, tensors, strict=False):
            states[name].append(tensor)
        masters.append(tensors[-1] if count > len(learner.states) and has_masters else None)
    return states, masters


# -- schedules -------------------------------------------------------------------------------------


def _schedule(values: dict[str, Any]) -> dict[str, Any]:
    version = _part(values, "version", int)
    if version > SCHEDULE_VERSION:
        raise FileFormatError(
            f"a schedule is of version {version}, and the newest one known is {SCHEDULE_VERSION}"
        )
    steps = _part(values, "schedule", dict)
    wrong = next((end for end in steps if not (end.isdecimal() and len(end) <= 20)), None)
    if not steps or wrong is not None:
        told = "no steps" if wrong is None else f"a step until '{wrong[:40]}', which is no number"
        raise FileFormatError(f"a learner's schedule has {told}; the file is damaged")
    ordered = sorted(
        (int(end), _finite(_part(steps, end, float), f"value of its schedule until {end}"))
        for end in steps
    )
    if version < SCHEDULE_VERSION:
        reference = _REFERENCE_OF_UNIT.get(_part(values, "unit", int), 0)
    else:
        reference = _count(values, "ref_mb_size")
    return {
        "values": [value for _, value in ordered],
        "ends": [end for end, _ in ordered],
        "epoch_size": _count(values, "epoch_size"),
        "minibatch_size": reference,
    }


def _part(values: dict[str, Any], key: str, type_: type[T]) -> T:
    return part(values, key, type_, "a learner's state")


def _count(values: dict[str, Any], key: str) -> int:
    """Return a count, or a seed.

    Raises:
        FileFormatError: if it is missing, or not an integer of 0 or more.
    """
    count = _part(values, key, int)
    if isinstance(count, bool) or count < 0:
        raise FileFormatError(
            f"a learner's state has as '{key}' {count}, which is no count; the file is damaged"
        )
    return int(count)


def _smoothed_count(values: dict[str, Any]) -> float:
    count = _finite(_part(values, "smoothed_count", float), "'smoothed_count'")
    if count < 0:
        raise FileFormatError(
            f"a learner's state has as 'smoothed_count' {count:g}, which is no count; the file is "
            f"damaged"
        )
    return count


def _finite(number: float, what: str) -> float:
    if not math.isfinite(number):
        raise FileFormatError(
            f"a learner's state has as {what} {number:g}, which is no finite number; the file is "
            f"damaged"
        )
    return float(number)
