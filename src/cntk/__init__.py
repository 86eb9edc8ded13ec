"""Microsoft Cognitive Toolkit's Python interface, on PyTorch.

Write a model for one sample or one sequence; batches, padding, masks and time loops never appear.

Example:
    >>> import cntk as C
    >>> x = C.input_variable(2, name='x')
    >>> print(C.sigmoid(x @ C.parameter((2, 3), init=0)))
    Composite(x: Tensor[2]) -> Tensor[3]
"""

import os

from cntk import (
    _openmp as _openmp,
)
from cntk import (
    cntk_py as cntk_py,
)
from cntk import (
    debugging as debugging,
)
from cntk import (
    device as device,
)
from cntk import (
    eval as eval,
)
from cntk import (
    internal as internal,
)
from cntk import (
    io as io,
)
from cntk import (
    layers as layers,
)
from cntk import (
    learners as learners,
)
from cntk import (
    logging as logging,
)
from cntk import (
    losses as losses,
)
from cntk import (
    metrics as metrics,
)
from cntk import (
    misc as misc,
)
from cntk import (
    ops as ops,
)
from cntk import (
    random as random,
)
from cntk import (
    sample_installer as sample_installer,
)
from cntk import (
    tensor as tensor,
)
from cntk import (
    train as train,
)
from cntk._graph.late_names import hand_on
from cntk._graph.types import FreeDimension as FreeDimension
from cntk._graph.types import InferredDimension as InferredDimension
from cntk.axis import Axis as Axis
from cntk.core import NDArrayView as NDArrayView
from cntk.core import Value as Value
from cntk.core import asarray as asarray
from cntk.core import asvalue as asvalue
from cntk.core import user_function as user_function
from cntk.default_options import (
    default_options as default_options,
)
from cntk.default_options import (
    default_options_for as default_options_for,
)
from cntk.default_options import (
    default_override_or as default_override_or,
)
from cntk.default_options import (
    get_default_override as get_default_override,
)
from cntk.default_options import (
    get_global_option as get_global_option,
)
from cntk.default_options import (
    is_default_override as is_default_override,
)
from cntk.default_options import (
    set_global_option as set_global_option,
)
from cntk.device import (
    DeviceDescriptor as DeviceDescriptor,
)
from cntk.device import (
    DeviceKind as DeviceKind,
)
from cntk.device import (
    all_devices as all_devices,
)
from cntk.device import (
    cpu as cpu,
)
from cntk.device import (
    get_gpu_properties as get_gpu_properties,
)
from cntk.device import (
    gpu as gpu,
)
from cntk.device import (
    set_excluded_devices as set_excluded_devices,
)
from cntk.device import (
    try_set_default_device as try_set_default_device,
)
from cntk.device import (
    use_default_device as use_default_device,
)
from cntk.eval import Evaluator as Evaluator
from cntk.eval import evaluator as evaluator
from cntk.initializer import *
from cntk.internal import data_type_to_dtype as data_type_to_dtype
from cntk.internal import map_if_possible as map_if_possible
from cntk.internal import sanitize_axis as sanitize_axis
from cntk.internal import sanitize_axis_list as sanitize_axis_list
from cntk.internal import sanitize_batch as sanitize_batch
from cntk.internal import sanitize_convolution_args as sanitize_convolution_args
from cntk.internal import sanitize_dtype_cntk as sanitize_dtype_cntk
from cntk.internal import sanitize_dynamic_axes as sanitize_dynamic_axes
from cntk.internal import sanitize_function as sanitize_function
from cntk.internal import sanitize_input as sanitize_input
from cntk.internal import sanitize_multi_axis_reduction_list as sanitize_multi_axis_reduction_list
from cntk.internal import sanitize_permutation as sanitize_permutation
from cntk.internal import sanitize_pooling_args as sanitize_pooling_args
from cntk.internal import sanitize_shape as sanitize_shape
from cntk.internal import sanitize_var_map as sanitize_var_map
from cntk.internal import typemap as typemap
from cntk.internal import utils as utils
from cntk.internal.utils import _to_cntk_dict_value as _to_cntk_dict_value
from cntk.internal.utils import get_data_type as get_data_type
from cntk.learners import *
from cntk.losses import *
from cntk.metrics import *
from cntk.ops import *
from cntk.ops import sequence as sequence
from cntk.random import auto_select as auto_select
from cntk.sample_installer import install_samples as install_samples
from cntk.train import CheckpointConfig as CheckpointConfig
from cntk.train import Communicator as Communicator
from cntk.train import CrossValidationConfig as CrossValidationConfig
from cntk.train import DataUnit as DataUnit
from cntk.train import DistributedLearner as DistributedLearner
from cntk.train import TestConfig as TestConfig
from cntk.train import Trainer as Trainer
from cntk.train import TrainingSession as TrainingSession
from cntk.train import WorkerDescriptor as WorkerDescriptor
from cntk.train import block_momentum_distributed_learner as block_momentum_distributed_learner
from cntk.train import data_parallel_distributed_learner as data_parallel_distributed_learner
from cntk.train import distributed as distributed
from cntk.train import minibatch_size_schedule as minibatch_size_schedule
from cntk.train import mpi_communicator as mpi_communicator
from cntk.train import trainer as trainer
from cntk.train import training_session as training_session
from cntk.variables import Constant as Constant
from cntk.variables import Parameter as Parameter
from cntk.variables import Record as Record
from cntk.variables import Variable as Variable

__version__ = "3.0.0"

cntk_library_path = os.path.dirname(__file__)
"""Where the package lies."""

hand_on(globals())
