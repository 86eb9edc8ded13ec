"""torch's LSTM kernel, and weights that make it reset its states between two sequences."""

from __future__ import annotations

import torch
from torch import Tensor

# Large enough to close any gate, while its products stay finite.
_CLOSED = -1e15


def lstm(
    x: Tensor, states: list[Tensor], weights: list[Tensor], by_rows: bool
) -> tuple[Tensor, ...]:
    """Run torch's fused kernel; see `torch.nn.LSTM`.

    Args:
        x: a block of frames ``[steps, sequences, size]``, or ``[sequences, steps, size]`` if
            ``by_rows``.
        states: output and cell states before the first step, ``[1, sequences, hidden]`` each.
        weights: of inputs and of states, gates i, f, g and o one after another as rows, and two
            biases.
        by_rows: True if sequences are the block's rows.

    Returns:
        The outputs, and the last output and cell states.
    """
    training = x.requires_grad or weights[0].requires_grad
    return torch.lstm(x, states, weights, True, 1, 0.0, training, False, by_rows)


def forget_gate_weights(size: int) -> Tensor:
    """Return weights ``[4 * size, 1]`` of an input that resets the states where it is 1.

    There all states and their gradients are 0: with i and f closed the cell state is 0, with o
        closed
    the output.
    """
    return torch.tensor([_CLOSED, _CLOSED, 0.0, _CLOSED]).repeat_interleave(size).unsqueeze(1)
