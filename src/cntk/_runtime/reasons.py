"""Why something runs in a slower way than it could: kept for whoever asks, and told once."""

from __future__ import annotations

import logging
import weakref
from typing import Any

_LOGGER = logging.getLogger("cntk")
# What has been told of something that is compiled many times, such as a loop for many sizes.
_told: weakref.WeakKeyDictionary[Any, set[str]] = weakref.WeakKeyDictionary()


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
        self.append(reason)
        if self._owner is not None:
            told = _told.setdefault(self._owner, set())
            if (key := f"{self.about}: {reason}") in told:
                return
            told.add(key)
        _LOGGER.log(logging.INFO if expected else logging.WARNING, "%s: %s", self.about, reason)
        if fault is not None:
            _LOGGER.debug("%s: the exception was", self.about, exc_info=fault)
