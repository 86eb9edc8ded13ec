"""Names of nodes: unique identifiers, and whether a name that was given may be given again."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

_uids = itertools.count()


def next_uid(kind: str) -> str:
    """Return a name that no other node of this process has: the kind and a running number."""
    return f"{kind}{next(_uids)}"


@dataclass
class _Renaming:
    allowed: bool = False


_renaming = _Renaming()


def allow_renaming_functions() -> None:
    """Let functions that have a name be given another."""
    _renaming.allowed = True


def renaming_allowed() -> bool:
    """Return whether functions that have a name may be given another."""
    return _renaming.allowed
