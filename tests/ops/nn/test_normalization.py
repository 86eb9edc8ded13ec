"""Batch normalisation in training: results, gradients and running statistics; the numbers are the
original's.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import cntk as C

SPATIAL = (True, False)


class Normalized:
    """A batch normalisation with everything that it reads and changes."""

    def __init__(
        self, shape: tuple[int, ...], spatial: bool, dtype: Any = np.float64, **options: Any
    ) -> None:
        features = shape[:1] if spatial else shape
        self.axes = (0, *range(2, len(shape) + 1)) if spatial else (0,)
        self.x = C.input_variable(shape, dtype, needs_gradient=True)
        self.scale = C.parameter(
            init=np.linspace(1, 2, int(np.prod(features))).reshape(features).astype(dtype)
        )
        self.bias = C.parameter(
            init=np.linspace(-1, 1, int(np.prod(features))).reshape(features).astype(dtype)
        )
        self.mean, self.variance = (C.constant(0.0, features, dtype=dtype) for _ in range(2))
        self.count = C.constant(0.0, (), dtype=dtype)
        operands = (self.x, self.scale, self.bias, self.mean, self.variance)
        self.function = C.batch_normalization(
            *operands, spatial=spatial, running_count=self.count, **options
        )

    def train(self, data: np.ndarray) -> np.ndarray:
        """A training pass."""
        return self.function.grad({self.x: data}, [self.x], [self.function.output])[1]

    def wide(self, statistics: np.ndarray) -> np.ndarray:
        """Statistics as they broadcast against a minibatch."""
        ones = self.x.shape[len(statistics.shape) :]
        return statistics.reshape(1, *statistics.shape, *(1 for _ in ones))

    def expected(
        self, data: np.ndarray, mean: np.ndarray, variance: np.ndarray, epsilon: float = 1e-5
    ) -> np.ndarray:
        return (data - mean) / np.sqrt(variance + epsilon) * self.wide(
            self.scale.value
        ) + self.wide(self.bias.value)


def minibatches(*shape: int, count: int = 3, samples: int = 4) -> list[np.ndarray]:
    random = np.random.default_rng(1)
    return [random.normal(k, 1 + k, (samples, *shape)) for k in range(count)]


@pytest.mark.parametrize("spatial", SPATIAL)
def test_training_normalises_by_the_minibatch(spatial: bool) -> None:
    case = Normalized((2, 3, 5), spatial, epsilon=0.1)
    for data in minibatches(2, 3, 5):
        mean, variance = data.mean(case.axes, keepdims=True), data.var(case.axes, keepdims=True)
        np.testing.assert_allclose(
            case.train(data), case.expected(data, mean, variance, 0.1), atol=1e-12
        )


@pytest.mark.parametrize("spatial", SPATIAL)
@pytest.mark.parametrize("time_constant", [0, 10, 5000, np.inf, -1])
def test_running_statistics(spatial: bool, time_constant: float) -> None:
    case = Normalized((2, 3), spatial, normalization_time_constant=time_constant)
    seen, mean, variance = 0, 0.0, 0.0
    for data in minibatches(2, 3):
        case.train(data)
        weight = 1.0 if seen == 0 or time_constant == 0 else 1 - np.exp(-4 / time_constant)
        if time_constant == -1:
            weight = 4 / (seen + 4)
        mean = (1 - weight) * mean + weight * data.mean(case.axes)
        variance = (1 - weight) * variance + weight * data.var(case.axes, ddof=1)
        seen += 4
        np.testing.assert_allclose(case.mean.value, mean, atol=1e-12)
        np.testing.assert_allclose(case.variance.value, variance, atol=1e-12)
        assert case.count.value == seen


@pytest.mark.parametrize("spatial", SPATIAL)
def test_evaluation_uses_running_statistics_and_leaves_them(spatial: bool) -> None:
    case = Normalized((2, 3), spatial)
    first, second, _ = minibatches(2, 3)
    case.train(first)
    kept = [v.value for v in (case.mean, case.variance, case.count)]
    wanted = case.expected(second, case.wide(case.mean.value), case.wide(case.variance.value))
    np.testing.assert_allclose(case.function.eval({case.x: second}), wanted, atol=1e-12)
    for value, before in zip((case.mean, case.variance, case.count), kept, strict=True):
        np.testing.assert_array_equal(value.value, before)


@pytest.mark.parametrize("spatial", SPATIAL)
def test_gradient_in_training(spatial: bool) -> None:
    """Against finite differences of the training formula: the statistics depend on the operand."""
    case = Normalized((2, 3), spatial)
    data = minibatches(2, 3)[0]
    weights = np.random.default_rng(2).uniform(0.5, 1.5, (2, 3))
    loss = C.reduce_sum(case.function * C.constant(weights))

    def value(x: np.ndarray) -> float:
        mean, variance = x.mean(case.axes, keepdims=True), x.var(case.axes, keepdims=True)
        return float((case.expected(x, mean, variance) * weights).sum())

    slopes = np.zeros_like(data)
    for place in np.ndindex(data.shape):
        step = np.zeros_like(data)
        step[place] = 1e-6
        slopes[place] = (value(data + step) - value(data - step)) / 2e-6
    np.testing.assert_allclose(loss.grad({case.x: data}, [case.x]), slopes, atol=1e-6)


def test_statistics_of_sequences_are_over_all_frames() -> None:
    x = C.sequence.input_variable(2, np.float64, needs_gradient=True)
    mean, variance, count = (
        C.constant(np.zeros(2)),
        C.constant(np.zeros(2)),
        C.constant(0.0, (), dtype=np.float64),
    )
    scale, bias = C.parameter(init=np.ones(2)), C.parameter(init=np.zeros(2))
    f = C.batch_normalization(x, scale, bias, mean, variance, spatial=True, running_count=count)
    frames = np.random.default_rng(3).normal(size=(6, 2))
    f.grad({x: [frames[:2], frames[2:3], frames[3:]]}, [x])
    np.testing.assert_allclose(mean.value, frames.mean(0), atol=1e-12)
    np.testing.assert_allclose(variance.value, frames.var(0, ddof=1), atol=1e-12)
    assert count.value == 6


def test_one_sample_leaves_the_variance() -> None:
    case = Normalized((3,), False)
    case.variance.value = np.array([1.0, 2.0, 3.0])
    case.train(np.ones((1, 3)))
    np.testing.assert_array_equal(case.variance.value, [1, 2, 3])
    np.testing.assert_array_equal(case.mean.value, [1, 1, 1])


def test_shapes_are_inferred_and_checked() -> None:
    x = C.input_variable((3, 4))
    for spatial, features in ((True, (3,)), (False, (12,))):
        scale, bias = (C.parameter(C.InferredDimension, init=0) for _ in range(2))
        mean, variance = (C.constant(0, C.InferredDimension) for _ in range(2))
        f = C.batch_normalization(
            x, scale, bias, mean, variance, spatial=spatial, running_count=C.constant(0)
        )
        assert f.shape == (3, 4)
        assert {v.shape for v in (scale, bias, mean, variance)} == {features}
    wrong = [C.constant(0, 4) for _ in range(4)]
    with pytest.raises(ValueError, match=r"one element a channel \(3\), got \[4\]"):
        C.batch_normalization(x, *wrong, spatial=True)
    with pytest.raises(ValueError, match="a scalar has no channels"):
        C.batch_normalization(C.input_variable(()), *wrong, spatial=True)


def test_attributes_are_named_as_in_files() -> None:
    attributes = Normalized((3,), True, use_cudnn_engine=True).function.root_function.attributes
    assert attributes == {
        "spatial": True,
        "normalizationTimeConstant": 5000.0,
        "blendTimeConstant": 0.0,
        "epsilon": 1e-5,
        "useCuDNNEngine": True,
        "disableRegularization": False,
    }


def test_running_count_is_asked_for() -> None:
    held = [C.constant(1.0, (2,)) for _ in range(4)]
    with pytest.warns(UserWarning, match=r"pass running_count=constant\(0\)"):
        C.batch_normalization(C.input_variable(2), *held, spatial=True)


def test_running_count_is_one_number() -> None:
    held = [C.constant(1.0, (2,)) for _ in range(4)]
    with pytest.raises(ValueError, match=r"running_count must be one number, got \[2\]"):
        C.batch_normalization(
            C.input_variable(2), *held, spatial=True, running_count=C.constant(0, (2,))
        )
