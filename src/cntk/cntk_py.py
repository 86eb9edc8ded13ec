"""Names of the original's native layer that programs use directly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from cntk import device, variables
from cntk._arguments import as_bool, as_integer
from cntk._compiler.observation import OBSERVATION
from cntk._graph.function import Function
from cntk._graph.names.naming import allow_renaming_functions, next_uid as generate_uid
from cntk._graph.types import FreeDimension, InferredDimension
from cntk._graph.variable import Variable, VariableKind
from cntk._ops.user.native_function import is_native_user_function_registered
from cntk._persist.protobuf.value import Dictionary, DictionaryValue
from cntk._runtime.random.seeds import (
    SentinelValueForAutoSelectRandomSeed as sentinel_value_for_auto_select_random_seed,
    force_deterministic_algorithms,
    get_random_seed,
    is_random_seed_fixed,
    next_seed as generate_random_seed,
    reset_random_seed,
    set_dropout_compatibility,
    set_fixed_random_seed,
    should_force_deterministic_algorithms,
)
from cntk.axis import Axis
from cntk.core import NDArrayView, Value
from cntk.debugging.debug import set_checked_mode, set_computation_network_trace_level
from cntk.debugging.profiler import disable_profiler, enable_profiler, start_profiler, stop_profiler
from cntk.device import DeviceDescriptor
from cntk.initializer import constant_initializer
from cntk.internal.native_learners import (
    AdditionalLearningOptions,
    SizeTWrapper,
    ada_delta_learner,
    ada_grad_learner,
    adam_learner,
    fsada_grad_learner,
    momentum_sgd_learner,
    nesterov_learner,
    rmsprop_learner,
    sgd_learner,
)
from cntk.internal.native_names import Learner, native_name
from cntk.internal.native_shape import NDShape
from cntk.internal.utils import DictionaryValueFromDict, DictionaryValueFromNDArrayView
from cntk.io._source.source_config import MinibatchSourceConfig, OptionalBool, to_dictionary
from cntk.learners import base
from cntk.learners.options import set_default_unit_gain_value
from cntk.learners.user import Universal
from cntk.logging import get_trace_level, set_trace_level
from cntk.logging.event_file import TensorBoardFileWriter
from cntk.logging.progress_writer import ProgressWriter
from cntk.train.distributed import Communicator
from cntk.train.trainer import Trainer

__all__ = [
    "AdditionalLearningOptions",
    "Axis",
    "Constant",
    "DataType_Double",
    "DataType_Float",
    "DataType_Float16",
    "DataType_Int16",
    "DataType_Int8",
    "DataType_Unknown",
    "DeviceDescriptor",
    "DeviceKind_CPU",
    "DeviceKind_GPU",
    "Dictionary",
    "DictionaryValue",
    "DictionaryValueFromDict",
    "DictionaryValueFromNDArrayView",
    "FreeDimension",
    "Function",
    "InferredDimension",
    "Learner",
    "MinibatchSourceConfig",
    "NDArrayView",
    "NDShape",
    "OptionalBool",
    "PaddingMode_CONSTANTPAD",
    "PaddingMode_REFLECTPAD",
    "PaddingMode_SYMMETRICPAD",
    "Parameter",
    "PoolingType_Average",
    "PoolingType_Max",
    "ProgressWriter",
    "SizeTWrapper",
    "TensorBoardFileWriter",
    "Trainer",
    "Value",
    "Variable",
    "VariableKind_Constant",
    "VariableKind_Input",
    "VariableKind_Output",
    "VariableKind_Parameter",
    "VariableKind_Placeholder",
    "ada_delta_learner",
    "ada_grad_learner",
    "adam_learner",
    "allow_renaming_functions",
    "always_allow_setting_default_device",
    "are_equal",
    "constant_initializer",
    "disable_cpueval_optimization",
    "disable_forward_values_sharing",
    "disable_gradient_accumulation_optimization",
    "disable_node_timeing",
    "disable_profiler",
    "enable_cpueval_optimization",
    "enable_forward_values_sharing",
    "enable_gradient_accumulation_optimization",
    "enable_node_timing",
    "enable_profiler",
    "force_deterministic_algorithms",
    "fsada_grad_learner",
    "generate_random_seed",
    "generate_uid",
    "get_max_num_cputhreads",
    "get_random_seed",
    "get_trace_level",
    "is_native_user_function_registered",
    "is_random_seed_fixed",
    "momentum_sgd_learner",
    "nesterov_learner",
    "number_of_workers",
    "reset_random_seed",
    "rmsprop_learner",
    "sentinel_value_for_auto_select_random_seed",
    "set_checked_mode",
    "set_computation_network_trace_level",
    "set_default_unit_gain_value",
    "set_dropout_compatibility",
    "set_fixed_random_seed",
    "set_gpumemory_allocation_trace_level",
    "set_math_lib_trace_level",
    "set_max_num_cputhreads",
    "set_trace_level",
    "sgd_learner",
    "should_force_deterministic_algorithms",
    "should_use_sparse_gradient_aggregation_in_data_parallel_sgd",
    "start_profiler",
    "stop_profiler",
    "to_dictionary",
    "universal_learner",
    "use_sparse_gradient_aggregation_in_data_parallel_sgd",
    "worker_global_rank",
]

DataType_Unknown = 0
DataType_Float = 1
DataType_Double = 2
DataType_Float16 = 4
DataType_Int8 = 5
DataType_Int16 = 6

DeviceKind_CPU = device.DeviceKind.CPU
DeviceKind_GPU = device.DeviceKind.GPU

VariableKind_Input = VariableKind.Input
VariableKind_Output = VariableKind.Output
VariableKind_Parameter = VariableKind.Parameter
VariableKind_Constant = VariableKind.Constant
VariableKind_Placeholder = VariableKind.Placeholder

PoolingType_Max, PoolingType_Average = 0, 1
PaddingMode_CONSTANTPAD, PaddingMode_REFLECTPAD, PaddingMode_SYMMETRICPAD = 0, 1, 2


class _NativeOrder(type):
    """A class of variables whose arguments are in the native layer's order."""

    made: type
    value_name: str

    def __call__(
        cls,
        shape: Any,
        data_type: Any,
        value: Any,
        device: DeviceDescriptor | None = None,
        name: str = "",
    ) -> Any:
        return cls.made(
            shape=shape, dtype=data_type, device=device, name=name, **{cls.value_name: value}
        )

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, cls.made)


class Parameter(metaclass=_NativeOrder):
    """`cntk.Parameter` with the arguments ``Parameter(shape, data_type, value, device, name)``.

    Example:
        >>> Parameter((1, 2), DataType_Float, 5.0).value
        array([[5., 5.]], dtype=float32)
    """

    made = variables.Parameter
    value_name = "init"


class Constant(metaclass=_NativeOrder):
    """`cntk.Constant` with the arguments ``Constant(shape, data_type, value, device, name)``."""

    made = variables.Constant
    value_name = "value"


def always_allow_setting_default_device() -> None:
    """Allow changes of the default device after it has been in use. Here they always are."""


def are_equal(left: NDArrayView | Value, right: NDArrayView | Value) -> bool:
    """Return whether two arrays have the same shape, dtype and elements.

    Args:
        left: one of them.
        right: the other; `NDArrayView` or `Value`.

    Example:
        >>> are_equal(NDArrayView((2,), DataType_Float), NDArrayView((3,), DataType_Float))
        False
    """
    if left.dtype != right.dtype or left.shape != right.shape:
        return False
    one, other = (v.data.tensor if isinstance(v, Value) else v.tensor for v in (left, right))
    return torch.equal(one, other.to(one.device))


def universal_learner(
    parameters: Sequence[variables.Parameter],
    gradients: Sequence[variables.Constant],
    update_func: Function,
) -> base.Learner:
    """Create a learner whose rule is a CNTK function of constants that stand for the gradients.

    Args:
        parameters: what the function assigns to.
        gradients: for each parameter a constant of its shape; it is given the gradient, summed over
            the minibatch.
        update_func: the function that is evaluated after each minibatch.

    Raises:
        ValueError: if there are no parameters, or not one constant for each.
        RuntimeError: if the function leaves a parameter out.

    Example:
        >>> import cntk as C
        >>> w, g = C.parameter(2, init=1), C.constant(0, shape=2)
        >>> learner = universal_learner([w], [g], C.assign(w, w - 0.5 * g))
        >>> learner.update({w: [1, 2]}, 1)
        True
        >>> w.value
        array([0.5, 0. ], dtype=float32)
    """
    if len(gradients) != len(parameters):
        raise ValueError(
            f"universal_learner: expected a constant for each parameter's gradient, got "
            f"{len(gradients)} for {len(parameters)} parameters"
        )
    return Universal(parameters, gradients, update_func)


def enable_node_timing() -> None:
    """Turn the timing of operations on; see `cntk.debugging.set_node_timing`."""
    OBSERVATION.switch(times=True)


def disable_node_timeing() -> None:
    """Turn the timing of operations off. The name is the original's."""
    OBSERVATION.switch(times=False)


def get_max_num_cputhreads() -> int:
    """Return the number of CPU threads that an operation may use."""
    return torch.get_num_threads()


def set_max_num_cputhreads(num_cputhreads: int) -> None:
    """Set the number of CPU threads that an operation may use.

    Args:
        num_cputhreads: the number, at least 1.
    """
    torch.set_num_threads(num_cputhreads)


number_of_workers = Communicator.num_workers
worker_global_rank = Communicator.rank


def enable_forward_values_sharing() -> None:
    """Do nothing; for programs that call it. A plan always frees values that are not read any
    more.
    """


def disable_forward_values_sharing() -> None:
    """Do nothing; for programs that call it before they look at values inside a graph: ask for
    these as outputs.
    """


def enable_gradient_accumulation_optimization() -> None:
    """Do nothing; for programs that call it. Gradients are always accumulated in place."""


def disable_gradient_accumulation_optimization() -> None:
    """Do nothing; for programs that call it. Results are the same either way."""


def enable_cpueval_optimization() -> None:
    """Do nothing; for programs that call it. Plans for a CPU are always optimized."""


def disable_cpueval_optimization() -> None:
    """Do nothing; for programs that call it. Results are the same either way."""


def set_gpumemory_allocation_trace_level(level: int) -> None:
    """Check the level, and do nothing; ``torch.cuda.memory`` reports a GPU's memory."""
    as_integer(level, "set_gpumemory_allocation_trace_level: level", least=-(2**31), most=2**31 - 1)


def set_math_lib_trace_level(level: int) -> None:
    """Check the level, and do nothing: there is no such library to be traced."""
    as_integer(level, "set_math_lib_trace_level: level", least=-(2**31), most=2**31 - 1)


_sparse_aggregation = [False]


def use_sparse_gradient_aggregation_in_data_parallel_sgd(enable: bool) -> None:
    """Accept a setting of programs: sums over processes are the same either way.

    Args:
        enable: what `should_use_sparse_gradient_aggregation_in_data_parallel_sgd` gives from now
            on.
    """
    _sparse_aggregation[0] = as_bool(enable, "use_sparse_gradient_aggregation_in_data_parallel_sgd")


def should_use_sparse_gradient_aggregation_in_data_parallel_sgd() -> bool:
    """Return the last argument of `use_sparse_gradient_aggregation_in_data_parallel_sgd`; at first
    False.
    """
    return _sparse_aggregation[0]


def __getattr__(name: str) -> Any:
    return native_name(name)
