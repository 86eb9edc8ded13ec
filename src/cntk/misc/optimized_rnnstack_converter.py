"""Conversion of stacks of recurrent layers with cuDNN's weights to layers with parameters of their
own.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cntk import layers, ops
from cntk._arguments import shown
from cntk._graph.define import BlockFunction
from cntk._graph.function import Function
from cntk._graph.names.late_names import hand_on
from cntk._ops.sequence.rnn_stack import OptimizedRNNStack
from cntk._runtime.numpy_tensors import tensor_of
from cntk.default_options import default_options
from cntk.errors import ArgumentError
from cntk.misc.converter import convert
from cntk.variables import Parameter

__all__ = ["convert_optimized_rnnstack"]


def convert_optimized_rnnstack(cudnn_model: Function) -> Function:
    """Replace each `optimized_rnnstack` of a model by recurrent layers, which run in any program.

    An LSTM becomes `cntk.layers.LSTM`, a plain recurrent layer `cntk.layers.RNNStep`. A GRU of
    cuDNN applies its reset after the product, which `cntk.layers.GRU` does not, and becomes a block
    of its own.

    Args:
        cudnn_model: the model; its weights must have values.

    Returns:
        The new model. Its other parameters are shared with the given one.

    Raises:
        ValueError: if a stack's weights are no parameter, or have no value yet.

    Example:
        >>> import cntk as C
        >>> x = C.sequence.input_variable(3)
        >>> stack = C.optimized_rnnstack(
        ...     x, C.parameter((C.InferredDimension, 5)), 5, 2, recurrent_op="rnnTanh"
        ... )
        >>> [p.shape for p in convert_optimized_rnnstack(stack).parameters]
        [(5, 5), (5, 5), (5,), (3, 5), (5, 5), (5,)]
    """
    if not isinstance(cudnn_model, Function):
        raise ArgumentError(
            f"convert_optimized_rnnstack: expected a function, got {shown(cudnn_model)}"
        )
    return convert(
        cudnn_model,
        lambda f: isinstance(getattr(f.root_function, "op", None), OptimizedRNNStack),
        _layers,
    )


def _layers(stack: Function) -> Function:
    """Build the layers of one stack on the stack's operand."""
    op: Any = stack.root_function.op
    x, weights = stack.root_function.operands
    if not isinstance(weights, Parameter) and not weights.is_constant:
        raise ValueError(
            f"convert_optimized_rnnstack: the weights of {stack} are computed in the graph; a "
            f"parameter was expected"
        )
    if any(d < 0 for d in (*weights.shape, *x.shape)):
        raise ValueError(
            f"convert_optimized_rnnstack: the weights {weights!r} have no value yet; give the "
            f"stack its input first"
        )
    parts = op.split(tensor_of(np.array(weights.value)), x.shape[0])  # type: ignore[attr-defined]
    arrays = [[w.numpy().copy() for w in layer] for layer in parts]
    result: Any = x
    for k in range(op.num_layers):
        if op.bidirectional:
            forward = _layer(op, arrays[2 * k], result, f"{stack.name}_fw{k}")
            backward = _layer(
                op, arrays[2 * k + 1], result, f"{stack.name}_bw{k}", go_backwards=True
            )
            result = ops.splice(forward, backward)
        else:
            result = _layer(op, arrays[k], result, f"{stack.name}_{k}")
    return result  # type: ignore[no-any-return]


def _layer(
    op: OptimizedRNNStack, weights: list[np.ndarray], x: Any, name: str, go_backwards: bool = False
) -> Function:
    """Build one layer in one direction; the weights are those of `OptimizedRNNStack.split`."""
    size, dtype = op.hidden_size, weights[0].dtype
    with default_options(dtype=dtype.type):
        if op.recurrent_op == "gru":
            cell = _gru(size, weights, name)
        elif op.recurrent_op == "lstm":
            cell, weights = layers.LSTM(size, name=name), [_reordered(w) for w in weights]
        else:
            activation = ops.relu if op.recurrent_op == "rnnReLU" else ops.tanh
            cell = layers.RNNStep(size, activation=activation, name=name)
        result = layers.Recurrence(cell, go_backwards=go_backwards)(x)
    if op.recurrent_op != "gru":
        parameters = {p.name: p for p in cell.parameters}
        parameters["W"].value, parameters["H"].value = weights[0].T, weights[1].T
        parameters["b"].value = weights[2] + weights[3]
    return result  # type: ignore[no-any-return]


def _reordered(weight: np.ndarray) -> np.ndarray:
    """Reorder rows of the gates input, forget, cell, output to the layer's order: input, cell,
    forget, output.
    """
    i, f, g, o = np.split(weight, 4)
    return np.concatenate([i, g, f, o])


def _gru(size: int, weights: list[np.ndarray], name: str) -> Function:
    """Build a step of cuDNN's variant: the state's part of the new values has a bias of its own,
    inside the reset.
    """
    names = ("W", "H", "b", "b1")
    W, H, b, b1 = (
        Parameter(init=np.ascontiguousarray(w.T), dtype=w.dtype, name=n)
        for w, n in zip(weights, names, strict=True)
    )

    @BlockFunction("GRU", name)
    def gru(dh: Any, x: Any) -> Any:
        from_input, from_state = ops.times(x, W) + b, ops.times(dh, H) + b1
        parts = [
            [ops.slice(v, -1, k * size, (k + 1) * size) for v in (from_input, from_state)]
            for k in range(3)
        ]
        reset, update = (ops.sigmoid(v + w) for v, w in parts[:2])
        new_values = ops.tanh(parts[2][0] + reset * parts[2][1])
        return (1 - update) * new_values + update * dh

    return gru


hand_on(globals())
