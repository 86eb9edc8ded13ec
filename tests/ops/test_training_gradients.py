"""Gradients of what computes otherwise while training, beside finite differences of training
passes, in float64.

Each evaluation is the first pass of a graph made anew, so that random numbers, seeds given, are the
same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import cntk as C

STEP = 1e-6


def numbers(*shape: int) -> np.ndarray:
    return np.random.default_rng(list(shape)).normal(size=shape)


def normalized(x: Any, w: Any, spatial: bool = True, count: float = 0, **options: Any) -> Any:
    """Batch normalization, of which ``w`` is the scale; the running statistics are not those of the
    data.
    """
    shape = x.shape[:1] if spatial else x.shape
    bias, mean, variance = (C.constant(np.full(shape, v)) for v in (0.3, 0.5, 2.0))
    counted = C.constant(count, (), dtype=np.float64)
    scale = C.slice(w, 0, 0, int(np.prod(shape))) + 1
    return C.batch_normalization(
        x, scale, bias, mean, variance, spatial, running_count=counted, **options
    )


def convolved(x: Any, w: Any) -> Any:
    window = (2,) * (len(x.shape) - 1)
    kernel = numbers(3, x.shape[0], *window)
    return C.convolution(C.constant(kernel) * (1 + C.reduce_sum(w)), x, auto_padding=[False])


def recurrent(x: Any, step: Callable[[Any], Any]) -> Any:
    state = C.placeholder(x.shape)
    now = step(C.sequence.past_value(state))
    return now.replace_placeholders({state: now.output})


def layered(x: Any, layer: Callable[[], Any]) -> Any:
    with C.default_options(dtype=np.float64):
        return layer()(x)


def attended(x: Any, w: Any) -> Any:
    return C.sequence.scaled_dot_product_attention(
        x, x + C.slice(w, 0, 0, x.shape[0]), x, dropout_rate=0.4, seed=3
    )


IMAGE, LINE, VECTOR = (2, 4, 3), (2, 5), (6,)
# A function of an operand and of a parameter of 24 elements; the operand's shape.
SAMPLES: dict[str, tuple[Callable[[Any, Any], Any], tuple[int, ...]]] = {
    "batch normalization of images": (normalized, IMAGE),
    "batch normalization of lines": (normalized, LINE),
    "batch normalization of elements": (lambda x, w: normalized(x, w, False), IMAGE),
    "batch normalization of vectors": (lambda x, w: normalized(x, w, False), VECTOR),
    "batch normalization, counted before": (lambda x, w: normalized(x, w, count=9), IMAGE),
    "batch normalization, latest alone": (
        lambda x, w: normalized(x, w, count=9, normalization_time_constant=0),
        IMAGE,
    ),
    "batch normalization, average": (
        lambda x, w: normalized(x, w, normalization_time_constant=-1),
        IMAGE,
    ),
    "batch normalization, blended": (
        lambda x, w: normalized(
            x, w, normalization_time_constant=np.inf, blend_time_constant=np.inf
        ),
        IMAGE,
    ),
    "batch normalization before convolution": (lambda x, w: convolved(normalized(x, w), w), IMAGE),
    "batch normalization after convolution": (lambda x, w: normalized(convolved(x, w), w), IMAGE),
    "batch normalization between convolutions": (
        lambda x, w: convolved(C.tanh(normalized(convolved(x, w), w)), w),
        IMAGE,
    ),
    "batch normalization twice": (lambda x, w: normalized(C.exp(normalized(x, w)), w), IMAGE),
    "batch normalization of a transposed image": (
        lambda x, w: convolved(normalized(C.transpose(x, (0, 2, 1)), w), w),
        IMAGE,
    ),
    "dropout": (lambda x, w: C.dropout(C.sin(x) * C.reduce_sum(w), 0.4, seed=5), IMAGE),
    "dropout of a convolution": (lambda x, w: C.dropout(convolved(x, w), 0.4, seed=5), IMAGE),
    "noise": (lambda x, w: C.random.normal_like(x, seed=4) * C.sin(x) + C.reduce_sum(w), LINE),
    "a random mask": (
        lambda x, w: C.random.bernoulli_like(x, 0.5, seed=4) * C.sin(x) * C.reduce_sum(w),
        LINE,
    ),
    "local response normalization": (
        lambda x, w: C.local_response_normalization(x * C.reduce_sum(w), 1, 1.5, 0.3, 0.75),
        IMAGE,
    ),
    "layer normalization": (
        lambda x, w: layered(x * C.reduce_sum(w), C.layers.LayerNormalization),
        VECTOR,
    ),
    "layer normalization of images": (
        lambda x, w: layered(x, lambda: C.layers.LayerNormalization(0.4, 0.3)),
        IMAGE,
    ),
    "layer normalization by the root": (
        lambda x, w: C.layer_normalization(x, C.slice(w, 0, 0, 6), C.slice(w, 0, 6, 12)),
        VECTOR,
    ),
    "mean and variance normalization": (
        lambda x, w: C.mean_variance_normalization(
            x * C.reduce_sum(w), use_stats_across_channels=True
        ),
        IMAGE,
    ),
    "stabilized": (lambda x, w: layered(x * C.reduce_sum(w), C.layers.Stabilizer), VECTOR),
}
SEQUENCES: dict[str, tuple[Callable[[Any, Any], Any], tuple[int, ...]]] = {
    "batch normalization of frames": (lambda x, w: normalized(x, w, False), VECTOR),
    "dropout of frames": (lambda x, w: C.dropout(C.sin(x) + C.reduce_sum(w), 0.4, seed=5), VECTOR),
    "dropout in a loop": (
        lambda x, w: recurrent(
            x, lambda h: C.tanh(x + C.dropout(h * C.slice(w, 0, 0, 6), 0.4, seed=5))
        ),
        VECTOR,
    ),
    "batch normalization of a loop's result": (
        lambda x, w: normalized(
            recurrent(x, lambda h: C.tanh(x + h * C.slice(w, 0, 0, 6))), w, False
        ),
        VECTOR,
    ),
    "layer normalization in a loop": (
        lambda x, w: recurrent(
            x, lambda h: layered(x + h * C.slice(w, 0, 0, 6), C.layers.LayerNormalization)
        ),
        VECTOR,
    ),
    "attention with dropout": (attended, VECTOR),
}


def passed(
    make: Callable[[Any, Any], Any], x: list[np.ndarray], w: np.ndarray, sequences: bool
) -> tuple[float, list[Any]]:
    """The loss of a training pass, and its gradients for the operand and the parameter."""
    variable = (C.sequence.input_variable if sequences else C.input_variable)(
        x[0].shape[1 if sequences else 0 :], np.float64, needs_gradient=True
    )
    parameter = C.parameter(init=w)
    output = make(variable, parameter)
    weighted = C.square(output) * C.constant(numbers(*output.shape, 1)[..., 0])
    loss = C.reduce_sum(weighted, axis=C.Axis.all_static_axes()) + 0 * C.reduce_sum(parameter)
    feed = {variable: x if sequences else np.stack(x)}
    gradients, value = loss.grad(feed, wrt=[variable, parameter], outputs=[loss])
    by_operand = gradients[variable]
    parts = by_operand if sequences else list(by_operand)
    return float(sum(np.sum(v) for v in value)), [*parts, gradients[parameter]]


def check(make: Callable[[Any, Any], Any], x: list[np.ndarray], sequences: bool) -> None:
    """Compare the gradients with differences along some directions, each of which changes all
    elements.
    """
    w = np.linspace(-0.4, 0.9, 24)
    _, gradients = passed(make, x, w, sequences)
    random = np.random.default_rng(1)
    for k in range(len(gradients)):
        for _ in range(3):
            along = random.normal(size=gradients[k].shape)
            ends = []
            for step in (STEP, -STEP):
                arrays = [*x, w]
                arrays[k] = arrays[k] + step * along
                ends.append(passed(make, arrays[:-1], arrays[-1], sequences)[0])
            difference = (ends[0] - ends[1]) / (2 * STEP)
            np.testing.assert_allclose(
                np.sum(gradients[k] * along), difference, rtol=1e-6, atol=1e-6
            )


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("name", SAMPLES)
def test_gradients_of_training_passes(name: str, count: int) -> None:
    make, shape = SAMPLES[name]
    check(make, list(numbers(count, *shape)), False)


@pytest.mark.parametrize("lengths", [(4, 1, 3), (5,)])
@pytest.mark.parametrize("name", SEQUENCES)
def test_gradients_of_training_passes_over_sequences(name: str, lengths: tuple[int, ...]) -> None:
    make, shape = SEQUENCES[name]
    check(make, [numbers(n, *shape) for n in lengths], True)
