"""Recording of a loop's step and its gradient, as two straight lines of calls, for any number of
rows.

A step is recorded twice, with numbers of rows that are different large primes. Where the recordings
differ, they do so by a size that counts rows, which becomes an argument. So does the size of free
axes, such as of sequences that have become an axis. All free axes of a loop have the same size, or
there is no recording.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.fx import Graph, GraphModule, Node

from cntk._compiler.recording.check import agree, quiet
from cntk._compiler.recording.fx_passes import clean, use_bindings
from cntk._compiler.recording.not_recorded import NotRecorded, of_exception
from cntk._compiler.recording.recorded_code import drop_source, keep_code_alone

aten = torch.ops.aten
Code = Callable[..., Any]

_ROWS, _WIDTHS = (10007, 10009), (53, 59)
_FIRST = [0]  # the axis of rows


@dataclass(frozen=True)
class Product:
    """Gradient of a matrix, ``left.t() @ right``, both with the step's rows.

    Attributes:
        left, right: indices of backward's results.
    """

    left: int
    right: int


@dataclass(frozen=True)
class Total:
    """Gradient of a vector, the sum of a value over the step's rows.

    Attributes:
        rows: index of backward's result.
    """

    rows: int


@dataclass(frozen=True)
class StepRecording:
    """Code of a step.

    Attributes:
        forward: called with rows, static operands, the number of rows and the size of free axes;
            returns the outputs, then the values that backward reads.
        backward: called with these values, the outputs' gradients, static operands and the same
            two sizes.
        outputs: number of outputs.
        row_gradients: for each operand with rows the index of its gradient among backward's
            results; None if it has none.
        static_gradients: the same for static operands, or how it is computed for all steps at once.
        texts: the Python code of forward and of backward, for reading.
    """

    forward: Code
    backward: Code
    outputs: int
    row_gradients: tuple[int | None, ...]
    static_gradients: tuple[int | Product | Total | None, ...]
    texts: tuple[str, str]


def record_step(
    step: Callable[..., Sequence[Tensor]],
    rows: Sequence[Tensor],
    static: Sequence[Tensor],
    free: Sequence[Sequence[int]],
) -> StepRecording:
    """Record a step.

    Args:
        step: called with one step's rows and the static operands; returns the outputs, each with
            as many rows.
        rows: examples of the operands with rows ``[m, *shape]``, of any m; the recording is tried
            on these.
        static: the others. Gradients are recorded for those of all operands that need one.
        free: for each operand with rows the axes whose size, the same for all, is known at run time
            only.

    Raises:
        NotRecorded: for a step that cannot be recorded, whose calls write into memory, or whose
            recording computes other numbers.
    """
    try:
        graphs = [
            _joint(step, rows, static, free, *sizes) for sizes in zip(_ROWS, _WIDTHS, strict=True)
        ]
        (graph, outputs), (other, _) = graphs
        if any(n.op == "get_attr" for n in graph.nodes):
            raise NotRecorded("an operation in it keeps a tensor that is no operand")
        if not _generalize(graph, other):
            raise NotRecorded("its calls depend on the number of rows")
        if clean(graph):
            raise NotRecorded("its calls write into memory")
        recording = _split(
            graph, outputs, [t.requires_grad for t in rows], [t.requires_grad for t in static]
        )
        agrees = _agrees(recording, step, rows, static, free)
    except Exception as error:
        # Whatever cannot be recorded runs by autograd as before.
        failure = of_exception(error)
        raise failure from (None if failure is error else error)
    if not agrees:
        raise NotRecorded("the recording gives other numbers than the eager steps", expected=False)
    return recording


def _agrees(
    recording: StepRecording,
    step: Callable[..., Sequence[Tensor]],
    rows: Sequence[Tensor],
    static: Sequence[Tensor],
    free: Sequence[Sequence[int]],
) -> bool:
    """Return whether a recording computes a step's outputs and gradients, but for rounding."""
    count = min(len(t) for t in rows)
    width = next((t.shape[k] for t, axes in zip(rows, free, strict=True) for k in axes), 0)
    own = [t[:count].detach().requires_grad_(t.requires_grad) for t in rows]
    fixed = [t.detach().requires_grad_(t.requires_grad) for t in static]
    with torch.enable_grad():
        outputs = step(*own, *fixed)
        seeds = [torch.ones_like(t) for t in outputs]
        live = [(o, s) for o, s in zip(outputs, seeds, strict=True) if o.requires_grad]
        sources = [t for t in (*own, *fixed) if t.requires_grad]
        gradients = torch.autograd.grad(
            [o for o, _ in live], sources, [s for _, s in live], allow_unused=True
        )
    expected = [
        torch.zeros_like(t) if g is None else g for t, g in zip(sources, gradients, strict=True)
    ]
    with torch.no_grad():
        ahead = recording.forward(*own, *fixed, count, width)
        behind = recording.backward(*ahead[recording.outputs :], *seeds, *fixed, count, width)
        ways = (*recording.row_gradients, *recording.static_gradients)
        results = [_gradient(way, behind) for way in ways if way is not None]
    return agree(ahead[: recording.outputs], outputs) and agree(results, expected)


def _gradient(way: int | Product | Total, results: Sequence[Tensor]) -> Tensor:
    if isinstance(way, Product):
        return results[way.left].t() @ results[way.right]
    return results[way.rows].sum(0) if isinstance(way, Total) else results[way]


def _joint(
    step: Callable[..., Sequence[Tensor]],
    rows: Sequence[Tensor],
    static: Sequence[Tensor],
    free: Sequence[Sequence[int]],
    count: int,
    width: int,
) -> tuple[Graph, int]:
    """Return a step and its gradient as one graph, and the number of the step's outputs.

    The graph maps operands, then the outputs' gradients, to outputs and gradients.
    """
    from torch.fx.experimental.proxy_tensor import make_fx

    shapes = (
        [width if k in axes else d for k, d in enumerate((count, *t.shape[1:]))]
        for t, axes in zip(rows, free, strict=True)
    )
    examples = [
        torch.empty(shape, dtype=t.dtype, device=t.device)
        for t, shape in zip(rows, shapes, strict=True)
    ]
    flags = [t.requires_grad for t in (*rows, *static)]
    with torch.no_grad():
        outputs = step(
            *(t.new_zeros((2, *t.shape[1:])) for t in rows), *(t.detach() for t in static)
        )
    if any(t.shape[:1] != (2,) for t in outputs):
        raise NotRecorded("an output has no row for each of the operands'")
    seeds = [torch.empty((count, *t.shape[1:]), dtype=t.dtype, device=t.device) for t in outputs]

    def both(*tensors: Tensor) -> list[Tensor]:
        operands = [t.detach().requires_grad_(f) for t, f in zip(tensors, flags, strict=False)]
        results = step(*operands)
        sources = [t for t, f in zip(operands, flags, strict=True) if f]
        live = [
            (r, s) for r, s in zip(results, tensors[len(flags) :], strict=True) if r.requires_grad
        ]
        gradients = torch.autograd.grad(
            [r for r, _ in live], sources, [s for _, s in live], allow_unused=True
        )
        zeros = (
            torch.zeros_like(t) if g is None else g for t, g in zip(sources, gradients, strict=True)
        )
        return [*(r.detach() for r in results), *zeros]

    with torch.enable_grad(), quiet():
        module = make_fx(both, tracing_mode="fake", _allow_non_fake_inputs=True)(
            *examples, *(t.detach() for t in static), *seeds
        )
    drop_source(module)
    return module.graph, len(outputs)


def _generalize(graph: Graph, other: Graph) -> bool:
    """Replace what differs in a recording with another number of rows by that number; return
    False if more differs.
    """
    nodes, others = list(graph.nodes), list(other.nodes)
    if len(nodes) != len(others):
        return False
    last = [n for n in nodes if n.op == "placeholder"][-1]
    with graph.inserting_after(last):
        width = graph.placeholder("width")
    with graph.inserting_after(last):
        count = graph.placeholder("count")
    same = dict(zip(others, nodes, strict=True))
    for node, twin in zip(nodes, others, strict=True):
        if node.op != twin.op or (node.op == "call_function" and node.target is not twin.target):
            return False
        with graph.inserting_before(node):
            changed = [
                _merged(graph, (count, width), a, b, same)
                for a, b in ((node.args, twin.args), (node.kwargs, twin.kwargs))
            ]
        if changed[0] is _DIFFERENT or changed[1] is _DIFFERENT:
            return False
        if node.op == "call_function":
            node.args, node.kwargs = changed
    return True


_DIFFERENT = object()


def _merged(
    graph: Graph, sizes: tuple[Node, Node], one: Any, two: Any, same: dict[Node, Node]
) -> Any:
    if isinstance(one, Node):
        return one if same.get(two) is one else _DIFFERENT
    if isinstance(one, (list, tuple)):
        if len(one) != len(two):
            return _DIFFERENT
        parts = [_merged(graph, sizes, a, b, same) for a, b in zip(one, two, strict=True)]
        return _DIFFERENT if any(p is _DIFFERENT for p in parts) else type(one)(parts)
    if isinstance(one, dict):
        values = {k: _merged(graph, sizes, v, two[k], same) for k, v in one.items()}
        return _DIFFERENT if any(v is _DIFFERENT for v in values.values()) else values
    if isinstance(one, int) and one != two:
        return _size(graph, sizes, one, two)
    return one if one == two else _DIFFERENT


def _size(graph: Graph, sizes: tuple[Node, Node], one: int, two: int) -> Any:
    """Return a size as a multiple of the number of rows, of the size of free axes, or of both."""
    count, width = sizes
    both = (_ROWS[0] * _WIDTHS[0], _ROWS[1] * _WIDTHS[1])
    for factors, (first, second) in (
        ((count,), _ROWS),
        ((width,), _WIDTHS),
        ((count, width), both),
    ):
        times, rest = divmod(one, first)
        if not rest and two == times * second:
            product = factors if times == 1 else (*factors, times)
            return functools.reduce(lambda a, b: graph.call_function(operator.mul, (a, b)), product)
    return _DIFFERENT


def _split(
    graph: Graph, outputs: int, rows: Sequence[bool], static: Sequence[bool]
) -> StepRecording:
    """Split a joint graph in two: the calls that the outputs need, and the rest, which reads
    values of the first.
    """
    placeholders = [n for n in graph.nodes if n.op == "placeholder"]
    operands = placeholders[: len(rows) + len(static)]
    *seeds, count, width = placeholders[len(operands) :]
    results = list(next(iter(reversed(graph.nodes))).args[0])
    ahead = _needed(results[:outputs])
    gradients = iter(results[outputs:])
    backward_results: list[Node] = []

    def position(node: Any) -> int:
        if node not in backward_results:
            backward_results.append(node)
        return backward_results.index(node)

    of_rows = tuple(position(next(gradients)) if needed else None for needed in rows)
    of_static = tuple(
        _described(next(gradients), position) if needed else None for needed in static
    )
    behind = _needed(backward_results, stop=ahead)
    # Static operands and the sizes are arguments of both halves.
    at_hand = {*operands[len(rows) :], count, width}
    read = {
        x
        for node in (*behind, *backward_results)
        for x in ([node] if node in ahead or node in operands else node.all_input_nodes)
    }
    saved = [
        n for n in graph.nodes if n in read and n in ahead | set(operands) and n not in at_hand
    ]
    forward, ahead_text = _module(
        graph, [*operands, count, width], ahead, [*results[:outputs], *saved]
    )
    backward, behind_text = _module(
        graph, [*saved, *seeds, *operands[len(rows) :], count, width], behind, backward_results
    )
    return StepRecording(forward, backward, outputs, of_rows, of_static, (ahead_text, behind_text))


def _described(gradient: Node, position: Callable[[Any], int]) -> int | Product | Total:
    """Return how a static operand's gradient is computed for all steps at once, if it can be."""
    if gradient.target is aten.mm.default:
        left, right = gradient.args
        if isinstance(left, Node) and left.target is aten.t.default:
            return Product(position(left.args[0]), position(right))
    if gradient.target is aten.sum.dim_IntList and gradient.args[1:] in (
        (_FIRST,),
        (_FIRST, False),
    ):
        return Total(position(gradient.args[0]))
    return position(gradient)


def _needed(results: Sequence[Any], stop: set[Node] = frozenset()) -> set[Node]:  # type: ignore[assignment]
    """Return the calls that results depend on, but for those already made."""
    needed: set[Node] = set()
    pending = [r for r in results if isinstance(r, Node)]
    while pending:
        node = pending.pop()
        if node.op == "call_function" and node not in needed and node not in stop:
            needed.add(node)
            pending.extend(node.all_input_nodes)
    return needed


def _module(
    source: Graph, operands: Sequence[Node], calls: set[Node], results: Sequence[Node]
) -> tuple[Code, str]:
    """Return the calls of a graph that some results need, as a function of operands; and its
    code.
    """
    graph = Graph()
    copies: dict[Node, Node] = {}
    for k, node in enumerate(operands):
        copies[node] = graph.placeholder(f"x{k}")
        copies[node].meta = dict(node.meta)  # its shape tells which products are large
    for node in source.nodes:
        if node in calls:
            copies[node] = graph.node_copy(node, lambda n: copies[n])
    graph.output(tuple(copies[r] for r in results))
    use_bindings(graph)
    graph.lint()
    module = GraphModule(torch.nn.Module(), graph)
    keep_code_alone(module)
    code: Code = module.forward
    return code, module.code
