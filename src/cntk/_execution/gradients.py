"""Gradients of functions, of one run or by a forward pass that was kept."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cntk._arguments import shown
from cntk._execution.arguments import as_outputs, asked_for, differentiated
from cntk._execution.evaluate import BackwardState, execute
from cntk._execution.results import Pass
from cntk._graph.composite import whole_graph
from cntk._graph.function import Function
from cntk._graph.variable import Variable, VariableKind
from cntk._runtime.conversion import touched_rows
from cntk._runtime.numpy_tensors import tensor_of
from cntk._runtime.threads import OneThread
from cntk._wording import shape_text
from cntk.core import NDArrayView, Value, numbers_of
from cntk.errors import ArgumentError, FeedError


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
    sources = differentiated(function, variables, "variables")
    with OneThread() as limit:
        if done.plan.work.is_large(done.run):
            limit.lift()
        gradients = _differentiate(done, roots, seeds, list(sources.values()), keep=True)
    done.run.finish()
    return _gradient_results(sources, gradients, done, as_numpy)


def _seed(output: Variable, gradient: Any, rows: Tensor) -> Tensor:
    if isinstance(gradient, NDArrayView):
        gradient = Value(gradient)
    if isinstance(gradient, Value):
        seed = gradient.rows if isinstance(gradient.rows, Tensor) else gradient.rows.to_dense()
    elif isinstance(gradient, (list, tuple)):
        called = f"backward: gradient for {output!r}"
        parts = [numbers_of(g, called) for g in gradient]
        size = max(math.prod(rows.shape[1:]), 1)
        if any(g.size % size for g in parts) or not parts:
            raise FeedError(
                f"{called}: expected one of shape {shape_text(rows.shape)}, got {shown(gradient)}"
            )
        seed = tensor_of(np.concatenate([g.reshape(-1, *rows.shape[1:]) for g in parts]))
    else:
        seed = tensor_of(np.array(numbers_of(gradient, f"backward: gradient for {output!r}")))
    if seed.numel() != rows.numel():
        raise ValueError(
            f"backward: the gradient given for {output!r} has shape {shape_text(seed.shape)}, its "
            f"value {shape_text(rows.shape)}"
        )
    return seed.to(rows.device, rows.dtype).reshape(rows.shape)


def _differentiate(
    done: Pass,
    roots: Sequence[Tensor],
    seeds: Sequence[Tensor],
    variables: Sequence[Variable],
    keep: bool,
) -> list[Tensor]:
    sources: list[Any] = []
    for variable in variables:
        if variable.kind is VariableKind.Input and variable in done.fed:
            sources.append(done.fed[variable].rows)
        elif variable.kind is VariableKind.Parameter:
            sources.append(variable.data)  # type: ignore[attr-defined]
        else:
            raise ValueError(
                f"gradient: {variable!r} is neither an argument nor a parameter of the function"
            )
    for variable, source in zip(variables, sources, strict=True):
        if not (isinstance(source, Tensor) and source.requires_grad):
            raise ValueError(
                f"gradient: {variable!r} does not need a gradient; make it with needs_gradient=True"
            )
    live = [(r, s) for r, s in zip(roots, seeds, strict=True) if r.requires_grad]
    if not live:
        return [torch.zeros_like(s) for s in sources]
    gradients = torch.autograd.grad(
        [r for r, _ in live],
        [*sources, *done.watched],
        [s for _, s in live],
        retain_graph=keep,
        allow_unused=True,
    )[: len(sources)]
    return [
        torch.zeros_like(s) if g is None else g for g, s in zip(gradients, sources, strict=True)
    ]


def _gradient_result(variable: Variable, gradient: Tensor, done: Pass, as_numpy: bool) -> Any:
    if gradient.is_sparse:
        if not as_numpy:
            return Value.of(touched_rows(gradient), None, tuple(gradient.shape))
        gradient = gradient.to_dense()
    return done.hand_out(gradient, variable.type_.dense(), as_numpy)


def _gradient_results(
    asked: Mapping[Any, Variable], gradients: Sequence[Tensor], done: Pass, as_numpy: bool
) -> dict[Any, Any]:
    return {
        key: _gradient_result(v, g, done, as_numpy)
        for (key, v), g in zip(asked.items(), gradients, strict=True)
    }


def gradients(
    function: Function, at: Any, wrt: Any, outputs: Any, device: Any, as_numpy: bool, grad_root: Any
) -> Any:
    """Return gradients of the sum of an output's elements; see `Function.grad`."""
    if wrt is None:
        wrt = [v for v in whole_graph(function).arguments if v.needs_gradient]
        if not wrt:
            raise ValueError(
                f"None of the Function '{function}' arguments have 'needs_gradient == True'"
            )
    asked = differentiated(function, wrt, "wrt")
    variables = list(asked.values())
    root = (
        function.output
        if grad_root is None
        else next(iter(as_outputs(function, grad_root).values()))
    )
    extra = None if outputs is None else asked_for(outputs, "outputs", function)
    extra = as_outputs(function, extra) if extra else None
    computed = tuple(dict.fromkeys((root, *(extra or {}).values())))
    leaves = [v for v in variables if v.kind is VariableKind.Input]
    with OneThread() as limit, torch.enable_grad():
        done = execute(function, at, computed, device, True, limit, leaves, by_rows=not as_numpy)
        # Sparse ones are not differentiable.
        roots = [rows for rows in done.rows[:1] if isinstance(rows, Tensor)]
        computed_gradients = _differentiate(
            done, roots, [torch.ones_like(rows) for rows in roots], variables, keep=False
        )
    done.run.finish()
    results: Any = _gradient_results(asked, computed_gradients, done, as_numpy)
    if len(asked) == 1:
        (results,) = results.values()
    if extra is None:
        return results
    values = {key: done.result(computed.index(v), as_numpy) for key, v in extra.items()}
    return results, (next(iter(values.values())) if len(values) == 1 else values)
