"""Training progress as text or for TensorBoard, drawings of graphs, and the trace level."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from cntk._graph.names.late_names import hand_on
from cntk.logging import graph
from cntk.logging.graph import (
    depth_first_search,
    find_all_with_name,
    find_by_name,
    find_by_uid,
    get_node_outputs,
    plot,
)
from cntk.logging.progress_print import (
    ProgressPrinter,
    ProgressWriter,
    TensorBoardProgressWriter,
    TrainingSummaryProgressCallback,
    log_number_of_parameters,
)

__all__ = [
    "ProgressPrinter",
    "ProgressWriter",
    "TensorBoardProgressWriter",
    "TraceLevel",
    "TrainingSummaryProgressCallback",
    "depth_first_search",
    "find_all_with_name",
    "find_by_name",
    "find_by_uid",
    "get_node_outputs",
    "get_trace_level",
    "graph",
    "log_number_of_parameters",
    "plot",
    "set_trace_level",
]


class TraceLevel(Enum):
    """Levels of detail of what is logged. A level equals its number."""

    Error = 0
    Warning = 1
    Info = 2

    def __eq__(self, other: object) -> bool:
        return other is self or (isinstance(other, int) and other == self.value)

    def __hash__(self) -> int:
        return hash(self.value)


@dataclass
class _Trace:
    level: int = TraceLevel.Warning.value


_trace = _Trace()


def get_trace_level() -> int:
    """Return the trace level: the number of a `TraceLevel`.

    Example:
        >>> get_trace_level(), get_trace_level() == TraceLevel.Warning
        (1, True)
    """
    return _trace.level


def set_trace_level(value: TraceLevel | int) -> None:
    """Set the trace level.

    Args:
        value: a level, or a number; those above ``TraceLevel.Info`` are accepted as in the
            original.

    Raises:
        TypeError: for anything but a level or a number.
    """
    if not isinstance(value, (TraceLevel, int)):
        raise TypeError(f"set_trace_level: expected a TraceLevel or its number, got {value!r}")
    _trace.level = value.value if isinstance(value, TraceLevel) else int(value)


hand_on(globals())
