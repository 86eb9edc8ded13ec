"""Operations: every function that builds a node of a graph."""

from cntk._ops.delay import *
from cntk._ops.sequence import reconcile_dynamic_axes
from cntk._ops.structure import *
from cntk._ops.elementwise import plus
from cntk._ops.times import *
from cntk.ops import sequence
