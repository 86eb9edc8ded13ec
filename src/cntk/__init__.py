"""Microsoft Cognitive Toolkit's Python interface, on PyTorch.

Write a model for one sample or one sequence; batches, padding, masks and time loops never appear.

Example:
    >>> import cntk as C
    >>> x = C.input_variable(2, name="x")
    >>> print(C.sigmoid(x @ C.parameter((2, 3), init=0)))
    Composite(x: Tensor[2]) -> Tensor[3]
"""

import os

from cntk import (
    _openmp as _openmp,
    cntk_py as cntk_py,
    debugging as debugging,
    device as device,
    errors as errors,
    eval as eval,
    internal as internal,
    io as io,
    layers as layers,
    learners as learners,
    logging as logging,
    losses as losses,
    metrics as metrics,
    misc as misc,
    ops as ops,
    random as random,
    sample_installer as sample_installer,
    tensor as tensor,
    train as train,
    typing as typing,
)
from cntk._graph.names.late_names import hand_on
from cntk._graph.types import FreeDimension as FreeDimension, InferredDimension as InferredDimension
from cntk.axis import Axis as Axis
from cntk.core import (
    NDArrayView as NDArrayView,
    Value as Value,
    asarray as asarray,
    asvalue as asvalue,
    user_function as user_function,
)
from cntk.default_options import (
    default_options as default_options,
    default_options_for as default_options_for,
    default_override_or as default_override_or,
    get_default_override as get_default_override,
    get_global_option as get_global_option,
    is_default_override as is_default_override,
    set_global_option as set_global_option,
)
from cntk.device import (
    DeviceDescriptor as DeviceDescriptor,
    DeviceKind as DeviceKind,
    all_devices as all_devices,
    cpu as cpu,
    get_gpu_properties as get_gpu_properties,
    gpu as gpu,
    set_excluded_devices as set_excluded_devices,
    try_set_default_device as try_set_default_device,
    use_default_device as use_default_device,
)
from cntk.eval import Evaluator as Evaluator, evaluator as evaluator
from cntk.initializer import *
from cntk.internal import (
    data_type_to_dtype as data_type_to_dtype,
    map_if_possible as map_if_possible,
    sanitize_axis as sanitize_axis,
    sanitize_axis_list as sanitize_axis_list,
    sanitize_batch as sanitize_batch,
    sanitize_convolution_args as sanitize_convolution_args,
    sanitize_dtype_cntk as sanitize_dtype_cntk,
    sanitize_dynamic_axes as sanitize_dynamic_axes,
    sanitize_function as sanitize_function,
    sanitize_input as sanitize_input,
    sanitize_multi_axis_reduction_list as sanitize_multi_axis_reduction_list,
    sanitize_permutation as sanitize_permutation,
    sanitize_pooling_args as sanitize_pooling_args,
    sanitize_shape as sanitize_shape,
    sanitize_var_map as sanitize_var_map,
    typemap as typemap,
    utils as utils,
)
from cntk.internal.utils import (
    _to_cntk_dict_value as _to_cntk_dict_value,
    get_data_type as get_data_type,
)
from cntk.learners import *
from cntk.losses import *
from cntk.metrics import *
from cntk.ops import *
from cntk.ops import sequence as sequence
from cntk.random import auto_select as auto_select
from cntk.sample_installer import install_samples as install_samples
from cntk.train import (
    CheckpointConfig as CheckpointConfig,
    Communicator as Communicator,
    CrossValidationConfig as CrossValidationConfig,
    DataUnit as DataUnit,
    DistributedLearner as DistributedLearner,
    TestConfig as TestConfig,
    Trainer as Trainer,
    TrainingSession as TrainingSession,
    WorkerDescriptor as WorkerDescriptor,
    block_momentum_distributed_learner as block_momentum_distributed_learner,
    data_parallel_distributed_learner as data_parallel_distributed_learner,
    distributed as distributed,
    minibatch_size_schedule as minibatch_size_schedule,
    mpi_communicator as mpi_communicator,
    trainer as trainer,
    training_session as training_session,
)
from cntk.variables import (
    Constant as Constant,
    Parameter as Parameter,
    Record as Record,
    Variable as Variable,
)

__version__ = "3.0.0"

cntk_library_path = os.path.dirname(__file__)
"""Where the package lies."""

hand_on(globals())
