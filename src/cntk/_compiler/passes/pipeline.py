"""The passes of the compiler, in the order in which they run, each with the reason for its place.

A pass is a function that rewrites a flat graph in place and says what it did. Each stands in a file
of its own, with an example that shows a graph before and after it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from cntk._compiler.ir import Flattener
from cntk._compiler.passes.drop_unused import drop_unused
from cntk._compiler.passes.extract_loops import extract_loops
from cntk._compiler.passes.final_state import final_state
from cntk._compiler.passes.flat_graph import FlatGraph, Printer
from cntk._compiler.passes.fuse_bias import fuse_bias
from cntk._compiler.passes.fuse_recurrences import fuse_recurrences
from cntk._compiler.passes.resolve_crop import resolve_crop
from cntk._compiler.passes.share import share
from cntk._compiler.passes.split_dropout import split_dropout
from cntk._graph.function import Function
from cntk.errors import ArgumentError


@dataclass(frozen=True)
class Pass:
    """One rewriting of a flat graph.

    Attributes:
        rewrite: rewrites the graph in place; returns a line for each thing that it changed.
        position: why it runs where it does.
        needed: why it cannot be left out; empty if results are the same without it.
    """

    rewrite: Callable[[FlatGraph], list[str]]
    position: str
    needed: str = ""

    @property
    def name(self) -> str:
        """The pass's name: that of its function."""
        return self.rewrite.__name__


PIPELINE: tuple[Pass, ...] = (
    Pass(
        resolve_crop,
        "First, since it follows single operations down to what both operands come from.",
        needed="a crop without an offset cannot run",
    ),
    Pass(
        split_dropout,
        "Before loops are found: a mask inside a loop is a member of it.",
        needed="dropout would drop something else than the original does",
    ),
    Pass(
        extract_loops,
        "Before all that compares or counts uses: a loop is one item to them.",
        needed="a delay that depends on itself cannot run at once",
    ),
    Pass(
        share,
        "Before uses are counted: two equal operations that are read once each are one read twice.",
    ),
    Pass(
        drop_unused,
        "Before loops are recognised: a known cell is a loop of which one value is read.",
    ),
    Pass(
        fuse_recurrences,
        "Before a bias is absorbed: cells are told by products and sums as they are written.",
    ),
    Pass(
        final_state,
        "After recurrences are fused, which alone can give their last state.",
    ),
    Pass(
        fuse_bias,
        "After recurrences are fused, which read what comes into them before the bias is added.",
    ),
    Pass(
        drop_unused,
        "Last: what fused operations have absorbed is read by nothing any more.",
    ),
)

# Those that choose another way of computing the same numbers, up to rounding.
FUSIONS = frozenset({"fuse_recurrences", "final_state", "fuse_bias"})

# Of what a pass did so many things are told.
_MOST_NOTES = 20

# The names of the passes that `without` leaves out now.
SWITCHED_OFF: ContextVar[frozenset[str]] = ContextVar("passes that are off", default=frozenset())


@dataclass(frozen=True)
class PassReport:
    """Report of what one pass did to a plan.

    Attributes:
        name: the pass.
        changed: how many things it changed.
        notes: what they were, a line each; of very many the first ones.
    """

    name: str
    changed: int
    notes: tuple[str, ...]


def rewrite(graph: FlatGraph, off: Collection[str] = ()) -> tuple[PassReport, ...]:
    """Run all passes on a graph, in their order.

    Args:
        graph: rewritten in place.
        off: names of passes to leave out.

    Returns:
        What each pass did; nothing of those that are left out.
    """
    reports = []
    for each in PIPELINE:
        if each.name not in off:
            notes = each.rewrite(graph)
            reports.append(PassReport(each.name, len(notes), tuple(notes[:_MOST_NOTES])))
    return tuple(reports)


@contextmanager
def without(*names: str) -> Iterator[None]:
    """Leave out some passes in what is compiled, and run, inside.

    Args:
        *names: the passes.

    Raises:
        ArgumentError: if there is no such pass, or nothing can run without it.

    Example:
        >>> import cntk as C
        >>> x = C.input_variable(1)
        >>> with without("share", "fuse_bias"):
        ...     (C.exp(x) + C.exp(x)).eval({x: [[0]]})
        array([[2.]], dtype=float32)
    """
    token = SWITCHED_OFF.set(SWITCHED_OFF.get() | check_names(names))
    try:
        yield
    finally:
        SWITCHED_OFF.reset(token)


def check_names(names: Collection[str]) -> frozenset[str]:
    """Return names of passes that may be left out.

    Raises:
        ArgumentError: if there is no such pass, or nothing can run without it.
    """
    passes = {each.name: each for each in PIPELINE}
    for name in names:
        if name not in passes:
            optional = ", ".join(name for name, each in passes.items() if not each.needed)
            raise ArgumentError(
                f"there is no pass {name!r} of the compiler; those that can be left out are "
                f"{optional}"
            )
        if passes[name].needed:
            raise ArgumentError(f"the pass '{name}' cannot be left out: {passes[name].needed}")
    return frozenset(names)


def before_and_after(name: str, *functions: Function) -> str:
    """Print the graph of some functions before and after a pass; those before it have run.

    Args:
        name: the pass; of one that runs twice, the first time.
        *functions: what is asked for.
    """
    outputs, nodes = Flattener({}).flatten([f.output for f in functions])
    graph = FlatGraph(outputs, [*nodes])
    printer = Printer()
    for each in PIPELINE:
        before = printer.text(graph) if each.name == name else ""
        each.rewrite(graph)
        if each.name == name:
            return f"{before}\nbecomes\n{printer.text(graph)}"
    raise ArgumentError(f"there is no pass {name!r} of the compiler")
