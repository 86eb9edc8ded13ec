"""Sparse rows (CSR) of torch tensors."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from cntk._runtime.transfer import to_device


@dataclass(frozen=True)
class SparseRows:
    """Rows of which only some columns are stored (compressed sparse rows).

    Attributes:
        offsets: begin of each row's entries, int64 ``[rows + 1]``.
        columns: each entry's column, int64 ``[entries]``.
        values: each entry's value ``[entries]``.
        width: number of columns.
        one_hot: True if every row has exactly one entry, and its value is 1.
        by_rows: True if the gradient of a matrix that these rows multiply must hold only the rows
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
        """Shape of the dense matrix."""
        return (self.rows, self.width)

    @property
    def dtype(self) -> torch.dtype:
        """The values' dtype."""
        return self.values.dtype

    def row_numbers(self) -> Tensor:
        """Return the row of each entry, int64 ``[entries]``."""
        counts = self.offsets[1:] - self.offsets[:-1]
        rows = torch.arange(self.rows, device=self.offsets.device)
        return torch.repeat_interleave(rows, counts, output_size=self.columns.shape[0])

    def to_dense(self) -> Tensor:
        """Return a tensor ``[rows, width]``; entries of the same row and column add up."""
        dense = torch.zeros(
            self.rows, self.width, dtype=self.values.dtype, device=self.values.device
        )
        return dense.index_put_((self.row_numbers(), self.columns), self.values, accumulate=True)

    def to(self, device: torch.device) -> SparseRows:
        """Return the same rows on a device."""
        if self.values.device == device:
            return self
        index = to_device(torch.cat([self.offsets, self.columns]), device)
        offsets, columns = torch.split(index, [len(self.offsets), len(self.columns)])
        return replace(
            self, offsets=offsets, columns=columns, values=to_device(self.values, device)
        )

    def select(self, rows: Tensor) -> SparseRows:
        """Return the rows of these numbers, in their order."""
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
        """Split each row into ``parts`` of equal width, one after another."""
        width = self.width // parts
        part = torch.div(self.columns, width, rounding_mode="floor")
        rows = self.row_numbers() * parts + part
        # A row's entries need not stand in the order of their columns.
        order = torch.argsort(rows, stable=True)
        offsets = torch.zeros(self.rows * parts + 1, dtype=torch.int64, device=rows.device)
        offsets.index_add_(0, rows + 1, torch.ones_like(rows)).cumsum_(0)
        columns = (self.columns - part * width)[order]
        return SparseRows(offsets, columns, self.values[order], width, by_rows=self.by_rows)

    def join(self, parts: int) -> SparseRows:
        """Join each ``parts`` rows side by side to one."""
        part = torch.remainder(self.row_numbers(), parts)
        columns = self.columns + part * self.width
        return SparseRows(
            self.offsets[::parts], columns, self.values, self.width * parts, by_rows=self.by_rows
        )


Data = Any  # a Tensor, or SparseRows where an operand is sparse
