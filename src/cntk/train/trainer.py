"""The trainer: minibatches in, updated parameters and averages of loss and metric out."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from functools import cached_property
from types import NoneType
from typing import Any, cast

from torch import Tensor

from cntk._arguments import as_bool, as_path, shown
from cntk._execution.arguments import asked_for
from cntk._execution.compiled_state import share_carried_states
from cntk._execution.training_step import StepResult, TrainingStep
from cntk._graph.block import combine_variables
from cntk._graph.composite import Composite, whole_graph
from cntk._graph.function import Function
from cntk._graph.names.late_names import hand_on
from cntk._graph.variable import Variable
from cntk.device import DeviceDescriptor, torch_device
from cntk.errors import ArgumentError, SettingError
from cntk.eval.evaluator import Evaluator, as_writers, sequence_of_learners
from cntk.eval.sums import NanNotice, RunningSum
from cntk.io import MinibatchData
from cntk.train.distributed import DistributedLearner
from cntk.train.session_config import DataUnit, as_index


class Trainer(Evaluator):
    """Trains a model's parameters so that a loss gets small.

    Args:
        model: the model, or None; its outputs may be asked for while training.
        criterion: a loss; or a pair of a loss and a metric (which may be None); or a function with
            these outputs.
        parameter_learners: one or more learners, each with parameters of its own.
        progress_writers: writers that report loss and metric.

    Raises:
        ValueError: if there is no learner, or a parameter belongs to two, or to none of the
            model's.
        TypeError: if loss or learners are of the wrong kind.

    Example:
        >>> import cntk as C
        >>> import numpy as np
        >>> x, y = C.input_variable(2), C.input_variable(1)
        >>> model = C.layers.Dense(1)(x)
        >>> trainer = C.Trainer(model, C.squared_error(model, y), C.sgd(model.parameters, 0.1))
        >>> trainer.train_minibatch(
        ...     {x: np.ones((4, 2), np.float32), y: np.ones((4, 1), np.float32)}
        ... )
        True
        >>> trainer.previous_minibatch_sample_count
        4
    """

    def __init__(
        self, model: Any, criterion: Any, parameter_learners: Any, progress_writers: Any = None
    ) -> None:
        if model is not None and not isinstance(model, (Function, Variable)):
            raise ArgumentError(f"Trainer: model: expected a function, or None, got {shown(model)}")
        self._model = model
        self._loss, self._metric = _criterion(criterion)
        self._learners = tuple(sequence_of_learners(parameter_learners))
        self._writers = as_writers(progress_writers, "Trainer")
        _check_parameters(model, self._loss, self._learners)
        if len({isinstance(learner, DistributedLearner) for learner in self._learners}) > 1:
            raise ValueError(
                "Trainer: some learners are distributed and others are not; make all of them "
                "distributed, or none"
            )
        loss, metric = _output(self._loss), None if self._metric is None else _output(self._metric)
        self._step = TrainingStep(loss, metric, self._learners)
        self._test_step = self._step if metric is None else TrainingStep(metric, None, ())
        share_carried_states(self._step.function, self._test_step.function)
        for learner in self._learners:
            if self._writers:
                learner.add_progress_writers(self._writers)
        self._notice = NanNotice()
        self._tested, self._trained_loss = RunningSum(), RunningSum(self._notice)
        self._trained_metric = None if metric is None else RunningSum()
        self._previous: StepResult | None = None

    def __reduce_ex__(self, protocol: Any) -> Any:
        from cntk._persist.pickled import trainer_parts

        return trainer_parts(self)

    def train_minibatch(
        self,
        arguments: Any,
        outputs: Any = None,
        device: DeviceDescriptor | None = None,
        is_sweep_end: bool | None = None,
    ) -> Any:
        """Update the parameters by one minibatch.

        Whatever error or interrupt ends it, parameters and learners are as before the minibatch, or
        as after it.

        Args:
            arguments: data by variable or name, such as a reader's minibatch; a pair of them and of
                a flag whether this ends a sweep is accepted. Where there are none, as in what
                readers give once their data have ended, nothing is trained.
            outputs: variables or functions whose values are wanted, in any iterable.
            device: where to run.
            is_sweep_end: whether this minibatch ends a sweep through the data; a reader's minibatch
                knows it.

        Returns:
            Whether parameters were updated; with ``outputs``, unless there are none, a pair of that
            and of the values, by what was asked for.

        Raises:
            ValueError: if data are missing or do not fit.
        """
        if isinstance(arguments, tuple) and len(arguments) == 2 and isinstance(arguments[1], bool):
            arguments, is_sweep_end = arguments
        if isinstance(arguments, Mapping):
            if not arguments:  # as readers give it when their data have ended
                self._previous = None
                return False if outputs is None else (False, {})
            if is_sweep_end is None:
                is_sweep_end = False
                for data in arguments.values():
                    if isinstance(data, MinibatchData) and data.sweep_end:
                        is_sweep_end = True
        asked = {} if outputs is None else asked_for(outputs, "Trainer: outputs")
        requested = tuple(dict.fromkeys(asked.values())) if asked else ()
        if not isinstance(is_sweep_end, (bool, NoneType)):
            is_sweep_end = as_bool(is_sweep_end, "train_minibatch: is_sweep_end")
        result = self._step.train(arguments, requested, torch_device(device), bool(is_sweep_end))
        self._previous = result
        if self._writers:
            self._report(result)
        if not asked:
            return result.updated
        return result.updated, {key: result.outputs[variable] for key, variable in asked.items()}

    def _report(self, result: StepResult) -> None:
        self._trained_loss.add(result.loss)
        if self._trained_metric is not None:
            self._trained_metric.add(result.metric)
        for writer in self._writers:
            writer.update_training_with_minibatch(
                result.samples, self._trained_loss, self._trained_metric
            )

    def test_minibatch(self, arguments: Any, device: DeviceDescriptor | None = None) -> float:  # type: ignore[override]
        """Compute the metric's average over one minibatch, without an update.

        Raises:
            ValueError: if the trainer has no metric, or data are missing or do not fit.
        """
        if self._metric is None:
            raise ValueError(
                "test_minibatch: this trainer has no metric; give criterion=(loss, metric)"
            )
        return super().test_minibatch(arguments, device)

    def save_checkpoint(
        self, filename: str | os.PathLike[str], external_state: Mapping[str, Any] = {}
    ) -> None:
        """Save all state of training: the model, the learners, and the positions of random numbers.

        There are two files, ``filename`` with the model and ``filename`` + ``.ckp`` with the rest.
        They replace former ones once both are written, and not before.
        Training continues from them bit by bit as it would have without a break, on the CPU and
        with the same data.

        Args:
            filename: the path of the model's file; missing directories are made.
            external_state: what else the program wants to keep, such as a reader's position:
                numbers, text, arrays, and lists and dictionaries of these, by name.

        Raises:
            ValueError: if files cannot hold the model or ``external_state``.
            TypeError: if ``external_state`` is no dictionary, or its names are no text.
            OSError: if a file cannot be written.

        Example:
            >>> import cntk as C, numpy as np, os, tempfile
            >>> x, y = C.input_variable(2), C.input_variable(1)
            >>> model = C.layers.Dense(1)(x)
            >>> trainer = C.Trainer(
            ...     model, C.squared_error(model, y), C.adam(model.parameters, 0.1, 0.9)
            ... )
            >>> trainer.train_minibatch(
            ...     {x: np.ones((4, 2), np.float32), y: np.ones((4, 1), np.float32)}
            ... )
            True
            >>> path = os.path.join(tempfile.mkdtemp(), "trained.model")
            >>> trainer.save_checkpoint(path, {"position": 4})
            >>> trainer.restore_from_checkpoint(path)
            {'position': 4}
            >>> trainer.total_number_of_samples_seen
            4
        """
        from cntk._persist.checkpoints import save_checkpoint

        _check_path("save_checkpoint", filename)
        save_checkpoint(
            filename, self._graph, self._step, self._learners, self._step.trained, external_state
        )

    def restore_from_checkpoint(self, filename: str | os.PathLike[str]) -> dict[str, Any]:
        """Restore a checkpoint, of this trainer or of one like it, written here or by the original.

        Args:
            filename: the path that was given there.

        Returns:
            The ``external_state`` that was given there.

        Raises:
            FileNotFoundError: if there are no such files.
            ValueError: if they cannot be read, or hold another model.
            RuntimeError: if they are of other learners. The trainer is left as it was in all these
                cases.
        """
        from cntk._persist.checkpoints import restore_checkpoint

        _check_path("restore_from_checkpoint", filename)
        self._step.trained, external_state = restore_checkpoint(
            filename, self._graph, self._step, self._learners
        )
        return external_state

    @cached_property
    def _graph(self) -> Composite:
        """Graph of all outputs that are trained, as in checkpoints."""
        from cntk._persist.checkpoints import trained_graph

        return trained_graph(self._model, self._step)

    def print_node_timing(self) -> None:
        """Print how long each operation of loss and metric took; see
        `Function.print_node_timing`.
        """
        self._step.function.print_node_timing()

    @property
    def model(self) -> Any:
        """The model."""
        return self._model

    @property
    def loss_function(self) -> Any:
        """The loss."""
        return self._loss

    @property
    def evaluation_function(self) -> Any:
        """The metric, or None."""
        return self._metric

    @property
    def parameter_learners(self) -> tuple[Any, ...]:
        """The learners."""
        return self._learners

    @property
    def previous_minibatch_loss_average(self) -> float:
        """The loss of the last minibatch, divided by its number of samples.

        Raises:
            RuntimeError: before the first minibatch.
        """
        previous = self._trained()
        average = _average(previous.loss, previous.samples)
        self._notice.look(average)
        return average

    @property
    def previous_minibatch_evaluation_average(self) -> float:
        """The metric of the last minibatch, divided by its number of samples.

        Raises:
            ValueError: if the trainer has no metric.
            RuntimeError: before the first minibatch.
        """
        if self._metric is None:
            raise ValueError(
                "previous_minibatch_evaluation_average: this trainer has no metric; give "
                "criterion=(loss, metric)"
            )
        previous = self._trained()
        return _average(cast(Tensor, previous.metric), previous.samples)

    @property
    def previous_minibatch_sample_count(self) -> int:
        """The number of samples of the last minibatch."""
        return 0 if self._previous is None else self._previous.samples

    @property
    def total_number_of_samples_seen(self) -> int:
        """The number of samples trained on so far."""
        return self._step.trained

    def total_number_of_units_seen(self, unit: DataUnit | int) -> int:
        """Return the number of samples, minibatches or sweeps trained on so far, including those of
        a restored checkpoint.

        Args:
            unit: what to count: ``DataUnit.sample``, ``DataUnit.minibatch`` or ``DataUnit.sweep``.

        Raises:
            ValueError: for anything else.

        Example:
            >>> import cntk as C
            >>> x = C.input_variable(1)
            >>> model = C.layers.Dense(1)(x)
            >>> trainer = C.Trainer(model, C.squared_error(model, x), C.sgd(model.parameters, 0.1))
            >>> trainer.train_minibatch({x: [[1], [2]]})
            True
            >>> trainer.total_number_of_units_seen(C.DataUnit.minibatch)
            1
        """
        if as_index(unit) not in list(DataUnit):
            raise SettingError(
                f"total_number_of_units_seen: expected a DataUnit, got {shown(unit)}"
            )
        learner = self._learners[0]
        count: int = {
            DataUnit.sample: lambda: self._step.trained,
            DataUnit.minibatch: learner.total_number_of_minibatches_seen,
            DataUnit.sweep: learner.total_number_of_sweeps_seen,
        }[DataUnit(unit)]()
        return count

    @staticmethod
    def _get_loss_metric(criterion: Any) -> tuple[Any, Any]:
        # Libraries read a criterion by this name.
        return _criterion(criterion)

    def _trained(self) -> StepResult:
        if self._previous is None:
            raise RuntimeError(
                "trainer: no minibatch has been trained on yet, or the last one was empty; call "
                "train_minibatch first"
            )
        return self._previous

    def summarize_training_progress(self) -> None:
        """Write the averages over all minibatches since the last summary to the progress
        writers.
        """
        for writer in self._writers:
            writer.write_training_summary(self._trained_loss, self._trained_metric)
        self._trained_loss.reset()
        if self._trained_metric is not None:
            self._trained_metric.reset()


def _check_path(method: str, filename: Any) -> None:
    as_path(filename, method)


def _average(total: Tensor, samples: int) -> float:
    return float(total) / samples


def _output(node: Any) -> Variable:
    if isinstance(node, Function):
        return node.output
    if isinstance(node, Variable):
        return node
    raise ArgumentError(
        f"Trainer: criterion: expected a function, or a pair of loss and metric, got {shown(node)}"
    )


def _criterion(criterion: Any) -> tuple[Any, Any]:
    if isinstance(criterion, Function) and len(criterion.outputs) > 1:
        criterion = criterion.outputs
    if isinstance(criterion, (list, tuple)):
        if not 1 <= len(criterion) <= 2:
            raise ValueError(
                f"Trainer: the criterion must be a loss or a loss and a metric, got "
                f"{len(criterion)} functions"
            )
        loss, metric = (*criterion, None)[:2]
    else:
        loss, metric = criterion, None
    _output(loss)

    def function(node: Any) -> Any:
        return combine_variables([node]) if isinstance(node, Variable) else node

    return function(loss), None if metric is None else function(metric)


def _check_parameters(model: Any, loss: Function, learners: tuple[Any, ...]) -> None:
    if not whole_graph(loss).arguments:
        raise SettingError(
            f"Trainer: {loss!r} reads no input, whose samples could be counted; give a loss of the "
            f"model's inputs"
        )
    learnable = whole_graph(loss).parameters
    known = {*learnable, *(whole_graph(model).parameters if isinstance(model, Function) else ())}
    owners: dict[Any, int] = {}
    for learner in learners:
        for parameter in learner.parameters:
            owners[parameter] = owners.get(parameter, 0) + 1
    for parameter, count in owners.items():
        if count > 1:
            raise ValueError(
                f"Trainer: parameter {parameter!r} is covered by {count} different learners; give "
                f"it to one of them"
            )
    foreign = [p for p in owners if p not in known]
    if foreign:
        raise ValueError(
            f"Trainer: {len(foreign)} of the learner parameters, {foreign[0]!r} first, are not "
            f"part of the model; give the learner model.parameters"
        )
    idle = [p for p in learnable if p not in owners]
    if idle:
        warnings.warn(
            f"Trainer: {len(idle)} of the model's parameters, {idle[0]!r} first, belong to no "
            f"learner and will not be learned",
            stacklevel=3,
        )


hand_on(globals())
