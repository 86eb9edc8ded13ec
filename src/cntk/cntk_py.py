"""Names of the original's native layer that programs use directly."""

from __future__ import annotations

from cntk._engine.seeds import (
    SentinelValueForAutoSelectRandomSeed,
    force_deterministic_algorithms,
    reset_random_seed,
    set_fixed_random_seed,
)
from cntk._graph.naming import allow_renaming_functions
from cntk.initializer import constant_initializer
from cntk.logging.progress_writer import ProgressWriter

__all__ = [
    "ProgressWriter",
    "constant_initializer",
    "DataType_Double",
    "DataType_Float",
    "DataType_Float16",
    "DataType_Unknown",
    "SentinelValueForAutoSelectRandomSeed",
    "allow_renaming_functions",
    "force_deterministic_algorithms",
    "reset_random_seed",
    "set_fixed_random_seed",
]

DataType_Unknown = 0
DataType_Float = 1
DataType_Double = 2
DataType_Float16 = 4
