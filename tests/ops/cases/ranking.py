"""Rows of the criteria of rankings: LambdaRank, and the gain of the best-ranked sample."""

from __future__ import annotations

import numpy as np

import cntk as C
from tests.ops.op_case import Misuse, OpCase, numbers

SCORE = numbers(1)
GAIN = np.array([5.0, 3.0, 3.0, 0.5, 2.0, 4.0, 1.0])[:, np.newaxis]
GROUP = np.array([1.0, 1.0, 1.0, 1.0, 2.0, 3.0, 3.0])[:, np.newaxis]


def groups(group: np.ndarray) -> list[np.ndarray]:
    """The samples' numbers, for each group."""
    numbers = group.ravel().astype(int)
    return np.split(np.arange(len(numbers)), np.flatnonzero(np.diff(numbers)) + 1)


def cumulated(gain: np.ndarray) -> float:
    return float(sum(g / np.log2(2 + k) for k, g in enumerate(gain.ravel())))


def shortfall(score: np.ndarray, gain: np.ndarray, group: np.ndarray) -> np.ndarray:
    reached = [
        cumulated(gain[k][np.argsort(-score[k].ravel())]) / cumulated(gain[k])
        for k in groups(group)
    ]
    return 100 * len(score) * (1 - np.mean(reached))


def first_gain(score: np.ndarray, gain: np.ndarray, group: np.ndarray) -> np.ndarray:
    return (
        100
        * len(score)
        * np.mean([gain[k][np.argmax(score[k])][0] / gain[k][0][0] for k in groups(group)])
    )


ERRORS = (
    Misuse(((2,), (1,), (1,)), r"a sample's score must be one number, got \[2\]"),
    Misuse(((1,), (1,), (3,)), r"a sample's group must be one number, got \[3\]"),
)

CASES = (
    OpCase(
        "lambda_rank",
        C.lambda_rank,
        (SCORE, GAIN, GROUP),
        shortfall,
        whole=True,
        gradient=(),
        errors=ERRORS,
    ),
    OpCase(
        "ndcg_at_1",
        C.ndcg_at_1,
        (SCORE, GAIN, GROUP),
        first_gain,
        whole=True,
        gradient=(),
        errors=ERRORS,
    ),
    OpCase(
        "ndcg_at_1_of_numbers",
        C.ndcg_at_1,
        (SCORE[:, 0], GAIN[:, 0], GROUP[:, 0]),
        lambda *operands: first_gain(*(x[:, np.newaxis] for x in operands)),
        whole=True,
        gradient=(),
    ),
)
