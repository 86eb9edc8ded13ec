"""Conversion of data files between the CNTK text format and the binary format."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

import cntk as C
from cntk.io._text.encoding import text_of


class ConversionError(ValueError):
    """The files cannot be converted. The message is for people."""


def header_lines(header: Path) -> list[str]:
    """Return the lines of a file that names the streams of a text file.

    Raises:
        ConversionError: if it is text in UTF-16 or UTF-32.
    """
    try:
        return text_of(header).splitlines()
    except RuntimeError as error:
        raise ConversionError(str(error)) from None


def convert(
    source: Path, target: Path, streams: Sequence[str], double: bool, chunk_bytes: int
) -> Iterator[str]:
    """Convert a file into the other format, and yield reports of what was done.

    Args:
        source: what to read; its first bytes tell its format.
        target: what to write; it is there whole or as it was.
        streams: what text holds, as ``name alias dense|sparse width``.
        double: whether to write numbers of 64 bits.
        chunk_bytes: how much text makes a chunk.

    Raises:
        ConversionError: if the input is damaged, or it is text and no streams are given.
    """
    try:
        if C.io.is_binary(str(source)):
            if streams:
                raise ConversionError(
                    f"{source} is in the binary format and says itself which streams it has; give "
                    f"none"
                )
            C.io.binary_to_text(str(source), str(target))
        else:
            if not streams:
                raise ConversionError(
                    f"{source}: give its streams, with --header or --stream 'name alias "
                    f"dense|sparse width'"
                )
            dtype = np.float64 if double else np.float32
            C.io.text_to_binary(
                str(source), str(target), C.io.header_streams(list(streams)), dtype, chunk_bytes
            )
    except RuntimeError as error:
        raise ConversionError(str(error)) from None
    yield f"{source}: {source.stat().st_size:,} bytes"
    yield f"{target}: {target.stat().st_size:,} bytes"
