"""Progress as text: `ProgressPrinter` and other writers that a trainer reports to."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from cntk._arguments import as_flag, as_function, as_integer, as_path, as_real, shown
from cntk._graph.function import Function
from cntk._graph.names.late_names import hand_on
from cntk._writing.file_errors import naming
from cntk._writing.whole_files import reachable
from cntk.errors import ArgumentError
from cntk.logging.manual_progress import ManualProgress
from cntk.logging.printing import show
from cntk.logging.progress_writer import NEVER, ProgressWriter
from cntk.logging.tensorboard import TensorBoardProgressWriter

__all__ = [
    "ProgressPrinter",
    "ProgressWriter",
    "TensorBoardProgressWriter",
    "TrainingSummaryProgressCallback",
    "log_number_of_parameters",
]

_HEARTBEAT_SECONDS = 10
_EPOCHS_IF_UNKNOWN = 300
_HEADER = (
    " average      since    average      since      examples",
    "    loss       last     metric       last              ",
    " ------------------------------------------------------",
)


class ProgressPrinter(ManualProgress, ProgressWriter):
    """A progress writer that prints loss and metric during training.

    Args:
        freq: print every freq-th minibatch; 0 prints a table after 1, 3, 7, 15, ... minibatches;
            None prints only the end of each epoch.
        first: print as many of the first minibatches in any case.
        tag: put before the lines that end epochs.
        log_to_file: file to print to, rather than to the console.
        rank: number of this process if there are several: becomes part of the file's name.
        gen_heartbeat: whether to print a sign of life every 10 seconds.
        num_epochs: how many epochs there will be.
        test_freq: as ``freq``, for tests.
        test_first: as ``first``, for tests.
        metric_is_pct: whether to print the metric as a percentage.
        distributed_freq: as ``freq``, for synchronizations among processes.
        distributed_first: as ``first``, for synchronizations.

    Raises:
        TypeError: for frequencies that are no integers.
        FrequencyError: for negative ones, a ValueError and an OverflowError.

    Example:
        >>> printer = ProgressPrinter(freq=2, num_epochs=3)
        >>> for loss in (8.0, 4.0, 2.0):
        ...     printer.update_training_with_minibatch(samples=4, loss=loss, metric=1)
         Minibatch[   1-   2]: loss = 1.500000 * 8, metric = 25.00% * 8;
        >>> printer.on_write_training_summary(12, 3, 1, 14.0, 3.0, 500)
        Finished Epoch[1 of 3]: loss = 1.166667 * 12, metric = 25.00% * 12 0.500s ( 24.0 samples/s);
    """

    def __init__(
        self,
        freq: int | None = None,
        first: int = 0,
        tag: str = "",
        log_to_file: str | None = None,
        rank: int | None = None,
        gen_heartbeat: bool = False,
        num_epochs: int | None = None,
        test_freq: int | None = None,
        test_first: int = 0,
        metric_is_pct: bool = True,
        distributed_freq: int | None = None,
        distributed_first: int = 0,
    ) -> None:
        self.freq = NEVER if freq is None else freq
        self.first = first
        self.test_freq = NEVER if test_freq is None else test_freq
        syncs = NEVER if distributed_freq is None else distributed_freq
        ManualProgress.__init__(self)
        ProgressWriter.__init__(
            self, self.freq, first, self.test_freq, test_first, syncs, distributed_first
        )
        if log_to_file is not None:
            log_to_file = as_path(log_to_file, "ProgressPrinter: log_to_file")
        self.tag = f"[{tag}] " if as_flag(tag, "ProgressPrinter: tag") else ""
        self.epochs = 0
        self.num_epochs = num_epochs
        self.gen_heartbeat = as_flag(gen_heartbeat, "ProgressPrinter: gen_heartbeat")
        self.metric_is_pct = as_flag(metric_is_pct, "ProgressPrinter: metric_is_pct")
        self._heartbeat_due = 0.0
        self.log_to_file = log_to_file
        self.logfilename: str | None = None
        if log_to_file is not None:
            self._begin_file(log_to_file if rank is None else f"{log_to_file}rank{rank}")
        if self.freq == 0:
            for line in _HEADER:
                self.log(line)

    def log(self, message: str) -> None:
        """Print a line, to the log file if there is one."""
        if self.logfilename is None:
            show(message)
        else:
            _put_line(self.logfilename, "a", message)

    def write(self, key: str, value: Any) -> None:
        """Print a value by its name, such as a new learning rate."""
        self.log(f"{key}: {value}")

    def end_progress_print(self, msg: str = "") -> None:
        """Print that training is over.

        Args:
            msg: a line for the end of the log file.
        """
        self.log("CNTKCommandTrainEnd: train")
        if msg and self.log_to_file is not None:
            self.log(msg)

    def on_training_update_end(self) -> None:
        """See `ProgressWriter`; prints the heartbeat."""
        if self.gen_heartbeat and time.perf_counter() >= self._heartbeat_due:
            print("PROGRESS: 0.00%", flush=True)
            self._heartbeat_due = time.perf_counter() + _HEARTBEAT_SECONDS

    def on_write_training_update(
        self,
        samples: tuple[int, int],
        updates: tuple[int, int],
        aggregate_loss: tuple[float, float],
        aggregate_metric: tuple[float, float],
    ) -> None:
        """See `ProgressWriter`; prints minibatches."""
        last, start = _since_last(samples, aggregate_loss, aggregate_metric), samples[1]
        if self.freq == 0:
            whole = _average(aggregate_loss[1], start), _average(aggregate_metric[1], start), start
            self._write_averages(whole, last)
        else:
            self._write_minibatches((updates[0] + 1, updates[1]), *last)

    def on_write_test_update(
        self,
        samples: tuple[int, int],
        updates: tuple[int, int],
        aggregate_metric: tuple[float, float],
    ) -> None:
        """See `ProgressWriter`; prints minibatches of a test."""
        _, metric, count = _since_last(samples, (0.0, 0.0), aggregate_metric)
        if self.test_freq == 0:
            whole = _average(aggregate_metric[1], samples[1])
            self.log(f" {'':8}   {'':8}   {whole:8.3g}   {metric:8.3g}    {samples[1]:10d}")
        else:
            self.log(
                f" Evaluation Minibatch[{updates[0] + 1:4d}-{updates[1]:4d}]: metric = "
                f"{self._metric(metric, count)};"
            )

    def on_write_training_summary(
        self,
        samples: int,
        updates: int,
        summaries: int,
        aggregate_loss: float,
        aggregate_metric: float,
        elapsed_milliseconds: int,
    ) -> None:
        """See `ProgressWriter`; prints the end of an epoch, unless minibatches are printed as a
        table.
        """
        self.epochs = summaries
        if self.freq != 0:
            loss, metric = _average(aggregate_loss, samples), _average(aggregate_metric, samples)
            self._write_epoch(loss, metric, samples, True, elapsed_milliseconds / 1000)

    def on_write_test_summary(
        self,
        samples: int,
        updates: int,
        summaries: int,
        aggregate_metric: float,
        elapsed_milliseconds: int,
    ) -> None:
        """See `ProgressWriter`; prints the end of a test."""
        metric = self._metric(_average(aggregate_metric, samples), samples)
        self.log(f"Finished Evaluation [{summaries}]: Minibatch[1-{updates}]: metric = {metric};")

    def on_write_distributed_sync_update(
        self,
        samples: tuple[int, int],
        updates: tuple[int, int],
        aggregate_metric: tuple[float, float],
    ) -> None:
        """See `ProgressWriter`; prints synchronizations among processes."""
        syncs, seen = updates[1] - updates[0], samples[1] - samples[0]
        self.log(f"Distributed training: #Syncs elapsed = {syncs}, #Samples elapsed = {seen}")

    def _begin_file(self, name: str) -> None:
        show(f"Redirecting log to file {name}")
        _put_line(name, "w", name)
        self.logfilename = name
        epochs = _EPOCHS_IF_UNKNOWN if self.num_epochs is None else self.num_epochs
        self.log(f"CNTKCommandTrainInfo: train : {epochs}")
        self.log(f"CNTKCommandTrainInfo: CNTKNoMoreCommands_Total : {epochs}")
        self.log("CNTKCommandTrainBegin: train")

    def _metric(self, metric: float, samples: int) -> str:
        return (
            f"{metric * 100:.2f}% * {samples}"
            if self.metric_is_pct
            else f"{metric:.6f} * {samples}"
        )

    def _write_averages(
        self, since_start: tuple[float, float, int], since_last: tuple[float, float, int]
    ) -> None:
        (loss, metric, samples), (last_loss, last_metric, _) = since_start, since_last
        self.log(
            f" {loss:8.3g}   {last_loss:8.3g}   {metric:8.3g}   {last_metric:8.3g}    {samples:10d}"
        )

    def _write_minibatches(
        self,
        updates: tuple[int, int],
        loss: float,
        metric: float,
        samples: int,
        with_metric: bool = True,
    ) -> None:
        line = f" Minibatch[{updates[0]:4d}-{updates[1]:4d}]: loss = {loss:.6f} * {samples}"
        self.log(
            f"{line}, metric = {self._metric(metric, samples)};" if with_metric else f"{line};"
        )

    def _write_epoch(
        self, loss: float, metric: float, samples: int, with_metric: bool, seconds: float
    ) -> None:
        total = "" if self.num_epochs is None else f" of {self.num_epochs}"
        speed = samples / seconds if seconds > 0 else 0.0
        line = f"Finished Epoch[{self.epochs}{total}]: {self.tag}loss = {loss:.6f} * {samples}"
        if with_metric:
            line += f", metric = {self._metric(metric, samples)}"
        self.log(f"{line} {seconds:.3f}s ({speed:5.1f} samples/s);")


def _put_line(filename: str, mode: str, line: str) -> None:
    with (
        naming("ProgressPrinter", filename),
        open(reachable(filename), mode, encoding="utf-8", errors="backslashreplace") as file,
    ):
        file.write(f"{line}\n")


class TrainingSummaryProgressCallback(ProgressWriter):
    """A progress writer that calls a function at the end of each epoch.

    Args:
        epoch_size: number of samples an epoch.
        callback: called with the epoch's number from 0, the sums of loss and metric, and the number
            of samples.

    Example:
        >>> def show(epoch, loss, metric, samples):
        ...     print(epoch, loss / samples)
        >>> writer = TrainingSummaryProgressCallback(100, show)
        >>> writer.update_training_with_minibatch(samples=4, loss=2.0)
        >>> writer.write_training_summary()
        0 0.5
    """

    def __init__(self, epoch_size: int, callback: Callable[[int, float, float, int], Any]) -> None:
        super().__init__()
        as_function(callback, "TrainingSummaryProgressCallback: callback", "as callback")
        self.epoch_size = as_integer(
            epoch_size, "TrainingSummaryProgressCallback: epoch_size", least=0, most=2**64 - 1
        )
        self.callback = callback

    def on_write_training_update(
        self,
        samples: tuple[int, int],
        updates: tuple[int, int],
        aggregate_loss: tuple[float, float],
        aggregate_metric: tuple[float, float],
    ) -> None:
        """See `ProgressWriter`; does nothing."""

    def on_write_test_update(self, *args: Any, **kwargs: Any) -> None:
        """See `ProgressWriter`; does nothing."""

    def on_write_training_summary(
        self,
        samples: int,
        updates: int,
        summaries: int,
        aggregate_loss: float,
        aggregate_metric: float,
        elapsed_milliseconds: int,
    ) -> None:
        """See `ProgressWriter`; calls the function."""
        self.callback(summaries - 1, aggregate_loss, aggregate_metric, samples)

    def on_write_test_summary(
        self,
        samples: int,
        updates: int,
        summaries: int,
        aggregate_metric: float,
        elapsed_milliseconds: int,
    ) -> None:
        """See `ProgressWriter`; does nothing."""

    def write(self, *args: Any, **kwargs: Any) -> None:
        """See `ProgressWriter`; does nothing."""


def log_number_of_parameters(model: Any, trace_level: int = 0) -> None:
    """Print how many parameters a model has.

    Args:
        model: the model.
        trace_level: above 0 prints the shape of each as well.

    Example:
        >>> import cntk as C
        >>> log_number_of_parameters(C.layers.Dense(3)(C.input_variable(4)), trace_level=1)
        Training 15 parameters in 2 parameter tensors.
        <BLANKLINE>
            (4, 3)
            (3,)
    """
    if not isinstance(model, Function):
        raise ArgumentError(
            f"log_number_of_parameters: expected a function as model, got {shown(model)}"
        )
    shows_shapes = as_real(trace_level, "log_number_of_parameters: trace_level", finite=False) > 0
    shapes = [parameter.shape for parameter in model.parameters]
    known = all(dimension >= 0 for shape in shapes for dimension in shape)
    total = str(sum(_size(shape) for shape in shapes)) if known else "so far unspecified number of"
    print(f"Training {total} parameters in {len(shapes)} parameter tensors.")
    if shows_shapes:
        print()
        for shape in shapes:
            print(f"\t{shape}")


def _size(shape: tuple[int, ...]) -> int:
    total = 1
    for dimension in shape:
        total *= dimension
    return total


def _average(total: float, samples: int) -> float:
    return total / samples if samples else 0.0


def _since_last(
    samples: tuple[int, int], loss: tuple[float, float], metric: tuple[float, float]
) -> tuple[float, float, int]:
    count = samples[1] - samples[0]
    return _average(loss[1] - loss[0], count), _average(metric[1] - metric[0], count), count


hand_on(globals())
