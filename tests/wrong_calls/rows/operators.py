"""Wrong use of operators, subscripts, conditions and NumPy's functions on nodes of a graph."""

from __future__ import annotations

import numpy as np

from tests.wrong_calls.checker import wrong

ROWS = [
    wrong("plus", lambda v: v.x + None, "operand", "NoneType", error=ValueError),
    wrong("plus", lambda v: v.x + "a", "operand", error=ValueError),
    wrong("plus", lambda v: None + v.x, "operand", "NoneType", error=ValueError),
    wrong("plus", lambda v: v.x + {}, "operand", "dict", error=ValueError),
    wrong("plus", lambda v: v.x + v.image, "'x' is", "'image' is"),
    wrong("minus", lambda v: v.x - [], "operand", "empty"),
    wrong("element_times", lambda v: v.x * 1j, "operand", "complex"),
    wrong("element_divide", lambda v: v.x / "a", "operand", "str"),
    wrong("pow", lambda v: v.x**None, "operand", "NoneType", error=TypeError),
    wrong("times", lambda v: v.x @ None, "operand", "NoneType", error=ValueError),
    wrong("times", lambda v: v.x @ v.image, "'x' is", "'image' is"),
    wrong("less", lambda v: v.x < "a", "operand", "str", error=TypeError),
    wrong("//", lambda v: v.x // 2, "cntk.floor", named="Input('x'", error=TypeError),
    wrong("//", lambda v: 2 // v.x, "cntk.floor", named="Input('x'", error=TypeError),
    wrong("%", lambda v: v.x % 2, "cntk.floor", named="Input('x'", error=TypeError),
    wrong("%", lambda v: 2 % v.f, "cntk.floor", named="Times", error=TypeError),
    wrong("round", lambda v: round(v.x, 2), "cntk.round", "2"),
    wrong("len", lambda v: len(v.x), r"\(3,\)", error=TypeError),
    wrong("len", lambda v: len(v.f), r"\(2,\)", error=TypeError),
    wrong("float", lambda v: float(v.x), "eval", error=TypeError),
    wrong("float", lambda v: float(v.w), r"\.value", error=TypeError),
    wrong("int", lambda v: int(v.f), "eval", error=TypeError),
    # A comparison of nodes is neither true nor false; whether there is a node may be asked, as old
    # programs do.
    wrong(
        "less", lambda v: bool(v.x < 1), "neither true nor false", "element_select", error=TypeError
    ),
    wrong(
        "less",
        lambda v: 1 if v.f > 1 else 2,
        "neither true nor false",
        named="Greater",
        error=TypeError,
    ),
    wrong(
        "less",
        lambda v: v.x >= 1 and v.x <= 2,
        "neither true nor false",
        named="GreaterEqual",
        error=TypeError,
    ),
    wrong("less", lambda v: not (v.x < v.y), "neither true nor false", error=TypeError),
    wrong("less", lambda v: min(v.x, v.y), "neither true nor false", error=TypeError),
    wrong("==", lambda v: v.x == 1, "cntk.equal", "1", named="Input('x'", error=TypeError),
    wrong("==", lambda v: v.x != 1, "cntk.equal", "1", named="Input('x'", error=TypeError),
    wrong("==", lambda v: v.x == np.ones(3), "cntk.equal", named="Input('x'"),
    wrong("==", lambda v: np.ones(3) == v.x, "cntk.equal", named="Input('x'"),
    wrong("==", lambda v: v.x in [1, v.x], "cntk.equal", named="Input('x'", error=TypeError),
    wrong("subscript", lambda v: v.x[None], "index", "None", named="Input('x'", error=IndexError),
    wrong("subscript", lambda v: v.x["a"], "index", "'a'", named="Input('x'", error=IndexError),
    wrong("subscript", lambda v: v.x[1.5], "index", "1.5", named="Input('x'", error=IndexError),
    wrong("slice", lambda v: v.x[0:"a"], "integers", "'a'"),
    wrong("slice", lambda v: v.x[9], r"\[9, 10\)", "'x' is", error=RuntimeError),
    wrong("slice", lambda v: v.x[0, 1], "axis 1", error=ValueError),
    # -- NumPy
    *(
        wrong(
            f"numpy.{name}",
            lambda v, name=name: getattr(np, name)(v.x),
            f"cntk.{instead}",
            named=name,
            error=TypeError,
        )
        for name, instead in (
            ("exp", "exp"),
            ("log", "log"),
            ("sqrt", "sqrt"),
            ("tanh", "tanh"),
            ("mean", "reduce_mean"),
            ("sum", "reduce_sum"),
            ("prod", "reduce_prod"),
            ("max", "reduce_max"),
            ("min", "reduce_min"),
            ("argmax", "argmax"),
            ("transpose", "transpose"),
            ("squeeze", "squeeze"),
            ("floor", "floor"),
            ("square", "square"),
        )
    ),
    wrong("numpy.mean", lambda v: np.mean(v.w), r"\.value", "cntk.reduce_mean", "'w'"),
    wrong("numpy.mean", lambda v: np.mean(v.f), "eval", "cntk.reduce_mean", "'f'"),
    wrong(
        "numpy.reshape", lambda v: np.reshape(v.x, (3, 1)), "cntk.reshape", "'x'", error=ValueError
    ),
    wrong(
        "numpy.concatenate",
        lambda v: np.concatenate([v.x, v.y]),
        "cntk.splice",
        "'x'",
        error=ValueError,
    ),
    wrong(
        "numpy.maximum", lambda v: np.maximum(v.x, 0), "cntk.element_max", "'x'", error=TypeError
    ),
    wrong("numpy.dot", lambda v: np.dot(v.x, v.w), "cntk.times", error=RuntimeError),
    wrong("numpy.clip", lambda v: np.clip(v.x, 0, 1), "cntk.clip", "'x'"),
    wrong("numpy.isnan", lambda v: np.isnan(v.x), "no numbers", "'x'", error=TypeError),
    wrong("numpy.norm", lambda v: np.linalg.norm(v.x), "no numbers", "'x'", error=TypeError),
    wrong("numpy.add", lambda v: np.add.reduce(v.x), "no numbers", "'x'"),
    wrong("numpy.where", lambda v: np.where(v.x, 1, 0), "cntk.element_select", "'x'"),
]
