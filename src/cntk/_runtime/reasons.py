"""Reasons why something runs slower than it could: kept for whoever asks, and logged once."""

from __future__ import annotations

import logging
import threading
import weakref
from typing import Any

_LOGGER = logging.getLogger("cntk")
# Reasons already logged for an owner that is compiled many times, such as a loop for many sizes.
_told: weakref.WeakKeyDictionary[Any, set[tuple[str, str]]] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


class Reasons(list[str]):
    """The reasons of one thing, in the order in which they came.

    Args:
        about: what runs slower, as the log begins: ``"training steps are not recorded"``.
        owner: what the log tells each reason of only once, however often it is compiled.

    Example:
        >>> reasons = Reasons("training steps are not recorded")
        >>> reasons.keep("its sizes depend on the data")
        >>> reasons.keep("its sizes depend on the data")
        >>> reasons
        ['its sizes depend on the data']
    """

    def __init__(self, about: str, owner: Any = None) -> None:
        super().__init__()
        self.about = about
        self._owner = owner

    def keep(self, reason: str, fault: BaseException | None = None, expected: bool = True) -> None:
        """Keep a reason, and tell it to the logger ``cntk`` if it is new.

        Args:
            reason: why; the same text for the same cause.
            fault: the exception that was the cause; its traceback is told at level DEBUG.
            expected: whether it is a known limit, told at level INFO, and not a fault, told as a
                warning.
        """
        if reason in self:
            return
        with _lock:  # readers keep reasons in several threads
            if not self._is_new(reason):
                return
        _LOGGER.log(logging.INFO if expected else logging.WARNING, "%s: %s", self.about, reason)
        if fault is not None:
            _LOGGER.debug("%s: the exception was", self.about, exc_info=fault)

    def sentences(self) -> list[str]:
        """Return each reason with what it is about, as the log says it."""
        return [f"{self.about}: {reason}" for reason in self]

    def _is_new(self, reason: str) -> bool:
        """Add a reason, and return whether it is to be told."""
        if reason in self:
            return False
        self.append(reason)
        if self._owner is None:
            return True
        told, key = _told.setdefault(self._owner, set()), (self.about, reason)
        is_new = key not in told
        told.add(key)
        return is_new
