"""Building blocks of recurrent layers: cells that take a step, the stabilizer, and the identity."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from math import expm1, log
from typing import Any

from cntk import ops
from cntk._arguments import as_flag, as_real
from cntk._graph.define import BlockFunction
from cntk._graph.function import Function
from cntk._graph.names.late_names import hand_on
from cntk._graph.types import InferredDimension
from cntk._graph.variable import Variable
from cntk.default_options import default_override_or, get_default_override
from cntk.initializer import glorot_uniform
from cntk.layers.options import activated, as_activation, as_shape, initial, initial_bias
from cntk.typing import ActivationLike, InitializerLike, ShapeLike
from cntk.variables import Parameter

__all__ = [
    "ForwardDeclaration",
    "GRU",
    "InferredDimension",
    "LSTM",
    "RNNStep",
    "RNNUnit",
    "Stabilizer",
    "UntestedBranchError",
    "identity",
]


@Function
def identity(keep: Any) -> Any:
    """Its argument."""
    return ops.combine(keep)


def UntestedBranchError(name: str) -> None:
    """Refuse what a layer does not support.

    Args:
        name: what it is.

    Raises:
        NotImplementedError: always.
    """
    raise NotImplementedError(f"Untested code branch: {name}")


def ForwardDeclaration(name: str = "forward_declaration") -> Variable:
    """Create a placeholder for a node that is made later, for loops in a graph.

    Args:
        name: its name in the graph.

    Returns:
        The placeholder; put the node in its place with
        ``function.replace_placeholders({placeholder: node})``.

    Example:
        >>> import cntk as C
        >>> x = C.sequence.input_variable(1)
        >>> total = ForwardDeclaration()
        >>> running_sum = x + C.sequence.past_value(total)
        >>> running_sum.replace_placeholders({total: running_sum}).eval({x: [[[1], [2], [3]]]})[
        ...     0
        ... ].ravel()
        array([1., 3., 6.], dtype=float32)
    """
    return ops.placeholder(name=name)


_STEEPEST = 700.0
"""Beyond that the exponential of a steepness is no number."""


def Stabilizer(
    steepness: float = 4, enable_self_stabilization: Any = default_override_or(True), name: str = ""
) -> Function:
    """Layer that scales its input by one learned positive number (Ghahremani and Droppo, 2016).

    The factor is ``softplus(steepness * alpha) / steepness`` with the parameter ``alpha``; it
    starts as 1.

    Args:
        steepness: how fast the factor follows ``alpha``.
        enable_self_stabilization: if False the layer is the identity.
        name: its name in the graph.

    Returns:
        A function of one argument of any shape.

    Example:
        >>> import cntk as C
        >>> x = C.input_variable(2)
        >>> C.layers.Stabilizer()(x).eval({x: [[1, 2]]}).round(4)
        array([[1., 2.]], dtype=float32)
    """
    enabled = get_default_override(Stabilizer, enable_self_stabilization=enable_self_stabilization)
    if not as_flag(enabled, "Stabilizer: enable_self_stabilization"):
        return identity
    steepness = as_real(steepness, "Stabilizer: steepness", above=0, most=_STEEPEST)
    alpha = Parameter((), init=log(expm1(steepness)) / steepness, name="alpha")

    @BlockFunction("Stabilizer", name)
    def stabilize(x: Any) -> Any:
        return ops.softplus(alpha, steepness=steepness) * x

    return stabilize


def _cell_shapes(kind: str, shape: Any, cell_shape: Any) -> tuple[int, int]:
    """Sizes of a cell's output and state."""
    output = as_shape(shape, f"{kind}: shape", least=1)
    cell = output if cell_shape is None else as_shape(cell_shape, f"{kind}: cell_shape", least=1)
    if len(output) != 1 or len(cell) != 1:
        raise ValueError(
            f"{kind}: shape and cell_shape must be vectors (rank-1 tensors), got {output} and "
            f"{cell}"
        )
    return output[0], cell[0]


def _unchanged(x: Any) -> Any:
    return x


def _stabilizer(enabled: bool, name: str) -> Callable[[Any], Any]:
    return Stabilizer(enable_self_stabilization=True, name=name) if enabled else _unchanged


def _part(x: Any, index: int, size: int) -> Any:
    """One of several vectors that lie one after another."""
    return ops.slice(x, -1, index * size, (index + 1) * size)


def LSTM(
    shape: ShapeLike,
    cell_shape: ShapeLike | None = None,
    activation: ActivationLike = default_override_or(ops.tanh),
    use_peepholes: Any = default_override_or(False),
    init: InitializerLike = default_override_or(glorot_uniform()),
    init_bias: InitializerLike = default_override_or(0),
    enable_self_stabilization: Any = default_override_or(False),
    name: str = "",
) -> Function:
    """One step of a long short-term memory (Hochreiter and Schmidhuber, 1997), for `Recurrence` and
    its relatives.

    Parameters are ``b`` [4 * cell], ``W`` [input, 4 * cell] and ``H`` [output, 4 * cell]; their
    four parts are the input gate, the new values, the forget gate and the output gate.

    Args:
        shape: size of the output.
        cell_shape: size of the memory, if it differs; its output is then projected by ``P`` [cell,
            output].
        activation: for new values and for the output.
        use_peepholes: whether the gates see the memory, weighted by ``Ci``, ``Cf`` and ``Co`` (Gers
            et al., 2002).
        init: initial value of all weights.
        init_bias: initial value of ``b``.
        enable_self_stabilization: whether states pass a `Stabilizer` before they are multiplied.
        name: its name in the graph.

    Returns:
        A function of previous output, previous memory and input; it returns output and memory.

    Raises:
        ValueError: if a shape has several axes.

    Example:
        >>> import cntk as C
        >>> x = C.sequence.input_variable(3)
        >>> C.layers.Recurrence(C.layers.LSTM(5))(x).shape
        (5,)
    """
    activation = as_activation(get_default_override(LSTM, activation=activation), "LSTM")
    use_peepholes = as_flag(
        get_default_override(LSTM, use_peepholes=use_peepholes), "LSTM: use_peepholes"
    )
    init = initial(get_default_override(LSTM, init=init), "LSTM")
    init_bias = get_default_override(LSTM, init_bias=init_bias)
    stable = get_default_override(LSTM, enable_self_stabilization=enable_self_stabilization)
    stable = as_flag(stable, "LSTM: enable_self_stabilization")
    size, cell = _cell_shapes("LSTM", shape, cell_shape)

    b = Parameter(4 * cell, init=initial_bias(init_bias, (4 * cell,), "LSTM"), name="b")
    W = Parameter((InferredDimension, 4 * cell), init=init, name="W")
    H = Parameter((size, 4 * cell), init=init, name="H")
    Ci, Cf, Co = (
        Parameter(cell, init=init, name=n) if use_peepholes else None for n in ("Ci", "Cf", "Co")
    )
    P = Parameter((cell, size), init=init, name="P") if cell_shape is not None else None
    stable_h, stable_c = _stabilizer(stable, "dh_stabilizer"), _stabilizer(stable, "dc_stabilizer")
    stable_new_c, stable_output = (
        _stabilizer(stable, "c_stabilizer"),
        _stabilizer(stable, "P_stabilizer"),
    )

    @BlockFunction("LSTM", name)
    def lstm(dh: Any, dc: Any, x: Any) -> Any:
        projected = b + ops.times(x, W) + ops.times(stable_h(dh), H)
        seen = stable_c(dc) if use_peepholes else None

        def gate(index: int, peephole: Any, memory: Any) -> Any:
            part = _part(projected, index, cell)
            return ops.sigmoid(part if peephole is None else part + peephole * memory)

        input_gate = gate(0, Ci, seen)
        new_values = input_gate * activated(_part(projected, 1, cell), activation)
        forget_gate = gate(2, Cf, seen)
        c = forget_gate * dc + new_values
        output_gate = gate(3, Co, stable_new_c(c) if use_peepholes else None)
        h = output_gate * activated(c, activation)
        return (h if P is None else ops.times(stable_output(h), P)), c

    return lstm


def GRU(
    shape: ShapeLike,
    cell_shape: ShapeLike | None = None,
    activation: ActivationLike = default_override_or(ops.tanh),
    init: InitializerLike = default_override_or(glorot_uniform()),
    init_bias: InitializerLike = default_override_or(0),
    enable_self_stabilization: Any = default_override_or(False),
    name: str = "",
) -> Function:
    """One step of a gated recurrent unit (Cho et al., 2014), for `Recurrence` and its relatives.

    Parameters are ``b`` [3 * cell] and ``W`` [input, 3 * cell] with parts for the update gate, the
    reset gate and the new values, ``H`` [output, 2 * cell] for the gates and ``H1`` [output, cell]
    for the new values.

    Args:
        shape: size of the output.
        cell_shape: size of the state; it must be that of the output.
        activation: for new values.
        init: initial value of all weights.
        init_bias: initial value of ``b``.
        enable_self_stabilization: whether the state passes a `Stabilizer` first.
        name: its name in the graph.

    Returns:
        A function of previous output and input; it returns the output.

    Raises:
        ValueError: if a shape has several axes.

    Example:
        >>> import cntk as C
        >>> x = C.sequence.input_variable(3)
        >>> C.layers.Recurrence(C.layers.GRU(5))(x).shape
        (5,)
    """
    activation = as_activation(get_default_override(GRU, activation=activation), "GRU")
    init = initial(get_default_override(GRU, init=init), "GRU")
    init_bias = get_default_override(GRU, init_bias=init_bias)
    stable = get_default_override(GRU, enable_self_stabilization=enable_self_stabilization)
    stable = as_flag(stable, "GRU: enable_self_stabilization")
    size, cell = _cell_shapes("GRU", shape, cell_shape)
    if cell != size:
        raise ValueError(
            f"GRU: cell_shape must be the shape of the output, {size}, got {cell}; leave it out"
        )

    b = Parameter(3 * cell, init=initial_bias(init_bias, (3 * cell,), "GRU"), name="b")
    W = Parameter((InferredDimension, 3 * cell), init=init, name="W")
    H = Parameter((size, 2 * cell), init=init, name="H")
    H1 = Parameter((size, cell), init=init, name="H1")
    P = Parameter((cell, size), init=init, name="P") if cell_shape is not None else None
    stable_h, stable_output = (
        _stabilizer(stable, "dh_stabilizer"),
        _stabilizer(stable, "P_stabilizer"),
    )

    @BlockFunction("GRU", name)
    def gru(dh: Any, x: Any) -> Any:
        state = stable_h(dh)
        from_input, from_state = b + ops.times(x, W), ops.times(state, H)
        update = ops.sigmoid(_part(from_input, 0, cell) + _part(from_state, 0, cell))
        reset = ops.sigmoid(_part(from_input, 1, cell) + _part(from_state, 1, cell))
        new_values = activated(
            _part(from_input, 2, cell) + ops.times(state * reset, H1), activation
        )
        h = (1 - update) * new_values + update * state
        return h if P is None else ops.times(stable_output(h), P)

    return gru


def RNNStep(
    shape: ShapeLike,
    cell_shape: ShapeLike | None = None,
    activation: ActivationLike = default_override_or(ops.sigmoid),
    init: InitializerLike = default_override_or(glorot_uniform()),
    init_bias: InitializerLike = default_override_or(0),
    enable_self_stabilization: Any = default_override_or(False),
    name: str = "",
) -> Function:
    """One step of a plain recurrent network (Elman, 1990), for `Recurrence` and its relatives.

    ``activation(x W + h H + b)``

    Args:
        shape: size of the output.
        cell_shape: size of the state, if it differs; the output is then projected by ``P`` [cell,
            output].
        activation: of the step.
        init: initial value of all weights.
        init_bias: initial value of ``b``.
        enable_self_stabilization: whether the state passes a `Stabilizer` first.
        name: its name in the graph.

    Returns:
        A function of previous output and input; it returns the output.

    Raises:
        ValueError: if a shape has several axes.

    Example:
        >>> import cntk as C
        >>> x = C.sequence.input_variable(3)
        >>> C.layers.Recurrence(C.layers.RNNStep(5, activation=C.tanh))(x).shape
        (5,)
    """
    activation = as_activation(get_default_override(RNNStep, activation=activation), "RNNStep")
    init = initial(get_default_override(RNNStep, init=init), "RNNStep")
    init_bias = get_default_override(RNNStep, init_bias=init_bias)
    stable = get_default_override(RNNStep, enable_self_stabilization=enable_self_stabilization)
    stable = as_flag(stable, "RNNStep: enable_self_stabilization")
    size, cell = _cell_shapes("RNNStep", shape, cell_shape)

    b = Parameter(cell, init=initial_bias(init_bias, (cell,), "RNNStep"), name="b")
    W = Parameter((InferredDimension, cell), init=init, name="W")
    H = Parameter((size, cell), init=init, name="H")
    P = Parameter((cell, size), init=init, name="P") if cell_shape is not None else None
    stable_h, stable_output = (
        _stabilizer(stable, "dh_stabilizer"),
        _stabilizer(stable, "P_stabilizer"),
    )

    @BlockFunction("RNNStep", name)
    def rnn_step(dh: Any, x: Any) -> Any:
        h = activated(ops.times(x, W) + ops.times(stable_h(dh), H) + b, activation)
        return h if P is None else ops.times(stable_output(h), P)

    return rnn_step


def RNNUnit(
    shape: ShapeLike,
    cell_shape: ShapeLike | None = None,
    activation: ActivationLike = default_override_or(ops.sigmoid),
    init: InitializerLike = default_override_or(glorot_uniform()),
    init_bias: InitializerLike = default_override_or(0),
    enable_self_stabilization: Any = default_override_or(False),
    name: str = "",
) -> Function:
    """Create an `RNNStep` under its former name."""
    warnings.warn(
        "RNNUnit is the former name of RNNStep; use RNNStep", DeprecationWarning, stacklevel=2
    )
    return RNNStep(shape, cell_shape, activation, init, init_bias, enable_self_stabilization, name)


hand_on(globals())
