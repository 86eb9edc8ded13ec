"""Torch's LSTM, and how it is made to forget its states between two sequences."""

from __future__ import annotations

import torch
from torch import Tensor

# No other argument of a gate comes near it, and its products stay finite.
_SHUT = -1e15


def lstm(
    x: Tensor, states: list[Tensor], weights: list[Tensor], by_rows: bool
) -> tuple[Tensor, ...]:
    """Torch's fused kernel; see `torch.nn.LSTM`.

    Args:
        x: a rectangle of frames ``[steps, sequences, size]``, or ``[sequences, steps, size]`` if
            ``by_rows``.
        states: output and cell states before the first step, ``[1, sequences, hidden]`` each.
        weights: of inputs and of states, gates i, f, g and o one after another as rows, and two
            biases.
        by_rows: whether sequences are the rectangle's rows.

    Returns:
        The outputs, and the last output and cell states.
    """
    training = x.requires_grad or weights[0].requires_grad
    return torch.lstm(x, states, weights, True, 1, 0.0, training, False, by_rows)


def forget_gate_weights(size: int) -> Tensor:
    """Weights ``[4 * size, 1]`` of one more input, which, where it is 1, makes all states and their
    gradients 0.

    With i and f shut the cell state is 0, with o shut so is the output.
    """
    return torch.tensor([_SHUT, _SHUT, 0.0, _SHUT]).repeat_interleave(size).unsqueeze(1)
