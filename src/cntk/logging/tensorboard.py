"""Progress as TensorBoard shows it; needs the package tensorboard."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from cntk.logging.progress_writer import NEVER, ProgressWriter


class TensorBoardProgressWriter(ProgressWriter):
    """Writes loss, metric and pictures to a folder for TensorBoard.

    Args:
        freq: write every freq-th minibatch; 0 writes after 1, 3, 7, 15, ... minibatches; None only summaries.
        log_dir: the folder; made if need be.
        rank: number of this process if there are several: only 0 writes.
        model: accepted for programs that give it; TensorBoard's picture of a graph is not written.

    Raises:
        ImportError: if the package tensorboard is not installed.

    Example:
        >>> writer = TensorBoardProgressWriter(freq=10, log_dir='log')  # doctest: +SKIP
        >>> trainer = C.Trainer(z, (loss, metric), [learner], [writer])  # doctest: +SKIP
    """

    def __init__(self, freq: int | None = None, log_dir: str = ".", rank: int | None = None, model: Any = None) -> None:
        super().__init__(NEVER if freq is None else freq)
        self.closed = False
        self.writer: Any = None if rank else _summary_writer(log_dir)

    def write_value(self, name: str, value: float, step: int) -> None:
        """Write a number.

        Args:
            name: what it is called.
            value: the number.
            step: where it belongs on the horizontal axis.

        Raises:
            RuntimeError: after `close`.
        """
        if self._open():
            self.writer.add_scalar(name, value, step)

    def write_image(self, name: str, data: Mapping[Any, Any], step: int) -> None:
        """Write a batch of pictures.

        Args:
            name: what they are called.
            data: one variable and its batch, ``[n, channels, height, width]`` with 1, 3 or 4 channels; values from 0
                to 255, or from 0 to 1.
            step: where they belong on the horizontal axis.

        Raises:
            ValueError: if the batch is of another shape.
            RuntimeError: after `close`.
        """
        if not self._open():
            return
        if not isinstance(data, Mapping) or len(data) != 1:
            raise ValueError("write_image: expected a dictionary of one variable and its batch of pictures")
        (batch,) = (np.asarray(value) for value in data.values())
        if batch.ndim != 4 or batch.shape[1] not in (1, 3, 4):
            raise ValueError(
                f"write_image '{name}': expected a batch [n x channels x height x width] with 1, 3 or 4 channels, "
                f"got shape {list(batch.shape)}"
            )
        pictures = batch if batch.max(initial=0) <= 1 else np.clip(batch, 0, 255).astype(np.uint8)
        for number, picture in enumerate(pictures):
            self.writer.add_image(f"{name}/image/{number}", picture, step, dataformats="CHW")

    def flush(self) -> None:
        """Write out what is still in memory."""
        if self._open():
            self.writer.flush()

    def close(self) -> None:
        """Write out everything and close the file; nothing can be written after that."""
        if self.writer is not None and not self.closed:
            self.writer.close()
            self.closed = True

    def on_write_training_update(
        self,
        samples: tuple[int, int],
        updates: tuple[int, int],
        aggregate_loss: tuple[float, float],
        aggregate_metric: tuple[float, float],
    ) -> None:
        """See `ProgressWriter`; writes averages since the last time, by the number of minibatches."""
        count = samples[1] - samples[0]
        if count:
            step = self.total_training_updates()
            self.write_value("minibatch/avg_loss", (aggregate_loss[1] - aggregate_loss[0]) / count, step)
            self.write_value("minibatch/avg_metric", (aggregate_metric[1] - aggregate_metric[0]) / count, step)

    def on_write_test_update(
        self, samples: tuple[int, int], updates: tuple[int, int], aggregate_metric: tuple[float, float]
    ) -> None:
        """See `ProgressWriter`; writes nothing."""

    def on_write_training_summary(
        self,
        samples: int,
        updates: int,
        summaries: int,
        aggregate_loss: float,
        aggregate_metric: float,
        elapsed_milliseconds: int,
    ) -> None:
        """See `ProgressWriter`; writes averages since the last summary, by the number of summaries."""
        self.write_value("summary/avg_loss", aggregate_loss / (samples or 1), summaries)
        self.write_value("summary/avg_metric", aggregate_metric / (samples or 1), summaries)

    def on_write_test_summary(
        self, samples: int, updates: int, summaries: int, aggregate_metric: float, elapsed_milliseconds: int
    ) -> None:
        """See `ProgressWriter`; writes the average, by the number of training minibatches."""
        self.write_value("minibatch/test_avg_metric", aggregate_metric / (samples or 1), self.total_training_updates())

    def _open(self) -> bool:
        if self.closed:
            raise RuntimeError("TensorBoardProgressWriter: it has been closed; make another one to write more")
        return self.writer is not None


def _summary_writer(log_dir: str) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise ImportError("TensorBoardProgressWriter needs the package tensorboard: pip install tensorboard") from None
    return SummaryWriter(log_dir)
