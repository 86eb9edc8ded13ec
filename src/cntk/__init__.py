"""Microsoft Cognitive Toolkit's Python interface, on PyTorch."""

__version__ = "3.0.0"

from cntk import cntk_py
from cntk._graph.define import BlockFunction
from cntk._graph.function import CloneMethod, Function
from cntk._graph.types import FreeDimension, InferredDimension
from cntk.axis import Axis
from cntk.core import NDArrayView, Value, asarray, asvalue
from cntk.device import *
from cntk.ops import *
from cntk.ops import sequence
from cntk.variables import Constant, Parameter, Record, Variable
