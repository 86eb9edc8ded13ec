"""Conversions and helpers that programs written against the original import from here."""

from cntk._graph.names.late_names import hand_on
from cntk.internal.sanitize import *
from cntk.internal.swig_helper import map_if_possible as map_if_possible, typemap as typemap
from cntk.internal.tuples import _as_tuple as _as_tuple
from cntk.internal.utils import (
    _value_as_sequence as _value_as_sequence,
    _value_as_sequence_or_array as _value_as_sequence_or_array,
)

hand_on(globals())
