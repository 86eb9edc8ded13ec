"""Rows of convolution, pooling, normalisation and dropout."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

import cntk as C
from cntk._ops.nn.roi_pooling import roipooling
from tests.ops.op_case import LENGTHS, Held, Misuse, OpCase, held, numbers, sequences

IMAGE, LINE, CUBE, PLANE = (
    numbers(2, 5, 6),
    numbers(2, 9, seed=4),
    numbers(2, 3, 4, 5, seed=5),
    numbers(5, 6, seed=6),
)
CHANNELS = numbers(4, 5, 6, seed=8)
TIES = np.round(numbers(1, 4, 6, seed=9))
REGIONS = np.tile([[0, 0, 3, 2], [1.4, 2.6, 4.5, 4.4], [2, 2, 2, 2]], (7, 1, 1))


def begin_and_count(
    length: int, size: int, stride: int, pad: bool, dilation: int = 1
) -> tuple[int, int]:
    """Where the first window begins, and how many there are: centred where padded."""
    extent = (size - 1) * dilation + 1
    if not pad:
        return 0, (length - extent) // stride + 1
    count = math.ceil(length / stride)
    return ((length - 1) - (count - 1) * stride) // 2 - (extent - 1) // 2, count


def windows(
    x: np.ndarray, size: Sequence[int], strides: Any, pad: Any, dilation: Any, fill: float
) -> np.ndarray:
    """All windows over the last axes of an array: ``[*leading, *counts, *size]``."""
    rank = len(size)
    grid = []
    for k, length in enumerate(x.shape[-rank:]):
        begin, count = begin_and_count(length, size[k], strides[k], pad[k], dilation[k])
        at = begin + strides[k] * np.arange(count)[:, None] + dilation[k] * np.arange(size[k])
        # One element behind the last stands for all padding.
        at = np.where((at >= 0) & (at < length), at, length)
        grid.append(
            at.reshape(
                *(count if i == k else 1 for i in range(rank)),
                *(size[k] if i == k else 1 for i in range(rank)),
            )
        )
    padded = np.pad(x, [(0, 0)] * (x.ndim - rank) + [(0, 1)] * rank, constant_values=fill)
    return padded[(..., *grid)]


def correlated(
    x: np.ndarray, w: np.ndarray, strides: Any = 1, pad: Any = False, dilation: Any = 1
) -> np.ndarray:
    """Convolution ``[channels, *positions]`` by ``[filters, channels, *window]``."""
    rank = w.ndim - 2
    strides, pad, dilation = (
        v if isinstance(v, tuple) else (v,) * rank for v in (strides, pad, dilation)
    )
    seen = windows(x, w.shape[2:], strides, pad, dilation, 0.0)
    axes = [0, *range(rank + 1, 2 * rank + 1)]
    return np.moveaxis(np.tensordot(seen, w, (axes, range(1, w.ndim))), -1, 0)


def spread_out(
    x: np.ndarray, w: np.ndarray, shape: tuple[int, ...], strides: Any, pad: Any
) -> np.ndarray:
    """Transposed convolution ``[channels, *positions]`` by ``[channels, filters, *window]``, from
    its definition.
    """
    rank = w.ndim - 2
    begins = [
        begin_and_count(n, k, s, p)[0]
        for n, k, s, p in zip(shape, w.shape[2:], strides, pad, strict=True)
    ]
    result = np.zeros((w.shape[1], *shape))
    for place in np.ndindex(*x.shape[1:]):
        for offset in np.ndindex(*w.shape[2:]):
            at = tuple(
                b + p * s + o for b, p, s, o in zip(begins, place, strides, offset, strict=True)
            )
            if all(0 <= a < n for a, n in zip(at, shape, strict=True)):
                result[(slice(None), *at)] += (
                    x[(slice(None), *place)] @ w[(slice(None), slice(None), *offset)]
                )
    assert rank == len(shape)
    return result


def pooled(x: np.ndarray, size: Sequence[int], strides: Any, pad: Any, kind: str) -> np.ndarray:
    seen = windows(x, size, strides, pad, (1,) * len(size), np.nan)
    axes = tuple(range(-len(size), 0))
    if kind == "mean with padding":
        return np.nan_to_num(seen).mean(axes)
    return np.nanmax(seen, axes) if kind == "max" else np.nanmean(seen, axes)


def first_of_ties(x: np.ndarray, gradient: np.ndarray) -> tuple[np.ndarray]:
    """The gradient of pooling 2 x 2 goes to the first of the largest elements."""
    slope = np.zeros_like(x)
    for c, i, j in np.ndindex(*gradient.shape):
        window = x[c, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
        row, column = np.unravel_index(window.argmax(), window.shape)
        slope[c, 2 * i + row, 2 * j + column] += gradient[c, i, j]
    return (slope,)


def unpooled(x: np.ndarray) -> np.ndarray:
    return first_of_ties(x, pooled(x, (2, 2), (2, 2), (False, False), "max"))[0]


def regions(x: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """The largest element in each cell of a grid of 2 x 3 over each region."""
    result = []
    for left, top, right, bottom in np.floor(boxes + 0.5).astype(int):
        height, width = bottom - top + 1, right - left + 1
        cells = [
            x[
                :,
                top + i * height // 2 : top - (-(i + 1) * height // 2),
                left + j * width // 3 : left - (-(j + 1) * width // 3),
            ]
            for i in range(2)
            for j in range(3)
        ]
        result.append(np.stack([c.max((1, 2)) for c in cells], -1).reshape(-1, 2, 3))
    return np.stack(result)


def convolved(
    suffix: str, x: Any, w: Any, reference: Any, free: tuple[int, ...] = (), **kwargs: Any
) -> OpCase:
    op = lambda x, w, **options: C.convolution(w, x, **options)  # noqa: E731
    return OpCase(f"convolution_{suffix}", op, (x, w), reference, kwargs, free=free)


def transposed(
    suffix: str, x: Any, w: Any, shape: tuple[int, ...], strides: Any, pad: Any, **kwargs: Any
) -> OpCase:
    return OpCase(
        f"convolution_transpose_{suffix}",
        lambda x, w: C.convolution_transpose(
            w, x, strides=strides, auto_padding=[False, *pad], **kwargs
        ),
        (x, w),
        lambda x, w: spread_out(x, w, shape, strides, pad),
    )


def along_sequence(
    suffix: str, w: Any, strides: int, pad: bool, *shape: int, lengths: Any = LENGTHS
) -> OpCase:
    """A convolution along sequences is one over an image whose rows are frames."""

    def reference(x: np.ndarray, w: np.ndarray) -> np.ndarray:
        return np.moveaxis(correlated(np.moveaxis(x, 0, 1), w, strides, pad), 0, 1)

    return OpCase(
        f"convolution_sequential_{suffix}",
        lambda x, w: C.convolution(
            w,
            x,
            strides=strides,
            auto_padding=[False, *[pad] * (len(w.shape) - 2)],
            sequential=True,
        ),
        (sequences(*shape, lengths=lengths), w),
        reference,
        errors=(Misuse(((2,), (3, 2, 3)), "needs an operand with a sequence axis"),),
    )


def pooling(
    suffix: str, x: Any, kind: int, window: Any, strides: Any, pad: Any, name: str, **kwargs: Any
) -> OpCase:
    return OpCase(
        f"pooling_{suffix}",
        lambda x: C.pooling(x, kind, window, strides, list(pad), **kwargs),
        (x,),
        lambda x: pooled(x, window, strides, pad, name),
        free=(1,),
    )


def standardized(
    x: np.ndarray, scale: np.ndarray, bias: np.ndarray, mean: np.ndarray, variance: np.ndarray
) -> np.ndarray:
    return (x - mean) / np.sqrt(variance + 0.1) * scale + bias


GROUPS = held(6, 2, 3, 2, seed=10)
CASES = (
    convolved(
        "valid",
        IMAGE,
        held(3, 2, 3, 2),
        lambda x, w: correlated(x, w),
        free=(1, 2),
        auto_padding=[False],
    ),
    convolved(
        "padded",
        IMAGE,
        held(3, 2, 3, 3),
        lambda x, w: correlated(x, w, pad=True),
        auto_padding=[False, True, True],
    ),
    convolved(
        "even_window_and_strides",
        IMAGE,
        held(3, 2, 2, 4),
        lambda x, w: correlated(x, w, (2, 3), (True, False)),
        strides=(2, 3),
        auto_padding=[False, True, False],
    ),
    convolved(
        "centred_beyond_stride",
        LINE,
        held(3, 2, 2),
        lambda x, w: correlated(x, w, 4, True),
        strides=4,
        auto_padding=[False, True],
    ),
    convolved(
        "dilated",
        IMAGE,
        held(3, 2, 3, 2),
        lambda x, w: correlated(x, w, pad=(True, False), dilation=(2, 3)),
        dilation=(2, 3),
        auto_padding=[False, True, False],
    ),
    convolved(
        "of_lines",
        LINE,
        held(3, 2, 4),
        lambda x, w: correlated(x, w, 2),
        strides=2,
        auto_padding=[False],
    ),
    convolved(
        "of_cubes", CUBE, held(3, 2, 2, 3, 2), lambda x, w: correlated(x, w), auto_padding=[False]
    ),
    convolved(
        "one_filter",
        IMAGE,
        held(2, 3, 2),
        lambda x, w: correlated(x, w[None]),
        auto_padding=[False],
    ),
    convolved(
        "one_filter_along_channels",
        CHANNELS,
        held(1, 3, 2, 3),
        lambda x, w: correlated(x[None], w[None], (2, 1, 1), True)[0],
        strides=(2, 1, 1),
        auto_padding=[True],
    ),
    convolved("of_vectors", numbers(4), held(3, 4), lambda x, w: w @ x, auto_padding=[False]),
    convolved(
        "without_channels",
        PLANE,
        held(3, 2, 4),
        lambda x, w: correlated(x[None], w[:, None], pad=True),
        reduction_rank=0,
    ),
    convolved(
        "in_groups",
        CHANNELS,
        GROUPS,
        lambda x, w: np.concatenate(
            [correlated(x[:2], w[:3], pad=True), correlated(x[2:], w[3:], pad=True)]
        ),
        groups=2,
        auto_padding=[False, True, True],
    ),
    OpCase(
        "convolution_misused",
        lambda x, **kwargs: C.convolution(C.constant(np.ones((4, 2, 3, 3), x.dtype)), x, **kwargs),
        (IMAGE,),
        lambda x: correlated(x, np.ones((4, 2, 3, 3))),
        {"auto_padding": [False]},
        errors=(
            Misuse(((6,),), r"must have one axis more than the operand \[6\]"),
            Misuse(((2, 2, 5),), "the window is 3 long and the axis only 2"),
            Misuse(
                ((2, 4, 5),),
                "reaches over 5 elements",
                {"dilation": (1, 2, 1), "auto_padding": [False]},
            ),
            Misuse(((2, 4, 5),), "expected 1 to 3 strides", {"strides": (1, 1, 1, 1)}),
            Misuse(((2, 4, 5),), "3 groups need 3 times", {"groups": 3}),
            Misuse(((2, 4, 5),), "reduction_rank must be 1", {"reduction_rank": 2}),
            Misuse(((4, 5),), "with reduction_rank 0 the kernel", {"reduction_rank": 0}),
        ),
    ),
    transposed("valid", numbers(2, 4, 3), held(2, 3, 3, 2, seed=7), (6, 4), (1, 1), (False, False)),
    transposed("padded", numbers(2, 4, 3), held(2, 3, 3, 2, seed=7), (7, 7), (2, 3), (True, True)),
    transposed(
        "of_a_shape",
        numbers(2, 4, 3),
        held(2, 3, 3, 2, seed=7),
        (8, 8),
        (2, 3),
        (True, True),
        output_shape=(3, 8, 8),
    ),
    transposed("with_gaps", numbers(2, 4), held(2, 3, 2, seed=7), (17,), (5,), (False,)),
    OpCase(
        "convolution_transpose_without_channels",
        lambda x, w, **kwargs: C.convolution_transpose(
            w, x, strides=2, auto_padding=[False], reduction_rank=0
        ),
        (numbers(4, 3), held(5, 2, 3)),
        lambda x, w: spread_out(x[None], w[None], (8, 7), (2, 2), (False, False)),
    ),
    OpCase(
        "convolution_transpose_misused",
        lambda x, **kwargs: C.convolution_transpose(
            C.constant(np.ones((2, 4, 3), x.dtype)), x, **kwargs
        ),
        (numbers(2, 5),),
        lambda x: spread_out(x, np.ones((2, 4, 3)), (5,), (1,), (True,)),
        errors=(
            Misuse(((3, 5),), "the kernel is for 2 channels and the operand has 3"),
            Misuse(
                ((2, 5),),
                r"gives \[4\] positions, and the operand has \[5\]",
                {"strides": 2, "output_shape": (4, 8)},
            ),
            Misuse(((2, 5),), "4 channels first", {"output_shape": (9,)}),
        ),
    ),
    along_sequence("padded", held(3, 2, 3), 1, True, 2),
    along_sequence("strides", held(3, 2, 2), 3, True, 2, lengths=(5, 1, 4, 8)),
    along_sequence("valid", held(3, 2, 2), 2, False, 2, lengths=(4, 2, 7)),
    along_sequence("equal_lengths", held(3, 2, 3), 1, True, 2, lengths=(5, 5)),
    along_sequence("of_lines", held(3, 2, 3, 2), 2, True, 2, 5),
    OpCase(
        "convolution_sequential_without_channels",
        lambda x, w: C.convolution(w, x, sequential=True, auto_padding=[True], reduction_rank=0),
        (sequences(), held(2, 3)),
        lambda x, w: correlated(x[None], w[:, None], pad=True).T,
    ),
    pooling("max", IMAGE, C.MAX_POOLING, (2, 3), (2, 2), (False, False), "max"),
    pooling("max_padded", IMAGE, C.MAX_POOLING, (3, 2), (1, 3), (True, False), "max"),
    pooling("max_even_window", IMAGE, C.MAX_POOLING, (2, 4), (3, 5), (True, True), "max"),
    pooling("max_of_cubes", CUBE, C.MAX_POOLING, (2, 2, 3), (1, 2, 2), (False, True, False), "max"),
    pooling("mean", IMAGE, C.AVG_POOLING, (2, 3), (2, 2), (False, False), "mean"),
    pooling("mean_padded", IMAGE, C.AVG_POOLING, (3, 3), (2, 1), (True, True), "mean"),
    pooling("mean_even_window", IMAGE, C.AVG_POOLING, (2, 4), (2, 3), (True, True), "mean"),
    pooling(
        "mean_padding_counts",
        IMAGE,
        C.AVG_POOLING,
        (3, 3),
        (2, 1),
        (True, True),
        "mean with padding",
        include_pad=True,
    ),
    OpCase(
        "pooling_hanging_over",
        lambda x: C.pooling(x, C.MAX_POOLING, (2, 3), (2, 2), ceil_out_dim=True),
        (IMAGE,),
        lambda x: pooled(
            np.pad(x, ((0, 0), (0, 1), (0, 1)), constant_values=-9),
            (2, 3),
            (2, 2),
            (False, False),
            "max",
        ),
    ),
    OpCase(
        "pooling_beyond_the_end",
        lambda x: C.pooling(x, C.MAX_POOLING, (2, 2), (3, 1), [True, True], ceil_out_dim=True),
        (numbers(2, 6, 3, seed=12),),
        lambda x: np.concatenate(
            [pooled(x, (2, 2), (3, 1), (False, True), "max"), np.zeros((2, 1, 3))], 1
        ),
    ),
    OpCase(
        "mean_beyond_the_end",
        lambda x: C.pooling(x, C.AVG_POOLING, (2, 2), (3, 1), [True, True], ceil_out_dim=True),
        (numbers(2, 6, 3, seed=12),),
        lambda x: np.concatenate(
            [pooled(x, (2, 2), (3, 1), (False, True), "mean"), np.zeros((2, 1, 3))], 1
        ),
    ),
    OpCase(
        "roipooling_beyond_the_image",
        lambda x, r: roipooling(x, r, C.MAX_POOLING, (2, 2), 0.5),
        (PLANE[:, None], np.tile([[-4.0, 2, 4, 20], [8, -3, 14, 4]], (7, 1, 1))),
        lambda x, r: np.stack(
            [
                # Cells that begin outside are 0: here the left ones of the first region, the upper
                # ones of the second.
                [[[0, x[0, 1:5, :3].max()], [0, 0]]],
                [[[0, 0], [x[0, 1:3, 4:6].max(), 0]]],
            ]
        ),
        gradient=(0,),
    ),
    OpCase(
        "pooling_across_channels",
        lambda x: C.pooling(x, C.MAX_POOLING, (2, 1, 1), (2, 1, 1)),
        (CHANNELS,),
        lambda x: x.reshape(2, 2, 5, 6).max(1),
    ),
    OpCase(
        "pooling_with_ties",
        lambda x: C.pooling(x, C.MAX_POOLING, (2, 2), (2, 2)),
        (TIES,),
        lambda x: pooled(x, (2, 2), (2, 2), (False, False), "max"),
        slope=first_of_ties,
    ),
    OpCase(
        "pooling_misused",
        C.pooling,
        (IMAGE,),
        lambda x, **_: x,
        {"pooling_type": C.MAX_POOLING, "pooling_window_shape": (1, 1)},
        errors=(
            Misuse(
                ((5,),),
                "has more axes than the operand",
                {"pooling_type": 0, "pooling_window_shape": (2, 2)},
            ),
            Misuse(
                ((2, 5),), "the window is 6 long", {"pooling_type": 0, "pooling_window_shape": (6,)}
            ),
            Misuse(
                ((2, 5),),
                "must be of known size",
                {"pooling_type": 0, "pooling_window_shape": (-1,)},
            ),
        ),
    ),
    OpCase(
        "unpooling",
        lambda x: C.unpooling(
            C.pooling(x, C.MAX_POOLING, (2, 2), (2, 2)), x, C.MAX_UNPOOLING, (2, 2), (2, 2)
        ),
        (numbers(2, 4, 6, seed=11),),
        unpooled,
        gradient=(),
    ),
    OpCase(
        "unpooling_gradient",
        lambda x, y: C.unpooling(y, x, C.MAX_UNPOOLING, (2,), (2,)),
        (numbers(6, seed=12), numbers(3, seed=13)),
        lambda x, y: first_of_ties(x[None, None], y[None, None])[0][0, 0],
        # The largest of the window, wherever the value went.
        slope=lambda x, y, g: (
            0 * x,
            g.reshape(3, 2).max(1),
        ),
    ),
    OpCase(
        "unpooling_misused",
        lambda x, y, **kwargs: C.unpooling(y, x, kwargs.get("kind", 0), (2,), (2,)),
        (numbers(2, 6), numbers(2, 3)),
        lambda x, y: first_of_ties(x[:, None].repeat(2, 1), y[:, None])[0].sum(1),
        gradient=(),
        errors=(
            Misuse(((2, 6), (2, 4)), r"gives \[2 x 3\], and the pooled operand is \[2 x 4\]"),
            Misuse(((2, 6), (2, 3)), "only max pooling can be undone", {"kind": 1}),
        ),
    ),
    OpCase(
        "roipooling",
        lambda x, r, **kwargs: roipooling(x, r, kwargs.get("kind", C.MAX_POOLING), (2, 3), 1),
        (IMAGE, REGIONS),
        regions,
        gradient=(0,),
        errors=(
            Misuse(((5, 6), (3, 4)), r"must be \[channels x rows x columns\]"),
            Misuse(((2, 5, 6), (3, 5)), r"regions must be \[number x 4\]"),
            Misuse(((2, 5, 6), (3, 4)), "only max pooling is supported", {"kind": C.AVG_POOLING}),
        ),
    ),
    OpCase(
        "local_response_normalization",
        C.local_response_normalization,
        (CHANNELS,),
        lambda x, **_: (
            x
            / (1.5 + 0.2 / 3 * correlated(x[None] ** 2, np.ones((1, 1, 3, 1, 1)), pad=True)[0])
            ** 0.75
        ),
        {"depth_radius": 1, "bias": 1.5, "alpha": 0.2, "beta": 0.75},
    ),
    OpCase(
        "batch_normalization_evaluated",
        lambda x, *given: C.batch_normalization(
            x, *given, spatial=True, epsilon=0.1, running_count=C.constant(0, (), x.dtype)
        ),
        (IMAGE, held(2), held(2, seed=12), Held(np.array([0.5, -1])), Held(np.array([2.0, 3.0]))),
        lambda x, *given: standardized(x, *(v[:, None, None] for v in given)),
        gradient=(),
        errors=(
            Misuse(((3, 4), (4,), (4,), (4,), (4,)), r"one element a channel \(3\), got \[4\]"),
            Misuse(((), (1,), (1,), (1,), (1,)), "a scalar has no channels to normalise"),
        ),
    ),
    OpCase("dropout_evaluated", lambda x: C.dropout(x, 0.3), (PLANE,), lambda x: x, gradient=()),
    OpCase("dropout_of_nothing", lambda x: C.dropout(x, 0.0), (PLANE,), lambda x: x),
)
