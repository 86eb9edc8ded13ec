"""Descriptions of plans: their kernels, the changes of passes, and why they are not faster."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from cntk._compiler.ir import Node
from cntk._compiler.passes.flat_graph import Printer, results
from cntk._compiler.plan import Plan
from cntk._compiler.recurrence.fused_loop import FusedLoop
from cntk._compiler.recurrence.loop import Loop
from cntk._compiler.work import LEAST_RUN
from cntk._graph.primitive import Primitive
from cntk._graph.variable import Variable
from cntk._runtime.context import RunContext
from cntk._runtime.layout.layout import Layout
from cntk._wording import operation_text
from cntk.axis import Axis

# Limits of the texts on threads: samples of a minibatch, and frames of a sequence.
_MOST_ROWS, _FRAMES = 2**20, 20
# Number of operations that are named one by one.
_NAMED = 4


def plan_lines(plan: Plan) -> list[str]:
    """Return a line for each kernel of a plan, with the graph's operations that it computes.

    A loop's members are indented.
    """
    printer = Printer()
    rows: list[tuple[str, str]] = []
    for item in plan.nodes:
        lines = printer.lines(item)
        if len(lines) == 1:
            rows.append((lines[0], _meaning(item)))
        elif isinstance(item, Loop):
            rows.append((lines[0], _types(item)))
            rows += zip(lines[1:], map(_meaning, item.members), strict=True)
    width = min(max((len(line) for line, _ in rows), default=0), 60)
    return [f"{line:{width}}  {meaning}" for line, meaning in rows]


def pass_lines(plan: Plan) -> list[str]:
    """Return what each compiler pass did to a plan."""
    lines: list[str] = []
    idle = [report.name for report in plan.pass_reports if not report.changed]
    changed = {report.name for report in plan.pass_reports if report.changed}
    for report in plan.pass_reports:
        if not report.changed:
            continue
        lines.append(f"{report.name}: {_count(report.changed, 'change')}")
        lines += [f"  {note}" for note in report.notes]
    names = [name for name in dict.fromkeys(idle) if name not in changed]
    return [*lines, f"no change: {', '.join(names)}"] if names else lines


def loop_lines(plan: Plan) -> list[str]:
    """Return how each loop of a plan runs, and why not faster."""
    lines = []
    for loop in _loops(plan):
        what = f"the loop through {loop.text}"
        if isinstance(loop, FusedLoop):
            lines.append(f"{what}: the fused kernel {type(loop).__name__}")
            continue
        lines.append(f"{what}: step by step, {len(loop.members)} operations each")
        lines += [f"  no fused kernel: {reason}" for reason in loop.reasons]
        kernel = loop.kernel
        if kernel is None:
            continue
        if kernel.recorded is not None:
            recorded = kernel.recorded
            made = _count(len(recorded.recordings), "recording")
            lines.append(
                f"  {_count(recorded.runs, 'run')} with gradients, {recorded.replays} of them by "
                f"recorded steps; {made}"
            )
        lines += [f"  steps are not recorded: {reason}" for reason in kernel.reasons]
    return lines


def loop_code(plan: Plan) -> list[str]:
    """Return the code of recorded steps of a plan's loops."""
    lines = []
    for loop in _loops(plan):
        recorded = None if loop.kernel is None else loop.kernel.recorded
        for recording in [] if recorded is None else recorded.recordings:
            for kind, text in zip(("forward", "backward"), recording.texts, strict=True):
                lines += [f"# a step of the loop through {loop.text}, {kind}"]
                lines += text.strip().splitlines()
    return lines


def plan_reasons(plan: Plan) -> list[str]:
    """Return why loops of a plan run slower than they could."""
    texts = []
    for loop in _loops(plan):
        if not isinstance(loop, FusedLoop):
            texts += loop.reasons.sentences()
            texts += [] if loop.kernel is None else loop.kernel.reasons.sentences()
    return texts


def thread_text(plan: Plan, run: RunContext) -> str:
    """Return how many threads a run takes, and why."""
    if torch.get_num_threads() == 1:
        return "1 thread, since torch has no more"
    total, least = plan.work.total(run), f"{LEAST_RUN:,}"
    if plan.work.is_large(run):
        count = torch.get_num_threads()
        return f"{_count(count, 'thread')}: {total:,} multiplications, {least} or more"
    return f"1 thread: {total:,} multiplications in large calls, fewer than {least}"


def thread_lines(plan: Plan, training: bool) -> list[str]:
    """Return from which size on runs of a plan take all threads."""
    if torch.get_num_threads() == 1:
        return ["1 thread, since torch has no more"]
    axes = {a for n in plan.single_nodes() for t in n.types for a in [t.dynamic_axes] if len(a) > 1}
    unit = f"sequences of {_FRAMES} frames" if axes else "samples"
    most = _MOST_ROWS // _FRAMES if axes else _MOST_ROWS
    least = _least_large(plan, training, axes, most)
    count = torch.get_num_threads()
    if least is None:
        return [f"1 thread for minibatches of up to {most:,} {unit}"]
    if least == 1:
        return [f"{_count(count, 'thread')} for minibatches of any size"]
    return [
        f"1 thread for minibatches of fewer than {least:,} {unit}, where there is too little to "
        f"do; {_count(count, 'thread')} for larger ones"
    ]


def _least_large(plan: Plan, training: bool, axes: set[tuple[Axis, ...]], most: int) -> int | None:
    """Return the least number of samples, or of sequences, that is worth all threads.

    None if there is none up to ``most``.
    """
    device = torch.device("cpu")

    def is_large(count: int) -> bool:
        layouts = {a: Layout([_FRAMES] * count, None, device) for a in axes}
        return plan.work.is_large(RunContext(training, device, count, layouts))

    if not is_large(most):
        return None
    low, high = 0, most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_large(middle) else (middle, high)
    return high


def _loops(plan: Plan) -> list[Loop]:
    return [item for item in plan.nodes if isinstance(item, Loop)]


def _count(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _meaning(item: Node | Loop) -> str:
    """Return the names of the graph's operations that an item of a plan computes, and its
    results' types.
    """
    names = list(_names(item))
    more = len(names) - _NAMED
    shown = [*names[:_NAMED], f"{more} more"] if more > 0 else names
    return f"{' and '.join(shown)}: {_types(item)}"


def _types(item: Node | Loop) -> str:
    return ", ".join(str(ref.type) for ref in results(item)) or "nothing"


def _names(item: Node | Loop) -> Iterator[str]:
    if isinstance(item, Loop):
        yield from (_name(node.primitive) for node in item.members)
    else:
        *others, last = map(_name, item.stands_for or (item.primitive,))
        block = next((b for b in item.place[1:] if b.name), None)
        yield from others
        yield last if block is None else f"{last} in {_name(block)}"


def variable_text(variable: Variable) -> str:
    """Name a variable: the operation that computes it, or itself."""
    owner = variable._owner
    return repr(variable) if owner is None else _name(owner.root_function)


def _name(primitive: Primitive) -> str:
    return operation_text(primitive.op_name, primitive.name or primitive.uid)
