"""Reads HTK parameter files ("archives"): a header of 12 bytes, then frames one after another.

The format is described in the HTK Book (chapter 5). The header has the number of frames and the
period as int32, bytes of a frame and kind as int16, usually big-endian. Frames are float32 or,
compressed, int16 after a scale and a shift for each column.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from cntk._writing.whole_files import opened
from cntk.errors import DataError
from cntk.io._text.encoding import readable
from cntk.io._text.listed_names import shortened, why

_HEADER = 12
_MFCC, _FBANK, _USER, _PLP, _WITH_GUID = 6, 7, 9, 11, 12
_NAMES = {
    0: "WAVEFORM",
    1: "LPC",
    2: "LPREFC",
    3: "LPCEPSTRA",
    4: "LPDELCEP",
    5: "IREFC",
    _MFCC: "MFCC",
    _FBANK: "FBANK",
    8: "MELSPEC",
    _USER: "USER",
    10: "DISCRETE",
    _PLP: "PLP",
    _WITH_GUID: "USER",
}
_READABLE = (_MFCC, _FBANK, _USER, _PLP, _WITH_GUID)
_QUALIFIERS = {
    0o100: "_E",
    0o200: "_N",
    0o400: "_D",
    0o1000: "_A",
    0o2000: "_C",
    0o4000: "_Z",
    0o10000: "_K",
    0o20000: "_0",
}
_COMPRESSED, _QUANTIZED, _BASE = 0o2000, 0o40000, 0o77
# Bits of the kind that say how frames are stored; archives that differ in them go together.
_STORAGE = 0o12000


@dataclass(frozen=True)
class Archive:
    """Header of an archive.

    Attributes:
        file: path of the archive.
        order: byte order, ``'>'`` or ``'<'``.
        frames: number of frames.
        period: time between frames in 100 ns.
        width: number of elements of a frame.
        kind: HTK's parameter kind.
        begin: offset of the first frame.
        scale: for compressed frames the divisor of each column, after its shift was added; else
            None.
        shift: for compressed frames the shift of each column; else None.
    """

    file: str
    order: str
    frames: int
    period: int
    width: int
    kind: int
    begin: int
    scale: np.ndarray | None = None
    shift: np.ndarray | None = None

    @property
    def features(self) -> tuple[int, int, int]:
        """Width, period and kind, which must be the same in all archives of one stream."""
        return self.width, self.period, self.kind & 0xFFFF & ~_STORAGE

    @property
    def text(self) -> str:
        """Description of the frames, for errors."""
        return f"{kind_text(self.kind)} of {self.width} numbers each {self.period / 10000:g} ms"

    @property
    def _kind(self) -> np.dtype:
        return np.dtype(f"{self.order}{'f4' if self.scale is None else 'i2'}")

    def check(self, end: int, place: str) -> None:
        """Check that the archive has enough frames.

        Args:
            end: the number of frames that it must have.
            place: file and line that list them, for errors.

        Raises:
            DataError: if it has fewer.
        """
        with opened(self.file) as file:
            self._check(file, 0, end, place)

    def _check(self, file: BinaryIO, begin: int, end: int, place: str) -> None:
        if end > self.frames:
            raise DataError(
                f"{place}: frames up to {end - 1} are wanted, and {self.file} has {self.frames} by "
                f"its header"
            )
        size = file.seek(0, os.SEEK_END)
        required = self.begin + end * self.width * self._kind.itemsize
        if size < required:
            raise DataError(
                f"{place}: {self.file} is truncated: frames {begin} to {end - 1} end at byte "
                f"{required}, the file at byte {size}"
            )

    def read(self, begin: int, end: int, place: str) -> np.ndarray:
        """Read frames as float32 ``[end - begin, width]``.

        Args:
            begin: the first frame.
            end: the frame behind the last one.
            place: file and line that list them, for errors.

        Raises:
            DataError: if the archive does not have them.
        """
        size = self.width * self._kind.itemsize
        with opened(self.file) as file:
            self._check(file, begin, end, place)
            file.seek(self.begin + begin * size)
            content = file.read((end - begin) * size)
        stored = np.frombuffer(content, self._kind).reshape(-1, self.width)
        if self.scale is None or self.shift is None:
            return stored.astype(np.float32)
        frames: np.ndarray = (stored.astype(np.float32) + self.shift) / self.scale
        return frames


def kind_text(kind: int) -> str:
    """Return HTK's name of a parameter kind.

    Example:
        >>> kind_text(6 + 0o100 + 0o400)
        'MFCC_E_D'
    """
    base = _NAMES.get(kind & _BASE, f"kind {kind & _BASE}")
    return base + "".join(text for bit, text in _QUALIFIERS.items() if kind & bit)


def open_archive(file: str, place: str) -> Archive:
    """Read an archive's header.

    Args:
        file: the archive.
        place: file and line that list it, for errors.

    Raises:
        DataError: if it cannot be opened, or is not an archive.
    """
    try:
        with opened(file) as archive:
            head = archive.read(_HEADER)
            return _archive(file, head, archive.read(16 + 8 * 2**15))
    except OSError as error:
        raise DataError(
            f"{place}: the archive {readable(shortened(file))} cannot be opened: "
            f"{why(error, file, is_listed=True)}"
        ) from None


def _archive(file: str, head: bytes, following: bytes) -> Archive:
    if len(head) < _HEADER:
        raise DataError(
            f"{file}: an HTK header of {_HEADER} bytes was expected, the file has {len(head)}"
        )
    # Either byte order; the original takes the one in which the period is shorter.
    order = min("><", key=lambda o: int(struct.unpack(o + "I", head[4:8])[0]))
    frames, period, size, kind = struct.unpack(order + "iihH", head)
    if kind & _BASE not in _READABLE or period <= 0:
        raise DataError(
            f"{file}: expected frames of the kind MFCC, FBANK, PLP or USER and their period in "
            f"bytes 4 to 12, got kind {kind_text(kind)} ({kind:#o}) and {period}"
        )
    if kind & _QUANTIZED:
        raise DataError(f"{file}: vector-quantized frames (kind {kind:#o}) cannot be read")
    number = 2 if kind & _COMPRESSED else 4
    if size <= 0 or size % number:
        raise DataError(
            f"{file}: a frame of {size} bytes (bytes 8 to 10) is no multiple of {number} bytes"
        )
    if frames < 0:
        raise DataError(f"{file}: the number of frames (bytes 0 to 4) is {frames}")
    width, begin = size // number, _HEADER
    if kind & _BASE == _WITH_GUID:
        begin, following = begin + 16, following[16:]
    if not kind & _COMPRESSED:
        return Archive(file, order, frames, period, width, kind, begin)
    if len(following) < 8 * width:
        raise DataError(
            f"{file}: compressed frames begin with {2 * width} float32 numbers, and the file ends "
            f"before"
        )
    scale, shift = (
        np.frombuffer(following[: 8 * width], order + "f4").astype(np.float32).reshape(2, width)
    )
    if not (np.isfinite(scale) & np.isfinite(shift) & (scale != 0)).all():
        raise DataError(
            f"{file}: compressed frames begin with the scales and shifts of {width} columns (bytes "
            f"{begin} to {begin + 8 * width}); finite numbers were expected, and no scale of 0"
        )
    # The header counts scales and shifts as four frames.
    return Archive(
        file, order, max(frames - 4, 0), period, width, kind, begin + 8 * width, scale, shift
    )


class Archives:
    """Cache of the archives of one stream, which must have the same features."""

    def __init__(self) -> None:
        self._opened: dict[str, Archive] = {}
        self._first: Archive | None = None

    def get(self, file: str, place: str) -> Archive:
        """Return an archive; its header is read once.

        Raises:
            DataError: if it cannot be read, or its features differ from the first one's.
        """
        if file not in self._opened:
            archive = open_archive(file, place)
            first = self._first = self._first or archive
            if archive.features != first.features:
                raise DataError(
                    f"{place}: {file} holds {archive.text}, and {first.file} {first.text}"
                )
            self._opened[file] = archive
        return self._opened[file]
