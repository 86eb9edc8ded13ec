"""Evaluation and gradients of functions: arguments in, results out."""

from __future__ import annotations

import math
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cntk._arguments import shown
from cntk._compiler.observation import OBSERVATION
from cntk._compiler.plan import Plan, bind
from cntk._compiler.probe import Probe
from cntk._errors import ArgumentError, FeedError, shape_text
from cntk._execution.arguments import as_outputs, asked_for, bind_arguments, differentiated
from cntk._execution.compiled_state import state_of
from cntk._graph.composite import whole_graph
from cntk._graph.function import Function
from cntk._graph.types import TensorType
from cntk._graph.variable import Variable, VariableKind
from cntk._runtime.bind_input import BoundInput
from cntk._runtime.context import RunContext
from cntk._runtime.conversion import rows_as_numpy, touched_rows
from cntk._runtime.numpy_tensors import tensor_of
from cntk._runtime.sparse import SparseRows
from cntk._runtime.threads import OneThread
from cntk.core import NDArrayView, Value, numbers_of
from cntk.device import DeviceDescriptor, torch_device


@dataclass
class Pass:
    """One execution: its plan, its run and what it computed.

    Attributes:
        plan: what was run.
        run: its layouts and mode.
        fed: the arguments' data.
        rows: the outputs.
        watched: what gradients are computed for besides those that are asked for; see `Plan.watch`.
        valid_values: the function's results that are valid until it runs again.
    """

    plan: Plan
    run: RunContext
    fed: dict[Variable, BoundInput]
    rows: list[Any]
    watched: Sequence[Tensor] = ()
    valid_values: list[weakref.ref[Value]] = field(default_factory=list)

    def result(self, index: int, as_numpy: bool) -> Any:
        """An output as the program sees it; never a view of what was fed, or of a parameter."""
        rows = self.rows[index]
        type_ = self.plan.types[index]
        if isinstance(rows, Tensor) and len(type_.dynamic_axes) < 2:
            memory = rows.untyped_storage().data_ptr()
            is_lent = memory in self.plan.held_memory
            for data in self.fed.values():
                if isinstance(data.rows, Tensor):
                    is_lent |= memory == data.rows.untyped_storage().data_ptr()
            if is_lent:
                rows = rows.clone()
        return self.hand_out(rows, type_, as_numpy)

    def hand_out(self, rows: Any, type_: TensorType, as_numpy: bool) -> Any:
        """Rows as the program sees them; see `result_of`. A `Value` is valid until the function
        runs again.
        """
        result = result_of(rows, type_, self.run, as_numpy)
        if not as_numpy:
            self.valid_values.append(weakref.ref(result))
        return result

    def finish(self) -> None:
        """Do what waited for the end of the pass, once."""
        while self.run.deferred:
            self.run.deferred.pop(0)()


def result_of(rows: Any, type_: TensorType, run: RunContext, as_numpy: bool) -> Any:
    """Rows as the program sees them: NumPy arrays, or a `Value`."""
    layout = run.layout(type_.dynamic_axes) if len(type_.dynamic_axes) > 1 else None
    if as_numpy:
        return rows_as_numpy(rows, type_, layout)
    rows = rows.detach() if isinstance(rows, Tensor) else rows
    if isinstance(rows, SparseRows):
        shape = type_.shape if layout is not None else (rows.rows, *type_.shape)
    else:
        shape = tuple(rows.shape[1:] if layout is not None else rows.shape)
    return Value.of(rows, layout, shape, are_samples=type_.has_batch_axis and layout is None)


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
    computed = function.outputs if asked is None else tuple(dict.fromkeys(asked.values()))
    with OneThread() as limit, torch.inference_mode() if as_numpy else torch.no_grad():
        done = execute(function, arguments, computed, device, False, limit)
        if done.run.deferred:
            done.finish()
        results = []
        for index in range(len(computed)):
            results.append(done.result(index, as_numpy))
    if len(computed if asked is None else asked) == 1:
        return results[0]
    by_variable = dict(zip(computed, results, strict=True))
    return by_variable if asked is None else {key: by_variable[v] for key, v in asked.items()}


@dataclass
class BackwardState:
    """What `Function.backward` needs of a forward pass."""

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
    wanted = as_outputs(function, outputs)
    asked = (
        {}
        if keep_for_backward is None
        else asked_for(keep_for_backward, "keep_for_backward", function)
    )
    keep = as_outputs(function, asked) if asked else {}
    computed = tuple(dict.fromkeys((*wanted.values(), *keep.values())))
    training = bool(keep)
    leaves = [
        v
        for v in whole_graph(function).inputs
        if training and v.kind is VariableKind.Input and v.needs_gradient
    ]
    with OneThread() as limit, torch.enable_grad() if training else torch.no_grad():
        done = execute(function, arguments, computed, device, training, limit, leaves)
    if not training:
        done.finish()
    results = {
        key: done.result(computed.index(variable), as_numpy) for key, variable in wanted.items()
    }
    return (BackwardState(done, computed) if training else None), results


def backward(
    function: Function,
    state: BackwardState,
    root_gradients: Any,
    variables: Any,
    as_numpy: bool,
) -> dict[Any, Any]:
    """Propagate gradients; see `Function.backward`."""
    if state is None:
        raise ArgumentError(
            "backward: the forward pass kept no state; name the outputs in keep_for_backward"
        )
    if not isinstance(state, BackwardState):
        raise ArgumentError(
            f"backward: expected the state that forward returned, got {shown(state)}"
        )
    done = state.done
    if not isinstance(root_gradients, Mapping):
        if not isinstance(root_gradients, (Value, NDArrayView, np.ndarray, list, tuple)):
            raise ArgumentError(
                f"backward: {function}: expected a dictionary of gradients by output, got "
                f"{shown(root_gradients)}"
            )
        root_gradients = {function.output: root_gradients}
    if not root_gradients:
        raise ArgumentError(
            f"backward: {function}: no gradients were given; give one for an output of the forward "
            f"pass"
        )
    roots, seeds = [], []
    for root, gradient in root_gradients.items():
        output = root.output if isinstance(root, Function) else root
        if not isinstance(output, Variable) or output not in state.outputs:
            raise ArgumentError(
                f"backward: {output!r} was not among the outputs of the forward pass"
            )
        rows = done.rows[state.outputs.index(output)]
        if isinstance(rows, Tensor):
            roots.append(rows)
            seeds.append(_seed(output, gradient, rows))
    wanted = differentiated(function, variables, "variables")
    with OneThread() as limit:
        if done.plan.work.is_large(done.run):
            limit.lift()
        found = _differentiate(done, roots, seeds, list(wanted.values()), keep=True)
    done.finish()
    return _gradient_results(wanted, found, done, as_numpy)


def _seed(output: Variable, gradient: Any, rows: Tensor) -> Tensor:
    if isinstance(gradient, NDArrayView):
        gradient = Value(gradient)
    if isinstance(gradient, Value):
        found = gradient.rows if isinstance(gradient.rows, Tensor) else gradient.rows.to_dense()
    elif isinstance(gradient, (list, tuple)):
        called = f"backward: gradient for {output!r}"
        given = [numbers_of(g, called) for g in gradient]
        size = max(math.prod(rows.shape[1:]), 1)
        if any(g.size % size for g in given) or not given:
            raise FeedError(
                f"{called}: expected one of shape {shape_text(rows.shape)}, got {shown(gradient)}"
            )
        found = tensor_of(np.concatenate([g.reshape(-1, *rows.shape[1:]) for g in given]))
    else:
        found = tensor_of(np.array(numbers_of(gradient, f"backward: gradient for {output!r}")))
    if found.numel() != rows.numel():
        raise ValueError(
            f"backward: the gradient given for {output!r} has shape {shape_text(found.shape)}, "
            f"its value {shape_text(rows.shape)}"
        )
    return found.to(rows.device, rows.dtype).reshape(rows.shape)


def _differentiate(
    done: Pass,
    roots: Sequence[Tensor],
    seeds: Sequence[Tensor],
    wanted: Sequence[Variable],
    keep: bool,
) -> list[Tensor]:
    sources: list[Any] = []
    for variable in wanted:
        if variable.kind is VariableKind.Input and variable in done.fed:
            sources.append(done.fed[variable].rows)
        elif variable.kind is VariableKind.Parameter:
            sources.append(variable.data)  # type: ignore[attr-defined]
        else:
            raise ValueError(
                f"gradient: {variable!r} is neither an argument nor a parameter of the function"
            )
    for variable, source in zip(wanted, sources, strict=True):
        if not (isinstance(source, Tensor) and source.requires_grad):
            raise ValueError(
                f"gradient: {variable!r} does not need a gradient; make it with needs_gradient=True"
            )
    live = [(r, s) for r, s in zip(roots, seeds, strict=True) if r.requires_grad]
    if not live:
        return [torch.zeros_like(s) for s in sources]
    found = torch.autograd.grad(
        [r for r, _ in live],
        [*sources, *done.watched],
        [s for _, s in live],
        retain_graph=keep,
        allow_unused=True,
    )[: len(sources)]
    return [torch.zeros_like(s) if g is None else g for g, s in zip(found, sources, strict=True)]


def _gradient_result(variable: Variable, gradient: Tensor, done: Pass, as_numpy: bool) -> Any:
    if gradient.is_sparse:
        if not as_numpy:
            return Value.of(touched_rows(gradient), None, tuple(gradient.shape))
        gradient = gradient.to_dense()
    return done.hand_out(gradient, variable.type_.dense(), as_numpy)


def _gradient_results(
    asked: Mapping[Any, Variable], found: Sequence[Tensor], done: Pass, as_numpy: bool
) -> dict[Any, Any]:
    return {
        key: _gradient_result(v, g, done, as_numpy)
        for (key, v), g in zip(asked.items(), found, strict=True)
    }


def gradients(
    function: Function, at: Any, wrt: Any, outputs: Any, device: Any, as_numpy: bool, grad_root: Any
) -> Any:
    """Gradients of the sum of an output's elements; see `Function.grad`."""
    if wrt is None:
        wrt = [v for v in whole_graph(function).arguments if v.needs_gradient]
        if not wrt:
            raise ValueError(
                f"None of the Function '{function}' arguments have 'needs_gradient == True'"
            )
    asked = differentiated(function, wrt, "wrt")
    wanted = list(asked.values())
    root = (
        function.output
        if grad_root is None
        else next(iter(as_outputs(function, grad_root).values()))
    )
    extra = None if outputs is None else asked_for(outputs, "outputs", function)
    extra = as_outputs(function, extra) if extra else None
    computed = tuple(dict.fromkeys((root, *(extra or {}).values())))
    leaves = [v for v in wanted if v.kind is VariableKind.Input]
    with OneThread() as limit, torch.enable_grad():
        done = execute(function, at, computed, device, True, limit, leaves, by_rows=not as_numpy)
        roots = [
            rows for rows in done.rows[:1] if isinstance(rows, Tensor)
        ]  # sparse ones are not differentiable
        found = _differentiate(
            done, roots, [torch.ones_like(rows) for rows in roots], wanted, keep=False
        )
    done.finish()
    results: Any = _gradient_results(asked, found, done, as_numpy)
    if len(asked) == 1:
        (results,) = results.values()
    if extra is None:
        return results
    values = {key: done.result(computed.index(v), as_numpy) for key, v in extra.items()}
    return results, (next(iter(values.values())) if len(values) == 1 else values)
