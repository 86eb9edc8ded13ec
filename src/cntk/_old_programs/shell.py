"""Replacement of `get_ipython()`, for notebooks and for programs converted from them."""

from __future__ import annotations

from typing import Any

from cntk._old_programs.tell import Teller


class Shell:
    """Result of `get_ipython()`: its magics are reported and skipped."""

    def __init__(self, teller: Teller) -> None:
        self._teller = teller

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)

        def left_out(*arguments: Any, **options: Any) -> None:
            self._teller.say(f"left out: get_ipython().{name}({', '.join(map(repr, arguments))})")

        return left_out
