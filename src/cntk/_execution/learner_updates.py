"""Access of a training step to a learner, and gradients that are handed to it as factors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from cntk._runtime.matmul import add_product, mm


class Updater(Protocol):
    """Interface of a learner for a training step."""

    parameters: Sequence[Any]
    subtracts: bool

    @property
    def is_plain(self) -> bool:
        """Return whether the update is the rule alone, without clipping, regularization or
        noise.
        """
        ...

    def apply(
        self, gradients: Sequence[Tensor], sample_count: int, is_sweep_end: bool = False
    ) -> bool:
        """Update the parameters by gradients summed over a minibatch."""
        ...

    def begin_step(self, sample_count: int) -> float:
        """Begin a minibatch; the rate by which its summed gradient is to be multiplied."""
        ...

    def end_step(self, sample_count: int, is_sweep_end: bool = False) -> None:
        """Count a minibatch."""
        ...

    @property
    def runs_users_code(self) -> bool:
        """Return whether the rule is the program's own code, which may fail."""
        ...

    def tell_writers(self) -> None:
        """Tell progress writers of rates that have changed."""
        ...

    def before_update(
        self, sparse: Sequence[Tensor | None]
    ) -> tuple[Callable[[], None], Callable[[], list[Tensor]]]:
        """Keep what an update changes; see `Learner.before_update`."""
        ...


def update(
    learner: Updater,
    gradients: Sequence[Any],
    products: Sequence[bool],
    samples: int,
    is_sweep_end: bool,
) -> bool:
    """Hand gradients to a learner; those left as factors go straight into the weights where its
    rule is that simple.
    """
    if not (learner.subtracts and learner.is_plain):
        triples = zip(gradients, products, learner.parameters, strict=True)
        return learner.apply(
            [_product(g[0], g[1], w.data) if p else g for g, p, w in triples], samples, is_sweep_end
        )
    rate = learner.begin_step(samples)
    if rate == 0:
        return False
    rest, targets = [], []
    for parameter, gradient, product in zip(learner.parameters, gradients, products, strict=True):
        if product:
            x, dy = gradient
            add_product(parameter.data.view(x.shape[1], dy.shape[1]), x.t(), dy, -rate)
        elif gradient.is_contiguous():
            targets.append(parameter.data)
            rest.append(gradient)
        else:
            parameter.data.add_(gradient, alpha=-rate)
    if rest:
        torch._foreach_add_(targets, rest, alpha=-rate)
    learner.end_step(samples, is_sweep_end)
    return True


def _product(x: Tensor, dy: Tensor, weight: Tensor) -> Tensor:
    return mm(x.t(), dy).view(weight.shape)
