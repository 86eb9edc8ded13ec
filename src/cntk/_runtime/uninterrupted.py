"""Deferral of interrupts: Ctrl-C takes effect after the code it must not tear apart."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # what `signal` wraps; a step is too short for its enumerations
import signal
import threading
from types import FrameType
from typing import Any

# Signals that end programs. Only those with a handler in Python are deferred.
_SIGNALS = tuple(
    int(getattr(signal, name))
    for name in ("SIGINT", "SIGTERM", "SIGBREAK")
    if hasattr(signal, name)
)


class Uninterrupted:
    """Context in which signals do not interrupt code: their handlers run after it.

    Only the main thread hears signals; elsewhere this does nothing.

    Example:
        >>> import signal
        >>> done = False
        >>> try:
        ...     with Uninterrupted():
        ...         signal.raise_signal(signal.SIGINT)
        ...         done = True
        ... except KeyboardInterrupt:
        ...     print(done)
        True
    """

    __slots__ = ("_deferred", "_handlers")

    def __enter__(self) -> None:
        self._handlers: list[tuple[Any, Any]] = []
        self._deferred: list[tuple[int, FrameType | None]] = []
        if threading.get_ident() != threading.main_thread().ident:
            return
        for number in _SIGNALS:
            handler = _signal.getsignal(number)
            if callable(handler):
                self._handlers.append((number, handler))
                _signal.signal(number, self._defer)

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._handlers:
            _signal.signal(number, handler)
        if self._deferred:
            handlers = dict(self._handlers)
            for number, frame in self._deferred:
                handlers[number](number, frame)

    def _defer(self, number: int, frame: FrameType | None) -> None:
        self._deferred.append((number, frame))
