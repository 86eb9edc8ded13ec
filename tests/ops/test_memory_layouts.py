"""No operation's result or gradient depends on how its operands and the gradient that it is given
lie in memory.

An axis of size 1 may have any stride, and torch's kernels do not all read such tensors rightly.
Each row meets one layout of operands and one of gradients; all pairs meet with
``CNTK_TEST_WHOLE=1`` in the environment.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import cntk as C
from tests.ops.memory_layouts import LAYOUTS, Layout, laid_out
from tests.ops.op_case import Built, Held, OpCase, Sparse, densely
from tests.ops.test_cases import CASES, check_close

WHOLE = os.environ.get("CNTK_TEST_WHOLE") == "1"
PAIRS = [(a, b) for a in LAYOUTS for b in LAYOUTS]


def drawn(*shape: int) -> np.ndarray:
    return np.random.default_rng(list(shape)).normal(size=shape)


def normalized(x: Any, scale: Any, bias: Any, spatial: bool = True) -> Any:
    mean, variance = (C.constant(0.0, scale.shape, dtype=x.dtype) for _ in range(2))
    count = C.constant(0.0, (), dtype=x.dtype)
    return C.batch_normalization(
        x, scale, bias, mean, variance, spatial=spatial, running_count=count
    )


def nothing(*_: Any) -> None:
    """For rows that are compared with themselves."""


def normalizations() -> list[OpCase]:
    """Batch normalization of one, two and seven samples, which learns in training only."""
    shapes = [(2, 4, 3), (4, 1, 3), (2, 4, 1), (1, 4, 3), (3, 5), (2, 1, 1), (4, 2, 3, 2)]
    spatial = [
        OpCase(
            f"spatial{n}x{s}",
            normalized,
            (drawn(n, *s), Held(drawn(s[0])), Held(drawn(1, s[0])[0])),
            nothing,
        )
        for n in (1, 2, 7)
        for s in shapes
        if n * np.prod(s[1:]) > 1
    ]
    return spatial + [
        OpCase(
            f"elements{n}x{s}",
            lambda *x: normalized(*x, spatial=False),
            (drawn(n, *s), Held(drawn(*s)), Held(drawn(*s) + 1)),
            nothing,
        )
        for n in (2, 7)
        for s in shapes
    ]


def convolutions() -> list[OpCase]:
    """Convolutions whose kernels have axes of size 1, in groups or not."""

    def convolved(groups: int) -> Callable[..., Any]:
        return lambda x, w: C.convolution(w, x, groups=groups, auto_padding=[False])

    return [
        OpCase(
            f"{n}x{window}in{g}",
            convolved(g),
            (drawn(n, 4, *s), Held(drawn(f, 4 // g, *window))),
            nothing,
        )
        for n in (1, 2)
        for g in (1, 2, 4)
        for f in (4, g)
        for s, window in (
            ((4, 3), (2, 2)),
            ((4, 3), (1, 1)),
            ((4, 3), (4, 3)),
            ((5,), (2,)),
            ((3, 1, 2), (2, 1, 1)),
        )
    ]


def recurrences() -> list[OpCase]:
    def recurrent(make: Any, backwards: bool) -> Callable[..., Any]:
        def built(x: Any) -> Any:
            with C.default_options(dtype=x.dtype):
                return C.layers.Recurrence(
                    make(4, init=C.glorot_uniform(seed=3)), go_backwards=backwards
                )(x)

        return built

    return [
        OpCase(
            f"{make.__name__}{lengths}{b}",
            recurrent(make, b),
            ([drawn(n, 3) for n in lengths],),
            nothing,
        )
        for make in (C.layers.LSTM, C.layers.GRU, C.layers.RNNStep)
        for lengths in ((3, 1, 4), (5,), (1,))
        for b in (False, True)
    ]


OTHERS = [*normalizations(), *convolutions(), *recurrences()]
# Its numbers are drawn anew by each graph.
ROWS = [case for case in (*CASES, *OTHERS) if case.name != "dropout_evaluated"]


def results(case: OpCase, one: bool) -> list[Any]:
    """All outputs, and the first one's gradients, of all samples or of the first one."""
    built = Built(case)
    feed = built.feed(sample=0 if one else None)
    outputs = built.function.outputs
    found = built.function.eval(feed)
    values = [densely(found if len(outputs) == 1 else found[v]) for v in outputs]
    wrt = [
        v for v, x in zip(built.variables, case.inputs, strict=True) if not isinstance(x, Sparse)
    ]
    weights = np.random.default_rng(5).uniform(0.5, 1.5, outputs[0].shape)
    weighted = C.element_times(outputs[0], C.constant(weights, dtype=np.float64))
    try:
        gradients = weighted.grad(feed, wrt=wrt)
    except (RuntimeError, ValueError):
        if case.gradient == ():
            return values
        raise
    return [
        *values,
        *map(densely, gradients.values() if isinstance(gradients, dict) else [gradients]),
    ]


def pairs(case: OpCase) -> list[tuple[Layout, Layout]]:
    return PAIRS if WHOLE or case in OTHERS else [PAIRS[sum(case.name.encode()) % len(PAIRS)]]


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in ROWS])
def test_results_and_gradients_do_not_depend_on_memory(case: OpCase) -> None:
    for one in {not case.has_rows or case.whole or case.count == 1, True}:
        alone = one and case.has_rows and not case.whole
        wanted = results(case, alone)
        for ahead, back in pairs(case):
            with laid_out(ahead, back):
                found = results(case, alone)
            for value, other in zip(found, wanted, strict=True):
                check_close(value, other, 1e-9)


def test_a_single_sample_before_a_convolution() -> None:
    """The gradient of a convolution lies with channels last, and batch normalization has its own;
    beside differences.
    """
    x = C.input_variable((2, 5, 4), np.float64)
    scale, bias = C.parameter(init=drawn(2)), C.parameter(init=drawn(2) + 1)
    kernel = C.constant(drawn(3, 2, 2, 3))
    y = C.convolution(kernel, normalized(x, scale, bias), auto_padding=[False])
    loss = C.reduce_sum(C.square(y) * C.constant(drawn(*y.shape)), axis=C.Axis.all_static_axes())
    data = drawn(1, 2, 5, 4)
    found = loss.grad({x: data}, wrt=[scale, bias])

    def value() -> float:
        return float(np.sum(loss.grad({x: data}, wrt=[scale], outputs=[loss])[1]))

    for parameter in (scale, bias):
        start, slopes = parameter.value.copy(), []
        for k in range(2):
            ends = []
            for step in (1e-5, -1e-5):
                parameter.value = start + step * np.eye(2)[k]
                ends.append(value())
            slopes.append((ends[0] - ends[1]) / 2e-5)
        parameter.value = start
        np.testing.assert_allclose(found[parameter], slopes, rtol=1e-6, atol=1e-6)
