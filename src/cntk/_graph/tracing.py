"""Functions that are being made of Python functions: what runs inside may use the arguments of
those around it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from cntk._graph.variable import Variable

_open: ContextVar[frozenset[Variable]] = ContextVar(
    "arguments of functions being made", default=frozenset()
)


def open_arguments() -> frozenset[Variable]:
    """Return the arguments of all Python functions that are being traced."""
    return _open.get()


@contextmanager
def tracing(arguments: Iterable[Variable]) -> Iterator[None]:
    """While a Python function runs to be made a function of.

    Args:
        arguments: its arguments.
    """
    token = _open.set(_open.get().union(arguments))
    try:
        yield
    finally:
        _open.reset(token)
