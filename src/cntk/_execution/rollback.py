"""A training step is done as a whole or not at all: what has been begun is taken back where it
fails or is interrupted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from cntk._runtime.uninterrupted import Uninterrupted

if TYPE_CHECKING:
    from cntk._compiler.plan import Plan
    from cntk._execution.training_step import TrainingStep


class Before:
    """Snapshot of what a minibatch changes besides parameters and learners, for an undo.

    Args:
        step: the training step.
        plan: its plan.
    """

    def __init__(self, step: TrainingStep, plan: Plan) -> None:
        self._step, self._plan = step, plan
        self._carry = dict(plan.carry)
        self._streams = plan.streams.mark() if plan.streams.begun else {}
        self._count = step.count
        self._statistics: list[tuple[Tensor, Tensor]] = []
        for constant in plan.changed_constants:  # running statistics, in the forward pass
            tensor = constant.freeze_storage()
            self._statistics.append((tensor, tensor.clone()))

    def restore(self) -> None:
        """Put all of it back."""
        with Uninterrupted(), torch.no_grad():
            self._plan.carry.clear()
            self._plan.carry.update(self._carry)
            self._plan.streams.go_back(self._streams)
            self._step.go_back(self._count)
            for tensor, value in self._statistics:
                tensor.copy_(value)


def update_as_a_whole(
    step: TrainingStep, gradients: Sequence[Tensor | None], update: Callable[[], None]
) -> None:
    """Have learners change the parameters, all of them or none.

    Interrupts wait until that is done. Where a learner runs what the program has written, which may
    fail or take its time, they do not: all is kept before, and taken back.

    Args:
        step: the training step.
        gradients: one for each parameter of all learners, or None where it is dense for sure.
        update: changes the parameters, and counts.
    """
    runs_users_code = False
    for learner in step.learners:
        learner.tell_writers()  # they may fail: before anything is changed
        runs_users_code = runs_users_code or learner.runs_users_code
    if not runs_users_code:
        with Uninterrupted():
            update()
        return
    undo = []
    for learner, (begin, end) in zip(step.learners, step.spans, strict=True):
        sparse = [g if g is not None and g.is_sparse else None for g in gradients[begin:end]]
        undo.append(learner.before_update(sparse)[0])
    try:
        update()
    except BaseException:
        if not step.is_updated:
            with Uninterrupted(), torch.no_grad():
                for put_back in undo:
                    put_back()
        raise
