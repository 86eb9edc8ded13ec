"""Encoded images as pixels, within limits: a file of a few bytes may say that it holds any number
of these.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from cntk.errors import DataError

PIXELS = 1 << 23
"""Pixels that any image may have: those of a screen of 3840 x 2160."""
PIXELS_PER_BYTE = 16
"""Pixels that it may have for each of its bytes, if that is more; photographs have one to eight."""
BYTES = 1 << 27
"""Bytes that an encoded image may have, once it is taken out of an archive."""
# What the original reads, and GIF. Others run other programs (EPS), or take memory before they tell
# their size.
_FORMATS = ("BMP", "DIB", "GIF", "JPEG", "JPEG2000", "MPO", "PNG", "PPM", "SUN", "TIFF", "WEBP")
# A progressive JPEG file has about ten scans; each is a pass over the whole picture, and takes a
# few bytes.
_SCANS, _SCAN = 100, b"\xff\xda"
# Rows that are taken at a time have so many pixels, so that no large image is there three times.
_STRIP = 1 << 18


@dataclass(frozen=True)
class ImageLimits:
    """How large images may be.

    Attributes:
        bytes: bytes of an encoded image.
        pixels: its pixels; None for `PIXELS`, or `PIXELS_PER_BYTE` for each of its bytes if that is
            more.
    """

    bytes: int = BYTES
    pixels: int | None = None

    def check_bytes(self, size: int) -> None:
        """Refuse an encoded image of too many bytes.

        Raises:
            DataError: if it has too many.
        """
        if size > self.bytes:
            raise DataError(
                f"it has {size:,} bytes, and {self.bytes:,} were expected at the most; "
                f"deserializer['maxBytes'] raises that"
            )

    def check_pixels(self, width: int, height: int, size: int) -> None:
        """Refuse an image of too many pixels.

        Args:
            width: its width in pixels.
            height: its height.
            size: its bytes before it is decoded.

        Raises:
            DataError: if it has too many.
        """
        most = max(PIXELS, PIXELS_PER_BYTE * size) if self.pixels is None else self.pixels
        if width * height > most:
            raise DataError(
                f"its {size:,} bytes say that it has {width} x {height} pixels, and {most:,} were "
                f"expected at the most; "
                "deserializer['maxPixels'] raises that"
            )


def load_decoder(limits: ImageLimits) -> Callable[[bytes, int, bool], np.ndarray]:
    """What decodes images: a function of the encoded image, the number of channels, and whether to
    turn it upright.

    It raises `DataError` for what is no image, or one that exceeds the limits.

    Args:
        limits: how large images may be.

    Raises:
        ImportError: if Pillow is not installed.
    """
    try:
        from PIL import Image, ImageOps, UnidentifiedImageError
    except ImportError as error:
        raise ImportError(
            "reading images needs Pillow, which is not installed; pip install 'cntk-torch[image]' "
            "gets it"
        ) from error
    Image.init()
    formats = [name for name in _FORMATS if name in Image.OPEN]

    def decode(encoded: bytes, channels: int, upright: bool) -> np.ndarray:
        _check_head(encoded, limits)
        try:
            with Image.open(io.BytesIO(encoded), formats=formats) as image:
                limits.check_pixels(*image.size, len(encoded))
                if upright:
                    ImageOps.exif_transpose(image, in_place=True)
                pixels = _pixels(image, "L" if channels == 1 else "RGB")
        except (DataError, MemoryError):
            raise
        except UnidentifiedImageError:
            raise DataError(
                f"it is no image that can be decoded: its format is none of {', '.join(_FORMATS)}"
            ) from None
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            raise DataError(
                f"its {len(encoded):,} bytes say that it has more pixels than Pillow takes for "
                f"safe; if it can be trusted, raise "
                "deserializer['maxPixels'] and PIL.Image.MAX_IMAGE_PIXELS"
            ) from None
        except Exception:  # Decoders of foreign data raise all kinds of errors.
            raise DataError(
                f"it is no image that can be decoded: its {len(encoded):,} bytes are cut short or "
                f"damaged"
            ) from None
        return pixels[:, :, None] if channels == 1 else pixels[:, :, ::-1]

    return decode


def _check_head(encoded: bytes, limits: ImageLimits) -> None:
    """Refuse what would take time or memory before an image's size is known."""
    if encoded.startswith(b"\xff\xd8") and encoded.count(_SCAN) > _SCANS:
        raise DataError(
            f"it is a JPEG file of {encoded.count(_SCAN)} scans, and {_SCANS} were expected at the "
            f"most"
        )
    if encoded[:4] == b"RIFF" and encoded[8:12] == b"WEBP" and len(encoded) >= 30:
        limits.check_pixels(*_webp_size(encoded), len(encoded))


def _webp_size(encoded: bytes) -> tuple[int, int]:
    """Width and height of a WebP file, by its header."""
    kind = encoded[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(encoded[24:27], "little"), 1 + int.from_bytes(
            encoded[27:30], "little"
        )
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", encoded, 21)
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    width, height = struct.unpack_from("<HH", encoded, 26)
    return width & 0x3FFF, height & 0x3FFF


def _pixels(image: Any, mode: str) -> np.ndarray:
    """An image as uint8 ``[height, width]`` or ``[height, width, 3]``."""
    if image.mode == "F":
        raise DataError("its numbers are floating-point ones; expected whole numbers")
    width, height = image.size
    rows = max(_STRIP // max(width, 1), 1)
    if height <= rows:
        return _strip(image, mode)
    image.load()
    found = np.empty((height, width) if mode == "L" else (height, width, 3), np.uint8)
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        found[top:bottom] = _strip(image.crop((0, top, width, bottom)), mode)
    return found


def _strip(image: Any, mode: str) -> np.ndarray:
    if image.mode.startswith("I"):
        # Sixteen bits of grey: the upper eight count.
        shades = (np.asarray(image).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8)
        return shades if mode == "L" else np.repeat(shades[:, :, None], 3, 2)
    return np.asarray(image if image.mode == mode else image.convert(mode))
