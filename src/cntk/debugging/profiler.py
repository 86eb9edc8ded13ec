"""Profiles of runs, which Chrome (chrome://tracing) and Perfetto (ui.perfetto.dev) open."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from cntk._arguments import as_flag, as_integer, as_path
from cntk._graph.names.late_names import hand_on
from cntk._writing.file_errors import naming
from cntk._writing.whole_files import opened, replacing

__all__ = ["disable_profiler", "enable_profiler", "start_profiler", "stop_profiler"]

_RESERVED = 33554432
_SHOWN = 100


@dataclass
class _Profile:
    """A profile that is being recorded.

    Attributes:
        folder: where it is written.
        running: torch's profiler, while it is enabled.
        parts: those that came before.
    """

    folder: Path
    running: Any = None
    parts: list[Any] = field(default_factory=list)

    def begin(self) -> None:
        if self.running is None:
            kinds = [torch.profiler.ProfilerActivity.CPU]
            if torch.cuda.is_available():
                kinds.append(torch.profiler.ProfilerActivity.CUDA)
            self.running = torch.profiler.profile(activities=kinds)
            self.running.start()

    def end(self) -> None:
        if self.running is not None:
            self.running.stop()
            self.parts.append(self.running)
            self.running = None

    def write(self) -> None:
        """Write a summary, and the trace of each part."""
        stamp = time.strftime("%Y-%m-%d_%H-%M-%S")
        tables = [part.key_averages().table(row_limit=_SHOWN) for part in self.parts]
        with replacing(self.folder / f"{stamp}_summary_.txt", "stop_profiler") as file:
            file.write(("\n".join(tables) or "The profiler was not enabled.\n").encode())
        for number, part in enumerate(self.parts):
            _write_trace(part, self.folder / f"{stamp}_detail_{number or ''}.json")
        if not self.parts:
            with replacing(self.folder / f"{stamp}_detail_.json", "stop_profiler") as file:
                file.write(json.dumps({"traceEvents": []}).encode())


def _write_trace(part: Any, target: Path) -> None:
    """Write a trace; torch accepts plain file names only."""
    with tempfile.TemporaryDirectory(prefix="cntk-") as plain:
        written = Path(plain, "trace.json")
        part.export_chrome_trace(str(written))
        with opened(written) as source, replacing(target, "stop_profiler") as file:
            shutil.copyfileobj(source, file)


@dataclass
class _Profiling:
    current: _Profile | None = None


_profiling = _Profiling()


def start_profiler(
    dir: str | os.PathLike[str] = "profiler", sync_gpu: bool = True, reserve_mem: int = _RESERVED
) -> None:
    """Prepare a profile, which `enable_profiler` begins and `stop_profiler` writes.

    Args:
        dir: the folder for it; made if need be.
        sync_gpu: accepted for programs that give it: a GPU's own times are part of the profile.
        reserve_mem: accepted for programs that give it: memory is taken as it is needed.

    Raises:
        TypeError: if ``dir`` is no path.
        ValueError: if ``reserve_mem`` is negative.
        RuntimeError: if a profile has been started already.

    Example:
        >>> import cntk as C, os, tempfile
        >>> folder = tempfile.mkdtemp()
        >>> start_profiler(folder)
        >>> enable_profiler()
        >>> C.plus([1], [2]).eval()
        array([3.], dtype=float32)
        >>> stop_profiler()
        >>> sorted(name[20:] for name in os.listdir(folder))
        ['detail_.json', 'summary_.txt']
    """
    as_path(dir, "start_profiler: dir", "a folder")
    as_flag(sync_gpu, "start_profiler: sync_gpu")
    as_integer(reserve_mem, "start_profiler: reserve_mem", least=0, most=2**64 - 1)
    if _profiling.current is not None:
        raise RuntimeError(
            f"start_profiler: a profile for {str(_profiling.current.folder)!r} has been started; "
            f"call stop_profiler first"
        )
    folder = Path(dir)
    with naming("start_profiler", folder):
        folder.mkdir(parents=True, exist_ok=True)
    _profiling.current = _Profile(folder)


def enable_profiler() -> None:
    """Record what is run from here on; nothing happens if no profile has been started."""
    if _profiling.current is not None:
        _profiling.current.begin()


def disable_profiler() -> None:
    """Stop recording; what is recorded after a later `enable_profiler` is a trace of its own."""
    if _profiling.current is not None:
        _profiling.current.end()


def stop_profiler() -> None:
    """End the profile and write it: a summary, and a trace; nothing happens if none has been
    started.
    """
    profile, _profiling.current = _profiling.current, None
    if profile is not None:
        profile.end()
        profile.write()


hand_on(globals())
