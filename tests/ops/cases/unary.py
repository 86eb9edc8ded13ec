"""Rows of operations on one operand element by element."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special

import cntk as C
from tests.ops.op_case import Misuse, OpCase, held, numbers

MATRIX, NUMBER = numbers(2, 3), numbers(seed=7)
POSITIVE, INSIDE = numbers(2, 3, low=0.3), numbers(2, 3, low=-0.9, high=0.9)
CORNERS = np.tile([-2.0, -1.0, -0.0, 0.0, 1.0, 2.0], (7, 1))  # where derivatives jump
LOG_ZERO = float(np.float32(-85.1))


def single(number: float) -> float:
    """As float32 holds it: numbers beside operands become constants of that format first."""
    return float(np.float32(number))


def unary(name: str, op: Any, reference: Any, data: Any = MATRIX, **more: Any) -> list[OpCase]:
    return [
        OpCase(name, op, (data,), reference, free=(0, 1), **more),
        OpCase(f"{name}_of_number", op, (np.abs(NUMBER[:]) * 0.4,), reference, **more),
        OpCase(f"{name}_of_parameter", op, (held(2, 3, low=0.1, high=0.8),), reference, **more),
    ]


def corners(name: str, op: Any, reference: Any, slope: Any) -> OpCase:
    """An operation where its derivative jumps."""
    return OpCase(f"{name}_corners", op, (CORNERS,), reference, slope=lambda x, g: (g * slope(x),))


def elu(x: np.ndarray, alpha: float = 1.0, scale: float = 1.0) -> np.ndarray:
    return scale * np.where(x < 0, alpha * np.expm1(x), x)


SELU = {"alpha": 1.6732632423543772, "scale": 1.0507009873554805}

CASES = (
    *unary("negate", C.negate, np.negative),
    *unary("abs", C.abs, np.abs),
    corners("abs", C.abs, np.abs, np.sign),
    *unary("exp", C.exp, np.exp),
    *unary("log", C.log, np.log, POSITIVE),
    OpCase(
        "log_of_nothing",
        C.log,
        (CORNERS,),
        lambda x: np.where(x > 0, np.log(np.maximum(x, 1)), LOG_ZERO),
        tolerance=1e-8,
        gradient=(),
    ),
    *unary("sqrt", C.sqrt, np.sqrt, POSITIVE),
    OpCase(
        "sqrt_of_negative",
        C.sqrt,
        (CORNERS,),
        lambda x: np.sqrt(np.maximum(x, 0)),
        slope=lambda x, g: (np.where(x > 0, g / np.sqrt(np.maximum(4 * x, 1e-9)), np.inf),),
    ),
    *unary("reciprocal", C.reciprocal, np.reciprocal, POSITIVE),
    corners(
        "reciprocal",
        C.reciprocal,
        lambda x: np.where(x == 0, 0, 1 / np.where(x == 0, 1, x)),
        lambda x: np.where(x == 0, 0, -1 / np.where(x == 0, 1, x) ** 2),
    ),
    *unary("floor", C.floor, np.floor, gradient=()),
    *unary("ceil", C.ceil, np.ceil, gradient=()),
    *unary("round", C.round, lambda x: np.floor(x + 0.5), gradient=()),
    corners("round", lambda x: C.round(x * 1.5), lambda x: np.floor(1.5 * x + 0.5), np.zeros_like),
    *unary("sin", C.sin, np.sin),
    *unary("cos", C.cos, np.cos),
    *unary("tan", C.tan, np.tan, INSIDE, gradient=()),
    OpCase(
        "tan_gradient_at_its_result",
        C.tan,
        (INSIDE,),
        np.tan,
        slope=lambda x, g: (g / np.cos(np.tan(x)) ** 2,),
    ),
    *unary("asin", C.asin, np.arcsin, INSIDE),
    *unary("acos", C.acos, np.arccos, INSIDE),
    *unary("atan", C.atan, np.arctan),
    *unary("sinh", C.sinh, np.sinh),
    *unary("cosh", C.cosh, np.cosh),
    *unary("asinh", C.asinh, np.arcsinh),
    *unary("atanh", C.atanh, np.arctanh, INSIDE),
    *unary("sigmoid", C.sigmoid, scipy.special.expit),
    *unary("tanh", C.tanh, np.tanh),
    *unary("relu", C.relu, lambda x: np.maximum(x, 0)),
    corners("relu", C.relu, lambda x: np.maximum(x, 0), lambda x: 1.0 * (x > 0)),
    *unary("elu", C.elu, elu),
    *unary("elu_alpha", lambda x: C.elu(x, alpha=1.7), lambda x: elu(x, 1.7)),
    corners(
        "elu",
        lambda x: C.elu(x, 2.0),
        lambda x: elu(x, 2.0),
        lambda x: np.where(x < 0, 2 * np.exp(x), 1),
    ),
    *unary("selu", C.selu, lambda x: elu(x, **SELU)),
    *unary("leaky_relu", C.leaky_relu, lambda x: np.where(x < 0, 0.01 * x, x)),
    corners(
        "leaky_relu",
        lambda x: C.leaky_relu(x, 0.3),
        lambda x: np.where(x < 0, 0.3 * x, x),
        lambda x: np.where(x < 0, 0.3, 1),
    ),
    OpCase(
        "param_relu",
        C.param_relu,
        (held(3, low=0.1, high=0.5), MATRIX),
        lambda slopes, x: np.where(x < 0, slopes * x, x),
        errors=(Misuse(((2,), (3,)), "must agree or be 1"),),
    ),
    *unary("softplus", C.softplus, lambda x: np.logaddexp(x, 0)),
    *unary(
        "softplus_steep", lambda x: C.softplus(x, steepness=3), lambda x: np.logaddexp(3 * x, 0) / 3
    ),
    *unary("softsign", C.softsign, lambda x: x / (1 + np.abs(x))),
    *unary(
        "hard_sigmoid",
        lambda x: C.hard_sigmoid(x, 0.4, 0.45),
        lambda x: np.clip(single(0.4) * x + single(0.45), 0, 1),
    ),
    corners(
        "hard_sigmoid",
        lambda x: C.hard_sigmoid(x, 0.5, 0.5),
        lambda x: np.clip(0.5 * x + 0.5, 0, 1),
        lambda x: 0.5 * (np.abs(x) < 1),
    ),
    *unary("clip", lambda x: C.clip(x, -0.7, 0.6), lambda x: np.clip(x, single(-0.7), single(0.6))),
    corners(
        "clip",
        lambda x: C.clip(x, -1, 1),
        lambda x: np.clip(x, -1, 1),
        lambda x: 1.0 * (np.abs(x) <= 1),
    ),
    OpCase(
        "clip_between_operands",
        C.clip,
        (MATRIX, numbers(3, low=-1, high=0, seed=8), numbers(2, 1, low=0.1, high=1, seed=9)),
        np.clip,
        slope=lambda x, low, high, g: (g * ((x >= low) & (x <= high)), 0 * low, 0 * high),
        errors=(Misuse(((2, 3), (2,), (3,)), "must agree or be 1"),),
    ),
    OpCase(
        "clip_crossed_bounds",
        lambda x: C.clip(x, 0.5, -0.5),
        (MATRIX,),
        lambda x: np.where(x < 0.5, 0.5, -0.5),
    ),
    OpCase("stop_gradient", C.stop_gradient, (MATRIX,), np.positive, slope=lambda x, g: (0 * x,)),
    OpCase(
        "straight_through",
        C.straight_through_impl,
        (np.concatenate([CORNERS, numbers(5, seed=11)], axis=1),),
        lambda x: np.where(x > 0, 1.0, -1.0),
        slope=lambda x, g: (g * (np.abs(x) <= 1),),
    ),
)
