"""Operations along sequences."""

from cntk._graph.names.late_names import hand_on
from cntk._ops.sequence.attention import scaled_dot_product_attention
from cntk._ops.sequence.delay import delay, future_value, past_value
from cntk._ops.sequence.join import join, window
from cntk._ops.sequence.lengths import length, position, reduce_mean, reverse, stride
from cntk._ops.sequence.position_encoding import positional_encoding
from cntk._ops.sequence.selection import (
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
from cntk._ops.shape.reconcile import broadcast_as
from cntk._ops.shape.unpack import unpack

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
    "join",
    "last",
    "length",
    "past_value",
    "position",
    "positional_encoding",
    "reduce_max",
    "reduce_mean",
    "reduce_sum",
    "reverse",
    "scaled_dot_product_attention",
    "scatter",
    "slice",
    "softmax",
    "stride",
    "unpack",
    "where",
    "window",
]

hand_on(globals())
