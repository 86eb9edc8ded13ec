"""Finding mistakes: a prompt at every node of a model, and checked mode.

In checked mode every value of a run is compared with the type that was inferred for it.
"""

from __future__ import annotations

from cntk._engine import checked, timing
from cntk.debugging.stepping import DEBUG_USAGE, _DebugNode, debug_model

__all__ = ["DEBUG_USAGE", "_DebugNode", "debug_model", "set_checked_mode", "set_node_timing"]


def set_checked_mode(enable: bool) -> None:
    """Turn expensive checks during evaluation on or off.

    Args:
        enable: whether every operation's result is compared with the shape, the number of rows and the number
            format that were inferred for it; the first that differs raises an error that names the operation.

    Example:
        >>> set_checked_mode(True)
        >>> set_checked_mode(False)
    """
    checked.set_enabled(enable)


def set_node_timing(enable: bool) -> None:
    """Turn the timing of operations on or off, for `Function.print_node_timing`. Runs take longer with it.

    Args:
        enable: whether each operation's time is measured, forward and backward. Operations that run as one on a fused
            kernel are measured as one, under the name of the last of them.

    Example:
        >>> set_node_timing(True)
        >>> set_node_timing(False)
    """
    timing.set_enabled(enable)
