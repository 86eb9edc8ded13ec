"""A minibatch bound to a plan: rows in the order of its inputs, and the run that they make."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from cntk._compiler.plan import Plan
from cntk._graph.variable import Variable
from cntk._runtime.context import RunContext
from cntk._runtime.transfer import MOVES
from cntk.errors import FeedError


def bind(
    plan: Plan, fed: Mapping[Variable, Any], training: bool, device: torch.device
) -> tuple[list[Any], RunContext]:
    """Rows in the order of a plan's inputs, and the run that their layouts make.

    Raises:
        FeedError: if an input has no data, or two inputs differ in the number or lengths of their
            sequences.
    """
    if plan.lies_on != (device, MOVES.count):
        plan.lie_on(device)
    run = RunContext(training, device, carry=plan.carry, streams=plan.streams, passes=plan.passes)
    rows: list[Any] = []
    first: Variable | None = None
    goes_on = False
    for variable in plan.inputs:
        data = fed.get(variable)
        if data is None:
            raise FeedError(
                f"no data were given for {variable!r}; the arguments are "
                f"{', '.join(map(repr, plan.inputs))}"
            )
        rows.append(data.rows)
        if data.count is None:
            continue
        if run.batch is None:
            run.batch, first = data.count, variable
        elif run.batch != data.count and plan.changes_batch_size:
            run.several_batches = True
        elif run.batch != data.count:
            raise FeedError(
                f"{variable!r} was given {data.count} samples or sequences, and {first!r} "
                f"{run.batch}; all data of a minibatch must have the same number"
            )
        if data.layout is not None:
            axes = variable.dynamic_axes
            known = run.layouts.setdefault(axes, data.layout)
            if known.lengths != data.layout.lengths:
                raise FeedError(
                    f"{variable!r} shares its sequence axis '{axes[-1].name}' with another input, "
                    f"but their sequences' lengths differ: {list(data.layout.lengths)[:8]} and "
                    f"{list(known.lengths)[:8]}; give inputs of different lengths axes of their own"
                )
            goes_on |= data.layout.starts is not None
    if goes_on:
        plan.reaching.check(run)
    return rows, run
