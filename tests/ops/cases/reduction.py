"""Rows of reductions, softmax and hardmax."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special

import cntk as C
from tests.ops.op_case import Misuse, OpCase, held, numbers

CUBE, VECTOR, NUMBER = numbers(2, 3, 4), numbers(5, seed=4), numbers(seed=5)
LEVELS = np.round(CUBE)
BATCH, ALL, STATIC = C.Axis.default_batch_axis(), C.Axis.all_axes(), C.Axis.all_static_axes()

MISUSES = (
    Misuse(((2, 3),), "static axis 2 is out of range", {"axis": 2}),
    Misuse(((2, 3),), "static axis -3 is out of range", {"axis": -3}),
    Misuse(((),), "has no static axes", {"axis": 0}),
    Misuse(((2, 3),), "at least one axis", {"axis": ()}),
    Misuse(
        ((2, 3),),
        "expected an axis, an integer or an Axis, got 'rows'",
        {"axis": "rows"},
        TypeError,
    ),
    Misuse(
        ((2, 3),),
        "use sequence.reduce_sum|expected an operand with a sequence axis",
        {"axis": C.Axis.default_dynamic_axis()},
    ),
    Misuse(((2, 3),), "leave keepdims out", {"keepdims": False}),
    Misuse(((2, 3),), "leave keepdims out", {"axis": BATCH, "keepdims": False}),
    Misuse(((2, 3),), "leave keepdims out", {"axis": (0, ALL), "keepdims": False}),
)


def reduction(name: str, reference: Any, data: np.ndarray = CUBE, **more: Any) -> list[OpCase]:
    """A reduction along all kinds of axes; the reference takes an array, NumPy's axes and whether
    to keep them.
    """
    op = getattr(C, name)

    def row(
        suffix: str, axis: Any, keepdims: bool = True, of: Any = data, **besides: Any
    ) -> OpCase:
        return OpCase(
            f"{name}_{suffix}",
            op,
            (of,),
            lambda x: reference(x, axis, keepdims),
            {"axis": axis, "keepdims": keepdims},
            **more,
            **besides,
        )

    return [
        row("first", 0, errors=MISUSES, free=(0, 1)),
        row("last", -1, free=(2,)),
        row("dropped", 1, keepdims=False),
        row("several", (0, 2)),
        row("several_dropped", (-1, 0), keepdims=False),
        row("parameter", 1, of=held(2, 3, low=0.3)),
        OpCase(
            f"{name}_whole", op, (data,), lambda x: reference(x, None, False), free=(1,), **more
        ),
        OpCase(
            f"{name}_static",
            lambda x: op(x, STATIC),
            (data,),
            lambda x: reference(x, None, False),
            **more,
        ),
        OpCase(
            f"{name}_number", op, (data[:, 0, 0, 0],), lambda x: reference(x, None, False), **more
        ),
        OpCase(
            f"{name}_batch",
            lambda x: op(x, BATCH),
            (data,),
            lambda x: reference(x, 0, False),
            whole=True,
            **more,
        ),
        OpCase(
            f"{name}_static_and_batch",
            lambda x: op(x, (1, BATCH)),
            (data,),
            lambda x: reference(x, (0, 2), True)[0],
            whole=True,
            **more,
        ),
        OpCase(
            f"{name}_all",
            lambda x: op(x, ALL),
            (data,),
            lambda x: reference(x, None, False),
            whole=True,
            **more,
        ),
    ]


def place(name: str, find: Any) -> list[OpCase]:
    """The index of an extreme element."""
    op = getattr(C, name)
    error = Misuse(((2, 3),), "along static axes only", {"axis": BATCH})

    def along(axis: int | None) -> Any:
        return lambda x: 1.0 * (find(x) if axis is None else np.expand_dims(find(x, axis), axis))

    no_gradient: dict[str, Any] = {"slope": lambda x, g: (0 * x,)}
    return [
        OpCase(
            f"{name}_axis",
            op,
            (CUBE,),
            along(1),
            {"axis": 1},
            errors=(error, *MISUSES[:3]),
            **no_gradient,
        ),
        OpCase(f"{name}_ties", op, (LEVELS,), along(-1), {"axis": -1}, free=(0, 2), **no_gradient),
        OpCase(f"{name}_whole", op, (CUBE,), along(None), **no_gradient),
    ]


def l2(x: np.ndarray, axis: Any, keepdims: bool) -> np.ndarray:
    return np.sqrt(np.sum(x * x, axis=axis, keepdims=keepdims))


def wins(x: np.ndarray, extreme: Any) -> np.ndarray:
    return 1.0 * (x == extreme(x, axis=1, keepdims=True))


def hard(x: np.ndarray) -> np.ndarray:
    return np.eye(x.size)[np.argmax(x)].reshape(x.shape)


SOFTMAX_MISUSES = (
    Misuse(((2, 3),), "static axis 2 is out of range", {"axis": 2}),
    Misuse(((2, 3),), "expected a static axis", {"axis": BATCH}),
)

CASES = (
    *reduction("reduce_sum", lambda x, axis, keep: np.sum(x, axis=axis, keepdims=keep)),
    *reduction("reduce_mean", lambda x, axis, keep: np.mean(x, axis=axis, keepdims=keep)),
    *reduction("reduce_max", lambda x, axis, keep: np.max(x, axis=axis, keepdims=keep)),
    *reduction("reduce_min", lambda x, axis, keep: np.min(x, axis=axis, keepdims=keep)),
    *reduction(
        "reduce_prod",
        lambda x, axis, keep: np.prod(x, axis=axis, keepdims=keep),
        numbers(2, 3, 4, low=0.5),
    ),
    *reduction(
        "reduce_log_sum_exp",
        lambda x, axis, keep: scipy.special.logsumexp(x, axis=axis, keepdims=keep),
        tolerance=1e-8,
    ),
    *reduction("reduce_l1", lambda x, axis, keep: np.sum(np.abs(x), axis=axis, keepdims=keep)),
    *reduction("reduce_l2", l2),
    *reduction("reduce_sum_square", lambda x, axis, keep: np.sum(x * x, axis=axis, keepdims=keep)),
    *place("argmax", np.argmax),
    *place("argmin", np.argmin),
    OpCase(
        "reduce_max_ties",
        lambda x: C.reduce_max(x, 1),
        (LEVELS,),
        lambda x: np.max(x, axis=1, keepdims=True),
        slope=lambda x, g: (g * wins(x, np.max),),
    ),
    OpCase(
        "reduce_min_ties",
        lambda x: C.reduce_min(x, 1),
        (LEVELS,),
        lambda x: np.min(x, axis=1, keepdims=True),
        slope=lambda x, g: (g * wins(x, np.min),),
    ),
    OpCase("softmax", C.softmax, (VECTOR,), scipy.special.softmax, free=(0,)),
    OpCase(
        "softmax_whole",
        C.softmax,
        (CUBE,),
        scipy.special.softmax,
        errors=SOFTMAX_MISUSES,
        free=(1,),
    ),
    # What has no dynamic axis is taken along its last axis.
    OpCase("softmax_parameter", C.softmax, (held(2, 3),), lambda x: scipy.special.softmax(x, -1)),
    OpCase(
        "hardmax_parameter",
        C.hardmax,
        (held(4, 2, 3),),
        lambda x: 1.0 * (x == x.max(-1, keepdims=True)),
        gradient=(),
    ),
    OpCase(
        "reduce_prod_of_zeros",
        lambda x: C.reduce_prod(x, 0),
        (np.round(numbers(4, 3)),),
        lambda x: x.prod(0, keepdims=True),
        slope=lambda x, g: (
            np.where(x == 0, 0, g * x.prod(0, keepdims=True) / np.where(x == 0, 1, x)),
        ),
    ),
    *(
        OpCase(
            f"softmax_{axis}",
            C.softmax,
            (CUBE,),
            lambda x, k=axis: scipy.special.softmax(x, k),
            {"axis": axis},
        )
        for axis in (0, 1, -1)
    ),
    OpCase(
        "log_softmax",
        C.log_softmax,
        (CUBE,),
        lambda x: scipy.special.log_softmax(x, -1),
        free=(0, 2),
        errors=SOFTMAX_MISUSES,
    ),
    OpCase(
        "log_softmax_0",
        C.log_softmax,
        (CUBE,),
        lambda x: scipy.special.log_softmax(x, 0),
        {"axis": 0},
    ),
    OpCase(
        "log_softmax_vector",
        C.log_softmax,
        (VECTOR,),
        scipy.special.log_softmax,
        errors=(Misuse(((),), "no static"),),
    ),
    OpCase("hardmax", C.hardmax, (VECTOR,), hard, slope=lambda x, g: (0 * x,)),
    OpCase("hardmax_whole", C.hardmax, (LEVELS,), hard, slope=lambda x, g: (0 * x,), free=(0,)),
)
