"""The training step: loss, metric, gradients and update of one minibatch, by autograd or by its
recorded trace.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor

from cntk._compiler.observation import OBSERVATION
from cntk._compiler.plan import Plan
from cntk._compiler.recording.not_recorded import NotRecorded
from cntk._compiler.recording.record_training_step import (
    GOES_ON,
    SPARSE,
    Recording,
    record,
    why_not_recordable,
)
from cntk._execution.arguments import bind_arguments
from cntk._execution.bind import bind
from cntk._execution.compiled_state import state_of
from cntk._execution.learner_updates import Updater, update
from cntk._execution.nan_watch import WATCHED, Guard, train_watched
from cntk._execution.results import result_of
from cntk._execution.rollback import Before, update_as_a_whole
from cntk._graph.block import combine_variables
from cntk._graph.types import TensorType
from cntk._graph.variable import Variable, VariableKind
from cntk._runtime.bind_input import BoundInput
from cntk._runtime.context import RunContext
from cntk._runtime.reasons import Reasons
from cntk._runtime.sparse import SparseRows
from cntk._runtime.threads import OneThread
from cntk._runtime.transfer import MOVES

# Minibatches of the same sizes after which the step is recorded: the first ones are never held up.
RECORD_AFTER = 40
# With sequences sizes seldom come again: after so many different ones nothing more is counted.
_MOST_SIZES = 1000
# Recordings of so many sizes are kept; each takes some hundred kilobytes, and to make it about a
# second.
_MOST_RECORDINGS = 100


@dataclass
class StepResult:
    """Result of one minibatch.

    Attributes:
        loss: sum of the loss over the samples, on the device.
        metric: sum of the metric, or None.
        samples: number of samples.
        outputs: further outputs that were asked for, by variable.
        updated: whether a learner changed its parameters; none does at a rate of 0.
    """

    loss: Tensor
    metric: Tensor | None
    samples: int
    outputs: dict[Variable, Any]
    updated: bool = True


@dataclass(frozen=True)
class Course:
    """Record of a training step's runs so far, for an explanation.

    Attributes:
        eager: how many minibatches by autograd, in this process.
        recorded: how many by recordings.
        resumed: how many there were before, where training goes on.
        recordings: what is recorded, or None where it cannot be, by the number of samples and the
            lengths of sequences.
        waiting: how many minibatches of other sizes came, by the size as text.
    """

    eager: int
    recorded: int
    resumed: int
    recordings: list[tuple[int | None, Any, Plan, Recording | None]]
    waiting: dict[str, int]


class TrainingStep:
    """Runs minibatches of one criterion.

    Args:
        loss: what to minimise.
        metric: what else to sum up, or None.
        learners: who updates the parameters.
    """

    def __init__(
        self, loss: Variable, metric: Variable | None, learners: Sequence[Updater]
    ) -> None:
        self.loss, self.metric = loss, metric
        self.learners = learners
        roots = (loss,) if metric is None else (loss, metric)
        self.function = combine_variables(roots)
        self._state, self._outputs = state_of(self.function), self.function.outputs
        # The parameters' tensors, of all learners; and for each learner its first and last one's.
        self._sources: list[Tensor] | None = None
        ends = list(accumulate(len(learner.parameters) for learner in learners))
        self.spans = list(zip([0, *ends], ends, strict=False))
        self.inputs = tuple(v for v in self.function.inputs if v.kind is VariableKind.Input)
        counted = _counted(loss)
        self._counted = () if counted is None else counted.dynamic_axes
        # Other rules than a plain subtraction tell a row without a gradient from one whose gradient
        # is 0.
        self.by_rows = any(not learner.subtracts for learner in learners)
        # By the plan's identity and the size, as `_size_text` writes it.
        self._seen: dict[tuple[int, str], int] = {}
        self._passes = 0
        # Of these, how many were in another process, and by recordings that are dropped.
        self._resumed = self._replays_before = 0
        # How many samples have changed parameters; and whether this minibatch has yet.
        self.trained = 0
        self.is_updated = False
        self._counted_size: Any = None
        self._before: dict[str, int] = {}
        self._last_plan: int | None = None
        self._recordings: dict[Any, tuple[Plan, Recording | None]] = {}
        # How many watch this step; and what is asked before an update while somebody does.
        self.watches = 0
        self.guard: Guard | None = None
        self._moves = MOVES.count
        # Why minibatches that came often enough are not recorded.
        self.reasons = Reasons("training steps are not recorded")

    @property
    def counted(self) -> Variable | None:
        """Variable whose samples are counted where the loss itself has no dynamic axes."""
        return _counted(self.loss)

    def passes(self) -> tuple[int, dict[str, int]]:
        """Return the number of minibatches so far, and of those of each size since the graph was
        compiled.
        """
        by_size = {
            size: count for (plan, size), count in self._seen.items() if plan == self._last_plan
        }
        return self._passes, self._before | by_size

    def course(self) -> Course:
        """Return what has run so far."""
        recorded = self._replays_before
        recorded += sum(made.runs for _, made in self._recordings.values() if made is not None)
        known = {(plan, _size_text(batch, each)) for plan, batch, each in self._recordings}
        others = [(size, count) for size, count in self._seen.items() if size not in known]
        return Course(
            self._passes - self._resumed - recorded,
            recorded,
            self._resumed,
            [(batch, each, *made) for (_, batch, each), made in self._recordings.items()],
            {size: count for (_, size), count in others},
        )

    def _drop_recordings(self) -> None:
        """Forget all recordings, but for how often they have run."""
        self._replays_before += sum(r.runs for _, r in self._recordings.values() if r is not None)
        self._recordings.clear()

    def begin_anew(self, passes: int = 0, sizes: Mapping[str, int] | None = None) -> None:
        """Forget what is compiled and recorded, as in a new process.

        Recorded code rounds otherwise than the rest. Knowing what came before it, training goes on
        to the bit alike.

        Args:
            passes: how many minibatches there have been.
            sizes: how many of each size; see `passes`.
        """
        self._state.begin_anew(passes)
        self._passes = passes
        self._seen.clear()
        self._drop_recordings()
        self._resumed, self._replays_before = passes, 0
        self._before, self._last_plan = dict(sizes or {}), None

    def train(
        self,
        arguments: Any,
        outputs: Sequence[Variable],
        device: torch.device,
        is_sweep_end: bool = False,
    ) -> StepResult:
        """One update."""
        with OneThread() as limit:
            fed = bind_arguments(self.function, arguments, self.inputs, device)
            plan = self._state.plan_for((*self._outputs, *outputs), fed)
            if plan.lies_on != (device, MOVES.count):
                plan.lie_on(device)  # before anybody keeps what a minibatch changes
            before = Before(self, plan)
            self.is_updated, self._counted_size = False, None
            self._last_plan = id(plan)
            try:
                if not (self.watches or WATCHED.count):
                    return self._minibatch(plan, fed, outputs, device, limit, is_sweep_end, True)

                def run(may_replay: bool) -> StepResult:
                    return self._minibatch(
                        plan, fed, outputs, device, limit, is_sweep_end, may_replay
                    )

                return train_watched(self, plan, fed, run, device)
            except BaseException:
                if not self.is_updated:
                    before.restore()
                raise

    @property
    def count(self) -> tuple[int, int | None, int]:
        """Number of minibatches and samples so far, for `go_back`."""
        return self._passes, self._last_plan, self.trained

    def go_back(self, count: tuple[int, int | None, int]) -> None:
        """Do as if the last minibatch had not been: it has been taken back."""
        self._passes, self._last_plan, self.trained = count
        if self._counted_size is not None:
            size, times = self._counted_size
            self._seen[size] = times
            self._counted_size = None

    def _minibatch(
        self,
        plan: Plan,
        fed: Mapping[Variable, BoundInput],
        outputs: Sequence[Variable],
        device: torch.device,
        limit: OneThread,
        is_sweep_end: bool,
        may_replay: bool,
    ) -> StepResult:
        """One update, by recorded code if there is such and it may be used."""
        rows, run = bind(plan, fed, True, device)
        if plan.work.is_large(run):
            limit.lift()
        if self.by_rows:
            rows = [replace(x, by_rows=True) if isinstance(x, SparseRows) else x for x in rows]
        if self._moves != MOVES.count:  # recordings hold the memory where parameters lay
            if self._recordings:
                self.reasons.keep("parameters have been moved, and recordings with them dropped")
            self._drop_recordings()
            self._moves = MOVES.count
        self._passes += 1
        lengths: tuple[Any, ...] = ()
        if run.layouts:
            lengths = tuple((axes, layout.lengths) for axes, layout in run.layouts.items())
        key = (id(plan), run.batch, lengths)
        recording = self._recording(key, plan, rows, run) if may_replay else None
        if recording is not None:
            try:
                results, gradients = recording.run(rows, run)
            except NotRecorded as failure:
                self._keep_eager(key, plan, failure)
                run.draws = failure.draws
            else:
                return self._replayed(
                    recording, results, gradients, plan, run, outputs, is_sweep_end
                )
        return self._eager(plan, rows, run, outputs, is_sweep_end)

    def _eager(
        self,
        plan: Plan,
        rows: Sequence[Any],
        run: RunContext,
        outputs: Sequence[Variable],
        is_sweep_end: bool,
    ) -> StepResult:
        """One update by autograd."""
        rows, watched = plan.watch(rows) if plan.is_watched else (rows, [])
        sources = self._sources or self._find_sources()
        with torch.enable_grad():
            results = plan.execute(rows, run)
            if results[0].requires_grad:
                # The gradient of the loss's sum over all samples.
                ones = torch.ones_like(results[0])
                gradients = torch.autograd.grad(
                    results[0], [*sources, *watched], ones, allow_unused=True
                )
            else:
                gradients = ()
        loss = results[0].detach().sum()
        samples = self.samples(plan, run)
        whole = []
        for source, gradient in zip(sources, gradients or (None,) * len(sources), strict=False):
            whole.append(torch.zeros_like(source) if gradient is None else gradient)
        if self.guard is not None:
            self.guard.before_update(loss, whole)
        updated = False

        def change() -> None:
            nonlocal updated
            if run.deferred:
                run.finish()  # learners go on from what was assigned
            for learner, (begin, end) in zip(self.learners, self.spans, strict=True):
                updated |= learner.apply(whole[begin:end], samples, is_sweep_end)
            # As in the original, a minibatch that changed nothing was not trained on.
            self.trained += samples if updated else 0
            self.is_updated = True

        update_as_a_whole(self, whole, change)
        result = self._finish(plan, run, results, loss, samples, outputs)
        result.updated = updated
        return result

    def _find_sources(self) -> list[Tensor]:
        """Return the parameters' tensors, which stay the same ones, of all learners."""
        self._sources = [p.data for learner in self.learners for p in learner.parameters]
        return self._sources

    # -- the recorded step -------------------------------------------------------------------------

    def _recording(
        self, key: Any, plan: Plan, rows: Sequence[Any], run: RunContext
    ) -> Recording | None:
        """Return the recording for minibatches of these sizes, made once enough of them have
        come.

        Args:
            key: the plan's identity, the number of samples and the sequences' lengths.
            plan, rows, run: what is to be recorded.
        """
        if OBSERVATION.any:
            self.reasons.keep(_observed())
            return None
        if run.layouts and any(x.starts is not None for x in run.layouts.values()):
            self.reasons.keep(GOES_ON)
            return None
        made = self._recordings.get(key)
        if made is not None:
            for x in rows:
                if isinstance(x, SparseRows) and not x.one_hot:
                    self.reasons.keep(SPARSE)
                    return None
            return made[1]
        _, batch, lengths = key
        full = len(self._seen) + len(self._before) > _MOST_SIZES
        if full:
            self.reasons.keep(
                f"more than {_MOST_SIZES} sizes of minibatches have come: those of further ones "
                f"are not counted"
            )
        if lengths and full:
            return None
        size = _size_text(batch, lengths)
        counted = id(plan), size
        if counted not in self._seen:
            if full and size not in self._before:
                return None
            self._seen[counted] = self._before.get(size, 0)
            self._before.pop(size, None)
        self._counted_size = counted, self._seen[counted]
        count = self._seen[counted] = self._seen[counted] + 1
        if count < RECORD_AFTER:
            return None
        if sum(made is not None for _, made in self._recordings.values()) >= _MOST_RECORDINGS:
            self.reasons.keep(f"{_MOST_RECORDINGS} sizes of minibatches are recorded already")
            return None
        reason = why_not_recordable(plan, rows, run)
        if reason is not None:
            self.reasons.keep(reason)
            return None
        trained = [p for learner in self.learners for p in learner.parameters]
        try:
            recording = record(plan, rows, run, trained, self.metric is not None)
        except NotRecorded as failure:
            self._keep_eager(key, plan, failure)
            return None
        # The plan is kept with its recordings: its identity is their key.
        self._recordings[key] = (plan, recording)
        return recording

    def _keep_eager(self, key: Any, plan: Plan, failure: NotRecorded) -> None:
        """Run minibatches of these sizes by autograd from now on."""
        self._recordings[key] = (plan, None)
        self.reasons.keep(str(failure), failure.__cause__, failure.expected)

    def _replayed(
        self,
        recording: Recording,
        results: Sequence[Any],
        gradients: Sequence[Any],
        plan: Plan,
        run: RunContext,
        outputs: Sequence[Variable],
        is_sweep_end: bool,
    ) -> StepResult:
        """One update by what a recording gave."""
        samples = self.samples(plan, run)
        if self.guard is not None:
            self.guard.before_update(results[0], gradients, recording.products)
        updated = False

        def change() -> None:
            nonlocal updated
            for learner, (begin, end) in zip(self.learners, self.spans, strict=True):
                updated |= update(
                    learner,
                    gradients[begin:end],
                    recording.products[begin:end],
                    samples,
                    is_sweep_end,
                )
            self.trained += samples if updated else 0
            self.is_updated = True

        with torch.no_grad():
            update_as_a_whole(self, [None] * len(gradients), change)
        has_metric = self.metric is not None
        extra = self._extra(plan, run, results, outputs) if outputs else {}
        return StepResult(results[0], results[1] if has_metric else None, samples, extra, updated)

    def _extra(
        self, plan: Plan, run: RunContext, results: Sequence[Any], outputs: Sequence[Variable]
    ) -> dict[Variable, Any]:
        """Further outputs that were asked for, which come after loss and metric."""
        first = len(self._outputs)
        return {
            v: result_of(results[first + k], plan.types[first + k], run, True)
            for k, v in enumerate(outputs)
        }

    def test(self, arguments: Any, device: torch.device) -> StepResult:
        """Loss and metric without an update."""
        with OneThread() as limit:
            fed = bind_arguments(self.function, arguments, self.inputs, device)
            plan = self._state.plan_for(self._outputs, fed)
            rows, run = bind(plan, fed, False, device)
            if plan.work.is_large(run):
                limit.lift()
            with torch.inference_mode():
                results = plan.execute(rows, run)
                return self._finish(
                    plan, run, results, results[0].sum(), self.samples(plan, run), ()
                )

    def _finish(
        self,
        plan: Plan,
        run: RunContext,
        results: list[Any],
        loss: Tensor,
        samples: int,
        outputs: Sequence[Variable],
    ) -> StepResult:
        metric = None if self.metric is None else results[1].detach().sum()
        if run.deferred:
            run.finish()
        extra = self._extra(plan, run, results, outputs) if outputs else {}
        return StepResult(loss, metric, samples, extra)

    def samples(self, plan: Plan, run: RunContext) -> int:
        """Return the number of samples that the loss is a sum over: rows of the loss, or of what
        it was reduced from.
        """
        type_: TensorType = plan.types[0]
        axes = type_.dynamic_axes or self._counted
        if not axes or (len(axes) > 1 and axes not in run.layouts):
            return run.batch or 1
        return run.rows(axes) if len(axes) > 1 else run.batch or 0


def _size_text(batch: int | None, lengths: Sequence[tuple[Any, Any]]) -> str:
    """Return the size of a minibatch as a short string that is the same in every process."""
    if not lengths:
        return f"{batch}"
    whole = ";".join(",".join(map(str, each)) for _, each in lengths)
    return f"{batch} {hashlib.blake2b(whole.encode(), digest_size=12).hexdigest()}"


def _observed() -> str:
    """Why steps are not recorded while operations are looked at one by one."""
    looks = {
        "checked mode is on": OBSERVATION.checks,
        "operations are timed": OBSERVATION.times,
        "values of operations are shown": OBSERVATION.log_level > 0,
    }
    return next(text for text, is_on in looks.items() if is_on)


def _counted(loss: Variable) -> Variable | None:
    """Return the variable that a loss was reduced from: the first on the way to its operands
    with dynamic axes.
    """
    seen = loss
    while seen._owner is not None and not seen.dynamic_axes:
        below = [v for v in seen._owner.root_function.operands if v.is_output or v.is_input]
        if not below:
            return None
        seen = next((v for v in below if v.dynamic_axes), below[0])
    return seen if seen.type_.has_axes else None
