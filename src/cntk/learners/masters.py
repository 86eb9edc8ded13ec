"""Copies in float32 of parameters of 16 bits, which learners change in their place: a step may be
too small for these.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from cntk._runtime.numpy_tensors import SHORT

__all__ = ["Masters", "state_like"]


class Masters:
    """The tensors that a learner's rule changes: those of the parameters, or copies of them in
    float32.

    Args:
        leaves: the parameters' values.
    """

    def __init__(self, leaves: Sequence[Tensor]) -> None:
        self._leaves = list(leaves)
        self.tensors = [x.float() if x.dtype in SHORT else x for x in leaves]
        self.copies = [k for k, x in enumerate(leaves) if x.dtype in SHORT]

    def follow(self) -> list[Tensor]:
        """Return the tensors, after taking over what has been changed in the parameters since by
        somebody else.
        """
        for k in self.copies:
            leaf, copy = self._leaves[k], self.tensors[k]
            copy.copy_(torch.where(copy.to(leaf.dtype) == leaf, copy, leaf.float()))
        return self.tensors

    def hand_on(self) -> None:
        """Round the copies to the parameters."""
        for k in self.copies:
            self._leaves[k].copy_(self.tensors[k])

    def widened(self, gradients: Sequence[Tensor]) -> list[Tensor]:
        """Gradients in the dtypes of the tensors."""
        return [
            g.to(t.dtype) if g.dtype != t.dtype else g
            for g, t in zip(gradients, self.tensors, strict=True)
        ]

    def copied(self) -> list[Tensor | None]:
        """Return the copies, and None for each parameter that has none."""
        return [
            self.tensors[k].clone() if k in self.copies else None for k in range(len(self._leaves))
        ]

    def load(self, copies: Sequence[Tensor | None]) -> None:
        """Take copies over; where they do not round to the parameters, these count."""
        for k in self.copies:
            copy = copies[k]
            if copy is not None:
                self.tensors[k].copy_(copy)


def state_like(value: Tensor) -> Tensor:
    """Create an empty state tensor with a parameter's strides: float32 where that has 16 bits."""
    return torch.empty_like(
        value.detach(), dtype=torch.float32 if value.dtype in SHORT else value.dtype
    )
