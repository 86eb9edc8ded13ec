"""Reads encoded images: files by name, members of zip archives, or base64 text."""

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

from cntk._writing.whole_files import Reopened, opened
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
    """Reader of encoded images by their names in a map file.

    ``.../`` at the beginning of a name stands for the map file's folder; other names are relative
    to the working folder. ``archive.zip@/name`` is a file in an archive. Names may be written as on
    Windows.

    Attributes:
        folder: the map file's folder.
        limits: limits for the size of encoded images.
    """

    folder: str
    limits: ImageLimits
    _archives: dict[str, zipfile.ZipFile] = field(default_factory=dict, repr=False, compare=False)
    _lock: Any = field(default_factory=Lock, repr=False, compare=False)

    def read(self, name: str) -> tuple[bytes, bool]:
        """Read an encoded image; return it and whether it is a file of its own.

        Raises:
            OSError: if there is no such file.
            DataError: if it has too many bytes, or the archive lacks it, is damaged, or is no
                archive.
        """
        if parts := _IN_ARCHIVE.fullmatch(name):
            path = located(parts["zip"] or parts["other"], self.folder, _HERE)
            return self._unpack(self._archive(path), parts["entry"] or parts["rooted"]), False
        with opened(located(name, self.folder, _HERE)) as file:
            size = os.fstat(file.fileno()).st_size
            self.limits.check_bytes(size)
            return file.read(size), True

    def _unpack(self, archive: zipfile.ZipFile, inside: str) -> bytes:
        """Read a member of an archive, at most as many bytes as the archive's directory says."""
        try:
            member = archive.NameToInfo[entry(archive.NameToInfo, inside)]
        except KeyError as error:
            raise DataError(str(error.args[0])) from None
        if member.flag_bits & _ENCRYPTED:
            raise DataError("the archive has it encrypted; put it there without a password")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise DataError(
                f"the archive has it compressed by method {member.compress_type}; 0 (stored) or 8 "
                f"(deflated) was expected"
            )
        self.limits.check_bytes(member.file_size)
        try:
            with archive.open(member) as packed:
                # Only reading to the end checks the CRC.
                return packed.read(member.file_size) + packed.read()
        except (OSError, MemoryError):
            raise
        except Exception:  # Contradictory archives raise all kinds of errors.
            raise DataError(
                f"the archive is damaged where it has '{readable(shortened(member.filename))}'"
            ) from None

    def _archive(self, path: str) -> zipfile.ZipFile:
        # Several threads may read an archive; its directory is read only once.
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
    """Reader of images that are base64 text in a file.

    Attributes:
        file: path of the file.
        begins: offset of each image's text, int64 ``[images]``.
        sizes: number of bytes of the text, int64 ``[images]``.
        limits: limits for the size of encoded images.
    """

    file: str
    begins: np.ndarray
    sizes: np.ndarray
    limits: ImageLimits

    def read(self, number: int) -> bytes:
        """Read an encoded image.

        Raises:
            OSError: if the file cannot be opened.
            DataError: if it is no base64 text, or has too many bytes.
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
