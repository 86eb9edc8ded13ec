"""Rows of losses, metrics and standardisation."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special

import cntk as C
from cntk._ops.loss.cross_entropy import TotalCrossEntropy, TotalSquaredError
from cntk._ops.math.activation import ELU, Sigmoid
from cntk._ops.math.softmax import LogSoftmax
from cntk._ops.support.operands import apply
from tests.ops.op_case import ROWS, Held, Misuse, OpCase, Sparse, held, numbers, sequences

VECTOR, OTHER = numbers(5), numbers(5, seed=4)
MATRIX, OTHER_MATRIX = numbers(3, 4), numbers(3, 4, seed=5)
SCORES = numbers(5, low=0.1, high=0.9, seed=6)
CLASSES = np.random.default_rng(7).integers(0, 5, ROWS)
ONE_HOT = np.eye(5)[CLASSES]
WEIGHTED = np.round(numbers(5, low=-0.9, high=1.4, seed=8), 2)  # several entries a row, and none
BITS = np.random.default_rng(9).integers(0, 2, (ROWS, 5)).astype(float)

DIFFERENT_CLASSES = Misuse(
    ((5,), (4,)), r"the last axes of output \(5\) and target \(4\) must agree"
)


def cross_entropy(z: np.ndarray, y: np.ndarray, axis: int = -1) -> np.ndarray:
    return scipy.special.logsumexp(z, axis, keepdims=True) - (y * z).sum(axis, keepdims=True)


def outer_cross_entropy(z: np.ndarray, y: np.ndarray) -> np.ndarray:
    """With more axes every row of the output meets every row of the target."""
    return scipy.special.logsumexp(z, -1, keepdims=True) - z @ y.T


def wrong(z: np.ndarray, y: np.ndarray) -> np.ndarray:
    return 1 - y[np.argmax(z), np.newaxis]


def wrong_slope(z: np.ndarray, y: np.ndarray, g: np.ndarray) -> tuple[Any, ...]:
    return 0 * z, -g * np.eye(5)[np.argmax(z)]


def binary_cross_entropy(p: np.ndarray, t: np.ndarray) -> np.ndarray:
    little, more = np.float32([1e-6, 1 + 1e-6]).astype(float)
    return -(t * np.log(p + little) + (1 - t) * np.log(more - p))


def weighted(p: np.ndarray, t: np.ndarray, w: np.ndarray) -> np.ndarray:
    losses = -w * np.log(t * p + (1 - t) * (1 - p))
    return losses.sum() / w.mean()


def cosine(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return (x * y).sum() / np.sqrt((x * x).sum() * (y * y).sum())


def with_others(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    picks = [[k, *((k + 2 + n) % ROWS for n in range(3))] for k in range(ROWS)]
    return np.array([[cosine(x[k], y[other]) for other in row] for k, row in enumerate(picks)])


def f_measure(p: np.ndarray, t: np.ndarray, beta: float = 1.0) -> np.ndarray:
    hits = (p * t).sum()
    precision, recall = hits / p.sum(), hits / t.sum()
    return 1 - (1 + beta**2) * precision * recall / (beta**2 * precision + recall)


def standardized(x: np.ndarray, axes: tuple[int, ...], epsilon: float) -> np.ndarray:
    centered = x - x.mean(axes, keepdims=True)
    return centered / (np.sqrt((centered**2).mean(axes, keepdims=True)) + epsilon)


def top_misses(z: np.ndarray, y: np.ndarray) -> Any:
    """Of equal scores the first counts as the largest."""
    return np.sum(
        [np.argmax(t) not in np.argsort(-s, kind="stable")[:2] for s, t in zip(z, y, strict=True)]
    )


def with_the_next_in_time(x: list[np.ndarray], y: list[np.ndarray]) -> list[np.ndarray]:
    """Of sequences of the same length: further on is the same frame of the next sequence."""
    places = [(k, t) for t in range(len(x[0])) for k in range(len(x))]
    rows = [[np.zeros(2) for _ in sequence] for sequence in x]
    for n, (k, t) in enumerate(places):
        other, then = places[(n + 1) % len(places)]
        rows[k][t] = np.array([cosine(x[k][t], y[k][t]), cosine(x[k][t], y[other][then])])
    return [np.array(r) for r in rows]


CASES = (
    OpCase(
        "cross_entropy_with_softmax",
        C.cross_entropy_with_softmax,
        (VECTOR, ONE_HOT),
        cross_entropy,
        free=(0,),
        errors=(
            DIFFERENT_CLASSES,
            Misuse(((), (4,)), "the output needs a static axis"),
            Misuse(((2, 3), (2, 3)), "static axis 2 is out of range", {"axis": 2}),
        ),
    ),
    OpCase(
        "cross_entropy_any_target", C.cross_entropy_with_softmax, (VECTOR, OTHER), cross_entropy
    ),
    OpCase(
        "cross_entropy_sparse",
        C.cross_entropy_with_softmax,
        (VECTOR, Sparse(ONE_HOT)),
        cross_entropy,
    ),
    OpCase(
        "cross_entropy_weighted",
        C.cross_entropy_with_softmax,
        (VECTOR, Sparse(WEIGHTED)),
        cross_entropy,
    ),
    OpCase(
        "cross_entropy_of_parameter",
        C.cross_entropy_with_softmax,
        (held(5), ONE_HOT),
        cross_entropy,
    ),
    OpCase(
        "cross_entropy_held_target",
        C.cross_entropy_with_softmax,
        (VECTOR, Held(ONE_HOT[0])),
        cross_entropy,
    ),
    OpCase(
        "cross_entropy_large",
        C.cross_entropy_with_softmax,
        (1e4 * VECTOR, ONE_HOT),
        cross_entropy,
        gradient=(),
    ),
    OpCase(
        "cross_entropy_axis",
        C.cross_entropy_with_softmax,
        (MATRIX, OTHER_MATRIX),
        lambda z, y: cross_entropy(z, y, 0),
        {"axis": 0},
        free=(1,),
    ),
    OpCase(
        "cross_entropy_of_matrices",
        C.cross_entropy_with_softmax,
        (MATRIX, OTHER_MATRIX[:, :2]),
        outer_cross_entropy,
    ),
    OpCase(
        "cross_entropy_of_matrix_and_vector",
        C.cross_entropy_with_softmax,
        (MATRIX, OTHER_MATRIX[:, 0]),
        lambda z, y: cross_entropy(z, y),
    ),
    OpCase(
        "total_cross_entropy",
        lambda z, y: apply(TotalCrossEntropy(), (z, y)),
        (VECTOR, ONE_HOT),
        lambda z, y: cross_entropy(z, y).sum(),
        whole=True,
    ),
    OpCase(
        "classification_error",
        C.classification_error,
        (VECTOR, ONE_HOT),
        wrong,
        slope=wrong_slope,
        free=(0,),
        errors=(
            DIFFERENT_CLASSES,
            Misuse(((5,), (5,)), "topN is for the last axis", {"axis": 0, "topN": 2}),
        ),
    ),
    OpCase(
        "classification_error_sparse",
        C.classification_error,
        (VECTOR, Sparse(ONE_HOT)),
        wrong,
        gradient=(),
    ),
    OpCase(
        "classification_error_weighted",
        C.classification_error,
        (VECTOR, Sparse(WEIGHTED)),
        wrong,
        gradient=(),
    ),
    OpCase(
        "classification_error_of_parameter",
        C.classification_error,
        (held(5), ONE_HOT),
        wrong,
        gradient=(),
    ),
    OpCase(
        "classification_error_held_target",
        C.classification_error,
        (VECTOR, Held(ONE_HOT[0])),
        wrong,
        gradient=(),
    ),
    OpCase(
        "classification_error_axis",
        lambda z, y: C.classification_error(z, y, axis=0),
        (VECTOR, ONE_HOT),
        lambda z, y: wrong(z, y)[0],
        gradient=(),
    ),
    OpCase(
        "classification_error_top",
        lambda z, y: C.classification_error(z, y, topN=2),
        (VECTOR, ONE_HOT),
        top_misses,
        whole=True,
        gradient=(),
    ),
    OpCase(
        "classification_error_top_of_matrices",
        lambda z, y: C.classification_error(z, y, topN=2),
        (MATRIX, 1.0 * (MATRIX == MATRIX.max((1, 2), keepdims=True))[:, ::-1]),
        lambda z, y: top_misses(z.reshape(ROWS, -1), y.reshape(ROWS, -1)),
        whole=True,
        gradient=(),
    ),
    OpCase(
        "classification_error_of_held_matrix",
        C.classification_error,
        (Held(MATRIX[0]), OTHER_MATRIX),
        lambda z, y: 1 - (z == z.max(-1, keepdims=True)) @ y.T,
        gradient=(),
    ),
    OpCase(
        "classification_error_top_of_equals",
        lambda z, y: C.classification_error(z, y, topN=2),
        (np.round(VECTOR), ONE_HOT),
        top_misses,
        whole=True,
        gradient=(),
    ),
    OpCase(
        "squared_error",
        C.squared_error,
        (MATRIX, OTHER_MATRIX),
        lambda x, y: ((x - y) ** 2).sum(),
        free=(0, 1),
        errors=(Misuse(((2, 3), (2, 4)), "must agree or be 1"),),
    ),
    OpCase(
        "squared_error_stretched",
        C.squared_error,
        (MATRIX, numbers(3, 1)),
        lambda x, y: ((x - y) ** 2).sum(),
    ),
    OpCase(
        "total_squared_error_of_other_rank",
        lambda x, y: apply(TotalSquaredError(), (C.reshape(x, (1, -1)), y)),
        (VECTOR, OTHER),
        lambda x, y: ((x - y) ** 2).sum(),
        whole=True,
    ),
    OpCase(
        "total_cross_entropy_of_other_rank",
        lambda z, y: apply(TotalCrossEntropy(), (C.reshape(z, (5, 1)), y)),
        (VECTOR, ONE_HOT),
        lambda z, y: cross_entropy(z, y).sum(),
        whole=True,
    ),
    OpCase(
        "total_squared_error",
        lambda x, y: apply(TotalSquaredError(), (x, y)),
        (MATRIX, OTHER_MATRIX),
        lambda x, y: ((x - y) ** 2).sum(),
        whole=True,
    ),
    OpCase("binary_cross_entropy", C.binary_cross_entropy, (SCORES, BITS), binary_cross_entropy),
    OpCase(
        "weighted_binary_cross_entropy",
        C.weighted_binary_cross_entropy,
        (SCORES, BITS, numbers(5, low=0.5, seed=12)),
        weighted,
        whole=True,
        gradient=(),
        errors=(Misuse(((3,), (4,), (3,)), "must agree or be 1"),),
    ),
    OpCase(
        "weighted_binary_cross_entropy_gradient",
        lambda p, t: C.weighted_binary_cross_entropy(p, t, [1, 1, 1, 1, 1]),
        (SCORES, BITS),
        lambda p, t: weighted(p, t, np.ones_like(p)),
        whole=True,
    ),
    OpCase(
        "weighted_binary_cross_entropy_of_one_by_many",
        C.weighted_binary_cross_entropy,
        (Held(SCORES[0]), Held(BITS[0]), numbers(5, low=0.5, seed=12)),
        lambda p, t, w: weighted(np.tile(p, (ROWS, 1)), t, w),
        whole=True,
        gradient=(),
    ),
    OpCase(
        "weighted_binary_cross_entropy_without_weights",
        C.weighted_binary_cross_entropy,
        (SCORES, BITS, np.zeros((ROWS, 5))),
        lambda p, t, w: np.zeros(()),
        whole=True,
        gradient=(),
    ),
    OpCase("cosine_distance", C.cosine_distance, (MATRIX, OTHER_MATRIX), cosine, free=(0,)),
    OpCase(
        "cosine_distance_along_sequences",
        C.cosine_distance,
        (sequences(3), np.random.default_rng(16).uniform(-2, 2, (3, 3))),
        lambda x, y: np.array([cosine(row, y) for row in x]),
    ),
    OpCase(
        "cosine_distance_of_other_shape",
        C.cosine_distance,
        (numbers(3, 1), numbers(3, seed=17)),
        lambda x, y: cosine(x.ravel(), y),
        errors=(Misuse(((2, 3), (3,)), "same number of elements"),),
    ),
    OpCase("cosine_distance_parameter", C.cosine_distance, (VECTOR, held(5)), cosine),
    OpCase(
        "cosine_distance_of_zero",
        C.cosine_distance,
        (0 * VECTOR, OTHER),
        lambda x, y: np.zeros(()),
        slope=lambda x, y, g: (0 * x, 0 * y),
    ),
    OpCase(
        "cosine_distance_with_negative_samples",
        lambda x, y: C.cosine_distance_with_negative_samples(x, y, 2, 3),
        (VECTOR, OTHER),
        with_others,
        whole=True,
    ),
    OpCase(
        "cosine_distance_with_negative_samples_of_other_rank",
        lambda x, y: C.cosine_distance_with_negative_samples(C.reshape(x, (5, 1)), y, 2, 3),
        (VECTOR, OTHER),
        with_others,
        whole=True,
        errors=(Misuse(((5,), (4,)), "the same number of elements"),),
    ),
    OpCase(
        "cosine_distance_of_large",
        C.cosine_distance,
        (1e30 * VECTOR, 1e-25 * OTHER),
        lambda x, y: cosine(1e-30 * x, 1e25 * y),
        gradient=(),
    ),
    OpCase(
        "cosine_distance_with_negative_samples_in_time",
        lambda x, y: C.cosine_distance_with_negative_samples(x, y, 1, 1),
        (sequences(3, lengths=(5, 5, 5, 5)), sequences(3, lengths=(5, 5, 5, 5), seed=15)),
        with_the_next_in_time,
        whole=True,
    ),
    OpCase("fmeasure", C.losses.fmeasure, (SCORES, BITS), f_measure),
    OpCase(
        "fmeasure_beta",
        C.losses.fmeasure,
        (SCORES, BITS),
        lambda p, t: f_measure(p, t, 2),
        {"beta": 2},
    ),
    OpCase(
        "mean_variance_normalization",
        C.mean_variance_normalization,
        (numbers(2, 3, 4),),
        lambda x: standardized(x, (1, 2), 0.1),
        {"epsilon": 0.1},
        free=(1,),
        errors=(
            Misuse(((),), "with at least one static axis"),
            Misuse(((2, 3),), "an epsilon of 0 or more", {"epsilon": -1}),
        ),
    ),
    OpCase(
        "mean_variance_normalization_across",
        C.mean_variance_normalization,
        (numbers(2, 3, 4),),
        lambda x: standardized(x, (0, 1, 2), 1e-5),
        {"use_stats_across_channels": True},
        tolerance=1e-7,
    ),
    OpCase(
        "mean_variance_normalization_vector",
        C.mean_variance_normalization,
        (VECTOR,),
        lambda x: standardized(x, (0,), 1e-5),
        tolerance=1e-7,
    ),
    OpCase(
        "mean_normalization",
        C.mean_variance_normalization,
        (MATRIX,),
        lambda x: x - x.mean(1, keepdims=True),
        {"do_variance_scaling": False},
    ),
    OpCase(
        "image_scaler",
        lambda x, scalar=3, biases=(1, -2): C.image_scaler(x, scalar, biases),
        (numbers(2, 3, 4),),
        lambda x: 3 * x + np.array([1, -2])[:, None, None],
        errors=(
            Misuse(
                ((2, 3),), r"expected an operand \[channels x height x width\] and as many biases"
            ),
            Misuse(((3, 3, 4),), r"got \[3 x 3 x 4\] on \[batch\] and 2"),
            Misuse(
                ((2, 3, 4),),
                "expected a number for each channel as biases, got 1",
                {"biases": 1},
                TypeError,
            ),
        ),
    ),
    OpCase(
        "per_dim_mean_variance_normalize",
        C.per_dim_mean_variance_normalize,
        (MATRIX, held(3, 4), held(3, 4, seed=14)),
        lambda x, mean, scale: (x - mean) * scale,
        errors=(Misuse(((2, 3), (2, 4), (2, 3)), "must agree or be 1"),),
    ),
    # What only files of old models hold.
    OpCase("early_sigmoid", lambda x: apply(Sigmoid(), (x,)), (MATRIX,), scipy.special.expit),
    OpCase(
        "early_elu",
        lambda x: apply(ELU(), (x,)),
        (MATRIX,),
        lambda x: np.where(x < 0, np.expm1(x), x),
    ),
    OpCase(
        "early_log_softmax",
        lambda x: apply(LogSoftmax(), (x,)),
        (MATRIX,),
        scipy.special.log_softmax,
    ),
)
