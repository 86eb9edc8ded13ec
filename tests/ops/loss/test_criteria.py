"""Criteria of sequences and rankings give the original's numbers: values, and gradients where there
are any.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import cntk as C
from cntk.errors import GraphError
from tests.ops.loss.criteria_cases import CASES

ORIGINAL = np.load(Path(__file__).parent.parent / "golden" / "criteria_of_the_original.npz")
NAMES = list(CASES)
IMPOSSIBLE = 1e10  # larger losses say that some sequence is too short for its labels


def kinds(kind: str) -> list[str]:
    return [name for name in NAMES if name.startswith(kind)]


def test_there_are_many() -> None:
    assert [len(kinds(kind)) for kind in ("connectionist", "edited", "ranked")] == [80, 72, 60]
    losses = ORIGINAL["single"][: len(kinds("connectionist"))]
    assert 20 < np.sum(losses > IMPOSSIBLE) < 40


def test_numbers_in_double_precision() -> None:
    place, numbers = 0, ORIGINAL["numbers"]
    for name, run in CASES.items():
        arrays = run(np.float64)
        impossible = np.abs(arrays[0]) > IMPOSSIBLE
        for array in arrays:
            wanted = numbers[place : place + array.size].reshape(array.shape)
            place += array.size
            # Next to 1e11 a number of 64 bits holds five digits behind the point.
            tolerance = 1e-4 if impossible else 1e-8
            assert np.isfinite(array).all(), name
            known = np.isfinite(wanted)  # an overflow of the original's, in one impossible sequence
            np.testing.assert_allclose(
                array[known], wanted[known], rtol=1e-8, atol=tolerance, err_msg=name
            )
    assert place == numbers.size
    assert np.sum(~np.isfinite(numbers)) == 4


@pytest.mark.parametrize("kind", ["connectionist", "edited", "ranked"])
def test_values_in_single_precision(kind: str) -> None:
    for name in kinds(kind):
        value = CASES[name](np.float32)[0]
        assert value.dtype == np.float32
        np.testing.assert_allclose(
            value, ORIGINAL["single"][NAMES.index(name)], rtol=1e-5, atol=1e-5, err_msg=name
        )


def one_hot(*sequences: list[int]) -> list[np.ndarray]:
    return [np.eye(4, dtype=np.float32)[tokens] for tokens in sequences]


def test_edit_distance_of_sequences_of_different_length() -> None:
    a = C.sequence.input_variable(4, sequence_axis=C.Axis("heard"))
    b = C.sequence.input_variable(4, sequence_axis=C.Axis("said"))
    error = C.edit_distance_error(a, b)
    # Two left out of three; one put in and one changed; nothing wrong: 4 edits of 7 tokens, 6
    # frames heard.
    feed = {a: one_hot([1], [0, 1, 2], [3, 3]), b: one_hot([2, 1, 0], [0, 3], [3, 3])}
    assert error.eval(feed) == pytest.approx(4 / 7 * 6)


def test_edit_distance_of_sequences_and_single_samples() -> None:
    a, b = C.sequence.input_variable(4), C.input_variable(4)
    feed = {a: one_hot([1, 1, 2], [3]), b: np.eye(4, dtype=np.float32)[[1, 0]]}
    # The single sample stands for every frame.
    assert C.edit_distance_error(a, b).eval(feed) == pytest.approx(2)
    assert C.edit_distance_error(b, a).eval(feed) == pytest.approx(2)


def test_edit_distance_from_sparse_sequences() -> None:
    a, b = C.sequence.input_variable(4, is_sparse=True), C.sequence.input_variable(4)
    heard = C.Value.one_hot([[0, 1, 2], [3, 1]], 4)
    assert C.edit_distance_error(a, b).eval(
        {a: heard, b: one_hot([1, 2, 2], [3, 0])}
    ) == pytest.approx(3)


def test_edit_distance_where_no_token_is_left() -> None:
    a, b = C.sequence.input_variable(4), C.sequence.input_variable(4)
    error = C.edit_distance_error(a, b, tokensToIgnore=[0])
    assert error.eval({a: one_hot([1, 2]), b: one_hot([0, 0])}) == np.inf
    assert np.isnan(error.eval({a: one_hot([0]), b: one_hot([0])}))
    assert error.eval({a: one_hot([0, 0]), b: one_hot([1, 2])}) == 2


def test_edit_distance_needs_samples() -> None:
    with pytest.raises(GraphError, match="both operands need a batch axis"):
        C.edit_distance_error([1.0, 0.0], [0.0, 1.0])


def test_metrics_refuse_a_gradient() -> None:
    x, y = (C.sequence.input_variable(4, needs_gradient=True) for _ in range(2))
    with pytest.raises(GraphError, match="EditDistanceError is a metric and has no gradient"):
        C.edit_distance_error(x, y).grad({x: one_hot([1]), y: one_hot([2])}, wrt=[x])
    score, gain, group = (C.input_variable(1, needs_gradient=True) for _ in range(3))
    ones = dict.fromkeys((score, gain, group), np.ones((2, 1), np.float32))
    with pytest.raises(GraphError, match="NDCG is a metric and has no gradient"):
        C.ndcg_at_1(score, gain, group).grad(ones, wrt=[score])
    with pytest.raises(GraphError, match="ClassificationError is a metric and has no gradient"):
        C.classification_error(x, y, topN=2).grad({x: one_hot([1]), y: one_hot([2])}, wrt=[x])


def test_labels_and_features_must_share_their_axis() -> None:
    labels = C.labels_to_graph(C.sequence.input_variable(4, sequence_axis=C.Axis("labels")))
    with pytest.raises(GraphError, match="operands lie on different dynamic axes"):
        C.forward_backward(labels, C.sequence.input_variable(4), 3)
    with pytest.raises(GraphError, match="must lie on the same sequence axis"):
        C.forward_backward(labels, C.parameter(4), 3)


def test_marks_must_come_from_labels_to_graph() -> None:
    labels, scores = C.sequence.input_variable(4), C.sequence.input_variable(4)
    with pytest.raises(GraphError, match=r"must be labels_to_graph\(labels\), got Input"):
        C.forward_backward(labels, scores, 3)
    later = C.placeholder()
    loss = C.forward_backward(later, scores, 3).replace_placeholder(C.labels_to_graph(labels))
    marks = 2 * np.eye(4, dtype=np.float32)[[0, 1]]
    assert loss.eval({labels: [marks], scores: [np.zeros((2, 4), np.float32)]}) == pytest.approx(
        np.log(16)
    )


def test_a_label_gets_gradient_as_a_target_does() -> None:
    labels, scores = (
        C.input_variable(4, needs_gradient=True),
        C.input_variable(4, needs_gradient=True),
    )
    marks, numbers = 2 * np.eye(4)[[0, 1]], np.random.default_rng(3).normal(size=(2, 4))
    feed = {labels: marks.astype(np.float32), scores: numbers.astype(np.float32)}
    gradient = C.forward_backward(C.labels_to_graph(labels), scores, 3).grad(feed, wrt=[labels])
    np.testing.assert_allclose(
        gradient, np.log(np.exp(numbers).sum(1, keepdims=True)) - numbers, rtol=1e-5
    )


def test_long_sequences_and_far_scores() -> None:
    labels, scores = C.sequence.input_variable(4), C.sequence.input_variable(4, needs_gradient=True)
    loss = C.forward_backward(C.labels_to_graph(labels), scores, 3)
    random = np.random.default_rng(4)
    classes = np.repeat(random.integers(0, 3, 250), 4)
    marks = np.eye(4)[classes] * np.tile([2, 1, 1, 1], 250)[:, np.newaxis]
    for scale in (1, 1e4):
        feed = {labels: [marks], scores: [random.normal(size=(1000, 4)) * scale]}
        gradient, value = loss.grad(
            {k: [x[0].astype(np.float32)] for k, x in feed.items()}, outputs=[loss.output]
        )
        assert 0 < value < 1e10
        np.testing.assert_allclose(np.sum(gradient[0], 1), 0, atol=1e-4)
        assert np.abs(gradient[0]).max() <= 1.001


def test_samples_without_a_common_batch_axis_are_not_ranked() -> None:
    with pytest.raises(GraphError, match="score, gain and group need the same batch axis"):
        C.lambda_rank(C.input_variable(1), [1.0], C.input_variable(1))
    with pytest.raises(GraphError, match="different dynamic axes"):
        C.ndcg_at_1(C.input_variable(1), C.sequence.input_variable(1), C.input_variable(1))


def test_no_gradient_flows_to_gains_and_groups() -> None:
    score, gain, group = (C.input_variable(1, needs_gradient=True) for _ in range(3))
    feed = {score: [[1], [2]], gain: [[7], [1]], group: [[1], [1]]}
    gradients = C.lambda_rank(score, gain, group).grad(feed, wrt=[score, gain, group])
    np.testing.assert_allclose(gradients[score].ravel(), [-0.2121461, 0.2121461], rtol=1e-5)
    assert not gradients[gain].any() and not gradients[group].any()
