"""Operands on sequence axes of different names: what compares lengths when it runs; results are the
original's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import cntk as C

FRAMES = [
    np.arange(6, dtype=np.float32).reshape(3, 2),
    np.arange(2, dtype=np.float32).reshape(1, 2),
]


def column(*sequences: list[float]) -> list[Any]:
    return [np.array(s, np.float32)[:, None] for s in sequences]


def inputs() -> tuple[Any, Any, Any]:
    """Frames on an axis A, scores on the same one, and a condition on an axis B."""
    a, b = C.Axis("A"), C.Axis("B")
    return (
        C.sequence.input_variable(2, sequence_axis=a, needs_gradient=True),
        C.sequence.input_variable(1, sequence_axis=a),
        C.sequence.input_variable(1, sequence_axis=b),
    )


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (column([1, 0, 1], [1]), [[[0, 1], [4, 5]], [[0, 1]]]),
        # Of other lengths the condition may be: positions count.
        (column([1, 1], [1, 0]), [[[0, 1], [2, 3]], [[0, 1]]]),
        (column([1.5, 0, 1.5], [1.5]), [[[0, 1], [0, 1], [4, 5]], [[0, 1], [0, 1]]]),
    ],
)
def test_gather_on_another_axis(flags: list[Any], expected: list[Any]) -> None:
    x, _, condition = inputs()
    picked = C.sequence.gather(x, condition)
    for found, wanted in zip(picked.eval({x: FRAMES, condition: flags}), expected, strict=True):
        np.testing.assert_array_equal(found, wanted)
    # What the condition selects lies on one axis, whatever it is selected from.
    twice = C.sequence.gather(x, condition) * C.sequence.where(condition)
    assert [len(v) for v in twice.eval({x: FRAMES, condition: flags})] == [len(v) for v in expected]
    gradient = picked.grad({x: FRAMES, condition: flags}, wrt=[x])
    assert sum(float(v.sum()) for v in gradient) == 2 * sum(len(v) for v in expected)


def test_gather_and_put_back() -> None:
    x, _, condition = inputs()
    restored = C.sequence.scatter(C.sequence.gather(x, condition), condition)
    found = restored.eval({x: FRAMES, condition: column([1, 0, 1], [1])})
    np.testing.assert_array_equal(found[0], [[0, 1], [0, 0], [4, 5]])


def test_gather_what_was_padded() -> None:
    x, _, _ = inputs()
    values, present = C.sequence.unpack(x, padding_value=0).outputs
    picked = C.sequence.gather(
        C.to_sequence(values), C.to_sequence(C.expand_dims(present, axis=-1))
    )
    for found, wanted in zip(picked.eval({x: FRAMES}), FRAMES, strict=True):
        np.testing.assert_array_equal(found, wanted)
    first = C.sequence.gather(C.to_sequence(values), C.sequence.is_first(x))
    np.testing.assert_array_equal([v[0] for v in first.eval({x: FRAMES})], [[0, 1], [0, 1]])


def test_gather_in_files(tmp_path: Any) -> None:
    x, _, condition = inputs()
    path = str(tmp_path / "gather.model")
    C.sequence.gather(x, condition).save(path)
    loaded = C.load_model(path)
    data = {v: FRAMES if v.shape == (2,) else column([1, 0, 1], [1]) for v in loaded.arguments}
    np.testing.assert_array_equal(loaded.eval(data)[0], [[0, 1], [4, 5]])
    data = {v: FRAMES if v.shape == (2,) else column([0, 1], [0, 1]) for v in loaded.arguments}
    with pytest.raises(RuntimeError, match="frame 1 of sequence 1"):
        loaded.eval(data)


def picked(x: Any, scores: Any, other: Any) -> Any:
    return C.sequence.gather(x, other)


@pytest.mark.parametrize(
    ("build", "flags", "reason"),
    [
        (
            picked,
            column([0, 1], [0, 1]),
            "frame 1 of sequence 1 is selected on the axis 'B'.* 1 frames on the axis 'A'",
        ),
        (
            picked,
            column([0, 0, 0, 1], [1]),
            "frame 3 of sequence 0 is selected on the axis 'B'.* 3 frames on the axis 'A'",
        ),
        (
            lambda x, s, c: C.sequence.scatter(x, c),
            column([1, 0, 1], [1]),
            "on the axis 'B' .*on the axis 'A'",
        ),
        (
            lambda x, s, c: C.reconcile_dynamic_axes(x, c),
            column([1, 1], [1, 1]),
            "on the axis 'A'.*on the axis 'B'",
        ),
        (
            lambda x, s, c: C.sequence.broadcast_as(x, c),
            column([1, 1], [1, 1]),
            "on the axis 'A'.*on the axis 'B'",
        ),
        (
            lambda x, s, c: C.to_sequence_like(C.sequence.unpack(x, 0, no_mask_output=True), c),
            column([1, 1, 1, 1], [1, 1]),
            "2 times 3 elements are to become 2 sequences of up to 4 frames on the axis 'B'",
        ),
        (lambda x, s, c: C.lambda_rank(s, c, s), column([1, 1], [1, 1]), "on the axes 'A' and 'B'"),
        (lambda x, s, c: C.ndcg_at_1(s, s, c), column([1, 1], [1, 1]), "on the axes 'A' and 'B'"),
        (
            lambda x, s, c: C.weighted_binary_cross_entropy(s, s, c),
            column([1, 1], [1, 1]),
            "on the axes 'A' and 'B'",
        ),
    ],
)
def test_lengths_that_do_not_fit(build: Callable[..., Any], flags: list[Any], reason: str) -> None:
    x, scores, other = inputs()
    result = build(x, scores, other)
    values = {x: FRAMES, scores: column([1, 2, 3], [4]), other: flags}
    with pytest.raises(ValueError, match=reason):
        result.eval({v: values[v] for v in result.arguments})


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        (lambda s, c: C.lambda_rank(s, c, s), 300),
        (lambda s, c: C.ndcg_at_1(s, c, s), 300),
        (lambda s, c: C.weighted_binary_cross_entropy(s, s, c), -12.557),
    ],
)
def test_totals_of_equal_lengths(build: Callable[..., Any], expected: float) -> None:
    _, scores, other = inputs()
    data = {scores: column([1, 2, 3], [4, 5, 6]), other: column([1, 0, 1], [0, 1, 0])}
    np.testing.assert_allclose(build(scores, other).eval(data), expected, rtol=1e-4)


@pytest.mark.parametrize(
    "build",
    [
        lambda x, y: x + y,
        lambda x, y: C.splice(x, y),
        lambda x, y: C.element_select(y, x, x),
        lambda x, y: C.clip(x, y, 5),
        lambda x, y: C.squared_error(x, y),
        lambda x, y: C.classification_error(x, y),
        lambda x, y: C.cosine_distance(x, y),
        lambda x, y: C.times_transpose(x, y),
    ],
)
def test_operations_on_frames_refuse_two_axes(build: Callable[[Any, Any], Any]) -> None:
    _, x, y = inputs()
    with pytest.raises(RuntimeError, match="different dynamic axes, .*'A'.* and .*'B'"):
        build(x, y)
