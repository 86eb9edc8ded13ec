"""Images as files hold them: by name, in a zip archive, or as base64 text; and what decodes them."""

from __future__ import annotations

import base64
import io
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import numpy as np

from cntk._errors import DataError
from cntk._files import Reopened, opened
from cntk.io._listed_names import entry, located

_HERE = (".../", "...\\")
_IN_ARCHIVE = re.compile(r"(?P<zip>.*?\.zip)@(?P<entry>.*)|(?P<other>.*?)@(?P<rooted>[\\/].*)", re.IGNORECASE)


@dataclass(frozen=True)
class ImageFiles:
    """Reads encoded images by the names that a map file gives.

    ``.../`` at the beginning of a name stands for the map file's folder; other names are relative to the folder in which the
    program runs. ``archive.zip@/name`` is a file in an archive. Names may be written as on Windows.

    Attributes:
        folder: the map file's folder.
    """

    folder: str
    _archives: dict[str, zipfile.ZipFile] = field(default_factory=dict, repr=False, compare=False)
    _lock: Any = field(default_factory=Lock, repr=False, compare=False)

    def read(self, name: str) -> tuple[bytes, bool]:
        """The encoded image, and whether it is a file of its own.

        Raises:
            OSError: if there is no such file.
            KeyError: if an archive has no such file.
        """
        if parts := _IN_ARCHIVE.fullmatch(name):
            found = self._archive(located(parts["zip"] or parts["other"], self.folder, _HERE))
            return found.read(entry(found.NameToInfo, parts["entry"] or parts["rooted"])), False
        with opened(located(name, self.folder, _HERE)) as file:
            return file.read(), True

    def _archive(self, path: str) -> zipfile.ZipFile:
        # An archive may be read by several threads, but its directory need be read only once.
        with self._lock:
            if path not in self._archives:
                self._archives[path] = zipfile.ZipFile(Reopened(path))
            return self._archives[path]


@dataclass(frozen=True)
class EncodedText:
    """Reads images that stand as base64 text in a file.

    Attributes:
        file: the file.
        begins: where each image's text begins, int64 ``[images]``.
        sizes: how many bytes of text it has, int64 ``[images]``.
    """

    file: str
    begins: np.ndarray
    sizes: np.ndarray

    def read(self, number: int) -> bytes:
        """The encoded image.

        Raises:
            ValueError: if it is no base64 text.
        """
        with opened(self.file) as file:
            file.seek(int(self.begins[number]))
            return base64.b64decode(file.read(int(self.sizes[number])), validate=True)


def load_decoder() -> Callable[[bytes, int, bool], np.ndarray]:
    """What decodes images: a function of the encoded image, the number of channels, and whether to turn it upright.

    Raises:
        ImportError: if Pillow is not installed.
    """
    try:
        from PIL import Image, ImageOps, UnidentifiedImageError
    except ImportError as error:
        raise ImportError(
            "reading images needs Pillow, which is not installed; pip install 'cntk-torch[image]' gets it"
        ) from error

    def decode(encoded: bytes, channels: int, upright: bool) -> np.ndarray:
        try:
            with Image.open(io.BytesIO(encoded)) as image:
                turned = ImageOps.exif_transpose(image) if upright else image
                pixels = _pixels(turned, "L" if channels == 1 else "RGB")
        except UnidentifiedImageError as error:
            raise DataError("its format is none that Pillow knows") from error
        return pixels[:, :, None] if channels == 1 else pixels[:, :, ::-1]

    return decode


def _pixels(image: Any, mode: str) -> np.ndarray:
    if image.mode.startswith("I"):
        # Sixteen bits of grey: the upper eight count.
        shades = (np.asarray(image).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8)
        return shades if mode == "L" else np.repeat(shades[:, :, None], 3, 2)
    if image.mode == "F":
        raise DataError("its numbers are floating-point ones; expected whole numbers")
    return np.asarray(image.convert(mode))
