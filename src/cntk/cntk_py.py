"""Names of the original's native layer that programs use directly."""

from __future__ import annotations

from dataclasses import dataclass

from cntk._engine.seeds import (
    SentinelValueForAutoSelectRandomSeed,
    force_deterministic_algorithms,
    reset_random_seed,
    set_fixed_random_seed,
)

__all__ = [
    "DataType_Double",
    "DataType_Float",
    "DataType_Float16",
    "DataType_Unknown",
    "SentinelValueForAutoSelectRandomSeed",
    "allow_renaming_functions",
    "force_deterministic_algorithms",
    "renaming_allowed",
    "reset_random_seed",
    "set_fixed_random_seed",
]

DataType_Unknown = 0
DataType_Float = 1
DataType_Double = 2
DataType_Float16 = 4


@dataclass
class _Renaming:
    allowed: bool = False


_renaming = _Renaming()


def allow_renaming_functions() -> None:
    """Let functions that have a name be given another."""
    _renaming.allowed = True


def renaming_allowed() -> bool:
    """Whether functions that have a name may be given another."""
    return _renaming.allowed
