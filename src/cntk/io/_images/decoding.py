"""Decodes images to pixels, within limits: a file of a few bytes can claim any number of pixels."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from cntk.errors import DataError

PIXELS = 1 << 23
"""The most pixels of any image, those of a screen of 3840 x 2160."""
PIXELS_PER_BYTE = 16
"""The most pixels for each encoded byte, if that is more; photographs have one to eight."""
BYTES = 1 << 27
"""The most bytes of an encoded image, after it is unpacked from an archive."""
# The formats that the original reads, and GIF. Decoders of other formats run programs (EPS), or
# allocate memory before they know the size.
_FORMATS = ("BMP", "DIB", "GIF", "JPEG", "JPEG2000", "MPO", "PNG", "PPM", "SUN", "TIFF", "WEBP")
# A progressive JPEG file has about ten scans. Each costs a pass over the whole image, and takes
# only a few bytes in the file.
_SCANS, _SCAN = 100, b"\xff\xda"
# Pixels that are converted at a time, so that no large image is in memory three times.
_STRIP = 1 << 18


@dataclass(frozen=True)
class ImageLimits:
    """Limits for the size of images.

    Attributes:
        bytes: the most bytes of an encoded image.
        pixels: the most pixels; None for `PIXELS`, or `PIXELS_PER_BYTE` for each of its bytes if
            that is more.
    """

    bytes: int = BYTES
    pixels: int | None = None

    def check_bytes(self, size: int) -> None:
        """Raise DataError if an encoded image has too many bytes."""
        if size > self.bytes:
            raise DataError(
                f"it has {size:,} bytes, and {self.bytes:,} were expected at the most; "
                f"deserializer['maxBytes'] raises that"
            )

    def check_pixels(self, width: int, height: int, size: int) -> None:
        """Raise DataError if an image has too many pixels.

        Args:
            width: its width in pixels.
            height: its height in pixels.
            size: its number of encoded bytes.
        """
        most = max(PIXELS, PIXELS_PER_BYTE * size) if self.pixels is None else self.pixels
        if width * height > most:
            raise DataError(
                f"its {size:,} bytes say that it has {width} x {height} pixels, and {most:,} were "
                f"expected at the most; deserializer['maxPixels'] raises that"
            )


def load_decoder(limits: ImageLimits) -> Callable[[bytes, int, bool], np.ndarray]:
    """Return a function that decodes images.

    Its arguments are the encoded image, the number of channels, and whether to apply the EXIF
    orientation. It raises `DataError` if the bytes are no image, or exceed the limits.

    Args:
        limits: limits for the size of images.

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
                f"safe; if it can be trusted, raise deserializer['maxPixels'] and "
                f"PIL.Image.MAX_IMAGE_PIXELS"
            ) from None
        except Exception:  # Decoders of foreign data raise all kinds of errors.
            raise DataError(
                f"it is no image that can be decoded: its {len(encoded):,} bytes are cut short or "
                f"damaged"
            ) from None
        return pixels[:, :, None] if channels == 1 else pixels[:, :, ::-1]

    return decode


def _check_head(encoded: bytes, limits: ImageLimits) -> None:
    """Raise DataError for images that cost time or memory before a decoder knows their size."""
    if encoded.startswith(b"\xff\xd8") and encoded.count(_SCAN) > _SCANS:
        raise DataError(
            f"it is a JPEG file of {encoded.count(_SCAN)} scans, and {_SCANS} were expected at the "
            f"most"
        )
    if encoded[:4] == b"RIFF" and encoded[8:12] == b"WEBP" and len(encoded) >= 30:
        limits.check_pixels(*_webp_size(encoded), len(encoded))


def _webp_size(encoded: bytes) -> tuple[int, int]:
    """Return width and height from the header of a WebP file."""
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
    """Return an image as uint8 ``[height, width]`` or ``[height, width, 3]``."""
    if image.mode == "F":
        raise DataError("its pixels are floating-point numbers; expected integers")
    width, height = image.size
    rows = max(_STRIP // max(width, 1), 1)
    if height <= rows:
        return _strip(image, mode)
    image.load()
    pixels = np.empty((height, width) if mode == "L" else (height, width, 3), np.uint8)
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        pixels[top:bottom] = _strip(image.crop((0, top, width, bottom)), mode)
    return pixels


def _strip(image: Any, mode: str) -> np.ndarray:
    if image.mode.startswith("I"):
        # 16-bit greyscale: the upper eight bits are used.
        shades = (np.asarray(image).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8)
        return shades if mode == "L" else np.repeat(shades[:, :, None], 3, 2)
    return np.asarray(image if image.mode == mode else image.convert(mode))
