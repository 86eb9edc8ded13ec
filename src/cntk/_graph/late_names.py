"""Names that a module hands out though it does not define them: they live in `cntk.internal.names`, a floor above."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def late_names(module: str) -> Callable[[str], Any]:
    """Return the ``__getattr__`` of a module, which finds what begins with one underscore in `cntk.internal.names`."""

    def find(name: str) -> Any:
        if not name.startswith("_") or name.startswith("__"):
            raise AttributeError(f"module '{module}' has no attribute '{name}'")
        from cntk.internal.names import name_in

        return name_in(module, name)

    return find
