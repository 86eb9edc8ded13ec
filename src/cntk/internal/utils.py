"""The original's helpers for programs: evaluation in one call, values for files, arguments of
Python functions.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from cntk._graph.bfloat16 import is_computed
from cntk._graph.function import Function
from cntk._graph.names.late_names import hand_on
from cntk._graph.variable import Variable
from cntk._persist.protobuf.value import Dictionary, DictionaryValue
from cntk._runtime.numpy_tensors import array_of
from cntk.core import NDArrayView, Value
from cntk.internal.sanitize import sanitize_dtype_numpy

__all__ = [
    "DictionaryValueFromDict",
    "DictionaryValueFromNDArrayView",
    "eval",
    "get_data_type",
    "get_python_function_arguments",
    "map_function_arguments",
]


def get_data_type(*args: Any) -> Any:
    """Return the dtype that operands share: the variables', or the data's if no variable has one;
    the widest of them.

    Args:
        *args: variables, functions, numbers, arrays and values.

    Returns:
        A NumPy scalar type; numbers without a dtype of their own count as float32. None if nothing
        has one.
    """
    of_variables: set[Any] = set()
    of_data: set[Any] = set()
    for arg in args:
        if isinstance(arg, Function):
            of_variables.update(v.dtype for v in arg.outputs)
        elif isinstance(arg, Variable):
            of_variables.add(arg.dtype)
        else:
            of_data.add(_format(arg))
    of_variables.discard(None)
    dtypes = of_variables or of_data
    return max(
        dtypes,
        key=lambda format_: (np.dtype(format_).itemsize, format_ is np.float16),
        default=None,
    )


def _format(data: Any) -> Any:
    if isinstance(data, torch.Tensor):
        data = array_of(data)
    dtype = getattr(data, "dtype", None)
    format_ = np.float32 if dtype is None else np.dtype(dtype).type
    return format_ if is_computed(np.dtype(format_)) else np.float32


def get_python_function_arguments(f: Callable[..., Any]) -> tuple[list[str], dict[str, Any]]:
    """Return the names of a Python function's parameters without a default, and the annotations of
    all with one.

    Example:
        >>> def step(x: int, rate: float = 0.5): ...
        >>> get_python_function_arguments(step)
        (['x'], {'x': <class 'int'>, 'rate': <class 'float'>})
    """
    parameters = inspect.signature(f, eval_str=True).parameters.values()
    plain = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = [p.name for p in parameters if p.kind in plain and p.default is p.empty]
    return names, {p.name: p.annotation for p in parameters if p.annotation is not p.empty}


def map_function_arguments(
    params: Sequence[str], params_dict: Mapping[str, Any], *args: Any, **kwargs: Any
) -> dict[Any, Any]:
    """Map a call's arguments to values by parameter.

    Args:
        params: the parameters' names, in order.
        params_dict: by name what stands for each.
        *args: values in the order of the parameters.
        **kwargs: values by name.

    Raises:
        TypeError: for a name that no parameter has.
    """
    result = dict(zip(params, args, strict=False))
    for name, value in kwargs.items():
        if name not in params_dict:
            raise TypeError(
                f"got an unexpected keyword argument '{name}'; the parameters are "
                f"{', '.join(params)}"
            )
        result[params_dict[name]] = value
    return result


def eval(
    op: Function,
    arguments: Any = None,
    precision: Any = None,
    device: Any = None,
    backward_pass: bool = False,
    expected_backward: Any = None,
) -> tuple[dict[Variable, Any], dict[Variable, Any] | None]:
    """Run a function forward and, if asked, backward from gradients of ones.

    Args:
        op: the function.
        arguments: data for its arguments.
        precision: dtype of the gradients.
        device: where to run.
        backward_pass: whether gradients are wanted.
        expected_backward: the variables whose gradients are wanted.

    Returns:
        The outputs and the gradients (None if not wanted), by variable.
    """
    if not backward_pass:
        return op.forward(arguments, op.outputs, None, device)[1], None
    state, forward = op.forward(arguments, op.outputs, op.outputs, device)
    roots = {v: _ones_like(forward[v], precision) for v in op.outputs}
    return forward, op.backward(
        state, roots, expected_backward if expected_backward is not None else op.arguments
    )


def _ones_like(batch: Any, precision: Any) -> Any:
    """Return ones in the form of a result: an array, or a list of arrays for sequences."""
    dtype = sanitize_dtype_numpy(precision)
    if isinstance(batch, list):
        return [np.ones_like(sequence, dtype=dtype) for sequence in batch]
    return np.ones_like(batch, dtype=dtype)


def _to_cntk_dict_value(py_value: Any) -> DictionaryValue:
    """Convert a value for a file; refuse arrays of dtypes that files do not hold."""
    return DictionaryValue(py_value)


def _py_dict_to_cntk_dict(py_dict: Mapping[str, Any]) -> Dictionary:
    """Convert a dictionary for a file."""
    result = Dictionary()
    for key, value in py_dict.items():
        result[key] = value
    return result


def DictionaryValueFromDict(dict: Dictionary) -> DictionaryValue:  # noqa: N802
    """Convert a dictionary to one value for a file.

    Raises:
        TypeError: for anything but a `Dictionary`.
    """
    if not isinstance(dict, Dictionary):
        raise TypeError(
            f"DictionaryValueFromDict: expected a Dictionary, got {type(dict).__name__}"
        )
    return DictionaryValue(dict)


def DictionaryValueFromNDArrayView(value: NDArrayView) -> DictionaryValue:  # noqa: N802
    """Convert an array to one value for a file.

    Raises:
        TypeError: for anything but an `NDArrayView`.

    Example:
        >>> view = NDArrayView.from_dense(np.ones((2, 3), np.float32))
        >>> DictionaryValue.type_name(DictionaryValueFromNDArrayView(view).value_type())
        'NDArrayView'
    """
    if not isinstance(value, NDArrayView):
        raise TypeError(
            f"DictionaryValueFromNDArrayView: expected an NDArrayView, got {type(value).__name__}"
        )
    return DictionaryValue(value.asarray())


def _value_as_sequence(val: Value, var: Variable) -> list[Any]:
    """Convert a value to a list: an array for each sequence, or for each sample of a variable
    without a sequence axis.
    """
    return list(val.as_sequences(var))


def _value_as_sequence_or_array(val: Value | NDArrayView, var: Variable) -> Any:
    """Convert a value to the form of a result of `var`: a list with an array for each sequence,
    else one array.
    """
    sequences = isinstance(val, Value) and len(var.dynamic_axes) == 2
    return val.as_sequences(var) if isinstance(val, Value) and sequences else val.asarray()


hand_on(globals())
