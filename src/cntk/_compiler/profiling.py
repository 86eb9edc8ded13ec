"""Timing of operations, forward and backward, while it is switched on."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from cntk._graph.function import Function
from cntk._graph.walk import primitives
from cntk._wording import escaped


@dataclass
class Spent:
    """Time that one operation has taken since the last report.

    Attributes:
        forward: seconds.
        backward: seconds.
        forward_count: number of its runs.
        backward_count: number of runs of its gradient.
    """

    forward: float = 0.0
    backward: float = 0.0
    forward_count: int = 0
    backward_count: int = 0


@dataclass
class _Clock:
    spent: dict[str, Spent] = field(default_factory=dict)
    # In a backward pass: the operation whose gradient is being computed, and its start.
    current: str = ""
    since: float = 0.0


_clock = _Clock()


def now(device: torch.device) -> float:
    """Return the time when all work of a device is done."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def note(
    uid: str, begun: float, operands: Sequence[Any], results: Iterable[Any], device: torch.device
) -> None:
    """Record that an operation has computed its results, and time its gradient later.

    Args:
        uid: the operation's uid.
        begun: when it began.
        operands: what it computed from.
        results: what it computed.
        device: where.
    """
    spent = _clock.spent.setdefault(uid, Spent())
    spent.forward += now(device) - begun
    spent.forward_count += 1
    known = {id(x.grad_fn) for x in operands if isinstance(x, Tensor)}
    made = {x.grad_fn for x in results if isinstance(x, Tensor) and id(x.grad_fn) not in known}
    for gradient in filter(None, made):
        gradient.register_prehook(lambda gradients: _enter(uid, device))


def _enter(uid: str, device: torch.device) -> None:
    """Start the clock of an operation's gradient, and stop that of the one before."""
    if not _clock.current:
        torch.autograd.Variable._execution_engine.queue_callback(lambda: _leave(device))
    _leave(device)
    _clock.current, _clock.since = uid, now(device)


def _leave(device: torch.device) -> None:
    if _clock.current:
        spent = _clock.spent.setdefault(_clock.current, Spent())
        spent.backward += now(device) - _clock.since
        spent.backward_count += 1
    _clock.current = ""


def report(function: Function) -> list[str]:
    """Return a line for each timed operation of a function, and reset all times.

    Args:
        function: operations inside its blocks count as well.
    """
    lines = []
    for uid in sorted({p.uid for p in primitives(function.root_function)} & _clock.spent.keys()):
        spent, _clock.spent[uid] = _clock.spent[uid], Spent()
        forward = spent.forward / max(spent.forward_count, 1)
        backward = spent.backward / max(spent.backward_count, 1)
        counts = f"(fwd# {spent.forward_count}|bwd# {spent.backward_count})"
        lines.append(
            f"{escaped(uid):<30} forward avg {forward:.6f}s, backward avg {backward:.6f}s {counts}"
        )
    return lines
