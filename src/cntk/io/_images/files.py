"""Images as files hold them: by name, in a zip archive, or as base64 text."""

from __future__ import annotations

import base64
import binascii
import os
import re
import zipfile
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import numpy as np

from cntk._files import Reopened, opened
from cntk.errors import DataError
from cntk.io._images.decoding import ImageLimits
from cntk.io._text.encoding import readable
from cntk.io._text.listed_names import entry, located, shortened

_HERE = (".../", "...\\")
_ENCRYPTED = 1
_IN_ARCHIVE = re.compile(
    r"(?P<zip>.*?\.zip)@(?P<entry>.*)|(?P<other>.*?)@(?P<rooted>[\\/].*)", re.IGNORECASE
)


@dataclass(frozen=True)
class ImageFiles:
    """Reads encoded images by the names that a map file gives.

    ``.../`` at the beginning of a name stands for the map file's folder; other names are relative
    to the folder in which the program runs. ``archive.zip@/name`` is a file in an archive. Names
    may be written as on Windows.

    Attributes:
        folder: the map file's folder.
        limits: how large an encoded image may be.
    """

    folder: str
    limits: ImageLimits
    _archives: dict[str, zipfile.ZipFile] = field(default_factory=dict, repr=False, compare=False)
    _lock: Any = field(default_factory=Lock, repr=False, compare=False)

    def read(self, name: str) -> tuple[bytes, bool]:
        """The encoded image, and whether it is a file of its own.

        Raises:
            OSError: if there is no such file.
            DataError: if it has too many bytes, an archive has no such file, or is none, or is
                damaged.
        """
        if parts := _IN_ARCHIVE.fullmatch(name):
            path = located(parts["zip"] or parts["other"], self.folder, _HERE)
            return self._unpacked(self._archive(path), parts["entry"] or parts["rooted"]), False
        with opened(located(name, self.folder, _HERE)) as file:
            size = os.fstat(file.fileno()).st_size
            self.limits.check_bytes(size)
            return file.read(size), True

    def _unpacked(self, archive: zipfile.ZipFile, inside: str) -> bytes:
        """A file of an archive; no more of it comes into memory than the archive says it has."""
        try:
            there = archive.NameToInfo[entry(archive.NameToInfo, inside)]
        except KeyError as error:
            raise DataError(str(error.args[0])) from None
        if there.flag_bits & _ENCRYPTED:
            raise DataError("the archive has it encrypted; put it there without a password")
        if there.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise DataError(
                f"the archive has it compressed by method {there.compress_type}; 0 (stored) or 8 "
                f"(deflated) was expected"
            )
        self.limits.check_bytes(there.file_size)
        try:
            with archive.open(there) as packed:
                # Reading to the end tells whether it is whole.
                return packed.read(there.file_size) + packed.read()
        except (OSError, MemoryError):
            raise
        except (
            Exception
        ):  # What archives may contradict themselves in is told by all kinds of errors.
            raise DataError(
                f"the archive is damaged where it has '{readable(shortened(there.filename))}'"
            ) from None

    def _archive(self, path: str) -> zipfile.ZipFile:
        # An archive may be read by several threads, but its directory need be read only once.
        with self._lock:
            if path not in self._archives:
                try:
                    self._archives[path] = zipfile.ZipFile(Reopened(path))
                except (OSError, MemoryError):
                    raise
                except Exception:  # As above.
                    raise DataError(f"{readable(path)} is no zip archive, or is damaged") from None
            return self._archives[path]


@dataclass(frozen=True)
class EncodedText:
    """Reads images that stand as base64 text in a file.

    Attributes:
        file: the file.
        begins: where each image's text begins, int64 ``[images]``.
        sizes: how many bytes of text it has, int64 ``[images]``.
        limits: how large an encoded image may be.
    """

    file: str
    begins: np.ndarray
    sizes: np.ndarray
    limits: ImageLimits

    def read(self, number: int) -> bytes:
        """The encoded image.

        Raises:
            OSError: if the file is not there any more.
            DataError: if it is no base64 text, or too much of it.
        """
        size = int(self.sizes[number])
        self.limits.check_bytes(size * 3 // 4)
        with opened(self.file) as file:
            file.seek(int(self.begins[number]))
            text = file.read(size)
        try:
            return base64.b64decode(text, validate=True)
        except binascii.Error:
            raise DataError(f"its {size:,} characters are no base64 text") from None
