"""Event files of TensorBoard: records of numbers, pictures and a graph, with checksums.

A record is its length, a checksum of that, the event as a protocol buffer, and a checksum of it.
The numbers of fields are those of TensorFlow's `Event`, `Summary` and `GraphDef`.
"""

from __future__ import annotations

import os
import re
import socket
import struct
import time
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from cntk._graph.function import Function
from cntk._persist.protobuf.wire import Message
from cntk._wording import quoted
from cntk._writing.file_errors import naming, not_writable
from cntk._writing.whole_files import reachable
from cntk.logging.event_graph import graph_message
from cntk.logging.png import encode_png

__all__ = ["TensorBoardFileWriter", "crc32c", "to_record"]


_VERSION = "brain.Event:2"
_LARGEST_STEP = 2**64 - 1


class TensorBoardFileWriter:
    """An event file, created by the first event.

    Only whole records are appended: whenever the process ends, the file can be read. Each writer
    has a file of its own, so that several may write to one folder.

    Args:
        dir: the folder; made if need be.
        modelToVisualize: a function whose graph is written before anything else, or None.

    Raises:
        TypeError: if the folder is no path, or the model no function.

    Example:
        >>> writer = TensorBoardFileWriter("log", None)
        >>> writer.write_value("loss", 0.5, step=1)  # doctest: +SKIP
    """

    def __init__(
        self, dir: str | os.PathLike[str], modelToVisualize: Function | None = None
    ) -> None:
        if not isinstance(dir, (str, os.PathLike)):
            raise TypeError(
                f"TensorBoard's events: expected the path of a folder as log_dir, got {dir!r}"
            )
        if modelToVisualize is not None and not isinstance(modelToVisualize, Function):
            raise TypeError(
                f"TensorBoard's events: expected a function as model, got {modelToVisualize!r}"
            )
        self._folder = Path(dir)
        self._model = modelToVisualize
        self._file: Any = None

    def __getstate__(self) -> dict[str, Any]:
        # An open file stays with its process: a copy begins one of its own.
        return vars(self) | {"_file": None}

    def write_value(self, name: str, value: float, step: int) -> None:
        """Append a number.

        Args:
            name: what it is called.
            value: the number; kept in 32 bits.
            step: where it belongs on the horizontal axis.

        Raises:
            OverflowError: if the step is negative, or a number needs more bits.
            OSError: if the file cannot be written.
        """
        tagged = _named(name).single(2, _as_float32(name, value))
        self._append(_summary([tagged], _checked_step(name, step)))

    def write_image(self, name: str, data: Any, step: int) -> None:
        """Append a batch of pictures, each called ``name/image/number``.

        Args:
            name: what they are called.
            data: an array of shape [n x channels x height x width] with 1, 3 or 4 channels: grey;
                blue, green, red; or these and opacity. Numbers are from 0 to 255, or from 0 to 1
                where none of the batch is larger.
            step: where they belong on the horizontal axis.

        Raises:
            ValueError: if the data are of another shape.
            OverflowError: if the step is negative or needs more than 64 bits.
            OSError: if the file cannot be written.
        """
        batch = data.asarray() if hasattr(data, "asarray") else np.asarray(data)
        if batch.ndim != 4 or batch.shape[1] not in (1, 3, 4) or not all(batch.shape[2:]):
            raise ValueError(
                f"write_image {quoted(name)}: expected a batch [n x channels x height x width] "
                f"with 1, 3 or 4 channels, got shape {list(batch.shape)}"
            )
        pictures = [
            _named(f"{name}/image/{number}").message(4, _picture(pixels))
            for number, pixels in enumerate(_bytes_of(batch))
        ]
        self._append(_summary(pictures, _checked_step(name, step)))

    def flush(self) -> None:
        """Flush the file; create it if a graph waits to be written."""
        if self._file is None and self._model is not None:
            self._begin()

    def close(self) -> None:
        """Write what is buffered and close the file; what is written later begins another one."""
        self.flush()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _append(self, event: Message) -> None:
        if self._file is None:
            self._begin()
        self._write(event)

    def _begin(self) -> None:
        with naming("TensorBoardProgressWriter", self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            self._file = _new_file(self._folder)
        self._write(Message().data(3, _VERSION))
        if self._model is not None:
            self._write(Message().data(4, graph_message(self._model).to_bytes()))
            self._model = None

    def _write(self, event: Message) -> None:
        """Append a record by one call to the system; remove it again if the disk is full."""
        record = memoryview(to_record(Message().double(1, time.time()).merge(event).to_bytes()))
        before = self._file.tell()
        try:
            while record:
                record = record[self._file.write(record) :]
        except OSError as error:
            self._file.truncate(before)
            self._file.seek(before)
            raise not_writable("TensorBoardProgressWriter", self._file.name, error) from None


def to_record(event: bytes) -> bytes:
    """Return an event with its length and checksums around it."""
    length = struct.pack("<Q", len(event))
    return b"".join((length, _masked_checksum(length), event, _masked_checksum(event)))


def crc32c(data: bytes) -> int:
    """Return the checksum of Castagnoli's polynomial, CRC-32C.

    Example:
        >>> hex(crc32c(b"123456789"))
        '0xe3069283'
    """
    table, checksum = _table(), 0xFFFFFFFF
    for byte in data:
        checksum = table[(checksum ^ byte) & 0xFF] ^ checksum >> 8
    return checksum ^ 0xFFFFFFFF


@cache
def _table() -> tuple[int, ...]:
    entries = []
    for entry in range(256):
        for _ in range(8):
            entry = entry >> 1 ^ (0x82F63B78 if entry & 1 else 0)
        entries.append(entry)
    return tuple(entries)


def _masked_checksum(data: bytes) -> bytes:
    """Return a checksum as records have it: rotated, and shifted by a constant, since data that
    contain checksums are checked, too.
    """
    checksum = crc32c(data)
    return struct.pack("<I", ((checksum >> 15 | checksum << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def _new_file(folder: Path) -> Any:
    """Create a file with a new name, opened without a buffer."""
    host = re.sub(r"[^\w.-]", "_", socket.gethostname())
    name = f"events.out.tfevents.{int(time.time()):010d}.{host}"
    number = 0
    while True:
        try:
            return open(
                reachable(folder / (f"{name}.{number}" if number else name)), "xb", buffering=0
            )
        except FileExistsError:
            number += 1


def _named(tag: str) -> Message:
    return Message().data(1, tag) if tag else Message()


def _summary(values: Iterable[Message], step: int) -> Message:
    event, summary = Message(), Message()
    for value in values:
        summary.message(1, value)
    if step:
        event.number(2, step)
    return event.message(5, summary)


def _checked_step(name: str, step: int) -> int:
    if not 0 <= step <= _LARGEST_STEP:
        raise OverflowError(
            f"TensorBoard's events, {quoted(name)}: expected a step from 0 to 2 ** 64 - 1, got "
            f"{step}"
        )
    return step


def _as_float32(name: str, value: float) -> float:
    try:
        struct.pack("<f", value)
    except OverflowError:
        raise OverflowError(
            f"TensorBoard's events, {quoted(name)}: {value} is too large for a number of 32 bits"
        ) from None
    return value


def _bytes_of(batch: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Convert pictures to bytes from 0 to 255, [n x height x width x channels], in the order red,
    green, blue.
    """
    numbers = np.nan_to_num(batch.astype(np.float64), nan=0.0)
    if numbers.max(initial=0.0) <= 1:
        numbers = numbers * 255
    levels = np.clip(np.rint(numbers), 0, 255).astype(np.uint8).transpose(0, 2, 3, 1)
    colours = [2, 1, 0, 3][: levels.shape[3]] if levels.shape[3] > 1 else [0]
    reordered: np.ndarray[Any, Any] = levels[..., colours]
    return reordered


def _picture(pixels: np.ndarray[Any, Any]) -> Message:
    height, width, channels = pixels.shape
    return (
        Message().number(1, height).number(2, width).number(3, channels).data(4, encode_png(pixels))
    )
