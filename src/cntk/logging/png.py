"""PNG files, the format of ISO/IEC 15948: 8 bits a channel, rows without filters, compressed by
zlib.
"""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np

__all__ = ["encode_png"]


_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}


def encode_png(pixels: np.ndarray[Any, Any]) -> bytes:
    """Return a picture as the bytes of a PNG file.

    Args:
        pixels: bytes of shape [height x width x channels]: grey; grey and opacity; red, green,
            blue; or these and opacity.

    Raises:
        ValueError: if they are of another shape or dtype.

    Example:
        >>> encode_png(np.zeros((2, 3, 1), np.uint8))[:8]
        b'\\x89PNG\\r\\n\\x1a\\n'
    """
    if (
        pixels.ndim != 3
        or pixels.shape[2] not in _COLOUR_TYPES
        or not pixels.size
        or pixels.dtype != np.uint8
    ):
        raise ValueError(
            f"encode_png: expected bytes [height x width x 1, 2, 3 or 4], got {pixels.dtype} "
            f"{list(pixels.shape)}"
        )
    height, width, channels = pixels.shape
    # Each begins with its filter: 0, none.
    rows = np.zeros((height, 1 + width * channels), np.uint8)
    rows[:, 1:] = pixels.reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8, _COLOUR_TYPES[channels], 0, 0, 0)
    chunks = (
        _chunk(b"IHDR", header),
        _chunk(b"IDAT", zlib.compress(rows.tobytes())),
        _chunk(b"IEND", b""),
    )
    return b"".join((_SIGNATURE, *chunks))


def _chunk(kind: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )
