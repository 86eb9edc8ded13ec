"""Recording of a training step: forward, loss and gradients as one straight list of torch calls.

After some minibatches of the same sizes a step is recorded once, with autograd's own calls in it,
without common subexpressions and dead code. From then on it is replayed: no graph is built, no
autograd bookkeeping is done.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from cntk._compiler.ir import Node
from cntk._compiler.plan import Plan
from cntk._compiler.recording.check import agree, quiet
from cntk._compiler.recording.not_recorded import NotRecorded, first_line, of_exception
from cntk._compiler.recurrence.loop import Loop
from cntk._graph.variable import Variable
from cntk._runtime.context import RunContext
from cntk._runtime.layout.layout import Layout
from cntk._runtime.sparse import SparseRows
from cntk._wording import operation_text
from cntk.axis import Axis


@dataclass
class Recording:
    """Recorded training step.

    Attributes:
        compute: takes the inputs' tensors, the holders' and random words, one after another;
            returns loss, metric (if any), further outputs, values to carry over, then gradients.
        holder_tensors: the holders' tensors.
        code: the Python code that it runs, for reading.
        draws: functions that draw the random numbers, in their order.
        carry: for each value to carry over its name and its layout.
        products: for each gradient True if it is left as two factors ``(x, dy)``; the gradient is
            ``x.t() @ dy``.
        layouts: the layouts of all sequence axes, of those too that the graph makes.
        batch: samples or sequences in the minibatch, where the graph makes the batch axis too.
        statistics: the holders that the step itself changes, as batch normalization does.
        runs: number of its runs.
    """

    compute: Callable[..., Any]
    holder_tensors: list[Tensor]
    code: str
    draws: list[Callable[[], Tensor]]
    carry: list[tuple[str, Layout]]
    products: list[bool]
    layouts: dict[tuple[Axis, ...], Layout]
    batch: int | None
    statistics: list[Tensor]
    runs: int = 0
    _before: list[Tensor] = field(init=False)

    def __post_init__(self) -> None:
        self._before = [t.clone() for t in self.statistics]

    def run(self, rows: Sequence[Any], run: RunContext) -> tuple[list[Any], list[Any]]:
        """Replay the step.

        Returns:
            Loss, metric and further outputs; and the gradients.

        Raises:
            NotRecorded: if a call fails; the holders are as they were.
        """
        if self.statistics:
            torch._foreach_copy_(self._before, self.statistics)
        words = [make() for make in self.draws]
        try:
            # Nothing here requires a gradient; but oneDNN's recurrent kernel prepares its backward
            # pass only in this mode.
            with torch.enable_grad():
                results = self.compute(*_tensors(rows), *self.holder_tensors, *words)
        except Exception as error:
            if self.statistics:
                torch._foreach_copy_(self.statistics, self._before)
            failed = NotRecorded(
                f"a call of the recorded step failed: {first_line(error)}", expected=False
            )
            failed.draws = _ReplayDraws(words)
            raise failed from error
        self.runs += 1
        if self.layouts:
            run.layouts.update(self.layouts)
        run.batch = self.batch
        gradients = len(results) - len(self.products)
        first = gradients - len(self.carry)
        for (name, layout), value in zip(self.carry, results[first:gradients], strict=True):
            run.carry[name] = (value, layout)
        return results[:first], results[gradients:]


class _RecordDraws:
    """Recorder of the random numbers that a run draws; it returns zeros."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self.draws: list[Callable[[], Tensor]] = []
        self.zeros: list[Tensor] = []

    def take(self, make: Callable[[], Tensor], shape: Sequence[int], dtype: torch.dtype) -> Tensor:
        self.draws.append(make)
        self.zeros.append(torch.zeros(tuple(shape), dtype=dtype, device=self._device))
        return self.zeros[-1]


class _ReplayDraws:
    """Source of the random numbers that the recording was given."""

    def __init__(self, words: Sequence[Tensor]) -> None:
        self._words = iter(words)

    def take(self, make: Callable[[], Tensor], shape: Sequence[int], dtype: torch.dtype) -> Tensor:
        return next(self._words)


# A loop is recorded step by step: longer ones would take longer to record than they save.
_LONGEST = 1500

SPARSE = "sparse data that are not one-hot, or whose gradient has the touched rows alone"
GOES_ON = "sequences that go on from the minibatch before"


def why_not_recordable(plan: Plan, rows: Sequence[Any], run: RunContext) -> str | None:
    """Return why a plan's step is not recorded; None if it may be: its calls are the same for these
    sizes.
    """
    if any(isinstance(x, SparseRows) and (x.by_rows or not x.one_hot) for x in rows):
        return SPARSE
    if any(layout.starts is not None for layout in run.layouts.values()):
        return GOES_ON
    calls = 0
    for item in plan.nodes:
        if isinstance(item, Loop):
            reason, count = _why_not_loop(item, run)
        else:
            reason, count = _why_not_node(item), 1
        if reason is not None:
            return reason
        calls += count
    if calls <= _LONGEST:
        return None
    return f"it comes to more than {_LONGEST} calls, since its loops have many steps"


def _why_not_loop(loop: Loop, run: RunContext) -> tuple[str | None, int]:
    """Return why a loop's steps are not recorded one by one, and about how many calls they come
    to.
    """
    layout = run.layouts.get(loop.axes)
    if layout is None:
        return "a loop on a sequence axis that the graph makes", 0
    reason = next((r for r in map(_why_not_node, loop.members) if r is not None), None)
    calls = loop.calls(layout)
    if reason is None and calls is None:
        reason = (
            "an LSTM over sequences of different length, whose last cell states are found when "
            "they are asked for"
        )
    return reason, calls or 0


def _why_not_node(node: Node) -> str | None:
    what = operation_text(node.op.op_name, node.primitive.name)
    if node.op.has_side_effect:
        return f"{what} acts when it runs"
    return f"{what}: {node.op.not_recordable}" if node.op.not_recordable else None


def _tensors(rows: Sequence[Any]) -> list[Tensor]:
    """Return the tensors of rows: of one-hot rows, their columns."""
    return [x.columns if isinstance(x, SparseRows) else x for x in rows]


def _rebuilt(tensors: Sequence[Tensor], like: Sequence[Any]) -> list[Any]:
    return [
        SparseRows(x.offsets, t, x.values, x.width, True) if isinstance(x, SparseRows) else t
        for t, x in zip(tensors, like, strict=True)
    ]


def record(
    plan: Plan, rows: Sequence[Any], run: RunContext, trained: Sequence[Variable], metric: bool
) -> Recording:
    """Record one training step, and compare it with the eager one on the same minibatch.

    Args:
        plan: loss, metric and further outputs.
        rows: an example of the inputs' rows.
        run: their run.
        trained: the parameters whose gradients are needed.
        metric: whether the second output is a metric.

    Raises:
        NotRecorded: if the step cannot be recorded, or the recording does not do what the eager
            step does.
    """
    positions = {v: k for k, v in enumerate(plan.holders)}
    if any(v not in positions for v in trained):
        raise NotRecorded("the loss does not depend on all of the learners' parameters")
    holder_tensors = [v.freeze_storage() for v in plan.holders]  # type: ignore[attr-defined]
    step = _Step(plan, rows, [positions[v] for v in trained], metric)
    listed = _RecordDraws(run.device)
    eager = _fresh(run, listed)
    try:
        with torch.enable_grad():
            expected = step.compute(rows, [t.detach().clone() for t in holder_tensors], eager)
        if eager.deferred:
            raise NotRecorded("what an operation does after the run is not recorded")
        words = listed.zeros
        return _compiled(step, rows, holder_tensors, words, eager, listed.draws, expected)
    except Exception as error:
        failure = of_exception(error)
        raise failure from (None if failure is error else error)


@dataclass
class _Step:
    """Training step as a function of tensors.

    Attributes:
        plan: loss, metric and further outputs.
        like: the inputs' rows as they were fed.
        trained: the indices among the holders of the parameters whose gradients are needed.
        metric: whether the second output is a metric.
    """

    plan: Plan
    like: Sequence[Any]
    trained: Sequence[int]
    metric: bool

    def compute(
        self, rows: Sequence[Any], holder_tensors: Sequence[Tensor], run: RunContext
    ) -> list[Tensor]:
        """Return loss, metric and further outputs, what is carried over, and the gradients."""
        own = list(holder_tensors)
        for k in self.trained:
            own[k] = own[k].detach().requires_grad_()
        results = self.plan.execute(rows, run, own)
        if not all(isinstance(r, Tensor) for r in results):
            raise NotRecorded("sparse outputs are asked for")
        loss = results[0].sum()
        sources = [own[k] for k in self.trained]
        gradients = (
            torch.autograd.grad(loss, sources, allow_unused=True)
            if loss.requires_grad
            else [None] * len(sources)
        )
        sums = [loss.detach(), results[1].detach().sum()] if self.metric else [loss.detach()]
        gradients_or_zeros = [
            torch.zeros_like(t) if g is None else g for g, t in zip(gradients, sources, strict=True)
        ]
        return [
            *sums,
            *(r.detach() for r in results[len(sums) :]),
            *(v for v, _ in run.carry.values()),
            *gradients_or_zeros,
        ]


def _compiled(
    step: _Step,
    rows: Sequence[Any],
    holder_tensors: list[Tensor],
    words: list[Tensor],
    eager: RunContext,
    draws: list[Callable[[], Tensor]],
    expected: Sequence[Tensor],
) -> Recording:
    """Return the recording of a step whose eager run is known."""
    # Takes a second to import, and only long trainings need it.
    from torch.fx.experimental.proxy_tensor import make_fx

    from cntk._compiler.recording.fx_passes import optimize, written_placeholders
    from cntk._compiler.recording.recorded_code import drop_source, keep_code_alone

    def compute(*tensors: Tensor) -> list[Tensor]:
        inputs = _rebuilt(tensors[: len(rows)], rows)
        traced = _fresh(eager, _ReplayDraws(tensors[len(rows) + len(holder_tensors) :]))
        return step.compute(
            inputs,
            [t.detach() for t in tensors[len(rows) : len(rows) + len(holder_tensors)]],
            traced,
        )

    with torch.enable_grad(), quiet():
        module = make_fx(compute, tracing_mode="fake", _allow_non_fake_inputs=True)(
            *_tensors(rows), *holder_tensors, *words
        )
    drop_source(module)  # of the code before it is optimized
    products = optimize(module, len(step.trained), len(rows))
    changed = [k - len(rows) for k in written_placeholders(module.graph)]
    keep_code_alone(module)
    copies = [t.detach().clone() for t in holder_tensors]
    with torch.enable_grad():
        results = module.forward(*_tensors(rows), *copies, *words)
    first = len(expected) - len(products)
    gradients = [_whole(*g) for g in zip(results[first:], expected[first:], products, strict=True)]
    if not all(agree(results[k : k + 1], expected[k : k + 1]) for k in range(first)):
        raise NotRecorded(
            "the recording gives another loss, metric or output than the eager step", expected=False
        )
    if not agree(gradients, expected[first:]):
        raise NotRecorded("the recording gives other gradients than the eager step", expected=False)
    return Recording(
        compute=module.forward,
        holder_tensors=holder_tensors,
        code=module.code,
        draws=draws,
        carry=[(name, layout) for name, (_, layout) in eager.carry.items()],
        products=products,
        layouts=dict(eager.layouts),
        batch=eager.batch,
        statistics=[holder_tensors[k] for k in changed if 0 <= k < len(holder_tensors)],
    )


def _whole(gradient: Any, like: Tensor, is_product: bool) -> Tensor:
    return (gradient[0].t() @ gradient[1]).view(like.shape) if is_product else gradient  # type: ignore[no-any-return]


def _fresh(run: RunContext, draws: _RecordDraws | _ReplayDraws) -> RunContext:
    return RunContext(
        True, run.device, run.batch, dict(run.layouts), draws=draws, streams=run.streams
    )
