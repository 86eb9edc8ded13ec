"""One run of a plan: its layouts, its mode, and the rows of sparse data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from cntk._errors import FeedError
from cntk._graph.types import axis_text
from cntk._runtime.layout.layout import Layout
from cntk._runtime.random.streams import Mark, Streams, restore_generators
from cntk._runtime.transfer import to_device
from cntk.axis import Axis


@dataclass(frozen=True)
class SparseRows:
    """Rows of which only some columns are stored (compressed sparse rows).

    Attributes:
        offsets: where each row's entries begin, int64 ``[rows + 1]``.
        columns: each entry's column, int64 ``[entries]``.
        values: each entry's value ``[entries]``.
        width: number of columns.
        one_hot: whether every row has exactly one entry, and its value is 1.
        by_rows: whether gradients of what these rows are multiplied with must hold only the rows
            that were read.
    """

    offsets: Tensor
    columns: Tensor
    values: Tensor
    width: int
    one_hot: bool = False
    by_rows: bool = False

    @property
    def rows(self) -> int:
        """Number of rows."""
        return self.offsets.numel() - 1

    @property
    def shape(self) -> tuple[int, int]:
        """As a dense tensor's."""
        return (self.rows, self.width)

    @property
    def dtype(self) -> torch.dtype:
        """The values' number format."""
        return self.values.dtype

    def row_numbers(self) -> Tensor:
        """The row of each entry, int64 ``[entries]``."""
        counts = self.offsets[1:] - self.offsets[:-1]
        rows = torch.arange(self.rows, device=self.offsets.device)
        return torch.repeat_interleave(rows, counts, output_size=self.columns.shape[0])

    def to_dense(self) -> Tensor:
        """A tensor ``[rows, width]``; entries of the same place add up."""
        dense = torch.zeros(
            self.rows, self.width, dtype=self.values.dtype, device=self.values.device
        )
        return dense.index_put_((self.row_numbers(), self.columns), self.values, accumulate=True)

    def to(self, device: torch.device) -> SparseRows:
        """The same rows on a device."""
        if self.values.device == device:
            return self
        places = to_device(torch.cat([self.offsets, self.columns]), device)
        offsets, columns = torch.split(places, [len(self.offsets), len(self.columns)])
        return replace(
            self, offsets=offsets, columns=columns, values=to_device(self.values, device)
        )

    def select(self, rows: Tensor) -> SparseRows:
        """The rows of the given numbers, in their order."""
        if self.one_hot:
            offsets = torch.arange(len(rows) + 1, device=rows.device)
            return replace(
                self, offsets=offsets, columns=self.columns[rows], values=self.values[rows]
            )
        counts = (self.offsets[1:] - self.offsets[:-1])[rows]
        offsets = torch.zeros(rows.numel() + 1, dtype=torch.int64, device=rows.device)
        torch.cumsum(counts, 0, out=offsets[1:])
        total = int(offsets[-1])
        starts = torch.repeat_interleave(
            self.offsets[:-1][rows] - offsets[:-1], counts, output_size=total
        )
        entries = torch.arange(total, device=rows.device) + starts
        return SparseRows(
            offsets,
            self.columns[entries],
            self.values[entries],
            self.width,
            self.one_hot,
            self.by_rows,
        )

    def split(self, parts: int) -> SparseRows:
        """Each row cut into so many of equal width, one after another."""
        width = self.width // parts
        piece = torch.div(self.columns, width, rounding_mode="floor")
        rows = self.row_numbers() * parts + piece
        # A row's entries need not stand in the order of their columns.
        order = torch.argsort(rows, stable=True)
        offsets = torch.zeros(self.rows * parts + 1, dtype=torch.int64, device=rows.device)
        offsets.index_add_(0, rows + 1, torch.ones_like(rows)).cumsum_(0)
        columns = (self.columns - piece * width)[order]
        return SparseRows(offsets, columns, self.values[order], width, by_rows=self.by_rows)

    def join(self, parts: int) -> SparseRows:
        """So many rows each put side by side as one."""
        place = torch.remainder(self.row_numbers(), parts)
        columns = self.columns + place * self.width
        return SparseRows(
            self.offsets[::parts], columns, self.values, self.width * parts, by_rows=self.by_rows
        )


Data = Any  # a Tensor, or SparseRows where an operand is sparse


class RandomStream:
    """Random words of one operation: the same seed gives the same ones.

    Args:
        seed: any integer.
        offset: how many words were taken before. On the processor they go on exactly there; other
            devices' own generators are seeded anew.

    Attributes:
        offset: how many words have been taken; always some more where a number of them is no
            multiple of 4.
    """

    # The generator cannot jump: it begins anew after so many raw words of 64 bits, to be found
    # again in little time.
    block = 2**26

    def __init__(self, seed: int, offset: int = 0) -> None:
        self.seed = int(seed) % 2**63
        self.offset = self._begin = _whole(offset)
        self._raw: np.random.SFC64 | None = None
        self._generators: dict[torch.device, torch.Generator] = {}

    def generator(self, device: torch.device) -> torch.Generator:
        """A torch generator for a device, seeded once."""
        if device not in self._generators:
            seed = (self.seed + 0x9E3779B97F4A7C15 * self.offset) % 2**63
            self._generators[device] = torch.Generator(device=device).manual_seed(seed)
        return self._generators[device]

    def mark(self) -> Mark:
        """Return where it is, for `go_back`."""
        return self.offset, {device: g.get_state() for device, g in self._generators.items()}

    def go_back(self, mark: Mark | None) -> None:
        """Go on from a mark; from where it began if there is none."""
        self.offset, states = mark or (self._begin, {})
        self._raw = None
        restore_generators(self._generators, states)

    def uint16(self, count: int, device: torch.device) -> Tensor:
        """Uniform 16-bit random numbers as int16 from -32768 to 32767, ``[count]``."""
        if device.type == "cpu":
            return torch.from_numpy(self._words(_whole(count) // 4).view(np.int16))[:count]
        words = torch.empty(_whole(count) // 4, dtype=torch.int64, device=device)
        words.random_(-(2**63), None, generator=self.generator(device))
        self.offset += _whole(count)
        return words.view(torch.int16)[:count]

    def _words(self, count: int) -> np.ndarray:
        """The next raw words, uint64 ``[count]``."""
        place = self.offset // 4 % self.block
        if self._raw is None or place == 0:
            self._raw = self._seeded(self.offset // 4 // self.block, place)
        # NumPy's SFC64 gives raw words several times faster than torch's CPU generator.
        found = self._raw.random_raw(min(count, self.block - place))
        self.offset += 4 * len(found)
        return (
            found
            if len(found) == count
            else np.concatenate([found, self._words(count - len(found))])
        )

    def _seeded(self, block: int, place: int) -> np.random.SFC64:
        generator = np.random.SFC64(
            np.random.SeedSequence([self.seed, block]) if block else self.seed
        )
        for begin in range(0, place, 2**20):
            generator.random_raw(min(2**20, place - begin))
        return generator


def _whole(count: int) -> int:
    """A number of words, rounded up to whole raw words of 64 bits."""
    return -(-count // 4) * 4


class Draws(Protocol):
    """Where a run that is being recorded gets its random numbers from."""

    def take(self, make: Callable[[], Tensor], shape: Sequence[int], dtype: torch.dtype) -> Tensor:
        """What a call would give, a tensor of this shape and number format."""
        ...


class Observer(Protocol):
    """What looks at each operation of a run, and at its result."""

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
    """What kernels may ask of the run they are part of.

    Attributes:
        training: whether this is a training pass (dropout drops, batch normalisation updates its
            statistics).
        device: where it runs.
        batch: samples or sequences in the minibatch; None if nothing has a batch axis.
        layouts: the layout of every sequence axis met so far, by the dynamic axes.
        carry: what recurrent operations keep for the next minibatch, by the operation's uid.
        deferred: what to do once the run is over, such as assignments.
        draws: the source of random numbers while the run is recorded.
        streams: what operations go on in that draw random numbers as the original does.
        steps: 0; within a loop, where numbers are drawn step by step, 1, or -1 if it runs
            backwards.
        passes: how many there had been before the graph was compiled, where training goes on.
        several_batches: whether an operation has made a batch axis of another size than the data's.
        probe: what looks at each operation's results, if anything does.
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

    def words(self, stream: RandomStream, like: Tensor) -> Tensor:
        """Uniform 16-bit random numbers from -32768 to 32767, as int16, of a tensor's shape."""
        shape, device = like.shape, like.device
        return self.draw(
            lambda: stream.uint16(shape.numel(), device).view(shape), shape, torch.int16
        )

    def draw(self, make: Callable[[], Tensor], shape: Sequence[int], dtype: torch.dtype) -> Tensor:
        """Random numbers.

        Args:
            make: draws them; called again for each replay where the run is recorded.
            shape: the shape of what it gives.
            dtype: its number format.
        """
        return make() if self.draws is None else self.draws.take(make, shape, dtype)

    def layout(self, axes: tuple[Axis, ...]) -> Layout:
        """The layout of a sequence axis.

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
        """How many rows a tensor on these dynamic axes has: samples or frames."""
        if len(axes) > 1:
            return self.layout(axes).frames
        return 1 if not axes else (self.batch or 0)
