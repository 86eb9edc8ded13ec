"""Seeds for operations and initial values that are not given one."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from cntk._arguments import as_flag, as_integer

SentinelValueForAutoSelectRandomSeed = 2**64 - 3


@dataclass
class _Seeds:
    next: int = 0
    fixed: bool = False
    original_dropout: bool = False


_state = _Seeds()


def next_seed() -> int:
    """Return the next automatic seed: a running number, or the fixed one."""
    seed = _state.next
    if not _state.fixed:
        _state.next += 1
    return seed


def set_fixed_random_seed(seed: int) -> None:
    """Give every operation and parameter that chooses its own seed this one."""
    _state.next, _state.fixed = _seed(seed, "set_fixed_random_seed"), True


def reset_random_seed(seed: int = 0) -> None:
    """Start the running number of automatic seeds again.

    Args:
        seed: the number to start from.
    """
    _state.next, _state.fixed = _seed(seed, "reset_random_seed"), False


def _seed(seed: int, function: str) -> int:
    return as_integer(seed, f"{function}: seed", least=0, most=2**64 - 1)


def get_random_seed() -> int:
    """Return the next automatic seed, without taking it."""
    return _state.next


def is_random_seed_fixed() -> bool:
    """Return whether `set_fixed_random_seed` was called last."""
    return _state.fixed


def set_dropout_compatibility(on: bool = True) -> None:
    """Have dropout drop what the original does for the same seed, in functions that first run from
    now on.

    It is for comparisons of numbers: on a CPU the original's random numbers take longer than those
    otherwise used.

    Args:
        on: whether to do so.

    Example:
        >>> import cntk as C
        >>> C.cntk_py.set_dropout_compatibility()
        >>> x = C.input_variable(6)
        >>> dropped = C.dropout(x, 0.5, seed=12)
        >>> dropped.forward({x: [[1, 1, 1, 1, 1, 1]]}, [dropped.output], {dropped.output})[1][
        ...     dropped.output
        ... ]
        array([[0., 2., 0., 2., 2., 2.]], dtype=float32)
        >>> C.cntk_py.set_dropout_compatibility(False)
    """
    _state.original_dropout = as_flag(on, "set_dropout_compatibility")


def is_dropout_compatible() -> bool:
    """Return whether `set_dropout_compatibility` is on."""
    return _state.original_dropout


def force_deterministic_algorithms() -> None:
    """Have torch choose algorithms whose results do not vary from run to run."""
    torch.use_deterministic_algorithms(True, warn_only=True)


def should_force_deterministic_algorithms() -> bool:
    """Return whether torch chooses only algorithms whose results do not vary from run to run."""
    return torch.are_deterministic_algorithms_enabled()
