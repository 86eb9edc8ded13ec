"""Microsoft Cognitive Toolkit's Python interface, on PyTorch.

Write a model for one sample or one sequence; batches, padding, masks and time loops never appear.

Example:
    >>> import cntk as C
    >>> x = C.input_variable(2, name='x')
    >>> print(C.sigmoid(x @ C.parameter((2, 3), init=0)))
    Composite(x: Tensor[2]) -> Tensor[3]
"""

from cntk import cntk_py, debugging, device, eval, internal, layers, learners, logging, losses, metrics, ops, train
from cntk._graph.types import FreeDimension, InferredDimension
from cntk.axis import Axis
from cntk.core import NDArrayView, Value, asarray, asvalue
from cntk.default_options import (
    default_options,
    default_options_for,
    default_override_or,
    get_default_override,
    get_global_option,
    is_default_override,
    set_global_option,
)
from cntk.device import (
    DeviceDescriptor,
    DeviceKind,
    all_devices,
    cpu,
    get_gpu_properties,
    gpu,
    set_excluded_devices,
    try_set_default_device,
    use_default_device,
)
from cntk.eval import Evaluator
from cntk.initializer import *
from cntk.learners import *
from cntk.losses import *
from cntk.metrics import *
from cntk.ops import *
from cntk.ops import sequence
from cntk.train import Trainer, minibatch_size_schedule
from cntk.variables import Constant, Parameter, Record, Variable

__version__ = "3.0.0"
