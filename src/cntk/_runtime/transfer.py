"""Transfer of data to a device: copies that the host does not wait for, and sizes it knows
already.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor


def to_device(x: Tensor, device: torch.device, dtype: torch.dtype | None = None) -> Tensor:
    """Return a tensor on a device, itself if it is there already.

    From the CPU to a GPU it goes through pinned memory of our own. So the copy waits for its turn
    on the GPU while the host goes on, and a program may change its data meanwhile.

    Args:
        x: the tensor.
        device: the target.
        dtype: the result's dtype; the tensor's own if not given.
    """
    dtype = dtype or x.dtype
    if x.device.type != "cpu" or device.type == "cpu":
        return x.to(device, dtype)
    pinned = torch.empty_like(x, dtype=dtype, pin_memory=True, requires_grad=False).copy_(x)
    return pinned.to(device, non_blocking=True)


def integers(values: Iterable[int], device: torch.device) -> Tensor:
    """Return integers that the host knows as a tensor on a device, int64.

    Example:
        >>> integers([3, 1], torch.device("cpu"))
        tensor([3, 1])
    """
    return to_device(torch.tensor(list(values), dtype=torch.int64), device)


@dataclass
class Moves:
    """Counter of the moves of parameters and constants to other devices.

    Who keeps a reference to the memory of one has to ask for it again when this has changed.
    """

    count: int = 0


MOVES = Moves()


def move(value: Tensor, device: torch.device) -> bool:
    """Move the value of a parameter or a constant to a device; it stays the same tensor.

    Returns:
        True if it was on another one.
    """
    if value.device == device:
        return False
    with torch.inference_mode(False), torch.no_grad():
        value.data = to_device(value.detach(), device)
    MOVES.count += 1
    return True


class Everywhere:
    """Tensor that a kernel's host code made once, with a copy for each device it has run on.

    Args:
        x: the tensor, on the CPU.

    Example:
        >>> Everywhere(torch.ones(2)).on(torch.device("cpu"))
        tensor([1., 1.])
    """

    def __init__(self, x: Tensor) -> None:
        self.host = x
        self._copies: dict[tuple[torch.device, torch.dtype], Tensor] = {}

    def on(self, device: torch.device, dtype: torch.dtype | None = None) -> Tensor:
        """Return the tensor on a device, in its own dtype if none is given."""
        key = (device, dtype or self.host.dtype)
        copy = self._copies.get(key)
        if copy is None:
            # An evaluation may be the first to ask, a gradient the next.
            with torch.inference_mode(False):
                copy = to_device(self.host, *key)
            if type(copy) is Tensor:  # a recording's fake tensor is not stored
                self._copies[key] = copy
        return copy


def true_indices(flags: Tensor, count: int) -> Tensor:
    """Return the indices of true flags, ascending, int64 ``[count]``.

    Args:
        flags: bool ``[positions]``.
        count: number of true ones; so that a GPU need not send it to the host.

    Example:
        >>> true_indices(torch.tensor([True, False, True]), 2)
        tensor([0, 2])
    """
    if flags.device.type == "cpu":
        return flags.nonzero().flatten()
    return flags.to(torch.uint8).argsort(descending=True, stable=True)[:count]
