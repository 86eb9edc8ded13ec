"""Tools for finding mistakes in models and trainings."""

from cntk._arguments import as_integer
from cntk._compiler.passes.pipeline import without as without_passes
from cntk._graph.names.late_names import hand_on
from cntk._runtime.random.seeds import force_deterministic_algorithms, set_fixed_random_seed
from cntk.debugging.debug import (
    DEBUG_USAGE,
    debug_model,
    save_as_legacy_model,
    set_checked_mode,
    set_computation_network_trace_level,
    set_node_timing,
)
from cntk.debugging.dump import dump_function, dump_signature
from cntk.debugging.explanation import Explanation, explain
from cntk.debugging.nan import NanWatch, NotFiniteError, watch_nan
from cntk.debugging.profiler import disable_profiler, enable_profiler, start_profiler, stop_profiler

__all__ = [
    "DEBUG_USAGE",
    "Explanation",
    "NanWatch",
    "NotFiniteError",
    "debug_model",
    "disable_profiler",
    "dump_function",
    "dump_signature",
    "enable_profiler",
    "explain",
    "force_deterministic",
    "save_as_legacy_model",
    "set_checked_mode",
    "set_computation_network_trace_level",
    "set_node_timing",
    "start_profiler",
    "stop_profiler",
    "watch_nan",
    "without_passes",
]


def force_deterministic(seed: int) -> None:
    """Make runs of this program give the same numbers each time, by a fixed seed and deterministic
    algorithms.

    Args:
        seed: where random numbers begin: those of initial values, operations and readers.

    Raises:
        TypeError: if the seed is no integer.
        OverflowError: if it is negative.

    Example:
        >>> force_deterministic(7)
    """
    set_fixed_random_seed(as_integer(seed, "force_deterministic: seed", least=0, most=2**64 - 1))
    force_deterministic_algorithms()


hand_on(globals())
