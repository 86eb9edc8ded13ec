"""Names that libraries import from the original although they begin with an underscore, defined in
one place.

The modules that have them in the original return them by `name_in`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from numbers import Real
from typing import Any

from cntk._arguments import is_real
from cntk._graph.function import Function
from cntk._graph.names.handed_on import handed_on
from cntk._graph.types import InferredDimension
from cntk._ops.support.structure import combine
from cntk.errors import ArgumentError
from cntk.initializer import Initializer, constant_initializer, initializer_with_rank
from cntk.internal.homes import at_home
from cntk.internal.layer_names import _pad_to_shape, _RecurrentBlock, _window
from cntk.internal.tuples import _as_tuple as _as_tuple
from cntk.internal.utils import (
    _py_dict_to_cntk_dict,
    _to_cntk_dict_value,
    _value_as_sequence_or_array,
)
from cntk.learners.schedules import IGNORE, TrainingParameterSchedule, learning_parameter_schedule
from cntk.variables import Constant

__all__ = ["NAMES", "name_in"]


_INFERRED = (InferredDimension,)


def _inject_name(f: Function, name: str) -> Function:
    """Return a function of the same outputs that has a name; the function itself for the name ''.

    Example:
        >>> import cntk as C
        >>> _inject_name(C.relu(C.input_variable(3)), "active").name
        'active'
    """
    if not name:
        return f
    if not isinstance(f, Function):
        raise ArgumentError(f"expected a function to give the name '{name}', got {f!r}")
    return combine(list(f.outputs), name=name)


def _initializer_for(init: Any, rank_params: Mapping[str, int] | None = None) -> Any:
    """Return a parameter's initializer: an initializer for a number, an initializer with ranks, an
    array as it is.

    Args:
        init: an initializer, a number or an array.
        rank_params: arguments of `cntk.initializer.initializer_with_rank`.

    Raises:
        ValueError: for None.
        ArgumentError: for a string.

    Example:
        >>> _initializer_for(0.5).sample((2,), "float32", 0)
        array([0.5, 0.5], dtype=float32)
    """
    if init is None:
        raise ValueError("init parameter cannot be None: give an initializer, a number or an array")
    if isinstance(init, Initializer):
        return initializer_with_rank(init, **rank_params) if rank_params else init
    if is_real(init):
        return constant_initializer(init)
    if isinstance(init, str):
        raise ArgumentError(f"expected an initializer, a number or an array as init, got {init!r}")
    return init


def _get_initial_state_or_default(initial_state: Any) -> Any:
    """Return the initial state of a recurrence: a constant of 0 for None, a constant for a number,
    else the argument.

    Example:
        >>> _get_initial_state_or_default(None).value, _get_initial_state_or_default(3).value
        (array(0., dtype=float32), array([3.], dtype=float32))
    """
    if initial_state is None:
        return Constant(0)
    return (
        Constant(initial_state, shape=(1,))
        if isinstance(initial_state, (Real, str))
        else initial_state
    )


def _sanitize_function(f: Any) -> Any:
    """Return a Python function as a `Function`; what is a graph already, or a list, is left as it
    is.
    """
    return f if isinstance(f, Function) or not callable(f) else Function(f)


def _infer_ref_minibatch_size_from_legacy_use_mean_gradient(
    ref_minibatch_size: int | None, use_mean_gradient: bool | None
) -> int | None:
    """Return a learner's reference minibatch size: that of the minibatch itself where older
    programs ask for the mean.
    """
    return IGNORE if ref_minibatch_size is None and use_mean_gradient else ref_minibatch_size


def _infer_learning_parameter_schedule(
    number_or_schedule: Any,
    ref_minibatch_size: int | None,
    epoch_size: int | None,
    use_mean_gradient: bool | None = None,
) -> TrainingParameterSchedule:
    """Return a number, a list or a schedule as a schedule with a reference minibatch size, its own
    if it has one.

    Args:
        number_or_schedule: as for `cntk.learning_parameter_schedule`.
        ref_minibatch_size: the learner's reference minibatch size.
        epoch_size: samples in an epoch.
        use_mean_gradient: whether a rate per sample is one for the mean, as in older programs.

    Raises:
        ValueError: for anything else.
    """
    if not isinstance(number_or_schedule, (TrainingParameterSchedule, Real, list)):
        raise ValueError(
            f"expected a number, a list or a training schedule, got {number_or_schedule!r}"
        )
    made = learning_parameter_schedule(number_or_schedule, ref_minibatch_size, epoch_size)
    if (
        isinstance(number_or_schedule, TrainingParameterSchedule)
        and not made.is_minibatch_size_explicitly_specified
    ):
        made = replace(made, minibatch_size=ref_minibatch_size or IGNORE)
    return (
        replace(made, minibatch_size=IGNORE)
        if use_mean_gradient and made.minibatch_size == 1
        else made
    )


def _infer_learning_rate_schedule_and_ref_minibatch_size(
    use_mean_gradient: bool | None,
    ref_minibatch_size: int | None,
    schedule: Any,
    epoch_size: int | None,
) -> tuple[TrainingParameterSchedule, int | None]:
    """Return a learning rate as a schedule, and the learner's reference minibatch size.

    Example:
        >>> schedule, size = _infer_learning_rate_schedule_and_ref_minibatch_size(
        ...     None, 5, 0.1, None
        ... )
        >>> schedule[0], schedule.minibatch_size, size
        (0.1, 5, 5)
    """
    size = _infer_ref_minibatch_size_from_legacy_use_mean_gradient(
        ref_minibatch_size, use_mean_gradient
    )
    return _infer_learning_parameter_schedule(schedule, size, epoch_size, use_mean_gradient), size


def _verify_momentum_type(momentum: Any) -> None:
    """Check that a momentum is a schedule.

    Raises:
        ValueError: if it is none.
    """
    if not isinstance(momentum, TrainingParameterSchedule):
        raise ValueError(
            f"momentum: expected a schedule such as momentum_schedule(0.9), got {momentum!r}"
        )


def _verify_learning_rate_type(learning_rate: Any) -> None:
    """Check that a learning rate is a schedule.

    Raises:
        ValueError: if it is none.
    """
    if not isinstance(learning_rate, TrainingParameterSchedule):
        raise ValueError(
            f"learning rate: expected a schedule such as learning_parameter_schedule(0.1), got "
            f"{learning_rate!r}"
        )


def _prepare_training_parameter_list(schedule: Any) -> Any:
    """Return a list of values, or of pairs of a count and a value, as pairs; anything else as it
    is.

    Example:
        >>> _prepare_training_parameter_list([(2, 0.1), 0.2])
        [(2, 0.1), (1, 0.2)]
    """
    if not isinstance(schedule, list):
        return schedule
    return [value if isinstance(value, tuple) else (1, value) for value in schedule]


_LEARNERS = (
    _prepare_training_parameter_list,
    _infer_learning_parameter_schedule,
    _infer_learning_rate_schedule_and_ref_minibatch_size,
    _infer_ref_minibatch_size_from_legacy_use_mean_gradient,
    _verify_learning_rate_type,
    _verify_momentum_type,
)
_DICTIONARIES = (_py_dict_to_cntk_dict, _to_cntk_dict_value)
_STATE = (_get_initial_state_or_default, _inject_name)


def _by_name(*functions: Callable[..., Any], **others: Any) -> dict[str, Any]:
    return {f.__name__: f for f in functions} | others


# What each module hands out besides its own names. The spelling is the original's.
NAMES: dict[str, dict[str, Any]] = {
    "cntk.layers.blocks": _by_name(
        *_STATE, _as_tuple, _initializer_for, _RecurrentBlock, _INFERRED=_INFERRED
    ),
    "cntk.layers.layers": _by_name(
        _as_tuple, _initializer_for, _pad_to_shape, _window, _INFERRED=_INFERRED
    ),
    "cntk.layers.typing": _by_name(_as_tuple),
    "cntk.ops.functions": _by_name(_as_tuple, *_DICTIONARIES, _value_as_sequence_or_array),
    "cntk.train.trainer": _by_name(_py_dict_to_cntk_dict, _value_as_sequence_or_array),
    "cntk.train.training_session": _by_name(_as_tuple),
    "cntk.io": _by_name(_py_dict_to_cntk_dict),
    "cntk.layers.higher_order_layers": _by_name(_inject_name),
    "cntk.layers.models.attention": _by_name(_inject_name),
    "cntk.layers.sequence": _by_name(
        *_STATE, _sanitize_function, _santize_step_function=_sanitize_function
    ),
    "cntk.learners": _by_name(*_LEARNERS),
    "cntk.internal": _by_name(_as_tuple),
    "cntk.internal.sanitize": _by_name(_as_tuple),
}


def name_in(module: str, name: str) -> Any:
    """Return what a module of the original has under a name.

    Args:
        module: the module's full name.
        name: what is looked for.

    Raises:
        AttributeError: if it has no such name.
    """
    try:
        return at_home(name) if name in handed_on(module) else NAMES[module][name]
    except KeyError:
        raise AttributeError(f"module '{module}' has no attribute '{name}'") from None
