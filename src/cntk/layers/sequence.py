"""Layers over sequences: recurrences, folds, unfolding, delays, and windows of past values."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from cntk import ops
from cntk._arguments import as_flag, as_real, shown
from cntk._graph.composite import Composite
from cntk._graph.define import BlockFunction, in_order
from cntk._graph.function import Function
from cntk._graph.names.late_names import hand_on
from cntk._graph.names.naming import next_uid
from cntk._graph.types import InferredDimension
from cntk._graph.variable import Variable
from cntk.default_options import default_override_or, get_default_override
from cntk.errors import ArgumentError, StateCountError
from cntk.layers.blocks import ForwardDeclaration
from cntk.layers.options import as_count, as_layer_name, name_of, takes
from cntk.typing import AxisLike
from cntk.variables import Constant

__all__ = [
    "Delay",
    "Fold",
    "InferredDimension",
    "PastValueWindow",
    "Recurrence",
    "RecurrenceFrom",
    "UnfoldFrom",
]

_LONGEST_WINDOW = 2**16
"""A window has a node for each of its frames."""

_STATE_NAMES = ("h", "c", "a", "b", "d", "e", "f", "g", "i", "j")


def _initial_state(value: Any, layer: str) -> Any:
    """Return the state before a sequence's beginning: a variable as it is, a number as a constant
    of one element.

    Raises:
        TypeError: for what is neither a variable nor numbers.
    """
    if isinstance(value, (Variable, Function)):
        return value
    try:
        return Constant(0 if value is None else value, shape=(1,))
    except (TypeError, ValueError):
        raise ArgumentError(
            f"{layer}: initial_state: expected a number, an array or a variable, got {shown(value)}"
        ) from None


def Delay(T: int = 1, initial_state: Any = default_override_or(0), name: str = "") -> Function:
    """Layer that delays a sequence by some frames.

    Args:
        T: how many frames; negative ones look into the future, 0 does nothing.
        initial_state: what stands before the sequence's beginning, a number or a variable.
        name: its name in the graph.

    Returns:
        A function of one sequence.

    Example:
        >>> import cntk as C
        >>> x = C.sequence.input_variable(1)
        >>> C.layers.Delay(1)(x).eval({x: [[[1], [2], [3]]]})[0].ravel()
        array([0., 1., 2.], dtype=float32)
    """
    state = get_default_override(Delay, initial_state=initial_state)
    T = as_count(T, "Delay: T", least=-(2**31) + 1)

    @BlockFunction("Delay", name)
    def delay(x: Any) -> Any:
        return ops.sequence.delay(x, _initial_state(state, "Delay"), T) if T else ops.combine([x])

    return delay


def PastValueWindow(
    window_size: int, axis: AxisLike, go_backwards: Any = default_override_or(False), name: str = ""
) -> Function:
    """Layer that keeps the last frames of each sequence, the newest first.

    Args:
        window_size: how many frames.
        axis: the static axis along which they are put together.
        go_backwards: whether to keep the first frames instead, the first one first.
        name: its name in the graph.

    Returns:
        A function of one sequence with two outputs: ``value``, the frames, zeros where a sequence
        is too short; and ``valid``, 1 for each frame that there is and 0 for the others.

    Example:
        >>> import cntk as C
        >>> x = C.sequence.input_variable(1)
        >>> value, valid = C.layers.PastValueWindow(2, axis=-2)(x).outputs
        >>> C.combine([value, valid]).eval({x: [[[5], [6], [7]]]})[value]
        array([[[7.],
                [6.]]], dtype=float32)
    """
    backwards = as_flag(
        get_default_override(PastValueWindow, go_backwards=go_backwards),
        "PastValueWindow: go_backwards",
    )
    window_size = as_count(window_size, "PastValueWindow: window_size", most=_LONGEST_WINDOW)
    end = ops.sequence.first if backwards else ops.sequence.last

    @BlockFunction("PastValueWindow", name)
    def past_value_window(x: Any) -> Any:
        ones = ops.sequence.broadcast_as(Constant(1), x)
        shifts = [-t if backwards else t for t in range(window_size)]
        values, valids = ([end(Delay(t)(v)) for t in shifts] for v in (x, ones))
        return ops.splice(*values, axis=axis, name="value"), ops.splice(
            *valids, axis=axis, name="valid"
        )

    return past_value_window


def _as_step(step_function: Any, layer: str) -> Function:
    """Return a step as a function: a Python function may read what lies outside, but not make
    parameters.

    Raises:
        TypeError: if it makes parameters, or uses inputs or placeholders from outside.
    """
    if isinstance(step_function, Function):
        return step_function
    if not callable(step_function):
        raise TypeError(
            f"{layer}: expected a step, a function of the previous states and a frame such as "
            f"LSTM(100), got {step_function!r}"
        )
    newest = _number(next_uid("Step"))
    step = Function(step_function)
    if any(_number(p.uid) > newest for p in step.parameters):
        raise TypeError(
            f"Parameter cannot be created inside {layer} Python step function; make layers and "
            f"parameters outside"
        )
    outside = [v for v in step.signature if v.uid and _number(v.uid) <= newest]
    if outside:
        raise TypeError(
            f"{layer}: the Python step function uses {', '.join(map(repr, outside))} besides its "
            f"own arguments; pass such values in as part of the input, or use a function decorated "
            f"with @Function"
        )
    return step


def _number(uid: str) -> int:
    """Return the running number at the end of a unique name."""
    match = re.search(r"(\d+)$", uid)
    return int(match[1]) if match else -1


def RecurrenceFrom(
    step_function: Any,
    go_backwards: Any = default_override_or(False),
    return_full_state: bool = False,
    name: str = "",
) -> Function:
    """Layer that takes a step for each frame of a sequence, from initial states that are arguments.

    Args:
        step_function: a function of the previous states and the frame that returns the new states,
            such as ``LSTM(100)``.
        go_backwards: whether to begin with the last frame.
        return_full_state: whether all states are outputs, or the first alone.
        name: its name in the graph.

    Returns:
        A function of the initial states and a sequence; the output is a sequence on the same axis.

    Raises:
        ValueError: if there are more than ten states.
        TypeError: if the step does not return as many states as it takes, or makes parameters of
            its own.

    Example:
        >>> import cntk as C
        >>> x, start = C.sequence.input_variable(1), C.input_variable(1)
        >>> add = C.layers.RecurrenceFrom(C.plus)
        >>> add(start, x).eval({start: [[10]], x: [[[1], [2], [3]]]})[0].ravel()
        array([11., 13., 16.], dtype=float32)
    """
    backwards = as_flag(
        get_default_override(RecurrenceFrom, go_backwards=go_backwards),
        "RecurrenceFrom: go_backwards",
    )
    return _recurrence_from(
        _as_step(step_function, "RecurrenceFrom"),
        backwards,
        return_full_state,
        name,
        "RecurrenceFrom",
    )


def _count_states(step: Function) -> int:
    """Count the states a step takes, before the frame; inputs that it reads inside are none."""
    return sum(not v.is_input for v in step.signature) - 1


def _recurrence_from(
    step: Function, backwards: bool, return_full_state: bool, name: str, layer: str
) -> Function:
    return_full_state = as_flag(return_full_state, f"{layer}: return_full_state")
    name = as_layer_name(name, layer)
    count = _count_states(step)
    if count > len(_STATE_NAMES):
        raise ValueError(
            f"{layer}: at most {len(_STATE_NAMES)} state variables are supported, and the step has "
            f"{count}; put some into one vector with cntk.splice"
        )
    if count < 1 or len(step.outputs) != count:
        raise TypeError(
            f"{layer}: the step takes {max(count, 0)} states and a frame, and returns "
            f"{len(step.outputs)} values; it must return a new value for each state"
        )
    initial = [ops.placeholder(name=n) for n in _STATE_NAMES[:count]]
    x = ops.placeholder(name="x")
    coming = [ForwardDeclaration(f"{n}_coming") for n in _STATE_NAMES[:count]]
    previous = [
        ops.sequence.delay(c, i, -1 if backwards else 1)
        for c, i in zip(coming, initial, strict=True)
    ]
    taken = step(*previous, x)
    taken.replace_placeholders(dict(zip(coming, taken.outputs, strict=True)))
    return _result(
        taken if return_full_state else ops.combine(taken.outputs[:1]), (*initial, x), name
    )


def _result(graph: Function, arguments: tuple[Variable, ...], name: str) -> Function:
    """Make a function of all these arguments from a graph that reads them."""
    if name:
        graph = (
            ops.alias(graph, name)
            if len(graph.outputs) == 1
            else ops.combine(list(graph.outputs), name=name)
        )
    function = Composite(graph.root_function, arguments)
    used = [v for v in function.inputs if v in arguments]
    if used == list(arguments):
        return function
    # Arguments have an order, and a state that does not reach the outputs is one as well.
    outer = tuple(ops.placeholder(name=a.name) for a in arguments)
    passed = dict(zip(arguments, in_order(outer), strict=True))
    function.replace_placeholders({a: passed[a] for a in used})
    return Composite(function.root_function, outer)


def Recurrence(
    step_function: Any,
    go_backwards: Any = default_override_or(False),
    initial_state: Any = default_override_or(0),
    return_full_state: bool = False,
    name: str = "",
) -> Function:
    """Layer that takes a step for each frame of a sequence, as recurrent networks do.

    Args:
        step_function: a function of the previous states and the frame that returns the new states,
            such as ``LSTM(100)``, ``GRU(100)`` or any function of one's own.
        go_backwards: whether to begin with the last frame.
        initial_state: the states before the first frame: a number, an array, a variable or what is
            computed of inputs for all, or a tuple with one for each.
        return_full_state: whether all states are outputs, or the first alone.
        name: its name in the graph.

    Returns:
        A function of one sequence; the output is a sequence on the same axis.

    Raises:
        ValueError: if there are more than ten states, or as many initial states as do not fit them.
        TypeError: if the step does not return as many states as it takes, or makes parameters of
            its own.

    Example:
        >>> import cntk as C
        >>> x = C.sequence.input_variable(1)
        >>> C.layers.Recurrence(C.plus)(x).eval({x: [[[1], [2], [3]]]})[0].ravel()
        array([1., 3., 6.], dtype=float32)
    """
    backwards = as_flag(
        get_default_override(Recurrence, go_backwards=go_backwards), "Recurrence: go_backwards"
    )
    state = get_default_override(Recurrence, initial_state=initial_state)
    return _recurrence(step_function, backwards, state, return_full_state, name, "Recurrence")


def _recurrence(
    step_function: Any, backwards: bool, state: Any, return_full_state: bool, name: str, layer: str
) -> Function:
    name = as_layer_name(name, layer)
    step = _as_step(step_function, layer)
    from_states = _recurrence_from(step, backwards, return_full_state, "", layer)
    states = _states(state, _count_states(step), layer)
    x = ops.placeholder(name="x")
    return _result(from_states(*states, x), (x,), name)


def _states(state: Any, count: int, layer: str) -> list[Any]:
    """Return an initial state for each of a recurrence's states."""
    if not isinstance(state, (tuple, list)) or len(state) == 1:
        return [
            _initial_state(state[0] if isinstance(state, (tuple, list)) else state, layer)
        ] * count
    if len(state) != count:
        raise StateCountError(
            f"{layer}: {len(state)} initial states were given, and the step has {count}; give one "
            f"for each, or a single one for all"
        )
    return [_initial_state(s, layer) for s in state]


def Fold(
    folder_function: Any,
    go_backwards: Any = default_override_or(False),
    initial_state: Any = default_override_or(0),
    return_full_state: bool = False,
    name: str = "",
) -> Function:
    """Layer that keeps only what a recurrence ends with.

    Args:
        folder_function: a step, as for `Recurrence`.
        go_backwards: whether to begin with the last frame.
        initial_state: the states before the first frame.
        return_full_state: whether all states are outputs, or the first alone.
        name: its name in the graph.

    Returns:
        A function of one sequence; the output has a batch axis alone.

    Example:
        >>> import cntk as C
        >>> x = C.sequence.input_variable(1)
        >>> C.layers.Fold(C.plus)(x).eval({x: [[[1], [2], [3]], [[4]]]})
        array([[6.],
               [4.]], dtype=float32)
    """
    backwards = as_flag(get_default_override(Fold, go_backwards=go_backwards), "Fold: go_backwards")
    state = get_default_override(Fold, initial_state=initial_state)
    name = as_layer_name(name, "Fold")
    recurrence = _recurrence(folder_function, backwards, state, return_full_state, "", "Fold")
    end = ops.sequence.first if backwards else ops.sequence.last
    x = ops.placeholder(name="x")
    return _result(ops.combine([end(v).output for v in recurrence(x).outputs]), (x,), name)


def UnfoldFrom(
    generator_function: Callable[..., Any],
    until_predicate: Callable[[Any], Any] | None = None,
    length_increase: float = 1,
    name: str = "",
) -> Function:
    """Layer that makes a sequence from an initial state, each frame from the one before.

    Args:
        generator_function: a function of the previous state that returns the new one, or a frame
            and the new state.
        until_predicate: a function of a frame that is 1 at the last frame to keep.
        length_increase: how much longer the result may be than the sequence whose axis it follows.
        name: its name in the graph.

    Returns:
        A function of an initial state and of a sequence whose lengths, times ``length_increase``,
        the result has.

    Example:
        >>> import cntk as C
        >>> x = C.sequence.input_variable(1)
        >>> doubling = C.layers.UnfoldFrom(lambda s: s * 2)
        >>> doubling(C.constant(1), x).eval({x: [[[0], [0], [0]]]})
        [array([2., 4., 8.], dtype=float32)]
    """

    _check_of_one(
        generator_function,
        "UnfoldFrom: expected a generator, a function of the previous state that returns the new "
        "one",
    )
    if until_predicate is not None:
        _check_of_one(
            until_predicate, "UnfoldFrom: until_predicate: expected a function of a frame, or None"
        )
    name = as_layer_name(name, "UnfoldFrom")
    length_increase = as_real(length_increase, "UnfoldFrom: length_increase", above=0)

    @Function
    def unfold_from(initial_state: Any, dynamic_axes_like: Any) -> Any:
        like = dynamic_axes_like
        if length_increase != 1:
            like = ops.sequence.where(ops.sequence.broadcast_as(Constant(length_increase), like))
        coming = ForwardDeclaration("unfold_coming")
        state = ops.sequence.past_value(
            ops.reconcile_dynamic_axes(coming, like),
            initial_state=initial_state,
            name="unfold_prev_state",
        )
        made = generator_function(state)
        outputs = _outputs(made)
        whole = ops.combine(outputs)
        whole.replace_placeholders({coming: outputs[-1]})
        output = ops.combine([outputs[0]], name="unfold_output")
        if until_predicate is None:
            return output
        running = Recurrence(
            Function(lambda h, x: (1 - ops.sequence.past_value(x)) * h),
            initial_state=1,
            name="valid_frames",
        )
        return ops.sequence.gather(output, running(until_predicate(output)), name="valid_output")

    return ops.alias(unfold_from, name) if name else unfold_from


def _check_of_one(function: Any, expected: str) -> None:
    """Refuse what cannot be called with one argument; ``expected`` begins the error.

    Raises:
        ArgumentError: for anything else.
    """
    if not callable(function):
        raise ArgumentError(f"{expected}; got {shown(function)}")
    if not takes(function, 1):
        raise ArgumentError(
            f"{expected}; got {name_of(function)}, which takes another number of arguments"
        )


def _outputs(made: Any) -> list[Variable]:
    """Return a generator's outputs as variables: a frame, and the state if it differs."""
    if isinstance(made, Mapping):
        made = tuple(made.values())
    parts = made if isinstance(made, (tuple, list)) else [made]
    outputs = [
        v for part in parts for v in (part.outputs if isinstance(part, Function) else [part])
    ]
    if not 1 <= len(outputs) <= 2 or not all(isinstance(v, Variable) for v in outputs):
        got = f"{len(outputs)} values" if len(outputs) > 2 else repr(made)
        raise TypeError(
            f"UnfoldFrom: the generator must return the new state, or a frame and the new state; "
            f"it returned {got}"
        )
    return outputs


hand_on(globals())
