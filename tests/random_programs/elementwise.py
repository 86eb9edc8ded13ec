"""Element by element: functions of one operand, and of two that meet by broadcasting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cntk as C
from tests.random_programs.drawing import Chance, Drawn, operation

SMOOTH: dict[str, Callable[[Any], Any]] = {
    "tanh": C.tanh,
    "sigmoid": C.sigmoid,
    "softplus": C.softplus,
    "square": lambda x: C.square(C.tanh(x)),
    "sqrt": lambda x: C.sqrt(C.square(x) + 0.3),
    "exp": lambda x: C.exp(C.tanh(x)),
    "log": lambda x: C.log(C.square(x) + 0.5),
    "sin": C.sin,
    "cos": C.cos,
    "negate": lambda x: -x,
    "reciprocal": lambda x: C.reciprocal(C.square(x) + 1),
    "pow": lambda x: C.pow(C.square(x) + 0.2, 1.3),
    "sinh": lambda x: C.sinh(C.tanh(x)),
    "cosh": lambda x: C.cosh(C.tanh(x)),
    "asinh": C.asinh,
    "atanh": lambda x: C.atanh(0.5 * C.tanh(x)),
    "asin": lambda x: C.asin(0.5 * C.tanh(x)),
    "acos": lambda x: C.acos(0.5 * C.tanh(x)),
    "gelu": C.gelu,
    "silu": C.silu,
    "mish": C.mish,
    "erf": C.erf,
    "softsign": C.softsign,
    "alias": lambda x: C.alias(x, "named"),
    "elu": C.elu,
    "selu": C.selu,
    "relu": C.relu,
    "leaky_relu": lambda x: C.leaky_relu(x, 0.1),
    "abs": C.abs,
    "clip": lambda x: C.clip(x, -0.6, 0.8),
    "hard_sigmoid": lambda x: C.hard_sigmoid(x, 0.4, 0.5),
}
ROUGH: dict[str, Callable[[Any], Any]] = {
    "floor": lambda x: x + C.floor(3 * x),
    "ceil": lambda x: x * C.ceil(2 * x),
    "round": lambda x: x - C.round(3 * x),
    "stop_gradient": lambda x: x * C.stop_gradient(x),
    "element_not": lambda x: x + C.element_not(x),
}
COMPARISONS = [C.less, C.less_equal, C.greater, C.greater_equal, C.equal, C.not_equal]


@operation("unary")
def function(chance: Chance, x: Drawn) -> Drawn:
    table = SMOOTH if chance.smooth or chance.often(0.85) else SMOOTH | ROUGH
    name = chance.one_of(table)
    chance.said.append(name)
    return x.with_(table[name](x.f), x.shape)


def _pair(chance: Chance, x: Drawn) -> tuple[Any, Any]:
    """The value and another operand, in either order."""
    other = chance.operand(*chance.broadcasting(x.shape))
    return (x.f, other) if chance.often(0.6) else (other, x.f)


@operation("binary")
def arithmetic(chance: Chance, x: Drawn) -> Drawn:
    left, right = _pair(chance, x)
    how = chance.one_of(["plus", "minus", "element_times", "divide", "log_add_exp", "max", "min"])
    chance.said.append(how)
    if how == "divide":
        return x.with_(C.element_divide(left, C.square(right) + 0.5))
    named = {"max": C.element_max, "min": C.element_min}
    return x.with_(named.get(how, getattr(C, how, None))(left, right))


@operation("binary")
def compared(chance: Chance, x: Drawn) -> Drawn:
    left, right = _pair(chance, x)
    flags = chance.one_of(COMPARISONS)(left, right)
    return x.with_(
        flags * x.f + x.f if chance.often(0.5) else C.element_select(flags, x.f, 0.5 * x.f)
    )


@operation("binary")
def param_relu(chance: Chance, x: Drawn) -> Drawn:
    return x.with_(C.param_relu(chance.parameter(*chance.broadcasting(x.shape)), x.f), x.shape)


@operation("binary")
def with_itself(chance: Chance, x: Drawn) -> Drawn:
    """Two ways from one value that meet again."""
    other = C.tanh(chance.parameter(*chance.broadcasting(x.shape)) * x.f)
    how = chance.one_of([C.plus, C.minus, C.element_times, C.element_max, C.log_add_exp])
    return x.with_(how(other, x.f) if chance.often(0.5) else how(x.f, other))


@operation("binary")
def several(chance: Chance, x: Drawn) -> Drawn:
    return x.with_(C.plus(x.f, chance.parameter(*chance.broadcasting(x.shape)), x.f))


@operation("binary", rough=True)
def logic(chance: Chance, x: Drawn) -> Drawn:
    left, right = _pair(chance, x)
    return x.with_(
        chance.one_of([C.element_and, C.element_or, C.element_xor])(left, right) * 0.5 + x.f
    )


@operation("axis")
def softmax(chance: Chance, x: Drawn) -> Drawn | None:
    if not x.rank:
        return None
    axis = chance.one_of([None, -1, chance.below(x.rank)])
    return x.with_(chance.one_of([C.softmax, C.log_softmax])(x.f, axis=axis), x.shape)


@operation("axis", rough=True)
def hardmax(chance: Chance, x: Drawn) -> Drawn | None:
    return x.with_(x.f + C.hardmax(x.f), x.shape) if x.rank else None


@operation("axis")
def reduced(chance: Chance, x: Drawn) -> Drawn | None:
    if not x.rank:
        return None
    how = chance.one_of(
        [C.reduce_sum, C.reduce_mean, C.reduce_max, C.reduce_min, C.reduce_log_sum_exp, C.reduce_l2]
    )
    axis: Any = chance.below(x.rank)
    keepdims = chance.often(0.6)
    if chance.often(0.2) and x.rank > 1:
        axis = (0, x.rank - 1)
    elif chance.often(0.15):
        axis, keepdims = C.Axis.all_static_axes(), True
    operand = x.f + 2 if how is C.reduce_l2 else chance.apart(x)
    return x.with_(how(operand, axis=axis, keepdims=keepdims))
