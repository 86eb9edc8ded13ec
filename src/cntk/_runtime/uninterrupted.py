"""Code that interrupts do not tear apart: Ctrl-C takes effect when it is done."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # what `signal` wraps; a step is too short for its enumerations
import signal
import threading
from types import FrameType
from typing import Any

# Those by which programs are ended and that Python hands to functions; only what has such a
# function is held back.
_SIGNALS = tuple(
    int(getattr(signal, name))
    for name in ("SIGINT", "SIGTERM", "SIGBREAK")
    if hasattr(signal, name)
)


class Uninterrupted:
    """A piece of code that signals do not interrupt: what they would do is done after it.

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

    __slots__ = ("_came", "_former")

    def __enter__(self) -> None:
        self._former: list[tuple[Any, Any]] = []
        self._came: list[tuple[int, FrameType | None]] = []
        if threading.get_ident() != threading.main_thread().ident:
            return
        for number in _SIGNALS:
            handler = _signal.getsignal(number)
            if callable(handler):
                self._former.append((number, handler))
                _signal.signal(number, self._hold)

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._former:
            _signal.signal(number, handler)
        if self._came:
            handlers = dict(self._former)
            for number, frame in self._came:
                handlers[number](number, frame)

    def _hold(self, number: int, frame: FrameType | None) -> None:
        self._came.append((number, frame))
