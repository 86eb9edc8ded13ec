"""Saves and loads models, by format."""

from __future__ import annotations

import os
from typing import IO, Any

from cntk._arguments import shown
from cntk._graph.composite import Composite
from cntk._graph.function import Function
from cntk._graph.function_methods import ModelFormat
from cntk._persist.v2.load import load as load_v2
from cntk._persist.v2.save import save as save_v2
from cntk.device import DeviceDescriptor, torch_device
from cntk.errors import ArgumentError, FileFormatError


def save(
    function: Function, target: str | os.PathLike[str] | IO[bytes], format: ModelFormat
) -> None:
    """Write a function to a file; see `Function.save`."""
    _check(format, "save")
    save_v2(function, target)


def load(model: Any, device: DeviceDescriptor | None, format: ModelFormat) -> Composite:
    """Read a function from a file; see `load_model`."""
    _check(format, "load_model")
    need_source(model, "load_model")
    if device is not None:
        torch_device(device, "load_model: device")
    return load_v2(model, device)


def need_source(model: Any, called: str) -> None:
    """Raise ArgumentError for any source of a model but a path, bytes or a file."""
    if not isinstance(model, (str, os.PathLike, bytes, bytearray, memoryview)) and not hasattr(
        model, "read"
    ):
        raise ArgumentError(
            f"{called}: expected a path, bytes, or a file opened in binary mode, got {shown(model)}"
        )


def _check(format: ModelFormat, called: str) -> None:
    if not isinstance(format, ModelFormat):
        raise ArgumentError(f"{called}: format: expected ModelFormat.CNTKv2, got {shown(format)}")
    if format is not ModelFormat.CNTKv2:
        raise FileFormatError(
            f"{called}: the format {format!r} is not available yet; use ModelFormat.CNTKv2"
        )
