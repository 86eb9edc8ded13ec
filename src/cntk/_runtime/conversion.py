"""Conversion of rows from and to NumPy or SciPy: dtypes, one-hot and sparse rows, results of
sequences.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from cntk._graph.bfloat16 import is_bfloat16, is_computed
from cntk._graph.types import Shape, TensorType
from cntk._runtime.layout.layout import Layout
from cntk._runtime.numpy_tensors import array_of, tensor_of
from cntk._runtime.sparse import SparseRows
from cntk._runtime.transfer import integers, to_device
from cntk.errors import FeedError, SettingError

ONE_HOT_SKIP = 2**32 - 1

FORMATS = {
    np.dtype(np.float16): torch.float16,
    np.dtype(np.float32): torch.float32,
    np.dtype(np.float64): torch.float64,
}


def torch_dtype(dtype: Any) -> torch.dtype:
    """Return torch's dtype for a NumPy dtype."""
    numpy_dtype = np.dtype(dtype)
    return torch.bfloat16 if is_bfloat16(numpy_dtype) else FORMATS[numpy_dtype]


def one_hot_rows(classes: np.ndarray, shape: Shape, dtype: Any, device: torch.device) -> SparseRows:
    """Return sparse rows of class numbers; see `Value.one_hot`."""
    if classes.dtype.kind not in "iub" and (
        classes.dtype.kind != "f" or (classes != np.floor(classes)).any()
    ):
        raise ValueError(f"Value.one_hot: class numbers must be integers, got {classes.dtype}")
    classes = classes.astype(np.int64)
    count = shape[-1]
    skipped = classes == ONE_HOT_SKIP
    outside = ((classes >= count) | (classes < 0)) & ~skipped
    if outside.any():
        raise SettingError(
            f"Value.one_hot: class number {classes[outside][0]} is out of range; there are {count} "
            f"classes, from 0, and Value.ONE_HOT_SKIP is a row of zeros"
        )
    vectors = int(np.prod(shape[:-1]))
    columns = (
        classes.reshape(-1, vectors).astype(np.int64) + np.arange(vectors, dtype=np.int64) * count
    )
    present = ~skipped.reshape(-1, vectors)
    classes_present = to_device(tensor_of(columns[present]), device)
    values = torch.ones(classes_present.numel(), dtype=torch_dtype(dtype), device=device)
    if present.all():
        offsets = torch.arange(0, columns.size + 1, vectors, device=device)
        return SparseRows(offsets, classes_present, values, vectors * count, vectors == 1)
    offsets = integers(np.concatenate([[0], np.cumsum(present.sum(1))]).tolist(), device)
    return SparseRows(offsets, classes_present, values, vectors * count)


def sparse_rows_of(dense: Tensor) -> SparseRows:
    """Return dense rows ``[rows, *shape]`` as sparse ones."""
    flat = dense.reshape(dense.shape[0], -1)
    row, column = torch.nonzero(flat, as_tuple=True)
    offsets = torch.zeros(flat.shape[0] + 1, dtype=torch.int64, device=dense.device)
    torch.cumsum(torch.bincount(row, minlength=flat.shape[0]), 0, out=offsets[1:])
    values = flat[row, column]
    one_hot = bool(((offsets[1:] - offsets[:-1]) == 1).all() and (values == 1).all())
    return SparseRows(offsets, column, values, flat.shape[1], one_hot)


def sparse_rows(csr: Any, dtype: Any, device: torch.device) -> SparseRows:
    """Return a SciPy CSR matrix as sparse rows.

    Raises:
        FeedError: for anything else.
    """
    if not hasattr(csr, "indptr"):
        raise FeedError(f"expected a SciPy CSR matrix, got {type(csr).__name__}")
    values = np.asarray(
        csr.data, dtype=dtype or (csr.dtype if is_computed(csr.dtype) else np.float32)
    )
    offsets = np.asarray(csr.indptr, dtype=np.int64)
    one_hot = bool((np.diff(offsets) == 1).all() and (values == 1).all())
    arrays = (offsets, np.asarray(csr.indices, np.int64))
    index = to_device(tensor_of(np.concatenate(arrays[:2])), device)
    begins, columns = torch.split(index, [len(offsets), len(index) - len(offsets)])
    return SparseRows(
        begins, columns, to_device(tensor_of(np.array(values)), device), csr.shape[1], one_hot
    )


def csr_of(rows: SparseRows) -> Any:
    """Return sparse rows as a SciPy CSR matrix; bfloat16, which SciPy lacks, as float32."""
    import scipy.sparse

    values = rows.values.float() if rows.values.dtype is torch.bfloat16 else rows.values
    parts = (values, rows.columns, rows.offsets)
    return scipy.sparse.csr_matrix(tuple(array_of(p) for p in parts), shape=rows.shape)


def touched_rows(gradient: Tensor) -> SparseRows:
    """Return a gradient that torch stores as some rows of a matrix."""
    gradient = gradient.coalesce()
    (rows,), values = gradient.indices(), gradient.values()
    count, width = gradient.shape
    counts = torch.zeros(count, dtype=torch.int64, device=values.device)
    counts[rows] = width
    offsets = torch.cat([counts.new_zeros(1), torch.cumsum(counts, 0)])
    columns = torch.arange(width, device=values.device).repeat(len(rows))
    return SparseRows(offsets, columns, values.flatten(), width)


def padded_rows(rows: SparseRows, layout: Layout) -> SparseRows:
    """Pad frames of sequences to a block ``[count * longest]``; rows beyond a sequence's end are
    empty.
    """
    counts = rows.offsets.new_zeros(layout.count * layout.longest)
    counts[layout._pad_index] = rows.offsets[1:] - rows.offsets[:-1]
    offsets = torch.cat([counts.new_zeros(1), torch.cumsum(counts, 0)])
    return SparseRows(offsets, rows.columns, rows.values, rows.width)


class Sequences(list):  # type: ignore[type-arg]
    """Result for sequences: a list with an array for each.

    NumPy makes it one array where all have the same length, else an array of arrays, as it did of
    any list in the original's time.
    """

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if len({getattr(a, "shape", None) for a in self}) == 1:
            return np.array(list(self), dtype=dtype)
        array = np.empty(len(self), dtype=object)
        for k, sequence in enumerate(self):
            array[k] = sequence
        return array


def split(rows: Tensor | SparseRows, layout: Layout, shape: Shape) -> Sequences:
    """Return frames as one array (or CSR matrix) for each sequence."""
    if isinstance(rows, SparseRows):
        matrix = csr_of(rows)
    else:
        matrix = array_of(rows).reshape(-1, *shape)
    ends = np.cumsum(layout.lengths)
    return Sequences(matrix[e - n : e].copy() for e, n in zip(ends, layout.lengths, strict=True))


def rows_as_numpy(rows: Tensor | SparseRows, type_: TensorType, layout: Layout | None) -> Any:
    """Return a result for the program: an array, a CSR matrix, or a list of them for sequences."""
    if layout is not None:
        return split(
            rows, layout, tuple(rows.shape[1:]) if isinstance(rows, Tensor) else type_.shape
        )
    if isinstance(rows, SparseRows):
        return csr_of(rows)
    return array_of(rows)
