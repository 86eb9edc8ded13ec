"""A recurrence in both directions as one layer: an addition."""

from __future__ import annotations

from typing import Any

from cntk import ops
from cntk._graph.function import Function
from cntk.default_options import default_override_or, get_default_override
from cntk.layers.sequence import Recurrence, _as_step

__all__ = ["BiRecurrence"]


def BiRecurrence(
    step_function: Any,
    step_function_backwards: Any = None,
    initial_state: Any = default_override_or(0),
    name: str = "",
) -> Function:
    """Layer that reads a sequence in both directions (Schuster and Paliwal, 1997). An addition: the
    original has none.

    Args:
        step_function: a step, as for `Recurrence`, that begins with the first frame.
        step_function_backwards: a step that begins with the last one; if not given, a copy of the
            other, with parameters of its own that begin with the same values.
        initial_state: the states before the first frame that is read, as for `Recurrence`, in both
            directions.
        name: its name in the graph.

    Returns:
        A function of one sequence; each frame is what both directions make of it, one after the
        other along the last axis.

    Raises:
        TypeError: if a step is none.

    Example:
        >>> import cntk as C
        >>> x = C.sequence.input_variable(1)
        >>> C.layers.BiRecurrence(C.plus, C.plus)(x).eval({x: [[[1], [2], [3]]]})
        [array([[1., 6.],
                [3., 5.],
                [6., 3.]], dtype=float32)]
        >>> C.layers.BiRecurrence(C.layers.LSTM(4))(x).shape
        (8,)
    """
    state = get_default_override(BiRecurrence, initial_state=initial_state)
    step = _as_step(step_function, "BiRecurrence")
    backwards = step.clone("clone") if step_function_backwards is None else step_function_backwards
    ahead = Recurrence(step, go_backwards=False, initial_state=state)
    back = Recurrence(backwards, go_backwards=True, initial_state=state)

    @Function
    def both(x: Any) -> Any:
        return ops.splice(ahead(x), back(x), axis=-1)

    return ops.alias(both, name) if name else both
