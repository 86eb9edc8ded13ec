"""Help with finding mistakes."""

from cntk.debugging.debug import set_checked_mode

__all__ = ["set_checked_mode"]
