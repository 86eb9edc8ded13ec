"""Models in files, by their format."""

from __future__ import annotations

import os
from typing import IO, Any

from cntk._graph.composite import Composite
from cntk._graph.function import Function
from cntk._graph.run_methods import ModelFormat
from cntk._persist.load import load as load_v2
from cntk._persist.save import save as save_v2
from cntk._persist.wire import FileFormatError
from cntk.device import DeviceDescriptor


def save(function: Function, target: str | os.PathLike[str] | IO[bytes], format: ModelFormat) -> None:
    """Write a function to a file; see `Function.save`."""
    _check(format)
    save_v2(function, target)


def load(model: Any, device: DeviceDescriptor | None, format: ModelFormat) -> Composite:
    """Read a function from a file; see `load_model`."""
    _check(format)
    return load_v2(model, device)


def _check(format: ModelFormat) -> None:
    if format is not ModelFormat.CNTKv2:
        raise FileFormatError(f"the format {format!r} is not available yet; use ModelFormat.CNTKv2")
