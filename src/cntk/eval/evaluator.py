"""The evaluator: the average of a metric over minibatches of test data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cntk._arguments import as_bool, shown
from cntk._execution.training_step import StepResult, TrainingStep
from cntk._graph.function import Function
from cntk._graph.names.late_names import hand_on
from cntk._graph.variable import Variable
from cntk.device import DeviceDescriptor, torch_device
from cntk.errors import ArgumentError, FeedError
from cntk.eval.sums import RunningSum


def as_writers(progress_writers: Any, owner: str) -> list[Any]:
    """Convert progress writers, one, a list or None, to a list; ``owner`` names the caller in
    errors.

    Raises:
        ValueError: for anything else.
    """
    if progress_writers is None:
        return []
    writers = (
        progress_writers if isinstance(progress_writers, (list, tuple)) else [progress_writers]
    )
    for writer in writers:
        if not hasattr(writer, "update_training_with_minibatch"):
            raise ArgumentError(
                f"{owner}: progress_writers: expected progress writers, such as ProgressPrinter, "
                f"got {shown(writer)}"
            )
    return list({id(writer): writer for writer in writers}.values())  # each is told once


class Evaluator:
    """Sums up a metric over minibatches.

    Args:
        eval_function: the metric: a function with one output for each sample.
        progress_writers: writers that report it.

    Raises:
        ValueError: if there is no metric.
        TypeError: if it is no function.

    Example:
        >>> import cntk as C
        >>> x, y = C.input_variable(2), C.input_variable(2)
        >>> evaluator = C.eval.Evaluator(C.classification_error(x, y))
        >>> evaluator.test_minibatch({x: [[2, 1], [2, 1]], y: [[1, 0], [0, 1]]})
        0.5
    """

    def __init__(self, eval_function: Function | Variable, progress_writers: Any = None) -> None:
        self._eval_function = eval_function
        self._writers = as_writers(progress_writers, "Evaluator")
        if eval_function is None:
            raise ValueError(
                "Evaluator: expected a metric, got None; give one such as "
                "cntk.classification_error(z, y)"
            )
        output = eval_function.output if isinstance(eval_function, Function) else eval_function
        if not isinstance(output, Variable):
            raise ArgumentError(
                f"Evaluator: expected a metric, got {type(output).__name__}; give one such as "
                f"cntk.classification_error(z, y)"
            )
        self._test_step = TrainingStep(output, None, ())
        self._tested = RunningSum()

    def __reduce__(self) -> Any:
        return Evaluator, (self._eval_function, list(self._writers))

    @property
    def evaluation_function(self) -> Function | Variable:
        """The metric."""
        return self._eval_function

    def test_minibatch(
        self, arguments: Any, device: DeviceDescriptor | None = None, distributed: bool = False
    ) -> float:
        """Compute the metric's average over one minibatch.

        Args:
            arguments: data by variable or name.
            device: where to run.
            distributed: whether other processes hold parts of the minibatch.

        Raises:
            ValueError: if data are missing or do not fit.
        """
        if not isinstance(distributed, bool):
            as_bool(distributed, "test_minibatch: distributed")
        result = self._test(arguments, device)
        return float(result.loss) / result.samples

    def _test(self, arguments: Any, device: DeviceDescriptor | None) -> StepResult:
        """Compute the metric's sum over one minibatch, and report it to the writers."""
        result = self._test_step.test(arguments, torch_device(device))
        if not result.samples:
            raise FeedError("test_minibatch: the minibatch has no samples; give at least one")
        if self._writers:
            self._tested.add(result.loss)
        for writer in self._writers:
            writer.update_test(result.samples, self._tested)
        return result

    def summarize_test_progress(self) -> None:
        """Write the average over all minibatches since the last summary to the progress writers."""
        for writer in self._writers:
            writer.write_test_summary(self._tested)
        self._tested.reset()

    def print_node_timing(self) -> None:
        """Print how long each operation took; see `Function.print_node_timing`."""
        self._test_step.function.print_node_timing()


def sequence_of_learners(parameter_learners: Any) -> Sequence[Any]:
    """Convert learners, one or a list, to a list.

    Raises:
        ValueError: if there is none.
        ArgumentError: for anything that is no learner.
    """
    learners = (
        list(parameter_learners)
        if isinstance(parameter_learners, (list, tuple))
        else [parameter_learners]
    )
    if not learners:
        raise ArgumentError(
            "Trainer: there must be at least one learner, such as cntk.sgd(model.parameters, 0.1)"
        )
    for learner in learners:
        if not hasattr(learner, "parameters") or not hasattr(learner, "apply"):
            raise ArgumentError(
                f"Trainer: expected learners such as cntk.sgd(...) gives, got {shown(learner)}"
            )
    return learners


hand_on(globals())
