"""Training in several processes: the original's functions, and their meaning where there is one
process.

A distributed learner wraps another learner, which trains in this process; gradients are exchanged
with other processes before that learner gets them. `cntk.train.processes` knows the processes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from cntk._arguments import as_bool, as_flag, as_integer, as_real
from cntk._graph.names.late_names import hand_on
from cntk.errors import ArgumentError, SettingError
from cntk.learners.base import Learner
from cntk.learners.schedules import TrainingParameterSchedule
from cntk.learners.user import CallableParameters
from cntk.train.processes import Communicator, WorkerDescriptor, mpi_communicator

__all__ = [
    "Communicator",
    "DistributedLearner",
    "WorkerDescriptor",
    "block_momentum_distributed_learner",
    "data_parallel_distributed_learner",
    "mpi_communicator",
]


class DistributedLearner:
    """A learner that trains together with those of other processes; made by
    `data_parallel_distributed_learner`.

    Attributes:
        local: the learner that changes the parameters in this process.
        distributed_after: after how many samples processes begin to train together.
    """

    def __init__(self, local: Any, distributed_after: int) -> None:
        self.local, self.distributed_after = local, distributed_after
        self._communicator = mpi_communicator()
        self._aggregates_metrics = True

    def __reduce_ex__(self, protocol: Any) -> Any:
        from cntk._persist.pickled import learner_parts

        return learner_parts(self)

    def communicator(self) -> Communicator:
        """Return the processes that train together."""
        return self._communicator

    @property
    def total_number_of_samples_seen(self) -> int:
        """Number of samples of all processes."""
        return samples_seen(self.local)

    @property
    def parameters(self) -> CallableParameters:
        """The parameters that this learner changes."""
        return CallableParameters(self.local.parameters)

    @property
    def minibatch_size(self) -> int:
        """The learner's reference minibatch size; see `Learner.minibatch_size`."""
        return int(self.local.minibatch_size)

    @minibatch_size.setter
    def minibatch_size(self, size: int) -> None:
        self.local.minibatch_size = size

    def is_compatible_mode(self) -> bool:
        """Return whether the rule sees the mean gradient."""
        return bool(self.local.is_compatible_mode())

    def learning_rate(self) -> float:
        """Return the learning rate of the next minibatch."""
        return float(self.local.learning_rate())

    def reset_learning_rate(self, learning_rate: TrainingParameterSchedule) -> None:
        """Take another schedule of learning rates; see `Learner.reset_learning_rate`."""
        self.local.reset_learning_rate(learning_rate)

    def reset_smoothed_gradients(self) -> None:
        """Reset the learner's state, such as momenta."""
        self.local.reset_smoothed_gradients()

    def total_number_of_minibatches_seen(self) -> int:
        """Return the number of minibatches of this learner."""
        return int(self.local.total_number_of_minibatches_seen())

    def total_number_of_sweeps_seen(self) -> int:
        """Return the number of sweeps that this learner has ended."""
        return int(self.local.total_number_of_sweeps_seen())

    def add_progress_writers(self, progress_writers: Sequence[Any]) -> None:
        """Add writers that are told of synchronizations; as in the original, they are not told of
        learning rates.
        """

    def is_metric_aggregator(self) -> bool:
        """Return whether this learner sums up metrics of all processes; every one does, as in the
        original.
        """
        return self._aggregates_metrics

    def set_as_metric_aggregator(self) -> None:
        """Make this the learner that sums up metrics of all processes. Those of one process are the
        sums already.
        """
        self._aggregates_metrics = True

    def create_checkpoint(self) -> Any:
        """Return the state of this learner and of the local one; see
        `Learner.create_checkpoint`.
        """
        from cntk._persist.learner_state import learner_checkpoint

        self.before_checkpoint()
        return learner_checkpoint(self)

    def restore_from_checkpoint(self, checkpoint: Mapping[str, Any]) -> None:
        """Restore the state that `create_checkpoint` returned; see
        `Learner.restore_from_checkpoint`.
        """
        from cntk._persist.learner_state import restore_learner

        if not isinstance(checkpoint, Mapping):
            raise ArgumentError(
                f"{self.kind}: expected what create_checkpoint returned, got {checkpoint!r}"
            )
        restore_learner(checkpoint, self)

    # -- what a training step asks for -------------------------------------------------------------

    @property
    def kind(self) -> str:
        """The name of the function that makes the local learner."""
        return str(self.local.kind)

    @property
    def subtracts(self) -> bool:
        """See `Learner.subtracts`."""
        return bool(self.local.subtracts)

    @property
    def is_plain(self) -> bool:
        """See `Learner.is_plain`."""
        return bool(self.local.is_plain)

    @property
    def runs_users_code(self) -> bool:
        """See `Learner.runs_users_code`."""
        return bool(self.local.runs_users_code)

    def tell_writers(self) -> None:
        """See `Learner.tell_writers`."""
        self.local.tell_writers()

    def apply(self, gradients: list[Tensor], sample_count: int, is_sweep_end: bool = False) -> bool:
        """See `Learner.apply`."""
        return bool(self.local.apply(gradients, sample_count, is_sweep_end))

    def begin_step(self, sample_count: int) -> float:
        """See `Learner.begin_step`."""
        return float(self.local.begin_step(sample_count))

    def end_step(self, sample_count: int, is_sweep_end: bool = False) -> None:
        """See `Learner.end_step`."""
        self.local.end_step(sample_count, is_sweep_end)

    def before_update(
        self, sparse: Sequence[Tensor | None]
    ) -> tuple[Callable[[], None], Callable[[], list[Tensor]]]:
        """See `Learner.before_update`."""
        undo, changed = self.local.before_update(sparse)
        return undo, changed

    def before_checkpoint(self) -> None:
        """Set the parameters to the values that a checkpoint may hold."""

    def state_dict(self) -> dict[str, Any]:
        """Return all state that training changes."""
        return {"local": self.local.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore the state that `state_dict` returned."""
        self.local.load_state_dict(state["local"])


class BlockMomentumLearner(DistributedLearner):
    """``s = m * s + (1 - m) * r * (w_before - w); w = w_before - s``, and ``w -= m * s`` with
    Nesterov's momentum.

    That is done after each block of samples, with ``w_before`` the parameters at its begin and
    ``m`` the momentum over the samples of the block.
    """

    def __init__(
        self,
        local: Any,
        distributed_after: int,
        block_size: int,
        time_constant: float,
        nesterov: bool,
        resets_momentum: bool,
        rate: float,
    ) -> None:
        super().__init__(local, distributed_after)
        self.block_size, self.time_constant, self.rate = block_size, time_constant, rate
        self.nesterov, self.resets_momentum = nesterov, resets_momentum
        self.smoothed = [torch.zeros_like(p.data, requires_grad=False) for p in local.parameters]
        self._before: list[Tensor] | None = None
        self._seen = 0

    def apply(self, gradients: list[Tensor], sample_count: int, is_sweep_end: bool = False) -> bool:
        """See `Learner.apply`."""
        self._begin_block()
        updated = super().apply(gradients, sample_count, is_sweep_end)
        if updated:
            self._count(sample_count)
        return updated

    def begin_step(self, sample_count: int) -> float:
        """See `Learner.begin_step`."""
        self._begin_block()
        return super().begin_step(sample_count)

    def end_step(self, sample_count: int, is_sweep_end: bool = False) -> None:
        """See `Learner.end_step`."""
        super().end_step(sample_count, is_sweep_end)
        self._count(sample_count)

    def before_update(
        self, sparse: Sequence[Tensor | None]
    ) -> tuple[Callable[[], None], Callable[[], list[Tensor]]]:
        """See `Learner.before_update`."""
        # At the end of a block all rows change.
        undo_local, changed = super().before_update([None] * len(sparse))
        smoothed = [tensor.clone() for tensor in self.smoothed]
        before = None if self._before is None else [tensor.clone() for tensor in self._before]
        seen = self._seen

        def undo() -> None:
            undo_local()
            self.smoothed, self._before, self._seen = smoothed, before, seen

        return undo, changed

    def before_checkpoint(self) -> None:
        """End the block, as the original does."""
        if self._before is not None:
            self._end_block()

    def state_dict(self) -> dict[str, Any]:
        """See `DistributedLearner.state_dict`."""
        return {**super().state_dict(), "smoothed": [tensor.clone() for tensor in self.smoothed]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """See `DistributedLearner.load_state_dict`; a new block begins."""
        super().load_state_dict(state)
        self.smoothed = [
            torch.empty_like(p.data.detach()).copy_(tensor.reshape(p.data.shape))
            for p, tensor in zip(self.parameters, state["smoothed"], strict=True)
        ]
        self._before, self._seen = None, 0

    def _begin_block(self) -> None:
        if self._before is None:
            self._before = [p.data.detach().clone() for p in self.parameters]

    def _count(self, samples: int) -> None:
        if self.total_number_of_samples_seen < self.distributed_after:
            return
        self._seen += samples
        if self._seen >= self.block_size:
            self._end_block()

    def _end_block(self) -> None:
        momentum = math.exp(-self._seen / self.time_constant) if self.time_constant else 0.0
        with torch.no_grad():
            for parameter, before, smoothed in zip(
                self.parameters, self._before or (), self.smoothed, strict=True
            ):
                value = parameter.data.detach()
                smoothed.mul_(momentum).add_(before - value, alpha=(1 - momentum) * self.rate)
                value.copy_(before.sub_(smoothed, alpha=1 + momentum if self.nesterov else 1))
        self._seen = 0
        if self.resets_momentum:
            self.local.reset_smoothed_gradients()


def samples_seen(learner: Any) -> int:
    """Return how many samples a learner was given, distributed or not."""
    seen = learner.total_number_of_samples_seen
    return int(seen() if callable(seen) else seen)


def _checked(function: str, learner: Any, distributed_after: Any) -> int:
    if learner is None:
        raise SettingError(f"{function}: expected a learner, got None")
    if not isinstance(learner, (Learner, DistributedLearner)):
        raise SettingError(
            f"{function}: expected a learner such as cntk.sgd(...) gives, got "
            f"{type(learner).__name__}"
        )
    return _number(function, "distributed_after", distributed_after)


def _number(function: str, name: str, value: Any) -> int:
    return as_integer(value, f"{function}: {name}", least=0, most=2**64 - 1)


def data_parallel_distributed_learner(
    learner: Any,
    distributed_after: int = 0,
    num_quantization_bits: int = 32,
    use_async_buffered_parameter_update: bool = False,
) -> DistributedLearner:
    """Make a learner that sums up the gradients of all processes. In one process it trains as the
    given learner does.

    Args:
        learner: the learner that changes the parameters.
        distributed_after: after how many samples processes begin to train together.
        num_quantization_bits: to how many bits gradients are rounded on their way between
            processes.
        use_async_buffered_parameter_update: not available, as in the original.

    Returns:
        The learner, for a `Trainer`.

    Raises:
        RuntimeError: for an asynchronous update; if there are several processes, which is not
            available yet.
        ValueError: for anything but a learner, or a number out of range.

    Example:
        >>> import cntk as C
        >>> w = C.parameter((2,), init=1)
        >>> learner = data_parallel_distributed_learner(C.sgd([w], 0.1), num_quantization_bits=32)
        >>> learner.communicator().is_main()
        True
    """
    name = "data_parallel_distributed_learner"
    after = _checked(name, learner, distributed_after)
    _number(name, "num_quantization_bits", num_quantization_bits)
    if as_flag(use_async_buffered_parameter_update, f"{name}: use_async_buffered_parameter_update"):
        raise RuntimeError(
            f"{name}: an asynchronous update of parameters is not available; leave the argument out"
        )
    return DistributedLearner(learner, after)


def block_momentum_distributed_learner(
    learner: Any,
    block_size: int,
    block_momentum_as_time_constant: float | None = None,
    use_nestrov_momentum: bool = True,
    reset_sgd_momentum_after_aggregation: bool = True,
    block_learning_rate: float = 1.0,
    distributed_after: int = 0,
) -> DistributedLearner:
    """Make a learner whose processes train by themselves, and average their parameters after each
    block of samples.

    K. Chen, Q. Huo: "Scalable training of deep learning machines by incremental block training with
    intra-block parallel optimization and blockwise model-update filtering", ICASSP 2016.

    Args:
        learner: the learner that changes the parameters.
        block_size: samples of a block, over all processes.
        block_momentum_as_time_constant: after how many samples a block's contribution has faded to
            1/e; unless given what suits the number of processes: nothing is kept if there is one.
        use_nestrov_momentum: whether the momentum is Nesterov's.
        reset_sgd_momentum_after_aggregation: whether the learner forgets its own momentum after
            each block.
        block_learning_rate: by how much a block's change of the parameters is multiplied.
        distributed_after: after how many samples processes begin to train together.

    Returns:
        The learner, for a `Trainer`.

    Raises:
        RuntimeError: if there are several processes, which is not available yet.
        ValueError: for anything but a learner, or a number out of range.

    Example:
        >>> import cntk as C
        >>> w = C.parameter((2,), init=1)
        >>> block_momentum_distributed_learner(
        ...     C.sgd([w], 0.1), block_size=1000
        ... ).total_number_of_samples_seen
        0
    """
    name = "block_momentum_distributed_learner"
    after = _checked(name, learner, distributed_after)
    size = _number(name, "block_size", block_size)
    if not size:
        raise SettingError(f"{name}: expected a block of at least 1 sample, got {block_size}")
    constant = 0.0
    if block_momentum_as_time_constant is not None:
        constant = as_real(
            block_momentum_as_time_constant,
            f"{name}: block_momentum_as_time_constant",
            finite=False,
        )
    return BlockMomentumLearner(
        learner,
        after,
        size,
        constant,
        as_bool(use_nestrov_momentum, f"{name}: use_nestrov_momentum"),
        as_bool(
            reset_sgd_momentum_after_aggregation, f"{name}: reset_sgd_momentum_after_aggregation"
        ),
        as_real(block_learning_rate, f"{name}: block_learning_rate", finite=False),
    )


hand_on(globals())
