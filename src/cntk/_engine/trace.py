"""The recorded training step: forward, loss and gradients as one straight list of torch calls.

After some minibatches of the same sizes a step is recorded once, with autograd's own calls in it, cleaned of what is
computed twice or for nothing, and from then on replayed: no graph is built, no autograd bookkeeping is done.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from cntk._engine.layout import Layout
from cntk._engine.loop import Loop
from cntk._engine.nodes import Node
from cntk._engine.plan import Plan
from cntk._engine.run import Run, SparseRows
from cntk._graph.variable import Variable


@dataclass
class Recording:
    """A recorded step.

    Attributes:
        compute: takes the inputs' tensors, the holders' and random words, one after another; gives loss, metric (if
            any), further outputs, values to carry over, then gradients.
        held: the holders' tensors.
        code: the Python code that it runs, for reading.
        draws: what draws the random numbers, in their order.
        carry: for each value to carry over its name and its layout.
        products: for each gradient whether it is left as two factors ``(x, dy)``; the gradient is ``x.t() @ dy``.
    """

    compute: Callable[..., Any]
    held: list[Tensor]
    code: str
    draws: list[Callable[[], Tensor]]
    carry: list[tuple[str, Layout]]
    products: list[bool]

    def run(self, rows: Sequence[Any], run: Run) -> tuple[list[Any], list[Any]]:
        """Replay the step.

        Returns:
            Loss, metric and further outputs; and the gradients.
        """
        words = [make() for make in self.draws]
        # Nothing here requires a gradient; but oneDNN's recurrent kernel prepares for its backward pass in this mode alone.
        with torch.enable_grad():
            results = self.compute(*_tensors(rows), *self.held, *words)
        gradients = len(results) - len(self.products)
        first = gradients - len(self.carry)
        for (name, layout), value in zip(self.carry, results[first:gradients], strict=True):
            run.carry[name] = (value, layout)
        return results[:first], results[gradients:]


class _Listed:
    """Notes which random numbers a run takes, and gives zeros."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self.found: list[Callable[[], Tensor]] = []
        self.zeros: list[Tensor] = []

    def take(self, make: Callable[[], Tensor], shape: Sequence[int], dtype: torch.dtype) -> Tensor:
        self.found.append(make)
        self.zeros.append(torch.zeros(tuple(shape), dtype=dtype, device=self._device))
        return self.zeros[-1]


class _Given:
    """Gives the random numbers that the recording was handed."""

    def __init__(self, words: Sequence[Tensor]) -> None:
        self._words = iter(words)

    def take(self, make: Callable[[], Tensor], shape: Sequence[int], dtype: torch.dtype) -> Tensor:
        return next(self._words)


# A loop is recorded step by step: longer ones would take longer to record than they save.
_LONGEST = 1500


def can_record(plan: Plan, rows: Sequence[Any], run: Run) -> bool:
    """Whether a plan's step may be recorded: its calls must be the same for all minibatches of these sizes."""
    if any(isinstance(x, SparseRows) and (x.by_rows or not x.one_hot) for x in rows):
        return False
    if any(layout.starts is not None for layout in run.layouts.values()):
        return False
    return sum(_calls(item, run) for item in plan.nodes) <= _LONGEST


def _calls(item: Node | Loop, run: Run) -> int:
    """How many calls an item comes to, about."""
    if isinstance(item, Loop):
        layout = run.layouts.get(item.axes)
        unknown = layout is None or any(not n.op.recordable for n in item.members)
        return _LONGEST + 1 if layout is None or unknown else item.calls(layout)
    return _LONGEST + 1 if item.op.acts or not item.op.recordable else 1


def _tensors(rows: Sequence[Any]) -> list[Tensor]:
    """The tensors of rows: of one-hot rows, their columns."""
    return [x.columns if isinstance(x, SparseRows) else x for x in rows]


def _rebuilt(tensors: Sequence[Tensor], like: Sequence[Any]) -> list[Any]:
    return [
        SparseRows(x.offsets, t, x.values, x.width, True) if isinstance(x, SparseRows) else t
        for t, x in zip(tensors, like, strict=True)
    ]


def record(plan: Plan, rows: Sequence[Any], run: Run, wanted: Sequence[Variable], metric: bool) -> Recording | None:
    """Record one training step; None if it cannot be.

    Args:
        plan: loss, metric and further outputs.
        rows: an example of the inputs' rows.
        run: their run.
        wanted: the parameters whose gradients are needed.
        metric: whether the second output is a metric.
    """
    # Takes a second to import, and only long trainings need it.
    from torch.fx.experimental.proxy_tensor import make_fx

    from cntk._engine.optimize import optimize

    listed = _Listed(run.device)
    positions = {v: k for k, v in enumerate(plan.holders)}
    if any(v not in positions for v in wanted):
        return None
    kept: list[tuple[str, Layout]] = []

    def step(*tensors: Tensor) -> list[Tensor]:
        inputs = _rebuilt(tensors[: len(rows)], rows)
        own = [t.detach() for t in tensors[len(rows) : len(rows) + len(held)]]
        for variable in wanted:
            own[positions[variable]].requires_grad_()
        traced = _fresh(run, _Given(tensors[len(rows) + len(held) :]))
        results = plan.execute(inputs, traced, own)
        if traced.deferred:
            raise NotImplementedError("actions after the run are not recorded")
        loss = results[0].sum()
        gradients = torch.autograd.grad(loss, [own[positions[v]] for v in wanted], allow_unused=True)
        sums = [loss.detach(), results[1].detach().sum()] if metric else [loss.detach()]
        rest = [r.detach() for r in results[len(sums) :]]
        found = [
            torch.zeros_like(own[positions[v]]) if g is None else g for v, g in zip(wanted, gradients, strict=True)
        ]
        kept[:] = [(name, layout) for name, (_, layout) in traced.carry.items()]
        return [*sums, *rest, *(value for value, _ in traced.carry.values()), *found]

    held = [v.pin() for v in plan.holders]  # type: ignore[attr-defined]
    try:
        with torch.enable_grad():
            # Once without recording: it tells the random numbers, and leaves the running statistics as they are.
            plan.execute(rows, _fresh(run, listed), [t.detach().clone() for t in held])
            examples = [*_tensors(rows), *held, *listed.zeros]
            module = make_fx(step, tracing_mode="fake", _allow_non_fake_inputs=True)(*examples)
    except Exception:
        # Whatever cannot be recorded runs by autograd as before.
        return None
    products = optimize(module, len(wanted), len(rows))
    return Recording(module.forward, held, module.code, listed.found, kept, products)


def _fresh(run: Run, draws: _Listed | _Given) -> Run:
    return Run(True, run.device, run.batch, dict(run.layouts), draws=draws, streams=run.streams)
