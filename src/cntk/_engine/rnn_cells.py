"""Torch's fused recurrent kernels, and how each is made to forget its state between two sequences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

Kernel = Callable[[Tensor, list[Tensor], list[Tensor], bool], tuple[Tensor, ...]]

# No other argument of a gate comes near it, and its products stay finite.
_SHUT = -1e15


@dataclass(frozen=True)
class Cell:
    """A kernel and its gates.

    Attributes:
        kernel: a rectangle of frames, states, weights, and whether sequences are its rows rather than columns; gives
            output and last states.
        shut: for each gate whether it must be shut for all states to become 0; none if that cannot be done.
    """

    kernel: Kernel
    shut: tuple[bool, ...] = ()

    def column(self, size: int) -> Tensor:
        """Weights ``[gates * size, 1]`` of one more input, which, where it is 1, makes all states and their gradients 0."""
        gates = torch.tensor([_SHUT if shut else 0.0 for shut in self.shut])
        return gates.repeat_interleave(size).unsqueeze(1)


def _lstm(x: Tensor, states: list[Tensor], weights: list[Tensor], by_rows: bool) -> tuple[Tensor, ...]:
    return torch.lstm(x, states, weights, True, 1, 0.0, x.requires_grad or weights[0].requires_grad, False, by_rows)


def _rnn_tanh(x: Tensor, states: list[Tensor], weights: list[Tensor], by_rows: bool) -> tuple[Tensor, ...]:
    return torch.rnn_tanh(x, states[0], weights, True, 1, 0.0, False, False, by_rows)


def _rnn_relu(x: Tensor, states: list[Tensor], weights: list[Tensor], by_rows: bool) -> tuple[Tensor, ...]:
    return torch.rnn_relu(x, states[0], weights, True, 1, 0.0, False, False, by_rows)


# The gates in torch's order: i, f, g, o. With i and f shut the cell state is 0, with o shut so is the output.
LSTM = Cell(_lstm, (True, True, False, True))
TANH = Cell(_rnn_tanh)
RELU = Cell(_rnn_relu)
