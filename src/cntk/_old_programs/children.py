"""Restoration of old names in processes that a program spawns by `multiprocessing`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from cntk._old_programs.hook import Hook
from cntk._old_programs.rows import Changed, Row
from cntk._old_programs.table import TABLE
from cntk._old_programs.tell import Teller


def serve(quiet: bool, said: Sequence[str]) -> None:
    """Restore old names in a process that has just started.

    Args:
        quiet: whether to say nothing.
        said: what its parent has said.
    """
    teller = Teller(quiet, said)
    Hook([*TABLE, *CHILDREN], teller).install()


def served(function: Callable[..., Any], row: Changed, teller: Teller) -> Callable[..., Any]:
    """Return `multiprocessing.spawn.get_command_line` with a line before the child's own."""

    @functools.wraps(function)
    def old(*arguments: Any, **options: Any) -> list[str]:
        command: list[str] = function(*arguments, **options)
        if "-c" in command:
            at = command.index("-c") + 1
            first = f"from {__name__} import serve; serve({teller.quiet!r}, {teller.said()!r}); "
            command[at] = first + command[at]
        return command

    return old


CHILDREN: list[Row] = [
    Changed("multiprocessing.spawn", "get_command_line", ".children:served", "", "", "")
]
"""Not a name that is gone: programs need not know of it."""
