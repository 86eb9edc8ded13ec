"""Debugging of models: a prompt at every node, and checked mode. And model files of version 1.

In checked mode every value of a run is compared with the type that was inferred for it, and must be
finite.
"""

from __future__ import annotations

import os

from cntk._arguments import as_bool, as_flag, as_integer, as_path, shown
from cntk._compiler.observation import OBSERVATION
from cntk._graph.function import Function
from cntk._graph.names.late_names import hand_on
from cntk._persist.v1.save import save_legacy
from cntk.debugging.stepping import DEBUG_USAGE, _DebugNode, debug_model
from cntk.errors import ArgumentError

__all__ = [
    "DEBUG_USAGE",
    "_DebugNode",
    "debug_model",
    "save_as_legacy_model",
    "set_checked_mode",
    "set_computation_network_trace_level",
    "set_node_timing",
]


def set_checked_mode(enable: bool) -> None:
    """Turn expensive checks during evaluation on or off.

    Args:
        enable: whether every operation's result is compared with the shape, the number of rows and
            the dtype that were inferred for it, and its numbers, and its gradients', are looked at.
            The first that differs, is NaN, or is infinite though all that it comes from is finite,
            raises an error that names the operation.

    Raises:
        TypeError: for anything but True or False.

    Example:
        >>> set_checked_mode(True)
        >>> set_checked_mode(False)
    """
    OBSERVATION.switch(checks=as_bool(enable, "set_checked_mode"))


def set_node_timing(enable: bool) -> None:
    """Turn the timing of operations on or off, for `Function.print_node_timing`. Runs take longer
    with it.

    Args:
        enable: whether each operation's time is measured, forward and backward. Operations that run
            as one on a fused kernel are measured as one, under the name of the last of them.

    Example:
        >>> set_node_timing(True)
        >>> set_node_timing(False)
    """
    OBSERVATION.switch(times=as_flag(enable, "set_node_timing: enable"))


def set_computation_network_trace_level(level: int) -> None:
    """Set how much of what operations compute is logged to the standard error stream. Runs take
    longer with it.

    Args:
        level: 0 for nothing; 1 for shapes; 1000 for the sum of absolute values too, forward and
            backward; 1000000 for all values too.

    Raises:
        TypeError: if the level is no integer.

    Example:
        >>> set_computation_network_trace_level(1000)
        >>> set_computation_network_trace_level(0)
    """
    OBSERVATION.switch(
        log_level=as_integer(
            level, "set_computation_network_trace_level: level", least=-(2**31), most=2**31 - 1
        )
    )


def save_as_legacy_model(root_op: Function, filename: str | os.PathLike[str]) -> None:
    """Write a function to a file in the format of version 1, that of CNTK before 2.0; `load_model`
    reads it as well.

    The format is poorer than that of `Function.save`: blocks are opened, the names of combinations
    and aliases get lost, and so do rates of dropout, which are 0 when the file is loaded. Loaded
    outputs are in the order of their uids.

    Args:
        root_op: the function; inputs have a batch axis and definite shapes, and all numbers are
            float32 or all float64.
        filename: the path; missing directories are made, and a file of that name is replaced once
            all is written.

    Raises:
        ValueError: for an operation or an input that the format cannot hold.
        TypeError: for anything but a function.
        OSError: if the file cannot be written.

    Example:
        >>> import cntk as C, os, tempfile
        >>> path = os.path.join(tempfile.mkdtemp(), "double.v1")
        >>> save_as_legacy_model(C.input_variable(2, name="x") * 2, path)
        >>> C.load_model(path).eval([[1, 2]])
        array([[2., 4.]], dtype=float32)
    """
    if not isinstance(root_op, Function):
        raise ArgumentError(f"save_as_legacy_model: expected a function, got {shown(root_op)}")
    as_path(filename, "save_as_legacy_model: filename")
    save_legacy(root_op, filename)


hand_on(globals())
