"""Rows of the criteria of whole sequences: connectionist temporal classification, and edit
distance.
"""

from __future__ import annotations

import itertools
from functools import cache

import numpy as np
import scipy.special

import cntk as C
from tests.ops.op_case import Misuse, OpCase, Sparse, numbers, sequences

LENGTHS = (1, 4, 3, 3)
BLANK = 2


def marked(*labels: tuple[tuple[int, int], ...]) -> list[np.ndarray]:
    """Labels as frames of marks: for each sequence its frames' classes, each with 2 where it begins
    and 1 elsewhere.
    """
    rows = []
    for sequence in labels:
        marks = np.zeros((len(sequence), 3))
        for frame, (label, mark) in enumerate(sequence):
            marks[frame, label] = mark
        rows.append(marks)
    return rows


# A single frame; two labels; the same label twice, which a blank must part; no label at all.
MARKS = marked(
    ((1, 2),),
    ((0, 2), (0, 1), (1, 2), (1, 1)),
    ((1, 2), (1, 2), (1, 1)),
    ((0, 1), (0, 1), (1, 1)),
)
SCORES = sequences(3, lengths=LENGTHS)


def collapsed(path: tuple[int, ...]) -> list[int]:
    return [label for label, _ in itertools.groupby(path) if label != BLANK]


def over_all_paths(marks: list[np.ndarray], scores: list[np.ndarray]) -> np.ndarray:
    """The loss by its definition: a sum over every path that gives the labels."""
    loss = 0.0
    for mark, score in zip(marks, scores, strict=True):
        logs = scipy.special.log_softmax(score, 1)
        labels = [int(np.argmax(frame)) for frame in mark if frame.max() == 2]
        paths = [p for p in itertools.product(range(3), repeat=len(mark)) if collapsed(p) == labels]
        loss -= scipy.special.logsumexp(
            [sum(logs[t, k] for t, k in enumerate(path)) for path in paths]
        )
    return np.array(loss)


def distance(a: tuple[int, ...], b: tuple[int, ...]) -> int:
    """Levenshtein's by its recursive definition."""

    @cache
    def between(m: int, n: int) -> int:
        if not m or not n:
            return m + n
        return min(
            between(m - 1, n) + 1,
            between(m, n - 1) + 1,
            between(m - 1, n - 1) + (a[m - 1] != b[n - 1]),
        )

    return between(len(a), len(b))


def tokens(
    frames: np.ndarray, squash: bool = False, ignored: tuple[int, ...] = ()
) -> tuple[int, ...]:
    found = [int(k) for k in np.argmax(frames, 1)]
    if squash:
        found = [k for k, _ in itertools.groupby(found)]
    return tuple(k for k in found if k not in ignored)


def error_rate(
    a: list[np.ndarray], b: list[np.ndarray], squash: bool = False, ignored: tuple[int, ...] = ()
) -> np.ndarray:
    pairs = [
        (tokens(x, squash, ignored), tokens(y, squash, ignored)) for x, y in zip(a, b, strict=True)
    ]
    edits, wanted = sum(distance(x, y) for x, y in pairs), sum(len(y) for _, y in pairs)
    return np.array(edits / wanted * sum(map(len, a)))


FIRST, SECOND = sequences(4, lengths=(1, 6, 9, 3)), sequences(4, lengths=(1, 6, 9, 3), seed=8)
PICKS = Sparse(np.eye(4)[[0, 3, 1, 2, 2, 0, 1]])


def as_frames(rows: np.ndarray) -> list[np.ndarray]:
    """Each row as a sequence of its own."""
    return [row[np.newaxis] for row in rows]


CASES = (
    OpCase("labels_to_graph", C.labels_to_graph, (numbers(3, 2),), lambda x: x, free=(0,)),
    OpCase(
        "forward_backward",
        lambda marks, scores, blankTokenId=BLANK, **kwargs: C.forward_backward(
            C.labels_to_graph(marks), scores, blankTokenId, **kwargs
        ),
        (MARKS, SCORES),
        over_all_paths,
        whole=True,
        gradient=(1,),
        errors=(
            Misuse(
                ((3,), (4,)),
                r"labels and features must have as many classes: \[3\] is 3, \[4\] is 4",
            ),
            Misuse(((3,), (3,)), "the blank is class 3, and there are only 3", {"blankTokenId": 3}),
            Misuse(((3,), (3,)), "the blank must be a class from 0 on", {"blankTokenId": -1}),
            Misuse(
                ((3,), (3,)),
                "blankTokenId must be an integer",
                {"blankTokenId": 1.5},
                TypeError,
            ),
            Misuse(
                ((3,), (3,)),
                "delayConstraint must be an integer",
                {"delayConstraint": None},
                TypeError,
            ),
        ),
    ),
    OpCase(
        "forward_backward_delay",  # longer than the sequences
        lambda marks, scores: C.forward_backward(C.labels_to_graph(marks), scores, BLANK, 10),
        (MARKS, SCORES),
        over_all_paths,
        whole=True,
        gradient=(1,),
    ),
    OpCase(
        "forward_backward_single_frames",
        lambda marks, scores: C.forward_backward(C.labels_to_graph(marks), scores, BLANK),
        (np.eye(3)[[0, 1, 2, 0, 1, 1, 0]] * [2, 1, 1], numbers(3, seed=21)),
        lambda marks, scores: over_all_paths(as_frames(marks), as_frames(scores)),
        whole=True,
        gradient=(1,),
    ),
    OpCase(
        "edit_distance_error",
        C.edit_distance_error,
        (FIRST, SECOND),
        error_rate,
        whole=True,
        gradient=(),
        errors=(
            Misuse(((3,), (4,)), "must agree or be 1"),
            Misuse(((3,), (3,)), "subPen must be a number", {"subPen": "1"}, TypeError),
            Misuse(
                ((3,), (3,)), "squashInputs must be True or False", {"squashInputs": 1}, TypeError
            ),
            Misuse(
                ((3,), (3,)),
                "tokensToIgnore must be a list of integers",
                {"tokensToIgnore": 1},
                TypeError,
            ),
            Misuse(
                ((3,), (3,)),
                "tokensToIgnore must be a list of integers",
                {"tokensToIgnore": [-1]},
                TypeError,
            ),
        ),
    ),
    OpCase(
        "edit_distance_error_squashed",
        C.edit_distance_error,
        (FIRST, SECOND),
        lambda a, b: error_rate(a, b, True),
        {"squashInputs": True},
        whole=True,
        gradient=(),
    ),
    OpCase(
        "edit_distance_error_of_samples",
        C.edit_distance_error,
        (numbers(4), numbers(4, seed=9)),
        lambda a, b: error_rate(as_frames(a), as_frames(b), ignored=(1,)),
        {"tokensToIgnore": [1]},
        whole=True,
        gradient=(),
    ),
    OpCase(
        "edit_distance_error_sparse",
        C.edit_distance_error,
        (numbers(4), PICKS),
        lambda a, b: error_rate(as_frames(a), as_frames(b)),
        whole=True,
        gradient=(),
    ),
)
