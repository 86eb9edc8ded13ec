"""Saves and restores checkpoints of trainers: a model file, and beside it the learners' states."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from cntk._execution.training_step import TrainingStep
from cntk._graph import walk
from cntk._graph.block import combine_variables
from cntk._graph.composite import Composite
from cntk._graph.function import Function
from cntk._graph.primitive import Primitive
from cntk._graph.variable import Variable
from cntk._ops.math.reduction import ReduceElements
from cntk._ops.support.operands import apply
from cntk._persist import files
from cntk._persist.learner_state import learner_from_file, learner_to_file, restore_own_state
from cntk._persist.protobuf.described import part
from cntk._persist.protobuf.dictionary import Single, Size
from cntk._persist.protobuf.value import DictionaryValue
from cntk._persist.restore import matched, set_values
from cntk._persist.v2.load import from_dictionary, model_dictionary
from cntk._persist.v2.save import to_dictionary
from cntk._writing.leftovers import name_until_replaced, new_mark
from cntk._writing.whole_files import reachable
from cntk.axis import Axis
from cntk.errors import FileFormatError, LearnerStateError, ModelNotFoundError, TornCheckpointError
from cntk.train.distributed import DistributedLearner, samples_seen

CHECKPOINT_VERSION = 1

# Keys of our own, which the original ignores: samples that no learner has counted, as at a rate of
# 0; number of minibatches, and of those of each size, which decide when steps are compiled.
_SAMPLES, _PASSES, _SIZES = "SamplesSeen", "PassesSeen", "SizesSeen"
# Another key of our own, in both files: they belong together if its string is the same.
_MARK = "CheckpointMark"
# Seconds to wait for another process that is renaming its files of a checkpoint.
_WAITS = (0.05, 0.25)


def save_checkpoint(
    filename: str | os.PathLike[str],
    graph: Composite,
    step: TrainingStep,
    learners: tuple[Any, ...],
    samples: int,
    external_state: Mapping[str, Any],
) -> None:
    """Write a trainer's checkpoint; see `Trainer.save_checkpoint`.

    Args:
        filename: path of the model's file.
        graph: all that is trained; see `trained_graph`.
        step: the training step.
        learners: the learners.
        samples: number of samples trained on.
        external_state: the program's own state.
    """
    if not isinstance(external_state, Mapping):
        raise TypeError(
            f"save_checkpoint: external_state must be a dictionary, got {external_state!r}"
        )
    external = _external_to_file(external_state)
    for learner in learners:
        if isinstance(learner, DistributedLearner):
            learner.before_checkpoint()
    state: dict[str, Any] = {
        "Version": Size(CHECKPOINT_VERSION),
        "DistributedState": _of_workers(learners, external),
        "Learners": [learner_to_file(learner) for learner in learners],
        "ExternalState": external,
    }
    passes, sizes = step.passes()
    state |= {_PASSES: Size(passes), _SIZES: {size: Size(count) for size, count in sizes.items()}}
    if samples != samples_seen(learners[0]):
        state[_SAMPLES] = Size(samples)
    mark = new_mark()
    state |= {files.WEIGHTS_UNTIL_REPLACED: name_until_replaced(filename, mark), _MARK: mark}
    model = to_dictionary(graph, [step.function]) | {_MARK: mark}
    files.write_together({filename: model, files.beside(filename): state}, "save_checkpoint", mark)


def _of_workers(learners: tuple[Any, ...], external_state: Any) -> dict[str, Any]:
    """Return the state of each process by its rank; empty without distributed learners."""
    ranks = {
        str(each.communicator().rank()) for each in learners if isinstance(each, DistributedLearner)
    }
    return {
        rank: {"external_worker_state": external_state, "internal_worker_state": {}}
        for rank in ranks
    }


def restore_checkpoint(
    filename: str | os.PathLike[str],
    graph: Composite,
    step: TrainingStep,
    learners: tuple[Any, ...],
) -> tuple[int, dict[str, Any]]:
    """Go on from a checkpoint; see `Trainer.restore_from_checkpoint`.

    Returns:
        The number of samples trained on, and the program's own state.
    """
    model, values = _pair(filename)
    loaded = from_dictionary(model, name=files.describe(filename))
    pairs = matched(graph, loaded, filename)
    drawing = _drawing(graph, loaded, filename)
    try:
        states, external = _states(values, learners, {own: other.uid for own, other in pairs})
    except (FileFormatError, LearnerStateError) as error:
        raise type(error)(
            f"{files.describe(files.beside(filename))} cannot be restored: {error}"
        ) from None
    # User-defined learners come first: if one raises, nothing has been restored.
    for learner, (_, own) in zip(learners, states, strict=True):
        restore_own_state(learner, own)
    set_values(pairs)
    for primitive, other in drawing:
        drawn: Any = other.op  # an operation that draws has both fields
        seeded: Any = primitive.op
        primitive.op = replace(seeded, rng_seed=drawn.rng_seed, rng_offset=drawn.rng_offset)
        primitive.times_seeded += 1
    for learner, (state, _) in zip(learners, states, strict=True):
        learner.load_state_dict(state)
    step.begin_anew(
        int(values.get(_PASSES, 0)),
        {size: int(count) for size, count in values.get(_SIZES, {}).items()},
    )
    return int(values.get(_SAMPLES, samples_seen(learners[0]))), external


def trained_graph(model: Any, step: TrainingStep) -> Composite:
    """Return all that a trainer trains, as one function.

    Its outputs are the model's, then loss and metric, each with its sum over the minibatch, or, if
    it is reduced already, with the value before the reduction.

    Args:
        model: the model, or None.
        step: the training step.
    """
    outputs = (
        list(model.outputs) if isinstance(model, Function) else [] if model is None else [model]
    )
    outputs += [
        step.loss,
        _sum(step.loss, "aggregateLoss") if step.loss.dynamic_axes else step.counted,
    ]
    if step.metric is not None:
        below = (
            _sum(step.metric, "aggregateEvalMetric")
            if step.metric.dynamic_axes
            else _first_operand(step.metric)
        )
        outputs += [step.metric, below]
    return combine_variables(v for v in outputs if v is not None)


def _sum(variable: Variable, name: str) -> Variable:
    reduction = ReduceElements("Sum", reduction_keep_dimensions=False, axis=Axis.all_axes())
    return apply(reduction, (variable,), name).output


def _first_operand(variable: Variable) -> Variable | None:
    owner = variable._owner
    first = None if owner is None else next(iter(owner.root_function.operands), None)
    return first if first is not None and first.is_output else None


# -- two files that belong together ----------------------------------------------------------------


def is_checkpoint(filename: str | os.PathLike[str]) -> bool:
    """Return whether there is a checkpoint.

    It may be one of a process that ended before it renamed the model's file.
    """
    if os.path.exists(reachable(filename)):
        return True
    try:
        return _still_to_be_replaced(filename, files.read(files.beside(filename))) is not None
    except (OSError, ValueError):
        return False


def go_on_from(
    paths: Sequence[str], restore: Callable[[str], dict[str, Any]]
) -> tuple[str, dict[str, Any]] | None:
    """Restore the first checkpoint whose files belong together; warn of those that do not.

    Args:
        paths: paths of checkpoints, the newest first.
        restore: the trainer's `restore_from_checkpoint`.

    Returns:
        Its path and the result of ``restore``; None without any checkpoint.

    Raises:
        TornCheckpointError: if the files of none belong together.
        FileNotFoundError: if a file of the last one is missing.
    """
    for path in paths:
        try:
            return path, restore(path)
        except (TornCheckpointError, ModelNotFoundError) as error:
            if path == paths[-1]:
                raise
            warnings.warn(f"{error}; an earlier checkpoint is taken", stacklevel=4)
    return None


def samples_in(filename: str | os.PathLike[str]) -> int:
    """Return the number of samples trained on before a checkpoint; 0 if it cannot be read."""
    try:
        values = files.read(files.beside(filename))
        counted = values["Learners"][0]
        while "sample_count" not in counted:
            counted = next(counted[key] for key in ("localLearners", "base") if key in counted)
        return int(values.get(_SAMPLES, counted["sample_count"]))
    except (OSError, ValueError, LookupError, TypeError, StopIteration):
        return 0


def _pair(filename: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read both files of a checkpoint, which must have the same mark, or none.

    Raises:
        TornCheckpointError: if they have not.
    """
    for wait in (*_WAITS, None):
        values = files.read(files.beside(filename))
        interrupted = _still_to_be_replaced(filename, values)
        for path in (interrupted, filename) if interrupted else (filename,):
            model = files.read(path, model_dictionary)
            if _mark(model) == _mark(values):
                return model, values
        if wait is not None:
            time.sleep(wait)
    raise TornCheckpointError(_why_torn(filename, _mark(model), values))


def _mark(values: dict[str, Any]) -> str | None:
    """Return the mark of the checkpoint that a file belongs to, if it has one."""
    return (
        part(values, _MARK, str, "a file of a checkpoint")
        if values.get(_MARK) is not None
        else None
    )


def _why_torn(filename: str | os.PathLike[str], mark: Any, values: dict[str, Any]) -> str:
    name, states = files.describe(filename), files.describe(files.beside(filename))
    if mark is None:
        why = (
            f"something else than this version's save_checkpoint, such as Function.save, has "
            f"written {name} since"
        )
    elif values.get(_MARK) is None:
        why = (
            f"{states} was written by the original or an older version, or is of another checkpoint"
        )
    else:
        why = "one was replaced or copied without the other"
        why += (
            f", or without the file {values.get(files.WEIGHTS_UNTIL_REPLACED)!r}, which had the "
            f"weights meanwhile"
        )
    return (
        f"{name} and {states} are not of the same checkpoint: {why}. Training cannot go on from "
        f"weights with another's states: give the name of an earlier checkpoint, or put both files "
        f"there as they were saved; cntk.load_model loads the weights alone, for a training that "
        f"begins anew"
    )


def _still_to_be_replaced(filename: str | os.PathLike[str], values: dict[str, Any]) -> str | None:
    """Return the model's temporary file, if a process ended between renaming states and model."""
    name = values.get(files.WEIGHTS_UNTIL_REPLACED)
    if not isinstance(name, str) or os.path.basename(name) != name:
        return None
    path = os.path.join(os.path.dirname(os.path.realpath(filename)), name)
    return path if os.path.isfile(reachable(path)) else None


# -- random numbers --------------------------------------------------------------------------------


def _drawing(own: Composite, loaded: Composite, filename: Any) -> list[tuple[Primitive, Primitive]]:
    """Pair the operations that draw random numbers with those of the file.

    Raises:
        FileFormatError: if the file has others.
    """
    pairs = list(_in_order(own.root_function)), list(_in_order(loaded.root_function))
    if [p.op_name for p in pairs[0]] != [p.op_name for p in pairs[1]]:
        raise FileFormatError(
            f"{files.describe(filename)} holds another function than the one to be restored: it "
            f"draws other random numbers"
        )
    return list(zip(*pairs, strict=True))


def _in_order(root: Primitive) -> Iterator[Primitive]:
    """Yield the operations that draw random numbers, those inside blocks as well."""
    for primitive in walk.post_order(root.results):
        if primitive.block is not None:
            yield from _in_order(primitive.block.composite.root_function)
        elif hasattr(primitive.op, "rng_offset"):
            yield primitive


# -- the file beside the model's -------------------------------------------------------------------


def _states(
    values: dict[str, Any], learners: tuple[Any, ...], uids: Mapping[Any, str]
) -> tuple[list[tuple[dict[str, Any], Any]], dict[str, Any]]:
    """Return the learners' states, and the program's own.

    Raises:
        FileFormatError: if the dictionary is no checkpoint's.
        LearnerStateError: if it has other learners.
    """
    saved, external = values.get("Learners"), values.get("ExternalState")
    counts = [values.get(_SAMPLES, 0), values.get(_PASSES, 0)]
    sizes = values.get(_SIZES, {})
    counts += sizes.values() if isinstance(sizes, dict) else [None]
    if not (
        isinstance(saved, list)
        and isinstance(external, dict)
        and all(isinstance(n, int) and n >= 0 for n in counts)
    ):
        raise FileFormatError("it is no checkpoint of a trainer")
    if len(saved) != len(learners):
        raise LearnerStateError(
            f"the checkpoint is of {len(saved)} learners, and the trainer has {len(learners)}"
        )
    states = [
        learner_from_file(state, learner, [uids.get(p) for p in learner.parameters])
        for state, learner in zip(saved, learners, strict=True)
    ]
    return states, {key: _external_from_file(value) for key, value in external.items()}


def _external_to_file(value: Any) -> Any:
    """Convert a program's own state to values of files, integers to a type that is wide enough.

    The original does so, too.
    """
    if value is None:
        return DictionaryValue()
    if isinstance(value, Mapping):
        return {_name(key): _external_to_file(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_external_to_file(item) for item in value]
    if (
        isinstance(value, (int, np.integer))
        and not isinstance(value, bool)
        and not -(2**31) <= value < 2**31
    ):
        number = int(value)
        if 0 <= number < 2**64:
            return Size(number)
        if abs(number) < 2**1000 and int(float(number)) == number:
            return float(number)
        raise FileFormatError(
            f"save_checkpoint: the number {number} is too large for a file; save it as a string"
        )
    return value


def _name(key: Any) -> str:
    if not isinstance(key, str):
        raise TypeError(f"save_checkpoint: names in external_state must be strings, got {key!r}")
    return key


def _external_from_file(value: Any) -> Any:
    """Convert values of a file to plain Python values and copied arrays."""
    if isinstance(value, dict):
        return {key: _external_from_file(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_external_from_file(item) for item in value]
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, Size):
        return int(value)
    return float(value) if isinstance(value, Single) else value
