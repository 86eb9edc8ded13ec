"""Recognise loops that are known recurrent cells, whoever wrote them."""

from __future__ import annotations

from collections.abc import Callable

from cntk._compiler.ir import Node, delay_of
from cntk._compiler.passes.flat_graph import FlatGraph, named
from cntk._compiler.recurrence.fused_loop import FusedLoop
from cntk._compiler.recurrence.gru import match_gru
from cntk._compiler.recurrence.loop import Loop
from cntk._compiler.recurrence.loop_algebra import NoMatch
from cntk._compiler.recurrence.lstm import match_lstm
from cntk._compiler.recurrence.rnn import match_rnn
from cntk._graph.types import FreeDimension

# Known cells have few operations; longer loops are not read, which would go as deep as they are
# long.
_MOST_MEMBERS = 100


def fuse_recurrences(graph: FlatGraph) -> list[str]:
    """Run LSTMs, GRUs and plain recurrences on kernels of their own.

    A loop is read as algebra, so that the order of a sum makes no difference.

    Example:
        >>> import cntk as C
        >>> from cntk._compiler.passes.pipeline import before_and_after
        >>> s = C.sequence.input_variable(3, name="s")
        >>> states = C.layers.Recurrence(C.layers.RNNStep(2, activation=C.tanh))(s)
        >>> print(before_and_after("fuse_recurrences", states))
        %1 = Times(s, W)
        %6 = loop:
          %2 = PastValue(%6, 0)
          %3 = Times(%2, H)
          %4 = Plus(%1, %3)
          %5 = Plus(%4, b)
          %6 = Tanh(%5)
        output %6
        becomes
        %1 = Times(s, W)
        %6 = FusedRNN(s, W, b, H, 0)
        output %6
    """
    notes = []
    for k, item in enumerate(graph.work):
        if isinstance(item, Node) or isinstance(item, FusedLoop):
            continue
        try:
            graph.work[k] = fused = _known_cell(item)
            notes.append(f"{named(item)} is a {type(fused).__name__}")
        except NoMatch as failure:
            item.reasons.keep(str(failure))
    return notes


def _known_cell(loop: Loop) -> FusedLoop:
    """Return a known cell in place of a loop, if it is one of which nothing but its output is read.

    Raises:
        NoMatch: if it is none.
    """
    if len(loop.members) > _MOST_MEMBERS:
        raise NoMatch(f"it has more than {_MOST_MEMBERS} operations")
    if len(loop.outputs) != 1:
        raise NoMatch("more of its values are read outside than one state")
    if any(FreeDimension in t.shape for node in loop.members for t in node.types):
        raise NoMatch("it has dimensions whose size only the run tells")
    if any(len(d.types[0].shape) != 1 for d in loop.delays):
        raise NoMatch("its states are no vectors")
    if any(abs(delay_of(d)) != 1 for d in loop.delays):
        raise NoMatch("it looks back more than one step")
    if any(len(d.operands[1].type.dynamic_axes) > 1 for d in loop.delays):
        raise NoMatch("an initial state is a sequence")
    cells = _CELLS.get(len(loop.delays), {})
    reasons = []
    for name, match in cells.items():
        try:
            return match(loop)
        except NoMatch as failure:
            reasons.append(f"no {name}: {failure}")
    raise NoMatch("; ".join(reasons) or f"no known cell has {len(loop.delays)} states")


# The known cells, by how many states they have.
_CELLS: dict[int, dict[str, Callable[[Loop], FusedLoop]]] = {
    1: {"plain recurrence": match_rnn, "GRU": match_gru},
    2: {"LSTM": match_lstm},
}
