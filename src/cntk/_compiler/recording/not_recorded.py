"""Exceptions of recordings, and the meaning of torch's exceptions for them."""

from __future__ import annotations

from cntk._runtime.context import Draws


class NotRecorded(Exception):
    """Signal that a step stays eager; the message says why.

    Attributes:
        expected: True if the reason is a known limit of recording, and not a fault of it.
        draws: the random numbers that were drawn already for this step.
    """

    def __init__(self, reason: str, expected: bool = True) -> None:
        super().__init__(reason)
        self.expected = expected
        self.draws: Draws | None = None


# Exceptions of torch for fake tensors that are asked for values; they have no public names.
_BY_DATA = (
    "GuardOnDataDependentSymNode",
    "DataDependentOutputException",
    "DynamicOutputShapeException",
)


def of_exception(error: Exception) -> NotRecorded:
    """Return what an exception while recording means: a known limit, or a fault."""
    if isinstance(error, NotRecorded):
        return error
    if type(error).__name__ in _BY_DATA:
        return NotRecorded("which calls are made, or their sizes, depend on the data")
    return NotRecorded(
        f"recording failed: {type(error).__name__}: {first_line(error)}", expected=False
    )


def first_line(error: Exception) -> str:
    """Return the first line of an exception's message."""
    return (str(error).strip().splitlines() or [""])[0]
