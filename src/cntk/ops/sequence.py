"""Operations along sequences."""

from cntk._ops.delay import delay, future_value, past_value
from cntk._ops.reconcile import broadcast_as
from cntk._ops.sequence import (
    first,
    gather,
    input,
    input_variable,
    is_first,
    is_last,
    last,
    reduce_max,
    reduce_sum,
    scatter,
    slice,
    softmax,
    where,
)
from cntk._ops.unpack import unpack

__all__ = [
    "broadcast_as",
    "delay",
    "first",
    "future_value",
    "gather",
    "input",
    "input_variable",
    "is_first",
    "is_last",
    "last",
    "past_value",
    "reduce_max",
    "reduce_sum",
    "scatter",
    "slice",
    "softmax",
    "unpack",
    "where",
]
