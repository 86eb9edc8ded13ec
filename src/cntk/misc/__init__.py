"""Rewriting of models: replacement of some of their functions by others."""

from cntk._graph.names.late_names import hand_on
from cntk.misc.converter import convert as convert
from cntk.misc.optimized_rnnstack_converter import (
    convert_optimized_rnnstack as convert_optimized_rnnstack,
)

hand_on(globals())
