"""Regular expressions with their behaviour before Python 3.7."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

from cntk._old_programs.rows import Changed
from cntk._old_programs.tell import Teller, is_served


def split_between(function: Callable[..., Any], row: Changed, teller: Teller) -> Callable[..., Any]:
    """Return `re.split` that splits at no empty match: a pattern that may match nothing splits
    where it matches something.
    """

    @functools.wraps(function)
    def old(pattern: Any, string: Any, maxsplit: int = 0, flags: Any = 0) -> list[Any]:
        compiled = re.compile(pattern, flags)
        if compiled.match(string[:0]) is None or not is_served():
            whole: list[Any] = function(pattern, string, maxsplit=maxsplit, flags=flags)
            return whole
        teller.row(row)
        parts: list[Any] = []
        start = 0
        for match in compiled.finditer(string):
            if match.end() > match.start() and not 0 < maxsplit <= len(parts) // (
                1 + compiled.groups
            ):
                parts += [string[start : match.start()], *match.groups()]
                start = match.end()
        return [*parts, string[start:]]

    return old
