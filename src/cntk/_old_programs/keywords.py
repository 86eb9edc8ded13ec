"""Renamed and removed arguments."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from cntk._old_programs.rows import Changed
from cntk._old_programs.tell import Teller, is_served


def renamed(function: Callable[..., Any], row: Changed, teller: Teller) -> Callable[..., Any]:
    """Return the function with the old argument put under its new name, or left out where it has
    none.
    """

    @functools.wraps(function)
    def old(*arguments: Any, **options: Any) -> Any:
        if row.old in options and is_served():
            teller.row(row)
            value = options.pop(row.old)
            if row.new:
                options.setdefault(row.new, value)
        return function(*arguments, **options)

    return old
