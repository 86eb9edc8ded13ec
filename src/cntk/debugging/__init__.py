"""Help with finding mistakes."""

from cntk.debugging.debug import (
    DEBUG_USAGE,
    debug_model,
    save_as_legacy_model,
    set_checked_mode,
    set_node_timing,
)

__all__ = ["DEBUG_USAGE", "debug_model", "save_as_legacy_model", "set_checked_mode", "set_node_timing"]
