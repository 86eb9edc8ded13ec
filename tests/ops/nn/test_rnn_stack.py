"""Stacks of recurrent layers against torch's modules, and the size of their weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import cntk as C

MODULES: dict[str, tuple[Any, dict[str, str]]] = {
    "lstm": (torch.nn.LSTM, {}),
    "gru": (torch.nn.GRU, {}),
    "rnnReLU": (torch.nn.RNN, {"nonlinearity": "relu"}),
    "rnnTanh": (torch.nn.RNN, {"nonlinearity": "tanh"}),
}
INPUTS, HIDDEN, LENGTHS = 3, 5, (4, 1, 6)


def blob_of(module: torch.nn.RNNBase) -> np.ndarray:
    """A module's weights as cuDNN has them: all matrices, then all biases."""
    weights = [w.detach().numpy().ravel() for group in module.all_weights for w in group[:2]]
    biases = [w.detach().numpy() for group in module.all_weights for w in group[2:]]
    return np.concatenate([*weights, *biases])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("kind", MODULES)
def test_torchs_module_with_the_same_weights_gives_the_same(
    kind: str, bidirectional: bool, dtype: Any
) -> None:
    torch.manual_seed(0)
    make, options = MODULES[kind]
    module = make(INPUTS, HIDDEN, 2, batch_first=True, bidirectional=bidirectional, **options)
    module = module.to(torch.from_numpy(np.zeros(1, dtype)).dtype)
    x = C.sequence.input_variable(INPUTS, dtype, needs_gradient=True)
    weights = C.parameter((C.InferredDimension, HIDDEN), dtype=dtype)
    stack = C.optimized_rnnstack(x, weights, HIDDEN, 2, bidirectional, kind)
    weights.value = blob_of(module).reshape(weights.shape)

    data = [
        np.random.default_rng(k).normal(size=(n, INPUTS)).astype(dtype)
        for k, n in enumerate(LENGTHS)
    ]
    tolerance = 2e-5 if dtype == np.float32 else 1e-10
    rows = [torch.from_numpy(d).requires_grad_() for d in data]
    outputs = [module(r[None])[0][0] for r in rows]
    for ours, theirs in zip(stack.eval({x: data}), outputs, strict=True):
        np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=tolerance, atol=tolerance)
    sum(o.sum() for o in outputs).backward()
    gradients = stack.grad({x: data}, wrt=[x, weights])
    for one, row in zip(gradients[x], rows, strict=True):
        np.testing.assert_allclose(one, row.grad.numpy(), rtol=tolerance, atol=tolerance)  # type: ignore[union-attr]
    for parameter in module.parameters():
        parameter.data = parameter.grad
    np.testing.assert_allclose(
        gradients[weights],
        blob_of(module).reshape(weights.shape),
        rtol=10 * tolerance,
        atol=10 * tolerance,
    )


@pytest.mark.parametrize(
    ("kind", "layers", "bidirectional", "rows"),
    [
        ("lstm", 1, False, 40),
        ("lstm", 3, True, 352),
        ("gru", 2, False, 66),
        ("rnnTanh", 2, True, 54),
    ],
)
def test_weights_take_on_the_size_that_is_needed(
    kind: str, layers: int, bidirectional: bool, rows: int
) -> None:
    # The rows are the original's.
    for shape in (
        (C.InferredDimension, HIDDEN),
        (C.InferredDimension, 2),
        (C.InferredDimension, C.InferredDimension),
    ):
        weights = C.parameter(shape)
        stack = C.optimized_rnnstack(
            C.sequence.input_variable(INPUTS), weights, HIDDEN, layers, bidirectional, kind, "q"
        )
        assert weights.shape == (rows, HIDDEN)
        assert stack.shape == (HIDDEN * (1 + bidirectional),) and stack.name == "q"
    flat = C.parameter((C.InferredDimension,))
    C.optimized_rnnstack(
        C.sequence.input_variable(INPUTS), flat, HIDDEN, layers, bidirectional, kind
    )
    assert flat.shape == (rows * HIDDEN,)


def test_weights_of_another_size_are_refused() -> None:
    x = C.sequence.input_variable(INPUTS)
    with pytest.raises(
        ValueError, match=r"200 weights are needed for 3 inputs, a parameter of shape \[40 x 5\]"
    ):
        C.optimized_rnnstack(x, C.parameter((7, 4)), HIDDEN, 1)


def test_samples_without_a_sequence_axis_are_sequences_of_one_frame() -> None:
    x, frames = C.input_variable(INPUTS), C.sequence.input_variable(INPUTS)
    weights = C.parameter((C.InferredDimension, HIDDEN), init=C.uniform(0.5, seed=1))
    data = np.random.default_rng(0).normal(size=(4, INPUTS)).astype(np.float32)
    one = C.optimized_rnnstack(x, weights, HIDDEN, 1).eval({x: data})
    other = C.optimized_rnnstack(frames, weights, HIDDEN, 1).eval({frames: [d[None] for d in data]})
    np.testing.assert_allclose(one, np.concatenate(other), rtol=1e-6)


def test_sequences_that_go_on_are_refused() -> None:
    x = C.sequence.input_variable(INPUTS)
    stack = C.optimized_rnnstack(x, C.parameter((C.InferredDimension, HIDDEN)), HIDDEN, 1)
    data = [np.zeros((2, INPUTS), np.float32)]
    with pytest.raises(ValueError, match="every sequence starts from zeros"):
        stack.eval({x: (data, [False])})


@pytest.mark.parametrize("kind", MODULES)
def test_training_learns(kind: str) -> None:
    """Enough minibatches of the same sizes for the step to be recorded, and some of other sizes."""
    x, y = C.sequence.input_variable(INPUTS), C.input_variable(1)
    weights = C.parameter((C.InferredDimension, HIDDEN), init=C.uniform(0.5, seed=1))
    model = C.layers.Dense(1)(
        C.sequence.last(C.optimized_rnnstack(x, weights, HIDDEN, 1, recurrent_op=kind))
    )
    loss = C.squared_error(model, y)
    trainer = C.Trainer(
        model, (loss, loss), [C.adam(model.parameters, 0.02, C.momentum_schedule(0.9))]
    )
    random, losses = np.random.default_rng(0), []
    for k in range(150):
        lengths = (3, 3) if k % 3 else (2, 4, 1)
        data = [random.normal(size=(n, INPUTS)).astype(np.float32) for n in lengths]
        trainer.train_minibatch({x: data, y: np.array([[d[-1].sum()] for d in data], np.float32)})
        losses.append(trainer.previous_minibatch_loss_average)
    assert np.mean(losses[-30:]) < 0.5 * np.mean(losses[:30])
