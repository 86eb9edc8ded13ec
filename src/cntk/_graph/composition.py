"""Functions applied to one another: calls, ``>>`` and ``<<``, and how several outputs go on to
several functions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from cntk._graph.function import Function
    from cntk._graph.variable import Variable


class Composition:
    """The ways to put functions together."""

    __slots__ = ()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Apply the function to variables and functions (the result is a function) or to data (the
        result is data).

        Raises:
            TypeError: if the number or the names of the arguments do not fit.
        """
        from cntk._graph.call import apply

        return apply(cast("Function", self), args, kwargs)

    def __rshift__(self, other: Callable[..., Any] | tuple[Callable[[Any], Any], ...]) -> Any:
        """Forward composition: ``f >> g`` is g applied to all outputs of f; ``f >> (g, h)`` is
        both, each applied to one.

        A single output goes to g and to h.

        Raises:
            TypeError: if more functions stand side by side than there are several outputs.
        """
        if not isinstance(other, tuple):
            return other(*spread(self, 1))
        from cntk._graph.block import combine_variables

        pairs = zip(other, spread(self, len(other)), strict=False)
        return combine_variables(output for part, value in pairs for output in part(value).outputs)

    def __lshift__(self, other: Any) -> Any:
        """Composition: ``f << x`` is f applied to x."""
        return self(other)

    def __rrshift__(self, other: Any) -> Any:
        return self(other)

    def argument_map(self, *args: Any, **kwargs: Any) -> dict[Variable, Any]:
        """Return the value of each argument in a call.

        Raises:
            TypeError: if the number or the names of the arguments do not fit.
        """
        from cntk._graph.call import argument_map

        return argument_map(cast("Function", self).signature, args, kwargs)


def spread(value: Any, count: int) -> Sequence[Any]:
    """Return the operands of ``count`` functions side by side: one of several outputs each, or
    all the only one.

    Args:
        value: a node of the graph, or a tuple of nodes.
        count: how many functions follow.

    Returns:
        All outputs if there are several, of which there may be more than functions; else ``value``,
        ``count`` times.

    Raises:
        TypeError: for fewer outputs, but several, than functions.
    """
    outputs = value if isinstance(value, tuple) else getattr(value, "outputs", (value,))
    if len(outputs) == 1:
        return (outputs[0] if isinstance(value, tuple) else value,) * count
    if len(outputs) < count:
        raise TypeError(
            f"{count} functions side by side follow {len(outputs)} outputs, and each takes one of "
            f"them; leave some out, or combine what they compute into one function of all outputs"
        )
    return outputs
