"""Right calls of operations of one and two operands, element by element, from which wrong ones are
made.
"""

from __future__ import annotations

from tests.wrong_calls.generated import Right

UNARY = (
    "abs acos alias asin asinh atan atanh ceil cos cosh elu erf exp floor hardmax leaky_relu log "
    "log_softmax mish negate ones_like reciprocal relu round selu sigmoid silu sin sinh softmax "
    "sqrt square stop_gradient straight_through_impl tan tanh zeros_like element_not"
).split()
BINARY = (
    "plus minus element_times element_max element_min equal not_equal less less_equal greater "
    "greater_equal log_add_exp"
).split()
FIRST = {"ceil": "arg", "floor": "arg", "round": "arg", "stop_gradient": "input"}

RIGHT: list[Right] = [
    *(Right(name, lambda v, name=name: {FIRST.get(name, "x"): v.x}) for name in UNARY),
    *(Right(name, lambda v: {"left": v.x, "right": v.y}) for name in BINARY),
    Right("pow", lambda v: {"base": v.x, "exponent": v.y}),
    *(
        Right(name, lambda v: {"x": v.x, "y": v.y})
        for name in ("element_and", "element_or", "element_xor")
    ),
]
