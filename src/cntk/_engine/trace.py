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

from cntk._engine.loop import Loop
from cntk._engine.plan import Plan
from cntk._engine.run import RandomStream, Run, SparseRows
from cntk._graph.variable import Variable


@dataclass
class Recording:
    """A recorded step.

    Attributes:
        compute: takes rows of the inputs, tensors of the holders and random words, one after another; gives loss,
            metric (if any), further outputs, then gradients.
        held: the holders' tensors.
        code: the Python code that it runs, for reading.
        draws: the random streams that it uses and how many rows and numbers a row it takes of each.
        products: for each gradient whether it is left as two factors, whose product is the gradient.
    """

    compute: Callable[..., Any]
    held: list[Tensor]
    code: str
    draws: list[tuple[RandomStream, torch.Size]]
    products: list[bool]

    def words(self, device: torch.device) -> list[Tensor]:
        """Random words for one run."""
        return [stream.uint16(shape.numel(), device).view(shape) for stream, shape in self.draws]


class _Listed:
    """Notes which random numbers a run takes, and gives zeros."""

    def __init__(self) -> None:
        self.found: list[tuple[RandomStream, torch.Size]] = []

    def take(self, stream: RandomStream, like: Tensor) -> Tensor:
        self.found.append((stream, like.shape))
        return torch.zeros(like.shape, dtype=torch.int16, device=like.device)


class _Given:
    """Gives the random numbers that the recording was handed."""

    def __init__(self, words: Sequence[Tensor]) -> None:
        self._words = iter(words)

    def take(self, stream: RandomStream, like: Tensor) -> Tensor:
        return next(self._words)


def can_record(plan: Plan, rows: Sequence[Any]) -> bool:
    """Whether a plan's step may be recorded: no delays, whose state outlives a minibatch, and no sparse data."""
    if any(isinstance(x, SparseRows) for x in rows):
        return False
    return not any(isinstance(item, Loop) or item.op.delay or item.op.acts for item in plan.nodes)


def record(plan: Plan, rows: Sequence[Tensor], run: Run, wanted: Sequence[Variable], metric: bool) -> Recording | None:
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

    listed = _Listed()
    positions = {v: k for k, v in enumerate(plan.holders)}
    if any(v not in positions for v in wanted):
        return None

    def step(*tensors: Tensor) -> list[Tensor]:
        inputs, own = list(tensors[: len(rows)]), [t.detach() for t in tensors[len(rows) : len(rows) + len(held)]]
        words = tensors[len(rows) + len(held) :]
        for variable in wanted:
            own[positions[variable]].requires_grad_()
        traced = Run(True, run.device, run.batch, dict(run.layouts), draws=_Given(words))
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
        return [*sums, *rest, *found]

    held = [v.data for v in plan.holders]  # type: ignore[attr-defined]
    try:
        with torch.enable_grad():
            # Once without recording: it tells the random numbers, and leaves the running statistics as they are.
            plan.execute(
                rows,
                Run(True, run.device, run.batch, dict(run.layouts), draws=listed),
                [t.detach().clone() for t in held],
            )
            words = [torch.zeros(shape, dtype=torch.int16, device=run.device) for _, shape in listed.found]
            module = make_fx(step, tracing_mode="fake", _allow_non_fake_inputs=True)(*rows, *held, *words)
    except Exception:
        # Whatever cannot be recorded runs by autograd as before.
        return None
    products = optimize(module, len(wanted), len(rows))
    return Recording(module.forward, held, module.code, listed.found, products)
