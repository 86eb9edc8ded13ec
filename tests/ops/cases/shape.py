"""Rows of reshaping, slicing, putting together, padding, choosing and filling."""

from __future__ import annotations

from typing import Any

import numpy as np

import cntk as C
from tests.ops.op_case import Misuse, OpCase, held, numbers

CUBE, MATRIX, VECTOR, NUMBER = (
    numbers(2, 3, 4),
    numbers(3, 4, seed=4),
    numbers(5, seed=5),
    numbers(seed=6),
)
IMAGE, LONG = numbers(8, 3, 4, seed=8), numbers(6, seed=9)
LEADING = C.Axis.new_leading_axis()
INFERRED = C.InferredDimension
CLASSES = np.random.default_rng(10).integers(0, 4, (7, 2)).astype(float)
TABLE = held(4, 2, 3, seed=11)


def reshaped(
    suffix: str, shape: Any, result: tuple[int, ...], data: Any = CUBE, **kwargs: Any
) -> OpCase:
    return OpCase(
        f"reshape_{suffix}",
        C.reshape,
        (data,),
        lambda x: x.reshape(result),
        {"shape": shape, **kwargs},
    )


def sliced(suffix: str, key: Any, *arguments: Any) -> OpCase:
    """A slice by its arguments; what they mean in NumPy is ``key``."""
    return OpCase(f"slice_{suffix}", lambda x: C.slice(x, *arguments), (CUBE,), lambda x: x[key])


def subscript(suffix: str, key: Any, numpy_key: Any) -> OpCase:
    """``x[key]``, where an index keeps its axis."""
    return OpCase(
        f"subscript_{suffix}", lambda x: C.plus(x[key], 0), (CUBE,), lambda x: x[numpy_key]
    )


def one_hot(indices: np.ndarray, count: int, axis: int = -1) -> np.ndarray:
    return np.stack([1.0 * (np.floor(indices) == k) for k in range(count)], axis)


def to_space(x: np.ndarray) -> np.ndarray:
    channels, height, width = x.shape
    blocks = x.reshape(2, 2, channels // 4, height, width)
    return blocks.transpose(2, 3, 0, 4, 1).reshape(channels // 4, 2 * height, 2 * width)


def top(x: np.ndarray, k: int, axis: int) -> tuple[np.ndarray, np.ndarray]:
    order = np.flip(np.argsort(x, axis), axis).take(range(k), axis)
    return np.take_along_axis(x, order, axis), 1.0 * order


CASES = (
    reshaped("flat", 24, (24,)),
    OpCase(
        "reshape_inferred",
        C.reshape,
        (CUBE,),
        lambda x: x.reshape(6, 4),
        {"shape": (INFERRED, 4)},
        free=(0,),
        errors=(
            Misuse(
                ((2, 3),), r"\[2 x 3\] with 6 elements do not fit the new shape \[4\]", {"shape": 4}
            ),
            Misuse(((2, 3),), "do not fit the new shape", {"shape": (INFERRED, 4)}),
            Misuse(
                ((2, 3),), "leaves more than one dimension open", {"shape": (INFERRED, INFERRED)}
            ),
            Misuse(((2, 3),), "begin is past end", {"shape": 6, "begin_axis": 2, "end_axis": 0}),
            Misuse(((2, 3),), "are no part of", {"shape": 6, "begin_axis": 4}),
        ),
    ),
    reshaped("first", (6,), (6, 4), begin_axis=0, end_axis=2),
    reshaped("last", (INFERRED,), (2, 12), begin_axis=1),
    reshaped("negative", (6,), (6, 4), begin_axis=-3, end_axis=-1),
    reshaped("inserted", (1,), (2, 1, 3, 4), begin_axis=1, end_axis=1),
    reshaped("appended", (1, 1), (2, 3, 4, 1, 1), begin_axis=LEADING, end_axis=LEADING),
    reshaped("number", (1, 1), (1, 1), NUMBER),
    reshaped("parameter", (4, 3, 2), (4, 3, 2), held(6, 4)),
    OpCase("expand_dims_0", C.expand_dims, (CUBE,), lambda x: x[:, None], {"axis": 0}, free=(1,)),
    OpCase("expand_dims_last", C.expand_dims, (CUBE,), lambda x: x[..., None], {"axis": -1}),
    OpCase(
        "expand_dims_before_last", C.expand_dims, (CUBE,), lambda x: x[:, :, None], {"axis": -2}
    ),
    OpCase("expand_dims_before_first", C.expand_dims, (CUBE,), lambda x: x[None], {"axis": -4}),
    OpCase(
        "expand_dims_leading",
        C.expand_dims,
        (CUBE,),
        lambda x: x[None],
        {"axis": LEADING},
        errors=(
            Misuse(((2, 3),), "are no part of", {"axis": 2}),
            Misuse(((2, 3),), "are no part of", {"axis": -4}),
            Misuse(((2, 3),), "expected a static axis", {"axis": C.Axis.default_batch_axis()}),
        ),
    ),
    OpCase("squeeze", C.squeeze, (numbers(1, 3, 1, 4),), lambda x: x[0, :, 0], free=(1,)),
    OpCase(
        "squeeze_one",
        C.squeeze,
        (numbers(1, 3, 1, 4),),
        lambda x: x[:, :, 0],
        {"axes": -2},
        errors=(
            Misuse(((2, 3),), "static axis 0 has 2 elements", {"axes": 0}),
            Misuse(((2, 3),), "static axis 2 is out of range", {"axes": 2}),
        ),
    ),
    OpCase("squeeze_none", C.squeeze, (numbers(1, 3, 1, 4),), lambda x: x, {"axes": ()}),
    OpCase(
        "squeeze_several", C.squeeze, (numbers(1, 3, 1, 4),), lambda x: x[0, :, 0], {"axes": (0, 2)}
    ),
    OpCase("flatten", C.flatten, (CUBE,), lambda x: x.reshape(1, 24), free=(0,)),
    OpCase("flatten_1", C.flatten, (CUBE,), lambda x: x.reshape(2, 12), {"axis": 1}, free=(0, 2)),
    OpCase("flatten_end", C.flatten, (CUBE,), lambda x: x.reshape(24, 1), {"axis": -1}),
    OpCase("flatten_last", C.flatten, (CUBE,), lambda x: x.reshape(6, 4), {"axis": -2}),
    OpCase(
        "transpose",
        C.transpose,
        (CUBE,),
        lambda x: x.transpose(2, 0, 1),
        {"perm": (2, 0, 1)},
        free=(0, 1),
        errors=(
            Misuse(((2, 3),), "perm must name each axis", {"perm": (0, 0)}),
            Misuse(((2, 3),), "perm must name each axis", {"perm": (0, 2)}),
            Misuse(((2, 3),), "lists 3 axes, and the operand has 2", {"perm": (0, 2, 1)}),
            Misuse(((2, 3),), "expected integers in perm", {"perm": (0, 1.0)}, TypeError),
        ),
    ),
    OpCase(
        "transpose_negative",
        C.transpose,
        (CUBE,),
        lambda x: x.transpose(2, 0, 1),
        {"perm": (-1, 0, -2)},
    ),
    OpCase("transpose_parameter", C.transpose, (held(3, 4),), np.transpose, {"perm": (1, 0)}),
    OpCase("swapaxes", C.swapaxes, (CUBE,), lambda x: x.swapaxes(0, 1), free=(0,)),
    OpCase(
        "swapaxes_far",
        C.swapaxes,
        (CUBE,),
        lambda x: x.swapaxes(0, 2),
        {"axis1": 0, "axis2": -1},
        errors=(
            Misuse(((3,),), "static axis 1 is out of range"),
            Misuse(((),), "has no static axes"),
        ),
    ),
    OpCase(
        "depth_to_space",
        C.depth_to_space,
        (IMAGE,),
        to_space,
        {"block_size": 2},
        errors=(
            Misuse(((6, 2, 2),), "multiple of 2 x 2", {"block_size": 2}),
            Misuse(((6, 2),), r"expected an image .* got \[6 x 2\]", {"block_size": 2}),
            Misuse(((4, 2, 2),), "positive integer as block_size", {"block_size": 0}),
        ),
    ),
    OpCase(
        "space_to_depth",
        lambda x, **size: (
            C.space_to_depth(C.depth_to_space(x, 2), 2) if not size else C.space_to_depth(x, **size)
        ),
        (IMAGE,),
        np.positive,
        errors=(Misuse(((1, 4, 3),), "must be multiples of 2", {"block_size": 2}),),
    ),
    sliced("one", np.s_[1:2], 0, 1, 2),
    sliced("whole", np.s_[:], 1, 0, 0),
    sliced("from_end", np.s_[:, :, -3:-1], 2, -3, -1),
    sliced("to_end", np.s_[:, -2:], 1, -2, 0),
    sliced("step", np.s_[:, :, ::3], -1, 0, 4, 3),
    sliced("backwards", np.s_[:, :, ::-1], -1, 0, 0, -1),
    sliced("backwards_part", np.s_[:, :, 2:0:-2], -1, 1, 3, -2),
    sliced("several", np.s_[1:, :2, ::-2], (0, 1, 2), (1, 0, 0), (2, 2, 0), (1, 1, -2)),
    OpCase(
        "slice_free",
        lambda x, *a, **k: C.slice(x, 0, 0, -1) if not k else C.slice(x, *a, **k),
        (LONG,),
        lambda x: x[:-1],
        free=(0,),
        errors=(
            Misuse(
                ((3,),),
                r"the range \[2, 1\) is not part",
                {"axis": 0, "begin_index": 2, "end_index": 1},
            ),
            Misuse(
                ((3,),),
                r"the range \[1, 4\) is not part",
                {"axis": 0, "begin_index": 1, "end_index": 4},
            ),
            Misuse(
                ((3,),),
                r"the range \[-4, 2\) is not part",
                {"axis": 0, "begin_index": -4, "end_index": 2},
            ),
            Misuse(
                ((3,),),
                "a stride of 0",
                {"axis": 0, "begin_index": 0, "end_index": 2, "strides": 0},
            ),
            Misuse(
                ((3,),), "as many begins", {"axis": [0], "begin_index": [0, 1], "end_index": [1]}
            ),
            Misuse(
                ((3,),),
                "use cntk.sequence.slice",
                {"axis": C.Axis.default_batch_axis(), "begin_index": 0, "end_index": 1},
            ),
            Misuse(
                ((3,),),
                "expected integers",
                {"axis": 0, "begin_index": 0.5, "end_index": 1},
                TypeError,
            ),
        ),
    ),
    OpCase(
        "slice_free_fixed_length",
        lambda x: C.slice(x, 0, -2, 0),
        (LONG,),
        lambda x: x[-2:],
        free=(0,),
    ),
    subscript("index", 1, np.s_[1:2]),
    subscript("last", -1, np.s_[-1:]),
    subscript("range", np.s_[:, 1:], np.s_[:, 1:]),
    subscript("step", np.s_[..., ::2], np.s_[..., ::2]),
    subscript("reversed", np.s_[:, ::-1], np.s_[:, ::-1]),
    subscript("ellipsis", np.s_[0, ..., 1:3], np.s_[0:1, :, 1:3]),
    subscript("middle", np.s_[..., 2, :], np.s_[:, 2:3]),
    subscript("list", np.s_[:, [2, 0, 0]], np.s_[:, [2, 0, 0]]),
    subscript("lists", ([1, 0], 1, (3, -1)), np.s_[::-1, 1:2, [3, -1]]),
    OpCase(
        "splice",
        C.splice,
        (CUBE, numbers(2, 3, 5, seed=12)),
        lambda x, y: np.concatenate([x, y], -1),
        free=(2,),
        errors=(
            Misuse(((2, 3), (4, 3)), "must agree or be 1"),
            Misuse(((2, 3), (2, 3)), "static axis 2 is out of range", {"axis": 2}),
            Misuse(
                ((2, 3), (2, 3)), "expected a static axis", {"axis": C.Axis.default_batch_axis()}
            ),
            Misuse((), "at least one operand"),
        ),
    ),
    OpCase(
        "splice_of_three",
        C.splice,
        (MATRIX, MATRIX * 2, numbers(2, 4)),
        lambda *xs: np.concatenate(xs),
        {"axis": 0},
    ),
    OpCase(
        "splice_ranks",
        C.splice,
        (CUBE, MATRIX),
        lambda x, y: np.concatenate([x, y[None]], 0),
        {"axis": 0},
        free=(1,),
    ),
    OpCase(
        "splice_new_axis",
        C.splice,
        (MATRIX, 2 * MATRIX),
        lambda x, y: np.stack([x, y]),
        {"axis": -3},
    ),
    OpCase(
        "splice_leading",
        C.splice,
        (MATRIX, 2 * MATRIX),
        lambda x, y: np.stack([x, y]),
        {"axis": LEADING},
    ),
    OpCase(
        "splice_far",
        C.splice,
        (VECTOR, 2 * VECTOR),
        lambda x, y: np.stack([x[None], y[None]]),
        {"axis": -3},
    ),
    OpCase(
        "splice_stretched",
        C.splice,
        (numbers(3, 1), numbers(1, 4)),
        lambda x, y: np.concatenate([x, np.tile(y, (3, 1))], 1),
    ),
    OpCase("splice_parameter", C.splice, (VECTOR, held(2)), lambda x, y: np.concatenate([x, y])),
    OpCase("splice_numbers", C.splice, (NUMBER, 2 * NUMBER), lambda x, y: np.array([x, y])),
    OpCase("splice_of_one", C.splice, (MATRIX,), np.positive),
    OpCase(
        "gather",
        C.gather,
        (TABLE, CLASSES),
        lambda table, k: table[k.astype(int)],
        slope=lambda table, k, g: (np.stack([g[k == i].sum(0) for i in range(4)]), 0 * k),
        errors=(Misuse(((4, 2), (3,)), "has a batch axis"),),
    ),
    OpCase(
        "gather_vectors",
        C.gather,
        (held(4, 3), CLASSES + 0.7),
        lambda table, k: table[k.astype(int)],
        gradient=(0,),
    ),
    OpCase(
        "gather_axis",
        C.gather,
        (held(2, 4, 3), CLASSES),
        lambda table, k: table.swapaxes(0, 1)[k.astype(int)].swapaxes(0, 1),
        {"axis": 1},
        gradient=(0,),
    ),
    OpCase(
        "one_hot",
        C.one_hot,
        (CLASSES,),
        lambda k: one_hot(k, 5),
        {"num_classes": 5},
        slope=lambda k, g: (0 * k,),
        free=(0,),
        errors=(
            Misuse(((3,),), "static axis 2 is out of range", {"num_classes": 5, "axis": 2}),
            Misuse(((3,),), "expected a number of classes", {"num_classes": 2.5}),
        ),
    ),
    OpCase(
        "one_hot_first",
        C.one_hot,
        (CLASSES,),
        lambda k: one_hot(k, 5, 0),
        {"num_classes": 5, "axis": 0},
        gradient=(),
    ),
    OpCase(
        "one_hot_no_class",
        lambda x: C.one_hot(3 * x, 4),
        (VECTOR,),
        lambda x: one_hot(3 * x, 4),
        gradient=(),
    ),
    OpCase(
        "one_hot_sparse",
        lambda x: C.one_hot(x, 3, sparse_output=True),
        (CLASSES[:, 0],),
        lambda k: one_hot(k, 3),
        gradient=(),
    ),
    OpCase(
        "one_hot_sparse_times",
        lambda x, w: C.times(C.one_hot(x, 3, sparse_output=True), w),
        (CLASSES[:, 0], held(3, 2)),
        lambda k, w: one_hot(k, 3) @ w,
        gradient=(1,),
    ),
    OpCase(
        "top_k",
        C.top_k,
        (CUBE,),
        lambda x: top(x, 2, -1),
        {"k": 2},
        free=(0,),
        errors=(
            Misuse(((3,),), "cannot take 4 elements from an axis with 3", {"k": 4}),
            Misuse(((3,),), "static axis 1 is out of range", {"k": 1, "axis": 1}),
        ),
    ),
    OpCase("top_k_axis", C.top_k, (CUBE,), lambda x: top(x, 2, 1), {"k": 2, "axis": 1}),
    OpCase(
        "pad",
        C.pad,
        (MATRIX,),
        lambda x: np.pad(x, [(1, 2), (0, 3)], constant_values=2.5),
        {"pattern": [(1, 2), (0, 3)], "constant_value": 2.5},
        free=(0,),
        errors=(
            Misuse(
                ((2, 3),),
                "the pattern has 1 pairs, and the operand 2 static axes",
                {"pattern": [(1, 1)]},
            ),
            Misuse(((3,),), "at most 2, not 3", {"pattern": [(3, 0)], "mode": 1}),
            Misuse(((3,),), "at most 3, not 4", {"pattern": [(0, 4)], "mode": 2}),
            Misuse(((3,),), "expected a pair of sizes", {"pattern": [(-1, 0)]}),
            Misuse(((3,),), "unknown mode 3", {"pattern": [(1, 0)], "mode": 3}),
        ),
    ),
    *(
        OpCase(
            f"pad_{mode}",
            C.pad,
            (CUBE,),
            lambda x, mode=mode: np.pad(x, [(1, 0), (0, 2), (2, 1)], mode=mode),
            {"pattern": [(1, 0), (0, 2), (2, 1)], "mode": number},
            free=(2,),
        )
        for mode, number in (("reflect", 1), ("symmetric", 2))
    ),
    OpCase(
        "crop_manual",
        lambda x, like, offset_x=2, offset_y=1: C.crop_manual(x, like, offset_x, offset_y),
        (CUBE, numbers(5, 2, 1)[:, :2]),
        lambda x, like: x[:, 1:3, 2:3],
        slope=lambda x, like, g: (np.pad(g, [(0, 0), (1, 0), (2, 1)]), 0 * like),
        errors=(
            Misuse(((2, 3), (1, 2, 3)), "the same number of static axes", {}),
            Misuse(((4, 4), (3, 1)), "3 elements from 2 on are not within", {"offset_y": 2}),
            Misuse(
                ((4, 4), (3, 1)),
                "expected a number of elements, 0 or more, as offset_x, got -1",
                {"offset_x": -1},
            ),
        ),
    ),
    OpCase(
        "zeros_like", C.zeros_like, (MATRIX,), np.zeros_like, slope=lambda x, g: (0 * x,), free=(0,)
    ),
    OpCase("ones_like", C.ones_like, (MATRIX,), np.ones_like, slope=lambda x, g: (0 * x,)),
    OpCase(
        "eye_like",
        lambda x: C.eye_like(x, sparse_output=False),
        (VECTOR,),
        lambda x: np.eye(7, 5),
        whole=True,
        gradient=(),
        errors=(Misuse(((2, 3),), "expected an operand with two axes"),),
    ),
    OpCase(
        "eye_like_sparse", C.eye_like, (VECTOR,), lambda x: np.eye(7, 5), whole=True, gradient=()
    ),
    OpCase(
        "eye_like_parameter",
        lambda x: C.eye_like(x, False),
        (held(3, 4),),
        lambda x: np.eye(3, 4),
        gradient=(),
    ),
    OpCase(
        "cast_there_and_back",
        lambda x: C.cast(C.cast(x, np.float64) * 2, x.dtype),
        (MATRIX,),
        lambda x: 2 * x,
    ),
)
