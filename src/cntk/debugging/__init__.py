"""Help with finding mistakes."""

from cntk._engine.seeds import force_deterministic_algorithms, set_fixed_random_seed
from cntk._graph.late_names import hand_on
from cntk.debugging.debug import (
    DEBUG_USAGE,
    debug_model,
    save_as_legacy_model,
    set_checked_mode,
    set_computation_network_trace_level,
    set_node_timing,
)
from cntk.debugging.dump import dump_function, dump_signature
from cntk.debugging.nan import NanWatch, NotFiniteError, watch_nan
from cntk.debugging.profiler import disable_profiler, enable_profiler, start_profiler, stop_profiler

__all__ = [
    "DEBUG_USAGE",
    "NanWatch",
    "NotFiniteError",
    "debug_model",
    "disable_profiler",
    "dump_function",
    "dump_signature",
    "enable_profiler",
    "force_deterministic",
    "save_as_legacy_model",
    "set_checked_mode",
    "set_computation_network_trace_level",
    "set_node_timing",
    "start_profiler",
    "stop_profiler",
    "watch_nan",
]


def force_deterministic(seed: int) -> None:
    """Have runs of this program give the same numbers each time: a fixed seed, and deterministic algorithms.

    Args:
        seed: where random numbers begin: those of initial values, operations and readers.

    Raises:
        TypeError: if the seed is no integer.
        OverflowError: if it is negative.

    Example:
        >>> force_deterministic(7)
    """
    if not hasattr(seed, "__index__"):
        raise TypeError(f"force_deterministic: expected an integer as seed, got {seed!r}")
    if seed < 0:
        raise OverflowError(f"force_deterministic: expected a seed of at least 0, got {seed}")
    set_fixed_random_seed(seed.__index__())
    force_deterministic_algorithms()


hand_on(globals())
