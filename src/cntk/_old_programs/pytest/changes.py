"""Wrappers of pytest's functions that accept their former arguments."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from cntk._old_programs.rows import Changed
from cntk._old_programs.tell import Teller, is_served


def warns_none(function: Callable[..., Any], row: Changed, teller: Teller) -> Callable[..., Any]:
    """Return `pytest.warns` that for None records warnings and expects none of them."""

    @functools.wraps(function)
    def old(expected: Any = Warning, *arguments: Any, **options: Any) -> Any:
        if expected is not None or not is_served():
            return function(expected, *arguments, **options)
        teller.row(row)
        import pytest

        return pytest.WarningsRecorder(_ispytest=True)

    return old
