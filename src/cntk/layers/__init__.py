"""Layers: factories of functions with parameters, to be put together into models."""

from cntk._engine.seeds import SentinelValueForAutoSelectRandomSeed
from cntk._graph.define import BlockFunction
from cntk._graph.function import Function
from cntk._graph.types import InferredDimension
from cntk.axis import Axis
from cntk.default_options import (
    default_options,
    default_options_for,
    default_override_or,
    get_default_override,
    is_default_override,
)
from cntk.layers import blocks, higher_order_layers, layers, sequence, typing
from cntk.layers.blocks import *
from cntk.layers.higher_order_layers import *
from cntk.layers.layers import *
from cntk.layers.models.attention import *
from cntk.layers.sequence import *
from cntk.layers.typing import *
from cntk.variables import Constant, Parameter, Record, Variable
