"""Evaluation of functions: arguments in, results out."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from cntk._compiler.observation import OBSERVATION
from cntk._compiler.probe import Probe
from cntk._execution.arguments import as_outputs, asked_for, bind_arguments
from cntk._execution.bind import bind
from cntk._execution.compiled_state import state_of
from cntk._execution.results import Pass
from cntk._graph.composite import whole_graph
from cntk._graph.function import Function
from cntk._graph.variable import Variable, VariableKind
from cntk._runtime.bind_input import BoundInput
from cntk._runtime.sparse import SparseRows
from cntk._runtime.threads import OneThread
from cntk.core import Value
from cntk.device import DeviceDescriptor, torch_device


def execute(
    function: Function,
    data: Any,
    outputs: tuple[Variable, ...],
    device: DeviceDescriptor | None,
    training: bool,
    limit: OneThread,
    leaves: Sequence[Variable] = (),
    by_rows: bool = False,
) -> Pass:
    """Run a function.

    Args:
        function: what to run.
        data: the program's arguments.
        outputs: what to compute.
        device: where.
        training: whether this is a training pass.
        limit: lifted if there is much to do.
        leaves: inputs whose gradients will be asked for.
        by_rows: whether gradients of what sparse inputs are multiplied with hold only the rows
            that are read.
    """
    composite = whole_graph(function)
    place = torch_device(device, function)
    state = state_of(composite)
    needed = state.needed_inputs(outputs)
    fed = bind_arguments(function, data, needed, place)
    for variable in leaves:
        if variable in fed:
            fed[variable] = _as_leaf(variable, fed[variable])
    plan = state.plan_for(outputs, fed)
    rows, run = bind(plan, fed, training, place)
    if plan.work.is_large(run):
        limit.lift()
    if by_rows:
        rows = [replace(x, by_rows=True) if isinstance(x, SparseRows) else x for x in rows]
    rows, watched = plan.watch(rows) if training and plan.is_watched else (rows, [])
    if OBSERVATION.checks:
        run.probe = Probe(True, (*plan.final_nodes, *leaves))
    results = plan.execute(rows, run)
    if state.valid_values:
        _invalidate(state.valid_values)
    return Pass(plan, run, fed, results, watched, state.valid_values)


def _invalidate(valid_values: list[weakref.ref[Value]]) -> None:
    """Values of the run before are no longer valid."""
    for reference in valid_values:
        value = reference()
        if value is not None:
            value.release()
    valid_values.clear()


def _as_leaf(variable: Variable, fed: BoundInput) -> BoundInput:
    """Data whose gradient is asked for; sparse ones are made dense, since any place may have a
    gradient.
    """
    rows = fed.rows
    if isinstance(rows, SparseRows):
        rows = rows.to_dense().reshape(-1, *variable.shape)
    return BoundInput(rows.detach().clone().requires_grad_(), fed.layout, fed.count, fed.shape)


def evaluate(function: Function, arguments: Any, outputs: Any, device: Any, as_numpy: bool) -> Any:
    """Compute outputs; see `Function.eval`."""
    asked = None if outputs is None else as_outputs(function, outputs)
    computed = tuple(dict.fromkeys(function.outputs if asked is None else asked.values()))
    with OneThread() as limit, torch.inference_mode() if as_numpy else torch.no_grad():
        done = execute(function, arguments, computed, device, False, limit)
        if done.run.deferred:
            done.run.finish()
        results = []
        for index in range(len(computed)):
            results.append(done.result(index, as_numpy))
    if len(computed if asked is None else asked) == 1:
        return results[0]
    by_variable = dict(zip(computed, results, strict=True))
    return by_variable if asked is None else {key: by_variable[v] for key, v in asked.items()}


@dataclass
class BackwardState:
    """State of a forward pass that `Function.backward` needs."""

    done: Pass
    outputs: tuple[Variable, ...]


def forward(
    function: Function,
    arguments: Any,
    outputs: Any,
    keep_for_backward: Any,
    device: Any,
    as_numpy: bool,
) -> tuple[BackwardState | None, dict[Any, Any]]:
    """Compute outputs and keep what gradients need; see `Function.forward`."""
    requested = as_outputs(function, outputs)
    asked = (
        {}
        if keep_for_backward is None
        else asked_for(keep_for_backward, "keep_for_backward", function)
    )
    keep = as_outputs(function, asked) if asked else {}
    computed = tuple(dict.fromkeys((*requested.values(), *keep.values())))
    training = bool(keep)
    leaves = [
        v
        for v in whole_graph(function).inputs
        if training and v.kind is VariableKind.Input and v.needs_gradient
    ]
    with OneThread() as limit, torch.enable_grad() if training else torch.no_grad():
        done = execute(function, arguments, computed, device, training, limit, leaves)
    if not training:
        done.run.finish()
    results = {
        key: done.result(computed.index(variable), as_numpy) for key, variable in requested.items()
    }
    return (BackwardState(done, computed) if training else None), results
