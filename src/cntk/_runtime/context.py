"""The context of a run: what kernels may ask of the run that they are part of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor

from cntk._graph.types import axis_text
from cntk._runtime.layout.layout import Layout
from cntk._runtime.random.streams import RandomStream, Streams
from cntk.axis import Axis
from cntk.errors import FeedError


class Draws(Protocol):
    """Source of random numbers for a run that is being recorded."""

    def take(self, make: Callable[[], Tensor], shape: Sequence[int], dtype: torch.dtype) -> Tensor:
        """Return a tensor of this shape and dtype, as a call of ``make`` would."""
        ...


class Observer(Protocol):
    """Observer of each operation of a run, and of its result."""

    def run(
        self,
        item: Any,
        compute: Callable[..., Any],
        run: RunContext,
        wants_run: bool,
        values: Sequence[Any],
        step: Any = None,
    ) -> Any:
        """Have an operation, perhaps in a step of a loop, compute its result."""
        ...


@dataclass
class RunContext:
    """State of one run that its kernels may use.

    Attributes:
        training: True for a training pass (dropout drops, batch normalisation updates its
            statistics).
        device: where it runs.
        batch: samples or sequences in the minibatch; None if nothing has a batch axis.
        layouts: the layout of every sequence axis met so far, by the dynamic axes.
        carry: states that recurrent operations keep for the next minibatch, by the operation's uid.
        deferred: callbacks for the end of the run, such as assignments.
        draws: the source of random numbers while the run is recorded.
        streams: random streams of operations that draw numbers as the original does.
        steps: 0; within a loop, where numbers are drawn step by step, 1, or -1 if it runs
            backwards.
        passes: number of training passes before the graph was compiled.
        several_batches: True if an operation has made a batch axis of another size than the data's.
        probe: observer of each operation's results, if there is one.
    """

    training: bool
    device: torch.device
    batch: int | None = None
    layouts: dict[tuple[Axis, ...], Layout] = field(default_factory=dict)
    carry: dict[str, Any] = field(default_factory=dict)
    deferred: list[Callable[[], None]] = field(default_factory=list)
    draws: Draws | None = None
    streams: Streams = field(default_factory=Streams)
    steps: int = 0
    passes: int = 0
    several_batches: bool = False
    probe: Observer | None = None

    def finish(self) -> None:
        """Do what waits for the end of the run, once."""
        while self.deferred:
            self.deferred.pop(0)()

    def words(self, stream: RandomStream, like: Tensor) -> Tensor:
        """Return uniform 16-bit random numbers from -32768 to 32767, as int16, of a tensor's
        shape.
        """
        shape, device = like.shape, like.device
        return self.draw(
            lambda: stream.uint16(shape.numel(), device).view(shape), shape, torch.int16
        )

    def draw(self, make: Callable[[], Tensor], shape: Sequence[int], dtype: torch.dtype) -> Tensor:
        """Return random numbers.

        Args:
            make: draws them; called again for each replay where the run is recorded.
            shape: shape of its result.
            dtype: its dtype.
        """
        return make() if self.draws is None else self.draws.take(make, shape, dtype)

    def layout(self, axes: tuple[Axis, ...]) -> Layout:
        """Return the layout of a sequence axis.

        Raises:
            FeedError: if nothing fed or computed so far has that axis.
        """
        layout = self.layouts.get(axes)
        if layout is None:
            names = ", ".join(axis_text(a) for a in axes)
            raise FeedError(
                f"no data were given on the dynamic axes [{names}], so their sequences' lengths "
                f"are unknown"
            )
        return layout

    def rows(self, axes: tuple[Axis, ...]) -> int:
        """Return the number of rows of a tensor on these dynamic axes: samples or frames."""
        if len(axes) > 1:
            return self.layout(axes).frames
        return 1 if not axes else (self.batch or 0)
