"""Microsoft Cognitive Toolkit's Python interface, on PyTorch."""

__version__ = "3.0.0"

from cntk import cntk_py
from cntk._graph.define import BlockFunction
from cntk._graph.function import CloneMethod, Function
from cntk._graph.types import FreeDimension, InferredDimension
from cntk.axis import Axis
from cntk.core import NDArrayView, Value, asarray, asvalue
from cntk import debugging, device, eval, internal, ops, train
from cntk.default_options import (
    default_options,
    default_options_for,
    default_override_or,
    get_default_override,
    get_global_option,
    is_default_override,
    set_global_option,
)
from cntk.device import *
from cntk.eval import Evaluator
from cntk.initializer import *
from cntk.train import Trainer
from cntk.ops import *
from cntk.ops import sequence
from cntk.variables import Constant, Parameter, Record, Variable
