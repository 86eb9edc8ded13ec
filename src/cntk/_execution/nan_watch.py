"""Training steps that stop at the first number that is not finite, and leave all as it was before
that minibatch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from cntk._compiler.passes.pipeline import FUSIONS
from cntk._compiler.plan import Plan
from cntk._execution.bind import bind
from cntk._execution.compiled_state import state_of
from cntk._execution.nan_origin import all_finite, find_origin
from cntk._execution.rollback import Before
from cntk._graph.variable import Variable
from cntk._runtime.sparse import SparseRows
from cntk.errors import NotFiniteError

if TYPE_CHECKING:
    from cntk._execution.training_step import StepResult, TrainingStep
    from cntk._runtime.bind_input import BoundInput


@dataclass
class Watched:
    """Counter of the requests that all training steps be watched."""

    count: int = 0


WATCHED = Watched()


def watch(step: TrainingStep | None, on: bool) -> None:
    """Begin or end to watch the minibatches of a training step; of all of them if none is given."""
    if step is None:
        WATCHED.count += 1 if on else -1
    else:
        step.watches += 1 if on else -1


class NotFinite(Exception):
    """Within a watched step: its loss or gradients are not finite. Nothing has been updated.

    Attributes:
        recorded: whether they came from recorded code.
    """

    def __init__(self, recorded: bool) -> None:
        super().__init__()
        self.recorded = recorded


class Guard:
    """Check of a watched step before its update, with an undo of that update.

    Args:
        step: the training step.
    """

    def __init__(self, step: TrainingStep) -> None:
        self._step = step
        self._undo: list[Callable[[], None]] = []
        self._changed: list[Callable[[], list[Tensor]]] = []
        self._products: list[tuple[Tensor, Tensor]] = []

    def before_update(
        self, loss: Tensor, gradients: Sequence[Any], products: Sequence[bool] | None = None
    ) -> None:
        """Look at loss and gradients, and keep what the learners are about to change.

        Args:
            loss: its sum.
            gradients: one for each parameter of all learners; where ``products`` says so, as two
                factors.
            products: whether gradients came from recorded code, and which of them are left as
                factors.

        Raises:
            NotFinite: if there are numbers that are not finite.
        """
        flat: list[Tensor] = [loss]
        for k, gradient in enumerate(gradients):
            flat += gradient if products is not None and products[k] else [gradient]
        if not all_finite(flat):
            raise NotFinite(products is not None)
        self._products = [
            g for g, is_product in zip(gradients, products or (), strict=False) if is_product
        ]
        for learner, (begin, end) in zip(self._step.learners, self._step.spans, strict=True):
            sparse = [
                g if isinstance(g, Tensor) and g.is_sparse else None for g in gradients[begin:end]
            ]
            undo, changed = learner.before_update(sparse)
            self._undo.append(undo)
            self._changed.append(changed)

    def after_update(self) -> tuple[Any, Variable] | None:
        """Take the updates back if one made a parameter not finite.

        Returns:
            The first learner whose update did, and the parameter.

        Raises:
            NotFinite: if that was because finite factors have a product that is not.
        """
        for learner, changed in zip(self._step.learners, self._changed, strict=False):
            tensors = changed()
            if not all_finite(tensors):
                bad = next(
                    p
                    for p, t in zip(learner.parameters, tensors, strict=True)
                    if not all_finite([t])
                )
                for undo in self._undo:
                    undo()
                if not all(all_finite([x.t() @ dy]) for x, dy in self._products):
                    raise NotFinite(True)
                return learner, bad
        return None


def train_watched(
    step: TrainingStep,
    plan: Plan,
    fed: Mapping[Variable, BoundInput],
    run: Callable[[bool], StepResult],
    device: torch.device,
) -> StepResult:
    """Do one minibatch, or leave all as it was before and say where its first number that is not
    finite arose.

    Args:
        step: the training step.
        plan: its plan.
        fed: the minibatch.
        run: does it; told whether recorded code may be used.
        device: where.

    Raises:
        NotFiniteError: if loss, gradients or new parameters are not finite.
    """
    before, number = Before(step, plan), step.passes()[0] + 1
    try:
        try:
            return _guarded(step, run, True, number)
        except NotFinite as failure:
            if not failure.recorded:
                raise
            # Recorded code may overflow where eager code, which rounds otherwise, does not.
            before.restore()
            return _guarded(step, run, False, number)
    except (NotFinite, NotFiniteError) as failure:
        before.restore()
        error = (
            failure
            if isinstance(failure, NotFiniteError)
            else _search(step, plan, fed, device, number)
        )
        before.restore()
        raise error from None


def _guarded(
    step: TrainingStep, run: Callable[[bool], StepResult], may_replay: bool, number: int
) -> StepResult:
    """One minibatch, looked at before its update and after it."""
    guard = step.guard = Guard(step)
    try:
        result = run(may_replay)
    finally:
        step.guard = None
    bad = guard.after_update()
    if bad is not None:
        raise _update_error(*bad, number)
    return result


def _search(
    step: TrainingStep,
    plan: Plan,
    fed: Mapping[Variable, BoundInput],
    device: torch.device,
    number: int,
) -> NotFiniteError:
    """Return the error that tells the origin of a minibatch's first number that is not finite."""
    sources = [p for learner in step.learners for p in learner.parameters]
    origin = None
    for optimize in (False, True):
        searched = (
            plan
            if optimize
            else state_of(step.function).plan_for(step.function.outputs, fed, FUSIONS)
        )
        rows, run = bind(searched, fed, True, device)
        run.carry = dict(run.carry)
        marks = searched.streams.mark()
        rows = [replace(x, by_rows=step.by_rows) if isinstance(x, SparseRows) else x for x in rows]
        origin = find_origin(searched, rows, run, sources)
        searched.streams.go_back(marks)
        if origin is not None:
            break
    begin = f"minibatch {number}: loss or gradients are not finite"
    end = "Parameters and learners are as they were before this minibatch."
    if origin is None:
        return NotFiniteError(
            f"{begin}, though each operation's results are when it is repeated. {end}",
            minibatch=number,
        )
    text = f"{begin}: {origin.text}. {end}"
    return NotFiniteError(text, origin.direction, minibatch=number, **origin.named)


def _update_error(learner: Any, parameter: Variable, number: int) -> NotFiniteError:
    return NotFiniteError(
        f"minibatch {number}: loss and gradients are finite, but the update by {learner.kind}, "
        f"with a learning rate of {learner.learning_rate()}, makes parameter "
        f"'{parameter.name or parameter.uid}' NaN or infinite. It was taken back: parameters and "
        f"learners are as they were before this minibatch; try a lower learning rate, or clip "
        f"gradients",
        "update",
        name=parameter.name,
        uid=parameter.uid,
        minibatch=number,
    )
