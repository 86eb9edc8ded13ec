"""Names of the native layer for public objects, which `cntk.cntk_py` re-exports."""

from __future__ import annotations

import importlib
from typing import Any

from cntk._graph.names.kinds import Kind
from cntk._graph.names.misspelt import unknown_name
from cntk.learners import base
from cntk.learners.schedules import (
    MinibatchSizeSchedule,
    TrainingParameterSchedule,
    training_parameter_schedule,
)
from cntk.train import minibatch_size_schedule
from cntk.train.distributed import DistributedLearner

__all__ = [
    "CONSTANTS",
    "Learner",
    "minibatch_size_schedules",
    "names",
    "native_name",
    "training_double_parameter_schedule",
]


CONSTANTS: dict[str, int] = {
    "DataType_UChar": 3,
    "DataUnit_Sweep": 0,
    "DataUnit_Sample": 1,
    "DataUnit_Minibatch": 2,
    "MaskKind_Invalid": 0,
    "MaskKind_Valid": 1,
    "MaskKind_SequenceBegin": 2,
    "ModelFormat_CNTKv2": 0,
    "ModelFormat_ONNX": 1,
    "ParameterCloningMethod_Share": 0,
    "ParameterCloningMethod_Clone": 1,
    "ParameterCloningMethod_Freeze": 2,
    "ParameterCloningMethod_Invalid": 3,
    "StorageFormat_Dense": 0,
    "StorageFormat_SparseCSC": 1,
    "StorageFormat_SparseBlockCol": 2,
    "TimesNoInferredInputRank": -1,
    "TimesReduceSequenceAxisWithoutInferredInputRank": -2,
    "TraceLevel_Error": 0,
    "TraceLevel_Warning": 1,
    "TraceLevel_Info": 2,
    "chunk_id_max": 2**32 - 1,
    "default_param_init_filter_rank": 0,
    "default_param_init_output_rank": 1,
    "default_param_init_scale": 1,
    "default_profiler_buffer_size": 2**25,
    "sentinel_value_for_infer_param_init_rank": 2**31 - 1,
    "sequence_len_max": 2**32 - 1,
}
# Where a name is that is the same in public, by module. Operations are those that take operands and
# a name alone: others count axes the other way round in the native layer, and programs do not call
# them there.
_PUBLIC = {
    "cntk.ops": (
        "abs acos alias asin asinh atan atanh ceil combine cos cosh element_and element_divide "
        "element_max element_min element_or element_times element_xor equal exp floor greater "
        "greater_equal hardmax less less_equal log log_add_exp minus negate not_equal ones_like "
        "plus pow reciprocal round sigmoid sin sinh sqrt square stop_gradient tan tanh zeros_like"
    ),
    "cntk.ops.sequence": "first is_first is_last last",
    "cntk.losses": "binary_cross_entropy squared_error",
    "cntk.learners": "default_unit_gain_value momentum_as_time_constant_schedule",
    "cntk.io": "MinibatchData MinibatchSource StreamConfiguration StreamInformation",
    "cntk.eval": "Evaluator",
    "cntk.train": (
        "CheckpointConfig CrossValidationConfig DistributedLearner TestConfig TrainingSession"
    ),
    "cntk.device": "GPUProperties",
}
_HOMES = {name: (module, name) for module, names in _PUBLIC.items() for name in names.split()} | {
    "re_lu": ("cntk.ops", "relu"),
    "DistributedCommunicator": ("cntk.train", "Communicator"),
    "DistributedWorkerDescriptor": ("cntk.train", "WorkerDescriptor"),
    "mpicommunicator": ("cntk.train", "mpi_communicator"),
}


class _Schedules(type):
    """A class of schedules that is called as the function that makes one."""

    made: type
    make: Any

    def __call__(cls, *arguments: Any) -> Any:
        return cls.make(*arguments)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, cls.made)


class training_double_parameter_schedule(metaclass=_Schedules):  # noqa: N801
    """Schedules of rates and momenta; called with a number, makes one.

    Example:
        >>> import cntk as C
        >>> isinstance(C.learning_parameter_schedule(0.1), training_double_parameter_schedule)
        True
        >>> training_double_parameter_schedule(0.1)[0]
        0.1
    """

    made, make = TrainingParameterSchedule, staticmethod(training_parameter_schedule)


class minibatch_size_schedules(metaclass=_Schedules):  # noqa: N801
    """Schedules of minibatch sizes; called with a number, makes one."""

    made, make = MinibatchSizeSchedule, staticmethod(minibatch_size_schedule)


class _EveryLearner(Kind):
    """The native layer's class of learners, which distributed ones are of as well."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return super().__instancecheck__(instance) or (
            cls is Learner and isinstance(instance, _LEARNERS)
        )

    def __subclasscheck__(cls, subclass: type) -> bool:
        return super().__subclasscheck__(subclass) or (
            cls is Learner and issubclass(subclass, _LEARNERS)
        )


class Learner(base.Learner, metaclass=_EveryLearner):
    """Every learner, distributed ones included.

    Example:
        >>> import cntk as C
        >>> learner = C.sgd([C.parameter(2)], C.learning_parameter_schedule(0.1))
        >>> (
        ...     isinstance(C.data_parallel_distributed_learner(learner), Learner),
        ...     isinstance(learner, Learner),
        ... )
        (True, True)
    """


_LEARNERS = (base.Learner, DistributedLearner)
_OWN = {
    "training_double_parameter_schedule": training_double_parameter_schedule,
    "minibatch_size_schedule": minibatch_size_schedules,
}


def native_name(name: str) -> Any:
    """Return what the native layer has under a name that is something public.

    Raises:
        AttributeError: if it is none.

    Example:
        >>> import cntk as C
        >>> native_name("square") is C.square, native_name("StorageFormat_SparseCSC")
        (True, 1)
    """
    if name in CONSTANTS:
        return CONSTANTS[name]
    if name in _OWN:
        return _OWN[name]
    if name not in _HOMES:
        raise unknown_name("cntk.cntk_py", name, names)
    module, public = _HOMES[name]
    return getattr(importlib.import_module(module), public)


def names() -> list[str]:
    """Return all of these names."""
    return [*CONSTANTS, *_OWN, *_HOMES]
