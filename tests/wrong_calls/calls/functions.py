"""Right calls of methods of functions and variables, of values, views and axes, from which wrong
ones are made.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.wrong_calls.generated import Right

DATA = [[1.0, 2.0, 3.0]]


def _kept(v: Any) -> Any:
    state, _ = v.f.forward({v.x: DATA}, [v.f.output], {v.f.output})
    return state


RIGHT: list[Right] = [
    Right(
        "nodes.f.eval",
        lambda v: {"arguments": {v.x: DATA}},
        {"arguments": "data", "outputs": "nodes"},
        named=("Input('x'", "f: Times"),
    ),
    Right(
        "nodes.f.forward",
        lambda v: {"arguments": {v.x: DATA}},
        {"arguments": "data", "outputs": "nodes", "keep_for_backward": "nodes"},
        named=("Input('x'", "f: Times"),
    ),
    Right(
        "nodes.f.grad",
        lambda v: {"at": {v.x: DATA}, "wrt": [v.w]},
        {"at": "data", "wrt": "nodes", "outputs": "nodes", "grad_root": "nodes"},
        named=("Input('x'", "f: Times"),
    ),
    Right(
        "nodes.f.backward",
        lambda v: {
            "state": _kept(v),
            "root_gradients": {v.f.output: [[1.0, 1.0]]},
            "variables": [v.w],
        },
        {"state": "function", "root_gradients": "some", "variables": "nodes"},
        named=("f: Times",),
    ),
    Right(
        "nodes.f.clone",
        lambda v: {"method": "share"},
        {"method": "one of", "substitutions": "some"},
    ),
    Right(
        "nodes.of_p.replace_placeholders",
        lambda v: {"substitutions": {v.p: v.x}},
        {"substitutions": "some"},
    ),
    Right(
        "nodes.of_p.replace_placeholder", lambda v: {"substitution": v.x}, {"substitution": "some"}
    ),
    Right("nodes.f.find_by_name", lambda v: {"name": "x"}),
    Right("nodes.f.find_all_with_name", lambda v: {"name": "x"}),
    Right("nodes.f.find_by_uid", lambda v: {"uid": "x"}),
    Right(
        "nodes.dropped.set_attribute",
        lambda v: {"name": "dropoutRate", "value": 0.1},
        # A rate that cannot be is refused when the function runs.
        {
            "value": "number",
            "name": "text",
        },
    ),
    Right(
        "Function.register_udf_deserialize_callback",
        lambda v: {"op_name": "a name of a test", "callback": len},
        {"callback": "iterable of nodes"},
    ),
    Right("BlockFunction", lambda v: {"op_name": "Mine", "name": "mine"}),
    Right(
        "Axis.new_unique_dynamic_axis", lambda v: {"name": "an axis of a test"}, {"name": "text"}
    ),
    Right(
        "Value",
        lambda v: {"batch": np.ones((2, 3), np.float32)},
        {"batch": "data", "seq_starts": "some"},
    ),
    Right(
        "Value.create",
        lambda v: {"var": v.x, "data": DATA},
        {"var": "function", "data": "data", "seq_starts": "some"},
        named=("Input('x'",),
    ),
    Right(
        "Value.one_hot",
        lambda v: {"batch": [1, 2], "num_classes": 3},
        {"batch": "data", "num_classes": "shape"},
    ),
    Right(
        "NDArrayView", lambda v: {"shape": (2, 3), "data_type": np.float32}, {"data_type": "dtype"}
    ),
    Right(
        "NDArrayView.from_dense",
        lambda v: {"np_array": np.ones((2, 3), np.float32)},
        {"np_array": "some"},
    ),
    Right(
        "NDArrayView.from_data",
        lambda v: {"data": np.ones((2, 3), np.float32)},
        {"data": "nodes"},
        {"data=99": "a number is an array of no axes"},
    ),
    Right(
        "asarray",
        lambda v: {"value": [1, 2]},
        {"value": "nodes"},
        {"value=99": "a number is an array of no axes"},
    ),
    Right(
        "asvalue",
        lambda v: {"variable": v.x, "data_array": DATA},
        {"variable": "function", "data_array": "data"},
        named=("Input('x'",),
    ),
    Right("user_function", lambda v: {"user_func": v.f}, {"user_func": "function"}),
    Right("load_model", lambda v: {"model": _file(v)}, {"model": "path", "format": "some"}),
    Right("nodes.f.save", lambda v: {"filename": _place()}, {"filename": "path", "format": "some"}),
    Right("nodes.f.restore", lambda v: {"filename": _file(v)}, {"filename": "path"}),
]


def _place() -> str:
    import tempfile

    return f"{tempfile.mkdtemp()}/f.model"


def _file(v: Any) -> str:
    path = _place()
    v.f.save(path)
    return path
