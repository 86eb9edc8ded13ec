"""A progress writer for TensorBoard."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from typing import Any

from cntk._arguments import as_flag, shown
from cntk._graph.function import Function
from cntk.errors import ArgumentError, RangeError
from cntk.logging.event_file import TensorBoardFileWriter
from cntk.logging.progress_writer import NEVER, ProgressWriter

__all__ = ["TensorBoardProgressWriter"]


def _number(value: Any, what: str) -> float:
    """Convert a number, or an array of one, to a float."""
    try:
        return float(value)
    except (TypeError, ValueError, RuntimeError):
        raise ArgumentError(f"{what}: expected a number, got {shown(value)}") from None


def _step(value: Any, what: str) -> int:
    """Convert a position on the horizontal axis to an integer; as in the original a fraction is
    dropped.
    """
    number = _number(value, what)
    if not math.isfinite(number):
        raise RangeError(f"{what}: expected a finite number, got {shown(value)}")
    return int(value)


class TensorBoardProgressWriter(ProgressWriter):
    """A progress writer that writes loss, metric, pictures and the model's graph to a folder for
    TensorBoard.

    It needs no other package: ``tensorboard --logdir log``, wherever that is installed, shows the
    folder. A file is made when there is something to write, and always a new one.

    Args:
        freq: write every freq-th minibatch; 0 writes after 1, 3, 7, 15, ... minibatches; None only
            summaries.
        log_dir: the folder; made if need be.
        rank: number of this process if there are several: only 0 writes.
        model: a function whose graph is written as well.

    Raises:
        TypeError: if the frequency is no integer, ``log_dir`` no path, or ``model`` no function.
        FrequencyError: if the frequency is negative, a ValueError and an OverflowError.

    Example:
        >>> import cntk as C
        >>> x, y = C.input_variable(2), C.input_variable(1)
        >>> z = C.layers.Dense(1, name="out")(x)
        >>> writer = TensorBoardProgressWriter(freq=10, log_dir="log", model=z)
        >>> learner = C.sgd(z.parameters, C.learning_parameter_schedule(0.1))
        >>> trainer = C.Trainer(z, (C.squared_error(z, y), None), [learner], [writer])
        >>> writer.write_value(
        ...     "temperature", 0.5, step=trainer.total_number_of_samples_seen
        ... )  # doctest: +SKIP
    """

    def __init__(
        self,
        freq: int | None = None,
        log_dir: str | os.PathLike[str] = ".",
        rank: int | None = None,
        model: Function | None = None,
    ) -> None:
        super().__init__(NEVER if freq is None else freq)
        self.closed = False
        self.writer = (
            None
            if as_flag(rank, "TensorBoardProgressWriter: rank")
            else TensorBoardFileWriter(log_dir, model)
        )

    def write_value(self, name: str, value: float, step: int) -> None:
        """Write a number.

        Args:
            name: what it is called.
            value: the number.
            step: where it belongs on the horizontal axis; at least 0.

        Raises:
            OverflowError: if the step is negative, or the number too large for 32 bits.
            OSError: if the file cannot be written.
            RuntimeError: after `close`.
        """
        self._check_open()
        if self.writer is not None:
            number = _number(value, "write_value: value")
            self.writer.write_value(str(name), number, _step(step, "write_value: step"))

    def write_image(self, name: str, data: Mapping[Any, Any], step: int) -> None:
        """Write batches of pictures.

        Channels are in the order of `cntk.io.ImageDeserializer`: blue, green, red. Each picture has
        its rows from the top down; the original mixes up pixels of those that are not square, or
        have several channels.

        Args:
            name: what they are called; a picture's tag is ``name/image/number``.
            data: variables and their batches, ``[n x channels x height x width]`` with 1, 3 or 4
                channels; values from 0 to 255, or from 0 to 1 where none of a batch is larger.
            step: where they belong on the horizontal axis; at least 0.

        Raises:
            TypeError: if ``data`` is no dictionary.
            ValueError: if a batch is of another shape.
            OverflowError: if the step is negative.
            OSError: if the file cannot be written.
            RuntimeError: after `close`.
        """
        self._check_open()
        if self.writer is None:
            return
        if not isinstance(data, Mapping):
            raise TypeError(
                "write_image: expected a dictionary of variables and their batches of pictures"
            )
        for batch in data.values():
            self.writer.write_image(str(name), batch, _step(step, "write_image: step"))

    def flush(self) -> None:
        """Flush the file."""
        self._check_open()
        if self.writer is not None:
            self.writer.flush()

    def close(self) -> None:
        """Write everything and close the file; nothing can be written after that.

        Raises:
            RuntimeError: if it has been closed before.
        """
        self._check_open()
        if self.writer is not None:
            self.writer.close()
            self.closed = True

    def on_write_training_update(
        self,
        samples: tuple[int, int],
        updates: tuple[int, int],
        aggregate_loss: tuple[float, float],
        aggregate_metric: tuple[float, float],
    ) -> None:
        """See `ProgressWriter`; writes averages since the last time, by the number of
        minibatches.
        """
        count, step = samples[1] - samples[0], self.total_training_updates()
        self.write_value(
            "minibatch/avg_loss", _average(aggregate_loss[1] - aggregate_loss[0], count), step
        )
        self.write_value(
            "minibatch/avg_metric", _average(aggregate_metric[1] - aggregate_metric[0], count), step
        )

    def on_write_test_update(
        self,
        samples: tuple[int, int],
        updates: tuple[int, int],
        aggregate_metric: tuple[float, float],
    ) -> None:
        """See `ProgressWriter`; never called by trainers and evaluators, which report tests by
        their summaries.

        Raises:
            NotImplementedError: always, as in the original.
        """
        raise NotImplementedError(
            "TensorBoardProgressWriter: minibatches of tests are not written, only their summaries"
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
        """See `ProgressWriter`; writes averages since the last summary, by the number of
        summaries.
        """
        self.write_value("summary/avg_loss", _average(aggregate_loss, samples), summaries)
        self.write_value("summary/avg_metric", _average(aggregate_metric, samples), summaries)

    def on_write_test_summary(
        self,
        samples: int,
        updates: int,
        summaries: int,
        aggregate_metric: float,
        elapsed_milliseconds: int,
    ) -> None:
        """See `ProgressWriter`; writes the average, by the number of training minibatches if there
        were any.
        """
        average = _average(aggregate_metric, samples)
        if self.total_training_updates():
            self.write_value("minibatch/test_avg_metric", average, self.total_training_updates())
        else:
            self.write_value("summary/test_avg_metric", average, summaries)

    def _check_open(self) -> None:
        if self.closed:
            raise RuntimeError(
                "TensorBoardProgressWriter: it has been closed; make another one to write more"
            )


def _average(total: float, samples: int) -> float:
    return total / samples if samples else 0.0
